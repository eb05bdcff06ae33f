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
use crate::store::{RowsError, Tx, outbox as waiting};
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
    let ahead = steps.iter().find(|step| plain(due, **step) > now).or(steps.last());
    let Some(first) = ahead else { return Ok(()) };
    let at = came(due, *first, &told).max(now);
    spool::unread(tx, (message, recipient), due, (now, at))
}

/// It is time to remind: lays notices down, and when to look again, unless the message was opened. The steps are
/// those of today; what an earlier look (`since`) told stays told, and what is due later is looked at again when
/// it is said ([`super::wants_still`]).
pub fn look_unread(
    tx: &mut Tx<'_>,
    (message, recipient): (&MessageId, usize),
    due: Timestamp,
    since: Timestamp,
    now: Timestamp,
) -> Result<(), RowsError> {
    let Some(submission) = submissions::find(tx, message)? else { return Ok(()) };
    let Some(account) = unread_by(tx, message, recipient)?.filter(|_| now < due) else {
        return Ok(());
    };
    let rules = policy::at(tx, now)?;
    let all = targets(tx, account, |target| target.proven_at.is_some())?;
    let look = Look { all: &all, steps: &rules.notice_unread.0, due, since, now };
    let causes = format!("unread/{message}/{recipient}/");
    let number = recipient.to_string();
    let (time, until) = (submission.accepted_at.turkish(), due.turkish());
    for (step, before) in look.come() {
        let happened = Happened {
            account,
            kind: Kind::Unread,
            cause: format!("{causes}{before}"),
            values: &[
                ("sender", &submission.details.sender),
                ("time", &time),
                ("due", &until),
                ("message", message.as_str()),
                ("recipient", &number),
                ("last", if look.is_last(step) { "yes" } else { "no" }),
            ],
            at: now,
        };
        let fields = fields(tx, &happened)?;
        for target in look.told(step) {
            let place = (target.reach.channel(), target.reach.as_str());
            let last = waiting::last_of(tx, account, place, &causes)?;
            if last.is_none_or(|last| last < reminder(due, before, target.quiet, EPOCH)) {
                let at = reminder(due, before, target.quiet, now);
                let outgoing = outgoing(&happened, target, &fields, at, &rules);
                outbox::queue(tx, &Outgoing { expires: due, ..outgoing })?;
            }
        }
    }
    match look.next() {
        Some(at) => spool::unread(tx, (message, recipient), due, (now, at)),
        None => Ok(()),
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

/// What is looked at: the places, and the steps as the policy has them now.
struct Look<'a> {
    all: &'a [Target],
    steps: &'a [Span],
    due: Timestamp,
    /// When it was looked at before, or the time to read began.
    since: Timestamp,
    now: Timestamp,
}

impl Look<'_> {
    /// The steps whose time has come for one place at least.
    fn come(&self) -> Vec<(usize, Span)> {
        let steps = self.steps.iter().copied().enumerate();
        steps.filter(|(_, before)| came(self.due, *before, self.all) <= self.now).collect()
    }

    fn next(&self) -> Option<Timestamp> {
        let times = self.steps.iter().map(|before| came(self.due, *before, self.all));
        times.filter(|at| *at > self.now).min()
    }

    fn is_last(&self, step: usize) -> bool {
        step + 1 == self.steps.len()
    }

    /// Who is told of a step that has come. Of those that fall together at a place the last one is told.
    fn told(&self, step: usize) -> Vec<&Target> {
        let together = |target: &Target| {
            let later = self.come().into_iter().filter(|(later, _)| *later > step);
            let later: Vec<_> = later.map(|(later, _)| later).collect();
            let same = |later: &usize| self.at(*later, target) == self.at(step, target);
            later.iter().any(|later| same(later) && self.reaches(*later, target))
        };
        let reached = self.all.iter().filter(|target| self.reaches(step, target));
        reached.filter(|target| !together(target)).collect()
    }

    /// What was past when it was looked at before is told no more, but for the last step.
    fn reaches(&self, step: usize, target: &Target) -> bool {
        let Some(before) = self.steps.get(step).copied() else { return false };
        let time = reminder(self.due, before, target.quiet, EPOCH).max(plain(self.due, before));
        let new = time > self.since || self.is_last(step);
        new && reached(self.all, step, self.steps.len(), self.now).contains(&target)
    }

    fn at(&self, step: usize, target: &Target) -> Option<Timestamp> {
        let before = self.steps.get(step).copied();
        before.map(|before| reminder(self.due, before, target.quiet, self.now))
    }
}

/// When a step comes, as early as the first of these places wants it.
fn came(due: Timestamp, before: Span, targets: &[Target]) -> Timestamp {
    let times = targets.iter().map(|target| reminder(due, before, target.quiet, EPOCH));
    times.fold(plain(due, before), Timestamp::min)
}

fn plain(due: Timestamp, before: Span) -> Timestamp {
    reminder(due, before, None, EPOCH)
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

const EPOCH: Timestamp = Timestamp::from_millis(0);
