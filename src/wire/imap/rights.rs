//! Rights of a mailbox (RFC 4314 §2.1).

use std::fmt;
use std::ops::BitOr;

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rights(u16);

impl Rights {
    pub const NONE: Self = Self(0);
    /// LIST and subscriptions.
    pub const LOOKUP: Self = Self(1);
    pub const READ: Self = Self(1 << 1);
    /// `\Seen`.
    pub const SEEN: Self = Self(1 << 2);
    /// Other flags and keywords.
    pub const WRITE: Self = Self(1 << 3);
    /// APPEND, and COPY into it.
    pub const INSERT: Self = Self(1 << 4);
    /// CREATE of mailboxes under it.
    pub const CREATE: Self = Self(1 << 5);
    /// DELETE and RENAME of it.
    pub const DELETE_MAILBOX: Self = Self(1 << 6);
    /// `\Deleted`.
    pub const DELETE: Self = Self(1 << 7);
    pub const EXPUNGE: Self = Self(1 << 8);
    /// To see who has which rights.
    pub const ADMINISTER: Self = Self(1 << 9);
    pub const ALL: Self = Self((1 << 10) - 1);

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = LETTERS.chars().enumerate().filter(|(bit, _)| self.0 >> bit & 1 == 1);
        letters.map(|(_, letter)| letter).try_for_each(|letter| write!(f, "{letter}"))?;
        // RFC 4314 §2.1.1: what programs of RFC 2086 look for.
        let of = |rights: Self, letter| if self.0 & rights.0 == 0 { "" } else { letter };
        write!(f, "{}{}", of(Self::CREATE, "c"), of(Self::DELETE | Self::EXPUNGE, "d"))
    }
}

/// In the order of the bits. `p` (submission to a mailbox) nobody has here.
const LETTERS: &str = "lrswikxtea";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_letters() {
        assert_eq!(Rights::ALL.to_string(), "lrswikxteacd");
        let some = Rights::READ | Rights::LOOKUP;
        assert_eq!(some.to_string(), "lr");
        assert_eq!(Rights::ALL.without(Rights::INSERT | Rights::EXPUNGE).to_string(), "lrswkxtacd");
        assert_eq!(Rights::NONE.to_string(), "");
        assert!(Rights::ALL.has(some) && !some.has(Rights::ALL));
    }
}
