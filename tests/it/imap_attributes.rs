//! What the world in memory knows of mailboxes beside their messages: annotations, rights, a quota.

use crate::imap_world::Mailbox;
use kep::mailbox::ask::{Metadata, MetadataWant, OwnRights, Quota, Refusal, Resource};
use kep::wire::imap::metadata::{Depth, EntryName};
use kep::wire::imap::{MailboxName, Rights};
use std::collections::BTreeMap;

/// Annotations by mailbox and name.
#[derive(Default)]
pub struct Attributes(BTreeMap<(Option<MailboxName>, EntryName), Vec<u8>>);

impl Attributes {
    pub fn get(&self, want: &MetadataWant) -> Metadata {
        let here = self.0.iter().filter(|((of, name), _)| *of == want.mailbox && want.asks(name));
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
    ) -> Result<(), Refusal> {
        for (entry, value) in &entries {
            if mailbox.is_none() && entry.is_shared() {
                return Err(Refusal::NotPermitted);
            }
            if value.as_ref().is_some_and(|value| value.len() > VALUE_MAX) {
                return Err(Refusal::ValueTooLong(VALUE_MAX as u32));
            }
        }
        for (entry, value) in entries {
            let key = (mailbox.cloned(), entry);
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
        Ok(())
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
