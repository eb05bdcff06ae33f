//! MYRIGHTS, GETACL, LISTRIGHTS, SETACL and DELETEACL (RFC 4314). An account's mailboxes are its
//! holder's alone: his rights can be seen, and not be changed.

use super::Step;
use crate::mailbox::ask::{Answer, Ask, OwnRights, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::Acl;
use crate::wire::imap::{MailboxName, Rights, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    name: MailboxName,
    acl: Acl,
}

pub(super) fn start(tag: String, name: &[u8], acl: Acl, core: &mut Core) -> Step {
    match core.mailbox(name) {
        Some(name) => {
            let ask = Ask::Rights { name: name.clone() };
            Step::Ask(ask, super::Task::Acl(Task { tag, name, acl }))
        }
        None => core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox)),
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Rights(own) => self.tell(&own, core),
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn tell(self, own: &OwnRights, core: &mut Core) -> Step {
        let name = self.name.to_wire(core.utf8_names());
        let rights = own.rights.to_string();
        let (kind, words, done) = match &self.acl {
            Acl::Mine => ("MYRIGHTS", vec![rights.as_str()], "MYRIGHTS completed"),
            Acl::Get => ("ACL", vec![own.identifier.as_str(), &rights], "GETACL completed"),
            // What the holder has is always granted, and nobody else can be given anything.
            Acl::List { identifier } => {
                let holder = identifier.eq_ignore_ascii_case(&own.identifier);
                let granted = if holder { rights.as_str() } else { "" };
                ("LISTRIGHTS", vec![identifier.as_str(), granted], "LISTRIGHTS completed")
            }
            // QUIRK(kep, 2026-11): the owner can't give rights; docs/quirks.md#50
            Acl::Set => {
                let reply = Reply::no(NOT_HERE).named("CANNOT");
                return core.done(&self.tag, reply);
            }
        };
        encode::rights(&mut core.out, kind, &name, &words);
        core.done(&self.tag, Reply::ok(done))
    }
}

/// MYRIGHTS within a LIST (RFC 8440).
pub(super) fn tell(name: &MailboxName, rights: Rights, core: &mut Core) {
    let name = name.to_wire(core.utf8_names());
    encode::rights(&mut core.out, "MYRIGHTS", &name, &[&rights.to_string()]);
}

const NOT_HERE: &str = "Klasörlerin yetkileri burada değiştirilemez / Rights of mailboxes can't be \
    changed here";
