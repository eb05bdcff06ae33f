//! What `kep verify` believes: the anchors of a folder, and lists, answers and certificates in it and
//! beside exported evidence. Lists are believed only as far as an authority signed them.

use crate::failure::{Failure, Outcome};
use kep::evidence::verify::Believed;
use kep::trust::{Anchors, Certificate, Lists};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The anchors of a folder; a file that is not there leaves its role open.
pub fn believed(dir: Option<&Path>) -> Outcome<Believed> {
    let Some(dir) = dir else { return Ok(Believed::default()) };
    if !dir.is_dir() {
        return Err(Failure::not_found(format!("{}: no such folder", dir.display()))
            .hint("--trust names a folder with seal-ca.pem, tsa-ca.pem and user-ca.pem"));
    }
    let role = |name: &str| -> Outcome<Option<Anchors>> {
        let path = dir.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let loaded = Anchors::load(&path).map_err(|error| {
            Failure::data(error).hint("anchors are certificates in PEM form, one after the other")
        });
        loaded.map(Some)
    };
    let mut lists = Lists::default();
    for path in files(dir) {
        let said = take(&path, &mut lists);
        said.map_err(|what| {
            Failure::data(format!("{}: {what}", path.display()))
                .hint("*.crl are lists in DER or PEM form, *.ocsp whole OCSP responses")
        })?;
    }
    Ok(Believed {
        seal: role("seal-ca.pem")?,
        time_stamp: role("tsa-ca.pem")?,
        user: role("user-ca.pem")?,
        lists,
    })
}

/// `NAME.material` beside `NAME.xml`, as `kep evidence export` lays it there. Who sent the evidence
/// may have made it: what can't be read in it says nothing.
pub fn beside(file: &Path, lists: &mut Lists) {
    let folder = file.with_extension("material");
    let mut room = MAX_BESIDE;
    for path in files(&folder) {
        let size = std::fs::metadata(&path).map_or(u64::MAX, |known| known.len());
        let Some(left) = room.checked_sub(size) else { continue };
        room = left;
        let certificate = path.extension().is_some_and(|e| e == "crt");
        match octets(&path) {
            Ok(der) if certificate => {
                if let Ok(certificate) = Certificate::from_der(&der) {
                    lists.add_certificate(certificate);
                }
            }
            _ => _ = take(&path, lists),
        }
    }
}

fn take(path: &Path, lists: &mut Lists) -> Result<(), String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("crl") => lists.add_crl(octets(path)?).map_err(|why| why.to_string()),
        Some("ocsp") => {
            lists.add_answer(&octets(path)?);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn octets(path: &Path) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_LIST).read_to_end(&mut octets));
    read.map_err(|error| error.to_string())?;
    Ok(octets)
}

/// In order, so that a report is the same each time.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut files: Vec<_> = files.take(MAX_FILES).collect();
    files.sort();
    files
}

/// Lists of large authorities are a few MiB.
const MAX_LIST: u64 = 32 * 1024 * 1024;
const MAX_FILES: usize = 1_000;
/// Of one evidence: every list that claims the right name costs a digest over all of it.
const MAX_BESIDE: u64 = 16 * 1024 * 1024;
