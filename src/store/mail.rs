//! Mailboxes and the messages in them: laying in, and what the steps change on them. What a mail
//! program reads stands in `mail/view.rs`, what it changes in `mail/change.rs`, its mailboxes in
//! `mail/tree.rs`, those that are gathered from others in `mail/gather.rs`.

pub mod change;
pub mod gather;
pub mod held;
pub mod label_boxes;
pub mod labelled;
pub mod memory;
pub mod origin;
pub mod page;
pub mod preview;
pub mod reads;
pub mod recent;
pub mod sent;
pub mod threads;
pub mod trash;
pub mod tree;
pub mod usage;
pub mod view;

use super::rows::{Row, RowsError, Tx};
use crate::wire::imap::Structure;
use crate::wire::{AccountId, ContentId, MailboxId, MessageId, Timestamp, mime};

/// A mailbox's part in the account; names are what the user sees and may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Inbox,
    Sent,
    Drafts,
    Trash,
    Evidence,
    Archive,
    ArchiveIn,
    ArchiveOut,
    /// Unsigned mail that waits for its sender's signature.
    Held,
    /// What is moved here is opened.
    Opening,
    /// Holds the dispatches that stubs stand for; no protocol shows it.
    Hidden,
    /// Gathered: all but what is in the trash.
    All,
    /// Gathered: what is flagged.
    Flagged,
    /// Gathered: what has a label.
    Label,
    Plain,
}

/// What a message is to the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A draft, a sent copy, anything a client appended.
    Plain,
    /// A dispatch that may be shown.
    Dispatch,
    /// A dispatch whose content opens it (`doğrudan`).
    Sealed,
    /// A notice that stands for an unopened dispatch (`kapalı zarf`).
    Stub,
    Evidence,
}

/// A message to be laid into a mailbox.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub kind: Kind,
    pub flags: u8,
    /// Between single spaces.
    pub keywords: String,
    pub internal_date: Timestamp,
    pub saved_at: Timestamp,
    pub size: u64,
    /// `wire::imap::structure` as bytes; follows from the content, as the header does.
    pub structure: Vec<u8>,
    /// The outermost header with its empty line.
    pub header: Vec<u8>,
    /// The provider's message that it belongs to.
    pub message_id: Option<MessageId>,
    /// The Message-ID field, as the user's program knows the message.
    pub ua_message_id: Option<String>,
}

impl NewMessage {
    /// Of a mail's octets: what FETCH needs of them is computed here, once.
    pub fn of(octets: &[u8], kind: Kind, at: Timestamp) -> Self {
        Self {
            kind,
            flags: 0,
            keywords: String::new(),
            internal_date: at,
            saved_at: at,
            size: octets.len() as u64,
            structure: Structure::compute(octets),
            header: outer_header(octets).to_vec(),
            message_id: None,
            ua_message_id: None,
        }
    }
}

/// The outermost header with its empty line; of a mail without one all of it, up to a bound.
fn outer_header(octets: &[u8]) -> &[u8] {
    let header = mime::header(octets);
    header.get(..HEADER_MAX).unwrap_or(header)
}

/// A message's place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Place {
    pub mailbox: MailboxId,
    pub uid: u32,
}

/// Makes the mailboxes that each account has.
pub fn create_all(tx: &mut Tx<'_>, account: AccountId, validity: u32) -> Result<(), RowsError> {
    for (role, name) in MAILBOXES {
        create(tx, account, name, role, validity)?;
    }
    Ok(())
}

pub fn create(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    role: Role,
    validity: u32,
) -> Result<Option<MailboxId>, RowsError> {
    let row = tx.first(
        "INSERT INTO mailbox (account, name, role, subscribed, uid_validity, uid_next, mod_seq)
         VALUES ($1, $2, $3, $4, $5, 1, 1) ON CONFLICT (account, name) DO NOTHING RETURNING id",
        &[
            account.0.into(),
            name.into(),
            role.word().into(),
            (!role.is_gathered()).into(),
            i64::from(validity).into(),
        ],
    )?;
    row.map(|row| Ok(MailboxId(row.int(0)?))).transpose()
}

/// The account's mailbox of a role; each account has one of each but `Plain`.
pub fn of_role(tx: &mut Tx<'_>, account: AccountId, role: Role) -> Result<MailboxId, RowsError> {
    let row = tx.one(
        "mailbox of a role",
        "SELECT id FROM mailbox WHERE account = $1 AND role = $2",
        &[account.0.into(), role.word().into()],
    )?;
    Ok(MailboxId(row.int(0)?))
}

/// Lays a message in; says its UID.
pub fn lay_in(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    content: ContentId,
    new: &NewMessage,
) -> Result<u32, RowsError> {
    super::contents::hold(tx, content)?;
    let (uid, mod_seq, account) = next_uids(tx, mailbox, 1)?;
    tx.execute(
        "INSERT INTO message (mailbox, uid, mod_seq, born, flags, keywords, saved_at,
                              internal_date, size, content, kind, message_id, ua_message_id)
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &[
            mailbox.0.into(),
            uid.into(),
            mod_seq.into(),
            i64::from(new.flags).into(),
            (&new.keywords).into(),
            new.saved_at.millis().into(),
            new.internal_date.millis().into(),
            (new.size as i64).into(),
            content.0.into(),
            new.kind.word().into(),
            new.message_id.as_ref().map(MessageId::as_str).into(),
            new.ua_message_id.as_deref().into(),
        ],
    )?;
    usage::add(tx, mailbox, usage::counted(new.kind, new.size as i64))?;
    tx.execute(
        "INSERT INTO outline (content, structure, header) VALUES ($1, $2, $3)
         ON CONFLICT (content) DO NOTHING",
        &[content.0.into(), (&new.structure).into(), (&new.header).into()],
    )?;
    join(tx, account, mailbox, content, new)?;
    u32::try_from(uid).map_err(|_| RowsError::Stored("a UID"))
}

/// What is hidden behind a notice joins no conversation before it is opened: of which it is, its header
/// says, which nobody may see before that (invariant 3).
fn join(
    tx: &mut Tx<'_>,
    account: AccountId,
    mailbox: MailboxId,
    content: ContentId,
    new: &NewMessage,
) -> Result<(), RowsError> {
    if new.kind == Kind::Sealed && of_role(tx, account, Role::Hidden)? == mailbox {
        return Ok(());
    }
    let message_id = new.message_id.as_ref();
    let joining = threads::Joining { kind: new.kind, message_id, header: &new.header };
    threads::join(tx, account, content, &joining)
}

/// Takes messages out of a mailbox for good; their contents go when nothing refers to them.
pub fn remove(tx: &mut Tx<'_>, place: Place) -> Result<bool, RowsError> {
    let gone = tx.first(
        "DELETE FROM message WHERE mailbox = $1 AND uid = $2 RETURNING content, size, kind",
        &[place.mailbox.0.into(), i64::from(place.uid).into()],
    )?;
    let Some(gone) = gone else { return Ok(false) };
    let content = ContentId(gone.int(0)?);
    let counted = usage::counted(Kind::parse(gone.text(2)?)?, gone.int(1)?);
    usage::add(tx, place.mailbox, -counted)?;
    vanish(tx, place)?;
    forget_unused(tx, content)?;
    Ok(true)
}

fn vanish(tx: &mut Tx<'_>, place: Place) -> Result<(), RowsError> {
    let mod_seq = next_mod_seq(tx, place.mailbox)?;
    tx.execute(
        "INSERT INTO vanished (mailbox, uid, mod_seq) VALUES ($1, $2, $3)",
        &[place.mailbox.0.into(), i64::from(place.uid).into(), mod_seq.into()],
    )?;
    Ok(())
}

/// Moves a message to another mailbox of the account; says its UID there.
pub fn move_to(
    tx: &mut Tx<'_>,
    place: Place,
    to: MailboxId,
    now: Timestamp,
) -> Result<u32, RowsError> {
    let (uid, mod_seq, _) = next_uids(tx, to, 1)?;
    let moved = tx.first(
        "UPDATE message SET mailbox = $1, uid = $2, mod_seq = $3, born = $3, saved_at = $4
         WHERE mailbox = $5 AND uid = $6 RETURNING size, kind",
        &[
            to.0.into(),
            uid.into(),
            mod_seq.into(),
            now.millis().into(),
            place.mailbox.0.into(),
            i64::from(place.uid).into(),
        ],
    )?;
    let moved = moved.ok_or(RowsError::Missing("message"))?;
    let counted = usage::counted(Kind::parse(moved.text(1)?)?, moved.int(0)?);
    usage::add(tx, place.mailbox, -counted)?;
    usage::add(tx, to, counted)?;
    vanish(tx, place)?;
    u32::try_from(uid).map_err(|_| RowsError::Stored("a UID"))
}

/// Forgets a content that no message, no submission and no mail on its way holds any more; says whether
/// it did.
pub fn forget_unused(tx: &mut Tx<'_>, content: ContentId) -> Result<bool, RowsError> {
    match super::contents::hold(tx, content) {
        Err(RowsError::Missing(_)) => return Ok(false),
        held => held?,
    }
    let used = tx.first(
        "SELECT 1 FROM message WHERE content = $1 AND source IS NULL
         UNION ALL SELECT 1 FROM submission WHERE dispatch = $1
         UNION ALL SELECT 1 FROM dispatch_form WHERE content = $1
         UNION ALL SELECT 1 FROM evidence_mail WHERE content = $1
         UNION ALL SELECT 1 FROM relay WHERE content = $1
         UNION ALL SELECT 1 FROM held_back WHERE content = $1",
        &[content.0.into()],
    )?;
    match used {
        Some(_) => Ok(false),
        None => {
            gather::forget(tx, content)?;
            threads::forget(tx, content)?;
            reads::forget(tx, content)?;
            tx.execute("DELETE FROM outline WHERE content = $1", &[content.0.into()])?;
            super::contents::forget(tx, content)?;
            Ok(true)
        }
    }
}

/// Sets keywords and kind of a message that the steps own; other keywords stay.
pub fn set_server_keywords(tx: &mut Tx<'_>, place: Place, owned: &[&str]) -> Result<(), RowsError> {
    lock(tx, place.mailbox)?;
    let at = [place.mailbox.0.into(), i64::from(place.uid).into()];
    let sql = "SELECT keywords FROM message WHERE mailbox = $1 AND uid = $2";
    let Some(row) = tx.first(sql, &at)? else { return Ok(()) };
    let old = row.text(0)?;
    let kept = old.split(' ').filter(|word| !word.is_empty() && !is_server_owned(word));
    let new = kept.chain(owned.iter().copied()).collect::<Vec<_>>().join(" ");
    if new == old {
        return Ok(());
    }
    let mod_seq = next_mod_seq(tx, place.mailbox)?;
    tx.execute(
        "UPDATE message SET keywords = $1, mod_seq = $2 WHERE mailbox = $3 AND uid = $4",
        &[(&new).into(), mod_seq.into(), place.mailbox.0.into(), i64::from(place.uid).into()],
    )?;
    Ok(())
}

/// Where messages of `kind` that belong to a provider's message stand in an account.
pub fn places_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    message_id: &MessageId,
    kind: Kind,
) -> Result<Vec<Place>, RowsError> {
    let rows = tx.query(
        "SELECT m.mailbox, m.uid FROM message m JOIN mailbox b ON b.id = m.mailbox
         WHERE m.message_id = $1 AND b.account = $2 AND m.kind = $3 AND m.source IS NULL
         ORDER BY m.mailbox, m.uid",
        &[message_id.as_str().into(), account.0.into(), kind.word().into()],
    )?;
    rows.iter().map(place).collect()
}

/// A client's own copy of a message in `mailbox`, not yet linked to a submission.
pub fn unlinked_copy(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    ua_message_id: &str,
) -> Result<Option<Place>, RowsError> {
    let rows = tx.query(
        "SELECT mailbox, uid FROM message
         WHERE +mailbox = $1 AND ua_message_id = $2 AND message_id IS NULL",
        &[mailbox.0.into(), ua_message_id.into()],
    )?;
    // The newest. An order in SQL, or the mailbox without its plus, makes SQLite's planner walk
    // through the whole mailbox.
    let places = rows.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    Ok(places.into_iter().max())
}

/// A message is no provider's message's copy any more.
pub fn unlink(tx: &mut Tx<'_>, place: Place) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE message SET message_id = NULL WHERE mailbox = $1 AND uid = $2",
        &[place.mailbox.0.into(), i64::from(place.uid).into()],
    )?;
    Ok(())
}

/// Links a message to the provider's message it is a copy of.
pub fn link(tx: &mut Tx<'_>, place: Place, message_id: &MessageId) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE message SET message_id = $1 WHERE mailbox = $2 AND uid = $3",
        &[message_id.as_str().into(), place.mailbox.0.into(), i64::from(place.uid).into()],
    )?;
    Ok(())
}

/// From sealed to open, where it stands.
pub fn unseal(tx: &mut Tx<'_>, place: Place) -> Result<(), RowsError> {
    let mod_seq = next_mod_seq(tx, place.mailbox)?;
    let row = tx.first(
        "UPDATE message SET kind = $1, mod_seq = $2 WHERE mailbox = $3 AND uid = $4
         RETURNING content",
        &[
            Kind::Dispatch.word().into(),
            mod_seq.into(),
            place.mailbox.0.into(),
            i64::from(place.uid).into(),
        ],
    )?;
    match row {
        Some(row) => gather::unseal(tx, place, ContentId(row.int(0)?)),
        None => Ok(()),
    }
}

/// Takes the next `count` UIDs of a mailbox: the first of them, their mod-sequence, and whose the
/// mailbox is. Its watchers are woken.
fn next_uids(
    tx: &mut Tx<'_>,
    mailbox: MailboxId,
    count: u32,
) -> Result<(i64, i64, AccountId), RowsError> {
    let row = tx.one(
        "mailbox",
        "UPDATE mailbox SET uid_next = uid_next + $1, mod_seq = mod_seq + 1 WHERE id = $2
         RETURNING uid_next, mod_seq, account",
        &[i64::from(count).into(), mailbox.0.into()],
    )?;
    let account = AccountId(row.int(2)?);
    tx.wakes.mailbox(mailbox);
    tx.wakes.account(account);
    let next = row.int(0)?;
    // RFC 9051 §2.3.1.1: 32 bits; more than four thousand million messages came before.
    if next > i64::from(u32::MAX) {
        return Err(RowsError::Stored("a UID"));
    }
    Ok((next - i64::from(count), row.int(1)?, account))
}

/// The next mod-sequence of a mailbox; its watchers are woken.
pub fn next_mod_seq(tx: &mut Tx<'_>, mailbox: MailboxId) -> Result<i64, RowsError> {
    let row = tx.one(
        "mailbox",
        "UPDATE mailbox SET mod_seq = mod_seq + 1 WHERE id = $1 RETURNING mod_seq, account",
        &[mailbox.0.into()],
    )?;
    tx.wakes.mailbox(mailbox);
    tx.wakes.account(AccountId(row.int(1)?));
    row.int(0)
}

/// Locks a mailbox's row until the end of the transaction, where several units run side by side: for
/// changes that follow from what was read.
pub fn lock(tx: &mut Tx<'_>, mailbox: MailboxId) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("UPDATE mailbox SET mod_seq = mod_seq WHERE id = $1", &[mailbox.0.into()])?;
    }
    Ok(())
}

pub fn is_server_owned(keyword: &str) -> bool {
    keyword.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("$Kep"))
}

fn place(row: &Row) -> Result<Place, RowsError> {
    let uid = u32::try_from(row.int(1)?).map_err(|_| RowsError::Stored("a UID"))?;
    Ok(Place { mailbox: MailboxId(row.int(0)?), uid })
}

impl Role {
    /// Whether its messages are gathered from other mailboxes.
    pub fn is_gathered(self) -> bool {
        matches!(self, Self::All | Self::Flagged | Self::Label)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Sent => "sent",
            Self::Drafts => "drafts",
            Self::Trash => "trash",
            Self::Evidence => "evidence",
            Self::Archive => "archive",
            Self::ArchiveIn => "archive-in",
            Self::ArchiveOut => "archive-out",
            Self::Held => "held",
            Self::Opening => "opening",
            Self::Hidden => "hidden",
            Self::All => "all",
            Self::Flagged => "flagged",
            Self::Label => "label",
            Self::Plain => "plain",
        }
    }

    pub fn parse(word: &str) -> Result<Self, RowsError> {
        let known = MAILBOXES.iter().map(|(role, _)| *role).chain([Self::Label, Self::Plain]);
        known
            .into_iter()
            .find(|role| role.word() == word)
            .ok_or(RowsError::Stored("a mailbox's role"))
    }
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Dispatch => "dispatch",
            Self::Sealed => "sealed",
            Self::Stub => "stub",
            Self::Evidence => "evidence",
        }
    }

    pub fn parse(word: &str) -> Result<Self, RowsError> {
        [Self::Plain, Self::Dispatch, Self::Sealed, Self::Stub, Self::Evidence]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or(RowsError::Stored("a message's kind"))
    }
}

/// What a row keeps of a header; our own door refuses longer ones (accept, limits).
const HEADER_MAX: usize = 512 << 10;
/// The mailboxes of each account, by the glossary's names.
pub const MAILBOXES: [(Role, &str); 13] = [
    (Role::Inbox, "INBOX"),
    (Role::Sent, "Giden Kutusu"),
    (Role::Drafts, "Taslaklar"),
    (Role::Trash, "Çöp Kutusu"),
    (Role::Evidence, "Deliller"),
    (Role::Archive, "Arşiv"),
    (Role::ArchiveIn, "Arşiv/Gelen"),
    (Role::ArchiveOut, "Arşiv/Giden"),
    (Role::Held, "İmza Bekleyenler"),
    (Role::Opening, "Açılacaklar"),
    (Role::Hidden, ""),
    (Role::All, "Tüm Postalar"),
    (Role::Flagged, "Önemli"),
];
