//! What an operator's session gives him to read: it stands in the audit, once for him and a content, before an
//! octet of it leaves. What lies in the outermost header is shown by lists, too, and is no reading.

use super::{Answered, Who};
use crate::registry::operators::reading::{Given, Reader, is_content};
use crate::store::Tx;
use crate::store::mail::held::Held;
use crate::store::mail::reads;
use crate::store::mail::view::Mailbox;
use crate::wire::ContentId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a session knows to be recorded, a bounded part of it.
#[derive(Clone, Default)]
pub struct Known(Arc<BTreeSet<ContentId>>);

/// Contents of which octets are to leave.
#[derive(Default)]
pub struct Reads {
    /// They stand in the audit.
    pub known: Vec<ContentId>,
    /// To be recorded first.
    pub new: Vec<Given>,
}

impl Known {
    pub fn add(&mut self, contents: impl IntoIterator<Item = ContentId>) {
        let all = Arc::make_mut(&mut self.0);
        for content in contents {
            if all.len() >= KNOWN {
                all.clear();
            }
            all.insert(content);
        }
    }
}

impl Who {
    /// Whose reading is recorded.
    pub(super) fn reader(&self) -> Option<Reader> {
        let operator = self.duty.as_ref()?.code;
        Some(Reader { account: self.account, operator })
    }
}

/// Whether more of a piece may follow without a further look: of an operator's, when what was looked at goes
/// to the end, so that nothing behind a header slips through.
pub fn goes_on(who: &Who, held: &Held, end: u64) -> bool {
    who.duty.is_none() || end >= held.content.size
}

/// What of these is read: messages, each with the octet before which what is wanted of it ends.
pub fn look(
    tx: &mut Tx<'_>,
    who: &Who,
    known: &Known,
    of: &Mailbox,
    wanted: &[(&Held, u64)],
) -> Answered<Reads> {
    let mut found = Reads::default();
    let Some(reader) = who.reader() else { return Ok(found) };
    let mut looked = BTreeSet::new();
    for (held, end) in wanted.iter().filter(|(held, _)| is_content(held.kind)) {
        if known.0.contains(&held.number) || looked.contains(&held.number) {
            continue;
        }
        let (header, recorded) = reads::look(tx, reader, held.number)?;
        // What has nothing but a header is read by its header.
        if *end <= header && header < held.content.size {
            continue;
        }
        looked.insert(held.number);
        match recorded {
            true => found.known.push(held.number),
            false => found.new.push(given(of, held)),
        }
    }
    Ok(found)
}

fn given(of: &Mailbox, held: &Held) -> Given {
    let place = Some((of.name.clone(), held.uid));
    Given { content: held.number, place, message: held.message_id.clone() }
}

/// Some more than one ask is about.
const KNOWN: usize = 1024;
