//! Annotations (RFC 5464): what a program keeps, and what is computed: the use of a mailbox
//! (RFC 6154 §4) and the names of labels.

use super::{Answered, Failure, Who, folders, named};
use crate::mailbox::ask::{Annotated, Annotations, Metadata, MetadataWant, Refusal};
use crate::registry::labels::{self, Colour, LabelError};
use crate::store::mail::view::{self, Mailbox};
use crate::store::metadata::{self, LABELS, Subject};
use crate::store::{Tx, accounts};
use crate::wire::imap::metadata::{Depth, EntryName};
use crate::wire::imap::{MailboxName, SpecialUse};
use serde::Serialize;

/// Values in the order of their names, from `want.after` on; as many as an answer holds.
pub fn get(tx: &mut Tx<'_>, who: &Who, want: &MetadataWant) -> Answered<Metadata> {
    let mailbox = subject(tx, who, want.mailbox.as_ref())?;
    let mut known = metadata::names(tx, of(who, mailbox.as_ref()))?;
    let computed = computed(tx, who, mailbox.as_ref(), want)?;
    known.extend(computed.iter().map(|(name, value)| (name.clone(), value.len() as u64)));
    known.retain(|(name, _)| want.asks(name));
    known.sort();
    let mut found = Metadata::default();
    if want.after.is_none() && want.depth == Depth::Zero {
        let missing = want.entries.iter().filter(|e| !known.iter().any(|(name, _)| name == *e));
        found.values.extend(missing.map(|entry| (entry.clone(), None)));
    }
    let mut octets = 0;
    for (name, size) in known.iter().filter(|(name, _)| Some(name) > want.after.as_ref()) {
        if want.max_size.is_some_and(|most| *size > most) {
            found.longest = found.longest.max(Some(*size));
            continue;
        }
        if octets >= ANSWER {
            found.more = true;
            break;
        }
        let own = computed.iter().find(|(own, _)| own == name);
        let value = match own {
            Some((_, value)) => Some(value.clone()),
            None => metadata::value(tx, of(who, mailbox.as_ref()), name)?,
        };
        octets += value.as_ref().map_or(0, Vec::len);
        found.values.push((name.clone(), value));
    }
    Ok(found)
}

/// All or none.
pub fn set(
    tx: &mut Tx<'_>,
    who: &Who,
    mailbox: Option<&MailboxName>,
    entries: &[(EntryName, Option<Vec<u8>>)],
) -> Answered<u64> {
    accounts::lock(tx, who.account)?;
    let mailbox = subject(tx, who, mailbox)?;
    for (entry, value) in entries {
        may_set(mailbox.as_ref(), entry, value.as_deref())?;
    }
    for (entry, value) in entries {
        match value {
            Some(value) => metadata::put(tx, of(who, mailbox.as_ref()), entry, value)?,
            None => metadata::remove(tx, of(who, mailbox.as_ref()), entry)?,
        }
    }
    let kept = metadata::kept(tx, who.account)?;
    let adds = entries.iter().any(|(_, value)| value.is_some());
    match adds && (kept.entries > ENTRIES_MAX || kept.octets > OCTETS_MAX) {
        true => Err(Refusal::TooManyEntries.into()),
        false => {
            let names = entries.iter().map(|(entry, _)| entry);
            Ok(metadata::note(tx, of(who, mailbox.as_ref()), names)?)
        }
    }
}

/// What changed after a step of the account, by mailbox; those that are gone have nothing to say.
pub fn changes(tx: &mut Tx<'_>, who: &Who, since: Option<u64>) -> Answered<Annotations> {
    let (step, changes) = metadata::changes(tx, who.account, since)?;
    let mut changed: Vec<Annotated> = Vec::new();
    if changes.is_empty() {
        return Ok(Annotations { step, changed });
    }
    let mailboxes = view::mailboxes(tx, who.account)?;
    for metadata::Change { mailbox, entry, step } in changes {
        let standing = match mailbox {
            Some(id) => {
                let there = mailboxes.iter().find(|there| there.id == id);
                let Some(standing) = there.and_then(folders::standing) else { continue };
                Some(standing)
            }
            None => None,
        };
        match changed.last_mut().filter(|last| last.mailbox == standing) {
            Some(last) => last.entries.push((entry, step)),
            None => changed.push(Annotated { mailbox: standing, entries: vec![(entry, step)] }),
        }
    }
    Ok(Annotations { step, changed })
}

fn may_set(mailbox: Option<&Mailbox>, entry: &EntryName, value: Option<&[u8]>) -> Answered<()> {
    match entry.as_str() {
        SPECIAL_USE if mailbox.is_some() => return Err(Refusal::UseAttr.into()),
        LABELS if mailbox.is_none() => return Err(Refusal::NotPermitted.into()),
        // What all accounts see is the operator's to write.
        _ if mailbox.is_none() && entry.is_shared() => return Err(Refusal::NotPermitted.into()),
        _ => {}
    }
    match value.is_some_and(|value| value.len() as u64 > VALUE_MAX) {
        true => Err(Refusal::ValueTooLong(VALUE_MAX as u32).into()),
        false => Ok(()),
    }
}

fn subject(tx: &mut Tx<'_>, who: &Who, mailbox: Option<&MailboxName>) -> Answered<Option<Mailbox>> {
    mailbox.map(|name| named(tx, who, name)).transpose()
}

fn of(who: &Who, mailbox: Option<&Mailbox>) -> Subject {
    Subject { account: who.account, mailbox: mailbox.map(|mailbox| mailbox.id) }
}

/// Entries that are nowhere kept.
fn computed(
    tx: &mut Tx<'_>,
    who: &Who,
    mailbox: Option<&Mailbox>,
    want: &MetadataWant,
) -> Answered<Vec<(EntryName, Vec<u8>)>> {
    let name = match mailbox {
        Some(_) => SPECIAL_USE,
        None => LABELS,
    };
    let Some(name) = EntryName::parse(name.as_bytes()).filter(|name| want.asks(name)) else {
        return Ok(Vec::new());
    };
    let value = match mailbox {
        Some(mailbox) => folders::use_of(mailbox).map(SpecialUse::attribute),
        None => return Ok(vec![(name, all_labels(tx, who)?)]),
    };
    Ok(value.map(|value| (name, value.as_bytes().to_vec())).into_iter().collect())
}

/// A label as programs read it.
#[derive(Serialize)]
struct Shown<'a> {
    /// The keyword.
    key: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    colour: Option<&'a str>,
}

fn all_labels(tx: &mut Tx<'_>, who: &Who) -> Answered<Vec<u8>> {
    let all = labels::all(tx, who.account).map_err(|error| match error {
        LabelError::Registry(error) => Failure::Registry(error),
        _ => Refusal::Unavailable.into(),
    })?;
    let shown = all.iter().map(|label| Shown {
        key: label.key.as_str(),
        name: &label.name,
        colour: label.colour.as_ref().map(Colour::as_str),
    });
    let json = serde_json::to_vec(&shown.collect::<Vec<_>>());
    json.map_err(|_| Refusal::Unavailable.into())
}

/// RFC 6154 §4.
const SPECIAL_USE: &str = "/private/specialuse";
/// Octets of values in one answer.
const ANSWER: usize = 128 << 10;
/// Octets of one value; a command with a longer one is refused by the reader.
const VALUE_MAX: u64 = 64 << 10;
/// Of one account: some for each mailbox that people keep.
const ENTRIES_MAX: u64 = 4000;
/// Octets of all values of an account.
const OCTETS_MAX: u64 = 4 << 20;
