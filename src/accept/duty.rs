//! Who hands a message in and who signs it, where others act for an account beside its holder; and what
//! follows from that when it is laid in.

use super::ask::{Login, LoginAnswer};
use super::refusal::Refusal;
use crate::registry::Account;
use crate::registry::accounts::CertificateUse;
use crate::registry::audit::{self, Actor, By, Channel};
use crate::registry::credits::Held;
use crate::registry::handovers::{self, Sent};
use crate::registry::login::Proven;
use crate::registry::operators::{self, Act, Operator, Signer};
use crate::registry::tasks;
use crate::store::mail::{Kind, NewMessage};
use crate::store::submissions::{NewSubmission, Origin, SubmissionState};
use crate::store::{RowsError, StoreError, Tx};
use crate::trust::Certificate;
use crate::wire::{OperatorCode, Timestamp};
use serde_json::json;

/// Of whom nothing but his roles could keep from sending.
pub(super) fn let_in(proven: Proven, at: Timestamp) -> LoginAnswer {
    let Proven { account, operator, .. } = proven;
    match operator {
        Some(operator) if !operator.may(Act::Submit) => {
            LoginAnswer::Refused(Refusal::OperatorMayNotSend(operator.label()))
        }
        operator => LoginAnswer::Accepted(Login {
            account: account.id,
            address: account.address,
            operator: operator.map(|operator| operator.code),
            at,
            channel: Channel::Smtp,
        }),
    }
}

/// Who hands a message in, where that is not the holder; his roles may have changed since the login.
pub(super) fn acting(
    tx: &mut Tx<'_>,
    from: &Login,
) -> Result<Result<Option<Operator>, Refusal>, RowsError> {
    let Some(code) = from.operator else { return Ok(Ok(None)) };
    Ok(match operators::find(tx, from.account, code)? {
        Some(operator) if operator.may(Act::Submit) => Ok(Some(operator)),
        Some(operator) => Err(Refusal::SenderMayNotSend(operator.label())),
        None => Err(Refusal::SenderMayNotSend(code.to_string())),
    })
}

/// The same person, as the audit names him.
pub(super) fn by(from: &Login, operator: Option<&Operator>, at: Timestamp) -> By {
    let name = match operator {
        Some(operator) => format!("{} / {}", from.address, operator.label()),
        None => from.address.to_string(),
    };
    By { actor: Actor::Person { account: from.account, name }, channel: from.channel, at }
}

/// Who signed, where that is not the holder (invariant 7).
pub(super) fn signer(
    tx: &mut Tx<'_>,
    account: &Account,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<Result<Option<Operator>, Refusal>, RowsError> {
    let signer = match operators::e_seal(tx, account, certificate, now)? {
        Some(signer) => signer,
        None => operators::signer(tx, account, certificate, CertificateUse::Sign)?,
    };
    Ok(match signer {
        Signer::Holder => Ok(None),
        Signer::Operator(operator) if operator.may(Act::Sign) => Ok(Some(*operator)),
        Signer::Operator(operator) => Err(Refusal::SignerMayNotSign(operator.label())),
        Signer::Stranger => Err(Refusal::SignerNotAccount(certificate.subject().to_owned())),
    })
}

/// What is done with a message in the transaction that lays it in.
pub(super) struct Following {
    by: By,
    operator: Option<String>,
    what: What,
}

enum What {
    /// It waits for its signature: what its copy in `İmza Bekleyenler` is.
    Waits(Box<NewMessage>),
    Signed {
        by: Option<OperatorCode>,
    },
    Nothing,
}

/// Who is behind a message.
pub(super) struct Persons<'a> {
    pub submitter: Option<&'a Operator>,
    /// Nobody, the holder, or an operator.
    pub signer: Option<Option<&'a Operator>>,
}

impl Following {
    pub fn of(
        from: &Login,
        persons: &Persons<'_>,
        state: SubmissionState,
        octets: &[u8],
        at: Timestamp,
    ) -> Self {
        let operator = persons.submitter.map(Operator::label);
        let what = match (state, persons.signer) {
            (SubmissionState::Held, _) => {
                let copy = NewMessage::of(octets, Kind::Plain, at);
                What::Waits(Box::new(NewMessage { flags: SEEN, ..copy }))
            }
            (_, Some(signer)) => What::Signed { by: signer.map(|one| one.code) },
            (_, None) => What::Nothing,
        };
        Self { by: by(from, persons.submitter, at), operator, what }
    }

    /// What waits for this signature, and what was reserved for it.
    pub fn ends(&self, tx: &mut Tx<'_>, new: &NewSubmission) -> Result<Vec<Held>, RowsError> {
        match (&self.what, &new.origin, &new.details.charge, &new.details.ua_message_id) {
            (What::Signed { .. }, Origin::Account(account), Some(_), Some(id)) => {
                handovers::reserved(tx, *account, id)
            }
            _ => Ok(Vec::new()),
        }
    }

    pub fn lay_in(&self, tx: &mut Tx<'_>, new: &NewSubmission) -> Result<(), StoreError> {
        let Origin::Account(account) = new.origin else { return Ok(()) };
        let ua_message_id = new.details.ua_message_id.as_deref();
        match (&self.what, ua_message_id) {
            (What::Waits(copy), _) => handovers::hold(tx, account, new, copy, &self.by)?,
            (What::Signed { by }, Some(ua_message_id)) => {
                let (message, signer) = (&new.message_id, *by);
                let sent = Sent { account, ua_message_id, message, signer };
                handovers::signed(tx, &sent, &self.by)?;
            }
            (What::Signed { .. } | What::Nothing, _) => {}
        }
        if let (What::Waits(_) | What::Nothing, Some(ua_message_id)) = (&self.what, ua_message_id) {
            tasks::arrived(tx, account, ua_message_id, self.by.at)?;
        }
        // What the holder sends, the submission itself tells; it would make the audit everybody's queue.
        if let Some(operator) = &self.operator {
            let details = json!({ "message": new.message_id.as_str(), "operator": operator });
            audit::record(tx, &self.by, "message.submit", &new.details.sender, details)?;
        }
        Ok(())
    }
}

/// `\Seen`: the sender knows what he wrote.
const SEEN: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{AccountId, KepAddress};

    #[test]
    fn what_follows_is_recorded_of_the_door_by_which_the_message_came() {
        let address = KepAddress::parse("ali.veli@hs05.kep.tr").unwrap();
        let at = Timestamp::from_secs(0);
        for channel in [Channel::Smtp, Channel::Api, Channel::Portal] {
            let account = AccountId(1);
            let from = Login { account, address: address.clone(), operator: None, at, channel };
            let persons = Persons { submitter: None, signer: Some(None) };
            let following = Following::of(&from, &persons, SubmissionState::Accepted, b"", at);
            assert_eq!(following.by.channel, channel);
        }
    }
}
