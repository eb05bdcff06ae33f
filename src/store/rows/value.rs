//! What goes into and comes out of a row: the four types that SQLite and PostgreSQL share.

use super::RowsError;
use std::borrow::Cow;

/// A parameter of a statement, borrowed for its run.
#[derive(Clone, Copy, Debug)]
pub enum Param<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// A column of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row that is looked at, by column number.
pub trait Columns {
    fn int(&self, column: usize) -> Result<i64, RowsError>;
    fn text(&self, column: usize) -> Result<Cow<'_, str>, RowsError>;
    fn bytes(&self, column: usize) -> Result<&[u8], RowsError>;
    fn is_null(&self, column: usize) -> bool;

    fn opt_text(&self, column: usize) -> Result<Option<Cow<'_, str>>, RowsError> {
        match self.is_null(column) {
            true => Ok(None),
            false => self.text(column).map(Some),
        }
    }
}

/// A row, read by column number.
#[derive(Debug)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    pub fn int(&self, column: usize) -> Result<i64, RowsError> {
        match self.0.get(column) {
            Some(Value::Int(value)) => Ok(*value),
            other => Err(RowsError::shape(column, "integer", other)),
        }
    }

    pub fn opt_int(&self, column: usize) -> Result<Option<i64>, RowsError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    pub fn text(&self, column: usize) -> Result<&str, RowsError> {
        match self.0.get(column) {
            Some(Value::Text(value)) => Ok(value),
            other => Err(RowsError::shape(column, "text", other)),
        }
    }

    pub fn opt_text(&self, column: usize) -> Result<Option<&str>, RowsError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    pub fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get(column), Some(Value::Null))
    }

    pub fn bytes(&self, column: usize) -> Result<&[u8], RowsError> {
        match self.0.get(column) {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(RowsError::shape(column, "bytes", other)),
        }
    }

    /// All columns in a form that people can name them by.
    pub fn show(&self) -> String {
        let words = self.0.iter().map(|value| match value {
            Value::Null => "-".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Bytes(bytes) => data_encoding::HEXLOWER.encode(bytes),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Takes a byte column out of the row without copying it.
    pub fn take_bytes(&mut self, column: usize) -> Result<Vec<u8>, RowsError> {
        match self.0.get_mut(column) {
            Some(Value::Bytes(value)) => Ok(std::mem::take(value)),
            other => Err(RowsError::shape(column, "bytes", other.as_deref())),
        }
    }
}

impl Columns for Row {
    fn int(&self, column: usize) -> Result<i64, RowsError> {
        self.int(column)
    }

    fn text(&self, column: usize) -> Result<Cow<'_, str>, RowsError> {
        self.text(column).map(Cow::Borrowed)
    }

    fn bytes(&self, column: usize) -> Result<&[u8], RowsError> {
        self.bytes(column)
    }

    fn is_null(&self, column: usize) -> bool {
        self.is_null(column)
    }
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
