//! Authorities' requests (makam talebi): who asks, by which right, for what of which account. One of the
//! staff enters it, another one decides; what is handed out is sealed by the provider and encrypted for
//! the authority while it is written, so that none of the staff sees content.

mod run;

pub use run::{Written, export};

use super::audit::{self, Actor, By};
use super::export::{ExportError, Extent};
use super::staff::{self as members, OffDuty, StaffRole};
use crate::store::authority::{self as rows, RequestRow};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts};
use crate::trust::Certificate;
use crate::trust::detached::WordError;
use crate::trust::envelope::{self, EnvelopeError};
use crate::wire::{KepAddress, Timestamp};
use serde_json::json;
use thiserror::Error;

pub use crate::store::authority::ExportRow as HandedOut;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    Mails,
    Evidence,
    All,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    Entered,
    Approved(Decided),
    Refused(Decided),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    pub by: String,
    pub at: Timestamp,
    pub reason: String,
}

/// A request as it is entered.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// Who asks: the court, the prosecutor, the ministry.
    pub authority: String,
    pub file_number: String,
    /// By which law.
    pub legal_basis: String,
    pub address: KepAddress,
    pub scope: Scope,
    pub from: Timestamp,
    /// Not any more.
    pub until: Timestamp,
    /// Whom the export is for.
    pub certificate: Certificate,
    pub note: String,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub id: i64,
    pub authority: String,
    pub file_number: String,
    pub legal_basis: String,
    pub address: String,
    pub scope: Scope,
    pub from: Timestamp,
    pub until: Timestamp,
    pub certificate: Certificate,
    pub note: String,
    pub entered_by: String,
    pub entered_at: Timestamp,
    pub state: State,
    extent: Extent,
}

#[derive(Debug, Error)]
pub enum AuthorityError {
    #[error("only staff enters, decides and exports requests")]
    NotStaff,
    #[error("{0} entered the request; another member of staff decides")]
    OnePerson(String),
    #[error(transparent)]
    OffDuty(#[from] OffDuty),
    #[error("{what} is one line of 1 to {most} characters")]
    Line { what: &'static str, most: usize },
    #[error("the period ends after it begins")]
    Period,
    #[error("there is no account {0}")]
    UnknownAccount(String),
    #[error("there is no request {0}")]
    Unknown(i64),
    #[error("request {0} is decided already: {1}")]
    DecidedAlready(i64, String),
    #[error("request {0} is not approved: {1}")]
    NotApproved(i64, String),
    #[error("the authority's certificate: {0}")]
    Certificate(String),
    #[error("{0} is there already")]
    Exists(String),
    #[error("the export: {0}")]
    Envelope(#[from] EnvelopeError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the export can't be sealed now: {0}")]
    Word(#[from] WordError),
    #[error("the export's file: {0}")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RowsError> for AuthorityError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// Enters a request; its number.
pub async fn enter(store: &Store, by: &By, new: NewRequest) -> Result<i64, AuthorityError> {
    let by = by.clone();
    store.write(Lane::Client, move |tx: &mut Tx<'_>| enter_in(tx, &by, &new)).await
}

/// The same within somebody's transaction.
pub fn enter_in(tx: &mut Tx<'_>, by: &By, new: &NewRequest) -> Result<i64, AuthorityError> {
    let name = staff(by)?;
    members::on_duty::<AuthorityError>(tx, &name, ENTERS)?;
    if new.from >= new.until {
        return Err(AuthorityError::Period);
    }
    let suits = envelope::suits(&new.certificate, by.at);
    suits.map_err(|error| AuthorityError::Certificate(error.to_string()))?;
    let account = accounts::by_address(tx, new.address.as_str())?;
    let account = account.ok_or_else(|| AuthorityError::UnknownAccount(new.address.to_string()))?;
    let row = RequestRow {
        id: 0,
        authority: line("the authority", &new.authority)?,
        file_number: line("the file number", &new.file_number)?,
        legal_basis: line("the legal basis", &new.legal_basis)?,
        account: account.id,
        address: new.address.to_string(),
        scope: new.scope.word().to_owned(),
        from: new.from,
        until: new.until,
        certificate: new.certificate.der().to_vec(),
        note: match new.note.trim() {
            "" => String::new(),
            note => line("a note", note)?,
        },
        entered_by: name,
        entered_at: by.at,
        state: ENTERED.to_owned(),
        decided_by: None,
        decided_at: None,
        decision: None,
    };
    let id = rows::enter(tx, &row)?;
    let details = json!({
        "request": id, "authority": row.authority, "file": row.file_number,
        "basis": row.legal_basis, "scope": row.scope, "from": row.from.iso8601(),
        "until": row.until.iso8601(), "certificate": new.certificate.digest().hex(),
    });
    audit::record(tx, by, "authority.request", &row.address, details)?;
    Ok(id)
}

/// Approves it, or refuses it: another than who entered it, once.
pub async fn decide(
    store: &Store,
    by: &By,
    id: i64,
    approve: bool,
    reason: &str,
) -> Result<(), AuthorityError> {
    let (reason, by) = (reason.to_owned(), by.clone());
    store.write(Lane::Client, move |tx: &mut Tx<'_>| decide_in(tx, &by, id, approve, &reason)).await
}

/// The same within somebody's transaction.
pub fn decide_in(
    tx: &mut Tx<'_>,
    by: &By,
    id: i64,
    approve: bool,
    reason: &str,
) -> Result<(), AuthorityError> {
    let (name, reason) = (staff(by)?, line("a reason", reason)?);
    let (state, act) = match approve {
        true => (APPROVED, "authority.approve"),
        false => (REFUSED, "authority.refuse"),
    };
    members::on_duty::<AuthorityError>(tx, &name, DECIDES)?;
    // Two who decide at the same time: one statement tells who was first.
    let decided = rows::decide(tx, id, state, (&name, by.at), &reason)?;
    let request = rows::find(tx, id)?.ok_or(AuthorityError::Unknown(id))?;
    if !decided {
        return Err(match request.state == ENTERED {
            true => AuthorityError::OnePerson(name),
            false => AuthorityError::DecidedAlready(id, request.state),
        });
    }
    if approve {
        members::on_duty::<AuthorityError>(tx, &request.entered_by, ENTERS)?;
    }
    let details = json!({
        "request": id, "file": request.file_number, "entered": request.entered_by,
        "reason": reason,
    });
    audit::record(tx, by, act, &request.address, details)?;
    Ok(())
}

pub async fn find(store: &Store, id: i64) -> Result<Request, AuthorityError> {
    store.read(move |tx: &mut Tx<'_>| find_in(tx, id)).await
}

pub fn find_in(tx: &mut Tx<'_>, id: i64) -> Result<Request, AuthorityError> {
    Request::of(rows::find(tx, id)?.ok_or(AuthorityError::Unknown(id))?)
}

/// Some of them with what was handed out, the newest first; before this number, where one is given.
pub fn page(
    tx: &mut Tx<'_>,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<(Request, Vec<HandedOut>)>, AuthorityError> {
    let mut all = Vec::new();
    for row in rows::page(tx, before, most)? {
        let exports = rows::exports(tx, row.id)?;
        all.push((Request::of(row)?, exports));
    }
    Ok(all)
}

/// What was handed out for a request.
pub fn handed_out(tx: &mut Tx<'_>, id: i64) -> Result<Vec<HandedOut>, RowsError> {
    rows::exports(tx, id)
}

/// All of them with what was handed out, the newest first.
pub async fn list(store: &Store) -> Result<Vec<(Request, Vec<HandedOut>)>, AuthorityError> {
    store.read(|tx: &mut Tx<'_>| page(tx, None, ALL)).await
}

impl Request {
    fn of(row: RequestRow) -> Result<Self, AuthorityError> {
        let scope = Scope::parse(&row.scope).ok_or(RowsError::Stored("a request's scope"))?;
        let certificate = Certificate::from_der(&row.certificate);
        let certificate = certificate.map_err(|e| AuthorityError::Certificate(e.to_string()))?;
        let decided = Decided {
            by: row.decided_by.unwrap_or_default(),
            at: row.decided_at.unwrap_or(row.entered_at),
            reason: row.decision.unwrap_or_default(),
        };
        let state = match row.state.as_str() {
            APPROVED => State::Approved(decided),
            REFUSED => State::Refused(decided),
            ENTERED => State::Entered,
            _ => return Err(RowsError::Stored("a request's state").into()),
        };
        let extent = Extent {
            account: row.account,
            address: row.address.clone(),
            mails: scope != Scope::Evidence,
            evidence: scope != Scope::Mails,
            held: scope != Scope::Evidence,
            from: row.from,
            until: row.until,
        };
        Ok(Self {
            id: row.id,
            authority: row.authority,
            file_number: row.file_number,
            legal_basis: row.legal_basis,
            address: row.address,
            scope,
            from: row.from,
            until: row.until,
            certificate,
            note: row.note,
            entered_by: row.entered_by,
            entered_at: row.entered_at,
            state,
            extent,
        })
    }
}

impl State {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Entered => ENTERED,
            Self::Approved(_) => APPROVED,
            Self::Refused(_) => REFUSED,
        }
    }

    pub fn decided(&self) -> Option<&Decided> {
        match self {
            Self::Entered => None,
            Self::Approved(decided) | Self::Refused(decided) => Some(decided),
        }
    }
}

impl Scope {
    pub fn word(self) -> &'static str {
        match self {
            Self::Mails => "mails",
            Self::Evidence => "evidence",
            Self::All => "all",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Mails, Self::Evidence, Self::All].into_iter().find(|scope| scope.word() == word)
    }
}

fn staff(by: &By) -> Result<String, AuthorityError> {
    match &by.actor {
        Actor::Staff(name) => Ok(name.clone()),
        Actor::System(_) | Actor::Person { .. } => Err(AuthorityError::NotStaff),
    }
}

fn line(what: &'static str, text: &str) -> Result<String, AuthorityError> {
    let text = text.trim();
    let good = (1..=LINE).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    good.then(|| text.to_owned()).ok_or(AuthorityError::Line { what, most: LINE })
}

/// Who enters a request, and writes what was approved.
const ENTERS: &[StaffRole] = &[StaffRole::Registrar];
/// Who decides it, another than who entered it.
const DECIDES: &[StaffRole] = &[StaffRole::Approver];
const ENTERED: &str = "entered";
const APPROVED: &str = "approved";
const REFUSED: &str = "refused";
/// Characters.
const LINE: usize = 300;
const ALL: usize = i64::MAX as usize;
