//! Content that clamd does not find by itself: it knows MIME, and nothing of CMS, in which an opaque
//! signature (RFC 8551 §3.5.2) wraps what it signs.

use crate::wire::cms::SignedData;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use std::borrow::Cow;

/// Each wrapped content, however deep, as far as it can be read.
pub fn hidden(mail: &[u8]) -> Vec<Cow<'static, [u8]>> {
    let mut found = Vec::new();
    look(mail, 0, &mut found);
    found
}

fn look(mail: &[u8], depth: usize, found: &mut Vec<Cow<'static, [u8]>>) {
    let Some(message) = MessageParser::default().parse(mail).filter(|_| depth < DEEPEST) else {
        return;
    };
    for part in &message.parts {
        match &part.body {
            PartType::Message(_) => look(part.contents(), depth + 1, found),
            _ if is_wrapped(part) => {
                let content = SignedData::parse(part.contents()).ok().and_then(|data| data.content);
                let Some(content) = content.filter(|_| found.len() < MOST) else { continue };
                look(&content, depth + 1, found);
                found.push(Cow::Owned(as_mail(content)));
            }
            _ => {}
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

fn is_wrapped(part: &mail_parser::MessagePart<'_>) -> bool {
    let named = part.content_type().is_some_and(|kind| {
        let subtype = kind.subtype().unwrap_or_default();
        kind.ctype().eq_ignore_ascii_case("application")
            && ["pkcs7-mime", "x-pkcs7-mime"].iter().any(|one| subtype.eq_ignore_ascii_case(one))
    });
    named || part.attachment_name().is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"))
}

const ENTRY: &[u8] = b"Received: by kep\r\n";
/// A dispatch, the original in it, and what its sender forwards.
const DEEPEST: usize = 6;
const MOST: usize = 16;
