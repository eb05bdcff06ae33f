//! fetchmail: by polling and by IDLE, keeping and not keeping. From an account of sealed notices it
//! fetches notices, which is not reading; from one that opens directly it fetches dispatches, which is.

use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, until};
use crate::tool::{run, tool};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

/// fetchmail as Ayşe has set it up, delivering into a file.
struct Fetchmail {
    program: PathBuf,
    home: PathBuf,
}

impl Fetchmail {
    fn new(delivered: &Delivered) -> Option<Self> {
        let program = tool("fetchmail")?;
        let home = delivered.scene.scratch("fetchmail");
        std::fs::create_dir_all(&home).unwrap();
        Some(Self { program, home })
    }

    /// Its arguments, with these options for the account.
    fn set_up(&self, delivered: &Delivered, options: &str) -> Vec<String> {
        let scene = &delivered.scene;
        let rc = self.home.join("rc");
        let text = format!(
            "poll localhost protocol imap port {} auth password\n user \"{AYSE}\" password \"{}\"\n \
             ssl sslcertck sslcertfile \"{}\"\n mda \"cat >>{}\" {options}\n",
            scene.port(2),
            scene.account(AYSE).password,
            scene.provider().join("trust/tls-ca.pem").display(),
            self.mails().display(),
        );
        std::fs::write(&rc, text).unwrap();
        // It reads no settings that others may read.
        std::fs::set_permissions(&rc, std::fs::Permissions::from_mode(0o600)).unwrap();
        let path = |path: &Path| path.display().to_string();
        let own = ["-f".to_owned(), path(&rc), "--pidfile".into(), path(&self.home.join("pid"))];
        let rest = ["-i".into(), path(&self.home.join("ids")), "--nosyslog".into()];
        own.into_iter().chain(rest).chain(["--nodetach".into()]).collect()
    }

    /// One poll: whether there was mail.
    fn poll(&self, delivered: &Delivered, options: &str) -> bool {
        let (some, said) = run(&self.program, &self.set_up(delivered, options));
        let said = String::from_utf8_lossy(&said);
        let empty = said.contains("No mail for") || said.contains(" seen) for");
        assert!(some || empty, "{said}");
        some
    }

    /// One that stays, waiting in IDLE.
    fn wait(&self, delivered: &Delivered) -> Child {
        let mut command = Command::new(&self.program);
        command.args(self.set_up(delivered, "keep idle"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).spawn().unwrap()
    }

    fn mails(&self) -> PathBuf {
        self.home.join("mails")
    }

    /// All that was delivered so far.
    fn fetched(&self) -> Vec<u8> {
        std::fs::read(self.mails()).unwrap_or_default()
    }

    fn count(&self) -> usize {
        // It stamps each message once.
        String::from_utf8_lossy(&self.fetched()).matches("(fetchmail-").count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fetchmail_fetches_notices_without_reading() {
    let delivered = Delivered::new(false).await;
    let Some(fetchmail) = Fetchmail::new(&delivered) else { return };
    let scene = &delivered.scene;
    assert!(fetchmail.poll(&delivered, "keep"));
    assert_eq!(fetchmail.count(), 1);
    assert!(!fetchmail.poll(&delivered, "keep"), "it is seen now");
    assert_eq!(delivered.opened().await, Value::Null);

    let mut imap = delivered.imap(AYSE).await;
    imap.select("INBOX").await.unwrap();
    imap.uid_move("1", "Açılacaklar").await.unwrap();
    assert!(!delivered.shows_content(&fetchmail.fetched()));
    let waiting = fetchmail.wait(&delivered);
    until("the dispatch", async || (fetchmail.count() == 2).then_some(())).await;
    assert!(delivered.shows_content(&fetchmail.fetched()));
    let next = scene.letter(ALI, &[AYSE], "fetchmail.2@istemci.example");
    let next = scene.accepted(ALI, &[AYSE], &next).await;
    until("what came during IDLE", async || (fetchmail.count() == 3).then_some(())).await;
    drop(waiting);

    // Without keeping, the notice is deleted for good; that is no reading either.
    imap.select("INBOX").await.unwrap();
    imap.uid_store("1:*", "-FLAGS.SILENT (\\Seen)").await.unwrap();
    assert!(fetchmail.poll(&delivered, "no keep"));
    assert_eq!(imap.count("INBOX").await.unwrap(), 0);
    let shown = scene.json(&["message", "show", &next]).await;
    assert_eq!(shown["recipients"][0]["opened"], Value::Null, "{shown}");
    assert_eq!(scene.count("retrieval").await, 1);
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fetchmail_takes_from_a_direct_mailbox_is_read_and_its_evidence_stays() {
    let delivered = Delivered::new(true).await;
    let Some(fetchmail) = Fetchmail::new(&delivered) else { return };
    assert!(fetchmail.poll(&delivered, "no keep"));
    assert!(delivered.shows_content(&fetchmail.fetched()));
    assert!(delivered.opened().await.is_string());
    assert_eq!(delivered.imap(AYSE).await.count("INBOX").await.unwrap(), 0);
    assert!(!fetchmail.poll(&delivered, "no keep"));
    assert_eq!(delivered.scene.settled(&delivered.id, 3).await.len(), 3);
    delivered.server.stop().await;
}
