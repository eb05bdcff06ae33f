//! Cryptography alone: exactly the operations one message needs, on all cores.
//!
//! `ONE_MESSAGE` and `ONE_RELAYED` are the lists; a measurement runs one and nothing else, so its rate
//! is what a provider that did everything else for nothing would reach, or two of them together.

mod material;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::client::world::cpu_of;
use super::hierarchy::KeyKind;
use super::report::{CRYPTOGRAPHY, Figure, RELAY_CRYPTOGRAPHY, Report, quantile};
use material::Material;

/// What one message costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum List {
    /// To a recipient of the same provider.
    Local,
    /// To a recipient of another one, both providers together.
    Relayed,
}

/// One kind of operation, and how often a message to one recipient needs it.
struct Operation {
    name: &'static str,
    times: usize,
    run: fn(&Material) -> io::Result<()>,
}

/// Acceptance and delivery evidence are signed (XAdES) and stamped each, the dispatch is stamped too;
/// each evidence goes out as one mail, the delivery to both sides.
const ONE_MESSAGE: &[Operation] = &[
    Operation { name: "user signature, verify", times: 1, run: Material::verify_user },
    Operation { name: "original, SHA-256", times: 1, run: Material::digest_original },
    Operation { name: "evidence, XAdES sign", times: 2, run: Material::sign_evidence },
    Operation { name: "time stamp, issue", times: 3, run: Material::issue_stamp },
    Operation { name: "time stamp, verify", times: 3, run: Material::verify_stamp },
    Operation { name: "dispatch, CAdES sign", times: 1, run: Material::seal_dispatch },
    Operation { name: "evidence mail, CAdES", times: 2, run: Material::seal_evidence_mail },
    Operation { name: "blob, AES-256-GCM", times: 1, run: Material::encrypt_original },
];

/// The sender's provider makes the acceptance and its mail and the stamped dispatch. The other one
/// verifies the dispatch, the acceptance in it and the stamps of both, and makes relay acceptance and
/// delivery, each with its stamped mail. The first one verifies both mails, evidence and stamps again. Each
/// verifies the stamps that it gets for itself, digests the original and encrypts it. TLS is left out.
const ONE_RELAYED: &[Operation] = &[
    Operation { name: "user signature, verify", times: 1, run: Material::verify_user },
    Operation { name: "original, SHA-256", times: 2, run: Material::digest_original },
    Operation { name: "evidence, XAdES sign", times: 3, run: Material::sign_evidence },
    Operation { name: "time stamp, issue", times: 6, run: Material::issue_stamp },
    Operation { name: "time stamp, verify", times: 12, run: Material::verify_stamp },
    Operation { name: "dispatch, CAdES sign", times: 1, run: Material::seal_dispatch },
    Operation { name: "evidence mail, CAdES", times: 3, run: Material::seal_evidence_mail },
    Operation { name: "dispatch, verify", times: 1, run: Material::verify_dispatch },
    Operation { name: "evidence mail, verify", times: 2, run: Material::verify_evidence_mail },
    Operation { name: "evidence, XAdES verify", times: 3, run: Material::verify_evidence },
    Operation { name: "blob, AES-256-GCM", times: 2, run: Material::encrypt_original },
];

impl List {
    fn operations(self) -> &'static [Operation] {
        match self {
            Self::Local => ONE_MESSAGE,
            Self::Relayed => ONE_RELAYED,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Local => CRYPTOGRAPHY,
            Self::Relayed => RELAY_CRYPTOGRAPHY,
        }
    }
}

pub fn measure(
    list: List,
    kind: KeyKind,
    size: usize,
    long: Duration,
    report: &mut Report,
) -> io::Result<()> {
    let material = Material::new(kind, size)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let before = cpu_of(std::process::id())?;
    let waits = repeat(cores, long, || one_message(list, &material))?;
    let cpu = cpu_of(std::process::id())?.saturating_sub(before) / waits.len().max(1) as u32;
    report.add(Figure {
        what: list.what(),
        subject: kind.name().to_owned(),
        size,
        connections: cores,
        rate: waits.len() as f64 / long.as_secs_f64(),
        p50: quantile(&waits, 50),
        p99: quantile(&waits, 99),
        cpu: Some(cpu),
    });
    for operation in list.operations() {
        let waits = repeat(1, long / PARTS, || (operation.run)(&material))?;
        report.add(Figure {
            what: "operation",
            subject: format!("{}× {}", operation.times, operation.name),
            size,
            connections: 1,
            rate: waits.len() as f64 / (long / PARTS).as_secs_f64(),
            p50: quantile(&waits, 50),
            p99: quantile(&waits, 99),
            cpu: None,
        });
    }
    Ok(())
}

fn one_message(list: List, material: &Material) -> io::Result<()> {
    for operation in list.operations() {
        for _ in 0..operation.times {
            (operation.run)(material)?;
        }
    }
    Ok(())
}

/// Runs the work again and again on so many threads.
fn repeat<F>(threads: usize, long: Duration, work: F) -> io::Result<Vec<Duration>>
where
    F: Fn() -> io::Result<()> + Sync,
{
    let until = Instant::now() + long;
    let run = || {
        let mut waits = Vec::new();
        while Instant::now() < until {
            let start = Instant::now();
            work()?;
            waits.push(start.elapsed());
        }
        Ok::<_, io::Error>(waits)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let panicked = |_| Err(io::Error::other("a measuring thread panicked"));
        let each = running.into_iter().map(|t| t.join().unwrap_or_else(panicked));
        Ok(each.collect::<io::Result<Vec<_>>>()?.concat())
    })
}

/// Each operation alone is measured for a part of the whole time.
const PARTS: u32 = 6;
