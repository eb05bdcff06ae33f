//! How fast is it: the machine's limits, Postfix and Dovecot, and `kep`, side by side in one run.
//!
//! `cargo bench --bench throughput -- limits | peer | kep | relay | all`, with `--imap store,flags` for a
//! few measurements of IMAP alone; figures and how to read them stand in `docs/performance.md`.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../../tests/client/mod.rs"]
mod client;
mod conf;
mod fsync;
mod hierarchy;
mod imap;
mod kep;
mod load;
mod operations;
mod peer;
mod process;
mod relay;
mod report;
mod start;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use hierarchy::KeyKind;
use imap::Measure;
use load::{Plan, Shape};
use operations::List;
use peer::Format;
use relay::RowsIn;
use report::Report;

/// What to measure and how.
#[derive(Parser)]
#[command(name = "throughput", about = "Measures limits, peers and kep side by side")]
struct Options {
    /// Which part.
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// Keys of users, seal and time-stamp authority.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "p256,rsa2048")]
    keys: Vec<KeyKind>,
    /// Octets of a message (about; the signature comes on top).
    #[arg(long, value_delimiter = ',', default_value = "4096,102400,5242880")]
    sizes: Vec<usize>,
    /// Submission connections.
    #[arg(long, value_delimiter = ',', default_value = "1,8,32")]
    connections: Vec<usize>,
    /// Octets a measurement moves at most; with `--messages` it decides how many messages.
    #[arg(long, default_value_t = 64 << 20)]
    octets: usize,
    /// Messages of a measurement at most.
    #[arg(long, default_value_t = 2000)]
    messages: usize,
    /// Times each measurement is made; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only these of IMAP, and neither submissions nor limits.
    #[arg(long, value_enum, value_delimiter = ',')]
    imap: Vec<Measure>,
    /// How Dovecot keeps mail.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sdbox,maildir")]
    formats: Vec<Format>,
    /// Messages in the mailbox that IMAP is measured on; none leaves IMAP out.
    #[arg(long, default_value_t = 50_000)]
    mailbox: usize,
    /// Messages of prose that are searched.
    #[arg(long, default_value_t = 10_000)]
    searched: usize,
    /// Connections that idle while memory is looked at; `mailbox.max_connections` bounds it.
    #[arg(long, default_value_t = 10_000)]
    idlers: usize,
    /// The same for Dovecot, which takes two processes a connection.
    #[arg(long, default_value_t = 300)]
    peer_idlers: usize,
    /// Messages in the store that is started.
    #[arg(long, default_value_t = 1_000_000)]
    stored: usize,
    /// Mails that wait for a dead provider while the relay to a living one is measured, on 8
    /// connections; none leaves that out.
    #[arg(long, default_value_t = 100_000)]
    queued: usize,
    /// Where the provider with the long queue keeps its rows.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sqlite,postgres")]
    rows: Vec<RowsIn>,
    /// Seconds of each limit.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Where the peers' and our data stand (a folder on the disk to be measured).
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Write all figures as JSON here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// fsync rate and cryptography alone
    Limits,
    /// Postfix and Dovecot
    Peer,
    /// this provider
    Kep,
    /// two of this provider, one sending to the other
    Relay,
    /// everything, with ratios
    All,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    process::open_many_files()?;
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let mut report = Report::new();
    if options.wants(Part::Limits) && options.imap.is_empty() {
        limits(&options, folder.path(), &mut report)?;
    }
    let (runtime, mut plan) = (tokio::runtime::Runtime::new()?, options.plan());
    if options.wants(Part::Peer) {
        plan.imap.idlers = options.peer_idlers.max(1);
        runtime.block_on(peer::measure(&plan, &options.formats, folder.path(), &mut report))?;
    }
    if options.wants(Part::Kep) {
        plan.imap.idlers = options.idlers.max(1);
        let run = kep::measure(&plan, &options.keys, folder.path(), &mut report);
        runtime.block_on(run)?;
    }
    if options.wants(Part::Relay) && options.imap.is_empty() {
        let plan = options.relay_plan(plan);
        if options.part == Part::Relay {
            cryptography(&options, List::Relayed, &mut report)?;
        }
        let run = peer::measure_relay(&plan.shapes, plan.rounds, folder.path(), &mut report);
        if let Err(error) = runtime.block_on(run) {
            println!("postfix to postfix is left out: {error}");
        }
        runtime.block_on(relay::measure(&plan, folder.path(), &mut report))?;
    }
    report.print_ratios();
    report.print_single_ratios();
    match &options.json {
        Some(file) => report.write_json(file),
        None => Ok(()),
    }
}

fn limits(options: &Options, folder: &std::path::Path, report: &mut Report) -> io::Result<()> {
    let long = Duration::from_secs(options.seconds);
    for threads in FSYNC_THREADS {
        fsync::measure(folder, threads, long, report)?;
    }
    cryptography(options, List::Local, report)?;
    cryptography(options, List::Relayed, report)
}

fn cryptography(options: &Options, list: List, report: &mut Report) -> io::Result<()> {
    let long = Duration::from_secs(options.seconds);
    for key in &options.keys {
        for size in &options.sizes {
            operations::measure(list, *key, *size, long, report)?;
        }
    }
    Ok(())
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.part == part || self.part == Part::All
    }

    fn plan(&self) -> Plan {
        let shape = |size: usize, connections: usize| {
            let messages = (self.octets / size).clamp(connections, self.messages.max(connections));
            Shape { size, connections, messages }
        };
        let each = self.sizes.iter().flat_map(|s| self.connections.iter().map(|c| shape(*s, *c)));
        let (imap, only_imap) = (self.imap_plan(), !self.imap.is_empty());
        let shapes = if only_imap { Vec::new() } else { each.collect() };
        Plan { shapes, rounds: self.rounds.max(1), imap }
    }

    fn relay_plan(&self, plan: Plan) -> relay::Plan {
        let (shapes, rounds) = (plan.shapes, plan.rounds);
        let (keys, rows) = (self.keys.clone(), self.rows.clone());
        relay::Plan { keys, shapes, rounds, queued: self.queued, rows }
    }

    fn imap_plan(&self) -> imap::Plan {
        let measures = match self.imap.is_empty() {
            true if self.mailbox == 0 => Vec::new(),
            true => Measure::value_variants().to_vec(),
            false => self.imap.clone(),
        };
        imap::Plan {
            measures,
            messages: self.mailbox.max(1),
            searched: self.searched.max(1),
            idlers: self.idlers.max(1),
            stored: self.stored,
        }
    }
}

const FSYNC_THREADS: [usize; 3] = [1, 8, 32];
