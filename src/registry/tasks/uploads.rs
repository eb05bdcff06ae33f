//! Uploads: a message that an account began to hand in (SMTP DATA or BDAT, the API), and whose connection ended
//! or fell silent before its last octet. It is known by its Message-ID, where that came; nothing of it is kept.
//! Most programs try again by themselves: the message that comes whole closes the task.

use super::{DONE, NewTask, TaskKind, open, rows};
use crate::registry::policy;
use crate::store::{RowsError, Tx, submissions};
use crate::wire::{AccountId, OperatorCode, Timestamp};

/// An upload broke off. Says whether there is something to do now that was not before.
pub fn broke_off(
    tx: &mut Tx<'_>,
    account: AccountId,
    operator: Option<OperatorCode>,
    ua_message_id: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let kind = TaskKind::UploadUnfinished;
    // It had come whole before.
    if submissions::by_ua_message_id(tx, account, ua_message_id)?.is_some()
        || rows::count_open(tx, account, kind.word())? >= MOST
    {
        return Ok(false);
    }
    let due = now.plus_millis(policy::at(tx, now)?.task_upload.millis());
    let subject = ua_message_id.to_owned();
    let new = NewTask { account, kind, subject, operator, note: String::new(), due: Some(due) };
    open(tx, &new, now)
}

/// A message came whole.
pub fn arrived(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    super::done(tx, account, TaskKind::UploadUnfinished, ua_message_id, now).map(|_| ())
}

/// A message came whole and signed: what came back to be signed is sent, too.
pub fn sent(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
    now: Timestamp,
) -> Result<(), RowsError> {
    let kinds = (TaskKind::Returned.word(), TaskKind::UploadUnfinished.word());
    rows::close_both(tx, account, kinds, ua_message_id, (DONE, now)).map(|_| ())
}

/// Open ones of an account: who breaks off again and again learns nothing by more of them.
const MOST: i64 = 20;
