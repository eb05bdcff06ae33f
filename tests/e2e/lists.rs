//! Lists of providers by the command line and by the server's own refresh; signed here, and by a
//! program that is not ours.

use crate::providers::register;
use crate::published::{self, Entry, Publisher};
use crate::scene::{ALI, Plan, Ran, Scene, until};
use crate::tool::{run, tool};
use kep::trust::{Certificate, Clock, Signer};
use kep::wire::Timestamp;
use serde_json::Value;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const NAME: &str = "Öteki KEP A.Ş.";
const CAN: &str = "can.ak@hs06.kep.tr";

fn days(days: i64) -> Timestamp {
    Clock::System.now().plus_secs(days * 86_400)
}

fn granted<'a>(certificate: &'a Certificate, host: &'a str) -> Entry<'a> {
    Entry {
        name: NAME,
        certificate,
        kind: "EDS/REM/Q",
        status: "granted",
        since: days(-2),
        host,
        before: Vec::new(),
    }
}

/// A list that was issued an hour ago and is good for a year.
fn list(number: u64, entries: &[Entry<'_>]) -> String {
    published::list(number, days(0).plus_secs(-3600), days(400), entries)
}

fn put(scene: &Scene, name: &str, text: &str) -> PathBuf {
    let path = scene.scratch(name);
    std::fs::write(&path, text).unwrap();
    path
}

async fn import(scene: &Scene, file: &Path, signer: &Path, more: &[&str]) -> Ran {
    let signed = ["provider", "import", file.to_str().unwrap(), "--signer"];
    scene.kep(&[&signed[..], &[signer.to_str().unwrap()], more].concat()).await
}

fn refused(ran: &Ran, why: &str) {
    assert_eq!(ran.code, Some(65), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(why) && ran.err.contains("hint: "), "{why}: {}", ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_shown_taken_and_refused_by_the_command_line() {
    let scene = Scene::new(Plan { accounts: &["ali.veli"], ..Plan::default() }).await;
    let running = scene.serve().await;
    let publisher = Publisher::new("Liste", days(-30));
    let seal = published::seal("hs06.kep.tr", days(-30));
    let signer = put(&scene, "signer.pem", &publisher.certificate().pem());
    let text = list(2, &[granted(seal.certificate(), "relay.hs06.kep.tr")]);
    let signed = publisher.sign(&text, days(0));
    let file = put(&scene, "list.xml", &signed);

    let unsigned_by = scene.kep(&["provider", "import", file.to_str().unwrap()]).await;
    assert_eq!(unsigned_by.code, Some(64), "{}", unsigned_by.err);
    assert!(unsigned_by.err.contains("--signer"), "{}", unsigned_by.err);
    let dry = import(&scene, &file, &signer, &["--dry-run", "--json"]).await;
    assert_eq!(dry.code, Some(0), "{}", dry.err);
    let dry: Value = serde_json::from_str(&dry.out).unwrap();
    assert_eq!((&dry["providers"][0]["what"], &dry["dry_run"]), (&"added".into(), &true.into()));
    assert_eq!(scene.json(&["provider", "list"]).await, Value::Array(Vec::new()));

    let taken = import(&scene, &file, &signer, &["--kind", "trusted-list"]).await;
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    assert!(
        taken.out.contains("added     hs06.kep.tr") && taken.out.contains(NAME),
        "{}",
        taken.out
    );
    let shown = scene.json(&["provider", "show", "hs06.kep.tr"]).await;
    assert_eq!((&shown["state"], &shown["list"]), (&"active".into(), &"TR/TRgeneric".into()));
    assert_eq!(shown["seals"][0]["fingerprint"], seal.certificate().digest().hex());
    let held = import(&scene, &file, &signer, &[]).await;
    assert!(held.out.contains("no change"), "{}", held.out);

    let touched = put(&scene, "touched.xml", &signed.replacen("relay.hs06", "evil.hs06", 1));
    refused(&import(&scene, &touched, &signer, &[]).await, "the document is not what was signed");
    let older = put(&scene, "older.xml", &publisher.sign(&list(1, &[]), days(0)));
    refused(&import(&scene, &older, &signer, &[]).await, "older than the list that is held");
    let stranger = Publisher::new("Yabancı", days(-30));
    let foreign = put(&scene, "foreign.xml", &stranger.sign(&list(9, &[]), days(0)));
    refused(&import(&scene, &foreign, &signer, &[]).await, "is not pinned");
    refused(&import(&scene, &file, &signer, &["--kind", "csi"]).await, "a csi was asked for");
    let missing = import(&scene, &scene.scratch("none.xml"), &signer, &[]).await;
    assert_eq!(missing.code, Some(66), "{}", missing.err);
    let plain = import(&scene, Path::new("http://authority.example/tl.xml"), &signer, &[]).await;
    assert_eq!(plain.code, Some(64), "{}", plain.err);
    let nobody = import(&scene, Path::new("http://127.0.0.1:9/tl.xml"), &signer, &[]).await;
    assert_eq!(nobody.code, Some(69), "{}", nobody.err);

    // By hand, and then the list says otherwise.
    assert_eq!(scene.kep(&["provider", "suspend", "hs06.kep.tr"]).await.code, Some(0));
    let again = import(&scene, &file, &signer, &["--again"]).await;
    assert!(again.out.contains("CONFLICT  hs06.kep.tr"), "{}", again.out);
    let lists = scene.json(&["provider", "lists"]).await;
    assert_eq!(
        (&lists["lists"][0]["sequence"], &lists["lists"][0]["expired"]),
        (&2.into(), &false.into())
    );
    assert!(
        lists["lists"][0]["conflicts"][0].as_str().unwrap().contains("active since"),
        "{lists}"
    );
    let checked = scene.kep(&["check"]).await;
    assert!(checked.out.contains("says otherwise than what is set by hand"), "{}", checked.out);
    let left = ["provider", "set", "hs06.kep.tr", "--leave-to-lists", "state,host"];
    assert_eq!(scene.kep(&left).await.code, Some(0));
    let again = import(&scene, &file, &signer, &["--again"]).await;
    assert!(again.out.contains("resumed   hs06.kep.tr"), "{}", again.out);

    let unknown = scene.kep(&["provider", "show", "hs09.kep.tr"]).await;
    assert!(unknown.err.contains("hs09.kep.tr is EDM, since 2022"), "{}", unknown.err);
    let kep = Path::new(env!("CARGO_BIN_EXE_kep"));
    let (_, codes) = run(kep, &["provider", "codes", "--json"]);
    let codes: Value = serde_json::from_slice(&codes).unwrap();
    let mikro =
        codes["codes"].as_array().unwrap().iter().find(|one| one["domain"] == "hs08.kep.tr");
    assert_eq!(mikro.unwrap()["until"], 2022);
    by_others(&scene, &publisher, &signed, &seal).await;
    let none = scene.kep(&["provider", "forget-list", "TR/other"]).await;
    assert_eq!(none.code, Some(66), "{}", none.err);
    let forgotten = scene.kep(&["provider", "forget-list", "TR/TRgeneric"]).await;
    assert_eq!(forgotten.code, Some(0), "{}", forgotten.err);
    assert_eq!(scene.json(&["provider", "show", "hs06.kep.tr"]).await["list"], Value::Null);
    running.stop().await;
}

/// What xmlsec1 signs is read, in both canonical forms; what is signed here it verifies.
async fn by_others(
    scene: &Scene,
    publisher: &Publisher,
    ours: &str,
    seal: &kep::trust::signer::FileSigner,
) {
    let Some(xmlsec1) = tool("xmlsec1") else { return };
    let certificate = put(scene, "signer.pem", &publisher.certificate().pem());
    let file = put(scene, "ours.xml", ours);
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let id = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties";
    let verify = ["--verify", "--id-attr:Id", id, "--pubkey-cert-pem", &path(&certificate)];
    let (good, said) = run(&xmlsec1, &[&verify[..], &[&path(&file)]].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));

    let key = publisher.issued.key_pem().unwrap();
    let key = put(scene, "signer.key.pem", std::str::from_utf8(&key).unwrap());
    let keys = format!("{},{}", path(&key), path(&certificate));
    let forms = [
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    ];
    for (number, form) in (3..).zip(forms) {
        let text = list(number, &[granted(seal.certificate(), "relay.hs06.kep.tr")]);
        let end = "</TrustServiceStatusList>";
        let template = put(scene, "template.xml", &text.replace(end, &(to_sign(form) + end)));
        let signed = scene.scratch("signed.xml");
        let sign = ["--sign", "--privkey-pem", &keys, "--output", &path(&signed), &path(&template)];
        let (good, said) = run(&xmlsec1, &sign);
        assert!(good, "{}", String::from_utf8_lossy(&said));
        let taken = import(scene, &signed, &certificate, &[]).await;
        assert_eq!(taken.code, Some(0), "{form}: {}", taken.err);
        assert!(taken.out.contains(&format!("number {number}")), "{}", taken.out);
        let text = std::fs::read_to_string(&signed).unwrap();
        let altered = put(scene, "altered.xml", &text.replacen("granted", "withdrawn", 1));
        refused(&import(scene, &altered, &certificate, &[]).await, "is not what was signed");
    }
}

fn to_sign(form: &str) -> String {
    format!(
        "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{form}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\"/>\
         <ds:Reference URI=\"\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
         <ds:Transform Algorithm=\"{form}\"/></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
         <ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"
    )
}

/// Publishes one document, and remembers what was asked.
struct Site {
    url: String,
    text: Arc<Mutex<String>>,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Site {
    async fn open(text: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://127.0.0.1:{}/tl.xml", listener.local_addr().unwrap().port());
        let (text, asked) = (Arc::new(Mutex::new(text)), Arc::new(Mutex::new(Vec::new())));
        let (published, heard) = (Arc::clone(&text), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                let mut query = Vec::new();
                while !query.ends_with(b"\r\n\r\n") && peer.read_buf(&mut query).await.unwrap() > 0
                {
                }
                let query = String::from_utf8(query).unwrap().to_lowercase();
                let text = published.lock().unwrap().clone();
                let tag = format!("\"{}\"", text.len());
                let reply = match query.contains(&format!("if-none-match: {tag}")) {
                    true => "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned(),
                    false => format!(
                        "HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                        text.len()
                    ),
                };
                heard.lock().unwrap().push(query);
                // Who hangs up has what it wanted.
                let _ = peer.write_all(reply.as_bytes()).await;
            }
        });
        Self { url, text, asked, task }
    }

    fn publish(&self, text: String) {
        *self.text.lock().unwrap() = text;
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn later(days: i64) -> [(&'static str, OsString); 1] {
    [("KEP_DEV_CLOCK_OFFSET_SECS", (days * 86_400).to_string().into())]
}

async fn state(scene: &Scene) -> Option<String> {
    let all = scene.json(&["provider", "list"]).await;
    Some(all[0]["state"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_fetched_when_they_are_due_and_trouble_is_told() {
    let scene = Scene::new(Plan { accounts: &["ali.veli"], ..Plan::default() }).await;
    let publisher = Publisher::new("Liste", days(-30));
    let seal = published::seal("hs06.kep.tr", days(-30));
    let signers = scene.scratch("signers");
    std::fs::create_dir(&signers).unwrap();
    std::fs::write(signers.join("liste.pem"), publisher.certificate().pem()).unwrap();
    let entry = granted(seal.certificate(), "relay.hs06.kep.tr");
    let site = Site::open(publisher.sign(&list(1, std::slice::from_ref(&entry)), days(0))).await;
    scene.set("lists", "trusted", &format!("['{}']", site.url));
    scene.set("lists", "signers", &format!("'{}'", signers.display()));

    let running = scene.serve().await;
    until("the provider", async || state(&scene).await).await;
    running.stop().await;
    assert_eq!(site.asked().len(), 1);
    // Not due yet: nobody is asked. Due: the server says that it is still the same.
    let running = scene.serve_with(&later(0)).await;
    running.stop().await;
    assert_eq!(site.asked().len(), 1);
    let running = scene.serve_with(&later(1)).await;
    until("the second visit", async || (site.asked().len() == 2).then_some(())).await;
    assert!(site.asked()[1].contains("if-none-match: "), "{:?}", site.asked());
    running.stop().await;

    let ended = Entry {
        status: "withdrawn",
        since: days(-1),
        before: vec![("granted", days(-2))],
        ..entry.clone()
    };
    site.publish(publisher.sign(&list(2, &[ended]), days(0)));
    let running = scene.serve_with(&later(2)).await;
    until("the suspension", async || (state(&scene).await? == "suspended").then_some(())).await;
    running.logged("suspended hs06.kep.tr", 1).await;
    running.stop().await;

    // Rolled back, and then gone: told, and nothing changes.
    site.publish(publisher.sign(&list(1, &[entry]), days(0)));
    let running = scene.serve_with(&later(3)).await;
    running.logged("older than the list that is held: 1 after 2", 1).await;
    running.stop().await;
    site.task.abort();
    let running = scene.serve_with(&later(4)).await;
    running.logged("a list of providers was not had", 1).await;
    until("the trouble", async || {
        let lists = scene.json(&["provider", "lists"]).await;
        let trouble = lists["places"][0]["trouble"].as_str()?.to_owned();
        (!trouble.contains("older")).then_some(trouble)
    })
    .await;
    assert_eq!(state(&scene).await.as_deref(), Some("suspended"));
    let checked = scene.kep(&["check"]).await;
    assert!(checked.out.contains("was not had at"), "{}", checked.out);
    running.stop().await;
}

/// Nothing is said by hand of the other provider: a list names it, and its own CSI its server.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_a_provider_that_only_lists_made_known() {
    let a = Scene::new(Plan { accounts: &["ali.veli"], ..Plan::default() }).await;
    let b = Plan { domain: "hs06.kep.tr", accounts: &["can.ak"], ..Plan::default() };
    let b = Scene::new(b).await;
    let anchors = [&a, &b].map(|s| std::fs::read(s.provider().join("trust/tsa-ca.pem")).unwrap());
    let stamps = a.scratch("tsa-ca.pem");
    std::fs::write(&stamps, anchors.concat()).unwrap();
    for scene in [&a, &b] {
        scene.set("trust", "tsa_anchors", &format!("'{}'", stamps.display()));
    }
    let (at_a, at_b) = (a.serve().await, b.serve().await);
    register(&b, "hs05.kep.tr", &a).await;

    let of = |name: &str| {
        let pem = std::fs::read(b.provider().join("secrets").join(name)).unwrap();
        Certificate::from_pem(&pem).unwrap().remove(0)
    };
    let publisher = Publisher::new("Liste", days(-30));
    let signer = put(&a, "signer.pem", &publisher.certificate().pem());
    let (seal, host) = (of("seal.pem"), format!("127.0.0.1:{}", b.port(4)));
    let text = list(1, &[Entry { since: days(0).plus_secs(-7200), ..granted(&seal, &host) }]);
    let text = put(&a, "list.xml", &publisher.sign(&text, days(0)));
    let taken = import(&a, &text, &signer, &[]).await;
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    let issued = days(0).plus_secs(-60);
    let csi = published::csi(1, issued, days(30), "127.0.0.1", &of("tls.pem"));
    let csi = put(&a, "csi.xml", &publisher.sign(&csi, issued));
    let taken = import(&a, &csi, &signer, &["--kind", "csi"]).await;
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    assert!(taken.out.contains("tls certificate"), "{}", taken.out);

    let mail = a.letter(ALI, &[CAN], "liste.1@istemci.example");
    let id = a.accepted(ALI, &[CAN], &mail).await;
    let events = a.settled(&id, 3).await;
    let expected = [
        format!("delivery {CAN}"),
        "relay-acceptance".to_owned(),
        "submission-acceptance".to_owned(),
    ];
    assert_eq!(events, expected);
    at_a.stop().await;
    at_b.stop().await;
}
