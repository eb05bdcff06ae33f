//! The folder of a backup: `generations/20261129T004500.123Z/` each whole, one ending in `.part` while it is
//! made (a crash leaves it, the next run goes on with it), one in `.gone` while it is taken away.

use super::BackupError;
use super::manifest::Manifest;
use crate::wire::Timestamp;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub struct Folder(PathBuf);

impl Folder {
    /// One that is there.
    pub fn find(path: &Path) -> Result<Self, BackupError> {
        match path.join(GENERATIONS).is_dir() {
            true => Ok(Self(path.to_owned())),
            false => Err(BackupError::Absent(path.to_owned())),
        }
    }

    /// Makes it where there is none. One with other things in it is not ours.
    pub fn make(path: &Path) -> Result<Self, BackupError> {
        let other = |name: &std::ffi::OsStr| !OURS.iter().any(|ours| name == *ours);
        if let Ok(entries) = std::fs::read_dir(path)
            && entries.flatten().any(|entry| other(&entry.file_name()))
        {
            return Err(BackupError::NotOurs(path.to_owned()));
        }
        make_folder(&path.join(GENERATIONS))?;
        Ok(Self(path.to_owned()))
    }

    /// One at a time makes or takes away generations.
    pub fn lock(&self) -> Result<File, BackupError> {
        let path = self.0.join(LOCK);
        let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = opened.map_err(BackupError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(BackupError::Busy(self.0.clone())),
            Err(TryLockError::Error(error)) => Err(BackupError::io(&path)(error)),
        }
    }

    /// Whole generations, oldest first.
    pub fn generations(&self) -> Result<Vec<String>, BackupError> {
        let mut names = self.names()?;
        names.retain(|name| !name.ends_with(PART) && !name.ends_with(GONE));
        Ok(names)
    }

    pub fn path(&self, generation: &str) -> PathBuf {
        self.0.join(GENERATIONS).join(generation)
    }

    /// Its path, when there is one of this name, or the newest.
    pub fn chosen(&self, generation: Option<&str>) -> Result<(String, PathBuf), BackupError> {
        let all = self.generations()?;
        let found = match generation {
            Some(wanted) => all.into_iter().find(|name| name == wanted),
            None => all.into_iter().next_back(),
        };
        let name = found.ok_or_else(|| match generation {
            Some(wanted) => BackupError::NoGeneration(wanted.to_owned()),
            None => BackupError::Absent(self.0.clone()),
        })?;
        let path = self.path(&name);
        Ok((name, path))
    }

    /// A folder to fill: that of a run which did not end, or a new one.
    pub(super) fn begin(&self, at: Timestamp) -> Result<(String, PathBuf), BackupError> {
        let name: String = at.iso8601().chars().filter(|c| !"-:".contains(*c)).collect();
        let (whole, part) = (self.path(&name), self.path(&format!("{name}{PART}")));
        if whole.exists() {
            return Err(BackupError::Busy(self.0.clone()));
        }
        // Names are times: the newest would not be the last, and be the first to go.
        if let Some(later) = self.generations()?.pop().filter(|newest| *newest > name) {
            return Err(BackupError::Ahead(later));
        }
        let unfinished = self.names()?.into_iter().rfind(|name| name.ends_with(PART));
        match unfinished.map(|name| self.path(&name)).filter(|path| *path != part) {
            Some(old) => std::fs::rename(&old, &part).map_err(BackupError::io(&old))?,
            None => make_folder(&part)?,
        }
        make_folder(&part.join(BLOBS))?;
        Ok((name, part))
    }

    /// From here on it counts.
    pub(super) fn finish(&self, part: &Path, name: &str) -> Result<(), BackupError> {
        for folder in [part.join(BLOBS), part.to_owned()] {
            sync_folder(&folder)?;
        }
        std::fs::rename(part, self.path(name)).map_err(BackupError::io(part))?;
        sync_folder(&self.0.join(GENERATIONS))
    }

    /// Takes the oldest away until so many are left, and what an earlier run began to take away. The one
    /// that was just made stays.
    pub(super) fn prune(
        &self,
        keep: Option<usize>,
        made: &str,
    ) -> Result<Vec<String>, BackupError> {
        let mut all = self.generations()?;
        all.retain(|name| name != made);
        let surplus = keep.map_or(0, |keep| (all.len() + 1).saturating_sub(keep.max(1)));
        for name in all.iter().take(surplus) {
            let (whole, gone) = (self.path(name), self.path(&format!("{name}{GONE}")));
            std::fs::rename(&whole, &gone).map_err(BackupError::io(&whole))?;
        }
        for name in self.names()?.iter().filter(|name| name.ends_with(GONE)) {
            let path = self.path(name);
            std::fs::remove_dir_all(&path).map_err(BackupError::io(&path))?;
        }
        Ok(all.into_iter().take(surplus).collect())
    }

    /// The newest generation that can be read, for what it has already.
    pub(super) fn newest(&self) -> Result<Option<(PathBuf, Manifest)>, BackupError> {
        let all = self.generations()?.into_iter().rev().map(|name| self.path(&name));
        Ok(all.filter_map(|path| Some((path.clone(), Manifest::read(&path).ok()?))).next())
    }

    fn names(&self) -> Result<Vec<String>, BackupError> {
        let path = self.0.join(GENERATIONS);
        let entries = std::fs::read_dir(&path).map_err(BackupError::io(&path))?;
        let names: io::Result<Vec<_>> = entries.map(|entry| entry.map(|e| e.file_name())).collect();
        let names = names.map_err(BackupError::io(&path))?;
        let mut names: Vec<_> =
            names.into_iter().filter_map(|name| name.into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

pub(super) fn make_folder(path: &Path) -> Result<(), BackupError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(BackupError::io(path))
}

pub(super) fn sync_folder(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(BackupError::io(path))
}

/// A file that is whole or not there.
pub(super) fn write_file(path: &Path, octets: &[u8]) -> Result<(), BackupError> {
    let beside = path.with_extension(NEW);
    let write = || {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).write(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(octets)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(BackupError::io(path))
}

pub(super) const BLOBS: &str = "blobs";
/// What is not whole yet.
pub(super) const NEW: &str = "new";
const GENERATIONS: &str = "generations";
const LOCK: &str = "lock";
const PART: &str = ".part";
const GONE: &str = ".gone";
/// `lost+found` is a disk's own.
const OURS: [&str; 3] = [GENERATIONS, LOCK, "lost+found"];
