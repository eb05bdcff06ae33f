//! curl, as scripts use it: each address a command of IMAP, and a submission.

use crate::client::imap::encode_mailbox;
use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, Scene};
use crate::tool::{run, tool};
use serde_json::Value;
use std::path::PathBuf;

/// curl with somebody's login.
struct Curl {
    program: PathBuf,
    login: [String; 4],
}

impl Curl {
    fn new(scene: &Scene, address: &str) -> Option<Self> {
        let authority = scene.provider().join("trust/tls-ca.pem").display().to_string();
        let login = format!("{address}:{}", scene.account(address).password);
        let login = ["--cacert".to_owned(), authority, "--user".to_owned(), login];
        Some(Self { program: tool("curl")?, login })
    }

    fn say(&self, arguments: &[&str]) -> (bool, String) {
        let login = self.login.iter().map(String::as_str);
        let all: Vec<_> =
            ["-sS"].into_iter().chain(login).chain(arguments.iter().copied()).collect();
        let (good, said) = run(&self.program, &all);
        (good, String::from_utf8_lossy(&said).into_owned())
    }

    /// What must succeed.
    fn get(&self, arguments: &[&str]) -> String {
        let (good, said) = self.say(arguments);
        assert!(good, "{arguments:?}: {said}");
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_lists_fetches_searches_appends_and_moves() {
    let delivered = Delivered::new(false).await;
    let scene = &delivered.scene;
    let Some(curl) = Curl::new(scene, AYSE) else { return };
    let door = format!("imaps://localhost:{}", scene.port(2));
    let at = |path: &str| format!("{door}/{path}");

    let listed = curl.get(&[&at("")]);
    assert!(listed.contains("* LIST (\\HasNoChildren) \"/\" INBOX"), "{listed}");
    assert!(listed.contains(&encode_mailbox("Açılacaklar")), "{listed}");
    let begun = curl.get(&["--ssl-reqd", &format!("imap://localhost:{}/", scene.port(3))]);
    assert_eq!(begun, listed, "STARTTLS");
    assert!(curl.get(&[&at("INBOX?SUBJECT%20feshi")]).starts_with("* SEARCH 1"));
    let notice = curl.get(&[&at("INBOX;UID=1")]);
    assert!(
        notice.contains("Subject: ") && !delivered.shows_content(notice.as_bytes()),
        "{notice}"
    );
    let subject = curl.get(&[&at("INBOX;MAILINDEX=1;SECTION=HEADER.FIELDS%20(SUBJECT)")]);
    assert!(subject.starts_with("Subject: "), "{subject}");
    let (found, _) = curl.say(&[&at("INBOX;UID=99")]);
    assert!(!found, "there is no such message");
    assert_eq!(delivered.opened().await, Value::Null, "the notice is not the message");

    let draft = scene.scratch("taslak.eml");
    std::fs::write(&draft, "Subject: Taslak\r\n\r\nx\r\n").unwrap();
    curl.get(&["-T", draft.to_str().unwrap(), &at("Taslaklar")]);
    assert_eq!(curl.get(&[&at("Taslaklar;UID=1")]), "Subject: Taslak\r\n\r\nx\r\n");
    let opening = format!("UID MOVE 1 {}", encode_mailbox("Açılacaklar"));
    curl.get(&["-X", &opening, &at("INBOX")]);
    assert!(delivered.opened().await.is_string());
    assert!(delivered.shows_content(curl.get(&[&at("INBOX;UID=2")]).as_bytes()));
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_opens_a_direct_message_by_the_section_that_is_content() {
    let delivered = Delivered::new(true).await;
    let scene = &delivered.scene;
    let Some(curl) = Curl::new(scene, AYSE) else { return };
    let inbox = format!("imaps://localhost:{}/INBOX", scene.port(2));
    for section in ["HEADER", "1.1.1", "1.3"] {
        curl.get(&[&format!("{inbox};UID=1;SECTION={section}")]);
        assert_eq!(delivered.opened().await, Value::Null, "{section} is the provider's");
    }
    let original = curl.get(&[&format!("{inbox};UID=1;SECTION=1.2")]);
    assert!(delivered.shows_content(original.as_bytes()), "{original}");
    assert!(delivered.opened().await.is_string());
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_submits_what_is_signed() {
    let scene = Scene::new(crate::scene::Plan::default()).await;
    let Some(curl) = Curl::new(&scene, ALI) else { return };
    let server = scene.serve().await;
    let mail = scene.scratch("ileti.eml");
    std::fs::write(&mail, scene.letter(ALI, &[AYSE], "curl.1@istemci.example")).unwrap();
    let door = format!("smtps://localhost:{}/istemci.example", scene.port(0));
    let (mail, from) = (mail.to_str().unwrap(), format!("<{ALI}>"));
    curl.get(&["--mail-from", &from, "--mail-rcpt", &format!("<{AYSE}>"), "-T", mail, &door]);
    let id = scene.json(&["message", "list"]).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(scene.settled(&id, 2).await.len(), 2, "accepted and delivered");
    server.stop().await;
}
