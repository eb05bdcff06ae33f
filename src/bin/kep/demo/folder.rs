//! Where the demonstration puts what it makes. A temporary folder goes when its value goes, unless there
//! is something to see in it.

use crate::failure::{Failure, Outcome};
use crate::wire_up;
use data_encoding::HEXLOWER;
use kep::trust::random;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    /// The named folder, which must be empty or absent, or a new one among the temporary ones.
    pub fn make(named: Option<&Path>) -> Outcome<Self> {
        let path = match named {
            Some(path) => wire_up::absolute(path),
            None => {
                let name = format!("kep-demo-{}", HEXLOWER.encode(&random::bytes::<6>()));
                std::env::temp_dir().join(name)
            }
        };
        let wrong = |e: std::io::Error| Failure::cannot_create(format!("{}: {e}", path.display()));
        if path.exists() && fs::read_dir(&path).map_err(wrong)?.next().is_some() {
            return Err(Failure::cannot_create(format!("{} is not empty", path.display()))
                .hint("name a new folder; nothing is ever overwritten"));
        }
        for sub in ["", "evidence", "mails", "original"] {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700).create(path.join(sub)).map_err(wrong)?;
        }
        Ok(Self { path, temporary: named.is_none() })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn keep(&mut self) {
        self.temporary = false;
    }

    pub fn write(&self, name: &str, octets: &[u8]) -> Outcome<PathBuf> {
        let path = self.path.join(name);
        let written = fs::write(&path, octets);
        written.map_err(|e| Failure::cannot_create(format!("{}: {e}", path.display())))?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("kep: {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_goes_with_its_value_unless_it_is_kept() {
        let gone = Folder::make(None).unwrap();
        let path = gone.path().to_owned();
        gone.write("mails/a.eml", b"a").unwrap();
        drop(gone);
        assert!(!path.exists());
        let mut kept = Folder::make(None).unwrap();
        kept.keep();
        let path = kept.path().to_owned();
        drop(kept);
        assert!(path.exists());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Folder::make(Some(dir.path())).is_ok());
        assert!(Folder::make(Some(dir.path())).is_err());
    }
}
