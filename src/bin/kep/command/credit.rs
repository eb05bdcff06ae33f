//! `kep account credit`, `kep credit`.

use super::said::{parse, registry};
use super::{show, staff};
use crate::arguments::{AccountCredit, Credit, CreditAct, Unit as UnitArgument, Who, Why};
use crate::failure::{Failure, Outcome};
use crate::settings::Size;
use crate::wire_up;
use kep::registry::audit::Actor;
use kep::registry::credits::{self, Addition, Audit, Balance, CreditError, Done, Entry, Unit};
use kep::registry::staff::StaffRole;
use kep::trust::Clock;
use serde::Serialize;
use std::process::ExitCode;

pub async fn account(arguments: AccountCredit) -> Outcome {
    match arguments {
        AccountCredit { act: Some(act), .. } => change(act).await,
        AccountCredit { conf, address: Some(address), json, .. } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = credits::statement(&store, &parse(&address)?, LATEST).await;
            let found = found.map_err(registry)?;
            let entries = found.entries.iter().map(Shown::of).collect();
            show::print(json, &Whole { balance: Has::of(found.balance), entries }, whole)
        }
        AccountCredit { .. } => {
            Err(Failure::usage("no address").hint("`kep account credit ADDRESS`"))
        }
    }
}

async fn change(act: CreditAct) -> Outcome {
    match act {
        CreditAct::TopUp { conf, who, address, amount, why } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Accountant).await?;
            let (address, what) = (parse(&address)?, addition(amount, &why));
            let made = credits::top_up(&store, &by, &address, &what).await.map_err(failure)?;
            told(made, why.json)
        }
        CreditAct::Correct {
            conf,
            who,
            address,
            amount,
            why,
            approved_by,
            approver_password_file,
        } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Accountant).await?;
            let (name, staff_password_file) = (Some(approved_by), approver_password_file);
            let second = staff::by(&store, &Who { name, staff_password_file }).await?;
            let Actor::Staff(second) = second.actor else {
                return Err(failure(CreditError::NotStaff));
            };
            let (address, what) = (parse(&address)?, addition(amount, &why));
            let made = credits::correct(&store, &by, &second, &address, &what).await;
            told(made.map_err(failure)?, why.json)
        }
        CreditAct::History { conf, address, before, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = credits::history(&store, &parse(&address)?, before, limit).await;
            let rows: Vec<_> = found.map_err(registry)?.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| table(rows))
        }
    }
}

pub async fn run(arguments: Credit) -> Outcome {
    match arguments {
        Credit::Audit { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = credits::audit(&store).await.map_err(Failure::unavailable)?;
            show::print(json, &Proof::of(&found), proof)?;
            Ok(ExitCode::from(u8::from(!found.faults.is_empty())))
        }
        Credit::Quote { conf, size, recipients, json } => {
            let octets = size.parse().ok().or_else(|| Size::parse(&size).map(|size| size.0));
            let octets = octets.ok_or_else(|| {
                Failure::data(format!("{size} is no size")).hint("octets, or `5 MiB`")
            })?;
            let to = recipients.iter().map(|to| parse(to)).collect::<Outcome<Vec<_>>>()?;
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let (domain, now) = (&settings.provider.domain, Clock::System.now());
            let quote = credits::quote(&store, domain, octets, &to, now).await.map_err(registry)?;
            let credits::Quote { enforced, total, elsewhere, here } = quote;
            show::print(json, &Price { enforced, total, elsewhere, here }, price)
        }
    }
}

fn addition(amount: i64, why: &Why) -> Addition {
    let unit = match why.unit {
        UnitArgument::Messages => Unit::Credit,
        UnitArgument::Sms => Unit::Sms,
    };
    Addition { unit, amount, reason: why.reason.clone(), reference: why.reference.clone() }
}

fn told(done: Done, json: bool) -> Outcome {
    let before = matches!(done, Done::Before(_));
    let made = Made { before, balance: Has::of(done.balance()) };
    show::print(json, &made, |made| {
        let again = if made.before { "it was done before; " } else { "" };
        format!("{again}{}", balance(&made.balance))
    })
}

pub(super) fn failure(error: CreditError) -> Failure {
    match error {
        CreditError::Registry(error) => registry(error),
        CreditError::Staff(error) => staff::failure(error),
        CreditError::Store(error) => Failure::unavailable(error),
        CreditError::NotStaff | CreditError::SamePerson | CreditError::NoApprover(_) => {
            Failure::refused(&error).hint("`kep staff list` shows who is approver")
        }
        CreditError::Taken(_) => {
            Failure::data(&error).hint("`kep account credit history` shows what it stands for")
        }
        CreditError::Short(_) => Failure::data(&error).hint("`kep account credit` shows it"),
        CreditError::Amount | CreditError::Reason | CreditError::Reference => Failure::data(&error)
            .hint("`kep account credit top-up ADDRESS 100 --reason TEXT --reference TEXT`"),
    }
}

#[derive(Serialize)]
struct Has {
    available: i64,
    reserved: i64,
    spent: i64,
    sms: i64,
    sms_spent: i64,
}

impl Has {
    fn of(balance: Balance) -> Self {
        let Balance { available, reserved, spent, sms, sms_spent } = balance;
        Self { available, reserved, spent, sms, sms_spent }
    }
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    balance: Has,
    entries: Vec<Shown>,
}

#[derive(Serialize)]
struct Made {
    /// By the same reference: nothing changed now.
    before: bool,
    #[serde(flatten)]
    balance: Has,
}

#[derive(Serialize)]
struct Shown {
    n: i64,
    at: String,
    entry: &'static str,
    from: &'static str,
    to: &'static str,
    amount: i64,
    rest: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<usize>,
    details: serde_json::Value,
}

impl Shown {
    fn of(entry: &Entry) -> Self {
        Self {
            n: entry.seq,
            at: entry.at.iso8601(),
            entry: entry.kind.word(),
            from: entry.from.word(),
            to: entry.to.word(),
            amount: entry.amount,
            rest: entry.rest,
            message: entry.message.clone(),
            recipient: entry.recipient,
            details: serde_json::from_str(&entry.details).unwrap_or_default(),
        }
    }

    fn about(&self) -> String {
        let text = |key: &str| self.details[key].as_str().unwrap_or_default();
        match (&self.message, self.recipient) {
            (Some(message), Some(n)) => format!("{message}, recipient {n}"),
            (Some(message), None) => message.clone(),
            (None, _) => format!("{} {}", text("reference"), text("reason")).trim().to_owned(),
        }
    }
}

#[derive(Serialize)]
struct Proof<'a> {
    proven: bool,
    entries: u64,
    accounts: u64,
    sums: Vec<(&'static str, i64)>,
    faults: &'a [String],
}

impl<'a> Proof<'a> {
    fn of(audit: &'a Audit) -> Self {
        Self {
            proven: audit.faults.is_empty(),
            entries: audit.entries,
            accounts: audit.accounts,
            sums: audit.sums.iter().map(|(ledger, sum)| (ledger.word(), *sum)).collect(),
            faults: &audit.faults,
        }
    }
}

#[derive(Serialize)]
struct Price {
    enforced: bool,
    total: i64,
    elsewhere: i64,
    here: i64,
}

fn price(price: &Price) -> String {
    let asked = if price.enforced { "" } else { "; credits are not asked for now" };
    let Price { total, elsewhere, here, .. } = price;
    format!("{total} credits: {here} of one here, {elsewhere} of one elsewhere{asked}\n")
}

fn balance(has: &Has) -> String {
    let Has { available, reserved, spent, sms, sms_spent } = has;
    format!(
        "{available} credits, {reserved} reserved, {spent} spent; {sms} SMS, {sms_spent} sent\n"
    )
}

fn whole(whole: &Whole) -> String {
    format!("{}{}", balance(&whole.balance), table(&whole.entries))
}

fn table(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let (n, amount, rest) = (row.n.to_string(), row.amount.to_string(), row.rest.to_string());
        vec![n, row.at.clone(), row.entry.to_owned(), amount, row.to.to_owned(), rest, row.about()]
    });
    let head = ["N", "AT", "ENTRY", "AMOUNT", "TO", "LEFT", "ABOUT"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no entries")
}

fn proof(proof: &Proof<'_>) -> String {
    let Proof { entries, accounts, .. } = proof;
    let mut lines = vec![format!("{entries} entries of {accounts} accounts")];
    lines.extend(proof.sums.iter().map(|(ledger, sum)| format!("{ledger}: {sum}")));
    lines.extend(proof.faults.iter().map(|fault| format!("wrong: {fault}")));
    lines.push(if proof.proven { "all sums agree" } else { "the sums do not agree" }.to_owned());
    lines.join("\n") + "\n"
}

/// Entries beside the balance.
const LATEST: usize = 10;
