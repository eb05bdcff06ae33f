//! Whose a signing certificate is: the account's holder's, or which of its operators' (invariant 7;
//! kep-domain R-53).

use super::{Operator, find, operator, rows};
use crate::registry::accounts::{self, Account, CertificateUse};
use crate::store::{RowsError, Tx};
use crate::trust::Certificate;
use crate::wire::OperatorCode;

/// Who signs for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signer {
    Holder,
    /// One who acts now; whether he may sign, his roles say.
    Operator(Operator),
    /// Nobody whom the account knows.
    Stranger,
}

/// Whose a certificate is that signs, or logs in (`what`). A registered one is whose it was registered
/// for, and for that use. Any other tells by its T.C. kimlik no, the holder's or an operator's, and last
/// by the account's address. Who was an operator and is none now is a stranger, whatever address his
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
            return Ok(Signer::Operator(one));
        }
        ended = true;
    }
    if let Some(number) = certificate.identity_number()
        && account.identity_number.as_deref() != Some(number)
    {
        if let Some(row) = rows::of_person(tx, account.id, number)? {
            return Ok(Signer::Operator(operator(row)?));
        }
        ended |= rows::was_person(tx, account.id, number)?;
    }
    Ok(match !ended && accounts::is_signer(account, &[], certificate) {
        true => Signer::Holder,
        false => Signer::Stranger,
    })
}
