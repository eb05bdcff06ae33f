//! `kep proposal`: what one of the staff proposed over the API, decided by another one.

use super::account::registry;
use super::{show, staff};
use crate::arguments::{Proposal as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::proposals::{self, Act, Proposal, ProposalError, State};
use kep::registry::staff::StaffRole;
use kep::store::{Lane, Store, Tx};
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, state, before, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let state = state.as_deref().map(known).transpose()?;
            let page = move |tx: &mut Tx<'_>| proposals::page(tx, state, before, limit);
            let found = store.read(page).await.map_err(Failure::unavailable)?;
            let lines: Vec<_> = found.iter().map(Line::of).collect();
            show::print(json, &lines, |lines| table(lines))
        }
        Arguments::Approve { conf, who, id, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = named(&store, &who, Some(StaffRole::Approver)).await?;
            decided(&store, json, move |tx| proposals::approve(tx, id, &by)).await
        }
        Arguments::Refuse { conf, who, id, reason, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let own = own(&store, &who, id).await?;
            let role = (!own).then_some(StaffRole::Approver);
            let by = named(&store, &who, role).await?;
            decided(&store, json, move |tx| proposals::refuse(tx, id, &reason, &by)).await
        }
    }
}

/// Whoever decides is a person who proves it.
async fn named(store: &Store, who: &Who, role: Option<StaffRole>) -> Outcome<By> {
    if who.name.is_none() {
        return Err(Failure::usage("a proposal is decided by a named person")
            .hint("--as NAME; `kep staff list` shows who is approver"));
    }
    match role {
        Some(role) => staff::by_role(store, who, role).await,
        None => staff::by(store, who).await,
    }
}

/// Whether it is the proposal of who is named.
async fn own(store: &Store, who: &Who, id: i64) -> Outcome<bool> {
    let found = store.read(move |tx: &mut Tx<'_>| proposals::find(tx, id)).await;
    Ok(who.name.as_deref() == Some(found.map_err(failure)?.by.as_str()))
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
        ProposalError::SamePerson(_) | ProposalError::Gone(_) | ProposalError::NotStaff => {
            Failure::refused(&error).hint("--as names another member of staff than who proposed it")
        }
        ProposalError::Over(..) | ProposalError::Hold(_) | ProposalError::Credit(_) => {
            Failure::data(&error).hint("`kep proposal list` shows what it is about")
        }
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
    reason: Option<String>,
}

impl Line {
    fn of(row: &Proposal) -> Self {
        let reason = match &row.state {
            State::Open | State::Done { .. } => None,
            State::Refused { reason, .. } | State::Withdrawn { reason, .. } => Some(reason.clone()),
        };
        Self {
            number: row.id,
            about: row.subject.clone(),
            what: row.act.clone(),
            by: row.by.clone(),
            at: row.at.iso8601(),
            state: row.state.word(),
            reason,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let what = line.what.word().to_owned();
        let (number, state) = (line.number.to_string(), line.state.to_owned());
        vec![number, what, line.about.clone(), line.by.clone(), line.at.clone(), state]
    });
    let head = ["NO", "WHAT", "ABOUT", "BY", "AT", "STATE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no proposals")
}
