//! What a thief of the data folder finds: headers, and neither contents nor secrets.

use crate::client::mail::Letter;
use crate::scene::{ALI, AYSE, Plan, Scene, letter};
use data_encoding::BASE64;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[tokio::test(flavor = "multi_thread")]
async fn contents_and_secrets_are_nowhere_in_the_data_folder() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let text = "Davanın gizli esasları: 4711 sayılı dosya, yalnız size açılmıştır.";
    let letter = Letter { attachment: 20_000, text, ..letter(ALI, &[AYSE], "sir@x") };
    let mail = scene.account(ALI).signer.sign(&letter).unwrap();
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    // Refused ones leave nothing either.
    assert_eq!(scene.submit(ALI, &[AYSE], &letter.unsigned()).await.code, 550);

    let secrets = secrets(&scene, &mail, text);
    let found = |name: &str| search(&scene.provider().join("spool"), &secrets, name);
    found("while it runs");
    server.stop().await;
    found("after a clean end");
    let server = scene.serve().await;
    let (_, log) = server.end("KILL").await;
    found("after a kill");
    for (what, octets) in &secrets {
        assert!(!contains(log.as_bytes(), octets), "{what} is in the log");
    }
    // What may be found, so that the search is known to search.
    let rows = [("message id", id.into_bytes())];
    let folder = scene.provider().join("spool");
    assert!(files(&folder).iter().any(|file| holds(file, &rows).is_some()), "nothing is found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_closed_to_other_users() {
    let scene = Scene::new(Plan::default()).await;
    let folder = scene.provider().join("spool");
    // As an earlier version left it.
    let rows = folder.join("kep.sqlite");
    std::fs::set_permissions(&rows, Permissions::from_mode(0o644)).unwrap();
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "kip@x")).await;
    scene.settled(&id, 2).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let files = files(&folder);
    for name in ["kep.sqlite", "kep.sqlite-wal", "kep.sqlite-shm", "serve.lock"] {
        assert!(files.contains(&folder.join(name)), "{name} is not in {files:?}");
    }
    assert!(files.iter().any(|file| file.parent() == Some(&folder.join("blobs"))), "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!((mode(&folder), mode(&folder.join("blobs"))), (0o700, 0o700));
    server.stop().await;
}

fn secrets(scene: &Scene, mail: &[u8], text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mail = String::from_utf8(mail.to_vec()).unwrap();
    let attachment = mail.split("filename*").nth(1).unwrap();
    let line = attachment.lines().find(|line| line.len() == 76).unwrap();
    let ali = scene.account(ALI);
    let key = ali.signer.key().ec_key().unwrap().private_key().to_vec();
    let read = |name: &str| std::fs::read_to_string(scene.provider().join(name)).unwrap();
    let master = read("secrets/master.key");
    let master = master.split_whitespace().nth(1).unwrap().to_owned();
    let pem = |name: &str| {
        let text = read(name);
        text.lines().nth(1).unwrap().as_bytes().to_vec()
    };
    vec![
        ("the attachment in base64", line.as_bytes().to_vec()),
        ("the attachment", BASE64.decode(line.as_bytes()).unwrap()),
        ("the text in base64", BASE64.encode(text.as_bytes()).into_bytes()[..60].to_vec()),
        ("the text", text.as_bytes().to_vec()),
        ("the sender's password", ali.password.clone().into_bytes()),
        ("the recipient's password", scene.account(AYSE).password.clone().into_bytes()),
        ("the sender's key", key),
        ("the master key", data_encoding::HEXLOWER.decode(master.as_bytes()).unwrap()),
        ("the master key in hex", master.into_bytes()),
        ("the seal's key", pem("secrets/seal.key")),
        ("the TLS key", pem("secrets/tls.key")),
    ]
}

fn search(folder: &Path, secrets: &[(&'static str, Vec<u8>)], when: &str) {
    let files = files(folder);
    let all: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(files.len() >= 3 && all > 50_000, "{when}: {files:?} hold {all} octets");
    for file in files {
        let found = holds(&file, secrets);
        assert!(found.is_none(), "{when}: {} is in {}", found.unwrap(), file.display());
    }
}

fn holds(file: &Path, secrets: &[(&'static str, Vec<u8>)]) -> Option<&'static str> {
    let octets = std::fs::read(file).unwrap();
    secrets.iter().find(|(_, secret)| contains(&octets, secret)).map(|(what, _)| *what)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    let first = part[0];
    let starts = whole.iter().enumerate().filter(|(_, octet)| **octet == first);
    starts.map(|(at, _)| at).any(|at| whole[at..].starts_with(part))
}
