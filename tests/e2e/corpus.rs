//! The corpus of mails over a real connection: each is accepted as its octets are, or refused with
//! a reason; the server goes on.

use crate::accepted::hex;
use crate::client::smtp::Prepared;
use crate::scene::{Plan, Scene};
use kep::accept::refusal::Refusal;
use std::path::Path;

const FROM: &str = "ali@hs05.kep.tr";
const TO: &str = "veli@hs05.kep.tr";

/// File and what becomes of it, from the corpus's own index.
fn index() -> Vec<(String, Vec<u8>, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let index = std::fs::read_to_string(folder.join("index.txt")).unwrap();
    let lines = index.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let mut columns = line.split(" | ").map(str::to_owned);
        let (file, verdict) = (columns.next().unwrap(), columns.next().unwrap());
        (file.clone(), std::fs::read(folder.join(file)).unwrap(), verdict)
    };
    lines.map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_04_bad_mails_are_accepted_octet_for_octet_or_refused_with_a_reason() {
    let plan = Plan { accounts: &["ali", "veli"], direct: true, ..Plan::default() };
    let scene = Scene::new(plan).await;
    let set = scene.kep(&["account", "set", FROM, "--signature", "optional"]).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
    scene.set("accept", "max_rejections_per_hour", "1000");
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(FROM)).await.unwrap();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    for (file, octets, verdict) in index() {
        // The signatures of the corpus are by keys that nobody trusts.
        let judged_by_trust = verdict.ends_with("(signed)") || verdict.ends_with("(opaque)");
        let reply = smtp.submit_chunk(FROM, &[TO], &octets).await.unwrap();
        match verdict.strip_prefix("accepted ") {
            Some(_) if judged_by_trust => {
                assert_eq!(reply.code, 550, "{file}: {reply:?}");
                assert!(reply.lines[0].starts_with("5.7."), "{file}: {reply:?}");
            }
            Some(_) => {
                assert_eq!(reply.code, 250, "{file}: {reply:?}");
                accepted.push((file.clone(), octets.clone()));
                let id = reply.message_id().unwrap().to_owned();
                let shown = scene.json(&["message", "show", &id]).await;
                assert_eq!(shown["message"]["sha256"], hex(&octets), "{file}");
                assert_eq!(shown["message"]["size"], octets.len(), "{file}");
                scene.settled(&id, 2).await;
                if octets.ends_with(b"\r\n") {
                    let again = smtp.submit(FROM, &[TO], &Prepared::new(&octets)).await.unwrap();
                    assert_eq!(again.reply.message_id(), Some(id.as_str()), "{file}");
                }
            }
            None => {
                refused += 1;
                let all = Refusal::all("x");
                let expected = all.iter().find(|one| one.name() == verdict).unwrap().row();
                assert_eq!(reply.code, expected.code, "{file}: {reply:?}");
                assert!(reply.lines[0].starts_with(expected.enhanced), "{file}: {reply:?}");
                assert!(reply.lines.len() >= 2, "{file}: in one language only: {reply:?}");
                // Empty lines and bare ones can't be had through DATA as they are.
                let prepared = Prepared::new(&octets);
                let again = smtp.submit(FROM, &[TO], &prepared).await.unwrap().reply;
                assert!(again.code >= 500, "{file}: {again:?}");
            }
        }
    }
    assert!(accepted.len() > 15 && refused > 15, "{} and {refused}", accepted.len());
    smtp.quit().await.unwrap();
    read_again(&scene, &accepted).await;
    server.stop().await;
}

/// The sender's copy is what was sent; the dispatch encloses it; octet for octet.
async fn read_again(scene: &Scene, accepted: &[(String, Vec<u8>)]) {
    for (address, mailbox) in [(FROM, "Giden Kutusu"), (TO, "INBOX")] {
        let mut imap = scene.doors().imap(scene.account(address)).await.unwrap();
        let exists = imap.select(mailbox).await.unwrap().exists;
        assert_eq!(exists as usize, accepted.len(), "{mailbox}");
        // Whatever the mail is, it can be listed.
        let listed = imap.fetch("1:*", "(UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)").await;
        assert_eq!(listed.unwrap().len(), accepted.len(), "{mailbox}");
        let whole = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
        for ((file, octets), mail) in accepted.iter().zip(whole) {
            let shown = &mail.literals[0];
            match mailbox {
                "INBOX" => assert!(encloses(shown, octets), "{file}"),
                _ => assert!(shown == octets, "{file}"),
            }
        }
    }
}

fn encloses(dispatch: &[u8], original: &[u8]) -> bool {
    dispatch.windows(original.len()).any(|window| window == original)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_fields_and_a_mail_beyond_the_limit_are_refused_and_the_server_goes_on() {
    let scene = Scene::new(Plan { accounts: &["ali", "veli"], ..Plan::default() }).await;
    scene.kep(&["account", "set", FROM, "--signature", "optional"]).await;
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(FROM)).await.unwrap();
    let head = format!("From: {FROM}\r\nTo: {TO}\r\n");
    let fields = format!("{head}{}\r\nx\r\n", "X-Alan: y\r\n".repeat(10_000));
    let reply = smtp.submit_chunk(FROM, &[TO], fields.as_bytes()).await.unwrap();
    assert_eq!((reply.code, &reply.lines[0][..5]), (554, "5.6.0"), "{reply:?}");
    let limit = 25 * 1024 * 1024 + 1;
    let line = format!("{}\r\n", "x".repeat(76));
    let big = format!("{head}\r\n{}", line.repeat(limit / line.len() + 1));
    // The size is not announced; the octets tell.
    let prepared = Prepared::new(big.as_bytes());
    let told = smtp.submit_as(FROM, &[TO], &prepared, 10).await.unwrap().reply;
    assert_eq!((told.code, &told.lines[0][..5]), (552, "5.3.4"), "{told:?}");
    let plain = format!("{head}Subject: son\r\n\r\nson\r\n");
    let reply = smtp.submit_chunk(FROM, &[TO], plain.as_bytes()).await.unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    server.stop().await;
}

/// What SIZE announces fits, sealed, into the limit; one octet more is refused, by the announcement
/// and by the octets.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_the_announced_size_is_delivered_and_one_octet_more_is_refused() {
    let plan = Plan { accounts: &["ali", "veli"], direct: true, ..Plan::default() };
    let scene = Scene::new(plan).await;
    scene.kep(&["account", "set", FROM, "--signature", "optional"]).await;
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(FROM)).await.unwrap();
    let offer = smtp.command("EHLO istemci.example").await.unwrap();
    let size = offer.lines.iter().find_map(|line| line.strip_prefix("SIZE ")).unwrap();
    let size: usize = size.parse().unwrap();
    let mail = |size: usize| {
        let head = format!("From: {FROM}\r\nTo: {TO}\r\nSubject: dolu\r\n\r\n");
        let mut mail = head.into_bytes();
        while mail.len() + 2 < size {
            let line = 76.min(size - mail.len() - 2);
            mail.resize(mail.len() + line, b'x');
            mail.extend_from_slice(b"\r\n");
        }
        mail
    };
    // The last line can miss an octet or two.
    let fits = (size - 2..=size).map(mail).find(|mail| mail.len() == size).unwrap();
    let mut beyond = fits.clone();
    beyond.insert(beyond.len() - 2, b'x');
    for told in [10, beyond.len()] {
        let reply = smtp.submit_as(FROM, &[TO], &Prepared::new(&beyond), told).await.unwrap().reply;
        assert_eq!((reply.code, &reply.lines[0][..5]), (552, "5.3.4"), "{reply:?}");
    }
    let reply = smtp.submit_as(FROM, &[TO], &Prepared::new(&fits), fits.len()).await.unwrap().reply;
    let id = reply.message_id().unwrap_or_else(|| panic!("{reply:?}")).to_owned();
    scene.settled(&id, 2).await;
    let mut imap = scene.doors().imap(scene.account(TO)).await.unwrap();
    assert_eq!(imap.select("INBOX").await.unwrap().exists, 1);
    let dispatch = imap.fetch("1", "(BODY.PEEK[])").await.unwrap().remove(0).literals.remove(0);
    assert!(dispatch.len() <= 25 * 1024 * 1024, "{} octets", dispatch.len());
    assert!(encloses(&dispatch, &fits));
    server.stop().await;
}

/// A draft may be anything but NUL (RFC 9051 §4.3): it comes back as it was laid in.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_04_drafts_of_bad_mails_come_back_octet_for_octet() {
    let scene = Scene::new(Plan { accounts: &["ali"], ..Plan::default() }).await;
    let server = scene.serve().await;
    let mut imap = scene.doors().imap(scene.account(FROM)).await.unwrap();
    imap.select("Taslaklar").await.unwrap();
    let mut kept = 0;
    for (file, octets, _) in index() {
        match imap.append("Taslaklar", "\\Draft", &octets).await {
            Ok(uid) => {
                let uid = uid.unwrap().to_string();
                let items = "(ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER] BODY.PEEK[1] BODY.PEEK[])";
                let shown = imap.uid_fetch(&uid, items).await.unwrap().remove(0);
                assert_eq!(shown.literals.last().unwrap_or(&Vec::new()), &octets, "{file}");
                kept += 1;
            }
            Err(refused) => {
                let nul = octets.contains(&0) || octets.is_empty();
                assert!(nul, "{file}: {refused}");
            }
        }
    }
    assert!(kept > 40, "{kept} kept");
    server.stop().await;
}
