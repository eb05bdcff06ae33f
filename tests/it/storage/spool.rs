//! The loop of a step while its work panics or the store is in trouble.

use super::bed::Bed;
use super::faults::on_failing;
use super::on_both;
use kep::spool::{self, Step, Takers};
use kep::store::{Lane, Store, StoreError, Tx, jobs};
use kep::trust::Clock;
use kep::wire::{MessageId, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::watch;

async fn lay_in(bed: &Bed) {
    let id = MessageId::parse("1@hs05.kep.tr").unwrap();
    bed.write(move |tx| Ok(spool::certify(tx, &id, Timestamp::from_secs(0))?)).await;
}

async fn finish(store: Store, id: i64) -> Result<(), StoreError> {
    let work = move |tx: &mut Tx<'_>| Ok::<_, StoreError>(jobs::finish(tx, id)?);
    store.write(Lane::Background, work).await.map(drop)
}

/// Waits for the one number that a query says.
async fn until(bed: &Bed, sql: &'static str, wanted: i64) {
    let waiting = async {
        while bed.count(sql).await != wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{sql}: not {wanted}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_can_not_even_be_put_off_is_not_carried_out_again() {
    on_both(|bed| async move {
        lay_in(&bed).await;
        let (disk, store) = on_failing(&bed).await;
        disk.fail(true);
        let runs = Arc::new(AtomicU32::new(0));
        let (tell, stop) = watch::channel(false);
        let takers = Takers::new(&store, Step::Certify);
        let (counted, blobs) = (Arc::clone(&runs), Arc::clone(&store.blobs));
        let carry_out = move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            // What it made takes the commit down that would put it off.
            blobs.put(b"half a dispatch".to_vec()).unwrap();
            async { Err::<(), _>("the disk fails") }
        };
        let running =
            tokio::spawn(spool::run(takers, store.clone(), Clock::System, 4, stop, carry_out));
        until(&bed, "SELECT attempts FROM job", 1).await;
        tell.send(true).unwrap();
        running.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_panics_is_put_off_and_tried_again() {
    on_both(|bed| async move {
        lay_in(&bed).await;
        let store = bed.store.clone();
        let (tell, stop) = watch::channel(false);
        let takers = Takers::new(&store, Step::Certify);
        let seen = Arc::new(AtomicU32::new(0));
        let (attempts, finishing) = (Arc::clone(&seen), store.clone());
        let carry_out = move |job: Arc<jobs::Job>| {
            let (attempts, store) = (Arc::clone(&attempts), finishing.clone());
            async move {
                attempts.store(job.attempts, Ordering::SeqCst);
                assert!(job.attempts > 0, "the first try panics");
                finish(store, job.id).await
            }
        };
        let running = tokio::spawn(spool::run(takers, store, Clock::System, 4, stop, carry_out));
        until(&bed, "SELECT COUNT(*) FROM job", 0).await;
        tell.send(true).unwrap();
        running.await.unwrap();
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_ends_when_asked_to_even_while_it_can_put_nothing_off() {
    let bed = Bed::sqlite().await;
    lay_in(&bed).await;
    let trigger = "CREATE TRIGGER stuck BEFORE UPDATE ON job BEGIN SELECT RAISE(ABORT, 'no'); END";
    bed.write(move |tx| Ok(tx.execute(trigger, &[])?)).await;
    let (tell, stop) = watch::channel(false);
    let (began, mut begun) = watch::channel(false);
    let takers = Takers::new(&bed.store, Step::Certify);
    let carry_out = move |_| {
        began.send_replace(true);
        async { Err::<(), _>("not now") }
    };
    let store = bed.store.clone();
    let running = tokio::spawn(spool::run(takers, store, Clock::System, 4, stop, carry_out));
    begun.wait_for(|begun| *begun).await.unwrap();
    tell.send(true).unwrap();
    tokio::time::timeout(PATIENCE, running).await.expect("it ends").unwrap();
    assert_eq!(bed.count("SELECT attempts FROM job").await, 0);
}

const PATIENCE: Duration = Duration::from_secs(30);
