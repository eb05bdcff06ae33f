//! imap-codec as judge: the same mail as its values and through its encoder, octet for octet.

use super::super::write::{ADDRESSES_MAX, ENVELOPE, Enclosed, STRING_MAX};
use crate::wire::imap::encode::data;
use crate::wire::mime::fields::{fields, unfold};
use crate::wire::mime::{self, Address, Content, Params, Part};
use imap_codec::imap_types::body::{
    BasicFields, Body, BodyStructure, Disposition, Language, Location, MultiPartExtensionData,
    SinglePartExtensionData, SpecificFields,
};
use imap_codec::imap_types::core::{IString, Literal, NString, Quoted, Vec1};
use imap_codec::imap_types::envelope::{Address as ImapAddress, Envelope};
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::response::Data;
use std::borrow::Cow;
use std::num::NonZeroU32;

pub(super) fn envelope_of(header: &[u8]) -> Vec<u8> {
    item(MessageDataItem::Envelope(envelope(header)))
}

pub(super) fn structure_of(
    message: &[u8],
    root: &Part,
    enclosed: Enclosed,
    extended: bool,
) -> Vec<u8> {
    let structure = Maker { message, enclosed, extended }.structure(root);
    match extended {
        true => item(MessageDataItem::BodyStructure(structure)),
        false => item(MessageDataItem::Body(structure)),
    }
}

/// The value imap-codec writes for an item of FETCH, without the item's name.
fn item(item: MessageDataItem<'_>) -> Vec<u8> {
    let name = match item {
        MessageDataItem::Envelope(_) => "ENVELOPE ",
        MessageDataItem::Body(_) => "BODY ",
        _ => "BODYSTRUCTURE ",
    };
    let mut bytes = Vec::new();
    data(&mut bytes, Data::Fetch { seq: NonZeroU32::MIN, items: Vec1::from(item) });
    bytes.truncate(bytes.len() - ")\r\n".len());
    bytes.drain(.."* 1 FETCH (".len() + name.len());
    bytes
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
    let (name, route, mailbox, host) = match address {
        Address::Mailbox { name, route, local, domain } => (name, route, Some(local), Some(domain)),
        Address::GroupStart(name) => (None, None, Some(name), None),
        Address::GroupEnd => (None, None, None, None),
    };
    ImapAddress {
        name: nstring(name),
        adl: nstring(route),
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
