//! Mailboxes as such: listing, selecting, counting, making, renaming.

use super::views::Views;
use super::{Answered, Who, append, messages, named, owned, quota, recent, rights};
use crate::mailbox::ask::{
    Changes, ListWant, MailboxEntry, MailboxKind, Refusal, Selected, Standing, Status, StatusWant,
};
use crate::store::mail::view::{self, Mailbox};
use crate::store::mail::{Role, label_boxes, tree};
use crate::store::{RowsError, Tx, accounts};
use crate::wire::MailboxId;
use crate::wire::imap::{Keywords, MailboxName, ModSeq, Rights, SpecialUse, UidSet};

pub fn list(
    tx: &mut Tx<'_>,
    who: &Who,
    views: &Views,
    want: ListWant,
) -> Answered<Vec<MailboxEntry>> {
    let mut entries = Vec::new();
    for mailbox in view::mailboxes(tx, who.account)? {
        let Some(name) = MailboxName::parse(&mailbox.name) else { continue };
        let status = match want.status {
            Some(want) => Some(count(tx, views, &mailbox, want)?),
            None => None,
        };
        entries.push(MailboxEntry {
            name,
            kind: MailboxKind::Mailbox(use_of(&mailbox)),
            gathered: mailbox.role.is_gathered(),
            subscribed: mailbox.subscribed,
            rights: rights::of(who, mailbox.role),
            status,
        });
    }
    if entries.iter().any(|entry| entry.name.as_str().starts_with(LABELS)) {
        entries.extend(above_labels());
    }
    if want.missing {
        let names = view::missing(tx, who.account)?;
        let names = names.iter().filter_map(|name| MailboxName::parse(name));
        entries.extend(names.map(|name| MailboxEntry {
            name,
            kind: MailboxKind::Missing,
            gathered: false,
            subscribed: true,
            rights: Rights::NONE,
            status: None,
        }));
    }
    Ok(entries)
}

pub fn overview(tx: &mut Tx<'_>, who: &Who) -> Answered<Vec<Standing>> {
    Ok(view::mailboxes(tx, who.account)?.iter().filter_map(standing).collect())
}

pub fn standing(mailbox: &Mailbox) -> Option<Standing> {
    Some(Standing {
        id: mailbox.id,
        name: MailboxName::parse(&mailbox.name)?,
        special: special_use(mailbox.role),
        inbox: matches!(mailbox.role, Role::Inbox | Role::Evidence),
        subscribed: mailbox.subscribed,
        uid_validity: mailbox.uid_validity,
        modseq: mailbox.mod_seq,
    })
}

pub fn select(
    tx: &mut Tx<'_>,
    who: &Who,
    views: &Views,
    name: &MailboxName,
    examine: bool,
) -> Answered<Selected> {
    let mailbox = named(tx, who, name)?;
    let glance = views.glance(tx, &mailbox)?;
    selected(tx, who, &mailbox, &glance, name, examine)
}

/// The same, when the mailbox is as it was when it was looked at last.
pub fn select_known(
    tx: &mut Tx<'_>,
    who: &Who,
    views: &Views,
    name: &MailboxName,
    examine: bool,
) -> Answered<Option<Selected>> {
    let mailbox = named(tx, who, name)?;
    let Some(glance) = views.known_now(&mailbox) else { return Ok(None) };
    selected(tx, who, &mailbox, &glance, name, examine).map(Some)
}

fn selected(
    tx: &mut Tx<'_>,
    who: &Who,
    mailbox: &Mailbox,
    glance: &view::Glance,
    name: &MailboxName,
    examine: bool,
) -> Answered<Selected> {
    Ok(Selected {
        mailbox: mailbox.id,
        name: name.clone(),
        uid_validity: mailbox.uid_validity,
        uid_next: mailbox.uid_next,
        highest_modseq: mailbox.mod_seq,
        first_unseen: glance.unseen.first(),
        recent: recent::among(mailbox, &glance.uids),
        uids: glance.uids.clone(),
        keywords: view::labels(tx, who.account)?.with(&glance.keywords),
        read_only: examine,
    })
}

/// Makes a mailbox. Each account has its own for most uses; \Junk is a client's to make (RFC 6154 §3).
pub fn make(
    tx: &mut Tx<'_>,
    who: &Who,
    name: &MailboxName,
    special: Option<SpecialUse>,
) -> Answered<()> {
    accounts::lock(tx, who.account)?;
    match special {
        None => {}
        Some(SpecialUse::Junk) if view::used_for(tx, who.account, SpecialUse::Junk)?.is_none() => {}
        Some(_) => return Err(Refusal::UseAttr.into()),
    }
    tree::make(tx, who.account, name, who.now)?;
    if let Some(special) = special {
        let made = named(tx, who, name)?;
        tree::use_for(tx, &made, special)?;
    }
    Ok(())
}

/// What a client is told a mailbox is for.
pub fn use_of(mailbox: &Mailbox) -> Option<SpecialUse> {
    special_use(mailbox.role).or(mailbox.used_for)
}

/// Whether messages of a mailbox may get these keywords: what all of them have is named at each
/// SELECT.
pub fn may_have(
    tx: &mut Tx<'_>,
    views: &Views,
    mailbox: &Mailbox,
    words: &Keywords,
) -> Answered<()> {
    if words.is_empty() {
        return Ok(());
    }
    let glance = views.glance(tx, mailbox)?;
    let all = glance.keywords.with(words);
    let grows = all.as_str().len() > glance.keywords.as_str().len();
    match grows && all.as_str().len() > KEYWORDS_MAX {
        true => Err(Refusal::Limit.into()),
        false => Ok(()),
    }
}

pub fn changes(tx: &mut Tx<'_>, who: &Who, id: MailboxId, since: ModSeq) -> Answered<Changes> {
    let mailbox = owned(tx, who, id)?;
    let found = match since < mailbox.mod_seq {
        true => view::changes(tx, &mailbox, since)?,
        false => view::Changes::default(),
    };
    Ok(Changes {
        recent: recent::among(&mailbox, &found.arrived),
        name: MailboxName::parse(&mailbox.name),
        arrived: found.arrived,
        changed: found.changed,
        vanished: found.vanished,
        uid_next: mailbox.uid_next,
        highest_modseq: mailbox.mod_seq,
        flags: found.flags.into_iter().map(messages::flag_row).collect(),
    })
}

/// The answer when nothing happened; `None` when something did.
pub fn unchanged(
    tx: &mut Tx<'_>,
    who: &Who,
    id: MailboxId,
    since: ModSeq,
) -> Answered<Option<Changes>> {
    let mailbox = owned(tx, who, id)?;
    // Another name is no change of what is in it.
    let name = MailboxName::parse(&mailbox.name);
    let Mailbox { uid_next, mod_seq: highest_modseq, .. } = mailbox;
    let nothing = Changes { name, uid_next, highest_modseq, ..Changes::default() };
    Ok((since >= highest_modseq).then_some(nothing))
}

pub fn status(
    tx: &mut Tx<'_>,
    who: &Who,
    views: &Views,
    name: &MailboxName,
    want: StatusWant,
) -> Answered<Status> {
    let mailbox = named(tx, who, name)?;
    Ok(count(tx, views, &mailbox, want)?)
}

fn count(
    tx: &mut Tx<'_>,
    views: &Views,
    mailbox: &Mailbox,
    want: StatusWant,
) -> Result<Status, RowsError> {
    let mut status = Status {
        uid_next: mailbox.uid_next,
        uid_validity: mailbox.uid_validity,
        highest_modseq: mailbox.mod_seq,
        mailbox: Some(mailbox.id),
        append_limit: if append::takes(mailbox.role) { u64::MAX } else { 0 },
        ..Status::default()
    };
    let counts = [want.messages, want.unseen, want.deleted, want.deleted_storage, want.recent];
    if counts.contains(&true) {
        let glance = views.glance(tx, mailbox)?;
        let of = |wanted: bool, set: &UidSet| if wanted { set.len() as u32 } else { 0 };
        status.messages = of(want.messages, &glance.uids);
        status.unseen = of(want.unseen, &glance.unseen);
        status.deleted = of(want.deleted, &glance.deleted);
        if want.recent {
            status.recent = recent::among(mailbox, &glance.uids).len() as u32;
        }
        if want.deleted_storage {
            status.deleted_storage = quota::deleted(tx, mailbox, &glance.deleted)?;
        }
    }
    if want.size {
        status.size = view::octets(tx, mailbox)?;
    }
    Ok(status)
}

fn special_use(role: Role) -> Option<SpecialUse> {
    match role {
        Role::Sent => Some(SpecialUse::Sent),
        Role::Drafts => Some(SpecialUse::Drafts),
        Role::Trash => Some(SpecialUse::Trash),
        Role::Archive => Some(SpecialUse::Archive),
        Role::All => Some(SpecialUse::All),
        Role::Flagged => Some(SpecialUse::Flagged),
        _ => None,
    }
}

/// `Etiketler` is a level only.
fn above_labels() -> Option<MailboxEntry> {
    let name = MailboxName::parse(label_boxes::ABOVE)?;
    let (kind, rights) = (MailboxKind::NoSelect, Rights::LOOKUP);
    Some(MailboxEntry { name, kind, gathered: false, subscribed: false, rights, status: None })
}

const LABELS: &str = "Etiketler/";
/// Octets of all keywords in a mailbox: a thousand labels.
const KEYWORDS_MAX: usize = 64 << 10;
