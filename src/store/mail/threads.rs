//! Conversations (RFC 8474 §5.2). Which one a message is part of is decided once and never changes: that of
//! a message it names, or that names it, by Message-ID, References and In-Reply-To of its outermost
//! header, within its account; else it begins one. What joins two conversations leaves them two.
//!
//! Of an unopened dispatch no more is looked at than anybody may see of it: of one behind a notice nothing
//! before it is opened, and then it is where its notice was.

use super::view::{self, Mailbox};
use super::{Kind, Place};
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::UidSet;
use crate::wire::mime::related::{Reference, Related, reference};
use crate::wire::{AccountId, ContentId, MessageId, ThreadId};
use std::collections::{BTreeMap, BTreeSet};

/// What tells a message's conversation.
pub(super) struct Joining<'a> {
    pub kind: Kind,
    pub message_id: Option<&'a MessageId>,
    pub header: &'a [u8],
}

/// Decides the conversation of a content in an account, unless it is decided.
pub(super) fn join(
    tx: &mut Tx<'_>,
    account: AccountId,
    content: ContentId,
    of: &Joining<'_>,
) -> Result<(), RowsError> {
    let names = Names::of(of);
    let mut found = None;
    let (mut unknown, mut renewed) = (BTreeSet::new(), BTreeSet::new());
    for name in names.all() {
        match thread_named(tx, account, name)? {
            Some(thread) => {
                found = found.or(Some(thread));
                renewed.extend(names.is_own(name).then_some(*name));
            }
            None => _ = unknown.insert(*name),
        }
        if found.is_some() && !names.bring {
            break;
        }
    }
    let thread = found.unwrap_or(ThreadId(content.0));
    let decided = tx.execute(
        "INSERT INTO thread_member (content, account, thread) VALUES ($1, $2, $3)
         ON CONFLICT (content, account) DO NOTHING",
        &[content.0.into(), account.0.into(), thread.0.into()],
    )?;
    if decided == 0 {
        return Ok(());
    }
    for name in &unknown {
        tx.execute(
            "INSERT INTO thread_reference (account, reference, thread, content)
             VALUES ($1, $2, $3, $4) ON CONFLICT (account, reference) DO NOTHING",
            &[account.0.into(), name[..].into(), thread.0.into(), content.0.into()],
        )?;
    }
    for name in &renewed {
        tx.execute(
            "UPDATE thread_reference SET content = $1 WHERE account = $2 AND reference = $3",
            &[content.0.into(), account.0.into(), name[..].into()],
        )?;
    }
    Ok(())
}

/// By which names a message may be found, the nearest first.
struct Names {
    all: Vec<Reference>,
    /// How many of the first are its own: they last as long as it does.
    own: usize,
    /// Whether more may be found by those that nobody knew.
    bring: bool,
}

impl Names {
    fn of(of: &Joining<'_>) -> Self {
        let Related { own, references } = Related::of(of.header, REFERENCES);
        // Copies, notice and evidence of a message are told by the provider's name of it.
        let ours = of.message_id.map(|id| reference(id.as_str()));
        // Nobody answers a notice or evidence, and they go before what they are about.
        let bring = !matches!(of.kind, Kind::Stub | Kind::Evidence);
        let mut all: Vec<Reference> = match bring {
            true => own.into_iter().chain(ours).collect(),
            false => Vec::new(),
        };
        let kept = all.len();
        all.extend(ours.into_iter().chain(references.into_iter().rev()));
        Self { all, own: kept, bring }
    }

    fn all(&self) -> impl Iterator<Item = &Reference> {
        let known = |at: usize, name| self.all.iter().take(at).any(|other| other == name);
        self.all
            .iter()
            .enumerate()
            .filter(move |(at, name)| !known(*at, *name))
            .map(|(_, name)| name)
    }

    fn is_own(&self, name: &Reference) -> bool {
        self.all.iter().take(self.own).any(|own| own == name)
    }
}

fn thread_named(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &Reference,
) -> Result<Option<ThreadId>, RowsError> {
    let row = tx.first(
        "SELECT thread FROM thread_reference WHERE account = $1 AND reference = $2",
        &[account.0.into(), name[..].into()],
    )?;
    row.map(|row| row.int(0).map(ThreadId)).transpose()
}

/// Of a content in an account, once it is decided.
pub fn thread_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    content: ContentId,
) -> Result<Option<ThreadId>, RowsError> {
    let row = tx.first(
        "SELECT thread FROM thread_member WHERE content = $1 AND account = $2",
        &[content.0.into(), account.0.into()],
    )?;
    row.map(|row| row.int(0).map(ThreadId)).transpose()
}

/// Which messages of a mailbox are parts of these conversations.
pub fn members(
    tx: &mut Tx<'_>,
    of: &Mailbox,
    threads: &BTreeSet<ThreadId>,
) -> Result<BTreeMap<ThreadId, UidSet>, RowsError> {
    let mut found: BTreeMap<ThreadId, UidSet> = BTreeMap::new();
    tx.visit(
        "SELECT m.uid, t.thread FROM message m
         JOIN thread_member t ON t.content = m.content AND t.account = $1
         WHERE m.mailbox = $2 ORDER BY m.uid",
        &[of.account.0.into(), of.id.0.into()],
        &mut |row| {
            let thread = ThreadId(row.int(1)?);
            if threads.contains(&thread) {
                found.entry(thread).or_default().insert(view::uid(row, 0)?);
            }
            Ok(true)
        },
    )?;
    Ok(found)
}

/// The first of those messages that came before conversations were kept.
pub fn undecided(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<UidSet, RowsError> {
    let mut found = UidSet::new();
    for (first, last) in view::spans(uids) {
        let left = DECIDED.saturating_sub(found.len());
        let at = [
            of.account.0.into(),
            of.id.0.into(),
            i64::from(first).into(),
            i64::from(last).into(),
            (left as i64).into(),
        ];
        for row in &tx.query(UNDECIDED, &at)? {
            found.insert(view::uid(row, 0)?);
        }
        if found.len() >= DECIDED {
            break;
        }
    }
    Ok(found)
}

/// Decides of which conversations messages are, in their order; what is gone is left out.
pub fn decide(tx: &mut Tx<'_>, of: &Mailbox, uids: &UidSet) -> Result<(), RowsError> {
    let at = |uid| Place { mailbox: of.id, uid };
    uids.iter().take(DECIDED).try_for_each(|uid| decide_one(tx, of.account, at(uid)))
}

/// The same of one message.
pub fn decide_one(tx: &mut Tx<'_>, account: AccountId, place: Place) -> Result<(), RowsError> {
    let row = tx.first(
        "SELECT m.content, m.kind, m.message_id, o.header FROM message m
         JOIN outline o ON o.content = m.content WHERE m.mailbox = $1 AND m.uid = $2",
        &[place.mailbox.0.into(), i64::from(place.uid).into()],
    )?;
    let Some(mut row) = row else { return Ok(()) };
    let message_id = row.opt_text(2)?.map(crate::store::submissions::message_id).transpose()?;
    let (content, kind) = (ContentId(row.int(0)?), Kind::parse(row.text(1)?)?);
    let header = row.take_bytes(3)?;
    let joining = Joining { kind, message_id: message_id.as_ref(), header: &header };
    join(tx, account, content, &joining)
}

/// A content is gone, and what it told.
pub fn forget(tx: &mut Tx<'_>, content: ContentId) -> Result<(), RowsError> {
    tx.execute("DELETE FROM thread_member WHERE content = $1", &[content.0.into()])?;
    tx.execute("DELETE FROM thread_reference WHERE content = $1", &[content.0.into()])?;
    Ok(())
}

const UNDECIDED: &str = "SELECT m.uid FROM message m
    LEFT JOIN thread_member t ON t.content = m.content AND t.account = $1
    WHERE m.mailbox = $2 AND m.uid BETWEEN $3 AND $4 AND t.content IS NULL
    ORDER BY m.uid LIMIT $5";
/// References of one message that are looked at: the last ones.
const REFERENCES: usize = 32;
/// Messages decided at one go: others may write in between.
const DECIDED: usize = 64;
