//! A `250` that was lost: the program sends the same mail again.

use crate::scene::{ALI, AYSE, Plan, Scene, letter};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_the_same_mail_again_is_the_same_message() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "yine.1@istemci.example");
    let first = scene.accepted(ALI, &[AYSE], &mail).await;
    assert_eq!(scene.accepted(ALI, &[AYSE], &mail).await, first);
    let events = scene.settled(&first, 2).await;
    assert_eq!(scene.accepted(ALI, &[AYSE], &mail).await, first);
    server.stop().await;

    // A start between the two makes no difference.
    let server = scene.serve().await;
    assert_eq!(scene.accepted(ALI, &[AYSE], &mail).await, first);
    assert_eq!(scene.events(&first).await, events);
    assert_eq!(scene.json(&["message", "list"]).await.as_array().unwrap().len(), 1);
    assert_eq!(scene.count("submission-acceptance").await, 1);
    server.stop().await;
}

/// What has acceptance evidence is never refused, whatever changed since.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_a_retry_hears_the_same_though_it_would_be_refused_today() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("trust", "cache", "\"0ms\"");
    let server = scene.serve().await;
    let signed = scene.letter(ALI, &[AYSE], "once.1@istemci.example");
    let first = scene.accepted(ALI, &[AYSE], &signed).await;
    assert_eq!(scene.kep(&["account", "set", ALI, "--signature", "optional"]).await.code, Some(0));
    let unsigned = letter(ALI, &[AYSE], "once.2@istemci.example").unsigned();
    let second = scene.accepted(ALI, &[AYSE], &unsigned).await;

    assert_eq!(scene.kep(&["account", "set", ALI, "--signature", "required"]).await.code, Some(0));
    let serial = scene.account(ALI).signer.certificate().serial_number().to_bn().unwrap();
    let list = scene.provider().join("secrets/registers/user.revoked");
    std::fs::write(list, format!("{} 1600000000\n", serial.to_dec_str().unwrap())).unwrap();
    let other = scene.letter(ALI, &[AYSE], "once.3@istemci.example");
    assert_eq!(scene.submit(ALI, &[AYSE], &other).await.code, 550, "the policy has changed");
    assert_eq!(scene.accepted(ALI, &[AYSE], &signed).await, first);
    assert_eq!(scene.accepted(ALI, &[AYSE], &unsigned).await, second);

    let later = scene.letter(AYSE, &[AYSE], "sonra.1@istemci.example");
    scene.settled(&scene.accepted(AYSE, &[AYSE], &later).await, 2).await;
    assert_eq!(scene.count("submission-rejection").await, 1, "that of the other mail");
    assert_eq!(scene.count("submission-acceptance").await, 3);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_eight_connections_with_the_same_mail_make_one_message() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "sekiz.1@istemci.example");
    let mut running = JoinSet::new();
    for _ in 0..8 {
        let (doors, ali) = (scene.doors(), scene.account(ALI).clone());
        let prepared = crate::client::smtp::Prepared::new(&mail);
        running.spawn(async move {
            let mut smtp = doors.smtp(&ali).await.unwrap();
            let receipt = smtp.submit(ALI, &[AYSE], &prepared).await.unwrap();
            receipt.reply.must_be(250).unwrap().message_id().unwrap().to_owned()
        });
    }
    let mut ids = running.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let events = scene.settled(&ids[0], 2).await;
    assert_eq!(events, [format!("delivery {AYSE}"), "submission-acceptance".to_owned()]);
    assert_eq!(scene.json(&["message", "list"]).await.as_array().unwrap().len(), 1);
    server.stop().await;
}
