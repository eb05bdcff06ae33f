//! Notices (bildirim): where the holder of an account, or his deputy while he is away, is told outside
//! KEP, and of what. What is told stands in the outbox; content is never told.

mod acts;
mod code;
mod ending;
mod quiet;
mod tell;
mod unread;

pub use acts::{
    Change, NoticeError, Which, add, list, list_in, remove, remove_in, send_code, set, set_in,
    verify,
};
pub use ending::sweep as tell_of_endings;
pub use quiet::{Quiet, QuietError, reminder};
pub use tell::{
    Happened, evidence_came, handover_came_back, holder_places, low_balances, mail_came, new_place,
    tell, wants_still,
};
pub use unread::{look_unread, watch};

use super::outbox::{Kind, Language};
use crate::store::RowsError;
use crate::store::notices::TargetRow;
use crate::wire::{AccountId, MailAddress, Mobile, Reach, Timestamp};
use std::collections::BTreeSet;

/// A place, and what is told there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub id: i64,
    pub account: AccountId,
    pub reach: Reach,
    pub language: Language,
    pub events: BTreeSet<Event>,
    pub quiet: Option<Quiet>,
    pub whose: Whose,
    /// Since when it is proven by a code; before that nothing but the code is sent there.
    pub proven_at: Option<Timestamp>,
}

/// Who is told there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    Holder,
    /// Somebody else (vekil), while the holder is away. He hears that there is something and never what:
    /// only the account itself opens a message.
    Deputy(Absence),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Absence {
    /// The deputy's name.
    pub deputy: String,
    pub from: Timestamp,
    /// Not any more.
    pub until: Timestamp,
}

/// What one may be told of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A message came.
    Mail,
    /// What became of a message that was sent.
    Evidence,
    /// A message is unread, and its time to read ends.
    Unread,
    /// Credits run low.
    Credit,
    /// The mailboxes are nearly full.
    Storage,
    /// A registered certificate ends.
    Certificate,
    /// The contract ends.
    Contract,
    /// What was to be signed was returned, or nobody signed it in time.
    Handover,
    /// A login from where there was none before.
    Login,
    /// The last reminder of what is unread: for a second person (his place is a deputy's), whoever is away.
    Escalation,
}

impl Absence {
    /// Of a second person, who deputises on no day.
    pub fn never(deputy: String) -> Self {
        let epoch = Timestamp::from_millis(0);
        Self { deputy, from: epoch, until: epoch.plus_millis(1) }
    }

    pub fn is_never(&self) -> bool {
        *self == Self::never(self.deputy.clone())
    }
}

impl Event {
    pub const ALL: [Self; 10] = [
        Self::Mail,
        Self::Evidence,
        Self::Unread,
        Self::Credit,
        Self::Storage,
        Self::Certificate,
        Self::Contract,
        Self::Handover,
        Self::Login,
        Self::Escalation,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Evidence => "evidence",
            Self::Unread => "unread",
            Self::Credit => "credit",
            Self::Storage => "storage",
            Self::Certificate => "certificate",
            Self::Contract => "contract",
            Self::Handover => "handover",
            Self::Login => "login",
            Self::Escalation => "escalation",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }

    /// Which event a notice is of; those that answer to what somebody does are of none.
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Mail => Some(Self::Mail),
            Kind::Evidence => Some(Self::Evidence),
            Kind::Unread => Some(Self::Unread),
            Kind::Credit => Some(Self::Credit),
            Kind::Storage => Some(Self::Storage),
            Kind::Certificate => Some(Self::Certificate),
            Kind::Contract => Some(Self::Contract),
            Kind::Handover => Some(Self::Handover),
            Kind::Login => Some(Self::Login),
            _ => None,
        }
    }
}

impl Whose {
    /// Whether that is the same person, for whatever time.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Holder, Self::Holder) => true,
            (Self::Deputy(one), Self::Deputy(other)) => one.deputy == other.deputy,
            _ => false,
        }
    }
}

impl Target {
    /// Whether a change would touch what guards the account: codes that log in go to the holder's places, and
    /// that somebody logs in from elsewhere is told there.
    pub fn guards_otherwise(&self, change: &Change) -> bool {
        let told = self.proven_at.is_some() && self.whose == Whose::Holder;
        let of_logins = told && self.events.contains(&Event::Login);
        !self.whose.is_same(&change.whose) || (of_logins && !change.events.contains(&Event::Login))
    }

    /// Whether this is told here then. Changed credentials are told to the holder wherever he is reached.
    pub fn hears(&self, kind: Kind, at: Timestamp) -> bool {
        let wanted = match Event::of(kind) {
            Some(event) => self.events.contains(&event),
            None => kind == Kind::Credentials && self.whose == Whose::Holder,
        };
        let his = match &self.whose {
            Whose::Holder => true,
            // A deputy is for what waits to be opened; the rest is the holder's affair.
            Whose::Deputy(_) => matches!(kind, Kind::Mail | Kind::Unread | Kind::Evidence),
        };
        self.proven_at.is_some() && wanted && his && self.is_in_time(kind, at)
    }

    /// A deputy hears what happens while the holder is away; the code that proves his place comes before.
    fn is_in_time(&self, kind: Kind, at: Timestamp) -> bool {
        match &self.whose {
            Whose::Deputy(absence) if !kind.is_asked_for() => {
                absence.from <= at && at < absence.until
            }
            Whose::Holder | Whose::Deputy(_) => true,
        }
    }
}

pub(super) fn target(row: &TargetRow) -> Result<Target, RowsError> {
    let reach = match row.channel.as_str() {
        "sms" => Mobile::parse(&row.target).map(Reach::Sms),
        _ => MailAddress::parse(&row.target).map(Reach::Mail),
    };
    let absence = row.deputy.clone().map(|(deputy, from, until)| Absence { deputy, from, until });
    Ok(Target {
        id: row.id,
        account: row.account,
        reach: reach.map_err(|_| RowsError::Stored("where a notice goes"))?,
        language: Language::parse(&row.language).ok_or(RowsError::Stored("a language"))?,
        // A word of a newer version is not told by this one.
        events: row.events.split(' ').filter_map(Event::parse).collect(),
        quiet: row.quiet.and_then(|(from, until)| Quiet::new(from, until)),
        whose: absence.map_or(Whose::Holder, Whose::Deputy),
        proven_at: row.verified_at,
    })
}

pub(super) fn row(target: &Target, added_at: Timestamp) -> TargetRow {
    let words: Vec<_> = target.events.iter().map(|event| event.word()).collect();
    TargetRow {
        id: target.id,
        account: target.account,
        channel: target.reach.channel().to_owned(),
        target: target.reach.as_str().to_owned(),
        language: target.language.word().to_owned(),
        events: words.join(" "),
        quiet: target.quiet.map(Quiet::minutes),
        deputy: match &target.whose {
            Whose::Holder => None,
            Whose::Deputy(absence) => Some((absence.deputy.clone(), absence.from, absence.until)),
        },
        added_at,
        verified_at: target.proven_at,
    }
}

#[cfg(test)]
mod tests;
