//! Nothing acknowledged is lost, nothing is doubled, nothing reaches a wrong account; originals are
//! octet for octet what was handed in; evidence mails lie where they belong, once.

use super::Document;
use crate::carrier::house_of;
use crate::house::House;
use crate::keys::HOUSES;
use crate::letters::Letter;
use crate::task::now;
use crate::world::World;
use kep::store::{RowsError, Tx};
use kep::wire::rem::{Event, Opened};
use kep::wire::{ContentId, sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A mail in a mailbox.
struct Mail {
    owner: String,
    kind: String,
    message: String,
    octets: Vec<u8>,
}

pub fn judge(world: &World, documents: &[Vec<Document>], broken: &mut Vec<String>) {
    let letters = world.book.lock().unwrap();
    let mails: Vec<Mail> = (0..HOUSES).flat_map(|house| mails_of(world.house(house))).collect();
    let mut got = BTreeMap::<(&str, &str), usize>::new();
    for mail in mails.iter().filter(|mail| mail.kind == "dispatch" || mail.kind == "sealed") {
        *got.entry((&mail.message, &mail.owner)).or_default() += 1;
        dispatch(mail, &letters, broken);
    }
    for ((message, owner), times) in got.iter().filter(|(_, times)| **times > 1) {
        broken.push(format!("{owner} has {message} {times} times"));
    }
    for letter in letters.iter() {
        for heard in &letter.acknowledged {
            if !is_kept(world, letter, &heard.id) {
                broken.push(format!("letter {} was acknowledged and is lost", letter.n));
                continue;
            }
            for to in &heard.to {
                let has = got.contains_key(&(heard.id.as_str(), to.as_str()));
                if !has && !is_excused(&documents[letter.house], &heard.id, to) {
                    broken.push(format!("letter {} never reached {to}", letter.n));
                }
            }
        }
        same_mail(world, letter, broken);
        sent_copies(world, letter, &mails, broken);
    }
    evidence_mails(world, documents, (&mails, &letters), broken);
}

fn mails_of(house: &House) -> Vec<Mail> {
    let look = |tx: &mut Tx<'_>| -> Result<Vec<_>, RowsError> {
        let sql = "SELECT a.address, m.kind, m.message_id, m.content FROM message m
                   JOIN mailbox b ON b.id = m.mailbox JOIN account a ON a.id = b.account
                   ORDER BY a.address, b.name, m.uid";
        let read = |row: &kep::store::rows::Row| {
            let message = row.opt_text(2)?.unwrap_or_default().to_owned();
            let (owner, kind) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            Ok((owner, kind, message, ContentId(row.int(3)?)))
        };
        tx.query(sql, &[])?.iter().map(read).collect()
    };
    let rows = now(house.store.look_up(look)).unwrap();
    let read = |(owner, kind, message, content)| {
        // What can't be read is lost.
        let octets = now(house.store.content(content)).unwrap_or_default();
        Mail { owner, kind, message, octets }
    };
    rows.into_iter().map(read).collect()
}

/// A dispatch holds a letter as it was handed in, and lies with somebody whom it names.
fn dispatch(mail: &Mail, letters: &[Letter], broken: &mut Vec<String>) {
    let owner = &mail.owner;
    let original = Opened::read(&mail.octets).ok().and_then(|opened| opened.original);
    let Some(original) = original else {
        broken.push(format!("{owner} has a dispatch that can't be opened"));
        return;
    };
    let octets = original.octets(&mail.octets);
    match letters.iter().find(|letter| letter.octets.as_slice() == octets) {
        None => broken.push(format!("{owner} has an original that nobody handed in")),
        Some(letter) if !letter.to.contains(owner) => {
            broken.push(format!("{owner} has letter {}, which is not for him", letter.n));
        }
        Some(_) => {}
    }
}

fn is_kept(world: &World, letter: &Letter, id: &str) -> bool {
    let id = id.to_owned();
    let look = move |tx: &mut Tx<'_>| -> Result<Option<Vec<u8>>, RowsError> {
        let sql = "SELECT b.digest FROM submission s JOIN blob b ON b.id = s.original
                   WHERE s.message_id = $1 AND s.provider IS NULL";
        tx.first(sql, &[(&id).into()])?.map(|row| Ok(row.bytes(0)?.to_vec())).transpose()
    };
    let found = now(world.house(letter.house).store.look_up(look)).unwrap();
    found.is_some_and(|digest| digest == sha256(&letter.octets).0)
}

/// The sender has evidence that it could not be had.
fn is_excused(of_house: &[Document], id: &str, to: &str) -> bool {
    let failures =
        [Event::NonDelivery, Event::RelayRejection, Event::RelayFailure, Event::DeliveryExpiration];
    of_house.iter().any(|document| {
        document.row.message_id.as_str() == id
            && (document.row.recipient == to || document.row.recipient.is_empty())
            && failures.iter().any(|event| document.is(*event))
    })
}

/// The same mail to the same people within 24 hours is one message.
fn same_mail(world: &World, letter: &Letter, broken: &mut Vec<String>) {
    let digest = sha256(&letter.octets).0;
    let look = move |tx: &mut Tx<'_>| -> Result<Vec<_>, RowsError> {
        let sql = "SELECT s.message_id, s.accepted_at, r.address FROM submission s
                   JOIN blob b ON b.id = s.original
                   JOIN recipient r ON r.message_id = s.message_id
                   WHERE b.digest = $1 AND s.provider IS NULL ORDER BY s.accepted_at, r.n";
        let read = |row: &kep::store::rows::Row| {
            Ok((row.text(0)?.to_owned(), row.int(1)?, row.text(2)?.to_owned()))
        };
        tx.query(sql, &[(&digest[..]).into()])?.iter().map(read).collect()
    };
    let mut messages = BTreeMap::<String, (i64, BTreeSet<String>)>::new();
    for (id, at, to) in now(world.house(letter.house).store.look_up(look)).unwrap() {
        messages.entry(id).or_insert_with(|| (at, BTreeSet::new())).1.insert(to);
    }
    let messages: Vec<_> = messages.into_values().collect();
    for (n, (at, to)) in messages.iter().enumerate() {
        let near = |(other, whom): &&(i64, BTreeSet<String>)| {
            whom == to && other.abs_diff(*at) < 24 * 3_600_000
        };
        if messages.iter().skip(n + 1).any(|other| near(&other)) {
            broken.push(format!("letter {} became two messages", letter.n));
        }
    }
}

/// In `Giden Kutusu` a message stands once.
fn sent_copies(world: &World, letter: &Letter, mails: &[Mail], broken: &mut Vec<String>) {
    let mut copies = BTreeMap::<&str, usize>::new();
    let own = |mail: &&Mail| mail.owner == letter.from && mail.kind == "plain";
    for mail in mails.iter().filter(own).filter(|mail| mail.octets == *letter.octets) {
        *copies.entry(&mail.message).or_default() += 1;
    }
    let lone = letter.acknowledged.iter().all(|heard| copies.get(heard.id.as_str()) == Some(&1));
    if !lone || copies.values().any(|times| *times > 1) {
        let house = world.house_of(&letter.from).number + 1;
        broken.push(format!("house {house}: sent copies of letter {}: {copies:?}", letter.n));
    }
}

/// What a house knows of an account's message lies in `Deliller`, each evidence once.
fn evidence_mails(
    world: &World,
    documents: &[Vec<Document>],
    (mails, letters): (&[Mail], &[Letter]),
    broken: &mut Vec<String>,
) {
    for (house, of_house) in documents.iter().enumerate() {
        let senders = senders(world.house(house));
        for document in of_house {
            let id = document.row.message_id.as_str();
            let Some(sender) = senders.get(id) else { continue };
            let holds = |mail: &&Mail| {
                let opened = Opened::read(&mail.octets);
                opened.is_ok_and(|o| o.evidence.iter().any(|found| found.xml == *document.xml))
            };
            let its = |mail: &&Mail| mail.kind == "evidence" && mail.owner == *sender;
            let times = mails.iter().filter(its).filter(|m| m.message == id).filter(holds).count();
            if times != 1 {
                let event = &document.row.event;
                broken.push(format!("{sender} has {event} of {id} {times} times"));
            }
        }
    }
    let concerned: Vec<_> = (0..HOUSES).map(|house| concerned(world.house(house))).collect();
    for mail in mails.iter().filter(|mail| mail.kind == "evidence") {
        let house = house_of(&mail.owner);
        let about = |d: &&Document| d.row.message_id.as_str() == mail.message;
        let known = documents[house].iter().any(|document| about(&document));
        let rejection = |d: &Document| d.is(Event::SubmissionRejection) && d.is_own();
        let refused = documents[house].iter().filter(about).all(rejection)
            && letters.iter().any(|l| l.from == mail.owner && l.refused.is_some());
        if known && refused {
            continue;
        }
        if !known || !concerned[house].contains(&(mail.message.clone(), mail.owner.clone())) {
            broken.push(format!("{} has evidence of a message that is not his", mail.owner));
        }
    }
}

/// Whom of the accounts here each message is from, or for.
fn concerned(house: &House) -> BTreeSet<(String, String)> {
    let look = |tx: &mut Tx<'_>| -> Result<BTreeSet<(String, String)>, RowsError> {
        let sql = "SELECT s.message_id, a.address FROM submission s JOIN account a
                   ON a.id = s.account
                   UNION SELECT r.message_id, a.address FROM recipient r JOIN account a
                   ON a.id = r.account";
        let read =
            |row: &kep::store::rows::Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
        tx.query(sql, &[])?.iter().map(read).collect()
    };
    now(house.store.look_up(look)).unwrap()
}

/// Messages of accounts here, and whose.
fn senders(house: &House) -> BTreeMap<String, String> {
    let look = |tx: &mut Tx<'_>| -> Result<BTreeMap<String, String>, RowsError> {
        let sql = "SELECT s.message_id, a.address FROM submission s JOIN account a
                   ON a.id = s.account";
        let read =
            |row: &kep::store::rows::Row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
        tx.query(sql, &[])?.iter().map(read).collect()
    };
    now(house.store.look_up(look)).unwrap()
}
