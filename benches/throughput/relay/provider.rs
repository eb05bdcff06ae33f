//! Providers that know each other, by their command line.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use tokio::process::Command;

use crate::client::world::{Wish, World, kep_binary};
use crate::conf;
use crate::hierarchy::KeyKind;
use crate::kep::names;

pub struct Provider {
    pub domain: &'static str,
    pub world: World,
}

impl Provider {
    /// With accounts of one role.
    pub async fn make(
        folder: &Path,
        domain: &'static str,
        key: KeyKind,
        role: &str,
    ) -> io::Result<Self> {
        let accounts = names(&[role]);
        let wish = Wish { domain, accounts: &accounts, key: key.name(), direct: false };
        std::fs::create_dir_all(folder.parent().unwrap_or(folder))?;
        let world = World::init(&kep_binary()?, folder, &wish).await?;
        conf::let_many_in(&world)?;
        Ok(Self { domain, world })
    }

    /// By its seal, under its TLS authority, and known by its certificate when it connects.
    pub async fn register(&self, other: &Self) -> io::Result<()> {
        let shown = X509::from_pem(&std::fs::read(other.file("secrets/tls.pem"))?)?;
        let pin = HEXLOWER.encode(&shown.digest(MessageDigest::sha256())?);
        let host = format!("127.0.0.1:{}", other.world.doors().submission.port() + RELAY);
        let (seal, tls) = (other.file("secrets/seal.pem"), other.file("trust/tls-ca.pem"));
        let terms = ["--seal", text(&seal)?, "--tls-ca", text(&tls)?, "--client-pin", &pin];
        self.add(other.domain, &host, &terms).await
    }

    /// A provider that nobody answers for.
    pub async fn register_dead(&self, domain: &str) -> io::Result<()> {
        self.add(domain, NOBODY, &["--tls-pin", &"0f".repeat(32)]).await
    }

    async fn add(&self, domain: &str, host: &str, terms: &[&str]) -> io::Result<()> {
        let add = ["provider", "add", domain, "--name", "Öteki", "--host", host];
        self.kep(&[&add[..], terms].concat()).await.map(drop)
    }

    /// What a command that succeeds prints.
    pub async fn kep(&self, arguments: &[&str]) -> io::Result<String> {
        let mut command = Command::new(self.world.binary());
        command.args(arguments).arg("--conf").arg(self.file("kep.toml"));
        let ran = command.output().await?;
        let printed = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        match ran.status.success() {
            true => Ok(printed(&ran.stdout)),
            false => Err(io::Error::other(format!("{arguments:?}: {}", printed(&ran.stderr)))),
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.world.folder().join(name)
    }
}

/// The time-stamp authorities of all are believed by all.
pub fn believe(all: &[&Provider], file: &Path) -> io::Result<()> {
    let mut anchors = Vec::new();
    for provider in all {
        anchors.extend(std::fs::read(provider.file("trust/tsa-ca.pem"))?);
    }
    std::fs::write(file, anchors)?;
    for provider in all {
        conf::set(&provider.world, "trust", &[("tsa_anchors", text(file)?.into())])?;
    }
    Ok(())
}

fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::Error::other(format!("{path:?}")))
}

/// Of the relay, from the first port.
const RELAY: u16 = 4;
/// tcpmux, which no machine of today serves.
const NOBODY: &str = "127.0.0.1:1";
