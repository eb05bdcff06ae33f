//! Content-Type (RFC 2045 §5.1): the type and the parameters that decide structure.

use super::header::unfolded;

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct ContentType {
    /// `multipart/signed`, in lower case.
    pub essence: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// None when it can't be read; RFC 2045 §5.2 then says text/plain.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(&unfolded(value)).into_owned();
        let mut pieces = split_outside_quotes(&text).into_iter();
        let essence = pieces.next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if kind.is_empty() || subtype.is_empty() {
            return None;
        }
        let parameters = pieces.filter_map(|piece| parameter(&piece)).collect();
        Some(Self { essence, parameters })
    }

    pub fn is(&self, essence: &str) -> bool {
        self.essence == essence
    }

    pub fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/")
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// RFC 2046 §5.1.1: 1 to 70 characters, not ending in space.
    pub fn boundary(&self) -> Option<&str> {
        let boundary = self.parameter("boundary")?;
        let good = (1..=BOUNDARY_MAX).contains(&boundary.len()) && !boundary.ends_with(' ');
        good.then_some(boundary)
    }
}

/// Pieces between semicolons; comments are dropped.
fn split_outside_quotes(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let (mut quoted, mut comment) = (false, 0usize);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let escaped = if c == '\\' && (quoted || comment > 0) { characters.next() } else { None };
        match c {
            '(' if !quoted => comment += 1,
            ')' if comment > 0 => comment -= 1,
            _ if comment > 0 => continue,
            ';' if !quoted => pieces.push(String::new()),
            _ => {
                quoted ^= c == '"';
                if let Some(piece) = pieces.last_mut() {
                    piece.push(c);
                    piece.extend(escaped);
                }
            }
        }
    }
    pieces
}

fn parameter(piece: &str) -> Option<(String, String)> {
    let (name, value) = piece.split_once('=')?;
    Some((name.trim().to_ascii_lowercase(), unquoted(value.trim())))
}

fn unquoted(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        plain.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    plain
}

/// Longer than the 70 of the standard: some programs write more, and all readers take it.
const BOUNDARY_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_quoted_or_not() {
        let read = ContentType::parse(
            b" Multipart/Signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256 (x;y); \
              boundary=\"a;b\\\"c\"",
        )
        .unwrap();
        assert!(read.is("multipart/signed") && read.is_multipart());
        assert_eq!(read.parameter("protocol"), Some("application/pkcs7-signature"));
        assert_eq!(read.parameter("micalg"), Some("sha-256"));
        assert_eq!(read.boundary(), Some("a;b\"c"));
    }

    #[test]
    fn what_is_no_type_is_none() {
        assert_eq!(ContentType::parse(b"text"), None);
        assert_eq!(ContentType::parse(b""), None);
        assert_eq!(ContentType::parse(b"multipart/mixed").unwrap().boundary(), None);
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(value in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = ContentType::parse(&value);
        }
    }
}
