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

/// Where an archive is written. Its last octets, of a whole piece at least, are held back until all of it is done.
pub struct Pipe {
    pieces: SyncSender<Bytes>,
    held: Vec<u8>,
}

impl Pipe {
    fn new(pieces: SyncSender<Bytes>) -> Self {
        Self { pieces, held: Vec::new() }
    }

    /// Hands over what was held back.
    pub fn finish(mut self) -> io::Result<()> {
        while !self.held.is_empty() {
            self.hand_over()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let piece: Vec<u8> = self.held.drain(..self.held.len().min(PIECE)).collect();
        // Nobody reads any more.
        self.pieces.send(piece.into()).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

impl Write for Pipe {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        for part in octets.chunks(PIECE) {
            self.held.extend_from_slice(part);
            if self.held.len() >= 2 * PIECE {
                self.hand_over()?;
            }
        }
        Ok(octets.len())
    }

    /// What is held back waits for the end, whoever flushes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
    fn the_last_octets_wait_until_all_is_done() {
        let (pieces, taken) = sync_channel(100);
        let mut pipe = Pipe::new(pieces);
        let octets = vec![7; 3 * PIECE + 5];
        pipe.write_all(&octets).unwrap();
        pipe.flush().unwrap();
        let before: usize = taken.try_iter().map(|piece| piece.len()).sum();
        assert_eq!(before, 2 * PIECE, "a piece and more is held back");
        pipe.finish().unwrap();
        assert_eq!(taken.iter().map(|piece| piece.len()).sum::<usize>(), PIECE + 5);

        let (pieces, taken) = sync_channel(100);
        let mut small = Pipe::new(pieces);
        small.write_all(b"PK").unwrap();
        small.flush().unwrap();
        assert_eq!(taken.try_iter().count(), 0);
        small.finish().unwrap();
        assert_eq!(taken.iter().collect::<Vec<_>>().concat(), b"PK");
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
