//! How fast is it: the machine's limits, Postfix and Dovecot, and `kep`, side by side in one run.
//!
//! `cargo bench --bench throughput -- limits | peer | kep | all`; figures and how to read them
//! stand in `docs/performance.md`.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../../tests/client/mod.rs"]
mod client;
mod fsync;
mod hierarchy;
mod imap;
mod kep;
mod load;
mod operations;
mod peer;
mod report;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use hierarchy::KeyKind;
use load::{Plan, Shape};
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
    /// Messages in the mailbox that IMAP is measured on; none leaves IMAP out.
    #[arg(long, default_value_t = 50_000)]
    mailbox: usize,
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
    /// everything, with ratios
    All,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    let mut report = Report::new();
    if options.wants(Part::Limits) {
        limits(&options, folder.path(), &mut report)?;
    }
    let (runtime, plan) = (tokio::runtime::Runtime::new()?, options.plan());
    if options.wants(Part::Peer) {
        runtime.block_on(peer::measure(&plan, folder.path(), &mut report))?;
    }
    if options.wants(Part::Kep) {
        let run = kep::measure(&plan, &options.keys, folder.path(), &mut report);
        runtime.block_on(run)?;
    }
    report.print_ratios();
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
    for key in &options.keys {
        for size in &options.sizes {
            operations::measure(*key, *size, long, report)?;
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
        Plan { shapes: each.collect(), rounds: self.rounds.max(1), mailbox: self.mailbox }
    }
}

const FSYNC_THREADS: [usize; 3] = [1, 8, 32];
