//! Reads `strace -f -yy -ttt` and judges the order: content synced, then rows written and synced,
//! and only then the `250`; or rows alone, and only then content. The bytes on the socket are TLS, so the client says which answer it was.

use std::time::{Duration, SystemTime};

use thiserror::Error;

mod line;
use line::{Call, Event};

/// Name endings of a segment file and of the rows' write-ahead log.
pub const SEGMENT: &str = ".kepb";
pub const WAL: &str = "-wal";

pub struct Trace {
    events: Vec<Event>,
}

/// An answer as the client saw it: on which port of its own, and when at the latest it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub port: u16,
    pub at: SystemTime,
}

/// What was not durable when the 250 left.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Fault {
    #[error("the trace shows no answer to this client")]
    NoAnswer,
    #[error("the trace shows no end of data before the answer")]
    NoEndOfData,
    #[error("no content was written to a segment")]
    ContentNotWritten,
    #[error("content was written and not synced before the answer")]
    ContentNotSynced,
    #[error("no rows were written after the content was synced")]
    RowsNotWritten,
    #[error("rows were written and not synced before the answer")]
    RowsNotSynced,
    #[error("the folder of a new segment was not synced: {0}")]
    FolderNotSynced(String),
}

/// One transaction's place in the trace, as numbers of lines.
struct Window {
    /// The answer to DATA: from here on this message's octets come.
    opened: usize,
    end_of_data: usize,
    answer: usize,
}

impl Trace {
    pub fn parse(text: &str) -> Self {
        Self { events: line::events(text) }
    }

    /// Whether all that the message needs was synced before its 250. Holds for a server that does
    /// nothing else meanwhile.
    pub fn durable_before(&self, told: &Told) -> Result<(), Fault> {
        let window = self.window(told)?;
        let content: Vec<_> = self.writes(SEGMENT, window.opened, window.answer).collect();
        let first = content.first().ok_or(Fault::ContentNotWritten)?;
        let (mut content_synced, mut rows_written) = (false, false);
        for rows in self.writes(WAL, first.end, window.answer) {
            // Rows may point to whatever was written before them.
            let needed = content.iter().filter(|write| write.start < rows.start);
            let synced = |write: &&Event| self.synced(write, rows.start);
            if !needed.clone().all(synced) {
                continue;
            }
            content_synced = true;
            rows_written |= rows.end > window.end_of_data;
            if rows.end > window.end_of_data && self.synced(rows, window.answer) {
                return content
                    .iter()
                    .try_for_each(|write| self.folder_synced(write, window.answer));
            }
        }
        let all_synced = content.iter().all(|write| self.synced(write, window.answer));
        Err(match (content_synced || all_synced, rows_written) {
            (false, _) => Fault::ContentNotSynced,
            (true, false) => Fault::RowsNotWritten,
            (true, true) => Fault::RowsNotSynced,
        })
    }

    /// Whether rows were written for what was asked last, and synced, before the first octet of the
    /// answer. Holds for a server that does nothing else meanwhile.
    pub fn rows_durable_before(&self, told: &Told) -> Result<(), Fault> {
        let window = self.window(told)?;
        // What follows from it may be written already, too.
        let first = self.writes(WAL, window.end_of_data, window.answer).next();
        match self.synced(first.ok_or(Fault::RowsNotWritten)?, window.answer) {
            true => Ok(()),
            false => Err(Fault::RowsNotSynced),
        }
    }

    /// The same trace without the syncs of such files: what a server that forgot them would leave.
    pub fn without_syncs_of(&self, ending: &str) -> Self {
        let kept =
            |event: &&Event| !matches!(&event.call, Call::Sync { path } if path.ends_with(ending));
        Self { events: self.events.iter().filter(kept).cloned().collect() }
    }

    fn window(&self, told: &Told) -> Result<Window, Fault> {
        let at = told.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ours = |call: &Call| call.port() == Some(told.port);
        let talk: Vec<_> = self.events.iter().filter(|e| ours(&e.call) && e.time <= at).collect();
        let is_send = |event: &&Event| matches!(event.call, Call::Send { .. });
        let last_send = talk.iter().rposition(is_send).ok_or(Fault::NoAnswer)?;
        let read = talk[..last_send].iter().rposition(|event| !is_send(event));
        let read = read.ok_or(Fault::NoEndOfData)?;
        let opened = talk[..read].iter().rev().find(|event| is_send(event));
        Ok(Window {
            opened: opened.map_or(0, |event| event.end),
            end_of_data: talk[read].end,
            // An answer may leave in several writes: the first one counts.
            answer: talk[read + 1].start,
        })
    }

    fn writes(&self, ending: &str, from: usize, to: usize) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| {
            matches!(&event.call, Call::Write { path } if path.ends_with(ending))
                && event.end > from
                && event.start < to
        })
    }

    /// Whether a sync of the same file began after the write was done and ended in time.
    fn synced(&self, write: &Event, before: usize) -> bool {
        let Call::Write { path: written } = &write.call else { return false };
        self.sync_between(written, write.end, before)
    }

    /// A file made in this trace is lost with its folder's entry.
    fn folder_synced(&self, write: &Event, before: usize) -> Result<(), Fault> {
        let Call::Write { path: written } = &write.call else { return Ok(()) };
        let made = self
            .events
            .iter()
            .find(|event| matches!(&event.call, Call::Create { path } if path == written));
        let Some((made, (folder, _))) = made.zip(written.rsplit_once('/')) else { return Ok(()) };
        if self.sync_between(folder, made.end, before) {
            return Ok(());
        }
        Err(Fault::FolderNotSynced(written.clone()))
    }

    fn sync_between(&self, file: &str, after: usize, before: usize) -> bool {
        self.events.iter().any(|event| {
            matches!(&event.call, Call::Sync { path } if path == file)
                && event.start > after
                && event.end < before
        })
    }
}

#[cfg(test)]
mod tests;
