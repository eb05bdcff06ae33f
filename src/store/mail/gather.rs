//! Virtual mailboxes: their messages are gathered from the account's others, and only when somebody
//! looks (docs/adr/0012). A message in one is a row like any other, with a UID and mod-sequences of
//! its own; it names its source, and is made equal to it again and again. Whoever reads it needs to
//! know nothing of that; who changes it changes the source.

pub mod fresh;

use super::change::take;
use super::view::{self, Mailbox, MessageRow};
use super::{Kind, Place, Role, next_mod_seq, next_uids, vanish};
use crate::store::rows::{Row, RowsError, Tx};
use crate::wire::imap::{Flags, Keyword, Keywords, ModSeq, SystemFlags, Uid, UidSet};
use crate::wire::{ContentId, MailboxId};
use std::collections::{BTreeMap, BTreeSet};

/// What belongs into a virtual mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rule {
    All,
    Flagged,
    Label(Keyword),
}

impl Rule {
    /// `None`: the mailbox is no virtual one.
    pub fn of(mailbox: &Mailbox) -> Option<Self> {
        match mailbox.role {
            Role::All => Some(Self::All),
            Role::Flagged => Some(Self::Flagged),
            Role::Label => mailbox.label.clone().map(Self::Label),
            _ => None,
        }
    }

    /// Whether a message of a source belongs in.
    pub fn holds(&self, flags: &Flags) -> bool {
        match self {
            Self::All => true,
            Self::Flagged => flags.system.has(SystemFlags::FLAGGED),
            Self::Label(key) => flags.keywords.contains(key.as_str()),
        }
    }
}

/// Whether virtual mailboxes gather from this one.
pub fn is_source(mailbox: &Mailbox) -> bool {
    let own = !matches!(mailbox.role, Role::Opening | Role::Hidden);
    own && !mailbox.role.is_gathered() && !mailbox.is_trash()
}

/// A message of a virtual mailbox, and which message it shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    pub uid: Uid,
    pub mod_seq: ModSeq,
    pub source: Place,
    pub flags: Flags,
    pub kind: Kind,
}

/// Those of `uids` that are there, ascending.
pub fn members(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<Vec<Member>, RowsError> {
    let mut found = Vec::new();
    for (first, last) in view::spans(uids) {
        let rows = tx.query(
            "SELECT uid, mod_seq, source, source_uid, flags, keywords, kind FROM message
             WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 AND source IS NOT NULL ORDER BY uid",
            &[of.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        for row in &rows {
            let member = member(row)?;
            if uids.contains(member.uid) {
                found.push(member);
            }
        }
    }
    Ok(found)
}

/// Those that show messages of one source.
fn members_of(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    source: MailboxId,
    uids: &UidSet,
) -> Result<BTreeMap<Uid, Member>, RowsError> {
    let mut found = BTreeMap::new();
    for (first, last) in view::spans(uids) {
        let rows = tx.query(
            "SELECT uid, mod_seq, source, source_uid, flags, keywords, kind FROM message
             WHERE mailbox = $1 AND source = $2 AND source_uid BETWEEN $3 AND $4",
            &[of.id.0.into(), source.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
        for row in &rows {
            let member = member(row)?;
            if uids.contains(member.source.uid) {
                found.insert(member.source.uid, member);
            }
        }
    }
    Ok(found)
}

fn member(row: &Row) -> Result<Member, RowsError> {
    let source = Place { mailbox: MailboxId(row.int(2)?), uid: view::uid(row, 3)? };
    let flags =
        Flags { system: view::system(row, 4)?, keywords: Keywords::from_stored(row.text(5)?) };
    Ok(Member {
        uid: view::uid(row, 0)?,
        mod_seq: row.int(1)? as u64,
        source,
        flags,
        kind: Kind::parse(row.text(6)?)?,
    })
}

/// Which messages each source has of these.
pub fn by_source(places: impl IntoIterator<Item = Place>) -> BTreeMap<MailboxId, UidSet> {
    let mut sources: BTreeMap<_, UidSet> = BTreeMap::new();
    for place in places {
        sources.entry(place.mailbox).or_default().insert(place.uid);
    }
    sources
}

/// Makes a virtual mailbox right about these messages, as they are now; in this order those get UIDs
/// that are new in it. The account must be locked.
pub fn gather(tx: &mut Tx<'_>, into: &Mailbox, places: &[Place]) -> Result<(), RowsError> {
    let Some(rule) = Rule::of(into) else { return Ok(()) };
    let (mut gone, mut changed) = (UidSet::new(), UidSet::new());
    let mut new = BTreeSet::new();
    for (source, uids) in by_source(places.iter().copied()) {
        let mut shown = members_of(tx, into, source, &uids)?;
        for row in belonging(tx, into, source, &uids, &rule)? {
            match shown.remove(&row.uid) {
                None => _ = new.insert(Place { mailbox: source, uid: row.uid }),
                Some(member) if member.flags != row.flags || member.kind != row.kind => {
                    changed.insert(member.uid);
                }
                Some(_) => {}
            }
        }
        shown.values().for_each(|member| gone.insert(member.uid));
    }
    // Their contents are their sources'.
    take(tx, into, &gone)?;
    let new: Vec<_> = places.iter().copied().filter(|place| new.remove(place)).collect();
    admit(tx, into, &new)?;
    refresh(tx, into, &changed)
}

/// Under which UIDs a virtual mailbox shows messages.
pub fn shown(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    places: &[Place],
) -> Result<BTreeMap<Place, Uid>, RowsError> {
    let mut all = BTreeMap::new();
    for (source, uids) in by_source(places.iter().copied()) {
        let members = members_of(tx, of, source, &uids)?;
        all.extend(members.into_values().map(|member| (member.source, member.uid)));
    }
    Ok(all)
}

fn belonging(
    tx: &mut Tx<'_>,
    into: &Mailbox,
    source: MailboxId,
    uids: &UidSet,
    rule: &Rule,
) -> Result<Vec<MessageRow>, RowsError> {
    let Some(source) = view::owned(tx, into.account, source)?.filter(is_source) else {
        return Ok(Vec::new());
    };
    let mut rows = view::rows(tx, &source, uids)?;
    rows.retain(|row| rule.holds(&row.flags));
    Ok(rows)
}

fn admit(tx: &mut Tx<'_>, into: &Mailbox, new: &[Place]) -> Result<(), RowsError> {
    let count = u32::try_from(new.len()).map_err(|_| RowsError::Stored("a UID"))?;
    if count == 0 {
        return Ok(());
    }
    let (mut next, mod_seq, _) = next_uids(tx, into.id, count)?;
    for run in new.chunk_by(|one, next| one.mailbox == next.mailbox && one.uid + 1 == next.uid) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        tx.execute(
            "INSERT INTO message (mailbox, uid, mod_seq, born, flags, keywords, saved_at,
                                  internal_date, size, content, kind, message_id, ua_message_id,
                                  source, source_uid)
             SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT) + uid, CAST($3 AS BIGINT),
                    CAST($3 AS BIGINT), flags, keywords, saved_at, internal_date, size, content,
                    kind, message_id, ua_message_id, mailbox, uid
             FROM message WHERE mailbox = $4 AND uid BETWEEN $5 AND $6",
            &[
                into.id.0.into(),
                (next - i64::from(first.uid)).into(),
                mod_seq.into(),
                first.mailbox.0.into(),
                i64::from(first.uid).into(),
                i64::from(last.uid).into(),
            ],
        )?;
        next += run.len() as i64;
    }
    Ok(())
}

fn refresh(tx: &mut Tx<'_>, into: &Mailbox, changed: &UidSet) -> Result<(), RowsError> {
    if changed.is_empty() {
        return Ok(());
    }
    let mod_seq = next_mod_seq(tx, into.id)?;
    for &(first, last) in changed.ranges() {
        tx.execute(
            "UPDATE message SET mod_seq = $1, (flags, keywords, kind, message_id) =
                 (SELECT s.flags, s.keywords, s.kind, s.message_id FROM message s
                  WHERE s.mailbox = message.source AND s.uid = message.source_uid)
             WHERE mailbox = $2 AND uid BETWEEN $3 AND $4",
            &[mod_seq.into(), into.id.0.into(), i64::from(first).into(), i64::from(last).into()],
        )?;
    }
    Ok(())
}

/// Shows at once that a message is open: whoever opened it through a virtual mailbox goes on there.
pub fn unseal(tx: &mut Tx<'_>, source: Place, content: ContentId) -> Result<(), RowsError> {
    let shown = tx.query(
        "SELECT mailbox, uid FROM message WHERE content = $1 AND source = $2 AND source_uid = $3",
        &[content.0.into(), source.mailbox.0.into(), i64::from(source.uid).into()],
    )?;
    for row in &shown {
        let mod_seq = next_mod_seq(tx, MailboxId(row.int(0)?))?;
        tx.execute(
            "UPDATE message SET kind = $1, mod_seq = $2 WHERE mailbox = $3 AND uid = $4",
            &[Kind::Dispatch.word().into(), mod_seq.into(), row.int(0)?.into(), row.int(1)?.into()],
        )?;
    }
    Ok(())
}

/// Takes out what shows a content that is about to go, so that it is never shown without one.
pub fn forget(tx: &mut Tx<'_>, content: ContentId) -> Result<(), RowsError> {
    let rows = tx.query(
        "DELETE FROM message WHERE content = $1 AND source IS NOT NULL RETURNING mailbox, uid",
        &[content.0.into()],
    )?;
    for row in &rows {
        vanish(tx, Place { mailbox: MailboxId(row.int(0)?), uid: view::uid(row, 1)? })?;
    }
    Ok(())
}
