//! Replies: what we say, and what another server says to us.
//!
//! Always ASCII: RFC 6531 §3.7.4 allows UTF-8 in the replies to VRFY and EXPN only.

use super::fold::ascii;
use super::line::{LineError, LineKind, LineReader};

/// A reply of one or several lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    code: u16,
    enhanced: Option<String>,
    lines: Vec<String>,
}

impl Reply {
    /// With an enhanced status code (RFC 2034), which every line repeats.
    pub fn new(code: u16, enhanced: impl Into<String>, text: impl Into<String>) -> Self {
        Self { code, enhanced: Some(enhanced.into()), lines: vec![text.into()] }
    }

    /// Without one: greeting, EHLO, 334, 354 (RFC 2034 §4).
    pub fn plain(code: u16, text: impl Into<String>) -> Self {
        Self { code, enhanced: None, lines: vec![text.into()] }
    }

    pub fn line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(text.into());
        self
    }

    pub fn code(&self) -> u16 {
        self.code
    }

    /// `5.1.1`, when there is one.
    pub fn enhanced(&self) -> Option<&str> {
        self.enhanced.as_deref()
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    pub fn text(&self) -> String {
        self.lines.join(" ")
    }

    /// 2xx and 3xx.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// 4xx: worth another try.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    pub fn encode(&self) -> Vec<u8> {
        let room = LINE_LIMIT - self.prefix(' ').len();
        let pieces: Vec<String> = self.lines.iter().flat_map(|line| wrap(line, room)).collect();
        let mut wire = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let last = number + 1 == pieces.len();
            wire.extend_from_slice(self.prefix(if last { ' ' } else { '-' }).as_bytes());
            wire.extend_from_slice(piece.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
        wire
    }

    fn prefix(&self, separator: char) -> String {
        match &self.enhanced {
            Some(enhanced) => format!("{}{separator}{enhanced} ", self.code),
            None => format!("{}{separator}", self.code),
        }
    }
}

/// Cuts folded text into pieces that fit a line; at a space where there is one.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let folded = ascii(text);
    let mut pieces = Vec::new();
    let mut rest = folded.as_str();
    while rest.len() > room {
        let at = rest.get(..room).and_then(|head| head.rfind(' ')).filter(|at| *at > 0);
        let (head, tail) = rest.split_at(at.unwrap_or(room));
        pieces.push(head.to_owned());
        rest = tail.trim_start();
    }
    pieces.push(rest.to_owned());
    pieces
}

/// Reads another server's replies, bounded in length and number of lines.
#[derive(Debug, Default)]
pub struct ReplyReader {
    lines: LineReader,
    started: Option<Reply>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplyError {
    #[error("reply line: {0}")]
    Line(#[from] LineError),
    #[error("not a reply: {0:?}")]
    Malformed(String),
    #[error("lines of one reply have different codes")]
    CodeChanged,
    #[error("reply has more than {REPLY_LINES} lines")]
    TooManyLines,
}

impl ReplyReader {
    pub fn feed(&mut self, octets: &[u8]) {
        self.lines.feed(octets);
    }

    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        while let Some(line) = self.lines.next_line(LineKind::Command)? {
            let line = String::from_utf8_lossy(&line);
            let (code, last, text) =
                split(&line).ok_or_else(|| ReplyError::Malformed(ascii(&line)))?;
            let reply = self.add(code, text)?;
            if last {
                return Ok(Some(reply));
            }
            self.started = Some(reply);
        }
        Ok(None)
    }

    /// Something was read that no reply has used: before a TLS handshake that is an injection.
    pub fn has_rest(&self) -> bool {
        self.started.is_some() || !self.lines.is_empty()
    }

    fn add(&mut self, code: u16, text: &str) -> Result<Reply, ReplyError> {
        let (enhanced, text) = split_enhanced(code, text);
        match self.started.take() {
            None => Ok(Reply {
                code,
                enhanced: enhanced.map(str::to_owned),
                lines: vec![text.to_owned()],
            }),
            Some(reply) if reply.code != code => Err(ReplyError::CodeChanged),
            Some(reply) if reply.lines.len() >= REPLY_LINES => Err(ReplyError::TooManyLines),
            Some(reply) => Ok(reply.line(text)),
        }
    }
}

fn split(line: &str) -> Option<(u16, bool, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let number = code.bytes().all(|b| b.is_ascii_digit()).then(|| code.parse::<u16>().ok())??;
    if !(200..600).contains(&number) {
        return None;
    }
    match rest.as_bytes().first() {
        None => Some((number, true, "")),
        Some(b' ') => Some((number, true, rest.get(1..)?)),
        Some(b'-') => Some((number, false, rest.get(1..)?)),
        Some(_) => None,
    }
}

/// An enhanced code counts only when its class is that of the reply (RFC 2034 §4).
fn split_enhanced(code: u16, text: &str) -> (Option<&str>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut numbers = first.split('.');
    let class = numbers.next().and_then(|n| n.parse::<u16>().ok());
    let tail: Vec<&str> = numbers.collect();
    let good = tail.len() == 2
        && tail.iter().all(|n| (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()));
    if class == Some(code / 100) && good { (Some(first), rest) } else { (None, text) }
}

/// RFC 5321 §4.5.3.1.5, without CRLF.
const LINE_LIMIT: usize = 510;
/// EHLO of the richest servers has about thirty.
const REPLY_LINES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_repeat_the_codes() {
        let reply = Reply::new(550, "5.1.1", "Hesap yok: çağrı").line("no account");
        assert_eq!(reply.encode(), b"550-5.1.1 Hesap yok: cagri\r\n550 5.1.1 no account\r\n");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let reply = Reply::new(250, "2.1.5", "ok").line("two");
        let mut reader = ReplyReader::default();
        for octet in reply.encode() {
            reader.feed(&[octet]);
        }
        assert_eq!(reader.next_reply(), Ok(Some(reply)));
        assert!(!reader.has_rest());
    }

    #[test]
    fn what_is_no_reply_is_named() {
        let read = |text: &str| {
            let mut reader = ReplyReader::default();
            reader.feed(text.as_bytes());
            reader.next_reply()
        };
        assert!(matches!(read("hello\r\n"), Err(ReplyError::Malformed(_))));
        assert!(matches!(read("99 x\r\n"), Err(ReplyError::Malformed(_))));
        assert!(matches!(read("+50 x\r\n"), Err(ReplyError::Malformed(_))));
        assert_eq!(read("250-a\r\n550 b\r\n"), Err(ReplyError::CodeChanged));
        assert_eq!(read("250 a\n"), Err(ReplyError::Line(LineError::BareLf)));
        assert_eq!(read(&"250-a\r\n".repeat(200)), Err(ReplyError::TooManyLines));
        assert_eq!(read("250-a\r\n"), Ok(None));
    }

    #[test]
    fn an_enhanced_code_of_another_class_is_text() {
        let mut reader = ReplyReader::default();
        reader.feed(b"250 5.1.1 odd\r\n");
        let reply = reader.next_reply().unwrap().unwrap();
        assert_eq!((reply.enhanced(), reply.text().as_str()), (None, "5.1.1 odd"));
    }
}
