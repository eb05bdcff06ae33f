//! A program beside the provider that says what happens to it in lines of JSON, and is told on its stdin
//! what to do next.

use crate::scene::until;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

pub struct Station {
    child: Child,
    stdin: ChildStdin,
    seen: Arc<Mutex<Vec<Value>>>,
}

impl Station {
    /// Ready when it says that it listens.
    pub async fn start(program: &Path, script: &str, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/notices").join(script);
        let mut command = Command::new(program);
        // No folder of compiled Python beside the script.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("NODE_PATH", modules());
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let station = Self { child, stdin, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                seen.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        station.wait("listening", 1).await;
        station
    }

    pub async fn say(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.stdin.flush().await.unwrap();
    }

    /// What happened of this kind so far.
    pub fn seen(&self, event: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|line| line["event"] == event).cloned().collect()
    }

    /// Waits until it happened so many times.
    pub async fn wait(&self, event: &str, times: usize) -> Vec<Value> {
        until(&format!("{times} × {event}"), async || {
            Some(self.seen(event)).filter(|seen| seen.len() >= times)
        })
        .await
    }

    /// Gone without a word, as a machine goes.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Where `./check` puts what comes from npm.
pub fn modules() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(std::path::PathBuf::from);
    let target = target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"));
    target.join("node/node_modules")
}
