//! The three things that segments ask of a disk, behind a door, so that a test can be a disk that
//! is full or fails to sync.

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
