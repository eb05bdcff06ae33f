//! What many readers at a time may cost.

use super::READERS;
use crate::store::{RowsAt, RowsError, Store, Tx};
use crate::trust::vault::Vault;
use std::sync::{Arc, Condvar, Mutex};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_no_more_reads_at_a_time_than_there_are_seats() {
    let place = tempfile::tempdir().unwrap();
    let key = place.path().join("master.key");
    Vault::create(&key).unwrap();
    let vault = Arc::new(Vault::open(&key).unwrap());
    let at = RowsAt::File(place.path().join("rows.db"));
    let store = Store::open(&at, &place.path().join("blobs"), vault).await.unwrap();
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
