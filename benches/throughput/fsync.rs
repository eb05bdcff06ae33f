//! The disk's limit: appends of 4 KiB, each made durable, one file a thread.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::report::{Figure, Report, quantile};

pub fn measure(
    folder: &Path,
    threads: usize,
    long: Duration,
    report: &mut Report,
) -> io::Result<()> {
    let until = Instant::now() + long;
    let waits: Vec<Duration> = thread::scope(|scope| {
        let run = |n| scope.spawn(move || append(&folder.join(format!("fsync-{n}")), until));
        let running: Vec<_> = (0..threads).map(run).collect();
        let each = running.into_iter().map(|t| t.join().unwrap_or_else(|_| Err(panicked())));
        Ok::<_, io::Error>(each.collect::<io::Result<Vec<_>>>()?.concat())
    })?;
    report.add(Figure {
        what: "fdatasync",
        subject: "disk".to_owned(),
        size: BLOCK,
        connections: threads,
        rate: waits.len() as f64 / long.as_secs_f64(),
        p50: quantile(&waits, 50),
        p99: quantile(&waits, 99),
        cpu: None,
    });
    Ok(())
}

fn append(file: &Path, until: Instant) -> io::Result<Vec<Duration>> {
    let mut open = OpenOptions::new().create(true).append(true).open(file)?;
    let (block, mut waits) = ([0x5a; BLOCK], Vec::new());
    while Instant::now() < until {
        let start = Instant::now();
        open.write_all(&block)?;
        open.sync_data()?;
        waits.push(start.elapsed());
    }
    std::fs::remove_file(file)?;
    Ok(waits)
}

fn panicked() -> io::Error {
    io::Error::other("a measuring thread panicked")
}

const BLOCK: usize = 4096;
