//! Why an account hands nothing in: what its state and service leave of it, said at the login and, of
//! whom it befell since, after the message.

use super::refusal::Refusal;
use crate::registry::Account;
use crate::registry::standing::{Act, Answer, Service, Stage, answer};
use crate::wire::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bar {
    ReceiveOnly,
    Suspended,
    /// With the last moment of its time to read, while that lasts.
    Closed(Option<Timestamp>),
}

pub(super) fn may_submit(account: &Account, now: Timestamp) -> Result<(), Bar> {
    let stage = account.state.stage_at(now);
    if answer(stage, account.service, Act::Submit) == Answer::Yes {
        return Ok(());
    }
    Err(match (stage, account.service) {
        (Stage::Closed, _) => Bar::Closed(account.state_at(now).readable_until()),
        (Stage::Ended | Stage::Applied, _) => Bar::Closed(None),
        (_, Service::Receive) => Bar::ReceiveOnly,
        (_, Service::Both) => Bar::Suspended,
    })
}

impl Bar {
    pub(super) fn at_login(self, account: &Account) -> Refusal {
        let address = account.address.to_string();
        match self {
            Self::ReceiveOnly => Refusal::ReceiveOnly(address),
            Self::Suspended => Refusal::AccountSuspended(address),
            Self::Closed(Some(until)) => Refusal::AccountReadable(until.turkish_day()),
            Self::Closed(None) => Refusal::AccountClosed(address),
        }
    }

    pub(super) fn after_login(self, account: &Account) -> Refusal {
        let address = account.address.to_string();
        match self {
            Self::ReceiveOnly => Refusal::SenderReceiveOnly(address),
            Self::Suspended => Refusal::SenderSuspended(address),
            Self::Closed(Some(until)) => Refusal::SenderReadable(until.turkish_day()),
            Self::Closed(None) => Refusal::SenderClosed(address),
        }
    }
}
