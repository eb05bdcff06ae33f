//! Applications for accounts (başvuru): papers, a check, two different people's approval, activation. Each
//! state has what belongs to it, and each step is one transaction with its line in the audit.

mod activation;
mod papers;
mod records;

pub use activation::{Beginning, activate, activate_in, begin};
pub use papers::{Paper, PaperKind, missing};
pub use records::{add, add_in, find, find_in, list, list_in, step, step_in};

use super::accounts::{OpeningMode, SignatureRule};
use super::holders::{Contact, ContactForm, Holder, HolderForm};
use super::standing::Service;
use crate::wire::{AccountId, ApplicationId, KepAddress, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    pub id: ApplicationId,
    pub wish: Wish,
    pub state: State,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// What is applied for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    pub purpose: Purpose,
    pub address: KepAddress,
    pub holder: Holder,
    pub contact: Contact,
    pub service: Service,
    pub opening: OpeningMode,
    /// `None`: as the provider's settings have it.
    pub signature: Option<SignatureRule>,
    /// Months of the first term; without it as the policy has it.
    pub months: Option<u32>,
    pub papers: Vec<Paper>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// A new account.
    Opening,
    /// The old holder's account that was closed or has ended.
    Reopening,
}

/// Who did a step, and when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hand {
    pub staff: String,
    /// Milliseconds.
    pub at: i64,
}

/// How far an application is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "lowercase")]
pub enum State {
    Created {
        by: Hand,
    },
    /// The papers are there and were looked at.
    Checked {
        check: Hand,
    },
    /// One of two approvals.
    Seconded {
        check: Hand,
        first: Hand,
    },
    Approved {
        check: Hand,
        first: Hand,
        second: Hand,
    },
    Activated {
        check: Hand,
        first: Hand,
        second: Hand,
        by: Hand,
        account: i64,
    },
    Refused {
        by: Hand,
        reason: String,
        /// Nobody gets the address: it would be taken for somebody else's.
        blocked: bool,
    },
    Withdrawn {
        by: Hand,
        reason: String,
    },
}

/// What brings an application on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    Check,
    Approve,
    Activate { account: AccountId },
    Refuse { reason: String, block: bool },
    Withdraw { reason: String },
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ApplicationError {
    #[error("there is no application {0}")]
    Unknown(ApplicationId),
    #[error("the application is {stage}; it can't be {done} now")]
    Mistimed { stage: &'static str, done: &'static str },
    #[error("papers are missing: {}", .0.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "))]
    Papers(Vec<PaperKind>),
    #[error("{0} checked or approved it: each approval is another person's")]
    SameHand(String),
    #[error("an application is worked on by staff who are named")]
    Nameless,
    #[error("{0} is open; nothing is to be opened again")]
    Open(KepAddress),
}

impl State {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created { .. } => "created",
            Self::Checked { .. } => "checked",
            Self::Seconded { .. } => "seconded",
            Self::Approved { .. } => "approved",
            Self::Activated { .. } => "activated",
            Self::Refused { .. } => "refused",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    pub const WORDS: [&'static str; 7] =
        ["created", "checked", "seconded", "approved", "activated", "refused", "withdrawn"];

    /// Who did what so far, in order, as far as the state knows it.
    pub fn hands(&self) -> Vec<(&'static str, &Hand)> {
        match self {
            Self::Created { by } => vec![("created", by)],
            Self::Checked { check } => vec![("checked", check)],
            Self::Seconded { check, first } => vec![("checked", check), ("approved", first)],
            Self::Approved { check, first, second } => {
                vec![("checked", check), ("approved", first), ("approved", second)]
            }
            Self::Activated { check, first, second, by, .. } => vec![
                ("checked", check),
                ("approved", first),
                ("approved", second),
                ("activated", by),
            ],
            Self::Refused { by, .. } => vec![("refused", by)],
            Self::Withdrawn { by, .. } => vec![("withdrawn", by)],
        }
    }

    /// Whether the address is kept for it, or from everybody. That of an account is kept by the account.
    pub fn holds(&self) -> bool {
        match self {
            Self::Created { .. }
            | Self::Checked { .. }
            | Self::Seconded { .. }
            | Self::Approved { .. } => true,
            Self::Refused { blocked, .. } => *blocked,
            Self::Activated { .. } | Self::Withdrawn { .. } => false,
        }
    }

    /// What becomes of it; `papers` says which are missing.
    pub fn after(
        &self,
        step: Step,
        hand: Hand,
        papers: &[PaperKind],
    ) -> Result<Self, ApplicationError> {
        let done = step.done();
        let over =
            matches!(self, Self::Activated { .. } | Self::Refused { .. } | Self::Withdrawn { .. });
        match (self.clone(), step) {
            (Self::Created { .. }, Step::Check) if !papers.is_empty() => {
                Err(ApplicationError::Papers(papers.to_vec()))
            }
            (Self::Created { .. }, Step::Check) => Ok(Self::Checked { check: hand }),
            (Self::Checked { check } | Self::Seconded { check, .. }, Step::Approve)
                if same(&check.staff, &hand.staff) =>
            {
                Err(ApplicationError::SameHand(check.staff))
            }
            (Self::Checked { check }, Step::Approve) => Ok(Self::Seconded { check, first: hand }),
            (Self::Seconded { first, .. }, Step::Approve) if same(&first.staff, &hand.staff) => {
                Err(ApplicationError::SameHand(first.staff))
            }
            (Self::Seconded { check, first }, Step::Approve) => {
                Ok(Self::Approved { check, first, second: hand })
            }
            (Self::Approved { check, first, second }, Step::Activate { account }) => {
                Ok(Self::Activated { check, first, second, by: hand, account: account.0 })
            }
            (_, Step::Refuse { reason, block }) if !over => {
                Ok(Self::Refused { by: hand, reason, blocked: block })
            }
            (_, Step::Withdraw { reason }) if !over => Ok(Self::Withdrawn { by: hand, reason }),
            _ => Err(ApplicationError::Mistimed { stage: self.word(), done }),
        }
    }
}

impl Step {
    fn done(&self) -> &'static str {
        match self {
            Self::Check => "checked",
            Self::Approve => "approved",
            Self::Activate { .. } => "activated",
            Self::Refuse { .. } => "refused",
            Self::Withdraw { .. } => "withdrawn",
        }
    }

    fn act(&self) -> &'static str {
        match self {
            Self::Check => "application.check",
            Self::Approve => "application.approve",
            Self::Activate { .. } => "application.activate",
            Self::Refuse { .. } => "application.refuse",
            Self::Withdraw { .. } => "application.withdraw",
        }
    }
}

/// Whoever writes his name in capital letters is no second person.
fn same(one: &str, other: &str) -> bool {
    crate::wire::fold::fold(one.trim()) == crate::wire::fold::fold(other.trim())
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct WishForm {
    purpose: Purpose,
    holder: HolderForm,
    contact: ContactForm,
    service: String,
    opening: String,
    signature: Option<String>,
    months: Option<u32>,
    papers: Vec<Paper>,
}

#[cfg(test)]
mod tests;
