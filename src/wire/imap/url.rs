//! IMAP URLs of messages and their parts (RFC 5092), relative to the server, as CATENATE names them.

use super::{MailboxName, Uid, parse};
use crate::wire::mime::Section;

/// `/INBOX;UIDVALIDITY=1/;UID=20/;SECTION=1.2/;PARTIAL=0.100`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageUrl {
    /// The selected one, when `None`.
    pub mailbox: Option<MailboxName>,
    pub uid_validity: Option<u32>,
    pub uid: Uid,
    /// The whole message, unless named.
    pub section: Section,
    /// First octet and how many; to the end without a number.
    pub partial: Option<(u64, u64)>,
}

impl MessageUrl {
    /// Nothing for URLs of other servers, and for what is none.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let text = text.strip_prefix('/').unwrap_or(text);
        let bare = text.strip_prefix(';');
        let mut pieces = bare.unwrap_or(text).split("/;");
        let (mailbox, uid_validity) = match bare {
            Some(_) => (None, None),
            None => mailbox(pieces.next()?)?,
        };
        let uid = number(value(pieces.next()?, "UID")?)?;
        let mut url =
            Self { mailbox, uid_validity, uid, section: Section::default(), partial: None };
        let mut piece = pieces.next();
        if let Some(section) = piece.and_then(|piece| value(piece, "SECTION")) {
            url.section = parse::section_of(&decoded(section)?).filter(|_| !section.is_empty())?;
            piece = pieces.next();
        }
        if let Some(range) = piece.and_then(|piece| value(piece, "PARTIAL")) {
            url.partial = Some(partial(range)?);
            piece = pieces.next();
        }
        piece.is_none().then_some(url)
    }
}

fn mailbox(piece: &str) -> Option<(Option<MailboxName>, Option<u32>)> {
    let (name, validity) = match piece.rsplit_once(';') {
        Some((name, last)) => (name, Some(number(value(last, "UIDVALIDITY")?)?)),
        None => (piece, None),
    };
    let name = String::from_utf8(decoded(name)?).ok()?;
    Some((Some(MailboxName::parse(&name)?), validity))
}

fn value<'a>(piece: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = piece.split_once('=')?;
    found.eq_ignore_ascii_case(name).then_some(value)
}

/// RFC 5092 `nz-number`.
fn number(text: &str) -> Option<u32> {
    digits(text)?.parse().ok().filter(|number| *number > 0)
}

fn partial(text: &str) -> Option<(u64, u64)> {
    let (start, length) = match text.split_once('.') {
        Some((start, length)) => (start, digits(length)?.parse().ok().filter(|n| *n > 0)?),
        None => (text, u64::MAX),
    };
    Some((digits(start)?.parse().ok()?, length))
}

fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

/// Without percent signs (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let (hex, behind) = rest.split_first_chunk::<2>()?;
        out.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(hex).ok()?);
        rest = behind;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mime::SectionText;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<MessageUrl> {
        MessageUrl::parse(text.as_bytes())
    }

    #[test]
    fn messages_and_parts_are_named() {
        let whole = read("/INBOX/;UID=20").unwrap();
        assert_eq!((whole.uid, whole.uid_validity, whole.partial), (20, None, None));
        assert_eq!(whole.section, Section::default());
        assert!(whole.mailbox.unwrap().is_inbox());
        let part = read("/Giden%20Kutusu;UIDVALIDITY=385759045/;uid=3/;section=1.2.MIME").unwrap();
        assert_eq!(part.mailbox.unwrap().as_str(), "Giden Kutusu");
        assert_eq!(part.uid_validity, Some(385_759_045));
        assert_eq!(part.section, Section { part: vec![1, 2], text: SectionText::Mime });
        let fields = read("/Ar%C5%9fiv/Gelen/;UID=1/;SECTION=HEADER.FIELDS%20(To)/;PARTIAL=5.10");
        let fields = fields.unwrap();
        assert_eq!(fields.mailbox.unwrap().as_str(), "Arşiv/Gelen");
        assert_eq!(fields.partial, Some((5, 10)));
        assert!(matches!(fields.section.text, SectionText::HeaderFields { not: false, .. }));
        let apart = read("/Ars%CC%A7iv/;UID=1").unwrap();
        assert_eq!(apart.mailbox.unwrap().as_str(), "Arşiv", "a mark apart");
        let here = read(";UID=4/;PARTIAL=7").unwrap();
        assert_eq!((here.mailbox, here.partial), (None, Some((7, u64::MAX))));
    }

    #[test]
    fn what_names_no_message_is_none() {
        for text in [
            "",
            "/",
            "/INBOX",
            "INBOX/;UID=0",
            "/INBOX/;UID=x",
            "/INBOX/;UID=+1",
            "/INBOX;UIDVALIDITY=/;UID=1",
            "/INBOX;OTHER=1/;UID=1",
            "/INBOX/;UID=1/;SECTION=",
            "/INBOX/;UID=1/;SECTION=1.2.X",
            "/INBOX/;UID=1/;PARTIAL=1.0",
            "/INBOX/;UID=1/;PARTIAL=1/;SECTION=1",
            "/INBOX/;UID=1;URLAUTH=anonymous",
            "/INBOX/;UID=1/;URLAUTH=anonymous",
            "/%zz/;UID=1",
            "/%ff/;UID=1",
            "imap://host/INBOX/;UID=1",
            "//host/INBOX/;UID=1",
            "/../INBOX/;UID=1",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_are_too_odd(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            MessageUrl::parse(&text);
        }
    }
}
