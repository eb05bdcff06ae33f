//! Each command, in the state it comes in.

use super::state::{Hello, State};
use super::{Session, say};
use crate::accept::ask::{
    Ask, BrokenOff, Envelope, Login, Next, Noted, Origin, Recipient, RecipientAnswer, Role, Route,
};
use crate::accept::check::RESERVED;
use crate::accept::refusal::Refusal;
use crate::wire::smtp::{Body, Command, CommandError, Mail, Path, Rcpt, Reply, parse};
use crate::wire::{AddressError, KepAddress};

impl Session {
    pub(super) fn obey(&mut self, state: State, line: &[u8]) -> State {
        let command = match parse(line) {
            Ok(command) => command,
            Err(CommandError::OtherProtocol) => {
                self.drop_body(&state);
                let reply = say::fault(&CommandError::OtherProtocol);
                return self.break_off(BrokenOff::OtherProtocol, reply);
            }
            Err(CommandError::NotAscii(text)) => {
                return self.refused(state, &Refusal::AddressNotAscii(text));
            }
            Err(CommandError::QuotedLocal(text) | CommandError::Address(text)) => {
                let sender = line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"MAIL"));
                let refusal = match sender {
                    true => Refusal::SenderMalformed(text),
                    false => Refusal::RecipientMalformed(text),
                };
                return self.refused(state, &refusal);
            }
            Err(error) => return self.bad(state, &say::fault(&error)),
        };
        match command {
            Command::Ehlo(_) => self.hello(state, Hello::Ehlo),
            Command::Helo(_) => self.hello(state, Hello::Helo),
            Command::StartTls => self.start_tls(state),
            Command::Auth { .. } if matches!(self.config.role, Role::Relay(_)) => {
                self.bad(state, &say::no_logins())
            }
            Command::Auth { mechanism, initial } => match state {
                State::Ready { hello: Hello::Ehlo, login: None } => self.auth(mechanism, initial),
                State::Ready { login: Some(_), .. } => self.disorder(state, "Already logged in"),
                State::Ready { .. } => self.disorder(state, "Send EHLO first"),
                other => self.disorder(other, "AUTH is not for within a message"),
            },
            Command::Mail(mail) => self.mail(state, mail),
            Command::Rcpt(rcpt) => self.rcpt(state, rcpt),
            Command::Data => self.data(state),
            Command::Bdat { size, last } => self.bdat(state, size, last),
            Command::Rset => {
                let state = self.reset(state);
                self.fine(state, &say::ok("2.0.0"))
            }
            Command::Noop => self.fine(state, &say::ok("2.0.0")),
            Command::Help => self.fine(state, &say::help()),
            Command::Vrfy => self.fine(state, &say::vrfy()),
            Command::Expn => self.bad(state, &say::expn()),
            Command::Quit => {
                self.drop_body(&state);
                self.hang_up(say::bye(&self.config.host))
            }
        }
    }

    /// The answer to RCPT.
    pub(super) fn looked_up(
        &mut self,
        mut envelope: Envelope<Origin>,
        rcpt: Rcpt,
        answer: RecipientAnswer,
    ) -> State {
        let address = match recipient_address(&rcpt.to) {
            Ok(address) => address,
            Err(refusal) => return self.no_recipient(envelope, &refusal),
        };
        match route(answer, &address, envelope.announced_size) {
            Ok(route) => {
                let (notify, orcpt) = (rcpt.notify, rcpt.orcpt);
                envelope.recipients.push(Recipient { address, route, notify, orcpt });
                self.fine(State::Addressing { envelope }, &say::ok("2.1.5"))
            }
            Err(refusal) => self.no_recipient(envelope, &refusal),
        }
    }

    /// Refuses a recipient; too many refused for good end the session.
    pub(super) fn no_recipient(&mut self, envelope: Envelope<Origin>, refusal: &Refusal) -> State {
        self.note(refusal);
        self.say(&refusal.reply());
        self.refused_recipients += u32::from(!refusal.is_temporary());
        if self.refused_recipients < self.config.max_refused_recipients {
            return State::Addressing { envelope };
        }
        self.break_off(BrokenOff::Recipients, say::too_many_errors(&self.config.host))
    }

    pub(super) fn disorder(&mut self, state: State, why: &str) -> State {
        self.bad(state, &say::out_of_order(why))
    }

    pub(super) fn fine(&mut self, state: State, reply: &Reply) -> State {
        self.say(reply);
        state
    }

    /// The same, and nothing else changes.
    pub(super) fn refused(&mut self, state: State, refusal: &Refusal) -> State {
        self.note(refusal);
        self.fine(state, &refusal.reply())
    }

    /// Of accounts the desk knows more.
    fn note(&mut self, refusal: &Refusal) {
        if matches!(self.config.role, Role::Relay(_)) {
            self.steps.push_back(Next::Noted(Noted::Refused(refusal.clone())));
        }
    }

    /// RFC 5321 §4.1.4: EHLO clears the transaction as RSET does.
    fn hello(&mut self, state: State, hello: Hello) -> State {
        let login = match self.reset(state) {
            State::Ready { login, .. } => login,
            _ => None,
        };
        let reply = match hello {
            Hello::Ehlo => say::ehlo(&self.config, self.tls),
            _ => say::helo(&self.config.host),
        };
        self.fine(State::Ready { hello, login }, &reply)
    }

    fn start_tls(&mut self, state: State) -> State {
        if self.tls {
            return self.disorder(state, "TLS is already active");
        }
        if !matches!(state, State::Ready { hello: Hello::Ehlo, .. }) {
            return self.disorder(state, "Send EHLO first");
        }
        self.say(&say::start_tls());
        self.flush();
        // Commands sent along in clear must never be obeyed as if they had come under TLS.
        self.sent_ahead = !self.input.is_empty();
        self.input.clear();
        self.steps.push_back(Next::StartTls);
        State::Handshaking
    }

    fn mail(&mut self, state: State, mail: Mail) -> State {
        match state {
            State::Ready { hello: Hello::Missing, .. } => self.disorder(state, "Send EHLO first"),
            State::Ready { login: None, .. } if !self.tls => {
                self.note(&Refusal::TlsRequired);
                self.bad(state, &Refusal::TlsRequired.reply())
            }
            State::Ready { .. } if matches!(self.config.role, Role::Relay(_)) => {
                self.hand_over(state, mail)
            }
            State::Ready { login: None, .. } => self.bad(state, &Refusal::LoginRequired.reply()),
            State::Ready { login: Some(login), .. } => {
                match check_sender(&mail, &login, self.config.size_limit) {
                    Ok(()) => {
                        let envelope = envelope(Origin::Account(login), mail);
                        self.fine(State::Addressing { envelope }, &say::ok("2.1.0"))
                    }
                    Err(refusal) => {
                        self.fine(State::ready(Origin::Account(login)), &refusal.reply())
                    }
                }
            }
            other => self.disorder(other, "A message is already begun"),
        }
    }

    fn rcpt(&mut self, state: State, rcpt: Rcpt) -> State {
        let State::Addressing { envelope } = state else {
            return self.disorder(state, "MAIL comes first");
        };
        let address = match recipient_address(&rcpt.to) {
            Ok(address) => address,
            Err(refusal) => return self.no_recipient(envelope, &refusal),
        };
        if envelope.recipients.iter().any(|known| known.address == address) {
            return self.fine(State::Addressing { envelope }, &say::ok("2.1.5"));
        }
        if envelope.recipients.len() >= self.config.max_recipients {
            let refusal = Refusal::TooManyRecipients(self.config.max_recipients.to_string());
            return self.refused(State::Addressing { envelope }, &refusal);
        }
        if let Role::Relay(domain) = &self.config.role {
            let ours = address.domain().provider() == domain.provider();
            return self.for_us(envelope, rcpt, address, ours);
        }
        let Origin::Account(login) = &envelope.from else {
            return self.disorder(State::Addressing { envelope }, "MAIL comes first");
        };
        let (sender, octets) = (login.account, least(envelope.announced_size));
        self.ask(Ask::Recipient { address, sender, octets });
        State::LookingUp { envelope, rcpt }
    }

    fn reset(&mut self, state: State) -> State {
        self.drop_body(&state);
        match state {
            State::Addressing { envelope } | State::Between { envelope, .. } => {
                State::ready(envelope.from)
            }
            other => other,
        }
    }

    /// A body that was begun in BDAT chunks, or read when the session ends, is forgotten.
    pub(super) fn drop_body(&mut self, state: &State) {
        if let State::Between { envelope, body }
        | State::Chunk { envelope, body, .. }
        | State::Reading { envelope, body, .. } = state
        {
            self.abort(envelope, body.refused.as_ref(), false);
        }
    }
}

fn check_sender(mail: &Mail, login: &Login, size_limit: u64) -> Result<(), Refusal> {
    // QUIRK(kep, 2026-11): the null path is no account. docs/quirks.md#4
    let Path::Address(text) = &mail.from else {
        return Err(Refusal::SenderNotAccount("<>".into()));
    };
    let address = KepAddress::parse(text).map_err(|error| match error {
        AddressError::NotAscii => Refusal::AddressNotAscii(text.clone()),
        AddressError::NotKepDomain => Refusal::SenderNotAccount(text.clone()),
        _ => Refusal::SenderMalformed(text.clone()),
    })?;
    if address != login.address {
        return Err(Refusal::SenderNotAccount(text.clone()));
    }
    if RESERVED.contains(&address.local()) {
        return Err(Refusal::SenderReserved(text.clone()));
    }
    if mail.body == Body::BinaryMime {
        return Err(Refusal::BinaryMime);
    }
    if mail.size.is_some_and(|size| size > size_limit) {
        return Err(Refusal::TooLarge(size_limit.to_string()));
    }
    Ok(())
}

pub(super) fn envelope(from: Origin, mail: Mail) -> Envelope<Origin> {
    Envelope {
        from,
        recipients: Vec::new(),
        body: mail.body,
        smtputf8: mail.smtputf8,
        requiretls: mail.requiretls,
        announced_size: mail.size,
        ret: mail.ret,
        envid: mail.envid,
    }
}

pub(in crate::accept) fn recipient_address(path: &Path) -> Result<KepAddress, Refusal> {
    let text = match path {
        Path::Address(text) => text.as_str(),
        // QUIRK(kep, 2026-11): in the closed circuit it is nobody's account. docs/quirks.md#1
        Path::Postmaster => "postmaster",
        Path::Null => "<>",
    };
    KepAddress::parse(text).map_err(|error| {
        let text = text.to_owned();
        match error {
            AddressError::NotAscii => Refusal::AddressNotAscii(text),
            AddressError::NotKepDomain | AddressError::NoAt => Refusal::RecipientNotKep(text),
            AddressError::Empty | AddressError::BadLocal | AddressError::LocalTooLong => {
                Refusal::RecipientMalformed(text)
            }
        }
    })
}

/// What does not say how large it is wants room for one octet.
fn least(announced: Option<u64>) -> u64 {
    announced.unwrap_or(1).max(1)
}

pub(in crate::accept) fn route(
    answer: RecipientAnswer,
    address: &KepAddress,
    announced: Option<u64>,
) -> Result<Route, Refusal> {
    let text = address.to_string();
    match answer {
        RecipientAnswer::Local { room: Some(room) } if least(announced) > room => {
            Err(Refusal::RecipientFull(text))
        }
        RecipientAnswer::Local { .. } => Ok(Route::Local),
        RecipientAnswer::Provider { size_limit } => match (size_limit, announced) {
            (Some(limit), Some(size)) if size > limit => Err(Refusal::TooLargeForRecipient(text)),
            _ => Ok(Route::Provider { size_limit }),
        },
        RecipientAnswer::Unknown => Err(Refusal::RecipientUnknown(text)),
        RecipientAnswer::Closed => Err(Refusal::RecipientClosed(text)),
        RecipientAnswer::ProviderUnknown => Err(Refusal::ProviderUnknown(text)),
        RecipientAnswer::ProviderSuspended => Err(Refusal::ProviderSuspended(text)),
        RecipientAnswer::ProviderEnded => Err(Refusal::ProviderEnded(text)),
        RecipientAnswer::SenderBarred(refusal) => Err(refusal),
        RecipientAnswer::NoCredit { needed, left } => Err(Refusal::no_credit(needed, left)),
        RecipientAnswer::Temporary => Err(Refusal::RecipientUnavailable(text)),
    }
}
