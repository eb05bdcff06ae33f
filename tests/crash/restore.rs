//! The data folder is lost; what a backup made beside the busy server brings back, judged from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::client::world::World;
use super::judge::{self, Entries, Seen};
use super::kills::{Campaign, Dice};
use super::ledger::Ledger;

/// What must be there again.
struct Promise {
    letters: BTreeSet<String>,
    /// Evidence mails that each account had, octet for octet.
    evidence: BTreeMap<String, Vec<Vec<u8>>>,
}

pub async fn check(world: &World, folder: &Path, pairs: usize) -> io::Result<()> {
    let backups = folder.join("backups");
    let ledger = Arc::new(Ledger::open(&folder.join("ledger.log"))?);
    let (campaign, mut dice) = (Campaign { kills: 0, seed: SEED, pairs, also: None }, Dice(SEED));
    // A first life, whose segment nobody appends to any more.
    let server = world.serve().await?;
    let mut load = campaign.load(world, 1, &mut dice, &ledger)?;
    acknowledged(&ledger, FEW).await?;
    server.kill().await?;
    while load.join_next().await.is_some() {}

    let server = world.serve().await?;
    let mut load = campaign.load(world, 2, &mut dice, &ledger)?;
    acknowledged(&ledger, ledger.acknowledged_count() + FEW).await?;
    let early = promise(world, &ledger).await?;
    let first = backup(world, &backups).await?;
    acknowledged(&ledger, ledger.acknowledged_count() + FEW).await?;
    let late = promise(world, &ledger).await?;
    let second = backup(world, &backups).await?;
    acknowledged(&ledger, ledger.acknowledged_count() + FEW).await?;
    server.kill().await?;
    while load.join_next().await.is_some() {}
    let entries = ledger.entries();
    must(early.letters.len() < late.letters.len(), "letters between the backups")?;
    must(!early.evidence.values().all(Vec::is_empty), "evidence before the backups")?;
    // The first copies both segments, the second only that which has grown.
    must(first["copied_segments"] == 2 && first["linked_segments"] == 0, &first.to_string())?;
    must(second["copied_segments"] == 1 && second["linked_segments"] == 1, &second.to_string())?;

    let generation = |made: &Value| made["generation"].as_str().unwrap_or_default().to_owned();
    restore(world, &backups, &generation(&second)).await?;
    let (seen, faults) =
        judged(world, &entries, &late, &folder.join("mails"), judge::PATIENCE).await?;
    must(faults.is_empty(), &faults.join("\n"))?;

    // The judge can fail: by a single mail, and by the older generation, which lacks what was promised later.
    one_less(&seen, &entries, &late)?;
    restore(world, &backups, &generation(&first)).await?;
    let (_, lacking) =
        judged(world, &entries, &late, &folder.join("mails-lacking"), BRIEFLY).await?;
    let noticed = lacking.iter().any(|fault| fault.contains(": 0 ×"));
    must(noticed, "letters are missing, and nobody noticed")?;
    // Anew: who looks at a mail may open it.
    restore(world, &backups, &generation(&first)).await?;
    let (_, faults) =
        judged(world, &entries, &early, &folder.join("mails-early"), judge::PATIENCE).await?;
    must(faults.is_empty(), &faults.join("\n"))
}

/// What a client may rely on by now.
async fn promise(world: &World, ledger: &Ledger) -> io::Result<Promise> {
    let mut evidence = BTreeMap::new();
    for account in world.accounts() {
        let mut imap = world.doors().imap(account).await?;
        let mails = match imap.count("Deliller").await? {
            0 => Vec::new(),
            _ => judge::read_all(&mut imap, "Deliller").await?,
        };
        evidence.insert(account.address.clone(), mails);
    }
    let entries = ledger.entries();
    let told = entries.into_iter().filter(|(_, entry)| entry.acknowledged.is_some());
    Ok(Promise { letters: told.map(|(id, _)| id).collect(), evidence })
}

async fn judged(
    world: &World,
    entries: &Entries,
    promise: &Promise,
    mails: &Path,
    patience: Duration,
) -> io::Result<(Vec<Seen>, Vec<String>)> {
    let fsck = kep(world, &["fsck"]).await;
    let seen = judge::look(world, entries, &promise.letters, patience).await?;
    let mut faults: Vec<_> = seen.iter().flat_map(|one| told(one, entries, promise)).collect();
    judge::verify_all(world, &seen, mails, &mut faults).await?;
    faults.extend(fsck.err().map(|error| error.to_string()));
    Ok((seen, faults))
}

/// What an account lacks, each mail by its letter.
fn told(seen: &Seen, entries: &Entries, promise: &Promise) -> Vec<String> {
    let mut faults = seen.faults(entries, &promise.letters);
    let there: BTreeSet<_> = seen.evidence.iter().collect();
    let before = promise.evidence.get(&seen.address).into_iter().flatten();
    let missing = before.filter(|mail| !there.contains(mail));
    faults.extend(missing.map(|mail| missed(mail, &seen.address)));
    faults
}

fn missed(mail: &[u8], address: &str) -> String {
    format!("{:?} was in an evidence mail at {address}", judge::evidence_of(mail))
}

/// One mail less is told, the first, the last or one between, and nothing else is.
fn one_less(seen: &[Seen], entries: &Entries, promise: &Promise) -> io::Result<()> {
    let (mut evidence, mut dispatches) = (0, 0);
    for one in seen {
        let before = promise.evidence.get(&one.address).map(Vec::as_slice).unwrap_or_default();
        for n in some(&one.evidence) {
            let mut less = one.clone();
            let lost = less.evidence.remove(n);
            let (id, kind) = judge::evidence_of(&lost).unwrap_or_default();
            let mut expected = Vec::new();
            let sent = entries.get(&id).is_some_and(|entry| entry.sender == one.address);
            if sent && promise.letters.contains(&id) {
                expected.push(format!("{id}: 0 × {kind} at {}", one.address));
            }
            if before.contains(&lost) {
                expected.push(missed(&lost, &one.address));
            }
            evidence += expected.len();
            let told = told(&less, entries, promise);
            must(told == expected, &format!("without {id}: {told:?}, not {expected:?}"))?;
        }
        for n in some(&one.dispatches) {
            let mut less = one.clone();
            let id = judge::enclosed(&less.dispatches.remove(n)).unwrap_or_default();
            let promised = promise.letters.get(&id);
            let expected: Vec<_> =
                promised.iter().map(|id| format!("{id}: 0 × in the INBOX")).collect();
            dispatches += expected.len();
            let told = told(&less, entries, promise);
            must(told == expected, &format!("without {id}: {told:?}, not {expected:?}"))?;
        }
    }
    must(evidence > 0 && dispatches > 0, "nothing that was promised was left out")
}

/// All of them would take too long: each is compared with every other.
fn some(mails: &[Vec<u8>]) -> BTreeSet<usize> {
    let all = [0, mails.len() / 2, mails.len().saturating_sub(1)];
    all.into_iter().filter(|n| *n < mails.len()).collect()
}

async fn backup(world: &World, to: &Path) -> io::Result<Value> {
    let made = kep(world, &["backup", "--json", &to.to_string_lossy()]).await?;
    serde_json::from_str(&made).map_err(io::Error::other)
}

/// Nothing of the data folder is left, then the backup's comes.
async fn restore(world: &World, from: &Path, generation: &str) -> io::Result<()> {
    std::fs::remove_dir_all(world.folder().join("spool"))?;
    let arguments = ["restore", &from.to_string_lossy(), "--generation", generation];
    kep(world, &arguments).await.map(drop)
}

pub async fn kep(world: &World, arguments: &[&str]) -> io::Result<String> {
    let mut command = Command::new(world.binary());
    command.args(arguments).arg("--conf").arg(world.folder().join("kep.toml"));
    let ran = command.stdin(Stdio::null()).output().await?;
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    match ran.status.success() {
        true => Ok(out),
        false => {
            let told = String::from_utf8_lossy(&ran.stderr);
            Err(io::Error::other(format!("kep {arguments:?}: {}: {out}{told}", ran.status)))
        }
    }
}

async fn acknowledged(ledger: &Ledger, enough: usize) -> io::Result<()> {
    let wait = async {
        while ledger.acknowledged_count() < enough {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.map_err(|_| io::Error::other("too few letters were acknowledged"))
}

pub fn must(holds: bool, what: &str) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(what.to_owned())) }
}

const SEED: u64 = 20_261_129;
/// Letters between two moments.
const FEW: usize = 12;
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// What is known to be missing is not waited for.
const BRIEFLY: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(120);
