//! What a CMS wraps, read as forgivingly as the most forgiving mail program does: whatever is wrong behind
//! the content, the content is shown.

use super::oid;
use super::read::{CmsError, encapsulated};
use crate::wire::der::{Node, Reader, tag};
use std::borrow::Cow;

/// What octets that call themselves CMS hide from who knows none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrapped<'a> {
    /// They are no CMS, a detached signature, or encrypted for their recipient.
    Nothing,
    Content(Cow<'a, [u8]>),
    /// There is content that can't be read here, and perhaps elsewhere.
    Unread,
}

pub fn wrapped(octets: &[u8]) -> Wrapped<'_> {
    if octets.first() != Some(&tag::SEQUENCE) {
        return Wrapped::Nothing;
    }
    match content(octets) {
        Ok(Some(content)) => Wrapped::Content(content),
        Ok(None) => Wrapped::Nothing,
        Err(_) => Wrapped::Unread,
    }
}

fn content(octets: &[u8]) -> Result<Option<Cow<'_, [u8]>>, CmsError> {
    let mut info = Reader::new(octets).next()?.reader();
    let kind = info.next()?.oid()?;
    if [oid::ENVELOPED_DATA, oid::ENCRYPTED_DATA, oid::AUTH_ENVELOPED_DATA].contains(&kind) {
        return Ok(None);
    }
    if kind != oid::SIGNED_DATA {
        return Err(CmsError::NotSignedData);
    }
    let mut data = info.expect(tag::context(0))?.reader().expect(tag::SEQUENCE)?.reader();
    let is_content = |node: &Node<'_>| node.tag == tag::SEQUENCE;
    let mut node = data.next()?;
    // A version and digest algorithms, whatever they say.
    for _ in 0..2 {
        if is_content(&node) {
            break;
        }
        node = data.next()?;
    }
    Ok(encapsulated(node.of(tag::SEQUENCE)?)?.1)
}
