//! A message's octets as they come: dots unstuffed, the end found, line ends watched.
//!
//! Only CRLF.CRLF ends DATA. Whatever else looks like an end (`LF.LF`, `LF.CRLF`, `CR.CR`, …: the
//! SMTP smuggling family) is text, and text with a bare CR or LF is refused as a whole.

/// Why a body can't be taken; the first fault counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    #[error("bare CR")]
    BareCr,
    #[error("bare LF")]
    BareLf,
    #[error("NUL")]
    Nul,
    #[error("line too long")]
    LineTooLong,
}

/// Finds the end of DATA and takes the stuffed dots away (RFC 5321 §4.5.2). Judges nothing.
#[derive(Debug, Default)]
pub struct DataReceiver {
    at: At,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum At {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Text,
    Cr,
}

impl DataReceiver {
    /// Appends the message's octets to `out`; returns how many of `input` were used, and whether
    /// the end was among them.
    pub fn receive(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
        let mut used = 0;
        while let Some(&octet) = input.get(used) {
            if self.at == At::Text {
                let rest = input.get(used..).unwrap_or_default();
                let run = memchr::memchr(b'\r', rest).unwrap_or(rest.len());
                out.extend_from_slice(rest.get(..run).unwrap_or_default());
                used += run;
                if run == rest.len() {
                    break;
                }
                out.push(b'\r');
                self.at = At::Cr;
                used += 1;
                continue;
            }
            used += 1;
            if self.step(octet, out) {
                return (used, true);
            }
        }
        (used, false)
    }

    fn step(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        match (self.at, octet) {
            (At::LineStart, b'.') => {
                self.at = At::Dot;
                return false;
            }
            (At::Dot, b'\r') => {
                self.at = At::DotCr;
                return false;
            }
            (At::DotCr, b'\n') => return true,
            (At::DotCr, _) => {
                out.push(b'\r');
                self.at = At::Cr;
            }
            _ => {}
        }
        out.push(octet);
        self.at = match (self.at, octet) {
            (_, b'\r') => At::Cr,
            (At::Cr, b'\n') => At::LineStart,
            _ => At::Text,
        };
        false
    }
}

/// Stuffs dots into a message on its way out, and ends it.
#[derive(Debug)]
pub struct DotStuffer {
    last: [u8; 2],
}

impl Default for DotStuffer {
    fn default() -> Self {
        Self { last: *b"\r\n" }
    }
}

impl DotStuffer {
    pub fn stuff(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for &octet in octets {
            if octet == b'.' && self.last == *b"\r\n" {
                out.push(b'.');
            }
            out.push(octet);
            self.last = [self.last[1], octet];
        }
    }

    /// The end; a message that does not end in CRLF gets one, because DATA can't say it otherwise.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.last != *b"\r\n" {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
    }
}

/// Watches the octets of a message: CRLF only, no NUL, no line beyond the limit.
#[derive(Debug)]
pub struct TextGuard {
    limit: usize,
    length: usize,
    after_cr: bool,
    fault: Option<BodyError>,
}

impl TextGuard {
    /// `limit` is in octets without CRLF.
    pub fn new(limit: usize) -> Self {
        Self { limit, length: 0, after_cr: false, fault: None }
    }

    pub fn watch(&mut self, mut octets: &[u8]) {
        while self.fault.is_none() && !octets.is_empty() {
            // Nothing above CR is special; most of a message is such a run.
            let run = octets.iter().position(|b| *b <= b'\r').unwrap_or(octets.len());
            let (plain, rest) = octets.split_at(run);
            self.fault = self.plain(plain.len()).err();
            octets = rest;
            if let (None, Some((octet, rest))) = (self.fault, octets.split_first()) {
                self.fault = self.step(*octet).err();
                octets = rest;
            }
        }
    }

    /// The verdict over all that was watched.
    pub fn finish(&self) -> Result<(), BodyError> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.after_cr => Err(BodyError::BareCr),
            None => Ok(()),
        }
    }

    pub fn fault(&self) -> Option<BodyError> {
        self.fault
    }

    fn plain(&mut self, octets: usize) -> Result<(), BodyError> {
        if octets > 0 && self.after_cr {
            return Err(BodyError::BareCr);
        }
        self.length += octets;
        if self.length > self.limit { Err(BodyError::LineTooLong) } else { Ok(()) }
    }

    fn step(&mut self, octet: u8) -> Result<(), BodyError> {
        match octet {
            b'\n' if self.after_cr => {
                self.length = 0;
                self.after_cr = false;
                Ok(())
            }
            b'\n' => Err(BodyError::BareLf),
            _ if self.after_cr => Err(BodyError::BareCr),
            b'\r' => {
                self.after_cr = true;
                Ok(())
            }
            0 => Err(BodyError::Nul),
            _ => self.plain(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn receive(input: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
        let mut out = Vec::new();
        let (used, done) = DataReceiver::default().receive(input, &mut out);
        (out, input[used..].to_vec(), done)
    }

    #[test]
    fn dots_are_unstuffed_and_the_rest_stays() {
        let (out, rest, done) = receive(b"a\r\n..b\r\n.c\r\n.\r\nQUIT\r\n");
        assert_eq!(out, b"a\r\n.b\r\nc\r\n");
        assert_eq!((rest.as_slice(), done), (b"QUIT\r\n".as_slice(), true));
        assert_eq!(receive(b".\r\n"), (vec![], vec![], true));
    }

    #[test]
    fn no_other_dot_ends_the_data_and_each_is_a_fault() {
        for end in [
            "\n.\n",
            "\n.\r\n",
            "\r\n.\n",
            "\r.\r",
            "\r.\n",
            "\r.\r\n",
            "\n.\r",
            "\r\n.\r",
            "\r\n\n.\r\n",
            "\r\n.\n.\r\n",
            "\r\n\0.\r\n",
            "\r\n.\0\r\n",
        ] {
            let text = format!("a{end}MAIL FROM:<x@y>\r\n");
            let (out, _, done) = receive(text.as_bytes());
            assert!(!done, "{end:?}");
            let mut guard = TextGuard::new(998);
            guard.watch(&out);
            assert!(guard.finish().is_err(), "{end:?}");
        }
    }

    #[test]
    fn a_line_may_have_998_octets() {
        let verdict = |len: usize| {
            let mut guard = TextGuard::new(998);
            guard.watch(&[vec![b'x'; len], b"\r\n".to_vec()].concat());
            guard.finish()
        };
        assert_eq!(verdict(998), Ok(()));
        assert_eq!(verdict(999), Err(BodyError::LineTooLong));
    }

    fn stuffed(text: &[u8]) -> Vec<u8> {
        let (mut stuffer, mut wire) = (DotStuffer::default(), Vec::new());
        stuffer.stuff(text, &mut wire);
        stuffer.finish(&mut wire);
        wire
    }

    proptest! {
        #[test]
        fn stuffing_and_unstuffing_give_the_same_octets(
            lines in prop::collection::vec("[.a\t ]{0,6}", 0..12), cut in 0usize..80,
        ) {
            let text: String = lines.iter().map(|l| format!("{l}\r\n")).collect();
            let wire = stuffed(text.as_bytes());
            let cut = cut.min(wire.len());
            let (mut receiver, mut out) = (DataReceiver::default(), Vec::new());
            let (used, early) = receiver.receive(&wire[..cut], &mut out);
            prop_assert_eq!(used, cut);
            if !early {
                let (_, done) = receiver.receive(&wire[cut..], &mut out);
                prop_assert!(done);
            }
            prop_assert_eq!(out, text.into_bytes());
        }
    }
}
