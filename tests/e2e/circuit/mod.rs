//! Three providers, each a `kep serve` in a network namespace of its own. Whoever hands over to another
//! one reaches it at its own address, or by a proxy that lets things happen on the way.

pub mod fault;
pub mod net;

use crate::client::imap::Imap;
use crate::client::smtp::Prepared;
use crate::client::world::Doors;
use crate::scene::{Plan, Running, Scene, until};
use fault::Proxy;
use kep::trust::Certificate;
use net::{MIDDLE, Net, at_desk, at_switch};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// The circuit.
pub struct Circuit {
    pub members: Vec<Member>,
    pub net: Net,
    /// By who connects and to whom.
    proxies: BTreeMap<(usize, usize), Proxy>,
    /// Whom all believe together.
    trust: PathBuf,
    /// How far their clocks are ahead.
    offset: i64,
}

/// A provider, with one account.
pub struct Member {
    pub scene: Scene,
    pub domain: &'static str,
    pub account: &'static str,
    n: u8,
    running: Option<Running>,
}

/// An evidence as it is told of somewhere: event and recipient.
pub type Told = (String, String);

impl Circuit {
    pub async fn new() -> Self {
        let mut members = Vec::new();
        for (n, (domain, account)) in (1..).zip(MEMBERS) {
            let accounts = &[account.split_once('@').unwrap().0];
            let scene = Scene::new(Plan { domain, accounts, ..Plan::default() }).await;
            let member = Member { scene, domain, account, n, running: None };
            member.settle();
            members.push(member);
        }
        let trust = trust(&members);
        for member in &members {
            let stamps = trust.join("tsa-ca.pem");
            member.scene.set("trust", "tsa_anchors", &format!("'{}'", stamps.display()));
        }
        let net = Net::new(members.len() as u8);
        let mut circuit = Self { members, net, proxies: BTreeMap::new(), trust, offset: 0 };
        for (from, to) in circuit.pairs() {
            let proxy = Proxy::start(IpAddr::from(at_switch(MIDDLE)), circuit.members[to].relay());
            let proxy = proxy.await;
            circuit.register(from, to, proxy.address).await;
            circuit.proxies.insert((from, to), proxy);
        }
        for n in 0..circuit.members.len() {
            circuit.serve(n).await;
        }
        circuit
    }

    /// Who hands over to whom.
    pub fn pairs(&self) -> Vec<(usize, usize)> {
        let count = self.members.len();
        let all = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
        all.filter(|(from, to)| from != to).collect()
    }

    pub fn proxy(&self, from: usize, to: usize) -> &Proxy {
        &self.proxies[&(from, to)]
    }

    pub fn proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.values()
    }

    /// What a failure is read with.
    pub fn happened(&self) -> String {
        let of = |((from, to), proxy): (&(usize, usize), &Proxy)| {
            let happened = proxy.happened().join("\n  ");
            format!("{} to {}:\n  {happened}\n", MEMBERS[*from].0, MEMBERS[*to].0)
        };
        self.proxies.iter().map(of).collect()
    }

    /// From now on there is nobody between the two.
    pub async fn straight(&self, from: usize, to: usize) {
        self.route(from, to, self.members[to].relay()).await;
    }

    /// And now again.
    pub async fn by_proxy(&self, from: usize, to: usize) {
        self.route(from, to, self.proxy(from, to).address).await;
    }

    async fn route(&self, from: usize, to: usize, at: SocketAddr) {
        let set = ["provider", "set", self.members[to].domain, "--host", &at.to_string()];
        assert_eq!(self.members[from].scene.kep(&set).await.code, Some(0));
    }

    async fn register(&self, from: usize, to: usize, at: SocketAddr) {
        let (scene, other) = (&self.members[from].scene, &self.members[to]);
        let shown = std::fs::read(other.scene.provider().join("secrets/tls.pem")).unwrap();
        let shown = &Certificate::from_pem(&shown).unwrap()[0];
        let (key, client) = (shown.key_digest().unwrap().hex(), shown.digest().hex());
        let seal = other.scene.provider().join("secrets/seal.pem").display().to_string();
        let add = ["provider", "add", other.domain, "--name", "Öteki", "--host", &at.to_string()];
        let terms = ["--seal", &seal, "--tls-pin", &key, "--client-pin", &client];
        let ran = scene.kep(&[&add[..], &terms].concat()).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }

    pub async fn serve(&mut self, n: usize) {
        let member = &self.members[n];
        let mut command = tokio::process::Command::from(self.net.command(member.n));
        command.arg(env!("CARGO_BIN_EXE_kep")).args(["serve", "--conf"]).arg(member.scene.conf());
        command.envs(self.clock());
        let running = member.scene.start(command).await;
        self.members[n].running = Some(running);
    }

    /// As a power cut does.
    pub async fn killed(&mut self, n: usize) {
        let running = self.members[n].running.take().unwrap();
        running.end("KILL").await;
        self.serve(n).await;
    }

    /// All end, and begin anew so much later.
    pub async fn later(&mut self, seconds: i64) {
        self.stop().await;
        self.offset += seconds;
        for n in 0..self.members.len() {
            self.serve(n).await;
        }
    }

    pub async fn stop(&mut self) {
        for member in &mut self.members {
            member.running.take().unwrap().stop().await;
        }
    }

    fn clock(&self) -> [(&'static str, OsString); 1] {
        [("KEP_DEV_CLOCK_OFFSET_SECS", self.offset.to_string().into())]
    }

    /// Nobody waits for the end of a pause: all that waits is tried now.
    pub async fn nudge(&self) {
        for (from, to) in self.pairs() {
            let retry = ["queue", "retry", self.members[to].domain];
            let ran = self.members[from].scene.kep_with(&retry, &self.clock()).await;
            assert_eq!(ran.code, Some(0), "{}", ran.err);
        }
    }

    /// Waits until one finds the other's server in such trouble.
    pub async fn waits(&self, from: usize, to: usize, trouble: &str) {
        let list = ["queue", "list", "--provider", self.members[to].domain];
        until(&format!("{trouble} from {from} to {to}"), async || {
            let found = self.members[from].scene.json(&list).await;
            (found["providers"][0]["trouble"] == trouble).then_some(())
        })
        .await;
    }

    /// From one account to others.
    pub async fn send(&self, from: usize, to: &[usize], name: &str) -> String {
        let member = &self.members[from];
        let to: Vec<_> = to.iter().map(|n| self.members[*n].account).collect();
        let mail = member.scene.letter(member.account, &to, &format!("{name}@istemci.example"));
        let mut smtp = member.doors().smtp(member.scene.account(member.account)).await.unwrap();
        let receipt = smtp.submit(member.account, &to, &Prepared::new(&mail)).await.unwrap();
        assert_eq!(receipt.reply.code, 250, "{receipt:?}");
        receipt.reply.message_id().unwrap().to_owned()
    }

    /// The evidence mails in somebody's `Deliller`, by message, each as `kep verify` reads it. All are good.
    pub async fn deliller(&self, n: usize) -> BTreeMap<String, Vec<Told>> {
        let member = &self.members[n];
        let folder = member.scene.scratch("deliller");
        // It may be there from before.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        let mut files = Vec::new();
        for (k, mail) in member.all_of("Deliller").await.into_iter().enumerate() {
            let file = folder.join(format!("{k}.eml"));
            std::fs::write(&file, mail).unwrap();
            files.push(file);
        }
        let mut found: BTreeMap<String, Vec<Told>> = BTreeMap::new();
        for report in self.verified(&files).await {
            for enclosed in report["enclosed"].as_array().unwrap() {
                let facts = &enclosed["evidence"];
                let text = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
                let told = (text("event"), text("recipient"));
                found.entry(text("message_id")).or_default().push(told);
            }
        }
        found.values_mut().for_each(|told| told.sort());
        found
    }

    /// By `kep verify`, with the authorities of all.
    pub async fn verified(&self, files: &[PathBuf]) -> Vec<Value> {
        if files.is_empty() {
            return Vec::new();
        }
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"));
        command.args(["verify", "--json", "--trust"]).arg(&self.trust).args(files);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let run: Value = serde_json::from_str(&said).unwrap();
        let files = run["files"].as_array().unwrap().clone();
        // By the clock here, what was stamped by a moved one is still to come; nothing else may be wrong.
        let doubts: Vec<_> = files.iter().flat_map(doubts).collect();
        let ahead = |doubt: &String| self.offset > 0 && doubt.contains("unknown times");
        assert!(doubts.iter().all(ahead), "{doubts:#?}");
        files
    }

    pub async fn sound(&self) {
        for member in &self.members {
            let checked = member.scene.kep(&["fsck"]).await;
            assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
        }
    }
}

impl Member {
    /// Its own addresses, and the shortest windows that may be set.
    fn settle(&self) {
        let desk = at_desk(self.n);
        for (key, at, offset) in
            [("submission_tls", desk, 0), ("imap_tls", desk, 2), ("relay", at_switch(self.n), 4)]
        {
            let value = format!("'{at}:{}'", self.scene.port(offset));
            self.scene.set("listen", key, &value);
        }
        for key in ["window", "silence"] {
            self.scene.set("relay", key, "'5m'");
        }
        // Who hangs half open at the receiving side is let go of soon.
        for key in ["command_timeout", "data_timeout"] {
            self.scene.set("accept", key, "'10s'");
        }
    }

    fn relay(&self) -> SocketAddr {
        (at_switch(self.n), self.scene.port(4)).into()
    }

    fn doors(&self) -> Doors {
        let mut doors = self.scene.doors();
        doors.submission.set_ip(at_desk(self.n).into());
        doors.imap.set_ip(at_desk(self.n).into());
        doors
    }

    pub async fn imap(&self) -> Imap {
        self.doors().imap(self.scene.account(self.account)).await.unwrap()
    }

    /// The whole of each message in a mailbox.
    pub async fn all_of(&self, mailbox: &str) -> Vec<Vec<u8>> {
        let mut imap = self.imap().await;
        if imap.select(mailbox).await.unwrap().exists == 0 {
            return Vec::new();
        }
        let fetched = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
        fetched.into_iter().flat_map(|message| message.literals).collect()
    }

    /// How many messages of that name are in the inbox, opened or not.
    pub async fn inbox(&self, id: &str) -> usize {
        let mails = self.all_of("INBOX").await;
        let holds = |mail: &&Vec<u8>| String::from_utf8_lossy(mail).contains(id);
        mails.iter().filter(holds).count()
    }

    /// Opens all that is sealed.
    pub async fn open(&self) {
        let mut imap = self.imap().await;
        if imap.select("INBOX").await.unwrap().exists > 0 {
            imap.uid_move("1:*", "Açılacaklar").await.unwrap();
        }
    }

    /// Takes away what lies there, for the next round.
    pub async fn clear(&self) {
        let mut imap = self.imap().await;
        for mailbox in ["INBOX", "Deliller"] {
            if imap.select(mailbox).await.unwrap().exists > 0 {
                imap.uid_store("1:*", "+FLAGS.SILENT (\\Deleted)").await.unwrap();
                imap.command("EXPUNGE").await.unwrap();
            }
        }
    }

    pub async fn states(&self, id: &str) -> Vec<String> {
        let shown = self.scene.json(&["message", "show", id]).await;
        let to = shown["recipients"].as_array().unwrap().iter();
        to.map(|to| to["state"].as_str().unwrap().to_owned()).collect()
    }

    /// The time line: each event with whom it tells of and whose evidence it is.
    pub async fn timeline(&self, id: &str) -> Vec<(String, String, String)> {
        let rows = self.scene.json(&["message", "timeline", id]).await;
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let one = |row: &Value| (text(row, "event"), text(row, "recipient"), text(row, "origin"));
        let mut all: Vec<_> = rows.as_array().unwrap().iter().map(one).collect();
        all.sort();
        all
    }

    /// Waits until what is sent shows these states.
    pub async fn shows(&self, id: &str, states: &[&str]) {
        until(&format!("{states:?} of {id}"), async || {
            (self.states(id).await == states).then_some(())
        })
        .await;
    }
}

/// The authorities of all in one folder, as `kep verify --trust` takes it.
fn trust(members: &[Member]) -> PathBuf {
    let trust = members[0].scene.scratch("trust");
    std::fs::create_dir(&trust).unwrap();
    for name in ["seal-ca.pem", "tsa-ca.pem", "user-ca.pem"] {
        let of = |member: &Member| read(&member.scene.provider().join("trust").join(name));
        std::fs::write(trust.join(name), members.iter().flat_map(of).collect::<Vec<_>>()).unwrap();
    }
    trust
}

/// What a report leaves open, or finds wrong.
fn doubts(report: &Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    let open = checks.filter(|check| check["state"] != "good" && check["state"] != "note");
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let one = |check: &Value| {
        format!("{} {}: {}", text(check, "state"), text(check, "name"), text(check, "detail"))
    };
    let mut all: Vec<_> = open.map(one).collect();
    all.extend(report["enclosed"].as_array().unwrap().iter().flat_map(doubts));
    all
}

fn read(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

const MEMBERS: [(&str, &str); 3] = [
    ("hs05.kep.tr", "ali.veli@hs05.kep.tr"),
    ("hs06.kep.tr", "can.ak@hs06.kep.tr"),
    ("hs07.kep.tr", "derya.su@hs07.kep.tr"),
];
