//! What many readers at a time may cost, what is left of a store that was closed, which statements are good.

use super::READERS;
use super::statements::in_order;
use crate::store::{RowsAt, RowsError, Store, Tx};
use crate::trust::vault::Vault;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

async fn store(place: &Path) -> Store {
    let key = place.join("master.key");
    Vault::create(&key).unwrap();
    let vault = Arc::new(Vault::open(&key).unwrap());
    Store::open(&RowsAt::File(place.join("rows.db")), &place.join("blobs"), vault).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_no_more_reads_at_a_time_than_there_are_seats() {
    let place = tempfile::tempdir().unwrap();
    let store = store(place.path()).await;
    // How many began, how many are at it, how many were at it at most.
    let seen = Arc::new((Mutex::new((0_usize, 0_usize, 0_usize)), Condvar::new()));
    let mut reading = tokio::task::JoinSet::new();
    for _ in 0..4 * READERS {
        let (store, seen) = (store.clone(), Arc::clone(&seen));
        let work = move |_: &mut Tx<'_>| -> Result<(), RowsError> {
            let (counts, all) = &*seen;
            let mut counts = counts.lock().unwrap();
            (counts.0, counts.1) = (counts.0 + 1, counts.1 + 1);
            counts.2 = counts.2.max(counts.1);
            all.notify_all();
            let mut counts = all.wait_while(counts, |counts| counts.0 < READERS).unwrap();
            counts.1 -= 1;
            Ok(())
        };
        reading.spawn(async move { store.read(work).await });
    }
    while let Some(read) = reading.join_next().await {
        read.unwrap().unwrap();
    }
    assert_eq!(seen.0.lock().unwrap().2, READERS);
}

/// A writer that ended in its own time took the journal of the file that had taken the place of its own.
#[tokio::test]
async fn a_store_that_was_closed_holds_its_files_no_more() {
    let place = tempfile::tempdir().unwrap();
    let store = store(place.path()).await;
    let held = || {
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        let files = open.filter_map(|one| std::fs::read_link(one.ok()?.path()).ok());
        files.filter(|file| file.starts_with(place.path())).count()
    };
    assert_ne!(held(), 0);
    store.read(|_: &mut Tx<'_>| Ok::<_, RowsError>(())).await.unwrap();
    let cut = |_: &mut Tx<'_>| -> Result<(), RowsError> {
        Err(RowsError::Undone("as a restore that was cut short"))
    };
    assert!(store.write(crate::store::Lane::Client, cut).await.is_err());
    let beside = store.clone();
    let closing = tokio::spawn(store.close());
    tokio::task::yield_now().await;
    assert!(!closing.is_finished(), "one holds it still");
    drop(beside);
    closing.await.unwrap();
    assert_eq!(held(), 0);
    assert!(!place.path().join("rows.db-wal").exists());
}

#[test]
fn values_are_named_in_the_order_in_which_they_stand() {
    let connection = Connection::open_in_memory().unwrap();
    for (sql, good) in [
        ("SELECT 1", true),
        ("SELECT $1, $2, $1, $3", true),
        ("SELECT $2, $1", false),
        ("SELECT $1, $3, $2", false),
        ("SELECT $2", false),
    ] {
        assert_eq!(in_order(&connection.prepare(sql).unwrap()), good, "{sql}");
    }
}
