//! APPEND: the target is asked about before a byte of the message is taken, then the message
//! streams through in chunks.

use imap_codec::imap_types::response::Code;
use std::num::NonZeroU32;

use super::sync;
use super::{Step, out_of_place};
use crate::mailbox::ask::{Answer, AppendBegin, Appended, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::{Append, Command};
use crate::wire::imap::encode;
use crate::wire::imap::reader::Event;

/// A message on its way in.
#[derive(Debug)]
pub(in crate::mailbox) struct Upload {
    tag: String,
}

#[derive(Debug)]
pub(in crate::mailbox) enum Task {
    Begin {
        tag: String,
        sync: bool,
    },
    Chunk(Upload),
    Commit {
        tag: String,
    },
    /// What the client is told after the abort.
    Abort {
        tag: String,
        reply: Reply,
    },
    /// The connection ends after it.
    Abandon,
}

pub(in crate::mailbox) fn start(tag: String, append: Append, core: &mut Core) -> Step {
    let sync = append.literal.sync;
    let size = append.literal.size;
    let name = core.mailbox(&append.name);
    let flags = append.flags.clone();
    let date = append.date;
    if let Some(reply) = out_of_place(&Command::Append(append), core) {
        core.reader.refuse();
        return core.done(&tag, reply);
    }
    let Some(to) = name else {
        core.reader.refuse();
        return core.done(&tag, Reply::refused(&Refusal::Cannot));
    };
    core.own(|notify| notify.own_target(&to));
    let flags = super::store::settable(flags);
    let begin = AppendBegin { to, flags, internal_date: date, size };
    Step::Ask(Ask::AppendBegin(begin), super::Task::Append(Task::Begin { tag, sync }))
}

impl Upload {
    pub fn event(self, event: Event, core: &mut Core) -> Step {
        match event {
            Event::Chunk(bytes) => {
                Step::Ask(Ask::AppendChunk(bytes), super::Task::Append(Task::Chunk(self)))
            }
            Event::AppendEnd => {
                Step::Ask(Ask::AppendCommit, super::Task::Append(Task::Commit { tag: self.tag }))
            }
            Event::Bad { reason, .. } => abort(self.tag, Reply::bad(reason)),
            _ => {
                core.reader.refuse();
                abort(self.tag, Reply::bad("Unexpected in APPEND"))
            }
        }
    }

    /// The connection is to end.
    pub fn abandon(self) -> Step {
        Step::Ask(Ask::AppendAbort, super::Task::Append(Task::Abandon))
    }
}

fn abort(tag: String, reply: Reply) -> Step {
    Step::Ask(Ask::AppendAbort, super::Task::Append(Task::Abort { tag, reply }))
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        let (refusal, appended) = match answer {
            Answer::Done => (None, None),
            Answer::Appended(appended) => (None, Some(appended)),
            Answer::Refused(refusal) => (Some(refusal), None),
            _ => (Some(Refusal::Unavailable), None),
        };
        match (self, refusal, appended) {
            (Self::Abandon, ..) => Step::Close,
            (Self::Abort { tag, reply }, ..) => core.done(&tag, reply),
            (Self::Begin { tag, .. } | Self::Chunk(Upload { tag }), Some(refusal), _) => {
                core.reader.refuse();
                core.done(&tag, Reply::refused(&target(refusal)))
            }
            (Self::Commit { tag }, Some(refusal), _) => {
                core.done(&tag, Reply::refused(&target(refusal)))
            }
            (Self::Begin { tag, sync }, None, _) => {
                if sync {
                    encode::go_on(&mut core.out, "Ready");
                }
                core.reader.accept();
                Step::Upload(Upload { tag })
            }
            (Self::Chunk(upload), None, _) => Step::Upload(upload),
            (Self::Commit { tag }, None, appended) => {
                let code = appended.as_ref().and_then(code);
                core.own(|notify| appended.iter().for_each(|it| notify.own_arrived(&it.uids)));
                sync::finish(tag, Reply { code, ..Reply::ok("APPEND completed") }, core)
            }
        }
    }
}

/// RFC 9051 §6.3.12: a target that is missing is one to be made.
fn target(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NoSuchMailbox => Refusal::NoSuchTarget,
        other => other,
    }
}

fn code(appended: &Appended) -> Option<Code<'static>> {
    Some(Code::AppendUid {
        uid_validity: NonZeroU32::new(appended.uid_validity)?,
        uid: NonZeroU32::new(appended.uids.first()?)?,
    })
}
