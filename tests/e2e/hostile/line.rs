//! What is done to the connection itself.

use super::{CAN, EVIL, LETTER, Stage, ask, said};
use crate::client::tls::Connection;
use crate::scene::until;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_a_connection_ends_it_and_honest_mail_goes_on() {
    let stage = Stage::new().await;
    let (at_victim, at_honest) = (stage.victim.serve().await, stage.honest.serve().await);
    // Silent, half way, octet by octet: as many as one address may have, and one more.
    let slow = slow_ones(&stage).await;
    let mut one_more = stage.line().await.unwrap();
    assert_eq!(
        said(&mut one_more).await.unwrap(),
        "421 4.7.0 Too many connections, try again later"
    );
    stage.honest_mail_arrives("durust.5").await;
    for dripping in slow {
        dripping.await.unwrap();
    }
    broken_off(&stage, "silence", MOST).await;

    not_encrypted(&stage).await;
    commands(&stage).await;
    floods(&stage).await;
    stage.honest_mail_arrives("durust.6").await;
    stage.sound().await;
    at_victim.logged("broken off", MOST).await;
    at_victim.stop().await;
    at_honest.stop().await;
}

async fn broken_off(stage: &Stage, why: &str, times: usize) {
    until(&format!("{times} broken off for {why}"), async || {
        let name = format!("kep_smtp_broken_off_total{{role=\"relay\",why=\"{why}\"}}");
        (stage.figure(&name, "").await == times as u64).then_some(())
    })
    .await;
}

async fn counted(stage: &Stage, why: &str) -> u64 {
    stage.figure("kep_relay_in_refused_total", &format!("why=\"{why}\"")).await
}

/// Each ends with 421, however diligently it drips.
async fn slow_ones(stage: &Stage) -> Vec<tokio::task::JoinHandle<()>> {
    let mut slow = Vec::new();
    for n in 0..MOST {
        let line = match n % 4 {
            // Says nothing.
            0 => Dripping { line: stage.line().await.unwrap(), drop: b"" },
            // A command that has no end.
            1 => Dripping { line: stage.secured().await.unwrap(), drop: b"N" },
            // A mail that has none.
            2 => Dripping { line: within_a_mail(stage, "DATA").await, drop: b"a" },
            _ => Dripping { line: within_a_mail(stage, "BDAT 100000 LAST").await, drop: b"a" },
        };
        slow.push(tokio::spawn(line.until_its_end()));
    }
    slow
}

async fn within_a_mail(stage: &Stage, command: &str) -> Connection {
    let mut line = stage.secured().await.unwrap();
    for command in [format!("MAIL FROM:<{EVIL}>"), format!("RCPT TO:<{CAN}>")] {
        assert!(ask(&mut line, &command).await.unwrap().starts_with("250"));
    }
    line.write(format!("{command}\r\n").as_bytes()).await.unwrap();
    if command == "DATA" {
        said(&mut line).await.unwrap();
    }
    line
}

struct Dripping {
    line: Connection,
    drop: &'static [u8],
}

impl Dripping {
    async fn until_its_end(mut self) {
        let mut ticks = tokio::time::interval(Duration::from_millis(500));
        let (mut greeted, mut heard) = (false, String::new());
        while !heard.starts_with("421") {
            tokio::select! {
                said = said(&mut self.line) => {
                    assert!(!greeted || said.as_ref().is_ok_and(|text| text.starts_with("421")), "{said:?}");
                    (greeted, heard) = (true, said.unwrap());
                }
                _ = ticks.tick() => self.line.write(self.drop).await.unwrap(),
            }
        }
        assert!(heard.starts_with("421 4.4.2"), "{heard}");
    }
}

/// No TLS, an old one, none after it was agreed, and commands sent along in clear.
async fn not_encrypted(stage: &Stage) {
    let mut line = stage.line().await.unwrap();
    said(&mut line).await.unwrap();
    ask(&mut line, "EHLO relay.hs07.kep.tr").await.unwrap();
    let before = counted(stage, "TlsRequired").await;
    assert!(ask(&mut line, &format!("MAIL FROM:<{EVIL}>")).await.unwrap().starts_with("530 5.7.0"));
    assert_eq!(counted(stage, "TlsRequired").await, before + 1);

    for octets in [&b"EHLO relay.hs07.kep.tr\r\nMAIL FROM:<>\r\n"[..], OLD_TLS] {
        let mut line = stage.line().await.unwrap();
        said(&mut line).await.unwrap();
        ask(&mut line, "EHLO relay.hs07.kep.tr").await.unwrap();
        assert!(ask(&mut line, "STARTTLS").await.unwrap().starts_with("220"));
        line.write(octets).await.unwrap();
        assert!(line.line().await.is_err(), "an alert is no line");
    }
    broken_off(stage, "handshake", 2).await;

    let mut line = stage.line().await.unwrap();
    said(&mut line).await.unwrap();
    ask(&mut line, "EHLO relay.hs07.kep.tr").await.unwrap();
    let smuggled = format!("STARTTLS\r\nEHLO x\r\nMAIL FROM:<{EVIL}>\r\nRCPT TO:<{CAN}>\r\n");
    line.write(smuggled.as_bytes()).await.unwrap();
    assert!(said(&mut line).await.unwrap().starts_with("220"));
    assert_eq!(stage.figure("kep_smtp_sent_ahead_total", "relay").await, 1);
    let mut line = line.upgrade(&stage.tls).await.unwrap();
    assert_eq!(ask(&mut line, "DATA").await.unwrap(), "503 5.5.1 MAIL and RCPT come first");
}

/// Line ends, other protocols, nonsense, addresses of others.
async fn commands(stage: &Stage) {
    let mail = format!("MAIL FROM:<{EVIL}>\nRCPT TO:<{CAN}>\r\n");
    ended_by(stage, "line-ends", &[&mail], "500 5.5.2").await;
    ended_by(stage, "other-protocol", &["GET / HTTP/1.1\r\n"], "500 5.5.1").await;
    ended_by(stage, "errors", &["NONSENSE\r\n"; 20], "421 4.7.0").await;
    let before = counted(stage, "NotForUs").await;
    let begin = format!("MAIL FROM:<{EVIL}>\r\n");
    let others = vec!["RCPT TO:<ali.veli@hs05.kep.tr>\r\n"; 50];
    ended_by(stage, "recipients", &[&[&begin[..]], &others[..]].concat(), "421 4.7.0").await;
    assert_eq!(counted(stage, "NotForUs").await, before + 50);
    // A domain that the registry might have, and what is none.
    for (sender, why) in [("biri@ornek.example", "PeerUnknown"), ("biri@hs7", "SenderOutside")] {
        let before = counted(stage, why).await;
        let mut line = stage.secured().await.unwrap();
        let answer = ask(&mut line, &format!("MAIL FROM:<{sender}>")).await.unwrap();
        assert!(answer.starts_with("550 5.7.1"), "{answer}");
        assert_eq!(counted(stage, why).await, before + 1, "{why}");
    }
}

async fn ended_by(stage: &Stage, why: &str, commands: &[&str], last: &str) {
    let mut line = stage.secured().await.unwrap();
    line.write(commands.concat().as_bytes()).await.unwrap();
    let mut heard = String::new();
    while let Ok(text) = said(&mut line).await {
        heard = text;
    }
    assert!(heard.starts_with(last), "{why}: {heard}");
    broken_off(stage, why, 1).await;
}

/// More than was announced, more than may be, and a mail within a mail.
async fn floods(stage: &Stage) {
    let mut line = stage.secured().await.unwrap();
    let announced = format!("MAIL FROM:<{EVIL}> SIZE=1048577");
    assert!(ask(&mut line, &announced).await.unwrap().starts_with("552 5.3.4"));
    assert_eq!(counted(stage, "TooLarge").await, 1);

    let mut line = within_a_mail(stage, "DATA").await;
    let much = b"a line of a mail\r\n".repeat(1 << 16);
    line.write(&[&much[..], b".\r\n"].concat()).await.unwrap();
    assert!(said(&mut line).await.unwrap().starts_with("552 5.3.4"));
    assert_eq!(counted(stage, "TooLarge").await, 2);

    let mut line = within_a_mail(stage, "BDAT 9223372036854775807 LAST").await;
    // It goes as soon as it may.
    while line.write(&much).await.is_ok() {}
    broken_off(stage, "endless", 1).await;
    assert_eq!(counted(stage, "TooLarge").await, 3);

    let mut line = within_a_mail(stage, "DATA").await;
    let smuggled = format!("\n.\r\nMAIL FROM:<{EVIL}>\r\nRCPT TO:<{CAN}>\r\nDATA\r\n");
    line.write(&[LETTER, smuggled.as_bytes(), LETTER, b".\r\n"].concat()).await.unwrap();
    assert!(said(&mut line).await.unwrap().starts_with("554 5.6.0"));
    assert_eq!(counted(stage, "BareLineEnd").await, 1);
    assert!(ask(&mut line, "NOOP").await.unwrap().starts_with("250"), "there was one mail");
}

/// Connections of one address (`accept.max_connections_per_address`).
const MOST: usize = 32;
/// A ClientHello of TLS 1.0, which offers one cipher of that time.
const OLD_TLS: &[u8] = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01\
    0123456789abcdef0123456789abcdef\x00\x00\x02\x00\x2f\x01\x00";
