//! Receipts: what became of a message, as optional parameters say it or, in their absence, the text
//! that SMSCs commonly write (appendix B: `id:… sub:… stat:DELIVRD err:…`).

use super::pdu::Message;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// As the answer to the submission called the message.
    pub id: String,
    pub fate: Fate,
}

/// `message_state` (§5.2.28).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// On its way still.
    Enroute,
    /// On the phone.
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    /// Taken by somebody in the phone's place.
    Accepted,
    Unknown,
    Rejected,
}

impl Receipt {
    /// `None` for what a phone wrote, and for receipts that name nothing.
    pub fn of(message: &Message) -> Option<Self> {
        if message.esm_class & Message::RECEIPT == 0 {
            return None;
        }
        let octets = message.payload.as_ref().unwrap_or(&message.octets);
        let text = String::from_utf8_lossy(octets.get(..TEXT).unwrap_or(octets)).into_owned();
        let field = |name: &str| {
            let (_, rest) = text.split_once(&format!("{name}:"))?;
            rest.split_ascii_whitespace().next().map(str::to_owned)
        };
        let id = message.receipted.clone().or_else(|| field("id")).filter(|id| !id.is_empty())?;
        let of_state = message.state.and_then(Fate::of_state);
        let fate = of_state.or_else(|| Fate::of_word(&field("stat")?)).unwrap_or(Fate::Unknown);
        Some(Self { id: id.chars().take(ID).collect(), fate })
    }
}

impl Fate {
    const ALL: [(u8, Self, &'static str, &'static str); 8] = [
        (1, Self::Enroute, "ENROUTE", "enroute"),
        (2, Self::Delivered, "DELIVRD", "delivered"),
        (3, Self::Expired, "EXPIRED", "expired"),
        (4, Self::Deleted, "DELETED", "deleted"),
        (5, Self::Undeliverable, "UNDELIV", "undeliverable"),
        (6, Self::Accepted, "ACCEPTD", "accepted"),
        (7, Self::Unknown, "UNKNOWN", "unknown"),
        (8, Self::Rejected, "REJECTD", "rejected"),
    ];

    fn of_state(state: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(number, ..)| *number == state).map(|(_, fate, ..)| fate)
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(.., said, _)| *said == word).map(|(_, fate, ..)| fate)
    }

    /// As it is kept.
    pub fn word(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, fate, ..)| *fate == self);
        known.map_or("unknown", |(.., word)| word)
    }
}

/// More than any SMSC writes of a receipt.
const TEXT: usize = 512;
/// §5.3.2.12: 65 octets with the NUL.
const ID: usize = 64;
