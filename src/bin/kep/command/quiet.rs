//! A terminal that doesn't show what is typed, by stty(1).

use std::io::IsTerminal;
use std::process::{Command, Stdio};

/// Shows again when dropped.
pub struct Quiet {
    quiet: bool,
}

impl Quiet {
    /// Nothing to do where standard input is no terminal.
    pub fn begin() -> Self {
        let terminal = std::io::stdin().is_terminal();
        let quiet = terminal && stty("-echo");
        if terminal && !quiet {
            eprint!("(it will be seen) ");
        }
        Self { quiet }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.quiet {
            stty("echo");
            eprintln!();
        }
    }
}

fn stty(word: &str) -> bool {
    let mut command = Command::new("stty");
    command.arg(word).stdin(Stdio::inherit()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
