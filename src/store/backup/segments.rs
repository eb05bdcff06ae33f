//! Segments of a backup. They are appended to and never changed, so one that a generation has already is
//! not copied again: it gets a second name there (a hard link).

use super::BackupError;
use super::folder::NEW;
use super::manifest::Part;
use crate::wire::digest::RunningDigest;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// How a segment came into a generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    Copied,
    /// The generation before has it.
    Linked,
    /// A run that did not end had copied it.
    Found,
}

/// A segment as the rows need it.
pub(super) struct Wanted<'w> {
    pub live: &'w Path,
    /// Its name within the generation.
    pub name: String,
    pub octets: u64,
}

impl Wanted<'_> {
    /// Puts it into the generation that is made, unless it is there. `before`: where the last generation
    /// has it, and what its manifest says.
    pub fn fetch(
        &self,
        part: &Path,
        before: Option<(&Path, &Part)>,
    ) -> Result<(Came, Part), BackupError> {
        let target = part.join(&self.name);
        let live = File::open(self.live).map_err(BackupError::io(self.live))?;
        let described = |sha256| Part { file: self.name.clone(), octets: self.octets, sha256 };
        if self.is_at(&live, &target)? {
            let digest = copy(&target, None, self.octets)?;
            return Ok((Came::Found, described(digest)));
        }
        if let Some((folder, known)) = before.filter(|(_, known)| known.octets == self.octets) {
            let source = folder.join(&known.file);
            if self.is_at(&live, &source)? && link(&source, &target)? {
                return Ok((Came::Linked, described(known.sha256.clone())));
            }
        }
        let digest = copy(self.live, Some(&target), self.octets)?;
        Ok((Came::Copied, described(digest)))
    }

    /// Whether a file is this segment. Each record begins with a random name and nothing is ever changed, so
    /// beginning, length and end tell; that the rest is well, digests prove (`--verify`).
    fn is_at(&self, live: &File, path: &Path) -> Result<bool, BackupError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            opened => opened.map_err(BackupError::io(path))?,
        };
        let length = file.metadata().map_err(BackupError::io(path))?.len();
        if length != self.octets {
            return Ok(false);
        }
        let size = self.octets.min(ENDS);
        let same = [0, self.octets - size].into_iter().try_fold(true, |same, at| {
            let (mut here, mut there) = (vec![0; size as usize], vec![0; size as usize]);
            live.read_exact_at(&mut here, at)?;
            file.read_exact_at(&mut there, at)?;
            Ok(same && here == there)
        });
        same.map_err(BackupError::io(path))
    }
}

/// Not every disk knows a second name for a file: then it is copied.
fn link(source: &Path, target: &Path) -> Result<bool, BackupError> {
    match std::fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BackupError::io(target)(error));
        }
        _ => {}
    }
    Ok(std::fs::hard_link(source, target).is_ok())
}

/// Copies so many octets, durably, and tells their digest; without a target it only reads them.
pub(super) fn copy(
    source: &Path,
    target: Option<&Path>,
    octets: u64,
) -> Result<String, BackupError> {
    let mut from = File::open(source).map_err(BackupError::io(source))?.take(octets);
    let mut to = match target {
        None => None,
        Some(target) => {
            let beside = target.with_extension(NEW);
            let mut options = OpenOptions::new();
            let made = options.create(true).write(true).truncate(true).mode(0o600).open(&beside);
            Some((made.map_err(BackupError::io(&beside))?, beside, target))
        }
    };
    let (mut digest, mut read, mut buffer) = (RunningDigest::default(), 0, vec![0; CHUNK]);
    loop {
        let size = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            size => size.map_err(BackupError::io(source))?,
        };
        let Some(octets) = buffer.get(..size).filter(|octets| !octets.is_empty()) else { break };
        digest.add(octets);
        read += size as u64;
        if let Some((file, beside, _)) = &mut to {
            file.write_all(octets).map_err(BackupError::io(beside))?;
        }
    }
    if read != octets {
        return Err(BackupError::Short(source.to_owned(), octets));
    }
    if let Some((file, beside, target)) = to {
        file.sync_all().map_err(BackupError::io(&beside))?;
        std::fs::rename(&beside, target).map_err(BackupError::io(target))?;
    }
    Ok(digest.finish().hex())
}

const CHUNK: usize = 1 << 20;
/// Octets at either end that are compared.
const ENDS: u64 = 4 << 10;
