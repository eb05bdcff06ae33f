//! The dispatch around an original: who it is from, to whom, what it refers to. Display names that
//! users chose are never used. Pure.

use crate::evidence::{draft::About, parcel};
use crate::wire::Timestamp;
use crate::wire::mime;
use crate::wire::rem::{
    ComposeFault, Composed, Envelope, Evidence, EvidenceFile, Mailbox, MessageKind, RemHeaders,
    message_subject,
};

/// Composes the dispatch of an accepted message; the original is only looked at.
pub fn dispatch(
    about: &About<'_>,
    acceptance: &Evidence,
    xml: &[u8],
    original: &[u8],
    now: Timestamp,
    random: [u8; 16],
) -> Result<Composed, ComposeFault> {
    let submission = about.submission;
    let sender = &submission.details.sender;
    let header = mime::header(original);
    let (to, cc) = addressees(about, header);
    let envelope = Envelope {
        from: Mailbox {
            name: Some(format!("{sender} adına")),
            address: about.provider.service_address(),
        },
        reply_to: Some(Mailbox { name: None, address: sender.clone() }),
        to,
        cc,
        subject: message_subject(&submission.details.subject),
        date: now,
        message_id: submission.message_id.to_string(),
        in_reply_to: ids(header, "in-reply-to").pop(),
        references: references(header, submission.details.ua_message_id.as_deref()),
        rem: RemHeaders::of(acceptance, MessageKind::Dispatch),
        extra: Vec::new(),
        random,
        micalg: "sha-256",
    };
    let values = parcel::message_values(about);
    let introduction = about.provider.texts.dispatch.render(&parcel::borrowed(&values));
    let name = acceptance.event.ts_file().unwrap_or_else(|| "Evidence.xml".to_owned());
    Composed::new(&envelope, &introduction, Some(original), &[EvidenceFile { name, xml }])
}

/// The recipients as To and Cc, as the original has them (each stands in one of the two).
fn addressees(about: &About<'_>, header: &[u8]) -> (Vec<Mailbox>, Vec<Mailbox>) {
    let cc_field = mime::fields::field(header, "cc");
    let copied: Vec<String> = cc_field
        .map(|field| mime::addresses(&field.unfolded()))
        .unwrap_or_default()
        .into_iter()
        .filter_map(addr_spec)
        .collect();
    let recipients = about.recipients.iter();
    let (cc, to): (Vec<_>, Vec<_>) = recipients
        .map(|recipient| Mailbox { name: None, address: recipient.address.clone() })
        .partition(|mailbox| copied.contains(&mailbox.address));
    // RFC 5322 §3.6.3: a mail with a Cc alone is legal, but programs show no addressee.
    if to.is_empty() { (cc, Vec::new()) } else { (to, cc) }
}

fn addr_spec(address: mime::Address) -> Option<String> {
    let mime::Address::Mailbox { local, domain, .. } = address else { return None };
    let spec = [local.as_slice(), b"@", &domain].concat();
    Some(String::from_utf8_lossy(&spec).to_ascii_lowercase())
}

/// The original's references and its own id, so that programs put the dispatch into its thread.
fn references(header: &[u8], own: Option<&str>) -> Vec<String> {
    let mut all = ids(header, "references");
    let skip = all.len().saturating_sub(REFERENCES);
    all.drain(..skip);
    all.extend(own.map(str::to_owned));
    all
}

/// Message identifiers in a field; whatever else stands there is passed over.
fn ids(header: &[u8], name: &str) -> Vec<String> {
    let Some(field) = mime::fields::field(header, name) else { return Vec::new() };
    let text = String::from_utf8_lossy(&field.unfolded()).into_owned();
    let pieces = text.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
    let plain =
        |id: &&str| (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    pieces.map(|(id, _)| id).filter(plain).map(str::to_owned).collect()
}

/// RFC 5322 §3.6.4 sets no bound; the newest matter.
const REFERENCES: usize = 20;
/// Longer ones can't be folded into a line of 998 octets.
const ID_MAX: usize = 250;
