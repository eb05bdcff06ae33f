//! Undeclared 8-bit text: UTF-8 when it is, else windows-1254.
//!
//! windows-1254 has every printable character of ISO-8859-9, so one guess serves both, and both
//! are what old Turkish programs send.

pub(super) fn text(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|octet| character(*octet)).collect(),
    }
}

fn character(octet: u8) -> char {
    match octet {
        0x80..=0x9f => UPPER.get(usize::from(octet - 0x80)).copied().unwrap_or('\u{fffd}'),
        0xd0 => 'Ğ',
        0xdd => 'İ',
        0xde => 'Ş',
        0xf0 => 'ğ',
        0xfd => 'ı',
        0xfe => 'ş',
        latin => char::from(latin),
    }
}

/// 0x80 to 0x9F; unassigned ones are the replacement character.
const UPPER: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', '\u{fffd}',
    '\u{fffd}', '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}',
    '\u{fffd}', 'Ÿ',
];
