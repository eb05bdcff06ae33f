//! Disk full and failing syncs: temporary errors, nothing acknowledged is lost.

use super::bed::{self, Bed, submission};
use super::{NOW, on_both};
use crate::lane;
use crate::small_disk::SmallDisk;
use kep::store::blobs::disk::{Disk, SystemDisk};
use kep::store::{
    BlobError, Blobs, Lane, RowsAt, RowsError, Store, StoreError, Tx, contents, fsck,
};
use kep::trust::vault::Vault;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A disk that fails to sync while told to.
#[derive(Default)]
pub struct Failing(AtomicBool);

impl Failing {
    pub fn fail(&self, fails: bool) {
        self.0.store(fails, Ordering::SeqCst);
    }
}

impl Disk for Failing {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()> {
        SystemDisk.write(file, octets, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the disk failed")),
            false => SystemDisk.sync(file),
        }
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(folder)
    }
}

pub async fn on_failing(bed: &Bed) -> (Arc<Failing>, Store) {
    let disk = Arc::new(Failing::default());
    let door = Arc::clone(&disk) as Arc<dyn Disk>;
    let blobs = Blobs::on(&bed.blobs_dir(), Arc::clone(&bed.vault), door).unwrap();
    (disk, Store::with(&bed.at, blobs).await.unwrap())
}

#[tokio::test]
async fn a_failing_sync_of_blobs_fails_the_unit_and_leaves_no_row() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let (disk, store) = on_failing(&bed).await;
        bed::lay_in(&store, submission(&store, 1, account, b"before")).await.unwrap().unwrap();
        let early = submission(&store, 2, account, b"put before the failure");
        disk.fail(true);
        let failed = bed::lay_in(&store, submission(&store, 3, account, b"during")).await;
        assert!(matches!(failed, Err(StoreError::Rows(RowsError::Blobs(_)))), "{failed:?}");
        disk.fail(false);
        let lost = bed::lay_in(&store, early).await;
        assert!(matches!(lost, Err(StoreError::Blob(BlobError::Lost(_)))), "{lost:?}");
        // Whatever connection serves it, no row of a failed unit comes along.
        for n in 4..12 {
            let new = submission(&store, n, account, format!("after {n}").as_bytes());
            bed::lay_in(&store, new).await.unwrap().unwrap();
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM submission").await, 9);
        let rows = "SELECT COUNT(*) FROM submission WHERE message_id IN ('2@hs05.kep.tr', '3@hs05.kep.tr')";
        assert_eq!(bed.count(rows).await, 0);
        let cold = bed.another().await;
        let found = fsck::check(&cold, fsck::Depth::Full, |_| ()).await.unwrap();
        assert!(!found.iter().any(|f| f.kind == fsck::Kind::BlobDamaged), "{found:?}");
    })
    .await;
}

/// A disk whose power goes out before a commit or after it.
struct Powerless {
    before: bool,
    out: AtomicBool,
}

impl Powerless {
    fn door(&self, fails: bool) -> io::Result<()> {
        match fails && self.out.load(Ordering::SeqCst) {
            true => Err(io::Error::other("the power is out")),
            false => Ok(()),
        }
    }
}

impl Disk for Powerless {
    fn write(&self, file: &File, octets: &[u8], at: u64) -> io::Result<()> {
        SystemDisk.write(file, octets, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        SystemDisk.sync(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(folder)
    }

    fn before_commit(&self) -> io::Result<()> {
        self.door(self.before)
    }

    fn after_commit(&self) -> io::Result<()> {
        self.door(!self.before)
    }
}

#[tokio::test]
async fn a_commit_that_nobody_heard_of_stands_and_nothing_follows_it() {
    for before in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let rows = RowsAt::File(dir.path().join("rows.db"));
        let bed = Bed::new(dir, rows).await;
        let account = bed.account("ayse@hs05.kep.tr").await;
        let disk = Arc::new(Powerless { before, out: AtomicBool::new(false) });
        let blobs = Blobs::on(&bed.blobs_dir(), Arc::clone(&bed.vault), disk.clone()).unwrap();
        let store = Store::with(&bed.at, blobs).await.unwrap();
        let (one, two) = [1, 2].map(|n| submission(&store, n, account, b"mail")).into();
        disk.out.store(true, Ordering::SeqCst);
        let failed = bed::lay_in(&store, one).await;
        assert!(matches!(failed, Err(StoreError::Rows(RowsError::Blobs(_)))), "{failed:?}");
        disk.out.store(false, Ordering::SeqCst);
        let next = bed::lay_in(&store, two).await;
        let closed = matches!(next, Err(StoreError::Rows(RowsError::Closed)));
        assert_eq!(closed, !before, "{next:?}");
        let there = "SELECT COUNT(*) FROM submission WHERE message_id = '1@hs05.kep.tr'";
        assert_eq!(bed.count(there).await, i64::from(!before));
    }
}

/// Another's sync fails between the time a unit points to its blob and the time it commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_anothers_failing_sync_lost_is_not_committed() {
    on_both(|bed| async move {
        let (disk, store) = on_failing(&bed).await;
        let put = store.blobs.put(b"mail".to_vec()).unwrap();
        let blobs = Arc::clone(&store.blobs);
        let work = move |tx: &mut Tx<'_>| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            disk.fail(true);
            assert!(blobs.sync().is_err());
            disk.fail(false);
            Ok::<_, StoreError>(content)
        };
        let done = store.write(Lane::Client, work).await;
        assert!(done.is_err(), "{done:?}");
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_is_a_temporary_error_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some(small) = SmallDisk::mount(dir.path(), "4m") else { return };
    let rows = RowsAt::File(dir.path().join("rows.db"));
    let bed = Bed::new(dir, rows).await;
    let account = bed.account("ayse@hs05.kep.tr").await;
    let mut acknowledged = Vec::new();
    let mut full = 0;
    // Room for blobs and rows, for rows alone, for nothing; each time it passes.
    for (round, left) in (0..).zip([200 << 10, 64 << 10, 16 << 10, 4 << 10, 0]) {
        small.fill(left);
        for n in 0..20 {
            let n = round * 100 + n;
            let octets = [format!("mail {n} ").as_bytes(), &vec![b'x'; 16 << 10]].concat();
            match store_one(&bed, n, account, &octets).await {
                Ok(()) => acknowledged.push((n, octets)),
                Err(error) => {
                    assert!(error.is_full(), "{error}");
                    full += 1;
                }
            }
        }
        small.empty();
        let n = round * 100 + 99;
        store_one(&bed, n, account, b"room again").await.unwrap();
    }
    assert!(full > 5, "it was full {full} times");
    assert!(!acknowledged.is_empty());
    let cold = bed.another().await;
    for (n, octets) in acknowledged {
        let id = bed::id(n);
        let find = move |tx: &mut Tx<'_>| {
            let found = kep::store::submissions::find(tx, &id)?.expect("acknowledged");
            Ok::<_, StoreError>(kep::store::blobs::find(tx, &found.original)?)
        };
        let put = cold.read(find).await.unwrap();
        assert_eq!(*cold.blobs.read(&put).unwrap(), octets);
    }
}

async fn store_one(
    bed: &Bed,
    n: u32,
    account: kep::wire::AccountId,
    octets: &[u8],
) -> Result<(), StoreError> {
    let put = bed.store.blobs.put(octets.to_vec())?;
    let mut new = submission_of(n, account, put);
    new.same_mail = kep::wire::sha256(&n.to_be_bytes());
    bed::lay_in(&bed.store, new).await.map(|laid| laid.unwrap())
}

fn submission_of(
    n: u32,
    account: kep::wire::AccountId,
    original: kep::store::Put,
) -> kep::store::submissions::NewSubmission {
    kep::store::submissions::NewSubmission {
        message_id: bed::id(n),
        origin: kep::store::submissions::Origin::Account(account),
        state: kep::store::submissions::SubmissionState::Accepted,
        same_mail: original.digest,
        accepted_at: NOW,
        original,
        details: kep::store::submissions::Details::default(),
        recipients: Vec::new(),
    }
}

/// The journal of SQLite can't be synced: this test runs itself under strace, which makes those
/// calls fail.
#[test]
fn after_a_failing_sync_the_rows_are_closed_and_a_restart_finds_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let test = "storage::faults::child_whose_journal_fails";
    let Some(strace) = lane::strace() else { return };
    let output = Command::new(strace)
        .args(["-f", "-qq", "-o", "/dev/null", "-P"])
        .arg(dir.path().join("rows.db-wal"))
        .args(["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=150+"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, dir.path())
        .output();
    let output = output.expect("a program that was found runs");
    let heard = String::from_utf8_lossy(&output.stdout);
    let acknowledged: Vec<_> =
        heard.lines().filter_map(|line| line.split_once("kept ")).map(|(_, name)| name).collect();
    assert!(
        heard.contains("closed for good"),
        "{heard}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!acknowledged.is_empty(), "{heard}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let kept = runtime.block_on(async {
        let vault = Arc::new(Vault::open(&dir.path().join("master.key")).unwrap());
        let at = RowsAt::File(dir.path().join("rows.db"));
        let store = Store::open(&at, &dir.path().join("blobs"), vault).await.unwrap();
        let all = |tx: &mut Tx<'_>| -> Result<Vec<_>, RowsError> { kep::store::accounts::all(tx) };
        store.read(all).await.unwrap()
    });
    for name in acknowledged {
        assert!(kept.iter().any(|account| account.address == name), "{name} was acknowledged");
    }
}

/// Does nothing but in the process that the test above starts.
#[test]
fn child_whose_journal_fails() {
    let Some(dir) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        Vault::create(&dir.join("master.key")).unwrap();
        let vault = Arc::new(Vault::open(&dir.join("master.key")).unwrap());
        let at = RowsAt::File(dir.join("rows.db"));
        let store = Store::open(&at, &dir.join("blobs"), vault).await.unwrap();
        for n in 0..200 {
            let name = format!("a{n}@hs05.kep.tr");
            let account = bed::account_row(&name);
            let add = move |tx: &mut Tx<'_>| kep::store::accounts::add(tx, &account);
            match store.write(Lane::Client, add).await {
                Ok(_) => println!("kept {name}"),
                Err(StoreError::Rows(RowsError::Closed)) => return println!("closed for good"),
                Err(error) => println!("failed: {error}"),
            }
        }
    });
}

const CHILD: &str = "KEP_TEST_FAILING_JOURNAL";
