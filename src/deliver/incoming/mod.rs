//! What other providers handed over, for accounts here: they are told by evidence what became of it.

mod run;

pub use run::Consigning;

use crate::spool::{self, Fact};
use crate::store::submissions::{self, Recipient, RecipientState};
use crate::store::{RowsError, Tx};
use crate::wire::{MessageId, Timestamp};

/// The provider hears that the dispatch is taken over, unless there is nobody here that it is for;
/// and of each recipient whom nobody knows here, that it is not taken over for him.
fn taken_over(tx: &mut Tx<'_>, id: &MessageId, now: Timestamp) -> Result<(), RowsError> {
    let waiting = |recipient: &Recipient| recipient.state == RecipientState::Accepted;
    let recipients = submissions::recipients(tx, id)?.into_iter().filter(waiting);
    let (here, unknown): (Vec<_>, Vec<_>) = recipients.partition(|r| r.account.is_some());
    let (message, at) = (id.to_string(), now.millis());
    if !here.is_empty() {
        spool::fact(tx, &Fact::RelayAccepted { message: message.clone(), at }, now)?;
    }
    for Recipient { n: recipient, .. } in unknown {
        if submissions::outcome(tx, id, recipient, RecipientState::Failed, now)? {
            let (message, reason) = (message.clone(), "UnknownRecipient".to_owned());
            spool::fact(tx, &Fact::RelayRejected { message, recipient, at, reason }, now)?;
        }
    }
    Ok(())
}
