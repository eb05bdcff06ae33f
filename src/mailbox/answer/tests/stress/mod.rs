//! Several sessions on the same mailboxes, over a real store: a seeded scheduler lets now this one
//! and now that one say a command, have an ask answered or hear a response, some asks beside each
//! other. Each client believes what it is told and checks that it can be true; in the end all must
//! believe the same, and every message that nobody removed is there exactly once.
//! `KEP_SEEDS=n` runs so many, from `KEP_SEED=first` on.

mod client;
mod ledger;
mod picture;
mod reading;
mod saying;

use super::on_stores;
use super::world::World;
use client::Client;
use ledger::Ledger;
use picture::Flags;
use saying::{Dice, Mode, Stage};
use std::collections::BTreeMap;
use tokio::task::JoinSet;

on_stores!(many_sessions_on_one_mailbox_agree);

async fn many_sessions_on_one_mailbox_agree(world: World) {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (first, count) = (number("KEP_SEED").unwrap_or(1), number("KEP_SEEDS").unwrap_or(SEEDS));
    for seed in first..first + count {
        run(&world, seed).await;
    }
}

struct Run<'w> {
    world: &'w World,
    seed: u64,
    dice: Dice,
    stage: Stage,
    ledger: Ledger,
    clients: Vec<Client>,
}

async fn run(world: &World, seed: u64) {
    let dice = Dice(seed);
    let mailboxes: Vec<_> = ["a", "b"].iter().map(|end| format!("s{seed}{end}")).collect();
    let stage = Stage { mailboxes, prefix: format!("m{seed}"), next: 0 };
    let mut run = Run { world, seed, dice, stage, ledger: Ledger::default(), clients: Vec::new() };
    run.prepare().await;
    for _ in 0..TURNS {
        run.turn().await;
    }
    run.agree().await;
    run.clear().await;
}

impl Run<'_> {
    async fn prepare(&mut self) {
        let mut maker = Client::connect(&self.world.office, Mode::Plain).await;
        for mailbox in self.stage.mailboxes.clone() {
            maker.say(saying::plain(format!("CREATE {mailbox}")));
            for _ in 0..6 {
                maker.say(saying::append(&mut self.dice, &mut self.stage, &mailbox));
            }
            self.finish(&mut maker).await;
        }
        for _ in 0..2 + self.dice.roll(4) {
            let mode = Mode::ALL[self.dice.roll(Mode::ALL.len() as u32) as usize];
            self.clients.push(Client::connect(&self.world.office, mode).await);
        }
    }

    async fn turn(&mut self) {
        let at = self.dice.roll(self.clients.len() as u32) as usize;
        match self.dice.roll(100) {
            0 if self.clients[at].may_break_off() => {
                self.clients[at].reconnect(&self.world.office, &mut self.ledger).await;
            }
            1..=8 => self.answer_together().await,
            _ => {
                let Self { dice, stage, ledger, clients, .. } = self;
                clients[at].turn(dice, Some(stage), ledger).await;
            }
        }
    }

    /// All that is asked is answered at the same time: what is written may share a transaction.
    async fn answer_together(&mut self) {
        let mut answering = JoinSet::new();
        for (at, client) in self.clients.iter_mut().enumerate().filter(|(_, one)| one.asks()) {
            let Some((mut desk, ask)) = client.hand_out() else { continue };
            answering.spawn(async move {
                let answer = desk.answer(ask).await;
                (at, desk, answer)
            });
        }
        while let Some(answered) = answering.join_next().await {
            let (at, desk, answer) = answered.unwrap();
            self.clients[at].take_back(desk, answer);
        }
    }

    /// Until nothing is under way any more.
    async fn finish(&mut self, client: &mut Client) {
        for _ in 0..10_000 {
            if !client.turn(&mut self.dice, None, &mut self.ledger).await {
                return;
            }
        }
        panic!("it comes to no end");
    }

    async fn finish_with(&mut self, client: &mut Client, text: &str) {
        client.say(saying::plain(text.to_owned()));
        self.finish(client).await;
    }

    async fn agree(&mut self) {
        let mut clients = std::mem::take(&mut self.clients);
        for client in &mut clients {
            self.finish(client).await;
        }
        let mut truth = BTreeMap::new();
        for mailbox in self.stage.mailboxes.clone() {
            truth.insert(mailbox.clone(), self.truth(&mailbox).await);
        }
        for client in &mut clients {
            self.agree_with(client, &truth).await;
            client.leave(&mut self.ledger);
        }
        for (mailbox, found) in &truth {
            self.ledger.holds(mailbox, &found.keys().copied().collect());
        }
    }

    /// Flags by UID, as a client sees them that just came.
    async fn truth(&mut self, mailbox: &str) -> BTreeMap<u32, Option<Flags>> {
        let mut fresh = Client::connect(&self.world.office, Mode::Condstore).await;
        fresh.select(mailbox);
        self.finish_with(&mut fresh, "UID FETCH 1:* (UID FLAGS MODSEQ BODY.PEEK[])").await;
        fresh.belief()
    }

    async fn agree_with(
        &mut self,
        client: &mut Client,
        truth: &BTreeMap<String, BTreeMap<u32, Option<Flags>>>,
    ) {
        if client.picture.is_none() {
            client.select(&self.stage.mailboxes[0]);
            self.finish(client).await;
        }
        self.finish_with(client, "NOOP").await;
        let mailbox = client.picture.as_ref().unwrap().mailbox.clone();
        let count = client.picture.as_ref().unwrap().numbers.len();
        let truth = &truth[&mailbox];
        assert_eq!(count, truth.len(), "messages");
        for (uid, flags) in client.belief().iter().filter(|(_, flags)| flags.is_some()) {
            assert_eq!(Some(flags), truth.get(uid), "flags of {uid}");
        }
        self.finish_with(client, "UID FETCH 1:* (UID FLAGS)").await;
        assert_eq!(client.belief(), *truth);
    }

    async fn clear(&mut self) {
        self.clients.clear();
        let mut maker = Client::connect(&self.world.office, Mode::Plain).await;
        for mailbox in self.stage.mailboxes.clone() {
            self.finish_with(&mut maker, &format!("DELETE {mailbox}")).await;
        }
    }
}

/// Tells what was said before a check failed.
impl Drop for Run<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("KEP_SEED={}", self.seed);
        }
    }
}

/// Runs in a test; by hand many more.
const SEEDS: u64 = 5;
/// Things that happen in a run.
const TURNS: u32 = 1_500;
