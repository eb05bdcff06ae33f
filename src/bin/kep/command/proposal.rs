//! `kep proposal`: what one of the staff proposed over the API, decided by another one.

use super::said::registry;
use super::{credit, hold, show, staff};
use crate::arguments::{Proposal as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::proposals::{self, Act, Proposal, ProposalError, State};
use kep::store::{Lane, Store, Tx};
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, state, before, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let state = state.as_deref().map(known).transpose()?;
            let page = move |tx: &mut Tx<'_>| proposals::page(tx, state, before, limit.into());
            let found = store.read(page).await.map_err(Failure::unavailable)?;
            let lines: Vec<_> = found.iter().map(Line::of).collect();
            show::print(json, &lines, |lines| table(lines))
        }
        Arguments::Approve { conf, who, id, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = named(&store, &who).await?;
            decided(&store, json, move |tx| proposals::approve(tx, id, &by)).await
        }
        Arguments::Refuse { conf, who, id, reason, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = named(&store, &who).await?;
            decided(&store, json, move |tx| proposals::refuse(tx, id, &reason, &by)).await
        }
    }
}

/// Whoever decides is a person who proves it.
async fn named(store: &Store, who: &Who) -> Outcome<By> {
    if who.name.is_none() {
        return Err(Failure::usage("a proposal is decided by a named person")
            .hint("--as NAME; `kep staff list` shows who is approver"));
    }
    staff::by(store, who).await
}

async fn decided(
    store: &Store,
    json: bool,
    work: impl Fn(&mut Tx<'_>) -> Result<Proposal, ProposalError> + Send + 'static,
) -> Outcome {
    let done = store.write(Lane::Client, work).await.map_err(failure)?;
    show::print(json, &Line::of(&done), |line| table(std::slice::from_ref(line)))
}

fn known(word: &str) -> Outcome<&'static str> {
    let found = State::WORDS.into_iter().find(|known| *known == word);
    found.ok_or_else(|| Failure::data(format!("{word} is no state")).hint(State::WORDS.join(", ")))
}

fn failure(error: ProposalError) -> Failure {
    match error {
        ProposalError::Registry(error) => registry(error),
        ProposalError::Unknown(_) => {
            Failure::not_found(&error).hint("`kep proposal list` shows them")
        }
        ProposalError::SamePerson(_) | ProposalError::NotStaff => {
            Failure::refused(&error).hint("--as names another member of staff than who proposed it")
        }
        ProposalError::OffDuty(_) => {
            Failure::refused(&error).hint("`kep staff list` shows who is approver")
        }
        ProposalError::Gone(_) => {
            Failure::refused(&error).hint("refuse it, and have it proposed anew")
        }
        ProposalError::Over(..) => {
            Failure::data(&error).hint("`kep proposal list` shows what became of it")
        }
        ProposalError::Hold(error) => hold::failure(error),
        ProposalError::Credit(error) => credit::failure(error),
    }
}

#[derive(Serialize)]
struct Line {
    number: i64,
    about: String,
    what: Act,
    by: String,
    at: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The hold that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<i64>,
}

impl Line {
    fn of(row: &Proposal) -> Self {
        let (decided, reason, hold) = match &row.state {
            State::Open => (None, None, None),
            State::Done { by, at, made } => (Some((by, at)), None, *made),
            State::Refused { by, at, reason } => (Some((by, at)), Some(reason.clone()), None),
            State::Withdrawn { at, reason } => (Some((&row.by, at)), Some(reason.clone()), None),
        };
        Self {
            number: row.id,
            about: row.subject.clone(),
            what: row.act.clone(),
            by: row.by.clone(),
            at: row.at.iso8601(),
            state: row.state.word(),
            decided_by: decided.map(|(by, _)| by.clone()),
            decided: decided.map(|(_, at)| at.iso8601()),
            reason,
            hold,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let what = line.what.word().to_owned();
        let (number, state) = (line.number.to_string(), line.state.to_owned());
        let (about, by, at) = (line.about.clone(), line.by.clone(), line.at.clone());
        vec![number, what, about, details(&line.what), by, at, state]
    });
    let head = ["NO", "WHAT", "ABOUT", "DETAILS", "BY", "AT", "STATE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no proposals")
}

/// All that an approver decides about.
fn details(act: &Act) -> String {
    match act {
        Act::PlaceHold { message: Some(message), reason, .. } => format!("{message}: {reason}"),
        Act::PlaceHold { message: None, reason, .. } => format!("all: {reason}"),
        Act::ReleaseHold { hold, reason } => format!("hold {hold}: {reason}"),
        Act::Correct { sms, amount, reason, reference, .. } => {
            let unit = if *sms { "sms" } else { "credits" };
            format!("{amount:+} {unit} ({reference}): {reason}")
        }
    }
}
