//! Thunderbird with a fresh profile on a screen of its own, led through Marionette: JSON over TCP.

use crate::scene::{PATIENCE, Scene, until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// A running Thunderbird; it and its screen end with this value.
pub struct Thunderbird {
    wire: BufReader<TcpStream>,
    asked: u32,
    protocol: PathBuf,
    _program: Child,
    _screen: Child,
}

impl Thunderbird {
    /// Starts it with a profile in the scene's folder.
    pub async fn start(scene: &Scene, thunderbird: &Path, xvfb: &Path) -> Self {
        let (screen, display) = screen(xvfb).await;
        let profile = scene.scratch("profile");
        std::fs::create_dir_all(profile.join("home")).unwrap();
        std::fs::write(profile.join("user.js"), preferences()).unwrap();
        let log = scene.scratch("thunderbird");
        let mut program = Command::new(thunderbird);
        program.args(["--marionette", "--remote-allow-system-access", "--no-remote", "--profile"]);
        program.arg(&profile).env("DISPLAY", display).env("HOME", profile.join("home"));
        program.env("MOZ_CRASHREPORTER_DISABLE", "1").env("MOZ_LOG_FILE", &log);
        program.env("MOZ_LOG", "sync,IMAP:4").stdin(Stdio::null()).stdout(Stdio::null());
        program.stderr(Stdio::null()).kill_on_drop(true);
        let program = program.spawn().unwrap();
        let port = until("Thunderbird's port", async || {
            let text = std::fs::read_to_string(profile.join("MarionetteActivePort")).ok()?;
            text.trim().parse::<u16>().ok()
        })
        .await;
        let wire = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        let protocol = log.with_extension("moz_log");
        let mut this = Self { wire, asked: 0, protocol, _program: program, _screen: screen };
        this.message().await;
        this.command("WebDriver:NewSession", json!({})).await;
        this.command("Marionette:SetContext", json!({ "value": "chrome" })).await;
        let patience = PATIENCE.as_millis() as u64 * 2;
        this.command("WebDriver:SetTimeouts", json!({ "script": patience })).await;
        this
    }

    /// One of the acts in `acts.js`, to its end.
    pub async fn act(&mut self, name: &str, arguments: Value) -> Value {
        let asked = format!("{name} {arguments}");
        let script = format!(
            "return (async function () {{ {ACTS}\nreturn await {name}(...arguments); }})\
             .apply(null, arguments)"
        );
        let said = json!({ "script": script, "args": arguments, "sandbox": "system" });
        let done = self.command("WebDriver:ExecuteScript", said);
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(answer) => answer["value"].clone(),
            Err(_) => panic!("{asked} does not end:\n{}", self.last_words()),
        }
    }

    /// What it has said and heard over IMAP so far.
    pub fn protocol(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.protocol).unwrap()).into_owned()
    }

    fn last_words(&self) -> String {
        let protocol = self.protocol();
        let lines: Vec<_> = protocol.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    async fn command(&mut self, name: &str, parameters: Value) -> Value {
        self.asked += 1;
        let text = json!([0, self.asked, name, parameters]).to_string();
        let framed = format!("{}:{text}", text.len());
        self.wire.get_mut().write_all(framed.as_bytes()).await.unwrap();
        let answer = self.message().await;
        assert_eq!(answer[1], self.asked, "{answer}");
        assert!(answer[2].is_null(), "{name}: {:#}", answer[2]);
        answer[3].clone()
    }

    /// `length:JSON`
    async fn message(&mut self) -> Value {
        let mut length = Vec::new();
        self.wire.read_until(b':', &mut length).await.unwrap();
        let length = String::from_utf8(length).unwrap();
        let mut text = vec![0; length.trim_end_matches(':').parse().unwrap()];
        self.wire.read_exact(&mut text).await.unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// A screen, and its name: the server takes a free number and says which.
async fn screen(xvfb: &Path) -> (Child, String) {
    let mut command = Command::new(xvfb);
    command.args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut screen = command.spawn().unwrap();
    let mut lines = BufReader::new(screen.stdout.take().unwrap()).lines();
    let number = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    (screen, format!(":{}", number.unwrap()))
}

/// A profile that asks nothing and calls nobody; what concerns mail stays as it comes.
fn preferences() -> String {
    let off = [
        "app.update.enabled",
        "datareporting.policy.dataSubmissionEnabled",
        "extensions.update.enabled",
        "mail.biff.play_sound",
        "mail.biff.show_alert",
        "mail.shell.checkDefaultClient",
        "mailnews.start_page.enabled",
        "network.captive-portal-service.enabled",
        "network.connectivity-service.enabled",
        "toolkit.telemetry.enabled",
    ];
    let on = [
        "mail.provider.suppress_dialog_on_startup",
        "mail.spotlight.firstRunDone",
        "mail.winsearch.firstRunDone",
    ];
    let line = |name: &str, value: &str| format!("user_pref(\"{name}\", {value});\n");
    let off = off.iter().map(|name| line(name, "false"));
    let on = on.iter().map(|name| line(name, "true"));
    let numbers = [line("marionette.port", "0"), line("mail.rights.version", "1")];
    off.chain(on).chain(numbers).collect()
}

const ACTS: &str = include_str!("acts.js");
