//! Transfer encodings undone piece by piece (RFC 2045 §6.7, §6.8), however large a part is. What is
//! no encoding is passed over (base64) or stays as it is (quoted-printable), as RFC 2045 asks.

use super::layout::Encoding;

/// Octets of an encoding in, its content out. How they are cut changes nothing.
#[derive(Clone, Debug)]
pub struct Decoder(State);

#[derive(Clone, Debug)]
enum State {
    Identity,
    /// Bits of the quantum begun, and how many of its characters came.
    Base64 {
        bits: u32,
        count: u32,
    },
    Quoted(Quoted),
}

#[derive(Clone, Debug, Default)]
struct Quoted {
    /// Blanks that may stand at the end of a line, and the CR of its end.
    held: Vec<u8>,
    /// What stands behind an equals sign.
    escape: Option<Vec<u8>>,
}

impl Decoder {
    /// Nothing for an encoding nobody knows.
    pub fn new(encoding: Encoding) -> Option<Self> {
        Some(Self(match encoding {
            Encoding::Identity => State::Identity,
            Encoding::Base64 => State::Base64 { bits: 0, count: 0 },
            Encoding::QuotedPrintable => State::Quoted(Quoted::default()),
            Encoding::Other => return None,
        }))
    }

    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            State::Identity => out.extend_from_slice(bytes),
            State::Base64 { bits, count } => {
                for byte in bytes {
                    match sextet(*byte) {
                        Some(value) => {
                            *bits = (*bits << 6) | value;
                            *count += 1;
                        }
                        None if *byte == b'=' => end_quantum(bits, count, out),
                        None => {}
                    }
                    if *count == 4 {
                        end_quantum(bits, count, out);
                    }
                }
            }
            State::Quoted(quoted) => bytes.iter().for_each(|byte| quoted.take(*byte, out)),
        }
    }

    /// The part is over.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.0 {
            State::Identity => {}
            State::Base64 { mut bits, mut count } => end_quantum(&mut bits, &mut count, out),
            State::Quoted(quoted) => quoted.finish(out),
        }
    }
}

fn sextet(byte: u8) -> Option<u32> {
    Some(
        match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }
        .into(),
    )
}

/// Three octets of a whole quantum, fewer of one that ends early.
fn end_quantum(bits: &mut u32, count: &mut u32, out: &mut Vec<u8>) {
    let octets = (*count * 6 / 8) as usize;
    let filled = *bits << (24 - *count * 6);
    out.extend_from_slice(filled.to_be_bytes().get(1..1 + octets).unwrap_or_default());
    (*bits, *count) = (0, 0);
}

impl Quoted {
    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        let Some(mut escape) = self.escape.take() else { return self.plain(byte, out) };
        let blank = escape.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        match (escape.as_slice(), byte) {
            ([first], byte) if hex(*first).is_some() && hex(byte).is_some() => {
                let high = hex(*first).unwrap_or_default();
                out.push((high << 4) | hex(byte).unwrap_or_default());
            }
            // A soft line break.
            (_, b'\n') if blank || matches!(escape.split_last(), Some((b'\r', _))) => {}
            ([], byte) if hex(byte).is_some() => self.escape = Some(vec![byte]),
            (_, b' ' | b'\t' | b'\r') if blank && escape.len() < HELD => {
                escape.push(byte);
                self.escape = Some(escape);
            }
            _ => {
                out.push(b'=');
                out.append(&mut escape);
                self.plain(byte, out);
            }
        }
    }

    fn plain(&mut self, byte: u8, out: &mut Vec<u8>) {
        let returned = self.held.last() == Some(&b'\r');
        match byte {
            b'\n' => {
                self.held.clear();
                out.extend_from_slice(if returned { b"\r\n" } else { b"\n" });
            }
            b' ' | b'\t' | b'\r' if !returned && self.held.len() < HELD => self.held.push(byte),
            _ => {
                out.append(&mut self.held);
                match byte {
                    b'=' => self.escape = Some(Vec::new()),
                    b' ' | b'\t' | b'\r' => self.held.push(byte),
                    other => out.push(other),
                }
            }
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        if let Some(escape) = self.escape.filter(|escape| escape.iter().any(|b| hex(*b).is_some()))
        {
            out.push(b'=');
            out.extend_from_slice(&escape);
        }
        out.extend(self.held.last().filter(|byte| **byte == b'\r'));
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// More blanks than a line has octets (RFC 5322 §2.1.1) are no blanks at its end.
const HELD: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoding: Encoding, pieces: &[&[u8]]) -> Vec<u8> {
        let mut decoder = Decoder::new(encoding).unwrap();
        let mut out = Vec::new();
        pieces.iter().for_each(|piece| decoder.feed(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn base64_is_read_as_mail_has_it() {
        let read = |text: &[u8]| decoded(Encoding::Base64, &[text]);
        assert_eq!(read(b"aGVsbG8g\r\nd29y\r\nbGQ=\r\n"), b"hello world");
        assert_eq!(read(b"YQ==YmM=ZGVm"), b"abcdef");
        assert_eq!(read(b"YW!Jj*"), b"abc");
        assert_eq!(read(b"YWJjZ"), b"abc");
        assert_eq!(read(b"===="), b"");
    }

    #[test]
    fn quoted_printable_is_read_as_mail_has_it() {
        let read = |text: &[u8]| decoded(Encoding::QuotedPrintable, &[text]);
        assert_eq!(read(b"hello  \r\nbar=\r\n\t=20 \r\n"), b"hello\r\nbar\t \r\n");
        assert_eq!(read(b"S=C3=B6z=c5=9fme = x =G1"), "Sözşme = x =G1".as_bytes());
        assert_eq!(read(b"soft=  \t\r\nbreak=\nagain ="), b"softbreakagain ");
        assert_eq!(read(b"a\rb \t"), b"a\rb");
        assert_eq!(read(b"a=4"), b"a=4");
    }

    #[test]
    fn an_encoding_nobody_knows_is_not_decoded() {
        assert!(Decoder::new(Encoding::Other).is_none());
        assert_eq!(decoded(Encoding::Identity, &[b"=41", b" "]), b"=41 ");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b'='), Just(b' '), Just(b'\r'), Just(b'\n'), Just(b'4'), Just(b'A'), any::<u8>()
            ], 0..60),
            at in 0_usize..60,
        ) {
            let (one, two) = bytes.split_at(at.min(bytes.len()));
            for encoding in [Encoding::Base64, Encoding::QuotedPrintable] {
                let octets: Vec<&[u8]> = bytes.chunks(1).collect();
                let whole = decoded(encoding, &[&bytes]);
                prop_assert_eq!(&decoded(encoding, &[one, two]), &whole);
                prop_assert_eq!(&decoded(encoding, &octets), &whole);
            }
        }

        #[test]
        fn base64_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = data_encoding::BASE64_MIME.encode(&bytes);
            prop_assert_eq!(decoded(Encoding::Base64, &[text.as_bytes()]), bytes);
        }
    }
}
