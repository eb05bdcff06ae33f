//! What is to be done, each with one action: what *İşler* shows. Who causes a task opens it, and who does
//! it closes it, in the transaction of the act; what time alone causes, a sweep finds ([`sweep`]). The same
//! cause is one task: opened twice it is there once.

mod kind;
pub mod sweep;
mod uploads;

pub use kind::TaskKind;
pub use uploads::{arrived, broke_off, sent};

use super::accounts::{self, RegistryError};
use super::audit::{self, By};
use super::operators::{self, Act, Operator, OperatorError};
use crate::store::tasks::{self as rows, TaskRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{AccountId, KepAddress, OperatorCode, Timestamp};
use serde_json::json;
use thiserror::Error;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    pub id: i64,
    pub account: AccountId,
    pub kind: TaskKind,
    pub subject: String,
    /// `None`: for whoever may.
    pub operator: Option<OperatorCode>,
    /// Why, where somebody said it.
    pub note: String,
    pub opened_at: Timestamp,
    pub due: Option<Timestamp>,
    pub state: TaskState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    Open,
    Done {
        at: Timestamp,
    },
    /// Its time ended before anybody did it.
    Lapsed {
        at: Timestamp,
    },
}

#[derive(Debug, Error)]
pub enum TaskError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("{0} has no task {1}")]
    Unknown(KepAddress, i64),
    #[error("a task {} is over when what it asks for is done", .0.word())]
    Undone(TaskKind),
}

impl From<RowsError> for TaskError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

/// What is to be done from now on.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub account: AccountId,
    pub kind: TaskKind,
    pub subject: String,
    pub operator: Option<OperatorCode>,
    pub note: String,
    pub due: Option<Timestamp>,
}

/// Which tasks of an account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Those of this operator: his own, and those that anybody may do and he may.
    pub operator: Option<OperatorCode>,
    /// Closed ones too.
    pub all: bool,
    /// Behind that number.
    pub after: i64,
    pub most: usize,
}

/// Opens it. Says whether it was not open before.
pub fn open(tx: &mut Tx<'_>, new: &NewTask, now: Timestamp) -> Result<bool, RowsError> {
    let row = TaskRow {
        id: 0,
        account: new.account,
        kind: new.kind.word().to_owned(),
        subject: new.subject.clone(),
        operator: OperatorCode::or_holder(new.operator),
        note: new.note.clone(),
        opened_at: now,
        due: new.due,
        state: OPEN.to_owned(),
        closed_at: None,
    };
    rows::open(tx, &row)
}

/// An open one is another's to do from now on, until then.
pub fn hand_on(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: TaskKind,
    subject: &str,
    operator: Option<OperatorCode>,
    due: Timestamp,
) -> Result<bool, RowsError> {
    let operator = OperatorCode::or_holder(operator);
    rows::hand_on(tx, (account, kind.word(), subject), operator, due)
}

/// It was done. Says whether it was open.
pub fn done(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: TaskKind,
    subject: &str,
    now: Timestamp,
) -> Result<bool, RowsError> {
    rows::close(tx, (account, kind.word(), subject), DONE, now)
}

/// Its time ended at `at`. Says whether it was open.
pub fn lapse(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: TaskKind,
    subject: &str,
    at: Timestamp,
) -> Result<bool, RowsError> {
    rows::close(tx, (account, kind.word(), subject), LAPSED, at)
}

/// The oldest first; the number of the last one is where the next page begins.
pub async fn list(
    store: &Store,
    address: &KepAddress,
    wanted: Wanted,
) -> Result<Vec<Task>, OperatorError> {
    let account = accounts::get(store, address).await?.id;
    let address = address.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<Task>, OperatorError> {
        let Some(code) = wanted.operator else {
            let found = rows::list(tx, account, wanted.all, wanted.after, wanted.most)?;
            return Ok(found.into_iter().map(task).collect::<Result<_, _>>()?);
        };
        let operator = operators::find(tx, account, code)?;
        let operator = operator.ok_or_else(|| OperatorError::Unknown(address.clone(), code))?;
        let (mut found, mut after) = (Vec::new(), wanted.after);
        while found.len() < wanted.most {
            let page = rows::list(tx, account, wanted.all, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for row in page {
                found.extend(Some(task(row)?).filter(|one| one.is_shown_to(&operator)));
            }
        }
        found.truncate(wanted.most);
        Ok(found)
    };
    store.read(work).await
}

/// Closes one that nobody but people can tell is done: what came back unsigned, and was written anew.
pub async fn dismiss(
    store: &Store,
    by: &By,
    address: &KepAddress,
    id: i64,
) -> Result<(), TaskError> {
    let account = accounts::get(store, address).await?.id;
    let (by, address) = (by.clone(), address.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<(), TaskError> {
        let unknown = || TaskError::Unknown(address.clone(), id);
        let task = task(rows::find(tx, account, id)?.ok_or_else(unknown)?)?;
        match task.kind {
            TaskKind::Returned | TaskKind::UploadUnfinished => {}
            kind => return Err(TaskError::Undone(kind)),
        }
        if done(tx, account, task.kind, &task.subject, by.at)? {
            let details = json!({ "kind": task.kind.word(), "subject": task.subject });
            audit::record(tx, &by, "task.dismiss", address.as_str(), details)?;
        }
        Ok(())
    };
    store.write(Lane::Client, work).await
}

impl Task {
    fn is_shown_to(&self, operator: &Operator) -> bool {
        let his = match self.operator {
            Some(code) => code == operator.code,
            None => operator.may(self.kind.act()),
        };
        his || operator.may(Act::Audit)
    }
}

fn task(row: TaskRow) -> Result<Task, RowsError> {
    let at = row.closed_at.ok_or(RowsError::Stored("when a task was closed"));
    Ok(Task {
        id: row.id,
        account: row.account,
        kind: TaskKind::parse(&row.kind).ok_or(RowsError::Stored("a task's kind"))?,
        subject: row.subject,
        operator: OperatorCode::of_number(row.operator),
        note: row.note,
        opened_at: row.opened_at,
        due: row.due,
        state: match row.state.as_str() {
            OPEN => TaskState::Open,
            DONE => TaskState::Done { at: at? },
            LAPSED => TaskState::Lapsed { at: at? },
            _ => return Err(RowsError::Stored("a task's state")),
        },
    })
}

impl TaskState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => OPEN,
            Self::Done { .. } => DONE,
            Self::Lapsed { .. } => LAPSED,
        }
    }

    pub fn closed_at(self) -> Option<Timestamp> {
        match self {
            Self::Open => None,
            Self::Done { at } | Self::Lapsed { at } => Some(at),
        }
    }
}

const OPEN: &str = "open";
const DONE: &str = "done";
const LAPSED: &str = "lapsed";
/// Rows that are looked at together.
const PAGE: usize = 500;
