//! The transcripts that the pure sessions are tested with, over real sockets to a running server.
//! What a socket can't give or see (a full disk, a pause) leaves a file out, and says so.

use crate::accepted::hex;
use crate::imap_script::{self, Dice, Stage};
use crate::scene::{Plan, Scene};
use crate::transcript::{Step, Transcript, below, fits, unescaped};
use crate::wire::{Wire, trust};
use kep::registry::accounts;
use kep::store::accounts as rows;
use kep::store::{Lane, RowsAt, Store, Tx};
use kep::trust::vault::Vault;
use kep::trust::{Clock, password};
use kep::wire::KepAddress;
use rustls::ClientConfig;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

const ALI: &str = "ali@hs05.kep.tr";

#[tokio::test(flavor = "multi_thread")]
async fn smtp_transcripts_hold_over_sockets() {
    let scene = smtp_scene().await;
    let server = scene.serve().await;
    let trust = trust(scene.provider());
    let (mut played, mut left_out) = (0, 0);
    for transcript in below("smtp") {
        if !playable(&transcript) {
            println!("left out: {}", transcript.path.display());
            left_out += 1;
            continue;
        }
        let required = transcript.given.iter().any(|words| words == "submit required");
        let signature = if required { "required" } else { "optional" };
        scene.kep(&["account", "set", ALI, "--signature", signature]).await;
        // What is injected before TLS must come together, or it is part of the handshake.
        let tls = transcript.steps.iter().any(|step| matches!(step, Step::ClientTls));
        let pieces: &[usize] = if tls { &[usize::MAX] } else { &[usize::MAX, 7] };
        for piece in pieces {
            let before = messages(&scene).await;
            let stage = Socket::open(&scene, &transcript, Arc::clone(&trust));
            let last = tokio::task::block_in_place(|| stage.play(&transcript, *piece));
            seen(&scene, &transcript, before, last.as_deref()).await;
        }
        played += 1;
    }
    println!("{played} played, {left_out} left out");
    assert!(played >= 60, "{played} played, {left_out} left out");
    server.stop().await;
}

async fn smtp_scene() -> Scene {
    let scene = Scene::new(Plan { accounts: &["ali", "veli", "kapali"], ..Plan::default() }).await;
    set_password(&scene, "gizli").await;
    scene.kep(&["account", "close", "kapali@hs05.kep.tr"]).await;
    for (key, value) in [
        ("auth_failure_delay", "\"0ms\""),
        ("max_auth_failures", "5"),
        ("max_rejections_per_hour", "0"),
    ] {
        scene.set("accept", key, value);
    }
    scene
}

/// The passwords of transcripts are shorter than `kep account password` takes.
async fn set_password(scene: &Scene, secret: &str) {
    let vault = Vault::open(&scene.provider().join("secrets/master.key")).unwrap();
    let data = scene.provider().join("spool");
    let rows = RowsAt::File(data.join("kep.sqlite"));
    let store = Store::open(&rows, &data.join("blobs"), Arc::new(vault)).await.unwrap();
    let verifier = password::hash(&secret.to_owned().into()).unwrap();
    let address = KepAddress::parse(ALI).unwrap();
    let id = accounts::get(&store, &address).await.unwrap().id;
    let at = Clock::System.now();
    let set = move |tx: &mut Tx<'_>| rows::set_password(tx, id, &verifier, at);
    store.write(Lane::Client, set).await.unwrap();
}

fn playable(transcript: &Transcript) -> bool {
    let given = |words: &String| match words.split(' ').collect::<Vec<_>>().as_slice() {
        ["cleartext"] | ["submit", "required"] => true,
        ["account", address, "gizli"] => *address == ALI,
        ["local", "veli@hs05.kep.tr", "open"] | ["local", "kapali@hs05.kep.tr", "closed"] => true,
        _ => false,
    };
    let seen = |step: &Step| match step {
        Step::Then { words, .. } => {
            !["pauses", "timeout"].iter().any(|word| words.starts_with(word))
        }
        _ => true,
    };
    transcript.given.iter().all(given) && transcript.steps.iter().all(seen)
}

async fn messages(scene: &Scene) -> usize {
    scene.json(&["message", "list", "--limit", "1000"]).await.as_array().unwrap().len()
}

/// What the world looks like after a transcript, as far as the command line shows it.
async fn seen(scene: &Scene, transcript: &Transcript, before: usize, last: Option<&str>) {
    for step in &transcript.steps {
        let Step::Then { line, words } = step else { continue };
        let place = format!("{}:{line}", transcript.path.display());
        if words == "accepted 0" {
            assert_eq!(messages(scene).await, before, "{place}");
        } else if let Some(body) = words.strip_prefix("body ") {
            let shown = scene.json(&["message", "show", last.unwrap()]).await;
            assert_eq!(shown["message"]["sha256"], hex(&unescaped(body)), "{place}");
        } else if let Some(subject) = words.strip_prefix("subject ") {
            let shown = scene.json(&["message", "show", last.unwrap()]).await;
            assert_eq!(shown["message"]["subject"], subject, "{place}");
        }
    }
}

/// One connection that a transcript is played over.
struct Socket {
    wire: Wire,
    names: HashMap<String, String>,
    last: Option<String>,
}

impl Socket {
    fn open(scene: &Scene, transcript: &Transcript, trust: Arc<ClientConfig>) -> Self {
        let clear = transcript.given.iter().any(|words| words == "cleartext");
        let wire = Wire::open(scene.port(u16::from(clear)), !clear, trust);
        Self { wire, names: HashMap::new(), last: None }
    }

    /// Plays it, the client's octets in such pieces; the id of the last message accepted.
    fn play(mut self, transcript: &Transcript, piece: usize) -> Option<String> {
        for step in &transcript.steps {
            let at = |line: &usize| format!("{}:{line}", transcript.path.display());
            match step {
                Step::Client(octets) => {
                    octets.chunks(piece).for_each(|piece| self.wire.send(piece));
                }
                Step::ClientTls => self.wire.secure().unwrap(),
                Step::Server { line, pattern } => self.expect(&at(line), pattern),
                Step::ServerCloses { line } => {
                    let more = self.wire.line().unwrap_or_else(|why| panic!("{}: {why}", at(line)));
                    assert_eq!(more, None, "{}: it goes on", at(line));
                }
                Step::Then { .. } => {}
            }
        }
        let rest = self.wire.unread();
        assert!(rest.is_empty(), "{}: {rest:?}", transcript.path.display());
        self.last
    }

    fn expect(&mut self, place: &str, pattern: &str) {
        let line = self.wire.line().unwrap_or_else(|why| panic!("{place}: {why}"));
        let line = line.unwrap_or_else(|| panic!("{place}: closed instead of {pattern}"));
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(fits(pattern, &line, &mut self.names), "{place}: {pattern}\n  but came: {line}");
        if let Some(id) = line.strip_prefix("250 2.0.0 ").filter(|rest| rest.contains('@')) {
            self.last = id.split(' ').next().map(str::to_owned);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_transcripts_of_the_login_hold_over_sockets() {
    let scene = Scene::new(Plan { accounts: &["ali"], ..Plan::default() }).await;
    scene.set("accept", "auth_failure_delay", "\"0ms\"");
    let server = scene.serve().await;
    let trust = trust(scene.provider());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/imap");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut played = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let given = || text.lines().filter_map(|line| line.strip_prefix("given "));
        // Mailboxes of a real account bear numbers and names of their own.
        let ours = |words: &str| words == "starttls" || words.starts_with("user ");
        if !given().all(ours) || text.contains("then silence") {
            println!("left out: {}", file.display());
            continue;
        }
        let user = given().find_map(|words| words.strip_prefix("user "));
        if let Some((_, secret)) = user.and_then(|words| words.split_once(' ')) {
            set_password(&scene, secret).await;
        }
        let steps = imap_script::read(&text).unwrap();
        let clear = given().any(|words| words == "starttls");
        for seed in [0, 1] {
            let port = scene.port(if clear { 3 } else { 2 });
            let mut stage = ImapSocket { wire: Wire::open(port, !clear, Arc::clone(&trust)) };
            let mut dice = Dice(seed);
            let cut = &mut |octets: &[u8]| match seed {
                0 => vec![octets.to_vec()],
                _ => dice.cut(octets),
            };
            let result = tokio::task::block_in_place(|| imap_script::play(&steps, &mut stage, cut));
            result.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        }
        played += 1;
    }
    assert!(played >= 4, "{played} played");
    server.stop().await;
}

struct ImapSocket {
    wire: Wire,
}

impl Stage for ImapSocket {
    fn given(&mut self, _: &str, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.wire.send(octets);
        Ok(())
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        let line = self.wire.line()?.ok_or("the server has closed")?;
        if line.ends_with(b"OK Begin TLS now") {
            self.wire.secure()?;
        }
        Ok(line)
    }

    fn quiet(&mut self) -> Result<(), String> {
        match self.wire.unread() {
            [] => Ok(()),
            more => Err(format!("the server says more: {}", String::from_utf8_lossy(more))),
        }
    }

    fn then(&mut self, words: &str) -> Result<(), String> {
        match words {
            "closed" => match self.wire.line()? {
                None => Ok(()),
                Some(line) => Err(format!("but came: {}", String::from_utf8_lossy(&line))),
            },
            _ => Err(format!("unknown then: {words}")),
        }
    }
}
