//! The load generator: the same signed messages, the same way, whoever stands behind the sockets.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::imap::Imap;
use super::client::mail::Letter;
use super::client::smtp::{Prepared, Smtp};
use super::client::world::{Account, Doors};
use super::report::quantile;

/// All that is to be measured.
pub struct Plan {
    pub shapes: Vec<Shape>,
    pub rounds: usize,
    /// What of IMAP.
    pub imap: super::imap::Plan,
}

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub size: usize,
    pub connections: usize,
    pub messages: usize,
}

/// Who is measured.
pub struct Side {
    pub doors: Doors,
    pub senders: Vec<Account>,
    pub recipients: Vec<Account>,
    pub finish: Finish,
    /// Whose CPU time and memory are looked at, with those of its children.
    pub server: u32,
}

/// When a message is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// It is seen in the recipient's INBOX.
    Inbox,
    /// Its acceptance and its delivery evidence are seen in the sender's `Deliller`.
    Evidence,
    /// Beside them the other provider's acceptance of the relay.
    Relayed,
}

/// What one round gave.
#[derive(Default)]
pub struct Outcome {
    /// Messages a second, from the first MAIL until the last one is done.
    pub rate: f64,
    pub ack_p50: Duration,
    pub ack_p99: Duration,
}

impl Outcome {
    /// The one in the middle by rate; of none one of nothing.
    pub fn median(mut outcomes: Vec<Self>) -> Self {
        outcomes.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        let middle = outcomes.len() / 2;
        outcomes.into_iter().nth(middle).unwrap_or_default()
    }
}

struct Parcel {
    from: String,
    to: String,
    message: Prepared,
}

impl Side {
    /// The median round by rate.
    pub async fn measure(&self, shape: Shape, rounds: usize, label: &str) -> io::Result<Outcome> {
        let mut outcomes = Vec::new();
        for round in 0..rounds {
            let tag = format!("{label}-{}-{}-{round}", shape.size, shape.connections);
            outcomes.push(self.round(shape, &tag).await?);
        }
        Ok(Outcome::median(outcomes))
    }

    pub async fn round(&self, shape: Shape, tag: &str) -> io::Result<Outcome> {
        let mut loads = Vec::new();
        for connection in 0..shape.connections {
            let sender = &self.senders[connection % self.senders.len()];
            loads.push((self.doors.smtp(sender).await?, self.parcels(shape, connection, tag)?));
        }
        let mut watch = self.watch().await?;
        let awaited = watch.count().await? + shape.messages * self.finish.signs();
        let gate = Arc::new(Barrier::new(shape.connections + 1));
        let mut running = JoinSet::new();
        for (smtp, parcels) in loads {
            running.spawn(submit_all(smtp, parcels, gate.clone()));
        }
        gate.wait().await;
        let start = Instant::now();
        let mut acks = Vec::with_capacity(shape.messages);
        while let Some(ended) = running.join_next().await {
            acks.extend(ended.map_err(io::Error::other)??);
        }
        watch.until(awaited).await?;
        let whole = start.elapsed();
        Ok(Outcome {
            rate: shape.messages as f64 / whole.as_secs_f64(),
            ack_p50: quantile(&acks, 50),
            ack_p99: quantile(&acks, 99),
        })
    }

    /// Signs beforehand: the user's key is not the server's work.
    fn parcels(&self, shape: Shape, connection: usize, tag: &str) -> io::Result<Vec<Parcel>> {
        let sender = &self.senders[connection % self.senders.len()];
        let recipient = &self.recipients[connection % self.recipients.len()];
        let to = recipient.address.as_str();
        let parcel = |number: usize| {
            let message_id = format!("{tag}.{number}@istemci.example");
            let signed = sender.signer.sign(&Letter {
                from: &sender.address,
                to: &[to],
                subject: "Ölçüm iletisi",
                message_id: &message_id,
                text: "Bu ileti ölçüm içindir.",
                attachment: shape.size.saturating_sub(FRAME) * 57 / 78,
            })?;
            let message = Prepared::new(&signed);
            Ok(Parcel { from: sender.address.clone(), to: to.to_owned(), message })
        };
        (0..shape.messages).filter(|n| n % shape.connections == connection).map(parcel).collect()
    }

    async fn watch(&self) -> io::Result<Watch> {
        let (accounts, mailbox) = match self.finish {
            Finish::Inbox => (&self.recipients, "INBOX"),
            Finish::Evidence | Finish::Relayed => (&self.senders, "Deliller"),
        };
        let mut eyes = Vec::new();
        for account in accounts {
            eyes.push(self.doors.imap(account).await?);
        }
        Ok(Watch { eyes, mailbox })
    }
}

impl Finish {
    /// How many mails in the watched mailbox mean one message done.
    fn signs(self) -> usize {
        match self {
            Self::Inbox => 1,
            Self::Evidence => 2,
            Self::Relayed => 3,
        }
    }
}

async fn submit_all(
    mut smtp: Smtp,
    parcels: Vec<Parcel>,
    gate: Arc<Barrier>,
) -> io::Result<Vec<Duration>> {
    gate.wait().await;
    let mut acks = Vec::with_capacity(parcels.len());
    for Parcel { from, to, message } in parcels {
        let receipt = smtp.submit(&from, &[&to], &message).await?;
        receipt.reply.must_be(250)?;
        acks.push(receipt.ack);
    }
    smtp.quit().await?;
    Ok(acks)
}

/// One IMAP connection an account, asking by STATUS.
struct Watch {
    eyes: Vec<Imap>,
    mailbox: &'static str,
}

impl Watch {
    async fn count(&mut self) -> io::Result<usize> {
        let mut sum = 0;
        for eye in &mut self.eyes {
            sum += eye.count(self.mailbox).await? as usize;
        }
        Ok(sum)
    }

    async fn until(&mut self, awaited: usize) -> io::Result<()> {
        let start = Instant::now();
        loop {
            let now = self.count().await?;
            if now >= awaited {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                let told = format!("{}: {now} of {awaited} after {PATIENCE:?}", self.mailbox);
                return Err(io::Error::other(told));
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Headers and text of a letter without its attachment.
const FRAME: usize = 900;
/// Short against a round, long against a STATUS.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(300);
