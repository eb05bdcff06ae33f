//! What staff does to the labels of an account: as its holder would, and in the audit.

use super::{Colour, Label, LabelError, all, change_in, find, make, take_away_and, tidy};
use crate::registry::audit::{self, By};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::wire::AccountId;
use serde_json::{Value, json};

pub async fn create(
    store: &Store,
    account: AccountId,
    name: &str,
    colour: Option<Colour>,
    by: &By,
) -> Result<Label, LabelError> {
    let (name, by) = (tidy(name)?, by.clone());
    let work = move |tx: &mut Tx<'_>| {
        let made = make(tx, account, &name, colour.clone(), by.at)?;
        record(tx, &by, "label.add", account, of(&made))?;
        Ok(made)
    };
    store.write(Lane::Client, work).await
}

pub async fn rename(
    store: &Store,
    account: AccountId,
    which: &str,
    name: &str,
    by: &By,
) -> Result<Label, LabelError> {
    let name = tidy(name)?;
    let rename = move |label: &mut Label| label.name.clone_from(&name);
    change(store, account, which, "label.rename", by, rename).await
}

pub async fn recolour(
    store: &Store,
    account: AccountId,
    which: &str,
    colour: Option<Colour>,
    by: &By,
) -> Result<Label, LabelError> {
    let paint = move |label: &mut Label| label.colour.clone_from(&colour);
    change(store, account, which, "label.colour", by, paint).await
}

async fn change(
    store: &Store,
    account: AccountId,
    which: &str,
    act: &'static str,
    by: &By,
    change: impl Fn(&mut Label) + Send + 'static,
) -> Result<Label, LabelError> {
    let (which, by) = (which.to_owned(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        let changed = change_in(tx, account, &|labels| find(labels, &which), by.at, &change)?;
        record(tx, &by, act, account, of(&changed))?;
        Ok(changed)
    };
    store.write(Lane::Client, work).await
}

/// Recorded when it is off all messages; what was cut off halfway is done by asking again.
pub async fn delete(
    store: &Store,
    account: AccountId,
    which: &str,
    by: &By,
) -> Result<Label, LabelError> {
    let name = which.to_owned();
    let look = move |tx: &mut Tx<'_>| find(all(tx, account)?, &name);
    let label = store.read(look).await?;
    let (by, details) = (by.clone(), of(&label));
    let at = by.at;
    let recorded = move |tx: &mut Tx<'_>| record(tx, &by, "label.remove", account, details.clone());
    take_away_and(store, account, label, at, recorded).await
}

/// Gives the account a mailbox for each label, or takes them away; within somebody's transaction.
pub fn as_mailboxes_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    on: bool,
    by: &By,
) -> Result<(), LabelError> {
    super::as_mailboxes_in(tx, account, on, by.at)?;
    Ok(record(tx, by, "account.label-mailboxes", account, json!({ "on": on }))?)
}

/// Which: by its key.
fn of(label: &Label) -> Value {
    json!({ "label": label.key.as_str() })
}

fn record(
    tx: &mut Tx<'_>,
    by: &By,
    act: &'static str,
    account: AccountId,
    details: Value,
) -> Result<(), RowsError> {
    let address = accounts::by_id(tx, account)?.address;
    audit::record(tx, by, act, &address, details)?;
    Ok(())
}
