//! What a provider hears when what it handed over does not hold.

use crate::accept::refusal::Refusal;
use crate::certify::foreign::Fault;

/// `None`: it is our own trouble.
pub(super) fn of(fault: &Fault) -> Option<Refusal> {
    Some(match fault {
        Fault::NotRem(why) => Refusal::NotRem(why.clone()),
        Fault::Seal(why) => Refusal::SealInvalid(why.clone()),
        Fault::SealCertificate(why) => Refusal::SealEnded(why.clone()),
        Fault::Evidence(why) => Refusal::EvidenceInvalid(why.clone()),
        Fault::Ahead(why) => Refusal::EvidenceAhead(why.clone()),
        Fault::Original(why) => Refusal::OriginalDiffers(why.clone()),
        Fault::Sender(address) => Refusal::SenderOfAnother(address.clone()),
        Fault::Recipient(address) => Refusal::NamedMalformed(address.clone()),
        Fault::MessageId(id) => Refusal::IdOfAnother(id.clone()),
        Fault::Judge(_) => return None,
    })
}
