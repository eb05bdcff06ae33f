//! Append-only segment files. Each record: a header (magic, blob id, length, checksum of the
//! header) and the stored octets with their checksum, so that a scan needs no rows.
//!
//! Records wait in memory until the next sync, so that a group of commits writes once; no row points
//! to them before.
//!
//! A segment that could not be written or synced is closed for good: what waited is lost with it, and
//! the kernel has dropped the error of a sync together with the pages, a second one would claim success.

use super::disk::Disk;
use crate::wire::{BlobId, Timestamp};
use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

pub struct Segments {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
    syncing: Mutex<()>,
    losses: AtomicU64,
}

struct State {
    next: u64,
    current: Option<Arc<Segment>>,
    /// The end of the current segment that is not in its file yet.
    pending: Vec<u8>,
    /// Not synced yet, the current one included.
    dirty: Vec<Arc<Segment>>,
    /// Segments that could not be synced, and how far they were synced before.
    failed: HashMap<u64, u64>,
    readers: Vec<(u64, Arc<File>)>,
}

struct Segment {
    number: u64,
    file: Arc<File>,
    written: AtomicU64,
    synced: AtomicU64,
}

impl Segments {
    /// A start begins a new segment: the tail of the last one may be torn.
    pub fn open(dir: &Path, disk: Arc<dyn Disk>) -> io::Result<Self> {
        create_durably(dir, &*disk)?;
        // A number is never used again: a mark outlives the newest segment for that.
        let used = numbers(dir, DATA)?.into_iter().chain(numbers(dir, MARK)?);
        let last = used.max().unwrap_or(0);
        let state = State {
            next: last + 1,
            current: None,
            pending: Vec::new(),
            dirty: Vec::new(),
            failed: HashMap::new(),
            readers: Vec::new(),
        };
        Ok(Self {
            dir: dir.to_owned(),
            disk,
            state: Mutex::new(state),
            syncing: Mutex::new(()),
            losses: AtomicU64::new(0),
        })
    }

    /// Appends a record; says in which segment and where its stored octets begin.
    pub fn append(&self, id: &BlobId, stored: &[u8]) -> io::Result<(u64, u64)> {
        let (head, tail) = around(id, stored);
        let mut state = self.lock();
        if state.pending.len() + stored.len() > PENDING_MAX {
            self.write_out(&mut state)?;
        }
        let segment = self.current(&mut state)?;
        let at = segment.written.load(Ordering::Acquire);
        let end = at + record_size(stored.len() as u64);
        if stored.len() > PENDING_MAX {
            // When this fails, what was written lies beyond `written`; the next record covers it.
            self.disk.write(&segment.file, &head, at)?;
            self.disk.write(&segment.file, stored, at + HEADER as u64)?;
            self.disk.write(&segment.file, &tail, end - SUM as u64)?;
        } else {
            [&head[..], stored, &tail]
                .iter()
                .for_each(|part| state.pending.extend_from_slice(part));
        }
        segment.written.store(end, Ordering::Release);
        if !state.dirty.iter().any(|dirty| dirty.number == segment.number) {
            state.dirty.push(Arc::clone(&segment));
        }
        Ok((segment.number, at + HEADER as u64))
    }

    pub fn sync(&self) -> io::Result<()> {
        // One sync at a time: who waited for it finds nothing left to do.
        let _one = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let dirty: Vec<_> = {
            let mut state = self.lock();
            self.write_out(&mut state)?;
            let dirty = std::mem::take(&mut state.dirty).into_iter();
            dirty.map(|segment| (segment.written.load(Ordering::Acquire), segment)).collect()
        };
        let mut outcome = Ok(());
        for (written, segment) in dirty {
            match self.disk.sync(&segment.file) {
                Ok(()) => segment.synced.store(written, Ordering::Release),
                Err(error) => {
                    self.give_up(&mut self.lock(), &segment);
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    /// Writes what waits, or gives it up together with its segment.
    fn write_out(&self, state: &mut State) -> io::Result<()> {
        let waiting = state.pending.len() as u64;
        let Some(segment) = state.current.clone().filter(|_| waiting > 0) else { return Ok(()) };
        let at = segment.written.load(Ordering::Acquire) - waiting;
        let written = self.disk.write(&segment.file, &state.pending, at);
        match written {
            Ok(()) => state.pending.clear(),
            Err(_) => {
                // Half of it may take room on a disk that is full; else it is only garbage.
                let _ = match at {
                    0 => std::fs::remove_file(self.path(segment.number)),
                    _ => segment.file.set_len(at),
                };
                self.give_up(state, &segment);
            }
        }
        written
    }

    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// How many segments were given up since the start.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }

    /// Whether a record was lost with a segment that could not be synced.
    pub fn lost(&self, number: u64, end: u64) -> bool {
        self.lock().failed.get(&number).is_some_and(|synced| end > *synced)
    }

    /// Whether nothing new may point into a segment: it is being emptied, or gone. Asked after the
    /// row was written; `compact.rs` says why.
    pub fn retired(&self, number: u64) -> bool {
        if self.lock().current.as_ref().is_some_and(|current| current.number == number) {
            return false;
        }
        self.mark(number).exists() || !self.path(number).exists()
    }

    pub fn read(&self, number: u64, range: Range<u64>) -> io::Result<Vec<u8>> {
        self.write_out_before(number, range.end)?;
        let file = self.reader(number)?;
        // A damaged row must not make us ask for more memory than the file has octets.
        let size = range.end.saturating_sub(range.start);
        if range.start > range.end || (size > LARGE && range.end > file.metadata()?.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; size as usize];
        file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    /// The stored octets of a whole record, checked against its header and checksum.
    pub fn read_record(&self, id: &BlobId, number: u64, stored: Range<u64>) -> io::Result<Vec<u8>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a damaged record");
        let start = stored.start.checked_sub(HEADER as u64).ok_or_else(damaged)?;
        let end = stored.end.checked_add(SUM as u64).ok_or_else(damaged)?;
        let mut read = self.read(number, start..end)?;
        let octets = read.get(HEADER..read.len().saturating_sub(SUM)).ok_or_else(damaged)?;
        let (head, tail) = around(id, octets);
        if !read.starts_with(&head) || !read.ends_with(&tail) {
            return Err(damaged());
        }
        read.truncate(read.len() - SUM);
        read.drain(..HEADER);
        Ok(read)
    }

    /// The segments there are, with their sizes.
    pub fn all(&self) -> io::Result<Vec<(u64, u64)>> {
        let mut all = Vec::new();
        for number in numbers(&self.dir, DATA)? {
            match std::fs::metadata(self.path(number)) {
                // Another process removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => all.push((number, found?.len())),
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    /// Those whose files were written last before that.
    pub fn of_before(&self, before: Timestamp) -> io::Result<HashSet<u64>> {
        let mut found = HashSet::new();
        for (number, _) in self.all()? {
            match std::fs::metadata(self.path(number)).and_then(|file| file.modified()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                written => {
                    let since = written?.duration_since(UNIX_EPOCH).unwrap_or_default();
                    let written = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
                    if written < before.millis() {
                        found.insert(number);
                    }
                }
            }
        }
        Ok(found)
    }

    pub fn is_marked(&self, number: u64) -> bool {
        self.mark(number).exists()
    }

    /// Keeps all processes from emptying a segment at the same time; `None` while one appends to it
    /// or empties it. Dropping it gives it back.
    pub fn claim(&self, number: u64) -> io::Result<Option<File>> {
        if self.lock().dirty.iter().any(|dirty| dirty.number == number) {
            return Ok(None);
        }
        let file = match File::open(self.path(number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// From here on nothing new points into this segment.
    pub fn retire(&self, number: u64) -> io::Result<()> {
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(self.mark(number))?;
        self.disk.sync_folder(&self.dir)
    }

    /// Deletes a segment to which no row points.
    pub fn remove(&self, number: u64) -> io::Result<()> {
        std::fs::remove_file(self.path(number))?;
        self.lock().readers.retain(|(n, _)| *n != number);
        self.disk.sync_folder(&self.dir)?;
        if numbers(&self.dir, DATA)?.into_iter().any(|other| other > number) {
            std::fs::remove_file(self.mark(number))?;
        }
        Ok(())
    }

    /// Who put a blob may read it before its row is committed.
    fn write_out_before(&self, number: u64, end: u64) -> io::Result<()> {
        let mut state = self.lock();
        let waiting = state.pending.len() as u64;
        let current = state.current.as_ref().filter(|current| current.number == number);
        let in_file = current.map(|current| current.written.load(Ordering::Acquire) - waiting);
        match in_file.is_some_and(|in_file| end > in_file) {
            true => self.write_out(&mut state),
            false => Ok(()),
        }
    }

    fn give_up(&self, state: &mut State, segment: &Arc<Segment>) {
        state.failed.insert(segment.number, segment.synced.load(Ordering::Acquire));
        // It may have been written to during the sync: it must not be synced a second time.
        state.dirty.retain(|dirty| dirty.number != segment.number);
        if state.current.as_ref().is_some_and(|current| current.number == segment.number) {
            state.current = None;
            state.pending.clear();
        }
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    fn current(&self, state: &mut State) -> io::Result<Arc<Segment>> {
        if let Some(segment) = &state.current
            && segment.written.load(Ordering::Acquire) < SEGMENT_SIZE
        {
            return Ok(Arc::clone(segment));
        }
        self.write_out(state)?;
        let (number, file) = self.create(state)?;
        let zero = || AtomicU64::new(0);
        let file = Arc::new(file);
        let segment = Arc::new(Segment { number, file, written: zero(), synced: zero() });
        if let Some(full) = state.current.replace(Arc::clone(&segment)) {
            full.file.unlock()?;
        }
        Ok(segment)
    }

    /// A new file, locked for as long as it is appended to. A number is used once, even when this
    /// fails half-way; another process on the same folder may have used it.
    fn create(&self, state: &mut State) -> io::Result<(u64, File)> {
        loop {
            let number = state.next;
            state.next += 1;
            let path = self.path(number);
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).mode(0o600);
            let file = match options.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened?,
            };
            file.lock()?;
            if let Err(error) = self.disk.sync_folder(&self.dir) {
                // Empty and without a row: leaving it would harm nobody.
                let _ = std::fs::remove_file(&path);
                return Err(error);
            }
            return Ok((number, file));
        }
    }

    fn reader(&self, number: u64) -> io::Result<Arc<File>> {
        let mut state = self.lock();
        if let Some(segment) = state.current.as_ref().filter(|s| s.number == number) {
            return Ok(Arc::clone(&segment.file));
        }
        if let Some((_, file)) = state.readers.iter().find(|(n, _)| *n == number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(self.path(number))?);
        if state.readers.len() == READERS {
            state.readers.remove(0);
        }
        state.readers.push((number, Arc::clone(&file)));
        Ok(file)
    }

    /// While somebody holds them, no process removes a segment; several may.
    pub fn hold(&self) -> io::Result<File> {
        let file = self.holding()?;
        file.lock_shared()?;
        Ok(file)
    }

    /// To be had while segments are removed; `None` while somebody holds them.
    pub fn let_go(&self) -> io::Result<Option<File>> {
        let file = self.holding()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn holding(&self) -> io::Result<File> {
        let path = self.dir.join(HOLD);
        OpenOptions::new().create(true).append(true).mode(0o600).open(path)
    }

    pub fn path(&self, number: u64) -> PathBuf {
        self.dir.join(file_name(number))
    }

    fn mark(&self, number: u64) -> PathBuf {
        self.dir.join(format!("segment-{number:08}{MARK}"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The octets of a file that a blob of so many stored octets takes.
pub fn record_size(stored: u64) -> u64 {
    stored.saturating_add((HEADER + SUM) as u64)
}

/// Where the record of stored octets that begin at `start` ends.
pub fn record_end(start: u64, stored: u64) -> u64 {
    start.saturating_add(stored).saturating_add(SUM as u64)
}

/// Makes a folder, ours alone, whose name survives a power cut.
fn create_durably(dir: &Path, disk: &dyn Disk) -> io::Result<()> {
    let mut missing = dir;
    let mut parents = Vec::new();
    while !missing.exists() {
        let parent = missing.parent().filter(|p| !p.as_os_str().is_empty());
        missing = parent.unwrap_or(Path::new("."));
        parents.push(missing);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    parents.iter().try_for_each(|parent| disk.sync_folder(parent))
}

fn numbers(dir: &Path, ending: &str) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        numbers.extend(number_of(&name.to_string_lossy(), ending));
    }
    Ok(numbers)
}

/// What stands before and after the stored octets.
fn around(id: &BlobId, stored: &[u8]) -> (Vec<u8>, [u8; SUM]) {
    let mut head = Vec::with_capacity(HEADER);
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&id.0);
    head.extend_from_slice(&(stored.len() as u64).to_be_bytes());
    let sum = crc32fast::hash(&head);
    head.extend_from_slice(&sum.to_be_bytes());
    (head, crc32fast::hash(stored).to_be_bytes())
}

/// What a segment's file is called.
pub fn file_name(number: u64) -> String {
    format!("segment-{number:08}{DATA}")
}

fn number_of(name: &str, ending: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(ending)?.parse().ok()
}

const DATA: &str = ".kepb";
/// Stands beside a segment that is being emptied.
const MARK: &str = ".retired";
/// Locked by who needs segments to stay, or removes them.
const HOLD: &str = "hold";

const MAGIC: &[u8; 4] = b"KEP1";
/// Magic, blob id, length, checksum.
const HEADER: usize = 4 + 16 + 8 + SUM;
/// CRC-32.
const SUM: usize = 4;
/// So many octets wait in memory; a larger record is written at once.
const PENDING_MAX: usize = 256 << 10;
/// Small enough to be compacted in one go, large enough that a busy day is some hundred files.
const SEGMENT_SIZE: u64 = 256 << 20;
/// Memory that may be asked for before it is known that the file has as much.
const LARGE: u64 = 1 << 20;
/// Files of older segments kept open.
const READERS: usize = 64;

#[cfg(test)]
mod tests;
