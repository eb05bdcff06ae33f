//! Whose a signing certificate is: the account's holder's, or which of its operators' (invariant 7).

use super::{Operator, find, operator, rows};
use crate::registry::accounts::{self, Account, CertificateUse};
use crate::registry::holders::{Holder, Vkn, records};
use crate::registry::policy;
use crate::store::{RowsError, Tx, holders};
use crate::trust::Certificate;
use crate::wire::{OperatorCode, Timestamp};

/// Who signs for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signer {
    Holder,
    /// One who acts now; whether he may sign, his roles say.
    Operator(Box<Operator>),
    /// Nobody whom the account knows.
    Stranger,
}

/// Whose a certificate is that signs, or logs in (`what`). A registered one is whose it was registered
/// for, and for that use. Any other tells by its T.C. kimlik no, the holder's or an operator's, and last
/// by the account's address. Who was an operator and is none now, or is suspended, is a stranger, whatever address his
/// certificate bears.
pub fn signer(
    tx: &mut Tx<'_>,
    account: &Account,
    certificate: &Certificate,
    what: CertificateUse,
) -> Result<Signer, RowsError> {
    let mut ended = false;
    if let Some((number, uses)) = rows::of_certificate(tx, account.id, &certificate.digest().0)? {
        let uses = CertificateUse::parse(&uses).ok_or(RowsError::Stored("a certificate's use"))?;
        if uses != CertificateUse::Both && uses != what {
            return Ok(Signer::Stranger);
        }
        let Some(code) = OperatorCode::of_number(number) else { return Ok(Signer::Holder) };
        if let Some(one) = find(tx, account.id, code)?.filter(Operator::is_active) {
            return Ok(Signer::Operator(Box::new(one)));
        }
        ended = true;
    }
    if let Some(number) = certificate.identity_number()
        && account.identity_number.as_deref() != Some(number)
    {
        let there = rows::of_person(tx, account.id, number)?.map(operator).transpose()?;
        if let Some(one) = there.filter(Operator::is_active) {
            return Ok(Signer::Operator(Box::new(one)));
        }
        ended |= rows::was_person(tx, account.id, number)?;
    }
    Ok(match !ended && accounts::is_signer(account, certificate) {
        true => Signer::Holder,
        false => Signer::Stranger,
    })
}

/// Whose an electronic seal is that signs; `None` for what is no e-seal. It names no person but an
/// institution, by its VKN, and signs for it where the account is permitted to and the policy lets any,
/// registered or not.
pub fn e_seal(
    tx: &mut Tx<'_>,
    account: &Account,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Option<Signer>, RowsError> {
    let vkn = certificate.identity_number().and_then(|number| Vkn::parse(number).ok());
    let Some(vkn) = vkn else { return Ok(None) };
    Ok(Some(match may_seal(tx, account, &vkn, now)? {
        true => Signer::Holder,
        false => Signer::Stranger,
    }))
}

fn may_seal(
    tx: &mut Tx<'_>,
    account: &Account,
    vkn: &Vkn,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let Some(holder) = account.holder else { return Ok(false) };
    if !holders::terms(tx, account.id)?.1 || !policy::at(tx, now)?.e_seal_allowed {
        return Ok(false);
    }
    Ok(match records::holder(tx, holder)? {
        Holder::Person(_) => false,
        Holder::Company(company) => company.vkn() == vkn,
        Holder::Public(body) => body.vkn() == Some(vkn),
    })
}
