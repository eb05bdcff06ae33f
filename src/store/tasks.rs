//! Rows of what is to be done, and what a sweep looks at to find it.

use super::contracts::{self, ContractRow};
use super::rows::{Row, RowsError, Tx};
use super::submissions::{RecipientState, SubmissionState, message_id};
use crate::wire::{AccountId, Digest, MessageId, Timestamp};

/// The registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskRow {
    pub id: i64,
    pub account: AccountId,
    pub kind: String,
    pub subject: String,
    pub operator: i64,
    pub note: String,
    pub opened_at: Timestamp,
    pub due: Option<Timestamp>,
    pub state: String,
    pub closed_at: Option<Timestamp>,
}

/// Opens it; one that was closed is open again. Says whether it was not open.
pub fn open(tx: &mut Tx<'_>, new: &TaskRow) -> Result<bool, RowsError> {
    let opened = tx.execute(
        "INSERT INTO task (account, kind, subject, operator, note, opened_at, due, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'open')
         ON CONFLICT (account, kind, subject) DO UPDATE
         SET operator = excluded.operator, note = excluded.note, opened_at = excluded.opened_at,
             due = excluded.due, state = 'open', closed_at = NULL
         WHERE task.state <> 'open'",
        &[
            new.account.0.into(),
            (&new.kind).into(),
            (&new.subject).into(),
            new.operator.into(),
            (&new.note).into(),
            new.opened_at.millis().into(),
            new.due.map(Timestamp::millis).into(),
        ],
    )?;
    Ok(opened == 1)
}

/// An open one is another's from now on, until another time.
pub fn hand_on(
    tx: &mut Tx<'_>,
    (account, kind, subject): (AccountId, &str, &str),
    operator: i64,
    due: Timestamp,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE task SET operator = $1, due = $2
         WHERE account = $3 AND kind = $4 AND subject = $5 AND state = 'open'",
        &[operator.into(), due.millis().into(), account.0.into(), kind.into(), subject.into()],
    )?;
    Ok(changed == 1)
}

/// Closes an open one. Says whether this was the time.
pub fn close(
    tx: &mut Tx<'_>,
    (account, kind, subject): (AccountId, &str, &str),
    state: &str,
    at: Timestamp,
) -> Result<bool, RowsError> {
    let closed = tx.execute(
        "UPDATE task SET state = $1, closed_at = $2
         WHERE account = $3 AND kind = $4 AND subject = $5 AND state = 'open'",
        &[state.into(), at.millis().into(), account.0.into(), kind.into(), subject.into()],
    )?;
    Ok(closed == 1)
}

/// Closes the open ones of two kinds about a subject; how many.
pub fn close_both(
    tx: &mut Tx<'_>,
    account: AccountId,
    (one, other): (&str, &str),
    subject: &str,
    (state, at): (&str, Timestamp),
) -> Result<u64, RowsError> {
    tx.execute(
        "UPDATE task SET state = $1, closed_at = $2
         WHERE account = $3 AND kind IN ($4, $5) AND subject = $6 AND state = 'open'",
        &[
            state.into(),
            at.millis().into(),
            account.0.into(),
            one.into(),
            other.into(),
            subject.into(),
        ],
    )
}

/// How many of a kind an account has open.
pub fn count_open(tx: &mut Tx<'_>, account: AccountId, kind: &str) -> Result<i64, RowsError> {
    let sql = "SELECT COUNT(*) FROM task WHERE account = $1 AND state = 'open' AND kind = $2";
    tx.one("count", sql, &[account.0.into(), kind.into()])?.int(0)
}

/// Who an operator is no more has nothing to do: whoever may does it.
pub fn release(tx: &mut Tx<'_>, account: AccountId, operator: i64) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE task SET operator = 0 WHERE account = $1 AND operator = $2 AND state = 'open'",
        &[account.0.into(), operator.into()],
    )?;
    Ok(())
}

pub fn find(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Option<TaskRow>, RowsError> {
    let row = tx.first(
        "SELECT id, account, kind, subject, operator, note, opened_at, due, state, closed_at
         FROM task WHERE account = $1 AND id = $2",
        &[account.0.into(), id.into()],
    )?;
    row.as_ref().map(task).transpose()
}

/// Of an account behind a number, the oldest first: the open ones, or all.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    all: bool,
    after: i64,
    most: usize,
) -> Result<Vec<TaskRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, kind, subject, operator, note, opened_at, due, state, closed_at
         FROM task WHERE account = $1 AND (state = 'open' OR $2 = 1) AND id > $3
         ORDER BY id LIMIT $4",
        &[account.0.into(), all.into(), after.into(), (most as i64).into()],
    )?;
    rows.iter().map(task).collect()
}

/// Open ones of a kind behind a number, of all accounts.
pub fn open_of(
    tx: &mut Tx<'_>,
    kind: &str,
    after: i64,
    most: usize,
) -> Result<Vec<TaskRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, kind, subject, operator, note, opened_at, due, state, closed_at
         FROM task WHERE kind = $1 AND state = 'open' AND id > $2 ORDER BY id LIMIT $3",
        &[kind.into(), after.into(), (most as i64).into()],
    )?;
    rows.iter().map(task).collect()
}

/// A certificate that is registered for an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateRow {
    pub account: AccountId,
    pub fingerprint: Digest,
    pub certificate: Vec<u8>,
    pub operator: i64,
}

/// Certificates of which nobody has read yet when they end.
pub fn unread_certificates(tx: &mut Tx<'_>, most: usize) -> Result<Vec<CertificateRow>, RowsError> {
    let rows = tx.query(
        "SELECT account, fingerprint, certificate, operator FROM account_certificate
         WHERE ends_at IS NULL LIMIT $1",
        &[(most as i64).into()],
    )?;
    rows.iter().map(certificate).collect()
}

pub fn set_certificate_end(
    tx: &mut Tx<'_>,
    account: AccountId,
    fingerprint: Digest,
    ends_at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account_certificate SET ends_at = $1 WHERE account = $2 AND fingerprint = $3",
        &[ends_at.millis().into(), account.0.into(), (&fingerprint.0[..]).into()],
    )?;
    Ok(())
}

/// Certificates that end between two instants, that nothing replaces, and of which nobody was told; they
/// count as told now.
pub fn ending_certificates(
    tx: &mut Tx<'_>,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<(CertificateRow, Timestamp)>, RowsError> {
    let rows = tx.query(
        "SELECT c.account, c.fingerprint, c.certificate, c.operator, c.ends_at
         FROM account_certificate c
         WHERE c.warned = 0 AND c.ends_at > $1 AND c.ends_at <= $2
           AND NOT EXISTS (SELECT 1 FROM account_certificate l
                           WHERE l.account = c.account AND l.operator = c.operator
                           AND (l.uses = c.uses OR l.uses = 'both')
                           AND l.ends_at > c.ends_at AND l.ends_at < $3)
           AND NOT EXISTS (SELECT 1 FROM operator o WHERE o.account = c.account
                           AND o.code = c.operator AND o.ended_at IS NOT NULL)
         ORDER BY c.ends_at LIMIT $4",
        &[from.millis().into(), to.millis().into(), i64::MAX.into(), (most as i64).into()],
    )?;
    let mut found = Vec::new();
    for row in &rows {
        let one = certificate(row)?;
        tx.execute(
            "UPDATE account_certificate SET warned = 1 WHERE account = $1 AND fingerprint = $2",
            &[one.account.0.into(), (&one.fingerprint.0[..]).into()],
        )?;
        found.push((one, Timestamp::from_millis(row.int(4)?)));
    }
    Ok(found)
}

/// Whether a certificate is registered no more, its operator has ended, or the same person has one for
/// the same use that ends later. One that can't be read (it ends never) replaces none.
pub fn is_replaced(
    tx: &mut Tx<'_>,
    account: AccountId,
    fingerprint: Digest,
) -> Result<bool, RowsError> {
    let row = tx.first(
        "SELECT c.operator, c.ends_at, c.uses FROM account_certificate c
         WHERE c.account = $1 AND c.fingerprint = $2
           AND NOT EXISTS (SELECT 1 FROM operator o WHERE o.account = c.account
                           AND o.code = c.operator AND o.ended_at IS NOT NULL)",
        &[account.0.into(), (&fingerprint.0[..]).into()],
    )?;
    let Some(row) = row else { return Ok(true) };
    let later = tx.first(
        "SELECT 1 FROM account_certificate
         WHERE account = $1 AND operator = $2 AND (uses = $3 OR uses = 'both')
           AND ends_at > $4 AND ends_at < $5 LIMIT 1",
        &[
            account.0.into(),
            row.int(0)?.into(),
            row.text(2)?.into(),
            row.opt_int(1)?.unwrap_or(i64::MAX).into(),
            i64::MAX.into(),
        ],
    )?;
    Ok(later.is_some())
}

/// Who was told of a certificate is told again, should what replaces it go.
pub fn tell_again(
    tx: &mut Tx<'_>,
    account: AccountId,
    fingerprint: Digest,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account_certificate SET warned = 0 WHERE account = $1 AND fingerprint = $2",
        &[account.0.into(), (&fingerprint.0[..]).into()],
    )?;
    Ok(())
}

/// Last terms that end by then, of accounts that are not closed at `now`, without an open task of that kind.
pub fn ending_contracts(
    tx: &mut Tx<'_>,
    kind: &str,
    (now, by): (Timestamp, Timestamp),
    most: usize,
) -> Result<Vec<ContractRow>, RowsError> {
    let rows = tx.query(
        "SELECT c.account, c.n, c.starts_at, c.ends_at, c.made_at
         FROM contract c JOIN account a ON a.id = c.account
         WHERE c.ends_at <= $1 AND a.state NOT IN ('closed', 'ended')
           AND (a.completes_at IS NULL OR a.completes_at > $2)
           AND NOT EXISTS (SELECT 1 FROM contract l WHERE l.account = c.account AND l.n > c.n)
           AND NOT EXISTS (SELECT 1 FROM task t WHERE t.account = c.account AND t.kind = $3
                           AND t.subject = CAST(c.n AS TEXT) AND t.state = 'open')
         ORDER BY c.ends_at, c.account LIMIT $4",
        &[by.millis().into(), now.millis().into(), kind.into(), (most as i64).into()],
    )?;
    rows.iter().map(contracts::contract).collect()
}

/// Whether a term is over with: another follows it, or its account is closed at `now`.
pub fn is_renewed(
    tx: &mut Tx<'_>,
    account: AccountId,
    term: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let row = tx.first(
        "SELECT 1 FROM contract c JOIN account a ON a.id = c.account
         WHERE c.account = $1 AND CAST(c.n AS TEXT) = $2 AND a.state NOT IN ('closed', 'ended')
           AND (a.completes_at IS NULL OR a.completes_at > $3)
           AND NOT EXISTS (SELECT 1 FROM contract l WHERE l.account = c.account AND l.n > c.n)",
        &[account.0.into(), term.into(), now.millis().into()],
    )?;
    Ok(row.is_none())
}

/// A message whose evidence has been waited for since then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delayed {
    pub account: AccountId,
    pub message: MessageId,
    pub since: Timestamp,
}

/// Messages that were accepted before, are not sealed, and have no open task of that kind: their jobs are
/// there still, be it that they wait for the virus scanner.
pub fn unsealed(
    tx: &mut Tx<'_>,
    kind: &str,
    before: Timestamp,
    most: usize,
) -> Result<Vec<Delayed>, RowsError> {
    let rows = tx.query(
        "SELECT s.account, s.message_id, s.accepted_at
         FROM job j JOIN submission s ON s.message_id = j.payload
         WHERE j.step IN ('certify', 'scan') AND s.provider IS NULL AND s.accepted_at <= $1
           AND NOT EXISTS (SELECT 1 FROM task t WHERE t.account = s.account AND t.kind = $2
                           AND t.subject = s.message_id AND t.state = 'open')
         ORDER BY j.id LIMIT $3",
        &[before.millis().into(), kind.into(), (most as i64).into()],
    )?;
    rows.iter().map(delayed).collect()
}

/// Messages that other providers have had since before, and say nothing of; without an open task of that
/// kind.
pub fn unanswered(
    tx: &mut Tx<'_>,
    kind: &str,
    before: Timestamp,
    most: usize,
) -> Result<Vec<Delayed>, RowsError> {
    let rows = tx.query(
        "SELECT s.account, s.message_id, MIN(r.relayed_at)
         FROM recipient r JOIN submission s ON s.message_id = r.message_id
         WHERE r.state = 'relayed' AND r.relayed_at <= $1 AND s.provider IS NULL
           AND NOT EXISTS (SELECT 1 FROM task t WHERE t.account = s.account AND t.kind = $2
                           AND t.subject = s.message_id AND t.state = 'open')
         GROUP BY s.account, s.message_id ORDER BY 3, 2 LIMIT $3",
        &[before.millis().into(), kind.into(), (most as i64).into()],
    )?;
    rows.iter().map(delayed).collect()
}

/// Whether a message waits still: for the virus scanner, to be sealed, or for another provider's word.
pub fn waits(tx: &mut Tx<'_>, message: &str) -> Result<bool, RowsError> {
    let row = tx.first(
        "SELECT 1 FROM submission WHERE message_id = $1 AND state IN ($2, $3)
         UNION ALL SELECT 1 FROM recipient WHERE message_id = $1 AND state = $4 LIMIT 1",
        &[
            message.into(),
            SubmissionState::Unscanned.word().into(),
            SubmissionState::Accepted.word().into(),
            RecipientState::Relayed.word().into(),
        ],
    )?;
    Ok(row.is_some())
}

fn certificate(row: &Row) -> Result<CertificateRow, RowsError> {
    Ok(CertificateRow {
        account: AccountId(row.int(0)?),
        fingerprint: Digest::from_slice(row.bytes(1)?).ok_or(RowsError::Stored("a digest"))?,
        certificate: row.bytes(2)?.to_vec(),
        operator: row.int(3)?,
    })
}

fn delayed(row: &Row) -> Result<Delayed, RowsError> {
    Ok(Delayed {
        account: AccountId(row.int(0)?),
        message: message_id(row.text(1)?)?,
        since: Timestamp::from_millis(row.int(2)?),
    })
}

fn task(row: &Row) -> Result<TaskRow, RowsError> {
    Ok(TaskRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        kind: row.text(2)?.to_owned(),
        subject: row.text(3)?.to_owned(),
        operator: row.int(4)?,
        note: row.text(5)?.to_owned(),
        opened_at: Timestamp::from_millis(row.int(6)?),
        due: row.opt_int(7)?.map(Timestamp::from_millis),
        state: row.text(8)?.to_owned(),
        closed_at: row.opt_int(9)?.map(Timestamp::from_millis),
    })
}
