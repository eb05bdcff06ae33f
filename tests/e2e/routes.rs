//! Mail that finds another provider by the name service: over its mail exchangers, to a server that is
//! known by the records of a zone that is really signed (DANE), or by its policy (MTA-STS).

use crate::name_server::{DOMAIN, NameServer, Signing};
use crate::providers::{CAN, Two, states};
use crate::scene::{ALI, Running, Scene, until};
use kep::trust::Clock;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::tls::ServerTls;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Ali's provider asks this name server, and finds Can's over its exchangers.
async fn asks(two: &Two, names: &NameServer, tls: &str) {
    let a = &two.a;
    a.set("dns", "resolvers", &format!("['127.0.0.1:{}']", names.port));
    a.set("dns", "trust_anchor", &format!("'{}'", names.anchor().display()));
    a.set("dns", "max_ttl", "'0ms'");
    a.set("relay", "mx_port", &two.b.port(4).to_string());
    let set = ["provider", "set", DOMAIN, "--route", "mx", "--tls", tls];
    let ran = a.kep(&set).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

async fn sent(two: &Two, n: u32) -> String {
    let letter = two.a.letter(ALI, &[CAN], &format!("yol.{n}@istemci.example"));
    two.a.accepted(ALI, &[CAN], &letter).await
}

/// It is tried at once whenever it was not well.
async fn delivered(two: &Two, id: &str) {
    until(&format!("delivery of {id}"), async || {
        two.a.kep(&["queue", "retry", DOMAIN]).await;
        (states(&two.a, id).await == ["delivered"]).then_some(())
    })
    .await;
}

/// Nothing is sent, and the queue says why.
async fn refused(two: &Two, id: &str, why: &str) {
    until(&format!("{why} in the queue"), async || {
        let queue = two.a.kep(&["queue", "list"]).await;
        queue.out.contains(why).then_some(())
    })
    .await;
    assert_eq!(states(&two.a, id).await, ["accepted"]);
}

/// The TLSA record that a provider should have, as `kep check --dns` tells it.
async fn own_record(scene: &Scene) -> String {
    let ran = scene.kep(&["check", "--dns"]).await;
    let line = ran.out.lines().find(|line| line.contains(" IN TLSA "));
    let line = line.unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    assert!(line.starts_with(&format!("_{}._tcp.", scene.port(4))), "{line}");
    line.split(" IN TLSA ").nth(1).unwrap().to_owned()
}

/// Nobody holds a connection that was good before.
async fn hung_up(two: &Two, at_b: Running) -> Running {
    at_b.stop().await;
    two.b.serve().await
}

#[tokio::test(flavor = "multi_thread")]
async fn dane_from_a_signed_zone_takes_mail_to_its_server_and_to_no_other() {
    let Some(mut names) = NameServer::new() else { return };
    let two = Two::new().await;
    asks(&two, &names, "dane").await;
    let record = own_record(&two.b).await;
    let zone = |record: &str| {
        let at = two.b.port(4);
        format!("@ MX 10 posta\nposta A 127.0.0.1\n_{at}._tcp.posta TLSA {record}\n")
    };
    names.publish(&zone(&record), Signing::Good);
    let (at_a, mut at_b) = (two.a.serve().await, two.b.serve().await);
    let first = sent(&two, 0).await;
    delivered(&two, &first).await;

    let shown = two.a.kep(&["provider", "show", DOMAIN]).await.out;
    assert!(shown.contains("mail exchangers (MX)") && shown.contains("(DANE)"), "{shown}");
    let checked = two.a.kep(&["check"]).await.out;
    let good = format!("{DOMAIN}: posta.{DOMAIN}:{} (MX, signed), dane", two.b.port(4));
    assert!(checked.contains(&good), "{checked}");
    assert!(checked.contains(&format!("{record} is of what it shows")), "{checked}");

    let other = format!("3 1 1 {}", "07".repeat(32));
    let mended = record.clone();
    for (n, (record, signing, why)) in (1..).zip([
        (&record, Signing::Forged, "not signed as its zone is (DNSSEC)"),
        (&other, Signing::Good, "no TLSA record is of what the server shows"),
        (&record, Signing::Unsigned, "the MX of hs06.kep.tr are not signed (DNSSEC)"),
    ]) {
        names.publish(&zone(record), signing);
        at_b = hung_up(&two, at_b).await;
        let id = sent(&two, n).await;
        refused(&two, &id, why).await;
        let checked = two.a.kep(&["check"]).await;
        assert!(checked.out.contains(why) && checked.code == Some(78), "{}", checked.out);
        names.publish(&zone(&mended), Signing::Good);
        delivered(&two, &id).await;
    }
    assert!(at_a.log().contains("the server is not well"), "{}", at_a.log());
    let page = format!("http://127.0.0.1:{}/metrics", two.a.port(6));
    let figures = reqwest::get(&page).await.unwrap().text().await.unwrap();
    for why in ["dns-bogus", "dane-unsigned"] {
        let line = format!("kep_relay_no_way_total{{provider=\"{DOMAIN}\",why=\"{why}\"}}");
        assert!(figures.contains(&line), "{figures}");
    }
    two.sound().await;
    at_a.stop().await;
    at_b.stop().await;
}

/// A web server for policies, with a certificate for `mta-sts.` of the domain.
struct PolicyServer {
    port: u16,
    policy: Arc<Mutex<String>>,
    serving: tokio::task::JoinHandle<()>,
}

impl PolicyServer {
    /// Its authority and that of the mail server are the public ones of this test.
    async fn new(two: &Two, authorities: &Path) -> Self {
        let now = Clock::System.now();
        let authority = CertificateAuthority::create("Kamu", KeyKind::P256, now).unwrap();
        let names = vec![format!("mta-sts.{DOMAIN}")];
        let profile = Profile::TlsServer { names, addresses: Vec::new() };
        let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
        let (certificate, key) = (two.a.scratch("sts.pem"), two.a.scratch("sts.key"));
        std::fs::write(&certificate, issued.certificate().pem()).unwrap();
        std::fs::write(&key, issued.key_pem().unwrap()).unwrap();
        let mail = std::fs::read_to_string(two.b.provider().join("trust/tls-ca.pem")).unwrap();
        std::fs::write(authorities, authority.certificate().pem() + &mail).unwrap();
        let tls = ServerTls::open(&certificate, &key, &[]).unwrap().current(Duration::ZERO);
        let (acceptor, policy) = (TlsAcceptor::from(tls), Arc::new(Mutex::new(String::new())));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::clone(&policy));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let (mut heard, mut buffer) = (Vec::new(), [0; 1024]);
                while !heard.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut buffer).await {
                        Ok(read) if read > 0 => heard.extend_from_slice(&buffer[..read]),
                        _ => break,
                    }
                }
                assert!(heard.starts_with(b"GET /.well-known/mta-sts.txt "), "{heard:?}");
                let body = shared.lock().unwrap().clone();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n";
                let length = format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let answer = format!("{head}{length}{body}");
                // Who asked may be gone.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { port, policy, serving }
    }

    fn says(&self, mode: &str, mx: &str) {
        let text = format!("version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 604800\n");
        *self.policy.lock().unwrap() = text;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_takes_mail_to_the_hosts_it_allows_and_holds_when_it_is_hidden() {
    let Some(mut names) = NameServer::new() else { return };
    let two = Two::new().await;
    asks(&two, &names, "mta-sts").await;
    let authorities = two.a.scratch("public.pem");
    let server = PolicyServer::new(&two, &authorities).await;
    two.a.set("relay", "public_authorities", &format!("'{}'", authorities.display()));
    two.a.set("relay", "policy_port", &server.port.to_string());
    let record = |id: &str| format!("_mta-sts TXT \"v=STSv1; id={id};\"\n");
    let zone = |text: &str| format!("@ MX 10 @\n@ A 127.0.0.1\nmta-sts A 127.0.0.1\n{text}");

    names.publish(&zone(""), Signing::Good);
    let (at_a, mut at_b) = (two.a.serve().await, two.b.serve().await);
    let first = sent(&two, 1).await;
    refused(&two, &first, "MTA-STS: hs06.kep.tr has no policy").await;
    // The policy stands before its record: what could not be fetched is not asked for again for some time.
    server.says("testing", DOMAIN);
    names.publish(&zone(&record("a1")), Signing::Good);
    until("the policy that only tests", async || {
        two.a.kep(&["queue", "retry", DOMAIN]).await;
        let queue = two.a.kep(&["queue", "list"]).await;
        queue.out.contains("says testing, which can't be enforced").then_some(())
    })
    .await;
    assert_eq!(states(&two.a, &first).await, ["accepted"]);
    server.says("enforce", DOMAIN);
    names.publish(&zone(&record("a2")), Signing::Good);
    delivered(&two, &first).await;
    let checked = two.a.kep(&["check"]).await.out;
    assert!(checked.contains("mta-sts: it is the server that its policy tells"), "{checked}");

    // Another policy allows another host.
    server.says("enforce", "*.yedek.example");
    names.publish(&zone(&record("a3")), Signing::Good);
    at_b = hung_up(&two, at_b).await;
    let second = sent(&two, 2).await;
    refused(&two, &second, "the policy of hs06.kep.tr does not allow hs06.kep.tr").await;
    server.says("enforce", DOMAIN);
    names.publish(&zone(&record("a4")), Signing::Good);
    delivered(&two, &second).await;

    // Its record is hidden and its server gone, after a start, too: the policy holds, and no lesser one.
    names.publish(&zone(""), Signing::Good);
    server.serving.abort();
    at_a.stop().await;
    let at_a = two.a.serve().await;
    let third = sent(&two, 3).await;
    delivered(&two, &third).await;
    names.publish(&zone("").replace("MX 10 @", "MX 10 baska"), Signing::Good);
    at_b = hung_up(&two, at_b).await;
    let fourth = sent(&two, 4).await;
    refused(&two, &fourth, "does not allow baska.hs06.kep.tr").await;
    two.sound().await;
    at_a.stop().await;
    at_b.stop().await;
}
