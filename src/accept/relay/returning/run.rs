//! Lays evidence in, once however often it comes.

use super::{Fitting, Laid, MOST_OF_EACH, fit, keep, message};
use crate::accept::ask::SubmitAnswer;
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::relay::incoming;
use crate::accept::relay::run::{Desk, Taken, before_it_closed};
use crate::certify::foreign::EvidenceMail;
use crate::registry::credits;
use crate::registry::peers::Peer;
use crate::store::evidence::{self as rows, Material};
use crate::store::mail::{Kind, NewMessage};
use crate::store::submissions::{self, Origin, Submission};
use crate::store::{BlobError, StoreError, Tx, blobs};
use crate::wire::rem::ContentDigest;
use crate::wire::xades::Hash;
use std::collections::BTreeMap;

pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    mail: &[u8],
    returned: EvidenceMail,
    peer: &Peer,
    kept: Vec<Material>,
) -> Taken {
    let id = message(&returned)?;
    let (submission, recipients) = desk.message(&id).await?;
    let Origin::Account(sender) = submission.origin else {
        return Err(Refusal::EvidenceOfNothing(id.to_string()).into());
    };
    let theirs = recipients.iter().filter(|one| one.is_with(&peer.domain)).count() as u64;
    if theirs == 0 {
        return Err(Refusal::EvidenceUnfit("nobody is with this provider".to_owned()).into());
    }
    let digests = digests(desk, &returned, &submission).await?;
    let now = desk.clock.now();
    let mut fitting = Vec::with_capacity(returned.told.len());
    for told in &returned.told {
        let about = fit(told, &submission, &digests, &recipients, &peer.domain)?;
        before_it_closed(peer, &recipients, &about)?;
        let new = incoming::evidence(&desk.store, &id, told, &peer.domain, kept.clone(), now)?;
        fitting.push(Fitting { new, event: told.evidence.event, recipients: about });
    }
    let mut message = NewMessage::of(mail, Kind::Evidence, now);
    message.message_id = Some(id.clone());
    let put = desk.store.blobs.put(mail.to_vec()).map_err(StoreError::from)?;
    let (store, origin, about) = (desk.store.clone(), peer.domain.to_string(), id.clone());
    let most = MOST_OF_EACH.saturating_mul(theirs + 1);
    let charge = submission.details.charge;
    let work = move |tx: &mut Tx<'_>| -> Result<Laid, StoreError> {
        crate::store::accounts::lock(tx, sender)?;
        submissions::lock(tx, &about)?;
        let room = most.saturating_sub(rows::from_peer(tx, &about, &origin)?);
        let payer = (sender, charge.as_ref());
        keep(tx, &store, &about, payer, (&fitting, room), (&put, &message))
    };
    match desk.write(work).await? {
        Laid::New(back) => {
            credits::count_given_back(back);
            metrics::counter!("kep_relay_in_total", "kind" => "evidence").increment(1);
            Ok(SubmitAnswer::Accepted { message_id: id })
        }
        Laid::Again => {
            tracing::info!(message = %id, from = %peer.domain, "the same evidence again");
            Ok(SubmitAnswer::AlreadyAccepted { message_id: id })
        }
        Laid::Refused(refusal) => Err(refusal.into()),
    }
}

/// What was sent by each further digest that the evidence names it by; each is worked out once.
async fn digests(
    desk: &Desk,
    returned: &EvidenceMail,
    submission: &Submission,
) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let named = returned.told.iter().filter_map(|told| told.evidence.message.digest.as_ref());
    let other = |digest: &ContentDigest| match digest {
        ContentDigest::Other { algorithm, .. } => {
            Some((algorithm.clone(), Hash::by_uri(algorithm)?))
        }
        ContentDigest::Sha256(_) => None,
    };
    let wanted: BTreeMap<_, _> = named.filter_map(other).filter(|(_, by)| !by.is_weak()).collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let id = submission.original;
    let put = desk.store.look_up(move |tx: &mut Tx<'_>| blobs::find(tx, &id)).await?;
    let of_all = || -> Result<_, BlobError> {
        let original = desk.store.blobs.read(&put)?;
        let of = |(name, hash): (String, Hash)| Some((name, hash.of(&original)?));
        Ok(wanted.into_iter().filter_map(of).collect())
    };
    Ok(heavy(put.size as usize, of_all)?)
}
