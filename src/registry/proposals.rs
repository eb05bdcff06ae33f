//! What two of the staff do: one proposes it, another one approves it, and it is done in that transaction,
//! by the rules of that time. Nothing is done before, and who has left approves and is approved no more.

use super::audit::{self, Actor, By};
use super::closings::reasoned;
use super::credits::{self, Addition, CreditError, Done, Unit};
use super::holds::{self, HoldError};
use super::staff::{self, OffDuty, StaffRole};
use super::{RegistryError, accounts};
use crate::store::proposals::{self as rows, ProposalRow};
use crate::store::{RowsError, StoreError, Tx};
use crate::wire::{KepAddress, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;

/// What is proposed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    PlaceHold {
        address: String,
        message: Option<String>,
        reason: String,
    },
    ReleaseHold {
        hold: i64,
        reason: String,
    },
    /// Sets an account's credits right.
    Correct {
        address: String,
        sms: bool,
        amount: i64,
        reason: String,
        reference: String,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    pub id: i64,
    /// The address that it is about.
    pub subject: String,
    pub act: Act,
    pub by: String,
    pub at: Timestamp,
    pub state: State,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    Open,
    /// What came of it: the number of a hold.
    Done {
        by: String,
        at: Timestamp,
        made: Option<i64>,
    },
    Refused {
        by: String,
        at: Timestamp,
        reason: String,
    },
    /// By who proposed it.
    Withdrawn {
        at: Timestamp,
        reason: String,
    },
}

#[derive(Debug, Error)]
pub enum ProposalError {
    #[error("there is no proposal {0}")]
    Unknown(i64),
    #[error("proposal {0} is {1}")]
    Over(i64, &'static str),
    #[error("{0} proposed it: another member of staff approves")]
    SamePerson(String),
    #[error("{0}, who proposed it, may not any more")]
    Gone(String),
    #[error("only staff proposes and decides")]
    NotStaff,
    #[error(transparent)]
    OffDuty(#[from] OffDuty),
    #[error(transparent)]
    Hold(#[from] HoldError),
    #[error(transparent)]
    Credit(#[from] CreditError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl From<RowsError> for ProposalError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<StoreError> for ProposalError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl Act {
    pub fn word(&self) -> &'static str {
        match self {
            Self::PlaceHold { .. } => "place-hold",
            Self::ReleaseHold { .. } => "release-hold",
            Self::Correct { .. } => "correct",
        }
    }

    /// Who may propose it.
    pub fn proposers(&self) -> &'static [StaffRole] {
        match self {
            Self::PlaceHold { .. } | Self::ReleaseHold { .. } => holds::BY,
            Self::Correct { .. } => &[StaffRole::Accountant],
        }
    }

    /// Whether it could be done now, and what it is about.
    fn subject(&self, tx: &mut Tx<'_>) -> Result<String, ProposalError> {
        Ok(match self {
            Self::PlaceHold { address, message, reason } => {
                let (address, message) = (parsed(address)?, message_id(message.as_deref())?);
                holds::holdable(tx, &address, message.as_ref())?;
                reasoned(reason, false)?;
                address.to_string()
            }
            Self::ReleaseHold { hold, reason } => {
                reasoned(reason, false)?;
                holds::in_force(tx, *hold)?.address
            }
            Self::Correct { address, .. } => {
                let address = parsed(address)?;
                accounts::get_in(tx, &address)?;
                credits::sound(&self.addition())?;
                address.to_string()
            }
        })
    }

    fn addition(&self) -> Addition {
        match self {
            Self::Correct { sms, amount, reason, reference, .. } => Addition {
                unit: if *sms { Unit::Sms } else { Unit::Credit },
                amount: *amount,
                reason: reason.clone(),
                reference: reference.clone(),
            },
            Self::PlaceHold { .. } | Self::ReleaseHold { .. } => {
                let (reason, reference) = (String::new(), String::new());
                Addition { unit: Unit::Credit, amount: 0, reason, reference }
            }
        }
    }

    /// `first` proposed it, `second` approves it. What came of it, where that has a number.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        first: &By,
        second: &str,
    ) -> Result<Option<i64>, ProposalError> {
        Ok(match self {
            Self::PlaceHold { address, message, reason } => {
                let (address, message) = (parsed(address)?, message_id(message.as_deref())?);
                let message = message.as_ref();
                Some(holds::place_in(tx, first, second, &address, message, reason)?)
            }
            Self::ReleaseHold { hold, reason } => {
                holds::release_in(tx, first, second, *hold, reason)?;
                Some(*hold)
            }
            Self::Correct { address, .. } => {
                let what = self.addition();
                match credits::correct_in(tx, first, second, &parsed(address)?, &what)? {
                    Done::Now(_) => None,
                    // It would do nothing, and be said to be done.
                    Done::Before(_) => return Err(CreditError::Taken(what.reference).into()),
                }
            }
        })
    }
}

impl State {
    pub const WORDS: [&'static str; 4] = ["open", DONE, REFUSED, WITHDRAWN];

    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done { .. } => DONE,
            Self::Refused { .. } => REFUSED,
            Self::Withdrawn { .. } => WITHDRAWN,
        }
    }
}

/// Lays a proposal in, which could be done as things stand.
pub fn propose(tx: &mut Tx<'_>, act: &Act, by: &By) -> Result<Proposal, ProposalError> {
    let name = staff_name(by)?;
    staff::on_duty::<ProposalError>(tx, &name, act.proposers())?;
    let subject = act.subject(tx)?;
    let written = serde_json::to_string(act).map_err(|_| RowsError::Stored("a proposal"))?;
    let id = rows::add(tx, &subject, &written, (&name, by.at))?;
    let details = json!({ "proposal": id, "what": act });
    audit::record(tx, by, "proposal.add", &subject, details)?;
    find(tx, id)
}

pub fn find(tx: &mut Tx<'_>, id: i64) -> Result<Proposal, ProposalError> {
    Ok(proposal(rows::find(tx, id)?.ok_or(ProposalError::Unknown(id))?)?)
}

/// Of one state or of all, the newest first; before this number, where one is given.
pub fn page(
    tx: &mut Tx<'_>,
    state: Option<&str>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<Proposal>, RowsError> {
    rows::page(tx, state, before, most)?.into_iter().map(proposal).collect()
}

/// Does what was proposed, by another than who proposed it, once.
pub fn approve(tx: &mut Tx<'_>, id: i64, by: &By) -> Result<Proposal, ProposalError> {
    let second = staff_name(by)?;
    let found = find(tx, id)?;
    if found.by == second {
        return Err(ProposalError::SamePerson(second));
    }
    staff::on_duty::<ProposalError>(tx, &second, &[StaffRole::Approver])?;
    decided(tx, &found, DONE, (&second, by.at), None)?;
    if !staff::has_one_of(tx, &found.by, found.act.proposers())? {
        return Err(ProposalError::Gone(found.by));
    }
    let details = json!({ "proposal": id, "what": found.act.word(), "proposed_by": found.by });
    audit::record(tx, by, "proposal.approve", &found.subject, details)?;
    let first = By { actor: Actor::Staff(found.by.clone()), ..by.clone() };
    if let Some(made) = found.act.carry_out(tx, &first, &second)? {
        rows::set_made(tx, id, made)?;
    }
    find(tx, id)
}

/// It will not be done. Who proposed it takes it back.
pub fn refuse(tx: &mut Tx<'_>, id: i64, reason: &str, by: &By) -> Result<Proposal, ProposalError> {
    let (name, reason) = (staff_name(by)?, reasoned(reason, false)?);
    let found = find(tx, id)?;
    let (state, act) = match found.by == name {
        true => (WITHDRAWN, "proposal.withdraw"),
        false => {
            staff::on_duty::<ProposalError>(tx, &name, &[StaffRole::Approver])?;
            (REFUSED, "proposal.refuse")
        }
    };
    decided(tx, &found, state, (&name, by.at), Some(&reason))?;
    let details = json!({ "proposal": id, "what": found.act.word(), "reason": reason });
    audit::record(tx, by, act, &found.subject, details)?;
    find(tx, id)
}

fn decided(
    tx: &mut Tx<'_>,
    found: &Proposal,
    state: &str,
    by: (&str, Timestamp),
    reason: Option<&str>,
) -> Result<(), ProposalError> {
    match rows::decide(tx, found.id, state, by, reason)? {
        true => Ok(()),
        // Whoever was faster is seen now.
        false => Err(ProposalError::Over(found.id, find(tx, found.id)?.state.word())),
    }
}

fn proposal(row: ProposalRow) -> Result<Proposal, RowsError> {
    let stored = || RowsError::Stored("a proposal");
    let decided = row.decided_by.zip(row.decided_at);
    let reason = row.reason.unwrap_or_default();
    let state = match (row.state.as_str(), decided) {
        ("open", _) => State::Open,
        (DONE, Some((by, at))) => State::Done { by, at, made: row.made },
        (REFUSED, Some((by, at))) => State::Refused { by, at, reason },
        (WITHDRAWN, Some((_, at))) => State::Withdrawn { at, reason },
        _ => return Err(stored()),
    };
    Ok(Proposal {
        id: row.id,
        subject: row.subject,
        act: serde_json::from_str(&row.act).map_err(|_| stored())?,
        by: row.proposed_by,
        at: row.proposed_at,
        state,
    })
}

fn staff_name(by: &By) -> Result<String, ProposalError> {
    match &by.actor {
        Actor::Staff(name) => Ok(name.clone()),
        Actor::System(_) | Actor::Person { .. } => Err(ProposalError::NotStaff),
    }
}

fn parsed(address: &str) -> Result<KepAddress, RegistryError> {
    KepAddress::parse(address).map_err(RegistryError::Address)
}

fn message_id(text: Option<&str>) -> Result<Option<MessageId>, HoldError> {
    let parsed =
        |text: &str| MessageId::parse(text).ok_or_else(|| HoldError::NoMessage(text.to_owned()));
    text.map(parsed).transpose()
}

const DONE: &str = "done";
const REFUSED: &str = "refused";
const WITHDRAWN: &str = "withdrawn";
