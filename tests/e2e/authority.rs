//! `kep dev tsa`: the development authority as a process of its own.

use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, PATIENCE, Plan, Scene, until};
use crate::tool::{run, tool};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// The process, on a port that was free a moment ago; ready when it says where.
async fn authority(conf: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kep"));
    command.args(["dev", "tsa", "--conf"]).arg(conf).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    assert!(line.as_deref().is_some_and(|line| line.contains("time stamps at")), "{line:?}");
    child
}

/// The provider's configuration with another address for its authority.
fn conf(scene: &Scene, port: u16) -> PathBuf {
    let text = std::fs::read_to_string(scene.conf()).unwrap();
    let listen = |line: &str| match line.starts_with("tsa = ") {
        true => format!("tsa = \"127.0.0.1:{port}\"\n"),
        false => format!("{line}\n"),
    };
    let path = scene.provider().join("tsa.toml");
    std::fs::write(&path, text.lines().map(listen).collect::<String>()).unwrap();
    path
}

/// A port that was free a moment ago.
async fn free_port() -> u16 {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    free.local_addr().unwrap().port()
}

async fn post(port: u16, query: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/timestamp-query\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        query.len()
    );
    stream.write_all(&[head.as_bytes(), query].concat()).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    let end = reply.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&reply[..end]).into_owned(), reply[end + 4..].to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_alone_stamps_for_openssl_and_for_a_server_and_its_end_loses_nothing() {
    let scene = Scene::new(Plan::default()).await;
    let port = free_port().await;
    let conf = conf(&scene, port);
    let mut tsa = authority(&conf).await;
    if let Some(openssl) = tool("openssl") {
        let file = |name: &str| scene.scratch(name).to_str().unwrap().to_owned();
        std::fs::write(file("data"), "merhaba").unwrap();
        let (data, query, reply) = (file("data"), file("query.tsq"), file("reply.tsr"));
        let (made, said) =
            run(&openssl, &["ts", "-query", "-data", &data, "-sha256", "-cert", "-out", &query]);
        assert!(made, "{}", String::from_utf8_lossy(&said));
        let (head, stamped) = post(port, &std::fs::read(&query).unwrap()).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.to_ascii_lowercase().contains("application/timestamp-reply"), "{head}");
        std::fs::write(&reply, stamped).unwrap();
        let anchor = scene.provider().join("trust/tsa-ca.pem");
        let verify = ["ts", "-verify", "-in", &reply, "-queryfile", &query, "-CAfile"];
        let (good, said) = run(&openssl, &[&verify[..], &[anchor.to_str().unwrap()]].concat());
        assert!(good, "{}", String::from_utf8_lossy(&said));
    }
    scene.set("timestamp", "url", &format!("\"http://127.0.0.1:{port}/\""));
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "tek@x")).await;
    scene.settled(&id, 2).await;
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
    }
    let pid = tsa.id().unwrap().to_string();
    let sent = std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap();
    assert!(sent.success());
    let ended = tokio::time::timeout(PATIENCE, tsa.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    server.logged("put off", 1).await;
    let _tsa = authority(&conf).await;
    scene.settled(&id, 2).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_not_the_authoritys_accepts_nothing_until_it_is() {
    let scene = Scene::new(Plan::default()).await;
    let port = free_port().await;
    let _tsa = authority(&conf(&scene, port)).await;
    scene.set("timestamp", "url", &format!("\"http://127.0.0.1:{port}/\""));
    // The server's clock is an hour ahead; that of the authority, another process, is right.
    let ahead = [("KEP_DEV_CLOCK_OFFSET_SECS", "3600".into())];
    let server = scene.serve_with(&ahead).await;
    server.logged("nothing is sealed", 1).await;
    let mail = scene.letter(ALI, &[AYSE], "saat@x");
    assert_eq!(scene.submit(ALI, &[AYSE], &mail).await.code, 451);
    until("the drift among the figures", async || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, scene.port(6))).await.unwrap();
        let asked = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(asked).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix("kep_clock_drift_seconds "));
        let seconds: f64 = line?.trim().parse().unwrap();
        (3_590.0..3_700.0).contains(&seconds).then_some(())
    })
    .await;
    server.stop().await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    server.stop().await;
}
