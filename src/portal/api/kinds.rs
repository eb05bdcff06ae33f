//! The words of which requests are made, each read once into a type that can't be wrong. What the
//! document says of a word and what is read of it stand side by side; what has the right form and names
//! nothing is for its handler to say.

mod body;
mod book;
mod login;
mod staff;

pub use body::{
    ColourText, DayText, FormText, GroupName, KepAddresses, LabelName, LabelWords, MailboxText,
    MailboxWord, MomentText, OperatorWord, PaperWord, PlaceText, PolicyText, QuietText, Reason,
    TextLine, some_whole, whole,
};

pub use book::{Addresses, BookForm, SeparatorWord, few};
pub use login::{Base64, Code, PasskeyAnswer, ScopeWords, SecretText, StepToken, UserName};
pub use staff::{
    AccountStage, AddressText, ApplicationStage, ExtentWord, FileLine, FormLine, HolderWord,
    MessageText, NoticeStateWord, OpeningWord, PaperKindWord, ProposalState, Reference, RuleWord,
    ServiceWord, UnitWord,
};

use crate::store::mail::{Place, Role};
use crate::wire::imap::Keyword;
use crate::wire::{MailboxId, MessageId, Timestamp};
use data_encoding::HEXLOWER as HEX;
use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// A word of a path or a query.
pub trait Word: Sized + Send + Sync + 'static {
    fn read(text: &str) -> Option<Self>;
    fn schema() -> Schema;
}

/// A string of this form.
fn form(pattern: &str, min: usize, max: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .min_length(Some(min))
        .max_length(Some(max))
}

/// A text of a form that OpenAPI knows by its name.
fn formatted(format: KnownFormat) -> ObjectBuilder {
    let format = Some(SchemaFormat::KnownFormat(format));
    ObjectBuilder::new().schema_type(Type::String).format(format)
}

fn number(least: i64, most: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least as f64))
        .maximum(Some(most as f64))
}

/// Digits as everybody writes them: no sign, no zero before them.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

/// How many entries a page has at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limit(pub usize);

impl Limit {
    const MOST: u64 = 200;

    pub fn of(asked: Option<Self>) -> usize {
        asked.map_or(PAGE, |limit| limit.0)
    }
}

impl Word for Limit {
    fn read(text: &str) -> Option<Self> {
        digits(text).filter(|n| (1..=Self::MOST).contains(n)).map(|n| Self(n as usize))
    }

    fn schema() -> Schema {
        number(1, Self::MOST as i64).default(Some(json!(PAGE))).into()
    }
}

/// Behind what a page begins: a number to order by, and what tells those with the same apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    pub number: i64,
    pub text: String,
}

impl Cursor {
    pub fn new(number: i64, text: impl Into<String>) -> Self {
        Self { number, text: text.into() }
    }

    pub fn write(&self) -> String {
        HEX.encode(&[&self.number.to_be_bytes()[..], self.text.as_bytes()].concat())
    }
}

impl Word for Cursor {
    fn read(text: &str) -> Option<Self> {
        let octets = HEX.decode(text.as_bytes()).ok().filter(|_| text.len() <= CURSOR)?;
        let (number, rest) = octets.split_first_chunk::<8>()?;
        let text = String::from_utf8_lossy(rest).replace('\0', "");
        Some(Self { number: i64::from_be_bytes(*number), text })
    }

    fn schema() -> Schema {
        form("^([0-9a-f]{2}){8,512}$", 16, CURSOR).into()
    }
}

/// Yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Yes(pub bool);

impl Word for Yes {
    fn read(text: &str) -> Option<Self> {
        match text {
            "true" => Some(Self(true)),
            "false" => Some(Self(false)),
            _ => None,
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

/// Where a message stands: the number of its mailbox, and its own there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MessageKey(pub Option<Place>);

impl MessageKey {
    pub fn write(place: Place) -> String {
        format!("{}-{}", place.mailbox.0, place.uid)
    }
}

impl Word for MessageKey {
    fn read(text: &str) -> Option<Self> {
        let (mailbox, uid) = text.split_once('-').filter(|_| text.len() <= 29)?;
        let (mailbox, uid) = (digits(mailbox)?, digits(uid)?);
        // A number that no message has is no fault of form.
        let uid = u32::try_from(uid).ok();
        let mailbox = i64::try_from(mailbox).ok().map(MailboxId);
        Some(Self(mailbox.zip(uid).map(|(mailbox, uid)| Place { mailbox, uid })))
    }

    fn schema() -> Schema {
        form("^[1-9][0-9]{0,17}-[1-9][0-9]{0,9}$", 3, 29).into()
    }
}

/// A number in a list, from 1 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Number(pub i64);

impl Word for Number {
    fn read(text: &str) -> Option<Self> {
        let number = digits(text).and_then(|number| i64::try_from(number).ok());
        number.filter(|number| *number <= NUMBER).map(Self)
    }

    fn schema() -> Schema {
        number(1, NUMBER).into()
    }
}

/// SHA-256 of a certificate, in hex.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint(pub String);

impl Word for Fingerprint {
    fn read(text: &str) -> Option<Self> {
        let hex = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| Self(text.to_ascii_lowercase()))
    }

    fn schema() -> Schema {
        form("^[0-9A-Fa-f]{64}$", 64, 64).into()
    }
}

/// A line of text that is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phrase(pub String);

impl Word for Phrase {
    fn read(text: &str) -> Option<Self> {
        line(text, PHRASE).then(|| Self(text.to_owned()))
    }

    fn schema() -> Schema {
        form("^[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$", 1, PHRASE).into()
    }
}

fn line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// A mailbox: one that each account has by its part, any by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MailboxKey {
    Role(Role),
    Number(MailboxId),
}

const ROLES: [Role; 12] = [
    Role::Inbox,
    Role::Sent,
    Role::Drafts,
    Role::Trash,
    Role::Evidence,
    Role::Archive,
    Role::ArchiveIn,
    Role::ArchiveOut,
    Role::Held,
    Role::Opening,
    Role::All,
    Role::Flagged,
];

impl Word for MailboxKey {
    fn read(text: &str) -> Option<Self> {
        if let Some(role) = ROLES.into_iter().find(|role| role.word() == text) {
            return Some(Self::Role(role));
        }
        let number = digits(text).filter(|_| text.len() <= 18)?;
        i64::try_from(number).ok().map(|number| Self::Number(MailboxId(number)))
    }

    fn schema() -> Schema {
        let roles = ROLES.map(Role::word).join("|");
        form(&format!("^([1-9][0-9]{{0,17}}|{roles})$"), 1, 18).into()
    }
}

/// The number of a part (RFC 9051, section 6.4.5.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartNumber(pub Vec<u32>);

impl Word for PartNumber {
    fn read(text: &str) -> Option<Self> {
        let number = |text: &str| digits(text).filter(|_| text.len() <= 4).map(|n| n as u32);
        let numbers: Option<Vec<_>> = text.split('.').map(number).collect();
        numbers.filter(|numbers| numbers.len() <= LEVELS).map(Self)
    }

    fn schema() -> Schema {
        form("^[1-9][0-9]{0,3}([.][1-9][0-9]{0,3}){0,20}$", 1, 5 * LEVELS).into()
    }
}

/// A label's key: the keyword that messages bear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelKey(pub String);

impl LabelKey {
    /// `None`: no label can have it.
    pub fn keyword(&self) -> Option<Keyword> {
        Keyword::parse(&self.0).filter(|keyword| !keyword.is_server_owned())
    }
}

impl Word for LabelKey {
    fn read(text: &str) -> Option<Self> {
        printable(text, 1, KEY).then(|| Self(text.to_owned()))
    }

    fn schema() -> Schema {
        form("^[!-~]{1,240}$", 1, KEY).into()
    }
}

/// The provider's identifier of a message; `None` when nothing can have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubmissionKey(pub Option<MessageId>);

impl Word for SubmissionKey {
    fn read(text: &str) -> Option<Self> {
        printable(text, 3, KEY).then(|| Self(MessageId::parse(text)))
    }

    fn schema() -> Schema {
        form("^[!-~]{3,240}$", 3, KEY).into()
    }
}

/// What an evidence, a token or an error code is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name(pub String);

impl Word for Name {
    fn read(text: &str) -> Option<Self> {
        printable(text, 1, KEY).then(|| Self(text.to_owned()))
    }

    fn schema() -> Schema {
        form("^[!-~]{1,240}$", 1, KEY).into()
    }
}

fn printable(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// What evidence is of: one of the events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventWord(pub crate::wire::rem::Event);

impl Word for EventWord {
    fn read(text: &str) -> Option<Self> {
        crate::wire::rem::Event::by_name(text).map(Self)
    }

    fn schema() -> Schema {
        let names = crate::wire::rem::Event::all().map(|event| event.name());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

/// A day in Turkey, `2026-11-29`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day(pub chrono::NaiveDate);

impl Day {
    /// Its first moment.
    pub fn begins(self) -> Timestamp {
        let text = format!("{}T00:00:00+03:00", self.0);
        Timestamp::parse_iso8601(&text).unwrap_or(Timestamp::from_millis(0))
    }

    pub fn next(self) -> Self {
        Self(self.0.succ_opt().unwrap_or(self.0))
    }
}

impl Word for Day {
    fn read(text: &str) -> Option<Self> {
        let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        // Only as it is written.
        (day.to_string() == text && text.len() == 10).then_some(Self(day))
    }

    fn schema() -> Schema {
        formatted(KnownFormat::Date).into()
    }
}

/// An instant, `2026-11-29T09:00:00+03:00` (RFC 3339).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment(pub Timestamp);

impl Word for Moment {
    fn read(text: &str) -> Option<Self> {
        let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(Timestamp::from_millis(time.timestamp_millis())))
    }

    fn schema() -> Schema {
        formatted(KnownFormat::DateTime).into()
    }
}

/// Entries of a page when none are asked for.
const PAGE: usize = 50;
/// Characters of a cursor.
const CURSOR: usize = 1024;
/// A browser counts no further.
const NUMBER: i64 = 9_007_199_254_740_991;
/// Characters of a line that is looked for.
const PHRASE: usize = 200;
/// Characters of an identifier.
const KEY: usize = 240;
/// Parts within each other.
const LEVELS: usize = 21;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written_and_in_no_other_way() {
        assert_eq!(Limit::read("200"), Some(Limit(200)));
        for bad in ["", "0", "201", "+1", "01", "1.0", " 1", "-1", "99999999999999999999"] {
            assert_eq!(Limit::read(bad), None, "{bad}");
        }
        let place = Place { mailbox: MailboxId(3), uid: 17 };
        assert_eq!(MessageKey::read(&MessageKey::write(place)), Some(MessageKey(Some(place))));
        // In form, and nowhere.
        assert_eq!(MessageKey::read("1-9999999999"), Some(MessageKey(None)));
        for bad in ["", "1", "1-", "-1", "0-1", "1-0", "1-2-3", "a-b", "1-+2"] {
            assert_eq!(MessageKey::read(bad), None, "{bad}");
        }
        assert_eq!(MailboxKey::read("inbox"), Some(MailboxKey::Role(Role::Inbox)));
        assert_eq!(MailboxKey::read("12"), Some(MailboxKey::Number(MailboxId(12))));
        for bad in ["", "INBOX", "hidden", "label", "plain", "0", "1234567890123456789"] {
            assert_eq!(MailboxKey::read(bad), None, "{bad}");
        }
        assert_eq!(PartNumber::read("1.20.3"), Some(PartNumber(vec![1, 20, 3])));
        for bad in ["", "1.", ".1", "0", "1.0", "12345", &"1.".repeat(30)] {
            assert_eq!(PartNumber::read(bad), None, "{bad}");
        }
        assert_eq!(Yes::read("True"), None);
        assert!(Day::read("2026-02-29").is_none() && Day::read("2026-2-09").is_none());
        let day = Day::read("2026-11-29").unwrap();
        assert_eq!(day.begins().iso8601_secs(), "2026-11-28T21:00:00Z");
    }

    #[test]
    fn any_cursor_of_the_right_form_is_a_place() {
        let cursor = Cursor::new(-5, "_ab/c");
        assert_eq!(Cursor::read(&cursor.write()), Some(cursor));
        assert!(Cursor::read(&"00".repeat(8)).is_some());
        assert!(
            Cursor::read(&format!("{}00ff", "ff".repeat(8)))
                .is_some_and(|c| !c.text.contains('\0'))
        );
        for bad in ["", "00", &"0".repeat(17), &"zz".repeat(8), &"00".repeat(600)] {
            assert_eq!(Cursor::read(bad), None, "{bad}");
        }
    }
}
