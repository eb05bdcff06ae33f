//! `kep policy`: what the provider decided, since when, why and who.

use super::said::done;
use super::{show, staff};
use crate::arguments::Policy as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::declared::Declared;
use kep::registry::policy::{self, DECLARED, Decision, PolicyError};
use kep::registry::staff::StaffRole;
use kep::store::RowsError;
use kep::trust::Clock;
use kep::wire::Timestamp;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, at, json } => {
            let at = at.as_deref().map(time).transpose()?.unwrap_or_else(|| Clock::System.now());
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let policies = store.read(move |tx| policy::at(tx, at)).await;
            let policies = policies.map_err(|e: RowsError| Failure::unavailable(e))?;
            let row = |one: &'static Declared| Row {
                key: one.key,
                value: policies.written(one.key).unwrap_or_default(),
                form: one.form,
                turkish: one.turkish,
                english: one.english,
            };
            let rows: Vec<_> = DECLARED.iter().map(row).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, key, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let history = policy::history(&store, Some(&key)).await.map_err(failure)?;
            let rows: Vec<_> = history.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| told(rows))
        }
        Arguments::Set { conf, who, key, value, reason, from, json } => {
            let from = from.as_deref().map(time).transpose()?;
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Manager).await?;
            let from = from.unwrap_or(by.at);
            let set = policy::set(&store, &by, &key, &value, from, &reason).await;
            let shown = Shown::of(&set.map_err(failure)?);
            show::print(json, &shown, |one| format!("{key} is {} from {}\n", one.value, one.from))
        }
        Arguments::Cancel { conf, who, key, reason } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Manager).await?;
            match policy::cancel(&store, &by, &key, &reason).await.map_err(failure)? {
                0 => Err(Failure::not_found(format!("nothing is decided about {key} for later"))),
                count => done(&format!("{count} decisions about {key} are taken back")),
            }
        }
    }
}

/// RFC 3339.
pub fn time(text: &str) -> Outcome<Timestamp> {
    Timestamp::parse_iso8601(text).ok_or_else(|| {
        Failure::data(format!("{text} is no time")).hint("as 2027-01-01T00:00:00+03:00")
    })
}

fn failure(error: PolicyError) -> Failure {
    match &error {
        PolicyError::Unknown(_) => Failure::not_found(&error).hint("`kep policy list` shows them"),
        PolicyError::Store(_) => Failure::unavailable(&error),
        _ => Failure::data(&error),
    }
}

#[derive(Serialize)]
struct Row {
    key: &'static str,
    value: String,
    form: &'static str,
    turkish: &'static str,
    english: &'static str,
}

#[derive(Serialize)]
struct Shown {
    value: String,
    from: String,
    reason: String,
    by: String,
    decided: String,
}

impl Shown {
    fn of(decision: &Decision) -> Self {
        Self {
            value: decision.value.clone(),
            from: decision.valid_from.iso8601(),
            reason: decision.reason.clone(),
            by: decision.set_by.clone(),
            decided: decision.set_at.iso8601(),
        }
    }
}

fn list(rows: &[Row]) -> String {
    let cells = rows.iter().map(|row| {
        vec![row.key.to_owned(), row.value.clone(), row.form.to_owned(), row.english.to_owned()]
    });
    show::table(&["POLICY", "NOW", "WRITTEN", "WHAT"], &cells.collect::<Vec<_>>(), "no policies")
}

fn told(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let Shown { value, from, reason, by, decided } = row;
        vec![from.clone(), value.clone(), by.clone(), decided.clone(), reason.clone()]
    });
    let head = ["FROM", "VALUE", "BY", "DECIDED", "WHY"];
    show::table(&head, &cells.collect::<Vec<_>>(), "nothing was decided; the default holds")
}
