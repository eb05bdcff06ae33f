//! A small hierarchy and a run of the `openssl` program, for the tests of this room.

use super::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use crate::wire::Timestamp;
use std::path::Path;
use std::process::Command;

pub const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

pub fn authority(name: &str) -> CertificateAuthority {
    CertificateAuthority::create(name, KeyKind::P256, NOW).unwrap()
}

pub fn issue(authority: &CertificateAuthority, profile: Profile) -> Issued {
    authority.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap()
}

pub fn user(authority: &CertificateAuthority) -> Issued {
    let (name, email) = ("Ali Veli".into(), "ali.veli@hs05.kep.tr".into());
    issue(authority, Profile::User { name, email })
}

pub fn seal_profile() -> Profile {
    Profile::Seal { domain: "hs05.kep.tr".into(), email: "kepservisi@hs05.kep.tr".into() }
}

pub fn stamper(authority: &CertificateAuthority) -> Issued {
    issue(authority, Profile::TimeStamp { name: "Test ZDS".into() })
}

/// Runs `openssl` in `dir`: whether it succeeded, and all it printed.
pub fn openssl(dir: &Path, arguments: &str) -> (bool, String) {
    let arguments = arguments.split_whitespace();
    let output = Command::new("openssl").args(arguments).current_dir(dir).output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

pub fn openssl_is_here() -> bool {
    let here = Command::new("openssl").arg("version").output().is_ok();
    if !here {
        println!("skipped: no openssl program to judge");
    }
    here
}

/// A development authority on a free port with one register, `user`; gives its address.
pub async fn serve(development: std::sync::Arc<super::serve::Development>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = super::serve::router(development);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

/// A user authority that answers for its certificates over HTTP.
pub async fn registered(dir: &Path) -> (std::sync::Arc<super::serve::Development>, String) {
    use super::serve::{Development, Register};
    let root = authority("Kullanıcı Kök");
    let stamps = super::tsa::Authority::new(std::sync::Arc::new(stamper(&root).signer().unwrap()));
    let register = Register { name: "user".into(), authority: root, file: dir.join("revoked.txt") };
    let clock = super::Clock::Fixed(NOW);
    let development = Development { stamps, registers: vec![register], clock };
    let development = std::sync::Arc::new(development);
    let url = serve(development.clone()).await;
    (development, url)
}
