//! In some worlds sending costs credits: then sums agree, each accepted message was paid for exactly once,
//! and each recipient whom it did not reach was given back exactly once.

use super::Document;
use crate::house::{ACCOUNTS, House, address};
use crate::keys::BEGIN;
use crate::task::now;
use crate::world::World;
use kep::registry::audit::By;
use kep::registry::credits::{self, Addition, Unit};
use kep::registry::policy;
use kep::store::{RowsError, Tx};
use kep::wire::KepAddress;
use kep::wire::rem::Event;

/// Whether credits are asked for in the world of this seed.
pub fn are_asked_for(seed: u64) -> bool {
    matches!(seed % 5, 0 | 2)
}

/// From before the world began: its clocks may go wrong. Some have too little for all they write.
pub fn ask_for(house: &House) {
    let by = By::system("world", BEGIN.plus_secs(-86_400));
    now(policy::set(&house.store, &by, "credit.enforced", "yes", by.at, "kurul")).unwrap();
    for (account, amount) in (0..ACCOUNTS.len()).zip(BOUGHT) {
        let to = KepAddress::parse(&address(house.number, account)).unwrap();
        let (unit, reason, reference) = (Unit::Credit, "havale".to_owned(), to.to_string());
        let what = Addition { unit, amount, reason, reference };
        now(credits::top_up(&house.store, &by, &to, &what)).unwrap();
    }
}

pub fn judge(world: &World, documents: &[Vec<Document>], broken: &mut Vec<String>) {
    for (house, documents) in documents.iter().enumerate() {
        let at = world.house(house);
        let mut faults = now(credits::audit(&at.store)).unwrap().faults;
        faults.extend(unpaid(at, documents));
        broken
            .extend(faults.into_iter().map(|what| format!("house {}: credits: {what}", house + 1)));
    }
}

/// A recipient: message, number, address, what was moved for the message, what came back for him.
type Charged = (String, i64, String, i64, i64);

/// Messages that cost more or less than they had to.
fn unpaid(house: &House, documents: &[Document]) -> Vec<String> {
    let look = |tx: &mut Tx<'_>| -> Result<Vec<Charged>, RowsError> {
        let sql = "SELECT r.message_id, r.n, r.address,
                          (SELECT COALESCE(SUM(CASE WHEN e.kind IN ('reserve', 'spend')
                                               THEN e.amount ELSE 1000 END), 0)
                           FROM credit_entry e
                           WHERE e.message_id = r.message_id AND e.kind <> 'give-back'),
                          (SELECT COALESCE(SUM(e.amount), 0) FROM credit_entry e
                           WHERE e.message_id = r.message_id AND e.kind = 'give-back'
                             AND e.recipient = r.n)
                   FROM recipient r JOIN submission s ON s.message_id = r.message_id
                   WHERE s.provider IS NULL";
        let read = |row: &kep::store::rows::Row| {
            let (message, address) = (row.text(0)?.to_owned(), row.text(2)?.to_owned());
            Ok((message, row.int(1)?, address, row.int(3)?, row.int(4)?))
        };
        tx.query(sql, &[])?.iter().map(read).collect()
    };
    let recipients = now(house.store.look_up(look)).unwrap();
    let mut found = Vec::new();
    for (message, n, address, moved, back) in &recipients {
        // One for each recipient, reserved and spent.
        let price = recipients.iter().filter(|other| other.0 == *message).count() as i64;
        if *moved != 2 * price {
            found.push(format!("{message}: {moved} moved, and it costs {price}"));
        }
        let about = |d: &&Document| {
            let of = &d.row;
            of.message_id.as_str() == message
                && (of.recipient == *address || of.recipient.is_empty())
        };
        let mut known = documents.iter().filter(about);
        let failed = known.any(|document| FAILED.iter().any(|event| document.is(*event)));
        if *back != i64::from(failed) {
            found.push(format!("{message}, {n}: {back} came back; it failed: {failed}"));
        }
    }
    found
}

/// Credits of the accounts of a house.
const BOUGHT: [i64; ACCOUNTS.len()] = [4, 100];
const FAILED: [Event; 4] =
    [Event::RelayRejection, Event::RelayFailure, Event::NonDelivery, Event::DeliveryExpiration];
