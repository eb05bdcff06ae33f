//! A provider folder, its configuration, its server and its command line.

use crate::client::mail::Letter;
use crate::client::smtp::{Prepared, Reply};
use crate::client::world::{Account, Doors, Wish, World};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

pub const ALI: &str = "ali.veli@hs05.kep.tr";
pub const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";
pub const MEHMET: &str = "mehmet.demir@hs05.kep.tr";

/// What is asked of `kep dev init`.
pub struct Plan<'a> {
    pub domain: &'a str,
    pub accounts: &'a [&'a str],
    pub key: &'a str,
    pub direct: bool,
}

/// A provider in a folder of its own; gone with this value.
pub struct Scene {
    folder: tempfile::TempDir,
    world: World,
    starts: AtomicU32,
}

/// A running server.
pub struct Running {
    child: Child,
    log: PathBuf,
}

/// What a command came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Default for Plan<'_> {
    fn default() -> Self {
        let accounts = &["ali.veli", "ayse.yilmaz", "mehmet.demir:qualified"];
        Self { domain: "hs05.kep.tr", accounts, key: "p256", direct: false }
    }
}

impl Scene {
    pub async fn new(plan: Plan<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts: Vec<String> = plan.accounts.iter().map(|a| (*a).to_owned()).collect();
        let Plan { domain, key, direct, .. } = plan;
        let wish = Wish { domain, accounts: &accounts, key, direct };
        let binary = Path::new(env!("CARGO_BIN_EXE_kep"));
        let world = World::init(binary, &folder.path().join("provider"), &wish).await.unwrap();
        Self { folder, world, starts: AtomicU32::new(0) }
    }

    /// The provider's folder, as `kep dev init` made it.
    pub fn provider(&self) -> &Path {
        self.world.folder()
    }

    /// A place for the test's own files.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn conf(&self) -> PathBuf {
        self.provider().join("kep.toml")
    }

    /// The port so far from the first one, as `kep dev init` lays them out.
    pub fn port(&self, offset: u16) -> u16 {
        self.doors().submission.port() + offset
    }

    pub fn doors(&self) -> Doors {
        self.world.doors()
    }

    pub fn account(&self, address: &str) -> &Account {
        self.world.accounts().iter().find(|account| account.address == address).unwrap()
    }

    /// Sets a value (as TOML) in the configuration, where the sample has its line.
    pub fn set(&self, section: &str, key: &str, value: &str) {
        let text = std::fs::read_to_string(self.conf()).unwrap();
        let (mut here, mut done, mut lines) = (false, false, Vec::new());
        for line in text.lines() {
            if line.starts_with('[') {
                here = line == format!("[{section}]");
            }
            let named =
                line.trim_start_matches('#').split_once(" = ").is_some_and(|(k, _)| k == key);
            if here && named && !done {
                done = true;
                lines.push(format!("{key} = {value}"));
            } else {
                lines.push(line.to_owned());
            }
        }
        assert!(done, "[{section}] {key} is not in the sample");
        std::fs::write(self.conf(), lines.join("\n") + "\n").unwrap();
    }

    /// Leaves the portal out; its port is free for another door.
    pub fn without_portal(&self) -> u16 {
        let text = std::fs::read_to_string(self.conf()).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with("portal = "));
        std::fs::write(self.conf(), kept.map(|line| format!("{line}\n")).collect::<String>())
            .unwrap();
        self.port(5)
    }

    pub async fn serve(&self) -> Running {
        self.serve_with(&[]).await
    }

    pub async fn serve_with(&self, environment: &[(&str, OsString)]) -> Running {
        let mut command = Command::new(self.world.binary());
        command.args(["serve", "--conf"]).arg(self.conf());
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        self.start(command).await
    }

    /// Starts a command that is or becomes the server; ready when it says so.
    pub async fn start(&self, mut command: Command) -> Running {
        let n = self.starts.fetch_add(1, Ordering::Relaxed);
        let log = self.scratch(&format!("serve-{n}.log"));
        command.stderr(std::fs::File::create(&log).unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "kep: ready" {
                    return true;
                }
            }
            false
        };
        let ready = tokio::time::timeout(PATIENCE, ready).await.unwrap_or(false);
        let running = Running { child, log };
        assert!(ready, "the server is not ready:\n{}", running.log());
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        running
    }

    /// Runs `kep` as it is.
    pub async fn tell(&self, arguments: &[&str]) -> Ran {
        let ran = Command::new(self.world.binary()).args(arguments).output().await.unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Ran { code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
    }

    /// Runs `kep` with `--conf` of this provider.
    pub async fn kep(&self, arguments: &[&str]) -> Ran {
        self.kep_with(arguments, &[]).await
    }

    pub async fn kep_with(&self, arguments: &[&str], environment: &[(&str, OsString)]) -> Ran {
        let mut command = Command::new(self.world.binary());
        command.args(arguments).arg("--conf").arg(self.conf()).stdin(Stdio::null());
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        let ran = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output()).await;
        let ran = ran.unwrap_or_else(|_| panic!("kep {arguments:?} does not end")).unwrap();
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        Ran { code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
    }

    /// What a command that succeeds prints as JSON.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.kep(&[arguments, &["--json"]].concat()).await;
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// The evidence of one message, each as `event recipient`, sorted.
    pub async fn events(&self, id: &str) -> Vec<String> {
        let list = self.json(&["evidence", "list", "--message", id]).await;
        let event = |row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap().to_owned();
            format!("{} {}", text("event"), text("recipient")).trim_end().to_owned()
        };
        let mut events: Vec<_> = list.as_array().unwrap().iter().map(event).collect();
        events.sort();
        events
    }

    /// Waits until a message has so much evidence.
    pub async fn settled(&self, id: &str, count: usize) -> Vec<String> {
        until(&format!("{count} evidences of {id}"), async || {
            let events = self.events(id).await;
            (events.len() >= count).then_some(events)
        })
        .await
    }

    /// All evidence of one kind, whatever the message.
    pub async fn count(&self, event: &str) -> usize {
        let list = self.json(&["evidence", "list", "--limit", "1000"]).await;
        list.as_array().unwrap().iter().filter(|row| row["event"] == event).count()
    }

    /// A signed letter from one account to others.
    pub fn letter(&self, from: &str, to: &[&str], message_id: &str) -> Vec<u8> {
        self.account(from).signer.sign(&letter(from, to, message_id)).unwrap()
    }

    /// The file with the password that a new member of staff is given.
    pub fn given_password(&self) -> String {
        let file = self.scratch("given.password");
        std::fs::write(&file, "uzun, verilen bir söz").unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// He sets his own, which is in this file.
    pub async fn sets_own_password(&self, name: &str, file: &str) {
        let set = ["staff", "password", name, "--as", name, "--password-file", file];
        let given = self.given_password();
        let ran = self.kep(&[&set[..], &["--staff-password-file", &given]].concat()).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }

    /// Logs in, submits, and says the answer.
    pub async fn submit(&self, from: &str, to: &[&str], mail: &[u8]) -> Reply {
        let mut smtp = self.doors().smtp(self.account(from)).await.unwrap();
        let receipt = smtp.submit(from, to, &Prepared::new(mail)).await.unwrap();
        smtp.quit().await.unwrap();
        receipt.reply
    }

    /// Submits what must be accepted; its id.
    pub async fn accepted(&self, from: &str, to: &[&str], mail: &[u8]) -> String {
        let reply = self.submit(from, to, mail).await;
        assert_eq!(reply.code, 250, "{reply:?}");
        reply.message_id().unwrap().to_owned()
    }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits until the log holds a text so many times.
    pub async fn logged(&self, text: &str, times: usize) {
        until(&format!("{text} in the log"), async || {
            (self.log().matches(text).count() >= times).then_some(())
        })
        .await;
    }

    /// SIGTERM; waits for its end, and no panic may stand in the log.
    pub async fn stop(self) {
        let (status, log) = self.end("TERM").await;
        assert!(status.success(), "{status}\n{log}");
    }

    /// Sends a signal and waits for the end.
    pub async fn end(self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        self.ended().await
    }

    /// Ends the server that strace runs, and strace with it.
    pub async fn end_traced(self) {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(children.unwrap().split_whitespace()).status().unwrap().success());
        let (status, log) = self.ended().await;
        assert!(status.success(), "{status}\n{log}");
    }

    /// Waits for the end that comes by itself.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let waited = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let log = self.log();
        let status = waited.unwrap_or_else(|_| panic!("it does not end:\n{log}")).unwrap();
        assert!(!log.contains("panicked at"), "{log}");
        (status, log)
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

/// Looks again and again, within bounds, until there is something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What a test sends when nothing else is asked.
pub fn letter<'a>(from: &'a str, to: &'a [&'a str], message_id: &'a str) -> Letter<'a> {
    let subject = "Sözleşme feshi: İhtarname";
    Letter {
        from,
        to,
        subject,
        message_id,
        text: "Sayın ilgili, ekte sunulmuştur.",
        attachment: 5000,
    }
}

/// Debug builds on a machine with two busy cores are slow.
pub const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
