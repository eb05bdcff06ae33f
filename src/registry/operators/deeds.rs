//! What an operator does with an account's mail, as the audit tells it: with his name, in the transaction that
//! does it.

use super::Act;
use crate::registry::audit::{self, By};
use crate::store::{RowsError, Tx};
use crate::wire::OperatorCode;
use crate::wire::imap::UidSet;
use serde_json::{Value, json};

/// A deed, as far as it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    pub filing: Filing,
    /// A word: `flags`, `label`, `copy`, `move`, `restore`, `append`, `replace`, `expunge`; of mailboxes and
    /// labels `create`, `change`, `rename`, `delete`, `subscribe`, `metadata`.
    pub what: &'static str,
    pub mailbox: Option<String>,
    /// The mailbox that something goes into, or another name.
    pub to: Option<String>,
    pub of: Of,
}

/// What it is done to, beside a mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    Mailbox,
    /// As IMAP names messages.
    Uids(UidSet),
    /// As the API does.
    Message(String),
    Label(String),
}

/// The act by which it is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filing {
    Delete,
    Draft,
    Keep,
    File,
}

impl Filing {
    /// By the act that takes most of all that must be allowed; of what is no filing none.
    pub fn of(acts: &[Act]) -> Option<Self> {
        let all = [Self::Delete, Self::Draft, Self::Keep, Self::File];
        all.into_iter().find(|filing| acts.contains(&filing.act()))
    }

    fn act(self) -> Act {
        match self {
            Self::Delete => Act::Delete,
            Self::Draft => Act::Draft,
            Self::Keep => Act::Keep,
            Self::File => Act::File,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Delete => "mail.delete",
            Self::Draft => "mail.draft",
            Self::Keep => "mail.keep",
            Self::File => "mail.file",
        }
    }
}

/// To be said last in the transaction that does it.
pub fn record(
    tx: &mut Tx<'_>,
    by: &By,
    address: &str,
    operator: OperatorCode,
    deed: &Deed,
) -> Result<(), RowsError> {
    let mut details = json!({ "operator": operator.to_string(), "what": deed.what });
    let of = match &deed.of {
        Of::Mailbox => ("uids", None),
        Of::Uids(uids) => ("uids", Some(bounded(uids))),
        Of::Message(key) => ("key", Some(key.clone())),
        Of::Label(key) => ("label", Some(key.clone())),
    };
    for (name, value) in [("mailbox", deed.mailbox.clone()), ("to", deed.to.clone()), of] {
        if let Some(value) = value {
            details[name] = Value::String(value);
        }
    }
    audit::record(tx, by, deed.filing.word(), address, details)?;
    Ok(())
}

/// A sequence set (RFC 9051 §9), up to a comma; a longer one ends with `…`.
fn bounded(uids: &UidSet) -> String {
    let whole = uids.to_string();
    let Some(begin) = whole.get(..=UIDS).filter(|_| whole.len() > UIDS) else { return whole };
    let end = begin.rfind(',').map_or(0, |comma| comma + 1);
    format!("{}…", begin.get(..end).unwrap_or_default())
}

/// Octets of a set that an entry names.
const UIDS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_as_many_messages_as_have_room() {
        let few: UidSet = [3, 4, 5, 6, 7, 9].into_iter().collect();
        assert_eq!(bounded(&few), "3:7,9");
        let many: UidSet = (0..10_000).map(|n| 1 + 2 * n).collect();
        let told = bounded(&many);
        assert!(told.starts_with("1,3,5,") && told.ends_with(",…"), "{told}");
        assert!((190..=UIDS + 4).contains(&told.len()), "{told}");
        let all = UidSet::range(1, u32::MAX);
        assert_eq!(bounded(&all), all.to_string());
    }

    #[test]
    fn what_takes_away_is_told_as_that() {
        assert_eq!(Filing::of(&[Act::File, Act::Delete]), Some(Filing::Delete));
        assert_eq!(Filing::of(&[Act::File, Act::Draft]), Some(Filing::Draft));
        assert_eq!(Filing::of(&[Act::Keep]), Some(Filing::Keep));
        assert_eq!(Filing::of(&[]), None);
        assert_eq!(Filing::of(&[Act::Read]), None);
    }
}
