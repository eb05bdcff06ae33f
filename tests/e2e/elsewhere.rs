//! A recipient with another provider: accepted, and kept for the relay.

use crate::scene::{ALI, AYSE, Plan, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn mail_to_a_registered_provider_waits_for_relay_and_is_not_lost() {
    let scene = Scene::new(Plan::default()).await;
    let add = ["provider", "add", "hs77.kep.tr", "--name", "Öteki", "--host", "relay.hs77.kep.tr"];
    assert_eq!(scene.kep(&add).await.code, Some(0));
    let server = scene.serve().await;
    let to = [AYSE, "can@hs77.kep.tr", "kurum@belediye.hs77.kep.tr"];
    let mail = scene.letter(ALI, &to, "uzak.1@istemci.example");
    let id = scene.accepted(ALI, &to, &mail).await;
    let events = scene.settled(&id, 2).await;
    assert_eq!(events, [format!("delivery {AYSE}"), "submission-acceptance".to_owned()]);
    server.stop().await;

    // A start between changes nothing: the job is durable.
    let server = scene.serve().await;
    assert_eq!(scene.accepted(ALI, &to, &mail).await, id);
    let shown = scene.json(&["message", "show", &id]).await;
    let waits: Vec<_> =
        shown["recipients"].as_array().unwrap().iter().map(|to| to["waits"].as_str()).collect();
    assert_eq!(waits, [None, Some("relay"), Some("relay")]);
    for command in ["show", "timeline"] {
        let text = scene.kep(&["message", command, &id]).await.out;
        assert_eq!(text.matches("waits for relay").count(), 2, "{text}");
    }
    let checked = scene.kep(&["fsck"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    server.stop().await;
}
