//! Evidence of another provider about what we sent: kept as it came, laid into its sender's
//! `Deliller`; the state that is shown follows by the table of `evidence::returned`.

mod run;

pub(super) use run::lay_in;

use super::run::Trouble;
use crate::accept::refusal::Refusal;
use crate::certify::foreign::{EvidenceMail, Told};
use crate::evidence::returned::{self, Effect};
use crate::evidence::show_on_sent_copy;
use crate::registry::{credits, notices};
use crate::store::evidence::{self as rows, EvidenceRow, NewEvidence, NewForm};
use crate::store::mail::{self, NewMessage, Role};
use crate::store::submissions::{self, Recipient, RecipientState, Submission};
use crate::store::{Put, RowsError, Store, StoreError, Tx, blobs, contents};
use crate::wire::rem::{ContentDigest, Event, Evidence};
use crate::wire::{AccountId, KepDomain, MessageId};
use std::collections::BTreeMap;

/// One evidence, and whom of our message it is about.
#[derive(Clone)]
struct Fitting {
    new: NewEvidence,
    event: Event,
    recipients: Vec<usize>,
}

/// What became of a mail.
enum Laid {
    /// So many credits came back with it.
    New(i64),
    Again,
    Refused(Refusal),
}

/// The one message that all evidence of the mail is about.
fn message(returned: &EvidenceMail) -> Result<MessageId, Trouble> {
    let mut ids = returned.told.iter().map(|told| told.evidence.message.message_id.as_str());
    let first = ids.next().unwrap_or_default();
    let id = MessageId::parse(first).filter(|_| ids.all(|other| other == first));
    Ok(id.ok_or_else(|| Refusal::EvidenceOfNothing(first.to_owned()))?)
}

/// Whom the evidence is about; it must be what this provider can tell of this message.
fn fit(
    told: &Told,
    submission: &Submission,
    digests: &BTreeMap<String, Vec<u8>>,
    recipients: &[Recipient],
    peer: &KepDomain,
) -> Result<Vec<usize>, Trouble> {
    let evidence = &told.evidence;
    let unfit = |why: &str| Trouble::from(Refusal::EvidenceUnfit(why.to_owned()));
    if !returned::is_theirs(evidence.event) {
        return Err(unfit("this event is not the receiving provider's to tell"));
    }
    if !evidence.sender.address.eq_ignore_ascii_case(&submission.details.sender) {
        return Err(unfit("another sender"));
    }
    let same = match &evidence.message.digest {
        Some(ContentDigest::Sha256(digest)) => *digest == submission.digest,
        Some(ContentDigest::Other { algorithm, value }) => digests.get(algorithm) == Some(value),
        None => return Err(unfit("no digest of the message")),
    };
    if !same {
        return Err(unfit("another message's digest"));
    }
    let theirs: Vec<&Recipient> = recipients.iter().filter(|one| one.is_with(peer)).collect();
    let about = match (one(evidence), evidence.event) {
        (Some(address), _) => {
            let named = theirs.iter().find(|r| r.address.eq_ignore_ascii_case(&address));
            vec![named.ok_or_else(|| unfit("the recipient is not with this provider"))?.n]
        }
        (None, Event::RelayAcceptance | Event::RelayRejection) if !theirs.is_empty() => {
            theirs.iter().map(|recipient| recipient.n).collect()
        }
        (None, _) => return Err(unfit("it does not say of which recipient it tells")),
    };
    Ok(about)
}

/// The recipient that it refers to, or the only one that it names. Of a relay all are meant when
/// nobody is referred to.
fn one(evidence: &Evidence) -> Option<String> {
    let relay = matches!(evidence.event, Event::RelayAcceptance | Event::RelayRejection);
    let party = match (evidence.recipient(), evidence.recipients.as_slice()) {
        (Some(party), _) => party,
        (None, [only]) if evidence.refers_to.is_none() && !relay => only,
        _ => return None,
    };
    Some(party.address.clone())
}

/// Keeps what is new of it, as far as there is `room`, and the mail when anything was. An identifier
/// that stands for other octets already is no repetition.
fn keep(
    tx: &mut Tx<'_>,
    store: &Store,
    id: &MessageId,
    (sender, charge): (AccountId, Option<&credits::Charge>),
    (fitting, room): (&[Fitting], u64),
    (put, message): (&Put, &NewMessage),
) -> Result<Laid, StoreError> {
    let (mut fresh, mut forms) = (Vec::new(), Vec::new());
    for one in fitting {
        let key = rows::row_id(&one.new.id, &one.new.origin);
        match rows::find(tx, &key)? {
            None => fresh.push(one),
            Some(known) => match further(tx, &known, &one.new)? {
                Some(new) => forms.extend(new.into_iter().map(|form| (key.clone(), form))),
                None => {
                    let why = format!("another evidence came as {}", one.new.id);
                    return Ok(Laid::Refused(Refusal::EvidenceUnfit(why)));
                }
            },
        }
    }
    if fresh.is_empty() && forms.is_empty() {
        return Ok(Laid::Again);
    }
    if fresh.len() as u64 > room {
        return Ok(Laid::Refused(Refusal::EvidenceTooMuch(id.to_string())));
    }
    for (key, form) in &forms {
        rows::append_form(tx, &store.blobs, key, form)?;
    }
    let mut failed = Vec::new();
    for one in fresh {
        // What is not kept moves nothing.
        if !rows::append(tx, &store.blobs, &one.new)? {
            continue;
        }
        // Again for each: the one before it may have moved them.
        let recipients = submissions::recipients(tx, id)?;
        for recipient in recipients.iter().filter(|to| one.recipients.contains(&to.n)) {
            if apply(tx, id, recipient, one)? == Some(RecipientState::Failed) {
                failed.push((recipient.clone(), one));
            }
        }
        if let Some(event) = Event::by_name(&one.new.event) {
            let what = (event, one.new.event_time);
            notices::evidence_came(tx, sender, id, what, one.new.stored_at)?;
        }
    }
    let content = contents::create_from(tx, &store.blobs, &[put])?;
    let mailbox = mail::of_role(tx, sender, Role::Evidence)?;
    mail::lay_in(tx, mailbox, content, message)?;
    show_on_sent_copy(tx, sender, id)?;
    let mut back = 0;
    for (recipient, one) in &failed {
        if let (Some(charge), Some(number)) = (charge, one.event.number()) {
            let now = one.new.stored_at;
            back += credits::give_back(tx, sender, id, charge, recipient, number, now)?;
        }
    }
    Ok(Laid::New(back))
}

/// What comes in dialects that are not here yet, and is the same fact; `None` when it is another evidence
/// under that identifier. In a dialect that is here it is the same octet for octet.
fn further(
    tx: &mut Tx<'_>,
    known: &EvidenceRow,
    new: &NewEvidence,
) -> Result<Option<Vec<NewForm>>, RowsError> {
    let mut here = vec![(known.dialect.clone(), known.xml)];
    here.extend(rows::forms(tx, &known.id)?.into_iter().map(|form| (form.dialect, form.xml)));
    let first = NewForm { dialect: new.dialect, stamped_at: new.stamped_at, xml: new.xml.clone() };
    let mut further = Vec::new();
    for form in [&first].into_iter().chain(&new.forms) {
        match here.iter().find(|(dialect, _)| dialect == form.dialect) {
            Some((_, xml)) if blobs::find(tx, xml)?.digest != form.xml.digest => return Ok(None),
            Some(_) => {}
            None => further.push(form.clone()),
        }
    }
    let same = known.message_id == new.message_id
        && known.event == new.event
        && known.recipient == new.recipient
        && known.event_time.secs() == new.event_time.secs();
    Ok(same.then_some(further))
}

/// The state that a recipient is in by it, if it moves him.
fn apply(
    tx: &mut Tx<'_>,
    id: &MessageId,
    recipient: &Recipient,
    one: &Fitting,
) -> Result<Option<RecipientState>, StoreError> {
    let (n, event) = (recipient.n, one.event.name());
    match returned::effect(recipient.state, one.event) {
        Effect::Moves(state) => {
            submissions::told(tx, id, n, state, one.new.event_time)?;
            tracing::info!(message = %id, recipient = n, event, "told by its provider");
            Ok(Some(state))
        }
        Effect::Beside(beside) => {
            let beside = beside.word();
            metrics::counter!("kep_evidence_beside_total", "why" => beside).increment(1);
            tracing::info!(message = %id, recipient = n, event, beside, "kept beside");
            Ok(None)
        }
    }
}

/// A provider tells of a recipient relay, delivery and reading; some more for contradictions.
const MOST_OF_EACH: u64 = 8;
