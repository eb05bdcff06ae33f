//! Storage shares (kota): how many octets an account's mailboxes may hold. Its own limit goes before what
//! was decided for its kind of holder, and that before the configuration. Evidence counts for nothing.

use super::accounts::RegistryError;
use super::declared::Kind as _;
use super::notices::{self, Happened};
use super::outbox::Kind as NoticeKind;
use super::policy::{self, Octets};
use crate::store::mail::usage;
use crate::store::{Lane, RowsError, Store, StoreError, Tx, policies};
use crate::wire::{AccountId, Timestamp};

/// What an account uses, and may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    pub used: u64,
    /// Octets; `None` when there is no limit.
    pub limit: Option<u64>,
    pub by: Whose,
    pub mailboxes: u64,
}

/// Who says how much it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    Account,
    Policy,
    Provider,
    Nobody,
}

impl Whose {
    pub fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Policy => "policy",
            Self::Provider => "provider",
            Self::Nobody => "none",
        }
    }
}

impl Share {
    pub fn room(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }

    /// Whether so many hundredths are used. Where nothing may be held nothing is nearly full.
    pub fn reaches(&self, percent: u32) -> bool {
        let Some(limit) = self.limit.filter(|limit| *limit > 0) else { return false };
        u128::from(self.used) * 100 >= u128::from(limit) * u128::from(percent)
    }
}

/// What holds for an account now. `configured` is the provider's limit for all.
pub fn of(
    tx: &mut Tx<'_>,
    account: AccountId,
    configured: Option<u64>,
    now: Timestamp,
) -> Result<Share, RowsError> {
    let used = usage::of_account(tx, account)?;
    let (limit, by) = match used.own_limit {
        Some(own) => (Some(own), Whose::Account),
        None => match decided(tx, used.kind.as_deref(), now)? {
            Some(share) => (Some(share), Whose::Policy),
            None if configured.is_some() => (configured, Whose::Provider),
            None => (None, Whose::Nobody),
        },
    };
    Ok(Share { used: used.octets, limit, by, mailboxes: used.mailboxes })
}

/// Octets that may still come into an account; `None` when there is no limit.
pub fn room(
    tx: &mut Tx<'_>,
    account: AccountId,
    configured: Option<u64>,
    now: Timestamp,
) -> Result<Option<u64>, RowsError> {
    Ok(of(tx, account, configured, now)?.room())
}

/// The same in a transaction of its own.
pub async fn share(
    store: &Store,
    account: AccountId,
    configured: Option<u64>,
    now: Timestamp,
) -> Result<Share, RegistryError> {
    Ok(store.read(move |tx: &mut Tx<'_>| of(tx, account, configured, now)).await?)
}

/// One look-up: this is asked for each delivery, and all policies are many.
fn decided(tx: &mut Tx<'_>, kind: Option<&str>, now: Timestamp) -> Result<Option<u64>, RowsError> {
    let key = match kind {
        Some("person") => "storage.person",
        Some("company") => "storage.company",
        Some("public") => "storage.public",
        _ => return Ok(None),
    };
    let value = policies::in_force(tx, key, now)?;
    let share = value.and_then(|value| Option::<Octets>::parse(&value)).flatten();
    Ok(share.map(|octets| octets.0))
}

/// Tells who is nearly full, once until he is not any more; says of how many accounts it told.
pub async fn warn(
    store: &Store,
    configured: Option<u64>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let percent = store.read(move |tx: &mut Tx<'_>| policy::at(tx, now)).await?.storage_warn.0;
    let (mut after, mut told) = (AccountId(0), 0);
    loop {
        let look = move |tx: &mut Tx<'_>| page(tx, after, configured, percent, now);
        let (last, changed) = store.read(look).await?;
        for account in changed {
            let work = move |tx: &mut Tx<'_>| one(tx, account, configured, percent, now);
            told += usize::from(store.write(Lane::Background, work).await?);
        }
        match last {
            Some(last) => after = last,
            None => return Ok(told),
        }
    }
}

/// Those behind an account of whom something else is so than was written down.
fn page(
    tx: &mut Tx<'_>,
    after: AccountId,
    configured: Option<u64>,
    percent: u32,
    now: Timestamp,
) -> Result<(Option<AccountId>, Vec<AccountId>), RowsError> {
    let page = usage::warned(tx, after, ACCOUNTS)?;
    let mut changed = Vec::new();
    for (account, warned) in &page {
        let share = of(tx, *account, configured, now)?;
        if warned.full != is_full(&share, percent, warned.full) {
            changed.push(*account);
        }
    }
    Ok((page.last().map(|(account, _)| *account), changed))
}

fn one(
    tx: &mut Tx<'_>,
    account: AccountId,
    configured: Option<u64>,
    percent: u32,
    now: Timestamp,
) -> Result<bool, RowsError> {
    crate::store::accounts::lock(tx, account)?;
    let before = usage::warned_of(tx, account)?;
    let share = of(tx, account, configured, now)?;
    let full = is_full(&share, percent, before.full);
    if full == before.full {
        return Ok(false);
    }
    let count = before.count + i64::from(full);
    usage::set_warned(tx, account, usage::Warned { count, full })?;
    let Some(limit) = share.limit.filter(|_| full) else { return Ok(false) };
    let (used, limit) = (shown(share.used), shown(limit));
    let happened = Happened {
        account,
        kind: NoticeKind::Storage,
        cause: format!("storage/{count}"),
        values: &[("used", &used), ("limit", &limit)],
        at: now,
    };
    notices::tell(tx, &happened)?;
    Ok(true)
}

/// Who was told is told again only after some of it was free: one mail more or less is no news.
fn is_full(share: &Share, percent: u32, before: bool) -> bool {
    let percent = if before { percent.saturating_sub(LESS) } else { percent };
    percent > 0 && share.reaches(percent)
}

/// In the largest unit of which there is one.
pub fn shown(octets: u64) -> String {
    let units = [("GiB", 30_u32), ("MiB", 20), ("KiB", 10)];
    match units.iter().find(|(_, bits)| octets >> bits > 0) {
        Some((unit, bits)) => {
            let tenths = (u128::from(octets) * 10) >> bits;
            format!("{},{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{octets} B"),
    }
}

/// Accounts looked at in one transaction.
const ACCOUNTS: i64 = 200;
/// Hundredths.
const LESS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn share(used: u64, limit: Option<u64>) -> Share {
        Share { used, limit, by: Whose::Provider, mailboxes: 1 }
    }

    #[test]
    fn nearly_full_is_told_at_the_mark_and_not_again_just_below_it() {
        assert!(is_full(&share(90, Some(100)), 90, false));
        assert!(!is_full(&share(89, Some(100)), 90, false));
        assert!(is_full(&share(86, Some(100)), 90, true), "it was told of");
        assert!(!is_full(&share(84, Some(100)), 90, true));
        for never in [share(u64::MAX, None), share(5, Some(0))] {
            assert!(!is_full(&never, 90, false));
        }
        assert!(!is_full(&share(100, Some(100)), 0, false), "0 tells nobody");
        assert!(share(u64::MAX, Some(u64::MAX)).reaches(100), "no number is too large");
        assert_eq!(share(120, Some(100)).room(), Some(0));
    }

    #[test]
    fn sizes_are_shown_as_people_say_them() {
        let said = [0, 1023, 1024, 2_516_992, 10 << 30].map(shown);
        assert_eq!(said, ["0 B", "1023 B", "1,0 KiB", "2,4 MiB", "10,0 GiB"]);
    }
}
