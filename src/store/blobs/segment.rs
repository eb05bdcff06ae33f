//! Append-only segment files. Each record: a header (magic, blob id, length, checksum of the
//! header) and the stored octets with their checksum, so that a scan needs no rows.
//!
//! A segment whose sync failed is closed for good: the kernel has dropped the error together with
//! the pages, a second sync would claim success.

use crate::wire::BlobId;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Segments {
    dir: PathBuf,
    state: Mutex<State>,
    syncing: Mutex<()>,
}

struct State {
    next: u64,
    current: Option<Arc<Segment>>,
    /// Not synced yet, the current one included.
    dirty: Vec<Arc<Segment>>,
    failed: Vec<Arc<Segment>>,
    readers: Vec<(u64, Arc<File>)>,
}

struct Segment {
    number: u64,
    file: Arc<File>,
    written: AtomicU64,
    synced: AtomicU64,
    failed: AtomicBool,
}

impl Segments {
    /// A start begins a new segment: the tail of the last one may be torn.
    pub fn open(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut last = 0;
        for entry in std::fs::read_dir(dir)? {
            let number = number_of(&entry?.file_name().to_string_lossy());
            last = last.max(number.unwrap_or(0));
        }
        let state = State {
            next: last + 1,
            current: None,
            dirty: Vec::new(),
            failed: Vec::new(),
            readers: Vec::new(),
        };
        Ok(Self { dir: dir.to_owned(), state: Mutex::new(state), syncing: Mutex::new(()) })
    }

    /// Appends a record; says in which segment and where its stored octets begin.
    pub fn append(&self, id: &BlobId, stored: &[u8]) -> io::Result<(u64, u64)> {
        let record = record(id, stored);
        let mut state = self.lock();
        let segment = self.current(&mut state)?;
        let at = segment.written.load(Ordering::Acquire);
        // When this fails, what was written lies beyond `written`; the next record covers it.
        segment.file.write_all_at(&record, at)?;
        segment.written.store(at + record.len() as u64, Ordering::Release);
        if !state.dirty.iter().any(|dirty| dirty.number == segment.number) {
            state.dirty.push(Arc::clone(&segment));
        }
        Ok((segment.number, at + HEADER as u64))
    }

    pub fn sync(&self) -> io::Result<()> {
        // One sync at a time: who waited for it finds nothing left to do.
        let _one = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let dirty = std::mem::take(&mut self.lock().dirty);
        let mut outcome = Ok(());
        for segment in dirty {
            let written = segment.written.load(Ordering::Acquire);
            match segment.file.sync_data() {
                Ok(()) => segment.synced.store(written, Ordering::Release),
                Err(error) => {
                    self.give_up(&segment);
                    outcome = Err(error);
                }
            }
        }
        outcome
    }

    /// Whether a record was lost with a segment that could not be synced.
    pub fn lost(&self, number: u64, end: u64) -> bool {
        let state = self.lock();
        let failed = state.failed.iter().find(|segment| segment.number == number);
        failed.is_some_and(|segment| end > segment.synced.load(Ordering::Acquire))
    }

    pub fn read(&self, number: u64, range: Range<u64>) -> io::Result<Vec<u8>> {
        let file = self.reader(number)?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.read_exact_at(&mut bytes, range.start)?;
        Ok(bytes)
    }

    fn give_up(&self, segment: &Arc<Segment>) {
        segment.failed.store(true, Ordering::Release);
        let mut state = self.lock();
        state.failed.push(Arc::clone(segment));
        if state.current.as_ref().is_some_and(|current| current.number == segment.number) {
            state.current = None;
        }
    }

    fn current(&self, state: &mut State) -> io::Result<Arc<Segment>> {
        if let Some(segment) = &state.current
            && segment.written.load(Ordering::Acquire) < SEGMENT_SIZE
        {
            return Ok(Arc::clone(segment));
        }
        let number = state.next;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = Arc::new(options.open(self.path(number))?);
        File::open(&self.dir)?.sync_all()?;
        let segment = Arc::new(Segment {
            number,
            file,
            written: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        });
        state.next += 1;
        state.current = Some(Arc::clone(&segment));
        Ok(segment)
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

    fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("segment-{number:08}.kepb"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(id: &BlobId, stored: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEADER + stored.len() + 4);
    record.extend_from_slice(MAGIC);
    record.extend_from_slice(&id.0);
    record.extend_from_slice(&(stored.len() as u64).to_be_bytes());
    let sum = crc32fast::hash(&record);
    record.extend_from_slice(&sum.to_be_bytes());
    record.extend_from_slice(stored);
    record.extend_from_slice(&crc32fast::hash(stored).to_be_bytes());
    record
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("segment-")?.strip_suffix(".kepb")?.parse().ok()
}

const MAGIC: &[u8; 4] = b"KEP1";
/// Magic, blob id, length, checksum.
const HEADER: usize = 4 + 16 + 8 + 4;
/// Small enough to be compacted in one go, large enough that a busy day is some hundred files.
const SEGMENT_SIZE: u64 = 256 << 20;
/// Files of older segments kept open.
const READERS: usize = 64;
