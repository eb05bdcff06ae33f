//! What an operator reads: once for him and a message's content it stands in the audit, before the content
//! leaves, as over IMAP (docs/operators.md).

mod run;

pub use run::gives;

use super::call::{Answered, Call};
use crate::registry::operators::reading::{self, Given, Reader};
use crate::store::Tx;

/// Whose reading is recorded; a head alone (HEAD) gives nothing to read.
fn reader(call: &Call) -> Answered<Option<Reader>> {
    let Some(operator) = call.operator().filter(|_| !call.head) else { return Ok(None) };
    Ok(Some(Reader { account: call.account_id()?, operator: operator.code }))
}

fn record(tx: &mut Tx<'_>, call: &Call, reader: Reader, given: &[Given]) -> Answered<()> {
    let address = call.account()?.address.as_str();
    Ok(reading::record(tx, &call.by()?, address, reader, given)?)
}
