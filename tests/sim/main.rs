//! Three providers, their clients, a time-stamp authority, the net and the clocks in one seeded world:
//! the shipped sessions, steps and SQL, with cuts, delays, repetitions, crashes between any two writes,
//! wrong clocks and seals that end. After each run the laws hold.
//!
//! `KEP_SIM_SEED` runs one seed and prints its log; `KEP_SIM_SEEDS` says how many; without either it
//! runs what fits into `SECONDS`, and the seeds of `seeds.txt` always.
#![allow(clippy::disallowed_methods, reason = "bounds its own length by the machine's clock")]

mod carrier;
mod dice;
mod disk;
mod faults;
mod house;
mod keys;
mod laws;
mod letters;
mod net;
mod people;
mod task;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use world::Course;

/// The laws hold in every world that is looked at.
#[test]
fn the_laws_hold_in_every_world() {
    if let Some(seed) = number("KEP_SIM_SEED") {
        let course = live(seed);
        assert!(course.broken.is_empty(), "seed {seed}:\n{}", course.broken.join("\n"));
        return;
    }
    let (most, until) = match (number("KEP_SIM_SEEDS"), std::env::var_os("KEP_LONG")) {
        (Some(seeds), _) => (seeds, None),
        (None, Some(_)) => (LONG, None),
        (None, None) => (LONG, Some(Instant::now() + SECONDS)),
    };
    let (lived, failed) = live_through(&kept(), most, until);
    println!("{lived} worlds");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What fails can be looked at again.
#[test]
fn the_same_seed_is_the_same_world() {
    for seed in [3, 11] {
        let (one, other) = (live(seed), live(seed));
        assert!(!one.log.is_empty(), "seed {seed}: {:?}", one.broken);
        let differ = one.log.iter().zip(&other.log).find(|(one, other)| one != other);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(one.digest(), other.digest(), "seed {seed}");
    }
}

/// The kept seeds, then one after the other from 1; stops soon after a failure. Says how many worlds
/// there were, and what broke.
fn live_through(kept: &[u64], most: u64, until: Option<Instant>) -> (u64, Vec<String>) {
    let (next, lived, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let failed = Mutex::new(Vec::new());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let seed = match kept.get(n as usize) {
                Some(seed) => *seed,
                None if until.is_some_and(|until| Instant::now() > until) => return,
                None => n - kept.len() as u64 + 1,
            };
            if n >= kept.len() as u64 + most {
                return;
            }
            let course = live(seed);
            lived.fetch_add(1, Ordering::Relaxed);
            if !course.broken.is_empty() {
                stop.store(true, Ordering::Relaxed);
                let what = course.broken.join("\n  ");
                failed
                    .lock()
                    .unwrap()
                    .push(format!("seed {seed}:\n  {what}\nagain: {}", again(seed)));
            }
        }
    };
    // Worlds wait for commits most of the time.
    let threads = 8 * std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    (lived.into_inner(), failed.into_inner().unwrap())
}

fn live(seed: u64) -> Course {
    let lived = catch_unwind(AssertUnwindSafe(|| world::run(seed)));
    lived.unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<String>().cloned();
        let what = what.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let what = format!("it panicked: {}", what.unwrap_or_default());
        Course { log: Vec::new(), broken: vec![what] }
    })
}

/// Seeds that failed once; none, where bugs are planted that they must not be known to find.
fn kept() -> Vec<u64> {
    if number("KEP_SIM_KEPT") == Some(0) {
        return Vec::new();
    }
    let lines = include_str!("seeds.txt").lines();
    let numbers = lines.filter(|line| !line.starts_with('#'));
    numbers.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

fn again(seed: u64) -> String {
    format!("KEP_SIM_SEED={seed} cargo test --test sim the_laws -- --nocapture")
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

const LONG: u64 = 1_000;
const SECONDS: Duration = Duration::from_secs(40);
