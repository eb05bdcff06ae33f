//! What the world in memory knows of mailboxes beside their messages: annotations, rights, a quota.

use crate::imap_world::Mailbox;
use kep::mailbox::ask::{
    Annotated, Annotations, Metadata, MetadataWant, OwnRights, Quota, Refusal, Resource, Standing,
};
use kep::wire::imap::metadata::{Depth, EntryName};
use kep::wire::imap::{MailboxName, Rights};
use std::collections::BTreeMap;

/// Annotations by mailbox and name, and the steps at which they changed.
#[derive(Default)]
pub struct Attributes {
    values: BTreeMap<(Option<MailboxName>, EntryName), Vec<u8>>,
    changes: BTreeMap<(Option<MailboxName>, EntryName), u64>,
    step: u64,
}

impl Attributes {
    pub fn get(&self, want: &MetadataWant) -> Metadata {
        let here =
            self.values.iter().filter(|((of, name), _)| *of == want.mailbox && want.asks(name));
        let here: BTreeMap<_, _> = here.map(|((_, name), value)| (name, value)).collect();
        let missing = want.entries.iter().filter(|entry| !here.contains_key(entry));
        let missing = missing.filter(|_| want.depth == Depth::Zero);
        let mut values: Vec<_> = missing.map(|entry| (entry.clone(), None)).collect();
        let large = |value: &[u8]| want.max_size.is_some_and(|most| value.len() as u64 > most);
        let longest = here.values().filter(|value| large(value)).map(|value| value.len() as u64);
        let longest = longest.max();
        let small = here.into_iter().filter(|(_, value)| !large(value));
        values.extend(small.map(|(name, value)| (name.clone(), Some(value.clone()))));
        Metadata { values, longest, more: false }
    }

    pub fn set(
        &mut self,
        mailbox: Option<&MailboxName>,
        entries: Vec<(EntryName, Option<Vec<u8>>)>,
    ) -> Result<u64, Refusal> {
        for (entry, value) in &entries {
            if mailbox.is_none() && entry.is_shared() {
                return Err(Refusal::NotPermitted);
            }
            if value.as_ref().is_some_and(|value| value.len() > VALUE_MAX) {
                return Err(Refusal::ValueTooLong(VALUE_MAX as u32));
            }
        }
        self.step += 1;
        for (entry, value) in entries {
            let key = (mailbox.cloned(), entry);
            self.changes.insert(key.clone(), self.step);
            match value {
                Some(value) => self.values.insert(key, value),
                None => self.values.remove(&key),
            };
        }
        Ok(self.step)
    }

    /// What changed, of the mailboxes there are.
    pub fn changes(&self, since: Option<u64>, all: &[Standing]) -> Annotations {
        let mut changed: Vec<Annotated> = Vec::new();
        let since = since.unwrap_or(self.step);
        for ((name, entry), step) in self.changes.iter().filter(|(_, step)| **step > since) {
            let mailbox = name.as_ref().and_then(|name| all.iter().find(|one| one.name == *name));
            if name.is_some() != mailbox.is_some() {
                continue;
            }
            let (mailbox, entry) = (mailbox.cloned(), (entry.clone(), *step));
            match changed.last_mut().filter(|last| last.mailbox == mailbox) {
                Some(last) => last.entries.push(entry),
                None => changed.push(Annotated { mailbox, entries: vec![entry] }),
            }
        }
        Annotations { step: self.step, changed }
    }
}

pub fn rights(of: &Mailbox) -> Rights {
    match of.special.is_some() || of.name.is_inbox() {
        true => Rights::ALL.without(Rights::DELETE_MAILBOX),
        false => Rights::ALL,
    }
}

pub fn own_rights(of: &Mailbox) -> OwnRights {
    OwnRights { identifier: "ali@hs05.kep.tr".into(), rights: rights(of) }
}

pub fn quota(boxes: &[Mailbox]) -> Quota {
    let mailboxes = Resource { used: boxes.len() as u64, limit: 2000 };
    Quota { storage: None, mailboxes }
}

const VALUE_MAX: usize = 64 << 10;
