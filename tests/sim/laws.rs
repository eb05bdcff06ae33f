//! What must hold, judged from outside: the letters' book against mailboxes and documents, evidence by
//! the shipped verifier.

pub mod credits;
mod mailboxes;
mod outcomes;

use crate::house::House;
use crate::keys::{HOUSES, KEYS, anchors};
use crate::task::now;
use crate::world::World;
use kep::evidence::verify::{Believed, Judge, State, Verdict};
use kep::store::evidence::{self as rows, EvidenceRow};
use kep::store::{RowsError, StoreError, Tx, blobs};
use kep::wire::Timestamp;
use kep::wire::rem::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a house has shown: identifiers of evidence and the digests of their documents.
#[derive(Default)]
pub struct Memory(BTreeMap<String, String>);

/// One evidence of a house.
pub struct Document {
    pub row: EvidenceRow,
    pub xml: Arc<Vec<u8>>,
}

impl Document {
    pub fn is(&self, event: Event) -> bool {
        self.row.event == event.name()
    }

    pub fn is_own(&self) -> bool {
        self.row.origin == rows::OWN
    }
}

/// What holds at any time, also in the middle of trouble.
pub fn along_the_way(house: &House, memory: &mut Memory, broken: &mut Vec<String>) {
    let name = house.number + 1;
    let Ok(now_there) = now(house.store.look_up(digests)) else {
        broken.push(format!("house {name}: its evidence can't be read"));
        return;
    };
    for (id, digest) in &memory.0 {
        match now_there.get(id) {
            None => broken.push(format!("house {name}: evidence {id} is gone")),
            Some(other) if other != digest => {
                broken.push(format!("house {name}: evidence {id} is another document"));
            }
            Some(_) => {}
        }
    }
    memory.0 = now_there;
    match now(house.store.look_up(unfounded)) {
        Ok(shown) => {
            broken.extend(shown.into_iter().map(|what| format!("house {name} shows {what}")));
        }
        Err(error) => broken.push(format!("house {name}: {error}")),
    }
}

fn digests(tx: &mut Tx<'_>) -> Result<BTreeMap<String, String>, RowsError> {
    let sql = "SELECT e.id, b.digest FROM evidence e LEFT JOIN blob b ON b.id = e.xml";
    let rows = tx.query(sql, &[])?;
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect();
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), hex(row.bytes(1)?)))).collect()
}

/// States of recipients elsewhere that no evidence of their provider tells of.
fn unfounded(tx: &mut Tx<'_>) -> Result<Vec<String>, RowsError> {
    let sql = "SELECT r.message_id, r.address, r.state FROM recipient r
               JOIN submission s ON s.message_id = r.message_id
               WHERE s.provider IS NULL AND r.account IS NULL
                 AND r.state IN ('delivered', 'read', 'expired')";
    let mut found = Vec::new();
    for row in tx.query(sql, &[])? {
        let (id, address, state) = (row.text(0)?, row.text(1)?, row.text(2)?);
        let event = match state {
            "delivered" => Event::Delivery,
            "read" => Event::Retrieval,
            _ => Event::RetrievalExpiration,
        };
        let sql = "SELECT 1 FROM evidence WHERE message_id = $1 AND event = $2 AND recipient = $3
                   AND origin = $4";
        let origin = address.rsplit('@').next().unwrap_or_default();
        let wanted = [id.into(), event.name().into(), address.into(), origin.into()];
        if tx.first(sql, &wanted)?.is_none() {
            found.push(format!("{address} as {state}, and his provider never said so"));
        }
    }
    Ok(found)
}

/// What holds when everything has come to rest.
pub fn judge(world: &mut World) {
    let mut broken: Vec<String> = std::mem::take(&mut *world.replies.lock().unwrap());
    for house in 0..HOUSES {
        if world.houses[house].is_none() {
            world.broken(format!("house {} is down at the end", house + 1));
            return;
        }
        world.look_after(house);
    }
    broken.extend(world.leftovers().into_iter().map(|what| format!("left undone: {what}")));
    match documents(world) {
        Ok(documents) => {
            verify(world, &documents, &mut broken);
            outcomes::judge(world, &documents, &mut broken);
            mailboxes::judge(world, &documents, &mut broken);
            if world.costs {
                credits::judge(world, &documents, &mut broken);
            }
        }
        Err(error) => broken.push(format!("evidence can't be read: {error}")),
    }
    broken.into_iter().for_each(|what| world.broken(what));
}

/// All evidence, of each house.
fn documents(world: &World) -> Result<Vec<Vec<Document>>, StoreError> {
    (0..HOUSES).map(|house| documents_of(world.house(house))).collect()
}

fn documents_of(house: &House) -> Result<Vec<Document>, StoreError> {
    let look = |tx: &mut Tx<'_>| -> Result<Vec<_>, StoreError> {
        let all = rows::page(tx, "", 10_000)?;
        let with_blob = all.into_iter().map(|row| Ok((blobs::find(tx, &row.xml)?, row)));
        with_blob.collect()
    };
    let found = now(house.store.look_up(look))?;
    let read = |(put, row)| Ok(Document { xml: house.store.blobs.read(&put)?, row });
    found.into_iter().map(read).collect()
}

/// Each document once, as `kep verify` does it.
fn verify(world: &World, documents: &[Vec<Document>], broken: &mut Vec<String>) {
    let judge = Judge::new(Believed {
        seal: Some(anchors(&KEYS.seal_root)),
        time_stamp: Some(anchors(&KEYS.stamp_root)),
        ..Believed::default()
    });
    let (judge, mut seen) = (judge.unwrap(), BTreeSet::new());
    for document in documents.iter().flatten() {
        if !seen.insert(Arc::clone(&document.xml)) {
            continue;
        }
        let report = judge.judge(&document.xml, None, world.now());
        if report.verdict != Verdict::Valid {
            let bad = report.checks.iter().filter(|check| check.state != State::Good);
            let bad: Vec<_> = bad.map(|check| check.detail.as_str()).collect();
            broken.push(format!("{} does not verify: {bad:?}", document.row.event));
        }
        let differ = kep::evidence::agree::differences(&document.row, &report);
        broken.extend(differ.into_iter().map(|what| format!("{}: {what}", document.row.event)));
    }
}

/// `24h`, as the default read policy has it.
pub fn read_until(stamped: Timestamp) -> Timestamp {
    stamped.plus_secs(24 * 3600)
}
