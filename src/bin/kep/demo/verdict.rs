//! Verification by `kep verify`, as a child: it sees the exported files and the anchors alone.

use super::journey::Journey;
use super::provider::Provider;
use super::server::executable;
use crate::failure::{Failure, Outcome};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// What `kep verify` says about one file.
#[derive(Serialize)]
pub struct Verdict {
    pub file: PathBuf,
    pub valid: bool,
    /// None: a signal ended it.
    pub exit_code: Option<i32>,
    /// Its own report, as JSON.
    pub report: Value,
}

/// About every file that the journey left behind.
pub async fn all(provider: &Provider, journey: &Journey) -> Outcome<Vec<Verdict>> {
    let evidence = journey.evidence.iter().flat_map(|piece| [&piece.xml, &piece.mail]);
    let mut verdicts = Vec::new();
    for file in std::iter::once(&journey.dispatch).chain(evidence) {
        verdicts.push(of(file, &provider.trust(), &journey.original).await?);
    }
    Ok(verdicts)
}

async fn of(file: &Path, trust: &Path, original: &Path) -> Outcome<Verdict> {
    let mut command = Command::new(executable()?);
    command.arg("verify").arg("--json").arg("--trust").arg(trust);
    command.arg("--original").arg(original).arg(file);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ran = timeout(PATIENCE, command.output()).await;
    let ran =
        ran.map_err(|_| Failure::unavailable(format!("kep verify {}: no end", file.display())));
    let ran = ran?.map_err(|e| Failure::unavailable(format!("kep verify does not start: {e}")))?;
    let report = serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| {
        let said = [ran.stdout.as_slice(), ran.stderr.as_slice()].concat();
        Value::String(String::from_utf8_lossy(&said).trim().to_owned())
    });
    let exit_code = ran.status.code();
    Ok(Verdict { file: file.to_owned(), valid: exit_code == Some(0), exit_code, report })
}

const PATIENCE: Duration = Duration::from_secs(60);
