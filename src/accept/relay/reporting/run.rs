//! Lays a report in, once however often it comes.

use super::{About, Fitting, Laid, keep, of_dispatch, row};
use crate::accept::ask::SubmitAnswer;
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::relay::run::{Desk, Taken, Trouble, known};
use crate::registry::peers::{Peer, PeerState};
use crate::store::submissions::{self, Origin};
use crate::store::{StoreError, Tx, evidence};
use crate::trust::tls::is_pinned;
use crate::wire::rem::DeliveryReport;
use crate::wire::{EvidenceId, KepDomain, MessageId};

/// Taken over a connection that shows a registered certificate only: nothing else tells whose it is.
pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    mail: &[u8],
    client: Option<&[u8]>,
) -> Taken {
    let peer = shown(desk, client).await?;
    let report = heavy(mail.len(), || DeliveryReport::read(mail));
    let report = report.map_err(|fault| Refusal::ReportMalformed(fault.to_string()))?;
    let about = about(desk, &report).await?;
    let (id, fitting) = fitting(desk, &report, &about, &peer).await?;
    let (message, now) = (id.clone(), desk.clock.now());
    let work = move |tx: &mut Tx<'_>| keep(tx, &message, &fitting, now);
    match desk.write(work).await? {
        Laid::New => {
            metrics::counter!("kep_relay_in_total", "kind" => "report").increment(1);
            Ok(SubmitAnswer::Accepted { message_id: id })
        }
        Laid::Again => Ok(SubmitAnswer::AlreadyAccepted { message_id: id }),
        Laid::TooMany => Err(Refusal::EvidenceTooMuch(id.to_string()).into()),
    }
}

/// QUIRK(kep, 2026-11): a report is under no seal. docs/quirks.md#87
async fn shown(desk: &Desk, client: Option<&[u8]>) -> Result<Peer, Trouble> {
    let all = desk.store.look_up(Peer::all).await?;
    let owner = |peer: &Peer| client.is_some_and(|client| is_pinned(client, &peer.client_pins));
    let peer = all.into_iter().find(owner).ok_or(Refusal::ReportUnproven)?;
    let domain = peer.domain.clone();
    known(Some(peer), &domain, client)
}

/// By the ENVID that we gave, and the Message-ID of what is returned: both, where both are there.
async fn about(desk: &Desk, report: &DeliveryReport) -> Result<About, Trouble> {
    let names: Vec<_> = [&report.envelope, &report.message_id].into_iter().flatten().collect();
    let mut found = Vec::new();
    for name in &names {
        found.extend(sent(desk, name).await?);
    }
    let said = || names.first().map_or_else(String::new, |name| (*name).clone());
    let first = found.first().cloned();
    match first.filter(|first| found.iter().all(|other| other == first)) {
        Some(about) if found.len() == names.len() => Ok(about),
        Some(_) => Err(Refusal::ReportUnfit("it names two mails".to_owned()).into()),
        None if found.is_empty() => Err(Refusal::EvidenceOfNothing(said()).into()),
        None => Err(Refusal::ReportUnfit("it names two mails".to_owned()).into()),
    }
}

/// The mail of ours that is called so: a dispatch by its message, an evidence mail by its evidence.
async fn sent(desk: &Desk, name: &str) -> Result<Option<About>, StoreError> {
    let message = MessageId::parse(name);
    let own = desk.provider.domain.to_string();
    let bare = name.rsplit_once('@').filter(|(_, domain)| *domain == own);
    let id = EvidenceId::from_stored(bare.map_or(name, |(id, _)| id));
    let work = move |tx: &mut Tx<'_>| -> Result<Option<About>, StoreError> {
        if let Some(message) = &message {
            let found = submissions::find(tx, message)?;
            if found.is_some_and(|found| matches!(found.origin, Origin::Account(_))) {
                return Ok(Some(About::Dispatch(message.clone())));
            }
        }
        let row = evidence::find(tx, &id)?.filter(|row| row.origin == evidence::OWN);
        Ok(row.map(|row| About::Evidence(row.id, row.message_id)))
    };
    desk.store.look_up(work).await
}

async fn fitting(
    desk: &Desk,
    report: &DeliveryReport,
    about: &About,
    peer: &Peer,
) -> Result<(MessageId, Vec<Fitting>), Trouble> {
    let (About::Dispatch(id) | About::Evidence(_, id)) = about;
    let (wanted, now) = (id.clone(), desk.clock.now());
    let find = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        Ok((submissions::find(tx, &wanted)?, submissions::recipients(tx, &wanted)?))
    };
    let (submission, recipients) = desk.store.look_up(find).await?;
    let nothing = || Refusal::EvidenceOfNothing(id.to_string());
    let submission = submission.ok_or_else(nothing)?;
    let all = match about {
        About::Dispatch(_) => of_dispatch(report, &submission, &recipients, (&peer.domain, now))?,
        About::Evidence(evidence, _) if submission.origin == Origin::Peer(peer.domain.clone()) => {
            let of = |told| {
                let about = (id.clone(), Some(evidence.clone()));
                Fitting {
                    row: row(about, &peer.domain, &service(&peer.domain), told, now),
                    failed: None,
                }
            };
            report.recipients.iter().map(of).collect()
        }
        About::Evidence(..) => return Err(nothing().into()),
    };
    let had = |n: usize| {
        let at = recipients.iter().find(|one| one.n == n).and_then(|one| one.relayed_at);
        matches!(peer.state, PeerState::Closed { since } if at.is_none_or(|at| at > since))
    };
    match all.iter().filter_map(|one| one.failed.as_ref()).any(|(n, _)| had(*n)) {
        true => Err(Refusal::PeerEnded(peer.domain.to_string()).into()),
        false => Ok((id.clone(), all)),
    }
}

/// Evidence mails go to nobody but the provider itself.
fn service(peer: &KepDomain) -> String {
    format!("kepservisi@{peer}")
}
