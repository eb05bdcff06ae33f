//! Mailbox names in UTF-8 with `/` between levels, special uses (RFC 6154), and LIST patterns.

use super::utf7;
use std::fmt;

/// A name that can be a mailbox: `INBOX` in that spelling, levels neither empty nor `.` or `..`,
/// no control characters, bounded in length and depth.
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
        let name = name.strip_suffix('/').unwrap_or(name);
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
        let text = squeeze(&text);
        let wild = text.bytes().filter(|b| matches!(b, b'*' | b'%')).count();
        (text.len() <= NAME_MAX && wild <= WILD_MAX).then_some(Self(text))
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

/// Keeps the places of `text` the pattern so far can reach, so that no pattern is worse than
/// its length times the text's.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let mut reach = vec![false; text.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for &p in pattern {
        let mut next = vec![false; text.len() + 1];
        let mut open = false;
        for at in 0..=text.len() {
            let here = reach.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1).and_then(|i| text.get(i).copied());
            let value = match p {
                b'*' => {
                    open |= here;
                    open
                }
                b'%' => {
                    open = here || (open && before != Some(b'/'));
                    open
                }
                c => {
                    before == Some(c)
                        && at.checked_sub(1).is_some_and(|i| reach.get(i) == Some(&true))
                }
            };
            if let Some(slot) = next.get_mut(at) {
                *slot = value;
            }
        }
        if !next.contains(&true) {
            return false;
        }
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
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

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const INBOX: &str = "INBOX";
/// Octets; more than any folder tree of a person needs.
const NAME_MAX: usize = 1000;
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
        assert_eq!(MailboxName::parse(&"a".repeat(1001)), None);
    }

    #[test]
    fn both_spellings_on_the_wire_are_read() {
        let trash = MailboxName::parse("Çöp Kutusu").unwrap();
        assert_eq!(MailboxName::from_wire(b"&AMcA9g-p Kutusu", false), Some(trash.clone()));
        assert_eq!(MailboxName::from_wire("Çöp Kutusu".as_bytes(), true), Some(trash.clone()));
        assert_eq!(MailboxName::from_wire("Çöp Kutusu".as_bytes(), false), Some(trash.clone()));
        assert_eq!(trash.to_wire(false), "&AMcA9g-p Kutusu");
        assert_eq!(MailboxName::from_wire(b"\xff", true), None);
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
        assert!(matches(&"*a".repeat(40), &"a".repeat(400)));
        assert_eq!(Pattern::from_wire(b"", "*a".repeat(300).as_bytes(), true), None);
    }
}
