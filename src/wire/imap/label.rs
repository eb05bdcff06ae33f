//! Keywords of labels: the key Thunderbird makes of a tag's name, and the name that a key tells.
//!
//! Thunderbird 153 keeps letters, digits and harmless signs of ASCII in small letters and writes each
//! other octet of the name's UTF-8 as `=` and two hexadecimal digits: `sat=c4=b1=c5=9f` of `Satış`.
//! Up to 140 it was modified UTF-7 in small letters: `sat&atebxw-`.

mod lowered;

use crate::wire::fold::fold;
use data_encoding::HEXLOWER_PERMISSIVE;
use std::fmt::Write as _;

/// The key of a name, before anybody looks whether it is taken.
pub fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for octet in name.bytes() {
        match octet.is_ascii_graphic() && !ESCAPED.contains(&octet) {
            true => key.push(octet.to_ascii_lowercase() as char),
            false => {
                let _ = write!(key, "={octet:02x}");
            }
        }
    }
    if key.is_empty() { EMPTY.to_owned() } else { key }
}

/// The key to try after `tries` ones that were taken: `_1`, `_2` and so on.
pub fn with_suffix(key: &str, tries: usize) -> String {
    match tries {
        0 => key.to_owned(),
        tries => format!("{key}_{tries}"),
    }
}

/// What people call a keyword for which nobody gave a name.
pub fn name(keyword: &str) -> String {
    let known = THUNDERBIRDS.iter().find(|(key, _)| key.eq_ignore_ascii_case(keyword));
    match known {
        Some((_, name)) => (*name).to_owned(),
        None => decoded(keyword).unwrap_or_else(|| keyword.to_owned()),
    }
}

/// Whether a keyword tells of a person's order, not of what programs did with a message: `$…` names
/// are registered for those, but for the five that Thunderbird starts with.
pub fn is_label(keyword: &str) -> bool {
    let system =
        keyword.starts_with('$') || PROGRAMS.iter().any(|k| k.eq_ignore_ascii_case(keyword));
    !system || THUNDERBIRDS.iter().any(|(key, _)| key.eq_ignore_ascii_case(keyword))
}

/// Nothing when people could not see it, or read it in a line.
fn decoded(keyword: &str) -> Option<String> {
    // The newer form has no `&`, the older no `=` but those that were typed.
    let name = match keyword.contains('&') {
        true => lowered::decode(keyword)?,
        false => unescaped(keyword)?,
    };
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let good = !fold(&name).trim().is_empty() && !name.chars().any(breaks);
    good.then_some(name)
}

fn unescaped(keyword: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(keyword.len());
    let mut rest = keyword.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b'=' => {
                octets.extend(HEXLOWER_PERMISSIVE.decode(after.get(..2)?).ok()?);
                after.get(2..)?
            }
            other => {
                octets.push(other);
                after
            }
        };
    }
    String::from_utf8(octets).ok()
}

/// No part of an IMAP keyword, or with a meaning in the key itself.
const ESCAPED: &[u8] = b"=()[]{}%*\"\\<>;&";
const EMPTY: &str = "tag";
/// What Thunderbird's first five tags are called in Turkish.
const THUNDERBIRDS: [(&str, &str); 5] = [
    ("$label1", "Önemli"),
    ("$label2", "İş"),
    ("$label3", "Kişisel"),
    ("$label4", "Yapılacak"),
    ("$label5", "Sonra"),
];
/// Keywords without `$` that programs set by themselves.
const PROGRAMS: [&str; 8] = [
    "Junk",
    "NonJunk",
    "NotJunk",
    "JunkRecorded",
    "Forwarded",
    "Redirected",
    "MDNSent",
    "SubmitPending",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::Keyword;
    use proptest::prelude::*;

    #[test]
    fn keys_are_those_of_thunderbird() {
        for (name, made) in [
            ("Satış", "sat=c4=b1=c5=9f"),
            ("İhale 2026", "=c4=b0hale=202026"),
            ("iş/özel", "i=c5=9f/=c3=b6zel"),
            ("a=b", "a=3db"),
            ("R&D [x]", "r=26d=20=5bx=5d"),
            ("", "tag"),
        ] {
            assert_eq!(key(name), made);
        }
        assert_eq!(with_suffix("a", 0), "a");
        assert_eq!(with_suffix("a", 2), "a_2");
    }

    #[test]
    fn a_keyword_without_a_name_tells_one() {
        for (keyword, called) in [
            ("sat=c4=b1=c5=9f", "satış"),
            ("SAT=C4=B1=C5=9F", "SATış"),
            ("$label2", "İş"),
            ("acele", "acele"),
            ("sat&atebxw-", "satış"),
            ("sat&a", "sat&a"),
            ("i=c5=9f/=c3=b6zel", "iş/özel"),
            ("=e2=80=a8a", "=e2=80=a8a"),
            ("=e2=80=8b", "=e2=80=8b"),
            ("a=", "a="),
            ("a=c", "a=c"),
            ("a=zz", "a=zz"),
            ("a=ff", "a=ff"),
            ("a=0d=0a", "a=0d=0a"),
            ("=20", "=20"),
        ] {
            assert_eq!(name(keyword), called, "{keyword}");
        }
    }

    #[test]
    fn what_programs_set_is_no_label() {
        for word in ["$Forwarded", "$MDNSent", "NonJunk", "junk", "$KepRead", "$label6"] {
            assert!(!is_label(word), "{word}");
        }
        assert!(is_label("$Label1") && is_label("acele"));
    }

    proptest! {
        #[test]
        fn any_key_is_a_keyword_and_tells_its_name(text in "\\PC{1,20}") {
            let made = key(&text);
            prop_assert!(Keyword::parse(&made).is_some());
            let line = text.contains(['\u{2028}', '\u{2029}']);
            if !fold(&text).trim().is_empty() && !line {
                prop_assert_eq!(name(&made).to_ascii_lowercase(), text.to_ascii_lowercase());
            }
        }
    }
}
