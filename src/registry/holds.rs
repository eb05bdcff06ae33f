//! Legal holds: what an authority asks to be kept of an account, two of the staff keep from being erased.
//! Its owner is shown nothing of it: what he removes is gone for him, and its content stays.

use super::audit::{self, Actor, By};
use super::staff::{self, OffDuty, StaffRole};
use crate::store::holds::{self as rows, HoldRow, Signed};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts};
use crate::wire::{AccountId, KepAddress, MessageId};
use serde_json::json;
use thiserror::Error;

pub use crate::store::holds::HoldRow as Hold;

#[derive(Debug, Error)]
pub enum HoldError {
    #[error("two of the staff place and release a hold; {0} is one")]
    OnePerson(String),
    #[error("only staff places and releases holds")]
    NotStaff,
    #[error("a reason is one line of 1 to {REASON} characters")]
    Reason,
    #[error("there is no account {0}")]
    UnknownAccount(String),
    #[error("the account has nothing of a message {0}")]
    UnknownMessage(MessageId),
    #[error("{0} is no message's identifier")]
    NoMessage(String),
    #[error("there is no hold {0} in force")]
    Unknown(i64),
    #[error(transparent)]
    OffDuty(#[from] OffDuty),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for HoldError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// From now on nothing of the account, or of one message that it has, is erased.
pub async fn place(
    store: &Store,
    by: &By,
    second: &str,
    address: &KepAddress,
    message: Option<MessageId>,
    reason: &str,
) -> Result<i64, HoldError> {
    let (by, second, address) = (by.clone(), second.to_owned(), address.clone());
    let reason = reason.to_owned();
    let work =
        move |tx: &mut Tx<'_>| place_in(tx, &by, &second, &address, message.as_ref(), &reason);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
pub fn place_in(
    tx: &mut Tx<'_>,
    by: &By,
    second: &str,
    address: &KepAddress,
    message: Option<&MessageId>,
    reason: &str,
) -> Result<i64, HoldError> {
    let (signed, reason) = (signed(tx, by, second)?, reasoned(reason)?);
    let account = holdable(tx, address, message)?;
    let id = rows::place(tx, account, message, &reason, &signed)?;
    let details = json!({
        "hold": id, "second": signed.second, "reason": reason,
        "message": message.map(MessageId::as_str),
    });
    audit::record(tx, by, "hold.place", address.as_str(), details)?;
    Ok(id)
}

/// The account, if there is something of it to hold. It is locked: nothing is removed between this and the
/// hold.
pub fn holdable(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    message: Option<&MessageId>,
) -> Result<AccountId, HoldError> {
    let account = accounts::by_address(tx, address.as_str())?;
    let account = account.ok_or_else(|| HoldError::UnknownAccount(address.to_string()))?.id;
    accounts::lock(tx, account)?;
    match message {
        Some(message) if !rows::knows(tx, account, message)? => {
            Err(HoldError::UnknownMessage(message.clone()))
        }
        _ => Ok(account),
    }
}

/// Ends a hold: what was removed meanwhile and nothing else keeps is erased now. Says how many messages.
pub async fn release(
    store: &Store,
    by: &By,
    second: &str,
    id: i64,
    reason: &str,
) -> Result<u64, HoldError> {
    let (by, second, reason) = (by.clone(), second.to_owned(), reason.to_owned());
    let work = move |tx: &mut Tx<'_>| release_in(tx, &by, &second, id, &reason);
    store.write(Lane::Client, work).await?;
    let_go(store).await
}

/// The same within somebody's transaction; what it kept is erased by the next [`let_go`].
pub fn release_in(
    tx: &mut Tx<'_>,
    by: &By,
    second: &str,
    id: i64,
    reason: &str,
) -> Result<(), HoldError> {
    let (signed, reason) = (signed(tx, by, second)?, reasoned(reason)?);
    let hold = in_force(tx, id)?;
    accounts::lock(tx, hold.account)?;
    if !rows::release(tx, id, &reason, &signed)? {
        return Err(HoldError::Unknown(id));
    }
    let details = json!({ "hold": id, "second": signed.second, "reason": reason });
    audit::record(tx, by, "hold.release", &hold.address, details)?;
    Ok(())
}

/// One that has not ended.
pub fn in_force(tx: &mut Tx<'_>, id: i64) -> Result<Hold, HoldError> {
    let hold = rows::find(tx, id)?.filter(|hold| hold.released.is_none());
    hold.ok_or(HoldError::Unknown(id))
}

/// Erases what no hold keeps any more.
pub async fn let_go(store: &Store) -> Result<u64, HoldError> {
    let mut gone = 0;
    loop {
        let (seen, some) = store.write(Lane::Background, let_some_go).await?;
        gone += some;
        // What a hold took meanwhile is not found the next time.
        if seen < UNIT {
            return Ok(gone);
        }
    }
}

/// Says how many were looked at, and how many are gone. Accounts are locked in their order, so that two who
/// do this at once don't wait for each other.
fn let_some_go(tx: &mut Tx<'_>) -> Result<(i64, u64), StoreError> {
    let unkept = rows::unkept(tx, UNIT)?;
    let (mut gone, mut locked) = (0, None);
    for one in &unkept {
        if locked.replace(one.account) != Some(one.account) {
            accounts::lock(tx, one.account)?;
        }
        gone += u64::from(rows::let_go(tx, one)?);
    }
    Ok((unkept.len() as i64, gone))
}

/// All holds, those in force first, and how many messages are kept back of each one's account.
pub async fn list(store: &Store) -> Result<Vec<(Hold, u64)>, HoldError> {
    let work = |tx: &mut Tx<'_>| -> Result<Vec<(HoldRow, u64)>, HoldError> {
        let mut all = Vec::new();
        for hold in rows::list(tx)? {
            let kept = rows::kept_back(tx, hold.account)?;
            all.push((hold, kept));
        }
        Ok(all)
    };
    store.read(work).await
}

fn signed(tx: &mut Tx<'_>, by: &By, second: &str) -> Result<Signed, HoldError> {
    let Actor::Staff(name) = &by.actor else { return Err(HoldError::NotStaff) };
    if name == second {
        return Err(HoldError::OnePerson(name.clone()));
    }
    staff::on_duty::<HoldError>(tx, name, BY)?;
    staff::on_duty::<HoldError>(tx, second, &[StaffRole::Approver])?;
    Ok(Signed { by: name.clone(), second: second.to_owned(), at: by.at })
}

fn reasoned(reason: &str) -> Result<String, HoldError> {
    let reason = reason.trim();
    let length = reason.chars().count();
    let good = (1..=REASON).contains(&length) && !reason.chars().any(char::is_control);
    good.then(|| reason.to_owned()).ok_or(HoldError::Reason)
}

/// Who has a hold placed or released; an approver is the second.
pub const BY: &[StaffRole] = &[StaffRole::Registrar, StaffRole::Approver];
/// Characters of a reason.
const REASON: usize = 500;
/// Messages let go in one unit.
const UNIT: i64 = 256;
