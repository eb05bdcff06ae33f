//! `kep restore`: a backup becomes a store, which is examined at once.

use super::backup::{self as kept, Line, clear, failure, tell};
use super::bar::Bar;
use super::{fsck, serve, show, staff};
use crate::arguments::Restore as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::store::backup::{self, Folder};
use kep::store::fsck::Depth;
use kep::trust::Clock;
use serde::Serialize;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// What there is again, and what is wrong with it.
#[derive(Serialize)]
struct Again {
    #[serde(flatten)]
    line: Line,
    data: String,
    rows: u64,
    contradictions: usize,
    findings: Vec<String>,
}

pub async fn run(arguments: &Arguments) -> Outcome {
    let mut settings = wire_up::settings(&arguments.conf.conf)?;
    if let Some(to) = &arguments.to {
        settings.data.dir = to.clone();
        settings.data.blobs = None;
    }
    let folder = Folder::find(&arguments.dir).map_err(failure)?;
    let vault = wire_up::vault(&settings)?;
    // No server may begin in there meanwhile.
    let _alone = serve::alone(&settings.data.dir)?;
    let (rows, blobs) = wire_up::places(&settings)?;
    let bar = Arc::new(Mutex::new(Bar::new()));
    let places = (settings.data.dir.as_path(), blobs.as_path());
    let (wanted, now) = (arguments.generation.clone(), Clock::System.now());
    let restored = backup::restore(folder, wanted, &rows, places, vault, now, tell(&bar)).await;
    clear(&bar);
    let restored = restored.map_err(failure)?;
    let store = wire_up::store(&settings).await?;
    // It is done, whoever did it, and so the audit has it.
    let (by, unproven) = match staff::by(&store, &arguments.who).await {
        Ok(by) => (by, None),
        Err(failure) => (staff::of_machine(), Some(failure)),
    };
    kept::record(&store, by, "backup.restore", &restored.generation).await?;
    let (found, bad) = fsck::examine(&store, Depth::Full).await?;
    let data = match kept::elsewhere(&settings) {
        true => format!("{} and its database", settings.data.dir.display()),
        false => settings.data.dir.display().to_string(),
    };
    let again = Again {
        line: Line::of(&restored.generation, &restored.manifest),
        data,
        rows: restored.rows.values().sum(),
        contradictions: bad,
        findings: found.into_iter().map(|one| one.text).collect(),
    };
    show::print(arguments.json, &again, |again| text(again, &restored.manifest.begun))?;
    match (bad, unproven) {
        (0, None) => Ok(ExitCode::SUCCESS),
        (0, Some(failure)) => Err(failure.hint(
            "all is restored and examined; the audit has it as done by who is at this machine",
        )),
        (n, _) => Err(Failure::data(format!("{n} contradictions in what was restored")).hint(
            "restore an older generation elsewhere (--generation NAME --to DATA), and compare",
        )),
    }
}

fn text(again: &Again, begun: &str) -> String {
    let (line, rows) = (&again.line, again.rows);
    let mut text = again.findings.iter().map(|one| format!("{one}\n")).collect::<String>();
    text += &line.text(rows);
    text += &format!("restored to {}: all that was acknowledged before {begun}\n", again.data);
    if again.contradictions == 0 {
        text += "rows, blobs and evidence agree\n";
    }
    text
}
