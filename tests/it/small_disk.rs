//! A file system of a few megabytes, to be filled: root can mount one, in memory.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Unmounted with this value.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, said aloud, where mounting is not allowed.
    pub fn mount(at: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "kep"]).arg(at);
        let mount = mount.output().expect("mount is on every system");
        if mount.status.success() {
            return Some(Self(at.to_owned()));
        }
        let said = String::from_utf8_lossy(&mount.stderr).into_owned();
        let forbidden = ["must be superuser", "only root", "permission denied", "not permitted"];
        let forbidden = forbidden.iter().any(|why| said.to_lowercase().contains(why));
        assert!(forbidden, "a small tmpfs could not be mounted: {said}");
        eprintln!("SKIPPED: full disk: this user may not mount: {}", said.trim());
        None
    }

    /// Takes all room but `left` octets.
    pub fn fill(&self, left: u64) {
        let mut file = File::create(self.0.join(BALLAST)).expect("room for a name");
        while file.write_all(&[1; 4096]).is_ok() {}
        let size = file.metadata().expect("it is open").len();
        file.set_len(size.saturating_sub(left)).expect("it gets shorter");
    }

    pub fn empty(&self) {
        std::fs::remove_file(self.0.join(BALLAST)).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: somebody may still be closing files there.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const BALLAST: &str = "ballast";
