//! Import: a file's entries laid into an address book, each by itself. What is bad is told and the others
//! go in; the same file again changes nothing.

use super::book::{derived, kept, lay, row_of, stored};
use super::fault::{ContactError, Fault};
use super::fields::{Fields, categories};
use super::report::{Entry, Fate, Report};
use super::{ENTRIES_MAX, FILE_MAX, group, sheet};
use crate::registry::audit::{self, By};
use crate::store::contacts::{self as rows, ContactRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts};
use crate::wire::vcard::{Card, Property, read, text};
use crate::wire::{AccountId, Timestamp};
use serde_json::json;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Vcard,
    Csv,
}

/// One entry of a file.
pub(super) struct Candidate {
    pub line: usize,
    pub content: Result<Content, Fault>,
}

pub(super) enum Content {
    Card {
        uid: Option<String>,
        card: Card,
        groups: Vec<String>,
    },
    /// A row of a sheet: what it doesn't say isn't meant to go.
    Row {
        uid: Option<String>,
        fields: Box<Fields>,
        groups: Vec<String>,
    },
    Group {
        name: String,
        members: Vec<String>,
    },
}

/// Takes a file in. With `dry` nothing is changed, and the report says what would have become of it.
pub async fn import(
    store: &Store,
    account: AccountId,
    octets: &[u8],
    form: Option<Form>,
    dry: bool,
    by: By,
) -> Result<Report, ContactError> {
    if octets.len() > FILE_MAX {
        return Err(ContactError::FileTooLarge);
    }
    let (candidates, ignored) = match form.unwrap_or_else(|| look(octets)) {
        Form::Vcard => (cards(octets)?, Vec::new()),
        Form::Csv => sheet::read(octets)?,
    };
    let mut report = Report { ignored, dry, ..Report::default() };
    let candidates = Arc::new(candidates);
    // What is tried only sees what it has tried before in one unit.
    let step = if dry { candidates.len().max(1) } else { CHUNK };
    for begin in (0..candidates.len()).step_by(step) {
        let (candidates, by) = (Arc::clone(&candidates), by.clone());
        let work = move |tx: &mut Tx<'_>| -> Result<Vec<Entry>, Stop> {
            let chunk = candidates.iter().skip(begin).take(step);
            let entries = take_in(tx, account, chunk, &by)?;
            if dry { Err(Stop::Tried(entries)) } else { Ok(entries) }
        };
        match store.write(Lane::Background, work).await {
            Ok(entries) | Err(Stop::Tried(entries)) => report.entries.extend(entries),
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    Ok(report)
}

/// Ends a unit of work: a trial is undone.
enum Stop {
    Tried(Vec<Entry>),
    Failed(ContactError),
}

impl From<ContactError> for Stop {
    fn from(error: ContactError) -> Self {
        Self::Failed(error)
    }
}

impl From<RowsError> for Stop {
    fn from(error: RowsError) -> Self {
        Self::Failed(error.into())
    }
}

fn take_in<'a>(
    tx: &mut Tx<'_>,
    account: AccountId,
    chunk: impl Iterator<Item = &'a Candidate>,
    by: &By,
) -> Result<Vec<Entry>, ContactError> {
    accounts::lock(tx, account)?;
    let mut entries = Vec::new();
    for candidate in chunk {
        let (name, fate) = match &candidate.content {
            Ok(content) => (content.name(), one(tx, account, content, by.at)),
            Err(fault) => (String::new(), Ok(Fate::Bad(fault.clone()))),
        };
        let fate = match fate {
            Err(ContactError::Bad(fault)) => Fate::Bad(fault),
            Err(ContactError::GroupName) => Fate::Bad(Fault::Text("grup")),
            other => other?,
        };
        entries.push(Entry { line: candidate.line, name, fate });
    }
    let changed = entries.iter().filter(|e| !matches!(e.fate, Fate::Unchanged | Fate::Bad(_)));
    let changed = changed.count();
    if changed > 0 {
        let address = accounts::by_id(tx, account)?.address;
        audit::record(tx, by, "contact.import", &address, json!({ "contacts": changed }))?;
    }
    Ok(entries)
}

fn one(
    tx: &mut Tx<'_>,
    account: AccountId,
    content: &Content,
    at: Timestamp,
) -> Result<Fate, ContactError> {
    let (uid, card, groups) = match content {
        Content::Group { name, members } => return assembled(tx, account, name, members),
        Content::Card { uid, card, groups } => (uid, card.clone(), groups),
        Content::Row { uid, fields, groups } => {
            let mut card = Card::default();
            fields.apply(&mut card);
            (uid, card, groups)
        }
    };
    group::check(tx, account, groups)?;
    let own = uid.clone().unwrap_or_else(|| derived(&card));
    let (row, fate) = match rows::by_uid(tx, account, &own)? {
        Some(known) if uid.is_some() => {
            let before = stored(&known)?;
            let mut new = card;
            if let Content::Row { fields, .. } = content {
                new = before.clone();
                over(Fields::of(&new), fields).apply(&mut new);
            }
            changed(tx, known, &new, &before, Fate::Changed, at)?
        }
        Some(known) => (known, Fate::Unchanged),
        None => match same_address(tx, account, &card)? {
            Some(known) => {
                let before = stored(&known)?;
                let whole = completed(&before, &card);
                changed(tx, known, &whole, &before, Fate::Completed, at)?
            }
            None => (lay(tx, account, &own, &card, None, at)?, Fate::Added),
        },
    };
    let mut joined = false;
    for name in groups {
        let group = group::make(tx, account, name)?;
        joined |= rows::join(tx, row.id, group.id)?;
    }
    match fate {
        Fate::Unchanged if joined => {
            let revision = rows::next_revision(tx, account)?;
            rows::touch(tx, row.id, revision)?;
            Ok(Fate::Completed)
        }
        fate => Ok(fate),
    }
}

fn changed(
    tx: &mut Tx<'_>,
    known: ContactRow,
    new: &Card,
    before: &Card,
    fate: Fate,
    at: Timestamp,
) -> Result<(ContactRow, Fate), ContactError> {
    if kept(new, &known.uid, &Fields::of(new).shown()) == *before {
        return Ok((known, Fate::Unchanged));
    }
    let row = lay(tx, known.account, &known.uid, new, Some(&known), at)?;
    Ok((row, fate))
}

/// The contact that has one of a card's KEP addresses.
fn same_address(
    tx: &mut Tx<'_>,
    account: AccountId,
    card: &Card,
) -> Result<Option<ContactRow>, ContactError> {
    for address in Fields::of(card).circuit()? {
        if let Some(id) = rows::with_address(tx, account, address.as_str())? {
            return Ok(rows::by_id(tx, account, id)?);
        }
    }
    Ok(None)
}

/// With what it lacks of another card of the same contact.
fn completed(known: &Card, other: &Card) -> Card {
    let mut whole = known.clone();
    for property in &other.properties {
        let there = match ONCE.contains(&property.name.as_str()) {
            true => known.first(&property.name).is_some(),
            false => whole.all(&property.name).any(|own| same(own, property)),
        };
        if !there {
            whole.properties.push(property.clone());
        }
    }
    whole
}

fn same(one: &Property, other: &Property) -> bool {
    match one.name.as_str() {
        "EMAIL" => one.value.trim().eq_ignore_ascii_case(other.value.trim()),
        _ => one.value == other.value,
    }
}

/// What a row says, over what was there.
fn over(mut known: Fields, row: &Fields) -> Fields {
    let texts = [
        (&mut known.name, &row.name),
        (&mut known.given, &row.given),
        (&mut known.family, &row.family),
        (&mut known.organisation, &row.organisation),
        (&mut known.title, &row.title),
        (&mut known.note, &row.note),
    ];
    for (old, new) in texts {
        if !new.is_empty() {
            old.clone_from(new);
        }
    }
    for (old, new) in [(&mut known.kep, &row.kep), (&mut known.emails, &row.emails)] {
        if !new.is_empty() {
            old.clone_from(new);
        }
    }
    if !row.phones.is_empty() {
        known.phones.clone_from(&row.phones);
    }
    if row.postal.is_some() {
        known.postal.clone_from(&row.postal);
    }
    known
}

/// A card of KIND `group` (RFC 6350 §6.1.4): its members are contacts by UID or address.
fn assembled(
    tx: &mut Tx<'_>,
    account: AccountId,
    name: &str,
    members: &[String],
) -> Result<Fate, ContactError> {
    let there = group::find(tx, account, name).is_ok();
    let group = group::make(tx, account, name)?;
    let mut joined = false;
    for member in members {
        let bare = member.strip_prefix("urn:uuid:").or_else(|| member.strip_prefix("mailto:"));
        for which in [Some(member.as_str()), bare].into_iter().flatten() {
            if let Some(row) = row_of(tx, account, which)?
                && rows::join(tx, row.id, group.id)?
            {
                let revision = rows::next_revision(tx, account)?;
                rows::touch(tx, row.id, revision)?;
                joined = true;
            }
        }
    }
    Ok(match (there, joined) {
        (false, _) => Fate::Added,
        (true, true) => Fate::Completed,
        (true, false) => Fate::Unchanged,
    })
}

impl Content {
    fn name(&self) -> String {
        let whole = match self {
            Self::Card { card, .. } => Fields::of(card).shown(),
            Self::Row { fields, .. } => fields.shown(),
            Self::Group { name, .. } => name.clone(),
        };
        whole.chars().filter(|c| !c.is_control()).take(100).collect()
    }
}

fn look(octets: &[u8]) -> Form {
    let bare = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets).trim_ascii_start();
    let begin = bare.get(..BEGIN.len()).unwrap_or_default();
    if begin.eq_ignore_ascii_case(BEGIN) { Form::Vcard } else { Form::Csv }
}

/// Groups come last: they name the others.
fn cards(octets: &[u8]) -> Result<Vec<Candidate>, ContactError> {
    let mut all = Vec::new();
    let mut groups = Vec::new();
    for entry in read(octets) {
        if all.len() + groups.len() >= ENTRIES_MAX {
            return Err(ContactError::FileTooLarge);
        }
        let content = entry.card.map_err(Fault::Card).and_then(content);
        let candidate = Candidate { line: entry.line, content };
        match candidate.content {
            Ok(Content::Group { .. }) => groups.push(candidate),
            _ => all.push(candidate),
        }
    }
    if all.is_empty() && groups.is_empty() {
        return Err(ContactError::Form);
    }
    all.extend(groups);
    Ok(all)
}

fn content(mut card: Card) -> Result<Content, Fault> {
    let is_group = KINDS.iter().any(|kind| card.text(kind).eq_ignore_ascii_case("group"));
    if is_group {
        let members = MEMBERS.iter().flat_map(|name| card.all(name));
        let members = members.map(|property| text(&property.value)).collect();
        return Ok(Content::Group { name: card.text("FN"), members });
    }
    let uid = card.text("UID").trim().to_owned();
    let (uid, groups) = (sound(uid)?, categories(&card));
    for name in ["UID", "CATEGORIES"] {
        card.remove(name);
    }
    Ok(Content::Card { uid, card, groups })
}

/// A UID as it is kept; nothing for an empty one.
pub(super) fn sound(uid: String) -> Result<Option<String>, Fault> {
    match uid.len() > UID_MAX || uid.chars().any(char::is_control) {
        true => Err(Fault::Uid),
        false => Ok(Some(uid).filter(|uid| !uid.is_empty())),
    }
}

/// Entries in one unit of work: other clients' go in between.
const CHUNK: usize = 200;
const BEGIN: &[u8] = b"BEGIN:VCARD";
/// RFC 6350, and what Apple writes in version 3.0.
const KINDS: [&str; 2] = ["KIND", "X-ADDRESSBOOKSERVER-KIND"];
const MEMBERS: [&str; 2] = ["MEMBER", "X-ADDRESSBOOKSERVER-MEMBER"];
/// A contact has one of each at most (RFC 6350 §6).
const ONCE: [&str; 9] =
    ["FN", "N", "KIND", "BDAY", "ANNIVERSARY", "GENDER", "REV", "PRODID", "NICKNAME"];
const UID_MAX: usize = 255;
