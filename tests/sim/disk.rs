//! A disk whose power can fail before or after any write, and which then forgets what was not synced.

use crate::task::{Gate, gate};
use kep::store::blobs::disk::Disk;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

pub struct SimDisk {
    state: Mutex<State>,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct State {
    /// Doors that are passed before the power fails.
    fuse: Option<u32>,
    out: bool,
    /// By inode: how much of a file is synced.
    files: BTreeMap<u64, (File, u64)>,
    /// Names in a folder that a sync of it has made durable.
    names: BTreeMap<PathBuf, BTreeSet<String>>,
}

impl SimDisk {
    pub fn new() -> Self {
        Self { state: Mutex::default(), gate: gate() }
    }

    pub fn arm(&self, doors: u32) {
        self.lock().fuse = Some(doors);
    }

    /// From here on nothing is written.
    pub fn cut(&self) {
        self.lock().out = true;
        self.gate.ring();
    }

    pub fn is_out(&self) -> bool {
        self.lock().out
    }

    /// What a power cut leaves: of each file what was synced, and only names that were.
    pub fn forget_unsynced(&self, folder: &Path) -> io::Result<()> {
        let state = self.lock();
        for (file, synced) in state.files.values() {
            if file.metadata()?.len() > *synced {
                file.set_len(*synced)?;
            }
        }
        let durable = state.names.get(folder);
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = state.files.contains_key(&entry.metadata()?.ino());
            if ours && !durable.is_some_and(|names| names.contains(&name)) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn door(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        match state.fuse {
            Some(0) => state.out = true,
            Some(left) => state.fuse = Some(left - 1),
            None => {}
        }
        match state.out {
            true => Err(io::Error::other("the power is out")),
            false => Ok(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Disk for SimDisk {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.door()?;
        let inode = file.metadata()?.ino();
        if let std::collections::btree_map::Entry::Vacant(place) = state.files.entry(inode) {
            place.insert((file.try_clone()?, 0));
        }
        file.write_all_at(octets, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.door()?;
        let found = file.metadata()?;
        if let Some((_, synced)) = state.files.get_mut(&found.ino()) {
            *synced = found.len();
        }
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.door()?;
        let mut names = BTreeSet::new();
        for entry in std::fs::read_dir(folder)? {
            names.insert(entry?.file_name().to_string_lossy().into_owned());
        }
        state.names.insert(folder.to_owned(), names);
        Ok(())
    }

    fn before_commit(&self) -> io::Result<()> {
        self.gate.pass(|| self.is_out());
        self.door().map(drop)
    }

    fn after_commit(&self) -> io::Result<()> {
        self.door().map(drop)
    }
}
