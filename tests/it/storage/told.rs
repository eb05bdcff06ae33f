//! What the outbox holds for a person, as tests of logins look at it.

use super::NOW;
use super::bed::Bed;
use super::logins::by;
use kep::registry::notices::{self, Change, Whose};
use kep::registry::outbox::{self, Kind, Language, Values};
use kep::store::outbox::{self as rows, State};
use kep::wire::{KepAddress, Reach, Timestamp};
use secrecy::SecretString;
use std::collections::BTreeSet;

pub const PHONE: &str = "+905321234567";
pub const MAILBOX: &str = "ali@example.com";

pub struct Told {
    pub kind: Kind,
    pub to: Reach,
    pub values: Values,
    pub expires: Timestamp,
}

/// The holder proves a telephone and a mailbox.
pub async fn reach(bed: &Bed, who: &KepAddress) {
    for place in [PHONE, MAILBOX] {
        let reach = Reach::parse(place).unwrap();
        let change = Change {
            language: Language::Turkish,
            events: BTreeSet::new(),
            quiet: None,
            whose: Whose::Holder,
        };
        notices::add(&bed.store, &by(), who, reach.clone(), change).await.unwrap();
        let sent = told(bed).await.remove(0);
        let code = SecretString::from(sent.values["code"].clone());
        notices::verify(&bed.store, &by(), who, reach, &code).await.unwrap();
    }
}

/// What waits, the oldest first; it counts as said.
pub async fn told(bed: &Bed) -> Vec<Told> {
    let mut waiting = bed
        .write(|tx| {
            let waiting = rows::list(tx, Some(State::Waiting), None, 100)?;
            for row in &waiting {
                rows::settle(tx, row.id, State::Sent, "", NOW)?;
            }
            Ok(waiting)
        })
        .await;
    waiting.reverse();
    let one = |row| {
        let out = outbox::outgoing(row).unwrap();
        let values = out.fields.values(&bed.vault).unwrap();
        assert_eq!(row.sealed, out.kind.is_asked_for(), "what is secret is sealed");
        Told { kind: out.kind, to: out.to, values, expires: out.expires }
    };
    waiting.iter().map(one).collect()
}
