//! The loop that every step shares: take jobs, carry them out side by side, put off what failed.

use super::{Taken, Takers, next_try};
use crate::store::jobs::{self, Job};
use crate::store::{Lane, Store, Tx};
use crate::trust::Clock;
use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs until `stop` turns true; jobs under way are finished. `carry_out` finishes its job itself,
/// in the transaction that lays its result down; an error puts the job off.
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
    while !*stop.borrow() {
        while under_way.try_join_next().is_some() {}
        let room = parallel - under_way.len();
        let taken = match takers.take(clock.now(), room).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::error!(step = takers.step(), %error, "jobs can't be taken");
                tokio::time::sleep(TROUBLE).await;
                continue;
            }
        };
        let idle = taken.is_empty();
        for Taken { job, lease } in taken {
            let job = Arc::new(job);
            // On the heap from the start: a step's future is large, and moved several times.
            let work = Box::pin(carry_out(Arc::clone(&job)));
            let (store, clock) = (store.clone(), clock.clone());
            under_way.spawn(async move {
                let failed = work.await.err().map(|error| error.to_string());
                if let Some(error) = failed {
                    put_off(&store, &clock, &job, &error).await;
                }
                drop(lease);
            });
        }
        if under_way.len() >= parallel {
            under_way.join_next().await;
        } else if idle {
            tokio::select! {
                waited = takers.wait(clock.now()) => {
                    if let Err(error) = waited {
                        tracing::error!(step = takers.step(), %error, "waiting for jobs");
                        tokio::time::sleep(TROUBLE).await;
                    }
                }
                Some(_) = under_way.join_next() => {}
                _ = stop.changed() => {}
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn put_off(store: &Store, clock: &Clock, job: &Job, error: &str) {
    let (id, due) = (job.id, next_try(job.attempts, clock.now()));
    tracing::warn!(job = job.name, attempts = job.attempts, %error, next = %due, "put off");
    metrics::counter!("kep_jobs_put_off_total").increment(1);
    let put_off = store.write(Lane::Background, move |tx: &mut Tx<'_>| jobs::put_off(tx, id, due));
    if let Err(error) = put_off.await {
        tracing::error!(job = job.name, %error, "can't be put off; its lease ends");
    }
}

/// The store is in trouble: it is asked again after this.
const TROUBLE: Duration = Duration::from_secs(1);
