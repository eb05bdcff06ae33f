//! PostgreSQL: a few worker threads, each with a connection of its own, so that a unit of work is
//! the same synchronous closure as with SQLite. A deadlock's loser is run again.

mod connected;
mod listen;
mod target;
mod tls;

use super::lanes::Lanes;
use super::{Around, Lane, Param, Row, RowsError, Statements, Tx, Visitor, run, schema};
use crate::store::blobs::Blobs;
use crate::store::wakes::Wakes;
use connected::Connected;
use listen::Listener;
use std::sync::Arc;
use target::Target;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_postgres::error::SqlState;

#[derive(Clone)]
pub struct Postgres {
    door: Arc<Door>,
    around: Around,
    listener: Arc<Listener>,
}

type Unit = Box<dyn FnOnce(&mut Worker) + Send>;

impl Postgres {
    pub async fn open(url: &str, around: Around) -> Result<Self, RowsError> {
        let target = Target::parse(url)?;
        let (mut client, connection) = target.connect().await?;
        let driving = tokio::spawn(connection);
        schema::migrate_postgres(&mut client, around.start).await?;
        drop(client);
        driving.abort();
        let door = Arc::new(Door(Arc::new(Lanes::new())));
        for n in 0..WORKERS {
            let worker = Worker {
                target: target.clone(),
                handle: Handle::current(),
                blobs: Arc::clone(&around.blobs),
                connected: None,
            };
            let lanes = Arc::clone(&door.0);
            std::thread::Builder::new()
                .name(format!("rows-{n}"))
                .spawn(move || worker.run(&lanes))
                .map_err(RowsError::Blobs)?;
        }
        let listener = Arc::new(Listener::start(target, Arc::clone(&around.ring)).await?);
        Ok(Self { door, around, listener })
    }

    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let (ring, listener) = (Arc::clone(&self.around.ring), Arc::clone(&self.listener));
        self.ask(lane, move |worker| {
            let (value, wakes) = worker.transaction("BEGIN", &work, true)?;
            ring(&wakes);
            listener.tell(wakes);
            Ok(value)
        })
        .await
    }

    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<RowsError> + Send + 'static,
    {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.ask(Lane::Client, move |worker| {
            worker.transaction(begin, &work, false).map(|(value, _)| value)
        })
        .await
    }

    async fn ask<A, E>(
        &self,
        lane: Lane,
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
        self.door.0.push(lane, unit);
        told.await.map_err(|_| E::from(RowsError::Closed))?
    }
}

/// The workers' queue, as its users hold it: closed when the last of them is gone.
struct Door(Arc<Lanes<Unit>>);

impl Drop for Door {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Worker {
    target: Target,
    handle: Handle,
    blobs: Arc<Blobs>,
    connected: Option<Connected>,
}

impl Worker {
    fn run(mut self, lanes: &Lanes<Unit>) {
        while let Some(unit) = lanes.wait() {
            unit(&mut self);
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
        let blobs = Arc::clone(&self.blobs);
        let losses = blobs.losses();
        let connected = self.connected().map_err(|e| Attempt::Failed(E::from(e)))?;
        // The server may have gone since the last unit: nothing was done yet.
        connected.batch(begin).map_err(Attempt::Again)?;
        let mut noting = Noting { connected, failed: None };
        let mut tx = Tx::new(&mut noting);
        let result = run(work, &mut tx);
        let wakes = std::mem::take(&mut tx.wakes);
        let failed = noting.failed.take();
        let outcome = match (result, failed) {
            (_, Some(Failure::LostRace)) => Err(Attempt::Again(RowsError::Undone(RACES))),
            (Err(error), _) => Err(Attempt::Failed(error)),
            // The server undoes such a transaction, and calls that a successful COMMIT.
            (Ok(_), Some(Failure::Other)) => {
                Err(Attempt::Failed(E::from(RowsError::Undone("a statement failed"))))
            }
            (Ok(value), None) => Ok(value),
        };
        let outcome = outcome.and_then(|value| {
            if writes {
                let synced = blobs.sync_since(losses);
                synced.map_err(|e| Attempt::Failed(E::from(RowsError::Blobs(e))))?;
            }
            Ok(value)
        });
        match outcome {
            Ok(value) => {
                connected.batch("COMMIT").map_err(Attempt::from)?;
                Ok((value, wakes))
            }
            Err(error) => {
                // When this fails the connection counts as lost, and with it the transaction.
                let _ = connected.batch("ROLLBACK");
                Err(error)
            }
        }
    }

    /// The connection; a new one when the last was lost.
    fn connected(&mut self) -> Result<&mut Connected, RowsError> {
        if self.connected.as_ref().is_none_or(Connected::is_lost) {
            self.connected = None;
            self.connected = Some(Connected::new(&self.target, &self.handle)?);
        }
        self.connected.as_mut().ok_or(RowsError::Closed)
    }
}

enum Attempt<E> {
    /// Nothing was done: run it again.
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

/// Remembers that a statement failed, whatever the unit made of the error.
struct Noting<'w> {
    connected: &'w mut Connected,
    failed: Option<Failure>,
}

#[derive(Clone, Copy)]
enum Failure {
    LostRace,
    Other,
}

impl Noting<'_> {
    fn noted<T>(&mut self, done: Result<T, RowsError>) -> Result<T, RowsError> {
        done.inspect_err(|error| {
            let failure = if lost_race(error) { Failure::LostRace } else { Failure::Other };
            // The first one: all others only say that the transaction is undone.
            self.failed.get_or_insert(failure);
        })
    }
}

impl Statements for Noting<'_> {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, RowsError> {
        let done = self.connected.execute(sql, params);
        self.noted(done)
    }

    fn query(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<Vec<Row>, RowsError> {
        let rows = self.connected.query(sql, params);
        self.noted(rows)
    }

    fn visit(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        visitor: &mut Visitor<'_>,
    ) -> Result<(), RowsError> {
        let done = self.connected.visit(sql, params, visitor);
        self.noted(done)
    }

    fn shared(&self) -> bool {
        true
    }
}

/// Connections of one process: as many units run side by side.
const WORKERS: usize = 6;
/// A unit that lost as many races is given up with its error.
const TRIES: u32 = 20;
const RACES: &str = "it lost too many races against others";
