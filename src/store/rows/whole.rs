//! All tables, whole, for backups: which there are is asked of the rows themselves, so that none is
//! forgotten. One form for both drivers, so that what one wrote the other reads.

use super::{Columns, Param, RowsError, Tx, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

pub use super::schema::newest as version;

/// A table as the schema has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
}

/// What a column holds, if not NULL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Int,
    Text,
    Bytes,
}

/// Every table but the record of migrations, and the mark of a restore.
pub fn tables(tx: &mut Tx<'_>) -> Result<Vec<Table>, RowsError> {
    let sql = if tx.shared() { POSTGRES_COLUMNS } else { SQLITE_COLUMNS };
    let mut tables: Vec<Table> = Vec::new();
    for row in tx.query(sql, &[])? {
        let (name, kind) = (plain(row.text(0)?)?, Kind::of(row.text(2)?)?);
        let column = Column { name: plain(row.text(1)?)?, kind };
        match tables.last_mut().filter(|last| last.name == name) {
            Some(last) => last.columns.push(column),
            None => tables.push(Table { name, columns: vec![column] }),
        }
    }
    Ok(tables)
}

/// The last number that each numbered table gave.
pub fn numbers(tx: &mut Tx<'_>) -> Result<BTreeMap<String, i64>, RowsError> {
    let sql = if tx.shared() { POSTGRES_NUMBERS } else { SQLITE_NUMBERS };
    let rows = tx.query(sql, &[])?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.opt_int(1)?.unwrap_or(0)))).collect()
}

/// From now on a table gives numbers beyond this one.
pub fn set_number(tx: &mut Tx<'_>, table: &str, last: i64) -> Result<(), RowsError> {
    if tx.shared() {
        tx.query(POSTGRES_SET_NUMBER, &[table.into(), last.into()])?;
        return Ok(());
    }
    // SQLite numbers parameters as they appear.
    let known = "UPDATE sqlite_sequence SET seq = $1 WHERE name = $2";
    if tx.execute(known, &[last.into(), table.into()])? == 0 {
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
        tx.execute(sql, &[table.into(), last.into()])?;
    }
    Ok(())
}

impl Table {
    /// Looks at each row; the values are in the order of the columns.
    pub fn visit(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut dyn FnMut(Vec<Value>) -> Result<(), RowsError>,
    ) -> Result<(), RowsError> {
        let sql = lasting(format!("SELECT {} FROM \"{}\"", self.names(), self.name));
        tx.visit(sql, &[], &mut |row| {
            let values =
                self.columns.iter().enumerate().map(|(n, column)| column.kind.value(row, n));
            seen(values.collect::<Result<_, _>>()?).map(|()| true)
        })
    }

    pub fn empty(&self, tx: &mut Tx<'_>) -> Result<(), RowsError> {
        tx.execute(lasting(format!("DELETE FROM \"{}\"", self.name)), &[]).map(drop)
    }

    /// Lays rows down, as many at a time as `BATCH` says.
    pub fn fill(&self, tx: &mut Tx<'_>, rows: &[Vec<Value>]) -> Result<(), RowsError> {
        let (whole, rest) = rows.split_at(rows.len() - rows.len() % BATCH);
        for batch in whole.chunks(BATCH) {
            self.insert(tx, batch)?;
        }
        rest.iter().try_for_each(|row| self.insert(tx, std::slice::from_ref(row)))
    }

    fn insert(&self, tx: &mut Tx<'_>, rows: &[Vec<Value>]) -> Result<(), RowsError> {
        let width = self.columns.len();
        let group = |row: usize| {
            let places = (1..=width).map(|n| format!("${}", row * width + n));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let groups = (0..rows.len()).map(group).collect::<Vec<_>>().join(", ");
        let (name, columns) = (&self.name, self.names());
        let sql = lasting(format!("INSERT INTO \"{name}\" ({columns}) VALUES {groups}"));
        let params: Vec<Param<'_>> = rows.iter().flatten().map(Param::from).collect();
        if params.len() != width * rows.len() {
            return Err(RowsError::Stored("a row as wide as its table"));
        }
        tx.execute(sql, &params).map(drop)
    }

    fn names(&self) -> String {
        let quoted = self.columns.iter().map(|column| format!("\"{}\"", column.name));
        quoted.collect::<Vec<_>>().join(", ")
    }
}

impl Kind {
    fn of(declared: &str) -> Result<Self, RowsError> {
        match declared.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Ok(Self::Int),
            "text" | "character varying" => Ok(Self::Text),
            "blob" | "bytea" => Ok(Self::Bytes),
            _ => Err(RowsError::Stored("a column of a type that backups know")),
        }
    }

    fn value(self, row: &dyn Columns, at: usize) -> Result<Value, RowsError> {
        Ok(match self {
            _ if row.is_null(at) => Value::Null,
            Self::Int => Value::Int(row.int(at)?),
            Self::Text => Value::Text(row.text(at)?.into_owned()),
            Self::Bytes => Value::Bytes(row.bytes(at)?.to_vec()),
        })
    }
}

impl<'a> From<&'a Value> for Param<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(*number),
            Value::Text(text) => Self::Text(text),
            Value::Bytes(bytes) => Self::Bytes(bytes),
        }
    }
}

/// A name that may stand in a statement.
fn plain(name: &str) -> Result<String, RowsError> {
    let good = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    good.then(|| name.to_owned()).ok_or(RowsError::Stored("a plain name of a table or column"))
}

/// Drivers keep statements by their text, for good. There are three of each table, whoever asks how often.
fn lasting(sql: String) -> &'static str {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(sql.as_str()) {
        Some(text) => text,
        None => {
            let text: &'static str = Box::leak(sql.into_boxed_str());
            known.insert(text);
            text
        }
    }
}

const SQLITE_COLUMNS: &str = "SELECT m.name, c.name, c.type
    FROM sqlite_schema m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name <> 'refinery_schema_history'
    ORDER BY m.name, c.cid";
const POSTGRES_COLUMNS: &str = "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT),
           CAST(c.data_type AS TEXT)
    FROM information_schema.columns c JOIN information_schema.tables t
    ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
    AND t.table_name NOT IN ('refinery_schema_history', 'restore_unfinished')
    ORDER BY c.table_name, c.ordinal_position";
const SQLITE_NUMBERS: &str = "SELECT name, seq FROM sqlite_sequence ORDER BY name";
const POSTGRES_NUMBERS: &str = "SELECT CAST(c.table_name AS TEXT),
           pg_sequence_last_value(CAST(pg_get_serial_sequence(
               quote_ident(CAST(c.table_name AS TEXT)), CAST(c.column_name AS TEXT)) AS regclass))
    FROM information_schema.columns c
    WHERE c.table_schema = current_schema() AND c.is_identity = 'YES'
    ORDER BY c.table_name";
const POSTGRES_SET_NUMBER: &str = "SELECT setval(CAST(pg_get_serial_sequence(
               quote_ident(CAST(c.table_name AS TEXT)), CAST(c.column_name AS TEXT)) AS regclass),
               CAST($2 AS BIGINT))
    FROM information_schema.columns c
    WHERE c.table_schema = current_schema() AND c.is_identity = 'YES' AND c.table_name = CAST($1 AS TEXT)";
/// Rows of one statement: a table of 40 columns stays below any driver's bound of parameters.
const BATCH: usize = 64;
