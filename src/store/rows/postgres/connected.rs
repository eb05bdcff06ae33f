//! A connection to PostgreSQL, and how parameters and values look there.

use super::target::Target;
use crate::store::rows::{Param, Row, RowsError, Value, Visitor};
use futures_core::Stream;
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use tokio::runtime::Handle;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres::{Client, Statement};

pub struct Connected {
    client: Client,
    handle: Handle,
    prepared: HashMap<&'static str, Statement>,
    lost: bool,
}

impl Connected {
    pub fn new(target: &Target, handle: &Handle) -> Result<Self, RowsError> {
        let (client, connection) = handle.block_on(target.connect())?;
        handle.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "postgres connection ended");
            }
        });
        handle.block_on(client.batch_execute(DURABLE))?;
        let handle = handle.clone();
        Ok(Self { client, handle, prepared: HashMap::new(), lost: false })
    }

    pub fn is_lost(&self) -> bool {
        self.lost || self.client.is_closed()
    }

    /// Control of transactions: when it fails, the connection's state is not known any more.
    pub fn batch(&mut self, sql: &str) -> Result<(), RowsError> {
        let done = self.handle.block_on(self.client.batch_execute(sql));
        done.inspect_err(|_| self.lost = true).map_err(RowsError::from)
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement, RowsError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.handle.block_on(self.client.prepare(sql))?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    pub fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let statement = self.prepared(sql)?;
        let params = dynamic(params);
        Ok(self.handle.block_on(self.client.execute(&statement, &params))?)
    }

    pub fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>, RowsError> {
        let statement = self.prepared(sql)?;
        let params = dynamic(params);
        let rows = self.handle.block_on(self.client.query(&statement, &params))?;
        rows.iter().map(values).collect()
    }

    /// One row at a time: the server waits while one is looked at. Of those behind the last that is
    /// wanted nothing is kept; they are read all the same, because a failure on the way to them
    /// undoes the transaction.
    pub fn visit(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), RowsError> {
        let statement = self.prepared(sql)?;
        let rows = self.handle.block_on(self.client.query_raw(&statement, dynamic(params)))?;
        let mut rows = pin!(rows);
        let mut next = || self.handle.block_on(poll_fn(|context| rows.as_mut().poll_next(context)));
        let mut wanted = Ok(true);
        while let Some(row) = next() {
            let row = row?;
            if matches!(wanted, Ok(true)) {
                wanted = values(&row).and_then(|row| visitor(&row));
            }
        }
        wanted.map(|_| ())
    }
}

fn dynamic<'p>(params: &'p [Param<'p>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params.iter().map(|p| p as &(dyn ToSql + Sync)).collect()
}

fn values(row: &tokio_postgres::Row) -> Result<Row, RowsError> {
    let columns = 0..row.len();
    let values = columns.map(|i| Ok(row.try_get::<_, Option<Value>>(i)?.unwrap_or(Value::Null)));
    Ok(Row(values.collect::<Result<_, RowsError>>()?))
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(i) if *ty == Type::INT4 => i32::try_from(*i)?.to_sql(ty, out),
            Self::Int(i) => i.to_sql(ty, out),
            Self::Text(t) => t.to_sql(ty, out),
            Self::Bytes(b) => b.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

impl<'r> FromSql<'r> for Value {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, BoxError> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BOOL, Type::BYTEA, Type::TEXT, Type::VARCHAR].contains(ty)
    }
}

type BoxError = Box<dyn std::error::Error + Sync + Send>;

/// A server set to answer commits before they are durable is asked not to.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off'";
