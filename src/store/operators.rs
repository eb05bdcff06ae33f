//! Rows of operators, and of whose an account's generated passwords and certificates are.

use super::rows::{Row, RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// One operator of an account; the registry gives the words their meaning.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorRow {
    pub account: AccountId,
    pub code: i64,
    pub given_name: String,
    pub surname: String,
    pub identity_number: String,
    /// Empty: nothing was said.
    pub title: String,
    pub phone: Option<String>,
    pub email: Option<String>,
    /// Words, a space between.
    pub roles: String,
    pub added_at: Timestamp,
    pub added_by: String,
    /// When, and by whom.
    pub ended: Option<(Timestamp, String)>,
    /// For a time: since when, and by whom.
    pub suspended: Option<(Timestamp, String)>,
}

/// The last code that was given; 0 when none was.
pub fn last_code(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, RowsError> {
    let sql = "SELECT COALESCE(MAX(code), 0) FROM operator WHERE account = $1";
    tx.one("count", sql, &[account.0.into()])?.int(0)
}

/// False when that person is an operator of the account already.
pub fn add(tx: &mut Tx<'_>, new: &OperatorRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO operator (account, code, given_name, surname, identity_number, phone, email,
                               roles, added_at, added_by, title)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (account, identity_number) WHERE ended_at IS NULL DO NOTHING",
        &[
            new.account.0.into(),
            new.code.into(),
            (&new.given_name).into(),
            (&new.surname).into(),
            (&new.identity_number).into(),
            new.phone.as_deref().into(),
            new.email.as_deref().into(),
            (&new.roles).into(),
            new.added_at.millis().into(),
            (&new.added_by).into(),
            (&new.title).into(),
        ],
    )?;
    Ok(added == 1)
}

pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
) -> Result<Option<OperatorRow>, RowsError> {
    let row = tx.first(
        "SELECT account, code, given_name, surname, identity_number, phone, email, roles, added_at,
                added_by, ended_at, ended_by, suspended_at, suspended_by, title
                FROM operator WHERE account = $1 AND code = $2",
        &[account.0.into(), code.into()],
    )?;
    row.as_ref().map(operator).transpose()
}

/// Those of an account, those that have ended too, by their codes.
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<OperatorRow>, RowsError> {
    let rows = tx.query(
        "SELECT account, code, given_name, surname, identity_number, phone, email, roles, added_at,
                added_by, ended_at, ended_by, suspended_at, suspended_by, title
                FROM operator WHERE account = $1 ORDER BY code",
        &[account.0.into()],
    )?;
    rows.iter().map(operator).collect()
}

/// Who of an account's operators has that identity number now.
pub fn of_person(
    tx: &mut Tx<'_>,
    account: AccountId,
    identity_number: &str,
) -> Result<Option<OperatorRow>, RowsError> {
    let row = tx.first(
        "SELECT account, code, given_name, surname, identity_number, phone, email, roles, added_at,
                added_by, ended_at, ended_by, suspended_at, suspended_by, title
                FROM operator
         WHERE account = $1 AND identity_number = $2 AND ended_at IS NULL",
        &[account.0.into(), identity_number.into()],
    )?;
    row.as_ref().map(operator).transpose()
}

/// Whether somebody of that identity number was ever an operator of the account.
pub fn was_person(
    tx: &mut Tx<'_>,
    account: AccountId,
    identity_number: &str,
) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM operator WHERE account = $1 AND identity_number = $2 LIMIT 1";
    Ok(tx.first(sql, &[account.0.into(), identity_number.into()])?.is_some())
}

/// False when there is no such operator now.
pub fn set_roles(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
    roles: &str,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE operator SET roles = $1 WHERE account = $2 AND code = $3 AND ended_at IS NULL",
        &[roles.into(), account.0.into(), code.into()],
    )?;
    super::accounts::wake(tx, account)?;
    Ok(changed == 1)
}

/// False when there is no such operator now.
pub fn set_title(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
    title: &str,
) -> Result<bool, RowsError> {
    let changed = tx.execute(
        "UPDATE operator SET title = $1 WHERE account = $2 AND code = $3 AND ended_at IS NULL",
        &[title.into(), account.0.into(), code.into()],
    )?;
    Ok(changed == 1)
}

/// Ends, with his passwords. His certificates stay known as his, so that none of them is taken for the
/// holder's. False when there is no such operator now.
pub fn end(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
    at: Timestamp,
    by: &str,
) -> Result<bool, RowsError> {
    let ended = tx.execute(
        "UPDATE operator SET ended_at = $1, ended_by = $2
         WHERE account = $3 AND code = $4 AND ended_at IS NULL",
        &[at.millis().into(), by.into(), account.0.into(), code.into()],
    )?;
    let whose = [account.0.into(), code.into()];
    tx.execute("DELETE FROM app_password WHERE account = $1 AND operator = $2", &whose)?;
    super::accounts::wake(tx, account)?;
    Ok(ended == 1)
}

/// Suspends for a time; his mail-program passwords go. False when there is no such operator who acts.
pub fn suspend(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
    at: Timestamp,
    by: &str,
) -> Result<bool, RowsError> {
    let suspended = tx.execute(
        "UPDATE operator SET suspended_at = $1, suspended_by = $2
         WHERE account = $3 AND code = $4 AND ended_at IS NULL AND suspended_at IS NULL",
        &[at.millis().into(), by.into(), account.0.into(), code.into()],
    )?;
    let whose = [account.0.into(), code.into()];
    tx.execute("DELETE FROM app_password WHERE account = $1 AND operator = $2", &whose)?;
    super::accounts::wake(tx, account)?;
    Ok(suspended == 1)
}

/// False when he is not suspended.
pub fn resume(tx: &mut Tx<'_>, account: AccountId, code: i64) -> Result<bool, RowsError> {
    let resumed = tx.execute(
        "UPDATE operator SET suspended_at = NULL, suspended_by = NULL
         WHERE account = $1 AND code = $2 AND ended_at IS NULL AND suspended_at IS NOT NULL",
        &[account.0.into(), code.into()],
    )?;
    Ok(resumed == 1)
}

/// Whether somebody is an operator of the account now, be he suspended.
pub fn any(tx: &mut Tx<'_>, account: AccountId) -> Result<bool, RowsError> {
    let sql = "SELECT 1 FROM operator WHERE account = $1 AND ended_at IS NULL LIMIT 1";
    Ok(tx.first(sql, &[account.0.into()])?.is_some())
}

/// A generated password is this operator's from now on.
pub fn give_password(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &str,
    code: i64,
) -> Result<bool, RowsError> {
    let given = tx.execute(
        "UPDATE app_password SET operator = $1 WHERE account = $2 AND id = $3",
        &[code.into(), account.0.into(), id.into()],
    )?;
    Ok(given == 1)
}

/// Whose a generated password is: 0 is the holder's.
pub fn of_password(tx: &mut Tx<'_>, account: AccountId, id: &str) -> Result<i64, RowsError> {
    let sql = "SELECT operator FROM app_password WHERE account = $1 AND id = $2";
    tx.one("password", sql, &[account.0.into(), id.into()])?.int(0)
}

/// The ids of the generated passwords of an operator.
pub fn passwords(tx: &mut Tx<'_>, account: AccountId, code: i64) -> Result<Vec<String>, RowsError> {
    let rows = tx.query(
        "SELECT id FROM app_password WHERE account = $1 AND operator = $2 ORDER BY created_at, id",
        &[account.0.into(), code.into()],
    )?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// A registered certificate is this operator's from now on.
pub fn give_certificate(
    tx: &mut Tx<'_>,
    account: AccountId,
    fingerprint: &[u8],
    code: i64,
) -> Result<bool, RowsError> {
    let given = tx.execute(
        "UPDATE account_certificate SET operator = $1 WHERE account = $2 AND fingerprint = $3",
        &[code.into(), account.0.into(), fingerprint.into()],
    )?;
    Ok(given == 1)
}

/// Whose a registered certificate is (0 is the holder's), and what it is for. `None` where none of that
/// fingerprint is registered.
pub fn of_certificate(
    tx: &mut Tx<'_>,
    account: AccountId,
    fingerprint: &[u8],
) -> Result<Option<(i64, String)>, RowsError> {
    let row = tx.first(
        "SELECT operator, uses FROM account_certificate WHERE account = $1 AND fingerprint = $2",
        &[account.0.into(), fingerprint.into()],
    )?;
    row.map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).transpose()
}

/// Each certificate of an operator, as DER.
pub fn certificates(
    tx: &mut Tx<'_>,
    account: AccountId,
    code: i64,
) -> Result<Vec<Vec<u8>>, RowsError> {
    let rows = tx.query(
        "SELECT certificate FROM account_certificate WHERE account = $1 AND operator = $2
         ORDER BY added_at",
        &[account.0.into(), code.into()],
    )?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

fn operator(row: &Row) -> Result<OperatorRow, RowsError> {
    let text = |column| Ok::<_, RowsError>(row.text(column)?.to_owned());
    let since = |at, by| match row.opt_int(at)? {
        Some(at) => {
            let by = row.opt_text(by)?.unwrap_or("").to_owned();
            Ok::<_, RowsError>(Some((Timestamp::from_millis(at), by)))
        }
        None => Ok(None),
    };
    Ok(OperatorRow {
        account: AccountId(row.int(0)?),
        code: row.int(1)?,
        given_name: text(2)?,
        surname: text(3)?,
        identity_number: text(4)?,
        phone: row.opt_text(5)?.map(str::to_owned),
        email: row.opt_text(6)?.map(str::to_owned),
        roles: text(7)?,
        added_at: Timestamp::from_millis(row.int(8)?),
        added_by: text(9)?,
        ended: since(10, 11)?,
        suspended: since(12, 13)?,
        title: text(14)?,
    })
}
