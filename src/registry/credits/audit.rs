//! The proof of all sums: every entry is gone through again, account by account, and must lead to what is
//! kept.

use super::{Balance, Entry, Kind, Ledger};
use crate::store::{RowsError, Store, StoreError, Tx, credits as rows};
use crate::wire::AccountId;
use std::collections::BTreeMap;

/// What the proof came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Audit {
    pub entries: u64,
    pub accounts: u64,
    /// The postings of each ledger, over all who hold one; together nothing.
    pub sums: Vec<(Ledger, i64)>,
    /// What does not agree; the first [`MOST`].
    pub faults: Vec<String>,
}

/// Goes through every entry, in one consistent state.
pub async fn audit(store: &Store) -> Result<Audit, StoreError> {
    store.read(|tx| Ok(prove(tx)?)).await
}

fn prove(tx: &mut Tx<'_>) -> Result<Audit, RowsError> {
    let kept: BTreeMap<_, _> = rows::balances(tx)?.into_iter().collect();
    let mut going = Going::default();
    rows::visit(tx, &mut |entry| {
        going.take(&entry);
        Ok(())
    })?;
    let Going { mut audit, summed, .. } = going;
    audit.accounts = kept.len() as u64;
    for (account, balance) in &kept {
        let sum = summed.get(account).copied().unwrap_or_default();
        if sum != *balance {
            fault(&mut audit, format!("account {account}: {balance:?} is kept, {sum:?} the sum"));
        }
    }
    for account in summed.keys().filter(|account| !kept.contains_key(account)) {
        fault(&mut audit, format!("account {account}: entries, and no balance"));
    }
    audit.sums = rows::sums(tx)?;
    for sms in [false, true] {
        let of_unit = audit.sums.iter().filter(|(ledger, _)| ledger.is_sms() == sms);
        let sum: i64 = of_unit.map(|(_, amount)| amount).sum();
        if sum != 0 {
            fault(&mut audit, format!("all postings together are {sum}"));
        }
    }
    Ok(audit)
}

/// How far the proof has come.
#[derive(Default)]
struct Going {
    audit: Audit,
    summed: BTreeMap<AccountId, Balance>,
}

impl Going {
    fn take(&mut self, entry: &Entry) {
        self.audit.entries += 1;
        if !fits(entry) {
            let (from, to) = (entry.from.word(), entry.to.word());
            fault(&mut self.audit, format!("{}: {from} to {to}", entry.id));
        }
        let sum = self.summed.entry(entry.account).or_default();
        sum.put(entry.from, -entry.amount);
        sum.put(entry.to, entry.amount);
        let (rest, below) =
            (sum.rest(entry.from, entry.to), OWN.iter().any(|own| sum.of(*own) < 0));
        if rest != entry.rest {
            fault(&mut self.audit, format!("{}: {} left, and {rest} by sum", entry.id, entry.rest));
        }
        if below {
            fault(&mut self.audit, format!("{}: more was taken than there was", entry.id));
        }
    }
}

/// Whether an entry of its kind goes between these ledgers.
fn fits(entry: &Entry) -> bool {
    use Ledger::{
        Available, Correction, Reserved, Sms, SmsCorrection, SmsSpent, SmsTopUp, Spent, TopUp,
    };
    let between = (entry.from, entry.to);
    match entry.kind {
        Kind::Reserve => between == (Available, Reserved),
        Kind::Spend => between == (Reserved, Spent),
        Kind::Release => between == (Reserved, Available),
        Kind::GiveBack => matches!(between, (Spent, Available) | (SmsSpent, Sms)),
        Kind::Sms => between == (Sms, SmsSpent),
        Kind::TopUp => matches!(between, (TopUp, Available) | (SmsTopUp, Sms)),
        Kind::Correct => matches!(
            between,
            (Correction, Available)
                | (Available, Correction)
                | (SmsCorrection, Sms)
                | (Sms, SmsCorrection)
        ),
    }
}

fn fault(audit: &mut Audit, what: String) {
    if audit.faults.len() < MOST {
        audit.faults.push(what);
    }
}

const OWN: [Ledger; 5] =
    [Ledger::Available, Ledger::Reserved, Ledger::Spent, Ledger::Sms, Ledger::SmsSpent];
/// Faults that are told; where there are as many, the rest is no news.
pub const MOST: usize = 100;
