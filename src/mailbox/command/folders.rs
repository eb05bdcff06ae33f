//! CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE.

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::{self, Reply};
use crate::wire::imap::command::Command;
use crate::wire::imap::{MailboxName, SpecialUse};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    done: &'static str,
    names: Vec<MailboxName>,
    deletes: bool,
    /// A name, and what the client knows it by (RFC 9051 §6.3.9.7), when that is to be told.
    renamed: Option<(MailboxName, String)>,
}

pub(super) fn start(tag: String, command: Command, core: &mut Core) -> Step {
    let spelt = match &command {
        Command::Create { name, .. } => name.clone(),
        _ => Vec::new(),
    };
    match ask(command, core) {
        Ok((ask, done)) => {
            let renamed = renamed(&ask, &spelt).filter(|_| core.enabled.rev2);
            let (names, deletes) = (names(&ask), matches!(ask, Ask::Delete { .. }));
            Step::Ask(ask, super::Task::Folder(Task { tag, done, names, deletes, renamed }))
        }
        Err(refusal) => core.done(&tag, Reply::refused(&refusal)),
    }
}

fn names(ask: &Ask) -> Vec<MailboxName> {
    match ask {
        Ask::Create { name, .. } | Ask::Delete { name } | Ask::Subscribe { name, .. } => {
            vec![name.clone()]
        }
        Ask::Rename { from, to } => vec![from.clone(), to.clone()],
        _ => Vec::new(),
    }
}

/// RFC 9051 §6.3.6; INBOX keeps its name.
fn renamed(ask: &Ask, spelt: &[u8]) -> Option<(MailboxName, String)> {
    match ask {
        Ask::Rename { from, to } if !from.is_inbox() => Some((to.clone(), from.to_string())),
        Ask::Create { name, .. } => Some((name.clone(), name.other_spelling(spelt)?.to_owned())),
        _ => None,
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
            Answer::Done => {
                let reply = Reply::ok(self.done);
                self.tell(reply, core)
            }
            // RFC 8474 §4.1
            Answer::Created(id) => {
                let reply = Reply::ok(self.done).code(reply::mailbox_id(id));
                self.tell(reply, core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn tell(self, reply: Reply, core: &mut Core) -> Step {
        core.removed = self.deletes;
        if let [from, to] = self.names.as_slice() {
            follow(from, to, core);
        }
        core.own(|notify| notify.own_names(self.names));
        if let Some((name, old)) = &self.renamed {
            super::list::tell_name(name, Some(old), core);
        }
        super::sync::finish(self.tag, reply, core)
    }
}

/// The selected mailbox is called otherwise when it, or one above it, was renamed.
fn follow(from: &MailboxName, to: &MailboxName, core: &mut Core) {
    let Some(view) = core.view_mut().filter(|_| !from.is_inbox()) else { return };
    let rest = view.name.as_str().strip_prefix(from.as_str());
    let rest = rest.filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some(name) = rest.and_then(|rest| MailboxName::parse(&format!("{to}{rest}"))) {
        view.name = name;
    }
}
