//! Each cell of the table of what an account may do (docs/accounts-states.md) against each door that there
//! is: SMTP, IMAP, the relay of another provider, the JSON API.

use crate::client::imap::Imap;
use crate::client::smtp::{Prepared, Smtp};
use crate::client::tls::{Connection, Security, Tls};
use crate::scene::{ALI, Plan, Scene, letter, until};
use data_encoding::BASE64;
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::closings;
use kep::registry::standing::{Act, Answer, Service, Stage, TABLE, answer};
use kep::spool;
use kep::store::{Lane, RowsAt, Store, StoreError, Tx, submissions};
use kep::trust::vault::Vault;
use kep::trust::{Certificate, Clock};
use kep::wire::{KepAddress, MessageId, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

const CAN: &str = "can.ak@hs06.kep.tr";

/// A row of the table, and an account in that state.
struct Cell {
    stage: Stage,
    service: Service,
    local: &'static str,
}

/// In the order of the table; of the first two there is an application and no account.
const LOCALS: [&str; 12] = [
    "vasak", "karaca", "kurt", "tilki", "ceylan", "geyik", "sincap", "tavsan", "porsuk", "kunduz",
    "samur", "sansar",
];

/// What is open to an account before its state changes.
struct Early {
    /// Logged in.
    smtp: Smtp,
    /// Logged in, and half a message handed in.
    begun: Smtp,
    /// Logged in, with the inbox open.
    imap: Imap,
    token: String,
    /// Of its holder, who signed to get it.
    session: String,
    /// Of a message in the inbox, by the API.
    key: String,
}

/// What a door did that the table does not say, and how often one was tried.
#[derive(Default)]
struct Ledger {
    lines: Vec<String>,
    tried: usize,
}

impl Ledger {
    fn note(&mut self, cell: &Cell, door: &str, did: bool, may: bool) {
        self.tried += 1;
        if did != may {
            let (stage, service) = (cell.stage.word(), cell.service.word());
            self.lines.push(format!("{stage} {service}, {door}: {did}, the table says {may}"));
        }
    }
}

fn cells() -> Vec<Cell> {
    let row = |(row, local): (&(Stage, Service, [Answer; 7]), &'static str)| Cell {
        stage: row.0,
        service: row.1,
        local,
    };
    TABLE.iter().zip(LOCALS).map(row).collect()
}

impl Cell {
    fn address(&self) -> String {
        format!("{}@hs05.kep.tr", self.local)
    }

    fn is_applied(&self) -> bool {
        self.stage == Stage::Applied
    }

    fn may(&self, act: Act, receives: bool) -> bool {
        match answer(self.stage, self.service, act) {
            Answer::Yes => true,
            Answer::No => false,
            Answer::ByPolicy => receives,
        }
    }

    /// Brings the account into its state.
    async fn bring(&self, scene: &Scene, store: &Store) {
        let address = self.address();
        if self.is_applied() {
            let who = ["--kind", "person", "--given-names", "Can", "--surname", "Ak"];
            let what = ["--identity-number", "10000000146", "--service", self.service.word()];
            did(scene, &[&["application", "add", &address][..], &who, &what].concat()).await;
            return;
        }
        did(scene, &["account", "set", &address, "--service", self.service.word()]).await;
        match self.stage {
            Stage::Suspended => {
                did(scene, &["account", "suspend", &address, "--reason", "borç"]).await;
            }
            Stage::Closing => did(scene, &["account", "closing", "request", &address]).await,
            Stage::Closed => did(scene, &["account", "close", &address]).await,
            // It was closed so long ago that its time to read is over.
            Stage::Ended => {
                let at = Clock::System.now().plus_secs(-200 * 86_400);
                let by = By { actor: Actor::System("test"), channel: Channel::System, at };
                closings::close(store, &KepAddress::parse(&address).unwrap(), &by).await.unwrap();
            }
            _ => {}
        }
    }

    async fn early(&self, scene: &Scene) -> Early {
        let (address, doors) = (self.address(), scene.doors());
        let account = scene.account(&address);
        let smtp = doors.smtp(account).await.unwrap();
        let mut begun = doors.smtp(account).await.unwrap();
        begun.command(&format!("MAIL FROM:<{address}>")).await.unwrap().must_be(250).unwrap();
        begun.command(&format!("RCPT TO:<{ALI}>")).await.unwrap().must_be(250).unwrap();
        let mut imap = doors.imap(account).await.unwrap();
        imap.select("INBOX").await.unwrap();
        let add = ["account", "token", "add", &address, "--name", "kapılar", "--scope", "all"];
        let token = scene.json(&add).await["token"].as_str().unwrap().to_owned();
        let session = self.session(scene).await.unwrap();
        let (_, inbox) = api(scene, &token, "GET", "/messages?mailbox=inbox", None).await;
        let key = inbox["messages"][0]["key"].as_str().unwrap_or_else(|| panic!("{inbox}"));
        Early { smtp, begun, imap, token, session, key: key.to_owned() }
    }

    /// A session of the holder, who signs: legal acts ask for no more.
    async fn session(&self, scene: &Scene) -> Option<String> {
        let (code, asked) = api(scene, "-", "POST", "/login/signature/text", None).await;
        assert_eq!(code, 200, "{asked}");
        let signer = &scene.account(&self.address()).signer;
        let signed = signer.signature(asked["text"].as_str().unwrap().as_bytes()).unwrap();
        let body = json!({ "token": asked["token"], "signature": BASE64.encode(&signed),
                           "user": self.address() });
        let body = Some(("application/json", body.to_string().into_bytes()));
        let (code, came) = api(scene, "-", "POST", "/login/signature", body).await;
        assert!(code < 500, "{came}");
        came["token"].as_str().filter(|_| code == 200).map(str::to_owned)
    }

    async fn tried(&self, scene: &Scene, early: Option<Early>, ledger: &mut Ledger) {
        self.tried_login(scene, ledger).await;
        let Some(early) = early else { return };
        let Early { mut smtp, mut begun, mut imap, token, session, key } = early;
        let (address, may) = (self.address(), self.may(Act::Submit, false));
        smtp.command(&format!("MAIL FROM:<{address}>")).await.unwrap().must_be(250).unwrap();
        let reply = smtp.command(&format!("RCPT TO:<{ALI}>")).await.unwrap();
        ledger.note(self, "SMTP RCPT of the sender", reply.code == 250, may);
        self.bears_its_day(scene, &reply.lines.join(" ")).await;
        let mail = scene.letter(&address, &[ALI], &format!("{}.veri@x", self.local));
        begun.command("DATA").await.unwrap().must_be(354).unwrap();
        begun.say(Prepared::new(&mail).octets()).await.unwrap();
        let reply = begun.reply().await.unwrap();
        ledger.note(self, "SMTP DATA", reply.code == 250, may);
        self.tried_mailbox(&mut imap, "IMAP of before", ledger).await;
        self.tried_api(scene, (&token, "token"), &key, ledger).await;
        self.tried_api(scene, (&session, "session of before"), &key, ledger).await;
        let new = self.session(scene).await;
        ledger.note(self, "API login", new.is_some(), self.may(Act::Login, false));
        // Who is let in no more asks by the session that he had.
        let session = new.unwrap_or(session);
        self.tried_api(scene, (&session, "session"), &key, ledger).await;
        self.tried_affairs(scene, &session, ledger).await;
    }

    /// Of a closed account each refusal to send says until when it is read.
    async fn bears_its_day(&self, scene: &Scene, said: &str) {
        if self.stage != Stage::Closed {
            return;
        }
        let shown = scene.json(&["account", "show", &self.address()]).await;
        let until = Timestamp::parse_iso8601(shown["readable_until"].as_str().unwrap()).unwrap();
        assert!(said.contains(&until.turkish_day()), "{said}: {shown}");
    }

    async fn tried_login(&self, scene: &Scene, ledger: &mut Ledger) {
        let (address, doors) = (self.address(), scene.doors());
        let password = match self.is_applied() {
            true => "cok gizli bir soz".to_owned(),
            false => scene.account(&address).password.clone(),
        };
        let implicit = Security::Implicit;
        let smtp = Smtp::login(doors.submission, &doors.tls, implicit, &address, &password).await;
        ledger.note(self, "SMTP login", smtp.is_ok(), self.may(Act::Submit, false));
        if let Err(refused) = smtp {
            self.bears_its_day(scene, &refused.to_string()).await;
        }
        let imap = Imap::login(doors.imap, &doors.tls, implicit, &address, &password).await;
        ledger.note(self, "IMAP login", imap.is_ok(), self.may(Act::Login, false));
        let Ok(mut imap) = imap else { return };
        ledger.note(self, "IMAP select", imap.select("INBOX").await.is_ok(), true);
        self.tried_mailbox(&mut imap, "IMAP", ledger).await;
    }

    /// In the inbox.
    async fn tried_mailbox(&self, imap: &mut Imap, door: &str, ledger: &mut Ledger) {
        let read = imap.fetch("1", "(ENVELOPE)").await.is_ok();
        ledger.note(self, &format!("{door}: read"), read, self.may(Act::Read, false));
        let flagged = imap.command("STORE 1 +FLAGS (\\Flagged)").await.is_ok();
        ledger.note(self, &format!("{door}: flag"), flagged, self.may(Act::Flag, false));
        let draft = b"Subject: taslak\r\n\r\nx\r\n";
        let appended = imap.append("Taslaklar", "\\Draft", draft).await.is_ok();
        ledger.note(self, &format!("{door}: append"), appended, self.may(Act::Append, false));
    }

    async fn tried_api(
        &self,
        scene: &Scene,
        (token, by): (&str, &str),
        key: &str,
        ledger: &mut Ledger,
    ) {
        let name = format!("{}.{}@x", self.local, by.replace(' ', "."));
        let mail = scene.letter(&self.address(), &[ALI], &name);
        let json = |text: &str| Some(("application/json", text.as_bytes().to_vec()));
        let draft = b"Subject: taslak\r\n\r\nx\r\n".to_vec();
        let contact =
            json!({ "name": by, "kep": [format!("{}@hs06.kep.tr", by.replace(' ', "."))] });
        let contact = contact.to_string();
        let message = format!("/messages/{key}");
        for (act, method, path, body) in [
            (Act::Login, "GET", "/account", None),
            (Act::Read, "GET", message.as_str(), None),
            (Act::Flag, "PATCH", message.as_str(), json("{\"starred\":true}")),
            (Act::Append, "POST", "/drafts", Some(("message/rfc822", draft))),
            (Act::Submit, "POST", "/submissions", Some(("message/rfc822", mail))),
            (Act::Manage, "POST", "/contacts", json(&contact)),
        ] {
            let (code, said) = api(scene, token, method, path, body).await;
            let may = self.may(act, false);
            ledger.note(self, &format!("API by {by} {method} {path}: {code}"), code < 300, may);
            assert!(code < 500, "{method} {path}: {said}");
        }
    }

    /// What a person decides about the account itself.
    async fn tried_affairs(&self, scene: &Scene, session: &str, ledger: &mut Ledger) {
        let place = json!({ "place": format!("{}@ornek.example", self.local) });
        let operator = json!({ "given_name": "Can", "surname": "Ak", "roles": ["reads"],
                               "identity_number": "10000000146" });
        let mut asked = vec![
            ("/notice-places".to_owned(), place.to_string()),
            ("/operators".to_owned(), operator.to_string()),
        ];
        match self.stage {
            // What is suspended is not closed at its holder's wish (`AccountState::after`).
            Stage::Suspended => {}
            // One wish at a time: this one takes back the one that there is.
            Stage::Closing => {
                let (_, all) = api(scene, session, "GET", "/account/closings", None).await;
                let number = &all["closings"][0]["number"];
                asked.push((format!("/account/closings/{number}/withdraw"), String::new()));
            }
            _ => asked.push(("/account/closings".to_owned(), "{}".to_owned())),
        }
        for (path, body) in asked {
            let media = if body.is_empty() { "" } else { "application/json" };
            let body = Some((media, body.into_bytes()));
            let (code, said) = api(scene, session, "POST", &path, body).await;
            let door = format!("API POST {path}: {code} {}", said["code"]);
            ledger.note(self, &door, code < 300, self.may(Act::Manage, false));
        }
    }
}

/// What was taken for all of them before their states changed goes on now: to whom it comes.
async fn released(scene: &Scene, rows: &Store, all: &[Cell], message: &str, ledger: &mut Ledger) {
    let (id, now) = (MessageId::parse(message).unwrap(), Clock::System.now());
    let release = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        assert!(submissions::release(tx, &id, now)?);
        Ok(spool::certify(tx, &id, now)?)
    };
    rows.write(Lane::Client, release).await.unwrap();
    // Another one, so that the server looks what there is.
    scene.accepted(ALI, &[ALI], &scene.letter(ALI, &[ALI], "kendine@x")).await;
    for cell in all.iter().filter(|cell| !cell.is_applied()) {
        let outcome = until("an outcome", async || {
            let shown = scene.json(&["message", "show", message]).await;
            let recipients = shown["recipients"].as_array().unwrap().clone();
            let one = recipients.iter().find(|one| one["address"] == cell.address().as_str());
            let state = one.unwrap()["state"].as_str().unwrap().to_owned();
            (state != "accepted").then_some(state)
        })
        .await;
        let may = cell.may(Act::Receive, false);
        let door = format!("delivery of what was accepted before: {outcome}");
        ledger.note(cell, &door, outcome == "delivered", may);
    }
}

/// One request; status and answer.
async fn api(
    scene: &Scene,
    token: &str,
    method: &str,
    path: &str,
    body: Option<(&str, Vec<u8>)>,
) -> (u16, Value) {
    let tls = Tls::new(&scene.provider().join("trust/tls-ca.pem"), "localhost").unwrap();
    let to = (Ipv4Addr::LOCALHOST, scene.port(5)).into();
    let mut door = Connection::implicit(to, &tls).await.unwrap();
    let (media, octets) = body.unwrap_or_default();
    let mut ask = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\nContent-Length: {}\r\n",
        scene.port(5),
        octets.len()
    );
    if !media.is_empty() {
        ask += &format!("Content-Type: {media}\r\n");
    }
    if method == "PATCH" {
        ask += "If-Match: *\r\n";
    }
    door.write(&[ask.as_bytes(), b"\r\n", &octets].concat()).await.unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    let status = text(door.line().await.unwrap());
    let mut length = 0;
    loop {
        let line = text(door.line().await.unwrap()).to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
    }
    let said = door.take(length).await.unwrap();
    let code = status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap();
    (code, serde_json::from_slice(&said).unwrap_or_default())
}

async fn did(scene: &Scene, arguments: &[&str]) {
    let ran = scene.kep(arguments).await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
}

/// One knows the other: where it is, and what it seals and shows.
async fn know(one: &Scene, other: &Scene, domain: &str) {
    let shown = std::fs::read(other.provider().join("secrets/tls.pem")).unwrap();
    let shown = &Certificate::from_pem(&shown).unwrap()[0];
    let (key, client) = (shown.key_digest().unwrap().hex(), shown.digest().hex());
    let seal = other.provider().join("secrets/seal.pem").display().to_string();
    let host = format!("127.0.0.1:{}", other.port(4));
    let add = ["provider", "add", domain, "--name", "Öteki", "--host", &host];
    let terms = ["--seal", &seal, "--tls-pin", &key, "--client-pin", &client];
    did(one, &[&add[..], &terms].concat()).await;
}

/// Each believes the other's time stamps.
fn believe(scenes: [&Scene; 2]) {
    let stamps =
        scenes.map(|scene| std::fs::read(scene.provider().join("trust/tsa-ca.pem")).unwrap());
    for scene in scenes {
        let both = scene.scratch("stamps.pem");
        std::fs::write(&both, stamps.concat()).unwrap();
        scene.set("trust", "tsa_anchors", &format!("'{}'", both.display()));
    }
}

async fn store(scene: &Scene) -> Store {
    let vault = Vault::open(&scene.provider().join("secrets/master.key")).unwrap();
    let data = scene.provider().join("spool");
    let rows = RowsAt::File(data.join("kep.sqlite"));
    Store::open(&rows, &data.join("blobs"), Arc::new(vault)).await.unwrap()
}

/// A dispatch that another provider relays to all of them, and RCPT of each from here.
async fn received(
    (scene, other): (&Scene, &Scene),
    all: &[Cell],
    receives: bool,
    ledger: &mut Ledger,
) {
    let addresses: Vec<_> = all.iter().map(Cell::address).collect();
    let to: Vec<_> = addresses.iter().map(String::as_str).collect();
    let name = format!("aktarim.{receives}@x");
    let message = other.accepted(CAN, &to, &other.letter(CAN, &to, &name)).await;
    let outcomes = until("an outcome for each", async || {
        let shown = other.json(&["message", "show", &message]).await;
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let found = shown["recipients"].as_array().unwrap().iter();
        let found: BTreeMap<_, _> =
            found.map(|one| (text(one, "address"), text(one, "state"))).collect();
        let open = ["accepted", "relayed"];
        found.values().all(|state| !open.contains(&state.as_str())).then_some(found)
    })
    .await;
    let mut ali = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    ali.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap().must_be(250).unwrap();
    for cell in all {
        let may = cell.may(Act::Receive, receives);
        let outcome = &outcomes[&cell.address()];
        ledger.note(cell, &format!("relay in: {outcome}"), outcome == "delivered", may);
        let reply = ali.command(&format!("RCPT TO:<{}>", cell.address())).await.unwrap();
        ledger.note(cell, "SMTP RCPT", reply.code == 250, may);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_cell_of_the_table_is_what_each_door_does() {
    let all = cells();
    assert_eq!(all.len(), TABLE.len());
    let locals: Vec<_> = all.iter().filter(|cell| !cell.is_applied()).map(|c| c.local).collect();
    let accounts = [&["ali.veli"][..], &locals].concat();
    let scene = Scene::new(Plan { accounts: &accounts, ..Plan::default() }).await;
    let plan = Plan { domain: "hs06.kep.tr", accounts: &["can.ak"], ..Plan::default() };
    let other = Scene::new(plan).await;
    believe([&scene, &other]);
    scene.set("portal", "requests_per_minute", "1000000");
    // Whoever is let in nowhere is answered at once.
    scene.set("accept", "auth_failure_delay", "\"0ms\"");
    know(&scene, &other, "hs06.kep.tr").await;
    know(&other, &scene, "hs05.kep.tr").await;
    let (server, abroad) = (scene.serve().await, other.serve().await);
    let addresses: Vec<_> = locals.iter().map(|local| format!("{local}@hs05.kep.tr")).collect();
    let to: Vec<_> = addresses.iter().map(String::as_str).collect();
    let message = scene.accepted(ALI, &to, &scene.letter(ALI, &to, "hepsine@x")).await;
    scene.settled(&message, 1 + to.len()).await;

    let mut early = Vec::new();
    for cell in &all {
        early.push(if cell.is_applied() { None } else { Some(cell.early(&scene).await) });
    }
    did(&scene, &["account", "set", ALI, "--signature", "hold"]).await;
    let waiting = letter(ALI, &to, "bekleyen@x").unsigned();
    let reply = scene.submit(ALI, &to, &waiting).await;
    let held = reply.lines.last().unwrap().strip_prefix("2.0.0 ").unwrap().to_owned();
    let rows = store(&scene).await;
    for cell in &all {
        cell.bring(&scene, &rows).await;
    }
    let mut ledger = Ledger::default();
    released(&scene, &rows, &all, &held, &mut ledger).await;
    for (cell, early) in all.iter().zip(early) {
        cell.tried(&scene, early, &mut ledger).await;
    }
    received((&scene, &other), &all, false, &mut ledger).await;
    let decide = ["policy", "set", "closing.receives", "yes", "--reason", "Kurul kararı 9"];
    did(&scene, &decide).await;
    received((&scene, &other), &all, true, &mut ledger).await;
    assert!(ledger.lines.is_empty(), "{:#?}\n{}", ledger.lines, server.log());
    // Two logins of twelve, four acts of the eight whom IMAP lets in; of the ten accounts one delivery, two acts
    // by SMTP, three by IMAP, six by token and twice by session, a login and two affairs, and of eight one more;
    // and two ways to receive of twelve, under two policies.
    assert_eq!(ledger.tried, 2 * 12 + 4 * 8 + (1 + 2 + 3 + 3 * 6 + 3) * 10 + 8 + 2 * 12 * 2);
    drop(rows);
    server.stop().await;
    abroad.stop().await;
}
