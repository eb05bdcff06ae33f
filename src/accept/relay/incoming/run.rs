//! Lays a dispatch in, once however often it comes.

use super::{MOST_UNKNOWN, content, evidence, put, recipients, submission, too_many_unknown};
use crate::accept::ask::{Envelope, SubmitAnswer};
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::relay::run::{Desk, Taken, Trouble};
use crate::certify::foreign::Dispatch;
use crate::spool::{self, Fact};
use crate::store::evidence::{self as rows, Material};
use crate::store::submissions::{self, Origin, Recipient, RecipientState};
use crate::store::{RowsError, StoreError, Tx};
use crate::wire::{Digest, KepAddress, KepDomain, MessageId, Timestamp, sha256};
use std::collections::BTreeSet;

pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    envelope: &Envelope<Option<KepDomain>>,
    mail: &[u8],
    dispatch: Dispatch,
    peer: &KepDomain,
    kept: Vec<Material>,
) -> Taken {
    let Dispatch { id, recipients: named, original, acceptance, .. } = &dispatch;
    let addressed: BTreeSet<KepAddress> =
        envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect();
    if let Some(stranger) = addressed.iter().find(|address| !named.contains(address)) {
        return Err(Refusal::NotNamed(stranger.to_string()).into());
    }
    let digest = heavy(mail.len(), || sha256(original.octets(mail)));
    // Of what has nothing new in it, the answer is known, with or without a scanner.
    let infected = match is_served(desk, id, peer, digest, &addressed).await? {
        true => None,
        false => desk.scanned(mail).await?,
    };
    // Most that comes again is noticed before anything is written.
    if let Some(answer) = again(desk, id, peer, digest, (&addressed, &infected)).await? {
        return Ok(answer);
    }
    let pieces = heavy(mail.len(), || put(&desk.store, mail, original))?;
    let now = desk.clock.now();
    let new = submission(&dispatch, peer, pieces.original, original.octets(mail));
    let evidence = evidence(&desk.store, id, acceptance, peer, kept, now)?;
    let (store, known, whole) = (desk.store.clone(), named.clone(), pieces.dispatch);
    let (domain, ours) = (desk.provider.domain.clone(), addressed.clone());
    let reason = infected.as_ref().map(Refusal::event_reason);
    let work = move |tx: &mut Tx<'_>| -> Result<Laid, StoreError> {
        let mut new = new.clone();
        new.recipients = recipients(tx, &known, &ours, &domain)?;
        if too_many_unknown(new.recipients.iter().map(|one| (one.state, one.account.as_ref()))) {
            return Ok(Laid::UnknownMany);
        }
        if submissions::lay_in(tx, &store.blobs, &new)?.is_err() {
            return Ok(Laid::Again);
        }
        let content = content(tx, &store, &new.original, &whole)?;
        submissions::dispatched(tx, &new.message_id, content)?;
        rows::append(tx, &store.blobs, &evidence)?;
        go_on(tx, &new.message_id, reason, now)?;
        Ok(Laid::New)
    };
    match desk.write(work).await? {
        Laid::New => {
            let kind = match &infected {
                None => "dispatch",
                Some(refusal) => {
                    tracing::warn!(message = %id, from = %peer, %refusal, "not taken over");
                    "infected"
                }
            };
            tracing::info!(message = %id, from = %peer, kind, "handed over");
            metrics::counter!("kep_relay_in_total", "kind" => kind).increment(1);
            Ok(SubmitAnswer::Accepted { message_id: id.clone() })
        }
        Laid::UnknownMany => Err(unknown_many()),
        Laid::Again => {
            let answer = again(desk, id, peer, digest, (&addressed, &infected)).await?;
            answer.ok_or_else(|| RowsError::Missing("submission").into())
        }
    }
}

/// Into the mailboxes; or, of what must not come there, evidence for its provider that it is not taken
/// over, for each recipient.
fn go_on(
    tx: &mut Tx<'_>,
    id: &MessageId,
    reason: Option<&'static str>,
    now: Timestamp,
) -> Result<(), RowsError> {
    let Some(reason) = reason else { return spool::consign(tx, id, now) };
    for Recipient { n: recipient, state, .. } in submissions::recipients(tx, id)? {
        if state == RecipientState::Accepted
            && submissions::outcome(tx, id, recipient, RecipientState::Failed, now)?
        {
            let (message, reason, at) = (id.to_string(), reason.to_owned(), now.millis());
            spool::fact(tx, &Fact::RelayRejected { message, recipient, at, reason }, now)?;
        }
    }
    Ok(())
}

/// Whether it was taken before, for all of them.
async fn is_served(
    desk: &Desk,
    id: &MessageId,
    peer: &KepDomain,
    digest: Digest,
    addressed: &BTreeSet<KepAddress>,
) -> Result<bool, Trouble> {
    let wanted = id.clone();
    let find = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        Ok((submissions::find(tx, &wanted)?, submissions::recipients(tx, &wanted)?))
    };
    let (Some(known), recipients) = desk.store.look_up(find).await? else { return Ok(false) };
    let has = |address: &KepAddress| {
        let one = recipients.iter().find(|one| one.address == address.as_str());
        one.is_some_and(|one| one.state != RecipientState::Elsewhere)
    };
    Ok(known.origin == Origin::Peer(peer.clone())
        && known.digest == digest
        && addressed.iter().all(has))
}

enum Laid {
    New,
    Again,
    UnknownMany,
}

fn unknown_many() -> Trouble {
    Refusal::UnknownMany(MOST_UNKNOWN.to_string()).into()
}

/// The same dispatch again hears the same, and what it heard of it by evidence goes out again, at most
/// once in a quarter of an hour: who tries every minute has reasons that evidence does not mend. For
/// whomever it is handed over now and was not before, it is delivered.
async fn again(
    desk: &Desk,
    id: &MessageId,
    peer: &KepDomain,
    digest: Digest,
    (addressed, infected): (&BTreeSet<KepAddress>, &Option<Refusal>),
) -> Result<Option<SubmitAnswer>, Trouble> {
    let wanted = id.clone();
    let addressed: BTreeSet<_> = addressed.iter().map(KepAddress::to_string).collect();
    let find = move |tx: &mut Tx<'_>| submissions::find(tx, &wanted);
    let Some(known) = desk.store.look_up(find).await? else { return Ok(None) };
    if known.origin != Origin::Peer(peer.clone()) || known.digest != digest {
        return Err(Refusal::OtherMessage(id.to_string()).into());
    }
    let (message, now) = (id.clone(), desk.clock.now());
    let reason = infected.as_ref().map(Refusal::event_reason);
    let work = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        submissions::lock(tx, &message)?;
        let mut more = false;
        let mut recipients = submissions::recipients(tx, &message)?;
        // Who is named twice is served once, as at the first time.
        let mut seen = BTreeSet::new();
        recipients.retain(|one| seen.insert(one.address.clone()));
        let becomes = |one: &Recipient| match addressed.contains(&one.address) {
            true => RecipientState::Accepted,
            false => one.state,
        };
        if too_many_unknown(recipients.iter().map(|one| (becomes(one), one.account.as_ref()))) {
            return Ok(false);
        }
        for recipient in recipients {
            let meant = addressed.contains(&recipient.address);
            more |= meant && submissions::addressed(tx, &message, recipient.n)?;
        }
        if more {
            go_on(tx, &message, reason, now)?;
        }
        if submissions::repeats(tx, &message, now, now.plus_millis(-REPEATED))? {
            let again = Fact::Again { message: message.to_string(), at: now.millis() };
            spool::fact(tx, &again, now)?;
        }
        Ok(true)
    };
    if !desk.write(work).await? {
        return Err(unknown_many());
    }
    tracing::info!(message = %id, from = %peer, "the same dispatch again");
    metrics::counter!("kep_relay_in_total", "kind" => "again").increment(1);
    Ok(Some(SubmitAnswer::AlreadyAccepted { message_id: id.clone() }))
}

/// Milliseconds between two repetitions of a message's evidence.
const REPEATED: i64 = 15 * 60 * 1000;
