//! Verification by `kep verify`, as a child: it sees the exported files and the anchors alone.

use super::journey::Journey;
use super::provider::Provider;
use super::server::executable;
use crate::failure::{Failure, Outcome};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// What `kep verify` says about all that the journey left behind.
pub struct Verdict {
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    /// Its report as it came.
    pub report: Value,
    files: Vec<File>,
    expected: usize,
}

/// Of its report what the time line shows.
#[derive(Deserialize)]
struct Run {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    verdict: String,
    evidence: Option<Facts>,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Facts {
    stamped_at: Option<String>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    state: String,
}

/// The evidence, the mails that brought it, and the dispatch, together: `kep verify` compares them
/// with each other, too.
pub async fn of(provider: &Provider, journey: &Journey) -> Outcome<Verdict> {
    let evidence = journey.evidence.iter().flat_map(|piece| [&piece.xml, &piece.mail]);
    let files: Vec<_> = evidence.chain([&journey.dispatch]).collect();
    let mut command = Command::new(executable()?);
    command.arg("verify").arg("--json").arg("--trust").arg(provider.trust());
    command.arg("--original").arg(&journey.original).args(&files);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ran = timeout(PATIENCE, command.output()).await;
    let ran = ran.map_err(|_| Failure::unavailable("kep verify comes to no end"))?;
    let ran = ran.map_err(|e| Failure::unavailable(format!("kep verify does not start: {e}")))?;
    let report: Value = serde_json::from_slice(&ran.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&ran.stderr);
        Failure::software(format!("kep verify ({}): {}", ran.status, said.trim()))
    })?;
    let run = Run::deserialize(&report);
    let run = run.map_err(|e| Failure::software(format!("kep verify's report: {e}")))?;
    Ok(Verdict { exit_code: ran.status.code(), report, files: run.files, expected: files.len() })
}

impl Verdict {
    /// It looked at every file, and found nothing wrong and nothing open.
    pub fn is_valid(&self) -> bool {
        self.exit_code == Some(0)
            && self.files.len() == self.expected
            && self.files.iter().all(|file| file.verdict == "valid")
    }

    pub fn files(&self) -> usize {
        self.files.len()
    }

    pub fn holds_for(&self, file: &Path) -> bool {
        self.file(file).is_some_and(|file| file.verdict == "valid")
    }

    /// The signature's value, and the certificate that it was made with.
    pub fn signature(&self, file: &Path) -> bool {
        self.all_good(file, &["signature-value", "seal-certificate"])
    }

    pub fn time_stamp(&self, file: &Path) -> bool {
        let checks = ["time-stamp-imprint", "time-stamp-signature", "time-stamp-certificate"];
        self.all_good(file, &checks)
    }

    /// What the time stamp says.
    pub fn stamped_at(&self, file: &Path) -> Option<&str> {
        self.file(file)?.evidence.as_ref()?.stamped_at.as_deref()
    }

    /// Each stands there, and is good wherever it stands.
    fn all_good(&self, file: &Path, names: &[&str]) -> bool {
        let Some(file) = self.file(file) else { return false };
        names.iter().all(|name| {
            let mut checks = file.checks.iter().filter(|check| check.name == *name).peekable();
            checks.peek().is_some() && checks.all(|check| check.state == "good")
        })
    }

    fn file(&self, file: &Path) -> Option<&File> {
        self.files.iter().find(|known| known.name.as_deref().is_some_and(|n| Path::new(n) == file))
    }
}

const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(exit_code: i32, report: Value) -> Verdict {
        let files = Run::deserialize(&report).unwrap().files;
        Verdict { exit_code: Some(exit_code), report, files, expected: 1 }
    }

    fn report(stamp: &str) -> Value {
        serde_json::json!({ "verdict": "valid", "between": [], "files": [{
            "name": "/a.xml", "kind": "evidence", "verdict": "valid", "enclosed": [],
            "evidence": { "stamped_at": "2026-11-23T08:29:24.000Z" },
            "checks": [
                { "name": "signature-value", "state": "good" },
                { "name": "seal-certificate", "state": "good" },
                { "name": "seal-certificate", "state": "unknown" },
                { "name": "time-stamp-imprint", "state": stamp },
                { "name": "time-stamp-signature", "state": "good" },
                { "name": "time-stamp-certificate", "state": "good" },
            ]
        }]})
    }

    #[test]
    fn a_check_counts_when_it_was_made_and_is_good_everywhere() {
        let file = Path::new("/a.xml");
        let good = verdict(0, report("good"));
        assert!(good.is_valid() && good.holds_for(file) && good.time_stamp(file));
        assert!(!good.signature(file));
        assert_eq!(good.stamped_at(file), Some("2026-11-23T08:29:24.000Z"));
        assert!(!verdict(0, report("bad")).time_stamp(file));
        assert!(!good.time_stamp(Path::new("/b.xml")));
    }

    #[test]
    fn all_files_and_the_exit_code_must_agree() {
        assert!(!verdict(2, report("good")).is_valid());
        let nothing = serde_json::json!({ "verdict": "valid", "between": [], "files": [] });
        assert!(!verdict(0, nothing).is_valid());
    }
}
