//! PostgreSQL: a few worker threads, each with a connection of its own, so that a unit of work is
//! the same synchronous closure as with SQLite. A deadlock's loser is run again.

use super::{Param, Row, RowsError, Statements, SyncBlobs, Tx, Value, schema};
use crate::store::wakes::Wakes;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres::{Client, NoTls, Statement, error::SqlState};

#[derive(Clone)]
pub struct Postgres {
    units: mpsc::Sender<Unit>,
}

type Unit = Box<dyn FnOnce(&mut Worker) + Send>;

impl Postgres {
    pub async fn open(url: &str, sync: SyncBlobs) -> Result<Self, RowsError> {
        let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let driving = tokio::spawn(connection);
        schema::migrate_postgres(&mut client).await?;
        drop(client);
        driving.abort();
        let (units, queue) = mpsc::channel::<Unit>();
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..WORKERS {
            let worker = Worker {
                url: url.to_owned(),
                handle: Handle::current(),
                sync: Arc::clone(&sync),
                connected: None,
            };
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name(format!("rows-{n}"))
                .spawn(move || worker.run(&queue))
                .map_err(RowsError::Blobs)?;
        }
        Ok(Self { units })
    }

    pub async fn write<T, E, F>(&self, work: F) -> Result<(T, Wakes), E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        self.ask(move |worker| worker.transaction("BEGIN", &work, true)).await
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let answer = self.ask(move |worker| worker.transaction(begin, &work, false)).await;
        answer.map(|(value, _)| value)
    }

    async fn ask<A, E>(
        &self,
        work: impl FnOnce(&mut Worker) -> Result<A, E> + Send + 'static,
    ) -> Result<A, E>
    where
        A: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let unit = Box::new(move |worker: &mut Worker| {
            // The asker may have hung up; the work stands all the same.
            let _ = tell.send(work(worker));
        });
        self.units.send(unit).map_err(|_| E::from(RowsError::Closed))?;
        told.await.map_err(|_| E::from(RowsError::Closed))?
    }
}

struct Worker {
    url: String,
    handle: Handle,
    sync: SyncBlobs,
    connected: Option<Connected>,
}

struct Connected {
    client: Client,
    handle: Handle,
    prepared: HashMap<&'static str, Statement>,
    lost: bool,
}

impl Worker {
    fn run(mut self, queue: &Mutex<mpsc::Receiver<Unit>>) {
        loop {
            let unit = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match unit {
                Ok(unit) => unit(&mut self),
                Err(mpsc::RecvError) => return,
            }
        }
    }

    fn transaction<T, E: From<RowsError>>(
        &mut self,
        begin: &str,
        work: &dyn Fn(&mut Tx<'_>) -> Result<T, E>,
        writes: bool,
    ) -> Result<(T, Wakes), E> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(begin, work, writes) {
                Err(Attempt::Again(_)) if tries < TRIES => {}
                Err(Attempt::Again(error)) => return Err(E::from(error)),
                Err(Attempt::Failed(error)) => return Err(error),
                Ok(done) => return Ok(done),
            }
        }
    }

    fn attempt<T, E: From<RowsError>>(
        &mut self,
        begin: &str,
        work: &dyn Fn(&mut Tx<'_>) -> Result<T, E>,
        writes: bool,
    ) -> Result<(T, Wakes), Attempt<E>> {
        let sync = Arc::clone(&self.sync);
        let connected = self.connected().map_err(|e| Attempt::Failed(E::from(e)))?;
        connected.batch(begin).map_err(Attempt::from)?;
        let mut lost_race = false;
        let mut noting = Noting { connected, lost_race: &mut lost_race };
        let mut tx = Tx::new(&mut noting);
        let result = work(&mut tx);
        let wakes = tx.wakes;
        match result {
            Ok(value) => {
                if writes {
                    sync().map_err(|e| Attempt::Failed(E::from(RowsError::Blobs(e))))?;
                }
                connected.batch("COMMIT").map_err(Attempt::from)?;
                Ok((value, wakes))
            }
            Err(error) => {
                connected.batch("ROLLBACK").map_err(Attempt::from)?;
                Err(if lost_race {
                    Attempt::Again(RowsError::Closed)
                } else {
                    Attempt::Failed(error)
                })
            }
        }
    }

    /// The connection; a new one when the last was lost.
    fn connected(&mut self) -> Result<&mut Connected, RowsError> {
        if self.connected.as_ref().is_none_or(|c| c.lost || c.client.is_closed()) {
            let connecting = tokio_postgres::connect(&self.url, NoTls);
            let (client, connection) = self.handle.block_on(connecting)?;
            self.handle.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::warn!(%error, "postgres connection ended");
                }
            });
            let handle = self.handle.clone();
            self.connected =
                Some(Connected { client, handle, prepared: HashMap::new(), lost: false });
        }
        self.connected.as_mut().ok_or(RowsError::Closed)
    }
}

enum Attempt<E> {
    /// Lost a race against another transaction: nothing was done, run it again.
    Again(RowsError),
    Failed(E),
}

impl<E: From<RowsError>> From<RowsError> for Attempt<E> {
    fn from(error: RowsError) -> Self {
        if lost_race(&error) { Self::Again(error) } else { Self::Failed(E::from(error)) }
    }
}

fn lost_race(error: &RowsError) -> bool {
    let RowsError::Postgres(error) = error else { return false };
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

/// Remembers that a statement lost a race, whatever the unit made of the error.
struct Noting<'w> {
    connected: &'w mut Connected,
    lost_race: &'w mut bool,
}

impl Statements for Noting<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let done = self.connected.execute(sql, params);
        done.inspect_err(|error| *self.lost_race |= lost_race(error))
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        let rows = self.connected.query(sql, params);
        rows.inspect_err(|error| *self.lost_race |= lost_race(error))
    }

    fn shared(&self) -> bool {
        true
    }
}

impl Connected {
    fn batch(&mut self, sql: &str) -> Result<(), RowsError> {
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

    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let statement = self.prepared(sql)?;
        let params = dynamic(params);
        Ok(self.handle.block_on(self.client.execute(&statement, &params))?)
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        let statement = self.prepared(sql)?;
        let params = dynamic(params);
        let rows = self.handle.block_on(self.client.query(&statement, &params))?;
        rows.iter().map(values).collect()
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

/// Connections of one process: as many units run side by side.
const WORKERS: usize = 6;
/// A unit that lost as many races is given up with its error.
const TRIES: u32 = 20;
