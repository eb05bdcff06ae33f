//! Ten thousand messages both ways: a long lane.

use super::Mirror;
use crate::client::imap::Imap;
use crate::scene::{AYSE, Plan, Scene};
use std::collections::BTreeMap;
use std::path::Path;

const MANY: usize = 10_000;
const MAILBOX: &str = "Arsiv2026";

/// A message's subject, and its flags as letters of Maildir.
type State = BTreeMap<String, String>;

#[tokio::test(flavor = "multi_thread")]
async fn mbsync_keeps_ten_thousand_messages_equal_on_both_sides() {
    if std::env::var_os("KEP_LONG").is_none() {
        return println!("skipped: KEP_LONG is not set");
    }
    let scene = Scene::new(Plan::default()).await;
    let Some(mirror) = Mirror::new(&scene, AYSE, MAILBOX) else { return };
    let server = scene.serve().await;
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.command(&format!("CREATE {MAILBOX}")).await.unwrap();
    for from in (0..MANY).step_by(500) {
        append(&mut imap, from..from + 500).await;
    }
    mirror.synchronise();
    let near = near(&mirror);
    assert_eq!(near.len(), MANY);
    assert_eq!(near, far(&mut imap).await);

    change_near(&mirror);
    change_far(&mut imap).await;
    mirror.synchronise();
    // A new message learns its UID there only; what was found then is fetched in the next run.
    mirror.synchronise();
    let both = self::near(&mirror);
    assert_eq!(both, far(&mut imap).await);
    assert_eq!(both.len(), MANY - 20 + 20);
    let flagged = |letters: &str| both.values().filter(|flags| *flags == letters).count();
    assert_eq!((flagged("FS"), flagged("RS")), (100, 100));

    let before = (mirror.mails(MAILBOX), state(&mut imap).await);
    mirror.synchronise();
    assert!(before == (mirror.mails(MAILBOX), state(&mut imap).await), "nothing had changed");
    server.stop().await;
}

/// On this side: a hundred stars, ten deletions, ten new ones.
fn change_near(mirror: &Mirror) {
    let names: Vec<_> = mirror.mails(MAILBOX).into_keys().collect();
    for name in &names[..100] {
        mirror.set_flags(MAILBOX, name, "FS");
    }
    for name in &names[100..110] {
        std::fs::remove_file(mirror.path(MAILBOX, name)).unwrap();
    }
    for n in 0..10 {
        let file = mirror.maildir.join(MAILBOX).join("cur").join(format!("{n}.yeni.yerel:2,S"));
        std::fs::write(file, message(MANY + n).replace('\r', "")).unwrap();
    }
}

/// On the other side the same, at the end of the mailbox, and answers instead of stars.
async fn change_far(imap: &mut Imap) {
    let untouched = MANY - 200;
    imap.select(MAILBOX).await.unwrap();
    let free = imap.uid_search(&format!("UID {untouched}:*")).await.unwrap();
    assert_eq!(free.len(), MANY - untouched + 1);
    imap.uid_store(&set(&free[..100]), "+FLAGS.SILENT (\\Answered)").await.unwrap();
    imap.uid_store(&set(&free[100..110]), "+FLAGS.SILENT (\\Deleted)").await.unwrap();
    imap.command(&format!("UID EXPUNGE {}", set(&free[100..110]))).await.unwrap();
    append(imap, MANY + 10..MANY + 20).await;
}

fn set(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// As mail programs that know MULTIAPPEND and LITERAL+ do.
async fn append(imap: &mut Imap, numbers: std::ops::Range<usize>) {
    let literal = |n| format!("(\\Seen) {{{}+}}\r\n{}", message(n).len(), message(n));
    let all: Vec<_> = numbers.map(literal).collect();
    imap.command(&format!("APPEND {MAILBOX} {}", all.join(" "))).await.unwrap();
}

fn message(n: usize) -> String {
    let id = format!("Message-ID: <{n}@istemci.example>");
    format!("{id}\r\nFrom: {AYSE}\r\nSubject: ileti {n}\r\n\r\n{}\r\n", "satir\r\n".repeat(n % 50))
}

fn near(mirror: &Mirror) -> State {
    let mails = mirror.mails(MAILBOX).into_iter();
    mails.map(|(name, mail)| (subject(&mail), letters(&name))).collect()
}

fn letters(name: &str) -> String {
    let name = Path::new(name).file_name().unwrap().to_str().unwrap();
    name.split_once(":2,").map(|(_, flags)| flags.to_owned()).unwrap_or_default()
}

async fn far(imap: &mut Imap) -> State {
    imap.select(MAILBOX).await.unwrap();
    let asked = "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])";
    let held = imap.fetch("1:*", asked).await.unwrap();
    let known = [("\\Flagged", 'F'), ("\\Answered", 'R'), ("\\Seen", 'S')];
    let row = |one: crate::client::imap::Fetched| {
        let here = known.iter().filter(|(flag, _)| one.flags.iter().any(|f| f == flag));
        (subject(&one.literals[0]), here.map(|(_, letter)| letter).collect())
    };
    held.into_iter().map(row).collect()
}

fn subject(mail: &[u8]) -> String {
    let text = String::from_utf8_lossy(mail);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned()
}

async fn state(imap: &mut Imap) -> String {
    let asked = format!("STATUS {MAILBOX} (MESSAGES UIDNEXT HIGHESTMODSEQ)");
    imap.command(&asked).await.unwrap().untagged[0].text.clone()
}
