//! What a holder takes with him: unpacked by a program that is not ours, checked by another, verified.

use crate::client::imap::Imap;
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene};
use crate::tool::{run, tool};
use serde_json::Value;
use std::path::{Path, PathBuf};

async fn export(scene: &Scene, who: &str) -> (PathBuf, Value) {
    let file = scene.scratch(&format!("{who}.zip"));
    let made = scene.json(&["account", "export", who, file.to_str().unwrap()]).await;
    (file, made)
}

/// Unpacked; every file has its checksum.
fn unpacked(scene: &Scene, archive: &Path) -> Option<PathBuf> {
    let unzip = tool("unzip")?;
    let folder = scene.scratch(&format!("{}.d", archive.file_name().unwrap().to_str().unwrap()));
    let target = folder.to_str().unwrap();
    let (good, said) = run(&unzip, &["-q", archive.to_str().unwrap(), "-d", target]);
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let check = format!("cd '{target}' && sha256sum --quiet --strict -c SHA256SUMS");
    let (good, said) = run(Path::new("/bin/sh"), &["-c", &check]);
    assert!(good, "{}", String::from_utf8_lossy(&said));
    let listed = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap().lines().count();
    assert_eq!(files(&folder).len(), listed + 1, "all files but the list itself are in it");
    Some(folder)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(files(&path)),
            path => all.push(path),
        }
    }
    all
}

async fn mailbox(scene: &Scene, who: &str, name: &str) -> (Imap, Vec<Vec<u8>>) {
    let mut imap = scene.doors().imap(scene.account(who)).await.unwrap();
    imap.select(name).await.unwrap();
    let fetched = imap.uid_fetch("1:*", "(UID BODY.PEEK[])").await.unwrap();
    let mails = fetched.into_iter().map(|one| one.literals[0].clone()).collect();
    (imap, mails)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_gets_all_mails_and_evidence_and_nothing_that_is_unopened() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE, MEHMET], "disari.1@x");
    let id = scene.accepted(ALI, &[AYSE, MEHMET], &mail).await;
    scene.settled(&id, 3).await;
    let before = scene.events(&id).await;

    // Ayşe has not opened it: a notice and no content, and no reading by that.
    let (archive, made) = export(&scene, AYSE).await;
    assert_eq!((&made["unopened"], &made["evidence"]), (&1.into(), &2.into()), "{made}");
    let Some(folder) = unpacked(&scene, &archive) else { return };
    let telltale = memchr::memmem::Finder::new(&mail[mail.len() / 2..mail.len() / 2 + 60]);
    for file in files(&folder) {
        let octets = std::fs::read(&file).unwrap();
        assert!(telltale.find(&octets).is_none(), "{} has content", file.display());
    }
    assert_eq!(scene.events(&id).await, before);
    let again = scene.kep(&["account", "export", AYSE, archive.to_str().unwrap()]).await;
    assert!(again.code == Some(73) && again.err.contains("hint: "), "{}", again.err);

    let (mut inbox, _) = mailbox(&scene, AYSE, "INBOX").await;
    inbox.uid_move("1", "Açılacaklar").await.unwrap();
    scene.settled(&id, 4).await;
    std::fs::remove_file(&archive).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let (archive, made) = export(&scene, AYSE).await;
    assert_eq!((&made["unopened"], &made["evidence"]), (&0.into(), &3.into()), "{made}");
    let folder = unpacked(&scene, &archive).unwrap();
    let octets: Vec<_> = files(&folder).iter().map(|file| std::fs::read(file).unwrap()).collect();
    for name in ["INBOX", "Deliller"] {
        let (_, mails) = mailbox(&scene, AYSE, name).await;
        assert!(!mails.is_empty());
        assert!(mails.iter().all(|mail| octets.contains(mail)), "{name}, octet for octet");
    }

    // What Mehmet did with it is his and the sender's alone.
    let (archive, made) = export(&scene, ALI).await;
    assert_eq!(made["evidence"], 4, "{made}");
    let senders = unpacked(&scene, &archive).unwrap();
    for folder in [folder, senders] {
        let xml =
            files(&folder).into_iter().filter(|file| file.extension().is_some_and(|e| e == "xml"));
        let xml: Vec<_> = xml.map(|file| file.to_str().unwrap().to_owned()).collect();
        assert!(!xml.is_empty());
        let trust = scene.provider().join("trust");
        let mut arguments = vec!["verify", "--trust", trust.to_str().unwrap()];
        arguments.extend(xml.iter().map(String::as_str));
        let binary = Path::new(env!("CARGO_BIN_EXE_kep"));
        let (good, said) = run(binary, &arguments);
        assert!(good, "{}", String::from_utf8_lossy(&said));
        let index = std::fs::read_to_string(folder.join("index.json")).unwrap();
        let index: Value = serde_json::from_str(&index).unwrap();
        let listed = index["evidence"].as_array().unwrap();
        assert_eq!(listed.len(), xml.len());
        let material = listed.iter().flat_map(|one| one["material"].as_array().unwrap());
        let mut material = material.map(|file| folder.join(file.as_str().unwrap())).peekable();
        assert!(material.peek().is_some() && material.all(|file| file.is_file()));
    }
    let log = scene.kep(&["audit", "list", "--json"]).await;
    assert!(log.out.matches("account.export").count() >= 3, "{}", log.out);
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_several_accounts_gets_all_of_them_and_nobody_elses() {
    let scene = Scene::new(Plan::default()).await;
    let password = scene.scratch("second.password");
    std::fs::write(&password, "uzun ve kimsenin bilmediği bir söz\n").unwrap();
    for (address, number, given) in [
        ("veysel.kara@hs05.kep.tr", "10000000146", "Veysel"),
        ("v.kara@hs05.kep.tr", "10000000146", "Veysel"),
        ("selma.kara@hs05.kep.tr", "10000000078", "Selma"),
    ] {
        let add = ["account", "add", address, "--kind", "person", "--identity-number", number];
        let more = ["--given-names", given, "--surname", "Kara", "--email", "v@ornek.com"];
        let more = [&more[..], &["--signature", "optional"]].concat();
        let password = ["--password-file", password.to_str().unwrap()];
        let ran = scene.kep(&[&add[..], &more, &password].concat()).await;
        assert_eq!(ran.code, Some(0), "{address}: {}", ran.err);
    }
    let folder = scene.scratch("veysel");
    let ask = ["account", "export", "v.kara@hs05.kep.tr", folder.to_str().unwrap()];
    let ask = [&ask[..], &["--every-account"]].concat();
    let made = scene.json(&ask).await;
    let made = made.as_array().unwrap();
    let of: Vec<_> = made.iter().map(|one| one["address"].as_str().unwrap()).collect();
    assert_eq!(of, ["veysel.kara@hs05.kep.tr", "v.kara@hs05.kep.tr"]);
    let written = files(&folder);
    assert_eq!(written.len(), 2, "{written:?}");
    for (one, address) in made.iter().zip(of) {
        assert_eq!(one["file"], *folder.join(format!("{address}.zip")).to_str().unwrap());
    }
    for file in written {
        if unpacked(&scene, &file).is_none() {
            break;
        }
    }
    let again = scene.kep(&ask).await;
    assert!(again.code == Some(73) && again.err.contains("hint: "), "{}", again.err);
    // Of whom nothing is recorded there is the one account.
    let alone = scene.scratch("ali");
    let ask = ["account", "export", ALI, alone.to_str().unwrap(), "--every-account"];
    assert_eq!(scene.json(&ask).await.as_array().unwrap().len(), 1);
    let log = scene.json(&["audit", "list", "--act", "account.exported"]).await;
    assert_eq!(log.as_array().map_or(0, Vec::len), 3, "{log}");
}
