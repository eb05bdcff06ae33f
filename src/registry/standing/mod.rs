//! What an account is now, and what that lets it do. Time moves a standing by itself: a closing that was
//! asked for completes at its hour and the three months after it end, whether or not anybody has
//! written that down yet (invariant 9). `table.rs` is the one table of what may be done.

mod table;

pub use table::{Act, Answer, Stage, TABLE, answer};

use super::accounts::RegistryError;
use super::policy;
use crate::store::accounts::{self as rows, StandingRow};
use crate::store::{RowsError, Store, Tx};
use crate::wire::{AccountId, Timestamp};

/// Hizmet alma şekli.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    /// Gönderici/alıcı.
    Both,
    /// Alıcı.
    Receive,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountState {
    Active,
    /// By the provider, for a time.
    Suspended {
        since: Timestamp,
        reason: String,
    },
    /// The holder asked for it; until it completes nothing changes.
    Closing {
        since: Timestamp,
        /// By itself; without it staff completes it.
        completes: Option<Timestamp>,
    },
    /// It can be read for three months; accounts of old don't say since when.
    Closed {
        since: Option<Timestamp>,
    },
    Ended {
        since: Timestamp,
    },
}

/// What brings an account from one state to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Move {
    Suspend { reason: String },
    Resume,
    Request { completes: Option<Timestamp> },
    Withdraw,
    Close,
    Reopen,
    End,
}

/// It can't be done with an account in that state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the account is {}; it can't be {done} now", stage.word())]
pub struct Mistimed {
    pub stage: Stage,
    pub done: &'static str,
}

/// State and service together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountStanding {
    pub state: AccountState,
    pub service: Service,
}

impl AccountState {
    pub fn stage(&self) -> Stage {
        match self {
            Self::Active => Stage::Active,
            Self::Suspended { .. } => Stage::Suspended,
            Self::Closing { .. } => Stage::Closing,
            Self::Closed { .. } => Stage::Closed,
            Self::Ended { .. } => Stage::Ended,
        }
    }

    pub fn word(&self) -> &'static str {
        self.stage().word()
    }

    /// What it has become by then. That it ended is written down by the caretaker only, so that what
    /// follows from it is done.
    pub fn at(&self, now: Timestamp) -> Self {
        match self {
            Self::Closing { completes: Some(hour), .. } if *hour <= now => {
                Self::Closed { since: Some(*hour) }
            }
            other => other.clone(),
        }
    }

    /// Its row in the table.
    pub fn stage_at(&self, now: Timestamp) -> Stage {
        let state = self.at(now);
        match state.readable_until() {
            Some(until) if now > until => Stage::Ended,
            _ => state.stage(),
        }
    }

    pub fn closed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Closed { since } => *since,
            _ => None,
        }
    }

    /// Of a closed account, if it is known since when.
    pub fn readable_until(&self) -> Option<Timestamp> {
        self.closed_at().map(last_moment)
    }

    /// Closing again what is closed gives no further time; opening what is open changes nothing.
    pub fn after(&self, step: Move, now: Timestamp) -> Result<Self, Mistimed> {
        let state = self.at(now);
        let over = state.stage_at(now) == Stage::Ended;
        let done = step.done();
        match (state, step) {
            (Self::Active, Move::Suspend { reason }) => Ok(Self::Suspended { since: now, reason }),
            (Self::Suspended { .. }, Move::Resume) => Ok(Self::Active),
            (Self::Active, Move::Request { completes }) => {
                Ok(Self::Closing { since: now, completes })
            }
            (Self::Closing { .. }, Move::Withdraw) => Ok(Self::Active),
            (Self::Active | Self::Suspended { .. } | Self::Closing { .. }, Move::Close) => {
                Ok(Self::Closed { since: Some(now) })
            }
            (closed @ Self::Closed { .. }, Move::Close) => Ok(closed),
            (Self::Active | Self::Closed { .. } | Self::Ended { .. }, Move::Reopen) => {
                Ok(Self::Active)
            }
            (closed @ Self::Closed { .. }, Move::End) if over => {
                Ok(Self::Ended { since: closed.readable_until().unwrap_or(now) })
            }
            (state, _) => Err(Mistimed { stage: state.stage_at(now), done }),
        }
    }

    /// As the row has it.
    pub fn of(row: &StandingRow) -> Result<Self, RowsError> {
        let since = || row.since.ok_or(RowsError::Stored("since when an account is so"));
        Ok(match Stage::parse(&row.state).ok_or(RowsError::Stored("an account's state"))? {
            Stage::Applied => return Err(RowsError::Stored("an account's state")),
            Stage::Active => Self::Active,
            Stage::Suspended => {
                Self::Suspended { since: since()?, reason: row.reason.clone().unwrap_or_default() }
            }
            Stage::Closing => Self::Closing { since: since()?, completes: row.completes_at },
            Stage::Closed => Self::Closed { since: row.closed_at },
            Stage::Ended => Self::Ended { since: since()? },
        })
    }

    /// For the audit.
    pub fn details(&self) -> serde_json::Value {
        let hour = |at: &Option<Timestamp>| at.map(Timestamp::iso8601);
        match self {
            Self::Active => serde_json::json!({ "state": "active" }),
            Self::Suspended { reason, .. } => {
                serde_json::json!({ "state": "suspended", "reason": reason })
            }
            Self::Closing { completes, .. } => {
                serde_json::json!({ "state": "closing", "completes": hour(completes) })
            }
            Self::Closed { since } => {
                let until = hour(&self.readable_until());
                serde_json::json!({ "state": "closed", "since": hour(since), "readable_until": until })
            }
            Self::Ended { since } => {
                serde_json::json!({ "state": "ended", "since": since.iso8601() })
            }
        }
    }

    pub fn row(&self) -> StandingRow {
        let plain = StandingRow { state: self.word().to_owned(), ..StandingRow::default() };
        match self {
            Self::Active => plain,
            Self::Suspended { since, reason } => {
                StandingRow { since: Some(*since), reason: Some(reason.clone()), ..plain }
            }
            Self::Closing { since, completes } => {
                StandingRow { since: Some(*since), completes_at: *completes, ..plain }
            }
            Self::Closed { since } => StandingRow { closed_at: *since, ..plain },
            Self::Ended { since } => StandingRow { since: Some(*since), ..plain },
        }
    }
}

impl Move {
    /// What the audit calls it.
    pub fn act(&self) -> &'static str {
        match self {
            Self::Suspend { .. } => "account.suspend",
            Self::Resume => "account.resume",
            Self::Request { .. } => "account.closing.request",
            Self::Withdraw => "account.closing.withdraw",
            Self::Close => "account.close",
            Self::Reopen => "account.reopen",
            Self::End => "account.end",
        }
    }

    fn done(&self) -> &'static str {
        match self {
            Self::Suspend { .. } => "suspended",
            Self::Resume => "resumed",
            Self::Request { .. } => "asked to be closed",
            Self::Withdraw => "kept: nobody waits for its closing, so that nothing is withdrawn",
            Self::Close => "closed",
            Self::Reopen => "reopened",
            Self::End => "ended",
        }
    }
}

impl Service {
    pub fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Receive => "receive",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Both => "gönderici/alıcı",
            Self::Receive => "alıcı",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Both, Self::Receive].into_iter().find(|one| one.word() == word)
    }
}

impl AccountStanding {
    pub fn of(row: &StandingRow) -> Result<Self, RowsError> {
        let service = Service::parse(&row.service).ok_or(RowsError::Stored("a service type"))?;
        Ok(Self { state: AccountState::of(row)?, service })
    }

    /// Whether it may do that now; the policies are asked only where the table leaves it to them.
    pub fn may(&self, tx: &mut Tx<'_>, act: Act, now: Timestamp) -> Result<bool, RowsError> {
        match answer(self.state.stage_at(now), self.service, act) {
            Answer::Yes => Ok(true),
            Answer::No => Ok(false),
            Answer::ByPolicy => Ok(policy::at(tx, now)?.closed_account_receives),
        }
    }
}

/// Whether an account may do that now.
pub fn may(
    tx: &mut Tx<'_>,
    account: AccountId,
    act: Act,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let row = rows::standing(tx, account)?;
    AccountStanding::of(&row)?.may(tx, act, now)
}

/// The same, for whoever has no transaction at hand.
pub async fn is_allowed(
    store: &Store,
    standing: &AccountStanding,
    act: Act,
    now: Timestamp,
) -> Result<bool, RegistryError> {
    match answer(standing.state.stage_at(now), standing.service, act) {
        Answer::Yes => Ok(true),
        Answer::No => Ok(false),
        Answer::ByPolicy => {
            let standing = standing.clone();
            Ok(store.look_up(move |tx: &mut Tx<'_>| standing.may(tx, act, now)).await?)
        }
    }
}

/// To the end of the day in Turkey, three months later.
fn last_moment(closed_at: Timestamp) -> Timestamp {
    let day = closed_at.istanbul().date_naive();
    let next = day.checked_add_months(READABLE).and_then(|day| day.succ_opt());
    let midnight = next.and_then(|day| day.and_hms_opt(0, 0, 0));
    let zone = *closed_at.istanbul().offset();
    let end = midnight.and_then(|local| local.and_local_timezone(zone).single());
    end.map_or(closed_at, |end| Timestamp::from_utc(end.to_utc()).plus_millis(-1))
}

/// Hesap Askı İşlemleri: the mailbox stays reachable for three months.
const READABLE: chrono::Months = chrono::Months::new(3);

#[cfg(test)]
mod tests;
