//! The data folder: who makes it, and whether what is in it agrees.

use crate::scene::{ALI, AYSE, Plan, Scene};
use std::path::PathBuf;

fn data(scene: &Scene) -> PathBuf {
    scene.provider().join("spool")
}

/// One message with its acceptance and delivery evidence; the server has ended.
async fn settled() -> Scene {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "depo@x")).await;
    assert_eq!(scene.settled(&id, 2).await.len(), 2);
    server.stop().await;
    scene
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
    let scene = settled().await;
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
