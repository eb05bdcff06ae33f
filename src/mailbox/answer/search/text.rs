//! The texts of a message as people read them, folded; bounded however large the message is.

use super::Answered;
use crate::store::{Blobs, contents};
use crate::wire::fold::fold;
use crate::wire::imap::Structure;
use crate::wire::mime::layout::{Node, Shape};
use crate::wire::mime::{Content, Layout, fields, text};
use std::borrow::Cow;
use std::ops::Range;

/// The texts, and how many octets were read for them.
pub fn texts(
    structure: &[u8],
    content: &contents::Content,
    blobs: &Blobs,
) -> Answered<(Vec<String>, u64)> {
    let layout = Structure::read(structure).and_then(|structure| structure.layout());
    let size = content.size;
    let whole = if size <= WHOLE { Some(content.read(blobs, 0..size)?) } else { None };
    let mut reader = Reader { content, blobs, whole: whole.as_deref(), left: READ_MAX };
    let mut texts = Vec::new();
    for (at, node) in layout.iter().flat_map(Layout::nodes).enumerate().take(PARTS) {
        part(&mut reader, at == 0, node, &mut texts)?;
    }
    let spent = if size <= WHOLE { size } else { READ_MAX - reader.left };
    Ok((texts, spent))
}

/// A text part's text, and what an attachment or an enclosed message is called.
fn part(reader: &mut Reader<'_>, first: bool, node: &Node, out: &mut Vec<String>) -> Answered<()> {
    let header = reader.range(&node.header, HEADER_MAX)?;
    if !first {
        let names = fields(&header).filter(|f| f.is("Content-Type") || f.is("Content-Disposition"));
        out.extend(names.map(|field| fold(&text::decode_words(field.value))));
        let letters = fields(&header).filter(|f| LETTER.iter().any(|name| f.is(name)));
        out.extend(letters.map(|field| fold(&text::decode_words(field.value))));
    }
    let content = Content::of_header(&header, false);
    if node.shape != Shape::Leaf || !content.is_kind("text") {
        return Ok(());
    }
    let body = reader.range(&node.body, PART_MAX)?;
    let bytes = text::decode_transfer(&body, node.encoding);
    let decoded = text::decode_charset(&bytes, content.param("charset"));
    out.push(match content.is("text", "html") {
        true => fold(&text::html_to_text(&decoded)),
        false => fold(&decoded),
    });
    Ok(())
}

struct Reader<'r> {
    content: &'r contents::Content,
    blobs: &'r Blobs,
    /// A small message is read at one go.
    whole: Option<&'r [u8]>,
    left: u64,
}

impl<'r> Reader<'r> {
    fn range(&mut self, range: &Range<u64>, most: u64) -> Answered<Cow<'r, [u8]>> {
        let end = range.end.min(self.content.size).min(range.start + most.min(self.left));
        if range.start >= end {
            return Ok(Cow::default());
        }
        self.left -= end - range.start;
        match self.whole {
            Some(whole) => {
                let part = whole.get(range.start as usize..end as usize);
                Ok(Cow::Borrowed(part.unwrap_or_default()))
            }
            None => Ok(Cow::Owned(self.content.read(self.blobs, range.start..end)?)),
        }
    }
}

/// What an enclosed message says of itself.
const LETTER: [&str; 4] = ["From", "To", "Cc", "Subject"];
/// Octets up to which a message is read at one go.
const WHOLE: u64 = 256 << 10;
/// Parts looked at.
const PARTS: usize = 256;
/// Octets of a part's header.
const HEADER_MAX: u64 = 64 << 10;
/// Octets of one text: a book.
const PART_MAX: u64 = 1 << 20;
/// Octets of one message.
const READ_MAX: u64 = 8 << 20;
