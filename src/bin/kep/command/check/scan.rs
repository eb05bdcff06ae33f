//! The virus scanner: does it answer, does it find what is there to be found, how old is what it knows?

use super::Finding;
use crate::settings::Settings;
use crate::wire_up;
use kep::accept::scan::{self, Clamd, Verdict};
use kep::store::Store;
use kep::trust::Clock;

pub async fn check(settings: &Settings, clock: &Clock, found: &mut Vec<Finding>) {
    let Some(scanner) = wire_up::scanner(settings) else {
        let text = "scan.clamd is not set: nothing is scanned for viruses".to_owned();
        return found.push(Finding::good("virus scan", text));
    };
    match state(&scanner.clamd, clock).await {
        Ok(finding) => found.push(finding),
        Err(error) => found.push(Finding::wrong("virus scan", format!("clamd: {error}"))),
    }
}

/// What was taken and waits. Without a scanner nobody comes for it.
pub async fn waiting(settings: &Settings, store: &Store, found: &mut Vec<Finding>) {
    let set = settings.scan.clamd.is_some();
    found.push(match (scan::waiting(store).await, set) {
        (Ok(0), _) => return,
        (Ok(n), true) => {
            Finding::warning("virus scan", format!("{n} messages were taken and wait for a scan"))
        }
        (Ok(n), false) => {
            let text = "messages were taken and wait for a scan, and scan.clamd is not set: set it, or let \
                        them pass (`kep policy set virus.abandoned accept`)";
            Finding::wrong("virus scan", format!("{n} {text}"))
        }
        (Err(error), _) => Finding::wrong("virus scan", error),
    });
}

async fn state(clamd: &Clamd, clock: &Clock) -> Result<Finding, kep::accept::scan::ScanFault> {
    let version = clamd.version().await?;
    let engine = &version.engine;
    // The test file that every scanner knows, put together here so that no scanner of sources stumbles.
    let test = [EICAR_BEGIN, EICAR_END].concat();
    if !matches!(clamd.scan(test.as_bytes()).await?, Verdict::Virus(_)) {
        let text = format!("{engine} does not find the EICAR test file: it has no signatures");
        return Ok(Finding::wrong("virus scan", text));
    }
    let age = version.signatures.map(|made| (clock.now().millis() - made.millis()) / 86_400_000);
    Ok(match age {
        None => Finding::warning("virus scan", format!("{engine}, no signatures of its makers")),
        Some(days @ OLD..) => {
            Finding::warning("virus scan", format!("{engine}, its signatures are {days} days old"))
        }
        Some(days) => Finding::good("virus scan", format!("{engine}, signatures {days} days old")),
    })
}

/// They come daily.
const OLD: i64 = 7;
const EICAR_BEGIN: &str = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR";
const EICAR_END: &str = "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
