//! What a command says when it fails: one line, a hint, and an exit code as in sysexits.h.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    hint: Option<String>,
}

pub type Outcome<T = ExitCode> = Result<T, Failure>;

impl Failure {
    /// Used wrongly.
    pub fn usage(message: impl Display) -> Self {
        Self::with(64, message)
    }

    /// What was given is not what it should be.
    pub fn data(message: impl Display) -> Self {
        Self::with(65, message)
    }

    /// What was named is not there.
    pub fn not_found(message: impl Display) -> Self {
        Self::with(66, message)
    }

    /// Something needed does not answer.
    pub fn unavailable(message: impl Display) -> Self {
        Self::with(69, message)
    }

    pub fn software(message: impl Display) -> Self {
        Self::with(70, message)
    }

    /// A file can't be made.
    pub fn cannot_create(message: impl Display) -> Self {
        Self::with(73, message)
    }

    /// Who asks may not.
    pub fn refused(message: impl Display) -> Self {
        Self::with(77, message)
    }

    /// A disk failed.
    pub fn io(message: impl Display) -> Self {
        Self::with(74, message)
    }

    pub fn config(message: impl Display) -> Self {
        Self::with(78, message)
    }

    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    pub fn report(&self) -> ExitCode {
        eprintln!("kep: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        ExitCode::from(self.code)
    }

    fn with(code: u8, message: impl Display) -> Self {
        Self { code, message: message.to_string(), hint: None }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
