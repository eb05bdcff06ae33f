//! What is read of a message's octets. Of an unopened one nothing is (invariant 3).

use crate::portal::api::call::Answered;
use crate::portal::api::kinds::PartNumber;
use crate::portal::api::problem::Problem;
use crate::store::mail::Kind;
use crate::store::mail::view::MessageRow;
use crate::wire::mime::content::Content;
use crate::wire::mime::layout::Encoding;
use crate::wire::mime::text::{decode_transfer, decode_words, part_text};
use crate::wire::mime::tree::{self, Body, Part as Node};
use crate::wire::rem::{Opened, Original};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether the content of this may be had.
pub fn check_open(row: &MessageRow) -> Answered<()> {
    match row.kind {
        Kind::Sealed | Kind::Stub => Err(Problem::MessageUnopened),
        Kind::Plain | Kind::Dispatch | Kind::Evidence => Ok(()),
    }
}

/// The original that a dispatch encloses.
pub fn original(octets: &[u8]) -> Answered<Vec<u8>> {
    let opened = Opened::read(octets).map_err(|_| Problem::NoDispatch)?;
    let original = opened.original.as_ref().ok_or(Problem::NoDispatch)?;
    Ok(Original::octets(original, octets).to_vec())
}

/// What a person wrote: of a dispatch the original, else the mail itself.
pub fn written(kind: Kind, octets: Vec<u8>) -> Vec<u8> {
    match kind {
        Kind::Dispatch => original(&octets).unwrap_or(octets),
        _ => octets,
    }
}

/// A part that holds something.
#[derive(Serialize, ToSchema)]
pub struct Part {
    /// Its number (RFC 9051, section 6.4.5.1).
    #[schema(pattern = "^[0-9.]+$", example = "2")]
    part: String,
    /// What its sender says it is.
    #[schema(example = "application/pdf")]
    media: String,
    #[schema(example = "şartname.pdf")]
    name: Option<String>,
    /// In octets, as it is encoded.
    #[schema(minimum = 0, example = 4096)]
    size: u64,
    /// Whether it is no text that is read with the message.
    #[schema(example = true)]
    attachment: bool,
}

#[derive(Serialize, ToSchema)]
pub struct Parts {
    parts: Vec<Part>,
}

/// The text of a message, as its sender wrote it.
#[derive(Serialize, ToSchema)]
pub struct Text {
    /// `text/plain`.
    #[schema(example = "Merhaba")]
    plain: Option<String>,
    /// `text/html`, as it came: whoever shows it must make it harmless first.
    #[schema(example = "<p>Merhaba</p>")]
    html: Option<String>,
}

pub fn parts(octets: &[u8]) -> Parts {
    let root = tree::parse(octets);
    let mut found = Vec::new();
    leaves(&root, &mut Vec::new(), &mut |number, node| {
        if found.len() < PARTS {
            found.push(Part::of(number, node));
        }
    });
    Parts { parts: found }
}

/// A part's name and its content, decoded.
pub fn part(octets: &[u8], wanted: &PartNumber) -> Answered<(String, Vec<u8>)> {
    let root = tree::parse(octets);
    let mut found = None;
    leaves(&root, &mut Vec::new(), &mut |number, node| {
        if found.is_none() && number == wanted.0.as_slice() {
            let name =
                name(&node.content).unwrap_or_else(|| format!("part-{}", written_as(number)));
            let content = decode_transfer(node.body_bytes(octets), Encoding::of(&node.content));
            found = Some((name, content.into_owned()));
        }
    });
    found.ok_or(Problem::PartUnknown)
}

pub fn text(octets: &[u8]) -> Text {
    let root = tree::parse(octets);
    let (mut plain, mut html) = (None, None);
    leaves(&root, &mut Vec::new(), &mut |_, node| {
        if is_attachment(node) {
            return;
        }
        let place = if node.content.is("text", "html") { &mut html } else { &mut plain };
        if place.is_none() {
            *place = part_text(node, octets);
        }
    });
    Text { plain, html }
}

/// Each part that holds something, with its number. What an enclosed message holds is its own.
fn leaves(node: &Node, number: &mut Vec<u32>, see: &mut dyn FnMut(&[u32], &Node)) {
    match &node.inside {
        Body::Multipart(parts) if number.len() < DEPTH => {
            for (n, part) in (1..).zip(parts) {
                number.push(n);
                leaves(part, number, see);
                number.pop();
            }
        }
        _ if number.is_empty() => see(&[1], node),
        _ => see(number, node),
    }
}

fn is_attachment(node: &Node) -> bool {
    let said = node.content.disposition.as_ref();
    let attached = said.is_some_and(|(word, _)| word.eq_ignore_ascii_case(b"attachment"));
    attached || !node.content.is_kind("text") || name(&node.content).is_some()
}

/// By `Content-Disposition`, or by `Content-Type`; pieces and charsets of RFC 2231 are put together.
fn name(content: &Content) -> Option<String> {
    let disposition = content.disposition.as_ref().map(|(_, params)| params.as_slice());
    let by = |params: &[(Vec<u8>, Vec<u8>)], wanted: &str| {
        let plain = params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
        let extended = format!("{wanted}*");
        let extended = |name: &[u8]| name.to_ascii_lowercase().starts_with(extended.as_bytes());
        let pieces: Vec<_> = params.iter().filter(|(name, _)| extended(name)).collect();
        match (pieces.is_empty(), plain) {
            (false, _) => Some(put_together(&pieces)),
            (true, Some((_, value))) => Some(decode_words(value)),
            (true, None) => None,
        }
    };
    let name = disposition.and_then(|params| by(params, "filename"));
    let name = name.or_else(|| by(&content.params, "name"))?;
    let name: String = name.chars().filter(|c| !c.is_control()).take(NAME).collect();
    (!name.trim().is_empty()).then_some(name)
}

/// RFC 2231: `name*=charset'language'…`, or `name*0*=…`, `name*1=…`.
fn put_together(pieces: &[&(Vec<u8>, Vec<u8>)]) -> String {
    let mut octets = Vec::new();
    for (at, (key, value)) in pieces.iter().enumerate() {
        let mut value = value.as_slice();
        if key.ends_with(b"*") {
            if at == 0
                && let Some(end) = value.iter().enumerate().filter(|(_, b)| **b == b'\'').nth(1)
            {
                value = value.get(end.0 + 1..).unwrap_or_default();
            }
            octets.extend(unescaped(value));
        } else {
            octets.extend_from_slice(value);
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, more)) = rest.split_first() {
        let octet =
            more.split_at_checked(2).filter(|_| first == b'%').and_then(|(digits, after)| {
                let octet = data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?;
                Some((octet, after))
            });
        match octet {
            Some((octet, after)) => {
                out.extend(octet);
                rest = after;
            }
            None => {
                out.push(first);
                rest = more;
            }
        }
    }
    out
}

fn written_as(number: &[u32]) -> String {
    number.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}

impl Part {
    fn of(number: &[u32], node: &Node) -> Self {
        let word = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
        let media = format!("{}/{}", word(&node.content.kind), word(&node.content.subtype));
        Self {
            part: written_as(number),
            media: media.chars().take(NAME).collect(),
            name: name(&node.content),
            size: node.body.len() as u64,
            attachment: is_attachment(node),
        }
    }
}

/// Parts that are listed.
const PARTS: usize = 1000;
/// Multiparts within each other that are looked into.
const DEPTH: usize = 20;
/// Characters of a name.
const NAME: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
        Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\nMerhaba \xc4\xb0\r\n--b\r\n\
        Content-Type: text/html\r\n\r\n<p>Merhaba</p>\r\n--b--\r\n--a\r\n\
        Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename*0*=utf-8''%C5%9Fart; filename*1=name.pdf\r\n\r\n\
        UERG\r\n--a--\r\n";

    #[test]
    fn parts_have_the_numbers_and_names_that_mail_programs_know() {
        let all = parts(MAIL).parts;
        let shown: Vec<_> = all
            .iter()
            .map(|part| (part.part.as_str(), part.media.as_str(), part.attachment))
            .collect();
        assert_eq!(
            shown,
            [
                ("1.1", "text/plain", false),
                ("1.2", "text/html", false),
                ("2", "application/pdf", true)
            ]
        );
        assert_eq!(all[2].name.as_deref(), Some("şartname.pdf"));
        let (name, content) = part(MAIL, &PartNumber(vec![2])).unwrap();
        assert_eq!((name.as_str(), content.as_slice()), ("şartname.pdf", &b"PDF"[..]));
        assert_eq!(part(MAIL, &PartNumber(vec![3])).unwrap_err(), Problem::PartUnknown);
        let text = text(MAIL);
        assert_eq!(text.plain.as_deref(), Some("Merhaba İ"));
        assert_eq!(text.html.as_deref(), Some("<p>Merhaba</p>"));
    }

    #[test]
    fn a_mail_of_one_part_has_one() {
        let all = parts(b"Subject: x\r\n\r\ntext").parts;
        assert_eq!((all.len(), all[0].part.as_str()), (1, "1"));
        assert_eq!(part(b"\r\ntext", &PartNumber(vec![1])).unwrap().1, b"text");
        assert_eq!(original(b"Subject: x\r\n\r\ntext").unwrap_err(), Problem::NoDispatch);
    }
}
