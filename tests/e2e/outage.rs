//! The time-stamp authority is away or lies: messages are accepted, evidence waits, nothing is lost.

use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, MEHMET, Plan, Running, Scene};
use crate::stand_in::{Manner, StandIn};

pub async fn stood_in(manner: Manner) -> (Scene, StandIn, Running) {
    let scene = Scene::new(Plan::default()).await;
    let stand_in = StandIn::start(scene.port(7), manner).await;
    let url = format!("\"http://127.0.0.1:{}/\"", stand_in.port);
    scene.set("timestamp", "url", &url);
    let server = scene.serve().await;
    (scene, stand_in, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_time_stamps_evidence_waits_and_nothing_is_lost() {
    let (scene, stand_in, server) = stood_in(Manner::Dead).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let mail = scene.letter(ALI, &[AYSE, MEHMET], &format!("kesinti.{n}@x"));
        ids.push(scene.accepted(ALI, &[AYSE, MEHMET], &mail).await);
    }
    let unsigned = crate::scene::letter(ALI, &[AYSE], "imzasiz@x").unsigned();
    assert_eq!(scene.submit(ALI, &[AYSE], &unsigned).await.code, 550);
    server.logged("put off", 4).await;
    figures_tell(&scene).await;
    assert_eq!(scene.json(&["evidence", "list"]).await, serde_json::json!([]));
    // What waits survives an end, a clean one or not.
    let (_, _) = server.end("KILL").await;
    let server = scene.serve().await;
    server.logged("put off", 1).await;

    stand_in.behave(Manner::Honest);
    for id in &ids {
        let events = scene.settled(id, 3).await;
        assert_eq!(events.len(), 3, "{events:?}");
        for (file, xml) in exported(&scene, id).await {
            judge(&scene, &file, &xml);
        }
    }
    crate::scene::until("the rejection evidence", async || {
        (scene.count("submission-rejection").await == 1).then_some(())
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_time_stamps_are_not_taken() {
    let (scene, stand_in, server) = stood_in(Manner::Honest).await;
    let first = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "ilk@x")).await;
    scene.settled(&first, 2).await;
    let wrong = [
        (Manner::Garbage, "reply is wrong"),
        (Manner::Failing, "HTTP 503"),
        (Manner::WrongImprint, "reply is wrong"),
        (Manner::Replay, "reply is wrong"),
    ];
    let mut ids = Vec::new();
    for (manner, why) in wrong {
        stand_in.behave(manner);
        let mail = scene.letter(ALI, &[AYSE], &format!("{manner:?}@x"));
        let id = scene.accepted(ALI, &[AYSE], &mail).await;
        let (job, log) = (format!("certify/{id}"), || server.log());
        crate::scene::until(why, async || {
            log().lines().any(|line| line.contains(&job) && line.contains(why)).then_some(())
        })
        .await;
        assert_eq!(scene.events(&id).await, [""; 0], "{manner:?}");
        ids.push(id);
    }
    stand_in.behave(Manner::Honest);
    for id in &ids {
        scene.settled(id, 2).await;
        for (file, xml) in exported(&scene, id).await {
            judge(&scene, &file, &xml);
        }
    }
    server.stop().await;
}

/// The account was open when the message was accepted: its sender gets evidence of what came of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_closed_before_delivery_makes_non_delivery_evidence() {
    let (scene, stand_in, server) = stood_in(Manner::Dead).await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "kapandi@x");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    server.logged("put off", 1).await;
    assert_eq!(scene.kep(&["account", "close", AYSE]).await.code, Some(0));
    stand_in.behave(Manner::Honest);
    let events = scene.settled(&id, 3).await;
    let expected =
        [&format!("delivery {MEHMET}"), &format!("non-delivery {AYSE}"), "submission-acceptance"];
    assert_eq!(events, expected);
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
        if file.to_string_lossy().contains("non-delivery") {
            assert!(xml.contains("UnknownRecipient"), "{xml}");
        }
    }
    let shown = scene.json(&["message", "show", &id]).await;
    assert_eq!(shown["recipients"][0]["state"], "failed", "{shown}");
    assert_eq!(shown["recipients"][1]["state"], "delivered", "{shown}");
    // What did not reach her is not told her.
    assert_eq!(scene.kep(&["account", "reopen", AYSE]).await.code, Some(0));
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("Deliller").await.unwrap();
    assert!(imap.uid_search("ALL").await.unwrap().is_empty());
    server.stop().await;
}

/// There was room when the message was accepted, and is none when it is delivered.
#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_is_full_by_its_delivery_makes_non_delivery_evidence() {
    let (scene, stand_in, server) = stood_in(Manner::Dead).await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "doldu@x");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    server.logged("put off", 1).await;
    let full = ["account", "set", AYSE, "--storage", "1 KiB"];
    assert_eq!(scene.kep(&full).await.code, Some(0));
    // From now on it is said at once, to whoever writes to her.
    let refused = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "yeni@x")).await;
    assert_eq!(refused.code, 552, "{refused:?}");
    let text = refused.lines.join("\n");
    assert!(text.starts_with("5.2.2"), "{text}");
    assert!(text.contains("bu ileti icin yer yok"), "{text}");
    assert!(text.contains("There is no room for this message"), "{text}");
    stand_in.behave(Manner::Honest);
    let events = scene.settled(&id, 3).await;
    let expected =
        [&format!("delivery {MEHMET}"), &format!("non-delivery {AYSE}"), "submission-acceptance"];
    assert_eq!(events, expected);
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
        if file.to_string_lossy().contains("non-delivery") {
            assert!(xml.contains("MailboxFull"), "{xml}");
        }
    }
    let shown = scene.json(&["message", "show", &id]).await;
    assert_eq!(shown["recipients"][0]["state"], "failed", "{shown}");
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("INBOX").await.unwrap();
    assert!(imap.uid_search("ALL").await.unwrap().is_empty());
    // Who is full sends all the same, and gets the evidence.
    let own = scene.accepted(AYSE, &[ALI], &scene.letter(AYSE, &[ALI], "dolu@x")).await;
    scene.settled(&own, 2).await;
    imap.select("Deliller").await.unwrap();
    assert_eq!(imap.uid_search("ALL").await.unwrap().len(), 2);
    // With room again she can be written to.
    assert_eq!(scene.kep(&["account", "set", AYSE, "--storage", "default"]).await.code, Some(0));
    scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    server.stop().await;
}

/// What happened and what waits stand in the figures, under the names of docs/operations.md.
async fn figures_tell(scene: &Scene) {
    let page = format!("http://127.0.0.1:{}/metrics", scene.port(6));
    let expected = [
        ("kep_accepted_total", 3.0),
        ("kep_jobs_waiting{step=\"certify\"}", 3.0),
        ("kep_jobs_waiting{step=\"evidence\"}", 1.0),
        ("kep_clock_drift_seconds", 0.0),
        ("kep_smtp_connections", 0.0),
    ];
    crate::scene::until("the figures", async || {
        let text = reqwest::get(&page).await.unwrap().text().await.unwrap();
        let figure = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            value.and_then(|value| value.parse::<f64>().ok())
        };
        expected.iter().all(|(name, value)| figure(name) == Some(*value)).then_some(())
    })
    .await;
    let text = reqwest::get(&page).await.unwrap().text().await.unwrap();
    for name in ["kep_refused_total{why=", "kep_jobs_put_off_total", "kep_submission_seconds"] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{name}: {text}");
    }
}
