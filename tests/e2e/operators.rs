//! Operators on the wire: who may send, read, sign; and what waits for a signature.

use crate::client::imap::Imap;
use crate::client::smtp::{Prepared, Smtp};
use crate::client::tls::{Connection, Security, Tls};
use crate::scene::{ALI, AYSE, Plan, Scene, letter, until};
use serde_json::Value;
use std::net::Ipv4Addr;

const NUMBERS: [&str; 3] = ["10000000146", "10000000214", "10000000382"];

async fn done(scene: &Scene, arguments: &[&str]) {
    let ran = scene.kep(arguments).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
}

/// Appoints an operator of Ali's account; his code and a mail-program password.
async fn appoint(scene: &Scene, number: &str, roles: &str) -> (String, String) {
    let who = ["account", "operator", "add", ALI, "--name", "Ayşe", "--surname", "Demir"];
    let what = ["--identity-number", number, "--role", roles];
    let added = scene.json(&[&who[..], &what].concat()).await;
    let code = added["code"].as_str().unwrap().to_owned();
    let password = ["account", "operator", "password", ALI, &code, "--name", "Telefon"];
    let made = scene.json(&password).await;
    (code, made["password"].as_str().unwrap().to_owned())
}

async fn smtp(scene: &Scene, password: &str) -> std::io::Result<Smtp> {
    let doors = scene.doors();
    Smtp::login(doors.submission, &doors.tls, Security::Implicit, ALI, password).await
}

async fn imap(scene: &Scene, password: &str) -> std::io::Result<Imap> {
    let doors = scene.doors();
    Imap::login(doors.imap, &doors.tls, Security::Implicit, ALI, password).await
}

async fn tasks(scene: &Scene, more: &[&str]) -> Vec<(String, String)> {
    let found = scene.json(&[&["account", "task", "list", ALI][..], more].concat()).await;
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = found.as_array().unwrap().iter();
    all.map(|one| (text(one, "kind"), text(one, "state"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_password_opens_the_doors_that_his_roles_do() {
    let scene = Scene::new(Plan::default()).await;
    let (_, sends) = appoint(&scene, NUMBERS[0], "sends").await;
    let (code, reads) = appoint(&scene, NUMBERS[1], "reads").await;
    let server = scene.serve().await;
    let refused = smtp(&scene, &reads).await.err().unwrap().to_string();
    assert!(refused.contains("535"), "{refused}");
    assert!(refused.contains("gonderme yetkisi yoktur"), "{refused}");
    assert!(refused.contains("may not send"), "{refused}");
    let refused = imap(&scene, &sends).await.err().unwrap().to_string();
    assert!(refused.contains("may not read mail"), "{refused}");

    let mail = scene.letter(ALI, &[AYSE], "yetkili.1@istemci.example");
    let mut door = smtp(&scene, &sends).await.unwrap();
    let receipt = door.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap();
    assert_eq!(receipt.reply.code, 250, "{:?}", receipt.reply);
    // Other roles count for the next message of the same connection.
    done(&scene, &["account", "operator", "roles", ALI, "001", "--role", "signs"]).await;
    let mail = scene.letter(ALI, &[AYSE], "yetkili.2@istemci.example");
    let reply = door.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    assert_eq!(reply.code, 550, "{reply:?}");
    let audit = scene.json(&["audit", "list", "--act", "message.submit"]).await;
    assert!(audit.to_string().contains("001 Ayşe Demir"), "{audit}");

    let mut mailbox = imap(&scene, &reads).await.unwrap();
    mailbox.select("INBOX").await.unwrap();
    let draft = mailbox.append("Taslaklar", "", b"Subject: x\r\n\r\nx\r\n").await;
    assert!(draft.is_err(), "no draft without `prepares`");
    // What he reads and marks is his doing, once each; the holder's own is nobody's affair.
    let mut own = imap(&scene, &scene.account(ALI).password).await.unwrap();
    own.append("INBOX", "", b"Subject: x\r\n\r\nmetin\r\n").await.unwrap();
    own.select("INBOX").await.unwrap();
    own.command("FETCH * BODY.PEEK[]").await.unwrap();
    for command in ["NOOP", "FETCH * BODY[]", "FETCH * BODY.PEEK[TEXT]", "FETCH * BODY[]<0.20>"] {
        mailbox.command(command).await.unwrap();
    }
    let told = scene.json(&["audit", "list", "--act", "mail"]).await;
    let acts: Vec<_> = told.as_array().unwrap().iter().map(|one| one["act"].as_str()).collect();
    assert_eq!(acts, [Some("mail.read"), Some("mail.file")], "{told}");
    assert!(told.to_string().contains("002 Ayşe Demir"), "{told}");
    done(&scene, &["account", "operator", "end", ALI, &code]).await;
    assert!(mailbox.command("NOOP").await.is_err() || imap(&scene, &reads).await.is_err());
    assert!(imap(&scene, &reads).await.is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_message_waits_for_a_named_operator_who_signs_it() {
    let scene = Scene::new(Plan::default()).await;
    done(&scene, &["account", "set", ALI, "--signature", "hold"]).await;
    let (signs, _) = appoint(&scene, NUMBERS[0], "signs").await;
    let (reads, _) = appoint(&scene, NUMBERS[1], "reads").await;
    // What she signs by.
    let hers = &scene.account(AYSE).signer;
    let file = scene.scratch("imza.pem");
    std::fs::write(&file, hers.certificate().to_pem().unwrap()).unwrap();
    let file = file.to_str().unwrap();
    done(&scene, &["account", "operator", "certificate", ALI, &reads, file]).await;
    let server = scene.serve().await;
    let id = "imza.1@istemci.example";
    let reply = scene.submit(ALI, &[AYSE], &letter(ALI, &[AYSE], id).unsigned()).await;
    assert_eq!(reply.code, 250, "{reply:?}");
    let held = reply.lines.last().unwrap().trim_start_matches("2.0.0 ").to_owned();
    let mut own = imap(&scene, &scene.account(ALI).password).await.unwrap();
    assert_eq!(own.count("İmza Bekleyenler").await.unwrap(), 1);
    done(&scene, &["account", "handover", "to", ALI, &held, &signs]).await;
    let wrong = scene.kep(&["account", "handover", "to", ALI, &held, &reads]).await;
    assert!(wrong.code != Some(0) && wrong.err.contains("hint: "), "{}", wrong.err);
    let open = [("sign".to_owned(), "open".to_owned())];
    assert_eq!(tasks(&scene, &["--operator", &signs]).await, open);
    assert_eq!(tasks(&scene, &["--operator", &reads]).await, []);

    // Whose signature it is, is known; she may not sign for Ali.
    let signed = hers.sign(&letter(ALI, &[AYSE], id)).unwrap();
    let refused = scene.submit(ALI, &[AYSE], &signed).await;
    assert_eq!(refused.code, 550, "{refused:?}");
    assert!(refused.lines.join(" ").contains("may not sign"), "{refused:?}");
    assert_eq!(tasks(&scene, &[]).await, open);
    done(&scene, &["account", "operator", "roles", ALI, &reads, "--role", "signs"]).await;
    let message = scene.accepted(ALI, &[AYSE], &signed).await;
    scene.settled(&message, 2).await;
    assert_eq!(tasks(&scene, &[]).await, []);
    assert_eq!(tasks(&scene, &["--all"]).await, [("sign".to_owned(), "done".to_owned())]);
    let all = scene.json(&["account", "handover", "list", ALI, "--all"]).await;
    assert_eq!(all[0]["state"], "signed");
    assert_eq!(all[0]["by"], reads.as_str());
    assert_eq!(all[0]["signed"], message.as_str());
    assert_eq!(own.count("İmza Bekleyenler").await.unwrap(), 0);
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_send_any_more_lets_nothing_go_that_is_held() {
    let scene = Scene::new(Plan::default()).await;
    done(&scene, &["account", "set", ALI, "--signature", "hold"]).await;
    let (code, sends) = appoint(&scene, NUMBERS[0], "sends").await;
    let server = scene.serve().await;
    let mail = letter(ALI, &[AYSE], "bekle.2@istemci.example").unsigned();
    let mut door = smtp(&scene, &sends).await.unwrap();
    let held = door.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    assert!(held.lines[0].contains("waits for its signature"), "{held:?}");
    done(&scene, &["account", "set", ALI, "--signature", "optional"]).await;
    done(&scene, &["account", "operator", "roles", ALI, &code, "--role", "prepares"]).await;
    let again = door.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    assert_eq!(again, held, "he hears what he heard, and it waits still");
    done(&scene, &["account", "operator", "roles", ALI, &code, "--role", "sends"]).await;
    let again = door.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap().reply;
    assert!(!again.lines[0].contains("waits for its signature"), "{again:?}");
    let id = held.lines.last().unwrap().strip_prefix("2.0.0 ").unwrap().to_owned();
    scene.settled(&id, 2).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_connection_ends_is_to_be_sent_again_until_it_comes() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = "yarim.1@istemci.example";
    let mail = scene.letter(ALI, &[AYSE], id);
    let mut door = smtp(&scene, &scene.account(ALI).password).await.unwrap();
    door.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
    door.command(&format!("RCPT TO:<{AYSE}>")).await.unwrap().must_be(250).unwrap();
    door.command("DATA").await.unwrap().must_be(354).unwrap();
    door.say(&mail[..mail.len() / 2]).await.unwrap();
    drop(door);
    let kind = "upload-unfinished".to_owned();
    until("the task", async || {
        (tasks(&scene, &[]).await == [(kind.clone(), "open".to_owned())]).then_some(())
    })
    .await;
    let shown = scene.json(&["account", "task", "list", ALI]).await;
    assert_eq!((&shown[0]["subject"], &shown[0]["action"]), (&id.into(), &"resume".into()));
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]), "nothing is kept");
    scene.accepted(ALI, &[AYSE], &mail).await;
    assert_eq!(tasks(&scene, &["--all"]).await, [(kind, "done".to_owned())]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_over_the_api_that_breaks_off_is_to_be_sent_again_until_it_comes() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = "yarim.2@istemci.example";
    let mail = scene.letter(ALI, &[AYSE], id);
    let add = ["account", "token", "add", ALI, "--name", "program", "--scope", "mail:send"];
    let token = scene.json(&add).await["token"].as_str().unwrap().to_owned();
    let tls = Tls::new(&scene.provider().join("trust/tls-ca.pem"), "localhost").unwrap();
    let to = (Ipv4Addr::LOCALHOST, scene.port(5)).into();
    let mut door = Connection::implicit(to, &tls).await.unwrap();
    let head = format!(
        "POST /api/v1/submissions HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n",
        scene.port(5),
        mail.len()
    );
    door.write(&[head.as_bytes(), &mail[..mail.len() / 2]].concat()).await.unwrap();
    drop(door);
    let kind = "upload-unfinished".to_owned();
    until("the task", async || {
        (tasks(&scene, &[]).await == [(kind.clone(), "open".to_owned())]).then_some(())
    })
    .await;
    let shown = scene.json(&["account", "task", "list", ALI]).await;
    assert_eq!(shown[0]["subject"], id);
    scene.accepted(ALI, &[AYSE], &mail).await;
    assert_eq!(tasks(&scene, &["--all"]).await, [(kind, "done".to_owned())]);
    server.stop().await;
}
