//! The file of the master keys: read, written anew as a whole, one who changes it at a time.

use super::{Key, Purpose, VaultError};
use std::collections::BTreeMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;
use zeroize::Zeroizing;

/// What the file holds.
pub struct Keys {
    /// The oldest first.
    pub masters: Vec<(u8, Key)>,
    /// By purpose, of generations that went.
    pub derived: BTreeMap<String, Key>,
    /// Which file it was.
    seen: Option<(u64, i64, i64, u64)>,
}

impl Keys {
    pub fn with(masters: Vec<(u8, Key)>) -> Self {
        Self { masters, derived: BTreeMap::new(), seen: None }
    }

    pub fn generation(&self) -> u8 {
        self.masters.last().map_or(0, |(generation, _)| *generation)
    }

    pub fn master(&self, generation: u8) -> Option<&Key> {
        self.masters.iter().find(|(known, _)| *known == generation).map(|(_, key)| key)
    }

    pub fn derived(&self, purpose: Purpose) -> Result<Key, VaultError> {
        if let Some(key) = self.derived.get(purpose.label()) {
            return Ok(key.clone());
        }
        let (_, master) = self.masters.first().ok_or(VaultError::NoGeneration(0))?;
        let key = crate::trust::scram::hmac(&master[..], purpose.label().as_bytes())?;
        Ok(Zeroizing::new(key))
    }
}

pub fn read(path: &Path) -> Result<Keys, VaultError> {
    let name = path.display().to_string();
    let io = |error| VaultError::File(name.clone(), error);
    let mut file = File::open(path).map_err(io)?;
    let found = file.metadata().map_err(io)?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Mode(name, mode));
    }
    let mut text = Zeroizing::new(String::new());
    io::Read::read_to_string(&mut file, &mut text).map_err(io)?;
    let mut keys = Keys::with(Vec::new());
    keys.seen = Some(which(&found));
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let taken = take(&mut keys, line.trim());
        taken.ok_or_else(|| VaultError::Form(name.clone(), at + 1))?;
    }
    match keys.masters.is_empty() {
        true => Err(VaultError::Form(name, 1)),
        false => Ok(keys),
    }
}

fn take(keys: &mut Keys, line: &str) -> Option<()> {
    if let Some(derived) = line.strip_prefix("derive ") {
        let (hex, label) = derived.split_once(' ')?;
        keys.derived.insert(label.to_owned(), key(hex)?);
        return Some(());
    }
    let (generation, hex) = line.split_once(' ')?;
    keys.masters.push((generation.parse().ok()?, key(hex)?));
    Some(())
}

fn key(hex: &str) -> Option<Key> {
    let bytes = Zeroizing::new(data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?);
    let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
    Some(Zeroizing::new(key))
}

/// Whether another file stands there by now.
pub fn changed(path: &Path, keys: &Keys) -> bool {
    std::fs::metadata(path).is_ok_and(|found| Some(which(&found)) != keys.seen)
}

fn which(found: &Metadata) -> (u64, i64, i64, u64) {
    (found.ino(), found.mtime(), found.mtime_nsec(), found.len())
}

/// Changes the file: nobody else does meanwhile, and a crash leaves the old one or the new one.
pub fn change(
    path: &Path,
    how: impl FnOnce(&mut Keys) -> Result<(), VaultError>,
) -> Result<(), VaultError> {
    let io = |error| VaultError::File(path.display().to_string(), error);
    let _lock = lock(path).map_err(io)?;
    let mut keys = read(path)?;
    how(&mut keys)?;
    replace(path, &keys).map_err(io)
}

/// Of the file that stands there: who waited for one that was replaced meanwhile, waits for the next.
fn lock(path: &Path) -> io::Result<File> {
    loop {
        let file = File::open(path)?;
        file.lock()?;
        let (held, there) = (file.metadata()?, std::fs::metadata(path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}

fn replace(path: &Path, keys: &Keys) -> io::Result<()> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {} // one that a crash left behind
    }
    write_new(&beside, keys)?;
    let (old, new) = (std::fs::metadata(path)?, std::fs::metadata(&beside)?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        chown(&beside, Some(old.uid()), Some(old.gid()))?;
    }
    std::fs::rename(&beside, path)?;
    sync_folder(path)
}

pub fn write_new(path: &Path, keys: &Keys) -> io::Result<()> {
    let mut text = Zeroizing::new(String::new());
    let hex = |key: &Key| Zeroizing::new(data_encoding::HEXLOWER.encode(&**key));
    for (generation, key) in &keys.masters {
        text.push_str(&Zeroizing::new(format!("{generation} {}\n", *hex(key))));
    }
    for (label, key) in &keys.derived {
        text.push_str(&Zeroizing::new(format!("derive {} {label}\n", *hex(key))));
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}

/// The file's name is on disk too.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
