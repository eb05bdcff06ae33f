//! Names of annotations (RFC 5464 §3): `/private/comment`, `/shared/vendor/…`.

use std::fmt;

/// A path of ASCII in small letters (names know no case) under `/private` or `/shared`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EntryName(String);

/// How far below an entry GETMETADATA looks (RFC 5464 §4.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Depth {
    #[default]
    Zero,
    One,
    Infinity,
}

impl EntryName {
    pub fn parse(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
        let good = |c: u8| (b' '..=b'~').contains(&c) && !matches!(c, b'*' | b'%');
        let mut levels = name.strip_prefix('/')?.split('/');
        let scope = levels.next().is_some_and(|level| matches!(level, "private" | "shared"));
        let mut below = levels.peekable();
        let whole = scope && below.peek().is_some() && below.all(|level| !level.is_empty());
        (whole && name.len() <= NAME_MAX && name.bytes().all(good)).then_some(Self(name))
    }

    /// What GETMETADATA may ask for: the two roots, too.
    pub fn parse_asked(name: &[u8]) -> Option<Self> {
        let root = ROOTS.iter().find(|root| name.eq_ignore_ascii_case(root.as_bytes()));
        root.map(|root| Self((*root).to_owned())).or_else(|| Self::parse(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_shared(&self) -> bool {
        self.0.starts_with(SHARED)
    }

    /// Whether it is `other` or lies below it, no deeper than `depth`.
    pub fn is_within(&self, other: &Self, depth: Depth) -> bool {
        let Some(rest) = self.0.strip_prefix(&other.0) else { return false };
        match (rest.strip_prefix('/'), depth) {
            (None, _) => rest.is_empty(),
            (Some(_), Depth::Zero) => false,
            (Some(below), Depth::One) => !below.contains('/'),
            (Some(_), Depth::Infinity) => true,
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const PRIVATE: &str = "/private";
const SHARED: &str = "/shared";
const ROOTS: [&str; 2] = [PRIVATE, SHARED];
/// Octets; more than any registered name has.
const NAME_MAX: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> EntryName {
        EntryName::parse_asked(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_paths_under_two_roots() {
        assert_eq!(name("/PRIVATE/Comment").as_str(), "/private/comment");
        assert!(name("/shared/admin").is_shared() && !name("/private/shared/x").is_shared());
        let long = format!("/private/{}", "a".repeat(250));
        for bad in [
            "",
            "/",
            "/private",
            "private/comment",
            "/private/",
            "/private//a",
            "/private/a/",
            "/privates/a",
            "/comment",
            "/private/a*",
            "/private/%",
            "/private/a\u{7f}",
            "/private/ş",
            "/shared/a\r\nb",
            &long,
        ] {
            assert_eq!(EntryName::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert!(EntryName::parse_asked(b"/Private").is_some());
        assert!(EntryName::parse_asked(b"/").is_none());
    }

    #[test]
    fn depth_tells_what_lies_below() {
        let (root, a, ab) = (name("/private/f"), name("/private/f/a"), name("/private/f/a/b"));
        let other = name("/private/fa");
        for (depth, expected) in [
            (Depth::Zero, [true, false, false, false]),
            (Depth::One, [true, true, false, false]),
            (Depth::Infinity, [true, true, true, false]),
        ] {
            assert_eq!([&root, &a, &ab, &other].map(|n| n.is_within(&root, depth)), expected);
        }
    }
}
