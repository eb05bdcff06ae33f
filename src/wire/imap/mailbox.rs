//! Mailbox names in UTF-8 with `/` between levels, special uses (RFC 6154), and LIST patterns.

use super::utf7;
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A name that can be a mailbox: `INBOX` in that spelling, levels neither empty nor `.` or `..`,
/// no control characters, letters composed, bounded in length and depth.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MailboxName(String);

/// RFC 6154 special-use attributes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpecialUse {
    All,
    Archive,
    Drafts,
    Flagged,
    Junk,
    Sent,
    Trash,
}

/// A LIST pattern in UTF-8: `*` matches anything, `%` anything within a level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern(String);

impl MailboxName {
    pub fn parse(name: &str) -> Option<Self> {
        let name = composed(name);
        let name = name.strip_suffix('/').unwrap_or(&name);
        let mut levels = name.split('/');
        let good = name.len() <= NAME_MAX
            && levels.clone().count() <= DEPTH_MAX
            && !name
                .chars()
                .any(|c| c.is_control() || matches!(c, '*' | '%' | '\u{2028}' | '\u{2029}'))
            && levels.all(|level| !matches!(level, "" | "." | ".."));
        let first = name.split('/').next().unwrap_or_default();
        match first.eq_ignore_ascii_case(INBOX) {
            _ if !good => None,
            true => Some(Self(format!("{INBOX}{}", &name[first.len()..]))),
            false => Some(Self(name.to_owned())),
        }
    }

    /// From the wire: UTF-8 after ENABLE IMAP4rev2 (or when it holds 8-bit letters), else
    /// modified UTF-7.
    pub fn from_wire(bytes: &[u8], utf8: bool) -> Option<Self> {
        Self::parse(&text_from_wire(bytes, utf8)?)
    }

    /// How a client wrote this name in UTF-8, if that was another spelling (RFC 9051 §6.3.9.7).
    pub fn other_spelling<'b>(&self, bytes: &'b [u8]) -> Option<&'b str> {
        let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('/');
        (!text.eq_ignore_ascii_case(&self.0)).then_some(text)
    }

    pub fn inbox() -> Self {
        Self(INBOX.to_owned())
    }

    pub fn is_inbox(&self) -> bool {
        self.0 == INBOX
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a client reads it.
    pub fn to_wire(&self, utf8: bool) -> String {
        if utf8 { self.0.clone() } else { utf7::encode(&self.0) }
    }

    /// `Arşiv` of `Arşiv/Gelen`.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Whether it lies somewhere under `other`.
    pub fn is_under(&self, other: &Self) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl SpecialUse {
    /// `\Sent` and the like, whatever the case.
    pub fn named(name: &str) -> Option<Self> {
        ATTRIBUTES.iter().find(|(_, text)| text.eq_ignore_ascii_case(name)).map(|(it, _)| *it)
    }

    pub fn attribute(self) -> &'static str {
        ATTRIBUTES.iter().find(|(it, _)| *it == self).map_or("", |(_, text)| text)
    }
}

impl Pattern {
    /// A LIST pattern below a reference, both from the wire.
    pub fn from_wire(reference: &[u8], pattern: &[u8], utf8: bool) -> Option<Self> {
        let both = [reference, pattern].concat();
        let text = text_from_wire(&both, utf8)?;
        let text = squeeze(&composed(&text));
        let wild = text.bytes().filter(|b| matches!(b, b'*' | b'%')).count();
        (text.len() - wild <= NAME_MAX && wild <= WILD_MAX).then_some(Self(text))
    }

    pub fn matches(&self, name: &MailboxName) -> bool {
        let (pattern, text) = (self.0.as_bytes(), name.as_str().as_bytes());
        let inbox = self.0.get(..INBOX.len()).is_some_and(|head| head.eq_ignore_ascii_case(INBOX));
        if inbox && name.is_inbox() {
            return wild(&[INBOX.as_bytes(), &pattern[INBOX.len()..]].concat(), text);
        }
        wild(pattern, text)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Keeps the places of `text` that the pattern so far can reach, all in one step for each octet of
/// the pattern: no pattern is dearer than it is long.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let mut places = [Places::default(); 256];
    for (at, c) in text.iter().enumerate() {
        if let Some(of_octet) = places.get_mut(usize::from(*c)) {
            of_octet.insert(at);
        }
    }
    let of = |c: u8| places.get(usize::from(c)).copied().unwrap_or_default();
    let within_level = of(b'/').others();
    let mut reach = Places::default();
    reach.insert(0);
    for &c in pattern {
        reach = match c {
            b'*' => reach.spread(Places::ALL),
            b'%' => reach.spread(within_level),
            c => reach.both(of(c)).next(),
        };
        if reach == Places::default() {
            return false;
        }
    }
    reach.holds(text.len())
}

/// Places in a name, one bit each, from the lowest of the first word on.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Places([u64; 4]);

impl Places {
    const ALL: Self = Self([u64::MAX; 4]);

    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn holds(self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn both(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    fn others(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// One place further each.
    fn next(self) -> Self {
        let mut carry = 0;
        Self(self.0.map(|word| {
            let moved = word << 1 | carry;
            carry = word >> 63;
            moved
        }))
    }

    /// And all that is reached from these over places in `through`: adding lets a carry run through
    /// each of their runs.
    fn spread(self, through: Self) -> Self {
        let mut carry = false;
        let sum = self.both(through).zip(through, |a, b| {
            let (sum, first) = a.overflowing_add(b);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            sum
        });
        sum.zip(through, |a, b| a ^ b).zip(self, |a, b| a | b)
    }

    fn zip(self, other: Self, mut both: impl FnMut(u64, u64) -> u64) -> Self {
        let mut words = self.0;
        words.iter_mut().zip(other.0).for_each(|(a, b)| *a = both(*a, b));
        Self(words)
    }
}

/// `***%*` means `*`; without this a pattern of stars would cost more than it says.
fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (out.chars().next_back(), c) {
            (Some('*'), '*' | '%') | (Some('%'), '%') => {}
            (Some('%'), '*') => {
                out.pop();
                out.push('*');
            }
            _ => out.push(c),
        }
    }
    out
}

/// Some clients write UTF-8 where modified UTF-7 is due; 8-bit octets can't be anything else.
fn text_from_wire(bytes: &[u8], utf8: bool) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    if utf8 || !text.is_ascii() { Some(text.to_owned()) } else { utf7::decode(text) }
}

/// A letter with its mark apart is the same letter (RFC 9051 §5.1, RFC 5198 §3): names are compared
/// by what this makes of them.
pub fn composed(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const INBOX: &str = "INBOX";
/// Octets; more than any folder tree of a person needs, and each place in a name is a bit of
/// [`Places`].
const NAME_MAX: usize = 255;
const DEPTH_MAX: usize = 32;
/// Wildcards in one pattern; one a level is what programs write.
const WILD_MAX: usize = 40;

const ATTRIBUTES: [(SpecialUse, &str); 7] = [
    (SpecialUse::All, "\\All"),
    (SpecialUse::Archive, "\\Archive"),
    (SpecialUse::Drafts, "\\Drafts"),
    (SpecialUse::Flagged, "\\Flagged"),
    (SpecialUse::Junk, "\\Junk"),
    (SpecialUse::Sent, "\\Sent"),
    (SpecialUse::Trash, "\\Trash"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn inbox_has_one_spelling() {
        assert!(MailboxName::parse("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::parse("inbox/A").unwrap().as_str(), "INBOX/A");
        assert_eq!(MailboxName::parse("Inboxes").unwrap().as_str(), "Inboxes");
    }

    #[test]
    fn names_that_play_tricks_are_refused() {
        for bad in ["", "/", "/a", "a//b", "../x", "a/..", "a/./b", "a\0b", "a\r\nb", "a*", "%"] {
            assert_eq!(MailboxName::parse(bad), None, "{bad:?}");
        }
        assert_eq!(MailboxName::parse(&"a/".repeat(40)), None);
        assert_eq!(MailboxName::parse(&"a".repeat(256)), None);
    }

    #[test]
    fn both_spellings_on_the_wire_are_read() {
        let trash = MailboxName::parse("Çöp Kutusu").unwrap();
        assert_eq!(MailboxName::from_wire(b"&AMcA9g-p Kutusu", false), Some(trash.clone()));
        assert_eq!(MailboxName::from_wire("Çöp Kutusu".as_bytes(), true), Some(trash.clone()));
        assert_eq!(MailboxName::from_wire("Çöp Kutusu".as_bytes(), false), Some(trash.clone()));
        assert_eq!(trash.to_wire(false), "&AMcA9g-p Kutusu");
        assert_eq!(MailboxName::from_wire(b"\xff", true), None);
        // Letters and their marks apart.
        let apart = "C\u{327}o\u{308}p Kutusu";
        assert_eq!(MailboxName::from_wire(apart.as_bytes(), true), Some(trash.clone()));
        assert_eq!(MailboxName::from_wire(utf7::encode(apart).as_bytes(), false), Some(trash));
    }

    #[test]
    fn a_letter_with_its_mark_apart_is_the_same_letter() {
        let (apart, one) = ("Ars\u{327}iv/C\u{327}o\u{308}p", "Arşiv/Çöp");
        let name = MailboxName::from_wire(apart.as_bytes(), true).unwrap();
        assert_eq!(name.as_str(), one);
        let encoded = utf7::encode(apart);
        assert_eq!(MailboxName::from_wire(encoded.as_bytes(), false), Some(name.clone()));
        assert!(Pattern::from_wire(b"", b"Ars\xcc\xa7iv/*", true).unwrap().matches(&name));
        assert_eq!(name.other_spelling(apart.as_bytes()), Some(apart));
        assert_eq!(name.other_spelling("Arşiv/Çöp/".as_bytes()), None);
        assert_eq!(MailboxName::inbox().other_spelling(b"inbox"), None);
    }

    /// What RFC 9051 §6.3.9 says, at any cost.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((star @ (b'*' | b'%'), rest)) => (0..=text.len()).any(|taken| {
                (*star == b'*' || !text[..taken].contains(&b'/')) && slowly(rest, &text[taken..])
            }),
            Some((c, rest)) => text.first() == Some(c) && slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_what_they_say(pattern in "[ab/*%]{0,9}", text in "[ab/]{0,9}", far in 0_usize..246) {
            prop_assert_eq!(wild(pattern.as_bytes(), text.as_bytes()), slowly(pattern.as_bytes(), text.as_bytes()));
            // The same across the words' edges.
            let start = "c".repeat(far);
            let (pattern, text) = (format!("{start}{pattern}"), format!("{start}{text}"));
            prop_assert_eq!(wild(pattern.as_bytes(), text.as_bytes()), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }

    #[test]
    fn patterns_match_levels() {
        let matches = |pattern: &str, name: &str| {
            let name = MailboxName::parse(name).unwrap();
            Pattern::from_wire(b"", pattern.as_bytes(), true).unwrap().matches(&name)
        };
        assert!(matches("*", "Arşiv/Gelen"));
        assert!(!matches("%", "Arşiv/Gelen"));
        assert!(matches("%/%", "Arşiv/Gelen"));
        assert!(matches("Arşiv/%", "Arşiv/Gelen"));
        assert!(matches("A*n", "Arşiv/Gelen"));
        assert!(!matches("A%n", "Arşiv/Gelen"));
        assert!(matches("inbox", "INBOX"));
        assert!(matches("iNbOx*", "INBOX"));
        assert!(!matches("taslaklar", "Taslaklar"));
        assert!(!matches("", "INBOX"));
        assert!(matches(&"*a".repeat(40), &"a".repeat(255)));
        assert!(matches("%%*a%%", &"a".repeat(255)));
        assert!(!matches(&format!("{}b", "%a".repeat(39)), &"a".repeat(255)));
        assert_eq!(Pattern::from_wire(b"", "*a".repeat(300).as_bytes(), true), None);
    }
}
