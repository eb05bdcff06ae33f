//! Where the program tells people: by each door that somebody comes in by, and on the way of a message
//! from its evidence to the end of its time to read.

use super::station::Station;
use super::{PHONE, code, free_port, mail, notices, told, verify};
use crate::client::tls::{Connection, Tls};
use crate::scene::{ALI, AYSE, Plan, Running, Scene, until};
use crate::tool::tool;
use data_encoding::BASE64;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use tokio::net::TcpSocket;

/// A provider whose SMS go to this gateway.
async fn over_http(python: &Path) -> (Scene, Station) {
    let port = free_port();
    let gateway = Station::start(python, "gateway.py", &[&port.to_string()]).await;
    let scene = Scene::new(Plan::default()).await;
    let url = format!("\"http://127.0.0.1:{port}/send\"");
    for (section, key, value) in [
        ("notify", "sms", "\"http\""),
        ("notify.http", "url", &*url),
        ("notify.http", "body", r#"'{"to":"{to}","text":"{text}","ref":"{id}"}'"#),
        ("notify.http", "form", "\"json\""),
        ("notify.http", "success", r#"'"status":"ok"'"#),
    ] {
        scene.set(section, key, value);
    }
    (scene, gateway)
}

/// What was said, in the order in which it was.
fn said(gateway: &Station) -> Vec<String> {
    let all = gateway.seen("post");
    all.iter().map(|post| post["body"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn proven(scene: &Scene, gateway: &Station, account: &str, events: &str) {
    let before = gateway.seen("post").len();
    told(scene, account, PHONE, events).await;
    gateway.wait("post", before + 1).await;
    assert_eq!(verify(scene, account, PHONE, &code(&said(gateway)[before])).await, Some(0));
}

/// A connection from another network; all of 127/8 is this machine.
async fn from(network: u8, scene: &Scene, port: u16) -> Connection {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, network, 1], 0))).unwrap();
    let tcp = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
    let tls = Tls::new(&scene.provider().join("trust/tls-ca.pem"), "localhost").unwrap();
    Connection::over(tcp).unwrap().upgrade(&tls).await.unwrap()
}

/// Says a line, and reads on until one begins so.
async fn say(door: &mut Connection, line: &str, until: &[u8]) {
    door.write(format!("{line}\r\n").as_bytes()).await.unwrap();
    loop {
        let heard = door.line().await.unwrap();
        if heard.starts_with(until) {
            return;
        }
    }
}

async fn imap(network: u8, scene: &Scene) {
    let mut door = from(network, scene, scene.port(2)).await;
    let login = format!("a LOGIN {ALI} \"{}\"", scene.account(ALI).password);
    say(&mut door, &login, b"a OK").await;
}

async fn smtp(network: u8, scene: &Scene) {
    let mut door = from(network, scene, scene.port(0)).await;
    say(&mut door, "EHLO istemci.example", b"250 ").await;
    let secret = format!("\0{ALI}\0{}", scene.account(ALI).password);
    say(&mut door, &format!("AUTH PLAIN {}", BASE64.encode(secret.as_bytes())), b"235").await;
}

async fn http(network: u8, scene: &Scene, head: &str, body: &str) {
    let mut door = from(network, scene, scene.port(5)).await;
    let more = format!("Host: localhost:{}\r\nContent-Length: {}", scene.port(5), body.len());
    say(&mut door, &format!("{head}\r\n{more}\r\n\r\n{body}"), b"HTTP/1.1 200").await;
}

async fn session(network: u8, scene: &Scene) {
    let body = serde_json::json!({ "user": ALI, "password": scene.account(ALI).password });
    let head = "POST /api/v1/login/password HTTP/1.1\r\nContent-Type: application/json";
    http(network, scene, head, &body.to_string()).await;
}

async fn token(network: u8, scene: &Scene, token: &str) {
    let head = format!("GET /api/v1/account HTTP/1.1\r\nAuthorization: Bearer {token}");
    http(network, scene, &head, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_from_a_new_place_is_told_of_at_each_door() {
    let Some(python) = tool("python3") else { return };
    let (scene, gateway) = over_http(&python).await;
    let server = scene.serve().await;
    let add = ["account", "token", "add", ALI, "--name", "program", "--scope", "account:read"];
    let shown = scene.json(&add).await["token"].as_str().unwrap().to_owned();
    proven(&scene, &gateway, ALI, "login").await;
    let before = said(&gateway).len();
    // The first place of all is where he lives.
    imap(0, &scene).await;
    for again in [false, true] {
        imap(1, &scene).await;
        smtp(2, &scene).await;
        session(3, &scene).await;
        token(4, &scene, &shown).await;
        until("each is told of", async || (said(&gateway).len() == before + 4).then_some(())).await;
        assert_eq!(notices(&scene, "login").await.len(), 4, "again: {again}");
    }
    let said = said(&gateway).split_off(before);
    for (place, door) in [("127.0.1.0", "IMAP"), ("127.0.2.0", "SMTP"), ("127.0.3.0", "API")] {
        let told = said.iter().any(|text| text.contains(place) && text.contains(door));
        assert!(told, "{place} {door}: {said:?}");
    }
    assert!(said.iter().any(|text| text.contains("127.0.4.0")), "{said:?}");
    server.stop().await;
}

async fn later(scene: &Scene, minutes: i64) -> Running {
    let offset = (minutes * 60).to_string();
    scene.serve_with(&[("KEP_DEV_CLOCK_OFFSET_SECS", OsString::from(offset))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_hears_of_evidence_and_who_has_not_opened_it_of_the_end() {
    let Some(python) = tool("python3") else { return };
    let (scene, gateway) = over_http(&python).await;
    let decide = ["policy", "set", "notice.unread", "6h", "--reason", "Kurul kararı 4"];
    assert_eq!(scene.kep(&decide).await.code, Some(0));
    let server = scene.serve().await;
    proven(&scene, &gateway, ALI, "evidence").await;
    proven(&scene, &gateway, AYSE, "unread").await;
    let before = said(&gateway).len();
    let (unread, read) = (mail(&scene, "okunmayan").await, mail(&scene, "okunan").await);
    for id in [&unread, &read] {
        scene.settled(id, 2).await;
    }
    until("evidence is told of", async || {
        (notices(&scene, "evidence").await.len() == 2).then_some(())
    })
    .await;
    let heard = async |text: &str| {
        until(text, async || {
            said(&gateway)[before..].iter().any(|one| one.contains(text)).then_some(())
        })
        .await;
    };
    heard("Teslim edildi").await;
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("INBOX").await.unwrap();
    imap.uid_move("2", "Açılacaklar").await.unwrap();
    scene.settled(&read, 3).await;
    drop(imap);
    assert_eq!(notices(&scene, "unread").await.len(), 0, "it is early");
    server.stop().await;

    let server = later(&scene, 18 * 60 + 30).await;
    heard("okunmadı").await;
    server.stop().await;
    // Later still, nobody is told once more, nor of what was opened.
    let server = later(&scene, 20 * 60).await;
    let id = mail(&scene, "sonraki").await;
    scene.settled(&id, 2).await;
    assert_eq!(notices(&scene, "unread").await.len(), 1);
    server.stop().await;
}
