//! Brings mails over the simulated network by the shipped dialogue: a provider's to another's relay, a
//! client's to his provider. TLS is a question of who is shown.

use crate::net::{End, Net, Party};
use kep::deliver::dialogue::{BodyForm, Dialogue, Mail, Next, Outcome, Report};
use kep::deliver::{Carrier, Heard, Load, Unsent};
use kep::registry::peers::{PeerTls, Route};
use kep::store::relay::Trouble;
use kep::trust::tls::PeerTrust;
use kep::wire::smtp::DotStuffer;
use kep::wire::{Digest, sha256};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A mail as it went over the network once: it may come again.
#[derive(Clone)]
pub struct Seen {
    pub from: usize,
    pub to: usize,
    pub mail: Mail,
    pub octets: Arc<Vec<u8>>,
    /// Its receiver has said that he has it, for everybody.
    pub taken: bool,
}

pub type Eavesdropper = Arc<Mutex<Vec<Seen>>>;

/// Carries what a house sends to others.
pub struct Lines {
    pub net: Net,
    pub from: usize,
    pub seen: Eavesdropper,
}

/// The pin of a house's server.
pub fn pin(house: usize) -> Digest {
    sha256(format!("tls of {house}").as_bytes())
}

pub fn domain(house: usize) -> String {
    format!("hs{:02}.kep.tr", house + 1)
}

/// The house of an address or a domain.
pub fn house_of(address: &str) -> usize {
    let domain = address.rsplit('@').next().unwrap_or_default();
    let number = domain.get(2..4).and_then(|number| number.parse::<usize>().ok());
    number.unwrap_or(1) - 1
}

impl Carrier for Lines {
    async fn send(&mut self, load: &Load) -> Heard {
        let Route::Host(host) = &load.way.route else {
            unreachable!("each house is registered by its host")
        };
        let to = house_of(&host.name);
        let Some(mut end) = self.net.dial(Some(self.from), to) else {
            return Err(Unsent::Server(Trouble::Unreachable, "no answer".to_owned()));
        };
        let mut dialogue = Dialogue::lasting(load.mail.clone());
        let known = PeerTls::Registered(PeerTrust::Pins(vec![pin(to)])) == load.way.tls;
        let shown = || known && !self.net.is_masked(to);
        let report = converse(&mut end, &mut dialogue, &load.octets, shown).await;
        let all = report.recipients.iter().all(|(_, got)| matches!(got, Outcome::Accepted(_)));
        self.seen.lock().unwrap().push(Seen {
            from: self.from,
            to,
            mail: load.mail.clone(),
            octets: Arc::new(load.octets.clone()),
            taken: all,
        });
        Ok((report, dialogue.begun()))
    }
}

/// A dialogue of its own, by whoever has the octets.
pub async fn once(
    net: &Net,
    (from, to): (Party, usize),
    mut dialogue: Dialogue,
    octets: &[u8],
) -> Option<Report> {
    let mut end = net.dial(from, to)?;
    Some(converse(&mut end, &mut dialogue, octets, || true).await)
}

async fn converse(
    end: &mut End,
    dialogue: &mut Dialogue,
    mail: &[u8],
    shown: impl Fn() -> bool,
) -> Report {
    loop {
        let done = match dialogue.next() {
            Next::Read => read(end, dialogue).await,
            Next::Send(octets) => end.write_all(&octets).await,
            Next::StartTls if shown() => {
                dialogue.tls_started();
                Ok(())
            }
            Next::StartTls => {
                dialogue.tls_failed("another certificate".to_owned());
                Ok(())
            }
            Next::SendBody(form) => {
                let sent = end.write_all(&wire_form(mail, form)).await;
                if sent.is_ok() {
                    dialogue.body_sent();
                }
                sent
            }
            Next::Done(report) => return report,
        };
        if done.is_err() {
            dialogue.lost();
        }
    }
}

async fn read(end: &mut End, dialogue: &mut Dialogue) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    match end.read(&mut buffer).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        octets => {
            dialogue.feed(&buffer[..octets]);
            Ok(())
        }
    }
}

fn wire_form(mail: &[u8], form: BodyForm) -> Vec<u8> {
    if form == BodyForm::Plain {
        return mail.to_vec();
    }
    let (mut stuffer, mut wire) = (DotStuffer::default(), Vec::new());
    stuffer.stuff(mail, &mut wire);
    stuffer.finish(&mut wire);
    wire
}
