//! Which messages are recent (RFC 3501 §2.3.2): those that no session was told of yet which selected
//! their mailbox to change it. One UID a mailbox tells, since UIDs only grow.

use super::lock;
use crate::store::rows::{RowsError, Tx};
use crate::wire::MailboxId;
use crate::wire::imap::Uid;

/// What comes before `next` is told now, and recent to nobody any more but who asks: to him from the UID
/// on that this gives, and not at all if that is `next` or more. The mod-sequence stays.
pub fn claim(tx: &mut Tx<'_>, mailbox: MailboxId, next: Uid) -> Result<Uid, RowsError> {
    lock(tx, mailbox)?;
    let row = tx.first("SELECT recent_from FROM mailbox WHERE id = $1", &[mailbox.0.into()])?;
    let Some(row) = row else { return Ok(next) };
    let from = u32::try_from(row.int(0)?).map_err(|_| RowsError::Stored("a UID"))?;
    if from < next {
        tx.execute(
            "UPDATE mailbox SET recent_from = $1 WHERE id = $2",
            &[i64::from(next).into(), mailbox.0.into()],
        )?;
    }
    Ok(from)
}
