//! Whether a message came in or went out, wherever its owner filed it: in `Arşiv` and the folders
//! under it it counts as the one or the other by this.

use super::Kind;
use super::view::MessageRow;
use crate::store::accounts;
use crate::store::rows::{RowsError, Tx};
use crate::wire::mime::fields::{fields, unfold};
use crate::wire::{AccountId, ContentId, MessageId};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    Incoming,
    Outgoing,
}

/// The origin of a message of the account. Dispatches and notices come in; what the account
/// submitted, evidence of that, and what it wrote goes out.
pub fn origin(tx: &mut Tx<'_>, account: AccountId, row: &MessageRow) -> Result<Origin, RowsError> {
    let own = match (row.kind, &row.message_id) {
        (Kind::Dispatch | Kind::Sealed | Kind::Stub, _) => false,
        (Kind::Plain | Kind::Evidence, Some(message)) => submitted(tx, account, message)?,
        (Kind::Plain | Kind::Evidence, None) => wrote(tx, account, row.content)?,
    };
    Ok(if own { Origin::Outgoing } else { Origin::Incoming })
}

fn submitted(tx: &mut Tx<'_>, by: AccountId, id: &MessageId) -> Result<bool, RowsError> {
    let sql = "SELECT account FROM submission WHERE message_id = $1";
    let row = tx.first(sql, &[id.as_str().into()])?;
    Ok(row.map(|row| row.int(0)).transpose()? == Some(by.0))
}

/// Whether `From` names the account: a draft, or a copy that its program keeps.
fn wrote(tx: &mut Tx<'_>, account: AccountId, content: ContentId) -> Result<bool, RowsError> {
    let sql = "SELECT header FROM outline WHERE content = $1";
    let Some(row) = tx.first(sql, &[content.0.into()])? else { return Ok(false) };
    let Some(from) = fields(row.bytes(0)?).find(|field| field.is("From")) else {
        return Ok(false);
    };
    let from = String::from_utf8_lossy(&unfold(from.value)).into_owned();
    let address = match from.rsplit_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => &from,
    };
    let own = accounts::by_id(tx, account)?.address;
    Ok(address.trim().eq_ignore_ascii_case(&own))
}
