//! Something happened: who wants to hear of it gets a notice laid down, in the transaction in which it
//! happened. What has no proven place costs one look-up.

use super::unread::unread_by;
use super::{Event as Wish, Target, Whose, ending, target};
use crate::registry::credentials;
use crate::registry::outbox::{self, Fields, Kind, Outgoing};
use crate::registry::policy::{self, Policies};
use crate::store::credits::{self, Ledger};
use crate::store::submissions;
use crate::store::{RowsError, Tx, accounts, notices as rows, outbox as waiting};
use crate::wire::rem::Event;
use crate::wire::{AccountId, MessageId, Timestamp};

/// What happened to an account.
#[derive(Clone, Debug)]
pub struct Happened<'a> {
    pub account: AccountId,
    pub kind: Kind,
    /// The same one is told of once.
    pub cause: String,
    /// What the texts of its kind need beside `account`, which is added.
    pub values: &'a [(&'a str, &'a str)],
    pub at: Timestamp,
}

/// Lays a notice down for each place where it is wanted; says for how many.
pub fn tell(tx: &mut Tx<'_>, happened: &Happened<'_>) -> Result<usize, RowsError> {
    let hears = |target: &Target| target.hears(happened.kind, happened.at);
    let targets = targets(tx, happened.account, hears)?;
    if targets.is_empty() {
        return Ok(0);
    }
    let rules = policy::at(tx, happened.at)?;
    let fields = fields(tx, happened)?;
    let mut laid = 0;
    for target in targets {
        let due = due(tx, happened, &target, &rules)?;
        laid += usize::from(lay(tx, happened, &target, &fields, due, &rules)?);
    }
    Ok(laid)
}

/// A message is in the account's mailbox.
pub fn mail_came(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    at: Timestamp,
) -> Result<(), RowsError> {
    if targets(tx, account, |target| target.hears(Kind::Mail, at))?.is_empty() {
        return Ok(());
    }
    let Some(submission) = submissions::find(tx, message)? else { return Ok(()) };
    let time = submission.accepted_at.turkish();
    let happened = Happened {
        account,
        kind: Kind::Mail,
        cause: format!("mail/{message}"),
        values: &[("sender", &submission.details.sender), ("time", &time)],
        at,
    };
    tell(tx, &happened).map(|_| ())
}

/// Evidence about a message that the account sent was kept. That it was taken, here or there, is said
/// by nothing going wrong; of each other event one hears once a message, however many its recipients.
pub fn evidence_came(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    (event, event_time): (Event, Timestamp),
    at: Timestamp,
) -> Result<(), RowsError> {
    if matches!(event, Event::SubmissionAcceptance | Event::RelayAcceptance) {
        return Ok(());
    }
    let time = event_time.turkish();
    let happened = Happened {
        account,
        kind: Kind::Evidence,
        cause: format!("evidence/{message}/{}", event.name()),
        values: &[("event", event.turkish()), ("event_en", event.english()), ("time", &time)],
        at,
    };
    tell(tx, &happened).map(|_| ())
}

/// What was to be signed stands in the drafts again. Nothing of the reason: it may tell of the content.
pub fn handover_came_back(
    tx: &mut Tx<'_>,
    account: AccountId,
    handover: i64,
    (outcome, outcome_en): (&str, &str),
    (happened_at, now): (Timestamp, Timestamp),
) -> Result<(), RowsError> {
    let time = happened_at.turkish();
    let happened = Happened {
        account,
        kind: Kind::Handover,
        cause: format!("handover/{handover}"),
        values: &[("outcome", outcome), ("outcome_en", outcome_en), ("time", &time)],
        at: now,
    };
    tell(tx, &happened).map(|_| ())
}

/// Whether what is to be said is still so, and still that person's affair: nobody is reminded of what he has
/// opened meanwhile, nor told of the end of what he has renewed; and no deputy hears anything after his time, but
/// for the last reminder where he is the second person.
pub fn wants_still(
    tx: &mut Tx<'_>,
    outgoing: &Outgoing,
    values: &outbox::Values,
    now: Timestamp,
) -> Result<bool, RowsError> {
    let there = |target: &Target| target.reach == outgoing.to;
    let is_for = targets(tx, outgoing.account, there)?.pop();
    // One that was laid down before the steps were told apart is taken for the last.
    let last = outgoing.kind == Kind::Unread && values.get("last").is_none_or(|last| last == "yes");
    let hears = |target: Target| {
        let second = last && target.events.contains(&Wish::Escalation);
        second || target.is_in_time(outgoing.kind, now)
    };
    // An operator hears of his own credentials where his record says, whoever else is told there of what.
    if is_for.is_some_and(|target| !hears(target)) && !credentials::tells_himself(tx, outgoing)? {
        return Ok(false);
    }
    match outgoing.kind {
        Kind::Unread => {}
        Kind::Contract | Kind::Certificate => {
            return ending::is_so_still(tx, outgoing, values, now);
        }
        _ => return Ok(true),
    }
    let message = values.get("message").and_then(|id| MessageId::parse(id));
    let recipient = values.get("recipient").and_then(|n| n.parse().ok());
    match message.zip(recipient) {
        Some((message, recipient)) => Ok(unread_by(tx, &message, recipient)?.is_some()),
        None => Ok(true),
    }
}

/// Balances that fell below their thresholds are told of, and forgotten.
pub fn low_balances(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), RowsError> {
    for low in credits::lows(tx, LOWS)? {
        let balance = low.rest.to_string();
        let (unit, unit_en) = match low.ledger {
            Ledger::Sms => ("SMS kontörü", "SMS credits"),
            _ => ("kontör", "credits"),
        };
        let happened = Happened {
            account: low.account,
            kind: Kind::Credit,
            cause: format!("credit/{}", low.id),
            values: &[("balance", &balance), ("unit", unit), ("unit_en", unit_en)],
            at: now,
        };
        tell(tx, &happened)?;
        credits::told_low(tx, low.id)?;
    }
    Ok(())
}

/// Notes from where somebody logged in, as [`crate::trust::vault::Vault::derive`] names the network, and
/// tells of a place that is new. `place` is what people are shown of it.
pub fn new_place(
    tx: &mut Tx<'_>,
    account: AccountId,
    digest: &[u8],
    (channel, place): (&str, &str),
    at: Timestamp,
) -> Result<bool, RowsError> {
    if !rows::place(tx, account, digest, at)? {
        return Ok(false);
    }
    let time = at.turkish();
    let hex = data_encoding::HEXLOWER.encode(digest);
    let happened = Happened {
        account,
        kind: Kind::Login,
        cause: format!("login/{}", hex.get(..32).unwrap_or(&hex)),
        values: &[("time", &time), ("channel", channel), ("place", place)],
        at,
    };
    tell(tx, &happened)?;
    Ok(true)
}

/// Where the holder himself is surely reached, for codes and links: who may answer by them asks himself.
pub fn holder_places(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Target>, RowsError> {
    targets(tx, account, |target| target.proven_at.is_some() && target.whose == Whose::Holder)
}

pub(super) fn targets(
    tx: &mut Tx<'_>,
    account: AccountId,
    wanted: impl Fn(&Target) -> bool,
) -> Result<Vec<Target>, RowsError> {
    let rows = rows::of_account(tx, account)?;
    let all = rows.iter().map(target).collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter(wanted).collect())
}

pub(super) fn fields(tx: &mut Tx<'_>, happened: &Happened<'_>) -> Result<Fields, RowsError> {
    let address = accounts::by_id(tx, happened.account)?.address;
    let values = [happened.values, &[("account", address.as_str())]].concat();
    Ok(Fields::plain(&values))
}

/// Not in a quiet hour, and not at once after the last of its kind. A strange login waits for no
/// morning.
fn due(
    tx: &mut Tx<'_>,
    happened: &Happened<'_>,
    target: &Target,
    rules: &Policies,
) -> Result<Timestamp, RowsError> {
    let mut due = happened.at;
    if happened.kind.gathers() {
        let place = (target.reach.channel(), target.reach.as_str());
        let last = waiting::last_due(tx, happened.account, place, happened.kind.word())?;
        due = match last {
            // One waits: this one is told with it.
            Some(last) if last > due => last,
            Some(last) => due.max(last.plus_millis(rules.notice_pause.millis())),
            None => due,
        };
    }
    let urgent = matches!(happened.kind, Kind::Login | Kind::Credentials);
    Ok(target.quiet.filter(|_| !urgent).map_or(due, |quiet| quiet.after(due)))
}

fn lay(
    tx: &mut Tx<'_>,
    happened: &Happened<'_>,
    target: &Target,
    fields: &Fields,
    due: Timestamp,
    rules: &Policies,
) -> Result<bool, RowsError> {
    Ok(outbox::queue(tx, &outgoing(happened, target, fields, due, rules))?.is_some())
}

pub(super) fn outgoing(
    happened: &Happened<'_>,
    target: &Target,
    fields: &Fields,
    due: Timestamp,
    rules: &Policies,
) -> Outgoing {
    Outgoing {
        account: happened.account,
        to: target.reach.clone(),
        language: target.language,
        kind: happened.kind,
        fields: fields.clone(),
        cause: happened.cause.clone(),
        due,
        expires: due.plus_millis(rules.notice_window.millis()),
    }
}

/// At once; the next one that falls has those told of that are left.
const LOWS: usize = 100;
