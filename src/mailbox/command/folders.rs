//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::SpecialUse;
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
        Command::Create { name, uses } => {
            let name = core.mailbox(&name).ok_or(Refusal::Cannot)?;
            (Ask::Create { name, special: special(&uses)? }, "CREATE completed")
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

/// RFC 6154 §3: a mailbox is made for one use, or is refused; whether another has it is seen then.
fn special(uses: &[Option<SpecialUse>]) -> Result<Option<SpecialUse>, Refusal> {
    match uses {
        [] => Ok(None),
        [Some(special)] => Ok(Some(*special)),
        _ => Err(Refusal::UseAttr),
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Done => super::sync::finish(self.tag, Reply::ok(self.done), core),
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}
