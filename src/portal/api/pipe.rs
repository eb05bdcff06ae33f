//! Archives on their way out: written by a thread of its own, a piece at a time, as fast as they are read. Few at
//! once, and one of an account or a request: each holds a thread for as long as its reader takes.

pub mod run;

use super::Problem;
use super::call::Answered;
use crate::wire::AccountId;
use axum::body::Bytes;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};

/// Where an archive is written.
pub struct Pipe {
    pieces: SyncSender<Bytes>,
    piece: Vec<u8>,
}

impl Pipe {
    fn new(pieces: SyncSender<Bytes>) -> Self {
        Self { pieces, piece: Vec::new() }
    }

    /// Hands over what is left.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Write for Pipe {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(octets);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        // Nobody reads any more.
        self.pieces.send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Who fetches an archive now.
#[derive(Clone, Default)]
pub struct Seats(Arc<Mutex<BTreeSet<Whose>>>);

/// Whose archive it is: an authority's keeps no holder from his own, who would learn of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Account(AccountId),
    Request(i64),
}

/// A place, free again when this is dropped.
pub struct Seat {
    seats: Seats,
    whose: Whose,
}

impl Seats {
    pub fn take(&self, account: AccountId) -> Answered<Seat> {
        self.place(Whose::Account(account))
    }

    /// For what an authority asks for.
    pub fn take_for(&self, request: i64) -> Answered<Seat> {
        self.place(Whose::Request(request))
    }

    fn place(&self, whose: Whose) -> Answered<Seat> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(&whose) {
            return Err(Problem::ArchiveRunning);
        }
        if taken.len() >= SEATS {
            return Err(Problem::Busy);
        }
        taken.insert(whose);
        Ok(Seat { seats: self.clone(), whose })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.whose);
    }
}

const PIECE: usize = 64 << 10;
const SEATS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn what_is_written_comes_out_and_who_hangs_up_ends_it() {
        let (pieces, taken) = sync_channel(100);
        let mut pipe = Pipe::new(pieces);
        let octets: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        for part in octets.chunks(1000) {
            pipe.write_all(part).unwrap();
        }
        pipe.finish().unwrap();
        let out: Vec<Bytes> = taken.iter().collect();
        assert!(out.len() > 2 && out.iter().all(|piece| piece.len() < PIECE + 1000));
        assert_eq!(out.concat(), octets);
        let (pieces, taken) = sync_channel(1);
        let mut pipe = Pipe::new(pieces);
        drop(taken);
        assert_eq!(pipe.write(&octets).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn an_account_has_one_place_and_all_have_few() {
        let seats = Seats::default();
        let mut held: Vec<_> = (0..SEATS).map(|n| seats.take(AccountId(n as i64))).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(seats.take(AccountId(99)).err(), Some(Problem::Busy));
        held.pop();
        assert_eq!(seats.take(AccountId(0)).err(), Some(Problem::ArchiveRunning));
        // What an authority takes hinders no holder.
        let authority = seats.take_for(99);
        assert!(authority.is_ok() && seats.take_for(99).is_err());
        drop(authority);
        assert!(seats.take(AccountId(99)).is_ok());
    }
}
