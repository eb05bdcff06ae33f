//! Mail's encodings, for what we write and what we read: quoted-printable, base64 in lines, and
//! RFC 2047 words.

use data_encoding::{BASE64, BASE64_MIME};

/// RFC 2045 §6.7, of text with any line ends; what is added is 7-bit with CRLF.
pub(super) fn quoted_printable(out: &mut String, text: &str) {
    out.reserve(text.len() * 3 / 2);
    text.lines().for_each(|line| quoted_line(out, line));
}

fn quoted_line(out: &mut String, line: &str) {
    // "From " at a line's start and a lone dot are changed by some transports.
    let risky = line.starts_with('.') || line.starts_with("From ");
    // Where the octets begin that are still to be written, as they are.
    let (mut width, mut from) = (0, 0);
    for (at, octet) in line.bytes().enumerate() {
        let blank = (octet == b' ' || octet == b'\t') && at + 1 < line.len();
        let plain = blank || (octet.is_ascii_graphic() && octet != b'=');
        let plain = plain && (at > 0 || !risky);
        let size = if plain { 1 } else { 3 };
        let breaks = width + size > 75;
        if breaks || !plain {
            out.push_str(line.get(from..at).unwrap_or_default());
            from = at;
        }
        if breaks {
            out.push_str("=\r\n");
            width = 0;
        }
        width += size;
        if !plain {
            let hex = |nibble: u8| HEX.get(usize::from(nibble)).map_or('0', |c| char::from(*c));
            out.extend(['=', hex(octet >> 4), hex(octet & 15)]);
            from = at + 1;
        }
    }
    out.push_str(line.get(from..).unwrap_or_default());
    out.push_str("\r\n");
}

pub(super) fn from_quoted_printable(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    for line in octets.split_inclusive(|b| *b == b'\n') {
        let (text, end) = split_end(line);
        let text = text.trim_ascii_end();
        let (text, end) = match text.strip_suffix(b"=") {
            Some(soft) => (soft, &b""[..]),
            None => (text, end),
        };
        let mut at = 0;
        while let Some(octet) = text.get(at) {
            let pair = text.get(at + 1..at + 3).filter(|_| *octet == b'=');
            let value = pair.and_then(|p| data_encoding::HEXLOWER_PERMISSIVE.decode(p).ok());
            match value.as_deref() {
                Some([value]) => {
                    out.push(*value);
                    at += 3;
                }
                _ => {
                    out.push(*octet);
                    at += 1;
                }
            }
        }
        out.extend_from_slice(end);
    }
    out
}

fn split_end(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    line.split_at(line.len() - end)
}

/// Base64 in lines of 76 with CRLF, the last one too.
pub(super) fn base64_lines(out: &mut String, octets: &[u8]) {
    BASE64_MIME.encode_append(octets, out);
}

/// Base64 with anything between that is not of its alphabet.
pub(super) fn from_base64(octets: &[u8]) -> Option<Vec<u8>> {
    let alphabet = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let text: Vec<u8> = octets.iter().copied().filter(alphabet).collect();
    BASE64.decode(&text).ok()
}

/// RFC 2047: ASCII stays, anything else becomes encoded words, one below the other.
pub(super) fn words(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let long_word = clean.split(' ').any(|word| word.len() > 70);
    if clean.is_ascii() && !clean.contains("=?") && !long_word {
        return fold(&clean);
    }
    let mut chunks = vec![String::new()];
    for c in clean.chars() {
        // §2: a word has at most 75 characters, so at most 45 octets fit.
        if chunks.last().is_some_and(|chunk| chunk.len() + c.len_utf8() > 42) {
            chunks.push(String::new());
        }
        if let Some(last) = chunks.last_mut() {
            last.push(c);
        }
    }
    let encoded = chunks.iter().map(|c| format!("=?UTF-8?B?{}?=", BASE64.encode(c.as_bytes())));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

/// RFC 5322 §2.2.3: long values are broken at spaces.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut width = FIELD_NAME;
    for (at, word) in text.split(' ').enumerate() {
        if at > 0 {
            // A line of nothing but spaces would end the header for some readers.
            if width + word.len() > 75 && !word.is_empty() {
                out.push_str("\r\n");
                width = 0;
            }
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += word.len();
    }
    out
}

/// Room for the longest field name in the first line.
const FIELD_NAME: usize = 30;
const HEX: &[u8; 16] = b"0123456789ABCDEF";
