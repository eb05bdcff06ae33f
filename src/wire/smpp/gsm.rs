//! The 7-bit alphabet of phones (3GPP TS 23.038 §6.2.1) with its extension (§6.2.1.1), and the Turkish
//! single shift table (§A.2.1). A letter takes one septet, one behind the escape two. SMPP carries a
//! septet in an octet; whoever sends it on packs them.

/// Which letters stand behind the escape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    Default,
    /// Announced in the user data header; not every network carries it.
    Turkish,
}

/// The septets of a letter; `None` when the alphabet has none.
pub fn septets(letter: char, shift: Shift) -> Option<Septets> {
    if let Some(at) = BASIC.chars().position(|known| known == letter && known != ESCAPED) {
        return u8::try_from(at).ok().map(Septets::One);
    }
    let behind = match shift {
        Shift::Default => EXTENSION,
        Shift::Turkish => TURKISH,
    };
    let found = behind.iter().find(|(_, known)| *known == letter);
    found.map(|(septet, _)| Septets::Escaped(*septet))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Septets {
    One(u8),
    Escaped(u8),
}

impl Septets {
    pub fn octets(self) -> Vec<u8> {
        match self {
            Self::One(septet) => vec![septet],
            Self::Escaped(septet) => vec![ESCAPE, septet],
        }
    }
}

/// The letter that people who lack it write in its place, so that the text fits in the alphabet.
pub fn plain(letter: char) -> char {
    match letter {
        'ç' => 'c',
        'ğ' => 'g',
        'Ğ' => 'G',
        'ı' => 'i',
        'İ' => 'I',
        'ş' => 's',
        'Ş' => 'S',
        'â' => 'a',
        'î' => 'i',
        'û' => 'u',
        '’' | '‘' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        '…' => '.',
        known if septets(known, Shift::Default).is_some() => known,
        _ => '?',
    }
}

const ESCAPE: u8 = 0x1b;
/// Stands in the table where the escape is.
const ESCAPED: char = '\u{1b}';
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENSION: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];
const TURKISH: &[(u8, char)] = &[
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x47, 'Ğ'),
    (0x49, 'İ'),
    (0x53, 'Ş'),
    (0x63, 'ç'),
    (0x65, '€'),
    (0x67, 'ğ'),
    (0x69, 'ı'),
    (0x73, 'ş'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_its_letters_where_they_belong() {
        assert_eq!(BASIC.chars().count(), 128);
        for (letter, septet) in
            [('@', 0), ('A', 0x41), ('a', 0x61), (' ', 0x20), ('ü', 0x7e), ('à', 0x7f), ('Ç', 9)]
        {
            assert_eq!(septets(letter, Shift::Default), Some(Septets::One(septet)), "{letter}");
        }
        assert_eq!(septets('€', Shift::Default), Some(Septets::Escaped(0x65)));
        assert_eq!(septets('ş', Shift::Default), None);
        assert_eq!(septets('ş', Shift::Turkish), Some(Septets::Escaped(0x73)));
        assert_eq!(septets('\u{1b}', Shift::Turkish), None);
    }

    #[test]
    fn what_is_plain_is_in_the_alphabet() {
        for letter in "Çağrı, ŞİĞDEM ığüşöç “x” – 日".chars() {
            assert!(septets(plain(letter), Shift::Default).is_some(), "{letter}");
        }
    }
}
