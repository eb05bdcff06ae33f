//! A delivery report of another provider's server (RFC 3464), over the real port.

use crate::judges::{exported, judge};
use crate::other_provider::OtherProvider;
use crate::providers::said;
use crate::scene::{ALI, Plan, Scene, until};
use crate::wire::{Wire, trust};
use rustls::ClientConfig;
use std::sync::Arc;

const CAN: &str = "can@hs77.kep.tr";

/// What the relay says to a report about a message of its own.
fn reported(scene: &Scene, client: Arc<ClientConfig>, id: &str) -> String {
    let report = format!(
        "From: <mailer-daemon@hs77.kep.tr>\r\nTo: <kepservisi@hs05.kep.tr>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; relay.hs77.kep.tr\r\nOriginal-Envelope-Id: {id}\r\n\r\n\
         Original-Recipient: rfc822;{CAN}\r\nFinal-Recipient: rfc822;{CAN}\r\n\
         Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 kim bu\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{id}>\r\n\r\n--b--\r\n.\r\n"
    );
    tokio::task::block_in_place(|| {
        let mut wire = Wire::open(scene.port(4), false, client);
        said(&mut wire);
        let mut ask = |line: &[u8]| {
            wire.send(line);
            let answer = said(&mut wire);
            if line.starts_with(b"STARTTLS") {
                wire.secure().unwrap();
            }
            answer
        };
        ask(b"EHLO relay.hs77.kep.tr\r\n");
        ask(b"STARTTLS\r\n");
        ask(b"EHLO relay.hs77.kep.tr\r\n");
        assert!(ask(b"MAIL FROM:<>\r\n").starts_with("250"));
        assert!(ask(b"RCPT TO:<kepservisi@hs05.kep.tr>\r\n").starts_with("250"));
        assert!(ask(b"DATA\r\n").starts_with("354"));
        ask(report.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_failure_over_the_registered_connection_makes_relay_failure_evidence() {
    let scene = Scene::new(Plan::default()).await;
    let other = OtherProvider::start().await;
    let (host, pin) = (format!("127.0.0.1:{}", other.port), other.pin());
    let add = ["provider", "add", "hs77.kep.tr", "--name", "Öteki", "--host", &host];
    let known = ["--tls-pin", &pin, "--client-pin", &pin];
    let ran = scene.kep(&[&add[..], &known].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[CAN], &scene.letter(ALI, &[CAN], "rapor.1@x.example")).await;
    let state = async || {
        let shown = scene.json(&["message", "show", &id]).await;
        shown["recipients"][0]["state"].as_str().unwrap().to_owned()
    };
    until("the relay", async || (state().await == "relayed").then_some(())).await;

    let stranger = reported(&scene, trust(scene.provider()), &id);
    assert!(stranger.starts_with("550 5.7.1"), "{stranger}");
    assert_eq!(state().await, "relayed");
    let client = other.client(scene.provider());
    for _ in 0..2 {
        assert_eq!(reported(&scene, Arc::clone(&client), &id), format!("250 2.0.0 {id}"));
    }
    let events = scene.settled(&id, 2).await;
    assert_eq!(events, [format!("relay-failure {CAN}"), "submission-acceptance".to_owned()]);
    assert_eq!(state().await, "relay-failed");
    let timeline = scene.kep(&["message", "timeline", &id]).await.out;
    assert!(timeline.contains("Teslim raporu: başarısız"), "{timeline}");
    assert!(timeline.contains("failed, 5.1.1 smtp; 550 kim bu"), "{timeline}");
    let list = scene.json(&["message", "timeline", &id]).await;
    let rows = list.as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["event"] == "report-failed").count(), 1);
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
        let told = xml.contains("RelayREMMDFailure");
        assert_eq!(told, xml.contains("EventReason#UnknownRecipient"), "{xml}");
        assert_eq!(told, xml.contains("DSN: 5.1.1 smtp; 550 kim bu"), "{xml}");
    }
    let checked = scene.kep(&["fsck"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    server.stop().await;
}
