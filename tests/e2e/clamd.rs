//! clamd, as Debian has it, with two signatures of our own: that of the EICAR test file, and one more.

use crate::scene::until;
use crate::tool::tool;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A scanner; it ends with this value.
pub struct Clamd {
    folder: tempfile::TempDir,
    binary: PathBuf,
    child: Option<Child>,
}

impl Clamd {
    /// `None` where it is not installed. `more`: further lines of its configuration.
    pub async fn start(more: &str) -> Option<Self> {
        let binary = tool("clamd")?;
        let folder = tempfile::tempdir().unwrap();
        let signatures = folder.path().join("db");
        std::fs::create_dir(&signatures).unwrap();
        let line = |name: &str, octets: &str| {
            format!("{name}:0:*:{}\n", data_encoding::HEXLOWER.encode(octets.as_bytes()))
        };
        let text = line("Eicar-Test-Signature", &eicar()) + &line("Kep-Test", MARKED);
        std::fs::write(signatures.join("kep.ndb"), text).unwrap();
        let conf = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\nTemporaryDirectory {}\n\
             AlertEncryptedArchive yes\n{more}\n",
            folder.path().join("clamd.ctl").display(),
            signatures.display(),
            folder.path().display(),
        );
        std::fs::write(folder.path().join("clamd.conf"), conf).unwrap();
        let mut clamd = Self { folder, binary, child: None };
        clamd.go_on().await;
        Some(clamd)
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("clamd.ctl")
    }

    pub fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it anew.
    pub async fn go_on(&mut self) {
        self.end();
        // What a killed one leaves.
        let _ = std::fs::remove_file(self.socket());
        let conf = self.folder.path().join("clamd.conf");
        let mut command = Command::new(&self.binary);
        command.arg("--config-file").arg(conf);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let socket = self.socket();
        until("clamd answers", async || answers(&socket)).await;
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.end();
    }
}

fn answers(socket: &Path) -> Option<()> {
    let mut line = UnixStream::connect(socket).ok()?;
    line.write_all(b"zPING\0").ok()?;
    let mut said = Vec::new();
    line.read_to_end(&mut said).ok()?;
    (said == b"PONG\0").then_some(())
}

/// In two parts, so that no scanner finds it in our sources.
pub fn eicar() -> String {
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat()
}

/// What the second signature is of.
pub const MARKED: &str = "kep-deneme-imzasi-7c1f";
