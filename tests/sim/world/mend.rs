//! Everything is mended, and what is left to do is done, until nothing is left.

use super::{HOUR, World};
use crate::faults;
use crate::house::{ACCOUNTS, House, STEPS};
use crate::keys::HOUSES;
use crate::net::Fare;
use crate::people;
use crate::task::{Task, now};
use kep::store::{RowsError, Tx};
use std::sync::atomic::Ordering;

impl World {
    /// The net, the clocks, the seals and the authority are as they should be.
    pub(super) fn mend(&mut self) {
        self.say("everything is mended".to_owned());
        (0..HOUSES).for_each(|house| self.look_after(house));
        self.town.net.heal();
        self.town.tsa_down.store(false, Ordering::Relaxed);
        self.skew(None, 0);
        for house in 0..HOUSES {
            self.skew(Some(house), 0);
            self.renew(house);
            self.open(house);
            if let Some(at) = &self.houses[house] {
                at.disk.arm(u32::MAX);
                now(at.readiness.probe());
            }
            (0..ACCOUNTS.len()).for_each(|account| people::set_open(self, house, account, true));
        }
    }

    /// Until nothing is left to do anywhere.
    pub(super) fn run_dry(&mut self) {
        faults::replay_all(self);
        for _ in 0..MOST_ROUNDS {
            self.pass(1);
            if self.round() {
                continue;
            }
            match self.next_due() {
                Some(due) => self.pass((due - self.now).clamp(1, HOUR)),
                None => return,
            }
        }
        let left: Vec<_> = (0..HOUSES).map(|house| self.left(house)).collect();
        let tasks: Vec<_> = self.tasks.iter().map(|task| task.name.as_str()).collect();
        let what = format!("it does not come to rest: {left:?}, {tasks:?}");
        self.broken(what);
    }

    /// Everything that can be done now, once; says whether there was anything.
    fn round(&mut self) -> bool {
        let mut any = self.run_tasks();
        let unsettled: Vec<_> = {
            let letters = self.book.lock().unwrap();
            letters.iter().filter(|l| !l.is_settled() && l.under_way == 0).map(|l| l.n).collect()
        };
        for n in unsettled {
            self.hand_in_again(n);
            any = true;
        }
        for house in 0..HOUSES {
            for step in 0..STEPS.len() {
                any |= self.take_of(house, step);
            }
            for to in 0..HOUSES {
                any |= self.look_for(house, to);
            }
            self.end_windows_of(house);
        }
        self.run_tasks();
        any
    }

    /// All tasks to their end, or to where they wait for what does not come.
    fn run_tasks(&mut self) -> bool {
        let mut any = false;
        for _ in 0..MOST_TURNS {
            self.settle();
            let ready = self.tasks.iter().position(Task::can_go_on);
            let flight = self.town.net.in_flight().first().copied();
            match (ready, flight) {
                (Some(n), _) => self.go_on_with(n),
                (None, Some((wire, way))) => self.town.net.carry(wire, way, Fare::Whole),
                (None, None) => break,
            }
            any = true;
        }
        any
    }

    /// When something falls due, as far as anything is left.
    fn next_due(&self) -> Option<i64> {
        let due = |house: &Option<House>| {
            let look = |tx: &mut Tx<'_>| -> Result<Option<i64>, RowsError> {
                let sql = "SELECT MIN(due_at) FROM (SELECT due_at FROM job UNION ALL
                           SELECT due_at FROM relay WHERE held = 0)";
                tx.one("due", sql, &[])?.opt_int(0)
            };
            house.as_ref().and_then(|house| now(house.store.look_up(look)).unwrap())
        };
        let due = self.houses.iter().filter_map(due).min();
        due.filter(|due| *due != i64::MAX).map(|due| due.max(self.now + 15_000))
    }

    /// Jobs and mails that a house has not done with.
    fn left(&self, house: usize) -> Vec<String> {
        let look = |tx: &mut Tx<'_>| -> Result<Vec<String>, RowsError> {
            let sql = "SELECT name FROM job UNION ALL SELECT name || ' ' || reply FROM relay";
            tx.query(sql, &[])?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
        };
        let at = self.houses[house].as_ref();
        at.map(|house| now(house.store.look_up(look)).unwrap()).unwrap_or_default()
    }

    /// What is left at the end, of all houses.
    pub fn leftovers(&self) -> Vec<String> {
        (0..HOUSES).flat_map(|house| self.left(house)).collect()
    }
}

const MOST_ROUNDS: usize = 1_500;
const MOST_TURNS: usize = 20_000;
