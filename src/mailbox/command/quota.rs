//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208): one root an account, without a name.

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Quota, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::{MailboxName, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    /// Whose root was asked for.
    of: Option<MailboxName>,
}

pub(super) fn get(tag: String, root: &[u8], core: &mut Core) -> Step {
    match root.is_empty() {
        true => ask(tag, None),
        false => core.done(&tag, Reply::no("No such quota root").named("NONEXISTENT")),
    }
}

pub(super) fn root_of(tag: String, name: &[u8], core: &mut Core) -> Step {
    match core.mailbox(name) {
        Some(name) => ask(tag, Some(name)),
        None => core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox)),
    }
}

/// Limits are the provider's.
pub(super) fn set(tag: &str, core: &mut Core) -> Step {
    core.done(tag, Reply::refused(&Refusal::NotPermitted))
}

fn ask(tag: String, of: Option<MailboxName>) -> Step {
    let ask = Ask::Quota { mailbox: of.clone() };
    Step::Ask(ask, super::Task::Quota(Task { tag, of }))
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Quota(quota) => self.tell(&quota, core),
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn tell(self, quota: &Quota, core: &mut Core) -> Step {
        let done = match &self.of {
            Some(name) => {
                let name = name.to_wire(core.utf8_names());
                encode::quota_root(&mut core.out, &name, ROOT);
                "GETQUOTAROOT completed"
            }
            None => "GETQUOTA completed",
        };
        let storage = quota.storage.map(|storage| {
            // RFC 9208 §5.1: units of 1024 octets; what is begun counts.
            ("STORAGE", storage.used.div_ceil(UNIT), storage.limit / UNIT)
        });
        let mailboxes = ("MAILBOX", quota.mailboxes.used, quota.mailboxes.limit);
        let resources: Vec<_> = storage.into_iter().chain([mailboxes]).collect();
        encode::quota(&mut core.out, ROOT, &resources);
        core.done(&self.tag, Reply::ok(done))
    }
}

const ROOT: &str = "";
const UNIT: u64 = 1024;
