//! Responses as bytes. imap-codec writes all it has words for; here is the rest: FETCH from bytes
//! made at delivery, ESEARCH, LIST with extended data, and texts that are not ASCII.

use imap_codec::ResponseCodec;
use imap_codec::encode::Encoder;
use imap_codec::imap_types::core::{Tag, Text};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{
    Bye, Code, CommandContinuationRequest, Data, Response, Status, StatusBody, StatusKind, Tagged,
};
use std::io::Write as _;

use super::metadata::EntryName;
use super::{Flags, ModSeq, Uid, UidSet};
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
pub fn challenge(out: &mut Vec<u8>, data: &[u8]) {
    let request = CommandContinuationRequest::base64(data);
    response(out, &Response::CommandContinuationRequest(request));
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

    /// RFC 9586 §3.3: UIDFETCH, which names the message by its UID.
    pub fn begin_uid(out: &'a mut Vec<u8>, uid: Uid) -> Self {
        out.extend_from_slice(b"* ");
        number(out, u64::from(uid));
        out.extend_from_slice(b" UIDFETCH (");
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

    /// `\Recent` is the session's to know, and no row's.
    pub fn flags(&mut self, flags: &Flags, recent: bool) {
        self.name("FLAGS");
        flag_list(self.out, flags, recent);
    }

    pub fn date(&mut self, name: &str, date: Timestamp) {
        self.name(name);
        // RFC 9051 `date-day-fixed`: a day below ten has a space before it.
        let text = date.internaldate();
        let fixed = text.strip_prefix('0').map_or(text.clone(), |rest| format!(" {rest}"));
        let _ = write!(self.out, "\"{fixed}\"");
    }

    /// A text in UTF-8: quoted when every client reads it so, else a literal.
    pub fn text(&mut self, name: &str, text: &str) {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        match text.bytes().all(plain) {
            true => {
                self.name(name);
                let _ = write!(self.out, "\"{text}\"");
            }
            false => {
                self.literal(name, text.len() as u64);
                self.append(text.as_bytes());
            }
        }
    }

    /// Begins a string of `length` octets; the caller sends them.
    pub fn literal(&mut self, name: &str, length: u64) {
        self.name(name);
        let _ = write!(self.out, "{{{length}}}\r\n");
    }

    /// The same for octets that may hold NUL (RFC 3516).
    pub fn literal8(&mut self, name: &str, length: u64) {
        self.name(name);
        let _ = write!(self.out, "~{{{length}}}\r\n");
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

/// RFC 9051 §6.3.9.6: what the mailbox of the LIST response just written was called before.
pub fn old_name(out: &mut Vec<u8>, old: &str) {
    if out.ends_with(b"\r\n") {
        out.truncate(out.len() - 2);
        out.extend_from_slice(b" (\"OLDNAME\" (");
        name(out, old);
        out.extend_from_slice(b"))\r\n");
    }
}

/// RFC 7162 §3.2.10; a long set in several lines.
pub fn vanished(out: &mut Vec<u8>, earlier: bool, uids: &UidSet) {
    let earlier = if earlier { "(EARLIER) " } else { "" };
    for ranges in uids.ranges().chunks(RANGES) {
        let mut part = UidSet::new();
        ranges.iter().for_each(|(first, last)| part.insert_range(*first, *last));
        let _ = write!(out, "* VANISHED {earlier}{part}\r\n");
    }
}

/// RFC 9585 §4.
pub fn in_progress(out: &mut Vec<u8>, tag: &str, done: Option<usize>, goal: Option<usize>) {
    let shown = |number: Option<usize>| number.map_or("NIL".to_owned(), |n| n.to_string());
    let (done, goal) = (shown(done), shown(goal.filter(|goal| *goal > 0)));
    let _ = write!(out, "* OK [INPROGRESS (\"{tag}\" {done} {goal})] Still at it\r\n");
}

/// RFC 10022: highest and lowest UID of each batch.
pub fn uid_batches(out: &mut Vec<u8>, tag: &str, batches: &[(Uid, Uid)]) {
    let _ = write!(out, "* UIDBATCHES (TAG \"{tag}\")");
    for (at, (high, low)) in batches.iter().enumerate() {
        let before = if at == 0 { ' ' } else { ',' };
        let _ = write!(out, "{before}{high}:{low}");
    }
    out.extend_from_slice(b"\r\n");
}

/// An item more for the STATUS response just written: SIZE (RFC 8438), MAILBOXID, APPENDLIMIT.
pub fn status_more(out: &mut Vec<u8>, name: &str, value: &str) {
    if out.ends_with(b")\r\n") {
        out.truncate(out.len() - ")\r\n".len());
        let space = if out.ends_with(b"(") { "" } else { " " };
        let _ = write!(out, "{space}{name} {value})\r\n");
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

/// `* METADATA INBOX (/private/comment "…")` (RFC 5464 §4.4.1); nothing when there is no value.
pub fn metadata(out: &mut Vec<u8>, mailbox: &str, values: &[(EntryName, Option<Vec<u8>>)]) {
    if values.is_empty() {
        return;
    }
    out.extend_from_slice(b"* METADATA ");
    name(out, mailbox);
    out.extend_from_slice(b" (");
    for (at, (name, value)) in values.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        string(out, name.as_str().as_bytes());
        out.push(b' ');
        match value {
            Some(value) => string(out, value),
            None => out.extend_from_slice(b"NIL"),
        }
    }
    out.extend_from_slice(b")\r\n");
}

/// `* METADATA "INBOX" "/shared/comment"`: names of what changed (RFC 5464 §4.4.2)
pub fn metadata_changed<'e>(
    out: &mut Vec<u8>,
    mailbox: &str,
    entries: impl Iterator<Item = &'e EntryName>,
) {
    out.extend_from_slice(b"* METADATA ");
    name(out, mailbox);
    for entry in entries {
        out.push(b' ');
        string(out, entry.as_str().as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// `* QUOTAROOT INBOX ""` (RFC 9208 §4.2.2)
pub fn quota_root(out: &mut Vec<u8>, mailbox: &str, root: &str) {
    out.extend_from_slice(b"* QUOTAROOT ");
    name(out, mailbox);
    out.push(b' ');
    string(out, root.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// `* QUOTA "" (STORAGE 10 512)`: name, usage and limit of each resource (RFC 9208 §4.2.1).
pub fn quota(out: &mut Vec<u8>, root: &str, resources: &[(&str, u64, u64)]) {
    out.extend_from_slice(b"* QUOTA ");
    string(out, root.as_bytes());
    let all = resources.iter().map(|(name, used, limit)| format!("{name} {used} {limit}"));
    let _ = write!(out, " ({})\r\n", all.collect::<Vec<_>>().join(" "));
}

/// `* ACL INBOX "ali@hs05.kep.tr" "lr"`, and MYRIGHTS and LISTRIGHTS (RFC 4314 §3.6 to §3.8).
pub fn rights(out: &mut Vec<u8>, kind: &str, mailbox: &str, words: &[&str]) {
    let _ = write!(out, "* {kind} ");
    name(out, mailbox);
    for word in words {
        out.push(b' ');
        string(out, word.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// A mailbox: in quotes always, for it has letters of more than seven bits only where they may stand
/// there (RFC 6855 §3), and mutt takes a literal for the end of the line.
fn name(out: &mut Vec<u8>, mailbox: &str) {
    let quoted = mailbox.replace('\\', "\\\\").replace('"', "\\\"");
    let _ = write!(out, "\"{quoted}\"");
}

/// Quoted where that can be, else a literal, of octets with NUL a binary one (RFC 3516).
fn string(out: &mut Vec<u8>, value: &[u8]) {
    let plain = |b: &u8| (b' '..=b'~').contains(b);
    if value.len() > QUOTED_MAX || !value.iter().all(plain) {
        out.extend_from_slice(if value.contains(&0) { b"~" } else { b"" });
        let _ = write!(out, "{{{}}}\r\n", value.len());
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// `(\Seen work)`
pub fn flag_list(out: &mut Vec<u8>, flags: &Flags, recent: bool) {
    out.push(b'(');
    let mut space = false;
    for name in recent.then_some("\\Recent").into_iter().chain(flags.system.names()) {
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
pub(super) fn number(out: &mut Vec<u8>, mut value: u64) {
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

/// Of a set in one line of VANISHED.
const RANGES: usize = 400;
/// Octets of a string that is written in quotes.
const QUOTED_MAX: usize = 1000;
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
    fn annotations_are_written_as_strings_that_hold_them() {
        let entry = |name: &str| EntryName::parse(name.as_bytes()).unwrap();
        let values = [
            (entry("/private/a"), Some(b"a \"b\\".to_vec())),
            (entry("/private/b"), Some("ş".into())),
            (entry("/private/c"), Some(b"a\0".to_vec())),
            (entry("/private/d"), Some(Vec::new())),
            (entry("/private/e"), None),
        ];
        let written = written(|out| metadata(out, "INBOX", &values));
        let expected = "* METADATA \"INBOX\" (\"/private/a\" \"a \\\"b\\\\\" \"/private/b\" {2}\r\nş \
                        \"/private/c\" ~{2}\r\na\0 \"/private/d\" \"\" \"/private/e\" NIL)\r\n";
        assert_eq!(written, expected);
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
