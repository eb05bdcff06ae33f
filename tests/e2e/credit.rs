//! Credits from outside: what is bought is there, what is sent is spent once, what did not reach comes
//! back, and who has none is told so in the dialogue.

use crate::client::smtp::{Prepared, Reply};
use crate::outage::stood_in;
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, letter, until};
use crate::stand_in::Manner;
use serde_json::{Value, json};
use std::ffi::OsString;

async fn asked_for(scene: &Scene) {
    let set = ["policy", "set", "credit.enforced", "yes", "--reason", "kurul karari"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
}

async fn top_up(scene: &Scene, amount: &str, reference: &str) -> Value {
    let act = ["account", "credit", "top-up", ALI, amount];
    let why = ["--reason", "havale", "--reference", reference];
    scene.json(&[&act[..], &why].concat()).await
}

/// Available, reserved, spent.
async fn has(scene: &Scene) -> [i64; 3] {
    let shown = scene.json(&["account", "credit", ALI]).await;
    ["available", "reserved", "spent"].map(|key| shown[key].as_i64().unwrap())
}

fn assert_no_credit(reply: &Reply, needed_and_left: &str) {
    assert_eq!(reply.code, 550, "{reply:?}");
    assert!(reply.lines.iter().all(|line| line.starts_with("5.7.1")), "{reply:?}");
    let text = reply.lines.join("\n");
    for part in ["Kontorunuz yetersiz", "Kontor yukleyip", "Not enough credit", "Buy credit"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(text.contains(needed_and_left), "{text}");
}

async fn proven(scene: &Scene) {
    let audit = scene.json(&["credit", "audit"]).await;
    assert_eq!((&audit["proven"], &audit["faults"]), (&json!(true), &json!([])));
    let fsck = scene.kep(&["fsck"]).await;
    assert_eq!(fsck.code, Some(0), "{}{}", fsck.out, fsck.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_06_who_has_no_credit_is_told_so_and_nothing_stays() {
    let scene = Scene::new(Plan::default()).await;
    asked_for(&scene).await;
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    smtp.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
    assert_no_credit(&smtp.command(&format!("RCPT TO:<{AYSE}>")).await.unwrap(), "1 / 0");
    smtp.command("RSET").await.unwrap().must_be(250).unwrap();
    assert_eq!(scene.json(&["evidence", "list"]).await, json!([]));
    // Enough for one recipient, and not for both: known when all of them are.
    assert_eq!(top_up(&scene, "1", "dekont 1").await["available"], 1);
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "iki@x");
    let receipt = smtp.submit(ALI, &[AYSE, MEHMET], &Prepared::new(&mail)).await.unwrap();
    assert_no_credit(&receipt.reply, "2 / 1");
    assert_eq!(scene.json(&["message", "list"]).await, json!([]));
    assert_eq!(has(&scene).await, [1, 0, 0]);
    until("the rejection evidence", async || {
        (scene.count("submission-rejection").await == 1).then_some(())
    })
    .await;
    let mail = scene.letter(ALI, &[AYSE], "bir@x");
    let reply = smtp.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    let id = reply.must_be(250).unwrap().message_id().unwrap().to_owned();
    scene.settled(&id, 2).await;
    assert_eq!(has(&scene).await, [0, 0, 1]);
    // The same again costs nothing, though there is nothing left; another mail is refused.
    let again = smtp.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    assert_eq!(again.must_be(250).unwrap().message_id(), Some(id.as_str()));
    assert_eq!(has(&scene).await, [0, 0, 1]);
    let other = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "baska@x")).await;
    assert_no_credit(&other, "1 / 0");
    proven(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_reach_a_recipient_is_given_back_with_its_evidence() {
    let (scene, stand_in, server) = stood_in(Manner::Dead).await;
    asked_for(&scene).await;
    top_up(&scene, "5", "dekont 1").await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "kapandi@x");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    // Reserved while there is no evidence that it is accepted.
    assert_eq!(has(&scene).await, [3, 2, 0]);
    server.logged("put off", 1).await;
    assert_eq!(scene.kep(&["account", "close", AYSE]).await.code, Some(0));
    stand_in.behave(Manner::Honest);
    scene.settled(&id, 3).await;
    assert_eq!(has(&scene).await, [4, 0, 1]);
    let history = scene.json(&["account", "credit", "history", ALI]).await;
    let entries: Vec<_> = history.as_array().unwrap().iter().map(|one| &one["entry"]).collect();
    assert_eq!(entries, ["give-back", "spend", "reserve", "top-up"]);
    assert_eq!(history[0]["details"]["evidence"], 41);
    assert_eq!((&history[0]["recipient"], &history[0]["rest"]), (&json!(1), &json!(4)));
    proven(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_credits_for_one_message_signs_the_one_that_is_held() {
    let scene = Scene::new(Plan::default()).await;
    asked_for(&scene).await;
    let hold = ["account", "set", ALI, "--signature", "hold"];
    assert_eq!(scene.kep(&hold).await.code, Some(0));
    top_up(&scene, "1", "dekont 1").await;
    let server = scene.serve().await;
    let id = "imza.1@istemci.example";
    let held = scene.submit(ALI, &[AYSE], &letter(ALI, &[AYSE], id).unsigned()).await;
    assert_eq!(held.code, 250, "{held:?}");
    assert_eq!(has(&scene).await, [0, 1, 0]);
    // What waits holds all that there is: another message is refused, its signed form is not.
    let other = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "baska@x")).await;
    assert_no_credit(&other, "1 / 0");
    let message = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], id)).await;
    scene.settled(&message, 2).await;
    assert_eq!(has(&scene).await, [0, 0, 1]);
    proven(&scene).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_top_up_once_and_correct_in_twos() {
    let scene = Scene::new(Plan::default()).await;
    let again = top_up(&scene, "100", "dekont 7").await;
    assert_eq!((&again["before"], &again["available"]), (&json!(false), &json!(100)));
    let again = top_up(&scene, "100", "dekont 7").await;
    assert_eq!((&again["before"], &again["available"]), (&json!(true), &json!(100)));
    let other =
        ["account", "credit", "top-up", ALI, "50", "--reason", "x", "--reference", "dekont 7"];
    let other = scene.kep(&other).await;
    assert!(other.code == Some(65) && other.err.contains("hint: "), "{}", other.err);
    let sms = ["--unit", "sms", "--reason", "paket", "--reference", "sms 1"];
    let sms = [&["account", "credit", "top-up", ALI, "20"][..], &sms].concat();
    assert_eq!(scene.json(&sms).await["sms"], 20);

    let file = scene.scratch("password");
    std::fs::write(&file, "uzun bir parola sozu").unwrap();
    let file = file.to_str().unwrap();
    for (name, role) in
        [("yonetici", "manager,auditor"), ("mali", "accountant"), ("onay", "approver")]
    {
        let first = name == "yonetici";
        let password = if first { file.to_owned() } else { scene.given_password() };
        let add =
            ["staff", "add", name, "--display", name, "--role", role, "--password-file", &password];
        let who: [(&str, OsString); 2] =
            [("KEP_STAFF", "yonetici".into()), ("KEP_STAFF_PASSWORD_FILE", file.into())];
        let who = if first { &[][..] } else { &who[..] };
        let added = scene.kep_with(&add, who).await;
        assert_eq!(added.code, Some(0), "{}", added.err);
        if !first {
            scene.sets_own_password(name, file).await;
        }
    }
    let correct = async |asks: &str, approves: &str, amount: &str| {
        let act = ["account", "credit", "correct", ALI, amount, "--reason", "yanlis havale"];
        let by = ["--as", asks, "--staff-password-file", file, "--reference", "talep 3"];
        let second = ["--approved-by", approves, "--approver-password-file", file];
        scene.kep(&[&act[..], &by, &second].concat()).await
    };
    for (asks, approves) in [("mali", "mali"), ("mali", "yonetici"), ("onay", "mali")] {
        let refused = correct(asks, approves, "-30").await;
        assert!(refused.code != Some(0) && refused.err.contains("hint: "), "{}", refused.err);
    }
    let done = correct("mali", "onay", "-30").await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(has(&scene).await, [70, 0, 0]);
    let audit = ["audit", "list", "--act", "credit", "--as", "yonetici", "--staff-password-file"];
    let audit = scene.json(&[&audit[..], &[file]].concat()).await;
    assert_eq!(audit[0]["details"]["approved_by"], "onay", "{audit}");
    let quote = scene.json(&["credit", "quote", "6 MiB", AYSE, "can@hs06.kep.tr"]).await;
    assert_eq!(quote, json!({ "enforced": false, "total": 4, "elsewhere": 2, "here": 2 }));
    proven(&scene).await;
    let text = scene.kep(&["account", "credit", ALI]).await;
    assert!(text.out.contains("70 credits, 0 reserved, 0 spent; 20 SMS"), "{}", text.out);
    assert!(text.out.contains("dekont 7 havale"), "{}", text.out);
}
