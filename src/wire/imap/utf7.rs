//! Modified UTF-7 (RFC 3501 §5.1.3): how IMAP4rev1 writes mailbox names such as `Çöp Kutusu`.

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

/// `Çöp Kutusu` → `&AMcA9g-p Kutusu`.
pub fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    let mut foreign: Vec<u8> = Vec::new();
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut foreign, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            foreign.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut foreign, &mut out);
    out
}

/// The name meant, or nothing when the text is not modified UTF-7. Names that would have two
/// spellings (a printable character in base64, needless shifts) are refused, as RFC 3501 asks.
pub fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        match code {
            "" => out.push('&'),
            code => out.push_str(&units(code)?),
        }
        rest = after;
    }
    out.push_str(rest);
    let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    (printable && encode(&out) == text).then_some(out)
}

fn flush(foreign: &mut Vec<u8>, out: &mut String) {
    if !foreign.is_empty() {
        out.push('&');
        out.push_str(&BASE64.encode(foreign));
        out.push('-');
        foreign.clear();
    }
}

fn units(code: &str) -> Option<String> {
    let bytes = BASE64.decode(code.as_bytes()).ok()?;
    let pairs = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    });
    String::from_utf16(&pairs.collect::<Option<Vec<_>>>()?).ok()
}

/// Base64 with `,` for `/` and without padding.
static BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,");
    specification.encoding().unwrap_or(data_encoding::BASE64_NOPAD)
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn turkish_names_are_written_as_clients_know_them() {
        for (name, text) in [
            ("Çöp Kutusu", "&AMcA9g-p Kutusu"),
            ("Tüm Postalar", "T&APw-m Postalar"),
            ("Açılacaklar", "A&AOcBMQ-lacaklar"),
            ("Arşiv/Gelen", "Ar&AV8-iv/Gelen"),
            ("Ar & Ge", "Ar &- Ge"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ] {
            assert_eq!(encode(name), text);
            assert_eq!(decode(text).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_name_has_one_spelling() {
        for bad in ["&", "a&b", "&AGE-", "&U,BTFw-&ZeVnLIqe-", "&2D0-", "&A-", "Çöp", "a\tb"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_name_comes_back(name in "\\PC{0,20}") {
            prop_assert_eq!(decode(&encode(&name)), Some(name));
        }
    }
}
