//! The master key's file: one line `GENERATION BASE64` each, mode 0600.

use super::VaultError;
use data_encoding::BASE64;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use zeroize::Zeroizing;

type Keys = BTreeMap<u32, Zeroizing<[u8; 32]>>;

pub(super) fn read(path: &Path) -> Result<Keys, VaultError> {
    let wrap = |source| VaultError::File { path: path.to_owned(), source };
    let metadata = std::fs::metadata(path).map_err(wrap)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(VaultError::Readable(path.to_owned()));
    }
    let form = || VaultError::Form(path.to_owned());
    if metadata.len() > MAX_FILE {
        return Err(form());
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(wrap)?);
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let keys = lines.map(key).collect::<Option<Keys>>().ok_or_else(form)?;
    if keys.is_empty() { Err(form()) } else { Ok(keys) }
}

/// A file that is there is never written over.
pub(super) fn write_new(path: &Path, keys: &Keys) -> Result<(), VaultError> {
    write(path, keys).map_err(|source| VaultError::File { path: path.to_owned(), source })
}

/// The old file stays until the new one is on disk.
pub(super) fn replace(path: &Path, keys: &Keys) -> Result<(), VaultError> {
    let wrap = |source| VaultError::File { path: path.to_owned(), source };
    let beside = path.with_extension("new");
    if beside.exists() {
        std::fs::remove_file(&beside).map_err(wrap)?;
    }
    write(&beside, keys).map_err(wrap)?;
    std::fs::rename(&beside, path).map_err(wrap)?;
    sync_folder(path).map_err(wrap)
}

fn write(path: &Path, keys: &Keys) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut text = Zeroizing::new(HEADER.to_owned());
    for (generation, key) in keys {
        let line = Zeroizing::new(format!("{generation} {}\n", BASE64.encode(key.as_slice())));
        text.push_str(&line);
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn key(line: &str) -> Option<(u32, Zeroizing<[u8; 32]>)> {
    let (generation, key) = line.split_once(' ')?;
    let octets = Zeroizing::new(BASE64.decode(key.trim().as_bytes()).ok()?);
    let key: [u8; 32] = octets.as_slice().try_into().ok()?;
    Some((generation.parse().ok()?, Zeroizing::new(key)))
}

const HEADER: &str =
    "# Master key of kep: without it nothing stored can be read. Keep a copy apart.\n";
/// A thousand generations.
const MAX_FILE: u64 = 64 * 1024;
