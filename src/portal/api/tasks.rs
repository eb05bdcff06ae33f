//! What is to be done (İşler), each with its one action.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Limit, Number, Yes};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::tasks::{Task as Row, TaskError};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/tasks", "listTasks", Tag::Account)
            .says("Yapılacak işleri listeler.", "Lists what is to be done, the oldest first.")
            .needs(Scope::AccountRead)
            .runs(run::list),
        Endpoint::new(Verb::Post, "/tasks/{task}/done", "dismissTask", Tag::Affairs)
            .says(
                "Yapıldığını yalnızca kişinin bileceği bir işi bitirir.",
                "Ends a task of which only a person can tell that it is done.",
            )
            .personal()
            .may_say([Problem::TaskUnknown, Problem::TaskUndone])
            .runs(run::dismiss),
    ]
}

params! {
    OneTask {
        path task: Number = 7, "The task's number.";
    }
}

params! {
    TaskListing {
        query all: Yes = false, "Those that are over, too.";
        query after: Number = 7, "Those behind this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// Something to be done.
#[derive(Serialize, ToSchema)]
struct Task {
    #[schema(minimum = 1, example = 7)]
    number: i64,
    #[schema(example = "sign")]
    kind: String,
    #[schema(example = "İmza bekliyor")]
    turkish: String,
    #[schema(example = "Waits for a signature")]
    english: String,
    /// What does it.
    #[schema(example = "sign")]
    action: String,
    /// What it is about: a message, a certificate's fingerprint, the number of a term.
    #[schema(example = "taslak-1@example.org")]
    subject: String,
    /// Whose it is; none: of whoever may.
    #[schema(example = "001")]
    operator: Option<String>,
    /// Why, where somebody said it.
    #[schema(example = "")]
    note: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    opened: String,
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    due: Option<String>,
    /// `open`, `done`, or `lapsed`: its time ended before anybody did it.
    #[schema(example = "open")]
    state: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    closed: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Tasks {
    tasks: Vec<Task>,
}

impl Task {
    fn of(row: &Row) -> Self {
        Self {
            number: row.id,
            kind: row.kind.word().to_owned(),
            turkish: row.kind.turkish().to_owned(),
            english: row.kind.english().to_owned(),
            action: row.kind.action().to_owned(),
            subject: row.subject.clone(),
            operator: row.operator.map(|code| code.to_string()),
            note: row.note.clone(),
            opened: row.opened_at.iso8601(),
            due: row.due.map(|due| due.iso8601()),
            state: row.state.word().to_owned(),
            closed: row.state.closed_at().map(|at| at.iso8601()),
        }
    }
}

impl From<TaskError> for Problem {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Registry(error) => error.into(),
            TaskError::Unknown(..) => Self::TaskUnknown,
            TaskError::Undone(_) => Self::TaskUndone,
        }
    }
}
