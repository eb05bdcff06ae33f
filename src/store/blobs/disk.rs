//! What segments ask of a disk, and the moments around a commit, behind a door, so that a test can be
//! a disk that is full, fails to sync, or loses its power between any two writes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

pub trait Disk: Send + Sync {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()>;
    /// Makes a file's octets durable.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Embedded rows are about to be made durable; blobs that they point to are.
    fn before_commit(&self) -> io::Result<()> {
        Ok(())
    }
    /// Rows are durable, and nobody has heard of it.
    fn after_commit(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The disk that the operating system has.
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(octets, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}
