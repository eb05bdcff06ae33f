//! An answer that is made while it is sent, a piece at a time, and never stands in memory whole. Who does not
//! read holds up the one who writes for him; what fails on the way breaks off, so that half a file is never taken
//! for all of it.

use axum::body::{Body, Bytes};
use futures_core::Stream;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Where pieces are written; nobody reads any more when it is closed.
pub type Source = Sender<io::Result<Bytes>>;

/// Where they come out, once.
#[derive(Clone, Debug)]
pub struct Flow(Arc<Mutex<Option<Receiver<io::Result<Bytes>>>>>);

struct Pieces(Receiver<io::Result<Bytes>>);

impl Flow {
    pub fn new() -> (Source, Self) {
        let (source, pieces) = mpsc::channel(WAITING);
        (source, Self(Arc::new(Mutex::new(Some(pieces)))))
    }

    /// Of which nobody reads anything: the answer's head alone is wanted.
    pub fn unread() -> Self {
        Self(Arc::default())
    }

    pub fn body(&self) -> Body {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.map_or_else(Body::empty, |pieces| Body::from_stream(Pieces(pieces)))
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Flow {}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// What breaks an answer off.
pub fn broken() -> io::Error {
    io::Error::other("what is sent could not be read")
}

/// Pieces that wait for their reader.
const WAITING: usize = 2;
