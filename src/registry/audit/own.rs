//! The audit as an account's own people read it: what was done about the account and by whom, and nothing of what
//! the staff does among itself. Who of the staff it was, and why he did it, stays with the provider.

use super::{Entry, entry};
use crate::store::audit as rows;
use crate::store::{RowsError, Tx};
use crate::wire::{KepAddress, Timestamp};
use serde_json::{Map, Value};

/// An entry, as the account's people see it.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnEntry {
    pub n: i64,
    pub at: Timestamp,
    pub actor: OwnActor,
    pub channel: String,
    pub act: String,
    pub details: Map<String, Value>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OwnActor {
    /// One of the provider's people.
    Staff,
    /// The program, of itself.
    System,
    /// The holder, an operator, a program with a token.
    Person(String),
}

/// What was done about an account, before that entry; the newest first.
pub fn page(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<OwnEntry>, RowsError> {
    let found = rows::of_subject(tx, address.as_str(), before.unwrap_or(i64::MAX), most)?;
    found.into_iter().map(|row| Ok(OwnEntry::of(entry(row)?))).collect()
}

impl OwnEntry {
    fn of(entry: Entry) -> Self {
        let Entry { n, at, actor, channel, act, details, .. } = entry;
        let actor = OwnActor::of(&actor);
        let mut details = match details {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        // Of mail it has names that the account's people gave.
        let mail = act.starts_with("mail.");
        details.retain(|name, value| {
            let theirs = !mail && (AMONG_THEM.contains(&name.as_str()) || names_staff(value));
            let why = actor == OwnActor::Staff && name == "reason";
            !theirs && !why
        });
        Self { n, at, actor, channel, act, details }
    }
}

impl OwnActor {
    /// As [`super::Actor`] is written.
    fn of(written: &str) -> Self {
        let person = written.strip_prefix("person:").and_then(|rest| rest.split_once(':'));
        match person {
            Some((_, name)) => Self::Person(name.to_owned()),
            None if written.starts_with("system:") => Self::System,
            None => Self::Staff,
        }
    }
}

fn names_staff(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with("staff:"))
}

/// Details that name members of staff.
const AMONG_THEM: [&str; 3] = ["by", "approved_by", "second"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::audit::chain;
    use serde_json::json;

    fn own(actor: &str, details: Value) -> OwnEntry {
        OwnEntry::of(entry(actor, details))
    }

    fn entry(actor: &str, details: Value) -> Entry {
        Entry {
            n: 1,
            at: Timestamp::from_secs(0),
            actor: actor.into(),
            channel: "api".into(),
            act: "account.x".into(),
            subject: "ali.veli@hs05.kep.tr".into(),
            details,
            link: chain::GENESIS,
        }
    }

    #[test]
    fn who_of_the_staff_did_it_and_why_is_not_told() {
        let details = json!({
            "by": "staff:selin", "approved_by": "can", "second": "ece", "reason": "Borç",
            "on": "staff:can", "amount": 5, "reference": "Dekont 1",
        });
        let seen = own("staff:selin", details);
        assert_eq!(seen.actor, OwnActor::Staff);
        let left: Vec<_> = seen.details.keys().cloned().collect();
        assert_eq!(left, ["amount", "reference"]);
    }

    #[test]
    fn a_mailbox_that_is_called_as_somebody_of_the_staff_hides_nothing() {
        let details = json!({ "mailbox": "staff:x", "to": "staff:y", "what": "move" });
        let mut entry = entry("person:7:Can", details);
        entry.act = "mail.file".into();
        assert_eq!(OwnEntry::of(entry).details.len(), 3);
    }

    #[test]
    fn the_accounts_own_people_are_told_by_name_with_their_reasons() {
        let seen = own("person:7:ali.veli@hs05.kep.tr / 001 Can: Ak", json!({ "reason": "Eksik" }));
        assert_eq!(seen.actor, OwnActor::Person("ali.veli@hs05.kep.tr / 001 Can: Ak".into()));
        assert_eq!(seen.details["reason"], "Eksik");
        assert_eq!(own("system:contracts", json!({})).actor, OwnActor::System);
        assert_eq!(own("?", json!([])).actor, OwnActor::Staff, "what is odd names nobody");
    }
}
