//! IMAP, the same commands to each server: filling, selecting, listing, reading, flagging,
//! searching and resynchronising a large mailbox, how soon IDLE tells of a new message, and what a
//! connection that idles holds.

mod fill;
mod idle;
mod memory;
mod resync;

use std::io;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::client::imap::Imap;
use super::load::Side;
use super::process;
use super::report::{Figure, Report, Single, quantile};

/// One measurement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Measure {
    /// APPEND on eight connections; happens for most of the others too
    Append,
    /// SELECT again and again
    Select,
    /// FETCH (UID FLAGS ENVELOPE BODYSTRUCTURE), the first time and again
    List,
    /// FETCH (UID FLAGS)
    Flags,
    /// FETCH (BODY.PEEK[])
    Bodies,
    /// SEARCH FROM
    From,
    /// SEARCH TEXT and SEARCH BODY over prose
    Text,
    /// STORE of one message at a time
    Store,
    /// SELECT (QRESYNC …) after a day's changes
    Resync,
    /// From acceptance to EXISTS in IDLE
    Idle,
    /// What a connection holds that idles over TLS
    Memory,
    /// From start to ready with many messages (kep alone)
    Start,
}

/// What of IMAP is measured, and on how much.
pub struct Plan {
    pub measures: Vec<Measure>,
    pub messages: usize,
    pub searched: usize,
    pub idlers: usize,
    pub stored: usize,
}

impl Plan {
    pub fn wants(&self, measure: Measure) -> bool {
        self.measures.contains(&measure)
    }

    fn wants_mailbox(&self) -> bool {
        let apart = [Measure::Text, Measure::Idle, Measure::Memory];
        self.measures.iter().any(|measure| !apart.contains(measure))
    }
}

/// Fills the drafts of one account and measures on them.
pub async fn measure(
    side: &Side,
    subject: &str,
    plan: &Plan,
    report: &mut Report,
) -> io::Result<()> {
    let mut book = Book { subject: subject.to_owned(), side, report };
    if plan.wants_mailbox() {
        fill::drafts(plan, &mut book).await?;
        book.settle().await;
        lists(plan, &mut book).await?;
    }
    if plan.wants(Measure::Text) {
        texts(plan, &mut book).await?;
    }
    if plan.wants(Measure::Resync) {
        resync::measure(plan, &mut book).await?;
    }
    if plan.wants(Measure::Idle) {
        idle::measure(&mut book).await?;
    }
    if plan.wants(Measure::Memory) {
        memory::measure(plan, &mut book).await?;
    }
    Ok(())
}

async fn lists(plan: &Plan, book: &mut Book<'_>) -> io::Result<()> {
    let mut imap = book.side.doors.imap(&book.side.senders[0]).await?;
    let select = format!("SELECT {DRAFTS}");
    imap.command(&select).await?;
    if plan.wants(Measure::Select) {
        book.repeat("select", &mut imap, SELECTS, 1, |_| select.clone()).await?;
    }
    let n = plan.messages;
    if plan.wants(Measure::List) {
        let list = |_| "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)".to_owned();
        book.repeat("list, 1st time", &mut imap, 1, n, list).await?;
        book.repeat("list", &mut imap, REPEATS, n, list).await?;
    }
    if plan.wants(Measure::Flags) {
        let flags = |_| "FETCH 1:* (UID FLAGS)".to_owned();
        book.repeat("flags", &mut imap, 4 * REPEATS, n, flags).await?;
    }
    if plan.wants(Measure::Bodies) {
        let bodies = |_| "FETCH 1:* (BODY.PEEK[])".to_owned();
        let rate = book.repeat("bodies", &mut imap, REPEATS, n, bodies).await?;
        let octets = imap.octets("FETCH 1 (BODY.PEEK[])").await?;
        let value = rate * octets as f64 / 1e6;
        book.single("bodies", value, "MB/s");
    }
    if plan.wants(Measure::From) {
        let from = |_| "SEARCH FROM \"yok@hs99.kep.tr\"".to_owned();
        book.repeat("search from", &mut imap, REPEATS, 1, from).await?;
    }
    if plan.wants(Measure::Store) {
        let flag = |turn: usize| {
            let sign = if (turn / n).is_multiple_of(2) { '+' } else { '-' };
            format!("STORE {} {sign}FLAGS.SILENT (\\Flagged)", turn % n + 1)
        };
        book.repeat("store", &mut imap, STORES, 1, flag).await?;
    }
    imap.logout().await
}

async fn texts(plan: &Plan, book: &mut Book<'_>) -> io::Result<()> {
    fill::prose(plan.searched, book).await?;
    book.settle().await;
    let mut imap = book.side.doors.imap(&book.side.senders[1]).await?;
    imap.command(&format!("SELECT {DRAFTS}")).await?;
    for (what, key) in [("search text", "TEXT"), ("search body", "BODY")] {
        let search = |_| format!("SEARCH {key} \"hipopotam\"");
        book.repeat(what, &mut imap, REPEATS, 1, search).await?;
    }
    imap.logout().await
}

struct Book<'a> {
    subject: String,
    side: &'a Side,
    report: &'a mut Report,
}

impl Book<'_> {
    /// Commands one after the other, of so many units each; gives units a second.
    async fn repeat(
        &mut self,
        what: &'static str,
        imap: &mut Imap,
        times: usize,
        units: usize,
        command: impl Fn(usize) -> String,
    ) -> io::Result<f64> {
        let before = self.cpu();
        let mut waits = Vec::with_capacity(times);
        for turn in 0..times {
            let command = command(turn);
            let start = Instant::now();
            imap.octets(&command).await?;
            waits.push(start.elapsed());
        }
        Ok(self.add(what, &waits, 1, units, before))
    }

    /// Waits until the server has nothing more to do of itself.
    async fn settle(&self) {
        for _ in 0..SETTLES {
            let before = self.cpu();
            tokio::time::sleep(SETTLE).await;
            if self.cpu().saturating_sub(before) * 50 < SETTLE {
                return;
            }
        }
    }

    fn cpu(&self) -> Duration {
        process::cpu(self.side.server)
    }

    /// Each wait did so many units of work, on so many connections at a time; `before` is the CPU
    /// time used until then.
    fn add(
        &mut self,
        what: &'static str,
        waits: &[Duration],
        connections: usize,
        units: usize,
        before: Duration,
    ) -> f64 {
        let whole: Duration = waits.iter().sum();
        let cpu = self.cpu().saturating_sub(before);
        let rate = (waits.len() * units * connections) as f64 / whole.as_secs_f64();
        self.report.add(Figure {
            what,
            subject: self.subject.clone(),
            size: OCTETS,
            connections,
            rate,
            p50: quantile(waits, 50),
            p99: quantile(waits, 99),
            cpu: Some(cpu.div_f64((waits.len() * units).max(1) as f64)),
        });
        rate
    }

    fn single(&mut self, what: &'static str, value: f64, unit: &'static str) {
        let subject = self.subject.clone();
        self.report.add_single(Single { what, subject, value, unit });
    }
}

/// The mailbox every account may append to.
pub const DRAFTS: &str = "Taslaklar";
/// Of a draft, about.
const OCTETS: usize = 4096;
const SETTLE: Duration = Duration::from_secs(1);
const SETTLES: usize = 60;
const SELECTS: usize = 200;
const REPEATS: usize = 5;
const STORES: usize = 1000;
