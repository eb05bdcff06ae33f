//! Rows: one SQL text, two thin drivers. A unit of work is a closure over a transaction; it may be
//! run again (PostgreSQL gives up a deadlock's loser), so it only reads what it captured.
//!
//! Exceptions to the one text stand in `schema.rs` (DDL words) and in `jobs.rs` (SKIP LOCKED).

mod lanes;
mod postgres;
mod schema;
mod sqlite;
mod value;
pub mod whole;

pub use value::{Columns, Param, Row, Value};

use super::blobs::Blobs;
use super::wakes::Wakes;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use thiserror::Error;
use tokio_postgres::error::SqlState;

/// Who waits for a unit of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// A client waits for the answer: goes first.
    Client,
    /// A step's own work: goes when no client waits, or when it has waited long enough itself.
    Background,
}

/// What a start may do to rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// Makes them where there are none, and brings older ones up to date.
    Make,
    /// Takes them as they are: there, and of this program's version.
    Find,
    /// Makes them, empty, as that version had them, for a restore; refuses those that are there, but for
    /// what a restore left that did not end.
    Fresh(i64),
    /// As `Make`, of what a restore has laid down: from here on they are rows like any others.
    Whole,
}

/// What surrounds a commit.
#[derive(Clone)]
pub struct Around {
    /// Before it: all blobs that its rows point to must be durable by then.
    pub blobs: Arc<Blobs>,
    /// After it, whether the asker still waits or has hung up.
    pub ring: Ring,
    pub start: Start,
}

pub type Ring = Arc<dyn Fn(&Wakes) + Send + Sync>;

/// Where the rows rest.
#[derive(Clone, Debug)]
pub enum RowsAt {
    /// A SQLite file.
    File(std::path::PathBuf),
    /// A `postgres://` URL.
    Postgres(String),
}

/// What the drivers offer inside a transaction.
pub trait Statements {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError>;
    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError>;
    /// The rows, looked at one by one and not kept, however many they are.
    fn visit(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), RowsError>;
    /// Whether several processes may share these rows (PostgreSQL).
    fn shared(&self) -> bool;
}

/// Looks at a row; says whether the next one is wanted.
pub type Visitor<'v> = dyn FnMut(&dyn Columns) -> Result<bool, RowsError> + 'v;

/// A transaction, and who is to be woken once it is durable.
pub struct Tx<'a> {
    statements: &'a mut dyn Statements,
    pub wakes: Wakes,
}

impl<'a> Tx<'a> {
    fn new(statements: &'a mut dyn Statements) -> Self {
        Self { statements, wakes: Wakes::default() }
    }

    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        self.statements.execute(sql, params)
    }

    pub fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, RowsError> {
        self.statements.query(sql, params)
    }

    pub fn visit(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), RowsError> {
        self.statements.visit(sql, params, visitor)
    }

    /// The first row, if any.
    pub fn first(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Option<Row>, RowsError> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Exactly one row; `what` names it in the error.
    pub fn one(
        &mut self,
        what: &'static str,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Row, RowsError> {
        self.first(sql, params)?.ok_or(RowsError::Missing(what))
    }

    pub fn shared(&self) -> bool {
        self.statements.shared()
    }
}

/// Rows are unavailable, wrong, or newer than this program.
#[derive(Debug, Error)]
pub enum RowsError {
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("postgres: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    #[error("migration: {0}")]
    Migration(#[from] refinery::Error),
    #[error("schema version {found} is newer than this program knows ({known})")]
    NewerSchema { found: i64, known: i64 },
    #[error("schema version {found} is older than this program's ({known})")]
    OlderSchema { found: i64, known: i64 },
    #[error("a PostgreSQL server on another machine would be spoken to in the clear")]
    InClear,
    #[error("anchors for the PostgreSQL server: {0}")]
    Anchors(String),
    #[error("there is no schema")]
    NoSchema,
    #[error("there are rows already")]
    NotEmpty,
    #[error("a restore into this database did not end")]
    HalfRestored,
    #[error("blobs could not be made durable: {0}")]
    Blobs(#[from] std::io::Error),
    #[error("rows are closed after a failed sync; restart to recover")]
    Closed,
    #[error("the transaction was undone: {0}")]
    Undone(&'static str),
    #[error("missing row: {0}")]
    Missing(&'static str),
    #[error("column {column} is not {expected}: {found}")]
    Shape { column: usize, expected: &'static str, found: &'static str },
    #[error("stored value is not {0}")]
    Stored(&'static str),
}

impl RowsError {
    /// The disk has no room: it may pass, nothing was done.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Postgres(error) => error.code() == Some(&SqlState::DISK_FULL),
            Self::Blobs(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    fn shape(column: usize, expected: &'static str, found: Option<&Value>) -> Self {
        let found = match found {
            None => "no such column",
            Some(Value::Null) => "null",
            Some(Value::Int(_)) => "integer",
            Some(Value::Text(_)) => "text",
            Some(Value::Bytes(_)) => "bytes",
        };
        Self::Shape { column, expected, found }
    }
}

/// The rows, over either driver.
#[derive(Clone)]
pub enum Rows {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Rows {
    /// Opens, migrates where that is asked for, and starts the writer.
    pub async fn open(at: &RowsAt, around: Around) -> Result<Self, RowsError> {
        match at {
            RowsAt::File(path) => Ok(Self::Sqlite(sqlite::Sqlite::open(path, around)?)),
            RowsAt::Postgres(url) => {
                Ok(Self::Postgres(postgres::Postgres::open(url, around).await?))
            }
        }
    }

    /// Lets go; returns when a file of rows is held no more by those who worked for this one.
    pub async fn close(self) {
        if let Self::Sqlite(driver) = self {
            driver.close().await;
        }
    }

    /// Runs a unit of work; when this returns `Ok`, it is durable.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        match self {
            Self::Sqlite(driver) => driver.write(lane, work).await,
            Self::Postgres(driver) => driver.write(lane, work).await,
        }
    }

    /// Reads a consistent state.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        match self {
            Self::Sqlite(driver) => driver.read(work).await,
            Self::Postgres(driver) => driver.read(work).await,
        }
    }

    /// Reads a few rows by their keys.
    pub async fn look_up<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        match self {
            Self::Sqlite(driver) => driver.look_up(work),
            Self::Postgres(driver) => driver.read(work).await,
        }
    }
}

/// Runs a unit; one that panics fails alone, and its asker is told.
fn run<T, E: From<RowsError>>(
    work: &dyn Fn(&mut Tx<'_>) -> Result<T, E>,
    tx: &mut Tx<'_>,
) -> Result<T, E> {
    let run = std::panic::catch_unwind(AssertUnwindSafe(|| work(tx)));
    run.unwrap_or_else(|_| Err(E::from(RowsError::Undone("the unit of work panicked"))))
}
