//! The IMAP session: bytes and answers in, what to do next out. The shell calls `next` and does
//! what it says, until `Close`:
//! `Read` → `feed`; `Send` → write; `Ask` → `answer`; `Wait` → `feed`, `changed` or `timeout`,
//! whichever comes first; `StartTls` → handshake, then `secured`; `Compress` → `compressed` once what
//! follows is, `Expand` → `expanded` once it is not any more.

use std::time::Duration;

use super::ask::{Answer, Ask, Refusal};
use super::command::{self, Step, Task};
use super::core::{Access, Core, FLUSH};
use super::reply::Reply;
use crate::wire::imap::MailboxName;
use crate::wire::imap::encode;
use crate::wire::imap::reader::Event;
use crate::wire::{AccountId, MailboxId};

pub use super::core::{Channel, Config, Tls, offered};

#[derive(Debug)]
pub enum Next {
    Read,
    Send(Vec<u8>),
    StartTls,
    /// What follows is compressed both ways (RFC 4978); then `compressed`.
    Compress,
    /// What follows is not compressed any more (RFC 8437); then `expanded`.
    Expand,
    Ask(Ask),
    /// The client idles or sent NOTIFY: wake on its bytes, on a change of what is watched (what
    /// came before it is watched counts, too), or on time.
    Wait(Option<Watch>),
    Close,
}

/// What to watch for a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watch {
    Mailbox(MailboxId),
    Account(AccountId),
}

#[derive(Debug)]
pub struct Session {
    core: Core,
    phase: Phase,
    /// Commands that were none, one after the other.
    bad: u32,
    /// Messages that came or began to come.
    uploads: u64,
    /// Why the command that heard it is the last one: the access ended, or the mailbox is gone.
    over: Option<&'static str>,
    /// The mailbox that the ask under way is about.
    asked: Option<MailboxId>,
}

/// What is going on; waiting for us is a phase too.
#[derive(Debug)]
enum Phase {
    Ready,
    /// An ask that is due, and the task it belongs to.
    Asking(Box<(Ask, Task)>),
    /// It was handed out.
    Awaiting(Box<Task>),
    /// Goes on when its output is sent.
    Pausing(Box<Task>),
    /// The message of an APPEND streams in.
    Uploading(command::Upload),
    /// AUTHENTICATE waits for a line.
    Sasl(command::Sasl),
    Idling {
        tag: String,
    },
    StartTls,
    Handshake,
    Compress,
    Compressing,
    Expand,
    Expanding,
    Closing,
}

impl Session {
    pub fn new(config: Config) -> Self {
        Self::over(config, Channel::default())
    }

    /// Over a connection that is protected already.
    pub fn over(config: Config, channel: Channel) -> Self {
        let mut core = Core::new(config, channel);
        core.greet();
        Self { core, phase: Phase::Ready, bad: 0, uploads: 0, over: None, asked: None }
    }

    /// A limit of so few messages that a test or fuzzing reaches it.
    pub(in crate::mailbox) fn limit_to(&mut self, messages: usize) {
        self.core.limit = messages;
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.core.reader.feed(bytes);
    }

    #[expect(clippy::should_implement_trait, reason = "a turn of the dialogue, not an item")]
    pub fn next(&mut self) -> Next {
        loop {
            if self.must_send() {
                return Next::Send(std::mem::take(&mut self.core.out));
            }
            match std::mem::replace(&mut self.phase, Phase::Ready) {
                Phase::Asking(due) => {
                    let (ask, task) = *due;
                    self.asked = ask.mailbox();
                    self.phase = Phase::Awaiting(Box::new(task));
                    return Next::Ask(ask);
                }
                Phase::Pausing(task) => {
                    let step = task.go_on(&mut self.core);
                    self.take(step);
                }
                Phase::StartTls => {
                    self.phase = Phase::Handshake;
                    return Next::StartTls;
                }
                Phase::Compress => {
                    self.phase = Phase::Compressing;
                    return Next::Compress;
                }
                Phase::Expand => {
                    self.phase = Phase::Expanding;
                    return Next::Expand;
                }
                Phase::Closing => {
                    self.phase = Phase::Closing;
                    return Next::Close;
                }
                phase => {
                    let Some(event) = self.listen(&phase) else {
                        let next = self.rest(&phase);
                        self.phase = phase;
                        return next;
                    };
                    self.happen(phase, event);
                }
            }
        }
    }

    /// The answer to the ask handed out last.
    pub fn answer(&mut self, answer: Answer) {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Awaiting(task) => {
                self.hear_of_ends(&answer);
                let step = task.answer(answer, &mut self.core);
                self.take(step);
            }
            phase => self.phase = phase,
        }
    }

    /// RFC 2180 §3.3: whose mailbox is removed by another session is told so and sent away. Who removed
    /// it himself goes on without it.
    fn hear_of_ends(&mut self, answer: &Answer) {
        let Answer::Refused(refusal) = answer else { return };
        let selected = self.core.view().map(|view| view.mailbox);
        match refusal {
            Refusal::AccountClosed if self.core.account().is_some() => {
                self.over = Some("Access is over");
            }
            Refusal::NoSuchMailbox if selected.is_some() && selected == self.asked => {
                match std::mem::take(&mut self.core.removed) {
                    true => self.core.close("The mailbox is deleted"),
                    false => self.over = Some("The mailbox was deleted"),
                }
            }
            _ => {}
        }
    }

    /// What may be said while a long ask is out (RFC 9585): how many messages are done, of how many,
    /// as far as that is known.
    pub fn in_progress(&mut self, done: Option<usize>, goal: Option<usize>) -> Vec<u8> {
        encode::in_progress(&mut self.core.out, &self.core.tag, done, goal);
        std::mem::take(&mut self.core.out)
    }

    /// What `Next::Wait` watches changed.
    pub fn changed(&mut self) {
        match std::mem::replace(&mut self.phase, Phase::Ready) {
            Phase::Idling { tag } => {
                let step = command::idle_changed(tag, &mut self.core);
                self.take(step);
            }
            Phase::Ready if self.core.notifies() => {
                let step = command::notify_changed(&mut self.core);
                self.take(step);
            }
            phase => self.phase = phase,
        }
    }

    /// TLS stands.
    pub fn secured(&mut self) {
        self.secured_by(Channel::default());
    }

    /// TLS stands, and this is what it offers.
    pub fn secured_by(&mut self, channel: Channel) {
        if matches!(self.phase, Phase::Handshake) {
            self.core.secured(channel);
            self.phase = Phase::Ready;
        }
    }

    /// The compressed layer stands.
    pub fn compressed(&mut self) {
        if matches!(self.phase, Phase::Compressing) {
            self.core.compressed = true;
            self.phase = Phase::Ready;
        }
    }

    /// The compressed layer is taken down.
    pub fn expanded(&mut self) {
        if matches!(self.phase, Phase::Expanding) {
            self.core.compressed = false;
            self.phase = Phase::Ready;
        }
    }

    /// What the client sent can't be unpacked: nothing more of it is read.
    pub fn broken(&mut self) {
        self.core.reader.despair("Damaged compressed data");
    }

    /// How long the shell lets this client be silent: less within a command than between two.
    pub fn patience(&self) -> Duration {
        let amid = matches!(self.phase, Phase::Uploading(_)) || self.core.reader.is_amid();
        match self.core.access {
            Access::NotAuthenticated => BEFORE_LOGIN,
            _ if amid => STALLED,
            _ => AUTOLOGOUT,
        }
    }

    /// Which message is coming in, while one is.
    pub fn upload(&self) -> Option<u64> {
        matches!(self.phase, Phase::Uploading(_)).then_some(self.uploads)
    }

    /// The client was silent for longer than `patience`.
    pub fn timeout(&mut self) {
        // In the middle of a message or an ask a BYE helps nobody; the line is simply cut.
        if matches!(self.phase, Phase::Ready | Phase::Idling { .. } | Phase::Sasl(_)) {
            encode::bye(&mut self.core.out, None, "Autologout");
        }
        self.phase = Phase::Closing;
    }

    /// The server stops: the client is told, unless it is in the middle of something.
    pub fn shut_down(&mut self) {
        let login = matches!(&self.phase, Phase::Awaiting(task) if task.is_login());
        if login || matches!(self.phase, Phase::Ready | Phase::Idling { .. } | Phase::Sasl(_)) {
            encode::bye(&mut self.core.out, None, "Server is going down");
        }
        self.phase = Phase::Closing;
    }

    /// The listener's set-up.
    pub fn config(&self) -> &Config {
        &self.core.config
    }

    /// Whose session it is, after a login.
    pub fn account(&self) -> Option<AccountId> {
        self.core.account()
    }

    /// The mailbox selected.
    pub fn selected(&self) -> Option<&MailboxName> {
        self.core.view().map(|view| &view.name)
    }

    /// Output waits, and is not better sent together with what comes next.
    fn must_send(&self) -> bool {
        let much = self.core.out.len() >= FLUSH;
        let more = matches!(&self.phase, Phase::Asking(due) if due.1.is_bulk());
        much || !(self.core.out.is_empty() || more)
    }

    fn listen(&mut self, phase: &Phase) -> Option<Event> {
        match phase {
            Phase::Ready | Phase::Uploading(_) | Phase::Sasl(_) | Phase::Idling { .. } => {
                self.core.reader.event()
            }
            _ => None,
        }
    }

    fn rest(&self, phase: &Phase) -> Next {
        match phase {
            Phase::Idling { .. } => Next::Wait(self.core.watch()),
            // Nothing is told in the middle of a command.
            Phase::Ready if self.core.notifies() && !self.core.reader.is_amid() => {
                Next::Wait(self.core.watch())
            }
            _ => Next::Read,
        }
    }

    fn happen(&mut self, phase: Phase, event: Event) {
        let step = match (phase, event) {
            (phase, Event::Hopeless(reason)) => {
                encode::bye(&mut self.core.out, None, reason);
                match phase {
                    Phase::Uploading(upload) => upload.abandon(),
                    _ => Step::Close,
                }
            }
            (Phase::Uploading(upload), event) => upload.event(event, &mut self.core),
            (Phase::Sasl(sasl), Event::Line(line)) => sasl.line(&line, &mut self.core),
            (Phase::Idling { tag }, Event::Line(line)) => {
                command::idle_done(tag, &line, &mut self.core)
            }
            (_, Event::Command(tagged)) => {
                self.bad = 0;
                command::start(tagged, &mut self.core)
            }
            (_, Event::Append { tag, append }) => {
                self.uploads += 1;
                command::start_append(tag, append, &mut self.core)
            }
            (phase, Event::GoOn) => {
                encode::go_on(&mut self.core.out, "OK");
                self.phase = phase;
                return;
            }
            (Phase::Sasl(sasl), Event::Bad { reason, .. }) => {
                let tag = sasl.into_tag();
                self.refuse(Some(&tag), reason)
            }
            (_, Event::Bad { tag, reason }) => self.refuse(tag.as_deref(), reason),
            (phase, Event::Chunk(_) | Event::AppendMore(_) | Event::Line(_)) => {
                self.phase = phase;
                return;
            }
        };
        self.take(step);
    }

    fn refuse(&mut self, tag: Option<&str>, reason: &'static str) -> Step {
        self.bad += 1;
        let reply = command::bad_reply(reason, &mut self.core);
        self.core.say(tag, reply);
        if self.bad < BAD_MAX {
            return Step::Done;
        }
        encode::bye(&mut self.core.out, None, "Too many bad commands");
        Step::Close
    }

    fn take(&mut self, step: Step) {
        if let (Some(why), Step::Done | Step::Idle(_)) = (self.over, &step) {
            encode::bye(&mut self.core.out, None, why);
            self.phase = Phase::Closing;
            return;
        }
        self.phase = match step {
            Step::Ask(ask, task) => Phase::Asking(Box::new((ask, task))),
            Step::Pause(task) => Phase::Pausing(Box::new(task)),
            Step::Done => Phase::Ready,
            Step::Upload(upload) => Phase::Uploading(upload),
            Step::Sasl(sasl) => Phase::Sasl(sasl),
            Step::Idle(tag) => Phase::Idling { tag },
            Step::Close => Phase::Closing,
            Step::StartTls(tag) => self.start_tls(&tag),
            Step::Compress(tag) => self.compress(&tag),
            Step::Expand(tag) => self.expand(&tag),
        };
    }

    /// RFC 9051 §6.2.1: nothing sent before TLS may count after it, so a client (or someone in the
    /// middle) that pipelines behind STARTTLS is cut off.
    fn start_tls(&mut self, tag: &str) -> Phase {
        if self.core.reader.has_more() {
            self.core.say(Some(tag), Reply::bad("Commands behind STARTTLS are refused"));
            encode::bye(&mut self.core.out, None, "Plaintext injected");
            return Phase::Closing;
        }
        self.core.say(Some(tag), Reply::ok("Begin TLS now"));
        Phase::StartTls
    }

    /// RFC 4978 §3: a client says nothing more before it has heard the `OK`; what it sent in the clear
    /// can't be told from what is compressed.
    fn compress(&mut self, tag: &str) -> Phase {
        if self.core.reader.has_more() {
            self.core.say(Some(tag), Reply::bad("Commands behind COMPRESS are refused"));
            encode::bye(&mut self.core.out, None, "Wait for the answer to COMPRESS");
            return Phase::Closing;
        }
        self.core.say(Some(tag), Reply::ok("DEFLATE active"));
        Phase::Compress
    }

    /// RFC 8437 §4: behind this command compression is over, both ways. What was compressed after it
    /// was meant for no state that there is.
    fn expand(&mut self, tag: &str) -> Phase {
        if self.core.reader.has_more() {
            encode::bye(&mut self.core.out, None, "Compressed behind UNAUTHENTICATE");
            return Phase::Closing;
        }
        self.core.say(Some(tag), Reply::ok("UNAUTHENTICATE completed"));
        Phase::Expand
    }
}

/// RFC 9051 §5.4: thirty minutes at least.
pub const AUTOLOGOUT: Duration = Duration::from_secs(30 * 60 + 5);
/// Whoever began a command goes on with it.
/// QUIRK(kep, 2026-11): within a command silence ends sooner; docs/quirks.md#26
pub const STALLED: Duration = Duration::from_secs(3 * 60);
/// Time for a person to type a password while the program is connected already.
const BEFORE_LOGIN: Duration = Duration::from_secs(3 * 60);
/// No honest program comes near.
const BAD_MAX: u32 = 20;
