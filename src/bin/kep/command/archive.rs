//! `kep evidence archive`: the time stamps over all evidence.

use super::show;
use crate::arguments::Archive as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::evidence::archive::{self, ArchiveError, Archivist, Fault, Stamped, Verdict};
use kep::store::archive::Stamp;
use kep::trust::detached::Word;
use serde::Serialize;
use std::process::ExitCode;

pub async fn run(arguments: &Arguments) -> Outcome {
    match arguments {
        Arguments::Stamp { conf, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let Word { stamper, readiness, clock, .. } = wire_up::word(&settings).await?;
            let provider = settings.provider.domain.to_string();
            let archivist = Archivist { store, provider, stamper, readiness, clock };
            let made = match archivist.stamp().await.map_err(failure)? {
                Stamped::Nothing => None,
                Stamped::Now(stamp) => Some(Made::of(&stamp, false)),
                Stamped::ByAnother(stamp) => Some(Made::of(&stamp, true)),
            };
            show::print(*json, &made, |made| match made {
                Some(made) => made.text(),
                None => "there is no evidence yet\n".to_owned(),
            })
        }
        Arguments::Verify { conf, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let clock = wire_up::clock(&settings)?;
            let stamper = wire_up::stamper(&settings, &clock)?;
            let verdict = archive::verify(&store, stamper.verifier(), clock.now()).await;
            let verdict = verdict.map_err(|error| Failure::unavailable(&error))?;
            show::print(*json, &Shown::of(&verdict), text)?;
            match verdict.faults.len() as u64 + verdict.unnamed {
                0 => Ok(ExitCode::SUCCESS),
                n => Err(Failure::data(format!("{n} faults")).hint(hint(&verdict))),
            }
        }
    }
}

fn hint(verdict: &Verdict) -> &'static str {
    match verdict.unnamed == 0 && verdict.faults.iter().all(Fault::is_of_time) {
        true => {
            "`kep evidence archive stamp` begins anew; for what is older, copies of the stamps of before that are \
             kept elsewhere (a backup) may prove more"
        }
        false => "compare with a backup: something was changed since it was stamped",
    }
}

#[derive(Serialize)]
struct Made {
    number: i64,
    stamped: String,
    ends: String,
    /// Another process was faster.
    by_another: bool,
}

impl Made {
    fn of(stamp: &Stamp, by_another: bool) -> Self {
        let (stamped, ends) = (stamp.stamped_at.iso8601(), stamp.ends_at.iso8601());
        Self { number: stamp.n, stamped, ends, by_another }
    }

    fn text(&self) -> String {
        let Self { number, stamped, ends, by_another } = self;
        let before =
            if *by_another { "another process was faster, and it is as good: " } else { "" };
        format!("{before}stamp {number} of {stamped}, by a certificate until {ends}\n")
    }
}

#[derive(Serialize)]
struct Shown {
    stamps: usize,
    last: Option<String>,
    /// When the certificate behind the last one ends.
    ends: Option<String>,
    stamped: u64,
    waiting: u64,
    faults: Vec<String>,
    /// Beyond those that are named.
    unnamed: u64,
}

impl Shown {
    fn of(verdict: &Verdict) -> Self {
        Self {
            stamps: verdict.stamps,
            last: verdict.stamped_at.map(|at| at.iso8601()),
            ends: verdict.ends_at.map(|at| at.iso8601()),
            stamped: verdict.stamped,
            waiting: verdict.waiting,
            faults: verdict.faults.iter().map(ToString::to_string).collect(),
            unnamed: verdict.unnamed,
        }
    }
}

fn text(shown: &Shown) -> String {
    let Shown { stamps, last, ends, stamped, waiting, faults, unnamed } = shown;
    let (last, ends) = (last.as_deref().unwrap_or("never"), ends.as_deref().unwrap_or("-"));
    let mut faults: String = faults.iter().map(|fault| format!("{fault}\n")).collect();
    if *unnamed > 0 {
        faults += &format!("and {unnamed} more\n");
    }
    format!(
        "{faults}{stamps} stamps, the last of {last} by a certificate until {ends}\n\
         {stamped} documents are under them, {waiting} wait for the next one\n"
    )
}

fn failure(error: ArchiveError) -> Failure {
    Failure::unavailable(&error).hint("`kep check` says what time stamps lack")
}
