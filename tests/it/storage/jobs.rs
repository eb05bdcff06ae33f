//! Jobs are laid in once, leased to one taker, given back after a crash.

use super::{NOW, on_both};
use kep::spool::{self, Step, Takers};
use kep::store::{Lane, Store, StoreError, jobs};
use kep::wire::MessageId;
use std::collections::BTreeSet;

fn message(n: usize) -> MessageId {
    MessageId::parse(&format!("{n}@hs05.kep.tr")).unwrap()
}

async fn lay_in(store: &Store, count: usize) {
    let work = move |tx: &mut kep::store::Tx<'_>| {
        (0..count).try_for_each(|n| spool::certify(tx, &message(n), NOW))
    };
    store.write::<_, StoreError, _>(Lane::Client, move |tx| Ok(work(tx)?)).await.unwrap();
}

async fn finish(store: &Store, id: i64) -> bool {
    let work = move |tx: &mut kep::store::Tx<'_>| Ok::<_, StoreError>(jobs::finish(tx, id)?);
    store.write(Lane::Background, work).await.unwrap()
}

#[tokio::test]
async fn a_job_is_taken_once_and_finished_once() {
    on_both(|bed| async move {
        lay_in(&bed.store, 1).await;
        lay_in(&bed.store, 1).await;
        let takers = Takers::new(&bed.store, Step::Certify);
        let taken = takers.take(NOW, 10).await.unwrap();
        assert_eq!(taken.len(), 1, "its name is taken");
        assert!(takers.take(NOW, 10).await.unwrap().is_empty(), "it is leased");
        assert!(finish(&bed.store, taken[0].job.id).await);
        assert!(!finish(&bed.store, taken[0].job.id).await);
        drop(taken);
        assert!(takers.take(NOW.plus_secs(3600), 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_job_that_is_put_off_comes_later_and_counts_its_attempts() {
    on_both(|bed| async move {
        lay_in(&bed.store, 1).await;
        let takers = Takers::new(&bed.store, Step::Certify);
        let job = takers.take(NOW, 1).await.unwrap().remove(0).job;
        let later = spool::next_try(job.attempts, NOW);
        bed.write(move |tx| Ok(jobs::put_off(tx, "certify", job.id, later)?)).await;
        assert!(takers.take(NOW, 1).await.unwrap().is_empty());
        let again = takers.take(later, 1).await.unwrap().remove(0);
        assert_eq!(again.job.attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_crash_gives_leased_jobs_back() {
    on_both(|bed| async move {
        lay_in(&bed.store, 3).await;
        let taken = Takers::new(&bed.store, Step::Certify).take(NOW, 3).await.unwrap();
        assert_eq!(taken.len(), 3);
        // The process ends; the next one begins with no leases of its own.
        let after = bed.another().await;
        let takers = Takers::new(&after, Step::Certify);
        let later = if after.shared() { NOW.plus_secs(301) } else { NOW };
        assert_eq!(takers.take(later, 10).await.unwrap().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn jobs_come_oldest_first() {
    on_both(|bed| async move {
        bed.write(|tx| {
            for (name, due) in [("c", 3), ("a", 1), ("b", 2), ("future", 1000)] {
                jobs::lay_in(tx, "expire", name, "", NOW.plus_secs(due))?;
            }
            Ok(())
        })
        .await;
        let takers = Takers::new(&bed.store, Step::Expire);
        let taken = takers.take(NOW.plus_secs(10), 10).await.unwrap();
        assert_eq!(taken.iter().map(|t| t.job.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    })
    .await;
}

/// SQLite has one process, with one set of leases for a step; PostgreSQL may have several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_takers_never_get_the_same_job() {
    on_both(|bed| async move {
        const JOBS: usize = 200;
        lay_in(&bed.store, JOBS).await;
        let own = Takers::new(&bed.store, Step::Certify);
        let second = match bed.store.shared() {
            true => Takers::new(&bed.another().await, Step::Certify),
            false => own.clone(),
        };
        let take_all = |takers: Takers| async move {
            let mut all = Vec::new();
            loop {
                let taken = takers.take(NOW, 7).await.unwrap();
                if taken.is_empty() {
                    return all;
                }
                all.extend(taken);
            }
        };
        let tasks = [own.clone(), second.clone(), own, second].map(|t| tokio::spawn(take_all(t)));
        let (mut names, mut count) = (BTreeSet::new(), 0);
        let mut held = Vec::new();
        for task in tasks {
            let taken = task.await.unwrap();
            count += taken.len();
            names.extend(taken.iter().map(|t| t.job.name.clone()));
            held.push(taken);
        }
        assert_eq!((names.len(), count), (JOBS, JOBS));
    })
    .await;
}

#[tokio::test]
async fn what_another_process_has_leased_is_due_when_its_lease_ends() {
    let Some(bed) = super::bed::Bed::postgres().await else { return };
    lay_in(&bed.store, 2).await;
    let step = Step::Certify.word();
    let next = async || bed.read(move |tx| Ok(jobs::next_due(tx, step, NOW)?)).await;
    assert_eq!(next().await, Some(NOW));
    let lease = async |count| {
        let until = NOW.plus_secs(300);
        bed.write(move |tx| Ok(jobs::lease_due(tx, step, NOW, until, count)?)).await
    };
    lease(1).await;
    assert_eq!(next().await, Some(NOW), "the other one");
    lease(1).await;
    assert_eq!(next().await, Some(NOW.plus_secs(300)));
    bed.write(|tx| Ok(jobs::lay_in(tx, "certify", "later", "", NOW.plus_secs(60))?)).await;
    assert_eq!(next().await, Some(NOW.plus_secs(60)));
}
