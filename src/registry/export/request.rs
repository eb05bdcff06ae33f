//! What a holder asks to take away, and fetches within a time. The archive stands nowhere: it is written
//! while it is fetched, so that nothing of it is left lying, and what came meanwhile is in it.

use super::{ExportError, Summary};
use crate::registry::audit::{self, By};
use crate::registry::policy;
use crate::store::export_requests::{self as rows, DoneRow, RequestRow};
use crate::store::{Tx, accounts};
use crate::wire::{AccountId, Timestamp};
use serde_json::json;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub id: i64,
    pub asked_by: String,
    pub asked_at: Timestamp,
    /// Not to be fetched any more.
    pub ends_at: Timestamp,
    /// How often somebody began to fetch it.
    pub begun: i64,
    pub state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It waits to be fetched.
    Open,
    /// It was fetched to its end, and may be fetched again.
    Fetched(DoneRow),
    /// Its time is over.
    Over(Option<DoneRow>),
}

impl State {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Fetched(_) => "fetched",
            Self::Over(_) => "over",
        }
    }

    pub fn fetched(&self) -> Option<&DoneRow> {
        match self {
            Self::Open => None,
            Self::Fetched(done) => Some(done),
            Self::Over(done) => done.as_ref(),
        }
    }
}

/// Asks for all that the account has.
pub fn ask(tx: &mut Tx<'_>, account: AccountId, by: &By) -> Result<Request, ExportError> {
    accounts::lock(tx, account)?;
    if rows::since(tx, account, by.at.plus_secs(-DAY_SECS))? >= MOST {
        return Err(ExportError::Many);
    }
    let open = policy::at(tx, by.at)?.export_open.millis();
    let id = rows::add(tx, account, &by.actor.to_string(), by.at, by.at.plus_millis(open))?;
    let address = accounts::by_id(tx, account)?.address;
    audit::record(tx, by, "account.export.ask", &address, json!({ "export": id }))?;
    find(tx, account, id, by.at)
}

/// Those before the one of this number, the newest first.
pub fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<i64>,
    limit: usize,
    at: Timestamp,
) -> Result<Vec<Request>, ExportError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let all = rows::of_account(tx, account, before.unwrap_or(i64::MAX), limit)?;
    Ok(all.into_iter().map(|row| request(row, at)).collect())
}

pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
    at: Timestamp,
) -> Result<Request, ExportError> {
    let row = rows::find(tx, account, id)?.ok_or(ExportError::UnknownRequest(id))?;
    Ok(request(row, at))
}

/// Whether it may be fetched now.
pub fn open(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: i64,
    at: Timestamp,
) -> Result<(), ExportError> {
    match find(tx, account, id, at)?.state {
        State::Over(_) => Err(ExportError::Over(id)),
        State::Open | State::Fetched(_) => Ok(()),
    }
}

/// Somebody fetches it: that is recorded before the first octet leaves.
pub fn begin(tx: &mut Tx<'_>, account: AccountId, id: i64, by: &By) -> Result<(), ExportError> {
    open(tx, account, id, by.at)?;
    rows::begun(tx, id)?;
    let address = accounts::by_id(tx, account)?.address;
    audit::record(tx, by, "account.export.fetch", &address, json!({ "export": id }))?;
    Ok(())
}

/// All of it was taken.
pub fn done(
    tx: &mut Tx<'_>,
    id: i64,
    summary: &Summary,
    by: &By,
    at: Timestamp,
) -> Result<(), ExportError> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let Summary { mails, unopened, evidence, .. } = *summary;
    let row =
        DoneRow { at, mails: count(mails), unopened: count(unopened), evidence: count(evidence) };
    rows::done(tx, id, &row)?;
    let details =
        json!({ "export": id, "mails": mails, "unopened": unopened, "evidence": evidence });
    let by = By { at, ..by.clone() };
    audit::record(tx, &by, "account.exported", &summary.address, details)?;
    Ok(())
}

fn request(row: RequestRow, at: Timestamp) -> Request {
    let state = match (row.ends_at <= at, row.done) {
        (true, done) => State::Over(done),
        (false, Some(done)) => State::Fetched(done),
        (false, None) => State::Open,
    };
    Request {
        id: row.id,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        ends_at: row.ends_at,
        begun: row.begun,
        state,
    }
}

/// Of an account in a day.
pub(super) const MOST: i64 = 20;
const DAY_SECS: i64 = 24 * 3600;
