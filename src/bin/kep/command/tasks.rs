//! `kep account handover` and `kep account task`: what waits for a signature, and what else is to do.

use super::operators::{failure, parsed, registrar};
use super::said::{done, parse, registry};
use super::show;
use crate::arguments::{Handover as HandoverArguments, Task as TaskArguments};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::handovers::{self, Handover, HandoverError, State};
use kep::registry::tasks::{self, Task, TaskError, Wanted};
use kep::wire::OperatorCode;
use serde::Serialize;

pub async fn handover(arguments: HandoverArguments) -> Outcome {
    match arguments {
        HandoverArguments::To { conf, who, address, message, to, operator, json } => {
            let (address, to) = (parse(&address)?, parsed(&to)?);
            let operator = operator.as_deref().map(parsed).transpose()?;
            let (store, by) = registrar(&conf.conf, &who).await?;
            let message = message.trim_start_matches('<').trim_end_matches('>');
            let handed = handovers::hand_over(&store, &by, &address, operator, message, to).await;
            let shown = Waits::of(&handed.map_err(undone)?);
            let line = format!("{} waits for operator {to} of {address}\n", shown.message);
            show::print(json, &shown, |_| line)
        }
        HandoverArguments::Return { conf, who, address, id, reason, operator, json } => {
            let address = parse(&address)?;
            let operator = operator.as_deref().map(parsed).transpose()?;
            let (store, by) = registrar(&conf.conf, &who).await?;
            let back = handovers::give_back(&store, &by, &address, operator, id, &reason).await;
            let shown = Waits::of(&back.map_err(undone)?);
            let line = format!("{} stands in the drafts of {address}\n", shown.message);
            show::print(json, &shown, |_| line)
        }
        HandoverArguments::List { conf, address, all, after, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = handovers::list(&store, &parse(&address)?, all, after, limit).await;
            let rows: Vec<_> = found.map_err(registry)?.iter().map(Waits::of).collect();
            show::print(json, &rows, |rows| waiting(rows))
        }
    }
}

pub async fn task(arguments: TaskArguments) -> Outcome {
    match arguments {
        TaskArguments::List { conf, address, operator, all, after, limit, json } => {
            let operator = operator.as_deref().map(parsed).transpose()?;
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let wanted = Wanted { operator, all, after, most: limit };
            let found = tasks::list(&store, &parse(&address)?, wanted).await.map_err(failure)?;
            let rows: Vec<_> = found.iter().map(Todo::of).collect();
            show::print(json, &rows, |rows| todo(rows))
        }
        TaskArguments::Done { conf, who, address, id } => {
            let address = parse(&address)?;
            let (store, by) = registrar(&conf.conf, &who).await?;
            let closed = tasks::dismiss(&store, &by, &address, id).await;
            closed.map_err(|error| match error {
                TaskError::Registry(error) => registry(error),
                TaskError::Unknown(..) => {
                    Failure::not_found(&error).hint("`kep account task list` shows them")
                }
                TaskError::Undone(_) => Failure::data(&error),
            })?;
            done(&format!("task {id} of {address} is done"))
        }
    }
}

fn undone(error: HandoverError) -> Failure {
    match error {
        HandoverError::Operator(error) => failure(error),
        HandoverError::Unknown(..) => {
            Failure::not_found(&error).hint("`kep account handover list` shows them")
        }
        HandoverError::NoPaper(..) => Failure::not_found(&error)
            .hint("a held message by its id, a draft in Taslaklar by its Message-ID"),
        HandoverError::NotHis(..) => {
            Failure::refused(&error).hint("`kep account operator list` shows who may what")
        }
        HandoverError::Reason | HandoverError::Mistimed(_) => Failure::data(&error),
    }
}

#[derive(Serialize)]
struct Waits {
    id: i64,
    message: String,
    state: &'static str,
    /// To whom; none: whoever may sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    handed_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    /// Who signed or returned it; none: the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The message that its signed form is.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed: Option<String>,
}

impl Waits {
    fn of(one: &Handover) -> Self {
        let code = |code: &Option<OperatorCode>| code.map(|code| code.to_string());
        let mut shown = Self {
            id: one.id,
            message: one.paper.subject().to_owned(),
            state: one.state.word(),
            operator: None,
            handed_by: one.handed_by.clone(),
            since: None,
            due: None,
            by: None,
            at: None,
            reason: None,
            signed: None,
        };
        match &one.state {
            State::Waiting { to, since, due } => {
                shown.operator = code(to);
                (shown.since, shown.due) = (Some(since.iso8601()), Some(due.iso8601()));
            }
            State::Signed { by, at, message } => {
                (shown.by, shown.at) = (code(by), Some(at.iso8601()));
                shown.signed = Some(message.to_string());
            }
            State::Returned { by, at, reason } => {
                (shown.by, shown.at) = (code(by), Some(at.iso8601()));
                shown.reason = Some(reason.clone());
            }
            State::Lapsed { at } | State::Released { at } => shown.at = Some(at.iso8601()),
        }
        shown
    }
}

fn waiting(rows: &[Waits]) -> String {
    let cells = rows.iter().map(|row| {
        let text = |of: &Option<String>| of.clone().unwrap_or_default();
        let when = row.due.clone().or_else(|| row.at.clone()).unwrap_or_default();
        let why = row.signed.clone().or_else(|| row.reason.clone()).unwrap_or_default();
        let (id, state) = (row.id.to_string(), row.state.to_owned());
        vec![id, state, text(&row.operator), when, row.message.clone(), why]
    });
    let head = ["ID", "STATE", "OPERATOR", "UNTIL", "MESSAGE", "WHAT BECAME OF IT"];
    show::table(&head, &cells.collect::<Vec<_>>(), "nothing waits for a signature")
}

#[derive(Serialize)]
struct Todo {
    id: i64,
    kind: &'static str,
    /// What is to be done about it.
    action: &'static str,
    turkish: &'static str,
    english: &'static str,
    subject: String,
    /// Whose it is; none: whoever may.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: String,
    opened: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<String>,
}

impl Todo {
    fn of(task: &Task) -> Self {
        Self {
            id: task.id,
            kind: task.kind.word(),
            action: task.kind.action(),
            turkish: task.kind.turkish(),
            english: task.kind.english(),
            subject: task.subject.clone(),
            operator: task.operator.map(|code| code.to_string()),
            note: task.note.clone(),
            opened: task.opened_at.iso8601(),
            due: task.due.map(|at| at.iso8601()),
            state: task.state.word(),
            closed: task.state.closed_at().map(|at| at.iso8601()),
        }
    }
}

fn todo(rows: &[Todo]) -> String {
    let cells = rows.iter().map(|row| {
        let text = |of: &Option<String>| of.clone().unwrap_or_default();
        let (id, kind, state) = (row.id.to_string(), row.kind.to_owned(), row.state.to_owned());
        vec![id, kind, state, text(&row.operator), text(&row.due), row.subject.clone()]
    });
    let head = ["ID", "WHAT", "STATE", "OPERATOR", "UNTIL", "ABOUT"];
    show::table(&head, &cells.collect::<Vec<_>>(), "there is nothing to do")
}
