//! LOGIN and AUTHENTICATE: PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422 appendix A) and SCRAM-SHA-256
//! with and without channel binding (RFC 5802, 7677), initial response or not.

use data_encoding::BASE64;
use imap_codec::imap_types::response::Code;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{Step, Task};
use crate::mailbox::ask::{Answer, Ask, LoggedIn, Login as LoginAsk, Proof, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::encode;
use crate::wire::scram::{Binding, ClientFirst, Exchange, server_final};

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
    LoginPassword {
        user: String,
    },
    External,
    ScramFirst {
        plus: bool,
    },
    ScramFinal {
        exchange: Box<Exchange>,
        bound: Bound,
    },
    /// All is proven; the client acknowledges what proves us.
    ScramDone {
        it: LoggedIn,
    },
}

/// A login at the door.
#[derive(Debug)]
pub(in crate::mailbox) struct Login {
    tag: String,
}

/// A SCRAM exchange that waits for its salt.
#[derive(Debug)]
pub(in crate::mailbox) struct Salting {
    tag: String,
    first: ClientFirst,
    bound: Bound,
}

/// What an exchange is bound to.
#[derive(Debug)]
struct Bound {
    plus: bool,
    channel: Vec<u8>,
}

pub(super) fn login(tag: String, user: String, secret: SecretString) -> Step {
    ask(tag, user, Proof::Password(secret), "LOGIN-COMMAND")
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
        "EXTERNAL" if core.channel.certificate => Stage::External,
        "SCRAM-SHA-256" => Stage::ScramFirst { plus: false },
        "SCRAM-SHA-256-PLUS" if core.channel.can_bind() => Stage::ScramFirst { plus: true },
        _ => return core.done(&tag, Reply::no("Unknown mechanism").named("CANNOT")),
    };
    let sasl = Sasl { tag, stage };
    match initial {
        // RFC 4959: `=` is an empty response.
        Some(text) if text.expose_secret() == "=" => sasl.response(&[], core),
        Some(text) => sasl.line(text.expose_secret().as_bytes(), core),
        None => sasl.challenge(b"", core),
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

    pub fn into_tag(self) -> String {
        self.tag
    }

    fn challenge(self, said: &[u8], core: &mut Core) -> Step {
        let prompt: &[u8] = match self.stage {
            Stage::LoginUser => b"Username:",
            Stage::LoginPassword { .. } => b"Password:",
            _ => said,
        };
        encode::challenge(&mut core.out, prompt);
        core.reader.expect_line();
        Step::Sasl(self)
    }

    fn response(self, bytes: &[u8], core: &mut Core) -> Step {
        let Self { tag, stage } = self;
        let text = || String::from_utf8_lossy(bytes).into_owned();
        match stage {
            Stage::Plain => match plain(bytes) {
                Some((on_behalf, user, _)) if !on_behalf.is_empty() && on_behalf != user => {
                    let reply = Reply::no("Nobody acts for another here");
                    core.done(&tag, reply.named("AUTHORIZATIONFAILED"))
                }
                Some((_, user, secret)) => ask(tag, user, Proof::Password(secret), "PLAIN"),
                None => core.done(&tag, Reply::bad("Malformed PLAIN response")),
            },
            Stage::LoginUser => {
                Self { tag, stage: Stage::LoginPassword { user: text() } }.challenge(b"", core)
            }
            Stage::LoginPassword { user } => {
                ask(tag, user, Proof::Password(SecretString::from(text())), "LOGIN")
            }
            // The authorisation identity; empty, it is whoever the certificate names.
            Stage::External => ask(tag, text(), Proof::Certificate, "EXTERNAL"),
            Stage::ScramFirst { plus } => scram_first(tag, plus, bytes, core),
            Stage::ScramFinal { exchange, bound } => scram_final(tag, &bound, *exchange, bytes),
            Stage::ScramDone { it } if bytes.is_empty() => enter(&tag, &it, core),
            Stage::ScramDone { .. } => core.done(&tag, Reply::bad("An empty response was due")),
        }
    }
}

/// `client-first-message`: what it says of channel binding must be true of this mechanism, and of
/// what we offer, lest somebody in between took the better mechanism away (RFC 5802 §6).
fn scram_first(tag: String, plus: bool, bytes: &[u8], core: &mut Core) -> Step {
    let Some(first) = ClientFirst::parse(bytes) else {
        return core.done(&tag, Reply::bad("Malformed SCRAM message"));
    };
    let channel = match &first.binding {
        Binding::By(name) if plus => core.channel.binding(name),
        Binding::NotOffered if !plus && !core.binds() => Some(&[][..]),
        Binding::Unable if !plus => Some(&[][..]),
        _ => None,
    };
    let own = first.on_behalf.as_ref().is_none_or(|other| *other == first.user);
    let Some(channel) = channel.filter(|_| own) else {
        return failed(&tag, core, &Refusal::BadProof);
    };
    let (user, bound) = (first.user.clone(), Bound { plus, channel: channel.to_vec() });
    Step::Ask(Ask::Salt { user }, Task::Salt(Box::new(Salting { tag, first, bound })))
}

fn scram_final(tag: String, bound: &Bound, exchange: Exchange, bytes: &[u8]) -> Step {
    let user = exchange.user().to_owned();
    let mechanism = if bound.plus { "SCRAM-SHA-256-PLUS" } else { "SCRAM-SHA-256" };
    let proof = match exchange.finish(bytes, &bound.channel) {
        Some(it) => Proof::Scram { message: it.message, proof: it.proof },
        // Judged with the others, so that it waits as they do.
        None => Proof::Scram { message: Vec::new(), proof: Vec::new() },
    };
    ask(tag, user, proof, mechanism)
}

impl Salting {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        let Self { tag, first, bound } = self;
        match answer {
            Answer::Salt(it) => {
                let exchange = Exchange::begin(first, &it.nonce, &it.salt, it.iterations);
                let challenge = exchange.challenge().to_owned();
                let stage = Stage::ScramFinal { exchange: Box::new(exchange), bound };
                Sasl { tag, stage }.challenge(challenge.as_bytes(), core)
            }
            Answer::Refused(refusal) => failed(&tag, core, &refusal),
            _ => failed(&tag, core, &Refusal::Unavailable),
        }
    }
}

/// `[authzid] NUL authcid NUL passwd`; acting for another is not possible.
fn plain(bytes: &[u8]) -> Option<(String, String, SecretString)> {
    let mut pieces = bytes.split(|b| *b == 0).map(std::str::from_utf8);
    let (on_behalf, user, secret) =
        (pieces.next()?.ok()?, pieces.next()?.ok()?, pieces.next()?.ok()?);
    let good = !user.is_empty() && pieces.next().is_none();
    good.then(|| (on_behalf.to_owned(), user.to_owned(), SecretString::from(secret)))
}

fn ask(tag: String, user: String, proof: Proof, mechanism: &'static str) -> Step {
    Step::Ask(Ask::Login(LoginAsk { user, proof, mechanism }), Task::Login(Login { tag }))
}

impl Login {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::LoggedIn(it) => match it.signature.as_deref().map(server_final) {
                // There is no room for it in the tagged answer (RFC 4422 §5, RFC 9051 §6.2.2).
                Some(last) => {
                    let stage = Stage::ScramDone { it };
                    Sasl { tag: self.tag, stage }.challenge(last.as_bytes(), core)
                }
                None => enter(&self.tag, &it, core),
            },
            Answer::Refused(refusal) => failed(&self.tag, core, &refusal),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }
}

fn enter(tag: &str, it: &LoggedIn, core: &mut Core) -> Step {
    core.logged_in(it.account);
    if let Some(notice) = it.notice {
        core.note(Code::Alert, &notice.text());
    }
    let reply = Reply { code: core.capability_code(), ..Reply::ok("Logged in") };
    core.done(tag, reply)
}

fn failed(tag: &str, core: &mut Core, refusal: &Refusal) -> Step {
    core.failures += 1;
    core.say(Some(tag), Reply::refused(refusal));
    match core.failures < FAILURES || *refusal == Refusal::Unavailable {
        true => Step::Done,
        false => {
            encode::bye(&mut core.out, None, "Too many failed logins");
            Step::Close
        }
    }
}

/// On one connection; the account's own delay grows besides.
const FAILURES: u32 = 3;
