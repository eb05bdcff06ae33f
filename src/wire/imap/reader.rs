//! Bytes in pieces → commands. Small literals are collected with their command; the messages of an
//! APPEND stream through in chunks and are never held. Every buffer has its limit, and what is over
//! one is skipped without being kept.

use super::command::{Append, AppendForm, AppendStep, Literal, Tagged};
use super::parse::{self, Head};

/// What came out of the bytes so far.
#[derive(Debug)]
pub enum Event {
    Command(Tagged),
    /// An APPEND up to the first octets of a message; before those the reader stands still until
    /// `accept` or `refuse`.
    Append {
        tag: String,
        append: Append,
    },
    /// The next octets of a message, which were accepted.
    Chunk(Vec<u8>),
    /// What stands behind them, up to the next ones or the end.
    AppendMore(Vec<AppendStep>),
    /// The client waits for `+` within a command.
    GoOn,
    /// A line that is no command: of AUTHENTICATE or IDLE. Without its line end.
    Line(Vec<u8>),
    Bad {
        tag: Option<String>,
        reason: &'static str,
    },
    /// No sense in going on: what follows can't be told from commands.
    Hopeless(&'static str),
}

/// How much a peer may make us hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Octets of a line.
    pub line: usize,
    /// Octets of a literal that is not a message, and of all of a command.
    pub command: usize,
}

impl Limits {
    /// ID may have thirty pairs of 30 and 1024 octets (RFC 2971 §3.3).
    pub const BEFORE_LOGIN: Self = Self { line: 40 * 1024, command: 40 * 1024 };
    pub const AFTER_LOGIN: Self = Self { line: 64 * 1024, command: 128 * 1024 };
}

#[derive(Debug)]
pub struct Reader {
    /// Not consumed yet; while a command is collected it starts at 0.
    bytes: Vec<u8>,
    state: State,
    limits: Limits,
    /// The next line is no command.
    line_due: bool,
    /// In an APPEND, behind octets of a message that stood in this.
    amid: Option<AppendForm>,
    /// Where a line begins and up to where it has no end: what trickles in is looked through once.
    scanned: (usize, usize),
}

#[derive(Debug)]
enum State {
    /// A command (or more of an APPEND) is collected; its lines are scanned up to `at`, after which
    /// a literal may stand.
    Command {
        at: usize,
        literal: usize,
    },
    /// A message's octets are announced, and nobody said yet whether they are wanted.
    Held(Literal),
    Message {
        left: u64,
    },
    /// So many octets of a literal, and then the rest of the command, are nobody's.
    Skip {
        left: u64,
    },
    SkipLine {
        skipped: usize,
    },
    /// Nothing more is read; why, until it is said.
    Hopeless(Option<&'static str>),
}

impl Reader {
    pub fn new(limits: Limits) -> Self {
        Self {
            bytes: Vec::new(),
            state: State::START,
            limits,
            line_due: false,
            amid: None,
            scanned: (0, 0),
        }
    }

    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Hopeless(_) => {}
            State::Skip { left } if *left >= bytes.len() as u64 && self.bytes.is_empty() => {
                *left -= bytes.len() as u64;
            }
            _ => self.bytes.extend_from_slice(bytes),
        }
    }

    /// Bytes wait that were not asked for: before STARTTLS that is an attack (RFC 9051 §6.2.1).
    pub fn has_more(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// A command began and has not ended.
    pub fn is_amid(&self) -> bool {
        let between = matches!(self.state, State::Command { .. } | State::Hopeless(_));
        !self.bytes.is_empty() || !between || self.amid.is_some()
    }

    /// The next line is an answer, not a command.
    pub fn expect_line(&mut self) {
        self.line_due = true;
    }

    /// The announced message is wanted.
    pub fn accept(&mut self) {
        if let State::Held(literal) = self.state {
            self.state = State::Message { left: literal.size };
        }
    }

    /// It is not: skipped when it comes unasked.
    pub fn refuse(&mut self) {
        let amid = self.amid.take().is_some();
        match self.state {
            State::Held(literal) => self.drop_literal(literal),
            State::Message { left } => self.state = State::Skip { left },
            State::Command { .. } if amid => self.state = State::SkipLine { skipped: 0 },
            _ => {}
        }
    }

    /// Nothing more that comes makes sense; why is the next event.
    pub fn despair(&mut self, reason: &'static str) {
        self.bytes = Vec::new();
        self.state = State::Hopeless(Some(reason));
    }

    /// The next event, or nothing until more bytes come (or a held message is decided).
    pub fn event(&mut self) -> Option<Event> {
        let event = self.read();
        if event.is_none() && self.bytes.is_empty() && self.bytes.capacity() > IDLE_MAX {
            self.bytes = Vec::new();
        }
        event
    }

    fn read(&mut self) -> Option<Event> {
        loop {
            match &mut self.state {
                State::Command { .. } if self.line_due => return self.read_line(),
                State::Command { .. } => return self.read_command(),
                State::Held(_) => return None,
                State::Hopeless(reason) => return reason.take().map(Event::Hopeless),
                State::Message { left: 0 } => self.state = State::START,
                State::Message { .. } => return self.read_chunk(),
                State::Skip { left } => {
                    let gone = usize::try_from(*left).unwrap_or(usize::MAX).min(self.bytes.len());
                    *left -= gone as u64;
                    let whole = *left == 0;
                    self.cut(gone);
                    if !whole {
                        return None;
                    }
                    self.state = State::SkipLine { skipped: 0 };
                }
                State::SkipLine { .. } => {
                    if let Some(event) = self.skip_line()? {
                        return Some(event);
                    }
                }
            }
        }
    }

    fn read_line(&mut self) -> Option<Event> {
        let end = match self.line(0)? {
            Ok(end) => end,
            Err(event) => return Some(event),
        };
        self.line_due = false;
        let mut line: Vec<u8> = self.cut(end).collect();
        line.truncate(strip(&line).len());
        Some(Event::Line(line))
    }

    fn read_command(&mut self) -> Option<Event> {
        loop {
            let State::Command { at, literal } = self.state else { return None };
            let from = at + literal;
            if self.bytes.len() < from {
                return None;
            }
            let end = match self.line(from)? {
                Ok(end) => end,
                Err(event) => return Some(event),
            };
            let line = self.bytes.get(from..end).unwrap_or_default();
            let Some(literal) = parse::literal_at_end(strip(line)) else {
                return Some(self.finish(end));
            };
            if let Some(event) = self.announce(end, literal) {
                return Some(event);
            }
        }
    }

    /// A line ended with a literal's announcement.
    fn announce(&mut self, end: usize, literal: Literal) -> Option<Event> {
        let so_far = self.bytes.get(..end).unwrap_or_default();
        let head = match self.amid {
            Some(form) => parse::append_rest(so_far, form),
            None => parse::append_head(so_far),
        };
        match head {
            Head::Append(tag, append) => {
                self.hold(end, literal, append.form);
                return Some(Event::Append { tag, append });
            }
            Head::More(steps, form) => {
                self.hold(end, literal, form);
                return Some(Event::AppendMore(steps));
            }
            Head::Bad(tag, reason) => return Some(self.give_up(end, literal, tag, reason)),
            Head::Other => {}
        }
        let size = usize::try_from(literal.size).unwrap_or(usize::MAX);
        if size.saturating_add(end) > self.limits.command {
            let tag = self.tag();
            return Some(self.give_up(end, literal, tag, "Literal too big"));
        }
        self.state = State::Command { at: end, literal: size };
        literal.sync.then_some(Event::GoOn)
    }

    fn hold(&mut self, end: usize, literal: Literal, form: AppendForm) {
        self.cut(end);
        self.state = State::Held(literal);
        self.amid = Some(form);
    }

    fn finish(&mut self, end: usize) -> Event {
        let command: Vec<u8> = self.cut(end).collect();
        self.state = State::START;
        if let Some(form) = self.amid.take() {
            return match parse::append_rest(&command, form) {
                Head::More(steps, _) => Event::AppendMore(steps),
                Head::Bad(tag, reason) => Event::Bad { tag, reason },
                _ => Event::Bad { tag: None, reason: "Syntax error" },
            };
        }
        match parse::parse_command_bytes(&command) {
            Ok(tagged) => Event::Command(tagged),
            Err(reason) => Event::Bad { tag: parse::tag_of(&command), reason },
        }
    }

    fn give_up(
        &mut self,
        end: usize,
        literal: Literal,
        tag: Option<String>,
        reason: &'static str,
    ) -> Event {
        self.cut(end);
        self.amid = None;
        self.drop_literal(literal);
        Event::Bad { tag, reason }
    }

    /// Of the command being collected.
    fn tag(&self) -> Option<String> {
        if self.amid.is_some() { None } else { parse::tag_of(&self.bytes) }
    }

    fn drop_literal(&mut self, literal: Literal) {
        self.state = match literal.sync {
            true => State::START,
            false if literal.size > SKIP_MAX => State::Hopeless(Some("Literal too big")),
            false => State::Skip { left: literal.size },
        };
    }

    fn read_chunk(&mut self) -> Option<Event> {
        let State::Message { left } = &mut self.state else { return None };
        if self.bytes.is_empty() {
            return None;
        }
        let wanted = usize::try_from(*left).unwrap_or(usize::MAX);
        let chunk = match wanted < self.bytes.len() {
            true => self.bytes.drain(..wanted).collect(),
            false => std::mem::take(&mut self.bytes),
        };
        *left -= chunk.len() as u64;
        Some(Event::Chunk(chunk))
    }

    /// Outer `None`: more bytes are needed; inner: on with the next state.
    fn skip_line(&mut self) -> Option<Option<Event>> {
        let State::SkipLine { skipped } = &mut self.state else { return Some(None) };
        let end = self.bytes.iter().position(|b| *b == b'\n').map(|lf| lf + 1);
        // The end of the line may announce a literal, and may come in pieces.
        let gone = end.unwrap_or(self.bytes.len().saturating_sub(ANNOUNCEMENT));
        *skipped += gone;
        if *skipped as u64 > SKIP_MAX {
            self.state = State::Hopeless(Some("Line too long"));
            return Some(None);
        }
        let Some(end) = end else {
            self.cut(gone);
            return None;
        };
        // No more of it is looked at than is kept when it comes in pieces.
        let last = self.bytes.get(end.saturating_sub(ANNOUNCEMENT)..end).map(strip);
        let last = last.unwrap_or_default();
        let (literal, endless) = (parse::literal_at_end(last), is_all_number(last));
        self.cut(end);
        self.state = match endless {
            true => State::Hopeless(Some("Literal too big")),
            false => State::START,
        };
        if let Some(literal) = literal {
            self.drop_literal(literal);
        }
        Some(None)
    }

    /// Where the line from `from` on ends, or that it is too long; nothing while its end is not here.
    fn line(&mut self, from: usize) -> Option<Result<usize, Event>> {
        let end = self.line_end(from);
        if end.unwrap_or(self.bytes.len()).saturating_sub(from) <= self.limits.line {
            return end.map(Ok);
        }
        let tag = self.tag();
        self.line_due = false;
        self.amid = None;
        self.cut(from);
        self.state = State::SkipLine { skipped: 0 };
        Some(Err(Event::Bad { tag, reason: "Line too long" }))
    }

    /// Where the line from `at` on ends, its line end included.
    fn line_end(&mut self, at: usize) -> Option<usize> {
        let known = if self.scanned.0 == at { self.scanned.1.max(at) } else { at };
        let found = memchr::memchr(b'\n', self.bytes.get(known..)?);
        self.scanned = (at, found.map_or(self.bytes.len(), |lf| known + lf));
        found.map(|lf| known + lf + 1)
    }

    /// Takes octets off the front; what was known of places is not true any more.
    fn cut(&mut self, count: usize) -> std::vec::Drain<'_, u8> {
        self.scanned = (0, 0);
        self.bytes.drain(..count)
    }
}

impl State {
    const START: Self = Self::Command { at: 0, literal: 0 };
}

fn strip(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Of a literal's announcement the end, whose beginning is out of sight.
fn is_all_number(end: &[u8]) -> bool {
    let number = end.strip_suffix(b"}").map(|rest| rest.strip_suffix(b"+").unwrap_or(rest));
    number.is_some_and(|digits| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

/// What an idle connection may keep of a buffer that was large once.
const IDLE_MAX: usize = 4 * 1024;
/// `~{`, nineteen digits, `+}` and CRLF have 25 octets.
const ANNOUNCEMENT: usize = 25;
/// What a client may send for nothing before we hang up.
const SKIP_MAX: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests;
