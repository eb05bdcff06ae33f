//! Rows of accounts, and of their registered certificates.

use super::StoreError;
use super::rows::{Row, RowsError, Tx};
use crate::wire::address::lookalike;
use crate::wire::{AccountId, HolderId, KepDomain, MailboxId, Timestamp};

/// An account that is to be opened; the registry gives the words their meaning.
#[derive(Clone, Debug)]
pub struct AccountRow {
    pub id: AccountId,
    pub address: String,
    pub name: String,
    pub national_id: Option<String>,
    pub state: String,
    pub opening: String,
    pub signature_policy: String,
    pub password: String,
    pub created_at: Timestamp,
    /// Since when it is closed, while it is.
    pub closed_at: Option<Timestamp>,
}

/// An account that is there.
#[derive(Clone, Debug)]
pub struct KnownAccount {
    pub id: AccountId,
    pub address: String,
    pub name: String,
    pub national_id: Option<String>,
    pub opening: String,
    pub signature_policy: String,
    pub password: String,
    pub created_at: Timestamp,
    pub standing: StandingRow,
    pub holder: Option<HolderId>,
}

/// What an account is now: a word, and what belongs to it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StandingRow {
    pub state: String,
    pub service: String,
    /// Since when it is closed, while it is.
    pub closed_at: Option<Timestamp>,
    /// Since when it is suspended, closing or ended.
    pub since: Option<Timestamp>,
    /// When its closing completes by itself.
    pub completes_at: Option<Timestamp>,
    /// Why it is suspended.
    pub reason: Option<String>,
}

pub fn add(tx: &mut Tx<'_>, new: &AccountRow) -> Result<AccountId, StoreError> {
    let row = tx.first(
        "INSERT INTO account (address, name, national_id, state, opening, signature_policy,
                              password, created_at, lookalike)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (address) DO NOTHING RETURNING id",
        &[
            (&new.address).into(),
            (&new.name).into(),
            new.national_id.as_deref().into(),
            (&new.state).into(),
            (&new.opening).into(),
            (&new.signature_policy).into(),
            (&new.password).into(),
            new.created_at.millis().into(),
            (&lookalike(&new.address)).into(),
        ],
    )?;
    match row {
        Some(row) => Ok(AccountId(row.int(0)?)),
        None => Err(StoreError::Exists(new.address.clone())),
    }
}

pub fn by_address(tx: &mut Tx<'_>, address: &str) -> Result<Option<KnownAccount>, RowsError> {
    let row = tx.first(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account WHERE address = $1",
        &[address.into()],
    )?;
    row.as_ref().map(account).transpose()
}

pub fn by_id(tx: &mut Tx<'_>, id: AccountId) -> Result<KnownAccount, RowsError> {
    let row = tx.one(
        "account",
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account WHERE id = $1",
        &[id.0.into()],
    )?;
    account(&row)
}

/// An account's standing alone.
pub fn standing(tx: &mut Tx<'_>, id: AccountId) -> Result<StandingRow, RowsError> {
    let sql =
        "SELECT state, service, closed_at, state_since, completes_at, state_reason FROM account
               WHERE id = $1";
    standing_of(&tx.one("account", sql, &[id.0.into()])?, 0)
}

pub fn all(tx: &mut Tx<'_>) -> Result<Vec<KnownAccount>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account ORDER BY address",
        &[],
    )?;
    rows.iter().map(account).collect()
}

/// Those with an address in that domain itself, in the order of their addresses.
pub fn in_domain(tx: &mut Tx<'_>, domain: &KepDomain) -> Result<Vec<KnownAccount>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account WHERE address LIKE $1 ORDER BY address",
        &[(&format!("%@{domain}")).into()],
    )?;
    rows.iter().map(account).collect()
}

/// In the order of their addresses, those behind one.
pub fn page(tx: &mut Tx<'_>, after: &str, most: usize) -> Result<Vec<KnownAccount>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account WHERE address > $1 ORDER BY address LIMIT $2",
        &[after.into(), (most as i64).into()],
    )?;
    rows.iter().map(account).collect()
}

/// Locks an account's row until the end of the transaction, where several processes share the rows.
pub fn lock(tx: &mut Tx<'_>, id: AccountId) -> Result<(), RowsError> {
    if tx.shared() {
        tx.execute("UPDATE account SET state = state WHERE id = $1", &[id.0.into()])?;
    }
    Ok(())
}

pub fn set_state(
    tx: &mut Tx<'_>,
    id: AccountId,
    state: &str,
    closed_at: Option<Timestamp>,
) -> Result<(), RowsError> {
    let row = StandingRow { state: state.to_owned(), closed_at, ..StandingRow::default() };
    set_standing(tx, id, &row)
}

/// All but the service.
pub fn set_standing(tx: &mut Tx<'_>, id: AccountId, row: &StandingRow) -> Result<(), RowsError> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::millis);
    tx.execute(
        "UPDATE account SET state = $1, closed_at = $2, state_since = $3, completes_at = $4,
                            state_reason = $5
         WHERE id = $6",
        &[
            (&row.state).into(),
            millis(row.closed_at).into(),
            millis(row.since).into(),
            millis(row.completes_at).into(),
            row.reason.as_deref().into(),
            id.0.into(),
        ],
    )?;
    wake(tx, id)
}

pub fn set_service(tx: &mut Tx<'_>, id: AccountId, service: &str) -> Result<(), RowsError> {
    tx.execute("UPDATE account SET service = $1 WHERE id = $2", &[service.into(), id.0.into()])?;
    wake(tx, id)
}

/// Whose it is, as evidence and certificates name him.
pub fn set_holder(
    tx: &mut Tx<'_>,
    id: AccountId,
    holder: HolderId,
    name: &str,
    number: Option<&str>,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account SET holder = $1, name = $2, national_id = $3 WHERE id = $4",
        &[holder.0.into(), name.into(), number.into(), id.0.into()],
    )?;
    Ok(())
}

/// Every session of the account looks for itself: whether it may stay, above all.
pub fn wake(tx: &mut Tx<'_>, id: AccountId) -> Result<(), RowsError> {
    tx.wakes.account(id);
    for row in tx.query("SELECT id FROM mailbox WHERE account = $1", &[id.0.into()])? {
        tx.wakes.mailbox(MailboxId(row.int(0)?));
    }
    Ok(())
}

pub fn set_password(
    tx: &mut Tx<'_>,
    id: AccountId,
    password: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account SET password = $1, password_at = $2 WHERE id = $3",
        &[password.into(), now.millis().into(), id.0.into()],
    )?;
    Ok(())
}

/// Since when the account's password holds.
pub fn password_at(tx: &mut Tx<'_>, id: AccountId) -> Result<Timestamp, RowsError> {
    let row = tx.one("account", "SELECT password_at FROM account WHERE id = $1", &[id.0.into()])?;
    Ok(Timestamp::from_millis(row.int(0)?))
}

pub fn set_opening(tx: &mut Tx<'_>, id: AccountId, opening: &str) -> Result<(), RowsError> {
    tx.execute("UPDATE account SET opening = $1 WHERE id = $2", &[opening.into(), id.0.into()])?;
    Ok(())
}

pub fn set_signature_policy(tx: &mut Tx<'_>, id: AccountId, policy: &str) -> Result<(), RowsError> {
    tx.execute(
        "UPDATE account SET signature_policy = $1 WHERE id = $2",
        &[policy.into(), id.0.into()],
    )?;
    Ok(())
}

pub fn add_certificate(
    tx: &mut Tx<'_>,
    id: AccountId,
    fingerprint: &[u8],
    certificate: &[u8],
    uses: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO account_certificate (account, fingerprint, certificate, uses, added_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (account, fingerprint) DO UPDATE SET uses = excluded.uses,
             operator = CASE WHEN EXISTS (
                 SELECT 1 FROM operator o WHERE o.account = account_certificate.account
                 AND o.code = account_certificate.operator AND o.ended_at IS NOT NULL)
                 THEN 0 ELSE account_certificate.operator END",
        &[id.0.into(), fingerprint.into(), certificate.into(), uses.into(), now.millis().into()],
    )?;
    Ok(())
}

pub fn remove_certificate(
    tx: &mut Tx<'_>,
    id: AccountId,
    fingerprint: &[u8],
) -> Result<bool, RowsError> {
    let removed = tx.execute(
        "DELETE FROM account_certificate WHERE account = $1 AND fingerprint = $2",
        &[id.0.into(), fingerprint.into()],
    )?;
    Ok(removed == 1)
}

/// The accounts for which a certificate of this fingerprint is registered to log in.
pub fn with_certificate(
    tx: &mut Tx<'_>,
    fingerprint: &[u8],
) -> Result<Vec<KnownAccount>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account
         WHERE id IN (SELECT c.account FROM account_certificate c
                      WHERE c.fingerprint = $1 AND c.uses <> 'sign'
                      AND NOT EXISTS (SELECT 1 FROM operator o WHERE o.account = c.account
                                      AND o.code = c.operator AND o.ended_at IS NOT NULL))
         ORDER BY id LIMIT 2",
        &[fingerprint.into()],
    )?;
    rows.iter().map(account).collect()
}

/// Each certificate that is registered for the holder to sign, as DER; operators' are theirs alone.
pub fn certificates(tx: &mut Tx<'_>, id: AccountId) -> Result<Vec<Vec<u8>>, RowsError> {
    let rows = tx.query(
        "SELECT certificate FROM account_certificate
         WHERE account = $1 AND uses <> 'login' AND operator = 0 ORDER BY added_at",
        &[id.0.into()],
    )?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

/// All that are registered, as DER, each with what it is for; none of operators that have ended.
pub fn all_certificates(
    tx: &mut Tx<'_>,
    id: AccountId,
) -> Result<Vec<(Vec<u8>, String)>, RowsError> {
    let rows = tx.query(
        "SELECT certificate, uses FROM account_certificate c WHERE account = $1
           AND NOT EXISTS (SELECT 1 FROM operator o WHERE o.account = c.account
                           AND o.code = c.operator AND o.ended_at IS NOT NULL)
         ORDER BY added_at",
        &[id.0.into()],
    )?;
    rows.iter().map(|row| Ok((row.bytes(0)?.to_vec(), row.text(1)?.to_owned()))).collect()
}

/// The accounts for which a certificate is registered to sign, and those of its holder's number.
pub fn of_signer(
    tx: &mut Tx<'_>,
    fingerprint: &[u8],
    number: Option<&str>,
) -> Result<Vec<KnownAccount>, RowsError> {
    let rows = tx.query(
        "SELECT id, address, name, national_id, opening, signature_policy, password, created_at,
                holder, state, service, closed_at, state_since, completes_at, state_reason
         FROM account
         WHERE id IN (SELECT account FROM account_certificate
                      WHERE fingerprint = $1 AND uses <> 'login' AND operator = 0)
            OR national_id = $2
         ORDER BY address LIMIT 100",
        &[fingerprint.into(), number.into()],
    )?;
    rows.iter().map(account).collect()
}

fn account(row: &Row) -> Result<KnownAccount, RowsError> {
    Ok(KnownAccount {
        id: AccountId(row.int(0)?),
        address: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        national_id: row.opt_text(3)?.map(str::to_owned),
        opening: row.text(4)?.to_owned(),
        signature_policy: row.text(5)?.to_owned(),
        password: row.text(6)?.to_owned(),
        created_at: Timestamp::from_millis(row.int(7)?),
        holder: row.opt_int(8)?.map(HolderId),
        standing: standing_of(row, 9)?,
    })
}

fn standing_of(row: &Row, from: usize) -> Result<StandingRow, RowsError> {
    let time = |column: usize| Ok::<_, RowsError>(row.opt_int(column)?.map(Timestamp::from_millis));
    Ok(StandingRow {
        state: row.text(from)?.to_owned(),
        service: row.text(from + 1)?.to_owned(),
        closed_at: time(from + 2)?,
        since: time(from + 3)?,
        completes_at: time(from + 4)?,
        reason: row.opt_text(from + 5)?.map(str::to_owned),
    })
}
