//! The envelope of a mail to another provider. Pure.

use super::dialogue::{Mail, To};
use super::run::Who;
use crate::store::relay::{Kind, Queued};
use crate::store::submissions::{Recipient, RecipientState, Submission};
use crate::wire::smtp::{Notify, Orcpt, Ret};
use crate::wire::{KepAddress, KepDomain};

/// Those of a message's recipients that wait for their provider to get it.
pub fn waiting(recipients: &[Recipient], provider: &KepDomain) -> Vec<(usize, KepAddress)> {
    let waits = recipients.iter().filter(|recipient| recipient.state == RecipientState::Accepted);
    let with_it = waits.filter(|recipient| recipient.is_with(provider));
    with_it.filter_map(|to| Some((to.n, KepAddress::parse(&to.address).ok()?))).collect()
}

/// A dispatch: failures and delays are told by DSN, too, to the provider and never to the sender, who
/// gets evidence (RFC 3461; EN 319 532-4 clause 5).
pub fn dispatch(
    queued: &Queued,
    submission: &Submission,
    to: &[(usize, KepAddress)],
    who: &Who,
    octets: &[u8],
) -> Mail {
    let notify = Notify::On { success: false, failure: true, delay: true };
    let recipients = to.iter().map(|(_, address)| To {
        address: address.clone(),
        notify,
        orcpt: Some(Orcpt { kind: "rfc822".to_owned(), address: address.to_string() }),
    });
    Mail {
        requiretls: submission.details.requiretls,
        ret: Some(Ret::Headers),
        envid: Some(queued.message.to_string()),
        ..mail(who, recipients.collect(), octets)
    }
}

/// An evidence mail goes to the provider's own address; there is no receipt for a receipt.
pub fn evidence(queued: &Queued, address: KepAddress, who: &Who, octets: &[u8]) -> Mail {
    let to = To { address, notify: Notify::Never, orcpt: None };
    Mail { envid: Some(queued.evidence.clone()), ..mail(who, vec![to], octets) }
}

fn mail(who: &Who, recipients: Vec<To>, octets: &[u8]) -> Mail {
    Mail {
        helo: who.host.clone(),
        from: Some(who.service.clone()),
        recipients,
        size: octets.len() as u64,
        eight_bit: !octets.is_ascii(),
        smtputf8: false,
        requiretls: false,
        ret: None,
        envid: None,
    }
}

/// How a mail in the queue is called in the log.
pub fn name(queued: &Queued) -> &str {
    match queued.kind {
        Kind::Dispatch => queued.message.as_str(),
        Kind::Evidence => &queued.evidence,
    }
}
