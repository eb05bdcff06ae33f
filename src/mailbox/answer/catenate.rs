//! CATENATE's parts of other messages (RFC 4469): where they lie. Their octets are read by the way
//! that FETCH reads them, so that an unopened dispatch is opened first (invariant 3).

use super::{Answered, Who};
use crate::mailbox::ask::{AppendUrl, Content, Refusal};
use crate::store::Tx;
use crate::store::mail::{Kind, view};
use crate::wire::MailboxId;
use crate::wire::imap::{Structure, Uid};
use crate::wire::mime::SectionText;
use crate::wire::mime::section::pick_fields;
use std::ops::Range;

/// Where a part lies, or what must be read of it first.
pub enum Found {
    Part(Part),
    /// An octet of what an unopened dispatch encloses: before it is opened nothing is told of that,
    /// not even that a part is not there.
    Sealed(Content),
}

/// A part that is being read.
pub struct Part {
    mailbox: MailboxId,
    uid: Uid,
    left: Range<u64>,
    pick: Option<Pick>,
}

/// Fields to be picked from a header, which is collected first.
struct Pick {
    not: bool,
    names: Vec<String>,
    partial: Option<(u64, u64)>,
    header: Vec<u8>,
}

pub fn find(tx: &mut Tx<'_>, who: &Who, AppendUrl { mailbox, url }: &AppendUrl) -> Answered<Found> {
    let mailbox = view::named(tx, who.account, mailbox.as_str())?.ok_or(Refusal::BadUrl)?;
    if url.uid_validity.is_some_and(|validity| validity != mailbox.uid_validity) {
        return Err(Refusal::BadUrl.into());
    }
    let row = view::row(tx, &mailbox, url.uid)?.ok_or(Refusal::BadUrl)?;
    let structure = view::structure(tx, row.content)?;
    let layout = Structure::read(&structure).and_then(|structure| structure.layout());
    let layout = layout.ok_or(Refusal::BadUrl)?;
    let (mailbox, uid, partial) = (mailbox.id, url.uid, url.partial);
    let enclosed = layout.enclosing(&url.section).filter(|range| !range.is_empty());
    if let Some(enclosed) = enclosed.filter(|_| row.kind == Kind::Sealed) {
        let range = enclosed.start..enclosed.start + 1;
        return Ok(Found::Sealed(Content { mailbox, uid, range }));
    }
    let found = layout.find(&url.section).ok_or(Refusal::BadUrl)?;
    Ok(Found::Part(match &url.section.text {
        SectionText::HeaderFields { not, names } => {
            let left = found.start..found.end.min(found.start.saturating_add(HEADER_MAX));
            let (not, names, header) = (*not, names.clone(), Vec::new());
            Part { mailbox, uid, left, pick: Some(Pick { not, names, partial, header }) }
        }
        _ => Part { mailbox, uid, left: within(found, partial), pick: None },
    }))
}

impl Part {
    /// Octets that go into the message as they are.
    pub fn streams(&self) -> u64 {
        if self.pick.is_some() { 0 } else { self.left.end - self.left.start }
    }

    /// What is to be read next.
    pub fn next(&self) -> Option<Content> {
        let (mailbox, uid, range) = (self.mailbox, self.uid, self.left.clone());
        (!range.is_empty()).then_some(Content { mailbox, uid, range })
    }

    /// Octets that were read; those of the message, unless they are collected.
    pub fn take(&mut self, octets: Vec<u8>) -> Answered<Option<Vec<u8>>> {
        if octets.is_empty() || octets.len() as u64 > self.left.end - self.left.start {
            return Err(Refusal::Unavailable.into());
        }
        self.left.start += octets.len() as u64;
        Ok(match &mut self.pick {
            Some(pick) => {
                pick.header.extend_from_slice(&octets);
                None
            }
            None => Some(octets),
        })
    }

    /// The fields picked from what was collected.
    pub fn picked(self) -> Vec<u8> {
        let Some(pick) = self.pick else { return Vec::new() };
        let fields = pick_fields(&pick.header, pick.not, &pick.names);
        let range = within(0..fields.len() as u64, pick.partial);
        fields.get(range.start as usize..range.end as usize).unwrap_or_default().to_vec()
    }
}

/// RFC 5092: beyond the end there is nothing.
fn within(range: Range<u64>, partial: Option<(u64, u64)>) -> Range<u64> {
    let Some((offset, length)) = partial else { return range };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(length).min(range.end)
}

/// Octets of a header to pick from.
const HEADER_MAX: u64 = 1 << 20;
