//! The data folder: who makes it, and whether what is in it agrees.

use crate::scene::{ALI, AYSE, Plan, Scene, until};
use crate::tool::tool;
use kep::store::{Lane, RowsAt, Store, StoreError, Tx, evidence};
use kep::trust::vault::Vault;
use kep::wire::MessageId;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

fn data(scene: &Scene) -> PathBuf {
    scene.provider().join("spool")
}

/// One message with its acceptance and delivery evidence; the server has ended.
async fn settled() -> (Scene, MessageId) {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "depo@x")).await;
    assert_eq!(scene.settled(&id, 2).await.len(), 2);
    server.stop().await;
    (scene, MessageId::parse(&id).unwrap())
}

/// As somebody who has the disk and the master key.
async fn meddle(
    scene: &Scene,
    work: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) {
    let vault = Vault::open(&scene.provider().join("secrets/master.key")).unwrap();
    let at = RowsAt::File(data(scene).join("kep.sqlite"));
    let store = Store::find(&at, &data(scene).join("blobs"), Arc::new(vault)).await.unwrap();
    store.write(Lane::Client, work).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_but_the_server_makes_a_store() {
    let scene = Scene::new(Plan::default()).await;
    std::fs::remove_dir_all(data(&scene)).unwrap();
    let evidence = scene.scratch("evidence.xml");
    std::fs::write(&evidence, "<x/>").unwrap();
    let password = scene.scratch("password");
    std::fs::write(&password, "uzunca bir parola\n").unwrap();
    let (evidence, password) = (evidence.to_str().unwrap(), password.to_str().unwrap());
    let commands: &[&[&str]] = &[
        &["fsck"],
        &["fsck", "--quick"],
        &["account", "list"],
        &["account", "add", "yeni@hs05.kep.tr", "--name", "Yeni", "--password-file", password],
        &["provider", "list"],
        &["message", "list"],
        &["evidence", "list"],
        &["verify", evidence],
    ];
    for command in commands {
        let ran = scene.kep(command).await;
        assert_eq!(ran.code, Some(66), "{command:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("there is no store at"), "{command:?}: {}", ran.err);
        assert!(ran.err.contains("hint: `kep serve` makes it"), "{command:?}: {}", ran.err);
        assert!(!data(&scene).exists(), "{command:?}");
    }
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let line = ran.out.lines().find(|line| line.contains("storage")).unwrap();
    assert!(line.starts_with("warning") && line.contains("no store"), "{line}");
    assert!(!data(&scene).exists());
    scene.serve().await.stop().await;
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn contents_whose_rows_are_gone_are_lost() {
    let (scene, _) = settled().await;
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    for ending in ["", "-wal", "-shm"] {
        // A server that ended leaves no journal.
        let _ = std::fs::remove_file(data(&scene).join(format!("kep.sqlite{ending}")));
    }
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(66));
    // It can't know that there were rows before; fsck tells.
    scene.serve().await.stop().await;
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(65), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("lost: segment 1"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_is_not_what_its_row_says_is_found() {
    let (scene, id) = settled().await;
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "rows, blobs and evidence agree\n"));

    let of = id.clone();
    let swap = move |tx: &mut Tx<'_>| {
        let all = evidence::of_message(tx, &of)?;
        let [one, other] = all.as_slice() else { panic!("{all:?}") };
        let sql = "UPDATE evidence SET xml = $1 WHERE id = $2";
        tx.execute(sql, &[(&other.xml.0[..]).into(), one.id.as_str().into()])?;
        tx.execute(sql, &[(&one.xml.0[..]).into(), other.id.as_str().into()])?;
        Ok(())
    };
    meddle(&scene, swap.clone()).await;
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(65), "{}{}", ran.out, ran.err);
    for differs in ["its identifier is", "its event is", "its recipient is", "its stamped time is"]
    {
        assert!(ran.out.contains(differs), "{differs}: {}", ran.out);
    }
    meddle(&scene, swap).await;
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));

    let later = |tx: &mut Tx<'_>| {
        let sql = "UPDATE evidence SET event_time = event_time + 1000 WHERE event = 'delivery'";
        tx.execute(sql, &[])?;
        Ok(())
    };
    meddle(&scene, later).await;
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(65), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("its event time is"), "{}", ran.out);
    assert!(!ran.out.contains("its event is"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_since_the_archive_was_stamped_is_named() {
    let (scene, id) = settled().await;
    let archive = async |act: &str| {
        let ran = scene.kep(&["evidence", "archive", act, "--json"]).await;
        let said: serde_json::Value = serde_json::from_str(&ran.out).expect(&ran.err);
        (ran.code, said, ran.err)
    };
    // The server stamps what it finds when it starts, and has the authority of development.
    let server = scene.serve().await;
    server.logged("evidence is stamped anew", 1).await;
    let (code, stamped, _) = archive("stamp").await;
    assert_eq!((code, &stamped["number"]), (Some(0), &2.into()), "{stamped}");
    server.stop().await;
    let (code, whole, _) = archive("verify").await;
    assert_eq!((code, &whole["stamped"], &whole["waiting"]), (Some(0), &2.into(), &0.into()));
    assert_eq!(whole["stamps"], 2, "{whole}");
    assert_eq!((&whole["last"], &whole["faults"]), (&stamped["stamped"], &serde_json::json!([])));

    let vault = Vault::open(&scene.provider().join("secrets/master.key")).unwrap();
    let at = RowsAt::File(data(&scene).join("kep.sqlite"));
    let store = Store::find(&at, &data(&scene).join("blobs"), Arc::new(vault)).await.unwrap();
    let all = store.read(move |tx| evidence::of_message(tx, &id)).await.unwrap();
    drop(store);
    let [kept, changed] = all.as_slice() else { panic!("{all:?}") };
    let (one, other, own) = (changed.id.clone(), kept.xml, changed.xml);
    let put = |xml: kep::wire::BlobId| {
        let id = one.clone();
        move |tx: &mut Tx<'_>| {
            let sql = "UPDATE evidence SET xml = $1 WHERE id = $2";
            tx.execute(sql, &[(&xml.0[..]).into(), id.as_str().into()])?;
            Ok(())
        }
    };
    meddle(&scene, put(other)).await;
    let (code, found, hint) = archive("verify").await;
    let fault = format!("{} is not what was stamped", changed.id);
    assert_eq!((code, &found["faults"]), (Some(65), &serde_json::json!([fault])), "{found}");
    assert!(hint.contains("hint: compare with a backup"), "{hint}");
    meddle(&scene, put(own)).await;
    assert_eq!(archive("verify").await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_made_once_and_renewed() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Plan::default()).await;
    let key = scene.provider().join("secrets/master.key");
    // `dev init` made one, and a store with it.
    let ran = scene.kep(&["vault", "init"]).await;
    assert_eq!(ran.code, Some(73), "{}{}", ran.out, ran.err);
    let copy = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    std::fs::write(data(&scene).join("blobs/segment-00000001.kepb"), "contents").unwrap();
    let ran = scene.kep(&["vault", "init"]).await;
    assert_eq!(ran.code, Some(73), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("restore the master key from its copy"), "{}", ran.err);
    assert!(!key.exists());

    std::fs::remove_dir_all(data(&scene)).unwrap();
    let ran = scene.kep(&["serve"]).await;
    assert_eq!(ran.code, Some(78), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("hint: `kep vault init`"), "{}", ran.err);
    let ran = scene.kep(&["vault", "init"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_ne!(std::fs::read(&key).unwrap(), copy);
    scene.serve().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_master_key_wrapped_can_still_be_read() {
    let (scene, id) = settled().await;
    let key = scene.provider().join("secrets/master.key");
    let old = std::fs::read_to_string(&key).unwrap();
    let ran = scene.kep(&["vault", "rotate"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("generation 2") && ran.out.contains("seals all anew"), "{}", ran.out);
    let new = std::fs::read_to_string(&key).unwrap();
    assert!(new.starts_with(&old) && new.lines().count() == 2);
    let server = scene.serve().await;
    let next = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    for id in [id.as_str(), &next] {
        assert_eq!(scene.settled(id, 2).await.len(), 2);
    }
    server.stop().await;
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    // The new ones are of the new key alone.
    std::fs::write(&key, &old).unwrap();
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(65), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("generation 2 is not in the file"), "{}", ran.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_typed_is_not_shown() {
    // A terminal of its own for the command; what that shows comes out here.
    let Some(script) = tool("script") else { return };
    let scene = Scene::new(Plan::default()).await;
    let (kep, conf) = (env!("CARGO_BIN_EXE_kep"), scene.conf());
    let command = format!("{kep} account password {ALI} --conf {}", conf.display());
    let mut terminal = Command::new(script)
        .args(["-qec", &command, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (terminal.stdin.take().unwrap(), terminal.stdout.take().unwrap());
    let mut shown = Vec::new();
    // The prompt comes before the terminal falls silent; typed ahead, it would be shown.
    let children = format!("/proc/{0}/task/{0}/children", terminal.id());
    let silent = || {
        let children = std::fs::read_to_string(&children).unwrap_or_default();
        children.split_whitespace().any(|pid| {
            let tty = format!("/proc/{pid}/fd/0");
            let ran = Command::new("stty").args(["-a", "-F", &tty]).output().unwrap();
            String::from_utf8_lossy(&ran.stdout).contains("-echo ")
        })
    };
    until("a silent terminal", async || silent().then_some(())).await;
    keys.write_all(b"yeni bir parola\n").unwrap();
    screen.read_to_end(&mut shown).unwrap();
    assert!(terminal.wait().unwrap().success());
    let shown = String::from_utf8_lossy(&shown).into_owned();
    assert!(shown.contains("Password: ") && shown.contains("has a new password"), "{shown}");
    assert!(!shown.contains("yeni bir parola"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_is_an_error() {
    let scene = Scene::new(Plan::default()).await;
    let list = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kep"));
        command.args(["account", "list", "--conf"]).arg(scene.conf()).stdout(out);
        command.output().unwrap()
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = list(full.into());
    assert_eq!(ran.status.code(), Some(74), "{ran:?}");
    // A reader that has seen enough is none.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(list(writer.into()).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_under_names_that_nobody_reads_are_refused() {
    let scene = Scene::new(Plan::default()).await;
    let dir = scene.scratch("texts");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("README"), "ours").unwrap();
    scene.set("texts", "dir", &format!("{dir:?}"));
    assert_eq!(scene.kep(&["check"]).await.code, Some(0));
    std::fs::write(dir.join("dispach.toml"), "").unwrap();
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("dispach.toml"), "{}", ran.out);
}
