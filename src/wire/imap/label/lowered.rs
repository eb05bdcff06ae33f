//! Keys that Thunderbird made before 153: the name in modified UTF-7 (RFC 3501 §5.1.3), in small
//! letters. What the letters of its base64 were is lost with that; of all they may have been, the
//! reading in letters that names are written in is taken, Turkish ones first.

use std::collections::BTreeMap;

/// `satış` of `sat&atebxw-`; nothing when there is no reading.
pub fn decode(key: &str) -> Option<String> {
    let mut out = String::with_capacity(key.len());
    let mut rest = key;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        match code {
            "" => out.push('&'),
            code => out.push_str(&letters(code)?),
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Bits that make no letter yet, and how many.
type Begun = (u32, u32);
/// How far a reading is from a likely one, and what it reads.
type Reading = (u32, String);

fn letters(code: &str) -> Option<String> {
    let mut readings = BTreeMap::from([((0, 0), (0, String::new()))]);
    for c in code.bytes() {
        let mut next: BTreeMap<Begun, Reading> = BTreeMap::new();
        for (begun, reading) in &readings {
            for value in values(c).into_iter().flatten() {
                let Some((begun, reading)) = read(*begun, reading, value) else { continue };
                let better = next.get(&begun).is_none_or(|known| reading < *known);
                if better {
                    next.insert(begun, reading);
                }
            }
        }
        readings = next;
    }
    // What fills the last six bits up is zero.
    let whole = readings.into_iter().filter(|((bits, count), _)| *bits == 0 && *count < 6);
    whole.map(|(_, reading)| reading).min().map(|(_, text)| text)
}

fn read((bits, count): Begun, (far, text): &Reading, value: u32) -> Option<(Begun, Reading)> {
    let (bits, count) = (bits << 6 | value, count + 6);
    let Some(left) = count.checked_sub(16) else {
        return Some(((bits, count), (*far, text.clone())));
    };
    let letter = char::from_u32(bits >> left)?;
    let far = far + distance(letter)?;
    Some(((bits & ((1 << left) - 1), left), (far, format!("{text}{letter}"))))
}

/// What a letter of base64 stands for, or stood for before it became a small one.
fn values(c: u8) -> [Option<u32>; 2] {
    let at = |first: u8, value: u32| Some(u32::from(c - first) + value);
    match c {
        b'a'..=b'z' => [at(b'a', 0), at(b'a', 26)],
        b'A'..=b'Z' => [at(b'A', 0), None],
        b'0'..=b'9' => [at(b'0', 52), None],
        b'+' => [Some(62), None],
        b',' => [Some(63), None],
        _ => [None, None],
    }
}

fn distance(letter: char) -> Option<u32> {
    match letter {
        'ç' | 'ğ' | 'ı' | 'ö' | 'ş' | 'ü' => Some(0),
        'Ç' | 'Ğ' | 'İ' | 'Ö' | 'Ş' | 'Ü' => Some(1),
        'â' | 'î' | 'û' | 'Â' | 'Î' | 'Û' => Some(2),
        // Latin-1 Supplement, Latin Extended-A and -B.
        '\u{c0}'..='\u{24f}' if letter.is_alphabetic() => Some(4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::utf7;
    use proptest::prelude::*;

    #[test]
    fn small_letters_are_read_as_what_they_were() {
        for (key, name) in [
            ("sat&atebxw-", Some("satış")),
            ("&ata-hale", Some("İhale")),
            ("ar&ax4-", Some("arž")),
            ("a&-b", Some("a&b")),
            ("acele", Some("acele")),
            ("a&b", None),
            ("&", None),
            ("&a-", None),
            ("&!!-", None),
            // No letter is seen in it.
            ("&2d3eaa-", None),
        ] {
            assert_eq!(decode(key).as_deref(), name, "{key}");
        }
    }

    #[test]
    fn a_long_key_is_read_in_no_time() {
        let key = format!("&{}-", "atebxw".repeat(40));
        assert!(decode(&key).is_none_or(|name| name.chars().count() == 90));
    }

    proptest! {
        #[test]
        fn turkish_names_are_read_again(name in "[a-z0-9çğıöşüÇĞİÖŞÜ]{1,20}") {
            let key = utf7::encode(&name).to_ascii_lowercase();
            prop_assert_eq!(decode(&key), Some(name));
        }

        #[test]
        fn any_key_is_read_or_not(key in "[!-~]{0,60}") {
            let _ = decode(&key);
        }
    }
}
