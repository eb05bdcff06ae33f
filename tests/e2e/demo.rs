//! `kep demo` as a person runs it: a message travels, and all that it leaves behind verifies.

use serde_json::Value;
use std::path::Path;

#[tokio::test]
async fn a_message_travels_and_everything_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"));
    let output = command.args(["demo", "--json", "--dir"]).arg(&dir).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["valid"], true, "{said}");
    let events: Vec<_> = said["timeline"].as_array().unwrap().iter().map(|e| &e["event"]).collect();
    assert_eq!(events, ["submission-acceptance", "delivery", "retrieval"]);
    assert_eq!(files(&dir.join("evidence"), "xml"), 3);
    assert_eq!(files(&dir.join("mails"), "eml"), 4);
    assert_eq!(files(&dir.join("original"), "eml"), 1);
    assert!(dir.join("provider/kep.toml").is_file());

    // A changed evidence is found out by the same anchors.
    let xml = std::fs::read_dir(dir.join("evidence")).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&xml).unwrap().replace("hs05.kep.tr", "hs06.kep.tr");
    std::fs::write(&xml, text).unwrap();
    let mut verify = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"));
    verify.arg("verify").arg("--trust").arg(dir.join("provider/trust")).arg(&xml);
    assert_eq!(verify.output().await.unwrap().status.code(), Some(1));
}

fn files(dir: &Path, ending: &str) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == ending)).count()
}
