//! Figures: printed as they come, then as ratios side by side, and as JSON.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

/// One measurement.
#[derive(Clone, Debug)]
pub struct Figure {
    /// `submission`, `cryptography`, `fdatasync`, …
    pub what: &'static str,
    /// Who was measured, with its variant: `kep p256`, `postfix+dovecot sdbox`, `disk`.
    pub subject: String,
    pub size: usize,
    pub connections: usize,
    /// A second.
    pub rate: f64,
    /// Of one wait: the acknowledgement, or the operation.
    pub p50: Duration,
    pub p99: Duration,
    /// CPU time of the server a message, where the kernel tells it.
    pub cpu: Option<Duration>,
}

/// What is no rate: memory, or how long a start takes.
#[derive(Clone, Debug)]
pub struct Single {
    pub what: &'static str,
    pub subject: String,
    pub value: f64,
    pub unit: &'static str,
}

/// All measurements of one run.
pub struct Report {
    figures: Vec<Figure>,
    singles: Vec<Single>,
}

impl Report {
    pub fn new() -> Self {
        println!(
            "{:<15} {:<24} {:>8} {:>5} {:>11} {:>9} {:>9} {:>9}",
            "what", "subject", "octets", "conns", "/s", "p50 ms", "p99 ms", "cpu µs"
        );
        Self { figures: Vec::new(), singles: Vec::new() }
    }

    pub fn add_single(&mut self, single: Single) {
        let Single { what, subject, value, unit } = &single;
        println!("{what:<15} {subject:<24} {value:.2} {unit}");
        self.singles.push(single);
    }

    pub fn add(&mut self, figure: Figure) {
        let cpu = figure.cpu.map_or_else(|| "-".to_owned(), |cpu| format!("{:.2}", micros(cpu)));
        println!(
            "{:<15} {:<24} {:>8} {:>5} {:>11.1} {:>9.3} {:>9.3} {:>9}",
            figure.what,
            figure.subject,
            figure.size,
            figure.connections,
            figure.rate,
            millis(figure.p50),
            millis(figure.p99),
            cpu
        );
        self.figures.push(figure);
    }

    /// `kep` beside the peers and beside what its cryptography alone allows.
    pub fn print_ratios(&self) {
        let ours = self.figures.iter().filter(|f| f.subject.starts_with("kep "));
        for kep in ours {
            for other in self.figures.iter().filter(|other| comparable(kep, other)) {
                println!("{}", ratio(kep, other));
            }
        }
    }

    /// What is no rate, side by side.
    pub fn print_single_ratios(&self) {
        for kep in self.singles.iter().filter(|s| s.subject.starts_with("kep ")) {
            let peer = |s: &&Single| s.what == kep.what && !s.subject.starts_with("kep ");
            for other in self.singles.iter().filter(peer) {
                let (what, ratio) = (kep.what, kep.value / other.value);
                println!("ratio {what:<14} {} / {}: {ratio:.3} x", kep.subject, other.subject);
            }
        }
    }

    pub fn write_json(&self, file: &Path) -> io::Result<()> {
        let each = self.figures.iter().map(|f| {
            json!({
                "what": f.what,
                "subject": f.subject,
                "octets": f.size,
                "connections": f.connections,
                "per_second": f.rate,
                "p50_ms": millis(f.p50),
                "p99_ms": millis(f.p99),
                "cpu_ms": f.cpu.map(millis),
            })
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let single = |s: &Single| json!({ "what": s.what, "subject": s.subject, "value": s.value, "unit": s.unit });
        let singles: Vec<_> = self.singles.iter().map(single).collect();
        let each: Vec<_> = each.collect();
        let all = json!({ "cores": cores, "figures": each, "singles": singles });
        std::fs::write(file, format!("{all:#}\n"))
    }
}

/// The same work by a peer, or the cryptography of the same work with the same key.
fn comparable(kep: &Figure, other: &Figure) -> bool {
    let peer = other.what == kep.what
        && other.connections == kep.connections
        && !other.subject.starts_with("kep ");
    let limit =
        is_limit(other.what, kep.what) && kep.subject.strip_prefix("kep ") == Some(&other.subject);
    other.size == kep.size && (peer || limit)
}

fn is_limit(limit: &str, what: &str) -> bool {
    matches!((limit, what), (CRYPTOGRAPHY, SUBMISSION) | (RELAY_CRYPTOGRAPHY, RELAY))
}

/// Beside a peer: rates and slowest answers; beside cryptography alone: its share, and the rest.
fn ratio(kep: &Figure, other: &Figure) -> String {
    let what = format!(
        "ratio {:<14} {:>8} octets, {:>2} connections: {} / {}: {:.2} x rate",
        kep.what,
        kep.size,
        kep.connections,
        kep.subject,
        other.subject,
        kep.rate / other.rate,
    );
    if !is_limit(other.what, kep.what) {
        let cpu = match kep.cpu.zip(other.cpu) {
            Some((kep, other)) => format!(", {:.2} x CPU", micros(kep) / micros(other)),
            None => String::new(),
        };
        return format!("{what}, {:.2} x p99{cpu}", millis(kep.p99) / millis(other.p99));
    }
    let spare = kep.cpu.unwrap_or_default().saturating_sub(other.cpu.unwrap_or_default());
    format!("{what}, CPU outside cryptography {:.3} ms", millis(spare))
}

/// The wait that so many per cent of all waits don't exceed.
pub fn quantile(waits: &[Duration], per_cent: usize) -> Duration {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * per_cent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}

fn micros(wait: Duration) -> f64 {
    millis(wait) * 1000.0
}

fn millis(wait: Duration) -> f64 {
    wait.as_secs_f64() * 1000.0
}

pub const CRYPTOGRAPHY: &str = "cryptography";
pub const SUBMISSION: &str = "submission";
pub const RELAY_CRYPTOGRAPHY: &str = "relay cryptogr.";
pub const RELAY: &str = "relay";
