//! The world: three houses, their clients, a time-stamp authority, the net and the clocks; one thing
//! after the other, as the dice of the seed say. Then everything is mended, and runs dry.

mod mend;
mod power;

use crate::carrier::{Eavesdropper, house_of};
use crate::dice::Dice;
use crate::faults;
use crate::house::{House, STEPS, Town, build, folder};
use crate::keys::{BEGIN, HOUSES};
use crate::laws::{self, Memory};
use crate::letters::{self, Book};
use crate::net::{Fare, Net};
use crate::people;
use crate::task::{self, Task};
use kep::trust::Clock;
use kep::wire::sha256;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// How a world went.
pub struct Course {
    pub log: Vec<String>,
    /// What broke a law; none: all hold.
    pub broken: Vec<String>,
}

impl Course {
    pub fn digest(&self) -> String {
        sha256(self.log.join("\n").as_bytes()).hex()
    }
}

pub struct World {
    pub dice: Dice,
    pub town: Town,
    pub houses: Vec<Option<House>>,
    pub book: Book,
    /// Jumps of the clock so far, in milliseconds.
    pub jumped: i64,
    /// Accounts that are closed.
    pub closed: BTreeSet<String>,
    pub replies: Arc<Mutex<Vec<String>>>,
    /// Sending costs credits.
    pub costs: bool,
    clocks: Vec<Arc<AtomicI64>>,
    tsa: Arc<AtomicI64>,
    now: i64,
    folders: Vec<PathBuf>,
    seals: Vec<usize>,
    tasks: Vec<Task>,
    next_task: usize,
    memories: Vec<Memory>,
    aloud: bool,
    course: Course,
    _place: TempDir,
}

/// Lives through a world.
pub fn run(seed: u64) -> Course {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().max_blocking_threads(1).build().unwrap();
    let _inside = runtime.enter();
    let _end = End;
    let mut world = World::new(seed);
    world.stir();
    world.mend();
    world.run_dry();
    laws::judge(&mut world);
    world.course
}

/// At the end of a world threads that wait may go.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        task::gate().open();
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let place = folder();
        let hand = || Arc::new(AtomicI64::new(BEGIN.millis()));
        let tsa = hand();
        let town = Town {
            net: Net::default(),
            seen: Eavesdropper::default(),
            tsa_down: Arc::default(),
            tsa_clock: Clock::Hand(Arc::clone(&tsa)),
        };
        let letters = letters::write(&mut dice);
        let seals = (0..HOUSES).map(|_| usize::from(!dice.once_in(4))).collect();
        let mut world = Self {
            dice,
            houses: (0..HOUSES).map(|_| None).collect(),
            book: Arc::new(Mutex::new(letters)),
            jumped: 0,
            closed: BTreeSet::new(),
            replies: Arc::default(),
            costs: laws::credits::are_asked_for(seed),
            clocks: (0..HOUSES).map(|_| hand()).collect(),
            tsa,
            now: BEGIN.millis(),
            folders: build(place.path()),
            seals,
            tasks: Vec::new(),
            next_task: 0,
            memories: (0..HOUSES).map(|_| Memory::default()).collect(),
            aloud: std::env::var_os("KEP_SIM_SEED").is_some(),
            course: Course { log: Vec::new(), broken: Vec::new() },
            town,
            _place: place,
        };
        (0..HOUSES).for_each(|house| world.open(house));
        if world.costs {
            (0..HOUSES).for_each(|house| laws::credits::ask_for(world.house(house)));
        }
        world
    }

    pub fn say(&mut self, what: String) {
        let line = format!("{:>9} {what}", self.now - BEGIN.millis());
        // Of a world that is looked at alone: a panic takes the log with it.
        if self.aloud {
            println!("{line}");
        }
        self.course.log.push(line);
    }

    pub fn broken(&mut self, what: String) {
        self.course.broken.push(what);
    }

    /// Anything may happen.
    fn stir(&mut self) {
        for _ in 0..DEEDS {
            let tick = 1 + self.dice.below(40) as i64;
            self.pass(tick);
            let before = self.course.log.len();
            // What can't be done now is no deed.
            for _ in 0..TRIES {
                self.deed();
                if self.course.log.len() > before {
                    break;
                }
            }
            self.settle();
            self.rise();
        }
    }

    fn deed(&mut self) {
        match self.dice.weighed(&[36, 8, 26, 16, 8, 8, 5, 2, 5, 7]) {
            0 => self.go_on_for_a_while(),
            1 => self.carry(Fare::Whole),
            2 => self.take(),
            3 => self.look(),
            4 => self.hand_in(),
            5 => people::somebody_opens(self),
            6 => self.jump(),
            7 => self.end_windows(),
            8 => faults::strike(self),
            _ => faults::ease(self),
        }
    }

    /// A few tasks and wires, each by one step.
    fn go_on_for_a_while(&mut self) {
        for _ in 0..1 + self.dice.below(STRIDE) {
            match self.dice.once_in(2) {
                true => self.go_on(),
                false => self.carry(Fare::Whole),
            }
            self.settle();
        }
    }

    fn go_on(&mut self) {
        let ready: Vec<_> = (0..self.tasks.len()).filter(|n| self.tasks[*n].can_go_on()).collect();
        if let Some(n) = self.dice.pick(&ready).copied() {
            self.go_on_with(n);
        }
    }

    fn go_on_with(&mut self, n: usize) {
        let ended = self.tasks[n].go_on();
        let end = if ended { " ends" } else { "" };
        self.say(format!("#{} {}{end}", self.tasks[n].id, self.tasks[n].name));
        if ended {
            self.tasks.remove(n);
        }
    }

    pub fn carry(&mut self, fare: Fare) {
        let flights = self.town.net.in_flight();
        if let Some((wire, way)) = self.dice.pick(&flights).copied() {
            self.say(format!("wire {wire}.{way} carries: {fare:?}"));
            self.town.net.carry(wire, way, fare);
        }
    }

    fn take(&mut self) {
        let (house, step) = (self.dice.below(HOUSES), self.dice.below(STEPS.len()));
        self.take_of(house, step);
    }

    fn take_of(&mut self, house: usize, step: usize) -> bool {
        let Some(taken) = self.houses[house].as_ref().and_then(|house| house.take(step)) else {
            return false;
        };
        let word = taken.job.name.rsplit('/').next().unwrap_or_default().to_owned();
        let word = if word.contains('@') { String::new() } else { format!(" {word}") };
        let name = format!("{}{word}", STEPS[step].word());
        let Some(work) = self.houses[house].as_ref().map(|at| at.carry_out(step, taken)) else {
            return false;
        };
        self.spawn(Some(house), name, work);
        true
    }

    fn look(&mut self) {
        let (house, to) = (self.dice.below(HOUSES), self.dice.below(HOUSES));
        self.look_for(house, to);
    }

    fn look_for(&mut self, house: usize, to: usize) -> bool {
        let name = format!("relay to {}", to + 1);
        let mine = |task: &&Task| task.is_of(house) && task.name == name;
        let busy = self.tasks.iter().filter(mine).count();
        let Some(at) = &self.houses[house] else { return false };
        let bags = at.mailbags(to, busy);
        let work: Vec<_> = bags.into_iter().map(|bag| at.bring(bag)).collect();
        let any = !work.is_empty();
        work.into_iter().for_each(|work| self.spawn(Some(house), name.clone(), work));
        any
    }

    fn end_windows(&mut self) {
        let house = self.dice.below(HOUSES);
        self.end_windows_of(house);
    }

    fn end_windows_of(&mut self, house: usize) {
        if let Some(work) = self.houses[house].as_ref().map(House::end_windows) {
            self.spawn(Some(house), "windows".to_owned(), work);
        }
    }

    /// A letter is handed in: for the first time, again because nothing was heard, or again though it was.
    fn hand_in(&mut self) {
        let count = self.book.lock().unwrap().len();
        let n = self.dice.below(count);
        let (busy, settled, away) = {
            let letters = self.book.lock().unwrap();
            let away = self.closed.contains(&letters[n].from);
            (letters[n].under_way, letters[n].is_settled(), away)
        };
        if busy < 2 && !away && (!settled || self.dice.once_in(4)) {
            self.hand_in_again(n);
            // Some programs have two connections, and say it on both.
            if busy == 0 && self.dice.once_in(2) {
                self.hand_in_again(n);
            }
        }
    }

    fn hand_in_again(&mut self, n: usize) {
        let work = letters::hand_in(Arc::clone(&self.book), n, self.town.net.clone());
        self.spawn(None, format!("letter {n}"), work);
    }

    fn jump(&mut self) {
        let far = [500, 2_000, 15_000, MINUTE, 2 * MINUTE, 5 * MINUTE, HOUR, 5 * HOUR, 13 * HOUR];
        let far = far[self.dice.weighed(&[2, 3, 3, 5, 4, 3, 2, 1, 2])];
        if self.jumped + far < MOST_JUMPED {
            self.jumped += far;
            self.pass(far);
            self.say(format!("{} s pass", far / 1000));
        }
    }

    pub fn pass(&mut self, millis: i64) {
        self.now += millis;
        for clock in self.clocks.iter().chain([&self.tsa]) {
            clock.fetch_add(millis, Ordering::Relaxed);
        }
    }

    /// A house's clock goes wrong by so much; the authority's, when no house is named.
    pub fn skew(&mut self, house: Option<usize>, millis: i64) {
        let clock = house.map_or(&self.tsa, |house| &self.clocks[house]);
        clock.store(self.now + millis, Ordering::Relaxed);
    }

    pub fn spawn(
        &mut self,
        house: Option<usize>,
        name: String,
        work: impl Future<Output = ()> + 'static,
    ) {
        let id = self.next_task;
        self.next_task += 1;
        let at = house.map_or("client".to_owned(), |house| format!("house {}", house + 1));
        self.say(format!("#{id} {name} begins at {at}"));
        let disk = |house: usize| Some((house, Arc::clone(&self.houses[house].as_ref()?.disk)));
        self.tasks.push(Task::new(id, house.and_then(disk), name, work));
    }

    pub fn house(&self, house: usize) -> &House {
        self.houses[house].as_ref().unwrap()
    }

    pub fn house_of(&self, address: &str) -> &House {
        self.house(house_of(address))
    }

    pub fn now(&self) -> kep::wire::Timestamp {
        kep::wire::Timestamp::from_millis(self.now)
    }
}

const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;
/// Evidence mails wait five days for a house; nobody is away as long.
const MOST_JUMPED: i64 = 72 * HOUR;
const DEEDS: usize = 300;
const TRIES: usize = 8;
const STRIDE: usize = 16;
