//! Reads tokens off a command. Literals are inline: `{3}`, a line end, three octets.

use super::literal_at_end;
use crate::wire::imap::SequenceSet;

pub(super) type Parsed<T> = Result<T, &'static str>;

pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    cut: bool,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, cut: false }
    }

    /// Whether reading stopped because a literal's octets are not there.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn at_end(&self) -> bool {
        matches!(self.rest(), b"" | b"\n" | b"\r\n")
    }

    pub fn end(&self) -> Parsed<()> {
        if self.at_end() { Ok(()) } else { Err("Unexpected argument") }
    }

    pub fn eat(&mut self, text: &[u8]) -> bool {
        let hit = self.rest().starts_with(text);
        self.at += if hit { text.len() } else { 0 };
        hit
    }

    pub fn eat_any_case(&mut self, text: &[u8]) -> bool {
        let next = self.rest().get(..text.len()).unwrap_or_default();
        let hit = next.eq_ignore_ascii_case(text) && !text.is_empty();
        self.at += if hit { text.len() } else { 0 };
        hit
    }

    /// The word in any case, as a whole word.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let hit = self.peek_word().eq_ignore_ascii_case(word.as_bytes());
        self.at += if hit { word.len() } else { 0 };
        hit
    }

    pub fn must(&mut self, text: &[u8]) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { Err("Syntax error") }
    }

    pub fn must_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { Err("Unknown argument") }
    }

    /// One space; some clients send more.
    pub fn space(&mut self) -> Parsed<()> {
        self.must(b" ").map_err(|_| "Missing argument")?;
        while self.eat(b" ") {}
        Ok(())
    }

    /// RFC 9051 `tag`.
    pub fn tag(&mut self) -> Parsed<String> {
        let is_tag = |b: u8| is_astring_char(b) && b != b'+';
        let tag = self.take_while(is_tag);
        match tag.len() {
            0 => Err("Missing tag"),
            1..=TAG_MAX => Ok(String::from_utf8_lossy(tag).into_owned()),
            _ => Err("Tag too long"),
        }
    }

    /// An atom made of letters, digits and the like.
    pub fn word(&mut self) -> Parsed<&'a str> {
        let word = self.take_while(is_atom_char);
        let text = std::str::from_utf8(word).map_err(|_| "Syntax error")?;
        if text.is_empty() { Err("Missing argument") } else { Ok(text) }
    }

    /// ` word word …` to the end, one at least.
    pub fn words(&mut self) -> Parsed<Vec<String>> {
        let mut words = Vec::new();
        while !self.at_end() {
            if words.len() >= WORDS {
                return Err("Too many arguments");
            }
            self.space()?;
            words.push(self.word()?.to_ascii_uppercase());
        }
        if words.is_empty() { Err("Missing argument") } else { Ok(words) }
    }

    pub fn number(&mut self) -> Parsed<u64> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        let text = std::str::from_utf8(digits).map_err(|_| "Bad number")?;
        // RFC 9051 `number64` has 63 bits.
        text.parse().ok().filter(|n| *n <= i64::MAX as u64).ok_or("Bad number")
    }

    pub fn number32(&mut self) -> Parsed<u32> {
        u32::try_from(self.number()?).map_err(|_| "Bad number")
    }

    pub fn sequence_set(&mut self) -> Parsed<SequenceSet> {
        let text = self.take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b',' | b'*'));
        SequenceSet::parse(text).ok_or("Bad message set")
    }

    /// Atom, quoted string or literal.
    pub fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.rest() {
            [b'"', ..] => self.quoted(),
            [b'{', ..] | [b'~', b'{', ..] => self.literal(),
            _ => self.bare(is_astring_char),
        }
    }

    pub fn sp_astring(&mut self) -> Parsed<Vec<u8>> {
        self.space()?;
        self.astring()
    }

    /// An astring as text; octets that are not UTF-8 are replaced.
    pub fn text(&mut self) -> Parsed<String> {
        let bytes = self.astring()?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    pub fn sp_text(&mut self) -> Parsed<String> {
        self.space()?;
        self.text()
    }

    pub fn starts_with(&self, text: &[u8]) -> bool {
        let head = self.rest().get(..text.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(text))
    }

    /// A value of METADATA (RFC 5464 §5): NIL, a string, or a literal that may hold NUL.
    pub fn value(&mut self) -> Parsed<Option<Vec<u8>>> {
        match self.rest() {
            [b'"', ..] => self.quoted().map(Some),
            [b'{', ..] => self.literal().map(Some),
            [b'~', b'{', ..] => self.octets().map(Some),
            _ if self.eat_word("NIL") => Ok(None),
            _ => Err("Expected a string or NIL"),
        }
    }

    /// A LIST pattern: an astring that may have wildcards bare.
    pub fn list_mailbox(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.astring(),
            _ => self.bare(|b| is_astring_char(b) || matches!(b, b'%' | b'*')),
        }
    }

    pub fn sp_list_mailbox(&mut self) -> Parsed<Vec<u8>> {
        self.space()?;
        self.list_mailbox()
    }

    /// All that is left of the line.
    pub fn rest_of_line(&self) -> &'a [u8] {
        let rest = self.rest();
        let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
        rest.strip_suffix(b"\r").unwrap_or(rest)
    }

    pub fn rest_as_text(&mut self) -> Parsed<String> {
        let text = std::str::from_utf8(self.rest_of_line()).map_err(|_| "Syntax error")?;
        self.at = self.bytes.len();
        Ok(text.trim().to_owned())
    }

    pub fn take_while(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|b| !is(*b)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek_word(&self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|b| !is_atom_char(*b)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn bare(&mut self, is: impl Fn(u8) -> bool) -> Parsed<Vec<u8>> {
        // 8-bit octets: clients that write UTF-8 names bare.
        let word = self.take_while(|b| is(b) || b >= 0x80);
        if word.is_empty() { Err("Missing argument") } else { Ok(word.to_vec()) }
    }

    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.must(b"\"")?;
        let mut out = Vec::new();
        loop {
            let byte = self.peek().ok_or("Unclosed quote")?;
            self.at += 1;
            match byte {
                b'"' => return Ok(out),
                b'\r' | b'\n' | 0 => return Err("Unclosed quote"),
                b'\\' => {
                    out.push(
                        self.peek()
                            .filter(|b| !matches!(b, b'\r' | b'\n'))
                            .ok_or("Unclosed quote")?,
                    );
                    self.at += 1;
                }
                other => out.push(other),
            }
        }
    }

    fn literal(&mut self) -> Parsed<Vec<u8>> {
        let found = self.octets()?;
        if found.contains(&0) { Err("NUL in a literal") } else { Ok(found) }
    }

    fn octets(&mut self) -> Parsed<Vec<u8>> {
        let rest = self.rest();
        let lf = rest.iter().position(|b| *b == b'\n').ok_or("Syntax error")?;
        let line = rest.get(..lf).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let bare = line.strip_prefix(b"~").unwrap_or(line);
        let literal =
            literal_at_end(line).filter(|_| bare.iter().filter(|b| **b == b'{').count() == 1);
        let size = literal.filter(|_| bare.starts_with(b"{")).ok_or("Syntax error")?.size;
        let start = self.at + lf + 1;
        let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size));
        let found = end.and_then(|end| self.bytes.get(start..end));
        self.cut |= found.is_none();
        let found = found.ok_or("Literal missing")?;
        self.at = start + found.len();
        Ok(found.to_vec())
    }
}

/// RFC 9051 ATOM-CHAR.
pub(super) fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

const TAG_MAX: usize = 100;
/// ENABLE's arguments.
const WORDS: usize = 64;
