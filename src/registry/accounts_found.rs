//! Accounts as the staff look for them: by words of address and name, by a holder's number, by state. What
//! is found is shown without anything of its messages.

use super::accounts::{Account, RegistryError, account};
use super::standing::Stage;
use crate::store::{RowsError, Tx, accounts as rows, holders};
use crate::wire::fold::fold;
use crate::wire::{KepAddress, Timestamp};

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted {
    /// All of these words stand in address or name.
    pub words: Option<String>,
    /// The holder is known by this number: T.C. kimlik no, yabancı kimlik no, VKN, DETSİS.
    pub number: Option<String>,
    pub stage: Option<Stage>,
    /// Behind this address.
    pub after: String,
    pub most: usize,
}

/// Some accounts in the order of their addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub accounts: Vec<Account>,
    /// Behind which address to look on; a page may have none and be followed by others.
    pub next: Option<KepAddress>,
}

pub fn page(tx: &mut Tx<'_>, wanted: &Wanted, now: Timestamp) -> Result<Found, RegistryError> {
    let sought = fold(wanted.words.as_deref().unwrap_or_default());
    let fits = |one: &Account| {
        let text = fold(&format!("{} {}", one.address, one.name));
        sought.split_whitespace().all(|word| text.contains(word))
            && wanted.stage.is_none_or(|stage| one.state.stage_at(now) == stage)
    };
    if let Some(number) = &wanted.number {
        let mut accounts = of_number(tx, number)?;
        accounts.retain(|one| one.address.as_str() > wanted.after.as_str() && fits(one));
        return Ok(cut(accounts, wanted.most));
    }
    let (mut accounts, mut after, mut looked) = (Vec::new(), wanted.after.clone(), 0);
    while looked < LOOKED {
        let batch = rows::page(tx, &after, BATCH)?;
        for row in &batch {
            let one = account(row)?;
            looked += 1;
            after.clone_from(&row.address);
            let address = one.address.clone();
            if fits(&one) {
                accounts.push(one);
            }
            if accounts.len() == wanted.most {
                return Ok(Found { accounts, next: Some(address) });
            }
        }
        if batch.len() < BATCH {
            return Ok(Found { accounts, next: None });
        }
    }
    let next = KepAddress::parse(&after).map_err(|_| RowsError::Stored("an address"))?;
    Ok(Found { accounts, next: Some(next) })
}

/// A holder has few accounts.
fn of_number(tx: &mut Tx<'_>, number: &str) -> Result<Vec<Account>, RowsError> {
    let number: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let mut accounts = Vec::new();
    for kind in ["tc", "yk", "vkn", "detsis"] {
        let Some(holder) = holders::by_identity(tx, &format!("{kind}:{number}"))? else { continue };
        for id in holders::accounts(tx, holder)? {
            accounts.push(account(&rows::by_id(tx, id)?)?);
        }
    }
    accounts.sort_by(|one, two| one.address.as_str().cmp(two.address.as_str()));
    Ok(accounts)
}

fn cut(mut accounts: Vec<Account>, most: usize) -> Found {
    let more = accounts.len() > most;
    accounts.truncate(most);
    let next = accounts.last().filter(|_| more).map(|last| last.address.clone());
    Found { accounts, next }
}

/// Rows that are read at a time, and for one page: a name that nobody has ends no transaction late.
const BATCH: usize = 200;
const LOOKED: usize = 4000;
