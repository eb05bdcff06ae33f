//! `kep fsck`: do rows, blobs and evidence agree, and is nothing that was accepted invisible?

use super::bar::Bar;
use super::message::rows;
use super::{show, staff};
use crate::arguments::{Fsck as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::accept::scan;
use kep::evidence::agree;
use kep::evidence::verify::{Believed, Judge};
use kep::registry::audit::{self, By};
use kep::registry::staff::StaffRole;
use kep::store::evidence::{self, EvidenceRow};
use kep::store::fsck::repair::{self, Repaired};
use kep::store::fsck::{self, Depth, Finding, Part, Severity};
use kep::store::{Lane, Store, StoreError, Tx, blobs};
use kep::trust::Clock;
use serde::Serialize;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Serialize)]
pub struct Found {
    severity: &'static str,
    subject: String,
    pub text: String,
}

pub async fn run(arguments: &Arguments) -> Outcome {
    let settings = wire_up::settings(&arguments.conf.conf)?;
    let store = wire_up::store(&settings).await?;
    let depth = if arguments.quick { Depth::Quick } else { Depth::Full };
    if arguments.repair {
        repair(&store, &arguments.who).await?;
    }
    let (mut found, bad) = examine(&store, depth).await?;
    if settings.scan.clamd.is_none() {
        found.extend(unscanned(&store).await?);
    }
    show::print(arguments.json, &found, |found| text(found, depth))?;
    match bad {
        0 => Ok(ExitCode::SUCCESS),
        n => Err(Failure::data(format!("{n} contradictions"))
            .hint("restore what is lost from a backup; `docs/operations.md` says how")),
    }
}

/// Everything that is not as it should be, and how much of it is more than odd.
pub async fn examine(store: &Store, depth: Depth) -> Outcome<(Vec<Found>, usize)> {
    let mut bar = Bar::new();
    let findings = fsck::check(store, depth, |progress| {
        let part = match progress.part {
            Part::Rows => "rows",
            Part::Blobs => "blobs",
        };
        bar.show(part, progress.done, progress.of);
    });
    let findings = findings.await.map_err(stored)?;
    let mut bad = findings.iter().filter(|finding| finding.severity > Severity::Odd).count();
    let mut found: Vec<_> = findings.iter().map(found).collect();
    if depth == Depth::Full {
        let differing = compare_evidence(store, &mut bar).await?;
        bad += differing.len();
        found.extend(differing);
    }
    bar.clear();
    Ok((found, bad))
}

/// There is a job for each, which says so again and again; nothing is lost, but nothing goes on.
async fn unscanned(store: &Store) -> Outcome<Option<Found>> {
    let n = scan::waiting(store).await.map_err(stored)?;
    let (severity, subject) = (Severity::Odd.word(), "scan".to_owned());
    let what = "messages were taken and wait for a virus scanner, and none is set";
    let text = format!("{severity}: {subject}: {n} {what}");
    Ok((n > 0).then_some(Found { severity, subject, text }))
}

/// What takes room for nothing goes; what it was is told, not written into the list of findings. The audit
/// has it before anything goes, and how much it was after.
async fn repair(store: &Store, who: &Who) -> Outcome<()> {
    let by = staff::by_role(store, who, StaffRole::Operator).await?;
    let before = Clock::System.now().plus_millis(-OLD);
    record(store, &by, "store.repair", json!({ "before": before.iso8601() })).await?;
    let done = repair::repair(store, before).await;
    let done = done.map_err(stored)?;
    let Repaired { contents, blobs, left } = done;
    let gone = json!({ "contents": contents, "blobs": blobs });
    record(store, &by, "store.repaired", gone).await?;
    eprintln!("removed, since nothing refers to them: {contents} contents, {blobs} other blobs");
    if left > 0 {
        eprintln!("{left} more are left alone: they may be of today");
    }
    Ok(())
}

fn stored(error: StoreError) -> Failure {
    Failure::unavailable(format!("storage: {error}"))
}

async fn record(store: &Store, by: &By, act: &'static str, details: Value) -> Outcome<()> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        audit::record(tx, &by, act, "", details.clone())?;
        Ok(())
    };
    store.write(Lane::Client, work).await.map_err(stored)
}

/// Every row of evidence against its XML, which is signed.
async fn compare_evidence(store: &Store, bar: &mut Bar) -> Outcome<Vec<Found>> {
    let judge = Judge::new(Believed::default()).map_err(Failure::software)?;
    let of = store.read(evidence::count).await.map_err(rows)?;
    let (mut found, mut done, mut after) = (Vec::new(), 0, String::new());
    loop {
        bar.show("evidence", done, of);
        let from = after.clone();
        let page = store.read(move |tx| evidence::page(tx, &from, PAGE)).await.map_err(rows)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.id.as_str().to_owned();
        done += page.len() as u64;
        for row in &page {
            let id = row.id.clone();
            let forms = store.read(move |tx| evidence::forms(tx, &id)).await.map_err(rows)?;
            let further = forms.iter().map(|form| row.in_form(form));
            for row in [row.clone()].into_iter().chain(further) {
                let differences = differences(store, &judge, &row).await?;
                found.extend(differences.into_iter().map(|what| differs(&row, &what)));
            }
        }
    }
}

/// An XML that is not there or can't be read was told of already.
async fn differences(store: &Store, judge: &Judge, row: &EvidenceRow) -> Outcome<Vec<String>> {
    let blob = row.xml;
    let work = move |tx: &mut Tx<'_>| Ok::<_, StoreError>(blobs::find(tx, &blob)?);
    let Ok(put) = store.read(work).await else { return Ok(Vec::new()) };
    let Ok(xml) = store.blobs.read(&put) else { return Ok(Vec::new()) };
    Ok(agree::differences(row, &judge.judge(&xml, None, Clock::System.now())))
}

fn differs(row: &EvidenceRow, what: &str) -> Found {
    let severity = Severity::Wrong.word();
    let subject = format!("evidence {}", row.id);
    Found { severity, text: format!("{severity}: {subject}: {what}"), subject }
}

fn found(finding: &Finding) -> Found {
    Found {
        severity: finding.severity.word(),
        subject: finding.subject.clone(),
        text: finding.to_string(),
    }
}

fn text(found: &[Found], depth: Depth) -> String {
    if found.is_empty() {
        let agree = match depth {
            Depth::Full => "rows, blobs and evidence agree\n",
            Depth::Quick => "rows agree, and blobs are where they say; nothing was read\n",
        };
        return agree.to_owned();
    }
    found.iter().map(|one| format!("{}\n", one.text)).collect()
}

/// A day: longer than anything is under way.
const OLD: i64 = 24 * 3600 * 1000;
/// Evidence that is compared between two looks at the progress.
const PAGE: usize = 100;
