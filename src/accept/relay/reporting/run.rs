//! Lays a report in, once however often it comes.

use super::{About, Fitting, Laid, keep, of_dispatch, row};
use crate::accept::ask::SubmitAnswer;
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::accept::relay::run::{Desk, Taken, Trouble, before_it_closed, known};
use crate::registry::peers::Peer;
use crate::store::submissions::{self, Origin};
use crate::store::{StoreError, Tx, evidence};
use crate::wire::rem::DeliveryReport;
use crate::wire::{EvidenceId, MessageId};

/// Taken over a connection that shows a registered certificate only: nothing else tells whose it is.
pub(in crate::accept::relay) async fn lay_in(
    desk: &Desk,
    mail: &[u8],
    client: Option<&[u8]>,
) -> Taken {
    let shown = shown(desk, client).await?;
    let report = heavy(mail.len(), || DeliveryReport::read(mail));
    let report = report.map_err(|fault| Refusal::ReportMalformed(fault.to_string()))?;
    let about = about(desk, &report).await?;
    let (id, fitting) = by_one(desk, &report, &about, &shown, client).await?;
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
async fn shown(desk: &Desk, client: Option<&[u8]>) -> Result<Vec<Peer>, Trouble> {
    let all = desk.store.look_up(Peer::all).await?;
    let shown: Vec<_> = all.into_iter().filter(|peer| peer.shows(client)).collect();
    match shown.is_empty() {
        true => Err(Refusal::ReportUnproven.into()),
        false => Ok(shown),
    }
}

/// Several providers may have one server, and its certificate (docs/evidence.md): it is the one that
/// speaks whom all that is told is with. A report about those of two is refused whole.
async fn by_one(
    desk: &Desk,
    report: &DeliveryReport,
    about: &About,
    shown: &[Peer],
    client: Option<&[u8]>,
) -> Result<(MessageId, Vec<Fitting>), Trouble> {
    let mut refused = None;
    for peer in shown {
        let told = match known(Some(peer.clone()), &peer.domain, client) {
            Ok(peer) => fitting(desk, report, about, &peer).await,
            Err(trouble) => Err(trouble),
        };
        match told {
            Ok(told) => {
                tracing::info!(provider = %peer.domain, "it reports");
                return Ok(told);
            }
            // What is only ours to mend is tried again.
            Err(trouble @ (Trouble::Store(_) | Trouble::Judge(_))) => return Err(trouble),
            Err(trouble) => _ = refused.get_or_insert(trouble),
        }
    }
    Err(refused.unwrap_or(Trouble::Refused(Refusal::ReportUnproven)))
}

/// By the ENVID that we gave, and the Message-ID of what is returned: both, where both are there.
async fn about(desk: &Desk, report: &DeliveryReport) -> Result<About, Trouble> {
    let names: Vec<_> = [&report.envelope, &report.message_id].into_iter().flatten().collect();
    let mut found = Vec::new();
    for name in &names {
        found.extend(sent(desk, name).await?);
    }
    let said = || names.first().map_or_else(String::new, |name| (*name).clone());
    let first = found.first().ok_or_else(|| Refusal::EvidenceOfNothing(said()))?;
    match found.len() == names.len() && found.iter().all(|other| other == first) {
        true => Ok(first.clone()),
        false => Err(Refusal::ReportUnfit("it names two mails".to_owned()).into()),
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
    let (submission, recipients) = desk.message(id).await?;
    let now = desk.clock.now();
    let all = match about {
        About::Dispatch(_) => of_dispatch(report, &submission, &recipients, (&peer.domain, now))?,
        About::Evidence(evidence, _) if submission.origin == Origin::Peer(peer.domain.clone()) => {
            // Evidence mails go to nobody but the provider itself.
            let service = peer.service_address().map_or_else(String::new, |to| to.to_string());
            let of = |told| {
                let about = (id.clone(), Some(evidence.clone()));
                Fitting { row: row(about, &peer.domain, &service, told, now), failed: None }
            };
            report.recipients.iter().map(of).collect()
        }
        About::Evidence(..) => return Err(Refusal::EvidenceOfNothing(id.to_string()).into()),
    };
    let failed = all.iter().filter_map(|one| one.failed.as_ref());
    let about: Vec<usize> = failed.map(|(n, _)| *n).collect();
    before_it_closed(peer, &recipients, &about)?;
    Ok((id.clone(), all))
}
