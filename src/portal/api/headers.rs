//! Headers that are read and written by hand.

use data_encoding::HEXUPPER;

/// `Content-Disposition` of a file to be kept (RFC 6266): its name in ASCII, and as it is.
pub fn attachment(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let ascii: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded: String = name
        .bytes()
        .map(|b| match plain(char::from(b)) {
            true => char::from(b).to_string(),
            false => format!("%{}", HEXUPPER.encode(&[b])),
        })
        .collect();
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// Percent-decoded; `None` when that is not UTF-8, or broken. Of a query `+` is a space.
pub fn decoded(text: &str, query: bool) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let (digits, after) = more.split_at_checked(2)?;
                let octet = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?;
                out.extend(octet);
                after
            }
            b'+' if query => {
                out.push(b' ');
                more
            }
            other => {
                out.push(other);
                more
            }
        };
    }
    String::from_utf8(out).ok()
}

/// The pairs of a query.
pub fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(PAIRS);
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name, true)?, decoded(value, true)?))
    };
    pairs.map(pair).collect()
}

/// The media type alone, in small letters.
pub fn media(value: &str) -> String {
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Characters of a file's name.
const NAME: usize = 120;
/// More than any operation knows; of the rest nothing is said.
const PAIRS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_end_no_line_and_no_string() {
        let said = attachment("şartname \"1\".pdf\r\nX: y");
        assert!(!said.contains('\r') && said.matches('"').count() == 2, "{said}");
        assert!(said.contains("filename*=UTF-8''%C5%9Fartname%20%221%22.pdf"), "{said}");
    }

    #[test]
    fn what_is_encoded_is_decoded_or_refused() {
        assert_eq!(decoded("a%20b%C5%9F+c", false).as_deref(), Some("a bş+c"));
        assert_eq!(decoded("a+b", true).as_deref(), Some("a b"));
        for bad in ["%", "%2", "%zz", "%ff", "a%0"] {
            assert_eq!(decoded(bad, true), None, "{bad}");
        }
        let read = pairs("a=1&b=%26&&c").unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1], ("b".into(), "&".into()));
        assert_eq!(media("Application/JSON; charset=utf-8"), "application/json");
    }
}
