use super::*;
use crate::store::blobs::disk::SystemDisk;
use std::sync::atomic::AtomicBool;

/// Fails where it is told to; may let somebody write during a sync.
#[derive(Default)]
struct Faulty {
    syncs: AtomicBool,
    writes: AtomicBool,
    folders: AtomicBool,
    during_sync: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Disk for Faulty {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()> {
        if self.writes.load(Ordering::SeqCst) {
            SystemDisk.write(file, &octets[..octets.len() / 2], at)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        SystemDisk.write(file, octets, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let during = self.during_sync.lock().unwrap().take();
        if let Some(during) = during {
            during();
        }
        if self.syncs.load(Ordering::SeqCst) {
            return Err(io::Error::other("EIO"));
        }
        SystemDisk.sync(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.folders.load(Ordering::SeqCst) {
            return Err(io::Error::other("EIO"));
        }
        SystemDisk.sync_folder(folder)
    }
}

fn segments() -> (tempfile::TempDir, Arc<Faulty>, Arc<Segments>) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty::default());
    let segments = Segments::open(dir.path(), Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    (dir, disk, Arc::new(segments))
}

fn end(at: (u64, u64), stored: &[u8]) -> u64 {
    at.1 + stored.len() as u64
}

const A: BlobId = BlobId([1; 16]);
const B: BlobId = BlobId([2; 16]);

#[test]
fn a_segment_that_failed_to_sync_is_closed_for_good() {
    let (_dir, disk, segments) = segments();
    let kept = segments.append(&A, b"before").unwrap();
    segments.sync().unwrap();
    let lost = segments.append(&B, b"after").unwrap();
    disk.syncs.store(true, Ordering::SeqCst);
    segments.sync().unwrap_err();
    disk.syncs.store(false, Ordering::SeqCst);
    segments.sync().unwrap();
    assert!(!segments.lost(kept.0, end(kept, b"before")), "synced before");
    assert!(segments.lost(lost.0, end(lost, b"after")));
    let next = segments.append(&B, b"again").unwrap();
    assert!(next.0 > lost.0, "a new file");
    segments.sync().unwrap();
    assert!(!segments.lost(next.0, end(next, b"again")));
    assert_eq!(segments.losses(), 1);
}

#[test]
fn what_is_appended_during_a_failing_sync_is_lost_with_it() {
    let (_dir, disk, segments) = segments();
    segments.append(&A, b"first").unwrap();
    let late = Arc::new(Mutex::new((0, 0)));
    let (writer, place) = (Arc::clone(&segments), Arc::clone(&late));
    *disk.during_sync.lock().unwrap() = Some(Box::new(move || {
        *place.lock().unwrap() = writer.append(&B, b"late").unwrap();
    }));
    disk.syncs.store(true, Ordering::SeqCst);
    segments.sync().unwrap_err();
    disk.syncs.store(false, Ordering::SeqCst);
    segments.sync().unwrap();
    let late = *late.lock().unwrap();
    assert!(segments.lost(late.0, end(late, b"late")), "a second sync would claim success");
}

#[test]
fn records_that_could_not_be_written_are_lost_with_the_end_of_their_segment() {
    let (_dir, disk, segments) = segments();
    let kept = segments.append(&A, b"kept").unwrap();
    segments.sync().unwrap();
    let lost = segments.append(&B, &[7; 4096]).unwrap();
    disk.writes.store(true, Ordering::SeqCst);
    assert_eq!(segments.sync().unwrap_err().kind(), io::ErrorKind::StorageFull);
    // Again and again: no empty files are left behind.
    for _ in 0..3 {
        let lost = segments.append(&B, &[7; 4096]).unwrap();
        segments.sync().unwrap_err();
        assert!(segments.lost(lost.0, end(lost, &[7; 4096])));
    }
    assert_eq!(segments.all().unwrap().len(), 1);
    disk.writes.store(false, Ordering::SeqCst);
    assert!(segments.lost(lost.0, end(lost, &[7; 4096])));
    let next = segments.append(&A, b"next").unwrap();
    segments.sync().unwrap();
    assert!(next.0 > lost.0, "another file");
    for (at, stored) in [(kept, b"kept"), (next, b"next")] {
        assert!(!segments.lost(at.0, end(at, stored)));
        assert_eq!(segments.read_record(&A, at.0, at.1..end(at, stored)).unwrap(), stored);
    }
}

#[test]
fn more_than_may_wait_in_memory_is_written_before_the_sync() {
    let (_dir, disk, segments) = segments();
    let half = vec![7; PENDING_MAX / 2 + 1];
    let first = segments.append(&A, &half).unwrap();
    disk.writes.store(true, Ordering::SeqCst);
    segments.append(&B, &half).unwrap_err();
    assert!(segments.lost(first.0, end(first, &half)));
    segments.append(&B, &vec![7; PENDING_MAX + 1]).unwrap_err();
    disk.writes.store(false, Ordering::SeqCst);
    let large = vec![8; PENDING_MAX + 1];
    let second = segments.append(&B, &large).unwrap();
    segments.sync().unwrap();
    assert_eq!(segments.read_record(&B, second.0, second.1..end(second, &large)).unwrap(), large);
}

#[test]
fn what_waits_in_memory_can_be_read() {
    let (_dir, _disk, segments) = segments();
    let first = segments.append(&A, b"first").unwrap();
    assert_eq!(segments.read(first.0, first.1..end(first, b"first")).unwrap(), b"first");
}

#[test]
fn a_folder_that_could_not_be_synced_does_not_block_the_next_segment() {
    let (_dir, disk, segments) = segments();
    disk.folders.store(true, Ordering::SeqCst);
    segments.append(&A, b"x").unwrap_err();
    disk.folders.store(false, Ordering::SeqCst);
    segments.append(&A, b"x").unwrap();
}

#[test]
fn two_processes_on_a_folder_use_files_of_their_own() {
    let (dir, _disk, segments) = segments();
    let other = Segments::open(dir.path(), Arc::new(SystemDisk)).unwrap();
    let ours = segments.append(&A, b"ours").unwrap();
    let theirs = other.append(&B, b"theirs").unwrap();
    assert_ne!(ours.0, theirs.0);
    segments.sync().unwrap();
    assert_eq!(other.read(ours.0, ours.1..end(ours, b"ours")).unwrap(), b"ours");
    assert!(other.claim(ours.0).unwrap().is_none(), "it is appended to");
    drop(segments);
    assert!(other.claim(ours.0).unwrap().is_some());
}

#[test]
fn a_damaged_record_and_a_range_beyond_the_file_are_errors() {
    let (dir, _disk, segments) = segments();
    let at = segments.append(&A, b"octets").unwrap();
    segments.sync().unwrap();
    let range = at.1..end(at, b"octets");
    assert!(segments.read_record(&B, at.0, range.clone()).is_err(), "another blob's");
    assert!(segments.read(at.0, 0..u64::MAX).is_err());
    let path = dir.path().join("segment-00000001.kepb");
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"X", at.1).unwrap();
    assert!(segments.read_record(&A, at.0, range).is_err());
}

#[test]
fn numbers_of_removed_segments_are_not_used_again() {
    let (dir, _disk, segments) = segments();
    let at = segments.append(&A, b"x").unwrap();
    segments.sync().unwrap();
    segments.retire(at.0).unwrap();
    segments.remove(at.0).unwrap();
    drop(segments);
    let again = Segments::open(dir.path(), Arc::new(SystemDisk)).unwrap();
    assert!(again.append(&A, b"x").unwrap().0 > at.0);
}
