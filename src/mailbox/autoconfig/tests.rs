use super::serve::router;
use super::*;
use crate::wire::xml::{Xml, child, text_of};
use roxmltree::Node;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn directions() -> Directions {
    let door = |service, security, port| Door { service, security, port };
    Directions {
        domain: KepDomain::parse("hs05.kep.tr").unwrap(),
        name: "Örnek & Oğulları".into(),
        host: "posta.hs05.kep.tr".into(),
        doors: vec![
            door(Service::Imap, Security::Tls, 993),
            door(Service::Imap, Security::StartTls, 143),
            door(Service::Submission, Security::Tls, 465),
        ],
        answered: true,
    }
}

fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

fn texts(node: Node<'_, '_>, names: &[&str]) -> Vec<String> {
    let found = |name: &&str| node.children().find(|c| c.tag_name().name() == *name).map(text_of);
    names.iter().filter_map(found).collect()
}

#[test]
fn thunderbird_is_told_each_door_the_better_first() {
    let text = configuration(&directions(), &KepDomain::parse("kurum.hs05.kep.tr").unwrap());
    let document = Xml::read(&text).unwrap();
    let provider = child(document.root(), "", "emailProvider").unwrap();
    let about = texts(provider, &["domain", "displayName"]);
    assert_eq!(about, ["kurum.hs05.kep.tr", "Örnek & Oğulları"]);
    let servers = provider.children().filter(|node| node.tag_name().name().ends_with("Server"));
    let told: Vec<_> = servers
        .map(|server| {
            let kind = server.attribute("type").unwrap_or_default().to_owned();
            let words = ["hostname", "port", "socketType", "authentication", "username"];
            format!("{kind} {}", texts(server, &words).join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "imap posta.hs05.kep.tr 993 SSL password-cleartext %EMAILADDRESS%",
            "imap posta.hs05.kep.tr 143 STARTTLS password-cleartext %EMAILADDRESS%",
            "smtp posta.hs05.kep.tr 465 SSL password-cleartext %EMAILADDRESS%",
        ]
    );
}

const REQUEST: &str = "<?xml version=\"1.0\"?><Autodiscover xmlns=\"http://schemas.microsoft.com/\
exchange/autodiscover/outlook/requestschema/2006\"><Request><EMailAddress>ali.veli@hs05.kep.tr\
</EMailAddress><AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/\
responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>";

#[test]
fn outlook_is_told_one_door_of_a_kind() {
    let named = asked(REQUEST.as_bytes()).unwrap();
    assert_eq!(named.as_str(), "ali.veli@hs05.kep.tr");
    let text = answer(&directions(), Some(&named));
    let document = Xml::read(&text).unwrap();
    let account = document.root().descendants().find(|n| n.tag_name().name() == "Account").unwrap();
    let words = ["Type", "Server", "Port", "LoginName", "Encryption"];
    let protocols = account.children().filter(|node| node.tag_name().name() == "Protocol");
    let told: Vec<_> = protocols.map(|node| texts(node, &words).join(" ")).collect();
    assert_eq!(
        told,
        [
            "IMAP posta.hs05.kep.tr 993 ali.veli@hs05.kep.tr SSL",
            "SMTP posta.hs05.kep.tr 465 ali.veli@hs05.kep.tr SSL",
        ]
    );
}

#[test]
fn a_request_that_names_no_address_of_ours_gets_an_error() {
    let foreign = address("ali@hs06.kep.tr");
    for asking in [None, Some(&foreign)] {
        let text = answer(&directions(), asking);
        assert!(text.contains("<ErrorCode>600</ErrorCode>") && !text.contains("posta"), "{text}");
    }
    let entity = REQUEST.replace("<?xml version=\"1.0\"?>", "<!DOCTYPE a [<!ENTITY x \"y\">]>");
    let other = REQUEST.replace("requestschema/2006", "requestschema/2007");
    for request in ["", "<", "<Autodiscover/>", entity.as_str(), other.as_str()] {
        assert_eq!(asked(request.as_bytes()), None, "{request}");
    }
}

#[test]
fn apple_is_told_all_in_one_profile() {
    let one = profile(&directions(), &address("ali.veli@hs05.kep.tr")).unwrap();
    let other = profile(&directions(), &address("ayse@hs05.kep.tr")).unwrap();
    let uuids = |text: &str| -> Vec<_> {
        let pieces = text.split("<key>PayloadUUID</key><string>").skip(1);
        pieces.map(|piece| piece[..36].to_owned()).collect()
    };
    let all = [uuids(&one), uuids(&other)].concat();
    assert_eq!(
        (all.len(), uuids(&one)),
        (4, uuids(&profile(&directions(), &address("ali.veli@hs05.kep.tr")).unwrap()))
    );
    assert!(all.iter().all(|uuid| all.iter().filter(|other| *other == uuid).count() == 1));
    let document = Xml::read(&one).unwrap();
    let keys = document.root().descendants().filter(|node| node.tag_name().name() == "key");
    let pairs: Vec<_> =
        keys.filter_map(|key| Some((text_of(key), text_of(key.next_sibling_element()?)))).collect();
    for (key, value) in [
        ("PayloadType", "com.apple.mail.managed"),
        ("IncomingMailServerHostName", "posta.hs05.kep.tr"),
        ("IncomingMailServerPortNumber", "993"),
        ("IncomingMailServerUsername", "ali.veli@hs05.kep.tr"),
        ("OutgoingMailServerPortNumber", "465"),
        ("PayloadOrganization", "Örnek & Oğulları"),
    ] {
        assert!(pairs.contains(&(key.to_owned(), value.to_owned())), "{key}: {one}");
    }
    let deaf = Directions { doors: Vec::new(), ..directions() };
    assert_eq!(profile(&deaf, &address("ali.veli@hs05.kep.tr")), None);
}

#[test]
fn the_zone_names_what_there_is_and_what_there_is_not() {
    assert_eq!(
        directions().records(),
        [
            "_submissions._tcp.hs05.kep.tr.  IN SRV 0 1 465 posta.hs05.kep.tr.",
            "_imaps._tcp.hs05.kep.tr.  IN SRV 0 1 993 posta.hs05.kep.tr.",
            "_submission._tcp.hs05.kep.tr.  IN SRV 0 0 0 .",
            "_imap._tcp.hs05.kep.tr.  IN SRV 10 1 143 posta.hs05.kep.tr.",
            "autoconfig.hs05.kep.tr.  IN CNAME posta.hs05.kep.tr.",
            "autodiscover.hs05.kep.tr.  IN CNAME posta.hs05.kep.tr.",
            "_autodiscover._tcp.hs05.kep.tr.  IN SRV 0 1 443 autodiscover.hs05.kep.tr.",
        ]
    );
    let silent = Directions { answered: false, ..directions() };
    assert_eq!(silent.records().len(), 4);
}

/// One request over a socket: the head's first line, and the whole answer.
async fn http(request: String) -> (String, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let serving = axum::serve(listener, router(Arc::new(directions())));
    let served = tokio::spawn(async move { serving.await });
    let mut stream = tokio::net::TcpStream::connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    served.abort();
    (answer.lines().next().unwrap_or_default().to_owned(), answer)
}

async fn fetch(path: &str) -> (String, String) {
    http(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn the_pages_answer_for_addresses_of_ours_alone() {
    let config = "/mail/config-v1.1.xml";
    for path in [
        config.to_owned(),
        format!("/.well-known/autoconfig{config}?emailaddress=ali%40hs05.kep.tr"),
        format!("{config}?emailaddress=ali@kurum.hs05.kep.tr"),
    ] {
        let (status, answer) = fetch(&path).await;
        assert_eq!(status, "HTTP/1.1 200 OK", "{path}");
        assert!(answer.contains("posta.hs05.kep.tr") && answer.contains("text/xml"), "{answer}");
    }
    for path in [
        format!("{config}?emailaddress=ali@hs06.kep.tr"),
        format!("{config}?emailaddress=%00"),
        "/apple/ali@hs06.kep.tr.mobileconfig".to_owned(),
        "/apple/ali@hs05.kep.tr".to_owned(),
        "/apple/..%2f..%2fetc%2fpasswd.mobileconfig".to_owned(),
        "/".to_owned(),
    ] {
        assert_eq!(fetch(&path).await.0, "HTTP/1.1 404 Not Found", "{path}");
    }
    let (status, answer) = fetch("/apple/ali@hs05.kep.tr.mobileconfig").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(answer.contains("application/x-apple-aspen-config"), "{answer}");
    let post = |body: &str| {
        let head = format!("Host: x\r\nConnection: close\r\nContent-Length: {}", body.len());
        http(format!("POST /autodiscover/autodiscover.xml HTTP/1.1\r\n{head}\r\n\r\n{body}"))
    };
    let (status, answer) = post(REQUEST).await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(answer.contains("<Port>993</Port>"), "{answer}");
    assert!(post("garbage").await.1.contains("<ErrorCode>600</ErrorCode>"));
    assert_eq!(post(&"x".repeat(20_000)).await.0, "HTTP/1.1 413 Payload Too Large");
}
