//! FETCH and UID FETCH: rows batch by batch, content chunk by chunk, so that neither a mailbox of
//! 100,000 messages nor a message of 25 MiB is ever held.

use std::collections::BTreeMap;

use super::Step;
use super::ahead::Ahead;
use super::limit;
use super::piece::{self, Found, Piece, string};
use super::store::settable;
use super::sync::{self, Then};
use crate::mailbox::ask::{
    Answer, Ask, BATCH, Changes, FlagChange, FlagRow, HEADER_BATCH, Opening, Refusal, Row, RowWant,
    Store, Stored,
};
use crate::mailbox::core::{Core, FLUSH};
use crate::mailbox::reply::{self, Reply};
use crate::wire::MailboxId;
use crate::wire::imap::command::{Fetch, FetchItem, Partial};
use crate::wire::imap::encode::Fetch as Response;
use crate::wire::imap::{Flags, ModSeq, Structure, SystemFlags, Uid, UidSet, encode, object_id};
use crate::wire::mime::SectionText;

pub(super) mod flags;

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    /// What goes on behind it when no FETCH command asked.
    then: Option<Then>,
    uid: bool,
    /// Flags that change are told with their mod-sequence (RFC 7162 §3.1).
    condstore: bool,
    /// Of which UIDs the client wants to hear that they vanished (RFC 7162 §3.2.6).
    vanished: Option<UidSet>,
    /// The greatest mod-sequence the client was told.
    told: ModSeq,
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
    /// First words of messages of this batch.
    previews: BTreeMap<Uid, String>,
    /// Octets that were read to be decoded.
    decoded: u64,
    recent: UidSet,
    /// There were more than one command fetches: these go out from the highest down (RFC 9738 §3.1).
    lowest: Option<Uid>,
    /// How many rows are asked for at a time.
    most: usize,
}

#[derive(Debug)]
enum Stage {
    /// Which messages changed since (RFC 7162 §3.1.4.1).
    Since,
    Rows {
        asked: UidSet,
    },
    /// The first words of these are asked for.
    Previews(Vec<Row>),
    /// `\Seen` is being set on these.
    Seen(Vec<Row>),
    Content(Writing, Piece),
    /// What was written is being sent.
    Full(Writing),
    /// The same; of these nothing but flags is asked for.
    Flags(std::vec::IntoIter<FlagRow>),
}

/// Why a row isn't through.
enum Stop {
    Content(Piece),
    /// The item can't be had.
    Refused(Refusal),
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
    if vanished && !core.enabled.qresync {
        return core.done(&tag, Reply::bad("QRESYNC is not enabled"));
    }
    core.enable_condstore(changed_since.is_some() || items.contains(&FetchItem::ModSeq));
    let condstore = core.enabled.condstore;
    let Some(view) = core.view() else { return Step::Done };
    let Ok(left) = view.resolve(&set) else {
        return core.done(&tag, Reply::bad("No such message"));
    };
    if uid && !core.enabled.uidonly && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    if changed_since.is_some() && !items.contains(&FetchItem::ModSeq) {
        items.push(FetchItem::ModSeq);
    }
    let task = Task {
        uid,
        condstore,
        vanished: vanished.then(|| view.named(&set)),
        sets_seen: !view.read_only && items.iter().any(sets_seen),
        partial,
        ..Task::new(tag, view.mailbox, left, items, core)
    };
    if task.partial.is_some_and(|partial| limit::is_beyond(partial, core)) {
        return core.done(&task.tag, limit::refusal(None, core));
    }
    match changed_since {
        Some(since) => {
            let ask = Ask::Changes { mailbox: task.mailbox, since };
            Step::Ask(ask, super::Task::Fetch(Box::new(task)))
        }
        None => task.begin(core),
    }
}

/// What NOTIFY asks to be told of new messages (RFC 5465 §5.2).
pub(super) fn unasked(
    then: Then,
    uids: UidSet,
    mut items: Vec<FetchItem>,
    core: &mut Core,
) -> Step {
    let Some(view) = core.view().filter(|_| !uids.is_empty() && !items.is_empty()) else {
        return sync::end(then, core);
    };
    // UIDFETCH says it already; but an item there must be.
    if core.enabled.uidonly && items.iter().any(|item| *item != FetchItem::Uid) {
        items.retain(|item| *item != FetchItem::Uid);
    }
    let new = Task::new(String::new(), view.mailbox, uids, items, core);
    let task = Task { then: Some(then), uid: true, ..new };
    task.next_batch(core)
}

fn sets_seen(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section { peek: false, .. } | FetchItem::Binary { peek: false, .. })
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
            FetchItem::ThreadId => want.thread = true,
            FetchItem::Binary { part, .. } | FetchItem::BinarySize { part } => {
                want.structure |= !part.is_empty();
            }
            _ => {}
        }
    }
    want
}

impl Task {
    fn new(
        tag: String,
        mailbox: MailboxId,
        left: UidSet,
        items: Vec<FetchItem>,
        core: &Core,
    ) -> Self {
        Self {
            tag,
            then: None,
            uid: false,
            condstore: false,
            vanished: None,
            told: 0,
            mailbox,
            want: want(&items),
            items,
            sets_seen: false,
            partial: None,
            left,
            rows: Vec::new().into_iter(),
            ahead: Ahead::default(),
            now_seen: UidSet::new(),
            stage: Stage::Since,
            failed: None,
            gone: 0,
            previews: BTreeMap::new(),
            decoded: 0,
            recent: core.recent(),
            lowest: None,
            most: BATCH,
        }
    }

    pub fn answer(mut self: Box<Self>, answer: Answer, core: &mut Core) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Since);
        match (stage, answer) {
            (Stage::Since, Answer::Changes(changes)) => {
                self.tell_vanished(&changes, core);
                self.left = self.left.intersection(&changes.arrived.union(&changes.changed));
                self.begin(core)
            }
            (Stage::Rows { asked }, Answer::Rows(rows)) => {
                let last = rows.last().map(|row| row.uid);
                let behind = behind(&asked, last);
                if self.lowest.is_some() && !behind.is_empty() && self.most > 1 {
                    // Those behind come first: fewer are asked for.
                    self.most /= 2;
                    self.left = self.left.union(&asked);
                    return self.next_batch(core);
                }
                self.most = self.most.saturating_mul(2).min(self.batch());
                self.came(&asked, rows.len(), last);
                self.got_rows(rows, core)
            }
            (Stage::Rows { asked }, Answer::Flags(rows)) => {
                self.came(&asked, rows.len(), rows.last().map(|row| row.uid));
                self.got_flags(rows, core)
            }
            (Stage::Previews(rows), answer) => {
                if let Answer::Previews(previews) = answer {
                    self.previews = previews;
                }
                self.set_seen(rows, core)
            }
            (Stage::Seen(rows), answer) => self.seen(rows, answer, core),
            (Stage::Content(writing, piece), Answer::Content(octets)) => {
                self.got_content(writing, piece, octets, core)
            }
            (Stage::Content(writing, piece), Answer::Refused(refusal)) => {
                self.no_content(writing, &piece, refusal, core)
            }
            (Stage::Content(..), _) => Step::Close,
            (_, Answer::Refused(refusal)) => self.refuse(refusal, core),
            _ => self.refuse(Refusal::Unavailable, core),
        }
    }

    fn refuse(mut self: Box<Self>, refusal: Refusal, core: &mut Core) -> Step {
        self.failed = Some(refusal);
        self.finish(core)
    }

    fn begin(mut self, core: &mut Core) -> Step {
        if let Some(partial) = self.partial.take() {
            self.left = partial.of_set(&self.left);
        }
        let within = limit::within(std::mem::take(&mut self.left), core);
        (self.left, self.lowest, self.most) = (within.uids, within.lowest, self.batch());
        self.next_batch(core)
    }

    fn next_batch(mut self, core: &mut Core) -> Step {
        if self.left.is_empty() {
            return self.finish(core);
        }
        if self.lowest.is_none() && self.items.iter().all(flags::is_of) {
            return self.ask_flags();
        }
        let uids = match self.lowest {
            Some(_) => self.left.take_last(self.most),
            None => self.left.take_first(self.batch()),
        };
        self.stage = Stage::Rows { asked: uids.clone() };
        let ask = Ask::Rows { mailbox: self.mailbox, uids, want: self.want };
        Step::Ask(ask, super::Task::Fetch(Box::new(self)))
    }

    fn batch(&self) -> usize {
        if self.want.header { HEADER_BATCH } else { BATCH }
    }

    /// So many rows came, up to `last`: those asked for before it that did not come are gone.
    fn came(&mut self, asked: &UidSet, rows: usize, last: Option<Uid>) {
        let behind = behind(asked, last);
        self.gone += (asked.len() - behind.len()).saturating_sub(rows);
        self.left = self.left.union(&behind);
    }

    /// Those the client has in its view vanish there with the next news.
    fn tell_vanished(&mut self, changes: &Changes, core: &mut Core) {
        let (Some(wanted), Some(view)) = (self.vanished.take(), core.view()) else { return };
        let earlier = changes.vanished.intersection(&wanted).difference(view.uids());
        encode::vanished(&mut core.out, true, &earlier);
    }

    fn finish(mut self, core: &mut Core) -> Step {
        if let Some(then) = self.then.take() {
            return sync::end(then, core);
        }
        let reply = match self.failed {
            Some(refusal) => Reply::refused(&refusal),
            None if self.gone > 0 => {
                Reply::ok("Some messages are gone").code(reply::other("EXPUNGEISSUED"))
            }
            None => Reply::ok("FETCH completed"),
        };
        let reply = limit::told(reply, self.lowest, core);
        sync::finish_told(self.tag, reply, self.told, self.uid, core)
    }

    fn got_rows(mut self, mut rows: Vec<Row>, core: &mut Core) -> Step {
        if self.lowest.is_some() {
            rows.reverse();
        }
        if self.sets_seen || self.items.contains(&FetchItem::Flags) {
            flags::learn(rows.iter().map(|row| &row.flags.keywords), core);
        }
        let lazy = self.items.iter().find_map(|item| match item {
            FetchItem::Preview { lazy } => Some(*lazy),
            _ => None,
        });
        match lazy {
            Some(lazy) => {
                let uids = rows.iter().map(|row| row.uid).collect();
                self.stage = Stage::Previews(rows);
                let ask = Ask::Previews { mailbox: self.mailbox, uids, lazy };
                Step::Ask(ask, super::Task::Fetch(Box::new(self)))
            }
            None => self.set_seen(rows, core),
        }
    }

    fn set_seen(mut self, rows: Vec<Row>, core: &mut Core) -> Step {
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
            echo: true,
        });
        Step::Ask(ask, super::Task::Fetch(Box::new(self)))
    }

    /// A refusal (an account that can only be read) leaves the flag as it was. Others may have changed
    /// more since the rows were read: the client is told how things are now.
    fn seen(mut self, mut rows: Vec<Row>, answer: Answer, core: &mut Core) -> Step {
        if let Answer::Stored(Stored { changed, modseq, rows: now, .. }) = answer {
            let mut now: BTreeMap<_, _> = now.into_iter().map(|row| (row.uid, row)).collect();
            for row in &mut rows {
                if let Some(now) = now.remove(&row.uid) {
                    (row.flags, row.modseq) = (now.flags, now.modseq);
                }
            }
            flags::learn(rows.iter().map(|row| &row.flags.keywords), core);
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
            if self.tells_modseq(row.uid) {
                self.told = self.told.max(row.modseq);
            }
            let response = core.fetch(row.uid, sequence);
            if let Some((item, first, stop)) = self.write_row(&row, 0, response) {
                return self.stop(Writing { row, item, first }, stop, core);
            }
        }
        self.next_batch(core)
    }

    fn stop(mut self, writing: Writing, stop: Stop, core: &mut Core) -> Step {
        match stop {
            Stop::Content(piece) => self.ask(writing, piece),
            Stop::Refused(refusal) => self.refused(writing, refusal, core),
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
            Stage::Flags(rows) => self.write_flags(rows, core),
            _ => Step::Close,
        }
    }

    fn ask(mut self, writing: Writing, piece: Piece) -> Step {
        let alone = piece.opens() || piece.is_decoded();
        let rest = self.items.get(writing.item + 1..).unwrap_or_default();
        let next = self.rows.as_slice().iter().map(|row| (row, self.items.as_slice()));
        let follow = std::iter::once((&writing.row, rest)).chain(next);
        let most = if alone { 0 } else { BATCH };
        let ask = self.ahead.ask(self.mailbox, &piece, follow.take(most));
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
            if matches!(item, FetchItem::Preview { .. }) {
                match self.previews.get(&row.uid) {
                    Some(text) => out.text("PREVIEW", text),
                    None => out.raw("PREVIEW", NIL),
                }
                continue;
            }
            let Some(name) = piece::name(item) else {
                match item {
                    FetchItem::Flags => out.flags(&row.flags, self.recent.contains(row.uid)),
                    _ => write_item(item, row, structure.as_ref(), &mut out),
                }
                continue;
            };
            match piece::find(item, row) {
                Found::Nil => out.raw(&name, NIL),
                Found::Bytes(bytes) => string(&mut out, &name, &bytes),
                Found::Number(number) => out.number(&name, number),
                // Nobody reads what nobody asked for.
                // QUIRK(kep, 2026-11): NOTIFY opens nothing; docs/quirks.md#47
                Found::Content(_) if self.then.is_some() && row.opening == Opening::Sealed => {
                    out.raw(&name, NIL);
                }
                Found::Content(mut piece) => {
                    if !piece.opens() {
                        self.ahead.write(&mut piece, &name, &mut out);
                    }
                    if piece.missing() > 0 {
                        return Some((at, out.is_empty(), Stop::Content(piece)));
                    }
                }
                Found::Refused(refusal) => {
                    return Some((at, out.is_empty(), Stop::Refused(refusal)));
                }
            }
        }
        if self.now_seen.contains(row.uid) {
            if !self.items.contains(&FetchItem::Flags) {
                out.flags(&row.flags, self.recent.contains(row.uid));
            }
            // RFC 7162 §3.2: with each change of flags that is told.
            if self.condstore && !self.items.contains(&FetchItem::ModSeq) {
                out.modseq(row.modseq);
            }
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
        let came = octets.len() as u64;
        if !self.ahead.came(octets) {
            return self.no_content(writing, &piece, Refusal::Unavailable, core);
        }
        if piece.opens() {
            writing.row.opening = Opening::Open;
            return self.write_from(writing.item, writing, core);
        }
        if piece.is_decoded() {
            self.decoded = self.decoded.saturating_add(came);
            if self.decoded > DECODED_MAX && !piece.begun() {
                return self.refused(writing, Refusal::Limit, core);
            }
        }
        let mut out = response(&mut core.out, writing.first);
        if let Some(name) = self.items.get(writing.item).and_then(piece::name) {
            self.ahead.write(&mut piece, &name, &mut out);
        }
        writing.first = out.is_empty();
        match piece.missing() {
            0 => self.write_from(writing.item + 1, writing, core),
            _ => self.ask(writing, piece),
        }
    }

    fn no_content(
        self,
        writing: Writing,
        piece: &Piece,
        refusal: Refusal,
        core: &mut Core,
    ) -> Step {
        match piece.begun() {
            true => Step::Close,
            false => self.refused(writing, refusal, core),
        }
    }

    /// The item has no value, and the client hears why at the end.
    fn refused(mut self, mut writing: Writing, refusal: Refusal, core: &mut Core) -> Step {
        match refusal {
            Refusal::Gone => self.gone += 1,
            other => self.failed = Some(other),
        }
        let item = self.items.get(writing.item);
        let none = if matches!(item, Some(FetchItem::BinarySize { .. })) { b"0" } else { NIL };
        if let Some(name) = item.and_then(piece::name) {
            response(&mut core.out, writing.first).raw(&name, none);
            writing.first = false;
        }
        self.write_from(writing.item + 1, writing, core)
    }

    fn write_from(mut self, from: usize, writing: Writing, core: &mut Core) -> Step {
        let Writing { row, first, .. } = writing;
        let out = response(&mut core.out, first);
        match self.write_row(&row, from, out) {
            Some((item, first, stop)) => self.stop(Writing { row, item, first }, stop, core),
            None => self.write(core),
        }
    }

    fn tells_modseq(&self, uid: Uid) -> bool {
        self.items.contains(&FetchItem::ModSeq) || self.condstore && self.now_seen.contains(uid)
    }
}

/// Those asked for behind the last row that came: they may be there. Without any row none is.
fn behind(asked: &UidSet, last: Option<Uid>) -> UidSet {
    match last.unwrap_or(Uid::MAX).checked_add(1) {
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
        FetchItem::InternalDate => out.date("INTERNALDATE", row.internal_date),
        FetchItem::SaveDate => out.date("SAVEDATE", row.saved_at),
        FetchItem::EmailId => {
            let id = format!("({})", object_id::email_id(row.content));
            out.raw("EMAILID", id.as_bytes());
        }
        FetchItem::ThreadId => {
            let id = row.thread.map(|thread| format!("({})", object_id::thread_id(thread)));
            out.raw("THREADID", id.as_deref().map_or(NIL, str::as_bytes));
        }
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
        FetchItem::Flags
        | FetchItem::Section { .. }
        | FetchItem::Binary { .. }
        | FetchItem::BinarySize { .. }
        | FetchItem::Preview { .. } => {}
    }
}

const NIL: &[u8] = b"NIL";
/// Octets one command may have decoded (invariant 10): some hundred messages of the largest size.
const DECODED_MAX: u64 = 4 << 30;
