//! The queue before the rows. Clients go first; background work that has waited its bound takes
//! turns with them, so that neither starves the other.

use super::Lane;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

pub struct Lanes<U> {
    waiting: Mutex<Waiting<U>>,
    ring: Condvar,
}

struct Waiting<U> {
    clients: VecDeque<U>,
    background: VecDeque<(Instant, U)>,
    /// The last one taken was overdue: a client is next.
    clients_turn: bool,
    closed: bool,
}

impl<U> Lanes<U> {
    pub fn new() -> Self {
        let waiting = Waiting {
            clients: VecDeque::new(),
            background: VecDeque::new(),
            clients_turn: false,
            closed: false,
        };
        Self { waiting: Mutex::new(waiting), ring: Condvar::new() }
    }

    /// Drops the unit when nobody serves it any more: its asker hears that.
    pub fn push(&self, lane: Lane, unit: U) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        match lane {
            Lane::Client => waiting.clients.push_back(unit),
            Lane::Background => waiting.background.push_back((Instant::now(), unit)),
        }
        drop(waiting);
        self.ring.notify_one();
    }

    /// What is next now.
    pub fn next(&self) -> Option<U> {
        self.lock().next()
    }

    /// Waits for a unit; `None` once the queue is closed and empty.
    pub fn wait(&self) -> Option<U> {
        let mut waiting = self.lock();
        loop {
            if let Some(unit) = waiting.next() {
                return Some(unit);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.ring.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the first unit of a group. Background work alone is gathered for a while: a commit
    /// for many costs little more than one for few.
    pub fn wait_for_group(&self) -> Option<U> {
        let mut waiting = self.lock();
        loop {
            let patience = waiting.patience();
            if patience.is_zero() {
                return waiting.next();
            }
            let woken = self.ring.wait_timeout(waiting, patience);
            (waiting, _) = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more; what waits is still served.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ring.notify_all();
    }

    /// Nobody serves it any more: what waits is dropped, so that no asker waits for ever.
    pub fn abandon(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        let left = (std::mem::take(&mut waiting.clients), std::mem::take(&mut waiting.background));
        drop(waiting);
        drop(left);
        self.ring.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<U>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U> Waiting<U> {
    /// How long a group may wait for more before it begins.
    fn patience(&self) -> Duration {
        if self.closed || !self.clients.is_empty() || self.background.len() >= GATHER_MAX {
            return Duration::ZERO;
        }
        let oldest = self.background.front();
        oldest.map_or(IDLE, |(at, _)| GATHER_TIME.saturating_sub(at.elapsed()))
    }

    fn next(&mut self) -> Option<U> {
        let overdue = self.background.front().is_some_and(|(at, _)| at.elapsed() > BACKGROUND_WAIT);
        if overdue && (self.clients.is_empty() || !self.clients_turn) {
            self.clients_turn = true;
            return self.background.pop_front().map(|(_, unit)| unit);
        }
        self.clients_turn = false;
        let client = self.clients.pop_front();
        client.or_else(|| self.background.pop_front().map(|(_, unit)| unit))
    }
}

/// Background work that has waited this long no longer lets all clients pass.
const BACKGROUND_WAIT: Duration = Duration::from_millis(50);
/// Two commits of background work lie between acceptance and what the addressee sees.
const GATHER_TIME: Duration = Duration::from_millis(4);
const GATHER_MAX: usize = 32;
/// Nothing waits: any unit rings.
const IDLE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(clients: &[u8], background: &[(Duration, u8)]) -> Waiting<u8> {
        let now = Instant::now();
        let late = background.iter().map(|(age, unit)| (now.checked_sub(*age).unwrap(), *unit));
        Waiting {
            clients: clients.iter().copied().collect(),
            background: late.collect(),
            clients_turn: false,
            closed: false,
        }
    }

    fn order(mut waiting: Waiting<u8>) -> Vec<u8> {
        std::iter::from_fn(|| waiting.next()).collect()
    }

    #[test]
    fn clients_go_before_background_work() {
        let fresh = Duration::ZERO;
        assert_eq!(order(waiting(&[1, 2, 3], &[(fresh, 9), (fresh, 8)])), [1, 2, 3, 9, 8]);
    }

    #[test]
    fn a_backlog_of_overdue_background_work_takes_turns_with_clients() {
        let late = Duration::from_secs(1);
        let waiting = waiting(&[1, 2], &[(late, 9), (late, 8), (late, 7), (late, 6)]);
        assert_eq!(order(waiting), [9, 1, 8, 2, 7, 6]);
    }

    #[test]
    fn background_work_alone_is_gathered_for_a_while() {
        let (fresh, late) = (Duration::ZERO, Duration::from_secs(1));
        let fresh_one = waiting(&[], &[(fresh, 9)]).patience();
        assert!(!fresh_one.is_zero() && fresh_one <= GATHER_TIME);
        assert_eq!(waiting(&[], &[(late, 9), (fresh, 8)]).patience(), Duration::ZERO);
        assert_eq!(waiting(&[], &[(fresh, 9); GATHER_MAX]).patience(), Duration::ZERO);
        assert_eq!(waiting(&[], &[]).patience(), IDLE);
    }

    #[test]
    fn a_client_and_the_end_wait_for_nothing() {
        let one = [(Duration::ZERO, 9)];
        assert_eq!(waiting(&[1], &one).patience(), Duration::ZERO);
        assert_eq!(Waiting { closed: true, ..waiting(&[], &one) }.patience(), Duration::ZERO);
        let lanes = Lanes::new();
        lanes.push(Lane::Background, 9);
        lanes.push(Lane::Client, 1);
        lanes.close();
        let all: Vec<u8> = std::iter::from_fn(|| lanes.wait_for_group()).collect();
        assert_eq!(all, [1, 9]);
    }

    #[test]
    fn an_abandoned_queue_takes_and_keeps_nothing() {
        let lanes = Lanes::new();
        lanes.push(Lane::Client, 1);
        lanes.abandon();
        lanes.push(Lane::Background, 2);
        assert_eq!(lanes.wait(), None);
    }

    #[test]
    fn a_closed_queue_is_served_to_its_end() {
        let lanes = Lanes::new();
        lanes.push(Lane::Background, 1);
        lanes.close();
        assert_eq!((lanes.wait(), lanes.wait()), (Some(1), None));
    }
}
