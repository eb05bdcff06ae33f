//! Progress on a terminal, a line that is written over; nothing elsewhere.

use std::io::IsTerminal;

pub struct Bar {
    shown: bool,
    on: bool,
}

impl Bar {
    pub fn new() -> Self {
        Self { shown: false, on: std::io::stderr().is_terminal() }
    }

    pub fn show(&mut self, part: &str, done: impl std::fmt::Display, of: impl std::fmt::Display) {
        if self.on {
            eprint!("\r{part} {done} of {of}   ");
            self.shown = true;
        }
    }

    pub fn clear(&mut self) {
        if self.shown {
            eprint!("\r{:40}\r", "");
        }
    }
}
