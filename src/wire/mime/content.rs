//! `Content-…` fields of a part (RFC 2045, 2183, 3282, 2557): raw texts, tolerant of what clients
//! write. Parameters stay as they came (RFC 2231 pieces too), which is what BODYSTRUCTURE shows.

use super::fields::fields;
use std::borrow::Cow;

/// Names and values of parameters.
pub type Params = Vec<(Vec<u8>, Vec<u8>)>;

/// What a part says about itself; defaults where it says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    pub kind: Vec<u8>,
    pub subtype: Vec<u8>,
    pub params: Params,
    pub encoding: Vec<u8>,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    pub disposition: Option<(Vec<u8>, Params)>,
    pub language: Vec<Vec<u8>>,
    pub location: Option<Vec<u8>>,
    pub md5: Option<Vec<u8>>,
}

impl Content {
    /// `digest`: the part stands in a multipart/digest, where message/rfc822 is the default.
    pub fn of_header(header: &[u8], digest: bool) -> Self {
        let mut content = if digest { Self::message() } else { Self::plain() };
        let mut typed = false;
        for field in fields(header) {
            let Some((prefix, name)) = field.name.split_at_checked(PREFIX.len()) else { continue };
            if !prefix.eq_ignore_ascii_case(PREFIX) {
                continue;
            }
            let (value, is) = (field.unfolded(), |known: &[u8]| name.eq_ignore_ascii_case(known));
            match () {
                () if is(b"type") => typed = typed || content.read_type(&value),
                () if is(b"transfer-encoding") => content.read_encoding(&value),
                () if is(b"id") => content.id = some(value),
                () if is(b"description") => content.description = some(value),
                () if is(b"disposition") => {
                    content.disposition = Reader::new(&value).word_and_params();
                }
                () if is(b"language") => content.language = languages(&value),
                () if is(b"location") => content.location = some(value),
                () if is(b"md5") => content.md5 = some(value),
                () => {}
            }
        }
        content
    }

    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    pub fn is_kind(&self, kind: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
    }

    pub fn param(&self, name: &str) -> Option<&[u8]> {
        let found = self.params.iter().find(|p| p.0.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|p| p.1.as_slice())
    }

    /// 7bit, 8bit or binary: the octets are the content.
    pub fn is_identity(&self) -> bool {
        [&b"7bit"[..], b"8bit", b"binary"].iter().any(|e| self.encoding.eq_ignore_ascii_case(e))
    }

    fn plain() -> Self {
        Self {
            kind: b"text".to_vec(),
            subtype: b"plain".to_vec(),
            params: vec![(b"charset".to_vec(), b"us-ascii".to_vec())],
            encoding: b"7bit".to_vec(),
            id: None,
            description: None,
            disposition: None,
            language: Vec::new(),
            location: None,
            md5: None,
        }
    }

    fn message() -> Self {
        let (kind, subtype) = (b"message".to_vec(), b"rfc822".to_vec());
        Self { kind, subtype, params: Vec::new(), ..Self::plain() }
    }

    /// RFC 2045 §5.2: what can't be read is text/plain.
    fn read_type(&mut self, value: &[u8]) -> bool {
        let mut reader = Reader::new(value);
        let Some(kind) = reader.token() else { return false };
        if !reader.eat(b'/') {
            return false;
        }
        let Some(subtype) = reader.token() else { return false };
        (self.kind, self.subtype) = (kind, subtype);
        self.params = reader.params();
        true
    }

    fn read_encoding(&mut self, value: &[u8]) {
        if let Some(word) = Reader::new(value).token() {
            self.encoding = word;
        }
    }
}

fn some(value: Cow<'_, [u8]>) -> Option<Vec<u8>> {
    (!value.is_empty()).then(|| value.into_owned())
}

fn languages(value: &[u8]) -> Vec<Vec<u8>> {
    let tags = value.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|tag| !tag.is_empty());
    tags.take(PARAMS).map(<[u8]>::to_vec).collect()
}

/// Reads tokens, quoted strings and parameters from one unfolded value.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn word_and_params(mut self) -> Option<(Vec<u8>, Params)> {
        let word = self.token()?;
        Some((word, self.params()))
    }

    fn params(&mut self) -> Params {
        let mut params = Params::new();
        while params.len() < PARAMS && self.skip_past_semicolon() {
            if let Some(name) = self.token()
                && self.eat(b'=')
                && let Some(value) = self.value()
            {
                params.push((name, value));
            }
        }
        params
    }

    /// White space and comments (nested ones counted).
    fn skip_space(&mut self) {
        let mut depth = 0_usize;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                b' ' | b'\t' => {}
                _ if depth > 0 => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.skip_space();
        let hit = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(hit);
        hit
    }

    fn skip_past_semicolon(&mut self) -> bool {
        while self.at < self.text.len() {
            if self.eat(b';') {
                return true;
            }
            self.at += 1;
        }
        false
    }

    fn token(&mut self) -> Option<Vec<u8>> {
        self.skip_space();
        let rest = self.text.get(self.at..)?;
        let end = rest.iter().position(|b| !is_token_char(*b)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|token| !token.is_empty()).map(<[u8]>::to_vec)
    }

    /// A quoted string without its quotes, or everything up to `;` (unquoted spaces and 8-bit
    /// octets in file names are common).
    fn value(&mut self) -> Option<Vec<u8>> {
        if self.eat(b'"') {
            return Some(self.quoted());
        }
        let rest = self.text.get(self.at..)?;
        let end = rest.iter().position(|b| matches!(b, b';' | b'(')).unwrap_or(rest.len());
        self.at += end;
        Some(rest.get(..end)?.trim_ascii().to_vec())
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    out.extend(self.text.get(self.at));
                    self.at += 1;
                }
                other => out.push(other),
            }
        }
        out
    }
}

/// RFC 2045 `token`, with 8-bit octets let through.
fn is_token_char(byte: u8) -> bool {
    byte > b' '
        && byte != 0x7f
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
        )
}

const PREFIX: &[u8] = b"content-";
/// Parameters of one field, and languages.
const PARAMS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn content(header: &str) -> Content {
        Content::of_header(header.as_bytes(), false)
    }

    #[test]
    fn parameters_are_read_as_written() {
        let it = content(
            "Content-Type: Multipart/Mixed; (a (b) c) boundary=\"x\\\"y\";\r\n\tname*0*=utf-8''%C5%9F; a=b c\r\n",
        );
        assert!(it.is("multipart", "mixed"));
        assert_eq!(it.param("BOUNDARY"), Some(&b"x\"y"[..]));
        assert_eq!(it.param("name*0*"), Some(&b"utf-8''%C5%9F"[..]));
        assert_eq!(it.param("a"), Some(&b"b c"[..]));
    }

    #[test]
    fn what_cannot_be_read_is_plain_text() {
        for bad in ["", "Content-Type: text\r\n", "Content-Type: /x\r\n", "Content-Type:\r\n"] {
            assert!(content(bad).is("text", "plain"), "{bad}");
        }
        assert!(Content::of_header(b"", true).is("message", "rfc822"));
    }

    #[test]
    fn the_other_fields_are_kept() {
        let it = content(
            "Content-Disposition: attachment; filename=\"\u{15f}.pdf\"\r\nContent-Language: tr, en\r\n\
             Content-ID: <a@b>\r\nContent-Transfer-Encoding: base64 (x)\r\n",
        );
        let disposition = it.disposition.clone().unwrap();
        assert_eq!(disposition.0, b"attachment");
        assert_eq!(disposition.1[0].1, "ş.pdf".as_bytes());
        assert_eq!(it.language, [b"tr".to_vec(), b"en".to_vec()]);
        assert_eq!(it.encoding, b"base64");
        assert_eq!(it.id.as_deref(), Some(&b"<a@b>"[..]));
    }
}
