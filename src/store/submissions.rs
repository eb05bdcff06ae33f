//! Rows of submissions and of their recipients: how far each message came.

use super::StoreError;
use super::blobs::{Blobs, Put};
use super::credits::Charge;
use super::rows::{Row, RowsError, Tx};
use crate::wire::{
    AccountId, BlobId, ContentId, Digest, KepAddress, KepDomain, MessageId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose message it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    Account(AccountId),
    /// Another provider's, which has sealed it.
    Peer(KepDomain),
}

/// How far a message came as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SubmissionState {
    /// Unsigned; waits for its sender's signature.
    Held,
    /// It was held, and its signed form went as another message.
    Signed,
    /// It was held, and nobody signed it: nothing comes of it.
    Withdrawn,
    /// Waits for the virus scanner, which was away when it came.
    Unscanned,
    /// Accepted; its evidence and dispatch are still to be made.
    Accepted,
    /// Sealed into a dispatch.
    Dispatched,
}

/// How far it came with one recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecipientState {
    /// Of another provider's message: he is not ours, or it was not handed over for him.
    Elsewhere,
    Accepted,
    /// His provider has it.
    Relayed,
    Delivered,
    /// His provider did not get it, or says nothing of it.
    RelayFailed,
    Failed,
    Read,
    Expired,
}

/// What is known of a message beside its octets.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Details {
    pub sender: String,
    pub sender_name: String,
    pub subject: String,
    pub ua_message_id: Option<String>,
    pub message_type: String,
    pub authenticated_at: i64,
    pub signer: Option<SignerDetails>,
    pub ret: Option<String>,
    pub envid: Option<String>,
    #[serde(default)]
    pub requiretls: bool,
    /// What was said with recipients, by their numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dsn: BTreeMap<usize, Dsn>,
    /// Digests of validation material collected at submission.
    #[serde(default)]
    pub material: Vec<String>,
    /// Who handed it in for the account, where it was not its holder: code and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What was reserved for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Charge>,
}

/// RFC 3461, of one recipient, as the parameters say it: for the relay.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Dsn {
    pub notify: Option<String>,
    pub orcpt: Option<String>,
}

/// Who signed the original.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct SignerDetails {
    pub subject: String,
    pub issuer: String,
    pub serial: String,
    pub signed_at: Option<i64>,
    /// Which of the account's operators that is: code and name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
}

/// A submission to be laid in.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    pub message_id: MessageId,
    pub origin: Origin,
    pub state: SubmissionState,
    /// Digest over account, octets and recipients (invariant 2).
    pub same_mail: Digest,
    pub accepted_at: Timestamp,
    pub original: Put,
    pub details: Details,
    pub recipients: Vec<NewRecipient>,
}

#[derive(Clone, Debug)]
pub struct NewRecipient {
    pub address: String,
    /// Of a local account.
    pub account: Option<AccountId>,
    pub state: RecipientState,
}

/// A submission that is the same mail as one that comes now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Same {
    pub message_id: MessageId,
    pub state: SubmissionState,
}

#[derive(Clone, Debug)]
pub struct Submission {
    pub message_id: MessageId,
    pub origin: Origin,
    pub state: SubmissionState,
    pub accepted_at: Timestamp,
    pub original: BlobId,
    pub size: u64,
    pub digest: Digest,
    pub details: Details,
    pub sent_uid: Option<i64>,
    pub dispatch: Option<ContentId>,
}

#[derive(Clone, Debug)]
pub struct Recipient {
    /// From 1, in the order of the evidence.
    pub n: usize,
    pub address: String,
    pub account: Option<AccountId>,
    pub state: RecipientState,
    /// Since when his provider has it, when that is another one.
    pub relayed_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub opened_at: Option<Timestamp>,
}

impl Recipient {
    /// Whether this other provider has his mailbox.
    pub fn is_with(&self, provider: &KepDomain) -> bool {
        let address = KepAddress::registered(&self.address);
        self.account.is_none()
            && address.is_ok_and(|address| address.domain().provider() == *provider)
    }
}

/// Lays a submission in, or finds the same mail of the last 24 hours. Of a provider's message only
/// the identifier counts, and no time: the same again changes nothing.
pub fn lay_in(
    tx: &mut Tx<'_>,
    blobs: &Blobs,
    new: &NewSubmission,
) -> Result<Result<(), Same>, StoreError> {
    if let Origin::Account(account) = new.origin {
        super::accounts::lock(tx, account)?;
        if let Some(same) = same(tx, account, &new.same_mail, new.accepted_at)? {
            return Ok(Err(same));
        }
    }
    if !insert(tx, new)? {
        return Ok(Err(Same { message_id: new.message_id.clone(), state: new.state }));
    }
    blobs.record(tx, &new.original)?;
    for (n, recipient) in (1_i64..).zip(&new.recipients) {
        tx.execute(
            "INSERT INTO recipient (message_id, n, address, account, state)
             VALUES ($1, $2, $3, $4, $5)",
            &[
                new.message_id.as_str().into(),
                n.into(),
                (&recipient.address).into(),
                recipient.account.map(|account| account.0).into(),
                recipient.state.word().into(),
            ],
        )?;
    }
    Ok(Ok(()))
}

fn insert(tx: &mut Tx<'_>, new: &NewSubmission) -> Result<bool, RowsError> {
    let details = serde_json::to_string(&new.details).map_err(|_| RowsError::Stored("details"))?;
    let (account, provider) = match &new.origin {
        Origin::Account(account) => (*account, None),
        Origin::Peer(domain) => (NOBODY, Some(domain.as_str())),
    };
    let added = tx.execute(
        "INSERT INTO submission (message_id, account, state, same_mail, accepted_at, original,
                                 size, digest, details, ua_message_id, provider)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (message_id) DO NOTHING",
        &[
            new.message_id.as_str().into(),
            account.0.into(),
            new.state.word().into(),
            (&new.same_mail.0[..]).into(),
            new.accepted_at.millis().into(),
            (&new.original.id.0[..]).into(),
            (new.original.size as i64).into(),
            (&new.original.digest.0[..]).into(),
            (&details).into(),
            new.details.ua_message_id.as_deref().into(),
            provider.into(),
        ],
    )?;
    Ok(added == 1)
}

/// Locks a submission's row until the end of the transaction, where several processes share the rows:
/// for changes that follow from what was read of its recipients.
pub fn lock(tx: &mut Tx<'_>, id: &MessageId) -> Result<(), RowsError> {
    if tx.shared() {
        let sql = "UPDATE submission SET state = state WHERE message_id = $1";
        tx.execute(sql, &[id.as_str().into()])?;
    }
    Ok(())
}

/// A provider hands its message over for one more recipient. Says whether this was the time.
pub fn addressed(tx: &mut Tx<'_>, id: &MessageId, n: usize) -> Result<bool, RowsError> {
    moves(tx, id, n, RecipientState::Elsewhere, RecipientState::Accepted)
}

/// From one state to another. Says whether it changed.
fn moves(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    from: RecipientState,
    to: RecipientState,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE recipient SET state = $1 WHERE message_id = $2 AND n = $3 AND state = $4",
        &[to.word().into(), id.as_str().into(), (n as i64).into(), from.word().into()],
    )?;
    Ok(changed == 1)
}

/// The same mail of the last 24 hours; what was withdrawn may come again.
pub fn same(
    tx: &mut Tx<'_>,
    account: AccountId,
    same_mail: &Digest,
    now: Timestamp,
) -> Result<Option<Same>, RowsError> {
    let since = now.plus_millis(-SAME_MAIL_WINDOW);
    let row = tx.first(
        "SELECT message_id, state FROM submission
         WHERE account = $1 AND same_mail = $2 AND accepted_at > $3 AND state <> $4
         ORDER BY accepted_at DESC LIMIT 1",
        &[
            account.0.into(),
            (&same_mail.0[..]).into(),
            since.millis().into(),
            SubmissionState::Withdrawn.word().into(),
        ],
    )?;
    let same = |row: Row| {
        let state = SubmissionState::parse(row.text(1)?)?;
        Ok(Same { message_id: message_id(row.text(0)?)?, state })
    };
    row.map(same).transpose()
}

/// Whether the account wrote to that address so lately that the same mail may come again, or its signed
/// form.
pub fn wrote_to(
    tx: &mut Tx<'_>,
    account: AccountId,
    address: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let since = now.plus_millis(-SAME_MAIL_WINDOW);
    let row = tx.first(
        "SELECT 1 FROM submission s JOIN recipient r ON r.message_id = s.message_id
         WHERE s.account = $1 AND (s.accepted_at > $2 OR s.state = $3) AND r.address = $4 LIMIT 1",
        &[
            account.0.into(),
            since.millis().into(),
            SubmissionState::Held.word().into(),
            address.into(),
        ],
    )?;
    Ok(row.is_some())
}

/// From `Held` to accepted, as of now. Says whether this was the time.
pub fn release(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE submission SET state = $1, accepted_at = $2 WHERE message_id = $3 AND state = $4",
        &[
            SubmissionState::Accepted.word().into(),
            now.millis().into(),
            id.as_str().into(),
            SubmissionState::Held.word().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// From `Unscanned` to accepted, as of now. Says whether this was the time.
pub fn scanned(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE submission SET state = $1, accepted_at = $2 WHERE message_id = $3 AND state = $4",
        &[
            SubmissionState::Accepted.word().into(),
            now.millis().into(),
            id.as_str().into(),
            SubmissionState::Unscanned.word().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// What was held goes no further: its signed form went, or it was withdrawn. Says whether this was the
/// time.
pub fn leave(tx: &mut Tx<'_>, id: &MessageId, state: SubmissionState) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE submission SET state = $1 WHERE message_id = $2 AND state = $3",
        &[state.word().into(), id.as_str().into(), SubmissionState::Held.word().into()],
    )?;
    Ok(changed == 1)
}

/// Forgets an unscanned one, which is refused after all. Says whether this was the time.
pub fn withdraw(tx: &mut Tx<'_>, id: &MessageId) -> Result<bool, RowsError> {
    lock(tx, id)?;
    let row = tx.first(
        "DELETE FROM submission WHERE message_id = $1 AND state = $2 RETURNING original",
        &[id.as_str().into(), SubmissionState::Unscanned.word().into()],
    )?;
    let Some(row) = row else { return Ok(false) };
    tx.execute("DELETE FROM recipient WHERE message_id = $1", &[id.as_str().into()])?;
    super::contents::forget_blob(tx, row.bytes(0)?)?;
    Ok(true)
}

pub fn find(tx: &mut Tx<'_>, id: &MessageId) -> Result<Option<Submission>, RowsError> {
    let row = tx.first(
        "SELECT message_id, account, state, accepted_at, original, size, digest, details, sent_uid,
                dispatch, provider FROM submission WHERE message_id = $1",
        &[id.as_str().into()],
    )?;
    row.as_ref().map(submission).transpose()
}

/// The newest ones, of one account or of all.
pub fn list(
    tx: &mut Tx<'_>,
    account: Option<AccountId>,
    limit: usize,
) -> Result<Vec<Submission>, RowsError> {
    let rows = tx.query(
        "SELECT message_id, account, state, accepted_at, original, size, digest, details, sent_uid,
                dispatch, provider FROM submission WHERE account = $1 OR $2 = 1
         ORDER BY accepted_at DESC LIMIT $3",
        &[
            account.map_or(0, |account| account.0).into(),
            account.is_none().into(),
            (limit as i64).into(),
        ],
    )?;
    rows.iter().map(submission).collect()
}

/// Those of an account before a point in time, the newest first; of the same moment those whose
/// identifiers come before.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    (before, id): (Timestamp, &str),
    limit: usize,
) -> Result<Vec<Submission>, RowsError> {
    let rows = tx.query(
        "SELECT message_id, account, state, accepted_at, original, size, digest, details, sent_uid,
                dispatch, provider FROM submission
         WHERE account = $1 AND accepted_at <= $2 AND (accepted_at < $2 OR message_id < $3)
         ORDER BY accepted_at DESC, message_id DESC LIMIT $4",
        &[account.0.into(), before.millis().into(), id.into(), (limit as i64).into()],
    )?;
    rows.iter().map(submission).collect()
}

pub fn recipients(tx: &mut Tx<'_>, id: &MessageId) -> Result<Vec<Recipient>, RowsError> {
    let rows = tx.query(
        "SELECT n, address, account, state, delivered_at, due_at, opened_at, relayed_at
         FROM recipient WHERE message_id = $1 ORDER BY n",
        &[id.as_str().into()],
    )?;
    rows.iter().map(recipient).collect()
}

/// Sets the sealed dispatch; only once. Says whether this was the time.
pub fn dispatched(tx: &mut Tx<'_>, id: &MessageId, dispatch: ContentId) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE submission SET state = $1, dispatch = $2 WHERE message_id = $3 AND state = $4",
        &[
            SubmissionState::Dispatched.word().into(),
            dispatch.0.into(),
            id.as_str().into(),
            SubmissionState::Accepted.word().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// Keeps the dispatch as it is in a further dialect.
pub fn dispatch_form(
    tx: &mut Tx<'_>,
    id: &MessageId,
    dialect: &str,
    content: ContentId,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO dispatch_form (message_id, dialect, content) VALUES ($1, $2, $3)
         ON CONFLICT (message_id, dialect) DO NOTHING",
        &[id.as_str().into(), dialect.into(), content.0.into()],
    )?;
    Ok(())
}

/// Evidence of a message is about to go out once more, unless it did after `since`. Says whether this was
/// the time.
pub fn repeats(
    tx: &mut Tx<'_>,
    id: &MessageId,
    now: Timestamp,
    since: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE submission SET repeated_at = $1
         WHERE message_id = $2 AND (repeated_at IS NULL OR repeated_at <= $3)",
        &[now.millis().into(), id.as_str().into(), since.millis().into()],
    )?;
    Ok(changed == 1)
}

/// Where the sender's copy stands in `Giden Kutusu`, and whether his program put it there.
pub fn sent_copy(
    tx: &mut Tx<'_>,
    id: &MessageId,
    uid: i64,
    by_client: bool,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE submission SET sent_uid = $1, sent_by_client = $2 WHERE message_id = $3",
        &[uid.into(), by_client.into(), id.as_str().into()],
    )?;
    Ok(())
}

/// The newest submission that an account's program knows by its own Message-ID.
pub fn by_ua_message_id(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<Option<Submission>, RowsError> {
    let row = tx.first(
        "SELECT message_id, account, state, accepted_at, original, size, digest, details, sent_uid,
                dispatch, provider FROM submission WHERE account = $1 AND ua_message_id = $2
         ORDER BY accepted_at DESC LIMIT 1",
        &[account.0.into(), ua_message_id.into()],
    )?;
    row.as_ref().map(submission).transpose()
}

/// From `Accepted` to delivered or failed. Says whether it changed.
pub fn outcome(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    state: RecipientState,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE recipient SET state = $1, delivered_at = $2
         WHERE message_id = $3 AND n = $4 AND state = $5",
        &[
            state.word().into(),
            at.millis().into(),
            id.as_str().into(),
            (n as i64).into(),
            RecipientState::Accepted.word().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// What another provider's evidence makes of its recipient, whatever was known of him before.
pub fn told(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    state: RecipientState,
    at: Timestamp,
) -> Result<(), RowsError> {
    let (delivered, opened) = match state {
        RecipientState::Read | RecipientState::Expired => (None, Some(at.millis())),
        _ => (Some(at.millis()), None),
    };
    tx.execute(
        "UPDATE recipient SET state = $1, delivered_at = COALESCE($2, delivered_at),
                              opened_at = COALESCE($3, opened_at)
         WHERE message_id = $4 AND n = $5 AND account IS NULL",
        &[
            state.word().into(),
            delivered.into(),
            opened.into(),
            id.as_str().into(),
            (n as i64).into(),
        ],
    )?;
    Ok(())
}

/// From `Accepted` to relayed: the recipient's provider has it. Says whether it changed.
pub fn relayed(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE recipient SET state = $1, relayed_at = $2
         WHERE message_id = $3 AND n = $4 AND state = $5",
        &[
            RecipientState::Relayed.word().into(),
            at.millis().into(),
            id.as_str().into(),
            (n as i64).into(),
            RecipientState::Accepted.word().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// From `from`, which is before anybody said what became of it, to the failure of the relay. Says
/// whether it changed.
pub fn relay_failed(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    from: RecipientState,
) -> Result<bool, RowsError> {
    moves(tx, id, n, from, RecipientState::RelayFailed)
}

/// When the time to read ends.
pub fn set_due(tx: &mut Tx<'_>, id: &MessageId, n: usize, due: Timestamp) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE recipient SET due_at = $1 WHERE message_id = $2 AND n = $3 AND due_at IS NULL",
        &[due.millis().into(), id.as_str().into(), (n as i64).into()],
    )?;
    Ok(())
}

/// A recipient who has just read, or whose time has just ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// The end of his time to read; `None` while there is no evidence of the delivery.
    pub due_at: Option<Timestamp>,
}

/// From `Delivered` to read or expired: whichever comes first, once (invariant 2). `None` when it
/// was not the time.
pub fn opened(
    tx: &mut Tx<'_>,
    id: &MessageId,
    n: usize,
    state: RecipientState,
    at: Timestamp,
) -> Result<Option<Opened>, RowsError> {
    let row = tx.first(
        "UPDATE recipient SET state = $1, opened_at = $2
         WHERE message_id = $3 AND n = $4 AND state = $5 RETURNING due_at",
        &[
            state.word().into(),
            at.millis().into(),
            id.as_str().into(),
            (n as i64).into(),
            RecipientState::Delivered.word().into(),
        ],
    )?;
    let opened = |row: Row| Ok(Opened { due_at: row.opt_int(0)?.map(Timestamp::from_millis) });
    row.map(opened).transpose()
}

impl SubmissionState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Signed => "signed",
            Self::Withdrawn => "withdrawn",
            Self::Unscanned => "unscanned",
            Self::Accepted => "accepted",
            Self::Dispatched => "dispatched",
        }
    }

    fn parse(word: &str) -> Result<Self, RowsError> {
        let all = [
            Self::Held,
            Self::Signed,
            Self::Withdrawn,
            Self::Unscanned,
            Self::Accepted,
            Self::Dispatched,
        ];
        all.into_iter()
            .find(|state| state.word() == word)
            .ok_or(RowsError::Stored("a submission's state"))
    }
}

impl RecipientState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Accepted => "accepted",
            Self::Relayed => "relayed",
            Self::Delivered => "delivered",
            Self::RelayFailed => "relay-failed",
            Self::Failed => "failed",
            Self::Read => "read",
            Self::Expired => "expired",
        }
    }

    fn parse(word: &str) -> Result<Self, RowsError> {
        [
            Self::Elsewhere,
            Self::Accepted,
            Self::Relayed,
            Self::Delivered,
            Self::RelayFailed,
            Self::Failed,
            Self::Read,
            Self::Expired,
        ]
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or(RowsError::Stored("a recipient's state"))
    }
}

fn submission(row: &Row) -> Result<Submission, RowsError> {
    let details = serde_json::from_str(row.text(7)?);
    Ok(Submission {
        message_id: message_id(row.text(0)?)?,
        origin: match row.opt_text(10)? {
            Some(domain) => {
                let domain = KepDomain::registered(domain);
                Origin::Peer(domain.map_err(|_| RowsError::Stored("a provider's domain"))?)
            }
            None => Origin::Account(AccountId(row.int(1)?)),
        },
        state: SubmissionState::parse(row.text(2)?)?,
        accepted_at: Timestamp::from_millis(row.int(3)?),
        original: blob_id(row.bytes(4)?)?,
        size: row.int(5)? as u64,
        digest: Digest::from_slice(row.bytes(6)?).ok_or(RowsError::Stored("a digest"))?,
        details: details.map_err(|_| RowsError::Stored("details of a submission"))?,
        sent_uid: row.opt_int(8)?,
        dispatch: row.opt_int(9)?.map(ContentId),
    })
}

fn recipient(row: &Row) -> Result<Recipient, RowsError> {
    let time = |column| Ok::<_, RowsError>(row.opt_int(column)?.map(Timestamp::from_millis));
    Ok(Recipient {
        n: row.int(0)? as usize,
        address: row.text(1)?.to_owned(),
        account: row.opt_int(2)?.map(AccountId),
        state: RecipientState::parse(row.text(3)?)?,
        delivered_at: time(4)?,
        due_at: time(5)?,
        opened_at: time(6)?,
        relayed_at: time(7)?,
    })
}

pub(super) fn message_id(text: &str) -> Result<MessageId, RowsError> {
    MessageId::parse(text).ok_or(RowsError::Stored("a message id"))
}

pub(super) fn blob_id(bytes: &[u8]) -> Result<BlobId, RowsError> {
    bytes.try_into().map(BlobId).map_err(|_| RowsError::Stored("a blob id"))
}

/// No account has this number.
const NOBODY: AccountId = AccountId(0);
/// Invariant 2.
const SAME_MAIL_WINDOW: i64 = 24 * 3600 * 1000;
