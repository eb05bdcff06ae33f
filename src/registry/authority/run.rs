//! Hands out what was approved: the archive goes through the cipher as it is written, and its seal is
//! over its digest, so that in clear it is on no disk, whenever the program ends.

use super::{AuthorityError, Request, State};
use crate::registry::audit::{self, By};
use crate::registry::export::{Summary, gather};
use crate::registry::staff as members;
use crate::store::authority::{self as rows, ExportRow};
use crate::store::{Lane, Store, Tx};
use crate::trust::detached::Word;
use crate::trust::envelope::{Closed, Envelope};
use crate::wire::Digest;
use serde_json::json;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    pub archive: PathBuf,
    pub seal: PathBuf,
    pub summary: Summary,
    /// Of the archive in clear, which the seal is over.
    pub digest: Digest,
}

/// Writes `file` (the ZIP archive as CMS EnvelopedData for the authority) and `file` with `.p7s` behind
/// it (CAdES with a time stamp over the archive in clear), and the act into the audit.
pub async fn export(
    store: &Store,
    word: &Word,
    by: &By,
    id: i64,
    file: &Path,
) -> Result<Written, AuthorityError> {
    let whose = by.clone();
    let request = store.read(move |tx: &mut Tx<'_>| fits(tx, &whose, id)).await?;
    let (seal, part) = (beside(file, ".p7s"), beside(file, ".part"));
    // Whoever else writes this file has the lock, until it stands there.
    let out = alone(&part)?;
    let there = [file, &seal].into_iter().find(|path| path.exists());
    let done = match there {
        Some(path) => Err(AuthorityError::Exists(path.display().to_string())),
        None => hand_out(store, word, by, &request, &out, (file, &seal, &part)).await,
    };
    done.inspect_err(|_| drop(std::fs::remove_file(&part)))
}

/// The request, if it is approved and whoever asks may hand out what it is about.
pub fn fits(tx: &mut Tx<'_>, by: &By, id: i64) -> Result<Request, AuthorityError> {
    let name = super::staff(by)?;
    let request = super::find_in(tx, id)?;
    let State::Approved(_) = &request.state else {
        return Err(AuthorityError::NotApproved(id, request.state.word().to_owned()));
    };
    members::on_duty::<AuthorityError>(tx, &name, super::ENTERS)?;
    Ok(request)
}

/// The same for who takes it while it is written: that he began stands in the audit before he has any of it.
pub fn begin(tx: &mut Tx<'_>, by: &By, id: i64) -> Result<Request, AuthorityError> {
    let request = fits(tx, by, id)?;
    let details = json!({ "request": id, "file": request.file_number });
    audit::record(tx, by, "authority.export.begin", &request.address, details)?;
    Ok(request)
}

/// Writes the archive to somebody who takes it meanwhile, as `export` writes it to a file. What is behind
/// the last octets that `out` holds back he has once it is sealed and recorded.
pub async fn send<W: Write + Send + 'static>(
    store: &Store,
    word: &Word,
    by: &By,
    request: &Request,
    out: W,
) -> Result<W, AuthorityError> {
    let sealed = write(store, word, by, request, out).await?;
    record(store, by, request, sealed.row, sealed.signature).await?;
    Ok(sealed.out)
}

/// The part of a file that nobody else writes. What a crash left behind can be read by nobody but the
/// authority; it goes all the same.
fn alone(part: &Path) -> Result<File, AuthorityError> {
    let mut options = OpenOptions::new();
    let out = options.write(true).create(true).truncate(false).mode(0o600).open(part)?;
    match out.try_lock() {
        // Whoever had the lock may have given the file its name meanwhile.
        Ok(()) if !is_at(&out, part) => {
            return Err(AuthorityError::Exists(part.display().to_string()));
        }
        Ok(()) => out.set_len(0)?,
        Err(TryLockError::WouldBlock) => {
            return Err(AuthorityError::Exists(part.display().to_string()));
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    Ok(out)
}

fn is_at(open: &File, path: &Path) -> bool {
    let known = |found: std::fs::Metadata| (found.dev(), found.ino());
    open.metadata().ok().map(known) == std::fs::metadata(path).ok().map(known)
}

async fn hand_out(
    store: &Store,
    word: &Word,
    by: &By,
    request: &Request,
    out: &File,
    (file, seal, part): (&Path, &Path, &Path),
) -> Result<Written, AuthorityError> {
    let sealed = write(store, word, by, request, BufWriter::new(out.try_clone()?)).await?;
    let Sealed { row, signature, summary, out } = sealed;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    let digest = row.digest;
    // It is known who handed it out before anybody can take it.
    record(store, by, request, row, signature.clone()).await?;
    lay(seal, &signature)?;
    std::fs::rename(part, file).inspect_err(|_| drop(std::fs::remove_file(seal)))?;
    sync_folder(file)?;
    Ok(Written { archive: file.to_owned(), seal: seal.to_owned(), summary, digest })
}

/// An archive, whole, and the provider's word for it.
struct Sealed<W> {
    row: ExportRow,
    signature: Vec<u8>,
    summary: Summary,
    out: W,
}

async fn write<W: Write + Send + 'static>(
    store: &Store,
    word: &Word,
    by: &By,
    request: &Request,
    out: W,
) -> Result<Sealed<W>, AuthorityError> {
    let envelope = Envelope::open(out, &request.certificate, by.at)?;
    let about = serde_json::to_vec_pretty(&about(request)).map_err(io::Error::from)?;
    let more = [("TALEP.json", about)];
    let gathered = gather(store, &request.extent, by.at, &more, envelope, &mut |_| {}).await?;
    let (summary, envelope) = gathered;
    let Closed { out, plain, sealed } = envelope.close()?;
    let given = word.give_over(plain).await?;
    let row = ExportRow {
        id: 0,
        request: request.id,
        by: super::staff(by)?,
        at: by.at,
        digest: plain,
        sealed_digest: sealed,
        stamped_at: given.stamped_at,
        mails: summary.mails,
        evidence: summary.evidence,
    };
    Ok(Sealed { row, signature: given.signature, summary, out })
}

async fn record(
    store: &Store,
    by: &By,
    request: &Request,
    row: ExportRow,
    signature: Vec<u8>,
) -> Result<(), AuthorityError> {
    let (by, address, file) = (by.clone(), request.address.clone(), request.file_number.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), AuthorityError> {
        // It may have been decided otherwise while it was written, or he may have left.
        fits(tx, &by, row.request)?;
        let number = rows::add_export(tx, &row, &signature)?;
        let details = json!({
            "request": row.request, "export": number, "file": file, "mails": row.mails,
            "evidence": row.evidence, "sha256": row.digest.hex(),
            "encrypted": row.sealed_digest.hex(),
        });
        audit::record(tx, &by, "authority.export", &address, details)?;
        Ok(())
    };
    store.write(Lane::Client, work).await
}

/// What the archive says of itself.
fn about(request: &Request) -> serde_json::Value {
    let decided = request.state.decided();
    json!({
        "request": request.id,
        "authority": request.authority,
        "fileNumber": request.file_number,
        "legalBasis": request.legal_basis,
        "account": request.address,
        "scope": request.scope.word(),
        "from": request.from.iso8601(),
        "until": request.until.iso8601(),
        "enteredBy": request.entered_by,
        "entered": request.entered_at.iso8601(),
        "approvedBy": decided.map(|decided| &decided.by),
        "approved": decided.map(|decided| decided.at.iso8601()),
        "encryptedFor": request.certificate.digest().hex(),
    })
}

fn lay(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(octets)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
