//! The table of docs/evidence.md: each fact, the evidence that it makes, and the reason.

use super::*;
use crate::spool::fact::Refused;
use crate::wire::rem::{Dialect, Event, Reason};

const CAN: &str = "can@hs06.kep.tr";

/// Each fact that is issued of, with the event, its number, the reason in TS 102 640-2 and the code in
/// EN 319 522-2.
fn table() -> Vec<(Fact, Event, u8, Option<&'static str>, &'static str)> {
    let (message, at, recipient) = (ID.to_owned(), NOW.millis(), 1);
    let m = || message.clone();
    let failed = |reason: &str| Fact::RelayFailed {
        message: m(),
        recipient,
        at,
        reason: reason.into(),
        detail: "550 kim bu".into(),
        window: false,
    };
    let lost =
        |reason: &str| Fact::NotDelivered { message: m(), recipient, at, reason: reason.into() };
    let rejected =
        |reason: &str| Fact::RelayRejected { message: m(), recipient, at, reason: reason.into() };
    let person = ALI.to_owned();
    let read = Fact::Read { message: m(), recipient, at, channel: Channel::Portal, person };
    let silence = "http://uri.etsi.org/19522/EventReason/\
                   S_ERDSP_ReceivedNoRelayAcceptanceInfoFromR_ERDSP";
    let expired = Fact::Expired { message: m(), recipient, at };
    let no_word = Fact::DeliveryExpired { message: m(), recipient, at };
    let info = "S_REMMD_ReceivedNoDeliveryInfoFromR_REMMD";
    let of = |fragment: &'static str| Some(fragment);
    vec![
        (Fact::RelayAccepted { message: m(), at }, Event::RelayAcceptance, 20, None, "RB01"),
        (rejected("UnknownRecipient"), Event::RelayRejection, 21, of("UnknownRecipient"), "RB21"),
        (rejected("MalwareFound"), Event::RelayRejection, 21, of("MalwareFound"), "RB03"),
        (rejected("PolicyViolation"), Event::RelayRejection, 21, of("PolicyViolation"), "RB06"),
        (failed("R_REMMD_Malfunction"), Event::RelayFailure, 31, of("R_REMMD_Malfunction"), "RB07"),
        (
            failed("R_REMMD_NotIdentified"),
            Event::RelayFailure,
            31,
            of("R_REMMD_NotIdentified"),
            "RB08",
        ),
        (failed("R_REMMD_Unreachable"), Event::RelayFailure, 31, of("R_REMMD_Unreachable"), "RB09"),
        (failed("UnknownRecipient"), Event::RelayFailure, 31, of("UnknownRecipient"), "RB21"),
        (failed(silence), Event::RelayFailure, 31, of("Other"), "RB22"),
        (Fact::Delivered { message: m(), recipient, at }, Event::Delivery, 40, None, "RD01"),
        (lost("UnknownRecipient"), Event::NonDelivery, 41, of("UnknownRecipient"), "RD21"),
        (lost("MailboxFull"), Event::NonDelivery, 41, of("MailboxFull"), "RD04"),
        (lost("?"), Event::NonDelivery, 41, of("TechnicalMalfunction"), "RD05"),
        (no_word, Event::DeliveryExpiration, 41, of(info), "RD03"),
        (read, Event::Retrieval, 60, None, "RE01"),
        (expired, Event::RetrievalExpiration, 61, of("RetentionPeriodExpired"), "RE04"),
    ]
}

fn told(evidence: &Evidence, number: u8, reason: Option<&str>, code: &str) {
    assert_eq!(evidence.event.number(), Some(number));
    for dialect in [Dialect::Ts102640, Dialect::En319522] {
        let text = evidence.write(dialect).unwrap();
        let read = Evidence::read(text.as_bytes()).unwrap();
        assert_eq!((&read.evidence, read.oddities.len()), (evidence, 0), "{number} {code}");
        match dialect {
            Dialect::Ts102640 => {
                let uri = reason.map(|r| format!("http:uri.etsi.org/REM/EventReason#{r}<"));
                assert_eq!(text.contains("EventReason#"), reason.is_some(), "{number} {code}");
                assert!(uri.is_none_or(|uri| text.contains(&uri)), "{number}: {text}");
            }
            // There a success has one, too.
            Dialect::En319522 => assert!(text.contains(&format!(">{code}<")), "{number}: {text}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fact_makes_the_evidence_and_the_reason_of_its_row() {
    let world = World::open().await;
    world.message(Origin::Account(world.ali), &[(CAN, None)]).await;
    let (submission, recipients) = load(&world.facts.store, &world.id).await.unwrap();
    let about = world.facts.issuer.about(&submission, &recipients);
    let acceptance = draft::acceptance(&about);
    assert_eq!(acceptance.event, Event::SubmissionAcceptance);
    told(&acceptance, 10, None, "RA01");
    for (fact, event, number, reason, code) in table() {
        let fact = Fact::parse(&fact.to_json().unwrap()).unwrap();
        let drafted = draft::of_recipient(&about, &fact, NOW).unwrap();
        assert_eq!(drafted.event, event);
        told(&drafted, number, reason, code);
    }
    let (provider, seal) = (&world.facts.issuer.provider, world.facts.issuer.seal.certificate());
    let reasons = [
        ("InvalidMessageFormat", "RA02"),
        ("MalwareFound", "RA03"),
        ("InvalidUserSignature", "RB04"),
        ("UserCertExpiredOrRevoked", "RA04"),
        ("PolicyViolation", "RA05"),
    ];
    for (reason, code) in reasons {
        let refused = Refused {
            account: 1,
            sender: ALI.into(),
            recipients: vec![CAN.into()],
            subject: "İhale".into(),
            ua_message_id: None,
            digest: Some(sha256(b"x").hex()),
            reason: reason.into(),
            text: "…".into(),
        };
        let drafted = draft::rejection(provider, seal.der(), &world.id, NOW, &refused);
        assert_eq!(drafted.event, Event::SubmissionRejection);
        assert_eq!(Some(drafted.reasons[0].reason), Reason::by_ts(reason));
        told(&drafted, 11, Some(reason), code);
    }
}
