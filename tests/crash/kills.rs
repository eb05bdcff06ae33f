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
    /// Somebody to whom each letter goes, too.
    pub also: Option<&'static str>,
}

/// What the kills hit, as far as a client sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Hits {
    /// At least one submission was under way.
    busy: u64,
    /// The server was not ready yet.
    early: u64,
}

/// One sender with its recipient; a connection submits for it until the server is gone.
struct Pair {
    number: usize,
    doors: Doors,
    sender: Account,
    recipient: String,
    also: Option<&'static str>,
    ledger: Arc<Ledger>,
}

impl Campaign {
    /// Kills so many times; at the end every letter is sent until its 250 was read.
    pub async fn run(&self, world: &World, log: &Path) -> io::Result<Arc<Ledger>> {
        let ledger = Arc::new(Ledger::open(log)?);
        let (mut dice, mut hits) = (Dice(self.seed), Hits::default());
        for life in 0..self.kills {
            if life % EARLY == EARLY - 1 {
                let moment = Duration::from_millis(dice.below(LONGEST_START));
                hits.early += u64::from(!world.serve_briefly(moment).await?);
                continue;
            }
            let server = world.serve().await?;
            let mut running = self.load(world, life, &mut dice, &ledger)?;
            let moment = Duration::from_millis(dice.below(LONGEST_LIFE));
            tokio::time::sleep(moment).await;
            server.kill().await?;
            // Each connection reads to its end: a 250 that is in the socket counts as told.
            let mut busy = false;
            while let Some(ended) = running.join_next().await {
                busy |= ended.map_err(io::Error::other)??;
            }
            hits.busy += u64::from(busy);
        }
        self.must_have_hit(hits, ledger.acknowledged_count())?;
        let server = world.serve().await?;
        for number in 0..self.pairs {
            self.pair(world, number, &ledger)?.submit_the_rest().await?;
        }
        server.kill().await?;
        Ok(ledger)
    }

    /// Each pair submits until the server is gone.
    pub fn load(
        &self,
        world: &World,
        life: u64,
        dice: &mut Dice,
        ledger: &Arc<Ledger>,
    ) -> io::Result<JoinSet<io::Result<bool>>> {
        let mut running = JoinSet::new();
        for number in 0..self.pairs {
            let pair = self.pair(world, number, ledger)?;
            running.spawn(pair.submit_until_gone(life, Dice(dice.roll())));
        }
        Ok(running)
    }

    /// A campaign without load proves nothing.
    fn must_have_hit(&self, hits: Hits, acknowledged: usize) -> io::Result<()> {
        println!("{} kills: {hits:?}, {acknowledged} letters acknowledged", self.kills);
        let enough = hits.busy >= self.kills / 4 && hits.early >= (self.kills / EARLY).min(1);
        if enough && acknowledged as u64 >= 2 * self.kills {
            return Ok(());
        }
        let told = format!("{} kills hit too little: {hits:?}, {acknowledged} letters", self.kills);
        Err(io::Error::other(told))
    }

    fn pair(&self, world: &World, number: usize, ledger: &Arc<Ledger>) -> io::Result<Pair> {
        Ok(Pair {
            number,
            doors: world.doors(),
            sender: world.account(&format!("gonderen{number}"))?.clone(),
            recipient: world.account(&format!("alici{number}"))?.address.clone(),
            also: self.also,
            ledger: Arc::clone(ledger),
        })
    }
}

impl Pair {
    /// An answer that is wrong is an error; a server that is gone is what we wait for. Says whether
    /// it went in the middle of a submission.
    async fn submit_until_gone(self, life: u64, mut dice: Dice) -> io::Result<bool> {
        let Ok(mut smtp) = self.doors.smtp(&self.sender).await else { return Ok(false) };
        let mut turn = 0;
        loop {
            let (message_id, entry) = self.choose(life, turn, &mut dice)?;
            if let Told::Gone = self.submit(&mut smtp, &message_id, &entry).await? {
                return Ok(true);
            }
            turn += 1;
        }
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
            to: &self.to(),
            subject: "Dayanıklılık",
            message_id: &message_id,
            text: "Kabul edilen ileti kaybolmaz.",
            attachment,
        })?;
        let (sender, recipient) = (sender.clone(), self.recipient.clone());
        let original = Arc::new(original);
        Ok((message_id, Entry { sender, recipient, original, acknowledged: None }))
    }

    fn to(&self) -> Vec<&str> {
        std::iter::once(self.recipient.as_str()).chain(self.also).collect()
    }

    async fn submit(&self, smtp: &mut Smtp, message_id: &str, entry: &Entry) -> io::Result<Told> {
        self.ledger.sending(message_id, entry)?;
        let prepared = Prepared::new(&entry.original);
        let Ok(receipt) = smtp.submit(&entry.sender, &self.to(), &prepared).await else {
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

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// Milliseconds from ready to SIGKILL at most: log-in, load and catch-up all get hit.
const LONGEST_LIFE: u64 = 1500;
/// Every so many kills one hits the start, so many milliseconds after it at most.
const EARLY: u64 = 8;
const LONGEST_START: u64 = 120;
const LAST_TRIES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_that_hits_nothing_is_a_failure() {
        let campaign = Campaign { kills: 50, seed: 1, pairs: 4, also: None };
        let enough = Hits { busy: 20, early: 3 };
        assert!(campaign.must_have_hit(enough, 100).is_ok());
        assert!(campaign.must_have_hit(enough, 99).is_err());
        assert!(campaign.must_have_hit(Hits { busy: 11, ..enough }, 100).is_err());
        assert!(campaign.must_have_hit(Hits { early: 0, ..enough }, 100).is_err());
    }
}
