//! Sends mail over SMTP, as a pure state machine: one mail after the other to another provider, or one
//! (with a login) to a submission port.
//!
//! The shell's loop: `next`, do as it says, then `feed`, `tls_started`, `body_sent` or `lost`; in a
//! dialogue that lasts, `another` after `Done`. Recipients are answered for one by one; nothing goes
//! out in clear.

mod capabilities;
mod plan;
mod report;

pub use plan::{Mail, To};
pub use report::{Failure, Outcome, Report};

use crate::wire::smtp::{Reply, ReplyReader};
use capabilities::Capabilities;
use data_encoding::BASE64;
use plan::{Command, Expect};
use secrecy::{ExposeSecret, SecretString};
use std::collections::VecDeque;

/// What the shell does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Read, then `feed`; at the end of the stream `lost`.
    Read,
    Send(Vec<u8>),
    /// Start TLS, then `tls_started`.
    StartTls,
    /// Send the mail's octets, then `body_sent`.
    SendBody(BodyForm),
    /// It is over: send nothing more, close; or, when the dialogue lasts and `another` says so, go on.
    Done(Report),
}

/// What is waited for: how long that may take is another thing each (RFC 5321 §4.5.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Greeting,
    /// The answer to a command.
    Answer,
    /// 354.
    Data,
    /// The answer that decides over the mail.
    Final,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// Through `wire::smtp::DotStuffer`, its end included.
    Dots,
    /// As they are (BDAT).
    Plain,
}

/// How the connection gets its TLS. There is no third way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// It is there already (port 465).
    Established,
    StartTls,
}

pub struct Dialogue {
    mail: Mail,
    login: Option<(String, SecretString)>,
    replies: ReplyReader,
    steps: VecDeque<Next>,
    report: Report,
    offered: Capabilities,
    lasts: bool,
    /// 421 was heard: the server hangs up.
    ends: bool,
    /// The mail is under way: MAIL was said.
    begun: bool,
    state: State,
}

enum State {
    Greeting(Tls),
    /// In clear: only to get to STARTTLS.
    ClearHello,
    StartTls,
    Handshaking,
    Hello,
    LoggingIn,
    /// Commands out, replies to come.
    Sending {
        unsent: VecDeque<Command>,
        expected: VecDeque<Expect>,
        pipelining: bool,
    },
    /// The shell sends octets; then the final reply.
    Body {
        expected: VecDeque<Expect>,
    },
    /// A mail came to its end, and another may follow; what is left of an unfinished one is taken back
    /// first.
    Resting {
        clean: bool,
    },
    Over,
}

impl Dialogue {
    /// For one mail: QUIT follows it.
    pub fn new(mail: Mail, tls: Tls, login: Option<(String, SecretString)>) -> Self {
        Self {
            report: Report::pending(&mail.recipients),
            mail,
            login,
            replies: ReplyReader::default(),
            steps: VecDeque::new(),
            offered: Capabilities::default(),
            lasts: false,
            ends: false,
            begun: false,
            state: State::Greeting(tls),
        }
    }

    /// For several mails to one server, over STARTTLS; `another` brings the next, `quit` ends it.
    pub fn lasting(mail: Mail) -> Self {
        Self { lasts: true, ..Self::new(mail, Tls::StartTls, None) }
    }

    /// Another mail over the same connection. Says whether that is possible.
    pub fn another(&mut self, mail: Mail) -> bool {
        let State::Resting { clean } = self.state else { return false };
        // What nobody asked for would be taken for the answers to what we ask now.
        if self.replies.has_rest() {
            return false;
        }
        self.report = Report::pending(&mail.recipients);
        self.mail = mail;
        self.begin(clean);
        true
    }

    /// Ends a dialogue that lasts; to be said whenever it rests.
    pub fn quit(&mut self) {
        if matches!(self.state, State::Resting { .. }) {
            self.over();
        }
    }

    /// MAIL was said: what goes wrong from here on may be the mail's fault.
    pub fn begun(&self) -> bool {
        self.begun
    }

    pub fn waits_for(&self) -> Wait {
        match &self.state {
            State::Greeting(_) => Wait::Greeting,
            State::Sending { expected, .. } | State::Body { expected } => match expected.front() {
                Some(Expect::Data) => Wait::Data,
                Some(Expect::Final) => Wait::Final,
                _ => Wait::Answer,
            },
            _ => Wait::Answer,
        }
    }

    #[allow(clippy::should_implement_trait)] // it never ends by itself, and takes no `for`
    pub fn next(&mut self) -> Next {
        loop {
            if let Some(step) = self.steps.pop_front() {
                return step;
            }
            if matches!(self.state, State::Over | State::Resting { .. }) {
                return Next::Done(self.report.clone());
            }
            match self.replies.next_reply() {
                Ok(Some(reply)) => self.heard(reply),
                Ok(None) => return Next::Read,
                Err(error) => self.fail(Failure::Protocol(error)),
            }
        }
    }

    pub fn feed(&mut self, octets: &[u8]) {
        self.replies.feed(octets);
    }

    pub fn tls_started(&mut self) {
        self.replies = ReplyReader::default();
        self.state = State::Hello;
        self.send(format!("EHLO {}\r\n", self.mail.helo));
    }

    pub fn body_sent(&mut self) {
        self.state = match self.take_state() {
            State::Body { expected } => {
                State::Sending { unsent: VecDeque::new(), expected, pipelining: true }
            }
            other => other,
        };
    }

    /// The server's certificate is not the one that is known, or the handshake came to nothing.
    pub fn tls_failed(&mut self, why: String) {
        self.fail(Failure::Tls(why));
    }

    /// The connection broke.
    pub fn lost(&mut self) {
        self.gone(Failure::Lost);
    }

    /// Nothing came in time.
    pub fn timed_out(&mut self) {
        self.gone(Failure::Silent);
    }

    fn gone(&mut self, failure: Failure) {
        let after_body = match &self.state {
            State::Sending { expected, .. } => expected.contains(&Expect::Final),
            _ => false,
        };
        if !matches!(self.state, State::Over) {
            self.fail(if after_body { Failure::LostAfterBody } else { failure });
        }
    }

    fn heard(&mut self, reply: Reply) {
        self.ends |= reply.code() == 421;
        match self.take_state() {
            State::Greeting(tls) if reply.code() == 220 => {
                self.state = match tls {
                    Tls::Established => State::Hello,
                    Tls::StartTls => State::ClearHello,
                };
                self.send(format!("EHLO {}\r\n", self.mail.helo));
            }
            State::Greeting(_) => self.fail(Failure::Greeting(reply)),
            State::ClearHello => self.clear_hello(reply),
            State::StartTls => self.start_tls(reply),
            State::Hello if reply.code() == 250 => {
                self.offered = Capabilities::read(&reply);
                self.log_in();
            }
            State::Hello => self.fail(Failure::Hello(reply)),
            State::LoggingIn if reply.code() == 235 => self.begin(true),
            State::LoggingIn => self.fail(Failure::Login(reply)),
            State::Sending { unsent, expected, pipelining } => {
                self.answered(reply, unsent, expected, pipelining);
            }
            // A reply while we still send: it belongs to what comes after (an early refusal).
            State::Body { .. } | State::Handshaking => self.fail(Failure::Unexpected(reply)),
            State::Resting { .. } | State::Over => {}
        }
    }

    fn clear_hello(&mut self, reply: Reply) {
        if reply.code() != 250 {
            return self.fail(Failure::Hello(reply));
        }
        if !Capabilities::read(&reply).starttls {
            return self.fail(Failure::NoTls);
        }
        self.state = State::StartTls;
        self.send("STARTTLS\r\n".to_owned());
    }

    fn start_tls(&mut self, reply: Reply) {
        if reply.code() != 220 {
            return self.fail(Failure::StartTls(reply));
        }
        // Replies sent along in clear would be taken for replies under TLS.
        if self.replies.has_rest() {
            return self.fail(Failure::Injected);
        }
        self.state = State::Handshaking;
        self.steps.push_back(Next::StartTls);
    }

    fn log_in(&mut self) {
        let Some((user, secret)) = self.login.take() else { return self.begin(true) };
        if !self.offered.auth_plain {
            return self.fail(Failure::NoLogin);
        }
        let response = BASE64.encode(format!("\0{user}\0{}", secret.expose_secret()).as_bytes());
        self.state = State::LoggingIn;
        self.send(format!("AUTH PLAIN {response}\r\n"));
    }

    fn begin(&mut self, clean: bool) {
        match plan::commands(&self.mail, &self.offered) {
            Ok(mut commands) => {
                if !clean {
                    commands.push_front(plan::reset());
                }
                self.begun = true;
                self.go_on(commands, VecDeque::new(), self.offered.pipelining);
            }
            Err(failure) => {
                self.report.fail(failure);
                self.rest(clean);
            }
        }
    }

    /// Sends what may be sent now: everything when pipelining, else one command.
    fn go_on(
        &mut self,
        mut unsent: VecDeque<Command>,
        mut expected: VecDeque<Expect>,
        pipelining: bool,
    ) {
        let mut octets = Vec::new();
        while pipelining || expected.is_empty() {
            let Some(command) = unsent.pop_front() else { break };
            let body_follows = command.expect == Expect::Final;
            octets.extend_from_slice(command.line.as_bytes());
            expected.push_back(command.expect);
            if body_follows {
                self.steps.push_back(Next::Send(octets));
                self.steps.push_back(Next::SendBody(BodyForm::Plain));
                self.state = State::Body { expected };
                return;
            }
        }
        if !octets.is_empty() {
            self.steps.push_back(Next::Send(octets));
        }
        self.state = State::Sending { unsent, expected, pipelining };
    }

    fn answered(
        &mut self,
        reply: Reply,
        mut unsent: VecDeque<Command>,
        mut expected: VecDeque<Expect>,
        pipelining: bool,
    ) {
        match expected.pop_front() {
            Some(Expect::Mail) if !reply.is_positive() => {
                self.report.refuse_mail(&reply);
                unsent.clear();
            }
            Some(Expect::Mail | Expect::Reset) | None => {}
            Some(Expect::Rcpt(index)) => self.report.recipient(index, reply),
            Some(Expect::Data) if reply.code() == 354 => return self.send_data(),
            Some(Expect::Data) => self.report.refuse_taken(&reply),
            Some(Expect::Final) => self.report.finish(&reply),
        }
        if expected.is_empty() && !self.report.anyone_taken() && !unsent.iter().any(is_rcpt) {
            unsent.clear();
        }
        if expected.is_empty() && unsent.is_empty() {
            return self.rest(self.report.anyone_accepted());
        }
        self.go_on(unsent, expected, pipelining);
    }

    fn send_data(&mut self) {
        let expected = VecDeque::from([Expect::Final]);
        if self.report.anyone_taken() {
            self.steps.push_back(Next::SendBody(BodyForm::Dots));
            self.state = State::Body { expected };
        } else {
            // RFC 2920 §3.1: a pipelined DATA was taken though no recipient was; send nothing.
            self.send(".\r\n".to_owned());
            self.state = State::Sending { unsent: VecDeque::new(), expected, pipelining: true };
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.report.fail(failure);
        self.state = State::Over;
    }

    /// The mail's fate is known.
    fn rest(&mut self, clean: bool) {
        self.begun = false;
        match self.lasts {
            true if self.ends => self.state = State::Over,
            true => self.state = State::Resting { clean },
            false => self.over(),
        }
    }

    /// QUIT is said, its answer not awaited.
    fn over(&mut self) {
        self.send("QUIT\r\n".to_owned());
        self.state = State::Over;
    }

    fn send(&mut self, line: String) {
        self.steps.push_back(Next::Send(line.into_bytes()));
    }

    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over)
    }
}

fn is_rcpt(command: &Command) -> bool {
    matches!(command.expect, Expect::Rcpt(_))
}

#[cfg(test)]
mod tests;
