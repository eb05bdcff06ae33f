//! mbsync, both ways: what it downloads is not read, what changes on either side comes to the
//! other, and where nothing changes nothing is moved.

mod many;

use crate::client::imap::Imap;
use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, Scene};
use crate::tool::{run_within, tool};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A Maildir that mirrors an account.
struct Mirror {
    program: PathBuf,
    rc: PathBuf,
    maildir: PathBuf,
}

impl Mirror {
    /// Mirrors the mailboxes of these patterns.
    fn new(scene: &Scene, address: &str, patterns: &str) -> Option<Self> {
        let program = tool("mbsync")?;
        let (maildir, rc) = (scene.scratch("maildir"), scene.scratch("mbsyncrc"));
        std::fs::create_dir_all(&maildir).unwrap();
        let text = format!(
            "IMAPAccount kep\nHost localhost\nPort {}\nUser {address}\nPass {}\nSSLType IMAPS\n\
             CertificateFile {}\n\nIMAPStore far\nAccount kep\n\nMaildirStore near\nPath {}/\n\
             Inbox {}/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns {patterns}\n\
             Create Near\nSync All\nExpunge Both\nSyncState *\n",
            scene.port(2),
            scene.account(address).password,
            scene.provider().join("trust/tls-ca.pem").display(),
            maildir.display(),
            maildir.display(),
        );
        std::fs::write(&rc, text).unwrap();
        Some(Self { program, rc, maildir })
    }

    fn synchronise(&self) {
        let arguments = ["-c", self.rc.to_str().unwrap(), "-a"];
        let (good, said) = run_within(PATIENCE, &self.program, &arguments);
        assert!(good, "{}", String::from_utf8_lossy(&said));
    }

    /// Each mailbox's mails, by file name (its flags behind `:2,`).
    fn mails(&self, mailbox: &str) -> BTreeMap<String, Vec<u8>> {
        let mut mails = BTreeMap::new();
        for half in ["new", "cur"] {
            for entry in std::fs::read_dir(self.maildir.join(mailbox).join(half)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                mails.insert(name, std::fs::read(path).unwrap());
            }
        }
        mails
    }

    /// All mails of all mailboxes.
    fn all(&self) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
        MAILBOXES.iter().map(|name| ((*name).to_owned(), self.mails(name))).collect()
    }

    /// The only mail's file there.
    fn only(&self, mailbox: &str) -> String {
        let names: Vec<_> = self.mails(mailbox).into_keys().collect();
        assert_eq!(names.len(), 1, "{mailbox}: {names:?}");
        names[0].clone()
    }

    fn path(&self, mailbox: &str, name: &str) -> PathBuf {
        let folder = self.maildir.join(mailbox);
        let (new, cur) = (folder.join("new").join(name), folder.join("cur").join(name));
        if new.exists() { new } else { cur }
    }

    /// As a Maildir program shows that a mail has flags.
    fn set_flags(&self, mailbox: &str, name: &str, flags: &str) {
        let base = name.split(":2,").next().unwrap();
        let to = self.maildir.join(mailbox).join("cur").join(format!("{base}:2,{flags}"));
        std::fs::rename(self.path(mailbox, name), to).unwrap();
    }
}

/// What the server says of each mailbox.
async fn state(imap: &mut Imap) -> Vec<String> {
    let mut all = Vec::new();
    for name in MAILBOXES {
        let asked = format!("STATUS \"{name}\" (MESSAGES UIDNEXT HIGHESTMODSEQ)");
        all.extend(imap.command(&asked).await.unwrap().untagged.into_iter().map(|u| u.text));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn mbsync_mirrors_without_reading_and_carries_changes_both_ways() {
    let delivered = Delivered::new(false).await;
    let Some(mirror) = Mirror::new(&delivered.scene, AYSE, "*") else { return };
    let mut imap = delivered.imap(AYSE).await;
    mirror.synchronise();
    assert_eq!((mirror.mails("INBOX").len(), mirror.mails("Deliller").len()), (1, 2));
    for mail in mirror.all().values().flat_map(BTreeMap::values) {
        assert!(!delivered.shows_content(mail));
    }
    unread(&delivered).await;

    // A second run finds nothing to do.
    let (near, far) = (mirror.all(), state(&mut imap).await);
    mirror.synchronise();
    assert_eq!((mirror.all(), state(&mut imap).await), (near, far));

    flags_go_both_ways(&mirror, &mut imap).await;
    drafts_are_appended(&mirror, &mut imap).await;
    deletions_go_both_ways(&mirror, &mut imap).await;
    unread(&delivered).await;
    assert_eq!(delivered.scene.events(&delivered.id).await.len(), 2, "evidence stays");
    moving_the_notice_opens(&delivered, &mirror).await;
    delivered.server.stop().await;
}

async fn unread(delivered: &Delivered) {
    assert_eq!(delivered.opened().await, Value::Null);
    assert_eq!(delivered.scene.count("retrieval").await, 0);
}

async fn flags_go_both_ways(mirror: &Mirror, imap: &mut Imap) {
    mirror.set_flags("INBOX", &mirror.only("INBOX"), "FS");
    mirror.synchronise();
    imap.select("INBOX").await.unwrap();
    let held = imap.fetch("1:*", "(FLAGS)").await.unwrap();
    assert_eq!(held[0].flags, ["\\Flagged", "\\Seen"]);
    imap.uid_store("1", "+FLAGS (\\Answered)").await.unwrap();
    imap.uid_store("1", "-FLAGS (\\Flagged)").await.unwrap();
    mirror.synchronise();
    assert!(mirror.only("INBOX").ends_with(":2,RS"), "{}", mirror.only("INBOX"));
}

async fn drafts_are_appended(mirror: &Mirror, imap: &mut Imap) {
    let draft = format!("From: {AYSE}\nTo: {ALI}\nSubject: Taslak\n\nyarim\n");
    let file = mirror.maildir.join("Taslaklar/cur/1.taslak.yerel:2,DS");
    std::fs::write(file, &draft).unwrap();
    mirror.synchronise();
    imap.select("Taslaklar").await.unwrap();
    let held = imap.fetch("1:*", "(FLAGS BODY.PEEK[])").await.unwrap();
    assert_eq!(held[0].flags, ["\\Seen", "\\Draft"]);
    let lines = String::from_utf8_lossy(&held[0].literals[0]).replace("\r\n", "\n");
    assert!(lines.ends_with(&draft) || lines.ends_with("\n\nyarim\n"), "{lines}");
}

async fn deletions_go_both_ways(mirror: &Mirror, imap: &mut Imap) {
    std::fs::remove_file(mirror.path("Taslaklar", &mirror.only("Taslaklar"))).unwrap();
    let evidence: Vec<_> = mirror.mails("Deliller").into_keys().collect();
    std::fs::remove_file(mirror.path("Deliller", &evidence[0])).unwrap();
    mirror.synchronise();
    assert_eq!(imap.count("Taslaklar").await.unwrap(), 0);
    assert_eq!(imap.count("Deliller").await.unwrap(), 1);
    imap.select("Deliller").await.unwrap();
    imap.uid_store("1:*", "+FLAGS.SILENT (\\Deleted)").await.unwrap();
    imap.command("EXPUNGE").await.unwrap();
    mirror.synchronise();
    assert_eq!(mirror.mails("Deliller"), BTreeMap::new());
}

/// A move on this side comes as an APPEND there, after the notice was removed from INBOX.
async fn moving_the_notice_opens(delivered: &Delivered, mirror: &Mirror) {
    let notice = mirror.only("INBOX");
    let there = notice.split(",U=").next().unwrap();
    let there = mirror.maildir.join("A&AOcBMQ-lacaklar/cur").join(format!("{there}:2,S"));
    std::fs::rename(mirror.path("INBOX", &notice), there).unwrap();
    mirror.synchronise();
    assert!(delivered.opened().await.is_string());
    mirror.synchronise();
    let dispatch = mirror.mails("INBOX").into_values().next().unwrap();
    assert!(delivered.shows_content(&dispatch));
    assert_eq!(mirror.mails("A&AOcBMQ-lacaklar"), BTreeMap::new());
    assert_eq!(delivered.scene.settled(&delivered.id, 3).await.len(), 3);
    let ran = delivered.scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

/// Ten thousand messages on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// As they are written on the wire, which is how mbsync names its folders.
const MAILBOXES: [&str; 10] = [
    "INBOX",
    "Ar&AV8-iv",
    "Ar&AV8-iv/Gelen",
    "Ar&AV8-iv/Giden",
    "A&AOcBMQ-lacaklar",
    "Deliller",
    "Giden Kutusu",
    "Taslaklar",
    "&AMcA9g-p Kutusu",
    "&ATA-mza Bekleyenler",
];
