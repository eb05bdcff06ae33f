//! Plays a transcript against the pure session in either role, with the octets cut as told.

use crate::transcript::{Step, Transcript, fits, unescaped};
use kep::accept::ask::{
    Answer, Ask, Config, Envelope, Login, LoginAnswer, Next, Noted, PeerAnswer, Piece,
    RecipientAnswer, SubmitAnswer,
};
use kep::accept::check::{self, Limits, Parsed};
use kep::accept::refusal::Refusal;
use kep::accept::session::{Session, Stop};
use kep::registry::login::Pauses;
use kep::wire::{AccountId, KepAddress, KepDomain, MessageId, Timestamp};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How the client's octets are cut.
#[derive(Clone, Copy, Debug)]
pub enum Cuts {
    Whole,
    EveryOctet,
    /// Pieces of pseudo-random length from this seed.
    Seeded(u64),
}

pub fn play(transcript: &Transcript, cuts: Cuts) {
    Player::new(transcript, cuts).play();
}

struct Player<'a> {
    transcript: &'a Transcript,
    cuts: Cuts,
    world: World,
    session: Session,
    heard: Vec<u8>,
    closed: bool,
    /// The session waits for a handshake the client has not done.
    awaits_tls: bool,
    names: HashMap<String, String>,
}

impl<'a> Player<'a> {
    fn new(transcript: &'a Transcript, cuts: Cuts) -> Self {
        let mut config = Config::new("hs05.kep.tr", 26_214_400);
        let mut world = World::new();
        let mut tls = true;
        for words in &transcript.given {
            match words.split(' ').collect::<Vec<_>>().as_slice() {
                ["cleartext"] => tls = false,
                ["relay"] => {
                    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
                    let Config { size_limit, .. } = config;
                    config = Config::relay(domain, size_limit);
                }
                ["size", limit] => config.size_limit = limit.parse().unwrap(),
                ["recipients", limit] => config.max_recipients = limit.parse().unwrap(),
                ["refused", limit] => config.max_refused_recipients = limit.parse().unwrap(),
                ["line", limit] => config.line_limit = limit.parse().unwrap(),
                other => world.given(other),
            }
        }
        Self {
            transcript,
            cuts,
            world,
            session: Session::new(Arc::new(config), tls),
            heard: Vec::new(),
            closed: false,
            awaits_tls: false,
            names: HashMap::new(),
        }
    }

    fn play(mut self) {
        self.run();
        let steps = &self.transcript.steps;
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Client(octets) => self.send(octets),
                Step::ClientTls => {
                    assert!(self.awaits_tls, "{}: no handshake is awaited", self.place(0));
                    self.awaits_tls = false;
                    self.session.tls_started();
                    self.run();
                }
                Step::Server { line, pattern } => self.expect(*line, pattern),
                Step::ServerCloses { line } => assert!(self.closed, "{}: open", self.place(*line)),
                Step::Then { line, words } => self.then(*line, words),
            }
            let next = steps.get(index + 1);
            if !matches!(next, Some(Step::Server { .. })) && !matches!(step, Step::Client(_)) {
                let rest = String::from_utf8_lossy(&self.heard).into_owned();
                assert!(rest.is_empty(), "{}: unexpected {rest:?}", self.place(index));
            }
        }
    }

    fn place(&self, line: usize) -> String {
        format!("{}:{line} ({:?})", self.transcript.path.display(), self.cuts)
    }

    fn send(&mut self, octets: &[u8]) {
        let mut rest = octets;
        let mut seed = match self.cuts {
            Cuts::Seeded(seed) => seed,
            _ => 1,
        };
        while !rest.is_empty() && !self.closed && !self.awaits_tls {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let size = match self.cuts {
                Cuts::Whole => rest.len(),
                Cuts::EveryOctet => 1,
                Cuts::Seeded(_) => (seed >> 33) as usize % 97 + 1,
            };
            let (piece, after) = rest.split_at(size.min(rest.len()));
            self.session.feed(piece);
            self.run();
            rest = after;
        }
    }

    /// As the shell does, until octets are wanted.
    fn run(&mut self) {
        loop {
            match self.session.next() {
                Next::Read => return,
                Next::Send(octets) => self.heard.extend(octets),
                Next::Noted(noted) => self.world.noted(noted),
                Next::Pause(user) => self.world.pause(&user),
                Next::StartTls => {
                    self.awaits_tls = true;
                    return;
                }
                Next::Spool(piece) => self.world.spool(piece),
                Next::Ask(ask) => {
                    let answer = self.world.answer(ask);
                    self.session.answer(answer);
                }
                Next::Close => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn expect(&mut self, line: usize, pattern: &str) {
        let end = self.heard.windows(2).position(|pair| pair == b"\r\n");
        let Some(end) = end else {
            panic!("{}: wanted {pattern:?}, heard nothing", self.place(line))
        };
        let heard: Vec<u8> = self.heard.drain(..end + 2).collect();
        let heard = String::from_utf8(heard[..end].to_vec()).expect("replies are ASCII");
        assert!(
            heard.is_ascii() && fits(pattern, &heard, &mut self.names),
            "{}:\n  wanted {pattern:?}\n   heard {heard:?}",
            self.place(line)
        );
    }

    fn then(&mut self, line: usize, words: &str) {
        let place = self.place(line);
        let world = &mut self.world;
        match words.split_once(' ').unwrap_or((words, "")) {
            ("accepted", count) => assert_eq!(world.accepted.len().to_string(), count, "{place}"),
            ("aborted", names) => assert_eq!(world.aborted.join(" "), names, "{place}"),
            ("noted", names) => assert_eq!(world.noted.join(" "), names, "{place}"),
            ("pauses", seconds) => assert_eq!(world.pauses.join(" "), seconds, "{place}"),
            ("asked", count) => assert_eq!(world.lookups.to_string(), count, "{place}"),
            ("handed", count) => assert_eq!(world.handed.len().to_string(), count, "{place}"),
            ("from", domain) => assert_eq!(world.last_handed().0, domain, "{place}"),
            ("octets", text) => {
                let body = &world.last_handed().1;
                let (body, text) = (String::from_utf8_lossy(body), unescaped(text));
                assert_eq!(body, String::from_utf8_lossy(&text), "{place}");
            }
            ("envelope", text) => assert_eq!(world.last_envelope(), text, "{place}"),
            ("subject", text) => assert_eq!(world.last().1.subject, text, "{place}"),
            ("body", text) => {
                let body = String::from_utf8_lossy(&world.last().0).into_owned();
                assert_eq!(body, String::from_utf8_lossy(&unescaped(text)), "{place}");
            }
            ("timeout", _) => {
                self.session.stop(Stop::Timeout);
                self.run();
            }
            other => panic!("{place}: then {other:?}?"),
        }
    }
}

/// The world a session asks: accounts, addresses, a spool.
struct World {
    secrets: HashMap<String, String>,
    /// Right passwords that are not for sending.
    unfit: HashMap<(String, String), Refusal>,
    recipients: HashMap<String, RecipientAnswer>,
    providers: HashMap<String, RecipientAnswer>,
    submit: String,
    body: Option<Vec<u8>>,
    accepted: Vec<(Vec<u8>, Parsed, Envelope)>,
    handed: Vec<(Vec<u8>, Envelope<Option<KepDomain>>)>,
    peers: HashMap<String, PeerAnswer>,
    aborted: Vec<String>,
    noted: Vec<String>,
    failures: Pauses,
    pauses: Vec<String>,
    lookups: usize,
}

impl World {
    fn new() -> Self {
        Self {
            secrets: HashMap::new(),
            unfit: HashMap::new(),
            recipients: HashMap::new(),
            providers: HashMap::new(),
            submit: String::new(),
            body: None,
            accepted: Vec::new(),
            handed: Vec::new(),
            peers: HashMap::new(),
            aborted: Vec::new(),
            noted: Vec::new(),
            failures: Pauses::new(Duration::from_secs(1)),
            pauses: Vec::new(),
            lookups: 0,
        }
    }

    fn noted(&mut self, noted: Noted) {
        let name = match noted {
            Noted::Refused(refusal) => refusal.name(),
            Noted::BrokenOff(why) => why.word(),
        };
        self.noted.push(name.to_owned());
    }

    fn given(&mut self, words: &[&str]) {
        match *words {
            ["account", address, secret, unfit] => {
                let why = match unfit {
                    "for-reading" => Refusal::PasswordScope,
                    "two-factors" => Refusal::PasswordAlone,
                    other => panic!("given account … {other}?"),
                };
                self.unfit.insert((address.to_owned(), secret.to_owned()), why);
            }
            ["account", address, secret] => {
                self.secrets.insert(address.to_owned(), secret.to_owned());
                self.recipients.insert(address.to_owned(), RecipientAnswer::Local { room: None });
            }
            ["local", address, kind] => {
                let answer = match kind {
                    "open" => RecipientAnswer::Local { room: None },
                    "closed" => RecipientAnswer::Closed,
                    "full" => RecipientAnswer::Local { room: Some(0) },
                    "unavailable" => RecipientAnswer::Temporary,
                    room => RecipientAnswer::Local { room: Some(room.parse().expect("octets")) },
                };
                self.recipients.insert(address.to_owned(), answer);
            }
            ["provider", domain, kind] => {
                let answer = match kind {
                    "ended" => RecipientAnswer::ProviderEnded,
                    "open" => RecipientAnswer::Provider { size_limit: None },
                    limit => RecipientAnswer::Provider { size_limit: limit.parse().ok() },
                };
                self.providers.insert(domain.to_owned(), answer);
            }
            ["peer", domain, kind] => {
                let name = domain.to_owned();
                let answer = match kind {
                    "active" => PeerAnswer::Known,
                    "suspended" => PeerAnswer::Refused(Refusal::PeerSuspended(name)),
                    "closed" => PeerAnswer::Refused(Refusal::PeerEnded(name)),
                    "another" => PeerAnswer::Refused(Refusal::PeerNotShown(name)),
                    "unavailable" => PeerAnswer::Temporary,
                    other => panic!("given peer {other}?"),
                };
                self.peers.insert(domain.to_owned(), answer);
            }
            ["submit", answer] => self.submit = answer.to_owned(),
            _ => panic!("given {words:?}?"),
        }
    }

    /// All failures at one time and from one address.
    fn pause(&mut self, user: &str) {
        let (from, now) = ([127, 0, 0, 1].into(), Timestamp::from_secs(0));
        self.pauses.push(self.failures.after_failure(from, user, now).as_secs().to_string());
    }

    fn spool(&mut self, piece: Piece) {
        match piece {
            Piece::Begin(_) => assert!(self.body.replace(Vec::new()).is_none(), "begun twice"),
            Piece::Chunk(octets) => self.body.as_mut().expect("begun").extend(octets),
            Piece::Refused => assert!(self.body.is_some(), "refused what was not begun"),
            Piece::Abort(aborted) => {
                assert!(self.body.take().is_some(), "aborted what was not begun");
                let name = aborted.as_ref().map_or("silently", |a| a.refusal.name());
                self.aborted.push(name.to_owned());
            }
        }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Authenticate { user, secret } => {
                let good = self.secrets.get(&user).is_some_and(|s| s == secret.expose_secret());
                let typed = (user.clone(), secret.expose_secret().to_owned());
                if let Some(why) = self.unfit.get(&typed) {
                    return Answer::Login(LoginAnswer::Refused(why.clone()));
                }
                Answer::Login(match KepAddress::parse(&user) {
                    Ok(address) if good => LoginAnswer::Accepted(Login {
                        account: AccountId(1),
                        address,
                        operator: None,
                        at: Timestamp::from_secs(0),
                        channel: kep::registry::audit::Channel::Smtp,
                    }),
                    _ => LoginAnswer::Rejected,
                })
            }
            Ask::Recipient { address, .. } => {
                self.lookups += 1;
                let provider = address.domain().provider();
                let known = self.recipients.get(address.as_str());
                let elsewhere = self.providers.get(provider.as_str());
                let ours = provider.as_str() == "hs05.kep.tr";
                Answer::Recipient(known.or(elsewhere).cloned().unwrap_or(if ours {
                    RecipientAnswer::Unknown
                } else {
                    RecipientAnswer::ProviderUnknown
                }))
            }
            Ask::Submit { envelope, octets } => {
                let body = self.body.take().expect("begun");
                assert_eq!(body.len() as u64, octets);
                Answer::Submitted(self.submit(envelope, body))
            }
            Ask::Peer { domain } => {
                let unknown = || PeerAnswer::Refused(Refusal::PeerUnknown(domain.to_string()));
                let known = self.peers.get(domain.as_str());
                Answer::Peer(known.cloned().unwrap_or_else(unknown))
            }
            Ask::HandOver { envelope, octets } => {
                let body = self.body.take().expect("begun");
                assert_eq!(body.len() as u64, octets);
                let answer = match self.submit.as_str() {
                    "unsealed" => SubmitAnswer::Refused(Refusal::SealUnknown("CN=x".into())),
                    "temporary" => SubmitAnswer::Temporary,
                    _ => SubmitAnswer::Accepted {
                        message_id: MessageId::parse("0123456789abcdef@hs06.kep.tr").unwrap(),
                    },
                };
                self.handed.push((body, envelope));
                Answer::Submitted(answer)
            }
        }
    }

    fn submit(&mut self, envelope: Envelope, body: Vec<u8>) -> SubmitAnswer {
        let parsed = match check::inspect(&body, &envelope, &Limits::default()) {
            Ok(parsed) => parsed,
            Err(refusal) => return SubmitAnswer::Refused(refusal),
        };
        let message_id = MessageId::parse("0123456789abcdef@hs05.kep.tr").unwrap();
        if let Some(lack) = parsed.signature.lack().filter(|_| self.submit == "required") {
            return SubmitAnswer::Refused(lack);
        }
        let answer = match self.submit.as_str() {
            "held" => SubmitAnswer::Held { message_id },
            "again" => SubmitAnswer::AlreadyAccepted { message_id },
            "temporary" => SubmitAnswer::Temporary,
            _ => SubmitAnswer::Accepted { message_id },
        };
        if answer != SubmitAnswer::Temporary {
            self.accepted.push((body, parsed, envelope));
        }
        answer
    }

    fn last(&self) -> &(Vec<u8>, Parsed, Envelope) {
        self.accepted.last().expect("something was accepted")
    }

    fn last_handed(&self) -> (String, &[u8]) {
        let (body, envelope) = self.handed.last().expect("something was handed over");
        (envelope.from.as_ref().map_or("<>".to_owned(), ToString::to_string), body)
    }

    fn last_envelope(&self) -> String {
        match self.handed.last() {
            Some((_, envelope)) => told(envelope),
            None => told(&self.last().2),
        }
    }
}

fn told<From>(envelope: &Envelope<From>) -> String {
    let mut words: Vec<String> = envelope
        .recipients
        .iter()
        .map(|r| {
            let orcpt = r.orcpt.as_ref().map(|orcpt| orcpt.to_string());
            let words = [Some(r.address.to_string()), r.notify.words(), orcpt];
            words.into_iter().flatten().collect::<Vec<_>>().join(" ")
        })
        .collect();
    words.push(format!("{:?}", envelope.body));
    words.extend(envelope.smtputf8.then(|| "SMTPUTF8".to_owned()));
    words.extend(envelope.requiretls.then(|| "REQUIRETLS".to_owned()));
    words.extend(envelope.ret.map(|ret| format!("{ret:?}")));
    words.extend(envelope.envid.clone());
    words.join(" ")
}
