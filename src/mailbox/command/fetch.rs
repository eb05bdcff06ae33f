//! FETCH and UID FETCH: rows batch by batch, content chunk by chunk, so that neither a mailbox of
//! 100,000 messages nor a message of 25 MiB is ever held.

use super::Step;
use super::ahead::Ahead;
use super::piece::{self, Found, Piece, string};
use super::store::settable;
use super::sync::Then;
use crate::mailbox::ask::{
    Answer, Ask, BATCH, FlagChange, HEADER_BATCH, Opening, Refusal, Row, RowWant, Store, Stored,
};
use crate::mailbox::core::{Core, FLUSH};
use crate::mailbox::reply::{self, Reply};
use crate::wire::MailboxId;
use crate::wire::imap::command::{Fetch, FetchItem, Partial};
use crate::wire::imap::encode::Fetch as Response;
use crate::wire::imap::{Flags, Structure, SystemFlags, Uid, UidSet};
use crate::wire::mime::SectionText;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    mailbox: MailboxId,
    items: Vec<FetchItem>,
    want: RowWant,
    sets_seen: bool,
    /// Only some of what `left` begins with (RFC 9394 §3.2).
    partial: Option<Partial>,
    /// Not asked for yet.
    left: UidSet,
    rows: std::vec::IntoIter<Row>,
    ahead: Ahead,
    /// Got `\Seen` from this very command: the client is told.
    now_seen: UidSet,
    stage: Stage,
    /// The worst that happened.
    failed: Option<Refusal>,
    /// How many rows were asked for that are gone.
    gone: usize,
}

#[derive(Debug)]
enum Stage {
    /// Which messages changed since (RFC 7162 §3.1.4.1).
    Since,
    Rows {
        asked: UidSet,
    },
    /// `\Seen` is being set on these.
    Seen(Vec<Row>),
    Content(Writing, Piece),
    /// What was written is being sent.
    Full(Writing),
}

/// Why a row isn't through.
enum Stop {
    Content(Piece),
    /// Enough is written for now.
    Full,
}

/// A response in the middle.
#[derive(Debug)]
struct Writing {
    row: Row,
    /// The next item.
    item: usize,
    /// Nothing is written between the parentheses yet.
    first: bool,
}

pub(super) fn start(tag: String, fetch: Fetch, core: &mut Core) -> Step {
    let Fetch { uid, set, mut items, changed_since, vanished, partial } = fetch;
    let binary =
        |item: &FetchItem| matches!(item, FetchItem::Binary { .. } | FetchItem::BinarySize { .. });
    if vanished || items.iter().any(binary) {
        return core.done(&tag, Reply::bad("Not advertised"));
    }
    core.enable_condstore(changed_since.is_some() || items.contains(&FetchItem::ModSeq));
    let Some(view) = core.view() else { return Step::Done };
    let Ok(left) = view.resolve(&set) else {
        return core.done(&tag, Reply::bad("No such message"));
    };
    if uid && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    if changed_since.is_some() && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    let task = Task {
        tag,
        mailbox: view.mailbox,
        want: want(&items),
        sets_seen: !view.read_only && items.iter().any(sets_seen),
        items,
        partial,
        left,
        rows: Vec::new().into_iter(),
        ahead: Ahead::default(),
        now_seen: UidSet::new(),
        stage: Stage::Since,
        failed: None,
        gone: 0,
    };
    match changed_since {
        Some(since) => {
            let ask = Ask::Changes { mailbox: task.mailbox, since };
            Step::Ask(ask, super::Task::Fetch(Box::new(task)))
        }
        None => task.begin(core),
    }
}

fn sets_seen(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section { peek: false, .. })
}

fn want(items: &[FetchItem]) -> RowWant {
    let mut want = RowWant::default();
    for item in items {
        match item {
            FetchItem::Envelope | FetchItem::Body | FetchItem::BodyStructure => {
                want.structure = true
            }
            FetchItem::Section { section, .. } if section.part.is_empty() => match section.text {
                SectionText::Whole => {}
                SectionText::Header | SectionText::HeaderFields { .. } => want.header = true,
                _ => want.structure = true,
            },
            FetchItem::Section { .. } => want.structure = true,
            _ => {}
        }
    }
    want
}

impl Task {
    pub fn answer(mut self: Box<Self>, answer: Answer, core: &mut Core) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Since);
        match (stage, answer) {
            (Stage::Since, Answer::Changes(changes)) => {
                self.left = self.left.intersection(&changes.arrived.union(&changes.changed));
                self.begin(core)
            }
            (Stage::Rows { asked }, Answer::Rows(rows)) => {
                let behind = behind(&asked, &rows);
                self.gone += (asked.len() - behind.len()).saturating_sub(rows.len());
                self.left = self.left.union(&behind);
                self.got_rows(rows, core)
            }
            (Stage::Seen(rows), answer) => self.seen(rows, answer, core),
            (Stage::Content(writing, piece), Answer::Content(octets)) => {
                self.got_content(writing, piece, octets, core)
            }
            (Stage::Content(writing, piece), Answer::Refused(refusal)) => {
                self.no_content(writing, &piece, refusal, core)
            }
            (Stage::Content(..), _) => Step::Close,
            (_, Answer::Refused(refusal)) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn begin(mut self, core: &mut Core) -> Step {
        if let Some(partial) = self.partial.take() {
            self.left = partial.of_set(&self.left);
        }
        self.next_batch(core)
    }

    fn next_batch(mut self, core: &mut Core) -> Step {
        if self.left.is_empty() {
            return self.finish(core);
        }
        let uids = self.left.take_first(if self.want.header { HEADER_BATCH } else { BATCH });
        self.stage = Stage::Rows { asked: uids.clone() };
        let ask = Ask::Rows { mailbox: self.mailbox, uids, want: self.want };
        Step::Ask(ask, super::Task::Fetch(Box::new(self)))
    }

    fn finish(self, core: &mut Core) -> Step {
        let reply = match self.failed {
            Some(refusal) => Reply::refused(&refusal),
            None if self.gone > 0 => {
                Reply::ok("Some messages are gone").code(reply::other("EXPUNGEISSUED"))
            }
            None => Reply::ok("FETCH completed"),
        };
        super::context::refresh(Then::Say(self.tag, reply), core)
    }

    fn got_rows(mut self, rows: Vec<Row>, core: &mut Core) -> Step {
        let unseen: UidSet = match self.sets_seen {
            true => rows.iter().filter(|row| !row.is_seen()).map(|row| row.uid).collect(),
            false => UidSet::new(),
        };
        if unseen.is_empty() {
            self.rows = rows.into_iter();
            return self.write(core);
        }
        self.stage = Stage::Seen(rows);
        let flags = settable(Flags { system: SystemFlags::SEEN, ..Flags::default() });
        let ask = Ask::Store(Store {
            mailbox: self.mailbox,
            uids: unseen,
            change: FlagChange::Add,
            flags,
            unchanged_since: None,
            echo: false,
        });
        Step::Ask(ask, super::Task::Fetch(Box::new(self)))
    }

    /// A refusal (an account that can only be read) leaves the flag as it was.
    fn seen(mut self, mut rows: Vec<Row>, answer: Answer, core: &mut Core) -> Step {
        if let Answer::Stored(Stored { changed, modseq, .. }) = answer {
            for row in rows.iter_mut().filter(|row| changed.contains(row.uid)) {
                row.flags.system = row.flags.system | SystemFlags::SEEN;
                row.modseq = modseq;
            }
            if let Some(view) = core.view_mut() {
                view.remember(modseq, changed.clone());
            }
            self.now_seen = changed;
        }
        self.rows = rows.into_iter();
        self.write(core)
    }

    /// Writes rows until content must be asked for, enough is written, or the batch is through.
    fn write(mut self, core: &mut Core) -> Step {
        while let Some(row) = self.rows.next() {
            let Some(sequence) = core.view().and_then(|view| view.sequence(row.uid)) else {
                continue;
            };
            let response = Response::begin(&mut core.out, sequence);
            if let Some((item, first, stop)) = self.write_row(&row, 0, response) {
                return self.stop(Writing { row, item, first }, stop);
            }
        }
        self.next_batch(core)
    }

    fn stop(mut self, writing: Writing, stop: Stop) -> Step {
        match stop {
            Stop::Content(piece) => self.ask(writing, piece),
            Stop::Full => {
                self.stage = Stage::Full(writing);
                Step::Pause(super::Task::Fetch(Box::new(self)))
            }
        }
    }

    /// What was written is sent.
    pub fn go_on(mut self: Box<Self>, core: &mut Core) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Since) {
            Stage::Full(writing) => self.write_from(writing.item, writing, core),
            _ => Step::Close,
        }
    }

    fn ask(mut self, writing: Writing, piece: Piece) -> Step {
        let rest = self.items.get(writing.item + 1..).unwrap_or_default();
        let next = self.rows.as_slice().iter().map(|row| (row, self.items.as_slice()));
        let follow = std::iter::once((&writing.row, rest)).chain(next);
        let ask = self.ahead.ask(self.mailbox, &piece, follow);
        self.stage = Stage::Content(writing, piece);
        Step::Ask(ask, super::Task::Fetch(Box::new(self)))
    }

    /// Writes items from `from` on; gives the one at which it had to stop.
    fn write_row(
        &mut self,
        row: &Row,
        from: usize,
        mut out: Response<'_>,
    ) -> Option<(usize, bool, Stop)> {
        let structure = Structure::read(&row.structure);
        for (at, item) in self.items.iter().enumerate().skip(from) {
            if out.waiting() >= FLUSH {
                return Some((at, out.is_empty(), Stop::Full));
            }
            if let FetchItem::Section { section, partial, name, .. } = item {
                match piece::find(section, *partial, row) {
                    Found::Nil => out.raw(name, b"NIL"),
                    Found::Bytes(bytes) => string(&mut out, name, &bytes),
                    Found::Content(mut piece) => {
                        self.ahead.write(&mut piece, name, &mut out);
                        if piece.missing() > 0 {
                            return Some((at, out.is_empty(), Stop::Content(piece)));
                        }
                    }
                }
            } else {
                write_item(item, row, structure.as_ref(), &mut out);
            }
        }
        if self.now_seen.contains(row.uid) && !self.items.contains(&FetchItem::Flags) {
            out.flags(&row.flags);
        }
        out.end();
        None
    }

    fn got_content(
        mut self,
        mut writing: Writing,
        mut piece: Piece,
        octets: Vec<u8>,
        core: &mut Core,
    ) -> Step {
        if !self.ahead.came(octets) {
            return self.no_content(writing, &piece, Refusal::Unavailable, core);
        }
        let mut out = response(&mut core.out, writing.first);
        if let Some(FetchItem::Section { name, .. }) = self.items.get(writing.item) {
            self.ahead.write(&mut piece, name, &mut out);
        }
        writing.first = out.is_empty();
        match piece.missing() {
            0 => self.write_from(writing.item + 1, writing, core),
            _ => self.ask(writing, piece),
        }
    }

    /// A string that was begun can't be ended otherwise than by cutting the line.
    fn no_content(
        mut self,
        mut writing: Writing,
        piece: &Piece,
        refusal: Refusal,
        core: &mut Core,
    ) -> Step {
        if piece.begun() {
            return Step::Close;
        }
        match refusal {
            Refusal::Gone => self.gone += 1,
            other => self.failed = Some(other),
        }
        response(&mut core.out, writing.first).raw(self.name(writing.item), b"NIL");
        writing.first = false;
        self.write_from(writing.item + 1, writing, core)
    }

    fn write_from(mut self, from: usize, writing: Writing, core: &mut Core) -> Step {
        let Writing { row, first, .. } = writing;
        let out = response(&mut core.out, first);
        match self.write_row(&row, from, out) {
            Some((item, first, stop)) => self.stop(Writing { row, item, first }, stop),
            None => self.write(core),
        }
    }

    fn name(&self, item: usize) -> &str {
        match self.items.get(item) {
            Some(FetchItem::Section { name, .. }) => name,
            _ => "BODY[]",
        }
    }
}

/// Those asked for behind the last row that came: they may be there. Without any row none is.
fn behind(asked: &UidSet, rows: &[Row]) -> UidSet {
    let last = rows.last().map_or(Uid::MAX, |row| row.uid);
    match last.checked_add(1) {
        Some(next) => asked.intersection(&UidSet::range(next, Uid::MAX)),
        None => UidSet::new(),
    }
}

fn response(out: &mut Vec<u8>, first: bool) -> Response<'_> {
    if first { Response::resume_empty(out) } else { Response::resume(out) }
}

fn write_item(
    item: &FetchItem,
    row: &Row,
    structure: Option<&Structure<'_>>,
    out: &mut Response<'_>,
) {
    let sealed = row.opening == Opening::Sealed;
    match item {
        FetchItem::Uid => out.number("UID", u64::from(row.uid)),
        FetchItem::Flags => out.flags(&row.flags),
        FetchItem::InternalDate => out.date(row.internal_date),
        FetchItem::Size => out.number("RFC822.SIZE", row.size),
        FetchItem::ModSeq => out.modseq(row.modseq),
        FetchItem::Envelope => out.raw("ENVELOPE", structure.map_or(NIL, |s| s.envelope)),
        // QUIRK(kep, 2026-11): it changes when the message is opened; docs/quirks.md#21
        FetchItem::BodyStructure => {
            let full =
                structure.map(|s| if sealed { s.masked_bodystructure } else { s.bodystructure });
            out.raw("BODYSTRUCTURE", full.unwrap_or(NIL));
        }
        FetchItem::Body => {
            let short = structure.map(|s| if sealed { s.masked_body } else { s.body });
            out.raw("BODY", short.unwrap_or(NIL));
        }
        FetchItem::Section { .. } | FetchItem::Binary { .. } | FetchItem::BinarySize { .. } => {}
    }
}

const NIL: &[u8] = b"NIL";
