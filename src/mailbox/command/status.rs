//! STATUS, with SIZE (RFC 8438), HIGHESTMODSEQ, MAILBOXID (RFC 8474) and APPENDLIMIT (RFC 7889).

use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::Data;
use imap_codec::imap_types::status::StatusDataItem;
use std::num::NonZeroU32;

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Refusal, Status, StatusWant};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::StatusItem;
use crate::wire::imap::{MailboxName, encode, object_id};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    name: MailboxName,
    items: Vec<StatusItem>,
}

pub(super) fn start(tag: String, name: &[u8], items: Vec<StatusItem>, core: &mut Core) -> Step {
    let Some(name) = core.mailbox(name) else {
        return core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox));
    };
    core.enabled.condstore |= items.contains(&StatusItem::HighestModSeq);
    let ask = Ask::Status { name: name.clone(), want: want(&items) };
    Step::Ask(ask, super::Task::Status(Task { tag, name, items }))
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Status(status) => {
                tell(&self.name, &self.items, &status, core);
                core.done(&self.tag, Reply::ok("STATUS completed"))
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}

pub(super) fn want(items: &[StatusItem]) -> StatusWant {
    let has = |item| items.contains(&item);
    StatusWant {
        messages: has(StatusItem::Messages),
        unseen: has(StatusItem::Unseen),
        deleted: has(StatusItem::Deleted),
        size: has(StatusItem::Size),
        deleted_storage: has(StatusItem::DeletedStorage),
        recent: has(StatusItem::Recent),
    }
}

pub(super) fn tell(name: &MailboxName, items: &[StatusItem], status: &Status, core: &mut Core) {
    let Ok(mailbox) = Mailbox::try_from(name.to_wire(core.utf8_names())) else { return };
    let status = &Status { recent: super::recent::counted(status, core), ..*status };
    let shown: Vec<_> = items.iter().filter_map(|item| shown(*item, status)).collect();
    encode::data(&mut core.out, Data::Status { mailbox, items: shown.into() });
    for item in items {
        if let Some((name, value)) = more(*item, status) {
            encode::status_more(&mut core.out, name, &value);
        }
    }
}

fn shown(item: StatusItem, status: &Status) -> Option<StatusDataItem> {
    Some(match item {
        StatusItem::Messages => StatusDataItem::Messages(status.messages),
        StatusItem::Recent => StatusDataItem::Recent(status.recent),
        StatusItem::UidNext => StatusDataItem::UidNext(NonZeroU32::new(status.uid_next)?),
        StatusItem::UidValidity => {
            StatusDataItem::UidValidity(NonZeroU32::new(status.uid_validity)?)
        }
        StatusItem::Unseen => StatusDataItem::Unseen(status.unseen),
        StatusItem::Deleted => StatusDataItem::Deleted(status.deleted),
        StatusItem::HighestModSeq => StatusDataItem::HighestModSeq(status.highest_modseq),
        StatusItem::DeletedStorage => StatusDataItem::DeletedStorage(status.deleted_storage),
        StatusItem::Size | StatusItem::MailboxId | StatusItem::AppendLimit => return None,
    })
}

/// What imap-codec has no words for.
fn more(item: StatusItem, status: &Status) -> Option<(&'static str, String)> {
    Some(match item {
        StatusItem::Size => ("SIZE", status.size.to_string()),
        StatusItem::AppendLimit => ("APPENDLIMIT", status.append_limit.to_string()),
        StatusItem::MailboxId => {
            ("MAILBOXID", format!("({})", object_id::mailbox_id(status.mailbox?)))
        }
        _ => return None,
    })
}
