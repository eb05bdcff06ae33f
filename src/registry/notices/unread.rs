//! Reminders of what is unread before its time to read ends, at the steps that a policy has (`notice.unread`):
//! each once, and the later ones reach further. At the first step those are told who want to hear of it; from
//! the second on the holder's places of the other kind as well (SMS, where only mail was told); at the last one
//! the second person, too.

use super::tell::{fields, outgoing, targets};
use super::{Event, Happened, Target, Whose, reminder};
use crate::registry::outbox::{self, Kind, Outgoing};
use crate::registry::policy::{self, Span};
use crate::spool;
use crate::store::submissions::{self, RecipientState};
use crate::store::{RowsError, Tx};
use crate::wire::{AccountId, MessageId, Timestamp};

/// A message's time to read runs: who wants to be reminded is, before it ends.
pub fn watch(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    recipient: usize,
    due: Timestamp,
    now: Timestamp,
) -> Result<(), RowsError> {
    // A deputy's absence is judged when he is told.
    let wants = |target: &Target| {
        let events = [Event::Unread, Event::Escalation];
        target.proven_at.is_some() && events.iter().any(|event| target.events.contains(event))
    };
    let told = targets(tx, account, wants)?;
    if told.is_empty() {
        return Ok(());
    }
    let steps = policy::at(tx, now)?.notice_unread.0;
    // What is past counts for nothing; where all are, the last one counts at once.
    let ahead = |step: &Span| now.plus_millis(step.millis()) < due;
    let first = steps.iter().position(ahead).unwrap_or(steps.len().saturating_sub(1));
    look_at(tx, (message, recipient), due, first, (steps.as_slice(), told.as_slice()), now)
}

/// It is time to remind: lays notices down, and the next step, unless the message was opened. What is due
/// later is looked at again when it is said ([`super::wants_still`]).
pub fn look_unread(
    tx: &mut Tx<'_>,
    (message, recipient): (&MessageId, usize),
    due: Timestamp,
    step: usize,
    now: Timestamp,
) -> Result<(), RowsError> {
    let Some(submission) = submissions::find(tx, message)? else { return Ok(()) };
    let Some(account) = unread_by(tx, message, recipient)?.filter(|_| now < due) else {
        return Ok(());
    };
    let rules = policy::at(tx, now)?;
    let steps = rules.notice_unread.0.as_slice();
    let Some(before) = steps.get(step).copied() else { return Ok(()) };
    let number = recipient.to_string();
    let (time, until) = (submission.accepted_at.turkish(), due.turkish());
    let happened = Happened {
        account,
        kind: Kind::Unread,
        cause: format!("unread/{message}/{recipient}/{before}"),
        values: &[
            ("sender", &submission.details.sender),
            ("time", &time),
            ("due", &until),
            ("message", message.as_str()),
            ("recipient", &number),
        ],
        at: now,
    };
    let fields = fields(tx, &happened)?;
    let all = targets(tx, account, |target| target.proven_at.is_some())?;
    for target in reached(&all, step, steps.len(), now) {
        let at = reminder(due, before, target.quiet, now);
        if !is_told_before((all.as_slice(), target), (steps, step), due, at, now) {
            let outgoing = outgoing(&happened, target, &fields, at, &rules);
            outbox::queue(tx, &Outgoing { expires: due, ..outgoing })?;
        }
    }
    match step + 1 < steps.len() {
        true => look_at(tx, (message, recipient), due, step + 1, (steps, all.as_slice()), now),
        false => Ok(()),
    }
}

/// Who has not opened it.
pub(super) fn unread_by(
    tx: &mut Tx<'_>,
    message: &MessageId,
    recipient: usize,
) -> Result<Option<AccountId>, RowsError> {
    let recipients = submissions::recipients(tx, message)?;
    let found = recipients.into_iter().find(|one| one.n == recipient);
    Ok(found.filter(|one| one.state == RecipientState::Delivered).and_then(|one| one.account))
}

/// Lays a step in, as early as the first of these places wants it.
fn look_at(
    tx: &mut Tx<'_>,
    of: (&MessageId, usize),
    due: Timestamp,
    step: usize,
    (steps, targets): (&[Span], &[Target]),
    now: Timestamp,
) -> Result<(), RowsError> {
    let Some(before) = steps.get(step).copied() else { return Ok(()) };
    let times = targets.iter().map(|target| reminder(due, before, target.quiet, now));
    let plain = reminder(due, before, None, now);
    spool::unread(tx, of, due, (step, times.chain([plain]).min().unwrap_or(plain)))
}

/// Whom a step reaches.
fn reached(all: &[Target], step: usize, steps: usize, now: Timestamp) -> Vec<&Target> {
    let wants = |target: &&Target| target.hears(Kind::Unread, now);
    let told: Vec<_> = all.iter().filter(wants).map(|target| target.reach.channel()).collect();
    let further = |target: &Target| {
        let other = !told.contains(&target.reach.channel());
        step > 0 && !told.is_empty() && other && target.whose == Whose::Holder
    };
    let last = |target: &Target| step + 1 == steps && target.events.contains(&Event::Escalation);
    all.iter().filter(|target| wants(target) || further(target) || last(target)).collect()
}

/// Whether quiet hours have brought an earlier step to that time, or later.
fn is_told_before(
    (all, target): (&[Target], &Target),
    (steps, step): (&[Span], usize),
    due: Timestamp,
    at: Timestamp,
    now: Timestamp,
) -> bool {
    let heard = |earlier: usize| reached(all, earlier, steps.len(), now).contains(&target);
    let came = |before: Span| reminder(due, before, target.quiet, Timestamp::from_millis(0));
    let mut earlier = steps.iter().enumerate().take(step);
    earlier.any(|(earlier, before)| heard(earlier) && came(*before) >= at)
}
