//! The rows of a backup: lines of JSON, compressed (gzip), that either driver writes and reads. First
//! a line about the whole; then for each table a line with its name and columns, and a line for each
//! row, an array, octets in base64; last a line that says how much there was.

use crate::store::rows::whole::{self, Kind, Table};
use crate::store::rows::{RowsError, Tx, Value};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum DumpError {
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Where, and what is not as it should be.
    #[error("line {0}: {1}")]
    Form(u64, String),
}

/// What was written or read: how many rows each table had.
pub type Counts = BTreeMap<String, u64>;

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Begin { kep_rows: u32, schema: i64 },
    Table { table: Table },
    End { numbers: BTreeMap<String, i64>, rows: u64 },
}

/// Writes every row there is. `told` hears how many it were so far.
pub fn write(
    tx: &mut Tx<'_>,
    out: &mut dyn Write,
    told: &mut dyn FnMut(u64),
) -> Result<Counts, DumpError> {
    line(out, &Line::Begin { kep_rows: FORM, schema: whole::version() })?;
    let (mut counts, mut all) = (Counts::new(), 0_u64);
    for table in whole::tables(tx)? {
        line(out, &Line::Table { table: table.clone() })?;
        let (mut count, mut failed) = (0_u64, None);
        let visited = table.visit(tx, &mut |row| {
            if let Err(error) = write_row(out, row) {
                failed = Some(error);
                return Err(RowsError::Undone("the rows could not be written"));
            }
            count += 1;
            if (all + count).is_multiple_of(OFTEN) {
                told(all + count);
            }
            Ok(())
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        visited?;
        all += count;
        counts.insert(table.name, count);
    }
    line(out, &Line::End { numbers: whole::numbers(tx)?, rows: all })?;
    told(all);
    Ok(counts)
}

/// Lays all rows down in place of those that the schema itself made. What numbered tables give from
/// now on, nobody has seen.
pub fn read(
    tx: &mut Tx<'_>,
    input: &mut dyn BufRead,
    told: &mut dyn FnMut(u64),
) -> Result<Counts, DumpError> {
    let known = whole::tables(tx)?;
    known.iter().try_for_each(|table| table.empty(tx))?;
    let mut lines = Lines { input, at: 0 };
    lines.begin()?;
    let (mut counts, mut all) = (Counts::new(), 0_u64);
    let mut filling: Option<(Table, Vec<Vec<Value>>)> = None;
    loop {
        let text = lines.next()?;
        if text.starts_with('[') {
            let (table, rows) = filling.as_mut().ok_or_else(|| lines.wrong("a row of no table"))?;
            rows.push(read_row(table, &text).map_err(|what| lines.wrong(what))?);
            all += 1;
            *counts.entry(table.name.clone()).or_default() += 1;
            if rows.len() >= AT_ONCE {
                table.fill(tx, &std::mem::take(rows))?;
                told(all);
            }
            continue;
        }
        if let Some((table, rows)) = filling.take() {
            table.fill(tx, &rows)?;
        }
        match lines.parse(&text)? {
            Line::Table { table } => {
                let same = known.iter().find(|one| one.name == table.name);
                let same = same.is_some_and(|one| fits(&table, one));
                if !same {
                    return Err(lines.wrong(format!("no table {} of that form", table.name)));
                }
                counts.insert(table.name.clone(), 0);
                filling = Some((table, Vec::new()));
            }
            Line::End { rows, .. } if rows != all => {
                return Err(lines.wrong(format!("{all} rows, not {rows}")));
            }
            Line::End { numbers, .. } => {
                for (table, last) in numbers {
                    whole::set_number(tx, &table, last.saturating_add(UNSEEN))?;
                }
                told(all);
                return Ok(counts);
            }
            Line::Begin { .. } => return Err(lines.wrong("a second beginning")),
        }
    }
}

/// Columns may stand in another order.
fn fits(dumped: &Table, known: &Table) -> bool {
    dumped.columns.len() == known.columns.len()
        && dumped.columns.iter().all(|column| known.columns.contains(column))
}

struct Lines<'i> {
    input: &'i mut dyn BufRead,
    at: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<String, DumpError> {
        let mut text = String::new();
        self.at += 1;
        match self.input.read_line(&mut text)? {
            0 => Err(self.wrong("the end is missing")),
            _ => Ok(text),
        }
    }

    fn begin(&mut self) -> Result<i64, DumpError> {
        let text = self.next()?;
        match self.parse(&text)? {
            Line::Begin { kep_rows: FORM, schema } => Ok(schema),
            _ => Err(self.wrong("not the rows of a backup, or of a newer program")),
        }
    }

    fn parse(&self, text: &str) -> Result<Line, DumpError> {
        serde_json::from_str(text).map_err(|error| self.wrong(error))
    }

    fn wrong(&self, what: impl ToString) -> DumpError {
        DumpError::Form(self.at, what.to_string())
    }
}

fn line(out: &mut dyn Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn write_row(out: &mut dyn Write, row: Vec<Value>) -> io::Result<()> {
    let cell = |value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Int(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(octets) => BASE64.encode(&octets).into(),
    };
    let cells: Vec<serde_json::Value> = row.into_iter().map(cell).collect();
    serde_json::to_writer(&mut *out, &cells)?;
    out.write_all(b"\n")
}

fn read_row(table: &Table, text: &str) -> Result<Vec<Value>, String> {
    let cells: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if cells.len() != table.columns.len() {
        return Err(format!("{} values for the columns of {}", cells.len(), table.name));
    }
    let value = |(cell, kind): (serde_json::Value, Kind)| match (cell, kind) {
        (serde_json::Value::Null, _) => Some(Value::Null),
        (serde_json::Value::Number(number), Kind::Int) => number.as_i64().map(Value::Int),
        (serde_json::Value::String(text), Kind::Text) => Some(Value::Text(text)),
        (serde_json::Value::String(text), Kind::Bytes) => {
            BASE64.decode(text.as_bytes()).ok().map(Value::Bytes)
        }
        _ => None,
    };
    let values = cells.into_iter().zip(table.columns.iter().map(|column| column.kind)).map(value);
    let values: Option<Vec<_>> = values.collect();
    values.ok_or_else(|| format!("a value of another kind than its column of {}", table.name))
}

const FORM: u32 = 1;
/// Rows between two words about the progress.
const OFTEN: u64 = 1_000;
/// Rows in memory at a time; the largest have some kilobytes.
const AT_ONCE: usize = 512;
/// Numbers that may have been given after the backup began, and that mail programs remember: more than a
/// provider gives in a month.
const UNSEEN: i64 = 10_000_000;
