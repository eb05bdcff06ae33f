//! What is kept, for whom, under which key: the command line from outside, beside a server that runs.

use crate::scene::{ALI, AYSE, Plan, Ran, Scene, until};
use crate::tool::{run, tool};
use serde_json::json;
use std::path::PathBuf;

fn password(scene: &Scene, name: &str) -> PathBuf {
    let file = scene.scratch(&format!("{name}.password"));
    std::fs::write(&file, format!("{name} çok gizli bir söz")).unwrap();
    file
}

/// Members of staff; all of them may what is asked for here.
async fn staff(scene: &Scene, names: &[&str]) {
    for (n, name) in names.iter().enumerate() {
        let file = password(scene, name);
        let add = ["staff", "add", name, "--display", "Ayşe Demir", "--role", "manager"];
        let roles = [
            "--role",
            "operator,auditor,registrar,approver",
            "--password-file",
            file.to_str().unwrap(),
        ];
        let add = [&add[..], &roles];
        let ran = match n {
            0 => scene.kep(&add.concat()).await,
            _ => as_one(scene, names[0], &add.concat()).await,
        };
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
}

async fn as_one(scene: &Scene, name: &str, command: &[&str]) -> Ran {
    let file = password(scene, name);
    let who = ["--as", name, "--staff-password-file", file.to_str().unwrap()];
    scene.kep(&[command, &who[..]].concat()).await
}

async fn as_two(scene: &Scene, one: &str, other: &str, command: &[&str]) -> Ran {
    let file = password(scene, other);
    let second = ["--second", other, "--second-password-file", file.to_str().unwrap()];
    as_one(scene, one, &[command, &second[..]].concat()).await
}

/// What the audit has of these, the newest first.
async fn acts(scene: &Scene, of: &str) -> Vec<serde_json::Value> {
    let list = as_one(scene, "can", &["audit", "list", "--json", "--act", of]).await;
    let all: serde_json::Value = serde_json::from_str(&list.out).expect(&list.err);
    all.as_array().unwrap().iter().map(|one| one["act"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_placed_listed_and_released_by_two() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    staff(&scene, &["can", "ece"]).await;
    let place = ["hold", "place", AYSE, "--reason", "Ankara CBS 2026/17", "--json"];
    let nameless = scene.kep(&[&place[..], &["--second", "ece"]].concat()).await;
    assert_eq!(nameless.code, Some(64), "{}", nameless.err);
    let alone = as_two(&scene, "can", "can", &place).await;
    assert_eq!(alone.code, Some(77), "{}", alone.err);
    assert!(alone.err.contains("hint: --second"), "{}", alone.err);
    let unreasoned = ["hold", "place", AYSE, "--reason", " "];
    assert_eq!(as_two(&scene, "can", "ece", &unreasoned).await.code, Some(65));
    let unknown = ["hold", "place", "yok@hs05.kep.tr", "--reason", "2026/17"];
    assert_eq!(as_two(&scene, "can", "ece", &unknown).await.code, Some(66));
    let placed = as_two(&scene, "can", "ece", &place).await;
    assert_eq!(placed.code, Some(0), "{}", placed.err);
    let placed: serde_json::Value = serde_json::from_str(&placed.out).unwrap();

    let listed = scene.json(&["hold", "list"]).await;
    assert_eq!(listed[0]["hold"], placed["hold"]);
    assert_eq!(listed[0]["placed_by"], json!(["can", "ece"]));
    assert_eq!(listed[0]["released"], json!(null));
    let number = placed["hold"].to_string();
    let release = ["hold", "release", &number, "--reason", "karar kesinleşti"];
    assert_eq!(as_two(&scene, "ece", "ece", &release).await.code, Some(77));
    assert_eq!(as_two(&scene, "ece", "can", &release).await.code, Some(0));
    assert_eq!(as_two(&scene, "ece", "can", &release).await.code, Some(66), "it has ended");
    assert_eq!(scene.json(&["hold", "list"]).await[0]["released_by"], json!(["ece", "can"]));
    assert_eq!(acts(&scene, "hold").await, ["hold.release", "hold.place"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_gets_what_two_approved_and_reads_it_with_openssl() {
    let Some(openssl) = tool("openssl") else { return };
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    staff(&scene, &["can", "ece"]).await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "delil@x")).await;
    scene.settled(&id, 2).await;
    let at = |name: &str| scene.scratch(name).to_str().unwrap().to_owned();
    let (key, certificate) = (at("court.key"), at("court.pem"));
    let made =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Court"];
    let (good, said) =
        run(&openssl, &[&made[..], &["-keyout", &key, "-out", &certificate]].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let ask = ["authority", "request", ALI, "--authority", "Ankara 3. Asliye Ceza", "--json"];
    let what = ["--file", "2026/1453", "--basis", "CMK m. 134", "--from", "2000-01-01"];
    let until = ["--until", "2099-12-31", "--certificate", &certificate];
    let ask = [&ask[..], &what, &until].concat();
    assert_eq!(scene.kep(&ask).await.code, Some(64), "who asks is named");
    let entered = as_one(&scene, "can", &ask).await;
    assert_eq!(entered.code, Some(0), "{}", entered.err);
    let entered: serde_json::Value = serde_json::from_str(&entered.out).unwrap();
    let number = entered["request"].to_string();
    let (file, zip) = (at("talep.zip.p7m"), at("talep.zip"));
    let export = ["authority", "export", &number, &file, "--json"];
    assert_eq!(as_one(&scene, "ece", &export).await.code, Some(77), "nobody approved it");
    let approve = ["authority", "approve", &number, "--reason", "yazı ve imza görüldü"];
    let alone = as_one(&scene, "can", &approve).await;
    assert_eq!(alone.code, Some(77), "{}", alone.err);
    assert!(alone.err.contains("hint: --as"), "{}", alone.err);
    assert_eq!(as_one(&scene, "ece", &approve).await.code, Some(0));
    assert_eq!(as_one(&scene, "ece", &approve).await.code, Some(65), "once");
    let exported = as_one(&scene, "can", &export).await;
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    assert_eq!(as_one(&scene, "can", &export).await.code, Some(73), "it is there");

    let decrypt = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in", &file, "-inkey", &key];
    let (good, said) = run(&openssl, &[&decrypt[..], &["-out", &zip]].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let anchors = scene.provider().join("trust/seal-ca.pem");
    let (anchors, seal) = (anchors.to_str().unwrap(), format!("{file}.p7s"));
    let verify = ["cms", "-verify", "-binary", "-inform", "DER", "-in", &seal, "-content", &zip];
    let against = ["-CAfile", anchors, "-purpose", "any", "-out", "/dev/null"];
    let (good, said) = run(&openssl, &[&verify[..], &against].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let listed = scene.json(&["authority", "list"]).await;
    assert_eq!(listed[0]["state"], "approved");
    assert_eq!(listed[0]["exports"][0]["by"], "can");
    let digest = kep::wire::sha256(&std::fs::read(&zip).unwrap()).hex();
    assert_eq!(listed[0]["exports"][0]["sha256"], json!(digest));
    let told = acts(&scene, "authority").await;
    assert_eq!(told, ["authority.export", "authority.approve", "authority.request"]);
    server.stop().await;
}

/// How many rows each generation seals, all columns together.
async fn sealed(scene: &Scene) -> Vec<(String, u64)> {
    let status = scene.json(&["vault", "status"]).await;
    let mut all = std::collections::BTreeMap::<String, u64>::new();
    for counts in status["sealed"].as_object().unwrap().values() {
        for (generation, rows) in counts.as_object().unwrap() {
            *all.entry(generation.clone()).or_default() += rows.as_u64().unwrap();
        }
    }
    all.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_seals_all_anew_under_a_new_key_while_it_serves_and_when_it_was_killed() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let first = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "once@x")).await;
    scene.settled(&first, 2).await;
    let rotate = scene.kep(&["vault", "rotate"]).await;
    assert_eq!(rotate.code, Some(0), "{}", rotate.err);
    // Mail goes on; the server is killed somewhere in it, and another takes over.
    let second = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    let (_, _) = server.end("KILL").await;
    let server = scene.serve().await;
    let early = scene.kep(&["vault", "retire", "1"]).await;
    assert!(matches!(early.code, Some(69 | 77)), "{:?} {}", early.code, early.err);
    until("all is sealed by the new key", async || {
        (sealed(&scene).await.iter().all(|(generation, _)| generation == "2")).then_some(())
    })
    .await;
    for id in [&first, &second] {
        scene.settled(id, 2).await;
    }
    let serving = scene.kep(&["vault", "retire", "1"]).await;
    assert_eq!(serving.code, Some(69), "{}", serving.err);
    assert!(serving.err.contains("hint: stop `kep serve`"), "{}", serving.err);
    server.stop().await;
    assert_eq!(scene.kep(&["vault", "reseal"]).await.code, Some(0));
    let newest = scene.kep(&["vault", "retire", "2"]).await;
    assert_eq!(newest.code, Some(77), "{}", newest.err);
    let retired = scene.kep(&["vault", "retire", "1"]).await;
    assert_eq!(retired.code, Some(0), "{}", retired.err);

    let fsck = scene.kep(&["fsck"]).await;
    assert_eq!(fsck.code, Some(0), "{}{}", fsck.out, fsck.err);
    let server = scene.serve().await;
    let third = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "en.son@x")).await;
    scene.settled(&third, 2).await;
    // A backup and the new key alone are enough.
    let (copy, again) = (scene.scratch("copies"), scene.scratch("again"));
    let (copy, again) = (copy.to_str().unwrap(), again.to_str().unwrap());
    assert_eq!(scene.kep(&["backup", copy]).await.code, Some(0));
    let restored = scene.kep(&["restore", copy, "--to", again]).await;
    assert_eq!(restored.code, Some(0), "{}{}", restored.out, restored.err);
    let acts = scene.json(&["audit", "list", "--act", "vault"]).await;
    let acts: Vec<_> = acts.as_array().unwrap().iter().map(|one| one["act"].clone()).collect();
    assert_eq!(acts, ["vault.retire", "vault.rotate"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_account_gets_its_evidence_and_all_doors_tell_the_same_numbers() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "dolu@x")).await;
    scene.settled(&id, 2).await;
    let used = async || scene.json(&["account", "show", ALI]).await["storage"].clone();
    let before = used().await["used"].as_u64().unwrap();
    assert!(before > 0);
    // No octet more than its own copy of what it sent.
    let limit = format!("{} B", before);
    let set = scene.kep(&["account", "set", ALI, "--storage", &limit]).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
    let reply = scene.submit(AYSE, &[ALI], &scene.letter(AYSE, &[ALI], "sigmaz@x")).await;
    assert!(reply.code >= 400, "{reply:?}");
    // Its own mail goes out, and all evidence of it comes.
    let next = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "yine@x")).await;
    scene.settled(&next, 2).await;
    let mut imap = scene.doors().imap(scene.account(ALI)).await.unwrap();
    let quota = imap.command("GETQUOTAROOT INBOX").await.unwrap();
    let text: String = quota.untagged.iter().map(|line| line.text.clone() + "\n").collect();
    let shown = used().await;
    let (now, most) = (shown["used"].as_u64().unwrap(), shown["limit"].as_u64().unwrap());
    let told = format!("STORAGE {} {}", now.div_ceil(1024), most / 1024);
    assert!(text.contains(&told), "{told}: {text}");
    until("the evidence mails", async || {
        (imap.count("Deliller").await.unwrap() == 4).then_some(())
    })
    .await;
    assert_eq!(used().await, shown, "evidence counts for nothing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_finds_his_settings_again() {
    let scene = Scene::new(Plan::default()).await;
    drop(scene.serve().await);
    let value = async |key: &str| {
        let all = scene.json(&["account", "settings", "show", ALI]).await;
        let found = all.as_array().unwrap().iter().find(|one| one["key"] == key).unwrap();
        found["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value("page-size").await, "50");
    let set = ["account", "settings", "set", ALI];
    assert_eq!(scene.kep(&[&set[..], &["page-size", "100"]].concat()).await.code, Some(0));
    assert_eq!(value("page-size").await, "100");
    let bad = scene.kep(&[&set[..], &["page-size", "99"]].concat()).await;
    assert_eq!(bad.code, Some(65), "{}", bad.err);
    assert!(bad.err.contains("hint:"), "{}", bad.err);
    assert_eq!(scene.kep(&[&set[..], &["colour", "red"]].concat()).await.code, Some(66));
    let nobody = scene.kep(&[&set[..], &["undo", "0", "--operator", "007"]].concat()).await;
    assert_eq!(nobody.code, Some(66), "{}", nobody.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_trash_goes_when_the_time_is_over_that_was_decided() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mut imap = scene.doors().imap(scene.account(ALI)).await.unwrap();
    for name in ["Taslaklar", "Arşiv"] {
        imap.append(name, "", b"Subject: x\r\n\r\nx\r\n").await.unwrap();
    }
    imap.select("Taslaklar").await.unwrap();
    imap.uid_move("1", "Çöp Kutusu").await.unwrap();
    let set = ["policy", "set", "retention.trash", "2h", "--reason", "Kurul kararı 3"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
    assert_eq!(imap.count("Çöp Kutusu").await.unwrap(), 1);
    drop(imap);
    server.stop().await;

    let hours = |hours: u32| [("KEP_DEV_CLOCK_OFFSET_SECS", (hours * 3600).to_string().into())];
    let server = scene.serve_with(&hours(3)).await;
    server.logged("removed from the trash", 1).await;
    let mut imap = scene.doors().imap(scene.account(ALI)).await.unwrap();
    let left = [imap.count("Çöp Kutusu").await.unwrap(), imap.count("Arşiv").await.unwrap()];
    assert_eq!(left, [0, 1]);
    server.stop().await;
}
