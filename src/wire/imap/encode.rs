//! Responses as bytes. imap-codec writes all it has words for; here is the rest: FETCH from bytes
//! made at delivery, ESEARCH, LIST with extended data, and texts that are not ASCII.

use imap_codec::ResponseCodec;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::core::{Tag, Text, Vec1};
use imap_codec::imap_types::fetch::MessageDataItem;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{
    Bye, Code, CommandContinuationRequest, Data, Response, Status, StatusBody, StatusKind, Tagged,
};
use std::io::Write as _;
use std::num::NonZeroU32;

use super::{Flags, ModSeq, Uid};
use crate::wire::Timestamp;
use crate::wire::smtp::ascii;

pub fn response(out: &mut Vec<u8>, response: &Response<'_>) {
    out.extend_from_slice(&ResponseCodec::new().encode(response).dump());
}

pub fn data(out: &mut Vec<u8>, data: Data<'_>) {
    response(out, &Response::Data(data));
}

/// `tag OK [CODE] text`, untagged without a tag. A text in Turkish goes out as UTF-8 only to a client
/// that has enabled it (RFC 9755 §3), which imap-codec can't write; to others, whose texts have seven
/// bits (RFC 3501 §9), without its marks.
pub fn status(
    out: &mut Vec<u8>,
    tag: Option<&str>,
    kind: StatusKind,
    code: Option<Code<'_>>,
    text: &str,
    utf8: bool,
) {
    let plain = if utf8 { text.to_owned() } else { ascii(text) };
    let ascii = Text::try_from(plain).ok();
    let foreign = if ascii.is_some() { "" } else { text };
    let body = StatusBody { kind, code, text: ascii.unwrap_or_else(|| Text::unvalidated(PLACE)) };
    let status = match tag.and_then(|tag| Tag::try_from(tag).ok()) {
        Some(tag) => Status::Tagged(Tagged { tag, body }),
        None => Status::Untagged(body),
    };
    response(out, &Response::Status(status));
    if !foreign.is_empty() {
        out.truncate(out.len().saturating_sub(PLACE.len() + 2));
        out.extend(foreign.chars().filter(|c| !c.is_control()).collect::<String>().bytes());
        out.extend_from_slice(b"\r\n");
    }
}

pub fn bye(out: &mut Vec<u8>, code: Option<Code<'_>>, text: &'static str) {
    let text = Text::unvalidated(text);
    response(out, &Response::Status(Status::Bye(Bye { code, text })));
}

pub fn go_on(out: &mut Vec<u8>, text: &'static str) {
    if let Ok(request) = CommandContinuationRequest::basic(None, text) {
        response(out, &Response::CommandContinuationRequest(request));
    }
}

/// A challenge of AUTHENTICATE.
pub fn challenge(out: &mut Vec<u8>, data: &'static [u8]) {
    let request = CommandContinuationRequest::base64(data);
    response(out, &Response::CommandContinuationRequest(request));
}

/// The value imap-codec writes for an item of FETCH, without the item's name.
pub fn item(item: MessageDataItem<'_>) -> Vec<u8> {
    let name = match item {
        MessageDataItem::Envelope(_) => "ENVELOPE ",
        MessageDataItem::Body(_) => "BODY ",
        _ => "BODYSTRUCTURE ",
    };
    let mut bytes = Vec::new();
    data(&mut bytes, Data::Fetch { seq: NonZeroU32::MIN, items: Vec1::from(item) });
    bytes.truncate(bytes.len().saturating_sub(")\r\n".len()));
    bytes.drain(..("* 1 FETCH (".len() + name.len()).min(bytes.len()));
    bytes
}

/// One FETCH response, item after item.
pub struct Fetch<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Fetch<'a> {
    pub fn begin(out: &'a mut Vec<u8>, sequence: u32) -> Self {
        out.extend_from_slice(b"* ");
        number(out, u64::from(sequence));
        out.extend_from_slice(b" FETCH (");
        Self { out, first: true }
    }

    /// Goes on with one begun before.
    pub fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    /// Goes on with one in which nothing stands yet.
    pub fn resume_empty(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    pub fn is_empty(&self) -> bool {
        self.first
    }

    /// Octets that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Name and value, both as they are to be written.
    pub fn raw(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(value);
    }

    pub fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        number(self.out, value);
    }

    pub fn modseq(&mut self, value: ModSeq) {
        self.name("MODSEQ");
        self.out.push(b'(');
        number(self.out, value);
        self.out.push(b')');
    }

    pub fn flags(&mut self, flags: &Flags) {
        self.name("FLAGS");
        flag_list(self.out, flags);
    }

    pub fn date(&mut self, date: Timestamp) {
        self.name("INTERNALDATE");
        // RFC 9051 `date-day-fixed`: a day below ten has a space before it.
        let text = date.internaldate();
        let fixed = text.strip_prefix('0').map_or(text.clone(), |rest| format!(" {rest}"));
        let _ = write!(self.out, "\"{fixed}\"");
    }

    /// Begins a string of `length` octets; the caller sends them.
    pub fn literal(&mut self, name: &str, length: u64) {
        self.name(name);
        let _ = write!(self.out, "{{{length}}}\r\n");
    }

    /// Octets of the string begun.
    pub fn append(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub fn end(self) {
        self.out.extend_from_slice(b")\r\n");
    }

    fn name(&mut self, name: &str) {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b' ');
    }
}

/// The beginning of an ESEARCH response (RFC 4731); what is `None` was not asked for or has no value.
#[derive(Debug, Default)]
pub struct Esearch<'a> {
    pub tag: &'a str,
    /// Name as it is sent, and UIDVALIDITY (RFC 7377 §2.1).
    pub mailbox: Option<(&'a [u8], u32)>,
    pub uid: bool,
    pub min: Option<Uid>,
    pub max: Option<Uid>,
    pub count: Option<usize>,
}

/// Without the line end: more items may follow.
pub fn esearch(out: &mut Vec<u8>, result: &Esearch<'_>) {
    let _ = write!(out, "* ESEARCH (TAG \"{}\"", result.tag);
    if let Some((name, uid_validity)) = result.mailbox {
        out.extend_from_slice(b" MAILBOX ");
        out.extend_from_slice(name);
        let _ = write!(out, " UIDVALIDITY {uid_validity}");
    }
    out.extend_from_slice(if result.uid { b") UID" } else { b")" });
    if let Some(min) = result.min {
        let _ = write!(out, " MIN {min}");
    }
    if let Some(max) = result.max {
        let _ = write!(out, " MAX {max}");
    }
    if let Some(count) = result.count {
        let _ = write!(out, " COUNT {count}");
    }
}

/// What ends `* SEARCH …`.
pub fn end_with_modseq(modseq: Option<ModSeq>) -> Vec<u8> {
    let modseq = modseq.map(|modseq| format!(" (MODSEQ {modseq})")).unwrap_or_default();
    format!("{modseq}\r\n").into_bytes()
}

/// What ends `* ESEARCH …`.
pub fn end_with_modseq_item(modseq: Option<ModSeq>) -> Vec<u8> {
    let modseq = modseq.map(|modseq| format!(" MODSEQ {modseq}")).unwrap_or_default();
    format!("{modseq}\r\n").into_bytes()
}

/// Extended data for the LIST response just written: `("CHILDINFO" ("SUBSCRIBED"))` (RFC 5258 §6).
pub fn child_info(out: &mut Vec<u8>) {
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
        out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
    }
}

/// SIZE (RFC 8438) for the STATUS response just written.
pub fn status_size(out: &mut Vec<u8>, size: u64) {
    if out.ends_with(b")\r\n") {
        out.truncate(out.len() - ")\r\n".len());
        let space = if out.ends_with(b"(") { "" } else { " " };
        let _ = write!(out, "{space}SIZE {size})\r\n");
    }
}

/// A mailbox name as imap-codec writes it.
pub fn mailbox(name: Mailbox<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    data(&mut bytes, Data::Status { mailbox: name, items: Vec::new().into() });
    bytes.truncate(bytes.len().saturating_sub(" ()\r\n".len()));
    bytes.drain(.."* STATUS ".len().min(bytes.len()));
    bytes
}

/// ` 12`
pub fn spaced(out: &mut Vec<u8>, value: u32) {
    out.push(b' ');
    number(out, u64::from(value));
}

/// `12`
pub fn digits(out: &mut Vec<u8>, value: u32) {
    number(out, u64::from(value));
}

/// `1:3` or `2`, behind others with a comma.
pub fn range(out: &mut Vec<u8>, comma: bool, (first, last): (u32, u32)) {
    out.extend_from_slice(if comma { b"," } else { b"" });
    number(out, u64::from(first));
    if first != last {
        out.push(b':');
        number(out, u64::from(last));
    }
}

/// `(\Seen work)`
pub fn flag_list(out: &mut Vec<u8>, flags: &Flags) {
    out.push(b'(');
    let mut space = false;
    for name in flags.system.names() {
        if space {
            out.push(b' ');
        }
        out.extend_from_slice(name.as_bytes());
        space = true;
    }
    if space && !flags.keywords.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(flags.keywords.as_str().as_bytes());
    out.push(b')');
}

/// Decimal digits; `write!` costs three times as much, and FETCH writes many.
fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        at -= 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// Stands for a text imap-codec can't hold, and is cut off again.
const PLACE: &str = ".";

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_turkish_text_goes_out_as_it_is_to_those_who_read_it() {
        let said = |utf8| {
            let (no, code) = (StatusKind::No, Some(Code::OverQuota));
            written(|out| status(out, Some("a1"), no, code, "Kota doldu şimdi", utf8))
        };
        assert_eq!(said(true), "a1 NO [OVERQUOTA] Kota doldu şimdi\r\n");
        assert_eq!(said(false), "a1 NO [OVERQUOTA] Kota doldu simdi\r\n");
        let plain = written(|out| status(out, None, StatusKind::Ok, None, "Still here", true));
        assert_eq!(plain, "* OK Still here\r\n");
    }

    #[test]
    fn search_results_are_written() {
        let head = Esearch {
            tag: "a",
            mailbox: Some((b"INBOX", 7)),
            uid: true,
            min: Some(1),
            count: Some(4),
            ..Esearch::default()
        };
        assert_eq!(
            written(|out| esearch(out, &head)),
            "* ESEARCH (TAG \"a\" MAILBOX INBOX UIDVALIDITY 7) UID MIN 1 COUNT 4"
        );
        assert_eq!(end_with_modseq(Some(7)), b" (MODSEQ 7)\r\n");
        assert_eq!(end_with_modseq_item(None), b"\r\n");
        assert_eq!(written(|out| range(out, true, (2, 4))), ",2:4");
        assert_eq!(written(|out| number(out, u64::MAX)), u64::MAX.to_string());
        assert_eq!(written(|out| number(out, 0)), "0");
    }
}
