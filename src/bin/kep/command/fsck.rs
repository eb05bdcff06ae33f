//! `kep fsck`: do rows, blobs and evidence agree, and is nothing that was accepted invisible?

use super::show;
use crate::arguments::Fsck as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::store::fsck::{self, Depth, Finding, Part, Progress, Severity};
use serde::Serialize;
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(Serialize)]
struct Found {
    severity: &'static str,
    subject: String,
    text: String,
}

pub async fn run(arguments: &Arguments) -> Outcome {
    let store = wire_up::store(&wire_up::settings(&arguments.conf.conf)?).await?;
    let depth = if arguments.quick { Depth::Quick } else { Depth::Full };
    let mut bar = Bar::new();
    let findings = fsck::check(&store, depth, |progress| bar.show(progress)).await;
    bar.clear();
    let findings = findings.map_err(|e| Failure::unavailable(format!("storage: {e}")))?;
    let bad = findings.iter().filter(|finding| finding.severity > Severity::Odd).count();
    let found: Vec<_> = findings.iter().map(found).collect();
    show::print(arguments.json, &found, |found| text(found))?;
    match bad {
        0 => Ok(ExitCode::SUCCESS),
        n => Err(Failure::data(format!("{n} contradictions"))
            .hint("restore what is lost from a backup; `docs/operations.md` says how")),
    }
}

fn found(finding: &Finding) -> Found {
    Found {
        severity: finding.severity.word(),
        subject: finding.subject.clone(),
        text: finding.to_string(),
    }
}

fn text(found: &[Found]) -> String {
    if found.is_empty() {
        return "rows, blobs and evidence agree\n".to_owned();
    }
    found.iter().map(|one| format!("{}\n", one.text)).collect()
}

/// Progress on a terminal, a line that is written over; nothing elsewhere.
struct Bar {
    shown: bool,
    on: bool,
}

impl Bar {
    fn new() -> Self {
        Self { shown: false, on: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, Progress { part, done, of }: Progress) {
        if self.on {
            let part = match part {
                Part::Rows => "rows",
                Part::Blobs => "blobs",
            };
            eprint!("\r{part} {done} of {of}   ");
            self.shown = true;
        }
    }

    fn clear(&mut self) {
        if self.shown {
            eprint!("\r{:40}\r", "");
        }
    }
}
