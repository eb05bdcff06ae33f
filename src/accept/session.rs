//! The session (RFC 5321, 6409): octets and answers in, octets and questions out. One machine in two
//! roles: accounts submit to it, other providers hand over to it.
//!
//! Pure: no clock, no sockets. Each command is read by `wire::smtp`, obeyed here, and whatever
//! needs the world becomes a `Next`. How the octets are cut never changes what is said.

mod body;
mod login;
mod obey;
mod relay;
mod say;
mod state;

use super::ask::{Answer, Ask, BrokenOff, Config, Next, Noted, Piece};
use crate::wire::smtp::{LineError, LineKind, LineReader, Reply};
pub(in crate::accept) use obey::{recipient_address, route};
use state::{Hello, State};
use std::collections::VecDeque;
use std::sync::Arc;

pub struct Session {
    config: Arc<Config>,
    tls: bool,
    input: LineReader,
    output: Vec<u8>,
    /// What the shell has to do before we go on.
    steps: VecDeque<Next>,
    bad_commands: u32,
    refused_recipients: u32,
    failed_logins: u32,
    /// Something came along with STARTTLS in clear.
    sent_ahead: bool,
    state: State,
}

/// Why the shell ends a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The peer said nothing for too long.
    Timeout,
    /// We are going down.
    Shutdown,
}

impl Session {
    /// `tls`: the connection is encrypted from its first octet (port 465).
    pub fn new(config: Arc<Config>, tls: bool) -> Self {
        Self {
            config,
            tls,
            input: LineReader::default(),
            output: Vec::new(),
            steps: VecDeque::new(),
            bad_commands: 0,
            refused_recipients: 0,
            failed_logins: 0,
            sent_ahead: false,
            state: State::Greeting,
        }
    }

    /// What to do next. After `Read` the shell calls `feed`, after `Ask` `answer`, after `StartTls`
    /// `tls_started`; after the others simply `next` again.
    #[allow(clippy::should_implement_trait)] // it never ends by itself, and takes no `for`
    pub fn next(&mut self) -> Next {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return step;
            }
            // A packet of small commands must not become a heap of replies.
            if self.output.len() < OUTPUT_MAX && self.advance() {
                continue;
            }
            return if !self.output.is_empty() {
                Next::Send(std::mem::take(&mut self.output))
            } else if self.is_over() {
                Next::Close
            } else {
                Next::Read
            };
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        self.input.feed(octets);
    }

    /// The answer to the last `Ask`. One that does not fit the question counts as our failure.
    pub fn answer(&mut self, answer: Answer) {
        self.state = match (self.take_state(), answer) {
            (State::LoggingIn { user }, Answer::Login(answer)) => self.logged_in(user, answer),
            (State::LookingUp { envelope, rcpt }, Answer::Recipient(answer)) => {
                self.looked_up(envelope, rcpt, answer)
            }
            (State::Submitting { from }, Answer::Submitted(answer)) => self.submitted(from, answer),
            (State::Meeting { domain, mail }, Answer::Peer(answer)) => {
                self.met(domain, mail, answer)
            }
            _ => self.hang_up(say::internal()),
        };
    }

    /// TLS is up: all that was said before is forgotten (RFC 3207 §4.2).
    pub fn tls_started(&mut self) {
        self.input.clear();
        self.tls = true;
        self.state = State::Ready { hello: Hello::Missing, login: None };
    }

    /// Commands came along with STARTTLS, to be taken for some that came under TLS. They were thrown away.
    pub fn was_sent_ahead(&self) -> bool {
        self.sent_ahead
    }

    /// Ends the session with a 421. Not to be called between `Ask` and `answer`.
    pub fn stop(&mut self, why: Stop) {
        let state = self.take_state();
        self.drop_body(&state);
        let reply = say::stop(why, &self.config.host);
        self.state = match why {
            Stop::Timeout => self.break_off(BrokenOff::Silence, reply),
            Stop::Shutdown => self.hang_up(reply),
        };
    }

    /// Whether what is said now is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// One step; false when only the peer or the world can bring us further.
    fn advance(&mut self) -> bool {
        match self.take_state() {
            State::Greeting => {
                self.say(&say::greeting(&self.config.host));
                self.state = State::Ready { hello: Hello::Missing, login: None };
                true
            }
            state @ (State::Ready { .. } | State::Addressing { .. } | State::Between { .. }) => {
                self.read_command(state)
            }
            State::Proving(exchange) => self.read_response(exchange),
            State::Reading { envelope, receiver, body } => self.read_data(envelope, receiver, body),
            State::Chunk { envelope, body, left, last } => {
                self.read_chunk(envelope, body, left, last)
            }
            State::Skipping { left, then } => self.skip(left, then),
            waiting => {
                self.state = waiting;
                false
            }
        }
    }

    fn read_command(&mut self, state: State) -> bool {
        match self.input.next_line(LineKind::Command) {
            Ok(Some(line)) => self.state = self.obey(state, &line),
            Ok(None) => {
                self.state = state;
                return false;
            }
            Err(LineError::TooLong) => self.state = self.bad(state, &say::line_too_long()),
            Err(error) => {
                self.drop_body(&state);
                self.state = self.break_off(BrokenOff::LineEnds, say::bad_line(error));
            }
        }
        true
    }

    /// Counts a command that makes no sense; too many end the session.
    fn bad(&mut self, state: State, reply: &Reply) -> State {
        self.say(reply);
        self.bad_commands += 1;
        if self.bad_commands < self.config.max_bad_commands {
            return state;
        }
        self.drop_body(&state);
        self.break_off(BrokenOff::Errors, say::too_many_errors(&self.config.host))
    }

    fn say(&mut self, reply: &Reply) {
        self.output.extend_from_slice(&reply.encode());
    }

    fn hang_up(&mut self, reply: Reply) -> State {
        self.say(&reply);
        self.input.clear();
        State::Over
    }

    /// The same, of a peer that we are better off without.
    fn break_off(&mut self, why: BrokenOff, reply: Reply) -> State {
        self.steps.push_back(Next::Noted(Noted::BrokenOff(why)));
        self.hang_up(reply)
    }

    /// What was said so far goes out before the next step.
    fn flush(&mut self) {
        if !self.output.is_empty() {
            self.steps.push_back(Next::Send(std::mem::take(&mut self.output)));
        }
    }

    fn ask(&mut self, ask: Ask) {
        self.steps.push_back(Next::Ask(ask));
    }

    fn spool(&mut self, piece: Piece) {
        self.steps.push_back(Next::Spool(piece));
    }

    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over)
    }

    /// Also when the shell goes on without having answered: better closed than stuck.
    fn is_over(&self) -> bool {
        !matches!(
            self.state,
            State::Ready { .. }
                | State::Addressing { .. }
                | State::Between { .. }
                | State::Proving(_)
                | State::Reading { .. }
                | State::Chunk { .. }
                | State::Skipping { .. }
        )
    }
}

/// Replies are handed out from here on, before the next command is read.
const OUTPUT_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests;
