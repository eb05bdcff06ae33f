//! What a mail program reads: an account's mailboxes, what is in them, what changed in them. All
//! from small rows; no blob is opened. A [`Mailbox`] is proof that the account owns it.

use super::{Kind, Place, Role, memory};
use crate::store::rows::{Columns, Row, RowsError, Tx};
use crate::wire::imap::mailbox::composed;
use crate::wire::imap::{
    Flags, Keyword, Keywords, ModSeq, SpecialUse, SystemFlags, Uid, UidSet, Union,
};
use crate::wire::{AccountId, ContentId, MailboxId, MessageId, Timestamp};
use std::collections::BTreeSet;

/// A mailbox's row, found for its account; the one that no protocol shows is never found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    pub id: MailboxId,
    pub account: AccountId,
    pub name: String,
    pub role: Role,
    pub subscribed: bool,
    pub uid_validity: u32,
    pub uid_next: Uid,
    pub mod_seq: ModSeq,
    /// A use that its owner gave it.
    pub used_for: Option<SpecialUse>,
    /// Whose label it shows.
    pub label: Option<Keyword>,
    /// The first UID that no session was told of which selected the mailbox to change it.
    pub recent_from: Uid,
}

/// What a mailbox holds, without its rows. Grows from the one before by what changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Glance {
    pub mod_seq: ModSeq,
    pub uids: UidSet,
    pub unseen: UidSet,
    pub deleted: UidSet,
    /// In use now, or a while ago.
    pub keywords: Keywords,
}

/// What happened after a mod-sequence.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    pub arrived: UidSet,
    pub changed: UidSet,
    pub vanished: UidSet,
    /// The flags of those that arrived or changed, if these are few.
    pub flags: Vec<FlagsRow>,
}

/// A message's row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageRow {
    pub uid: Uid,
    pub mod_seq: ModSeq,
    pub flags: Flags,
    pub internal_date: Timestamp,
    pub saved_at: Timestamp,
    pub size: u64,
    pub kind: Kind,
    pub content: ContentId,
    pub message_id: Option<MessageId>,
    /// Empty unless wanted.
    pub structure: Vec<u8>,
    /// Empty unless wanted.
    pub header: Vec<u8>,
}

/// The flags of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlagsRow {
    pub uid: Uid,
    pub mod_seq: ModSeq,
    pub flags: Flags,
}

/// The dear columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Want {
    pub structure: bool,
    pub header: bool,
}

/// All mailboxes of an account, by name. No two have the same, though two may be stored that differ only
/// in how their letters are composed.
pub fn mailboxes(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Mailbox>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, name, role, subscribed, uid_validity, uid_next, mod_seq,
                used_for, label, recent_from FROM mailbox
         WHERE account = $1 AND role <> 'hidden' ORDER BY name",
        &[account.0.into()],
    )?;
    let mut all = rows.iter().map(mailbox).collect::<Result<Vec<_>, _>>()?;
    let is_apart = |row: &Row, mailbox: &Mailbox| Ok(row.text(2)? != mailbox.name);
    let apart: Vec<bool> = rows
        .iter()
        .zip(&all)
        .map(|(row, it)| is_apart(row, it))
        .collect::<Result<_, RowsError>>()?;
    if apart.contains(&true) {
        tell_apart(&mut all, &apart);
    }
    Ok(all)
}

/// Gives another name to those stored in letters with their marks apart whose name another has.
fn tell_apart(all: &mut [Mailbox], apart: &[bool]) {
    let both = all.iter().zip(apart);
    let mut taken: BTreeSet<String> =
        both.filter(|(_, apart)| !**apart).map(|(mailbox, _)| mailbox.name.clone()).collect();
    for (mailbox, _) in all.iter_mut().zip(apart).filter(|(_, apart)| **apart) {
        let numbered = (2_u32..).map(|n| format!("{} ({n})", mailbox.name));
        let mut names = std::iter::once(mailbox.name.clone()).chain(numbered);
        if let Some(name) = names.find(|name| !taken.contains(name)) {
            taken.insert(name.clone());
            mailbox.name = name;
        }
    }
}

/// The name's letters must be composed; those of the stored one need not be.
pub fn named(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
) -> Result<Option<Mailbox>, RowsError> {
    let row = tx.first(
        "SELECT id, account, name, role, subscribed, uid_validity, uid_next, mod_seq,
                used_for, label, recent_from FROM mailbox
         WHERE account = $1 AND name = $2 AND role <> 'hidden'",
        &[account.0.into(), name.into()],
    )?;
    match row {
        Some(row) => mailbox(&row).map(Some),
        None if name.is_ascii() => Ok(None),
        None => Ok(mailboxes(tx, account)?.into_iter().find(|mailbox| mailbox.name == name)),
    }
}

/// The mailbox of that number, if it is the account's.
pub fn owned(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: MailboxId,
) -> Result<Option<Mailbox>, RowsError> {
    let row = tx.first(
        "SELECT id, account, name, role, subscribed, uid_validity, uid_next, mod_seq,
                used_for, label, recent_from FROM mailbox
         WHERE id = $1 AND account = $2 AND role <> 'hidden'",
        &[id.0.into(), account.0.into()],
    )?;
    row.as_ref().map(mailbox).transpose()
}

/// The mailbox that its owner made for a use.
pub fn used_for(
    tx: &mut Tx<'_>,
    account: AccountId,
    special: SpecialUse,
) -> Result<Option<MailboxId>, RowsError> {
    let row = tx.first(
        "SELECT id FROM mailbox WHERE account = $1 AND used_for = $2",
        &[account.0.into(), special.attribute().into()],
    )?;
    row.map(|row| Ok(MailboxId(row.int(0)?))).transpose()
}

/// Names that are subscribed and no mailbox any more.
pub fn missing(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<String>, RowsError> {
    let rows = tx.query(
        "SELECT name FROM former_mailbox WHERE account = $1 AND subscribed = 1 ORDER BY name",
        &[account.0.into()],
    )?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// The keywords of an account's labels.
pub fn labels(tx: &mut Tx<'_>, account: AccountId) -> Result<Keywords, RowsError> {
    let rows =
        tx.query("SELECT name FROM label WHERE account = $1 ORDER BY name", &[account.0.into()])?;
    join(&rows)
}

/// What the mailbox holds; costs as much as changed since `known`.
pub fn glance(tx: &mut Tx<'_>, of: &Mailbox, known: Option<&Glance>) -> Result<Glance, RowsError> {
    match known {
        Some(known) if known.mod_seq == of.mod_seq => Ok(known.clone()),
        Some(known) if known.mod_seq < of.mod_seq => glance_again(tx, of, known),
        _ => whole_glance(tx, of),
    }
}

fn whole_glance(tx: &mut Tx<'_>, of: &Mailbox) -> Result<Glance, RowsError> {
    let mut glance = Glance { mod_seq: of.mod_seq, ..Glance::default() };
    tx.visit(
        "SELECT uid, flags FROM message WHERE mailbox = $1 ORDER BY uid",
        &[of.id.0.into()],
        &mut |row| {
            glance.note(uid(row, 0)?, system(row, 1)?);
            Ok(true)
        },
    )?;
    glance.keywords = super::labelled::keywords(tx, of)?;
    Ok(glance)
}

fn glance_again(tx: &mut Tx<'_>, of: &Mailbox, known: &Glance) -> Result<Glance, RowsError> {
    let (mut new, mut words) = (Glance::default(), Union::default());
    tx.visit(
        "SELECT uid, flags, keywords FROM message WHERE mailbox = $1 AND mod_seq > $2
         ORDER BY +uid",
        &[of.id.0.into(), (known.mod_seq as i64).into()],
        &mut |row| {
            new.note(uid(row, 0)?, system(row, 1)?);
            words.add(&row.text(2)?);
            Ok(true)
        },
    )?;
    let touched = vanished(tx, of, known.mod_seq)?.union(&new.uids);
    let grown = |old: &UidSet, new: &UidSet| old.difference(&touched).union(new);
    Ok(Glance {
        mod_seq: of.mod_seq,
        uids: grown(&known.uids, &new.uids),
        unseen: grown(&known.unseen, &new.unseen),
        deleted: grown(&known.deleted, &new.deleted),
        keywords: together(&known.keywords, words.keywords()),
    })
}

fn together(known: &Keywords, new: Keywords) -> Keywords {
    if new.is_empty() {
        return known.clone();
    }
    let mut all = Union::default();
    all.add(known.as_str());
    all.add(new.as_str());
    all.keywords()
}

impl Glance {
    fn note(&mut self, uid: Uid, flags: SystemFlags) {
        self.uids.insert(uid);
        if !flags.has(SystemFlags::SEEN) {
            self.unseen.insert(uid);
        }
        if flags.has(SystemFlags::DELETED) {
            self.deleted.insert(uid);
        }
    }

    /// About how many octets it takes.
    pub fn weight(&self) -> usize {
        let sets = [&self.uids, &self.unseen, &self.deleted];
        let ranges: usize = sets.iter().map(|set| set.ranges().len()).sum();
        size_of::<Self>() + ranges * size_of::<(Uid, Uid)>() + self.keywords.as_str().len()
    }
}

/// What arrived, changed and vanished after `since`; of UIDs that are not in use all, when that is too
/// long ago.
pub fn changes(tx: &mut Tx<'_>, of: &Mailbox, since: ModSeq) -> Result<Changes, RowsError> {
    let since_there = i64::try_from(since).unwrap_or(i64::MAX);
    // Without the plus SQLite walks through the whole mailbox, which is right only where most of it
    // changed.
    let sql = match since > of.mod_seq / 2 {
        true => {
            "SELECT uid, mod_seq, flags, keywords, born FROM message
             WHERE mailbox = $1 AND mod_seq > $2 ORDER BY +uid"
        }
        false => {
            "SELECT uid, mod_seq, flags, keywords, born FROM message
             WHERE mailbox = $1 AND mod_seq > $2 ORDER BY uid"
        }
    };
    let mut changes = Changes { vanished: vanished(tx, of, since)?, ..Changes::default() };
    let mut octets = 0;
    tx.visit(sql, &[of.id.0.into(), since_there.into()], &mut |row| {
        match row.int(4)? > since_there {
            true => changes.arrived.insert(uid(row, 0)?),
            false => changes.changed.insert(uid(row, 0)?),
        }
        if octets < FEW {
            let flags = flags_row(row)?;
            octets += size_of::<FlagsRow>() + flags.flags.keywords.as_str().len();
            changes.flags.push(flags);
        }
        Ok(true)
    })?;
    if octets >= FEW {
        changes.flags = Vec::new();
    }
    Ok(changes)
}

fn vanished(tx: &mut Tx<'_>, of: &Mailbox, since: ModSeq) -> Result<UidSet, RowsError> {
    memory::vanished(tx, of.id, i64::try_from(since).unwrap_or(i64::MAX))
}

/// Octets of all messages together.
pub fn octets(tx: &mut Tx<'_>, of: &Mailbox) -> Result<u64, RowsError> {
    let row = tx.one(
        "sum",
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM message WHERE mailbox = $1",
        &[of.id.0.into()],
    )?;
    Ok(row.int(0)? as u64)
}

/// The rows of those messages that are there, ascending, without the dear columns.
pub fn rows(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<Vec<MessageRow>, RowsError> {
    let mut found = Vec::new();
    for (first, last) in spans(uids) {
        let at = [of.id.0.into(), i64::from(first).into(), i64::from(last).into()];
        tx.visit(ROWS, &at, &mut |row| {
            if uids.contains(uid(row, 0)?) {
                found.push(message(row)?);
            }
            Ok(true)
        })?;
    }
    Ok(found)
}

/// Shows the rows and headers of those messages that are there, large ones at the end; none is kept.
pub fn headers(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    uids: &UidSet,
    see: &mut dyn FnMut(&MessageRow, &[u8]),
) -> Result<(), RowsError> {
    let mut large = Vec::new();
    for (first, last) in spans(uids) {
        let at = [of.id.0.into(), i64::from(first).into(), i64::from(last).into()];
        tx.visit(ROWS_HEADER, &at, &mut |row| {
            if uids.contains(uid(row, 0)?) {
                let message = message(row)?;
                match row.is_null(DEAR) {
                    true => large.push(message),
                    false => see(&message, row.bytes(DEAR)?),
                }
            }
            Ok(true)
        })?;
    }
    for message in large {
        let row = tx.one("outline", LARGE_HEADER, &[message.content.0.into()])?;
        see(&message, row.bytes(0)?);
    }
    Ok(())
}

/// The flags of the first of those messages that are there: of as many as have together no more
/// keywords than an answer should, one at least.
pub fn flags(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<Vec<FlagsRow>, RowsError> {
    let (mut found, mut octets) = (Vec::with_capacity(uids.len()), 0);
    for (first, last) in spans(uids) {
        let at = [of.id.0.into(), i64::from(first).into(), i64::from(last).into()];
        tx.visit(FLAGS, &at, &mut |row| {
            let uid = uid(row, 0)?;
            if uids.contains(uid) {
                let flags = flags_row(row)?;
                octets += flags.flags.keywords.as_str().len();
                found.push(flags);
            }
            Ok(octets < ANSWER)
        })?;
        if octets >= ANSWER {
            break;
        }
    }
    Ok(found)
}

fn flags_row(row: &dyn Columns) -> Result<FlagsRow, RowsError> {
    let keywords = Keywords::from_stored(&row.text(3)?);
    let flags = Flags { system: system(row, 2)?, keywords };
    Ok(FlagsRow { uid: uid(row, 0)?, mod_seq: row.int(1)? as u64, flags })
}

/// The first rows of those messages that are there: as many as are together no larger than an
/// answer should be, one at least. `uids` keeps those behind the last one.
pub fn first_rows(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    uids: &mut UidSet,
    want: Want,
) -> Result<Vec<MessageRow>, RowsError> {
    let sql = match (want.structure, want.header) {
        (false, false) => ROWS,
        (true, false) => ROWS_STRUCTURE,
        (false, true) => ROWS_HEADER,
        (true, true) => ROWS_BOTH,
    };
    let wanted = std::mem::take(uids);
    let (mut found, mut octets) = (Vec::new(), 0);
    for (first, last) in spans(&wanted) {
        let at = [of.id.0.into(), i64::from(first).into(), i64::from(last).into()];
        for mut row in tx.query(sql, &at)? {
            if !wanted.contains(uid(&row, 0)?) {
                continue;
            }
            let row = whole(tx, &mut row, want)?;
            octets += row.structure.len() + row.header.len();
            let next = row.uid.saturating_add(1);
            found.push(row);
            if octets >= ANSWER {
                *uids = wanted.intersection(&UidSet::range(next, Uid::MAX));
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// A row with its dear columns; a large one is read by itself, so that a query's rows are never
/// large together.
fn whole(tx: &mut Tx<'_>, row: &mut Row, want: Want) -> Result<MessageRow, RowsError> {
    let mut whole = message(row)?;
    let mut column = DEAR..;
    if want.structure {
        let large = "SELECT structure FROM outline WHERE content = $1";
        whole.structure = dear(tx, row, column.next().unwrap_or_default(), large, whole.content)?;
    }
    if want.header {
        let column = column.next().unwrap_or_default();
        whole.header = dear(tx, row, column, LARGE_HEADER, whole.content)?;
    }
    Ok(whole)
}

fn dear(
    tx: &mut Tx<'_>,
    row: &mut Row,
    column: usize,
    large: &'static str,
    content: ContentId,
) -> Result<Vec<u8>, RowsError> {
    match row.is_null(column) {
        true => tx.one("outline", large, &[content.0.into()])?.take_bytes(0),
        false => row.take_bytes(column),
    }
}

/// One message's row, if it is there.
pub fn row(tx: &mut Tx<'_>, of: &Mailbox, uid: Uid) -> Result<Option<MessageRow>, RowsError> {
    let at = [of.id.0.into(), i64::from(uid).into(), i64::from(uid).into()];
    tx.first(ROWS, &at)?.map(|row| message(&row)).transpose()
}

/// How a message is laid out, as it was computed when it came.
pub fn structure(tx: &mut Tx<'_>, content: ContentId) -> Result<Vec<u8>, RowsError> {
    let sql = "SELECT structure FROM outline WHERE content = $1";
    tx.one("outline", sql, &[content.0.into()])?.take_bytes(0)
}

/// Ranges that cover a set: those with little between them are read at one go.
pub(in crate::store) fn spans(uids: &UidSet) -> Vec<(Uid, Uid)> {
    let mut spans: Vec<(Uid, Uid)> = Vec::new();
    for &(first, last) in uids.ranges() {
        match spans.last_mut() {
            Some(span) if first - span.1 <= NEAR => span.1 = last,
            _ => spans.push((first, last)),
        }
    }
    spans
}

fn mailbox(row: &Row) -> Result<Mailbox, RowsError> {
    let small = |column| u32::try_from(row.int(column)?).map_err(|_| RowsError::Stored("a UID"));
    Ok(Mailbox {
        id: MailboxId(row.int(0)?),
        account: AccountId(row.int(1)?),
        name: composed(row.text(2)?).into_owned(),
        role: Role::parse(row.text(3)?)?,
        subscribed: row.int(4)? != 0,
        uid_validity: small(5)?,
        uid_next: small(6)?,
        mod_seq: row.int(7)? as u64,
        used_for: row.opt_text(8)?.and_then(SpecialUse::named),
        label: row.opt_text(9)?.and_then(Keyword::parse),
        recent_from: small(10)?,
    })
}

fn message(row: &dyn Columns) -> Result<MessageRow, RowsError> {
    let message_id = row.opt_text(8)?;
    let message_id =
        message_id.as_deref().map(crate::store::submissions::message_id).transpose()?;
    Ok(MessageRow {
        uid: uid(row, 0)?,
        mod_seq: row.int(1)? as u64,
        flags: Flags { system: system(row, 2)?, keywords: Keywords::from_stored(&row.text(3)?) },
        internal_date: Timestamp::from_millis(row.int(4)?),
        saved_at: Timestamp::from_millis(row.int(9)?),
        size: row.int(5)? as u64,
        kind: Kind::parse(&row.text(6)?)?,
        content: ContentId(row.int(7)?),
        message_id,
        structure: Vec::new(),
        header: Vec::new(),
    })
}

fn join(rows: &[Row]) -> Result<Keywords, RowsError> {
    let mut all = Keywords::default();
    for row in rows {
        all = all.with(&Keywords::from_stored(row.text(0)?));
    }
    Ok(all)
}

pub(super) fn uid(row: &dyn Columns, column: usize) -> Result<Uid, RowsError> {
    u32::try_from(row.int(column)?).map_err(|_| RowsError::Stored("a UID"))
}

pub(super) fn system(row: &dyn Columns, column: usize) -> Result<SystemFlags, RowsError> {
    let bits = u8::try_from(row.int(column)?).map_err(|_| RowsError::Stored("flags"))?;
    Ok(SystemFlags::from_bits(bits))
}

impl Mailbox {
    /// Whether what is in it was thrown away: the trash, and what a client keeps under it.
    pub fn is_trash(&self) -> bool {
        self.role == Role::Trash
            || self.name.strip_prefix(TRASH).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl MessageRow {
    pub fn place(&self, of: &Mailbox) -> Place {
        Place { mailbox: of.id, uid: self.uid }
    }
}

/// The trash of each account, which can't be renamed.
const TRASH: &str = "Çöp Kutusu";
/// Octets of structures and headers in one answer.
const ANSWER: usize = 1 << 20;
/// Octets of flags that are told with changes: a busy day's.
const FEW: usize = 128 << 10;
/// Reading a few rows too many is cheaper than another statement.
const NEAR: u32 = 16;

macro_rules! rows_sql {
    ($more:literal, $join:literal) => {
        concat!(
            "SELECT m.uid, m.mod_seq, m.flags, m.keywords, m.internal_date, m.size, m.kind,
                    m.content, m.message_id, m.saved_at",
            $more,
            " FROM message m",
            $join,
            " WHERE m.mailbox = $1 AND m.uid BETWEEN $2 AND $3 ORDER BY m.uid"
        )
    };
}

const FLAGS: &str = "SELECT uid, mod_seq, flags, keywords FROM message
                     WHERE mailbox = $1 AND uid BETWEEN $2 AND $3 ORDER BY uid";
const ROWS: &str = rows_sql!("", "");
/// The first of the dear columns.
const DEAR: usize = 10;
const LARGE_HEADER: &str = "SELECT header FROM outline WHERE content = $1";
const ROWS_STRUCTURE: &str = rows_sql!(
    ", CASE WHEN LENGTH(o.structure) <= 8192 THEN o.structure END",
    " JOIN outline o ON o.content = m.content"
);
const ROWS_HEADER: &str = rows_sql!(
    ", CASE WHEN LENGTH(o.header) <= 8192 THEN o.header END",
    " JOIN outline o ON o.content = m.content"
);
const ROWS_BOTH: &str = rows_sql!(
    ", CASE WHEN LENGTH(o.structure) <= 8192 THEN o.structure END
     , CASE WHEN LENGTH(o.header) <= 8192 THEN o.header END",
    " JOIN outline o ON o.content = m.content"
);
