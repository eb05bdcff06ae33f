//! The thread that writes, and the one that carries over what it wrote.

use super::{Pipe, Seat};
use crate::portal::api::flow::{Flow, broken};
use std::fmt::Display;
use std::sync::mpsc::sync_channel;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Runs what writes an archive, and gives what it writes.
pub fn pour<F, E>(seat: Seat, write: impl FnOnce(Pipe) -> F + Send + 'static) -> Flow
where
    F: Future<Output = Result<(), E>>,
    E: Display + Send + 'static,
{
    let (pieces, written) = sync_channel(WAITING);
    let (source, flow) = Flow::new();
    let runtime = Handle::current();
    let writing = spawn_blocking(move || {
        let _seat = seat;
        runtime.block_on(write(Pipe::new(pieces)))
    });
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
        let why = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        match source {
            // Who hung up hears nothing.
            None => tracing::debug!(why, "an archive was not fetched to its end"),
            Some(source) => {
                tracing::error!(why, "an archive can't be written");
                let _ = source.send(Err(broken())).await;
            }
        }
    });
    flow
}

/// Pieces that wait for being carried over.
const WAITING: usize = 2;
