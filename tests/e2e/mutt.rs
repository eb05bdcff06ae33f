//! mutt, with its keys pressed by a script, on a terminal of its own.

use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, Plan, Scene, until};
use crate::tool::{run, tool};
use pty_process::{Command, Size};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// mutt as Ayşe has set it up.
struct Mutt {
    program: PathBuf,
    home: PathBuf,
    settings: String,
}

impl Mutt {
    fn new(scene: &Scene) -> Option<Self> {
        let program = tool("mutt")?;
        let home = scene.scratch("mutt");
        std::fs::create_dir_all(&home).unwrap();
        let settings = format!(
            "set imap_user=\"{AYSE}\"\nset imap_pass=\"{}\"\nset folder=\"imaps://localhost:{}/\"\n\
             set ssl_ca_certificates_file=\"{}\"\nset spoolfile=\"+INBOX\"\nset record=\"\"\n\
             set trash=\"+Çöp Kutusu\"\nset postponed=\"+Taslaklar\"\nset from=\"{AYSE}\"\n\
             set editor=true\nset charset=utf-8\nset tmpdir=\"{}\"\nset recall=no\nset quit=yes\n\
             set delete=yes\nset move=no\nset mark_old=no\nset confirmappend=no\n\
             set abort_nosubject=no\nset abort_unmodified=no\nset wait_key=no\nset sleep_time=0\n",
            scene.account(AYSE).password,
            scene.port(2),
            scene.provider().join("trust/tls-ca.pem").display(),
            home.display(),
        );
        Some(Self { program, home, settings })
    }

    /// Lets it send through the provider, signed by `openssl cms` with the account's own key.
    fn with_signing(mut self, scene: &Scene) -> Option<Self> {
        let openssl = tool("openssl")?;
        let p12 = scene.provider().join("users").join(format!("{AYSE}.p12"));
        let password = format!("pass:{}", scene.account(AYSE).password);
        let (keys, certificates) = (self.home.join("keys"), self.home.join("certificates"));
        for (folder, wanted) in [(&keys, "-nocerts"), (&certificates, "-nokeys")] {
            std::fs::create_dir_all(folder).unwrap();
            let out = folder.join("own");
            let named =
                ["pkcs12", "-clcerts", "-in", p12.to_str().unwrap(), "-passin", &password, wanted];
            let rest = ["-out", out.to_str().unwrap(), "-passout", &format!("pass:{PASSPHRASE}")];
            let (good, said) = run(&openssl, &[&named[..], &rest[..]].concat());
            assert!(good, "{}", String::from_utf8_lossy(&said));
        }
        let signing = format!(
            "set smtp_url=\"smtps://{}@localhost:{}/\"\nset smtp_pass=\"{}\"\n\
             set crypt_use_gpgme=no\nset smime_is_default=yes\nset crypt_autosmime=yes\n\
             set crypt_autosign=yes\nset smime_keys=\"{}\"\nset smime_certificates=\"{}\"\n\
             set smime_default_key=own\nset smime_sign_digest_alg=sha256\n\
             set smime_sign_command=\"openssl cms -sign -md %d -signer %c -inkey %k -passin stdin \
             -in %f -outform DER\"\n",
            AYSE.replace('@', "%40"),
            scene.port(0),
            scene.account(AYSE).password,
            keys.display(),
            certificates.display(),
        );
        self.settings.push_str(&signing);
        Some(self)
    }

    /// Opens a mailbox, presses these keys and quits.
    async fn press(&self, mailbox: &str, keys: &str) {
        let rc = self.home.join("muttrc");
        std::fs::write(&rc, format!("{}push \"{keys}<quit>\"\n", self.settings)).unwrap();
        let (mut terminal, inside) = pty_process::open().unwrap();
        terminal.resize(Size::new(24, 80)).unwrap();
        let command = Command::new(&self.program).arg("-n").arg("-F").arg(&rc);
        let command = command.args(["-f", &format!("+{mailbox}")]).kill_on_drop(true);
        let command = command.env("TERM", "screen").env("LC_ALL", "C.UTF-8");
        let mut mutt = command.env("HOME", &self.home).spawn(inside).unwrap();
        let mut screen = Vec::new();
        let seen = async {
            // The terminal is gone when mutt is: that is an error to read.
            let mut asked = false;
            while terminal.read_buf(&mut screen).await.is_ok_and(|octets| octets > 0) {
                // It takes no pushed keys for this.
                if !asked && String::from_utf8_lossy(&screen).contains("passphrase:") {
                    asked = true;
                    terminal.write_all(format!("{PASSPHRASE}\r").as_bytes()).await.unwrap();
                }
            }
            mutt.wait().await.unwrap()
        };
        let ended = tokio::time::timeout(PATIENCE, seen).await;
        let screen = String::from_utf8_lossy(&screen).replace('\u{1b}', "␛");
        let status = ended.unwrap_or_else(|_| panic!("{keys}: mutt waits for a key:\n{screen}"));
        assert!(status.success(), "{keys}: {status}:\n{screen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutt_reads_flags_opens_files_and_deletes() {
    let delivered = Delivered::new(false).await;
    let Some(mutt) = Mutt::new(&delivered.scene) else { return };
    let flags = async |mailbox: &str| {
        let mut imap = delivered.imap(AYSE).await;
        imap.select(mailbox).await.unwrap();
        imap.fetch("1:*", "(FLAGS)").await.unwrap_or_default()
    };
    mutt.press("INBOX", "<display-message><exit><flag-message><sync-mailbox>").await;
    assert_eq!(flags("INBOX").await[0].flags, ["\\Flagged", "\\Seen"]);
    assert_eq!(delivered.opened().await, Value::Null, "the notice is not the message");

    // It copies and then deletes: that is moving, to a program that doesn't say MOVE.
    mutt.press("INBOX", "<save-message>+Açılacaklar<enter><sync-mailbox>").await;
    assert!(delivered.opened().await.is_string());
    let dispatch = delivered.all_of(AYSE, "INBOX").await;
    assert_eq!(dispatch.len(), 1);
    assert!(delivered.shows_content(&dispatch[0]));

    mutt.press("INBOX", "<display-message><exit><copy-message>+Arşiv/Gelen<enter>").await;
    assert_eq!(delivered.all_of(AYSE, "Arşiv/Gelen").await, dispatch);
    mutt.press("INBOX", "<delete-message><sync-mailbox>").await;
    assert_eq!(flags("INBOX").await, []);
    assert_eq!(delivered.all_of(AYSE, "Çöp Kutusu").await, dispatch);
    // From its list of mailboxes into the trash.
    let keys =
        "<change-folder>?<search>p Kutusu<enter><select-entry><delete-message><sync-mailbox>";
    mutt.press("INBOX", keys).await;
    assert_eq!(flags("Çöp Kutusu").await, []);

    mutt.press("INBOX", &format!("<mail>{ALI}<enter>Yarım iş<enter><postpone-message>")).await;
    let draft = delivered.all_of(AYSE, "Taslaklar").await;
    assert!(String::from_utf8_lossy(&draft[0]).contains(&format!("To: {ALI}")));
    assert!(flags("Taslaklar").await[0].flags.contains(&"\\Draft".to_owned()));
    assert_eq!(delivered.scene.settled(&delivered.id, 3).await.len(), 3, "evidence stays");
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mutt_sends_what_openssl_signs() {
    let scene = Scene::new(Plan::default()).await;
    let mutt = Mutt::new(&scene).and_then(|mutt| mutt.with_signing(&scene));
    let Some(mutt) = mutt else { return };
    let server = scene.serve().await;
    mutt.press("INBOX", &format!("<mail>{ALI}<enter>Sözleşme<enter><send-message>")).await;
    let sent = until("the message", async || {
        let list = scene.json(&["message", "list"]).await;
        list.as_array().unwrap().first().cloned()
    })
    .await;
    assert_eq!(
        (&sent["subject"], &sent["signer"]),
        (&"Sözleşme".into(), &"CN=Ayse Yilmaz,C=TR".into())
    );
    let id = sent["id"].as_str().unwrap();
    assert_eq!(scene.settled(id, 2).await.len(), 2, "accepted and delivered");
    server.stop().await;
}

/// Of the key on the disk.
const PASSPHRASE: &str = "parola";

/// A key that its program did not expect throws the others away, and it waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);
