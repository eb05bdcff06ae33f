//! What is accepted has a time line, and evidence that outside judges verify.

use crate::client::smtp::Prepared;
use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, until};
use kep::trust::Clock;
use kep::wire::rem::Evidence;

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_message_has_a_time_line_and_evidence_that_outside_judges_verify() {
    travels(Plan::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rsa_keys_sign_what_outside_judges_verify() {
    travels(Plan { key: "rsa2048", ..Plan::default() }).await;
}

async fn travels(plan: Plan<'_>) {
    let scene = Scene::new(plan).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "yol.1@istemci.example");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    let events = scene.settled(&id, 3).await;
    let expected =
        [&format!("delivery {AYSE}"), &format!("delivery {MEHMET}"), "submission-acceptance"];
    assert_eq!(events, expected);

    let shown = scene.json(&["message", "show", &id]).await;
    let message = &shown["message"];
    assert_eq!(message["sender"], ALI);
    assert_eq!(message["subject"], "Sözleşme feshi: İhtarname");
    assert_eq!(message["size"], mail.len());
    assert_eq!(message["sha256"], hex(&mail));
    let recipients: Vec<_> = shown["recipients"].as_array().unwrap().iter().collect();
    assert_eq!(recipients.len(), 2);
    for recipient in recipients {
        assert_eq!(recipient["state"], "delivered", "{recipient}");
        assert!(recipient["due"].is_string() && recipient["opened"].is_null(), "{recipient}");
    }

    let timeline = scene.json(&["message", "timeline", &id]).await;
    let timeline = timeline.as_array().unwrap();
    assert_eq!(timeline[0]["event"], "submission-acceptance");
    let times: Vec<_> = timeline.iter().map(|row| row["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let said = scene.kep(&["message", "timeline", &id]).await.out;
    assert!(said.contains("Teslim edildi") || said.contains("teslim edildi"), "{said}");

    let files = exported(&scene, &id).await;
    assert_eq!(files.len(), 3);
    for (file, xml) in &files {
        judge(&scene, file, xml);
        // Invariant 4: the evidence is about exactly the octets that were sent.
        let digest = data_encoding::BASE64.encode(&openssl::sha::sha256(&mail));
        assert!(xml.contains(&digest), "{}", file.display());
        assert!(xml.contains("urn:x-kep:authentication:basic"), "{}", file.display());
    }
    server.stop().await;
}

/// Qualified certificates of Turkish issuers name no address and no S/MIME purpose: the T.C. kimlik
/// no in the subject tells whose they are.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_07_a_qualified_signer_is_known_by_his_identity_number() {
    let scene = Scene::new(Plan::default()).await;
    let certificate = scene.account(MEHMET).signer.certificate().to_text().unwrap();
    let certificate = String::from_utf8_lossy(&certificate).into_owned();
    assert!(!certificate.contains("email") && !certificate.contains("E-mail Protection"));
    let server = scene.serve().await;
    let mail = scene.letter(MEHMET, &[AYSE], "nitelikli.1@istemci.example");
    let id = scene.accepted(MEHMET, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let shown = scene.json(&["message", "show", &id]).await;
    let signer = shown["message"]["signer"].as_str().unwrap();
    assert!(signer.contains("Mehmet Demir"), "{signer}");
    // Another person's identity number opens no door: his certificate is as good, and not theirs.
    let foreign = scene.account(MEHMET).signer.sign(&crate::scene::letter(ALI, &[AYSE], "n.2@x"));
    let reply = scene.submit(ALI, &[AYSE], &foreign.unwrap()).await;
    assert_eq!(reply.code, 550, "{reply:?}");
    server.stop().await;
}

/// The evidence tells when the sender logged in, not when his message was accepted.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_authentication_is_that_of_the_login() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let before = Clock::System.now();
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    let after = Clock::System.now();
    until("the clock goes on", async || {
        (Clock::System.now().secs() > after.secs() + 1).then_some(())
    })
    .await;
    let mail = scene.letter(ALI, &[AYSE], "giris.1@istemci.example");
    let receipt = smtp.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap();
    let id = receipt.reply.must_be(250).unwrap().message_id().unwrap().to_owned();
    scene.settled(&id, 2).await;
    for (_, xml) in exported(&scene, &id).await {
        let evidence = Evidence::read(xml.as_bytes()).unwrap().evidence;
        let time = evidence.sender_authentication.unwrap().time.secs();
        assert!((before.secs()..=after.secs() + 1).contains(&time), "{time}");
        assert!(evidence.event_time.secs() > time);
    }
    server.stop().await;
}

pub fn hex(octets: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&openssl::sha::sha256(octets))
}
