//! A message's octets: DATA, and BDAT in chunks (RFC 3030).
//!
//! A fault is remembered, the rest is read for its digest alone, and the refusal is said where the
//! protocol has a place for it, so that an honest mail program learns the reason.

use super::state::{Incoming, State};
use super::{Session, say};
use crate::accept::ask::{Aborted, Ask, BrokenOff, Envelope, Origin, Piece, Route, SubmitAnswer};
use crate::accept::refusal::Refusal;
use crate::wire::smtp::{Body, BodyError, DataReceiver, TextGuard};

impl Session {
    pub(super) fn data(&mut self, state: State) -> State {
        match state {
            State::Addressing { envelope } if envelope.recipients.is_empty() => {
                self.bad(State::Addressing { envelope }, &say::no_recipients())
            }
            State::Addressing { envelope } if envelope.body == Body::BinaryMime => {
                self.bad(State::Addressing { envelope }, &say::binary_by_chunks())
            }
            State::Addressing { envelope } => {
                self.say(&say::start_data());
                let body = self.begin(&envelope);
                State::Reading { envelope, receiver: DataReceiver::default(), body }
            }
            // RFC 3030 §2: DATA and BDAT do not mix.
            State::Between { .. } => self.disorder(state, "BDAT was begun; DATA can't follow"),
            other => self.disorder(other, "MAIL and RCPT come first"),
        }
    }

    /// Whatever the answer, the chunk's octets follow the command and must be read.
    pub(super) fn bdat(&mut self, state: State, size: u64, last: bool) -> State {
        match state {
            State::Addressing { envelope } if !envelope.recipients.is_empty() => {
                let body = self.begin(&envelope);
                State::Chunk { envelope, body, left: size, last }
            }
            State::Between { envelope, body } => State::Chunk { envelope, body, left: size, last },
            other => {
                let reply = match &other {
                    State::Addressing { .. } => say::no_recipients(),
                    _ => say::out_of_order("MAIL and RCPT come first"),
                };
                if size > self.config.size_limit {
                    return self.break_off(BrokenOff::Endless, reply);
                }
                match self.bad(other, &reply) {
                    State::Over => State::Over,
                    then => State::Skipping { left: size, then: Box::new(then) },
                }
            }
        }
    }

    pub(super) fn read_data(
        &mut self,
        envelope: Envelope<Origin>,
        mut receiver: DataReceiver,
        mut body: Incoming,
    ) -> bool {
        let mut octets = Vec::new();
        let here = self.patience_left(&body).min(self.input.raw().len());
        let (used, done) =
            receiver.receive(self.input.raw().get(..here).unwrap_or_default(), &mut octets);
        self.input.consume(used);
        self.take(&mut body, octets);
        if done {
            self.state = self.complete(envelope, body);
            return true;
        }
        if self.is_endless(&body) {
            self.give_up(&envelope, &body);
            return true;
        }
        self.state = State::Reading { envelope, receiver, body };
        used > 0
    }

    pub(super) fn read_chunk(
        &mut self,
        envelope: Envelope<Origin>,
        mut body: Incoming,
        left: u64,
        last: bool,
    ) -> bool {
        let here = usize::try_from(left).unwrap_or(usize::MAX);
        let here = here.min(self.patience_left(&body)).min(self.input.raw().len());
        let octets = self.input.raw().get(..here).unwrap_or_default().to_vec();
        self.input.consume(here);
        self.take(&mut body, octets);
        let left = left.saturating_sub(here as u64);
        if self.is_endless(&body) {
            self.give_up(&envelope, &body);
            return true;
        }
        self.state = match (left, last) {
            (0, true) => self.complete(envelope, body),
            (0, false) => {
                let reply = match &body.refused {
                    None => say::chunk_taken(body.octets),
                    Some(refusal) => refusal.reply(),
                };
                self.fine(State::Between { envelope, body }, &reply)
            }
            _ => State::Chunk { envelope, body, left, last },
        };
        left == 0 || here > 0
    }

    pub(super) fn skip(&mut self, left: u64, then: Box<State>) -> bool {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(self.input.raw().len());
        self.input.consume(here);
        let left = left.saturating_sub(here as u64);
        self.state = if left == 0 { *then } else { State::Skipping { left, then } };
        left == 0 || here > 0
    }

    pub(super) fn submitted(&mut self, from: Origin, answer: SubmitAnswer) -> State {
        let reply = match answer {
            SubmitAnswer::Accepted { message_id }
            | SubmitAnswer::AlreadyAccepted { message_id } => say::accepted(&message_id),
            SubmitAnswer::Held { message_id } => say::held(&message_id),
            SubmitAnswer::Refused(refusal) => refusal.reply(),
            SubmitAnswer::Temporary => Refusal::TryLater.reply(),
        };
        self.fine(State::ready(from), &reply)
    }

    fn begin(&mut self, envelope: &Envelope<Origin>) -> Incoming {
        self.spool(Piece::Begin(envelope.from.clone()));
        // QUIRK(kep, 2026-11): of binary only lines may be longer. docs/quirks.md#85
        let limit = match envelope.body {
            Body::BinaryMime => usize::MAX,
            Body::SevenBit | Body::EightBitMime => self.config.line_limit,
        };
        Incoming {
            guard: TextGuard::new(limit),
            most: self.limit_of(&envelope.from),
            octets: 0,
            refused: None,
        }
    }

    fn take(&mut self, body: &mut Incoming, octets: Vec<u8>) {
        let limit = body.most;
        let room = usize::try_from(limit.saturating_sub(body.octets)).unwrap_or(usize::MAX);
        body.octets = body.octets.saturating_add(octets.len() as u64);
        if octets.is_empty() {
            return;
        }
        if body.refused.is_none() {
            // The first fault in the order of the octets, however they were cut.
            body.guard.watch(octets.get(..room).unwrap_or(&octets));
            body.refused = match body.guard.fault() {
                Some(fault) => Some(self.refusal_of(fault)),
                None if octets.len() > room => Some(Refusal::TooLarge(limit.to_string())),
                None => None,
            };
            if body.refused.is_some() {
                self.spool(Piece::Refused);
            }
        }
        self.spool(Piece::Chunk(octets));
    }

    /// Lets go of a body. One that was refused is told of with its refusal.
    pub(super) fn abort(
        &mut self,
        envelope: &Envelope<Origin>,
        refused: Option<&Refusal>,
        whole: bool,
    ) {
        let aborted = refused.map(|refusal| Aborted {
            envelope: envelope.clone(),
            refusal: refusal.clone(),
            whole,
        });
        self.spool(Piece::Abort(aborted));
    }

    fn complete(&mut self, envelope: Envelope<Origin>, mut body: Incoming) -> State {
        if body.refused.is_none() {
            body.refused = self.last_doubts(&envelope, &body);
        }
        match body.refused {
            Some(refusal) => {
                self.abort(&envelope, Some(&refusal), true);
                self.fine(State::ready(envelope.from), &refusal.reply())
            }
            None => {
                self.flush();
                let (from, octets) = (envelope.from.clone(), body.octets);
                self.ask(match from.clone() {
                    Origin::Account(login) => Ask::Submit { envelope: envelope.by(login), octets },
                    Origin::Peer(domain) => Ask::HandOver { envelope: envelope.by(domain), octets },
                });
                State::Submitting { from }
            }
        }
    }

    fn last_doubts(&self, envelope: &Envelope<Origin>, body: &Incoming) -> Option<Refusal> {
        if let Err(fault) = body.guard.finish() {
            return Some(self.refusal_of(fault));
        }
        envelope.recipients.iter().find_map(|recipient| match recipient.route {
            Route::Provider { size_limit: Some(limit) } if body.octets > limit => {
                Some(Refusal::TooLargeForRecipient(recipient.address.to_string()))
            }
            _ => None,
        })
    }

    fn refusal_of(&self, fault: BodyError) -> Refusal {
        match fault {
            BodyError::BareCr | BodyError::BareLf => Refusal::BareLineEnd,
            BodyError::Nul => Refusal::NulOctet,
            BodyError::LineTooLong => Refusal::LineTooLong(self.config.line_limit.to_string()),
        }
    }

    /// A refused body is read on for its author's sake, but not for ever.
    fn is_endless(&self, body: &Incoming) -> bool {
        body.refused.is_some() && body.octets > self.patience()
    }

    /// How much may be read before `is_endless` is asked again.
    fn patience_left(&self, body: &Incoming) -> usize {
        let left = self.patience().saturating_add(1).saturating_sub(body.octets);
        usize::try_from(left).unwrap_or(usize::MAX)
    }

    fn patience(&self) -> u64 {
        self.config.size_limit.saturating_mul(PATIENCE)
    }

    fn give_up(&mut self, envelope: &Envelope<Origin>, body: &Incoming) {
        self.abort(envelope, body.refused.as_ref(), false);
        let refusal = body.refused.clone().unwrap_or(Refusal::TryLater);
        self.state = self.break_off(BrokenOff::Endless, refusal.reply());
    }
}

/// So many times the size limit is read of a body that is refused already: base64 and a wrong guess
/// of the limit stay within, a flood does not.
const PATIENCE: u64 = 2;
