//! Contacts of an account: found, listed, laid in.

use super::fault::{ContactError, Fault};
use super::fields::{CATEGORIES, Fields};
use super::{BOOK_MAX, CONTACTS_MAX, group};
use crate::registry::audit::{self, By};
use crate::store::contacts::{self as rows, ContactRow, Place};
use crate::store::{RowsError, Store, Tx, accounts};
use crate::wire::fold::{collation_key, fold};
use crate::wire::vcard::{Card, Property, escape, read};
use crate::wire::{AccountId, Timestamp, sha256};
use data_encoding::HEXLOWER;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A contact of an address book.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    /// Names it for ever, in every program.
    pub uid: String,
    /// Of the whole book; a later change has a higher one.
    pub revision: i64,
    pub changed_at: Timestamp,
    /// Names of groups.
    pub groups: Vec<String>,
    /// Without CATEGORIES.
    pub card: Card,
}

impl Contact {
    pub fn fields(&self) -> Fields {
        Fields::of(&self.card)
    }
}

/// Contacts in the order of their names: those in which each word of `search` stands, of a group if one
/// is named, after the contact `after` if one is named, at most `limit`.
pub async fn list(
    store: &Store,
    account: AccountId,
    search: &str,
    group: Option<&str>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Contact>, ContactError> {
    let search = search.to_owned();
    let (group, after) = (group.map(str::to_owned), after.map(str::to_owned));
    let work = move |tx: &mut Tx<'_>| -> Result<_, ContactError> {
        let group = match &group {
            Some(name) => Some(group::find(tx, account, name)?.id),
            None => None,
        };
        let page = (limit, usize::MAX);
        Ok(page_in(tx, account, &search, group, after.as_deref(), page)?.0)
    };
    store.read(work).await
}

/// The same in a transaction; of the group of this number, and no more after the one with which they have so many
/// octets. Says whether there are others behind them.
pub fn page_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    search: &str,
    group: Option<i64>,
    after: Option<&str>,
    (limit, octets): (usize, usize),
) -> Result<(Vec<Contact>, bool), ContactError> {
    let start = match after {
        Some(uid) => {
            let row = row_of(tx, account, uid)?.ok_or_else(|| unknown(uid))?;
            (row.sort_key, row.id)
        }
        None => (Vec::new(), 0),
    };
    let sought = Sought::new(tx, account, search, group)?;
    let (found, last) = sought.page(tx, start, (limit, octets))?;
    let more = match last {
        Some(last) => !sought.behind(tx, last, 1)?.is_empty(),
        None => false,
    };
    Ok((found, more))
}

/// Which contacts are wanted.
pub(super) struct Sought {
    account: AccountId,
    words: Vec<String>,
    of_group: Option<BTreeSet<i64>>,
    names: BTreeMap<i64, String>,
}

impl Sought {
    pub fn new(
        tx: &mut Tx<'_>,
        account: AccountId,
        search: &str,
        group: Option<i64>,
    ) -> Result<Self, ContactError> {
        let words = fold(search).split_whitespace().map(str::to_owned).collect();
        let of_group = group.map(|group| rows::members(tx, group)).transpose()?;
        Ok(Self { account, words, of_group, names: names(tx, account)? })
    }

    /// Those behind a place, so many, or so many octets (cards, names of groups) and one card more; and the place
    /// of the last one.
    pub fn page(
        &self,
        tx: &mut Tx<'_>,
        start: Place,
        (limit, octets): (usize, usize),
    ) -> Result<(Vec<Contact>, Option<Place>), ContactError> {
        let found = self.behind(tx, start, limit)?;
        let (mut all, mut last, mut taken) = (Vec::with_capacity(found.len()), None, 0);
        for id in found {
            let Some(row) = rows::by_id(tx, self.account, id)? else { continue };
            let one = contact(&row, Some(&rows::groups_of(tx, id)?), &self.names)?;
            taken += row.card.len() + one.groups.iter().map(String::len).sum::<usize>();
            all.push(one);
            last = Some((row.sort_key, id));
            if taken >= octets {
                break;
            }
        }
        Ok((all, last))
    }

    /// Numbers of those behind a place, so many.
    fn behind(&self, tx: &mut Tx<'_>, start: Place, limit: usize) -> Result<Vec<i64>, RowsError> {
        let mut found = Vec::new();
        rows::visit(tx, self.account, start, &mut |id, search| {
            let wanted = self.words.iter().all(|word| search.contains(word.as_str()))
                && self.of_group.as_ref().is_none_or(|members| members.contains(&id));
            if wanted && found.len() < limit {
                found.push(id);
            }
            found.len() < limit
        })?;
        Ok(found)
    }
}

/// The contact of that UID or KEP address, if there is one.
pub async fn find(
    store: &Store,
    account: AccountId,
    which: &str,
) -> Result<Option<Contact>, ContactError> {
    let which = which.to_owned();
    store.read(move |tx: &mut Tx<'_>| find_in(tx, account, &which)).await
}

/// The same in a transaction.
pub fn find_in(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &str,
) -> Result<Option<Contact>, ContactError> {
    let Some(row) = row_of(tx, account, which)? else { return Ok(None) };
    Ok(Some(whole(tx, &row)?))
}

/// The contact that must be there.
pub async fn get(store: &Store, account: AccountId, which: &str) -> Result<Contact, ContactError> {
    find(store, account, which).await?.ok_or_else(|| unknown(which))
}

/// Lays a card in under its UID: a new contact, or another content of `known`. The caller has the lock.
pub(super) fn lay(
    tx: &mut Tx<'_>,
    account: AccountId,
    uid: &str,
    card: &Card,
    known: Option<&ContactRow>,
    at: Timestamp,
) -> Result<ContactRow, ContactError> {
    let fields = Fields::of(card);
    let circuit = fields.circuit()?;
    for address in &circuit {
        let Some(other) = rows::with_address(tx, account, address.as_str())? else { continue };
        if known.is_none_or(|known| known.id != other) {
            let by = rows::by_id(tx, account, other)?.map(|row| row.name).unwrap_or_default();
            return Err(Fault::Taken { address: address.to_string(), by }.into());
        }
    }
    let name = fields.shown();
    let text = kept(card, uid, &name).to_string();
    // Two cards that can be read may make one that can't.
    if text.len() > CARD_MAX || read_back(text.as_bytes()).is_none() {
        return Err(Fault::TooLarge.into());
    }
    let before = known.map_or(0, |known| known.card.len());
    let (contacts, octets) = rows::size(tx, account)?;
    let grown = octets.saturating_add(text.len() as i64 - before as i64);
    let more = known.is_none() && contacts >= CONTACTS_MAX as i64;
    if more || (text.len() > before && grown > BOOK_MAX) {
        return Err(Fault::Full.into());
    }
    let mut row = ContactRow {
        id: known.map_or(0, |known| known.id),
        account,
        uid: uid.to_owned(),
        sort_key: collation_key(&name).into_bytes(),
        search: searched(&fields),
        name,
        card: text.into_bytes(),
        revision: rows::next_revision(tx, account)?,
        changed_at: at,
    };
    match known {
        Some(_) => rows::change(tx, &row, before)?,
        None => row.id = rows::add(tx, &row)?,
    }
    let mut addresses: Vec<_> = circuit.iter().map(|address| address.as_str()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    rows::set_addresses(tx, account, row.id, &addresses)?;
    Ok(row)
}

/// As it is stored: named, with its UID, and without what rows say.
pub(super) fn kept(card: &Card, uid: &str, name: &str) -> Card {
    let mut card = card.clone();
    card.remove(CATEGORIES);
    card.remove("UID");
    card.properties.insert(0, Property::new("UID", escape(uid)));
    if card.first("FN").is_none() {
        card.set("FN", escape(name));
    }
    card
}

/// The UID of a card that has none: the same card has the same, whenever and by whatever it was written.
pub(super) fn derived(card: &Card) -> String {
    let mut card = card.clone();
    card.properties.retain(|property| !matches!(property.name.as_str(), "REV" | "PRODID"));
    let digest = sha256(card.to_string().as_bytes()).0;
    uuid(std::array::from_fn(|place| digest.get(place).copied().unwrap_or_default()))
}

/// A version 8 UUID (RFC 9562) of these octets, as RFC 6350 §6.7.6 has it.
pub(super) fn uuid(mut octets: [u8; 16]) -> String {
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&octets);
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    let parts = parts.map(|(from, to)| hex.get(from..to).unwrap_or_default());
    format!("urn:uuid:{}", parts.join("-"))
}

pub(super) fn stored(row: &ContactRow) -> Result<Card, RowsError> {
    read_back(&row.card).ok_or(RowsError::Stored("a card"))
}

fn read_back(text: &[u8]) -> Option<Card> {
    read(text).next()?.card.ok()
}

pub(super) fn whole(tx: &mut Tx<'_>, row: &ContactRow) -> Result<Contact, ContactError> {
    let (names, groups) = (names(tx, row.account)?, rows::groups_of(tx, row.id)?);
    Ok(contact(row, Some(&groups), &names)?)
}

pub(super) fn names(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> Result<BTreeMap<i64, String>, RowsError> {
    Ok(rows::groups(tx, account)?.into_iter().map(|group| (group.id, group.name)).collect())
}

pub(super) fn contact(
    row: &ContactRow,
    groups: Option<&Vec<i64>>,
    names: &BTreeMap<i64, String>,
) -> Result<Contact, RowsError> {
    Ok(with_card(row, groups, names, stored(row)?))
}

/// The same of what may not be readable: whatever stands there can be got rid of.
pub(super) fn remains(tx: &mut Tx<'_>, row: &ContactRow) -> Result<Contact, ContactError> {
    let (names, groups) = (names(tx, row.account)?, rows::groups_of(tx, row.id)?);
    Ok(with_card(row, Some(&groups), &names, stored(row).unwrap_or_default()))
}

fn with_card(
    row: &ContactRow,
    groups: Option<&Vec<i64>>,
    names: &BTreeMap<i64, String>,
    card: Card,
) -> Contact {
    let named = groups.into_iter().flatten().filter_map(|id| names.get(id).cloned());
    Contact {
        uid: row.uid.clone(),
        revision: row.revision,
        changed_at: row.changed_at,
        groups: named.collect(),
        card,
    }
}

/// By UID, else by KEP address.
pub(super) fn row_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    which: &str,
) -> Result<Option<ContactRow>, RowsError> {
    // No UID has one, and PostgreSQL would take none.
    if which.chars().any(char::is_control) {
        return Ok(None);
    }
    if let Some(row) = rows::by_uid(tx, account, which)? {
        return Ok(Some(row));
    }
    match rows::with_address(tx, account, &which.to_ascii_lowercase())? {
        Some(id) => rows::by_id(tx, account, id),
        None => Ok(None),
    }
}

pub(super) fn note(
    tx: &mut Tx<'_>,
    account: AccountId,
    by: &By,
    act: &'static str,
    uid: &str,
) -> Result<(), RowsError> {
    let address = accounts::by_id(tx, account)?.address;
    audit::record(tx, by, act, &address, json!({ "contact": uid }))?;
    Ok(())
}

pub(super) fn unknown(which: &str) -> ContactError {
    ContactError::Unknown(which.chars().filter(|c| !c.is_control()).take(200).collect())
}

fn searched(fields: &Fields) -> String {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let phones = fields.phones.iter().map(|phone| digits(&phone.number));
    let texts = [&fields.name, &fields.given, &fields.family, &fields.organisation, &fields.title]
        .into_iter()
        .chain(&fields.kep)
        .chain(&fields.emails)
        .chain([&fields.note]);
    let folded = texts.filter(|text| !text.is_empty()).map(|text| fold(text));
    folded.chain(phones).collect::<Vec<_>>().join("\n")
}

/// Octets of a card as it is stored, a small picture included.
const CARD_MAX: usize = 256 * 1024;
