//! The thread that writes, and the one that carries over what it wrote.

use super::{Pipe, Seat};
use crate::portal::api::flow::{Flow, Source, broken};
use std::fmt::Display;
use std::sync::mpsc::sync_channel;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Runs what writes an archive, and gives what it writes. What is to be done when all of it was taken is done
/// before its reader hears that it is at its end.
pub fn pour<T, E, F, D>(
    seat: Seat,
    write: impl FnOnce(Pipe) -> F + Send + 'static,
    taken: impl FnOnce(T) -> D + Send + 'static,
) -> Flow
where
    T: Send + 'static,
    E: Display + Send + 'static,
    F: Future<Output = Result<T, E>>,
    D: Future<Output = Result<(), E>> + Send,
{
    let (pieces, written) = sync_channel(WAITING);
    let (source, flow) = Flow::new();
    let runtime = Handle::current();
    let writing = spawn_blocking(move || runtime.block_on(write(Pipe::new(pieces))));
    let carrying = spawn_blocking(move || {
        while let Ok(piece) = written.recv() {
            if source.blocking_send(Ok(piece)).is_err() {
                return None;
            }
        }
        Some(source)
    });
    tokio::spawn(async move {
        let (source, written) = (carrying.await.ok().flatten(), writing.await);
        // Who hung up hears nothing.
        let Some(source) = source else { return unfetched() };
        let done = match written {
            Ok(Ok(written)) => match all_taken(&source).await {
                true => taken(written).await.map_err(|error| error.to_string()),
                false => return unfetched(),
            },
            Ok(Err(error)) => Err(error.to_string()),
            Err(stopped) => Err(stopped.to_string()),
        };
        // Who hears the end may fetch another at once.
        drop(seat);
        if let Err(error) = done {
            tracing::error!(%error, "an archive can't be written");
            let _ = source.send(Err(broken())).await;
        }
    });
    flow
}

/// Waits until no piece waits any more; false when nobody takes them.
async fn all_taken(source: &Source) -> bool {
    source.reserve_many(source.max_capacity()).await.is_ok()
}

fn unfetched() {
    tracing::debug!("an archive was not fetched to its end");
}

/// Pieces that wait for being carried over.
const WAITING: usize = 2;
