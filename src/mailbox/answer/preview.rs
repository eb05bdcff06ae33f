//! PREVIEW (RFC 8970): the first words of messages, made when they are first asked for. Of an unopened
//! dispatch there are none (invariant 3).

use super::{Answered, Who, owned};
use crate::store::mail::preview::{self, Previewed};
use crate::store::mail::{Kind, view};
use crate::store::{Blobs, Tx, contents};
use crate::wire::MailboxId;
use crate::wire::imap::{Structure, UidSet};
use crate::wire::mime::preview::preview as words_of;

/// What may be previewed of `uids`.
pub fn look(tx: &mut Tx<'_>, who: &Who, id: MailboxId, uids: &UidSet) -> Answered<Vec<Previewed>> {
    let mailbox = owned(tx, who, id)?;
    let mut found = preview::previews(tx, &mailbox, uids)?;
    // QUIRK(kep, 2026-11): none while it is unopened; docs/quirks.md#43
    found.retain(|message| message.kind != Kind::Sealed);
    Ok(found)
}

/// Makes those of a batch that were not made yet.
pub fn make(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    uids: &UidSet,
    blobs: &Blobs,
) -> Answered<Vec<Previewed>> {
    let mut found = look(tx, who, id, uids)?;
    for message in found.iter_mut().filter(|message| message.text.is_none()) {
        message.text = Some(words(tx, message, blobs)?);
    }
    Ok(found)
}

fn words(tx: &mut Tx<'_>, message: &Previewed, blobs: &Blobs) -> Answered<String> {
    let structure = view::structure(tx, message.content)?;
    let layout = Structure::read(&structure).and_then(|structure| structure.layout());
    let Some(layout) = layout else { return Ok(String::new()) };
    let content = contents::find(tx, message.content)?;
    let enclosed = message.kind == Kind::Dispatch;
    words_of(&layout, enclosed, &mut |range| {
        let part = range.start.min(content.size)..range.end.min(content.size);
        Ok(content.read(blobs, part)?)
    })
}

pub fn keep(tx: &mut Tx<'_>, made: &[Previewed]) -> Answered<()> {
    for message in made {
        if let Some(text) = &message.text {
            preview::keep(tx, message.content, text)?;
        }
    }
    Ok(())
}

/// Made at one go.
pub const MADE: usize = 16;
