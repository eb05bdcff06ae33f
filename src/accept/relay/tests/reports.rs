//! Delivery reports (RFC 3464) of what was sent: what they end, what is kept beside, what is refused.

use super::world::{AYSE, CAN, House, OURS, Said};
use crate::store::providers::ProviderRow;
use crate::store::reports;
use crate::store::submissions::RecipientState;
use crate::wire::MessageId;
use crate::wire::rem::Event;

/// A report as servers write it. Without an ENVID or a Message-ID where those are empty.
fn report(envid: &str, message_id: &str, to: &[(&str, &str, &str)]) -> Vec<u8> {
    let field = |name: &str, value: &str| match value {
        "" => String::new(),
        value => format!("{name}: {value}\r\n"),
    };
    let groups = to.iter().map(|(to, action, status)| {
        format!(
            "\r\nFinal-Recipient: rfc822; {to}\r\nAction: {action}\r\nStatus: {status}\r\n\
             Diagnostic-Code: smtp; 550 {status} kim bu\r\n"
        )
    });
    let angled = match message_id {
        "" => String::new(),
        id => format!("<{id}>"),
    };
    format!(
        "From: <mailer-daemon@hs05.kep.tr>\r\nTo: <kepservisi@hs06.kep.tr>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nMaalesef.\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; mx.hs05.kep.tr\r\n{}{}\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: ihale\r\n{}\r\n--b--\r\n",
        field("Original-Envelope-Id", envid),
        groups.collect::<String>(),
        field("Message-ID", &angled),
    )
    .into_bytes()
}

fn told(action: &str, status: &str) -> Vec<u8> {
    report(OURS, OURS, &[(AYSE, action, status)])
}

/// A house whose peer must show a certificate, and that certificate.
async fn house() -> (House, Vec<u8>) {
    let house = House::open().await;
    let shown = house.peer.user_root.certificate().clone();
    let pin = shown.digest().hex();
    house.register(move |row| row.client_pins = pin.clone()).await;
    house.sent().await;
    (house, shown.der().to_vec())
}

async fn hand(house: &House, mail: &[u8], client: &[u8]) -> Said {
    house.hand_by(None, mail, &["kepservisi@hs06.kep.tr"], Some(client)).await
}

/// What is kept: action and status of each.
async fn kept(house: &House) -> Vec<String> {
    let id = MessageId::parse(OURS).unwrap();
    let rows = house.store.read(move |tx| reports::of_message(tx, &id)).await.unwrap();
    rows.into_iter().map(|row| format!("{} {}", row.action, row.status)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_failure_ends_the_wait_and_comes_once() {
    let (house, client) = house().await;
    house.relayed().await;
    let failed = told("failed", "5.1.1");
    assert_eq!(hand(&house, &failed, &client).await, Said::Taken);
    assert_eq!(hand(&house, &failed, &client).await, Said::Again);
    assert_eq!(house.shown().await, RecipientState::RelayFailed);
    assert_eq!(house.jobs("evidence").await, [format!("fact/{OURS}/1/relay-failed")]);
    // The end of the silence finds nothing left to end.
    house.fall_silent().await;
    assert_eq!(house.jobs("evidence").await.len(), 1);
    // What its provider says under its seal weighs more, however late it comes.
    let late = house.returned(&house.told(Event::Delivery));
    assert_eq!(house.hand_by(None, &late, &[CAN], Some(&client)).await, Said::Taken);
    assert_eq!(house.shown().await, RecipientState::Delivered);
    assert_eq!(kept(&house).await, ["failed 5.1.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_before_our_own_note_of_the_relay_counts_too() {
    let (house, client) = house().await;
    assert_eq!(hand(&house, &told("failed", "5.3.0"), &client).await, Said::Taken);
    assert_eq!(house.shown().await, RecipientState::RelayFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_over_by_evidence_no_report_takes_back() {
    let (house, client) = house().await;
    house.relayed().await;
    let acceptance = house.returned(&house.told(Event::RelayAcceptance));
    assert_eq!(house.hand_by(None, &acceptance, &[CAN], Some(&client)).await, Said::Taken);
    assert_eq!(hand(&house, &told("failed", "5.2.2"), &client).await, Said::Taken);
    assert_eq!(house.shown().await, RecipientState::Relayed);
    assert!(house.jobs("evidence").await.is_empty());
    assert_eq!(kept(&house).await, ["failed 5.2.2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_reports_are_kept_beside() {
    let (house, client) = house().await;
    house.relayed().await;
    let all =
        [("delayed", "4.4.1"), ("relayed", "2.0.0"), ("expanded", "2.0.0"), ("delivered", "2.1.5")];
    for (action, status) in all {
        assert_eq!(hand(&house, &told(action, status), &client).await, Said::Taken, "{action}");
    }
    assert_eq!(house.shown().await, RecipientState::Relayed);
    assert!(house.jobs("evidence").await.is_empty());
    assert_eq!(kept(&house).await.len(), 4);
    // A server that reports without end is heard no more.
    for n in 0..4 {
        let again = told("delayed", &format!("4.4.{}", n + 2));
        assert_eq!(hand(&house, &again, &client).await, Said::Taken);
    }
    let ninth = told("delayed", "4.9.9");
    assert_eq!(hand(&house, &ninth, &client).await, Said::Refused("EvidenceTooMuch"));
    // What is here already is a repetition, in whatever words.
    let again = told("delayed", "4.4.1");
    let words = String::from_utf8(again).unwrap().replace("kim bu", "kuyruk 77");
    assert_eq!(hand(&house, words.as_bytes(), &client).await, Said::Again);
    // There is no room for more.
    let both = report(OURS, OURS, &[(AYSE, "delayed", "4.9.9"), (AYSE, "delayed", "4.9.8")]);
    assert_eq!(hand(&house, &both, &client).await, Said::Refused("EvidenceTooMuch"));
    assert_eq!(kept(&house).await.len(), 8);
}

/// Of what it never had one that has closed tells nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_provider_reports_of_what_it_had_only() {
    let (house, client) = house().await;
    let since = house.peer.at.plus_secs(3600);
    let pin = house.peer.user_root.certificate().digest().hex();
    house
        .register(move |row| {
            (row.state, row.since) = ("closed".into(), since);
            row.client_pins = pin.clone();
        })
        .await;
    let failed = told("failed", "5.1.1");
    assert_eq!(hand(&house, &failed, &client).await, Said::Refused("PeerEnded"));
    house.relayed().await;
    assert_eq!(hand(&house, &failed, &client).await, Said::Taken);
    assert_eq!(house.shown().await, RecipientState::RelayFailed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_report_is_refused_and_changes_nothing() {
    let (house, client) = house().await;
    house.relayed().await;
    let failed = told("failed", "5.1.1");
    let refused = |name| Said::Refused(name);
    // Whoever does not show a registered certificate is nobody.
    assert_eq!(house.hand_null(&failed).await, refused("ReportUnproven"));
    let stranger = house.peer.seal_root.certificate().der().to_vec();
    assert_eq!(hand(&house, &failed, &stranger).await, refused("ReportUnproven"));
    assert_eq!(
        house.hand_by(Some("hs05.kep.tr"), &failed, &[CAN], Some(&client)).await,
        refused("NotRem")
    );
    let lines = [(AYSE, "failed", "5.1.1")];
    let other = report("yok@hs06.kep.tr", "", &lines);
    assert_eq!(hand(&house, &other, &client).await, refused("EvidenceOfNothing"));
    assert_eq!(hand(&house, &report("", "", &lines), &client).await, refused("EvidenceOfNothing"));
    let two = report(OURS, "yok@hs06.kep.tr", &lines);
    assert_eq!(hand(&house, &two, &client).await, refused("ReportUnfit"));
    let nobody = report(OURS, OURS, &[(AYSE, "failed", "5.1.1"), (CAN, "failed", "5.1.1")]);
    assert_eq!(hand(&house, &nobody, &client).await, refused("ReportUnfit"));
    assert_eq!(hand(&house, &told("lost", "5.1.1"), &client).await, refused("ReportMalformed"));
    // By a provider that does not have the recipient.
    let pin = house.peer.user_root.certificate().digest().hex();
    house.register(|row| row.client_pins.clear()).await;
    house
        .register(move |row| {
            row.domain = "hs07.kep.tr".into();
            row.client_pins = pin.clone();
            row.seals.clear();
        })
        .await;
    assert_eq!(hand(&house, &failed, &client).await, refused("ReportUnfit"));
    assert_eq!(house.shown().await, RecipientState::Relayed);
    assert!(kept(&house).await.is_empty() && house.jobs("evidence").await.is_empty());
}

/// Either name is enough; the mail's own is what every server returns.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_matched_by_either_of_its_names() {
    for (envid, message_id) in [(OURS, ""), ("", OURS)] {
        let (house, client) = house().await;
        house.relayed().await;
        let mail = report(envid, message_id, &[(AYSE, "failed", "5.4.4")]);
        assert_eq!(hand(&house, &mail, &client).await, Said::Taken);
        assert_eq!(house.shown().await, RecipientState::RelayFailed);
    }
}

/// Nothing tells of evidence but a line in the time line of its message.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_an_evidence_mail_is_kept_with_its_message() {
    let (house, client) = house().await;
    let mail = house.incoming(&[CAN]);
    assert_eq!(house.hand_by(None, &mail, &[CAN], Some(&client)).await, Said::Taken);
    let evidence = house.own_evidence("5f2c@hs05.kep.tr").await;
    let name = format!("{evidence}@hs06.kep.tr");
    let lines = [("kepservisi@hs05.kep.tr", "failed", "5.2.2")];
    let mail = report(evidence.as_str(), &name, &lines);
    assert_eq!(hand(&house, &mail, &client).await, Said::Taken);
    assert_eq!(hand(&house, &mail, &client).await, Said::Again);
    let id = MessageId::parse("5f2c@hs05.kep.tr").unwrap();
    let rows = house.store.read(move |tx| reports::of_message(tx, &id)).await.unwrap();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((row.evidence.as_ref(), row.action.as_str()), (Some(&evidence), "failed"));
    assert!(house.jobs("evidence").await.is_empty());
}

/// Two providers may have one server: by whom its recipients are with is told which of them speaks.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_providers_with_one_certificate_it_is_told_which_one_speaks() {
    let (house, client) = house().await;
    house.relayed().await;
    let pin = house.peer.user_root.certificate().digest().hex();
    for (domain, state) in [("hs01.kep.tr", "active"), ("hs09.kep.tr", "suspended")] {
        let pin = pin.clone();
        let of = move |row: &mut ProviderRow| {
            (row.domain, row.state, row.client_pins) = (domain.into(), state.into(), pin.clone());
            row.seals.clear();
        };
        house.register(of).await;
    }
    let both =
        report(OURS, OURS, &[(AYSE, "delayed", "4.4.1"), ("c@hs01.kep.tr", "failed", "5.1.1")]);
    assert_eq!(hand(&house, &both, &client).await, Said::Refused("ReportUnfit"));
    assert_eq!(hand(&house, &told("delayed", "4.4.1"), &client).await, Said::Taken);
    let id = MessageId::parse(OURS).unwrap();
    let rows = house.store.read(move |tx| reports::of_message(tx, &id)).await.unwrap();
    let by: Vec<_> = rows.iter().map(|row| row.provider.as_str()).collect();
    assert_eq!(by, ["hs05.kep.tr"]);
    // The one whose recipients they are is suspended, whatever the others are.
    let pin = pin.clone();
    house
        .register(move |row| (row.state, row.client_pins) = ("suspended".into(), pin.clone()))
        .await;
    let Said::Refused(_) = hand(&house, &told("failed", "5.1.1"), &client).await else { panic!() };
    assert_eq!(kept(&house).await, ["delayed 4.4.1"]);
}
