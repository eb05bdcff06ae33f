//! A holder's wish to close an account (*Hesap Askı İşlemleri*): he asks, and has our word
//! for it; he may withdraw; it completes by itself or by staff, as the policies have it; three months
//! of reading follow. The request counts from when it is recorded: a receipt that can't be
//! signed at the moment is signed later.

use super::accounts::{self, Account, RegistryError};
use super::addresses;
use super::audit::{self, By};
use super::contracts;
use super::directory;
use super::holders::Holder;
use super::holders::records::{self, name};
use super::policy;
use super::reopening;
use super::standing::{AccountState, Move, Stage};
use crate::store::closings::{self as rows, ClosingRow, ReceiptRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows};
use crate::trust::detached::{Given, Word, WordError};
use crate::wire::{AccountId, KepAddress, Timestamp};

/// A request, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closing {
    pub id: i64,
    pub requested_at: Timestamp,
    pub requested_by: String,
    pub reason: String,
    /// When it completes by itself.
    pub completes_at: Option<Timestamp>,
    pub outcome: Outcome,
    pub receipt: Option<Receipt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Open,
    Withdrawn(Timestamp),
    Completed(Timestamp),
}

/// Our word for a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// UTF-8, in Turkish and English.
    pub text: Vec<u8>,
    /// CAdES with a time stamp, over the text.
    pub signature: Vec<u8>,
    pub stamped_at: Timestamp,
}

/// Records the wish. `reason` is one line, and may be empty.
pub async fn request(
    store: &Store,
    address: &KepAddress,
    reason: &str,
    by: &By,
) -> Result<Closing, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let (address, by, reason) = (address.clone(), by.clone(), reason.to_owned());
    let work = move |tx: &mut Tx<'_>| request_in(tx, id, &address, &reason, &by);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn request_in(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    reason: &str,
    by: &By,
) -> Result<Closing, RegistryError> {
    let reason = reasoned(reason, true)?;
    let rules = policy::at(tx, by.at)?;
    let wait = rules.closing_wait.millis();
    let completes = rules.closing_by_system.then(|| by.at.plus_millis(wait));
    accounts::step_in(tx, id, address, Move::Request { completes }, by)?;
    let row = ClosingRow {
        id: 0,
        account: id,
        requested_at: by.at,
        requested_by: name(by),
        reason,
        completes_at: completes,
        outcome: None,
        decided_at: None,
        receipt: None,
    };
    let number = rows::add(tx, &row)?;
    Ok(closing(&ClosingRow { id: number, ..row })?)
}

/// Before it completes.
pub async fn withdraw(store: &Store, address: &KepAddress, by: &By) -> Result<(), RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let (address, by) = (address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| withdraw_in(tx, id, &address, &by);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn withdraw_in(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    by: &By,
) -> Result<(), RegistryError> {
    accounts::step_in(tx, id, address, Move::Withdraw, by)?;
    Ok(rows::decide(tx, id, WITHDRAWN, by.at)?)
}

/// One request of an account.
pub fn find(tx: &mut Tx<'_>, account: AccountId, id: i64) -> Result<Option<Closing>, RowsError> {
    let row = rows::find(tx, id)?.filter(|row| row.account == account);
    row.as_ref().map(closing).transpose()
}

/// Requests of an account that are older than that one, the newest first.
pub fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<Closing>, RowsError> {
    rows::page(tx, account, before.unwrap_or(i64::MAX), most)?.iter().map(closing).collect()
}

/// Closes now, whether somebody asked for it or not. Says until when it can be read.
pub async fn close(
    store: &Store,
    address: &KepAddress,
    by: &By,
) -> Result<Option<Timestamp>, RegistryError> {
    let account = accounts::get(store, address).await?;
    let by = by.clone();
    store.write(Lane::Client, move |tx: &mut Tx<'_>| close_in(tx, &account, &by)).await
}

/// The same within somebody's transaction.
pub fn close_in(
    tx: &mut Tx<'_>,
    account: &Account,
    by: &By,
) -> Result<Option<Timestamp>, RegistryError> {
    let state = accounts::step_in(tx, account.id, &account.address, Move::Close, by)?;
    rows::decide(tx, account.id, COMPLETED, state.closed_at().unwrap_or(by.at))?;
    Ok(state.readable_until())
}

/// Opens again what was closed or has ended, for its old holder alone: where he is known, his number
/// is asked for. The new check of his identity is the work of whoever does this, and who may do it
/// without an application a policy says (`account.direct`).
pub async fn reopen(
    store: &Store,
    address: &KepAddress,
    number: Option<&str>,
    by: &By,
) -> Result<(), RegistryError> {
    let account = accounts::get(store, address).await?;
    let (by, number) = (by.clone(), number.map(str::to_owned));
    let work = move |tx: &mut Tx<'_>| reopen_his(tx, &account, number.as_deref(), &by);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn reopen_his(
    tx: &mut Tx<'_>,
    account: &Account,
    number: Option<&str>,
    by: &By,
) -> Result<(), RegistryError> {
    records::direct(tx, by.at)?;
    let holder = account.holder.map(|id| records::holder(tx, id)).transpose()?;
    let known = |holder: &Holder| number.is_some_and(|no| holder.is_known_by(no));
    if holder.as_ref().is_some_and(|holder| !known(holder)) {
        return Err(RegistryError::NotTheHolder(account.address.clone()));
    }
    if reopen_in(tx, account, by)? && !contracts::goes_on(tx, account.id, by.at)? {
        contracts::begin(tx, account.id, None, by.at)?;
    }
    Ok(())
}

/// The same within the transaction of whoever has checked the holder, and without a contract. What had
/// ended begins anew. Says whether it was not open.
pub(super) fn reopen_in(
    tx: &mut Tx<'_>,
    account: &Account,
    by: &By,
) -> Result<bool, RegistryError> {
    account_rows::lock(tx, account.id)?;
    let state = AccountState::of(&account_rows::standing(tx, account.id)?)?;
    let holder = account.holder.map(|id| records::holder(tx, id)).transpose()?;
    addresses::comes_back(tx, &account.address, holder.as_ref(), by.at)?;
    let opened = accounts::step_in(tx, account.id, &account.address, Move::Reopen, by)?;
    // It had completed, and nobody had written that down.
    let done = state.at(by.at).closed_at().unwrap_or(by.at);
    rows::decide(tx, account.id, COMPLETED, done)?;
    if state.stage_at(by.at) == Stage::Ended {
        reopening::begin_anew(tx, account, by)?;
    }
    Ok(opened != state)
}

/// Writes down what time has done: a closing whose hour has come, and an account whose three months are
/// over. Says what the account is then; twice is once.
pub async fn catch_up(
    store: &Store,
    account: Account,
    by: &By,
) -> Result<AccountState, RegistryError> {
    let by = by.clone();
    store.write(Lane::Background, move |tx: &mut Tx<'_>| catch_up_in(tx, &account, &by)).await
}

/// The same within somebody's transaction.
pub(super) fn catch_up_in(
    tx: &mut Tx<'_>,
    account: &Account,
    by: &By,
) -> Result<AccountState, RegistryError> {
    account_rows::lock(tx, account.id)?;
    let state = AccountState::of(&account_rows::standing(tx, account.id)?)?;
    let reached = state.at(by.at);
    if reached != state {
        account_rows::set_standing(tx, account.id, &reached.row())?;
        directory::entry::refresh(tx, account.id, by.at)?;
        contracts::leave(tx, account.id, by.at)?;
        rows::decide(tx, account.id, COMPLETED, reached.closed_at().unwrap_or(by.at))?;
        let subject = account.address.as_str();
        audit::record(tx, by, "account.closing.complete", subject, reached.details())?;
    }
    match reached.readable_until().is_some_and(|until| by.at > until) {
        true => accounts::step_in(tx, account.id, &account.address, Move::End, by),
        false => Ok(reached),
    }
}

/// Requests of an account, the newest first.
pub async fn of(store: &Store, address: &KepAddress) -> Result<Vec<Closing>, RegistryError> {
    let id = accounts::get(store, address).await?.id;
    let all = move |tx: &mut Tx<'_>| -> Result<Vec<Closing>, RowsError> {
        rows::of_account(tx, id)?.iter().map(closing).collect()
    };
    Ok(store.read(all).await?)
}

/// Gives our word for a request; once. The receipt that is kept is the one that counts.
pub async fn sign(
    store: &Store,
    word: &Word,
    provider: &str,
    id: i64,
) -> Result<Receipt, RegistryError> {
    let load = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        let row = rows::find(tx, id)?.ok_or(RowsError::Missing("closing"))?;
        let account = accounts::account(&account_rows::by_id(tx, row.account)?)?;
        Ok((closing(&row)?, account))
    };
    let (closing, account) = store.read(load).await?;
    if let Some(receipt) = closing.receipt {
        return Ok(receipt);
    }
    let text = receipt_text(provider, &account, &closing).into_bytes();
    let given = word.give(&text).await;
    let Given { signature, stamped_at } =
        given.map_err(|error: WordError| RegistryError::Unsigned(error.to_string()))?;
    let row = ReceiptRow { text, signature, stamped_at };
    let work = move |tx: &mut Tx<'_>| -> Result<Option<Receipt>, RowsError> {
        rows::sign(tx, id, &row)?;
        Ok(rows::find(tx, id)?.and_then(|row| row.receipt).map(receipt))
    };
    let kept = store.write(Lane::Client, work).await?;
    kept.ok_or(RegistryError::NoReceipt(account.address))
}

/// What we sign: who asked for what, when, and what follows.
fn receipt_text(provider: &str, account: &Account, closing: &Closing) -> String {
    let Closing { id, requested_at, requested_by, reason, completes_at, .. } = closing;
    let (address, holder) = (&account.address, &account.name);
    let (when, iso) = (requested_at.turkish(), requested_at.iso8601());
    let reason = if reason.is_empty() { "-" } else { reason };
    let (turkish, english) = match completes_at {
        Some(hour) => {
            let closed = AccountState::Closed { since: Some(*hour) };
            let until = closed.readable_until().unwrap_or(*hour);
            let (day, last, iso) = (hour.turkish(), until.turkish_day(), hour.iso8601());
            let tr = format!(
                "Geri alınmazsa {day} saatinde tamamlanır; o andan başlayarak {last} günü sonuna kadar \
                 posta kutusu okunabilir, ileti gönderilemez."
            );
            let en = format!(
                "Unless it is withdrawn it completes at {iso}; from then to the end of {last} (Turkey) \
                 the mailbox can be read, and nothing can be sent."
            );
            (tr, en)
        }
        None => (
            "Talep sağlayıcı tarafından tamamlanır; tamamlandıktan sonra posta kutusu üç ay okunabilir, \
             ileti gönderilemez."
                .to_owned(),
            "The provider completes it; after that the mailbox can be read for three months, and nothing \
             can be sent."
                .to_owned(),
        ),
    };
    format!(
        "KEP HESABI KAPATMA TALEBİ ALINDISI / RECEIPT OF A REQUEST TO CLOSE A KEP ACCOUNT\r\n\r\n\
         Sağlayıcı / Provider: {provider}\r\n\
         Talep no / Request no: {id}\r\n\
         Hesap / Account: {address}\r\n\
         Hesap sahibi / Holder: {holder}\r\n\
         Talep eden / Requested by: {requested_by}\r\n\
         Talep zamanı / Requested at: {when} (+03:00), {iso}\r\n\
         Gerekçe / Reason: {reason}\r\n\r\n\
         {turkish}\r\n\r\n{english}\r\n"
    )
}

/// One line; empty only where that may be.
pub fn reasoned(text: &str, may_be_empty: bool) -> Result<String, RegistryError> {
    let text = text.trim();
    let sound = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    let fits = text.chars().count() <= REASON && text.chars().all(sound);
    let good = fits && (may_be_empty || !text.is_empty());
    good.then(|| text.to_owned()).ok_or(RegistryError::Reason(REASON))
}

fn closing(row: &ClosingRow) -> Result<Closing, RowsError> {
    let stored = || RowsError::Stored("the outcome of a closing");
    let outcome = match (row.outcome.as_deref(), row.decided_at) {
        (None, _) => Outcome::Open,
        (Some(WITHDRAWN), Some(at)) => Outcome::Withdrawn(at),
        (Some(COMPLETED), Some(at)) => Outcome::Completed(at),
        _ => return Err(stored()),
    };
    Ok(Closing {
        id: row.id,
        requested_at: row.requested_at,
        requested_by: row.requested_by.clone(),
        reason: row.reason.clone(),
        completes_at: row.completes_at,
        outcome,
        receipt: row.receipt.clone().map(receipt),
    })
}

fn receipt(row: ReceiptRow) -> Receipt {
    let ReceiptRow { text, signature, stamped_at } = row;
    Receipt { text, signature, stamped_at }
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Withdrawn(_) => WITHDRAWN,
            Self::Completed(_) => COMPLETED,
        }
    }
}

const WITHDRAWN: &str = "withdrawn";
const COMPLETED: &str = "completed";
const REASON: usize = 500;
