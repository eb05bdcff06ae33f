//! The loop that every step shares: take jobs, carry them out side by side, put off what failed.
//!
//! A job that can't even be put off (the disk is full) stays leased and keeps its place among those
//! under way: a store in trouble is written to less and less, and nobody outside is asked at all.

use super::{Taken, Takers, next_try};
use crate::store::jobs::{self, Job};
use crate::store::{Lane, Store, Tx};
use crate::trust::Clock;
use std::fmt::Display;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs until `stop` turns true; jobs under way are finished. `carry_out` finishes its job itself,
/// in the transaction that lays its result down; an error or a panic puts the job off.
pub async fn run<F, Work, E>(
    takers: Takers,
    store: Store,
    clock: Clock,
    parallel: usize,
    mut stop: watch::Receiver<bool>,
    carry_out: F,
) where
    F: Fn(Arc<Job>) -> Work,
    Work: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let mut under_way = JoinSet::new();
    let mut failures = 0;
    while !*stop.borrow() {
        while under_way.try_join_next().is_some() {}
        let room = parallel - under_way.len();
        let taken = match takers.take(clock.now(), room).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::error!(step = takers.step(), %error, "jobs can't be taken");
                rest(&mut stop, pause(failures)).await;
                failures += 1;
                continue;
            }
        };
        failures = 0;
        let more = taken.len() == room;
        for Taken { job, lease } in taken {
            let job = Arc::new(job);
            // On the heap from the start: a step's future is large, and moved several times.
            let work = Box::pin(carry_out(Arc::clone(&job)));
            let (store, clock, stop) = (store.clone(), clock.clone(), stop.clone());
            let step = takers.step();
            under_way.spawn(async move {
                carried(&store, &clock, (step, &job), work, stop).await;
                drop(lease);
            });
        }
        if under_way.len() >= parallel {
            under_way.join_next().await;
        } else if !more {
            // What ends meanwhile makes room that nobody asks for.
            let mut waiting = pin!(takers.wait(clock.now()));
            loop {
                tokio::select! {
                    waited = &mut waiting => {
                        if let Err(error) = waited {
                            tracing::error!(step = takers.step(), %error, "waiting for jobs");
                            rest(&mut stop, pause(0)).await;
                        }
                        break;
                    }
                    Some(_) = under_way.join_next() => {}
                    _ = stop.changed() => break,
                }
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// Carries one job out, or puts it off.
pub async fn carried<W, E>(
    store: &Store,
    clock: &Clock,
    job: (&'static str, &Job),
    work: Pin<Box<W>>,
    mut stop: watch::Receiver<bool>,
) where
    W: Future<Output = Result<(), E>>,
    E: Display,
{
    if let Some(error) = failure(work).await {
        put_off(store, clock, job, &error, &mut stop).await;
    }
}

/// Why it failed, if it did; a panic is a failure like any other.
async fn failure<W, E>(mut work: Pin<Box<W>>) -> Option<String>
where
    W: Future<Output = Result<(), E>>,
    E: Display,
{
    match caught(work.as_mut()).await {
        Some(done) => done.err().map(|error| error.to_string()),
        None => Some("it panicked".to_owned()),
    }
}

/// Carries work out; `None` when it panicked.
pub async fn caught<W: Future>(work: W) -> Option<W::Output> {
    let mut work = pin!(work);
    let poll = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    });
    poll.await
}

/// Puts a job off, however often that fails, until `stop`.
async fn put_off(
    store: &Store,
    clock: &Clock,
    (step, job): (&'static str, &Job),
    error: &str,
    stop: &mut watch::Receiver<bool>,
) {
    metrics::counter!("kep_jobs_put_off_total").increment(1);
    for failures in 0.. {
        let (id, due) = (job.id, next_try(job.attempts, clock.now()));
        let work = move |tx: &mut Tx<'_>| jobs::put_off(tx, step, id, due);
        match store.write(Lane::Background, work).await {
            Ok(()) => {
                tracing::warn!(job = job.name, attempts = job.attempts, %error, next = %due, "put off");
                return;
            }
            Err(trouble) => {
                tracing::error!(job = job.name, %error, %trouble, "can't be put off; stays leased");
                metrics::counter!("kep_jobs_stuck_total").increment(1);
            }
        }
        if !rest(stop, pause(failures)).await {
            return;
        }
    }
}

/// Waits; says whether to go on.
pub async fn rest(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        // A sender that is gone means the same.
        _ = stop.wait_for(|stop| *stop) => false,
    }
}

/// How long a store in trouble is left alone: from a second to a minute.
pub fn pause(failures: u32) -> Duration {
    Duration::from_secs((1 << failures.min(6)).min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_like_any_other() {
        assert_eq!(caught(async { 1 }).await, Some(1));
        let panics = async { panic!("on purpose") };
        assert_eq!(caught::<Pin<Box<dyn Future<Output = ()>>>>(Box::pin(panics)).await, None);
    }

    #[test]
    fn a_store_in_trouble_is_asked_less_and_less() {
        let secs = [0, 1, 2, 5, 6, 7, u32::MAX].map(|failures| pause(failures).as_secs());
        assert_eq!(secs, [1, 2, 4, 32, 60, 60, 60]);
    }
}
