//! Load on several connections while the server is killed at seeded moments and started again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::mail::Letter;
use super::client::smtp::{Prepared, Smtp};
use super::client::world::{Account, Doors, World};
use super::ledger::{Entry, Ledger};

pub struct Campaign {
    pub kills: u64,
    pub seed: u64,
    pub pairs: usize,
}

/// One sender with its recipient; a connection submits for it until the server is gone.
struct Pair {
    number: usize,
    doors: Doors,
    sender: Account,
    recipient: String,
    ledger: Arc<Ledger>,
}

impl Campaign {
    /// Kills so many times; at the end every letter is sent until its 250 was read.
    pub async fn run(&self, world: &World, log: &Path) -> io::Result<Arc<Ledger>> {
        let ledger = Arc::new(Ledger::open(log)?);
        let mut dice = Dice(self.seed);
        for life in 0..self.kills {
            let server = world.serve().await?;
            let mut running = JoinSet::new();
            for number in 0..self.pairs {
                let pair = self.pair(world, number, &ledger)?;
                running.spawn(pair.submit_until_gone(life, Dice(dice.roll())));
            }
            let moment = Duration::from_millis(dice.below(LONGEST_LIFE));
            tokio::time::sleep(moment).await;
            server.kill().await?;
            // Each connection reads to its end: a 250 that is in the socket counts as told.
            while let Some(ended) = running.join_next().await {
                ended.map_err(io::Error::other)??;
            }
        }
        let server = world.serve().await?;
        for number in 0..self.pairs {
            self.pair(world, number, &ledger)?.submit_the_rest().await?;
        }
        server.kill().await?;
        Ok(ledger)
    }

    fn pair(&self, world: &World, number: usize, ledger: &Arc<Ledger>) -> io::Result<Pair> {
        Ok(Pair {
            number,
            doors: world.doors(),
            sender: world.account(&format!("gonderen{number}"))?.clone(),
            recipient: world.account(&format!("alici{number}"))?.address.clone(),
            ledger: Arc::clone(ledger),
        })
    }
}

impl Pair {
    /// An answer that is wrong is an error; a server that is gone is what we wait for.
    async fn submit_until_gone(self, life: u64, mut dice: Dice) -> io::Result<()> {
        let Ok(mut smtp) = self.doors.smtp(&self.sender).await else { return Ok(()) };
        for turn in 0.. {
            let (message_id, entry) = self.choose(life, turn, &mut dice)?;
            match self.submit(&mut smtp, &message_id, &entry).await? {
                Told::Answered => {}
                Told::Gone => return Ok(()),
            }
        }
        Ok(())
    }

    async fn submit_the_rest(self) -> io::Result<()> {
        let mut smtp = self.doors.smtp(&self.sender).await?;
        for _ in 0..LAST_TRIES {
            let open = self.ledger.of(&self.sender.address, false);
            if open.is_empty() {
                return smtp.quit().await;
            }
            for (message_id, entry) in open {
                if let Told::Gone = self.submit(&mut smtp, &message_id, &entry).await? {
                    return Err(io::Error::other("the server went away unasked"));
                }
            }
        }
        Err(io::Error::other("letters without an answer, however often they were sent"))
    }

    /// Mostly a new letter; sometimes one whose answer was lost, or one that was answered before.
    fn choose(&self, life: u64, turn: u64, dice: &mut Dice) -> io::Result<(String, Entry)> {
        let sender = &self.sender.address;
        let again = match dice.below(10) {
            0..=3 => self.ledger.of(sender, false),
            4 => self.ledger.of(sender, true),
            _ => Vec::new(),
        };
        if !again.is_empty() {
            let at = dice.below(again.len() as u64) as usize;
            return Ok(again[at].clone());
        }
        let message_id = format!("{}.{life}.{turn}@istemci.example", self.number);
        let attachment = [0, 3000, 60_000, 400_000][dice.below(4) as usize];
        let original = self.sender.signer.sign(&Letter {
            from: sender,
            to: &[&self.recipient],
            subject: "Dayanıklılık",
            message_id: &message_id,
            text: "Kabul edilen ileti kaybolmaz.",
            attachment,
        })?;
        let (sender, recipient) = (sender.clone(), self.recipient.clone());
        let original = Arc::new(original);
        Ok((message_id, Entry { sender, recipient, original, acknowledged: None }))
    }

    async fn submit(&self, smtp: &mut Smtp, message_id: &str, entry: &Entry) -> io::Result<Told> {
        self.ledger.sending(message_id, entry)?;
        let prepared = Prepared::new(&entry.original);
        let Ok(receipt) = smtp.submit(&entry.sender, &[&entry.recipient], &prepared).await else {
            return Ok(Told::Gone);
        };
        // A 4xx may be said while the server is under pressure; the letter stays open.
        if receipt.reply.code < 400 || receipt.reply.code >= 500 {
            let reply = receipt.reply.must_be(250)?;
            let id = reply.message_id();
            let id = id.ok_or_else(|| io::Error::other(format!("a 250 without id: {reply:?}")))?;
            self.ledger.acknowledged(message_id, id)?;
        }
        Ok(Told::Answered)
    }
}

enum Told {
    Answered,
    Gone,
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed, the same moments.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// Milliseconds from ready to SIGKILL at most: start-up, log-in, load and catch-up all get hit.
const LONGEST_LIFE: u64 = 1500;
const LAST_TRIES: usize = 20;
