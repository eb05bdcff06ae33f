//! LOGIN and AUTHENTICATE with PLAIN (RFC 4616) and LOGIN, initial response or not.

use data_encoding::BASE64;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Step, Task};
use crate::mailbox::ask::{Answer, Ask, Login as LoginAsk, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::encode;

/// An exchange of AUTHENTICATE that waits for the client's next line.
#[derive(Debug)]
pub(in crate::mailbox) struct Sasl {
    tag: String,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Plain,
    LoginUser,
    LoginPassword { user: String },
}

/// A login at the door.
#[derive(Debug)]
pub(in crate::mailbox) struct Login {
    tag: String,
}

pub(super) fn login(tag: String, user: String, secret: SecretString) -> Step {
    ask(tag, user, secret, "LOGIN-COMMAND")
}

pub(super) fn authenticate(
    tag: String,
    mechanism: &str,
    initial: Option<SecretString>,
    core: &mut Core,
) -> Step {
    let stage = match mechanism {
        "PLAIN" => Stage::Plain,
        "LOGIN" => Stage::LoginUser,
        _ => return core.done(&tag, Reply::no("Unknown mechanism").named("CANNOT")),
    };
    let sasl = Sasl { tag, stage };
    match initial {
        // RFC 4959: `=` is an empty response.
        Some(text) if text.expose_secret() == "=" => sasl.response(&[], core),
        Some(text) => sasl.line(text.expose_secret().as_bytes(), core),
        None => sasl.challenge(core),
    }
}

impl Sasl {
    /// A line of the client: base64, or `*` to give up.
    pub fn line(self, line: &[u8], core: &mut Core) -> Step {
        if line == b"*" {
            return core.done(&self.tag, Reply::bad("Given up"));
        }
        match BASE64.decode(line) {
            Ok(bytes) => self.response(&Zeroizing::new(bytes), core),
            Err(_) => core.done(&self.tag, Reply::bad("Not base64")),
        }
    }

    fn challenge(self, core: &mut Core) -> Step {
        let prompt: &'static [u8] = match self.stage {
            Stage::Plain => b"",
            Stage::LoginUser => b"Username:",
            Stage::LoginPassword { .. } => b"Password:",
        };
        encode::challenge(&mut core.out, prompt);
        core.reader.expect_line();
        Step::Sasl(self)
    }

    fn response(self, bytes: &[u8], core: &mut Core) -> Step {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match self.stage {
            Stage::Plain => match plain(bytes) {
                Some((user, secret)) => ask(self.tag, user, secret, "PLAIN"),
                None => core.done(&self.tag, Reply::bad("Malformed PLAIN response")),
            },
            Stage::LoginUser => {
                Self { tag: self.tag, stage: Stage::LoginPassword { user: text } }.challenge(core)
            }
            Stage::LoginPassword { user } => ask(self.tag, user, SecretString::from(text), "LOGIN"),
        }
    }
}

/// `[authzid] NUL authcid NUL passwd`; acting for another is not possible.
fn plain(bytes: &[u8]) -> Option<(String, SecretString)> {
    let mut pieces = bytes.split(|b| *b == 0).map(std::str::from_utf8);
    let (on_behalf, user, secret) =
        (pieces.next()?.ok()?, pieces.next()?.ok()?, pieces.next()?.ok()?);
    let own = on_behalf.is_empty() || on_behalf == user;
    let good = own && !user.is_empty() && pieces.next().is_none();
    good.then(|| (user.to_owned(), SecretString::from(secret)))
}

fn ask(tag: String, user: String, secret: SecretString, mechanism: &'static str) -> Step {
    Step::Ask(Ask::Login(LoginAsk { user, secret, mechanism }), Task::Login(Login { tag }))
}

impl Login {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::LoggedIn(it) => {
                core.logged_in(it.account);
                let reply = Reply { code: core.capability_code(), ..Reply::ok("Logged in") };
                core.done(&self.tag, reply)
            }
            Answer::Refused(refusal) => {
                core.failures += 1;
                core.say(Some(&self.tag), Reply::refused(&refusal));
                match core.failures < FAILURES || refusal == Refusal::Unavailable {
                    true => Step::Done,
                    false => {
                        encode::bye(&mut core.out, None, "Too many failed logins");
                        Step::Close
                    }
                }
            }
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}

/// On one connection; the account's own delay grows besides.
const FAILURES: u32 = 3;
