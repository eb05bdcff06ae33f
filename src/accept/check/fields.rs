//! Single fields of the header: which may stand once only, subject, identifiers, national fields.

use super::header::{Header, unfolded};
use super::turkish;
use crate::accept::refusal::Refusal;
use crate::registry::read_policy::MessageType;
use mail_parser::MessageParser;

/// RFC 5322 §3.6. Two of one kind are two messages: which one a reader sees is anyone's guess.
/// From has its own refusal.
pub(super) fn no_duplicates(header: &Header) -> Result<(), Refusal> {
    for name in ONCE {
        if header.all(name).nth(1).is_some() {
            return Err(Refusal::HeaderDuplicate(name.to_owned()));
        }
    }
    Ok(())
}

pub(super) fn subject(header: &Header) -> String {
    let Some(raw) = header.first("Subject") else { return String::new() };
    let text = turkish::text(&unfolded(raw));
    let again = format!("Subject: {text}\r\n\r\n");
    let decoded = MessageParser::new()
        .parse_headers(again.as_bytes())
        .and_then(|message| message.subject().map(str::to_owned))
        .unwrap_or(text);
    bounded_subject(&decoded)
}

/// As much of a subject as evidence and rows have.
pub(in crate::accept) fn bounded_subject(decoded: &str) -> String {
    decoded.chars().filter(|c| !c.is_control()).take(SUBJECT_MAX).collect()
}

pub(super) fn own_message_id(header: &Header) -> Option<String> {
    message_id(&unfolded(header.first("Message-ID")?))
}

/// The identifier that stands between angle brackets.
pub(in crate::accept) fn message_id(value: &[u8]) -> Option<String> {
    let inside = value.strip_prefix(b"<")?.strip_suffix(b">")?;
    let good = (1..=MESSAGE_ID_MAX).contains(&inside.len())
        && inside.iter().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'));
    good.then(|| String::from_utf8_lossy(inside).into_owned())
}

/// X-TR-REM-iletiTip: what its sender calls the message. Absent or unknown, it is an ordinary one.
pub(super) fn message_type(header: &Header) -> MessageType {
    match header.first("X-TR-REM-iletiTip").map(unfolded) {
        Some(kind) if kind.eq_ignore_ascii_case(b"eYazisma") => MessageType::EYazisma,
        Some(kind) if kind.eq_ignore_ascii_case(b"eTebligat") => MessageType::ETebligat,
        _ => MessageType::Standart,
    }
}

pub(super) fn national_id(header: &Header) -> Option<String> {
    let value = unfolded(header.first("X-TR-REM-iletiID")?);
    let good = (1..=NATIONAL_ID_MAX).contains(&value.len())
        && value.iter().all(|b| (0x20..0x7f).contains(b));
    good.then(|| String::from_utf8_lossy(&value).into_owned())
}

/// Besides those of RFC 5322, the MIME fields a reader interprets (RFC 2045) and the national ones.
const ONCE: [&str; 16] = [
    "Date",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "Content-ID",
    "X-TR-REM-iletiTip",
    "X-TR-REM-iletiID",
];
/// What goes into rows and evidence; the original keeps all of it.
const SUBJECT_MAX: usize = 2_000;
/// As in the header of a dispatch, where its line has at most 998 octets with a name before it.
const MESSAGE_ID_MAX: usize = 250;
const NATIONAL_ID_MAX: usize = 255;
