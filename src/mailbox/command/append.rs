//! APPEND of one or several messages (RFC 3502), put together of parts (RFC 4469) or not, and REPLACE
//! (RFC 8508). The target is asked about before an octet of a message is taken, then the message
//! streams through in chunks; what was begun before a refusal is forgotten.

use imap_codec::imap_types::response::{Code, CodeOther};
use std::collections::VecDeque;

use super::sync;
use super::{Step, out_of_place};
use crate::mailbox::ask::{Answer, AppendBegin, AppendUrl, Appended, Ask, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::{Append, AppendStep, Command, Literal, Messages};
use crate::wire::imap::reader::Event;
use crate::wire::imap::{Flags, MailboxName, MessageUrl, Uid, encode};
use crate::wire::{MailboxId, Timestamp};

/// Messages on their way in.
#[derive(Debug)]
pub(in crate::mailbox) struct Upload {
    tag: String,
    to: MailboxName,
    /// What goes when they are in.
    replaces: Option<(MailboxId, Uid)>,
    /// Not done yet.
    steps: VecDeque<AppendStep>,
    /// A message has begun.
    begun: bool,
}

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    upload: Upload,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// What the next step needs is being done.
    Next,
    /// These octets are asked about.
    Octets(Literal),
    Chunk,
    /// Another message's octets are taken; its URL.
    Url(Vec<u8>),
    Commit,
    /// What the client is told after the abort.
    Abort(Reply),
    /// The connection ends after it.
    Abandon,
}

pub(in crate::mailbox) fn start(tag: String, append: Append, core: &mut Core) -> Step {
    let name = core.mailbox(&append.name);
    let replaces = append.replaces.clone();
    let steps = append.steps.clone().into();
    let begun = match out_of_place(&Command::Append(append), core) {
        Some(reply) => Err(reply),
        None => replaced(replaces.as_ref(), core),
    };
    let begun = begun.and_then(|replaces| match name {
        Some(to) => Ok(Upload { tag: tag.clone(), to, replaces, steps, begun: false }),
        None => Err(Reply::refused(&Refusal::Cannot)),
    });
    match begun {
        Ok(upload) => {
            core.own(|notify| notify.own_target(&upload.to));
            upload.next(core)
        }
        Err(reply) => {
            core.reader.refuse();
            core.done(&tag, reply)
        }
    }
}

/// The one message that REPLACE is about.
fn replaced(set: Option<&Messages>, core: &Core) -> Result<Option<(MailboxId, Uid)>, Reply> {
    let (Some(set), Some(view)) = (set, core.view()) else { return Ok(None) };
    if view.read_only {
        return Err(Reply::refused(&Refusal::ReadOnlyMailbox));
    }
    let uids = view.resolve(set).map_err(|_| Reply::bad("No such message"))?;
    match (uids.first(), uids.len()) {
        (Some(uid), 1) => Ok(Some((view.mailbox, uid))),
        (None, _) => Err(Reply::refused(&Refusal::Gone)),
        _ => Err(Reply::bad("REPLACE takes one message")),
    }
}

impl Upload {
    pub fn event(mut self, event: Event, core: &mut Core) -> Step {
        match event {
            Event::Chunk(bytes) => self.ask(Ask::AppendChunk(bytes), Stage::Chunk),
            Event::AppendMore(steps) => {
                self.steps.extend(steps);
                self.next(core)
            }
            Event::GoOn => {
                encode::go_on(&mut core.out, "Ready");
                Step::Upload(self)
            }
            Event::Bad { reason, .. } => self.abort(Reply::bad(reason), core),
            _ => self.abort(Reply::bad("Unexpected in APPEND"), core),
        }
    }

    /// The connection is to end.
    pub fn abandon(self) -> Step {
        self.ask(Ask::AppendAbort, Stage::Abandon)
    }

    fn next(mut self, core: &mut Core) -> Step {
        match self.steps.pop_front() {
            None => Step::Upload(self),
            Some(AppendStep::Message { .. }) if self.begun && self.replaces.is_some() => {
                self.abort(Reply::bad("REPLACE takes one message"), core)
            }
            Some(AppendStep::Message { flags, date }) => self.begin(flags, date),
            // RFC 3502 §6.3.11: so a client takes it all back.
            Some(AppendStep::Octets(literal)) if literal.size == 0 => {
                self.abort(Reply::no("Boş ileti eklenmez / An empty message is not appended"), core)
            }
            Some(AppendStep::Octets(literal)) => self.take(literal, core),
            Some(AppendStep::Text(literal)) => {
                self.ask(Ask::AppendText { size: literal.size }, Stage::Octets(literal))
            }
            Some(AppendStep::Url(url)) => self.url(url, core),
            Some(AppendStep::End) => {
                let ask = match self.replaces {
                    Some((mailbox, uid)) => Ask::Replace { mailbox, uid },
                    None => Ask::AppendCommit,
                };
                self.ask(ask, Stage::Commit)
            }
        }
    }

    fn begin(mut self, flags: Flags, date: Option<Timestamp>) -> Step {
        self.begun = true;
        let size = match self.steps.front() {
            Some(AppendStep::Octets(literal)) => literal.size,
            _ => 0,
        };
        let flags = super::store::settable(flags);
        let begin = AppendBegin { to: self.to.clone(), flags, internal_date: date, size };
        self.ask(Ask::AppendBegin(begin), Stage::Next)
    }

    fn url(self, text: Vec<u8>, core: &mut Core) -> Step {
        let selected = core.view().map(|view| view.name.clone());
        let url = MessageUrl::parse(&text).and_then(|url| {
            let mailbox = url.mailbox.clone().or(selected)?;
            Some(AppendUrl { mailbox, url })
        });
        match url {
            Some(url) => self.ask(Ask::AppendUrl(url), Stage::Url(text)),
            None => self.abort(bad_url(&text), core),
        }
    }

    /// What was announced may come.
    fn take(self, literal: Literal, core: &mut Core) -> Step {
        if literal.sync {
            encode::go_on(&mut core.out, "Ready");
        }
        core.reader.accept();
        Step::Upload(self)
    }

    fn abort(self, reply: Reply, core: &mut Core) -> Step {
        core.reader.refuse();
        self.ask(Ask::AppendAbort, Stage::Abort(reply))
    }

    fn ask(self, ask: Ask, stage: Stage) -> Step {
        Step::Ask(ask, super::Task::Append(Task { upload: self, stage }))
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        let Self { upload, stage } = self;
        match (answer, stage) {
            (_, Stage::Abandon) => Step::Close,
            (_, Stage::Abort(reply)) => core.done(&upload.tag, reply),
            (Answer::Done, Stage::Next | Stage::Url(_)) => upload.next(core),
            (Answer::Done, Stage::Octets(literal)) => upload.take(literal, core),
            (Answer::Done, Stage::Chunk) => Step::Upload(upload),
            (Answer::Appended(appended), Stage::Commit) => upload.done(&appended, core),
            (Answer::Refused(refusal), stage) => {
                let reply = match (refusal, stage) {
                    (Refusal::BadUrl, Stage::Url(url)) => bad_url(&url),
                    (refusal, _) => Reply::refused(&refusal),
                };
                core.reader.refuse();
                core.done(&upload.tag, reply)
            }
            _ => {
                core.reader.refuse();
                core.done(&upload.tag, Reply::refused(&Refusal::Unavailable))
            }
        }
    }
}

impl Upload {
    fn done(self, appended: &Appended, core: &mut Core) -> Step {
        let code = code(appended);
        core.own(|notify| notify.own_arrived(&appended.uids));
        if self.replaces.is_none() {
            return sync::finish(self.tag, Reply { code, ..Reply::ok("APPEND completed") }, core);
        }
        // RFC 8508 §3.2: untagged, before what went is told.
        if let Some(code) = code {
            core.note(code, "Replacement stored");
        }
        sync::finish(self.tag, Reply::ok("REPLACE completed"), core)
    }
}

/// RFC 4469 §3; the URL as far as it can stand in a code.
fn bad_url(url: &[u8]) -> Reply {
    let shown = |byte: &u8| match byte {
        b']' | b'"' | b'\\' => b'?',
        byte if byte.is_ascii_graphic() => *byte,
        _ => b'?',
    };
    let url: Vec<u8> = url.iter().take(URL_SHOWN).map(shown).collect();
    let code = [b"BADURL \"".as_slice(), &url, b"\""].concat();
    Reply::no("No such part of a message").code(Code::Other(CodeOther::unvalidated(code)))
}

/// RFC 4315 §3; a set when there are several (RFC 3502 §6.3.11).
fn code(appended: &Appended) -> Option<Code<'static>> {
    appended.uids.first()?;
    let code = format!("APPENDUID {} {}", appended.uid_validity, appended.uids);
    Some(Code::Other(CodeOther::unvalidated(code.into_bytes())))
}

/// Octets of a URL that are said back.
const URL_SHOWN: usize = 400;
