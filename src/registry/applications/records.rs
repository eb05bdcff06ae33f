//! Applications as the rows have them.

use super::{
    Application, ApplicationError, Hand, Paper, Purpose, State, Step, Wish, WishForm, missing,
};
use crate::registry::accounts::{self, Account, OpeningMode, RegistryError, SignatureRule};
use crate::registry::audit::{self, Actor, By};
use crate::registry::closings::reasoned;
use crate::registry::holders::records::{self, read, written};
use crate::registry::holders::{Contact, Holder};
use crate::registry::standing::{Service, Stage};
use crate::registry::{addresses, sub_domains};
use crate::store::accounts as account_rows;
use crate::store::applications::{self as rows, ApplicationRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::address::lookalike;
use crate::wire::{ApplicationId, KepAddress, KepDomain, Timestamp};
use serde_json::json;

/// Takes an application. The address is kept for it; that of an account of the same holder which was closed
/// is applied for to be reopened.
pub async fn add(
    store: &Store,
    provider: &KepDomain,
    wish: Wish,
    by: &By,
) -> Result<Application, RegistryError> {
    let (provider, by) = (provider.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| add_in(tx, &provider, wish.clone(), &by);
    store.write(Lane::Client, work).await
}

pub fn add_in(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    mut wish: Wish,
    by: &By,
) -> Result<Application, RegistryError> {
    let hand = hand(by)?;
    wish.purpose = match closed(tx, &wish.address, &wish.holder, by.at)? {
        Some(_) => {
            addresses::comes_back(tx, &wish.address, Some(&wish.holder), by.at)?;
            Purpose::Reopening
        }
        None => {
            addresses::allot(tx, provider, &wish.address, &wish.holder, by.at)?;
            Purpose::Opening
        }
    };
    let state = State::Created { by: hand };
    let row = ApplicationRow {
        id: ApplicationId(0),
        address: wish.address.to_string(),
        lookalike: lookalike(wish.address.as_str()),
        identity: wish.holder.key(),
        stage: state.word().to_owned(),
        holds: state.holds(),
        wish: written(&form(&wish))?,
        state: written(&state)?,
        created_at: by.at,
        changed_at: by.at,
    };
    let id = rows::add(tx, &row)?
        .ok_or_else(|| RegistryError::Untaken(wish.address.clone(), addresses::Untaken::Given))?;
    let kind = wish.holder.kind().word();
    let details = json!({ "application": id.0, "kind": kind, "service": wish.service.word() });
    audit::record(tx, by, "application.add", wish.address.as_str(), details)?;
    Ok(Application { id, wish, state, created_at: by.at, changed_at: by.at })
}

pub async fn find(store: &Store, id: ApplicationId) -> Result<Application, RegistryError> {
    store.read(move |tx: &mut Tx<'_>| find_in(tx, id)).await
}

pub fn find_in(tx: &mut Tx<'_>, id: ApplicationId) -> Result<Application, RegistryError> {
    let row = rows::find(tx, id)?.ok_or(ApplicationError::Unknown(id))?;
    Ok(application(&row)?)
}

/// Of one stage or of all, the newest first; before this number, where one is given.
pub async fn list(
    store: &Store,
    stage: Option<&'static str>,
    before: Option<ApplicationId>,
    most: usize,
) -> Result<Vec<Application>, RegistryError> {
    Ok(store.read(move |tx: &mut Tx<'_>| list_in(tx, stage, before, most)).await?)
}

pub fn list_in(
    tx: &mut Tx<'_>,
    stage: Option<&'static str>,
    before: Option<ApplicationId>,
    most: usize,
) -> Result<Vec<Application>, RowsError> {
    let found = match stage {
        Some(stage) => rows::of_stage(tx, stage, before, most)?,
        None => rows::list(tx, before, most)?,
    };
    found.iter().map(application).collect()
}

/// Checks, approves, refuses or withdraws. `papers` are such as came since; they stand in the audit.
pub async fn step(
    store: &Store,
    id: ApplicationId,
    step: Step,
    papers: Vec<Paper>,
    by: &By,
) -> Result<Application, RegistryError> {
    let by = by.clone();
    let any = |_: &Application| Ok::<_, RegistryError>(());
    let work = move |tx: &mut Tx<'_>| step_in(tx, id, step.clone(), &papers, &by, any);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction; `may` is asked of the application as it was, under its lock.
pub fn step_in<E: From<RegistryError>>(
    tx: &mut Tx<'_>,
    id: ApplicationId,
    mut step: Step,
    papers: &[Paper],
    by: &By,
    may: impl FnOnce(&Application) -> Result<(), E>,
) -> Result<Application, E> {
    match &mut step {
        Step::Refuse { reason, .. } => *reason = reasoned(reason, false)?,
        Step::Withdraw { reason } => *reason = reasoned(reason, true)?,
        _ => {}
    }
    let (mut row, mut application) = locked(tx, id)?;
    may(&application)?;
    application.wish.papers.extend(papers.iter().cloned());
    stepped(tx, &mut row, &mut application, step, papers, by)?;
    Ok(application)
}

fn stepped(
    tx: &mut Tx<'_>,
    row: &mut ApplicationRow,
    application: &mut Application,
    step: Step,
    papers: &[Paper],
    by: &By,
) -> Result<(), RegistryError> {
    let lack = missing(application.wish.holder.kind(), &application.wish.papers);
    let (act, state) = (step.act(), application.state.after(step, hand(by)?, &lack)?);
    row.wish = written(&form(&application.wish))?;
    keep(tx, row, application, state, by)?;
    let mut details = details(application, papers);
    if matches!(application.state, State::Refused { .. } | State::Withdrawn { .. })
        && sub_domains::leave(tx, &application.wish.address)?
    {
        details["frees"] = json!(application.wish.address.domain().as_str());
    }
    audit::record(tx, by, act, application.wish.address.as_str(), details)?;
    Ok(())
}

/// This holder's account of that address, if it is closed or has ended.
pub(super) fn closed(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    holder: &Holder,
    now: Timestamp,
) -> Result<Option<Account>, RowsError> {
    let Some(row) = account_rows::by_address(tx, address.as_str())? else { return Ok(None) };
    let account = accounts::account(&row)?;
    let Some(id) = account.holder else { return Ok(None) };
    let his = records::holder(tx, id)?.key() == holder.key();
    let over = matches!(account.state.stage_at(now), Stage::Closed | Stage::Ended);
    Ok((his && over).then_some(account))
}

pub(super) fn locked(
    tx: &mut Tx<'_>,
    id: ApplicationId,
) -> Result<(ApplicationRow, Application), RegistryError> {
    rows::lock(tx, id)?;
    let row = rows::find(tx, id)?.ok_or(ApplicationError::Unknown(id))?;
    let application = application(&row)?;
    Ok((row, application))
}

pub(super) fn keep(
    tx: &mut Tx<'_>,
    row: &mut ApplicationRow,
    application: &mut Application,
    state: State,
    by: &By,
) -> Result<(), RowsError> {
    row.stage = state.word().to_owned();
    row.holds = state.holds();
    row.state = written(&state)?;
    row.changed_at = by.at;
    (application.state, application.changed_at) = (state, by.at);
    rows::change(tx, row)
}

fn details(application: &Application, papers: &[Paper]) -> serde_json::Value {
    let papers: Vec<_> = papers.iter().map(|paper| paper.kind.word()).collect();
    let mut details = json!({
        "application": application.id.0,
        "stage": application.state.word(),
        "papers": papers,
    });
    match &application.state {
        State::Refused { reason, blocked, .. } => {
            details["reason"] = json!(reason);
            details["blocked"] = json!(blocked);
        }
        State::Withdrawn { reason, .. } => details["reason"] = json!(reason),
        _ => {}
    }
    details
}

/// Staff does this; the system has no hands.
pub(super) fn hand(by: &By) -> Result<Hand, RegistryError> {
    match &by.actor {
        Actor::Staff(name) if !name.trim().is_empty() => {
            Ok(Hand { staff: name.clone(), at: by.at.millis() })
        }
        _ => Err(ApplicationError::Nameless.into()),
    }
}

fn form(wish: &Wish) -> WishForm {
    WishForm {
        purpose: wish.purpose,
        holder: wish.holder.form(),
        contact: wish.contact.form(),
        service: wish.service.word().to_owned(),
        opening: wish.opening.word().to_owned(),
        signature: wish.signature.map(|rule| rule.word().to_owned()),
        months: wish.months,
        papers: wish.papers.clone(),
    }
}

fn application(row: &ApplicationRow) -> Result<Application, RowsError> {
    let stored = || RowsError::Stored("an application");
    let form: WishForm = read(&row.wish)?;
    let rule = |word: &String| SignatureRule::parse(word).ok_or_else(stored);
    let wish = Wish {
        purpose: form.purpose,
        address: KepAddress::parse(&row.address).map_err(|_| stored())?,
        // As of when it was taken: who was born before that day was.
        holder: Holder::parse(&form.holder, row.created_at).map_err(|_| stored())?,
        contact: Contact::parse(&form.contact).map_err(|_| stored())?,
        service: Service::parse(&form.service).ok_or_else(stored)?,
        opening: OpeningMode::parse(&form.opening).ok_or_else(stored)?,
        signature: form.signature.as_ref().map(rule).transpose()?,
        months: form.months,
        papers: form.papers,
    };
    let (created_at, changed_at) = (row.created_at, row.changed_at);
    Ok(Application { id: row.id, wish, state: read(&row.state)?, created_at, changed_at })
}
