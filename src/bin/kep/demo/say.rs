//! Progress, line by line, in Turkish and English; nothing when JSON is asked for.

use crate::command::show;
use std::cell::Cell;
use tokio::time::Instant;

pub struct Say {
    quiet: bool,
    step: Cell<u32>,
    began: Instant,
}

impl Say {
    pub fn new(quiet: bool) -> Self {
        Self { quiet, step: Cell::new(0), began: Instant::now() }
    }

    pub fn step(&self, turkish: &str, english: &str) {
        self.step.set(self.step.get() + 1);
        let (step, seconds) = (self.step.get(), self.seconds());
        self.line(&format!("{step:>2}. {turkish} · {english} ({seconds:.1} s)"));
    }

    pub fn detail(&self, text: &str) {
        self.line(&format!("    {text}"));
    }

    /// Since the beginning.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            // Progress that can't be shown is no reason to stop.
            let _ = show::write(&format!("{text}\n"));
        }
    }
}
