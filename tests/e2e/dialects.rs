//! Evidence and dispatches as each provider's registry entry asks for them.

use crate::judges::{exported, is_younger, judge};
use crate::providers::{CAN, Two, YOK, all_of, states};
use crate::scene::{ALI, Plan, Scene, until};
use serde_json::Value;

async fn told_in(scene: &Scene, domain: &str, dialect: &str) {
    let set = scene.kep(&["provider", "set", domain, "--dialect", dialect]).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
}

/// Of each evidence its event and the dialects that it is in.
async fn dialects(scene: &Scene, id: &str) -> Vec<String> {
    let list = scene.json(&["evidence", "list", "--message", id]).await;
    let words = |row: &Value| {
        let further = row["further_dialects"].as_array().unwrap().iter();
        let all = [&row["dialect"]].into_iter().chain(further).map(|word| word.as_str().unwrap());
        format!("{} {}", row["event"].as_str().unwrap(), all.collect::<Vec<_>>().join("+"))
    };
    let mut found: Vec<_> = list.as_array().unwrap().iter().map(words).collect();
    found.sort();
    found
}

fn attaches(mail: &[u8], name: &str) -> bool {
    let wanted = format!("filename=\"{name}\"");
    mail.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_travel_and_verify_outside() {
    let two = Two::new().await;
    told_in(&two.a, "hs06.kep.tr", "both").await;
    told_in(&two.b, "hs05.kep.tr", "en319522").await;
    let (at_a, at_b) = (two.a.serve().await, two.b.serve().await);
    let to = [CAN, YOK];
    let original = two.a.letter(ALI, &to, "lehce.1@istemci.example");
    let id = two.a.accepted(ALI, &to, &original).await;
    two.a.settled(&id, 4).await;
    until("both states", async || {
        (states(&two.a, &id).await == ["delivered", "failed"]).then_some(())
    })
    .await;
    let expected = [
        "delivery en319522",
        "relay-acceptance en319522",
        "relay-rejection en319522",
        "submission-acceptance ts102640+en319522",
    ];
    assert_eq!(dialects(&two.a, &id).await, expected);
    assert_eq!(dialects(&two.b, &id).await, expected);

    // The sender holds the acceptance in both; what comes from the other provider in one.
    let mails = all_of(&two.a, ALI, "Deliller").await;
    let of = |name: &str| mails.iter().filter(|mail| attaches(mail, name)).count();
    assert_eq!(of("SubmissionAcceptanceRejection.xml"), 1);
    assert_eq!(of("SubmissionAcceptance.xml"), 1);
    assert_eq!(of("ContentConsignment.xml"), 1);
    assert_eq!(of("DeliveryNonDeliveryToRecipient.xml"), 0);
    for (n, mail) in mails.iter().enumerate() {
        let file = two.a.scratch(&format!("delil-{n}.eml"));
        std::fs::write(&file, mail).unwrap();
        two.verified(&file).await;
    }
    let (mut younger, mut elder) = (0, 0);
    for (file, xml) in exported(&two.a, &id).await {
        two.verified(&file).await;
        judge(if xml.contains("kepservisi@hs06.kep.tr") { &two.b } else { &two.a }, &file, &xml);
        let further = file.to_str().unwrap().ends_with(".en319522.xml");
        match is_younger(&xml) {
            true => younger += 1,
            false => elder += 1,
        }
        assert!(!further || is_younger(&xml), "{}", file.display());
    }
    assert_eq!((elder, younger), (1, 4));
    shown_in_either(&two.a, &id).await;
    beside_our_own_copy(&two.a, &id).await;
    two.sound().await;
    at_a.stop().await;
    at_b.stop().await;
}

async fn shown_in_either(scene: &Scene, id: &str) {
    let list = scene.json(&["evidence", "list", "--message", id]).await;
    let rows = list.as_array().unwrap();
    let of = |event: &str| {
        let row = rows.iter().find(|row| row["event"] == event).unwrap();
        row["id"].as_str().unwrap().to_owned()
    };
    let (both, one) = (of("submission-acceptance"), of("delivery"));
    let show = async |id: &str, dialect: &str| {
        scene.kep(&["evidence", "show", id, "--dialect", dialect]).await
    };
    assert!(!is_younger(&scene.kep(&["evidence", "show", &both]).await.out));
    assert!(is_younger(&show(&both, "en319522").await.out));
    assert!(!is_younger(&show(&both, "ts102640").await.out));
    let missing = show(&one, "ts102640").await;
    assert!(missing.code != Some(0) && missing.err.contains("hint:"), "{}", missing.err);
}

/// Each document has its own copy in the store, in its own dialect.
async fn beside_our_own_copy(scene: &Scene, id: &str) {
    for (file, _) in exported(scene, id).await {
        let ran = scene.kep(&["verify", file.to_str().unwrap()]).await;
        assert!(!ran.out.contains("own copy"), "{}{}", ran.out, ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_of_another_country_is_registered_with_the_domains_of_its_users() {
    let scene = Scene::new(Plan::default()).await;
    let pin = "0f".repeat(32);
    let add = ["provider", "add", "rem.example.it", "--name", "REM", "--host", "127.0.0.1:25"];
    let terms = ["--tls-pin", &pin, "--user-domain", "comune.example.it"];
    let ran = scene.kep(&[&add[..], &terms].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = scene.json(&["provider", "show", "rem.example.it"]).await;
    assert_eq!(shown["user_domains"], serde_json::json!(["comune.example.it"]));
    let set = async |domain: &str, users: &str| {
        let ran = scene.kep(&["provider", "set", domain, "--user-domain", users]).await;
        assert!(ran.code == Some(0) || ran.err.contains("hint:"), "{}", ran.err);
        ran.code
    };
    assert_eq!(
        set("rem.example.it", "hs07.kep.tr").await,
        Some(65),
        "the circuit has its own rule"
    );
    assert_eq!(set("rem.example.it", "none").await, Some(0));
    let shown = scene.json(&["provider", "show", "rem.example.it"]).await;
    assert_eq!(shown["user_domains"], serde_json::json!([]));
    for wrong in ["kep.tr", "hs7.kep.tr", "it", "1.2.3.4"] {
        let ran = scene.kep(&["provider", "show", wrong]).await;
        assert_eq!(ran.code, Some(65), "{wrong}: {}", ran.err);
    }
}
