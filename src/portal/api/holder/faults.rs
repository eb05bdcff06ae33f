//! What is wrong with a form, in the language that was asked for.

use crate::portal::api::call::Call;
use crate::portal::api::problem::Problem;
use crate::portal::api::tongue::Tongue;
use crate::registry::RegistryError;
use crate::registry::credentials::{CredentialError, PasswordFault};
use crate::registry::holders::Faults;
use crate::registry::operators::{OperatorError, PersonFault};

/// An error that may be about what stands in a form.
pub trait Unfit {
    fn problem(self, tongue: Tongue) -> Problem;
}

impl Call {
    pub fn unfit(&self, error: impl Unfit) -> Problem {
        error.problem(self.tongue)
    }
}

impl Unfit for Faults {
    fn problem(self, tongue: Tongue) -> Problem {
        let said = |one: &crate::registry::holders::Wrong| match tongue {
            Tongue::Turkish => format!("{}: {}", one.field, one.fault.turkish()),
            Tongue::English => format!("{}: {}", one.field, one.fault.english()),
        };
        Problem::FormUnfit(self.0.iter().map(said).collect::<Vec<_>>().join(" "))
    }
}

impl Unfit for PersonFault {
    fn problem(self, tongue: Tongue) -> Problem {
        Problem::FormUnfit(match tongue {
            Tongue::Turkish => self.turkish(),
            Tongue::English => self.to_string(),
        })
    }
}

impl Unfit for PasswordFault {
    fn problem(self, tongue: Tongue) -> Problem {
        Problem::PasswordUnfit(match tongue {
            Tongue::Turkish => self.turkish(),
            Tongue::English => self.english(),
        })
    }
}

impl Unfit for CredentialError {
    fn problem(self, tongue: Tongue) -> Problem {
        match self {
            Self::Password(fault) => fault.problem(tongue),
            Self::Registry(error) => error.problem(tongue),
            other => other.into(),
        }
    }
}

impl Unfit for RegistryError {
    fn problem(self, tongue: Tongue) -> Problem {
        match self {
            Self::Holder(faults) => faults.problem(tongue),
            other => other.into(),
        }
    }
}

impl Unfit for OperatorError {
    fn problem(self, tongue: Tongue) -> Problem {
        match self {
            Self::Person(fault) => fault.problem(tongue),
            Self::Registry(error) => error.problem(tongue),
            other => other.into(),
        }
    }
}
