//! Unsigned mail that waits for its sender's signature.

use crate::client::smtp::Reply;
use crate::scene::{ALI, AYSE, Plan, Scene, letter};

/// The id of a mail that was not accepted yet, as its `250` says.
fn held(reply: &Reply) -> String {
    assert_eq!(reply.code, 250, "{reply:?}");
    assert!(reply.lines[0].contains("Ileti imza bekliyor."), "{reply:?}");
    assert!(reply.lines[0].contains("The message waits for its signature."), "{reply:?}");
    reply.lines.last().unwrap().strip_prefix("2.0.0 ").unwrap().to_owned()
}

async fn rule(scene: &Scene, rule: &str) {
    let ran = scene.kep(&["account", "set", ALI, "--signature", rule]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

async fn state(scene: &Scene, id: &str) -> String {
    let shown = scene.json(&["message", "show", id]).await;
    shown["message"]["state"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_mail_is_held_says_so_each_time_and_goes_on_when_no_signature_is_asked_for() {
    let scene = Scene::new(Plan::default()).await;
    rule(&scene, "hold").await;
    let server = scene.serve().await;
    let mail = letter(ALI, &[AYSE], "bekle.1@istemci.example").unsigned();
    let id = held(&scene.submit(ALI, &[AYSE], &mail).await);
    assert_eq!(held(&scene.submit(ALI, &[AYSE], &mail).await), id);
    server.stop().await;

    let server = scene.serve().await;
    assert_eq!(held(&scene.submit(ALI, &[AYSE], &mail).await), id);
    // A policy that would refuse it now takes back nothing that was said.
    rule(&scene, "required").await;
    assert_eq!(held(&scene.submit(ALI, &[AYSE], &mail).await), id);
    // One that comes after: whatever the held one left would be there by then.
    let other = scene.letter(ALI, &[AYSE], "imzali.1@istemci.example");
    let other = scene.accepted(ALI, &[AYSE], &other).await;
    scene.settled(&other, 2).await;
    assert_eq!(state(&scene, &id).await, "held");
    assert_eq!(scene.events(&id).await, Vec::<String>::new());
    assert_eq!(scene.count("delivery").await, 1);
    assert_eq!(scene.count("submission-rejection").await, 0);
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));

    rule(&scene, "optional").await;
    assert_eq!(scene.accepted(ALI, &[AYSE], &mail).await, id);
    let events = scene.settled(&id, 2).await;
    assert_eq!(events, [format!("delivery {AYSE}"), "submission-acceptance".to_owned()]);
    assert_eq!(state(&scene, &id).await, "dispatched");
    assert_eq!(scene.accepted(ALI, &[AYSE], &mail).await, id);
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    server.stop().await;
}
