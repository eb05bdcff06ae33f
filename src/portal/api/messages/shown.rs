//! A message as the API shows it: from its row and outermost header alone.

use crate::portal::api::kinds::MessageKey;
use crate::store::mail::view::MessageRow;
use crate::store::mail::{Kind, Place};
use crate::wire::imap::{SystemFlags, label};
use crate::wire::mime::text::decoded_field;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct Message {
    /// Where it stands; another one once it is moved.
    #[schema(pattern = "^[1-9][0-9]*-[1-9][0-9]*$", example = "3-17")]
    pub key: String,
    /// The number of its mailbox.
    #[schema(minimum = 1, example = 3)]
    mailbox: i64,
    kind: MessageKind,
    /// Whether its content may be had.
    #[schema(example = true)]
    open: bool,
    /// As the header has it, decoded; of an unopened message that of its envelope.
    #[schema(example = "[KEP İletisi] Teklif")]
    subject: String,
    #[schema(example = "\"ali.veli@hs05.kep.tr adına\" <kepservisi@hs05.kep.tr>")]
    from: String,
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    to: String,
    /// When it came into being here.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    date: String,
    /// In octets.
    #[schema(minimum = 0, example = 12345)]
    size: u64,
    #[schema(example = false)]
    seen: bool,
    #[schema(example = false)]
    starred: bool,
    #[schema(example = false)]
    answered: bool,
    /// Keys of its labels.
    #[schema(example = json!(["ihale"]))]
    labels: Vec<String>,
    /// Of a copy of what was sent, how far it came: `accepted`, `delivered`, `read`, `read-by-timeout`,
    /// `failed`.
    #[schema(example = json!(["accepted"]))]
    states: Vec<String>,
    /// The provider's identifier of the message that it is, or is about.
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// A draft, a copy of what was sent, anything that a program laid in.
    Plain,
    /// A dispatch (KEP iletisi) that is open.
    Dispatch,
    /// A dispatch that is not open yet.
    Unopened,
    /// The mail of an evidence.
    Evidence,
}

impl Message {
    pub fn of(row: &MessageRow, place: Place) -> Self {
        let field = |name| {
            let whole = decoded_field(&row.header, name).unwrap_or_default();
            whole.trim().chars().take(FIELD).collect::<String>()
        };
        let has = |flag| row.flags.system.has(flag);
        let words = || row.flags.keywords.iter();
        let state = |word: &str| STATES.iter().find(|(key, _)| key.eq_ignore_ascii_case(word));
        Self {
            key: MessageKey::write(place),
            mailbox: place.mailbox.0,
            kind: match row.kind {
                Kind::Plain => MessageKind::Plain,
                Kind::Dispatch => MessageKind::Dispatch,
                Kind::Sealed | Kind::Stub => MessageKind::Unopened,
                Kind::Evidence => MessageKind::Evidence,
            },
            open: !matches!(row.kind, Kind::Sealed | Kind::Stub),
            subject: field("Subject"),
            from: field("From"),
            to: field("To"),
            date: row.internal_date.iso8601(),
            size: row.size,
            seen: has(SystemFlags::SEEN),
            starred: has(SystemFlags::FLAGGED),
            answered: has(SystemFlags::ANSWERED),
            labels: words().filter(|word| label::is_label(word)).map(str::to_owned).collect(),
            states: words().filter_map(state).map(|(_, word)| (*word).to_owned()).collect(),
            message_id: row.message_id.as_ref().map(ToString::to_string),
        }
    }
}

/// Characters of a field: of what is longer, content has the rest.
const FIELD: usize = 4096;
/// The server's own keywords.
const STATES: [(&str, &str); 5] = [
    ("$KepAccepted", "accepted"),
    ("$KepDelivered", "delivered"),
    ("$KepRead", "read"),
    ("$KepReadByTimeout", "read-by-timeout"),
    ("$KepFailed", "failed"),
];
