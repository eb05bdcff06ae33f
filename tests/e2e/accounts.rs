//! Accounts on the command line: whose they are, and what signs for them.

use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, letter};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_provider_gets_no_account() {
    let scene = Scene::new(Plan::default()).await;
    std::fs::write(scene.scratch("password"), "cok gizli bir soz").unwrap();
    let file = scene.scratch("password");
    let add = async |address: &str| {
        let password = ["--password-file", file.to_str().unwrap()];
        let arguments = [&["account", "add", address, "--name", "Ali"][..], &password].concat();
        scene.kep(&arguments).await
    };
    let refused = add("yeni@hs06.kep.tr").await;
    assert_eq!(refused.code, Some(65), "{}", refused.err);
    assert!(
        refused.err.contains("hint: ") && refused.err.contains("hs05.kep.tr"),
        "{}",
        refused.err
    );
    assert_eq!(add("yeni@kurum.hs05.kep.tr").await.code, Some(0));

    let folder = scene.scratch("other");
    let mut init = std::process::Command::new(env!("CARGO_BIN_EXE_kep"));
    init.args(["dev", "init", "--accounts", "ali,can@hs06.kep.tr"]).arg(&folder);
    let ran = init.output().unwrap();
    assert_eq!(ran.status.code(), Some(65), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(!folder.exists(), "nothing is half-made");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_made_named_coloured_and_taken_away() {
    let scene = Scene::new(Plan::default()).await;
    let made = ["label", "add", ALI, "Satış", "--colour", "#2e7d32"];
    let made = scene.json(&made).await;
    assert_eq!((&made["key"], &made["colour"]), (&"sat=c4=b1=c5=9f".into(), &"#2E7D32".into()));
    let again = scene.kep(&["label", "add", ALI, "SATIŞ"]).await;
    assert!(again.code == Some(65) && again.err.contains("hint: "), "{}", again.err);
    assert_eq!(scene.kep(&["label", "rename", ALI, "satış", "Pazarlama"]).await.code, Some(0));
    assert_eq!(scene.kep(&["label", "colour", ALI, "pazarlama", "none"]).await.code, Some(0));
    assert_eq!(scene.kep(&["label", "colour", ALI, "pazarlama", "red"]).await.code, Some(65));
    let all = scene.json(&["label", "list", ALI]).await;
    let expected = serde_json::json!([
        { "key": "sat=c4=b1=c5=9f", "name": "Pazarlama", "colour": null, "named": true }
    ]);
    assert_eq!(all, expected);
    let set = ["account", "set", ALI, "--label-mailboxes", "on", "--storage", "10 GiB"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
    let bad = scene.kep(&["account", "set", ALI, "--storage", "much"]).await;
    assert!(bad.code == Some(65) && bad.err.contains("hint: "), "{}", bad.err);
    assert_eq!(scene.kep(&["label", "remove", ALI, "Pazarlama"]).await.code, Some(0));
    assert_eq!(scene.json(&["label", "list", ALI]).await, serde_json::json!([]));
    let unknown = scene.kep(&["label", "remove", ALI, "Pazarlama"]).await;
    assert!(unknown.code != Some(0) && unknown.err.contains("hint: "), "{}", unknown.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registered_certificate_signs_until_it_is_taken_away() {
    let scene = Scene::new(Plan::default()).await;
    // Mehmet's is qualified: it names neither Ali's number nor his address.
    let certificate = scene.account(MEHMET).signer.certificate();
    let pem = scene.scratch("mehmet.pem");
    std::fs::write(&pem, certificate.to_pem().unwrap()).unwrap();
    let sha256 = kep::wire::sha256(&certificate.to_der().unwrap()).hex();
    let server = scene.serve().await;
    let sign = |id: &str| scene.account(MEHMET).signer.sign(&letter(ALI, &[AYSE], id)).unwrap();
    assert_eq!(scene.submit(ALI, &[AYSE], &sign("vekil.1@x")).await.code, 550);
    let file = ["account", "certificate", ALI, pem.to_str().unwrap()];
    assert_eq!(scene.kep(&file).await.code, Some(0));
    let shown = scene.json(&["account", "show", ALI]).await;
    assert_eq!(shown["address"], ALI);
    let registered = shown["certificates"].as_array().unwrap();
    assert_eq!(registered.len(), 2);
    assert!(registered.iter().any(|one| one["sha256"] == sha256), "{registered:?}");
    assert!(scene.kep(&["account", "show", ALI]).await.out.contains(&sha256));
    scene.accepted(ALI, &[AYSE], &sign("vekil.2@x")).await;

    let remove = ["account", "certificate", ALI, "--remove", &sha256.to_uppercase()];
    assert_eq!(scene.kep(&remove).await.code, Some(0));
    assert_eq!(scene.submit(ALI, &[AYSE], &sign("vekil.3@x")).await.code, 550);
    let again = scene.kep(&remove).await;
    assert!(again.code != Some(0) && again.err.contains("hint: "), "{}", again.err);
    // Mehmet's own is not registered: the number in it is enough, and all there is.
    let shown = scene.json(&["account", "show", MEHMET]).await;
    assert_eq!(shown["certificates"], serde_json::json!([]));
    assert_eq!(scene.kep(&["account", "certificate", ALI]).await.code, Some(64));
    server.stop().await;
}

/// At a terminal of its own, which is what it was before however the question ends.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_interrupted_at_the_question_for_a_password_leaves_the_terminal_as_it_was() {
    let Some(script) = crate::tool::tool("script") else { return };
    let scene = Scene::new(Plan::default()).await;
    let password: &[u8] = b"cok gizli bir soz\n";
    // Nobody writes into it: who reads it waits.
    let (pipe, own) = (scene.scratch("pipe"), scene.conf());
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // Ctrl-C and Ctrl-\ at the question, a password, and Ctrl-C and Ctrl-\ when it was answered.
    let cases: [(&[u8], &[u8], &PathBuf, &str); 5] = [
        (b"\x03", b"", &own, "code 130"),
        (b"\x1c", b"", &own, "code 131"),
        (password, b"", &own, "code 0"),
        (password, b"\x03", &pipe, "code 130"),
        (password, b"\x1c", &pipe, "code 131"),
    ];
    for (typed, later, conf, expected) in cases {
        let (before, after) = (scene.scratch("before"), scene.scratch("after"));
        let line = format!(
            "trap : INT QUIT; stty -a > '{}'; '{}' account password {AYSE} --conf '{}'; \
             echo code $?; stty -a > '{}'",
            before.display(),
            env!("CARGO_BIN_EXE_kep"),
            conf.display(),
            after.display(),
        );
        let mut command = tokio::process::Command::new(&script);
        command.args(["-qefc", &line, "/dev/null"]).kill_on_drop(true);
        command.env("SHELL", "/bin/sh").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut seen = Vec::new();
        let watched = async {
            let (mut typed, mut later) = (Some(typed), Some(later));
            let mut piece = [0; 256];
            while !find(&seen, expected.as_bytes()) {
                let octets = screen.read(&mut piece).await.unwrap();
                assert_ne!(octets, 0, "it ended: {}", String::from_utf8_lossy(&seen));
                seen.extend_from_slice(&piece[..octets]);
                if let Some(typed) = typed.take_if(|_| find(&seen, b"Password: ")) {
                    keys.write_all(typed).await.unwrap();
                }
                if let Some(later) = later.take_if(|_| find(&seen, b"Password: \r\n")) {
                    keys.write_all(later).await.unwrap();
                }
            }
        };
        let watched = tokio::time::timeout(Duration::from_secs(60), watched).await;
        let text = String::from_utf8_lossy(&seen).into_owned();
        assert!(watched.is_ok(), "{text}");
        drop(keys);
        child.wait().await.unwrap();
        assert!(!text.contains("gizli"), "{text}");
        let found = |path| std::fs::read_to_string(path).unwrap();
        assert!(found(&before).contains(" echo "), "{}", found(&before));
        assert_eq!(found(&after), found(&before));
    }
}

fn find(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_is_asked_for_the_signature_that_the_provider_has_decided() {
    let scene = Scene::new(Plan::default()).await;
    let file = scene.scratch("password");
    std::fs::write(&file, "cok gizli bir soz").unwrap();
    let file = file.to_str().unwrap();
    let asked = async |address: &str, more: &[&str]| {
        let add = ["account", "add", address, "--name", "Can Ak", "--password-file", file];
        let ran = scene.kep(&[&add[..], more].concat()).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        scene.json(&["account", "show", address]).await["signature"].as_str().unwrap().to_owned()
    };
    assert_eq!(asked("bir.ak@hs05.kep.tr", &[]).await, "required", "as the configuration has it");
    let decide = ["policy", "set", "signature.default", "hold", "--reason", "Kurul kararı 7"];
    assert_eq!(scene.kep(&decide).await.code, Some(0));
    assert_eq!(asked("iki.ak@hs05.kep.tr", &[]).await, "hold");
    assert_eq!(asked("uc.ak@hs05.kep.tr", &["--signature", "optional"]).await, "optional");
}
