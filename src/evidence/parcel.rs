//! The mail in which evidence travels: introduction, XML in each dialect it was written in, seal. Pure;
//! whoever holds the seal signs.

use super::draft::About;
use crate::registry::Provider;
use crate::wire::Timestamp;
use crate::wire::rem::{
    ComposeFault, Composed, Dialect, Envelope, Event, Evidence, EvidenceFile, Mailbox, MessageKind,
    RemHeaders, evidence_subject,
};

/// An evidence as one dialect has it, signed.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    pub dialect: Dialect,
    pub xml: &'a [u8],
}

/// Each as an attachment, in the order given.
pub fn attached<'a>(event: Event, documents: &[Document<'a>]) -> Vec<EvidenceFile<'a>> {
    let file = |one: &Document<'a>| EvidenceFile { name: event.file(one.dialect), xml: one.xml };
    documents.iter().map(file).collect()
}

/// Composes the mail of an evidence to the sender of the message it is about.
pub fn compose(
    provider: &Provider,
    evidence: &Evidence,
    documents: &[Document<'_>],
    now: Timestamp,
    random: [u8; 16],
) -> Result<Composed, ComposeFault> {
    let id = evidence.id.as_str();
    let ua = evidence.message.ua_message_id.clone();
    let mut references: Vec<_> = ua.iter().cloned().collect();
    references.push(evidence.message.message_id.clone());
    let envelope = Envelope {
        from: Mailbox { name: Some("KEP Servisi".to_owned()), address: provider.service_address() },
        reply_to: None,
        to: vec![Mailbox { name: None, address: evidence.sender.address.clone() }],
        cc: Vec::new(),
        subject: evidence_subject(evidence.event, &evidence.message.subject),
        date: now,
        message_id: format!("{id}@{}", provider.domain),
        in_reply_to: ua,
        references,
        rem: RemHeaders::of(evidence, MessageKind::Evidence),
        extra: Vec::new(),
        random,
        micalg: "sha-256",
    };
    let values = values(provider, evidence);
    let introduction = provider.texts.evidence.render(&borrowed(&values));
    Composed::new(&envelope, &introduction, None, &attached(evidence.event, documents))
}

/// What an introduction may say of a message as a whole.
pub fn message_values(about: &About<'_>) -> Vec<(&'static str, String)> {
    let recipients: Vec<_> = about.recipients.iter().map(|r| r.address.as_str()).collect();
    let submission = about.submission;
    vec![
        ("subject", submission.details.subject.clone()),
        ("sender", submission.details.sender.clone()),
        ("recipients", recipients.join(", ")),
        ("time", submission.accepted_at.turkish()),
        ("provider", about.provider.name.clone()),
        ("message_id", submission.message_id.to_string()),
    ]
}

/// Values as templates take them.
pub fn borrowed<'v>(values: &'v [(&'static str, String)]) -> Vec<(&'static str, &'v str)> {
    values.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn values(provider: &Provider, evidence: &Evidence) -> Vec<(&'static str, String)> {
    let recipients: Vec<_> = evidence.recipients.iter().map(|p| p.address.as_str()).collect();
    let reason = evidence.reasons.first();
    let details = reason.and_then(|why| why.details.clone()).unwrap_or_default();
    let or_details =
        |text: &str| if details.is_empty() { text.to_owned() } else { details.clone() };
    vec![
        ("event", evidence.event.turkish().to_owned()),
        ("event_en", evidence.event.english().to_owned()),
        ("subject", evidence.message.subject.clone()),
        ("sender", evidence.sender.address.clone()),
        ("recipients", recipients.join(", ")),
        ("recipient", evidence.recipient().map(|p| p.address.clone()).unwrap_or_default()),
        ("time", evidence.event_time.turkish()),
        ("provider", provider.name.clone()),
        ("message_id", evidence.message.message_id.clone()),
        ("evidence_id", evidence.id.to_string()),
        ("reason", reason.map(|why| or_details(why.reason.turkish())).unwrap_or_default()),
        ("reason_en", reason.map(|why| or_details(why.reason.english())).unwrap_or_default()),
        ("due", evidence.due_time.map(Timestamp::turkish).unwrap_or_default()),
        ("person", evidence.opening.as_ref().map(|o| o.person.clone()).unwrap_or_default()),
    ]
}
