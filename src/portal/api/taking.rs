//! What is taken away: whether an operator may, and that it stands in the audit with his name, as over IMAP
//! (docs/operators.md).

use super::call::{Answered, Call};
use crate::registry::audit;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde_json::json;

/// To be asked in the transaction that takes it away, before it does. `to`: the mailbox that it goes into, which
/// is the trash or under it; none where it goes for good.
pub fn takes_away(tx: &mut Tx<'_>, call: &Call, to: Option<&str>) -> Answered<()> {
    let Some(operator) = call.operator() else { return Ok(()) };
    call.on_duty(Act::Delete)?;
    let details = json!({ "operator": operator.code.to_string(), "to": to });
    audit::record(tx, &call.by()?, "mail.delete", call.account()?.address.as_str(), details)?;
    Ok(())
}
