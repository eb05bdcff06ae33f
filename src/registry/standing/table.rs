//! The one table of what an account may do. `docs/accounts-states.md` has the same, held by a test.

use super::Service;

/// What an account can be, as the table knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stage {
    /// Its address is kept for an application; there is no account yet.
    Applied,
    Active,
    Suspended,
    Closing,
    /// Read only, for three months.
    Closed,
    Ended,
}

/// What can be done, by whichever door.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// IMAP, portal, API: prove who one is and be let in.
    Login,
    /// IMAP, portal, API: list, read, open, search, export.
    Read,
    /// IMAP, portal, API: flags, labels, moving, deleting.
    Flag,
    /// IMAP, portal, API: put something in (drafts, copies).
    Append,
    /// SMTP (login, MAIL, DATA), portal, API: hand a message in.
    Submit,
    /// SMTP RCPT, relay in, delivery: get a message.
    Receive,
    /// Portal, API: change contact data, notices, passwords; ask for closing and the like.
    Manage,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    Yes,
    No,
    /// The policy `closing.receives`.
    ByPolicy,
}

use Answer::{ByPolicy as POLICY, No as NO, Yes as YES};
use Service::{Both, Receive};

type Row = (Stage, Service, [Answer; 7]);

/// Columns as [`Act::ALL`] has them.
#[rustfmt::skip]
pub const TABLE: [Row; 12] = [
    //                            login read flag append submit receive manage
    (Stage::Applied,   Both,    [NO,  NO,  NO,  NO,  NO,  NO,     NO]),
    (Stage::Applied,   Receive, [NO,  NO,  NO,  NO,  NO,  NO,     NO]),
    (Stage::Active,    Both,    [YES, YES, YES, YES, YES, YES,    YES]),
    (Stage::Active,    Receive, [YES, YES, YES, YES, NO,  YES,    YES]),
    (Stage::Suspended, Both,    [YES, YES, YES, YES, NO,  YES,    YES]),
    (Stage::Suspended, Receive, [YES, YES, YES, YES, NO,  YES,    YES]),
    (Stage::Closing,   Both,    [YES, YES, YES, YES, YES, YES,    YES]),
    (Stage::Closing,   Receive, [YES, YES, YES, YES, NO,  YES,    YES]),
    (Stage::Closed,    Both,    [YES, YES, YES, NO,  NO,  POLICY, NO]),
    (Stage::Closed,    Receive, [YES, YES, YES, NO,  NO,  POLICY, NO]),
    (Stage::Ended,     Both,    [NO,  NO,  NO,  NO,  NO,  NO,     NO]),
    (Stage::Ended,     Receive, [NO,  NO,  NO,  NO,  NO,  NO,     NO]),
];

pub fn answer(stage: Stage, service: Service, act: Act) -> Answer {
    let row = TABLE.iter().find(|(of, to, _)| *of == stage && *to == service);
    let column = Act::ALL.iter().position(|one| *one == act);
    let cell = row.zip(column).and_then(|((.., cells), column)| cells.get(column));
    cell.copied().unwrap_or(NO)
}

impl Stage {
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Active, Self::Suspended, Self::Closing, Self::Closed, Self::Ended];

    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closing => "closing",
            Self::Closed => "closed",
            Self::Ended => "ended",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Applied => "başvuruldu",
            Self::Active => "etkin",
            Self::Suspended => "askıda",
            Self::Closing => "kapatılıyor",
            Self::Closed => "kapalı",
            Self::Ended => "sona erdi",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

impl Act {
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Read,
        Self::Flag,
        Self::Append,
        Self::Submit,
        Self::Receive,
        Self::Manage,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Read => "read",
            Self::Flag => "flag",
            Self::Append => "append",
            Self::Submit => "submit",
            Self::Receive => "receive",
            Self::Manage => "manage",
        }
    }
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::ByPolicy => "policy",
        }
    }
}
