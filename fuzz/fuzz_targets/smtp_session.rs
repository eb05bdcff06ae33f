//! A session, in either role, never panics, hands the spool only what it was begun for, and says the same
//! however its octets are cut. The first octet: TLS from the start, which
//! role, and where the cuts are.
#![no_main]
use kep::accept::ask::{
    Answer, Ask, Config, Login, LoginAnswer, Next, PeerAnswer, Piece, RecipientAnswer, SubmitAnswer,
};
use kep::accept::check::{Limits, inspect};
use kep::accept::refusal::Refusal;
use kep::accept::session::Session;
use kep::wire::{AccountId, KepAddress, KepDomain, MessageId, Timestamp};
use std::sync::Arc;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&seed, octets)) = input.split_first() else { return };
    let tls = seed & 1 == 1;
    let relay = seed & 2 == 2;
    let whole = Run::new((tls, relay), 0).play(octets);
    let cut = Run::new((tls, relay), seed).play(octets);
    assert!(whole == cut, "{whole:?}\n{cut:?}");
});

/// One session and what became of it.
#[derive(PartialEq, Debug, Default)]
struct Outcome {
    said: Vec<u8>,
    asked: Vec<String>,
    spooled: Vec<Option<Vec<u8>>>,
    closed: bool,
}

struct Run {
    session: Session,
    cut: u32,
    body: Option<Vec<u8>>,
    outcome: Outcome,
}

impl Run {
    fn new((tls, relay): (bool, bool), seed: u8) -> Self {
        let mut config = match (relay, KepDomain::parse("hs05.kep.tr")) {
            (true, Ok(domain)) => Config::relay(domain, 20_000),
            _ => Config::new("hs05.kep.tr", 20_000),
        };
        config.max_recipients = 4;
        let session = Session::new(Arc::new(config), tls);
        Self { session, cut: u32::from(seed), body: None, outcome: Outcome::default() }
    }

    /// 0xff parts one flight from the next: what the client sends only after a handshake.
    fn play(mut self, octets: &[u8]) -> Outcome {
        for flight in octets.split(|octet| *octet == 0xff) {
            let mut rest = flight;
            self.run_or_secure();
            while !rest.is_empty() && !self.outcome.closed {
                let (piece, after) = rest.split_at(self.length().min(rest.len()));
                self.session.feed(piece);
                rest = after;
                if self.run_or_secure() {
                    break;
                }
            }
        }
        self.outcome
    }

    fn length(&mut self) -> usize {
        if self.cut == 0 {
            return usize::MAX;
        }
        self.cut = self.cut.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) | 1;
        (self.cut >> 25) as usize + 1
    }

    /// True when a handshake threw the rest of the flight away.
    fn run_or_secure(&mut self) -> bool {
        let mut secured = false;
        loop {
            match self.session.next() {
                Next::Read => return secured,
                Next::Send(octets) => self.outcome.said.extend(octets),
                Next::Noted(noted) => self.outcome.asked.push(format!("{noted:?}")),
                Next::Pause(user) => self.outcome.asked.push(format!("pause {user}")),
                Next::StartTls => {
                    self.session.tls_started();
                    secured = true;
                }
                Next::Spool(piece) => self.spool(piece),
                Next::Ask(ask) => {
                    let answer = self.answer(ask);
                    self.session.answer(answer);
                }
                Next::Close => {
                    self.outcome.closed = true;
                    return secured;
                }
            }
        }
    }

    fn spool(&mut self, piece: Piece) {
        match piece {
            Piece::Begin(_) => assert!(self.body.replace(Vec::new()).is_none(), "begun twice"),
            Piece::Chunk(octets) => self.body.as_mut().expect("begun").extend(octets),
            Piece::Refused => assert!(self.body.is_some(), "refused what was not begun"),
            Piece::Abort(aborted) => {
                let body = self.body.take().expect("begun before it is aborted");
                let aborted = aborted.map(|a| (a.refusal, a.whole.then_some(body)));
                self.outcome.asked.push(format!("abort {aborted:?}"));
            }
        }
    }

    /// The first letter of a name decides.
    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Authenticate { user, .. } => {
                self.outcome.asked.push(format!("login {user}"));
                Answer::Login(match (user.bytes().next(), KepAddress::parse(&user)) {
                    (Some(b'a'), Ok(address)) => LoginAnswer::Accepted(Login {
                        account: AccountId(1),
                        address,
                        operator: None,
                        at: Timestamp::from_secs(0),
                        channel: kep::registry::audit::Channel::Smtp,
                    }),
                    (Some(b'c'), _) => LoginAnswer::Refused(Refusal::Empty),
                    (Some(b't'), _) => LoginAnswer::Temporary,
                    _ => LoginAnswer::Rejected,
                })
            }
            Ask::Recipient { address, .. } => {
                self.outcome.asked.push(format!("recipient {address}"));
                Answer::Recipient(match address.as_str().bytes().next() {
                    Some(b'c') => RecipientAnswer::Closed,
                    Some(b'f') => RecipientAnswer::Local { room: Some(0) },
                    Some(b'p') => RecipientAnswer::Provider { size_limit: Some(100) },
                    Some(b't') => RecipientAnswer::Temporary,
                    Some(b'u') => RecipientAnswer::Unknown,
                    _ => RecipientAnswer::Local { room: None },
                })
            }
            Ask::Submit { envelope, octets } => {
                let body = self.body.take().expect("begun");
                assert_eq!(body.len() as u64, octets);
                assert!(body.len() <= 20_000 && envelope.recipients.len() <= 4);
                let judged = inspect(&body, &envelope, &Limits::default());
                self.outcome.asked.push(format!("submit {envelope:?}"));
                self.outcome.spooled.push(Some(body));
                Answer::Submitted(match judged {
                    Ok(_) => SubmitAnswer::Accepted {
                        message_id: MessageId::parse("id@hs05.kep.tr").expect("an id"),
                    },
                    Err(refusal) => SubmitAnswer::Refused(refusal),
                })
            }
            Ask::Peer { domain } => {
                self.outcome.asked.push(format!("peer {domain}"));
                Answer::Peer(match domain.as_str() {
                    "hs06.kep.tr" => PeerAnswer::Known,
                    "hs07.kep.tr" => PeerAnswer::Temporary,
                    _ => PeerAnswer::Refused(Refusal::Empty),
                })
            }
            Ask::HandOver { envelope, octets } => {
                let body = self.body.take().expect("begun");
                assert_eq!(body.len() as u64, octets);
                assert!(body.len() <= 20_000 && envelope.recipients.len() <= 4);
                self.outcome.asked.push(format!("hand over {envelope:?}"));
                self.outcome.spooled.push(Some(body));
                Answer::Submitted(SubmitAnswer::Temporary)
            }
        }
    }
}
