//! Lines that end in CRLF and nothing else (RFC 5321 §2.3.8), bounded.
//!
//! The buffer is shared with body reading: what follows a line may be message octets.

/// Octets in, lines or raw octets out.
#[derive(Default, Debug)]
pub struct LineReader {
    buffer: Vec<u8>,
    /// Where the current line starts.
    start: usize,
    /// How far it has been looked at.
    seen: usize,
    /// The rest of an overlong line is being thrown away.
    skipping: bool,
}

/// How long a line may be, CRLF included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// A command; AUTH with its initial response may be longer.
    Command,
    /// A line of an AUTH dialogue.
    Auth,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    #[error("bare CR")]
    BareCr,
    #[error("bare LF")]
    BareLf,
    #[error("NUL")]
    Nul,
    /// Reported once; the line's rest is skipped and reading goes on behind it.
    #[error("line too long")]
    TooLong,
}

impl LineReader {
    pub fn feed(&mut self, octets: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.seen -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole line without its CRLF.
    pub fn next_line(&mut self, kind: LineKind) -> Result<Option<Vec<u8>>, LineError> {
        while let Some(&octet) = self.buffer.get(self.seen) {
            let before = self.last_of_line();
            self.seen += 1;
            match octet {
                b'\n' if before == Some(b'\r') => {
                    if let Some(line) = self.end_line() {
                        return Ok(Some(line));
                    }
                }
                b'\n' => return Err(LineError::BareLf),
                _ if before == Some(b'\r') => return Err(LineError::BareCr),
                0 => return Err(LineError::Nul),
                _ => self.check_length(kind)?,
            }
        }
        Ok(None)
    }

    /// What has been read and not yet taken, as it came.
    pub fn raw(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Takes `count` octets of `raw` away.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
        self.seen = self.start;
        if self.start == self.buffer.len() {
            self.clear();
        }
    }

    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// Forgets all that was read (before TLS starts).
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn last_of_line(&self) -> Option<u8> {
        let line = self.buffer.get(self.start..self.seen)?;
        line.last().copied()
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = self.buffer.get(self.start..self.seen.saturating_sub(2)).map(<[u8]>::to_vec);
        let skipped = self.skipping;
        self.start = self.seen;
        self.skipping = false;
        line.filter(|_| !skipped)
    }

    /// A skipped line keeps only its last octet, so that memory stays bounded.
    fn check_length(&mut self, kind: LineKind) -> Result<(), LineError> {
        if self.skipping {
            self.start = self.seen - 1;
            return Ok(());
        }
        let line = self.buffer.get(self.start..self.seen).unwrap_or_default();
        let limit = match kind {
            LineKind::Auth => AUTH_LIMIT,
            LineKind::Command if is_auth(line) => AUTH_LIMIT,
            LineKind::Command => COMMAND_LIMIT,
        };
        // The CRLF belongs to the length; a CR that is already here counts as itself.
        if line.len() + 1 > limit {
            self.skipping = true;
            return Err(LineError::TooLong);
        }
        Ok(())
    }
}

fn is_auth(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "))
}

/// RFC 5321 §4.5.3.1.4 says 512; SIZE, SMTPUTF8, DSN (ORCPT alone 500) and AUTH= each add to it.
const COMMAND_LIMIT: usize = 2048;
/// RFC 4954 §4.
const AUTH_LIMIT: usize = 12_288;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(octets: &[u8]) -> Vec<Result<Vec<u8>, LineError>> {
        let mut reader = LineReader::default();
        reader.feed(octets);
        let mut found = Vec::new();
        loop {
            match reader.next_line(LineKind::Command) {
                Ok(Some(line)) => found.push(Ok(line)),
                Ok(None) => return found,
                Err(error @ LineError::TooLong) => found.push(Err(error)),
                Err(error) => {
                    found.push(Err(error));
                    return found;
                }
            }
        }
    }

    #[test]
    fn only_crlf_ends_a_line() {
        assert_eq!(read(b"a\r\nb\r\n"), [Ok(b"a".to_vec()), Ok(b"b".to_vec())]);
        assert_eq!(read(b"a\nb\r\n"), [Err(LineError::BareLf)]);
        assert_eq!(read(b"a\rb\r\n"), [Err(LineError::BareCr)]);
        assert_eq!(read(b"a\r\r\n"), [Err(LineError::BareCr)]);
        assert_eq!(read(b"a\0\r\n"), [Err(LineError::Nul)]);
        assert_eq!(read(b"\n"), [Err(LineError::BareLf)]);
    }

    #[test]
    fn an_overlong_line_is_reported_once_and_skipped() {
        let mut octets = vec![b'x'; COMMAND_LIMIT * 3];
        octets.extend_from_slice(b"\r\nNOOP\r\n");
        assert_eq!(read(&octets), [Err(LineError::TooLong), Ok(b"NOOP".to_vec())]);
    }

    #[test]
    fn the_longest_line_fits_and_one_more_octet_does_not() {
        let line = |len: usize| [vec![b'x'; len - 2], b"\r\n".to_vec()].concat();
        assert_eq!(read(&line(COMMAND_LIMIT)).len(), 1);
        assert!(read(&line(COMMAND_LIMIT))[0].is_ok());
        assert!(read(&line(COMMAND_LIMIT + 1))[0].is_err());
        let auth = [b"AUTH PLAIN ".to_vec(), vec![b'A'; 9000], b"\r\n".to_vec()].concat();
        assert!(read(&auth)[0].is_ok());
    }
}
