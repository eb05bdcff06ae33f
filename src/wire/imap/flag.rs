//! Flags of a message: the five system flags as bits, keywords as one text (`$Forwarded iş`-like
//! atoms between single spaces), which is how a row keeps them and how FETCH writes them.

use std::collections::HashSet;
use std::ops::BitOr;

/// `\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft` as bits; the numbers are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct SystemFlags(u8);

/// An atom that is not a system flag (RFC 9051 `flag-keyword`), as first written; compared
/// without regard to ASCII case.
#[derive(Clone, Debug, PartialOrd, Ord)]
pub struct Keyword(String);

/// Keywords in the order they were set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct Keywords(Box<str>);

/// All flags of one message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct Flags {
    pub system: SystemFlags,
    pub keywords: Keywords,
}

impl SystemFlags {
    pub const SEEN: Self = Self(1);
    pub const ANSWERED: Self = Self(2);
    pub const FLAGGED: Self = Self(4);
    pub const DELETED: Self = Self(8);
    pub const DRAFT: Self = Self(16);
    pub const ALL: Self = Self(31);

    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The bit of `\Name`, whatever its case.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, text)| text.eq_ignore_ascii_case(name)).map(|(flag, _)| *flag)
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, text)| *text)
    }
}

impl BitOr for SystemFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Keyword {
    pub fn parse(text: &str) -> Option<Self> {
        let atom = (1..=KEYWORD_MAX).contains(&text.len()) && text.bytes().all(is_atom_char);
        (atom && !text.starts_with('\\')).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `$Kep…` keywords tell what happened to a message; only the server sets them.
    pub fn is_server_owned(&self) -> bool {
        is_server_owned(&self.0)
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl Keywords {
    /// From a row, where this very text was stored; what is no keyword is left out.
    pub fn from_stored(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let clean = text.split(' ').all(|word| !word.is_empty() && word.bytes().all(is_atom_char));
        match clean {
            true => Self(text.into()),
            false => text.split(' ').filter_map(Keyword::parse).collect(),
        }
    }

    /// The text a row keeps: atoms between single spaces, empty for none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|word| word.eq_ignore_ascii_case(name))
    }

    /// These and then those of `other` which are not in yet.
    pub fn with(&self, other: &Self) -> Self {
        let new = other.iter().filter(|word| !self.contains(word));
        join(self.iter().chain(new))
    }

    pub fn without(&self, other: &Self) -> Self {
        join(self.iter().filter(|word| !other.contains(word)))
    }

    /// The `$Kep…` ones.
    pub fn server_owned(&self) -> Self {
        join(self.iter().filter(|word| is_server_owned(word)))
    }

    /// Those a client may set.
    pub fn client_owned(&self) -> Self {
        join(self.iter().filter(|word| !is_server_owned(word)))
    }
}

/// Gathers the keywords of many messages, at the cost of their octets.
#[derive(Default)]
pub struct Union {
    /// In small letters.
    seen: HashSet<String>,
    all: String,
}

impl Union {
    /// `text` as rows keep it; what is in already, in whatever case, is passed over.
    pub fn add(&mut self, text: &str) {
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let lower = word.to_ascii_lowercase();
            if self.seen.contains(&lower) || Keyword::parse(word).is_none() {
                continue;
            }
            self.seen.insert(lower);
            if !self.all.is_empty() {
                self.all.push(' ');
            }
            self.all.push_str(word);
        }
    }

    pub fn keywords(self) -> Keywords {
        Keywords(self.all.into())
    }
}

impl FromIterator<Keyword> for Keywords {
    fn from_iter<I: IntoIterator<Item = Keyword>>(words: I) -> Self {
        let mut seen: Vec<Keyword> = Vec::new();
        for word in words {
            if !seen.contains(&word) {
                seen.push(word);
            }
        }
        join(seen.iter().map(Keyword::as_str))
    }
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> Keywords {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    Keywords(text.into())
}

fn is_server_owned(word: &str) -> bool {
    word.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("$Kep"))
}

/// RFC 9051 ATOM-CHAR, but `]`, which would end a response code.
fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

const NAMES: [(SystemFlags, &str); 5] = [
    (SystemFlags::ANSWERED, "\\Answered"),
    (SystemFlags::FLAGGED, "\\Flagged"),
    (SystemFlags::DELETED, "\\Deleted"),
    (SystemFlags::SEEN, "\\Seen"),
    (SystemFlags::DRAFT, "\\Draft"),
];

/// Longer than any label's key; Thunderbird writes three characters for each Turkish letter's octet.
const KEYWORD_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_what_adding_one_by_one_gives() {
        let rows = ["a B", "b c", "", "A d] c", "$KepX e"];
        let (mut union, mut one_by_one) = (Union::default(), Keywords::default());
        for row in rows {
            union.add(row);
            one_by_one = one_by_one.with(&Keywords::from_stored(row));
        }
        let union = union.keywords();
        assert_eq!(union.as_str(), "a B c $KepX e");
        assert_eq!(union, one_by_one);
    }

    fn words(text: &str) -> Keywords {
        Keywords::from_stored(text)
    }

    #[test]
    fn keywords_are_a_set_without_case() {
        let all = words("iw $Forwarded").with(&words("$FORWARDED sat=c4=b1=c5=9f"));
        assert_eq!(all.as_str(), "iw $Forwarded sat=c4=b1=c5=9f");
        assert_eq!(all.without(&words("$forwarded")).as_str(), "iw sat=c4=b1=c5=9f");
        assert_eq!(words("a  (b) c").as_str(), "a c");
        assert_eq!(words("").iter().count(), 0);
    }

    #[test]
    fn the_servers_keywords_are_told_apart() {
        let all = words("a $KepRead b");
        assert_eq!(all.server_owned().as_str(), "$KepRead");
        assert_eq!(all.client_owned().as_str(), "a b");
        assert!(Keyword::parse("$kepX").is_some_and(|word| word.is_server_owned()));
    }

    #[test]
    fn what_is_no_atom_is_no_keyword() {
        for bad in ["", "\\Seen", "a b", "a(b", "a]", "ş", "a\"", "*"] {
            assert!(Keyword::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn system_flags_are_named() {
        let flags = SystemFlags::named("\\seen").unwrap() | SystemFlags::DRAFT;
        assert_eq!(flags.names().collect::<Vec<_>>(), ["\\Seen", "\\Draft"]);
        assert!(SystemFlags::named("\\Recent").is_none());
    }
}
