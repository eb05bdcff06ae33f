//! A hand-over as its row has it.

use super::{Handover, Paper, State};
use crate::store::handovers::{self as rows, HandoverRow};
use crate::store::{RowsError, Tx};
use crate::wire::{MessageId, OperatorCode, Timestamp};

/// Writes down what became of it. Under the account's lock nobody else changed it since it was read.
pub(super) fn keep(tx: &mut Tx<'_>, handover: &Handover) -> Result<(), RowsError> {
    let row = row(handover);
    let kept = match handover.state {
        State::Waiting { .. } => rows::hand_on(tx, &row)?,
        _ => rows::decide(tx, &row)?,
    };
    kept.then_some(()).ok_or(RowsError::Stored("a hand-over that nobody else changes"))
}

/// What a state has not is empty: it stays in the rows as it was.
pub(super) fn row(of: &Handover) -> HandoverRow {
    let plain = HandoverRow {
        id: of.id,
        account: of.account,
        form: match of.paper {
            Paper::Held(_) => HELD.to_owned(),
            Paper::Draft(_) => DRAFT.to_owned(),
        },
        subject: of.paper.subject().to_owned(),
        ua_message_id: None,
        operator: 0,
        handed_by: of.handed_by.clone(),
        since: Timestamp::from_millis(0),
        due: Timestamp::from_millis(0),
        state: of.state.word().to_owned(),
        decided_by: None,
        decided_at: None,
        reason: None,
        signed: None,
    };
    let decided = |by: Option<OperatorCode>, at: Timestamp| HandoverRow {
        decided_by: Some(OperatorCode::or_holder(by)),
        decided_at: Some(at),
        ..plain.clone()
    };
    match &of.state {
        State::Waiting { to, since, due } => {
            let operator = OperatorCode::or_holder(*to);
            HandoverRow { operator, since: *since, due: *due, ..plain }
        }
        State::Signed { by, at, message } => {
            HandoverRow { signed: Some(message.to_string()), ..decided(*by, *at) }
        }
        State::Returned { by, at, reason } => {
            HandoverRow { reason: Some(reason.clone()), ..decided(*by, *at) }
        }
        State::Lapsed { at } | State::Released { at } => decided(None, *at),
    }
}

pub(super) fn handover(row: HandoverRow) -> Result<Handover, RowsError> {
    let at = row.decided_at.ok_or(RowsError::Stored("when a hand-over ended"));
    let by = row.decided_by.and_then(OperatorCode::of_number);
    let message = |text: &str| MessageId::parse(text).ok_or(RowsError::Stored("a message id"));
    Ok(Handover {
        id: row.id,
        account: row.account,
        paper: match row.form.as_str() {
            HELD => Paper::Held(message(&row.subject)?),
            DRAFT => Paper::Draft(row.subject),
            _ => return Err(RowsError::Stored("what was handed over")),
        },
        handed_by: row.handed_by,
        state: match row.state.as_str() {
            "waiting" => {
                let to = OperatorCode::of_number(row.operator);
                State::Waiting { to, since: row.since, due: row.due }
            }
            "signed" => {
                let message = message(row.signed.as_deref().unwrap_or_default())?;
                State::Signed { by, at: at?, message }
            }
            "returned" => State::Returned { by, at: at?, reason: row.reason.unwrap_or_default() },
            "lapsed" => State::Lapsed { at: at? },
            "released" => State::Released { at: at? },
            _ => return Err(RowsError::Stored("a hand-over's state")),
        },
    })
}

const HELD: &str = "held";
const DRAFT: &str = "draft";
