//! Durable before spoken: what a client was told stands after any kill, and was synced before.
//!
//! The judge is the client's own ledger of `250`s against what IMAP and `kep verify` show, never
//! our tables. `KEP_KILLS` sets the number of kills, `KEP_SEED` their moments.
#![allow(clippy::disallowed_methods, reason = "measures and waits with the machine's own clock")]

#[path = "../client/mod.rs"]
mod client;
#[path = "../it/lane.rs"]
mod lane;

mod judge;
mod kills;
mod ledger;
mod money;
mod restore;
mod sync_order;
mod trace;

use std::io;

use client::world::{Wish, World, kep_binary};

/// Invariants 1, 2 and 4 under SIGKILL.
#[test]
fn invariants_1_2_4_hold_when_killed_at_random_moments() -> io::Result<()> {
    let campaign = kills::Campaign {
        kills: number("KEP_KILLS", KILLS)?,
        seed: number("KEP_SEED", SEED)?,
        pairs: PAIRS,
        also: None,
    };
    runtime()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let world = world(&folder.path().join("provider"), true).await?;
        let ledger = campaign.run(&world, &folder.path().join("ledger.log")).await?;
        judge::judge(&world, &ledger, &folder.path().join("mails")).await
    })
}

/// Nobody pays twice, nor for nothing, and the balance is the sum of the entries.
#[test]
fn credits_add_up_when_killed_at_random_moments() -> io::Result<()> {
    let campaign = kills::Campaign {
        kills: number("KEP_KILLS", KILLS)? / 2,
        seed: number("KEP_SEED", SEED)? + 1,
        pairs: PAIRS,
        also: Some(money::ELSEWHERE),
    };
    runtime()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let world = world(&folder.path().join("provider"), true).await?;
        money::check(&world, &campaign, folder.path()).await
    })
}

/// A backup beside a busy server holds all that was acknowledged, and all evidence, when it began.
#[test]
fn what_was_acknowledged_before_a_backup_survives_the_loss_of_the_data_folder() -> io::Result<()> {
    runtime()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let world = world(&folder.path().join("provider"), true).await?;
        restore::check(&world, folder.path(), PAIRS).await
    })
}

/// Invariant 1 against a power cut: SIGKILL spares the page cache, so the order of calls is read.
#[test]
fn invariant_01_everything_is_synced_before_the_250() -> io::Result<()> {
    if lane::strace().is_none() {
        return Ok(());
    }
    runtime()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let world = world(&folder.path().join("provider"), false).await?;
        sync_order::check(&world, &folder.path().join("calls.trace")).await
    })
}

/// Invariant 3 against a power cut.
#[test]
fn invariant_03_the_read_fact_is_synced_before_content_leaves() -> io::Result<()> {
    if lane::strace().is_none() {
        return Ok(());
    }
    runtime()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let world = world(&folder.path().join("provider"), true).await?;
        sync_order::check_opening(&world, &folder.path().join("calls.trace")).await
    })
}

async fn world(folder: &std::path::Path, direct: bool) -> io::Result<World> {
    let accounts: Vec<String> = ["gonderen", "alici"]
        .iter()
        .flat_map(|r| (0..PAIRS).map(move |n| format!("{r}{n}")))
        .collect();
    let wish = Wish { domain: "hs05.kep.tr", accounts: &accounts, key: "p256", direct };
    World::init(&kep_binary()?, folder, &wish).await
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

fn number(variable: &str, default: u64) -> io::Result<u64> {
    match std::env::var(variable) {
        Ok(text) => text.parse().map_err(|_| io::Error::other(format!("{variable}={text}"))),
        Err(_) => Ok(default),
    }
}

/// The short lane; the long one sets KEP_KILLS=1000.
const KILLS: u64 = 50;
const SEED: u64 = 20_261_123;
/// Senders, and as many recipients: one submission connection each.
const PAIRS: usize = 4;
