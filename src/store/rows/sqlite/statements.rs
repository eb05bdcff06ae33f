//! Statements on a SQLite connection, and how parameters and values look there.

use crate::store::rows::{Columns, Param, Row, RowsError, Statements, Value, Visitor};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Statement, ToSql};
use std::borrow::Cow;

pub struct Cached<'c> {
    connection: &'c Connection,
    /// The last statement's failure: when it undid the whole transaction, it is the reason.
    pub failed: Option<RowsError>,
}

impl<'c> Cached<'c> {
    pub fn new(connection: &'c Connection) -> Self {
        Self { connection, failed: None }
    }

    /// SQLite undoes the whole transaction when the disk is full or fails. What a unit did after
    /// that would be committed at once and by itself.
    fn in_transaction(&self) -> Result<&'c Connection, RowsError> {
        match self.connection.is_autocommit() {
            true => Err(RowsError::Undone("a statement failed")),
            false => Ok(self.connection),
        }
    }

    fn noted<T>(&mut self, done: Result<T, RowsError>) -> Result<T, RowsError> {
        done.inspect_err(|error| self.failed = Some(copy_of(error)))
    }
}

impl Statements for Cached<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let connection = self.in_transaction()?;
        let done = execute(connection, sql, params);
        self.noted(done)
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        let connection = self.in_transaction()?;
        let rows = query(connection, sql, params);
        self.noted(rows)
    }

    fn visit(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), RowsError> {
        let connection = self.in_transaction()?;
        let done = visit(connection, sql, params, visitor);
        self.noted(done)
    }

    fn shared(&self) -> bool {
        false
    }
}

/// A statement without parameters or rows: where a transaction begins and ends.
pub fn order(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.raw_execute().map(|_| ())
}

/// Stands in for a transaction that could not be begun: each statement is refused.
pub struct Refusing(pub RowsError);

impl Statements for Refusing {
    fn execute(&mut self, _: &'static str, _: &[Param<'_>]) -> Result<u64, RowsError> {
        Err(copy_of(&self.0))
    }

    fn query(&mut self, _: &'static str, _: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        Err(copy_of(&self.0))
    }

    fn visit(
        &mut self,
        _: &'static str,
        _: &[Param<'_>],
        _: &mut Visitor<'_>,
    ) -> Result<(), RowsError> {
        Err(copy_of(&self.0))
    }

    fn shared(&self) -> bool {
        false
    }
}

/// One error for each of a group's units: the kind is what callers act on.
pub fn copy_of(error: &RowsError) -> RowsError {
    match error {
        RowsError::Blobs(error) => {
            RowsError::Blobs(std::io::Error::new(error.kind(), error.to_string()))
        }
        RowsError::Sqlite(rusqlite::Error::SqliteFailure(code, text)) => {
            RowsError::Sqlite(rusqlite::Error::SqliteFailure(*code, text.clone()))
        }
        RowsError::Closed => RowsError::Closed,
        _ => RowsError::Undone("another unit of its group failed"),
    }
}

fn prepared<'c>(
    connection: &'c Connection,
    sql: &'static str,
) -> Result<CachedStatement<'c>, RowsError> {
    let statement = connection.prepare_cached(sql)?;
    debug_assert!(in_order(&statement), "its values are not named in order: {sql}");
    Ok(statement)
}

/// PostgreSQL takes `$2` for the second value, SQLite for a name that has the number of where it stands first: in
/// order both mean the same.
pub(super) fn in_order(statement: &Statement<'_>) -> bool {
    let number = |at: usize| statement.parameter_name(at)?.strip_prefix('$')?.parse().ok();
    (1..=statement.parameter_count()).all(|at| number(at) == Some(at))
}

fn execute(
    connection: &Connection,
    sql: &'static str,
    params: &[Param<'_>],
) -> Result<u64, RowsError> {
    let mut statement = prepared(connection, sql)?;
    Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
}

fn query(
    connection: &Connection,
    sql: &'static str,
    params: &[Param<'_>],
) -> Result<Vec<Row>, RowsError> {
    let mut statement = prepared(connection, sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(value(row.get_ref(column)?));
        }
        out.push(Row(values));
    }
    Ok(out)
}

fn visit(
    connection: &Connection,
    sql: &'static str,
    params: &[Param<'_>],
    visitor: &mut Visitor<'_>,
) -> Result<(), RowsError> {
    let mut statement = prepared(connection, sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(params))?;
    while let Some(row) = rows.next()? {
        if !visitor(&Seen(row))? {
            break;
        }
    }
    Ok(())
}

/// A row where SQLite has it.
struct Seen<'r, 's>(&'r rusqlite::Row<'s>);

impl Columns for Seen<'_, '_> {
    fn int(&self, column: usize) -> Result<i64, RowsError> {
        match self.0.get_ref(column)? {
            ValueRef::Integer(value) => Ok(value),
            other => Err(RowsError::shape(column, "integer", Some(&value(other)))),
        }
    }

    fn text(&self, column: usize) -> Result<Cow<'_, str>, RowsError> {
        match self.0.get_ref(column)? {
            ValueRef::Text(text) => Ok(String::from_utf8_lossy(text)),
            other => Err(RowsError::shape(column, "text", Some(&value(other)))),
        }
    }

    fn bytes(&self, column: usize) -> Result<&[u8], RowsError> {
        match self.0.get_ref(column)? {
            ValueRef::Blob(bytes) => Ok(bytes),
            other => Err(RowsError::shape(column, "bytes", Some(&value(other)))),
        }
    }

    fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get_ref(column), Ok(ValueRef::Null))
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(i) => Value::Int(i),
        ValueRef::Real(r) => Value::Int(r as i64),
        ValueRef::Text(t) => Value::Text(String::from_utf8_lossy(t).into_owned()),
        ValueRef::Blob(b) => Value::Bytes(b.to_vec()),
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(i) => ValueRef::Integer(*i),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
        }))
    }
}
