//! What stands in the rows before and after an attempt, each in one transaction with its job.

use super::fate::Next;
use crate::registry::outbox::{self, Kind, Outgoing, Values};
use crate::registry::{credits, notices};
use crate::spool::Step;
use crate::store::outbox::{self as rows, OutgoingRow, State};
use crate::store::{RowsError, Tx, accounts, jobs};
use crate::trust::vault::Vault;
use crate::wire::{Reach, Timestamp};

/// A job, the row that it is for, and the time.
#[derive(Clone, Copy)]
pub struct Turn {
    pub job: i64,
    pub id: i64,
    pub now: Timestamp,
}

/// What is to be said now.
pub struct Claimed {
    /// As it was before, but for the attempt that begins and of how many it tells.
    pub row: OutgoingRow,
    pub outgoing: Outgoing,
    pub values: Values,
}

impl Claimed {
    /// An attempt before has ended without its outcome: the process did.
    pub fn in_doubt(&self) -> bool {
        self.row.state == State::Sending
    }
}

/// Takes one to be said, with those that are told of together; `None` when nothing is to be said, and the
/// job is done then.
pub fn claim(tx: &mut Tx<'_>, turn: Turn, vault: &Vault) -> Result<Option<Claimed>, RowsError> {
    let Turn { job, id, now } = turn;
    let Some(mut row) = open(tx, id)? else {
        // Its place may have been taken away between two attempts.
        give_back_withdrawn(tx, turn)?;
        jobs::finish(tx, job)?;
        return Ok(None);
    };
    let outgoing = outbox::outgoing(&row)?;
    let values = match outgoing.fields.values(vault) {
        Ok(values) => values,
        Err(error) => return over(tx, turn, &row, State::Failed, &error.to_string()),
    };
    if now >= row.expires_at {
        let why = match row.trouble.as_str() {
            "" => "its time had passed".to_owned(),
            trouble => format!("its time had passed: {trouble}"),
        };
        return over(tx, turn, &row, State::Failed, &why);
    }
    if !notices::wants_still(tx, &outgoing, &values, now)? {
        return over(tx, turn, &row, State::Withdrawn, "");
    }
    if is_paid_for(&outgoing) && !credits::spend_sms(tx, row.account, &bill(&row), now)? {
        return over(tx, turn, &row, State::Failed, "no credits for SMS are left");
    }
    rows::begin(tx, id)?;
    row.attempts = row.attempts.saturating_add(1);
    if outgoing.kind.gathers() {
        row.tells = rows::gather(tx, &row, now)?;
    }
    Ok(Some(Claimed { row, outgoing, values }))
}

/// The row while it is still to be said. Where processes share rows, another one may tell of it together
/// with one of its own: it is looked at behind the account's lock.
fn open(tx: &mut Tx<'_>, id: i64) -> Result<Option<OutgoingRow>, RowsError> {
    let Some(row) = rows::find(tx, id)?.filter(|row| row.state.is_open()) else { return Ok(None) };
    if !tx.shared() {
        return Ok(Some(row));
    }
    accounts::lock(tx, row.account)?;
    Ok(rows::find(tx, id)?.filter(|row| row.state.is_open()))
}

fn over(
    tx: &mut Tx<'_>,
    turn: Turn,
    row: &OutgoingRow,
    state: State,
    why: &str,
) -> Result<Option<Claimed>, RowsError> {
    end(tx, turn, row, state, why)?;
    jobs::finish(tx, turn.job)?;
    Ok(None)
}

/// What became of the attempt.
pub fn settle(
    tx: &mut Tx<'_>,
    turn: Turn,
    row: &OutgoingRow,
    next: &Next,
) -> Result<(), RowsError> {
    let Turn { job, id, now } = turn;
    match next {
        Next::Sent(references) => {
            rows::settle(tx, id, State::Sent, "", now)?;
            for reference in references {
                rows::add_part(tx, reference, id, now)?;
            }
        }
        Next::Failed(why) => end(tx, turn, row, State::Failed, why)?,
        Next::Again { at, why } => {
            if rows::put_off(tx, id, *at, why)? {
                return jobs::put_off(tx, Step::Notify.word(), job, *at);
            }
            give_back_withdrawn(tx, turn)?;
        }
    }
    jobs::finish(tx, job)?;
    Ok(())
}

/// Not said, for good: what it took is given back.
fn end(
    tx: &mut Tx<'_>,
    turn: Turn,
    row: &OutgoingRow,
    state: State,
    why: &str,
) -> Result<(), RowsError> {
    rows::settle(tx, turn.id, state, why, turn.now)?;
    credits::give_back_sms(tx, row.account, &bill(row), turn.now)?;
    Ok(())
}

/// Its place was taken away under way: what it took is given back.
fn give_back_withdrawn(tx: &mut Tx<'_>, turn: Turn) -> Result<(), RowsError> {
    if let Some(row) = rows::find(tx, turn.id)?.filter(|row| row.state == State::Withdrawn) {
        credits::give_back_sms(tx, row.account, &bill(&row), turn.now)?;
    }
    Ok(())
}

/// An SMS that its account wished for; not what somebody waits for at a screen.
fn is_paid_for(outgoing: &Outgoing) -> bool {
    let sms = matches!(outgoing.to, Reach::Sms(_));
    sms && !outgoing.kind.is_asked_for() && outgoing.kind != Kind::Credentials
}

/// What is paid for: one that is said again after it had failed is another one.
fn bill(row: &OutgoingRow) -> String {
    format!("outgoing/{}/{}", row.id, row.expires_at.millis())
}
