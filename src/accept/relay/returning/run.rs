//! Lays evidence in, once however often it comes.

use super::{Fitting, Laid, MOST_OF_EACH, before_it_closed, fit, keep, message};
use crate::accept::ask::SubmitAnswer;
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::relay::incoming;
use crate::accept::relay::run::{Desk, Taken, Trouble};
use crate::certify::foreign::EvidenceMail;
use crate::registry::peers::Peer;
use crate::store::evidence::{self as rows, Material};
use crate::store::mail::{Kind, NewMessage};
use crate::store::submissions::{self, Origin, Recipient, Submission};
use crate::store::{StoreError, Tx, blobs};
use crate::wire::MessageId;
use crate::wire::rem::ContentDigest;

pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    mail: &[u8],
    returned: EvidenceMail,
    peer: &Peer,
    kept: Vec<Material>,
) -> Taken {
    let id = message(&returned)?;
    let (submission, recipients) = ours(desk, &id).await?;
    let Origin::Account(sender) = submission.origin else {
        return Err(Refusal::EvidenceOfNothing(id.to_string()).into());
    };
    let original = original(desk, &returned, &submission).await?;
    let (now, state, peer) = (desk.clock.now(), peer.state, &peer.domain);
    let mut fitting = Vec::with_capacity(returned.told.len());
    for told in &returned.told {
        let about = heavy(original.len(), || fit(told, &submission, &original, &recipients, peer))?;
        before_it_closed(state, peer, &recipients, &about)?;
        let new = incoming::evidence(&desk.store, &id, told, peer, kept.clone(), now)?;
        fitting.push(Fitting { new, event: told.evidence.event, recipients: about });
    }
    let mut message = NewMessage::of(mail, Kind::Evidence, now);
    message.message_id = Some(id.clone());
    let put = desk.store.blobs.put(mail.to_vec()).map_err(StoreError::from)?;
    let (store, origin, about) = (desk.store.clone(), peer.to_string(), id.clone());
    let theirs = recipients.iter().filter(|one| one.is_with(peer)).count() as u64;
    let most = MOST_OF_EACH.saturating_mul(theirs + 1);
    let work = move |tx: &mut Tx<'_>| -> Result<Laid, StoreError> {
        crate::store::accounts::lock(tx, sender)?;
        submissions::lock(tx, &about)?;
        let room = most.saturating_sub(rows::from_peer(tx, &about, &origin)?);
        keep(tx, &store, &about, sender, (&fitting, room), (&put, &message))
    };
    match desk.write(work).await? {
        Laid::New => {
            metrics::counter!("kep_relay_in_total", "kind" => "evidence").increment(1);
            Ok(SubmitAnswer::Accepted { message_id: id })
        }
        Laid::Again => {
            tracing::info!(message = %id, from = %peer, "the same evidence again");
            Ok(SubmitAnswer::AlreadyAccepted { message_id: id })
        }
        Laid::Refused(refusal) => Err(refusal.into()),
    }
}

/// What was sent, where the evidence names it by another digest than the one that is kept; else nothing.
async fn original(
    desk: &Desk,
    returned: &EvidenceMail,
    submission: &Submission,
) -> Result<Vec<u8>, StoreError> {
    let digests = returned.told.iter().filter_map(|told| told.evidence.message.digest.as_ref());
    if !digests.into_iter().any(|digest| matches!(digest, ContentDigest::Other { .. })) {
        return Ok(Vec::new());
    }
    let id = submission.original;
    let put = desk.store.look_up(move |tx: &mut Tx<'_>| blobs::find(tx, &id)).await?;
    Ok(heavy(put.size as usize, || desk.store.blobs.read(&put))?.to_vec())
}

async fn ours(desk: &Desk, id: &MessageId) -> Result<(Submission, Vec<Recipient>), Trouble> {
    let wanted = id.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((submissions::find(tx, &wanted)?, submissions::recipients(tx, &wanted)?))
    };
    match desk.store.look_up(work).await? {
        (Some(submission), recipients) => Ok((submission, recipients)),
        (None, _) => Err(Refusal::EvidenceOfNothing(id.to_string()).into()),
    }
}
