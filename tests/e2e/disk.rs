//! The disk is full or fails: temporary errors to clients, and nothing that was acknowledged is lost.

use crate::client::smtp::{Prepared, Reply};
use crate::lane;
use crate::scene::{ALI, AYSE, Plan, Running, Scene, letter};
use crate::small_disk::SmallDisk;
use std::path::Path;
use tokio::process::Command;

fn data(scene: &Scene) -> std::path::PathBuf {
    scene.provider().join("spool")
}

/// Submits; `None` when the server has gone or goes meanwhile.
async fn submit(scene: &Scene, message_id: &str, attachment: usize) -> Option<Reply> {
    let plan = letter(ALI, &[AYSE], message_id);
    let plan = crate::client::mail::Letter { attachment, ..plan };
    let mail = scene.account(ALI).signer.sign(&plan).unwrap();
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.ok()?;
    Some(smtp.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.ok()?.reply)
}

/// Each has its evidence, and rows, blobs and evidence agree.
async fn found(scene: &Scene, server: Running, acknowledged: &[String]) {
    for id in acknowledged {
        assert_eq!(scene.settled(id, 2).await.len(), 2, "{id}");
    }
    server.stop().await;
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_clients_are_told_to_come_again_and_nothing_is_lost() {
    let scene = Scene::new(Plan::default()).await;
    let dir = scene.scratch("small");
    std::fs::create_dir(&dir).unwrap();
    let Some(disk) = SmallDisk::mount(&dir, "16m") else { return };
    let copied = std::process::Command::new("cp").arg("-a").arg(data(&scene)).arg(&dir).status();
    assert!(copied.unwrap().success());
    scene.set("data", "dir", &format!("{:?}", dir.join("spool")));
    let server = scene.serve().await;
    let mut acknowledged = Vec::new();
    let (mut full, mut number) = (0, 0);
    // Room for a few, for rows alone, for nothing; each time it passes.
    for left in [600 << 10, 64 << 10, 0] {
        disk.fill(left);
        for _ in 0..6 {
            number += 1;
            let reply = submit(&scene, &format!("dolu.{number}@x"), 60_000).await.unwrap();
            match reply.code {
                250 => acknowledged.push(reply.message_id().unwrap().to_owned()),
                code => {
                    assert!((400..500).contains(&code), "{reply:?}");
                    full += u32::from(code == 452 && reply.lines[0].starts_with("4.3.1"));
                }
            }
        }
        // The same by IMAP: refused for now, and the session goes on.
        let mut imap = scene.doors().imap(scene.account(ALI)).await.unwrap();
        let draft = [b"Subject: taslak\r\n\r\n".as_slice(), &[b'x'; 200_000]].concat();
        if left == 0 {
            let refused = imap.append("Taslaklar", "", &draft).await.unwrap_err().to_string();
            assert!(refused.contains("NO"), "{refused}");
            assert_eq!(imap.count("Taslaklar").await.unwrap(), 0);
        }
        disk.empty();
        number += 1;
        let reply = submit(&scene, &format!("yer.{number}@x"), 1000).await.unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        acknowledged.push(reply.message_id().unwrap().to_owned());
    }
    assert!(full > 3, "{full} times 452");
    found(&scene, server, &acknowledged).await;
}

/// `kep serve` whose syncs of one file fail, those that `when` names (strace(1)).
async fn failing(scene: &Scene, strace: &Path, file: &Path, when: &str) -> Running {
    let mut command = Command::new(strace);
    command.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(file);
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}");
    command.args(["-e", "trace=fsync,fdatasync", "-e", &inject]);
    command.arg(env!("CARGO_BIN_EXE_kep")).args(["serve", "--conf"]).arg(scene.conf());
    scene.start(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failing_sync_of_the_rows_the_server_ends_and_the_next_one_has_everything() {
    let Some(strace) = lane::strace() else { return };
    let scene = Scene::new(Plan::default()).await;
    let server = failing(&scene, &strace, &data(&scene).join("kep.sqlite-wal"), "10+").await;
    let mut acknowledged = Vec::new();
    for number in 0..200 {
        let Some(reply) = submit(&scene, &format!("eio.{number}@x"), 3000).await else { break };
        match reply.code {
            250 => acknowledged.push(reply.message_id().unwrap().to_owned()),
            code => {
                assert!((400..500).contains(&code), "{reply:?}");
                break;
            }
        }
    }
    assert!(!acknowledged.is_empty());
    let (status, log) = server.ended().await;
    assert_eq!(status.code(), Some(74), "{log}");
    assert!(log.contains("closed after a failed sync") && log.contains("hint:"), "{log}");
    let server = scene.serve().await;
    found(&scene, server, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_sync_of_contents_is_a_temporary_error_and_the_server_goes_on() {
    let Some(strace) = lane::strace() else { return };
    let scene = Scene::new(Plan::default()).await;
    let blobs = data(&scene).join("blobs");
    let server = failing(&scene, &strace, &blobs.join("segment-00000001.kepb"), "4+").await;
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0..12 {
        let reply = submit(&scene, &format!("eio.{number}@x"), 3000).await.unwrap();
        match reply.code {
            250 => acknowledged.push(reply.message_id().unwrap().to_owned()),
            code => {
                assert!((400..500).contains(&code), "{reply:?}");
                refused += 1;
            }
        }
    }
    assert!(refused < 12 && !acknowledged.is_empty(), "{refused}");
    // The file that failed is closed for good; another one took its place.
    assert!(server.log().contains("blobs could not be synced"), "{}", server.log());
    assert!(blobs.join("segment-00000002.kepb").exists());
    server.end_traced().await;
    let server = scene.serve().await;
    found(&scene, server, &acknowledged).await;
}
