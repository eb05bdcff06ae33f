//! Where messages are paid for as they are handed in.

use super::{Charge, Recipients, release, reserve};
use crate::registry::policy::InForce;
use crate::store::submissions::{self, NewRecipient, NewSubmission, Origin, Same};
use crate::store::{RowsError, Store, Tx, accounts, credits as rows};
use crate::wire::{AccountId, MessageId, Timestamp};

/// The terms, looked up once a second at most: while credits are not asked for, nothing else is.
pub struct Till {
    store: Store,
    terms: InForce,
}

/// An account has not what a message costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Short {
    pub needed: i64,
    pub left: i64,
}

/// What became of a submission's price.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Paid {
    /// It costs nothing, or what it costs is reserved.
    Yes,
    /// The same mail came before, and was paid for then (invariant 2).
    Before(Same),
    Short(Short),
}

impl Till {
    pub fn new(store: Store) -> Self {
        Self { terms: InForce::new(store.clone()), store }
    }

    /// What a message costs now; nothing when credits are not asked for, or when it is free.
    pub async fn charge(
        &self,
        octets: u64,
        to: Recipients,
        now: Timestamp,
    ) -> Result<Option<Charge>, RowsError> {
        Ok(super::charge(&*self.terms.at(now).await?, octets, to))
    }

    /// Whether the account has too little for so many octets to them, as far as can be said before.
    pub async fn short(
        &self,
        account: AccountId,
        octets: u64,
        to: Recipients,
        now: Timestamp,
    ) -> Result<Option<Short>, RowsError> {
        let Some(charge) = self.charge(octets, to, now).await? else { return Ok(None) };
        let left = self.store.look_up(move |tx| rows::balance(tx, account)).await?.available;
        let needed = charge.total;
        Ok((left < needed).then_some(Short { needed, left }))
    }
}

/// How many of the recipients have their mailboxes here.
pub fn recipients(of: &[NewRecipient]) -> Recipients {
    let here = of.iter().filter(|one| one.account.is_some()).count();
    Recipients { here, elsewhere: of.len() - here }
}

/// What was reserved for a message that this one takes the place of: its unsigned form was held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    pub message: MessageId,
    pub charge: Charge,
}

/// Reserves what a submission costs that is about to be laid in, in this transaction; unless it is there.
/// What was reserved for what it takes the place of is available first. Short, nothing has changed.
pub fn pay(tx: &mut Tx<'_>, new: &NewSubmission, held: &[Held]) -> Result<Paid, RowsError> {
    let (Some(charge), Origin::Account(account)) = (&new.details.charge, &new.origin) else {
        return Ok(Paid::Yes);
    };
    accounts::lock(tx, *account)?;
    if let Some(same) = submissions::same(tx, *account, &new.same_mail, new.accepted_at)? {
        return Ok(Paid::Before(same));
    }
    let freed: i64 = held.iter().map(|one| one.charge.total).sum();
    if freed > 0 {
        let left = rows::balance(tx, *account)?.available.saturating_add(freed);
        if left < charge.total {
            return Ok(Paid::Short(Short { needed: charge.total, left }));
        }
    }
    for one in held {
        release(tx, *account, &one.message, &one.charge, new.accepted_at)?;
    }
    if reserve(tx, *account, &new.message_id, charge, new.accepted_at)? {
        return Ok(Paid::Yes);
    }
    let left = rows::balance(tx, *account)?.available;
    Ok(Paid::Short(Short { needed: charge.total, left }))
}
