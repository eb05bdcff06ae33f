//! Staff, policies and the audit from the command line, and openssl as the judge of the audit's seals.

use crate::scene::{ALI, AYSE, Plan, Ran, Scene, until};
use crate::tool::{run, tool};
use std::path::{Path, PathBuf};

/// A member of staff with a password of his own.
async fn member(scene: &Scene, name: &str, role: &str, by: Option<&str>) -> Ran {
    let (own, given) = (password(scene, name), scene.given_password());
    let own = own.to_str().unwrap();
    let add = ["staff", "add", name, "--display", "Ayşe Demir", "--role", role];
    let with = ["--password-file", if by.is_some() { given.as_str() } else { own }];
    let added = as_member(scene, by, &[&add[..], &with[..]].concat()).await;
    if let Some(other) = by.filter(|_| added.code == Some(0)) {
        // What another one knows lets him do nothing.
        let list = ["staff", "password", other, "--as", name, "--staff-password-file", &given];
        let refused = scene.kep(&[&list[..], &["--password-file", own]].concat()).await;
        let said = refused.err.contains("another one set the password");
        assert!(refused.code == Some(77) && said, "{}", refused.err);
        scene.sets_own_password(name, own).await;
    }
    added
}

fn password(scene: &Scene, name: &str) -> PathBuf {
    let file = scene.scratch(&format!("{name}.password"));
    std::fs::write(&file, format!("{name} çok gizli bir söz")).unwrap();
    file
}

async fn as_member(scene: &Scene, name: Option<&str>, command: &[&str]) -> Ran {
    let Some(name) = name else { return scene.kep(command).await };
    let file = password(scene, name);
    let who = ["--as", name, "--staff-password-file", file.to_str().unwrap()];
    scene.kep(&[command, &who[..]].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_decides_is_staff_with_that_role_once_there_is_any() {
    let scene = Scene::new(Plan::default()).await;
    drop(scene.serve().await);
    let decide = ["policy", "set", "hold.lapse", "3d", "--reason", "Yönetim kararı 12"];
    assert_eq!(scene.kep(&decide).await.code, Some(0), "nobody is staff yet");
    assert_eq!(member(&scene, "ayse", "manager", None).await.code, Some(0));
    let twice = member(&scene, "ayse", "manager", Some("ayse")).await;
    assert_eq!(twice.code, Some(65), "{}", twice.err);

    let nameless = scene.kep(&decide).await;
    assert_eq!(nameless.code, Some(77), "{}", nameless.err);
    assert!(nameless.err.contains("hint: --as"), "{}", nameless.err);
    assert_eq!(member(&scene, "can", "auditor", Some("ayse")).await.code, Some(0));
    assert_eq!(as_member(&scene, Some("can"), &decide).await.code, Some(77));
    assert_eq!(as_member(&scene, Some("ayse"), &decide).await.code, Some(0));

    // A wrong password, and one who has left, are nobody.
    let wrong = password(&scene, "can");
    let who = ["--as", "ayse", "--staff-password-file", wrong.to_str().unwrap()];
    assert_eq!(scene.kep(&[&decide[..], &who[..]].concat()).await.code, Some(77));
    assert_eq!(as_member(&scene, Some("ayse"), &["staff", "end", "can"]).await.code, Some(0));
    assert_eq!(as_member(&scene, Some("can"), &decide).await.code, Some(77));
    let all = scene.json(&["staff", "list"]).await;
    let ended = all.as_array().unwrap().iter().find(|one| one["name"] == "can").unwrap();
    assert!(ended["ended"].is_string(), "{all}");

    let told = scene.json(&["policy", "show", "hold.lapse"]).await;
    let by: Vec<_> = told.as_array().unwrap().iter().map(|one| one["by"].clone()).collect();
    assert!(by[0].as_str().unwrap().ends_with("@localhost") && by[1] == "staff:ayse", "{told}");
    // What staff and members without that role do not hear; a token would let them read an account.
    let reads = ["audit", "list", "--act", "staff", "--json"];
    let token = ["account", "token", "add", ALI, "--name", "x", "--scope", "all"];
    let archive = scene.scratch("archive.zip");
    let export = ["account", "export", ALI, archive.to_str().unwrap()];
    let backups = scene.scratch("backups");
    let backup = ["backup", backups.to_str().unwrap()];
    for act in [&reads[..], &["audit", "export"], &token, &export, &backup] {
        for name in [None, Some("ayse")] {
            let refused = as_member(&scene, name, act).await;
            assert_eq!(refused.code, Some(77), "{act:?} {name:?}: {}", refused.err);
        }
    }
    assert!(!archive.exists() && !backups.exists());
    let more = ["staff", "roles", "ayse", "--role", "manager,auditor,registrar,operator"];
    assert_eq!(as_member(&scene, Some("ayse"), &more).await.code, Some(0));
    for act in [&token[..], &backup] {
        let done = as_member(&scene, Some("ayse"), act).await;
        assert_eq!(done.code, Some(0), "{act:?}: {}", done.err);
    }
    // One of the staff is not two: a token in another's name is made by nobody.
    let idare = ["account", "token", "add", "--name", "idare", "--scope", "staff:audit", "--staff"];
    let refused = as_member(&scene, Some("ayse"), &[&idare[..], &["ece"]].concat()).await;
    assert_eq!(refused.code, Some(77), "{}", refused.err);
    assert_eq!(scene.kep(&[&idare[..], &["ayse"]].concat()).await.code, Some(64));
    let own = as_member(&scene, Some("ayse"), &[&idare[..], &["ayse"]].concat()).await;
    assert_eq!(own.code, Some(0), "{}", own.err);
    // An archive of an account asks for two.
    let alone = as_member(&scene, Some("ayse"), &export).await;
    assert!(alone.code == Some(77) && alone.err.contains("hint: --as"), "{}", alone.err);
    assert!(!archive.exists());
    assert_eq!(member(&scene, "ece", "approver", Some("ayse")).await.code, Some(0));
    let hers = password(&scene, "ece");
    let second = ["--second", "ece", "--second-password-file", hers.to_str().unwrap()];
    let done = as_member(&scene, Some("ayse"), &[&export[..], &second].concat()).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    // What is removed for good stands there, too.
    let repair = ["fsck", "--repair"];
    assert_eq!(as_member(&scene, None, &repair).await.code, Some(77));
    let done = as_member(&scene, Some("ayse"), &repair).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let told = ["audit", "list", "--act", "store", "--json"];
    let told = as_member(&scene, Some("ayse"), &told).await.out;
    assert!(told.contains("store.repair\"") && told.contains("store.repaired\""), "{told}");
    let acts = as_member(&scene, Some("ayse"), &reads).await;
    let acts: serde_json::Value = serde_json::from_str(&acts.out).unwrap();
    let acts: Vec<_> = acts.as_array().unwrap().iter().map(|one| one["act"].clone()).collect();
    let add = ["staff.password", "staff.add"];
    let expected = [&add[..], &["staff.roles", "staff.end"], &add, &["staff.add"]].concat();
    assert_eq!(acts, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_staff_does_to_an_account_asks_for_a_registrar_and_stands_in_the_audit() {
    let scene = Scene::new(Plan::default()).await;
    drop(scene.serve().await);
    assert_eq!(member(&scene, "mudur", "manager,auditor", None).await.code, Some(0));
    assert_eq!(member(&scene, "ayse", "registrar", Some("mudur")).await.code, Some(0));
    let acts: [(&str, &[&str]); 10] = [
        ("label.add", &["label", "add", ALI, "Satış"]),
        ("label.rename", &["label", "rename", ALI, "Satış", "Pazarlama"]),
        ("label.colour", &["label", "colour", ALI, "Pazarlama", "#2E7D32"]),
        ("account.label-mailboxes", &["account", "set", ALI, "--label-mailboxes", "on"]),
        ("label.remove", &["label", "remove", ALI, "Pazarlama"]),
        ("contact.add", &["account", "contact", "add", ALI, "--name", "Ece Ak"]),
        ("contact.group.add", &["account", "contact", "group", "add", ALI, "müvekkil"]),
        ("account.settings", &["account", "settings", "set", ALI, "page-size", "100"]),
        ("directory.query", &["directory", "query", "address", "--for", ALI, "--address", AYSE]),
        ("directory.query", &["directory", "check", "--for", ALI, AYSE]),
    ];
    for (act, command) in acts {
        for name in [None, Some("mudur")] {
            let refused = as_member(&scene, name, command).await;
            assert_eq!(refused.code, Some(77), "{act} {name:?}: {}", refused.err);
        }
        let done = as_member(&scene, Some("ayse"), command).await;
        assert_eq!(done.code, Some(0), "{act}: {}", done.err);
    }
    let restore = ["message", "restore", "yok", "--account", ALI];
    assert_eq!(as_member(&scene, Some("mudur"), &restore).await.code, Some(77));
    let told = ["audit", "list", "--subject", ALI, "--json"];
    let told = as_member(&scene, Some("mudur"), &told).await.out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let told: Vec<_> = told.as_array().unwrap().iter().rev().collect();
    let said: Vec<_> = told.iter().map(|one| one["act"].as_str().unwrap()).collect();
    assert_eq!(said, acts.map(|(act, _)| act));
    assert!(told.iter().all(|one| one["actor"] == "staff:ayse"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_is_sealed_as_openssl_verifies_and_a_changed_entry_is_told() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let first = scene.provider().join("spool/audit/audit-000001.json");
    server.logged("the audit is sealed", 1).await;
    for n in ["1d", "2d", "3d"] {
        let set = ["policy", "set", "hold.lapse", n, "--reason", "deneme"];
        assert_eq!(scene.kep(&set).await.code, Some(0));
    }
    let sealed = scene.json(&["audit", "seal"]).await;
    assert_eq!((&sealed["number"], &sealed["upTo"]), (&2.into(), &3.into()), "{sealed}");
    let good = scene.json(&["audit", "verify"]).await;
    assert_eq!((&good["valid"], &good["seals"]), (&true.into(), &2.into()), "{good}");
    openssl_verifies(&scene, &first.with_file_name("audit-000002.json"));
    drop(server);

    let exported = scene.kep(&["audit", "export"]).await;
    assert_eq!(exported.out.lines().count(), 3, "{}", exported.out);
    let rows = scene.provider().join("spool/kep.sqlite");
    let Some(sqlite) = tool("sqlite3") else { return };
    let change = "UPDATE audit SET details = '{\"value\":\"9d\"}' WHERE n = 2";
    assert!(run(&sqlite, &[rows.to_str().unwrap(), change]).0);
    let told = scene.kep(&["audit", "verify"]).await;
    assert_eq!(told.code, Some(1), "{}", told.out);
    assert!(told.out.contains("entry 2") && told.out.contains("INVALID"), "{}", told.out);
    assert!(scene.json(&["account", "show", ALI]).await["address"] == ALI, "all else goes on");
}

fn openssl_verifies(scene: &Scene, statement: &Path) {
    let Some(openssl) = tool("openssl") else { return };
    let signature = format!("{}.p7s", statement.display());
    let anchor = scene.provider().join("trust/seal-ca.pem");
    let content = ["-content", statement.to_str().unwrap(), "-in", &signature];
    let flags = ["cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any"];
    let all = [&flags[..], &["-CAfile", anchor.to_str().unwrap()], &content].concat();
    let (good, said) = run(&openssl, &all);
    assert!(good, "{}", String::from_utf8_lossy(&said));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_is_decided_holds_for_the_next_connection() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let size = async || -> u64 {
        let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
        let offer = smtp.command("EHLO istemci.example").await.unwrap();
        offer.lines.iter().find_map(|line| line.strip_prefix("SIZE ")).unwrap().parse().unwrap()
    };
    assert!(size().await > 20 << 20);
    for bad in ["1 MiB", "2 GiB", "25 MB"] {
        let refused = scene.kep(&["policy", "set", "size.message", bad, "--reason", "x"]).await;
        assert_eq!(refused.code, Some(65), "{bad}: {}", refused.err);
    }
    let set = ["policy", "set", "size.message", "3 MiB", "--reason", "Disk dolu"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
    until("the size that was decided", async || (size().await < 3 << 20).then_some(())).await;
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    let announced = format!("MAIL FROM:<{ALI}> SIZE={}", 3 << 20);
    assert_eq!(smtp.command(&announced).await.unwrap().code, 552);
    server.stop().await;
}
