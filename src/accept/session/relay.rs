//! What is other when a provider hands mail over: nobody logs in, the null path is a path, and every
//! address of ours is taken, because what becomes of it is told by evidence.

use super::obey::envelope;
use super::state::State;
use super::{Session, say};
use crate::accept::ask::{Ask, EVIDENCE_MAX, Envelope, Origin, PeerAnswer, Recipient, Role, Route};
use crate::accept::refusal::Refusal;
use crate::wire::smtp::{Mail, Path, Rcpt};
use crate::wire::{KepAddress, KepDomain};

impl Session {
    /// MAIL of a provider, in a session that is ready and encrypted.
    pub(super) fn hand_over(&mut self, state: State, mail: Mail) -> State {
        let null = matches!(mail.from, Path::Null | Path::Postmaster);
        let limit = self.limit(null);
        if mail.size.is_some_and(|size| size > limit) {
            return self.refused(state, &Refusal::TooLarge(limit.to_string()));
        }
        match &mail.from {
            Path::Address(text) => match self.domain_of(text) {
                Ok(domain) => {
                    self.flush();
                    self.ask(Ask::Peer { domain: domain.clone() });
                    State::Meeting { domain, mail }
                }
                Err(refusal) => self.refused(state, &refusal),
            },
            // Evidence has no need of an answer: RFC 5321 §4.5.5.
            Path::Null | Path::Postmaster => self.addressed(None, mail),
        }
    }

    /// The answer to MAIL.
    pub(super) fn met(&mut self, domain: KepDomain, mail: Mail, answer: PeerAnswer) -> State {
        let refusal = match answer {
            PeerAnswer::Known => return self.addressed(Some(domain), mail),
            // Whoever is no provider, and not even of the circuit.
            PeerAnswer::Refused(Refusal::PeerUnknown(_)) if !domain.is_kep() => match mail.from {
                Path::Address(text) => Refusal::SenderOutside(text),
                Path::Null | Path::Postmaster => Refusal::SenderOutside(domain.to_string()),
            },
            PeerAnswer::Refused(refusal) => refusal,
            PeerAnswer::Temporary => Refusal::TryLater,
        };
        self.fine(State::ready(Origin::Peer(None)), &refusal.reply())
    }

    /// RCPT: any address of ours, whether somebody has it or not.
    pub(super) fn for_us(
        &mut self,
        mut envelope: Envelope<Origin>,
        rcpt: Rcpt,
        address: KepAddress,
        ours: bool,
    ) -> State {
        if !ours {
            return self.no_recipient(envelope, &Refusal::NotForUs(address.to_string()));
        }
        let Rcpt { notify, orcpt, .. } = rcpt;
        envelope.recipients.push(Recipient { address, route: Route::Local, notify, orcpt });
        self.fine(State::Addressing { envelope }, &say::ok("2.1.5"))
    }

    /// How large a mail may be: on the null path nobody has said who he is, and evidence is small.
    fn limit(&self, null: bool) -> u64 {
        match null {
            true => self.config.size_limit.min(EVIDENCE_MAX),
            false => self.config.size_limit,
        }
    }

    /// The same, of what was begun.
    pub(super) fn limit_of(&self, origin: &Origin) -> u64 {
        self.limit(*origin == Origin::Peer(None))
    }

    fn addressed(&mut self, domain: Option<KepDomain>, mail: Mail) -> State {
        let envelope = envelope(Origin::Peer(domain), mail);
        self.fine(State::Addressing { envelope }, &say::ok("2.1.0"))
    }

    /// The local part is the provider's own affair: some put a name for each mail there.
    fn domain_of(&self, text: &str) -> Result<KepDomain, Refusal> {
        let outside = || Refusal::SenderOutside(text.to_owned());
        let (_, domain) = text.rsplit_once('@').ok_or_else(outside)?;
        let domain = KepDomain::registered(domain).map_err(|_| outside())?.provider();
        match &self.config.role {
            Role::Relay(own) if own.provider() == domain => Err(outside()),
            _ => Ok(domain),
        }
    }
}
