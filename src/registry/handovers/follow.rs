//! What follows from what happens to a message: it is held, signed, released, or nobody signs it in time.

use super::record::{self, handover, keep};
use super::{Handover, Paper, State, Step, paper};
use crate::registry::audit::{self, By};
use crate::registry::credits::Held;
use crate::registry::notices;
use crate::registry::policy;
use crate::registry::tasks::{self, NewTask, TaskKind};
use crate::store::handovers::{self as rows, HandoverRow};
use crate::store::mail::NewMessage;
use crate::store::submissions::{self, NewSubmission, SubmissionState};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts as account_rows};
use crate::wire::{AccountId, MessageId, OperatorCode, Timestamp};
use serde_json::json;

/// A message that was submitted, as far as what waits for it is concerned.
#[derive(Clone, Debug)]
pub struct Sent<'a> {
    pub account: AccountId,
    /// Its Message-ID.
    pub ua_message_id: &'a str,
    pub message: &'a MessageId,
    /// Who signed it.
    pub signer: Option<OperatorCode>,
}

/// A message was laid in that is held: its copy stands in `İmza Bekleyenler`, and it waits for whoever may
/// sign. In the same transaction.
pub fn hold(
    tx: &mut Tx<'_>,
    account: AccountId,
    new: &NewSubmission,
    copy: &NewMessage,
    by: &By,
) -> Result<(), StoreError> {
    paper::show(tx, account, new, copy)?;
    let due = by.at.plus_millis(policy::at(tx, by.at)?.hold_lapse.millis());
    let ua_message_id = new.details.ua_message_id.as_deref();
    begin(tx, account, Paper::Held(new.message_id.clone()), ua_message_id, due, by)?;
    // What came back is handed in again.
    if let Some(id) = ua_message_id {
        tasks::done(tx, account, TaskKind::Returned, id, by.at)?;
    }
    Ok(())
}

/// A signed message was laid in: what waited for it, by the same Message-ID, is signed. To be called in
/// the same transaction, under the account's lock.
pub fn signed(tx: &mut Tx<'_>, sent: &Sent<'_>, by: &By) -> Result<(), StoreError> {
    let mut told = Vec::new();
    for row in rows::named(tx, sent.account, sent.ua_message_id)? {
        let there = handover(row)?;
        let step = Step::Sign { by: sent.signer, message: sent.message.clone() };
        // It was read as waiting, under the lock.
        let Ok(state) = there.state.after(step, by.at) else { continue };
        let handover = Handover { state, ..there };
        keep(tx, &handover)?;
        paper::signed(tx, &handover, by.at)?;
        let subject = handover.paper.subject();
        tasks::done(tx, sent.account, TaskKind::Sign, subject, by.at)?;
        told.push(json!({ "message": subject, "as": sent.message.as_str() }));
    }
    // What came back is sent now.
    tasks::sent(tx, sent.account, sent.ua_message_id, by.at)?;
    if !told.is_empty() {
        let address = account_rows::by_id(tx, sent.account)?.address;
        audit::record_all(tx, by, "handover.sign", &address, told)?;
    }
    Ok(())
}

/// What is reserved for held messages that the signed form of this Message-ID takes the place of. To be
/// called in the transaction that lays it in, which holds the account's lock from here.
pub fn reserved(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<Vec<Held>, RowsError> {
    account_rows::lock(tx, account)?;
    held(tx, account, ua_message_id)
}

fn held(tx: &mut Tx<'_>, account: AccountId, ua_message_id: &str) -> Result<Vec<Held>, RowsError> {
    let mut found = Vec::new();
    for row in rows::named(tx, account, ua_message_id)? {
        if let Paper::Held(message) = handover(row)?.paper
            && let Some(held) = submissions::find(tx, &message)?
            && held.state == SubmissionState::Held
            && let Some(charge) = held.details.charge
        {
            found.push(Held { message, charge });
        }
    }
    Ok(found)
}

/// How many credits are reserved for what waits for the signed form of this Message-ID, as far as can be
/// said before it is laid in.
pub fn awaiting(
    tx: &mut Tx<'_>,
    account: AccountId,
    ua_message_id: &str,
) -> Result<i64, RowsError> {
    Ok(held(tx, account, ua_message_id)?.iter().map(|one| one.charge.total).sum())
}

/// A held message goes on as it is: no signature is asked for any more.
pub fn released(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    by: &By,
) -> Result<(), StoreError> {
    let now = by.at;
    let Some(row) = rows::waiting(tx, account, message.as_str())? else { return Ok(()) };
    let there = handover(row)?;
    if let Ok(state) = there.state.after(Step::Release, now) {
        keep(tx, &Handover { state, ..there })?;
        paper::hide(tx, account, message)?;
        tasks::done(tx, account, TaskKind::Sign, message.as_str(), now)?;
        let address = account_rows::by_id(tx, account)?.address;
        let details = json!({ "message": message.as_str() });
        audit::record(tx, by, "handover.release", &address, details)?;
    }
    Ok(())
}

/// Writes down what nobody signed in time; how many.
pub async fn lapse(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut lapsed = 0;
    loop {
        let due: Result<_, RowsError> = store.read(move |tx| rows::due(tx, now, BATCH)).await;
        let due = due?;
        let before = lapsed;
        for row in &due {
            let (id, row) = (row.id, row.clone());
            let work = move |tx: &mut Tx<'_>| lapse_one(tx, &row, now);
            match store.write(Lane::Background, work).await {
                Ok(done) => lapsed += usize::from(done),
                // One that can't be read holds up no other.
                Err(error) => tracing::warn!(%error, handover = id, "it can't be closed"),
            }
        }
        if due.len() < BATCH || lapsed == before {
            return Ok(lapsed);
        }
    }
}

fn lapse_one(tx: &mut Tx<'_>, row: &HandoverRow, now: Timestamp) -> Result<bool, StoreError> {
    account_rows::lock(tx, row.account)?;
    let Some(row) = rows::find(tx, row.account, row.id)? else { return Ok(false) };
    let there = handover(row)?;
    let Ok(state) = there.state.after(Step::Lapse, now) else { return Ok(false) };
    let State::Lapsed { at } = state else { return Ok(false) };
    let handover = Handover { state, ..there };
    keep(tx, &handover)?;
    came_back(tx, &handover, LAPSED, now)?;
    let (account, subject) = (handover.account, handover.paper.subject());
    tasks::lapse(tx, account, TaskKind::Sign, subject, at)?;
    let address = account_rows::by_id(tx, account)?.address;
    let details = json!({ "message": subject, "due": at.iso8601() });
    audit::record(tx, &By::system("handovers", now), "handover.lapse", &address, details)?;
    Ok(true)
}

/// What was to be signed stands in the drafts, with the task to look after it.
pub(super) fn came_back(
    tx: &mut Tx<'_>,
    handover: &Handover,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let account = handover.account;
    let subject = paper::to_drafts(tx, handover, now)?;
    let kind = TaskKind::Returned;
    let note = why.to_owned();
    tasks::open(tx, &NewTask { account, kind, subject, operator: None, note, due: None }, now)?;
    let (outcome, at) = match &handover.state {
        State::Lapsed { at } => (LAPSED_NOTICE, *at),
        _ => (RETURNED_NOTICE, now),
    };
    notices::handover_came_back(tx, account, handover.id, outcome, (at, now))?;
    Ok(())
}

/// Waits from now on for whoever may sign.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    account: AccountId,
    paper: Paper,
    ua_message_id: Option<&str>,
    due: Timestamp,
    by: &By,
) -> Result<Handover, StoreError> {
    let state = State::Waiting { to: None, since: by.at, due };
    let new = Handover { id: 0, account, paper, handed_by: by.actor.to_string(), state };
    let row = HandoverRow { ua_message_id: ua_message_id.map(str::to_owned), ..record::row(&new) };
    rows::add(tx, &row)?;
    let task = NewTask {
        account,
        kind: TaskKind::Sign,
        subject: row.subject.clone(),
        operator: None,
        note: String::new(),
        due: Some(due),
    };
    tasks::open(tx, &task, by.at)?;
    let there = rows::waiting(tx, account, &row.subject)?;
    Ok(handover(there.ok_or(RowsError::Missing("what was handed over"))?)?)
}

/// What the task of a lapsed one says.
const LAPSED: &str = "Süresi içinde imzalanmadı / Nobody signed it in time";
/// What a notice says of it, in Turkish and English.
const LAPSED_NOTICE: (&str, &str) = ("süresi içinde imzalanmadı", "nobody signed it in time");
const RETURNED_NOTICE: (&str, &str) = ("imzalanmadan iade edildi", "it was returned unsigned");
const BATCH: usize = 100;
