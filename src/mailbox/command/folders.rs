//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::{self, Reply};
use crate::wire::imap::command::Command;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    done: &'static str,
}

pub(super) fn start(tag: String, command: Command, core: &mut Core) -> Step {
    match ask(command, core) {
        Ok((ask, done)) => Step::Ask(ask, super::Task::Folder(Task { tag, done })),
        Err(refusal) => core.done(&tag, Reply::refused(&refusal)),
    }
}

fn ask(command: Command, core: &mut Core) -> Result<(Ask, &'static str), Refusal> {
    Ok(match command {
        // Each account has its special mailboxes; no other can be made for a use.
        Command::Create { with_use: true, .. } => return Err(Refusal::UseAttr),
        Command::Create { name, .. } => {
            let name = core.mailbox(&name).ok_or(Refusal::Cannot)?;
            (Ask::Create { name }, "CREATE completed")
        }
        Command::Delete(name) => {
            let name = core.mailbox(&name).ok_or(Refusal::NoSuchMailbox)?;
            if name.is_inbox() {
                return Err(Refusal::Cannot);
            }
            (Ask::Delete { name }, "DELETE completed")
        }
        Command::Rename { from, to } => {
            let from = core.mailbox(&from).ok_or(Refusal::NoSuchMailbox)?;
            let to = core.mailbox(&to).ok_or(Refusal::Cannot)?;
            if to.is_under(&from) || to == from {
                return Err(Refusal::Cannot);
            }
            (Ask::Rename { from, to }, "RENAME completed")
        }
        Command::Subscribe { name, on } => {
            let name = core.mailbox(&name).ok_or(Refusal::NoSuchMailbox)?;
            (Ask::Subscribe { name, on }, "Subscription changed")
        }
        _ => return Err(Refusal::Cannot),
    })
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Done => super::sync::finish(self.tag, Reply::ok(self.done), core),
            // RFC 8474 §4.1
            Answer::Created(id) => {
                let code = reply::mailbox_id(id);
                super::sync::finish(self.tag, Reply::ok(self.done).code(code), core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}
