//! Rows of what people log in by, and of their sessions. None of them can be turned back into its
//! secret without the master key.

pub mod certificates;
pub mod challenges;
pub mod passkeys;
pub mod sessions;
pub mod totp;
pub mod tries;

use super::rows::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

/// Whose a row is: the holder of an account (operator 0), or one of its operators.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OwnerKey {
    pub account: AccountId,
    pub operator: i64,
}

/// Whether two factors are asked of this one; `None` where nobody has chosen.
pub fn two_factors(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<Option<bool>, RowsError> {
    let row = tx.first(
        "SELECT two_factors FROM login_choice WHERE account = $1 AND operator = $2",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    row.map(|row| Ok(row.int(0)? != 0)).transpose()
}

pub fn set_two_factors(tx: &mut Tx<'_>, owner: OwnerKey, two: bool) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO login_choice (account, operator, two_factors) VALUES ($1, $2, $3)
         ON CONFLICT (account, operator) DO UPDATE SET two_factors = excluded.two_factors",
        &[owner.account.0.into(), owner.operator.into(), two.into()],
    )?;
    Ok(())
}

/// The verifier of an operator's password.
pub fn operator_password(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<Option<String>, RowsError> {
    let row = tx.first(
        "SELECT verifier FROM operator_password WHERE account = $1 AND operator = $2",
        &[owner.account.0.into(), owner.operator.into()],
    )?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

pub fn set_operator_password(
    tx: &mut Tx<'_>,
    owner: OwnerKey,
    verifier: &str,
    at: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO operator_password (account, operator, verifier, changed_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (account, operator)
         DO UPDATE SET verifier = excluded.verifier, changed_at = excluded.changed_at",
        &[owner.account.0.into(), owner.operator.into(), verifier.into(), at.millis().into()],
    )?;
    Ok(())
}

/// All that an operator logs in by goes with him.
pub fn forget(tx: &mut Tx<'_>, owner: OwnerKey) -> Result<(), RowsError> {
    let of = [owner.account.0.into(), owner.operator.into()];
    tx.execute("DELETE FROM totp WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM backup_code WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM passkey WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM login_choice WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM operator_password WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM login_session WHERE account = $1 AND operator = $2", &of)?;
    tx.execute("DELETE FROM login_challenge WHERE account = $1 AND operator = $2", &of)?;
    Ok(())
}

/// What there was that programs and certificates came in by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forgotten {
    pub app_passwords: u64,
    pub certificates: u64,
}

/// The holder's own factors, his certificates, and every password of a program.
pub fn forget_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Forgotten, RowsError> {
    forget(tx, OwnerKey { account, operator: 0 })?;
    let of = [account.0.into()];
    let app_passwords = tx.execute("DELETE FROM app_password WHERE account = $1", &of)?;
    // Those of operators stay known as theirs.
    let sql = "DELETE FROM account_certificate WHERE account = $1 AND operator = 0";
    Ok(Forgotten { app_passwords, certificates: tx.execute(sql, &of)? })
}
