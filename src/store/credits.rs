//! Rows of credits (kontör): entries, each appended once by the name of its cause, and the balances that
//! are kept with them. An entry takes an amount out of one ledger and puts it into another.

mod ledger;

pub use ledger::{Balance, Kind, Ledger};

use super::rows::{Columns, Row, RowsError, Tx};
use crate::wire::{AccountId, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a message costs its sender, by the terms of the time when it was laid in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// Credits, of all recipients together.
    pub total: i64,
    /// Of one with another provider.
    pub elsewhere: i64,
    /// Of one with this provider.
    pub here: i64,
    /// Codes of evidence that give the price of a recipient back.
    pub back: Vec<u8>,
    /// Somebody is told when the account has less than so much after it.
    #[serde(skip)]
    pub low: i64,
}

/// An entry to be appended.
#[derive(Clone, Debug)]
pub struct NewEntry<'a> {
    pub id: &'a str,
    pub account: AccountId,
    pub kind: Kind,
    pub from: Ledger,
    pub to: Ledger,
    /// More than nothing.
    pub amount: i64,
    pub at: Timestamp,
    pub message: Option<&'a MessageId>,
    pub recipient: Option<usize>,
    /// JSON.
    pub details: &'a str,
}

/// An entry as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub seq: i64,
    pub id: String,
    pub account: AccountId,
    pub kind: Kind,
    pub from: Ledger,
    pub to: Ledger,
    pub amount: i64,
    /// What the account had left of that unit after it.
    pub rest: i64,
    pub at: Timestamp,
    pub message: Option<String>,
    pub recipient: Option<usize>,
    pub details: String,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Posted {
    Now(Balance),
    /// The same cause had its entry before; nothing changed.
    Before,
    /// There is not as much; nothing changed.
    Short,
}

/// A balance that fell below its threshold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Low {
    /// Of the row; 0 for one to be laid in.
    pub id: i64,
    pub account: AccountId,
    pub ledger: Ledger,
    pub rest: i64,
    pub threshold: i64,
    pub at: Timestamp,
}

/// Appends an entry unless its cause has one.
pub fn post(tx: &mut Tx<'_>, new: &NewEntry<'_>) -> Result<Posted, RowsError> {
    lock(tx, new.account)?;
    let sql = "SELECT 1 FROM credit_entry WHERE id = $1";
    match tx.first(sql, &[new.id.into()])? {
        Some(_) => Ok(Posted::Before),
        None => post_first(tx, new),
    }
}

/// Appends an entry whose cause has none yet, by an identifier that was just made. One that has undoes the
/// transaction.
pub fn post_first(tx: &mut Tx<'_>, new: &NewEntry<'_>) -> Result<Posted, RowsError> {
    let by = moves(new);
    let row = tx.first(
        "UPDATE credit_balance SET available = available + $1, reserved = reserved + $2,
                spent = spent + $3, sms = sms + $4, sms_spent = sms_spent + $5
         WHERE account = $6 AND available + $1 >= 0 AND reserved + $2 >= 0 AND spent + $3 >= 0
           AND sms + $4 >= 0 AND sms_spent + $5 >= 0
         RETURNING available, reserved, spent, sms, sms_spent",
        &[
            by.available.into(),
            by.reserved.into(),
            by.spent.into(),
            by.sms.into(),
            by.sms_spent.into(),
            new.account.0.into(),
        ],
    )?;
    let Some(row) = row else { return Ok(Posted::Short) };
    let balance = balance_of(&row)?;
    let added = tx.execute(
        "INSERT INTO credit_entry (id, account, kind, source, target, amount, rest, at, message_id,
                                   recipient, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO NOTHING",
        &[
            new.id.into(),
            new.account.0.into(),
            new.kind.word().into(),
            new.from.word().into(),
            new.to.word().into(),
            new.amount.into(),
            balance.rest(new.from, new.to).into(),
            new.at.millis().into(),
            new.message.map(MessageId::as_str).into(),
            new.recipient.map(|n| n as i64).into(),
            new.details.into(),
        ],
    )?;
    match added {
        1 => Ok(Posted::Now(balance)),
        _ => Err(RowsError::Undone("an entry of credits came twice")),
    }
}

/// Makes an account's balance, where it has none.
pub fn open(tx: &mut Tx<'_>, account: AccountId) -> Result<(), RowsError> {
    let sql = "INSERT INTO credit_balance (account) VALUES ($1) ON CONFLICT (account) DO NOTHING";
    tx.execute(sql, &[account.0.into()])?;
    Ok(())
}

/// Locks an account's balance until the end of the transaction, where several processes share the rows.
fn lock(tx: &mut Tx<'_>, account: AccountId) -> Result<(), RowsError> {
    if tx.shared() {
        let sql = "UPDATE credit_balance SET spent = spent WHERE account = $1";
        tx.execute(sql, &[account.0.into()])?;
    }
    Ok(())
}

/// Nothing, of an account that never had any.
pub fn balance(tx: &mut Tx<'_>, account: AccountId) -> Result<Balance, RowsError> {
    let row = tx.first(
        "SELECT available, reserved, spent, sms, sms_spent FROM credit_balance WHERE account = $1",
        &[account.0.into()],
    )?;
    row.map_or(Ok(Balance::default()), |row| balance_of(&row))
}

/// All that is kept, by account.
pub fn balances(tx: &mut Tx<'_>) -> Result<Vec<(AccountId, Balance)>, RowsError> {
    let rows = tx.query(
        "SELECT available, reserved, spent, sms, sms_spent, account FROM credit_balance
         ORDER BY account",
        &[],
    )?;
    rows.iter().map(|row| Ok((AccountId(row.int(5)?), balance_of(row)?))).collect()
}

pub fn entry(tx: &mut Tx<'_>, id: &str) -> Result<Option<Entry>, RowsError> {
    let row = tx.first(
        "SELECT seq, id, account, kind, source, target, amount, rest, at, message_id, recipient,
                details FROM credit_entry WHERE id = $1",
        &[id.into()],
    )?;
    row.map(|row| entry_of(&row)).transpose()
}

/// An account's entries before one, the newest first.
pub fn entries(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<Entry>, RowsError> {
    let rows = tx.query(
        "SELECT seq, id, account, kind, source, target, amount, rest, at, message_id, recipient,
                details FROM credit_entry WHERE account = $1 AND seq < $2
         ORDER BY seq DESC LIMIT $3",
        &[account.0.into(), before.unwrap_or(i64::MAX).into(), (most as i64).into()],
    )?;
    rows.iter().map(|row| entry_of(row)).collect()
}

/// Every entry, account by account, the earliest first.
pub fn visit(
    tx: &mut Tx<'_>,
    look: &mut dyn FnMut(Entry) -> Result<(), RowsError>,
) -> Result<(), RowsError> {
    tx.visit(
        "SELECT seq, id, account, kind, source, target, amount, rest, at, message_id, recipient,
                details FROM credit_entry ORDER BY account, seq",
        &[],
        &mut |row| {
            look(entry_of(row)?)?;
            Ok(true)
        },
    )
}

/// The sum of all postings of each ledger, over all who hold one.
pub fn sums(tx: &mut Tx<'_>) -> Result<Vec<(Ledger, i64)>, RowsError> {
    let rows = tx.query(
        "SELECT ledger, CAST(SUM(amount) AS BIGINT) FROM credit_posting
         GROUP BY ledger ORDER BY ledger",
        &[],
    )?;
    rows.iter().map(|row| Ok((Ledger::parse(row.text(0)?)?, row.int(1)?))).collect()
}

/// Lays in that somebody is to be told of a balance.
pub fn lay_in_low(tx: &mut Tx<'_>, low: &Low) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO credit_low (account, ledger, rest, threshold, at) VALUES ($1, $2, $3, $4, $5)",
        &[
            low.account.0.into(),
            low.ledger.word().into(),
            low.rest.into(),
            low.threshold.into(),
            low.at.millis().into(),
        ],
    )?;
    Ok(())
}

/// Of what somebody is to be told, the earliest first.
pub fn lows(tx: &mut Tx<'_>, most: usize) -> Result<Vec<Low>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, ledger, rest, threshold, at FROM credit_low ORDER BY id LIMIT $1",
        &[(most as i64).into()],
    )?;
    let low = |row: &Row| {
        Ok(Low {
            id: row.int(0)?,
            account: AccountId(row.int(1)?),
            ledger: Ledger::parse(row.text(2)?)?,
            rest: row.int(3)?,
            threshold: row.int(4)?,
            at: Timestamp::from_millis(row.int(5)?),
        })
    };
    rows.iter().map(low).collect()
}

/// He was told. Says whether this was the time.
pub fn told_low(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM credit_low WHERE id = $1", &[id.into()])? == 1)
}

fn moves(new: &NewEntry<'_>) -> Balance {
    let mut by = Balance::default();
    by.put(new.from, -new.amount);
    by.put(new.to, new.amount);
    by
}

fn balance_of(row: &Row) -> Result<Balance, RowsError> {
    Ok(Balance {
        available: row.int(0)?,
        reserved: row.int(1)?,
        spent: row.int(2)?,
        sms: row.int(3)?,
        sms_spent: row.int(4)?,
    })
}

fn entry_of(row: &dyn Columns) -> Result<Entry, RowsError> {
    let recipient = match row.is_null(10) {
        true => None,
        false => Some(row.int(10)? as usize),
    };
    Ok(Entry {
        seq: row.int(0)?,
        id: row.text(1)?.into_owned(),
        account: AccountId(row.int(2)?),
        kind: Kind::parse(&row.text(3)?)?,
        from: Ledger::parse(&row.text(4)?)?,
        to: Ledger::parse(&row.text(5)?)?,
        amount: row.int(6)?,
        rest: row.int(7)?,
        at: Timestamp::from_millis(row.int(8)?),
        message: row.opt_text(9)?.map(|text| text.into_owned()),
        recipient,
        details: row.text(11)?.into_owned(),
    })
}
