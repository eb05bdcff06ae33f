//! Lays evidence in, once however often it comes.

use super::{Fitting, Laid, MOST_OF_EACH, fit, keep, message};
use crate::accept::ask::SubmitAnswer;
use crate::accept::refusal::Refusal;
use crate::accept::relay::incoming;
use crate::accept::relay::run::{Desk, Taken, Trouble};
use crate::certify::foreign::EvidenceMail;
use crate::store::evidence::{self as rows, Material};
use crate::store::mail::{Kind, NewMessage};
use crate::store::submissions::{self, Origin, Recipient, Submission};
use crate::store::{StoreError, Tx};
use crate::wire::{KepDomain, MessageId};

pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    mail: &[u8],
    returned: EvidenceMail,
    peer: &KepDomain,
    kept: Vec<Material>,
) -> Taken {
    let id = message(&returned)?;
    let (submission, recipients) = ours(desk, &id).await?;
    let Origin::Account(sender) = submission.origin else {
        return Err(Refusal::EvidenceOfNothing(id.to_string()).into());
    };
    let now = desk.clock.now();
    let mut fitting = Vec::with_capacity(returned.told.len());
    for told in &returned.told {
        let about = fit(told, &submission, &recipients, peer)?;
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
