//! `\Recent` and what tells of it (RFC 3501 §2.3.2), which RFC 9051 gave up: once IMAP4rev2 is enabled
//! nothing of it is said, and who asks for it hears that there is no such thing.

use imap_codec::imap_types::response::Data;

use crate::mailbox::ask::Status;
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::mailbox::view::View;
use crate::wire::imap::command::{Command, StatusItem};
use crate::wire::imap::{MessageSet, SearchKey, encode};

/// EXISTS and RECENT of a mailbox that is being selected, or when more came.
pub(super) fn tell_count(exists: u32, recent: usize, core: &mut Core) {
    encode::data(&mut core.out, Data::Exists(exists));
    tell(recent, core);
}

/// Both when more came; RECENT also when fewer are so than the client knows of.
pub(super) fn news(more: bool, core: &mut Core) {
    let Some(view) = core.view_mut() else { return };
    let (exists, recent) = (view.count(), view.recent().len());
    let before = std::mem::replace(&mut view.told_recent, recent);
    match more {
        true => tell_count(exists, recent, core),
        false if recent != before => tell(recent, core),
        false => {}
    }
}

fn tell(recent: usize, core: &mut Core) {
    if !core.enabled.rev2 {
        encode::data(&mut core.out, Data::Recent(recent as u32));
    }
}

/// STATUS counts what nobody was told of; where the mailbox is selected, it has those that are recent
/// to this session, too.
pub(super) fn counted(status: &Status, core: &Core) -> u32 {
    let own = |view: &&View| Some(view.mailbox) == status.mailbox && !view.read_only;
    let told = core.view().filter(own).map_or(0, |view| view.recent().len());
    status.recent.saturating_add(told as u32)
}

/// Whether a search asks for it: its answer changes without that a message does.
pub(super) fn is_asked(key: &SearchKey<MessageSet>) -> bool {
    key.any(&|key| matches!(key, SearchKey::Messages(MessageSet::Recent)))
}

/// The refusal of a command that RFC 9051 has no words for.
pub(super) fn given_up(command: &Command, core: &Core) -> Option<Reply> {
    let status = |items: &[StatusItem]| items.contains(&StatusItem::Recent);
    let asks = match command {
        Command::Search(search) => is_asked(&search.key),
        Command::MultiSearch(multi) => is_asked(&multi.search.key),
        Command::Status { items, .. } => status(items),
        Command::List(list) => list.returns.status.as_deref().is_some_and(status),
        _ => false,
    };
    (core.enabled.rev2 && asks).then(|| Reply::bad("IMAP4rev2 has no RECENT"))
}
