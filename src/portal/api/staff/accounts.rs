//! Accounts as the staff sees and keeps them: whose, what state and since when, never what messages say.

use super::applications::{ContactShown, HolderShown};
use super::duty::{REGISTERS, SEES_ACCOUNTS, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Tagged, Verb, params};
use crate::portal::api::holder::InvoiceData;
use crate::portal::api::kinds::{AccountStage, Cursor, Limit, Name, Phrase, Reason, Reference};
use crate::portal::api::problem::Problem;
use crate::registry::accounts::{self, Account as Row, AccountState};
use crate::registry::accounts_found::{self, Wanted};
use crate::registry::api_tokens::Scope;
use crate::registry::closings::{self, Closing, Outcome};
use crate::registry::contracts::{self, Contract};
use crate::registry::holders::records;
use crate::registry::standing::Move;
use crate::store::mail::{label_boxes, usage};
use crate::store::{Tx, accounts as rows};
use crate::wire::{KepAddress, sha256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let mut all = vec![
        Endpoint::new(Verb::Get, "/staff/accounts", "listAccounts", Tag::Staff)
            .says("Hesapları arar ve listeler.", "Looks for accounts, in the order of addresses.")
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some())])
            .reads(list),
        Endpoint::new(Verb::Get, "/staff/accounts/{address}", "showStaffAccount", Tag::Staff)
            .says(
                "Bir hesabı, sahibini ve durumunu gösterir; iletileri göstermez.",
                "Shows an account, its holder and its state; nothing of its messages.",
            )
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some()), Problem::AccountUnknown])
            .reads(show),
    ];
    all.extend(changes());
    all
}

fn changes() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let change = |path, id| {
        Endpoint::new(Verb::Post, path, id, Tag::Staff)
            .needs(Scope::StaffAccounts)
            .named()
            .guarded()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::AccountUnknown,
                Problem::AccountStanding(some()),
                Problem::FormUnfit(some()),
            ])
    };
    let reopening = [
        Problem::NotStaff,
        Problem::StaffRole(some()),
        Problem::AccountUnknown,
        Problem::AccountStanding(some()),
        Problem::NotTheHolder,
        Problem::ApplicationNeeded,
    ];
    vec![
        change("/staff/accounts/{address}/suspend", "suspendAccount")
            .says(
                "Gerekçesiyle askıya alır; hesap ileti gönderemez.",
                "Suspends it, with a reason: it sends nothing.",
            )
            .writes(suspend),
        change("/staff/accounts/{address}/resume", "resumeAccount")
            .says("Askıdan kaldırır.", "Ends its suspension.")
            .writes(resume),
        change("/staff/accounts/{address}/close", "closeAccount")
            .says(
                "Kapatır; hesap üç ay okunabilir.",
                "Closes it now; it can be read for three months.",
            )
            .writes(close),
        change("/staff/accounts/{address}/reopen", "reopenAccount")
            .says(
                "Kapalı hesabı eski sahibi için yeniden açar.",
                "Opens a closed account again, for its old holder alone.",
            )
            .may_say(reopening)
            .writes(reopen),
    ]
}

params! {
    OneAccount {
        path address: Name = "ali.veli@hs05.kep.tr", "The account's address.";
    }
}

params! {
    AccountListing {
        query search: Phrase = "veli", "Those in whose address or name all of these words stand.";
        query number: Phrase = "10000000146",
            "Those of the holder who is known by this number: T.C. kimlik no, VKN, DETSİS.";
        query state: AccountStage = "active", "Those that are so only.";
        query cursor: Cursor = "0000000000000000616c69", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// An account in a list.
#[derive(Serialize, ToSchema)]
struct AccountLine {
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    #[schema(example = "Ali Veli")]
    name: String,
    #[schema(example = "both")]
    service: String,
    standing: Standing,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
}

/// What an account is now, and the dates of that.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountStanding)]
struct Standing {
    /// `active`, `suspended`, `closing`, `closed`, or `ended`.
    #[schema(example = "suspended")]
    state: String,
    /// Since when; none of active accounts, and of some that were closed long ago.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    since: Option<String>,
    /// Why it is suspended.
    #[schema(example = "Borç")]
    reason: Option<String>,
    /// When its closing completes by itself.
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    completes: Option<String>,
    /// Until when a closed one can be read.
    #[schema(format = DateTime, example = "2027-02-28T20:59:59.999Z")]
    readable_until: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AccountList)]
struct Accounts {
    accounts: Vec<AccountLine>,
    /// Where to look on; a page may be short, or empty, and be followed by others.
    #[schema(example = "0000000000000000616c69")]
    next: Option<String>,
}

/// An account, as the staff sees it.
#[derive(Serialize, ToSchema)]
pub struct StaffAccount {
    account: AccountLine,
    #[schema(example = "sealed")]
    opening: String,
    #[schema(example = "required")]
    signature: String,
    e_seal: bool,
    /// Its own limit, in octets; none when the provider's holds.
    #[schema(minimum = 0, example = 10737418240_u64)]
    storage: Option<u64>,
    /// Whether its labels are mailboxes, too.
    label_mailboxes: bool,
    /// None: nobody is recorded.
    holder: Option<HolderShown>,
    contact: ContactShown,
    /// To whom invoices go.
    invoice: Option<InvoiceData>,
    /// The newest first.
    contracts: Vec<Term>,
    /// The last twenty requests to close it, the newest first.
    closings: Vec<ClosingLine>,
    /// Octets that its mailboxes hold.
    #[schema(minimum = 0, example = 1048576)]
    octets: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = StaffContractTerm)]
struct Term {
    #[schema(minimum = 1, example = 1)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    starts: String,
    #[schema(format = DateTime, example = "2027-11-28T20:59:59.999Z")]
    ends: String,
}

#[derive(Serialize, ToSchema)]
struct ClosingLine {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    requested: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    by: String,
    #[schema(example = "")]
    reason: String,
    /// `open`, `withdrawn`, or `completed`.
    #[schema(example = "open")]
    outcome: String,
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    completes: Option<String>,
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    decided: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Suspension {
    #[schema(inline)]
    reason: Reason,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountReopening {
    /// What the holder is known by: T.C. kimlik no, passport, VKN, DETSİS; needed where he is known.
    #[schema(inline)]
    identity: Option<Reference>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &AccountListing) -> Answered<Json<Accounts>> {
    on_duty(tx, call, SEES_ACCOUNTS)?;
    let wanted = Wanted {
        words: ask.search.as_ref().map(|one| one.0.clone()),
        number: ask.number.as_ref().map(|one| one.0.clone()),
        stage: ask.state.map(|one| one.0),
        after: ask.cursor.as_ref().map(|one| one.text.clone()).unwrap_or_default(),
        most: Limit::of(ask.limit),
    };
    let found = accounts_found::page(tx, &wanted, call.now)?;
    let line = |row: &Row| AccountLine::of(row, call);
    let next = found.next.map(|address| Cursor::new(0, address.as_str()).write());
    Ok(Json(Accounts { accounts: found.accounts.iter().map(line).collect(), next }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneAccount) -> Answered<Tagged<StaffAccount>> {
    on_duty(tx, call, SEES_ACCOUNTS)?;
    standing(tx, call, &ask.address)
}

fn suspend(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    body: &Json<Suspension>,
) -> Answered<Tagged<StaffAccount>> {
    let reason = closings::reasoned(&body.0.reason.0, false)?;
    moved(tx, call, ask, Move::Suspend { reason })
}

fn resume(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    (): &(),
) -> Answered<Tagged<StaffAccount>> {
    moved(tx, call, ask, Move::Resume)
}

fn moved(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    step: Move,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    accounts::step_in(tx, account.id, &account.address, step, &by)?;
    standing(tx, call, &ask.address)
}

fn close(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    (): &(),
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    closings::close_in(tx, &account, &by)?;
    standing(tx, call, &ask.address)
}

fn reopen(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    body: &Json<AccountReopening>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let number = body.0.identity.as_ref().map(|number| number.0.as_str());
    closings::reopen_his(tx, &account, number, &by)?;
    standing(tx, call, &ask.address)
}

/// The account of that address.
pub(super) fn named(tx: &mut Tx<'_>, address: &Name) -> Answered<Row> {
    let address = KepAddress::parse(&address.0).map_err(|_| Problem::AccountUnknown)?;
    Ok(accounts::get_in(tx, &address)?)
}

/// The same, to change it: until the transaction ends nobody else does.
pub(super) fn changing(tx: &mut Tx<'_>, call: &Call, address: &Name) -> Answered<Row> {
    let id = named(tx, address)?.id;
    rows::lock(tx, id)?;
    let account = named(tx, address)?;
    if call.if_match.is_some() {
        let shown = shown(tx, call, account.clone())?;
        call.matches(&tag(&shown)?)?;
    }
    Ok(account)
}

/// As it stands now.
pub(super) fn standing(
    tx: &mut Tx<'_>,
    call: &Call,
    address: &Name,
) -> Answered<Tagged<StaffAccount>> {
    let account = named(tx, address)?;
    whole(tx, call, account)
}

fn whole(tx: &mut Tx<'_>, call: &Call, account: Row) -> Answered<Tagged<StaffAccount>> {
    let shown = shown(tx, call, account)?;
    let tag = tag(&shown)?;
    Ok(Tagged(shown, tag))
}

fn shown(tx: &mut Tx<'_>, call: &Call, account: Row) -> Answered<StaffAccount> {
    let (id, record) = (account.id, records::record(tx, account)?);
    let usage = usage::of_account(tx, id)?;
    Ok(StaffAccount {
        account: AccountLine::of(&record.account, call),
        opening: record.account.opening.word().to_owned(),
        signature: record.account.signature.word().to_owned(),
        e_seal: record.e_seal,
        storage: usage.own_limit,
        label_mailboxes: label_boxes::wanted(tx, id)?,
        holder: record.holder.map(|holder| HolderShown::of(&holder.form())),
        contact: ContactShown::of(&record.contact.form()),
        invoice: record.invoice.map(|invoice| InvoiceData::of(invoice.form())),
        contracts: contracts::terms(tx, id)?.iter().map(Term::of).collect(),
        closings: closings::page(tx, id, None, CLOSINGS)?.iter().map(ClosingLine::of).collect(),
        octets: usage.octets,
    })
}

/// Of all that is shown but what mail makes of it: none of it has a number of its own that grows.
fn tag(shown: &StaffAccount) -> Answered<String> {
    let mut shown = serde_json::to_value(shown).map_err(|_| Problem::Internal)?;
    shown["octets"] = 0.into();
    let hex = sha256(shown.to_string().as_bytes()).hex();
    Ok(hex.get(..16).unwrap_or_default().to_owned())
}

impl AccountLine {
    fn of(row: &Row, call: &Call) -> Self {
        Self {
            address: row.address.to_string(),
            name: row.name.clone(),
            service: row.service.word().to_owned(),
            standing: Standing::of(row, call),
            created: row.created_at.iso8601(),
        }
    }
}

impl Standing {
    fn of(row: &Row, call: &Call) -> Self {
        let state = row.state_at(call.now);
        let (mut reason, mut completes) = (None, None);
        let since = match &state {
            AccountState::Active => None,
            AccountState::Suspended { since, reason: why } => {
                reason = Some(why.clone());
                Some(*since)
            }
            AccountState::Closing { since, completes: hour } => {
                completes = *hour;
                Some(*since)
            }
            AccountState::Closed { since } => *since,
            AccountState::Ended { since } => Some(*since),
        };
        Self {
            state: state.stage_at(call.now).word().to_owned(),
            since: since.map(|at| at.iso8601()),
            reason,
            completes: completes.map(|at| at.iso8601()),
            readable_until: state.readable_until().map(|at| at.iso8601()),
        }
    }
}

impl Term {
    fn of(row: &Contract) -> Self {
        Self { number: row.n, starts: row.starts_at.iso8601(), ends: row.ends_at.iso8601() }
    }
}

impl ClosingLine {
    fn of(row: &Closing) -> Self {
        let decided = match row.outcome {
            Outcome::Open => None,
            Outcome::Withdrawn(at) | Outcome::Completed(at) => Some(at.iso8601()),
        };
        Self {
            number: row.id,
            requested: row.requested_at.iso8601(),
            by: row.requested_by.clone(),
            reason: row.reason.clone(),
            outcome: row.outcome.word().to_owned(),
            completes: row.completes_at.map(|at| at.iso8601()),
            decided,
        }
    }
}

/// Requests to close an account that are shown with it.
const CLOSINGS: usize = 20;
