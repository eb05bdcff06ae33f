//! The one table of what an operator may do, by role. `docs/operators.md` has the same, held by a test.
//! Who has several roles may do what any of them may. An account's holder may do all of it.

use std::fmt;

/// What an operator is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Hazırlar.
    Prepares,
    /// İmzalar, onaylar.
    Signs,
    /// Gönderir.
    Sends,
    /// Okur.
    Reads,
    /// Denetler.
    Audits,
    /// Tam yetkili.
    Full,
}

/// What can be done for an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// SMTP (login, DATA), portal, API: hand a message in.
    Submit,
    /// IMAP (login), portal, API: list, read, open, search.
    Read,
    /// IMAP, portal, API: flags, labels, moving, folders.
    File,
    /// IMAP, portal, API: mark as deleted, expunge, into the trash, folders too.
    Delete,
    /// IMAP, portal, API: put a draft in.
    Draft,
    /// IMAP, portal, API: put something else in, as a mail program's copy of what it sent.
    Keep,
    /// Hand a message to an operator, who signs it.
    HandOver,
    /// Sign what is sent; return what was handed over.
    Sign,
    /// The account's audit, and everybody's tasks.
    Audit,
    /// Operators, their roles, passwords and certificates; contract, contact data.
    Manage,
}

/// A person's roles, one at least.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

const YES: bool = true;
const NO: bool = false;

/// Columns as [`Role::ALL`] has them.
#[rustfmt::skip]
pub const TABLE: [(Act, [bool; 6]); 10] = [
    //                prepares signs sends reads audits full
    (Act::Submit,   [NO,  NO,  YES, NO,  NO,  YES]),
    (Act::Read,     [NO,  NO,  NO,  YES, NO,  YES]),
    (Act::File,     [NO,  NO,  NO,  YES, NO,  YES]),
    (Act::Delete,   [YES, NO,  NO,  NO,  NO,  YES]),
    (Act::Draft,    [YES, NO,  NO,  NO,  NO,  YES]),
    (Act::Keep,     [YES, NO,  YES, NO,  NO,  YES]),
    (Act::HandOver, [YES, YES, NO,  NO,  NO,  YES]),
    (Act::Sign,     [NO,  YES, NO,  NO,  NO,  YES]),
    (Act::Audit,    [NO,  NO,  NO,  NO,  YES, YES]),
    (Act::Manage,   [NO,  NO,  NO,  NO,  NO,  YES]),
];

impl Roles {
    /// Nothing of none.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Option<Self> {
        let bits = roles.into_iter().fold(0, |bits, role| bits | 1 << role as u8);
        (bits != 0).then_some(Self(bits))
    }

    pub fn contains(self, role: Role) -> bool {
        self.0 & (1 << role as u8) != 0
    }

    pub fn may(self, act: Act) -> bool {
        let row = TABLE.iter().find(|(of, _)| *of == act);
        row.is_some_and(|(_, cells)| {
            Role::ALL.iter().zip(cells).any(|(role, may)| *may && self.contains(*role))
        })
    }

    pub fn list(self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.contains(*role)).collect()
    }

    /// As rows have it: words, a space between.
    pub fn words(self) -> String {
        self.list().iter().map(|role| role.word()).collect::<Vec<_>>().join(" ")
    }

    pub fn parse(words: &str) -> Option<Self> {
        let roles: Option<Vec<_>> = words.split_ascii_whitespace().map(Role::parse).collect();
        Self::new(roles?)
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.list()).finish()
    }
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Prepares, Self::Signs, Self::Sends, Self::Reads, Self::Audits, Self::Full];

    pub fn word(self) -> &'static str {
        match self {
            Self::Prepares => "prepares",
            Self::Signs => "signs",
            Self::Sends => "sends",
            Self::Reads => "reads",
            Self::Audits => "audits",
            Self::Full => "full",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Prepares => "hazırlar",
            Self::Signs => "imzalar, onaylar",
            Self::Sends => "gönderir",
            Self::Reads => "okur",
            Self::Audits => "denetler",
            Self::Full => "tam yetkili",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl Act {
    pub fn word(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::File => "file",
            Self::Delete => "delete",
            Self::Draft => "draft",
            Self::Keep => "keep",
            Self::HandOver => "hand-over",
            Self::Sign => "sign",
            Self::Audit => "audit",
            Self::Manage => "manage",
        }
    }
}
