//! `kep serve` as a child of the demonstration: started, awaited, and stopped whatever happens.

use super::provider::Provider;
use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A running server. Dropped, it is killed: what it acknowledged is durable all the same.
pub struct Server {
    child: Child,
    left: bool,
}

impl Server {
    /// Returns once the child has said `kep: ready`.
    pub async fn start(provider: &Provider) -> Outcome<Self> {
        let log = provider.log();
        let written = File::create(&log);
        let written =
            written.map_err(|e| Failure::cannot_create(format!("{}: {e}", log.display())))?;
        let mut command = Command::new(executable()?);
        command.arg("serve").arg("--conf").arg(&provider.conf);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(written);
        // In a group of its own, so that an interrupt from the terminal reaches us alone, and
        // `--keep` outlives the terminal's shell.
        command.process_group(0);
        let child = command.spawn();
        let child =
            child.map_err(|e| Failure::unavailable(format!("kep serve does not start: {e}")))?;
        let mut server = Self { child, left: false };
        match timeout(START, server.ready()).await {
            Ok(Ok(())) => Ok(server),
            Ok(Err(said)) => Err(failed(&said, &log)),
            Err(_) => Err(failed(&format!("not ready within {} s", START.as_secs()), &log)),
        }
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks it to end and waits; one that does not is killed.
    pub async fn stop(mut self) -> Outcome<()> {
        if let Some(pid) = self.pid() {
            let mut ask = Command::new("sh");
            ask.args(["-c", "kill -s TERM \"$1\"", "sh", &pid.to_string()]);
            let asked = ask.stdin(Stdio::null()).stderr(Stdio::null()).status().await;
            if asked.is_ok_and(|status| status.success()) {
                // Whether it ended well is in its log; here it matters that it is gone.
                let _ = timeout(STOP, self.child.wait()).await;
            }
        }
        let gone = self.child.kill().await;
        gone.map_err(|e| Failure::software(format!("kep serve can't be stopped: {e}")))
    }

    /// Lets it run on without us.
    pub fn leave(mut self) -> Option<u32> {
        self.left = true;
        self.pid()
    }

    async fn ready(&mut self) -> Result<(), String> {
        let stdout = self.child.stdout.take().ok_or("it has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await.map_err(|e| e.to_string())? {
            if line == "kep: ready" {
                return Ok(());
            }
        }
        let status = self.child.wait().await.map_err(|e| e.to_string())?;
        Err(format!("it ended with {status}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.left {
            // One that has ended needs no signal.
            let _ = self.child.start_kill();
        }
    }
}

/// The same program that runs now.
pub fn executable() -> Outcome<PathBuf> {
    std::env::current_exe().map_err(|e| Failure::software(format!("our own program's path: {e}")))
}

fn failed(why: &str, log: &Path) -> Failure {
    let tail = tail(log).unwrap_or_else(|e| format!("(its log can't be read: {e})"));
    Failure::unavailable(format!("kep serve: {why}\n{}", tail.trim_end())).hint(
        "with `--dir DIR`, `kep check --conf DIR/provider/kep.toml` says what is wrong, by name",
    )
}

fn tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let start = file.metadata()?.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut octets = Vec::new();
    file.take(TAIL).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// The hint of whatever went wrong over a socket; a temporary folder's log is gone by then.
pub const SEE_LOG: &str = "`kep demo --dir DIR` leaves the server's log in DIR/provider/serve.log";
/// A debug build on a busy machine hashes its first passwords slowly.
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(10);
const TAIL: u64 = 4_096;
