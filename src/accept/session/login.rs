//! AUTH PLAIN and LOGIN (RFC 4954, 4616), under TLS only, slower with each failure.

use super::state::{Exchange, Hello, State};
use super::{Session, say};
use crate::accept::ask::{Ask, BrokenOff, LoginAnswer, Next, Origin};
use crate::accept::refusal::Refusal;
use crate::wire::smtp::{LineError, LineKind, Mechanism};
use data_encoding::BASE64;
use secrecy::SecretString;

impl Session {
    /// AUTH in a session that is ready and not logged in.
    pub(super) fn auth(&mut self, mechanism: Mechanism, initial: Option<String>) -> State {
        let back = State::Ready { hello: Hello::Ehlo, login: None };
        if !self.tls {
            return self.bad(back, &Refusal::LoginNeedsTls.reply());
        }
        let exchange = match mechanism {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::LoginUser,
            Mechanism::Unknown => return self.bad(back, &Refusal::LoginMechanism.reply()),
        };
        match initial.as_deref() {
            None => {
                let prompt = if mechanism == Mechanism::Plain { "" } else { USERNAME };
                self.challenge(prompt, exchange)
            }
            // RFC 4954 §4: an empty initial response is written as `=`.
            Some("=") => self.respond(exchange, b""),
            Some(response) => self.respond(exchange, response.as_bytes()),
        }
    }

    pub(super) fn read_response(&mut self, exchange: Exchange) -> bool {
        match self.input.next_line(LineKind::Auth) {
            Ok(Some(line)) if line == b"*" => {
                let back = State::Ready { hello: Hello::Ehlo, login: None };
                self.state = self.bad(back, &say::login_cancelled());
            }
            Ok(Some(line)) => self.state = self.respond(exchange, &line),
            Ok(None) => {
                self.state = State::Proving(exchange);
                return false;
            }
            Err(LineError::TooLong) => {
                let back = State::Ready { hello: Hello::Ehlo, login: None };
                self.state = self.bad(back, &say::line_too_long());
            }
            Err(error) => {
                self.state = self.break_off(BrokenOff::LineEnds, say::bad_line(error));
            }
        }
        true
    }

    pub(super) fn logged_in(&mut self, user: String, answer: LoginAnswer) -> State {
        match answer {
            LoginAnswer::Accepted(login) => {
                self.say(&say::logged_in());
                State::ready(Origin::Account(login))
            }
            LoginAnswer::Rejected => self.login_failed(user, &Refusal::LoginFailed),
            LoginAnswer::Refused(refusal) => self.login_failed(user, &refusal),
            LoginAnswer::Temporary => {
                self.say(&Refusal::LoginUnavailable.reply());
                State::Ready { hello: Hello::Ehlo, login: None }
            }
        }
    }

    fn challenge(&mut self, prompt: &str, exchange: Exchange) -> State {
        self.say(&say::challenge(prompt));
        State::Proving(exchange)
    }

    fn respond(&mut self, exchange: Exchange, response: &[u8]) -> State {
        let back = State::Ready { hello: Hello::Ehlo, login: None };
        let Some(text) = BASE64.decode(response).ok().and_then(|b| String::from_utf8(b).ok())
        else {
            return self.bad(back, &say::login_unreadable());
        };
        match exchange {
            Exchange::LoginUser => self.challenge(PASSWORD, Exchange::LoginSecret { user: text }),
            Exchange::LoginSecret { user } => self.prove(user, text),
            Exchange::Plain => match plain(&text) {
                Plain::Itself { user, secret } => self.prove(user, secret),
                Plain::ForAnother { user } => self.login_failed(user, &Refusal::LoginFailed),
                Plain::Unreadable => self.bad(back, &say::login_unreadable()),
            },
        }
    }

    fn prove(&mut self, user: String, secret: String) -> State {
        if user.is_empty() || secret.is_empty() {
            return self.login_failed(user, &Refusal::LoginFailed);
        }
        self.flush();
        let secret = SecretString::from(secret);
        self.ask(Ask::Authenticate { user: user.clone(), secret });
        State::LoggingIn { user }
    }

    /// The answer waits longer each time, then the connection ends.
    fn login_failed(&mut self, user: String, refusal: &Refusal) -> State {
        self.failed_logins += 1;
        self.flush();
        self.steps.push_back(Next::Pause(user));
        if self.failed_logins >= self.config.max_login_failures {
            self.say(&refusal.reply());
            let reply = say::too_many_errors(&self.config.host);
            return self.break_off(BrokenOff::Logins, reply);
        }
        self.say(&refusal.reply());
        State::Ready { hello: Hello::Ehlo, login: None }
    }
}

enum Plain {
    Itself {
        user: String,
        secret: String,
    },
    /// An authorisation identity other than the user: nobody acts for another here.
    ForAnother {
        user: String,
    },
    Unreadable,
}

/// RFC 4616: `[authzid] NUL authcid NUL passwd`.
fn plain(text: &str) -> Plain {
    let mut fields = text.split('\0');
    let (Some(acting), Some(user), Some(secret), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Plain::Unreadable;
    };
    if !acting.is_empty() && !acting.eq_ignore_ascii_case(user) {
        return Plain::ForAnother { user: user.to_owned() };
    }
    Plain::Itself { user: user.to_owned(), secret: secret.to_owned() }
}

/// `Username:`
const USERNAME: &str = "VXNlcm5hbWU6";
/// `Password:`
const PASSWORD: &str = "UGFzc3dvcmQ6";
