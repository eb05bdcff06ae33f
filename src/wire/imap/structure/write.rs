//! ENVELOPE, BODYSTRUCTURE and BODY (RFC 9051 §7.5.2) written as they are read from a mail. Five mails
//! of a message are written several times each, so there are no values between; imap-codec is the
//! judge in the tests.

use super::super::encode::number;
use crate::wire::mime::fields::{fields, unfold};
use crate::wire::mime::{self, Address, Content, Params, Part};
use std::borrow::Cow;

/// ENVELOPE from a header.
pub(super) fn envelope(out: &mut Vec<u8>, header: &[u8]) {
    let mut found: [Option<Cow<'_, [u8]>>; 10] = Default::default();
    for field in fields(header) {
        let known = ENVELOPE.iter().position(|name| field.is(name));
        if let Some(slot) = known.and_then(|at| found.get_mut(at)).filter(|slot| slot.is_none()) {
            *slot = Some(unfold(field.value));
        }
    }
    let [date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id] =
        found.each_ref().map(|value| value.as_deref());
    out.push(b'(');
    nstring(out, date);
    out.push(b' ');
    nstring(out, subject);
    out.push(b' ');
    let start = out.len();
    addresses(out, from);
    let from = start..out.len();
    for value in [sender, reply_to] {
        out.push(b' ');
        // Absent or empty ones are From's.
        if !addresses(out, value) {
            out.truncate(out.len() - NIL.len());
            out.extend_from_within(from.clone());
        }
    }
    for value in [to, cc, bcc] {
        out.push(b' ');
        addresses(out, value);
    }
    for value in [in_reply_to, message_id] {
        out.push(b' ');
        nstring(out, value);
    }
    out.push(b')');
}

/// Whether there are any.
fn addresses(out: &mut Vec<u8>, value: Option<&[u8]>) -> bool {
    let text = value.unwrap_or_default();
    let all = mime::addresses(text.get(..ADDRESSES_MAX).unwrap_or(text));
    list(out, &all, b"", |out, address| {
        let (name, route, local, domain) = match address {
            Address::Mailbox { name, route, local, domain } => {
                let (local, domain) = (Some(local.as_slice()), Some(domain.as_slice()));
                (name.as_deref(), route.as_deref(), local, domain)
            }
            Address::GroupStart(name) => (None, None, Some(name.as_slice()), None),
            Address::GroupEnd => (None, None, None, None),
        };
        out.push(b'(');
        nstring(out, name);
        out.push(b' ');
        nstring(out, route);
        out.push(b' ');
        nstring(out, local);
        out.push(b' ');
        nstring(out, domain);
        out.push(b')');
    });
    !all.is_empty()
}

/// A structure that a row can keep: when it is too large, first enclosed messages are shown as
/// leaves, then the message itself is.
pub(super) fn bounded(out: &mut Vec<u8>, writer: Writer<'_>, root: &Part) {
    let start = out.len();
    let leaves = Writer { enclosed: Enclosed::Leaf, ..writer };
    for writer in [writer, leaves] {
        writer.structure(out, root);
        if out.len() - start <= STRUCTURE_MAX {
            return;
        }
        out.truncate(start);
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
    leaves.structure(out, &bare);
}

#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub message: &'a [u8],
    pub enclosed: Enclosed,
    /// BODYSTRUCTURE, not BODY.
    pub extended: bool,
}

/// How enclosed messages are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Enclosed {
    Open,
    /// Without what is in them.
    Masked,
    /// As octets.
    Leaf,
}

impl Writer<'_> {
    pub(super) fn structure(&self, out: &mut Vec<u8>, part: &Part) {
        out.push(b'(');
        match &part.inside {
            mime::Body::Multipart(parts) if !parts.is_empty() => self.multi(out, part, parts),
            mime::Body::Message(inner) if self.enclosed != Enclosed::Leaf => {
                self.message(out, part, inner);
                self.extension(out, &part.content);
            }
            _ => {
                self.leaf(out, part);
                self.extension(out, &part.content);
            }
        }
        out.push(b')');
    }

    fn multi(&self, out: &mut Vec<u8>, part: &Part, parts: &[Part]) {
        parts.iter().for_each(|part| self.structure(out, part));
        out.push(b' ');
        string(out, &part.content.subtype);
        if self.extended {
            out.push(b' ');
            params(out, &part.content.params);
            disposition(out, &part.content);
        }
    }

    fn message(&self, out: &mut Vec<u8>, part: &Part, inner: &Part) {
        out.extend_from_slice(b"\"MESSAGE\" \"RFC822\" ");
        basic(out, part);
        out.push(b' ');
        if self.enclosed == Enclosed::Masked {
            out.extend_from_slice(SEALED);
            return;
        }
        envelope(out, inner.header_bytes(self.message));
        out.push(b' ');
        self.structure(out, inner);
        self.lines(out, part);
    }

    /// Of a multipart or message that could not be taken apart clients would expect more than there
    /// is, so it is shown as what it is to us.
    fn leaf(&self, out: &mut Vec<u8>, part: &Part) {
        let content = &part.content;
        let broken = content.is_kind("multipart");
        if broken || content.is_kind("text") {
            out.extend_from_slice(b"\"TEXT\" ");
            string(out, if broken { b"plain" } else { &content.subtype });
            out.push(b' ');
            basic(out, part);
            return self.lines(out, part);
        }
        let (kind, subtype): (&[u8], &[u8]) = match content.is("message", "rfc822") {
            true => (b"application", b"octet-stream"),
            false => (&content.kind, &content.subtype),
        };
        string(out, kind);
        out.push(b' ');
        string(out, subtype);
        out.push(b' ');
        basic(out, part);
    }

    fn lines(&self, out: &mut Vec<u8>, part: &Part) {
        out.push(b' ');
        number(out, bounded_number(part.lines(self.message)));
    }

    fn extension(&self, out: &mut Vec<u8>, content: &Content) {
        if self.extended {
            out.push(b' ');
            nstring(out, content.md5.as_deref());
            disposition(out, content);
        }
    }
}

fn basic(out: &mut Vec<u8>, part: &Part) {
    let content = &part.content;
    params(out, &content.params);
    out.push(b' ');
    nstring(out, content.id.as_deref());
    out.push(b' ');
    nstring(out, content.description.as_deref());
    out.push(b' ');
    string(out, &content.encoding);
    out.push(b' ');
    number(out, bounded_number(part.body.len()));
}

/// And language and location, which follow it everywhere.
fn disposition(out: &mut Vec<u8>, content: &Content) {
    out.push(b' ');
    match &content.disposition {
        Some((kind, list)) => {
            out.push(b'(');
            string(out, kind);
            out.push(b' ');
            params(out, list);
            out.push(b')');
        }
        None => out.extend_from_slice(NIL),
    }
    out.push(b' ');
    list(out, &content.language, b" ", |out, tag| string(out, tag));
    out.push(b' ');
    nstring(out, content.location.as_deref());
}

fn params(out: &mut Vec<u8>, params: &Params) {
    list(out, params, b" ", |out, (name, value)| {
        string(out, name);
        out.push(b' ');
        string(out, value);
    });
}

fn list<T>(out: &mut Vec<u8>, all: &[T], between: &[u8], write: impl Fn(&mut Vec<u8>, &T)) {
    let Some((first, rest)) = all.split_first() else { return out.extend_from_slice(NIL) };
    out.push(b'(');
    write(out, first);
    for one in rest {
        out.extend_from_slice(between);
        write(out, one);
    }
    out.push(b')');
}

fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(NIL),
    }
}

/// Quoted when it can be, else a literal (8-bit octets of undeclared headers stay as they are).
fn string(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.get(..STRING_MAX).unwrap_or(value);
    if value.iter().all(|b| (b' '..0x7f).contains(b) || *b == 0) {
        out.push(b'"');
        for byte in value {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                0 => out.push(b'?'),
                other => out.push(*other),
            }
        }
        out.push(b'"');
    } else {
        out.push(b'{');
        number(out, value.len() as u64);
        out.extend_from_slice(b"}\r\n");
        // No string of IMAP has NUL in it.
        out.extend(value.iter().map(|b| if *b == 0 { b'?' } else { *b }));
    }
}

fn bounded_number(value: usize) -> u64 {
    u32::try_from(value).unwrap_or(u32::MAX).into()
}

pub(super) const ENVELOPE: [&str; 10] = [
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

const NIL: &[u8] = b"NIL";
/// What stands for envelope, structure and lines of a message that is not opened.
const SEALED: &[u8] = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) \
    (\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 0) 0";
/// Octets of one string in ENVELOPE or BODYSTRUCTURE; no honest one is longer.
pub(super) const STRING_MAX: usize = 16_384;
/// Octets of a field with addresses: thousands of them.
pub(super) const ADDRESSES_MAX: usize = 65_536;
/// Octets of a BODYSTRUCTURE: thousands of parts.
pub(super) const STRUCTURE_MAX: usize = 512 << 10;
