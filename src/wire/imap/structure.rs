//! What FETCH needs to know of a message, computed once at delivery and kept in its row: ENVELOPE,
//! BODYSTRUCTURE and BODY as the bytes a client gets, and the layout of its parts.

use std::borrow::Cow;

use imap_codec::imap_types::body::{
    BasicFields, Body, BodyStructure, Disposition, Language, Location, MultiPartExtensionData,
    SinglePartExtensionData, SpecificFields,
};
use imap_codec::imap_types::core::{IString, Literal, NString, Quoted, Vec1};
use imap_codec::imap_types::envelope::{Address as ImapAddress, Envelope};
use imap_codec::imap_types::fetch::MessageDataItem;

use super::encode::item;
use crate::wire::mime::fields::{fields, unfold};
use crate::wire::mime::{self, Address, Content, Layout, Params, Part};

/// A row's bytes, and slices into them: FETCH copies these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Structure<'a> {
    /// `("Mon, …" "Konu" …)`, without the item's name.
    pub envelope: &'a [u8],
    pub bodystructure: &'a [u8],
    pub body: &'a [u8],
    /// The two as an unopened dispatch shows them: nothing of what it encloses.
    pub masked_bodystructure: &'a [u8],
    pub masked_body: &'a [u8],
    layout: &'a [u8],
}

impl<'a> Structure<'a> {
    /// The form a row keeps, of a whole message.
    pub fn compute(message: &[u8]) -> Vec<u8> {
        let root = mime::parse(message);
        let maker = Maker { message, enclosed: Enclosed::Open, extended: true };
        let full = |enclosed| bounded(Maker { enclosed, ..maker }, &root);
        let body = |enclosed| bounded(Maker { enclosed, extended: false, ..maker }, &root);
        let envelope = item(MessageDataItem::Envelope(envelope(root.header_bytes(message))));
        // Only what enclosed messages say is masked.
        let masked = encloses(&root).then_some(Enclosed::Masked);
        let pieces = [
            envelope,
            full(Enclosed::Open),
            body(Enclosed::Open),
            masked.map(full).unwrap_or_default(),
            masked.map(body).unwrap_or_default(),
        ];
        let mut out = vec![VERSION];
        for piece in &pieces {
            out.extend_from_slice(&(piece.len() as u32).to_be_bytes());
        }
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
        Layout::of(&root).write(&mut out);
        out
    }

    /// From a row; nothing when these bytes are of another version or cut off.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        let mut lengths = [0_usize; 5];
        for length in &mut lengths {
            let (head, tail) = rest.split_first_chunk::<4>()?;
            *length = u32::from_be_bytes(*head) as usize;
            rest = tail;
        }
        let mut pieces = [&rest[..0]; 5];
        for (piece, length) in pieces.iter_mut().zip(lengths) {
            (*piece, rest) = rest.split_at_checked(length)?;
        }
        let [envelope, bodystructure, body, masked_full, masked_body] = pieces;
        let same = masked_full.is_empty();
        (*version == VERSION).then_some(Self {
            envelope,
            bodystructure,
            body,
            masked_bodystructure: if same { bodystructure } else { masked_full },
            masked_body: if same { body } else { masked_body },
            layout: rest,
        })
    }

    pub fn layout(&self) -> Option<Layout> {
        Layout::read(self.layout)
    }
}

/// A structure that a row can keep: when it is too large, first enclosed messages are shown as
/// leaves, then the message itself is.
fn bounded(maker: Maker<'_>, root: &Part) -> Vec<u8> {
    let written = |structure| match maker.extended {
        true => item(MessageDataItem::BodyStructure(structure)),
        false => item(MessageDataItem::Body(structure)),
    };
    let leaves = Maker { enclosed: Enclosed::Leaf, ..maker };
    let whole = written(maker.structure(root));
    if whole.len() <= STRUCTURE_MAX {
        return whole;
    }
    let outside = written(leaves.structure(root));
    if outside.len() <= STRUCTURE_MAX {
        return outside;
    }
    // Its own lists may be what is too large.
    let content = Content {
        params: Params::default(),
        disposition: None,
        language: Vec::new(),
        ..root.content.clone()
    };
    let (header, body) = (root.header.clone(), root.body.clone());
    let bare = Part { header, body, content, inside: mime::Body::Leaf };
    written(leaves.single(&bare, leaves.leaf(&bare)))
}

fn encloses(part: &Part) -> bool {
    matches!(part.inside, mime::Body::Message(_)) || part.children().iter().any(encloses)
}

/// ENVELOPE's fields from a header (RFC 9051 §7.5.2).
fn envelope(header: &[u8]) -> Envelope<'static> {
    let mut found: [Option<Vec<u8>>; 10] = Default::default();
    for field in fields(header) {
        let known = ENVELOPE.iter().position(|name| field.is(name));
        if let Some(slot) = known.and_then(|at| found.get_mut(at)).filter(|slot| slot.is_none()) {
            *slot = Some(unfold(field.value).into_owned());
        }
    }
    let [date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id] = found;
    let list = |value: Option<Vec<u8>>| -> Vec<ImapAddress<'static>> {
        let text = value.unwrap_or_default();
        let cut = text.get(..ADDRESSES_MAX).unwrap_or(&text);
        mime::addresses(cut).into_iter().map(address).collect()
    };
    let from = list(from);
    // Absent or empty ones are From's (RFC 9051 §7.5.2).
    let or_from =
        |value| Some(list(value)).filter(|l| !l.is_empty()).unwrap_or_else(|| from.clone());
    Envelope {
        date: nstring(date),
        subject: nstring(subject),
        sender: or_from(sender),
        reply_to: or_from(reply_to),
        to: list(to),
        cc: list(cc),
        bcc: list(bcc),
        in_reply_to: nstring(in_reply_to),
        message_id: nstring(message_id),
        from,
    }
}

fn address(address: Address) -> ImapAddress<'static> {
    let (name, mailbox, host) = match address {
        Address::Mailbox { name, local, domain } => (name, Some(local), Some(domain)),
        Address::GroupStart(name) => (None, Some(name), None),
        Address::GroupEnd => (None, None, None),
    };
    ImapAddress {
        name: nstring(name),
        adl: NString(None),
        mailbox: nstring(mailbox),
        host: nstring(host),
    }
}

#[derive(Clone, Copy)]
struct Maker<'a> {
    message: &'a [u8],
    enclosed: Enclosed,
    extended: bool,
}

/// How enclosed messages are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Enclosed {
    Open,
    /// Without what is in them.
    Masked,
    /// As octets.
    Leaf,
}

impl Maker<'_> {
    fn structure(&self, part: &Part) -> BodyStructure<'static> {
        match &part.inside {
            mime::Body::Multipart(parts) => self.multi(part, parts),
            mime::Body::Message(inner) if self.enclosed != Enclosed::Leaf => {
                self.single(part, self.enclosed(part, inner))
            }
            _ => self.single(part, self.leaf(part)),
        }
    }

    fn multi(&self, part: &Part, parts: &[Part]) -> BodyStructure<'static> {
        let bodies: Vec<_> = parts.iter().map(|part| self.structure(part)).collect();
        let Ok(bodies) = Vec1::try_from(bodies) else { return self.single(part, self.leaf(part)) };
        let extension_data = self.extended.then(|| MultiPartExtensionData {
            parameter_list: params(&part.content.params),
            tail: disposition(&part.content),
        });
        BodyStructure::Multi { bodies, subtype: istring(&part.content.subtype), extension_data }
    }

    fn single(&self, part: &Part, specific: SpecificFields<'static>) -> BodyStructure<'static> {
        let content = &part.content;
        let basic = BasicFields {
            parameter_list: params(&content.params),
            id: nstring(content.id.clone()),
            description: nstring(content.description.clone()),
            content_transfer_encoding: istring(&content.encoding),
            size: number(part.body.len()),
        };
        let extension_data = self.extended.then(|| SinglePartExtensionData {
            md5: nstring(content.md5.clone()),
            tail: disposition(content),
        });
        BodyStructure::Single { body: Body { basic, specific }, extension_data }
    }

    fn enclosed(&self, part: &Part, inner: &Part) -> SpecificFields<'static> {
        let masked = self.enclosed == Enclosed::Masked;
        let (envelope, body_structure) = match masked {
            true => (envelope(b""), sealed()),
            false => (envelope(inner.header_bytes(self.message)), self.structure(inner)),
        };
        SpecificFields::Message {
            envelope: Box::new(envelope),
            body_structure: Box::new(body_structure),
            number_of_lines: if masked { 0 } else { number(part.lines(self.message)) },
        }
    }

    /// Of a multipart or message that could not be taken apart clients would expect more than there
    /// is, so it is shown as what it is to us.
    fn leaf(&self, part: &Part) -> SpecificFields<'static> {
        let content = &part.content;
        let basic = |kind: &[u8], subtype: &[u8]| SpecificFields::Basic {
            r#type: istring(kind),
            subtype: istring(subtype),
        };
        match () {
            () if content.is_kind("text") => SpecificFields::Text {
                subtype: istring(&content.subtype),
                number_of_lines: number(part.lines(self.message)),
            },
            () if content.is_kind("multipart") => SpecificFields::Text {
                subtype: istring(b"plain"),
                number_of_lines: number(part.lines(self.message)),
            },
            () if content.is("message", "rfc822") => basic(b"application", b"octet-stream"),
            () => basic(&content.kind, &content.subtype),
        }
    }
}

/// What stands for the structure of a message that is not opened.
fn sealed() -> BodyStructure<'static> {
    let basic = BasicFields {
        parameter_list: Vec::new(),
        id: NString(None),
        description: NString(None),
        content_transfer_encoding: istring(b"8bit"),
        size: 0,
    };
    let specific = SpecificFields::Basic {
        r#type: istring(b"application"),
        subtype: istring(b"octet-stream"),
    };
    BodyStructure::Single { body: Body { basic, specific }, extension_data: None }
}

fn disposition(content: &Content) -> Option<Disposition<'static>> {
    let shown = content.disposition.as_ref();
    Some(Disposition {
        disposition: shown.map(|(kind, list)| (istring(kind), params(list))),
        tail: Some(Language {
            language: content.language.iter().map(|tag| istring(tag)).collect(),
            tail: Some(Location {
                location: nstring(content.location.clone()),
                extensions: Vec::new(),
            }),
        }),
    })
}

fn params(params: &Params) -> Vec<(IString<'static>, IString<'static>)> {
    params.iter().map(|(name, value)| (istring(name), istring(value))).collect()
}

fn nstring(value: Option<Vec<u8>>) -> NString<'static> {
    NString(value.map(|text| istring(&text)))
}

/// Quoted when it can be, else a literal (8-bit octets of undeclared headers stay as they are).
fn istring(value: &[u8]) -> IString<'static> {
    let cut = value.get(..STRING_MAX).unwrap_or(value);
    let clean: Vec<u8> = cut.iter().map(|b| if *b == 0 { b'?' } else { *b }).collect();
    match Quoted::try_from(clean.as_slice()) {
        Ok(quoted) if !clean.iter().any(u8::is_ascii_control) => {
            let text: Cow<'static, str> = Cow::Owned(quoted.into_inner().into_owned());
            IString::Quoted(Quoted::unvalidated(text))
        }
        _ => IString::Literal(Literal::unvalidated(clean)),
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

const ENVELOPE: [&str; 10] = [
    "Date",
    "Subject",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "In-Reply-To",
    "Message-ID",
];

/// Octets of one string in ENVELOPE or BODYSTRUCTURE; no honest one is longer.
const STRING_MAX: usize = 16_384;
/// Octets of a field with addresses: thousands of them.
const ADDRESSES_MAX: usize = 65_536;
/// Octets of a BODYSTRUCTURE: thousands of parts.
const STRUCTURE_MAX: usize = 512 << 10;
const VERSION: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DISPATCH: &str = "Date: Mon, 23 Nov 2026 11:29:24 +0300\r\nSubject: =?utf-8?q?S=C3=B6z?=\r\n\
From: \"ali@hs05.kep.tr ad\u{131}na\" <kepservisi@hs05.kep.tr>\r\nTo: g: a@b;\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n\
Content-Type: message/rfc822; name=\"AttachedMimeMessage.eml\"\r\n\r\nSubject: GIZLI\r\n\
Content-Type: application/pdf; name=secret.pdf\r\n\r\nx\r\n--m--\r\n";

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_row_holds_what_a_client_gets() {
        let row = Structure::compute(DISPATCH.as_bytes());
        let it = Structure::read(&row).unwrap();
        assert_eq!(
            text(it.envelope),
            "(\"Mon, 23 Nov 2026 11:29:24 +0300\" \"=?utf-8?q?S=C3=B6z?=\" \
             (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
             (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
             (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
             ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)"
        );
        assert!(text(it.bodystructure).contains("secret.pdf"));
        assert!(text(it.bodystructure).starts_with(
            "((\"TEXT\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 0 NIL NIL NIL NIL)"
        ));
        assert_eq!(it.layout().unwrap().nodes().len(), 4);
    }

    #[test]
    fn an_unopened_dispatch_shows_nothing_of_the_original() {
        let row = Structure::compute(DISPATCH.as_bytes());
        let it = Structure::read(&row).unwrap();
        for masked in [it.masked_bodystructure, it.masked_body] {
            assert!(!text(masked).contains("secret") && !text(masked).contains("GIZLI"));
            assert!(text(masked).contains("AttachedMimeMessage.eml"));
            assert!(text(masked).contains("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"));
        }
    }

    #[test]
    fn a_plain_mail_is_kept_once() {
        let row = Structure::compute(b"Subject: x\r\n\r\nbody\r\n");
        let it = Structure::read(&row).unwrap();
        assert_eq!(it.masked_body, it.body);
        assert_eq!(
            text(it.body),
            "(\"TEXT\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1)"
        );
    }

    #[test]
    fn a_structure_too_large_is_shown_without_what_is_enclosed_then_as_a_leaf() {
        let part = format!("--i\r\nContent-Type: a/b; x={}\r\n\r\n\r\n", "y".repeat(9_000));
        let inside = format!("Content-Type: multipart/x; boundary=i\r\n\r\n{}", part.repeat(80));
        let enclosed = format!(
            "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n\
                                --m\r\nContent-Type: message/rfc822\r\n\r\n{inside}\r\n--m--\r\n"
        );
        let row = Structure::compute(enclosed.as_bytes());
        let it = Structure::read(&row).unwrap();
        assert!(text(it.bodystructure).contains("(\"application\" \"octet-stream\""));
        assert!(text(it.bodystructure).starts_with("((\"TEXT\""), "the wrapping is shown");
        assert!(text(it.masked_body).contains("\"RFC822\""), "{}", text(it.masked_body));
        let row = Structure::compute(inside.as_bytes());
        let it = Structure::read(&row).unwrap();
        assert!(text(it.body).starts_with("(\"TEXT\" \"plain\" NIL"), "{}", text(it.body));
        assert!(row.len() < 4096);
        let many = format!("To: {}\r\n\r\n", "a@b,".repeat(100_000));
        assert!(Structure::compute(many.as_bytes()).len() < STRUCTURE_MAX);
    }

    proptest! {
        #[test]
        fn any_mail_has_a_structure(mail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let row = Structure::compute(&mail);
            prop_assert!(Structure::read(&row).is_some_and(|it| it.layout().is_some()));
        }

        #[test]
        fn no_row_is_too_odd(row in proptest::collection::vec(any::<u8>(), 0..60)) {
            Structure::read(&row);
        }
    }
}
