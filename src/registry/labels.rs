//! Labels (etiket): keywords with a name and a colour, an account's own. Mail programs and the portal
//! share them. A keyword that a program set by itself is a label too, under the name it tells, until
//! somebody names it.

mod found;
pub mod staff;

pub use found::{enter, learn, unknown};

use super::RegistryError;
use crate::store::labels::{self as rows, LabelRow};
use crate::store::mail::view::{self, Mailbox};
use crate::store::mail::{self, change, label_boxes, labelled};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts};
use crate::wire::fold::fold;
use crate::wire::imap::{Flags, Keyword, Keywords, MailboxName, Uid, label};
use crate::wire::{AccountId, MailboxId, Timestamp};
use std::fmt;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// The keyword that messages bear.
    pub key: Keyword,
    pub name: String,
    pub colour: Option<Colour>,
    /// Whether somebody named it; if not, it is there because messages bear it.
    pub named: bool,
}

/// `#RRGGBB`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Colour(String);

#[derive(Debug, Error)]
pub enum LabelError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("there is a label of that name: {0}")]
    Exists(String),
    #[error("there is no label {0}")]
    Unknown(String),
    #[error(
        "a label's name has 1 to {NAME_MAX} characters, none of them a control character or `/`"
    )]
    BadName,
    #[error("names like {0} are the server's")]
    Reserved(String),
    #[error("an account has {LABELS_MAX} labels at most")]
    TooMany,
}

impl From<StoreError> for LabelError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<RowsError> for LabelError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

impl Colour {
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let good = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        good.then(|| Self(text.to_ascii_uppercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All labels of an account, by name: those that were named, and those that messages bear; of those
/// without a row as many as there may be with one.
pub async fn list(store: &Store, account: AccountId) -> Result<Vec<Label>, LabelError> {
    store.read(move |tx| all(tx, account)).await
}

/// Makes a label; its key is the one Thunderbird makes of that name.
pub async fn create(
    store: &Store,
    account: AccountId,
    name: &str,
    colour: Option<Colour>,
    at: Timestamp,
) -> Result<Label, LabelError> {
    let name = tidy(name)?;
    let work = move |tx: &mut Tx<'_>| make(tx, account, &name, colour.clone(), at);
    store.write(Lane::Client, work).await
}

/// Within a transaction: what `create` does.
pub fn create_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    colour: Option<Colour>,
    at: Timestamp,
) -> Result<Label, LabelError> {
    make(tx, account, &tidy(name)?, colour, at)
}

/// Within a transaction: gives the label of this key another name, or another colour, or none.
pub fn alter(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &Keyword,
    name: Option<&str>,
    colour: Option<Option<Colour>>,
    at: Timestamp,
) -> Result<Label, LabelError> {
    let name = name.map(tidy).transpose()?;
    change_in(tx, account, &|labels| keyed(labels, key), at, |label| {
        if let Some(name) = &name {
            label.name.clone_from(name);
        }
        if let Some(colour) = &colour {
            label.colour.clone_from(colour);
        }
    })
}

/// Gives a label another name. Its key stays, so that messages keep it.
pub async fn rename(
    store: &Store,
    account: AccountId,
    which: &str,
    name: &str,
    at: Timestamp,
) -> Result<Label, LabelError> {
    let (which, name) = (which.to_owned(), tidy(name)?);
    let work = move |tx: &mut Tx<'_>| {
        let which = |labels| find(labels, &which);
        change_in(tx, account, &which, at, |label| label.name.clone_from(&name))
    };
    store.write(Lane::Client, work).await
}

/// Gives a label another colour, or none.
pub async fn recolour(
    store: &Store,
    account: AccountId,
    which: &str,
    colour: Option<Colour>,
    at: Timestamp,
) -> Result<Label, LabelError> {
    let which = which.to_owned();
    let work = move |tx: &mut Tx<'_>| {
        let which = |labels| find(labels, &which);
        change_in(tx, account, &which, at, |label| label.colour.clone_from(&colour))
    };
    store.write(Lane::Client, work).await
}

/// Takes a label off all messages, and away. Others may write in between; what was cut off halfway is
/// done by asking again.
pub async fn delete(
    store: &Store,
    account: AccountId,
    which: &str,
    at: Timestamp,
) -> Result<Label, LabelError> {
    let name = which.to_owned();
    let look = move |tx: &mut Tx<'_>| find(all(tx, account)?, &name);
    let label = store.read(look).await?;
    take_away(store, account, label, at).await
}

/// The same of one that is known already.
pub async fn take_away(
    store: &Store,
    account: AccountId,
    label: Label,
    at: Timestamp,
) -> Result<Label, LabelError> {
    take_away_and(store, account, label, at, |_| Ok(())).await
}

/// The same, and what belongs to it in the transaction in which it is done.
async fn take_away_and(
    store: &Store,
    account: AccountId,
    label: Label,
    at: Timestamp,
    then: impl Fn(&mut Tx<'_>) -> Result<(), RowsError> + Send + 'static,
) -> Result<Label, LabelError> {
    let look = move |tx: &mut Tx<'_>| sources(tx, account);
    let mailboxes = store.read(look).await?;
    for mailbox in mailboxes {
        let mut after = Some(0);
        while let Some(uid) = after {
            let key = label.key.clone();
            let work = move |tx: &mut Tx<'_>| take_off(tx, account, mailbox.id, &key, uid);
            after = store.write(Lane::Client, work).await?;
        }
    }
    let key = label.key.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<(), LabelError> {
        accounts::lock(tx, account)?;
        rows::remove(tx, account, key.as_str())?;
        mirror(tx, account, at)?;
        Ok(then(tx)?)
    };
    store.write(Lane::Client, work).await?;
    Ok(label)
}

/// Gives the account a mailbox `Etiketler/…` for each label, or takes them away.
pub async fn as_mailboxes(
    store: &Store,
    account: AccountId,
    on: bool,
    at: Timestamp,
) -> Result<(), LabelError> {
    let work = move |tx: &mut Tx<'_>| as_mailboxes_in(tx, account, on, at);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction.
fn as_mailboxes_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    on: bool,
    at: Timestamp,
) -> Result<(), LabelError> {
    accounts::lock(tx, account)?;
    label_boxes::want(tx, account, on)?;
    if on {
        found::learn_all(tx, account, at)?;
    }
    mirror(tx, account, at)
}

/// Within a transaction: what `list` says.
pub fn all(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Label>, LabelError> {
    let mut labels = kept(tx, account)?;
    let (known, mut names) = (found::known(&labels), found::Names::of(&labels));
    let used = found::keys(&found::used(tx, account)?).into_iter();
    let rowless = used.filter(|key| !known.contains(key.as_str())).take(LABELS_MAX);
    labels.extend(rowless.map(|key| names.label(key)));
    labels.sort_by_cached_key(|label| (fold(&label.name), label.key.as_str().to_owned()));
    Ok(labels)
}

/// Those that have a row, by key.
fn kept(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Label>, RowsError> {
    rows::all(tx, account)?.into_iter().map(from_row).collect()
}

/// Makes the mailboxes of labels fit the labels.
fn mirror(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<(), LabelError> {
    let labels = match label_boxes::wanted(tx, account)? {
        true => kept(tx, account)?,
        false => Vec::new(),
    };
    let boxes = labels.into_iter().filter_map(|label| Some((label.key, box_name(&label.name)?)));
    Ok(label_boxes::be(tx, account, &boxes.collect::<Vec<_>>(), at)?)
}

/// Wildcards of LIST and what separates levels are written in full width; a name like `..` has no
/// mailbox.
fn box_name(label: &str) -> Option<MailboxName> {
    let label = label.replace('*', "＊").replace('%', "％").replace('/', "／");
    MailboxName::parse(&format!("{}/{label}", label_boxes::ABOVE))
}

/// Mailboxes whose messages are their own.
fn sources(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Mailbox>, RowsError> {
    let all = view::mailboxes(tx, account)?.into_iter();
    Ok(all.filter(|mailbox| !mailbox.role.is_gathered()).collect())
}

fn make(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    colour: Option<Colour>,
    at: Timestamp,
) -> Result<Label, LabelError> {
    accounts::lock(tx, account)?;
    let known = all(tx, account)?;
    is_free(&known, name, None)?;
    make_room(tx, account)?;
    let label = Label { key: free_key(&known, name)?, name: name.to_owned(), colour, named: true };
    rows::put(tx, account, &to_row(&label))?;
    mirror(tx, account, at)?;
    Ok(label)
}

/// A label that nobody named yet is named by this.
fn change_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &dyn Fn(Vec<Label>) -> Result<Label, LabelError>,
    at: Timestamp,
    change: impl Fn(&mut Label),
) -> Result<Label, LabelError> {
    accounts::lock(tx, account)?;
    let known = all(tx, account)?;
    let mut label = which(known.clone())?;
    change(&mut label);
    label.named = true;
    is_free(&known, &label.name, Some(&label.key))?;
    if !rows::has(tx, account, label.key.as_str())? {
        make_room(tx, account)?;
    }
    rows::put(tx, account, &to_row(&label))?;
    mirror(tx, account, at)?;
    Ok(label)
}

/// So that one more has a row: a label that nobody named gives way to one that somebody names.
fn make_room(tx: &mut Tx<'_>, account: AccountId) -> Result<(), LabelError> {
    let kept = rows::all(tx, account)?;
    if kept.len() < LABELS_MAX {
        return Ok(());
    }
    let found = kept.iter().rfind(|label| !label.named).ok_or(LabelError::TooMany)?;
    rows::remove(tx, account, &found.key)?;
    Ok(())
}

/// Takes a keyword off some messages behind `after`; says behind which there may be more.
fn take_off(
    tx: &mut Tx<'_>,
    account: AccountId,
    mailbox: MailboxId,
    key: &Keyword,
    after: Uid,
) -> Result<Option<Uid>, RowsError> {
    accounts::lock(tx, account)?;
    mail::lock(tx, mailbox)?;
    let Some(mailbox) = view::owned(tx, account, mailbox)? else { return Ok(None) };
    let uids = labelled::bearing(tx, &mailbox, key, after, BATCH)?;
    let gone: Keywords = [key.clone()].into_iter().collect();
    let without = |old: &Flags| Flags { keywords: old.keywords.without(&gone), ..old.clone() };
    change::set_flags(tx, &mailbox, &uids, None, &without)?;
    Ok(uids.last().filter(|_| uids.len() == BATCH))
}

/// By key, or by name as people would type it; a name that fits exactly goes before.
fn find(labels: Vec<Label>, which: &str) -> Result<Label, LabelError> {
    let folded = fold(which.trim());
    let exact = labels.iter().position(|label| label.name == which);
    let by_key = || labels.iter().position(|l| l.key.as_str().eq_ignore_ascii_case(which));
    let by_name = || labels.iter().position(|label| fold(&label.name) == folded);
    let at = exact.or_else(by_key).or_else(by_name);
    at.and_then(|at| labels.into_iter().nth(at))
        .ok_or_else(|| LabelError::Unknown(which.to_owned()))
}

/// By key alone.
fn keyed(labels: Vec<Label>, key: &Keyword) -> Result<Label, LabelError> {
    let mut labels = labels.into_iter();
    let found = labels.find(|label| label.key.as_str().eq_ignore_ascii_case(key.as_str()));
    found.ok_or_else(|| LabelError::Unknown(key.as_str().to_owned()))
}

/// Names are the same when people would take them for it: İ, I, ı and i are one letter.
fn is_free(known: &[Label], name: &str, own: Option<&Keyword>) -> Result<(), LabelError> {
    let folded = fold(name);
    let mut others = known.iter().filter(|label| own.is_none_or(|own| label.key != *own));
    match others.find(|label| fold(&label.name) == folded) {
        Some(label) => Err(LabelError::Exists(label.name.clone())),
        None => Ok(()),
    }
}

fn free_key(known: &[Label], name: &str) -> Result<Keyword, LabelError> {
    let made = label::key(name);
    let tries = (0..=known.len()).filter_map(|n| Keyword::parse(&label::with_suffix(&made, n)));
    let free = tries.into_iter().find(|key| !known.iter().any(|label| label.key == *key));
    match free {
        Some(key) if key.is_server_owned() => Err(LabelError::Reserved(name.to_owned())),
        Some(key) => Ok(key),
        None => Err(LabelError::BadName),
    }
}

/// As it is kept: composed letters, single spaces, none around.
fn tidy(name: &str) -> Result<String, LabelError> {
    let words: Vec<_> = name.split_whitespace().collect();
    let name: String = words.join(" ").nfc().collect();
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\u{2028}' | '\u{2029}');
    let good = (1..=NAME_MAX).contains(&name.chars().count()) && !name.chars().any(bad);
    // Nothing that is seen.
    let good = good && !fold(&name).trim().is_empty();
    if good { Ok(name) } else { Err(LabelError::BadName) }
}

fn from_row(row: LabelRow) -> Result<Label, RowsError> {
    let key = Keyword::parse(&row.key).ok_or(RowsError::Stored("a label's key"))?;
    Ok(Label { key, name: row.name, colour: Colour::parse(&row.colour), named: row.named })
}

fn to_row(label: &Label) -> LabelRow {
    LabelRow {
        key: label.key.as_str().to_owned(),
        name: label.name.clone(),
        colour: label.colour.as_ref().map(Colour::to_string).unwrap_or_default(),
        named: label.named,
    }
}

/// Of an account. The guide promises any number; each is told at every SELECT.
pub const LABELS_MAX: usize = 1000;
/// Characters: so that the key of a name in Turkish letters (six octets each) is a keyword.
pub const NAME_MAX: usize = 40;
/// Messages that lose a label at one go.
const BATCH: usize = 512;
