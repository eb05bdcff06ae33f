//! A keyword that a program sets and that nobody named is a label from then on, under the name that
//! its key tells: it has a row, so that it can be shown and have a mailbox.

use super::{LABELS_MAX, Label, LabelError, kept, mirror, rows, sources, to_row};
use crate::store::mail::labelled;
use crate::store::{Tx, accounts};
use crate::wire::fold::fold;
use crate::wire::imap::{Keyword, Keywords, label};
use crate::wire::{AccountId, Timestamp};
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// Within a transaction that gives messages these keywords, before it locks a mailbox: those that are
/// labels and have no row get one. An account that has as many as it may gets no more.
pub fn learn(
    tx: &mut Tx<'_>,
    account: AccountId,
    words: &Keywords,
    at: Timestamp,
) -> Result<(), LabelError> {
    let mut new = Vec::new();
    for key in keys(words) {
        if !rows::has(tx, account, key.as_str())? {
            new.push(key);
        }
    }
    match new.is_empty() {
        true => Ok(()),
        false => enter(tx, account, new, at),
    }
}

/// The same of all that messages bear: those that came before there were rows for them.
pub fn learn_all(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<(), LabelError> {
    let used = used(tx, account)?;
    enter(tx, account, keys(&used), at)
}

/// All keywords that messages of an account bear.
pub fn used(tx: &mut Tx<'_>, account: AccountId) -> Result<Keywords, LabelError> {
    let mut used = Keywords::default();
    for mailbox in sources(tx, account)? {
        used = used.with(&labelled::keywords(tx, &mailbox)?);
    }
    Ok(used)
}

/// Labels among keywords, in whatever case they were set: Thunderbird's are small letters.
pub fn keys(words: &Keywords) -> Vec<Keyword> {
    let labels = words.iter().filter(|word| label::is_label(word));
    labels.filter_map(|word| Keyword::parse(&word.to_ascii_lowercase())).collect()
}

/// Names that are taken, as people would tell them apart.
pub struct Names(HashSet<String>);

impl Names {
    pub fn of(labels: &[Label]) -> Self {
        Self(labels.iter().map(|label| fold(&label.name)).collect())
    }

    /// A label for a key, under the name it tells; a number stands behind one that is taken.
    pub fn label(&mut self, key: Keyword) -> Label {
        let told = label::name(key.as_str());
        let told: String = told.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
        let numbered = (2_u64..).map(|n| format!("{told} ({n})"));
        let mut names = std::iter::once(told.clone()).chain(numbered);
        let name = names.find(|name| self.0.insert(fold(name))).unwrap_or(told);
        Label { key, name, colour: None, named: false }
    }
}

fn enter(
    tx: &mut Tx<'_>,
    account: AccountId,
    keys: Vec<Keyword>,
    at: Timestamp,
) -> Result<(), LabelError> {
    accounts::lock(tx, account)?;
    // What it was before the wait may be old.
    let known = kept(tx, account)?;
    let mut names = Names::of(&known);
    let new = keys.into_iter().filter(|key| !known.iter().any(|label| label.key == *key));
    let room = LABELS_MAX.saturating_sub(known.len());
    let new: Vec<_> = new.take(room).map(|key| names.label(key)).collect();
    for label in &new {
        rows::put(tx, account, &to_row(label))?;
    }
    match new.is_empty() {
        true => Ok(()),
        false => mirror(tx, account, at),
    }
}
