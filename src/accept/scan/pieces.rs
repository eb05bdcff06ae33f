//! Content that clamd does not find by itself: it knows MIME, and nothing of CMS, in which an opaque
//! signature (RFC 8551 §3.5.2) wraps what it signs.

use crate::wire::cms::{Wrapped, wrapped};
use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};
use std::borrow::Cow;

/// What opaque signatures in a mail wrap.
pub struct Hidden {
    pub pieces: Vec<Vec<u8>>,
    /// Nothing else in it is hidden. If not, nobody may say that it was looked at.
    pub whole: bool,
}

/// Each wrapped content, however deep.
pub fn hidden(mail: &[u8]) -> Hidden {
    let mut hidden = Hidden { pieces: Vec::new(), whole: true };
    hidden.look(mail, 0);
    hidden
}

impl Hidden {
    fn look(&mut self, mail: &[u8], depth: usize) {
        if depth == DEEPEST {
            self.whole = false;
            return;
        }
        let Some(message) = MessageParser::default().parse(mail) else { return };
        // Messages in messages, as deep as the parser goes; they are no matter of the stack.
        let mut waiting = vec![&message];
        while let Some(message) = waiting.pop() {
            for part in &message.parts {
                match &part.body {
                    PartType::Message(inner) => waiting.push(inner),
                    // The parser decodes no more than a few that are encoded in one another.
                    _ if is(part, "message", &["rfc822", "global"]) => {
                        self.look(part.contents(), depth + 1);
                    }
                    _ if is_wrapped(part) => self.unwrap(part.contents(), depth),
                    _ => {}
                }
            }
        }
    }

    fn unwrap(&mut self, part: &[u8], depth: usize) {
        match wrapped(part) {
            Wrapped::Nothing => {}
            Wrapped::Content(content) if self.pieces.len() < MOST => {
                self.look(&content, depth + 1);
                self.pieces.push(as_mail(content));
            }
            Wrapped::Content(_) | Wrapped::Unread => self.whole = false,
        }
    }
}

/// clamd takes for mail what begins as mail: an entity without a field that only mail has is a text to it,
/// and what is encoded in it stays unseen.
fn as_mail(content: Cow<'_, [u8]>) -> Vec<u8> {
    let line = content.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
    let field = name.len() < line.len()
        && name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    match field && !name.is_empty() {
        true => [ENTRY, &content].concat(),
        false => content.into_owned(),
    }
}

fn is_wrapped(part: &MessagePart<'_>) -> bool {
    is(part, "application", &["pkcs7-mime", "x-pkcs7-mime"])
        || part.attachment_name().is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"))
}

fn is(part: &MessagePart<'_>, kind: &str, subtypes: &[&str]) -> bool {
    part.content_type().is_some_and(|found| {
        let subtype = found.subtype().unwrap_or_default();
        found.ctype().eq_ignore_ascii_case(kind)
            && subtypes.iter().any(|one| subtype.eq_ignore_ascii_case(one))
    })
}

const ENTRY: &[u8] = b"Received: by kep\r\n";
/// Signatures around signatures, and messages that are encoded in one another.
const DEEPEST: usize = 6;
const MOST: usize = 16;

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::wire::cms::oid;
    use crate::wire::der::{self, tag};
    use data_encoding::BASE64;

    /// A SignedData around this, with these signers.
    pub fn sealed(content: &[u8], signers: &[&[u8]]) -> Vec<u8> {
        let octets = der::element(tag::OCTET_STRING, &[content]);
        let kind = der::element(tag::OID, &[oid::DATA.as_bytes()]);
        let wrapped = der::element(tag::context(0), &[&octets]);
        let encapsulated = der::element(tag::SEQUENCE, &[&kind, &wrapped]);
        let (version, none) = (der::element(tag::INTEGER, &[&[1]]), der::element(tag::SET, &[]));
        let signers = der::element(tag::SET, signers);
        let data = der::element(tag::SEQUENCE, &[&version, &none, &encapsulated, &signers]);
        let kind = der::element(tag::OID, &[oid::SIGNED_DATA.as_bytes()]);
        der::element(tag::SEQUENCE, &[&kind, &der::element(tag::context(0), &[&data])])
    }

    fn part(octets: &[u8]) -> String {
        format!(
            "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            BASE64.encode(octets)
        )
    }

    pub fn mail(parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
        for one in parts {
            mail += &format!("--b\r\n{}", part(&one));
        }
        (mail + "--b--\r\n").into_bytes()
    }

    #[test]
    fn a_seventeenth_wrapped_part_is_not_passed_over() {
        let of = |count: usize| hidden(&mail((0..count).map(|n| sealed(&[b'a' + n as u8], &[]))));
        let (sixteen, seventeen) = (of(16), of(17));
        assert_eq!((sixteen.pieces.len(), sixteen.whole), (16, true));
        assert_eq!((seventeen.pieces.len(), seventeen.whole), (16, false));
    }

    #[test]
    fn what_is_wrapped_seven_times_is_not_passed_over() {
        let of = |layers: usize| {
            let wrap = |inner: Vec<u8>, _| part(&sealed(&inner, &[])).into_bytes();
            hidden(&(0..layers).fold(b"Subject: x\r\n\r\nx\r\n".to_vec(), wrap))
        };
        assert!(of(5).whole && of(5).pieces.len() == 5);
        assert!(!of(7).whole);
    }

    #[test]
    fn a_refused_cms_still_shows_what_it_wraps() {
        for signers in [vec![&b"\x30\x00"[..]; 9], vec![&b"\x04\x01x"[..]]] {
            let found = hidden(&mail([sealed(b"inhalt", &signers)]));
            assert!(found.whole && found.pieces == [b"inhalt".to_vec()]);
        }
        let (good, end) = (sealed(b"inhalt", &[]), b"after it".to_vec());
        assert_eq!(hidden(&mail([[good.clone(), end].concat()])).pieces, [b"inhalt".to_vec()]);
        // A program that reads as it comes shows the beginning of what is cut off.
        let cut = good.get(..good.len() - 4).unwrap_or_default().to_vec();
        assert!(!hidden(&mail([cut])).whole);
        // What is no CMS hides nothing, whatever its name.
        let text = hidden(&mail([b"MIIB not CMS".to_vec(), Vec::new()]));
        assert!(text.whole && text.pieces.is_empty());
    }

    #[test]
    fn messages_in_messages_are_looked_through_however_many() {
        let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(50);
        let found = hidden(&[forwarded.as_bytes(), &mail([sealed(b"inhalt", &[])])].concat());
        assert!(found.whole && found.pieces == [b"inhalt".to_vec()]);
        let encoded = (0..5).fold(mail([sealed(b"inhalt", &[])]), |inner, _| {
            let head = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n";
            format!("{head}{}\r\n", BASE64.encode(&inner)).into_bytes()
        });
        let found = hidden(&encoded);
        assert!(!found.whole || found.pieces == [b"inhalt".to_vec()]);
    }
}
