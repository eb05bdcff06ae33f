//! Content that is asked for ahead of its row's turn: one ask for many small messages.

use super::piece::{self, Piece};
use crate::mailbox::ask::{Ask, BATCH, Content, OCTETS, Row};
use crate::wire::MailboxId;
use crate::wire::imap::Uid;
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::encode::Fetch as Response;
use std::collections::VecDeque;
use std::ops::Range;

#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Asked for, and not written yet.
    pieces: VecDeque<(Uid, Range<u64>)>,
    /// What came of them; written up to `at`.
    octets: Vec<u8>,
    at: usize,
}

impl Ahead {
    /// Asks for what is missing of `piece`, and for as many of those that follow as one answer holds.
    pub fn ask<'r>(
        &mut self,
        mailbox: MailboxId,
        piece: &Piece,
        follow: impl Iterator<Item = (&'r Row, &'r [FetchItem])>,
    ) -> Ask {
        let mut room = OCTETS.saturating_sub(piece.missing());
        let follow = follow.flat_map(|(row, items)| {
            items.iter().filter_map(|item| piece::content_of(item, row)).map(|piece| piece.place())
        });
        let follow = follow.take_while(|(_, range)| {
            let size = range.end.saturating_sub(range.start);
            let fits = size <= room;
            room = room.saturating_sub(size);
            fits
        });
        self.pieces = std::iter::once(piece.place()).chain(follow).take(BATCH).collect();
        (self.octets, self.at) = (Vec::new(), 0);
        Ask::Content(Content { mailbox, pieces: self.pieces.iter().cloned().collect() })
    }

    /// Takes an answer, or says no to an empty one.
    pub fn came(&mut self, octets: Vec<u8>) -> bool {
        self.octets = octets;
        !self.octets.is_empty()
    }

    /// Writes what came of a piece.
    pub fn write(&mut self, piece: &mut Piece, name: &str, out: &mut Response<'_>) {
        let place = piece.place();
        // What was refused is not written.
        while self.pieces.front().is_some_and(|front| *front != place) {
            self.pass();
        }
        let Some((_, range)) = self.pieces.front_mut() else { return };
        let there = self.octets.get(self.at..).unwrap_or_default();
        if there.is_empty() {
            return;
        }
        let written = piece.write(name, there, out);
        self.at += written;
        range.start += written as u64;
        if piece.missing() == 0 {
            self.pieces.pop_front();
        }
        if self.at == self.octets.len() {
            (self.octets, self.at) = (Vec::new(), 0);
        }
    }

    fn pass(&mut self) {
        if let Some((_, range)) = self.pieces.pop_front() {
            let size = range.end.saturating_sub(range.start);
            self.at = self.at.saturating_add(size as usize).min(self.octets.len());
        }
    }
}
