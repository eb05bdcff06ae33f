//! What can be wrong with keys, certificates and their files; words for the administrator.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: {problem}", path = path.display())]
    Content { path: PathBuf, problem: String },
    #[error("the certificate: {0}")]
    Certificate(String),
    #[error("the key: {0}")]
    Key(String),
    #[error("the certificate {0} does not belong to the key")]
    KeyMismatch(String),
    #[error("the token: {0}")]
    Token(String),
    #[error("cryptography: {0}")]
    Crypto(#[from] openssl::error::ErrorStack),
    #[error("signing: {0}")]
    Sign(#[from] super::SignError),
    #[error("the setting: {0}")]
    Setting(String),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the vault: {0}")]
    Vault(#[from] super::vault::VaultError),
    #[error("password: {0}")]
    Password(String),
}

impl TrustError {
    pub(super) fn content(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Content { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Reads a file of keys or certificates; none of them is large.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, TrustError> {
    let wrap = |source| TrustError::File { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(wrap)?.len();
    if size > MAX_FILE {
        return Err(TrustError::content(path, "larger than 1 MiB"));
    }
    std::fs::read(path).map_err(wrap)
}

const MAX_FILE: u64 = 1024 * 1024;
