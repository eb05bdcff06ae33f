//! Protocol data units, and how they are written. Whatever stands in a field of a fixed width is cut to
//! it: an overlong one is no reason to send octets that mean something else.

use super::status::Status;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pdu {
    pub status: Status,
    pub sequence: u32,
    pub body: Body,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// `bind_transceiver` (§4.1.5).
    Bind(Bind),
    /// Its answer: the SMSC's name.
    BindAnswer(String),
    Unbind,
    UnbindAnswer,
    /// `submit_sm` (§4.4.1).
    Submit(Message),
    /// Its answer: what the SMSC calls the message; empty when it did not take it.
    SubmitAnswer(String),
    /// `deliver_sm` (§4.6.1): a message from a phone, or a receipt.
    Deliver(Message),
    DeliverAnswer,
    EnquireLink,
    EnquireLinkAnswer,
    /// `generic_nack` (§4.3.1).
    Nack,
    /// A command that is not used here.
    Other(u32),
}

/// Who binds, and how. The password is written and never read back.
#[derive(Clone, PartialEq, Eq)]
pub struct Bind {
    pub system_id: String,
    pub password: String,
    pub system_type: String,
}

/// A number or name with its type and plan (§5.2.5, §5.2.6).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Address {
    pub ton: u8,
    pub npi: u8,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    pub from: Address,
    pub to: Address,
    /// §5.2.12; [`Message::UDH`] and [`Message::RECEIPT`] are what is looked at.
    pub esm_class: u8,
    /// Relative or absolute time (§7.1.1); empty: the SMSC's own.
    pub validity: String,
    /// §5.2.17; 1 asks for a receipt whatever becomes of it.
    pub registered: u8,
    pub data_coding: u8,
    pub octets: Vec<u8>,
    /// `message_payload` (§5.3.2.32), in place of the octets above.
    pub payload: Option<Vec<u8>>,
    /// `receipted_message_id` (§5.3.2.12).
    pub receipted: Option<String>,
    /// `message_state` (§5.3.2.35).
    pub state: Option<u8>,
}

/// Command identifiers (§5.1.2.1).
pub mod command {
    pub const NACK: u32 = 0x8000_0000;
    pub const SUBMIT: u32 = 4;
    pub const DELIVER: u32 = 5;
    pub const UNBIND: u32 = 6;
    pub const BIND: u32 = 9;
    pub const ENQUIRE_LINK: u32 = 0x15;
    /// Set in an answer.
    pub const ANSWER: u32 = 0x8000_0000;
}

/// Optional parameters (§5.3.2).
pub(super) mod tag {
    pub const RECEIPTED: u16 = 0x001e;
    pub const PAYLOAD: u16 = 0x0424;
    pub const STATE: u16 = 0x0427;
}

impl Address {
    /// An international number, of its digits.
    pub fn number(digits: &str) -> Self {
        Self { ton: 1, npi: 1, text: digits.to_owned() }
    }

    /// A sender as people read it: a name of up to 11 letters, else a number.
    pub fn sender(text: &str) -> Self {
        let digits = text.strip_prefix('+').unwrap_or(text);
        match digits.bytes().all(|b| b.is_ascii_digit()) {
            // Short codes are of the network (§5.2.5: 3), longer ones international.
            true if digits.len() < 8 => Self { ton: 3, npi: 0, text: digits.to_owned() },
            true => Self::number(digits),
            false => Self { ton: 5, npi: 0, text: text.to_owned() },
        }
    }
}

impl Message {
    /// Its octets begin with a user data header.
    pub const UDH: u8 = 0x40;
    /// It is an SMSC's receipt.
    pub const RECEIPT: u8 = 0x04;
}

impl Pdu {
    pub fn request(sequence: u32, body: Body) -> Self {
        Self { status: Status::OK, sequence, body }
    }

    pub fn write(&self) -> Vec<u8> {
        let mut out = vec![0; 4];
        out.extend(self.body.command().to_be_bytes());
        out.extend(self.status.0.to_be_bytes());
        out.extend(self.sequence.to_be_bytes());
        match &self.body {
            Body::Bind(bind) => bind.write(&mut out),
            Body::BindAnswer(system_id) => text(&mut out, system_id, 15),
            // §4.4.2: without a body when it was not taken.
            Body::SubmitAnswer(id) if self.status == Status::OK => text(&mut out, id, 64),
            Body::DeliverAnswer => text(&mut out, "", 0),
            Body::Submit(message) | Body::Deliver(message) => message.write(&mut out),
            _ => {}
        }
        let length = u32::try_from(out.len()).unwrap_or(u32::MAX).to_be_bytes();
        out.splice(..4, length);
        out
    }
}

impl Body {
    pub fn command(&self) -> u32 {
        match self {
            Self::Bind(_) => command::BIND,
            Self::BindAnswer(_) => command::BIND | command::ANSWER,
            Self::Unbind => command::UNBIND,
            Self::UnbindAnswer => command::UNBIND | command::ANSWER,
            Self::Submit(_) => command::SUBMIT,
            Self::SubmitAnswer(_) => command::SUBMIT | command::ANSWER,
            Self::Deliver(_) => command::DELIVER,
            Self::DeliverAnswer => command::DELIVER | command::ANSWER,
            Self::EnquireLink => command::ENQUIRE_LINK,
            Self::EnquireLinkAnswer => command::ENQUIRE_LINK | command::ANSWER,
            Self::Nack => command::NACK,
            Self::Other(command) => *command,
        }
    }

    pub fn is_answer(&self) -> bool {
        self.command() & command::ANSWER != 0
    }
}

impl Bind {
    fn write(&self, out: &mut Vec<u8>) {
        text(out, &self.system_id, 15);
        text(out, &self.password, 8);
        text(out, &self.system_type, 12);
        out.extend([VERSION, 0, 0]);
        text(out, "", 0);
    }
}

impl std::fmt::Debug for Bind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bind").field("system_id", &self.system_id).finish_non_exhaustive()
    }
}

impl Message {
    fn write(&self, out: &mut Vec<u8>) {
        text(out, "", 0);
        self.from.write(out);
        self.to.write(out);
        out.extend([self.esm_class, 0, 0]);
        text(out, "", 0);
        text(out, &self.validity, 16);
        out.extend([self.registered, 0, self.data_coding, 0]);
        let octets = match &self.payload {
            Some(_) => &[],
            None => self.octets.get(..SHORT).unwrap_or(&self.octets),
        };
        out.push(u8::try_from(octets.len()).unwrap_or(u8::MAX));
        out.extend(octets);
        if let Some(payload) = &self.payload {
            optional(out, tag::PAYLOAD, payload);
        }
        if let Some(id) = &self.receipted {
            optional(out, tag::RECEIPTED, &[id.as_bytes(), &[0]].concat());
        }
        if let Some(state) = self.state {
            optional(out, tag::STATE, &[state]);
        }
    }
}

impl Address {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.ton, self.npi]);
        text(out, &self.text, 20);
    }
}

/// A C-octet string of at most so many octets before its NUL.
fn text(out: &mut Vec<u8>, text: &str, most: usize) {
    out.extend(text.bytes().filter(|b| *b != 0).take(most));
    out.push(0);
}

fn optional(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    let value = value.get(..usize::from(u16::MAX)).unwrap_or(value);
    out.extend(tag.to_be_bytes());
    out.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(value);
}

/// Version 3.4.
const VERSION: u8 = 0x34;
/// Octets of `short_message`; what its length octet can say beyond is not allowed (§5.2.22).
const SHORT: usize = 254;
