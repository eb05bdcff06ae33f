//! Credits under SIGKILL, in the middle of submission, acceptance and giving back: what the client was told
//! against the entries of each account, and the balance against their sum.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::world::World;
use super::kills::{Campaign, Dice};
use super::ledger::Ledger;
use super::restore::{kep, must};

/// Somebody whom nothing reaches: his provider's server is not there, and then it closes.
pub const ELSEWHERE: &str = "can.ak@hs06.kep.tr";

pub async fn check(world: &World, campaign: &Campaign, folder: &Path) -> io::Result<()> {
    open_shop(world, campaign).await?;
    let ledger = campaign.run(world, &folder.join("ledger.log")).await?;
    // All are accepted now, and nobody has reached him.
    kep(world, &["provider", "close", "hs06.kep.tr"]).await?;
    let all = ledger.entries().len();
    let mut dice = Dice(campaign.seed);
    let mut halfway = 0;
    while backs(world, campaign).await? < all {
        let server = world.serve().await?;
        tokio::time::sleep(Duration::from_millis(dice.below(LONGEST_LIFE))).await;
        server.kill().await?;
        let back = backs(world, campaign).await?;
        halfway += usize::from(0 < back && back < all);
        if halfway == HALFWAY {
            break;
        }
    }
    must(halfway > 0, "no kill hit the giving back")?;
    settle(world, campaign, all).await?;
    judge(world, campaign, &ledger).await
}

async fn open_shop(world: &World, campaign: &Campaign) -> io::Result<()> {
    kep(world, &["policy", "set", "credit.enforced", "yes", "--reason", "deneme"]).await?;
    let pin = "0f".repeat(32);
    let add = ["provider", "add", "hs06.kep.tr", "--name", "Öteki", "--host", "127.0.0.1:9"];
    kep(world, &[&add[..], &["--tls-pin", &pin]].concat()).await?;
    for sender in senders(world, campaign)? {
        let top_up = ["account", "credit", "top-up", &sender, BOUGHT];
        let why = ["--reason", "havale", "--reference", &sender];
        kep(world, &[&top_up[..], &why].concat()).await?;
    }
    Ok(())
}

fn senders(world: &World, campaign: &Campaign) -> io::Result<Vec<String>> {
    let address = |n| Ok(world.account(&format!("gonderen{n}"))?.address.clone());
    (0..campaign.pairs).map(address).collect()
}

/// Waits until the last has come back.
async fn settle(world: &World, campaign: &Campaign, all: usize) -> io::Result<()> {
    let server = world.serve().await?;
    let start = Instant::now();
    while backs(world, campaign).await? < all {
        must(start.elapsed() < PATIENCE, "what did not reach him is not given back")?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    server.kill().await
}

/// Prices that were given back so far.
async fn backs(world: &World, campaign: &Campaign) -> io::Result<usize> {
    let mut found = 0;
    for sender in senders(world, campaign)? {
        let entries = entries(world, &sender).await?;
        found += entries.iter().filter(|entry| entry["entry"] == "give-back").count();
    }
    Ok(found)
}

async fn entries(world: &World, sender: &str) -> io::Result<Vec<Value>> {
    let history = ["account", "credit", "history", sender, "--limit", "1000000", "--json"];
    serde_json::from_str(&kep(world, &history).await?).map_err(io::Error::other)
}

async fn judge(world: &World, campaign: &Campaign, ledger: &Ledger) -> io::Result<()> {
    let letters = ledger.entries();
    let mut faults = Vec::new();
    for sender in senders(world, campaign)? {
        let own: Vec<_> = letters.values().filter(|entry| entry.sender == sender).collect();
        let mut told = BTreeMap::new();
        for letter in &own {
            let id = letter.acknowledged.clone();
            let id = id.ok_or_else(|| io::Error::other("a letter without an answer"))?;
            told.insert(id, price(world, letter.original.len(), &letter.recipient).await?);
        }
        let entries = entries(world, &sender).await?;
        judge_entries(&entries, &told, &sender, &mut faults);
        let shown = kep(world, &["account", "credit", &sender, "--json"]).await?;
        let shown: Value = serde_json::from_str(&shown).map_err(io::Error::other)?;
        let here: i64 = told.values().map(|price| price.here).sum();
        let bought: i64 = BOUGHT.parse().map_err(io::Error::other)?;
        for (ledger, due) in [("available", bought - here), ("reserved", 0), ("spent", here)] {
            let sum = sum(&entries, ledger);
            if shown[ledger] != due || sum != due {
                let shown = &shown[ledger];
                faults.push(format!("{sender}: {ledger} {shown}, entries {sum}, told {due}"));
            }
        }
    }
    let proof = kep(world, &["credit", "audit", "--json"]).await?;
    must(proof.contains("\"proven\":true") || proof.contains("\"proven\": true"), &proof)?;
    kep(world, &["fsck"]).await?;
    must(faults.is_empty(), &faults.join("\n"))
}

/// What one letter costs: for the recipient here, and for the one elsewhere.
#[derive(Clone, Copy)]
struct Price {
    here: i64,
    elsewhere: i64,
}

async fn price(world: &World, octets: usize, here: &str) -> io::Result<Price> {
    // The bands are wide: one question for each would be asked a thousand times.
    must(octets < FIRST_BAND, "a letter beyond the first band")?;
    static ASKED: tokio::sync::OnceCell<Price> = tokio::sync::OnceCell::const_new();
    let ask = async || {
        let quote = kep(world, &["credit", "quote", "1 MiB", here, ELSEWHERE, "--json"]).await?;
        let quote: Value = serde_json::from_str(&quote).map_err(io::Error::other)?;
        let of = |key: &str| quote[key].as_i64().ok_or_else(|| io::Error::other(key.to_owned()));
        let price = Price { here: of("here")?, elsewhere: of("elsewhere")? };
        must(price.here > 0 && price.elsewhere > 0, "a letter that costs nothing proves nothing")?;
        Ok::<_, io::Error>(price)
    };
    ASKED.get_or_try_init(ask).await.copied()
}

/// Each letter is reserved, spent and partly given back once; nothing is charged for what nobody was told.
fn judge_entries(
    entries: &[Value],
    told: &BTreeMap<String, Price>,
    sender: &str,
    faults: &mut Vec<String>,
) {
    let mut found: BTreeMap<(&str, &str), Vec<i64>> = BTreeMap::new();
    for entry in entries {
        let Some(message) = entry["message"].as_str() else { continue };
        let kind = entry["entry"].as_str().unwrap_or_default();
        found.entry((message, kind)).or_default().push(entry["amount"].as_i64().unwrap_or(-1));
    }
    for (id, Price { here, elsewhere }) in told {
        for (kind, due) in
            [("reserve", here + elsewhere), ("spend", here + elsewhere), ("give-back", *elsewhere)]
        {
            let amounts = found.remove(&(id.as_str(), kind)).unwrap_or_default();
            if amounts != [due] {
                faults.push(format!("{sender}: {id}: {kind} {amounts:?}, and {due} is due"));
            }
        }
    }
    faults.extend(found.into_iter().map(|of| format!("{sender}: {of:?} of no letter")));
}

/// What the entries of an account leave in one of its ledgers.
fn sum(entries: &[Value], ledger: &str) -> i64 {
    let amount = |entry: &Value| {
        let amount = entry["amount"].as_i64().unwrap_or_default();
        let times = i64::from(entry["to"] == ledger) - i64::from(entry["from"] == ledger);
        amount * times
    };
    entries.iter().map(amount).sum()
}

const BOUGHT: &str = "1000000";
const FIRST_BAND: usize = 1 << 20;
/// Milliseconds from ready to SIGKILL, while prices are given back.
const LONGEST_LIFE: u64 = 250;
/// Kills in the middle of that.
const HALFWAY: usize = 6;
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_charged_twice_or_for_nothing_is_a_fault() {
        let entry = |kind: &str, message: &str, amount: i64| {
            json!({ "entry": kind, "message": message, "amount": amount,
                    "from": "available", "to": "reserved" })
        };
        let good =
            [entry("reserve", "1@a", 2), entry("spend", "1@a", 2), entry("give-back", "1@a", 1)];
        let told = BTreeMap::from([("1@a".to_owned(), Price { here: 1, elsewhere: 1 })]);
        let faults = |entries: &[Value]| {
            let mut faults = Vec::new();
            judge_entries(entries, &told, "a", &mut faults);
            faults.len()
        };
        assert_eq!(faults(&good), 0);
        assert_eq!(faults(&good[..2]), 1);
        assert_eq!(faults(&[&good[..], &good[1..2]].concat()), 1);
        assert_eq!(faults(&[&good[..], &[entry("reserve", "2@a", 2)]].concat()), 1);
        assert_eq!((sum(&good, "available"), sum(&good, "reserved")), (-5, 5));
    }
}
