//! The dispatch around an original: who it is from, to whom, what it refers to. Display names that
//! users chose are never used. Pure.

use crate::evidence::draft::About;
use crate::evidence::parcel::{self, Document};
use crate::wire::Timestamp;
use crate::wire::mime;
use crate::wire::rem::{
    ComposeFault, Composed, Envelope, Evidence, Mailbox, MessageKind, RemHeaders, message_subject,
};

/// Composes the dispatch of an accepted message; the original is only looked at.
pub fn dispatch(
    about: &About<'_>,
    acceptance: &Evidence,
    documents: &[Document<'_>],
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
    let files = parcel::attached(acceptance.event, documents);
    Composed::new(&envelope, &introduction, Some(original), &files)
}

/// The most octets that a dispatch to so many recipients has around its original: headers, two texts,
/// one evidence in both dialects in base64, one signature.
pub fn around(recipients: usize) -> u64 {
    AROUND + AROUND_EACH.saturating_mul(recipients as u64)
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
/// With the longest subject and Message-IDs, certificates and stamps of RSA keys, evidence in both dialects.
const AROUND: u64 = 192 << 10;
/// The longest address: in To, in both texts twice, in the evidence of either dialect.
const AROUND_EACH: u64 = 5 << 9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::draft;
    use crate::registry::{Provider, Texts};
    use crate::store::submissions::{
        Details, Origin, Recipient, RecipientState, Submission, SubmissionState,
    };
    use crate::wire::rem::Dialect;
    use crate::wire::{AccountId, BlobId, KepDomain, MessageId, sha256};

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
    /// An RSA seal with its issuers, its signature and a time stamp, as XAdES and again as CAdES.
    const SIGNED: u64 = 40 << 10;

    fn provider() -> Provider {
        Provider {
            domain: KepDomain::parse("hs05.kep.tr").unwrap(),
            name: "Örnek KEP Hizmet Sağlayıcısı A.Ş.".into(),
            street: Some("Atatürk Bulvarı No: 1".into()),
            postal_code: Some("06420".into()),
            locality: "Ankara".into(),
            country: "TR".into(),
            policy_uris: vec!["https://kep.example/ilkeler".into()],
            portal_url: None,
            texts: Texts::default(),
        }
    }

    fn submission() -> Submission {
        Submission {
            message_id: MessageId::parse("0123456789abcdef@hs05.kep.tr").unwrap(),
            origin: Origin::Account(AccountId(1)),
            state: SubmissionState::Accepted,
            accepted_at: NOW,
            original: BlobId([0; 16]),
            size: 0,
            digest: sha256(b""),
            details: Details {
                sender: address(0),
                // As long as the checks let it be, in letters that are long in each encoding.
                subject: "ş".repeat(2_000),
                ua_message_id: Some("x".repeat(250)),
                ..Details::default()
            },
            sent_uid: None,
            dispatch: None,
        }
    }

    /// As long as an address can be.
    fn address(n: usize) -> String {
        format!("{n:0>64}@{}.hs05.kep.tr", "k".repeat(63))
    }

    fn recipient(n: usize) -> Recipient {
        Recipient {
            n,
            address: address(n),
            account: None,
            state: RecipientState::Accepted,
            relayed_at: None,
            delivered_at: None,
            due_at: None,
            opened_at: None,
        }
    }

    /// RFC 8098 §2.1: who is asked for a notification answers whoever the mail is from, and that is the
    /// provider. The original keeps what its sender asked for.
    #[test]
    fn no_program_is_asked_to_notify_the_provider() {
        let (provider, submission, recipients) = (provider(), submission(), [recipient(1)]);
        let (submission, recipients) = (&submission, &recipients);
        let about = About { provider: &provider, seal: &[0], submission, recipients };
        let asks = "Disposition-Notification-To: <ali@hs05.kep.tr>\r\n\
                    Return-Receipt-To: <ali@hs05.kep.tr>\r\n\
                    X-Confirm-Reading-To: <ali@hs05.kep.tr>\r\n";
        let original = format!("From: <ali@hs05.kep.tr>\r\n{asks}\r\nMerhaba.\r\n");
        let acceptance = draft::acceptance(&about);
        let xml = acceptance.write(Dialect::Ts102640).unwrap();
        let documents = [Document { dialect: Dialect::Ts102640, xml: xml.as_bytes() }];
        let bytes = original.as_bytes();
        let dispatch = dispatch(&about, &acceptance, &documents, bytes, NOW, [0; 16]).unwrap();
        let evidence = parcel::compose(&provider, &acceptance, &documents, NOW, [0; 16]).unwrap();
        let stub = crate::deliver::consign::stub(&about, NOW).unwrap();
        for mail in [dispatch.head(), dispatch.tail(&[]), evidence.head(), evidence.tail(&[]), stub]
        {
            let text = String::from_utf8(mail).unwrap();
            for name in ["Disposition-Notification-", "Return-Receipt-To", "X-Confirm-Reading-To"] {
                assert!(!text.contains(name), "{name}: {text}");
            }
        }
    }

    #[test]
    fn what_stands_around_an_original_stays_within_what_is_kept_free_for_it() {
        let (provider, submission) = (provider(), submission());
        let references = format!("<{}>\r\n ", "y".repeat(250)).repeat(40);
        let original =
            format!("Message-ID: <{0}>\r\nReferences: {references}<a@b>\r\n\r\n", "x".repeat(250));
        for count in [1, 100, 1_000] {
            let recipients: Vec<_> = (1..=count).map(recipient).collect();
            let seal = vec![0; 2 << 10];
            let about = About {
                provider: &provider,
                seal: &seal,
                submission: &submission,
                recipients: &recipients,
            };
            let acceptance = draft::acceptance(&about);
            let dialects = [Dialect::Ts102640, Dialect::En319522];
            let written = dialects.map(|dialect| acceptance.write(dialect).unwrap());
            let documents =
                [0, 1].map(|n| Document { dialect: dialects[n], xml: written[n].as_bytes() });
            let original = original.as_bytes();
            let made = dispatch(&about, &acceptance, &documents, original, NOW, [0; 16]);
            let made = made.unwrap();
            let octets = (made.head().len() + made.tail(&[]).len()) as u64 + 2 * SIGNED;
            assert!(
                octets <= around(count),
                "{count}: {octets} octets, {} are free",
                around(count)
            );
        }
    }
}
