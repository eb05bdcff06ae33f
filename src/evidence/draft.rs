//! The one place where evidence is drafted: a fact and what is known of the message become the
//! document to be signed. Pure: every time in it comes from the fact or the caller.

use crate::registry::Provider;
use crate::spool::fact::{Channel, Fact, Refused};
use crate::store::submissions::{Origin, Recipient, Submission};
use crate::wire::rem::{
    Authentication, ContentDigest, Event, Evidence, Issuer, MessageDetails, Opening, Party,
    PostalAddress, Reason, Why,
};
use crate::wire::{Digest, EvidenceId, KepAddress, MessageId, Timestamp};

/// What all evidence of one message has in common.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub provider: &'a Provider,
    /// The seal certificate, in DER.
    pub seal: &'a [u8],
    pub submission: &'a Submission,
    pub recipients: &'a [Recipient],
}

/// The submission was accepted: checked, and durable.
pub fn acceptance(about: &About<'_>) -> Evidence {
    let accepted = about.submission.accepted_at;
    Evidence {
        submission_time: Some(accepted),
        ..about.evidence(Event::SubmissionAcceptance, accepted, None)
    }
}

/// A fact about one recipient. `issued` is now; only time-outs tell of it. `None` for a fact that
/// names a recipient who is not there, and for a refusal, which has no submission.
pub fn of_recipient(about: &About<'_>, fact: &Fact, issued: Timestamp) -> Option<Evidence> {
    let at = fact.at();
    let about_one = |event, recipient: usize| {
        let there = recipient >= 1 && recipient <= about.recipients.len();
        there.then(|| about.evidence(event, at, Some(recipient)))
    };
    match fact {
        Fact::RelayAccepted { .. } => Some(Evidence {
            external: about.relayed_by(),
            ..about.evidence(Event::RelayAcceptance, at, None)
        }),
        Fact::RelayRejected { recipient, reason, .. } => {
            let reason = Reason::by_ts(reason).unwrap_or(Reason::TechnicalMalfunction);
            let evidence = about_one(Event::RelayRejection, *recipient)?;
            let reasons = vec![Why { reason, details: None }];
            Some(Evidence { external: about.relayed_by(), reasons, ..evidence })
        }
        Fact::Delivered { recipient, .. } => about_one(Event::Delivery, *recipient),
        Fact::NotDelivered { recipient, reason, .. } => {
            let reason = Reason::by_ts(reason).unwrap_or(Reason::TechnicalMalfunction);
            let evidence = about_one(Event::NonDelivery, *recipient)?;
            Some(Evidence { reasons: vec![Why { reason, details: None }], ..evidence })
        }
        Fact::RelayFailed { recipient, reason, detail, window, .. } => {
            let evidence = about_one(Event::RelayFailure, *recipient)?;
            let reason = Reason::by_ts(reason).or_else(|| Reason::by_en(reason));
            let reason = reason.unwrap_or(Reason::ProviderMalfunction);
            let details = Some(detail.clone()).filter(|detail| !detail.is_empty());
            Some(Evidence {
                reasons: vec![Why { reason, details }],
                due_time: window.then_some(at),
                issue_time: window.then_some(issued),
                external: about.provider_of(*recipient),
                ..evidence
            })
        }
        Fact::DeliveryExpired { recipient, .. } => {
            let evidence = about_one(Event::DeliveryExpiration, *recipient)?;
            Some(Evidence {
                reasons: vec![Why { reason: Reason::NoDeliveryInfo, details: None }],
                due_time: Some(at),
                issue_time: Some(issued),
                ..evidence
            })
        }
        Fact::Read { recipient, channel, person, .. } => {
            let evidence = about_one(Event::Retrieval, *recipient)?;
            let method = AUTHENTICATION_BASIC.to_owned();
            Some(Evidence {
                opening: Some(opening(*channel, person)),
                recipient_authentication: Some(Authentication { time: at, method }),
                ..evidence
            })
        }
        Fact::Expired { recipient, .. } => {
            let evidence = about_one(Event::RetrievalExpiration, *recipient)?;
            let reason = Why { reason: Reason::RetentionPeriodExpired, details: None };
            Some(Evidence {
                reasons: vec![reason],
                due_time: Some(at),
                issue_time: Some(issued),
                ..evidence
            })
        }
        Fact::Refused { .. } | Fact::Again { .. } => None,
    }
}

/// A submission was refused after its octets were read.
pub fn rejection(
    provider: &Provider,
    seal: &[u8],
    id: &MessageId,
    at: Timestamp,
    refused: &Refused,
) -> Evidence {
    let event = Event::SubmissionRejection;
    let digest = refused.digest.as_deref().and_then(Digest::from_hex);
    let recipients = refused.recipients.iter();
    Evidence {
        id: EvidenceId::derive(id, event.name(), ""),
        event,
        reasons: vec![Why {
            reason: Reason::by_ts(&refused.reason).unwrap_or(Reason::Other),
            details: Some(refused.text.clone()),
        }],
        policies: provider.policy_uris.clone(),
        issuer: issuer(provider, seal),
        event_time: at,
        submission_time: Some(at),
        due_time: None,
        issue_time: None,
        sender: Party { address: refused.sender.clone(), name: None },
        sender_authentication: None,
        recipient_authentication: None,
        recipients: recipients.map(|a| Party { address: a.clone(), name: None }).collect(),
        refers_to: None,
        external: None,
        message: MessageDetails {
            subject: refused.subject.clone(),
            ua_message_id: refused.ua_message_id.clone(),
            message_id: id.to_string(),
            digest: digest.map(ContentDigest::Sha256),
        },
        opening: None,
    }
}

impl About<'_> {
    /// The provider that handed the message over.
    fn relayed_by(&self) -> Option<String> {
        match &self.submission.origin {
            Origin::Peer(domain) => Some(domain.to_string()),
            Origin::Account(_) => None,
        }
    }

    /// The provider that a recipient is with, by its domain.
    fn provider_of(&self, recipient: usize) -> Option<String> {
        let recipient = self.recipients.get(recipient.checked_sub(1)?)?;
        Some(KepAddress::parse(&recipient.address).ok()?.domain().provider().to_string())
    }

    fn evidence(&self, event: Event, at: Timestamp, refers_to: Option<usize>) -> Evidence {
        let Submission { message_id, origin, details, digest, accepted_at, .. } = self.submission;
        let recipient = refers_to.and_then(|n| self.recipients.get(n - 1));
        let party = |address: &str, name: Option<&str>| Party {
            address: address.to_owned(),
            name: name.map(str::to_owned),
        };
        let sender_name = Some(details.sender_name.as_str()).filter(|name| !name.is_empty());
        let recipient_address = recipient.map_or("", |r| r.address.as_str());
        Evidence {
            id: EvidenceId::derive(message_id, event.name(), recipient_address),
            event,
            reasons: Vec::new(),
            policies: self.provider.policy_uris.clone(),
            issuer: issuer(self.provider, self.seal),
            event_time: at,
            submission_time: Some(*accepted_at),
            due_time: None,
            issue_time: None,
            sender: party(&details.sender, sender_name),
            // How another provider knew its sender is for that one to say.
            sender_authentication: matches!(origin, Origin::Account(_)).then(|| Authentication {
                time: Timestamp::from_millis(details.authenticated_at),
                method: AUTHENTICATION_BASIC.to_owned(),
            }),
            recipient_authentication: None,
            recipients: self.recipients.iter().map(|r| party(&r.address, None)).collect(),
            refers_to,
            external: None,
            message: MessageDetails {
                subject: details.subject.clone(),
                ua_message_id: details.ua_message_id.clone(),
                message_id: message_id.to_string(),
                digest: Some(ContentDigest::Sha256(*digest)),
            },
            opening: None,
        }
    }
}

fn issuer(provider: &Provider, seal: &[u8]) -> Issuer {
    // The schema wants a postal address whole or not at all.
    let postal = provider.street.as_ref().zip(provider.postal_code.as_ref());
    let postal = postal.map(|(street, code)| PostalAddress {
        street: street.clone(),
        locality: provider.locality.clone(),
        postal_code: code.clone(),
        country: provider.country.clone(),
    });
    Issuer {
        name: provider.name.clone(),
        address: provider.service_address(),
        postal,
        certificate: Some(seal.to_vec()),
    }
}

fn opening(channel: Channel, person: &str) -> Opening {
    let channel = match channel {
        Channel::Imap => "imap",
        Channel::Portal => "portal",
        Channel::Api => "api",
    };
    Opening { channel: channel.to_owned(), person: person.to_owned() }
}

/// A password under TLS, the class `Basic` of TR 103 071.
/// QUIRK(ETSI, 2026-11): there is no URI of its own for it: docs/quirks.md#32
const AUTHENTICATION_BASIC: &str = "urn:x-kep:authentication:basic";
