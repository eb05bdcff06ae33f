//! Houses go dark and open again; calls are answered by whoever is up.

use super::World;
use crate::house::House;
use crate::keys::HOUSES;
use crate::laws;
use kep::trust::Clock;
use std::sync::Arc;

impl World {
    /// Calls are answered, and houses without power go dark.
    pub(super) fn settle(&mut self) {
        for call in self.town.net.calls() {
            let Some(house) = &self.houses[call.to] else { continue };
            let work = house.serve(call.end, call.from.is_some());
            let from = call.from.map_or("a client".to_owned(), |from| format!("{}", from + 1));
            self.spawn(Some(call.to), format!("serve {from}"), work);
        }
        for house in 0..HOUSES {
            if self.houses[house].as_ref().is_some_and(|house| house.disk.is_out()) {
                self.crash(house);
            }
        }
    }

    /// All that a house has in memory is gone, and what was not synced.
    pub fn crash(&mut self, house: usize) {
        let Some(at) = self.houses[house].take() else { return };
        self.say(format!("house {} goes dark", house + 1));
        at.disk.cut();
        self.town.net.house_down(house);
        self.tasks.retain(|task| !task.is_of(house));
        let disk = Arc::clone(&at.disk);
        drop(at);
        disk.forget_unsynced(&self.folders[house].join("blobs")).unwrap();
    }

    pub fn open(&mut self, house: usize) {
        if self.houses[house].is_some() {
            return;
        }
        self.say(format!("house {} opens with seal {}", house + 1, self.seals[house]));
        let clock = Clock::Hand(Arc::clone(&self.clocks[house]));
        let folder = &self.folders[house];
        let opened = House::open(house, folder, clock, self.seals[house], &self.town);
        laws::along_the_way(&opened, &mut self.memories[house], &mut self.course.broken);
        self.houses[house] = Some(opened);
        self.town.net.house_up(house);
    }

    /// A house gets the seal that outlasts the world; it starts anew for that.
    pub fn renew(&mut self, house: usize) {
        if self.seals[house] == 0 {
            self.crash(house);
            self.seals[house] = 1;
            self.open(house);
        }
    }

    /// What a house has shown so far still stands.
    pub fn look_after(&mut self, house: usize) {
        if let Some(at) = &self.houses[house] {
            laws::along_the_way(at, &mut self.memories[house], &mut self.course.broken);
        }
    }

    /// A house that went dark is up again by and by.
    pub(super) fn rise(&mut self) {
        for house in 0..HOUSES {
            if self.houses[house].is_none() && self.dice.once_in(12) {
                self.open(house);
            }
        }
    }
}
