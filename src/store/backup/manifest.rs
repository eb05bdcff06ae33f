//! What a generation of a backup consists of, with the digest of each file, under the provider's own
//! key: whoever holds the backup alone can't write another one.

use super::BackupError;
use super::dump::Counts;
use crate::trust::secret::is_same;
use crate::trust::vault::{Purpose, Vault};
use crate::wire::sha256;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// `manifest.json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub kep_backup: u32,
    /// Which program wrote it.
    pub program: String,
    /// Whose it is.
    pub domain: String,
    /// All that was acknowledged before is in it.
    pub begun: String,
    pub ended: String,
    /// The version of the schema.
    pub schema: i64,
    /// Tells the master key without which nothing in it can be read.
    pub master_key: String,
    pub rows: Part,
    /// How many rows each table has.
    pub tables: Counts,
    pub segments: Vec<Part>,
}

/// A file, by its name within the generation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub file: String,
    pub octets: u64,
    pub sha256: String,
}

impl Manifest {
    pub fn octets(&self) -> u64 {
        self.parts().map(|part| part.octets).sum()
    }

    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.rows).chain(&self.segments)
    }

    pub fn count(&self, table: &str) -> u64 {
        self.tables.get(table).copied().unwrap_or(0)
    }

    /// The manifest and its proof, as files.
    pub(super) fn written(
        &self,
        vault: &Vault,
    ) -> Result<[(&'static str, Vec<u8>); 2], BackupError> {
        let form = |error: serde_json::Error| BackupError::Form(FILE.to_owned(), error.to_string());
        let mut text = serde_json::to_vec_pretty(self).map_err(form)?;
        text.push(b'\n');
        let proof = format!("{}\n", prove(vault, &text)?);
        Ok([(FILE, text), (PROOF, proof.into_bytes())])
    }

    /// What a generation's folder says of itself; nobody has vouched for it.
    pub fn read(generation: &Path) -> Result<Self, BackupError> {
        let path = generation.join(FILE);
        let text = std::fs::read(&path).map_err(BackupError::io(&path))?;
        let form = |what: String| BackupError::Form(path.display().to_string(), what);
        let manifest: Self = serde_json::from_slice(&text).map_err(|e| form(e.to_string()))?;
        if manifest.kep_backup != FORM {
            return Err(form(format!(
                "of form {}, which this program doesn't know",
                manifest.kep_backup
            )));
        }
        if !manifest.parts().all(|part| is_plain(&part.file)) {
            return Err(form("it names a file outside its folder".to_owned()));
        }
        Ok(manifest)
    }

    /// The same, when it was written with this master key and nobody has changed it since.
    pub fn proven(generation: &Path, vault: &Vault) -> Result<Self, BackupError> {
        let manifest = Self::read(generation)?;
        if !is_same(manifest.master_key.as_bytes(), master_key(vault)?.as_bytes()) {
            return Err(BackupError::OtherKey);
        }
        let read = |name| {
            let path = generation.join(name);
            std::fs::read(&path).map_err(BackupError::io(&path))
        };
        let (text, proof) = (read(FILE)?, read(PROOF)?);
        match is_same(proof.trim_ascii(), prove(vault, &text)?.as_bytes()) {
            true => Ok(manifest),
            false => Err(BackupError::Altered(generation.join(FILE))),
        }
    }
}

/// What tells a master key, and nothing about it.
pub(super) fn master_key(vault: &Vault) -> Result<String, BackupError> {
    Ok(HEXLOWER.encode(&vault.derive(Purpose::BackupKey, b"")?))
}

fn prove(vault: &Vault, text: &[u8]) -> Result<String, BackupError> {
    Ok(HEXLOWER.encode(&vault.derive(Purpose::BackupManifest, &sha256(text).0)?))
}

/// `blobs/segment-00000001.kepb`, and nothing that leads elsewhere.
fn is_plain(name: &str) -> bool {
    let good = |piece: &str| {
        !piece.is_empty()
            && !piece.starts_with('.')
            && piece.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    };
    name.split('/').count() <= 2 && name.split('/').all(good)
}

pub(super) const FORM: u32 = 1;
pub(super) const FILE: &str = "manifest.json";
const PROOF: &str = "manifest.proof";
