//! Section specifications (RFC 9051 §6.4.5.1): which piece of a message is meant.

use super::fields::lines_of_fields;

/// `1.2.HEADER.FIELDS (FROM TO)` and the like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Section {
    /// Part numbers, none for the message itself.
    pub part: Vec<u32>,
    pub text: SectionText,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum SectionText {
    /// All of the message, or the body of the part.
    #[default]
    Whole,
    Header,
    /// Names as the client wrote them.
    HeaderFields {
        not: bool,
        names: Vec<String>,
    },
    Text,
    /// The part's own header; only with part numbers.
    Mime,
}

/// The fields of a header that are named (or not named), as they stand, and an empty line.
pub fn pick_fields(header: &[u8], not: bool, names: &[String]) -> Vec<u8> {
    let mut out = Vec::new();
    for raw in lines_of_fields(header) {
        let line = header.get(raw).unwrap_or_default();
        let name = line.split(|b| *b == b':').next().unwrap_or_default().trim_ascii_end();
        let named = names.iter().any(|n| n.as_bytes().eq_ignore_ascii_case(name));
        if named != not {
            out.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_picked_in_their_order() {
        let header = b"To: b\r\nFrom: a\r\n b\r\nX: y\r\n\r\n";
        let names = ["from".to_owned(), "TO".to_owned()];
        assert_eq!(pick_fields(header, false, &names), b"To: b\r\nFrom: a\r\n b\r\n\r\n");
        assert_eq!(pick_fields(header, true, &names), b"X: y\r\n\r\n");
        assert_eq!(pick_fields(b"A: b", false, &["a".to_owned()]), b"A: b\r\n\r\n");
    }
}
