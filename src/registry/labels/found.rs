//! A keyword that a program sets and that nobody named is a label from then on, under the name that
//! its key tells: it has a row, so that it can be shown and have a mailbox.

use super::{LABELS_MAX, Label, LabelError, kept, mirror, rows, sources, to_row};
use crate::store::mail::labelled;
use crate::store::{Tx, accounts};
use crate::wire::fold::fold;
use crate::wire::imap::{Keyword, Keywords, Union, label};
use crate::wire::{AccountId, Timestamp};
use std::collections::{HashMap, HashSet};
use unicode_normalization::UnicodeNormalization;

/// Within a transaction that gives messages these keywords, before it locks a mailbox: those that are
/// labels and have no row get one. An account that has as many as it may gets no more.
pub fn learn(
    tx: &mut Tx<'_>,
    account: AccountId,
    words: &Keywords,
    at: Timestamp,
) -> Result<(), LabelError> {
    let new = unknown(tx, account, words)?;
    enter(tx, account, new, at)
}

/// Labels among keywords that have no row yet.
pub fn unknown(
    tx: &mut Tx<'_>,
    account: AccountId,
    words: &Keywords,
) -> Result<Vec<Keyword>, LabelError> {
    let keys = keys(words);
    if keys.len() > FEW {
        let known = known(&kept(tx, account)?);
        return Ok(keys.into_iter().filter(|key| !known.contains(key.as_str())).collect());
    }
    let mut new = Vec::new();
    for key in keys {
        if !rows::has(tx, account, key.as_str())? {
            new.push(key);
        }
    }
    Ok(new)
}

/// The same of all that messages bear: those that came before there were rows for them.
pub fn learn_all(tx: &mut Tx<'_>, account: AccountId, at: Timestamp) -> Result<(), LabelError> {
    let used = used(tx, account)?;
    enter(tx, account, keys(&used), at)
}

/// All keywords that messages of an account bear.
pub fn used(tx: &mut Tx<'_>, account: AccountId) -> Result<Keywords, LabelError> {
    let mut used = Union::default();
    for mailbox in sources(tx, account)? {
        used.add(labelled::keywords(tx, &mailbox)?.as_str());
    }
    Ok(used.keywords())
}

/// Labels among keywords, in whatever case they were set: Thunderbird's are small letters.
pub fn keys(words: &Keywords) -> Vec<Keyword> {
    let labels = words.iter().filter(|word| label::is_label(word));
    labels.filter_map(|word| Keyword::parse(&word.to_ascii_lowercase())).collect()
}

/// The keys of labels, in small letters.
pub fn known(labels: &[Label]) -> HashSet<String> {
    labels.iter().map(|label| label.key.as_str().to_ascii_lowercase()).collect()
}

/// Names that are taken, as people would tell them apart.
pub struct Names {
    taken: HashSet<String>,
    /// The number that a name gets next: whoever sets many keys of one name is served at once.
    next: HashMap<String, u64>,
}

impl Names {
    pub fn of(labels: &[Label]) -> Self {
        let taken = labels.iter().map(|label| fold(&label.name)).collect();
        Self { taken, next: HashMap::new() }
    }

    /// A label for a key, under the name it tells; a number stands behind one that is taken.
    pub fn label(&mut self, key: Keyword) -> Label {
        let told = label::name(key.as_str());
        let told: String = told.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
        let folded = fold(&told);
        if self.taken.insert(folded.clone()) {
            return Label { key, name: told, colour: None, named: false };
        }
        let next = self.next.entry(folded).or_insert(2);
        loop {
            let name = format!("{told} ({next})");
            *next += 1;
            if self.taken.insert(fold(&name)) {
                return Label { key, name, colour: None, named: false };
            }
        }
    }
}

/// Gives keys their rows, those of them that have none. Locks the account.
pub fn enter(
    tx: &mut Tx<'_>,
    account: AccountId,
    keys: Vec<Keyword>,
    at: Timestamp,
) -> Result<(), LabelError> {
    if keys.is_empty() {
        return Ok(());
    }
    accounts::lock(tx, account)?;
    // What it was before the wait may be old.
    let labels = kept(tx, account)?;
    let (known, mut names) = (known(&labels), Names::of(&labels));
    let new = keys.into_iter().filter(|key| !known.contains(&key.as_str().to_ascii_lowercase()));
    let room = LABELS_MAX.saturating_sub(labels.len());
    let new: Vec<_> = new.take(room).map(|key| to_row(&names.label(key))).collect();
    if new.is_empty() {
        return Ok(());
    }
    rows::put_all(tx, account, &new)?;
    mirror(tx, account, at)
}

/// So many keys are looked up one by one.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Keyword {
        Keyword::parse(text).expect("a key")
    }

    #[test]
    fn many_keys_of_one_name_get_their_numbers_at_once() {
        let mut names = Names::of(&[]);
        // The case of a key tells no other name.
        let labels: Vec<_> = (0..50_000).map(|_| names.label(key("fatura"))).collect();
        let (first, last) = (labels.first().expect("one"), labels.last().expect("one"));
        assert!(last.name.ends_with(" (50000)"), "{} {}", first.name, last.name);
    }

    #[test]
    fn a_number_that_somebody_took_is_passed_over() {
        let told = Names::of(&[]).label(key("fatura")).name;
        let label = |name: String| Label { key: key("x"), name, colour: None, named: true };
        let mut names = Names::of(&[label(told.clone()), label(format!("{told} (3)"))]);
        let given: Vec<_> = (0..3).map(|_| names.label(key("fatura")).name).collect();
        assert_eq!(given, [2, 4, 5].map(|n| format!("{told} ({n})")));
    }
}
