//! `kep queue`: what waits for other providers, and what an operator does about it.

use crate::other_provider::OtherProvider;
use crate::scene::{ALI, Plan, Ran, Scene, until};
use serde_json::{Value, json};

const CAN: &str = "can@hs77.kep.tr";

async fn scene(port: u16, pin: &str) -> Scene {
    let scene = Scene::new(Plan::default()).await;
    let host = format!("127.0.0.1:{port}");
    let add = ["provider", "add", "hs77.kep.tr", "--name", "Öteki", "--host", &host];
    let ran = scene.kep(&[&add[..], &["--tls-pin", pin]].concat()).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    scene
}

async fn queue(scene: &Scene, arguments: &[&str]) -> Ran {
    scene.kep(&[&["queue"], arguments].concat()).await
}

/// What a change printed as JSON.
async fn changed(scene: &Scene, command: &str, which: &str) -> Value {
    scene.json(&["queue", command, which]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_queue_says_so_and_shows_who_is_held_all_the_same() {
    let scene = scene(25, &"0f".repeat(32)).await;
    // The store is there, and nobody serves.
    let listed = queue(&scene, &["list"]).await;
    assert_eq!((listed.code, listed.out.trim()), (Some(0), "nothing waits for another provider"));
    let empty = json!({ "providers": [], "mails": [] });
    assert_eq!(scene.json(&["queue", "list"]).await, empty);

    for command in ["hold", "hold"] {
        let expected = json!({ "mails": 0, "provider": "hs77.kep.tr" });
        assert_eq!(changed(&scene, command, "hs77.kep.tr").await, expected);
    }
    let listed = queue(&scene, &["list"]).await.out;
    assert!(listed.contains("hs77.kep.tr: nothing is sent; `kep queue release"), "{listed}");
    let shown = scene.json(&["queue", "list"]).await;
    assert_eq!(shown["providers"][0]["stopped"], true, "{shown}");
    let other = scene.json(&["queue", "list", "--provider", "hs78.kep.tr"]).await;
    assert_eq!(other, empty);
    changed(&scene, "release", "hs77.kep.tr").await;
    assert_eq!(scene.json(&["queue", "list"]).await, empty);

    for (arguments, code) in [
        (&["show", "1"][..], 66),
        (&["hold", "1"], 66),
        (&["release", "1"], 66),
        (&["retry", "1"], 66),
        (&["retry", "hs78.kep.tr"], 66),
        (&["release", "hs78.kep.tr"], 66),
        (&["hold", "kim"], 64),
        (&["retry", "99999999999999999999"], 64),
        (&["list", "--provider", "kim"], 65),
    ] {
        let ran = queue(&scene, arguments).await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("hint:"), "{arguments:?}: {}", ran.err);
    }
    let ran = queue(&scene, &["show", "kim"]).await;
    assert_eq!(ran.code, Some(64), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_held_stays_until_it_is_let_go() {
    let other = OtherProvider::start().await;
    let scene = scene(other.port, &other.pin()).await;
    changed(&scene, "hold", "hs77.kep.tr").await;
    let server = scene.serve().await;
    let [kept, gone] = ["kuyruk.1@istemci.example", "kuyruk.2@istemci.example"]
        .map(|name| scene.letter(ALI, &[CAN], name));
    let kept = scene.accepted(ALI, &[CAN], &kept).await;
    let number = until("its number", async || {
        let shown = scene.json(&["queue", "list"]).await;
        shown["mails"][0]["id"].as_i64().map(|id| id.to_string())
    })
    .await;
    assert_eq!(changed(&scene, "hold", &number).await, json!({ "mails": 1, "provider": null }));
    let gone = scene.accepted(ALI, &[CAN], &gone).await;
    let shown = scene.json(&["queue", "show", &number]).await;
    assert_eq!((&shown["mail"]["held"], &shown["mail"]["message"]), (&json!(true), &json!(kept)));
    assert_eq!(shown["recipients"], json!([CAN]));
    until("both wait", async || {
        let shown = scene.json(&["queue", "list", "--limit", "1"]).await;
        assert_eq!(shown["mails"].as_array().unwrap().len(), 1);
        let provider = &shown["providers"][0];
        (provider["waiting"] == 2 && provider["held"] == 1).then_some(())
    })
    .await;
    assert!(queue(&scene, &["list"]).await.out.contains("hs77.kep.tr: 2 wait, 1 of them held"));
    let expected = json!({ "mails": 1, "provider": "hs77.kep.tr" });
    assert_eq!(changed(&scene, "release", "hs77.kep.tr").await, expected);
    until("both are there", async || (other.mails().len() == 2).then_some(())).await;
    for id in [kept, gone] {
        until("it is known", async || {
            let shown = scene.json(&["message", "show", &id]).await;
            (shown["recipients"][0]["state"] == "relayed").then_some(())
        })
        .await;
    }
    assert_eq!(queue(&scene, &["release", &number]).await.code, Some(66), "it has left");
    server.stop().await;
}

/// Where the server can't be reached: what is held ends all the same when the provider does.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_closed_lets_go_of_what_was_held_for_it() {
    let scene = scene(25, &"0f".repeat(32)).await;
    changed(&scene, "hold", "hs77.kep.tr").await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[CAN], "kuyruk.3@istemci.example");
    let id = scene.accepted(ALI, &[CAN], &mail).await;
    let number = until("its number", async || {
        let shown = scene.json(&["queue", "list"]).await;
        shown["mails"][0]["id"].as_i64().map(|id| id.to_string())
    })
    .await;
    changed(&scene, "hold", &number).await;
    assert_eq!(scene.kep(&["provider", "close", "hs77.kep.tr"]).await.code, Some(0));
    let events = scene.settled(&id, 2).await;
    assert_eq!(events, [format!("relay-failure {CAN}"), "submission-acceptance".to_owned()]);
    assert_eq!(scene.json(&["queue", "list"]).await["mails"], json!([]));
    assert_eq!(scene.kep(&["provider", "close", "hs78.kep.tr"]).await.code, Some(66));
    server.stop().await;
}
