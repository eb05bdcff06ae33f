//! Starting, reloading and ending a server.

use crate::scene::{ALI, AYSE, Plan, Scene, until};
use crate::tool::{run, tool};
use kep::trust::Clock;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::Timestamp;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tls_certificate_is_taken_without_a_restart() {
    let Some(openssl) = tool("openssl") else { return };
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mut kept = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    let shown = |port: u16| {
        let at = format!("127.0.0.1:{port}");
        let (_, said) = run(&openssl, &["s_client", "-connect", &at]);
        let said = String::from_utf8_lossy(&said).into_owned();
        let (_, rest) = said.split_once("-----BEGIN").unwrap();
        format!("-----BEGIN{}-----END CERTIFICATE-----\n", rest.split_once("-----END").unwrap().0)
    };
    let file = |name: &str| scene.provider().join(format!("secrets/{name}"));
    let old = std::fs::read_to_string(file("tls.pem")).unwrap();
    assert_eq!(shown(scene.port(0)), old);

    // A certificate that does not fit the key is no reason to stop serving.
    let new = new_tls(&scene);
    std::fs::write(file("tls.pem"), &new.0).unwrap();
    until("the complaint", async || {
        assert_eq!(shown(scene.port(0)), old);
        server.log().contains("the new TLS certificate can't be used").then_some(())
    })
    .await;
    std::fs::write(file("tls.key"), &new.1).unwrap();
    until("the new certificate", async || (shown(scene.port(0)) == new.0).then_some(())).await;
    assert_eq!(shown(scene.port(2)), new.0, "IMAP has the old one");
    // Whoever was connected stays connected.
    kept.command("NOOP").await.unwrap().must_be(250).unwrap();

    // SIGHUP asks for it at once.
    let newer = new_tls(&scene);
    std::fs::write(file("tls.pem"), &newer.0).unwrap();
    std::fs::write(file("tls.key"), &newer.1).unwrap();
    server.signal("HUP");
    until("the newer one", async || (shown(scene.port(0)) == newer.0).then_some(())).await;
    server.stop().await;
}

/// Certificate and key, both PEM.
fn new_tls(scene: &Scene) -> (String, Vec<u8>) {
    new_tls_of(scene, Clock::System.now())
}

/// One that was issued at another time.
fn new_tls_of(scene: &Scene, at: Timestamp) -> (String, Vec<u8>) {
    let read = |name: &str| std::fs::read(scene.provider().join(name)).unwrap();
    let (key, pem) = (read("secrets/registers/tls.key"), read("secrets/registers/tls.pem"));
    let authority = CertificateAuthority::from_pem(&key, &pem).unwrap();
    let profile = Profile::TlsServer {
        names: vec!["localhost".to_owned()],
        addresses: vec![Ipv4Addr::LOCALHOST.into()],
    };
    let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), at).unwrap();
    (issued.certificate().pem(), issued.key_pem().unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_of_systemd_are_taken_by_their_names() {
    let Some(activate) = tool("systemd-socket-activate") else { return };
    let scene = Scene::new(Plan::default()).await;
    let listen = |offset: u16| format!("--listen=127.0.0.1:{}", scene.port(offset));
    let mut command = Command::new(&activate);
    // The order is not that of the settings: names count.
    command.args([listen(1), listen(0)]).arg("--fdname=submission_starttls:submission_tls");
    command.arg(env!("CARGO_BIN_EXE_kep")).args(["serve", "--conf"]).arg(scene.conf());
    // It starts the server when the first client comes, and becomes it.
    let port = scene.port(0);
    let knock = until("a listener", async || {
        tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
    });
    let (server, _guest) = tokio::join!(scene.start(command), knock);
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "soket@x")).await;
    scene.settled(&id, 2).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sockets_of_one_name_are_both_served() {
    let Some(activate) = tool("systemd-socket-activate") else { return };
    let scene = Scene::new(Plan::default()).await;
    let listen = |offset: u16| format!("--listen=127.0.0.1:{}", scene.port(offset));
    scene.without_portal();
    let mut command = Command::new(&activate);
    command.args([listen(0), listen(5)]).arg("--fdname=submission_tls:submission_tls");
    command.arg(env!("CARGO_BIN_EXE_kep")).args(["serve", "--conf"]).arg(scene.conf());
    let port = scene.port(0);
    let knock = until("a listener", async || {
        tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
    });
    let (server, _guest) = tokio::join!(scene.start(command), knock);
    let account = scene.account(ALI);
    for offset in [0, 5] {
        let mut doors = scene.doors();
        doors.submission.set_port(scene.port(offset));
        doors.smtp(account).await.unwrap().quit().await.unwrap();
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_nobody_serves_is_refused() {
    let Some(activate) = tool("systemd-socket-activate") else { return };
    let scene = Scene::new(Plan::default()).await;
    let mut command = Command::new(&activate);
    command.arg("--now").arg(format!("--listen=127.0.0.1:{}", scene.port(0)));
    command.arg("--fdname=submision_tls").arg(env!("CARGO_BIN_EXE_kep"));
    command.args(["serve", "--conf"]).arg(scene.conf());
    let ran = command.kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    if said.contains("unrecognized option") {
        println!("skipped: systemd-socket-activate without --now");
        return;
    }
    assert_eq!(ran.status.code(), Some(78), "{said}");
    assert!(said.contains("submision_tls") && said.contains("hint:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_everything_that_is_wrong_at_once() {
    let scene = Scene::new(Plan::default()).await;
    let secrets = scene.provider().join("secrets");
    open_to_all(&secrets.join("seal.key"));
    std::fs::write(secrets.join("tls.pem"), "no certificate\n").unwrap();
    for anchors in ["user", "tsa"] {
        std::fs::remove_file(scene.provider().join(format!("trust/{anchors}-ca.pem"))).unwrap();
    }
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{}", ran.err);
    let wrongs = ["seal.key can be read by others", "tls", "user anchors", "time stamps"];
    for wrong in wrongs {
        let line = ran.out.lines().find(|line| line.starts_with("WRONG") && line.contains(wrong));
        assert!(line.is_some(), "{wrong} is not in:\n{}", ran.out);
    }
    let json = scene.kep(&["check", "--json"]).await;
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(found.as_array().unwrap().iter().filter(|f| f["state"] == "wrong").count() >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_else_is_wrong_beside_a_broken_configuration() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "signature", "\"sometimes\"");
    open_to_all(&scene.provider().join("secrets/seal.key"));
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("accept.signature") && ran.err.contains("hint:"), "{}", ran.err);
    for wrong in ["has errors", "seal.key can be read by others"] {
        let line = ran.out.lines().find(|line| line.starts_with("WRONG") && line.contains(wrong));
        assert!(line.is_some(), "{wrong} is not in:\n{}", ran.out);
    }
    assert!(ran.out.lines().any(|line| line.starts_with("ok") && line.contains("tls")));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_certificates_that_end_and_a_data_folder_that_is_open() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Plan::default()).await;
    let data = scene.provider().join("spool");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Development certificates live three years.
    let day = 86_400;
    let (now, three_years) = (Clock::System.now(), 3 * 365 * day);
    let peer = scene.scratch("peer.pem");
    let line = async |what: &str| {
        let ran = scene.kep(&["check"]).await;
        let line = ran.out.lines().find(|line| line.contains(what)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{what} is not in:\n{}", ran.out))
    };
    for (age, state) in [(three_years + 10 * day, "WRONG"), (three_years - 5 * day, "warning")] {
        let (certificate, key) = new_tls_of(&scene, now.plus_secs(-age));
        std::fs::write(scene.provider().join("secrets/tls.pem"), &certificate).unwrap();
        std::fs::write(scene.provider().join("secrets/tls.key"), &key).unwrap();
        std::fs::write(&peer, &certificate).unwrap();
        let seal = peer.to_str().unwrap();
        let add = ["provider", "add", "hs07.kep.tr", "--name", "Öteki", "--host", "x:25"];
        let pin = "0f".repeat(32);
        let add = [&add[..], &["--tls-pin", &pin]].concat();
        let ran = scene.kep(&[&add[..], &["--seal", seal]].concat()).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        for what in ["tls.pem", "the seal of hs07.kep.tr"] {
            let line = line(what).await;
            assert!(line.starts_with(state), "{line}");
        }
    }
    assert!(line("can be entered by others").await.starts_with("WRONG"));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_for_the_name_service_are_json_where_that_is_asked_for() {
    let scene = Scene::new(Plan::default()).await;
    let ran = scene.kep(&["check", "--dns", "--json"]).await;
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let records: Vec<_> = found.as_array().unwrap().iter().filter(|f| f["what"] == "dns").collect();
    assert_eq!(records.len(), 5, "{found}");
    assert!(records[0]["text"].as_str().unwrap().contains("IN SRV 0 1"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_is_content_with_a_provider_that_serves() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let ran = scene.kep(&["check", "--dns"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("WRONG"), "{}", ran.out);
    assert!(ran.out.contains("_submissions._tcp.hs05.kep.tr."), "{}", ran.out);
    // There is no relay listener that other providers could be sent to.
    assert!(!ran.out.contains("IN MX"), "{}", ran.out);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_that_the_development_authority_is_not_running_yet() {
    let scene = Scene::new(Plan::default()).await;
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let line = ran.out.lines().find(|line| line.contains("time stamps")).unwrap();
    assert!(line.starts_with("warning") && line.contains("`kep serve` starts it"), "{line}");
    // Another authority that is silent is an error all the same.
    scene.set("timestamp", "url", "\"http://127.0.0.1:9/\"");
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{}{}", ran.out, ran.err);
    assert!(ran.out.lines().any(|line| line.starts_with("WRONG") && line.contains("time stamps")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_is_refused_with_all_its_errors() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "max_recipients", "0");
    scene.set("accept", "signature", "\"sometimes\"");
    // Less than the envelope of a dispatch: nothing could be submitted.
    scene.set("accept", "max_size", "\"200 KiB\"");
    scene.set("trust", "cache", "\"never\"");
    let text = std::fs::read_to_string(scene.conf()).unwrap();
    std::fs::write(scene.conf(), format!("{text}tekst = \"x\"\n")).unwrap();
    for command in ["serve", "check"] {
        let ran = scene.kep(&[command]).await;
        assert_eq!(ran.code, Some(78), "{command}: {}", ran.err);
        for wrong in ["max_recipients", "signature", "max_size", "cache", "tekst"] {
            assert!(ran.err.contains(wrong), "{command}: {wrong} is not in:\n{}", ran.err);
        }
        assert!(ran.err.contains("hint:"), "{command}: {}", ran.err);
        assert!(!ran.out.contains("kep: ready"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_cleanly_with_clients_connected() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mut idle = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    // Who has said nothing yet, in clear or not, keeps nobody waiting.
    let port = |offset| (Ipv4Addr::LOCALHOST, scene.port(offset));
    let mut silent = Vec::new();
    for offset in 0..4 {
        silent.push(tokio::net::TcpStream::connect(port(offset)).await.unwrap());
    }
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "son@x")).await;
    let begin = tokio::time::Instant::now();
    server.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    // It was told, or the connection is gone.
    let told = idle.command("NOOP").await;
    assert!(
        told.as_ref().is_err() || told.as_ref().is_ok_and(|reply| reply.code == 421),
        "{told:?}"
    );
    let server = scene.serve().await;
    assert_eq!(scene.settled(&id, 2).await.len(), 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_has_one_server() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let text = std::fs::read_to_string(scene.conf()).unwrap();
    // Another configuration, other ports, the same data.
    let listeners = ["submission_tls", "submission_starttls", "imap_tls", "imap_starttls"];
    for listener in listeners.iter().chain(&["metrics", "tsa"]) {
        scene.set("listen", listener, "\"127.0.0.1:0\"");
    }
    let ran = scene.kep(&["serve"]).await;
    assert_eq!(ran.code, Some(69), "{}", ran.err);
    assert!(ran.err.contains("spool") && ran.err.contains("hint:"), "{}", ran.err);
    std::fs::write(scene.conf(), text).unwrap();
    // Administration goes on beside it, and its end frees the folder, however it ended.
    assert_eq!(scene.kep(&["account", "list"]).await.code, Some(0));
    server.end("KILL").await;
    scene.serve().await.stop().await;
}

fn open_to_all(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).unwrap();
}
