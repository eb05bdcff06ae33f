//! The pages by which mail programs find their settings, fetched by curl over TLS, as from behind the
//! proxy that stands before them; what comes is read by programs that are not ours.

use crate::imap_served::Keys;
use crate::lane;
use kep::mailbox::autoconfig::serve::router;
use kep::mailbox::autoconfig::{Directions, Door, Security, Service};
use kep::wire::KepDomain;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn directions() -> Directions {
    let door = |service, security, port| Door { service, security, port };
    Directions {
        domain: KepDomain::parse("hs05.kep.tr").unwrap(),
        // Whatever a provider is called stands as text.
        name: "Örnek & Oğulları <\"KEP\">".into(),
        host: "posta.hs05.kep.tr".into(),
        doors: vec![
            door(Service::Imap, Security::Tls, 993),
            door(Service::Imap, Security::StartTls, 143),
            door(Service::Submission, Security::Tls, 465),
            door(Service::Submission, Security::StartTls, 587),
        ],
        answered: true,
    }
}

/// The pages, and TLS before them; says at which port.
async fn serve(keys: &Keys) -> u16 {
    let pages = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = pages.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(pages, router(Arc::new(directions()))).await });
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = front.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(keys.tls.current(Duration::ZERO));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = front.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut outer = acceptor.accept(tcp).await?;
                let mut inner = TcpStream::connect(at).await?;
                tokio::io::copy_bidirectional(&mut outer, &mut inner).await
            });
        }
    });
    port
}

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

struct Fetched {
    status: String,
    body: String,
}

/// What curl gets, with its headers before the body.
fn fetch(curl: &Path, authority: &Path, url: &str, more: &[&str]) -> Fetched {
    let authority = authority.to_str().unwrap();
    let fixed = ["-sS", "-i", "--noproxy", "*", "--cacert", authority, url];
    let got = run(curl, &[&fixed[..], more].concat());
    let said = String::from_utf8(got.stdout).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap_or_else(|| {
        panic!("{url}: {said}{}", String::from_utf8_lossy(&got.stderr));
    });
    let status = head.lines().next().unwrap().trim().to_owned();
    Fetched { status, body: body.to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_fetched_by_curl_over_tls_and_read_by_others() {
    let Some(curl) = lane::tool("curl") else { return };
    let keys = Keys::make();
    let port = serve(&keys).await;
    let fetches = tokio::task::spawn_blocking(move || {
        let place = tempfile::tempdir().unwrap();
        let authority = place.path().join("ca.pem");
        std::fs::write(&authority, &keys.authority).unwrap();
        let get = |path: &str, more: &[&str]| {
            fetch(&curl, &authority, &format!("https://localhost:{port}{path}"), more)
        };
        thunderbird(&get);
        outlook(&get, place.path());
        apple(&get, place.path());
        // Nobody else's, and nothing else.
        for path in [
            "/mail/config-v1.1.xml?emailaddress=ali@hs06.kep.tr",
            "/apple/ali@hs06.kep.tr.mobileconfig",
            "/apple/%3Cscript%3E.mobileconfig",
            "/",
        ] {
            assert_eq!(get(path, &[]).status, "HTTP/1.1 404 Not Found", "{path}");
        }
    });
    fetches.await.unwrap();
}

type Get<'g> = &'g dyn Fn(&str, &[&str]) -> Fetched;

fn thunderbird(get: Get<'_>) {
    let path = "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=ayse%40hs05.kep.tr";
    let page = get(path, &[]);
    assert_eq!(page.status, "HTTP/1.1 200 OK");
    well_formed(&page.body);
    for part in [
        "<clientConfig version=\"1.1\">",
        "<domain>hs05.kep.tr</domain>",
        "Örnek &amp; Oğulları &lt;",
        "<incomingServer type=\"imap\">",
        "<outgoingServer type=\"smtp\">",
        "<hostname>posta.hs05.kep.tr</hostname>",
        "<port>993</port>",
        "<port>465</port>",
        "<username>%EMAILADDRESS%</username>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}

fn outlook(get: Get<'_>, place: &Path) {
    let schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook";
    let request = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover xmlns=\"{schema}/requestschema/2006\">\
         <Request><EMailAddress>ayse@hs05.kep.tr</EMailAddress><AcceptableResponseSchema>{schema}\
         /responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>"
    );
    let file = place.join("request.xml");
    std::fs::write(&file, request).unwrap();
    let data = format!("@{}", file.display());
    for path in ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml"] {
        let sent = ["-H", "Content-Type: text/xml", "--data-binary", &data];
        let page = get(path, &sent);
        assert_eq!(page.status, "HTTP/1.1 200 OK", "{path}");
        well_formed(&page.body);
        for part in
            ["<Type>IMAP</Type>", "<Type>SMTP</Type>", "<LoginName>ayse@hs05.kep.tr<", ">993<"]
        {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
    }
}

/// Python's library is the judge of what a property list is; it has the values of both accounts.
fn apple(get: Get<'_>, place: &Path) {
    let page = get("/apple/ayse@hs05.kep.tr.mobileconfig", &[]);
    assert_eq!(page.status, "HTTP/1.1 200 OK");
    well_formed(&page.body);
    let Some(python) = lane::tool("python3") else { return };
    let file = place.join("ayse.mobileconfig");
    std::fs::write(&file, &page.body).unwrap();
    let script = "import json, plistlib, sys\n\
                  print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let read = run(&python, &["-c", script, file.to_str().unwrap()]);
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let profile: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    assert_eq!(profile["PayloadType"], "Configuration");
    assert_eq!(profile["PayloadVersion"], 1);
    assert_eq!(profile["PayloadOrganization"], "Örnek & Oğulları <\"KEP\">");
    let mail = &profile["PayloadContent"][0];
    assert_eq!(profile["PayloadContent"].as_array().map(Vec::len), Some(1));
    assert_ne!(mail["PayloadUUID"], profile["PayloadUUID"]);
    for (key, value) in [
        ("PayloadType", serde_json::json!("com.apple.mail.managed")),
        ("EmailAccountType", "EmailTypeIMAP".into()),
        ("EmailAddress", "ayse@hs05.kep.tr".into()),
        ("PayloadDisplayName", "Örnek & Oğulları <\"KEP\">: ayse@hs05.kep.tr".into()),
        ("IncomingMailServerHostName", "posta.hs05.kep.tr".into()),
        ("IncomingMailServerPortNumber", 993.into()),
        ("IncomingMailServerUseSSL", true.into()),
        ("IncomingMailServerUsername", "ayse@hs05.kep.tr".into()),
        ("IncomingMailServerAuthentication", "EmailAuthPassword".into()),
        ("OutgoingMailServerHostName", "posta.hs05.kep.tr".into()),
        ("OutgoingMailServerPortNumber", 465.into()),
        ("OutgoingMailServerUseSSL", true.into()),
        ("OutgoingMailServerUsername", "ayse@hs05.kep.tr".into()),
        ("OutgoingMailServerAuthentication", "EmailAuthPassword".into()),
        ("OutgoingPasswordSameAsIncomingPassword", true.into()),
    ] {
        assert_eq!(mail[key], value, "{key}");
    }
}

/// To a reader that is not ours.
fn well_formed(text: &str) {
    let read = roxmltree::Document::parse(text);
    assert!(read.is_ok(), "{read:?}: {text}");
}
