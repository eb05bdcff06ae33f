//! Rows of the places where people are told outside KEP.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// A place; the registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetRow {
    pub id: i64,
    pub account: AccountId,
    pub channel: String,
    pub target: String,
    pub language: String,
    pub events: String,
    /// Minutes of the day.
    pub quiet: Option<(i64, i64)>,
    /// His name, from when, until when.
    pub deputy: Option<(String, Timestamp, Timestamp)>,
    pub added_at: Timestamp,
    pub verified_at: Option<Timestamp>,
}

/// The code that was sent last to a place.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeRow {
    pub digest: Vec<u8>,
    pub sent_at: Timestamp,
    pub tries: i64,
}

/// `None` when the account has it already.
pub fn add(tx: &mut Tx<'_>, new: &TargetRow) -> Result<Option<i64>, RowsError> {
    let (deputy, from, until) = columns(new);
    let row = tx.first(
        "INSERT INTO notice_target (account, channel, target, language, events, quiet_from,
                                    quiet_until, deputy, away_from, away_until, added_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (account, channel, target) DO NOTHING RETURNING id",
        &[
            new.account.0.into(),
            (&new.channel).into(),
            (&new.target).into(),
            (&new.language).into(),
            (&new.events).into(),
            new.quiet.map(|quiet| quiet.0).into(),
            new.quiet.map(|quiet| quiet.1).into(),
            deputy.into(),
            from.into(),
            until.into(),
            new.added_at.millis().into(),
        ],
    )?;
    row.map(|row| row.int(0)).transpose()
}

/// What may change of it: all but where it is. That it is proven may be taken back, and with that the code that
/// was sent last.
pub fn change(tx: &mut Tx<'_>, row: &TargetRow) -> Result<(), RowsError> {
    let (deputy, from, until) = columns(row);
    tx.execute(
        "UPDATE notice_target SET language = $1, events = $2, quiet_from = $3, quiet_until = $4,
                                  deputy = $5, away_from = $6, away_until = $7,
                                  verified_at = $8 WHERE id = $9",
        &[
            (&row.language).into(),
            (&row.events).into(),
            row.quiet.map(|quiet| quiet.0).into(),
            row.quiet.map(|quiet| quiet.1).into(),
            deputy.into(),
            from.into(),
            until.into(),
            row.verified_at.map(Timestamp::millis).into(),
            row.id.into(),
        ],
    )?;
    Ok(())
}

pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<TargetRow>, RowsError> {
    let rows = tx.query(
        "SELECT id, account, channel, target, language, events, quiet_from, quiet_until, deputy,
                away_from, away_until, added_at, verified_at
         FROM notice_target WHERE account = $1 ORDER BY channel, target",
        &[account.0.into()],
    )?;
    rows.iter().map(target).collect()
}

/// Those of the accounts behind `after` that have a proven place, in order.
pub fn accounts(
    tx: &mut Tx<'_>,
    after: AccountId,
    limit: usize,
) -> Result<Vec<AccountId>, RowsError> {
    let rows = tx.query(
        "SELECT DISTINCT account FROM notice_target
         WHERE account > $1 AND verified_at IS NOT NULL ORDER BY account LIMIT $2",
        &[after.0.into(), (limit as i64).into()],
    )?;
    rows.iter().map(|row| row.int(0).map(AccountId)).collect()
}

pub fn remove(tx: &mut Tx<'_>, id: i64) -> Result<bool, RowsError> {
    Ok(tx.execute("DELETE FROM notice_target WHERE id = $1", &[id.into()])? == 1)
}

/// All of an account; how many there were.
pub fn remove_all(tx: &mut Tx<'_>, account: AccountId) -> Result<u64, RowsError> {
    tx.execute("DELETE FROM notice_target WHERE account = $1", &[account.0.into()])
}

/// A new code takes the old one's place.
pub fn set_code(
    tx: &mut Tx<'_>,
    id: i64,
    digest: &[u8],
    sent_at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE notice_target SET code = $1, code_at = $2, code_tries = 0 WHERE id = $3",
        &[digest.into(), sent_at.millis().into(), id.into()],
    )?;
    Ok(())
}

pub fn code(tx: &mut Tx<'_>, id: i64) -> Result<Option<CodeRow>, RowsError> {
    let row = tx.first(
        "SELECT code, code_at, code_tries FROM notice_target
         WHERE id = $1 AND code IS NOT NULL AND code_at IS NOT NULL",
        &[id.into()],
    )?;
    let of = |row: Row| {
        Ok(CodeRow {
            digest: row.bytes(0)?.to_vec(),
            sent_at: Timestamp::from_millis(row.int(1)?),
            tries: row.int(2)?,
        })
    };
    row.map(of).transpose()
}

/// What was sent last proves nothing any more.
pub fn void_code(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    let sql = "UPDATE notice_target SET code = NULL WHERE id = $1";
    tx.execute(sql, &[id.into()])?;
    Ok(())
}

/// One more code was tried.
pub fn tried(tx: &mut Tx<'_>, id: i64) -> Result<(), RowsError> {
    tx.execute("UPDATE notice_target SET code_tries = code_tries + 1 WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// The right one: it serves no second time.
pub fn verified(tx: &mut Tx<'_>, id: i64, at: Timestamp) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE notice_target SET verified_at = $1, code = NULL, code_at = NULL WHERE id = $2",
        &[at.millis().into(), id.into()],
    )?;
    Ok(())
}

/// Notes from where somebody logged in; whether others were known and this one was not.
pub fn place(
    tx: &mut Tx<'_>,
    account: AccountId,
    place: &[u8],
    at: Timestamp,
) -> Result<bool, RowsError> {
    let known = tx.execute(
        "UPDATE notice_place SET seen_at = $1 WHERE account = $2 AND place = $3",
        &[at.millis().into(), account.0.into(), place.into()],
    )?;
    if known == 1 {
        return Ok(false);
    }
    let other = tx.first(
        "SELECT account FROM notice_place WHERE account = $1 LIMIT 1",
        &[account.0.into()],
    )?;
    let added = tx.execute(
        "INSERT INTO notice_place (account, place, seen_at) VALUES ($1, $2, $3)
         ON CONFLICT (account, place) DO NOTHING",
        &[account.0.into(), place.into(), at.millis().into()],
    )?;
    Ok(other.is_some() && added == 1)
}

fn columns(row: &TargetRow) -> (Option<&str>, Option<i64>, Option<i64>) {
    let deputy = row.deputy.as_ref();
    (
        deputy.map(|(name, ..)| name.as_str()),
        deputy.map(|(_, from, _)| from.millis()),
        deputy.map(|(.., until)| until.millis()),
    )
}

fn target(row: &Row) -> Result<TargetRow, RowsError> {
    let deputy = match (row.opt_text(8)?, row.opt_int(9)?, row.opt_int(10)?) {
        (Some(name), Some(from), Some(until)) => {
            let time = Timestamp::from_millis;
            Some((name.to_owned(), time(from), time(until)))
        }
        _ => None,
    };
    Ok(TargetRow {
        id: row.int(0)?,
        account: AccountId(row.int(1)?),
        channel: row.text(2)?.to_owned(),
        target: row.text(3)?.to_owned(),
        language: row.text(4)?.to_owned(),
        events: row.text(5)?.to_owned(),
        quiet: row.opt_int(6)?.zip(row.opt_int(7)?),
        deputy,
        added_at: Timestamp::from_millis(row.int(11)?),
        verified_at: row.opt_int(12)?.map(Timestamp::from_millis),
    })
}

/// The language of the places where the holder himself is told.
pub fn set_language(tx: &mut Tx<'_>, account: AccountId, language: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE notice_target SET language = $1 WHERE account = $2 AND deputy IS NULL",
        &[language.into(), account.0.into()],
    )?;
    Ok(())
}
