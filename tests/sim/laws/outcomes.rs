//! One acceptance a message; a recipient and step one outcome; after delivery exactly one of read and
//! time-out, at its time; nobody's sender is left without a final word.

use super::{Document, read_until};
use crate::carrier::house_of;
use crate::keys::HOUSES;
use crate::task::now;
use crate::world::World;
use kep::store::{RowsError, Tx};
use kep::wire::Timestamp;
use kep::wire::rem::Event;
use std::collections::BTreeMap;

/// A recipient of a message, as his house or the sender's has it.
struct Recipient {
    message: String,
    address: String,
    state: String,
    ours: bool,
    /// The message is of an account here.
    sent_here: bool,
}

pub fn judge(world: &World, documents: &[Vec<Document>], broken: &mut Vec<String>) {
    for house in 0..HOUSES {
        let of_house = &documents[house];
        for document in of_house.iter().filter(|document| !document.is_own()) {
            strangers(document, house, broken);
        }
        for recipient in recipients(world, house) {
            let about = About { house: house + 1, of_house, recipient: &recipient };
            if recipient.sent_here {
                about.accepted_once(broken);
                about.final_word(documents, broken);
            }
            if recipient.ours {
                about.outcome(broken);
            }
        }
    }
}

/// Another provider tells only of recipients that are with it.
fn strangers(document: &Document, house: usize, broken: &mut Vec<String>) {
    let (origin, recipient) = (&document.row.origin, &document.row.recipient);
    let with_it = recipient.is_empty() || house_of(recipient) == house_of(origin);
    // The acceptance that came with a dispatch is its sender's provider's.
    let acceptance = document.is(Event::SubmissionAcceptance);
    if !acceptance && !with_it {
        let event = &document.row.event;
        broken.push(format!("house {} keeps {origin}'s {event} of {recipient}", house + 1));
    }
}

fn recipients(world: &World, house: usize) -> Vec<Recipient> {
    let look = |tx: &mut Tx<'_>| -> Result<Vec<Recipient>, RowsError> {
        let sql = "SELECT r.message_id, r.address, r.state, r.account, s.provider FROM recipient r
                   JOIN submission s ON s.message_id = r.message_id ORDER BY s.accepted_at, r.n";
        let read = |row: &kep::store::rows::Row| {
            Ok(Recipient {
                message: row.text(0)?.to_owned(),
                address: row.text(1)?.to_owned(),
                state: row.text(2)?.to_owned(),
                ours: row.opt_int(3)?.is_some(),
                sent_here: row.opt_text(4)?.is_none(),
            })
        };
        tx.query(sql, &[])?.iter().map(read).collect()
    };
    now(world.house(house).store.look_up(look)).unwrap()
}

struct About<'a> {
    house: usize,
    of_house: &'a [Document],
    recipient: &'a Recipient,
}

impl About<'_> {
    fn of_message(&self, event: Event) -> impl Iterator<Item = &Document> {
        let message = &self.recipient.message;
        self.of_house.iter().filter(move |d| d.row.message_id.as_str() == message && d.is(event))
    }

    fn own(&self, event: Event) -> Vec<&Document> {
        let about = |d: &&Document| d.is_own() && d.row.recipient == self.recipient.address;
        self.of_message(event).filter(about).collect()
    }

    fn say(&self, broken: &mut Vec<String>, what: &str) {
        let (house, address) = (self.house, &self.recipient.address);
        broken.push(format!("house {house}, {address} ({}): {what}", self.recipient.state));
    }

    fn accepted_once(&self, broken: &mut Vec<String>) {
        let own = self.of_message(Event::SubmissionAcceptance).filter(|d| d.is_own()).count();
        if own != 1 {
            self.say(broken, &format!("{own} acceptances of the submission"));
        }
    }

    /// A recipient who is an account here.
    fn outcome(&self, broken: &mut Vec<String>) {
        let [delivered, not, rejected] =
            [Event::Delivery, Event::NonDelivery, Event::RelayRejection].map(|e| self.own(e));
        let [read, expired] =
            [Event::Retrieval, Event::RetrievalExpiration].map(|event| self.own(event));
        let elsewhere = self.recipient.state == "elsewhere";
        let outcomes = delivered.len() + not.len() + rejected.len();
        if outcomes != usize::from(!elsewhere) {
            self.say(broken, &format!("{outcomes} outcomes of the delivery"));
        }
        if read.len() + expired.len() != delivered.len() {
            let (read, expired) = (read.len(), expired.len());
            self.say(broken, &format!("read {read} times, and {expired} times by time-out"));
        }
        let state = match (delivered.len(), read.len(), elsewhere) {
            (_, _, true) => "elsewhere",
            (0, _, _) => "failed",
            (_, 0, _) => "expired",
            _ => "read",
        };
        if state != self.recipient.state {
            self.say(broken, &format!("evidence says {state}"));
        }
        let due = delivered.first().map(|delivered| read_until(delivered.row.stamped_at));
        self.in_time(due, &read, &expired, broken);
    }

    /// The time to read runs from the time stamp of the delivery (invariant 9).
    fn in_time(
        &self,
        due: Option<Timestamp>,
        read: &[&Document],
        expired: &[&Document],
        broken: &mut Vec<String>,
    ) {
        if let (Some(due), Some(expired)) = (due, expired.first())
            && expired.row.event_time != due
        {
            let found = expired.row.event_time;
            self.say(broken, &format!("the time to read ended at {found}, and was to at {due}"));
        }
        if let (Some(due), Some(read)) = (due, read.first())
            && read.row.event_time >= due
        {
            self.say(broken, "read after the time to read had ended");
        }
    }

    /// The sender knows what became of it; and what the other house has issued has come.
    fn final_word(&self, documents: &[Vec<Document>], broken: &mut Vec<String>) {
        let address = &self.recipient.address;
        let about = |d: &&Document| {
            d.row.message_id.as_str() == self.recipient.message
                && (d.row.recipient == *address || d.row.recipient.is_empty())
        };
        let known: Vec<_> = self.of_house.iter().filter(about).collect();
        if !known.iter().any(|document| FINAL.iter().any(|event| document.is(*event))) {
            self.say(broken, "no final word");
        }
        let mut once = BTreeMap::<_, usize>::new();
        let silence = [Event::RelayFailure, Event::DeliveryExpiration];
        for document in known.iter().filter(|d| d.is_own()) {
            let event = document.row.event.as_str();
            let step = if silence.iter().any(|one| one.name() == event) { "relay" } else { event };
            *once.entry(step).or_default() += 1;
        }
        for (step, times) in once.into_iter().filter(|(_, times)| *times > 1) {
            self.say(broken, &format!("{times} times {step}"));
        }
        let there = house_of(address);
        if there + 1 != self.house {
            for told in documents[there].iter().filter(|d| d.is_own()).filter(about) {
                if !known.iter().any(|here| !here.is_own() && here.xml == told.xml) {
                    self.say(broken, &format!("{} never came back", told.row.event));
                }
            }
        }
    }
}

/// After these nothing more is to come, or the sender knows that nothing does.
const FINAL: [Event; 6] = [
    Event::Retrieval,
    Event::RetrievalExpiration,
    Event::NonDelivery,
    Event::RelayRejection,
    Event::RelayFailure,
    Event::DeliveryExpiration,
];
