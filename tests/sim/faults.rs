//! What goes wrong, and what gets better by itself.

use crate::carrier::{Seen, domain, once};
use crate::house::ACCOUNTS;
use crate::keys::HOUSES;
use crate::net::{Fare, Net, Party};
use crate::people;
use crate::task::now;
use crate::world::{HOUR, World};
use kep::deliver::dialogue::{Dialogue, Mail, Outcome, Tls, To};
use kep::evidence::{draft, load, parcel};
use kep::spool::Fact;
use kep::store::{RowsError, Tx};
use kep::wire::rem::Dialect;
use kep::wire::{KepAddress, MessageId};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

pub fn strike(world: &mut World) {
    let house = world.dice.below(HOUSES);
    match world.dice.weighed(&[3, 2, 6, 2, 3, 2, 1, 2, 1, 3, 2, 2, 1]) {
        0 => world.carry(Fare::Half),
        1 => world.carry(Fare::Lost),
        2 => {
            let doors = world.dice.below(24) as u32;
            world.say(format!("house {} has power for {doors} doors", house + 1));
            world.houses[house].iter().for_each(|house| house.disk.arm(doors));
        }
        3 => world.crash(house),
        4 => skew(world, Some(house)),
        5 => skew(world, None),
        6 => {
            world.say("no time stamps".to_owned());
            world.town.tsa_down.store(true, Ordering::Relaxed);
        }
        7 => {
            let from = world.dice.below(HOUSES + 1);
            let from: Party = (from < HOUSES).then_some(from);
            world.say(format!("{from:?} does not reach house {}", house + 1));
            world.town.net.part(from, house);
        }
        8 => {
            world.say(format!("house {} shows another certificate", house + 1));
            world.town.net.mask(house);
        }
        9 => replay(world),
        10 => forge(world),
        11 => cut(world),
        _ => set_open(world, house, false),
    }
}

pub fn ease(world: &mut World) {
    let house = world.dice.below(HOUSES);
    match world.dice.weighed(&[4, 3, 2, 2, 2, 2, 1, 1]) {
        0 => world.open(house),
        1 => {
            world.say("the net is whole".to_owned());
            world.town.net.heal();
        }
        2 => {
            world.say("there are time stamps".to_owned());
            world.town.tsa_down.store(false, Ordering::Relaxed);
        }
        3 => world.skew(Some(house), 0),
        4 => world.skew(None, 0),
        5 => {
            if let Some(at) = &world.houses[house] {
                now(at.readiness.probe());
            }
        }
        6 => world.renew(house),
        _ => set_open(world, house, true),
    }
    world.look_after(house);
}

/// A connection breaks, wherever it has come to.
fn cut(world: &mut World) {
    let wires = world.town.net.open_wires();
    if let Some(wire) = world.dice.pick(&wires).copied() {
        world.say(format!("wire {wire} is cut"));
        world.town.net.cut(wire);
    }
}

fn set_open(world: &mut World, house: usize, open: bool) {
    let account = world.dice.below(ACCOUNTS.len());
    people::set_open(world, house, account, open);
}

fn skew(world: &mut World, house: Option<usize>) {
    let wrong = [-3 * HOUR, -300_000, -50_000, -20_000, 20_000, 50_000, 300_000, 3 * HOUR];
    let wrong = world.dice.pick(&wrong).copied().unwrap_or_default();
    world.say(format!("{house:?}'s clock is wrong by {} s", wrong / 1000));
    world.skew(house, wrong);
}

/// A mail that went over the net comes once more.
fn replay(world: &mut World) {
    let seen = world.town.seen.lock().unwrap().clone();
    if let Some(seen) = world.dice.pick(&seen).cloned() {
        let work = again(world.town.net.clone(), seen, Arc::clone(&world.replies), false);
        world.spawn(None, "replay".to_owned(), work);
    }
}

/// All that was taken comes once more while everything is well, and hears the same.
pub fn replay_all(world: &mut World) {
    let seen = world.town.seen.lock().unwrap().clone();
    for seen in seen.into_iter().filter(|seen| seen.taken && seen.mail.ret.is_some()) {
        let work = again(world.town.net.clone(), seen, Arc::clone(&world.replies), true);
        world.spawn(None, "replay".to_owned(), work);
    }
}

async fn again(net: Net, seen: Seen, replies: Arc<Mutex<Vec<String>>>, well: bool) {
    let dialogue = Dialogue::new(seen.mail.clone(), Tls::StartTls, None);
    let way = (Some(seen.from), seen.to);
    let Some(report) = once(&net, way, dialogue, &seen.octets).await else { return };
    for (_, outcome) in report.recipients.iter().filter(|_| seen.taken) {
        let fine = match outcome {
            Outcome::Accepted(_) => true,
            Outcome::Refused(reply) => !well && reply.is_transient(),
            _ => !well,
        };
        // Evidence is under a seal without a stamp: it ends with its certificate.
        if !fine && seen.mail.ret.is_some() {
            let house = seen.to + 1;
            let what = format!("house {house} took a dispatch, and then not again: {outcome:?}");
            replies.lock().unwrap().push(what);
        }
    }
}

/// A third provider tells of a message that it has nothing to do with.
fn forge(world: &mut World) {
    let (victim, forger) = (world.dice.below(HOUSES), world.dice.below(HOUSES));
    let net = world.town.net.clone();
    let (Some(at), Some(by)) = (&world.houses[victim], &world.houses[forger]) else { return };
    let Some((id, n)) = relayed(at, forger) else { return };
    let (store, issuer) = (at.store.clone(), Arc::clone(&by.issuer));
    let work = async move {
        let Ok((submission, recipients)) = load(&store, &id).await else { return };
        let (message, at) = (id.to_string(), issuer.clock.now());
        let fact = Fact::Delivered { message, recipient: n, at: at.millis() };
        let about = issuer.about(&submission, &recipients);
        let Some(told) = draft::of_recipient(&about, &fact, at) else { return };
        // Without stamps nobody can forge.
        let Ok(issued) = issuer.issue(told, &[Dialect::Ts102640]).await else { return };
        let (evidence, documents) = (&issued.evidence, issued.documents());
        let composed =
            parcel::compose(&issuer.provider, evidence, &documents, at, [7; 16]).unwrap();
        let Ok(seal) = issuer.seal(&composed, None, false).await else { return };
        let octets = [composed.head(), composed.tail(&seal)].concat();
        let dialogue = Dialogue::new(mail(forger, victim, &octets), Tls::StartTls, None);
        once(&net, (Some(forger), victim), dialogue, &octets).await;
    };
    world.spawn(Some(forger), "forge".to_owned(), work);
}

/// A message of the house's to somebody elsewhere than with `not`.
fn relayed(house: &crate::house::House, not: usize) -> Option<(MessageId, usize)> {
    let (own, other) = (domain(house.number), domain(not));
    let look = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        let sql = "SELECT r.message_id, r.n FROM recipient r
                   JOIN submission s ON s.message_id = r.message_id
                   WHERE s.provider IS NULL AND s.dispatch IS NOT NULL AND r.account IS NULL
                     AND r.address NOT LIKE $1 AND r.address NOT LIKE $2
                   ORDER BY s.accepted_at DESC, r.n LIMIT 1";
        let (own, other) = (format!("%@{own}"), format!("%@{other}"));
        let row = tx.first(sql, &[(&own).into(), (&other).into()])?;
        row.map(|row| Ok::<_, RowsError>((row.text(0)?.to_owned(), row.int(1)?))).transpose()
    };
    let (id, n) = now(house.store.look_up(look)).ok()??;
    Some((MessageId::parse(&id)?, n as usize))
}

fn mail(from: usize, to: usize, octets: &[u8]) -> Mail {
    let service = |house| KepAddress::parse(&format!("kepservisi@{}", domain(house))).unwrap();
    Mail {
        helo: domain(from),
        from: Some(service(from)),
        recipients: vec![To::plain(service(to))],
        size: octets.len() as u64,
        eight_bit: true,
        smtputf8: false,
        requiretls: false,
        ret: None,
        envid: None,
    }
}
