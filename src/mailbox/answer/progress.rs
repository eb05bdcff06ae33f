//! How far a long ask is; read by the connection while it is being answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicUsize,
    goal: AtomicUsize,
}

impl Counter {
    /// A new ask is about so many messages; 0 when nobody knows.
    pub fn begin(&self, goal: usize) {
        self.0.done.store(0, Ordering::Relaxed);
        self.0.goal.store(goal, Ordering::Relaxed);
    }

    pub fn add(&self, done: usize) {
        self.0.done.fetch_add(done, Ordering::Relaxed);
    }

    /// How many are done, and of how many.
    pub fn get(&self) -> Option<(usize, usize)> {
        let goal = self.0.goal.load(Ordering::Relaxed);
        let done = self.0.done.load(Ordering::Relaxed).min(goal);
        (goal > 0).then_some((done, goal))
    }
}
