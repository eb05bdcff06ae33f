//! Holders from outside: each door against each cell of the table, and an account from its application to
//! its end.

use crate::client::imap::Imap;
use crate::client::smtp::Smtp;
use crate::client::tls::Security;
use crate::scene::{ALI, Plan, Ran, Scene, until};
use crate::tool::{run, tool};
use kep::registry::standing::{Act, Answer, Service, Stage, answer};
use std::ffi::OsString;

/// An account, and what it is brought to.
struct Cell {
    local: &'static str,
    stage: Stage,
    service: Service,
}

const CELLS: [Cell; 8] = [
    Cell { local: "kurt", stage: Stage::Active, service: Service::Both },
    Cell { local: "tilki", stage: Stage::Active, service: Service::Receive },
    Cell { local: "ceylan", stage: Stage::Suspended, service: Service::Both },
    Cell { local: "geyik", stage: Stage::Suspended, service: Service::Receive },
    Cell { local: "sincap", stage: Stage::Closing, service: Service::Both },
    Cell { local: "tavsan", stage: Stage::Closing, service: Service::Receive },
    Cell { local: "porsuk", stage: Stage::Closed, service: Service::Both },
    Cell { local: "kunduz", stage: Stage::Closed, service: Service::Receive },
];

impl Cell {
    fn address(&self) -> String {
        format!("{}@hs05.kep.tr", self.local)
    }

    fn may(&self, stage: Stage, act: Act) -> bool {
        // By policy a closed account receives nothing.
        answer(stage, self.service, act) == Answer::Yes
    }

    /// Brings the account into its state, by the command line.
    async fn bring(&self, scene: &Scene) {
        let address = self.address();
        if self.service == Service::Receive {
            did(scene, &["account", "set", &address, "--service", "receive"]).await;
        }
        match self.stage {
            Stage::Suspended => {
                did(scene, &["account", "suspend", &address, "--reason", "borç"]).await;
            }
            Stage::Closing => _ = did(scene, &["account", "closing", "request", &address]).await,
            Stage::Closed => _ = did(scene, &["account", "close", &address]).await,
            _ => {}
        }
    }

    /// Tries every door.
    async fn tried(&self, scene: &Scene, stage: Stage) {
        let (address, what) =
            (self.address(), format!("{} {stage:?} {:?}", self.local, self.service));
        let account = scene.account(&address);
        let to = scene.doors().submission;
        let doors = scene.doors();
        let smtp =
            Smtp::login(to, &doors.tls, Security::Implicit, &address, &account.password).await;
        assert_eq!(smtp.is_ok(), self.may(stage, Act::Submit), "{what}: SMTP {:?}", smtp.err());
        let imap = doors.imap(account).await;
        assert_eq!(
            imap.is_ok(),
            self.may(stage, Act::Login),
            "{what}: IMAP {:?}",
            imap.as_ref().err()
        );
        if let Ok(imap) = imap {
            self.tried_mailbox(imap, stage, &what).await;
        }
        let mut ali = doors.smtp(scene.account(ALI)).await.unwrap();
        ali.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
        let reply = ali.command(&format!("RCPT TO:<{address}>")).await.unwrap();
        assert_eq!(reply.code == 250, self.may(stage, Act::Receive), "{what}: RCPT {}", reply.code);
    }

    async fn tried_mailbox(&self, mut imap: Imap, stage: Stage, what: &str) {
        let read = imap.select("INBOX").await;
        assert_eq!(read.is_ok(), self.may(stage, Act::Read), "{what}");
        let flagged = imap.command("STORE 1 +FLAGS (\\Flagged)").await;
        assert_eq!(flagged.is_ok(), self.may(stage, Act::Flag), "{what}");
        let draft = b"Subject: taslak\r\n\r\nx\r\n";
        let appended = imap.append("Taslaklar", "\\Draft", draft).await;
        assert_eq!(appended.is_ok(), self.may(stage, Act::Append), "{what}");
    }
}

async fn did(scene: &Scene, arguments: &[&str]) -> Ran {
    let ran = scene.kep(arguments).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
    ran
}

fn moved(days: i64) -> [(&'static str, OsString); 1] {
    [("KEP_DEV_CLOCK_OFFSET_SECS", (days * 86_400).to_string().into())]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_does_as_the_table_says() {
    let locals: Vec<_> = CELLS.iter().map(|cell| cell.local).collect();
    let accounts = [&["ali.veli"][..], &locals].concat();
    let scene = Scene::new(Plan { accounts: &accounts, ..Plan::default() }).await;
    let server = scene.serve().await;
    let all: Vec<_> = CELLS.iter().map(Cell::address).collect();
    let to: Vec<_> = all.iter().map(String::as_str).collect();
    let message = scene.accepted(ALI, &to, &scene.letter(ALI, &to, "hepsine@x")).await;
    scene.settled(&message, 1 + to.len()).await;
    // Who was logged in before hears it with his message.
    let mut early = scene.doors().smtp(scene.account("ceylan@hs05.kep.tr")).await.unwrap();
    for cell in &CELLS {
        cell.bring(&scene).await;
    }
    let mail = scene.letter("ceylan@hs05.kep.tr", &[ALI], "gec@x");
    let prepared = crate::client::smtp::Prepared::new(&mail);
    let late = early.submit("ceylan@hs05.kep.tr", &[ALI], &prepared).await.unwrap().reply;
    assert_eq!(late.code, 550, "{late:?}");
    for cell in &CELLS {
        cell.tried(&scene, cell.stage).await;
    }
    // An address that is applied for is nobody's yet.
    let apply = [
        "application",
        "add",
        "vasak@hs05.kep.tr",
        "--kind",
        "person",
        "--given-names",
        "Vaşak",
        "--surname",
        "Orman",
        "--identity-number",
        "10000000146",
    ];
    did(&scene, &apply).await;
    let mut ali = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    ali.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
    ali.command("RCPT TO:<vasak@hs05.kep.tr>").await.unwrap().must_be(550).unwrap();
    server.stop().await;

    // Half a year later: what was closing and closed has ended, the rest is as it was.
    let server = scene.serve_with(&moved(190)).await;
    for cell in &CELLS {
        let stage = match cell.stage {
            Stage::Closing | Stage::Closed => Stage::Ended,
            other => other,
        };
        cell.tried(&scene, stage).await;
    }
    server.stop().await;
}

/// Staff of that name with these roles, and his password's file.
async fn staff(scene: &Scene, name: &str, roles: &str) -> [String; 4] {
    let file = scene.scratch(&format!("{name}.password"));
    std::fs::write(&file, format!("cok gizli bir soz {name}")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let add = ["staff", "add", name, "--display", name, "--role", roles, "--password-file"];
    let managed = ["--as", "mudur", "--staff-password-file"].map(str::to_owned);
    let manager = scene.scratch("mudur.password").to_str().unwrap().to_owned();
    let who: Vec<&str> = managed.iter().map(String::as_str).chain([manager.as_str()]).collect();
    if name == "mudur" {
        did(scene, &[&add[..], &[file.as_str()]].concat()).await;
    } else {
        let given = scene.given_password();
        did(scene, &[&add[..], &[given.as_str()], &who].concat()).await;
        scene.sets_own_password(name, &file).await;
    }
    ["--as".to_owned(), name.to_owned(), "--staff-password-file".to_owned(), file]
}

async fn by(scene: &Scene, who: &[String; 4], arguments: &[&str]) -> Ran {
    let who: Vec<_> = who.iter().map(String::as_str).collect();
    scene.kep(&[arguments, &who].concat()).await
}

async fn done(scene: &Scene, who: &[String; 4], arguments: &[&str]) {
    let ran = by(scene, who, arguments).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
}

const VEYSEL: &str = "veysel.kara@hs05.kep.tr";
const PASSWORD: &str = "cok gizli bir soz";

/// By two people's approval.
async fn activated(scene: &Scene, registrar: &[String; 4], approver: &[String; 4]) {
    let free =
        scene.json(&["address", "propose", "--given-names", "Veysel", "--surname", "Kara"]).await;
    assert_eq!(free[0], VEYSEL);
    let add = [
        "application",
        "add",
        VEYSEL,
        "--kind",
        "person",
        "--given-names",
        "Veysel",
        "--surname",
        "Kara",
        "--identity-number",
        "10000000146",
        "--email",
        "veysel@ornek.com",
        "--signature",
        "optional",
        "--paper",
        "signed-contract=Arşiv 7",
        "--json",
    ];
    let taken = by(scene, registrar, &add).await;
    let taken: serde_json::Value = serde_json::from_str(&taken.out).expect(&taken.err);
    let id = taken["id"].to_string();
    let wrong =
        ["application", "add", "x.y@hs05.kep.tr", "--kind", "person", "--identity-number", "1"];
    let wrong = by(scene, registrar, &wrong).await;
    assert_eq!(wrong.code, Some(65));
    for part in ["--given-names", "--identity-number", "hint: "] {
        assert!(wrong.err.contains(part), "{}", wrong.err);
    }
    assert_eq!(by(scene, registrar, &["application", "check", &id]).await.code, Some(0));
    let own = by(scene, registrar, &["application", "approve", &id]).await;
    assert!(own.code == Some(65) && own.err.contains("hint: --as"), "who checked: {}", own.err);
    let second = staff(scene, "ikinci", "approver").await;
    assert_eq!(by(scene, &second, &["application", "approve", &id]).await.code, Some(0));
    let same = by(scene, &second, &["application", "approve", &id]).await;
    assert!(same.code == Some(65) && same.err.contains("hint: --as"), "{}", same.err);
    let nameless = scene.kep(&["application", "approve", &id]).await;
    assert!(nameless.code == Some(64) && nameless.err.contains("hint: "), "{}", nameless.err);
    assert_eq!(by(scene, approver, &["application", "approve", &id]).await.code, Some(0));
    let file = scene.scratch("veysel.password");
    std::fs::write(&file, PASSWORD).unwrap();
    let activate = ["application", "activate", &id, "--password-file", file.to_str().unwrap()];
    let activated = by(scene, registrar, &activate).await;
    assert!(activated.code == Some(0) && activated.out.contains("is open"), "{}", activated.err);
    let shown = scene.json(&["application", "show", &id]).await;
    let hands: Vec<_> = shown["hands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["what"].as_str().unwrap())
        .collect();
    assert_eq!(hands, ["checked", "approved", "approved", "activated"]);
    let shown = scene.json(&["account", "show", VEYSEL]).await;
    assert_eq!(shown["holder"]["identity_number"], "10000000146");
    assert!(shown["contract"]["ends"].is_string(), "{shown}");
}

/// The signed text is what `openssl` says it is.
async fn receipt(scene: &Scene) {
    let dir = scene.scratch("receipt");
    std::fs::create_dir_all(&dir).unwrap();
    let ask = ["account", "closing", "receipt", VEYSEL, "--dir", dir.to_str().unwrap()];
    let written = scene.json(&ask).await;
    let (text, signature) =
        (written["text"].as_str().unwrap(), written["signature"].as_str().unwrap());
    let said = std::fs::read_to_string(text).unwrap();
    assert!(said.contains(VEYSEL) && said.contains("Veysel Kara"), "{said}");
    let Some(openssl) = tool("openssl") else { return };
    let anchors = scene.provider().join("trust/seal-ca.pem");
    let verify = |content: &str| {
        let anchors = anchors.to_str().unwrap();
        let how =
            ["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-in", signature];
        let what = ["-content", content, "-out", "/dev/null", "-CAfile", anchors];
        run(&openssl, &[&how[..], &what].concat()).0
    };
    assert!(verify(text), "openssl verifies the receipt");
    let forged = scene.scratch("forged.txt");
    std::fs::write(&forged, said.replace("Veysel", "Vahdet")).unwrap();
    assert!(!verify(forged.to_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_from_its_application_to_its_end_and_back() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let manager = staff(&scene, "mudur", "manager,auditor").await;
    let registrar = staff(&scene, "ayse", "registrar,approver").await;
    let approver = staff(&scene, "can", "approver").await;
    activated(&scene, &registrar, &approver).await;
    let doors = scene.doors();
    let smtp = || Smtp::login(doors.submission, &doors.tls, Security::Implicit, VEYSEL, PASSWORD);
    let imap = || Imap::login(doors.imap, &doors.tls, Security::Implicit, VEYSEL, PASSWORD);
    smtp().await.unwrap();
    let message = scene.accepted(ALI, &[VEYSEL], &scene.letter(ALI, &[VEYSEL], "bir@x")).await;
    scene.settled(&message, 2).await;

    let ask = ["account", "closing", "request", VEYSEL, "--reason", "taşındım"];
    done(&scene, &registrar, &ask).await;
    receipt(&scene).await;
    done(&scene, &registrar, &["account", "closing", "withdraw", VEYSEL]).await;
    let twice = by(&scene, &registrar, &["account", "closing", "withdraw", VEYSEL]).await;
    assert!(twice.code == Some(65) && twice.err.contains("hint: "), "{}", twice.err);
    done(&scene, &registrar, &ask).await;
    smtp().await.unwrap();
    server.stop().await;

    // It completed while the server was down, as of its hour; read only from then.
    let server = scene.serve_with(&moved(30)).await;
    let refused = smtp().await.err().unwrap().to_string();
    assert!(refused.contains("535"), "{refused}");
    let mut reader = imap().await.unwrap();
    assert_eq!(reader.select("INBOX").await.unwrap().exists, 1);
    let appended =
        reader.append("Taslaklar", "\\Draft", b"Subject: x\r\n\r\nx\r\n").await.unwrap_err();
    assert!(appended.to_string().contains("NOPERM"), "{appended}");
    until("the closing is written down", async || {
        let shown = scene.json(&["account", "closing", "show", VEYSEL]).await;
        (shown[0]["outcome"] == "completed").then_some(())
    })
    .await;
    let shown = scene.json(&["account", "closing", "show", VEYSEL]).await;
    assert_eq!(shown[0]["decided"], shown[0]["completes"], "as of its hour");
    let mut ali = doors.smtp(scene.account(ALI)).await.unwrap();
    ali.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
    ali.command(&format!("RCPT TO:<{VEYSEL}>")).await.unwrap().must_be(550).unwrap();
    server.stop().await;

    // Three months on it has ended; its address is nobody else's, and the old holder may come back.
    let server = scene.serve_with(&moved(130)).await;
    assert!(imap().await.is_err() && smtp().await.is_err());
    until("the end is written down", async || {
        let shown = scene.json(&["account", "show", VEYSEL]).await;
        (shown["state"] == "ended").then_some(())
    })
    .await;
    let free =
        scene.json(&["address", "propose", "--given-names", "Veysel", "--surname", "Kara"]).await;
    assert!(free.as_array().unwrap().iter().all(|one| one != VEYSEL), "{free}");
    // Without an application only where the provider has decided so.
    let reopen = ["account", "reopen", VEYSEL, "--identity", "10000000146"];
    let alone = by(&scene, &registrar, &reopen).await;
    assert!(alone.code == Some(77) && alone.err.contains("application add"), "{}", alone.err);
    let decide = ["policy", "set", "account.direct", "yes", "--reason", "Kurul kararı 3"];
    done(&scene, &manager, &decide).await;
    let other =
        by(&scene, &registrar, &["account", "reopen", VEYSEL, "--identity", "10000000214"]).await;
    assert!(other.code == Some(65) && other.err.contains("hint: "), "{}", other.err);
    done(&scene, &registrar, &reopen).await;
    // What he had before it ended lets nobody in.
    assert!(smtp().await.is_err());
    let file = scene.scratch("veysel.password");
    let given = ["account", "password", VEYSEL, "--password-file", file.to_str().unwrap()];
    done(&scene, &registrar, &given).await;
    smtp().await.unwrap();
    let who = manager.each_ref().map(String::as_str);
    let acts = scene.json(&[&["audit", "list", "--subject", VEYSEL][..], &who].concat()).await;
    let acts: Vec<_> =
        acts.as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap()).collect();
    for act in [
        "application.approve",
        "account.open",
        "account.closing.complete",
        "account.end",
        "account.reopen",
    ] {
        assert!(acts.contains(&act), "{act}: {acts:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_a_sub_domain_is_is_shown_and_it_is_freed_with_a_reason() {
    let scene = Scene::new(Plan::default()).await;
    assert_eq!(scene.json(&["address", "sub-domain"]).await, serde_json::json!([]));
    staff(&scene, "mudur", "manager,auditor").await;
    let registrar = staff(&scene, "ayse", "registrar").await;
    let add = [
        "application",
        "add",
        "ornek@ornek.hs05.kep.tr",
        "--kind",
        "company",
        "--title",
        "Örnek A.Ş.",
        "--vkn",
        "8760052205",
        "--mersis",
        "0876005220500014",
        "--json",
    ];
    let taken = by(&scene, &registrar, &add).await;
    let taken: serde_json::Value = serde_json::from_str(&taken.out).expect(&taken.err);
    let shown = scene.json(&["address", "sub-domain", "ornek"]).await;
    let one = &shown[0];
    assert_eq!(one["domain"], "ornek.hs05.kep.tr", "{shown}");
    assert_eq!(one["identity"], "vkn:8760052205");
    assert_eq!(one["applications"][0], taken["id"]);
    let release = ["address", "release", "ornek", "--reason", "Sehven alındı"];
    let held = by(&scene, &registrar, &release).await;
    assert!(held.code == Some(65) && held.err.contains("hint: "), "{}", held.err);
    let nameless = scene.kep(&release).await;
    assert_eq!(nameless.code, Some(77), "{}", nameless.err);
    let id = taken["id"].to_string();
    done(&scene, &registrar, &["application", "withdraw", &id, "--reason", "Vazgeçti"]).await;
    let gone = scene.kep(&["address", "sub-domain", "ornek"]).await;
    assert!(gone.code == Some(66) && gone.err.contains("hint: "), "{}", gone.err);
}
