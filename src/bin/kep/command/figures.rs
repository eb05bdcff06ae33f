//! Figures for Prometheus: those that happen are counted where they happen, those that are a state
//! are looked up here from time to time.

use crate::failure::{Failure, Outcome};
use kep::accept::scan::Scanner;
use kep::store::{STEPS, Store, StoreError, Tx, jobs, listed_providers, outbox, providers, relay};
use kep::trust::{Clock, Stamper};
use kep::wire::KepDomain;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// From here on everything is counted.
pub fn record() -> Outcome<PrometheusHandle> {
    let recorder = PrometheusBuilder::new().install_recorder();
    let handle = recorder.map_err(|e| Failure::software(format!("metrics: {e}")))?;
    let tending = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            tending.run_upkeep();
        }
    });
    Ok(handle)
}

pub fn page(figures: PrometheusHandle) -> axum::Router {
    let page = move || async move { figures.render() };
    axum::Router::new().route("/metrics", axum::routing::get(page))
}

/// Jobs that wait, and how far our clock is from the authority's.
pub async fn watch(
    store: Store,
    stamper: Arc<Stamper>,
    clock: Clock,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        metrics::gauge!("kep_clock_drift_seconds").set(stamper.drift_millis() as f64 / 1000.0);
        let until = clock.now().plus_millis(SOON.as_millis() as i64);
        let count = move |tx: &mut Tx<'_>| -> Result<Vec<(u64, u64)>, StoreError> {
            let step = |step| Ok((jobs::waiting(tx, step, until)?, jobs::held(tx, step)?));
            STEPS.into_iter().map(step).collect()
        };
        relayed(&store, &clock).await;
        lists(&store, &clock).await;
        outbox(&store, &clock).await;
        match store.read(count).await {
            Ok(counts) => {
                for (step, (waiting, held)) in STEPS.into_iter().zip(counts) {
                    metrics::gauge!("kep_jobs_waiting", "step" => step).set(waiting as f64);
                    metrics::gauge!("kep_jobs_held", "step" => step).set(held as f64);
                }
            }
            Err(error) => tracing::warn!(%error, "jobs can't be counted"),
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Whether the virus scanner answers, and of when its signatures are.
pub async fn scanner(scanner: Arc<Scanner>, clock: Clock, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let version = scanner.clamd.version().await;
        metrics::gauge!("kep_scan_up").set(if version.is_ok() { 1.0 } else { 0.0 });
        match version.map(|version| version.signatures) {
            Ok(Some(made)) => {
                let age = (clock.now().millis() - made.millis()) as f64 / 1000.0;
                metrics::gauge!("kep_scan_signatures_age_seconds").set(age);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the virus scanner does not answer"),
        }
        tokio::select! {
            () = tokio::time::sleep(SCANNER_PAUSE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// The queues of other providers.
async fn relayed(store: &Store, clock: &Clock) {
    let look = |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let (counts, now) = (relay::counts(tx)?, providers::all(tx)?);
        let mut figures = Vec::new();
        for provider in now {
            let Ok(domain) = KepDomain::registered(&provider.domain) else { continue };
            let count = counts.iter().find(|count| count.provider == provider.domain).cloned();
            figures.push((domain.to_string(), count, relay::health(tx, &domain)?));
        }
        Ok(figures)
    };
    let figures = match store.read(look).await {
        Ok(figures) => figures,
        Err(error) => return tracing::warn!(%error, "what is relayed can't be counted"),
    };
    for (provider, count, health) in figures {
        let set = |name: &'static str, value: f64| {
            metrics::gauge!(name, "provider" => provider.clone()).set(value);
        };
        let age = |count: &relay::Count| clock.now().millis() - count.oldest.millis();
        set("kep_relay_waiting", count.as_ref().map_or(0.0, |count| count.waiting as f64));
        set("kep_relay_held", count.as_ref().map_or(0.0, |count| count.held as f64));
        set("kep_relay_oldest_seconds", count.as_ref().map_or(0.0, |c| age(c) as f64 / 1000.0));
        set("kep_relay_server_down", if health.is_down() { 1.0 } else { 0.0 });
    }
}

/// What waits to be said outside KEP, since when, and what could not be said.
async fn outbox(store: &Store, clock: &Clock) {
    let look = |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let waiting = outbox::count(tx, outbox::State::Waiting)?;
        let sending = outbox::count(tx, outbox::State::Sending)?;
        Ok((waiting, sending.0, outbox::count(tx, outbox::State::Failed)?.0))
    };
    match store.read(look).await {
        Ok(((waiting, oldest), sending, failed)) => {
            let late = oldest.map_or(0, |due| (clock.now().millis() - due.millis()).max(0));
            metrics::gauge!("kep_outbox_waiting").set((waiting + sending) as f64);
            metrics::gauge!("kep_outbox_late_seconds").set(late as f64 / 1000.0);
            metrics::gauge!("kep_outbox_failed").set(failed as f64);
        }
        Err(error) => tracing::warn!(%error, "what waits to be said can't be counted"),
    }
}

/// How long the lists of providers still are what their publishers say now.
async fn lists(store: &Store, clock: &Clock) {
    let lists = match store.read(listed_providers::lists).await {
        Ok(lists) => lists,
        Err(error) => return tracing::warn!(%error, "lists of providers can't be read"),
    };
    for list in lists {
        let next = list.next_update.unwrap_or(list.issued_at);
        let left = (next.millis() - clock.now().millis()) as f64 / 1000.0;
        metrics::gauge!("kep_list_next_update_seconds", "list" => list.name).set(left);
    }
}

/// It is asked for each mail anyway.
const SCANNER_PAUSE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause before a job that was put off is tried again: it waits all the same.
const SOON: Duration = Duration::from_secs(300);
