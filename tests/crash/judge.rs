//! The verdict: the client's ledger against what IMAP shows and `kep verify` proves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::client::imap::{Fetched, Imap};
use super::client::world::{Account, World};
use super::ledger::{Entry, Ledger};

pub type Entries = BTreeMap<String, Entry>;

/// Starts the server a last time, waits until it has caught up, and judges everything.
pub async fn judge(world: &World, ledger: &Ledger, mails: &Path) -> io::Result<()> {
    let entries = ledger.entries();
    let promised = entries.keys().cloned().collect();
    let faults = faults(world, &entries, &promised, mails, PATIENCE).await?;
    if faults.is_empty() {
        return Ok(());
    }
    let told = format!("{} faults:\n{}", faults.len(), faults.join("\n"));
    Err(io::Error::other(told))
}

/// What is wrong with letters that were sent; those that are promised must be there.
pub async fn faults(
    world: &World,
    entries: &Entries,
    promised: &BTreeSet<String>,
    mails: &Path,
    patience: Duration,
) -> io::Result<Vec<String>> {
    let seen = look(world, entries, promised, patience).await?;
    let mut faults: Vec<_> = seen.iter().flat_map(|one| one.faults(entries, promised)).collect();
    verify_all(world, &seen, mails, &mut faults).await?;
    Ok(faults)
}

/// The mails of one account.
#[derive(Clone)]
pub struct Seen {
    pub address: String,
    pub evidence: Vec<Vec<u8>>,
    pub dispatches: Vec<Vec<u8>>,
}

/// What IMAP shows once the server has caught up.
pub async fn look(
    world: &World,
    entries: &Entries,
    promised: &BTreeSet<String>,
    patience: Duration,
) -> io::Result<Vec<Seen>> {
    let server = world.serve().await?;
    let mut seen = Vec::new();
    let is_promised = |(id, _): &(&String, &Entry)| promised.contains(*id);
    for account in world.accounts() {
        let must = || entries.iter().filter(is_promised).map(|(_, entry)| entry);
        let sent = must().filter(|e| e.sender == account.address).count();
        let evidence =
            settled(world, account, "Deliller", (sent * EVIDENCES.len(), patience)).await?;
        let incoming = must().filter(|e| e.recipient == account.address).count();
        let dispatches = settled(world, account, "INBOX", (incoming, patience)).await?;
        seen.push(Seen { address: account.address.clone(), evidence, dispatches });
    }
    server.kill().await?;
    Ok(seen)
}

impl Seen {
    pub fn faults(&self, entries: &Entries, promised: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        judge_evidence(&self.evidence, &self.address, (entries, promised), &mut faults);
        judge_dispatches(&self.dispatches, &self.address, (entries, promised), &mut faults);
        faults
    }
}

/// What `kep verify` says of all of them.
pub async fn verify_all(
    world: &World,
    seen: &[Seen],
    mails: &Path,
    faults: &mut Vec<String>,
) -> io::Result<()> {
    for one in seen {
        let both = one.evidence.iter().chain(&one.dispatches);
        let files = write_mails(mails, &one.address, both)?;
        verify(world, &files, faults).await?;
    }
    Ok(())
}

/// The letter that an evidence mail is about, and what it says of it.
pub fn evidence_of(mail: &[u8]) -> Option<(String, String)> {
    let about = field(mail, "In-Reply-To")?;
    Some((last_id(&about).to_owned(), field(mail, "X-REM-Evidence-Type")?))
}

/// The letter that a dispatch encloses.
pub fn enclosed(mail: &[u8]) -> Option<String> {
    field(mail, "References").map(|ids| last_id(&ids).to_owned())
}

/// All mails of a mailbox once it holds enough and no longer grows.
async fn settled(
    world: &World,
    account: &Account,
    mailbox: &str,
    (awaited, patience): (usize, Duration),
) -> io::Result<Vec<Vec<u8>>> {
    let mut imap = world.doors().imap(account).await?;
    let (mut last, mut since, start) = (usize::MAX, Instant::now(), Instant::now());
    loop {
        let now = imap.count(mailbox).await? as usize;
        if now != last {
            (last, since) = (now, Instant::now());
        }
        let quiet = since.elapsed() > if now >= awaited { QUIET } else { patience };
        if quiet || start.elapsed() > 2 * patience {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    if last == 0 {
        return Ok(Vec::new());
    }
    read_all(&mut imap, mailbox).await
}

pub async fn read_all(imap: &mut Imap, mailbox: &str) -> io::Result<Vec<Vec<u8>>> {
    imap.select(mailbox).await?;
    let uids = imap.uid_search("ALL").await?;
    let mut mails = Vec::with_capacity(uids.len());
    for some in uids.chunks(FETCH_AT_ONCE) {
        let set: Vec<String> = some.iter().map(u32::to_string).collect();
        let fetched = imap.uid_fetch(&set.join(","), "(UID BODY[])").await?;
        mails.extend(
            fetched.into_iter().filter_map(|Fetched { literals, .. }| literals.into_iter().next()),
        );
    }
    Ok(mails)
}

/// Exactly one of each evidence for what the account sent; nothing but evidence of its letters, each
/// bearing the id of its `250`.
fn judge_evidence(
    mails: &[Vec<u8>],
    address: &str,
    (all, promised): (&Entries, &BTreeSet<String>),
    faults: &mut Vec<String>,
) {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for mail in mails {
        let Some(id) = known(mail, "In-Reply-To", address, all, faults) else { continue };
        match field(mail, "X-REM-Evidence-Type") {
            Some(kind) if EVIDENCES.contains(&kind.as_str()) => {
                *counts.entry((id, kind)).or_default() += 1;
            }
            other => faults.push(format!("{id}: {other:?} at {address}")),
        }
    }
    for (message_id, _) in all.iter().filter(|(_, e)| e.sender == address) {
        for kind in EVIDENCES {
            let count = counts.get(&(message_id.clone(), kind.to_owned())).copied();
            let count = count.unwrap_or_default();
            if count > 1 || (count == 0 && promised.contains(message_id)) {
                faults.push(format!("{message_id}: {count} × {kind} at {address}"));
            }
        }
    }
}

/// Exactly one dispatch a letter, and in it the original byte for byte; nothing else.
fn judge_dispatches(
    mails: &[Vec<u8>],
    address: &str,
    (all, promised): (&Entries, &BTreeSet<String>),
    faults: &mut Vec<String>,
) {
    let mut found: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
    for mail in mails {
        if let Some(id) = known(mail, "References", address, all, faults) {
            found.entry(id).or_default().push(mail);
        }
    }
    for (message_id, entry) in all.iter().filter(|(_, e)| e.recipient == address) {
        match found.get(message_id).map(Vec::as_slice).unwrap_or_default() {
            [dispatch] if contains(dispatch, &entry.original) => {}
            [] if !promised.contains(message_id) => {}
            [_] => faults.push(format!("{message_id}: the original is not enclosed as it was")),
            many => faults.push(format!("{message_id}: {} × in the INBOX", many.len())),
        }
    }
}

/// The letter that a mail is about: one that this account sent or was sent, under the id that the
/// client was told.
fn known(
    mail: &[u8],
    names: &str,
    address: &str,
    all: &Entries,
    faults: &mut Vec<String>,
) -> Option<String> {
    let about = field(mail, names).map(|ids| last_id(&ids).to_owned());
    let entry = about.as_ref().and_then(|id| all.get(id));
    let own = entry.filter(|e| [&e.sender, &e.recipient].iter().any(|a| *a == address));
    let Some((id, entry)) = about.clone().zip(own) else {
        faults.push(format!("a mail about {about:?} at {address}"));
        return None;
    };
    let stated = field(mail, "X-REM-Message-Identifier");
    let stated = stated.as_deref().map(last_id);
    // The answer may have been lost with the server, where nobody asked again.
    if entry.acknowledged.is_some() && stated != entry.acknowledged.as_deref() {
        let told = &entry.acknowledged;
        faults.push(format!("{id}: {stated:?} at {address}, and the 250 said {told:?}"));
    }
    Some(id)
}

fn write_mails<'a>(
    folder: &Path,
    address: &str,
    mails: impl Iterator<Item = &'a Vec<u8>>,
) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let write = |(number, mail): (usize, &Vec<u8>)| {
        let file = folder.join(format!("{address}-{number}.eml"));
        std::fs::write(&file, mail).map(|()| file)
    };
    mails.enumerate().map(write).collect()
}

async fn verify(world: &World, files: &[PathBuf], faults: &mut Vec<String>) -> io::Result<()> {
    for some in files.chunks(VERIFY_AT_ONCE) {
        let (code, report) = world.verify(some).await?;
        if code != Some(0) {
            faults.push(format!("kep verify: {code:?}\n{report}"));
        }
    }
    Ok(())
}

/// A header field, unfolded.
fn field(mail: &[u8], name: &str) -> Option<String> {
    let end = find(mail, b"\r\n\r\n").unwrap_or(mail.len());
    let header = String::from_utf8_lossy(&mail[..end]).replace("\r\n ", " ").replace("\r\n\t", " ");
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    header.split("\r\n").find_map(value)
}

/// The last of several message ids, without its brackets.
fn last_id(ids: &str) -> &str {
    ids.split_whitespace().last().unwrap_or_default().trim_matches(['<', '>'])
}

fn contains(whole: &[u8], part: &[u8]) -> bool {
    find(whole, part).is_some()
}

fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(whole, part)
}

/// What each accepted and delivered message has in its sender's `Deliller`.
const EVIDENCES: [&str; 2] = ["SubmissionAcceptanceRejection", "DeliveryNonDeliveryToRecipient"];
/// So long nothing may come any more before doubles are counted.
const QUIET: Duration = Duration::from_secs(2);
/// So long something missing is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const FETCH_AT_ONCE: usize = 50;
const VERIFY_AT_ONCE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_field_is_read_whole_and_its_last_id_taken() {
        let mail = b"Subject: x\r\nReferences: <a@b>\r\n <c@d>\r\n\r\nReferences: <no@no>";
        let ids = field(mail, "references").expect("the field");
        assert_eq!(last_id(&ids), "c@d");
        assert_eq!(field(mail, "In-Reply-To"), None);
    }

    #[test]
    fn an_original_is_found_only_when_whole() {
        assert!(contains(b"..abcd..", b"abcd"));
        assert!(!contains(b"..abc", b"abcd"));
    }

    #[test]
    fn a_mail_that_is_of_no_letter_or_bears_another_id_is_a_fault() {
        let entry = Entry {
            sender: "a@hs05.kep.tr".to_owned(),
            recipient: "b@hs05.kep.tr".to_owned(),
            original: std::sync::Arc::default(),
            acknowledged: Some("1@hs05.kep.tr".to_owned()),
        };
        let all = Entries::from([("x@y".to_owned(), entry)]);
        let mail = |about: &str, id: &str| {
            let kind = "X-REM-Evidence-Type: SubmissionAcceptanceRejection";
            format!("In-Reply-To: <{about}>\r\n{kind}\r\nX-REM-Message-Identifier: <{id}>\r\n\r\n")
        };
        let faults = |address: &str, about: &str, id: &str| {
            let mut faults = Vec::new();
            known(mail(about, id).as_bytes(), "In-Reply-To", address, &all, &mut faults);
            faults.len()
        };
        assert_eq!(faults("a@hs05.kep.tr", "x@y", "1@hs05.kep.tr"), 0);
        assert_eq!(faults("a@hs05.kep.tr", "x@y", "2@hs05.kep.tr"), 1);
        assert_eq!(faults("a@hs05.kep.tr", "never@sent", "1@hs05.kep.tr"), 1);
        assert_eq!(faults("c@hs05.kep.tr", "x@y", "1@hs05.kep.tr"), 1);
    }
}
