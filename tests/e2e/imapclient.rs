//! Python's IMAPClient: everything it knows, said once to a real server, and what of it reads.

use crate::reading::Delivered;
use crate::scene::{AYSE, MEHMET};
use crate::tool::{python_with, run};
use serde_json::Value;
use std::path::PathBuf;

/// Python, and who talks to whom.
struct Session<'a> {
    python: PathBuf,
    delivered: &'a Delivered,
}

impl Session<'_> {
    /// One of the acts in `session.py`; what it printed.
    fn act(&self, name: &str, address: &str) -> Vec<u8> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/imapclient/session.py");
        let scene = &self.delivered.scene;
        let port = scene.port(2).to_string();
        let authority = scene.provider().join("trust/tls-ca.pem");
        let password = &scene.account(address).password;
        // No folder of compiled Python beside the script.
        let arguments = ["-B", script, name, &port, authority.to_str().unwrap(), address, password];
        let (good, said) = run(&self.python, &arguments);
        assert!(good, "{name}: {}", String::from_utf8_lossy(&said));
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imapclient_says_all_it_knows_and_opens_by_moving() {
    let Some(python) = python_with("imapclient") else { return };
    let delivered = Delivered::new(false).await;
    let session = Session { python, delivered: &delivered };
    session.act("everything", MEHMET);
    session.act("look", AYSE);
    assert!(!delivered.shows_content(&session.act("download", AYSE)));
    assert_eq!(delivered.opened().await, Value::Null, "the notice is not the message");
    session.act("move", AYSE);
    assert!(delivered.opened().await.is_string());
    assert!(delivered.shows_content(&session.act("download", AYSE)));
    assert_eq!(delivered.scene.settled(&delivered.id, 3).await.len(), 3);
    delivered.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_imapclient_downloads_from_a_direct_mailbox_is_read() {
    let Some(python) = python_with("imapclient") else { return };
    let delivered = Delivered::new(true).await;
    let session = Session { python, delivered: &delivered };
    session.act("look", AYSE);
    assert_eq!(delivered.opened().await, Value::Null, "a list is no reading");
    assert!(delivered.shows_content(&session.act("download", AYSE)));
    assert!(delivered.opened().await.is_string());
    delivered.server.stop().await;
}
