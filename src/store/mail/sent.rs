//! The sender's copy of a submission, as his program knows it.

use super::view::Mailbox;
use crate::store::rows::{RowsError, Tx};
use crate::wire::imap::{Keywords, Uid};
use crate::wire::{AccountId, MessageId};

/// A submission's copy in `Giden Kutusu`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentCopy {
    pub message: MessageId,
    /// Where it stood when it was laid in.
    pub uid: Option<Uid>,
    /// The sender's program put it there; otherwise the server did.
    pub by_client: bool,
}

/// The newest submission that the account's program knows by this Message-ID.
pub fn find(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<Option<SentCopy>, RowsError> {
    let row = tx.first(
        "SELECT message_id, sent_uid, sent_by_client FROM submission
         WHERE account = $1 AND ua_message_id = $2 ORDER BY accepted_at DESC LIMIT 1",
        &[account.0.into(), ua_message_id.into()],
    )?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(SentCopy {
        message: crate::store::submissions::message_id(row.text(0)?)?,
        uid: row.opt_int(1)?.and_then(|uid| Uid::try_from(uid).ok()),
        by_client: row.int(2)? != 0,
    }))
}

/// All keywords on the account's copies of a message, wherever they were moved meanwhile.
pub fn keywords(tx: &mut Tx<'_>, of: &Mailbox, message: &MessageId) -> Result<Keywords, RowsError> {
    let rows = tx.query(
        "SELECT m.keywords FROM message m JOIN mailbox b ON b.id = m.mailbox
         WHERE m.message_id = $1 AND b.account = $2 AND m.kind = 'plain' AND m.source IS NULL
         ORDER BY m.uid",
        &[message.as_str().into(), of.account.0.into()],
    )?;
    let mut all = Keywords::default();
    for row in &rows {
        all = all.with(&Keywords::from_stored(row.text(0)?));
    }
    Ok(all)
}
