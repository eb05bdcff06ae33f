//! What messages are sorted by (RFC 5256 §3, RFC 5957), in the order of `i;unicode-casemap`.

use crate::mailbox::ask::relevancy;
use crate::store::mail::view::MessageRow;
use crate::wire::fold::collation_key;
use crate::wire::imap::UidSet;
use crate::wire::imap::command::SortKey;
use crate::wire::mime::subject::base_subject;
use crate::wire::mime::{self, Address, fields, text};

/// Keys of one kind are compared with each other only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    Number(i64),
    Text(Box<str>),
}

impl Key {
    pub fn of(by: SortKey, row: &MessageRow, exact: &UidSet) -> Self {
        match by {
            SortKey::Arrival => Self::Number(row.internal_date.millis()),
            SortKey::Size => Self::Number(i64::try_from(row.size).unwrap_or(i64::MAX)),
            SortKey::Date => Self::Number(sent(row)),
            SortKey::Relevancy => Self::Number(-i64::from(relevancy(exact.contains(row.uid)))),
            SortKey::Subject => Self::text(&base_subject(&subject(row)).text),
            SortKey::From => Self::text(&mailbox(row, "From")),
            SortKey::To => Self::text(&mailbox(row, "To")),
            SortKey::Cc => Self::text(&mailbox(row, "Cc")),
            SortKey::DisplayFrom => Self::text(&display(row, "From")),
            SortKey::DisplayTo => Self::text(&display(row, "To")),
        }
    }

    fn text(text: &str) -> Self {
        let cut: String = text.chars().take(TEXT_MAX).collect();
        Self::Text(collation_key(&cut).into())
    }

    /// About how many octets it takes.
    pub fn weight(&self) -> usize {
        match self {
            Self::Number(_) => size_of::<Self>(),
            Self::Text(text) => size_of::<Self>() + text.len(),
        }
    }
}

/// The sent date (RFC 5256 §2.2) in milliseconds; the internal date where there is none.
pub fn sent(row: &MessageRow) -> i64 {
    let sent = fields::field(&row.header, "Date").and_then(|date| text::parse_date(date.value));
    sent.unwrap_or(row.internal_date).millis()
}

pub fn subject(row: &MessageRow) -> String {
    text::decoded_field(&row.header, "Subject").unwrap_or_default()
}

fn first(row: &MessageRow, name: &str) -> Option<Address> {
    let field = fields::field(&row.header, name)?;
    let value = field.unfolded();
    let cut = value.get(..ADDRESS_MAX).unwrap_or(&value);
    mime::addresses(cut).into_iter().next()
}

/// `addr-mailbox` of the first address; of a group its name, which ENVELOPE shows there.
fn mailbox(row: &MessageRow, name: &str) -> String {
    match first(row, name) {
        Some(Address::Mailbox { local, .. }) => String::from_utf8_lossy(&local).into_owned(),
        Some(Address::GroupStart(name)) => text::decode_words(&name),
        Some(Address::GroupEnd) | None => String::new(),
    }
}

/// The name shown of the first address, or the address itself (RFC 5957 §3).
fn display(row: &MessageRow, name: &str) -> String {
    match first(row, name) {
        Some(Address::Mailbox { name: Some(name), .. } | Address::GroupStart(name)) => {
            text::decode_words(&name)
        }
        Some(Address::Mailbox { local, domain, .. }) if domain.is_empty() => {
            String::from_utf8_lossy(&local).into_owned()
        }
        Some(Address::Mailbox { local, domain, .. }) => {
            String::from_utf8_lossy(&[&local, &b"@"[..], &domain].concat()).into_owned()
        }
        Some(Address::GroupEnd) | None => String::new(),
    }
}

/// Characters of a text that count.
/// QUIRK(kep, 2026-11): the beginning of long ones; docs/quirks.md#60
const TEXT_MAX: usize = 128;
/// Octets of a field in which the first address is looked for.
const ADDRESS_MAX: usize = 4 << 10;
