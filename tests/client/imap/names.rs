//! Mailbox names: UTF-8 here, modified UTF-7 on the wire (RFC 3501 §5.1.3).

use data_encoding::{BASE64_NOPAD, Encoding};

pub fn encode_mailbox(name: &str) -> String {
    let (mut wire, mut wide) = (String::new(), String::new());
    for c in name.chars() {
        if c.is_ascii() {
            flush(&mut wire, &mut wide);
            wire.push(c);
            if c == '&' {
                wire.push('-');
            }
        } else {
            wide.push(c);
        }
    }
    flush(&mut wire, &mut wide);
    wire
}

/// What can't be decoded stays as it came.
pub fn decode_mailbox(wire: &str) -> String {
    let (mut name, mut rest) = (String::new(), wire);
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let Some((encoded, after)) = shifted.split_once('-') else {
            name.push('&');
            name.push_str(shifted);
            return name;
        };
        name.push_str(&unshift(encoded));
        rest = after;
    }
    name.push_str(rest);
    name
}

fn flush(wire: &mut String, wide: &mut String) {
    if wide.is_empty() {
        return;
    }
    let octets: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    wire.push('&');
    wire.push_str(&comma_base64().encode(&octets));
    wire.push('-');
    wide.clear();
}

fn unshift(encoded: &str) -> String {
    if encoded.is_empty() {
        return "&".to_owned();
    }
    let Ok(octets) = comma_base64().decode(encoded.as_bytes()) else {
        return format!("&{encoded}-");
    };
    let (pairs, _) = octets.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// Base64 with `,` for `/` and no padding.
fn comma_base64() -> Encoding {
    let mut specification = BASE64_NOPAD.specification();
    specification.symbols = specification.symbols.replace('/', ",");
    specification.encoding().unwrap_or(BASE64_NOPAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turkish_names_go_there_and_back() {
        assert_eq!(encode_mailbox("Çöp Kutusu"), "&AMcA9g-p Kutusu");
        for name in ["INBOX", "Çöp Kutusu", "Arşiv/Gelen", "A&B", "İmza Bekleyenler"] {
            assert_eq!(decode_mailbox(&encode_mailbox(name)), name);
        }
    }
}
