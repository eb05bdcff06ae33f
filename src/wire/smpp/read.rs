//! Reading what an SMSC sends: bounded, and never with a panic.

use super::pdu::{Address, Bind, Body, Message, Pdu, command, tag};
use super::status::Status;
use thiserror::Error;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PduError {
    /// Nothing after it can be understood either.
    #[error("a length of {0} octets")]
    Length(u32),
    #[error("the octets end too early")]
    Short,
    #[error("a text without its end, or longer than it may be")]
    Text,
}

/// The first PDU of what came, if all of it is there, and how many octets it takes.
pub fn frame(octets: &[u8]) -> Result<Option<&[u8]>, PduError> {
    let Some(length) = octets.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length);
    let whole = usize::try_from(length).map_err(|_| PduError::Length(length))?;
    match (HEADER..=LONGEST).contains(&whole) {
        true => Ok(octets.get(..whole)),
        false => Err(PduError::Length(length)),
    }
}

impl Pdu {
    /// Reads one PDU, as [`frame`] found it.
    pub fn parse(octets: &[u8]) -> Result<Self, PduError> {
        let mut reader = Reader(octets);
        reader.number()?;
        let (id, status, sequence) = (reader.number()?, reader.number()?, reader.number()?);
        let body = match id {
            command::BIND => Body::Bind(bind(&mut reader)?),
            command::SUBMIT => Body::Submit(message(&mut reader)?),
            command::DELIVER => Body::Deliver(message(&mut reader)?),
            command::UNBIND => Body::Unbind,
            command::ENQUIRE_LINK => Body::EnquireLink,
            command::NACK => Body::Nack,
            id if id & command::ANSWER == 0 => Body::Other(id),
            // Of an answer to what failed the body may be missing.
            id => match id & !command::ANSWER {
                command::BIND => Body::BindAnswer(reader.text(16).unwrap_or_default()),
                command::SUBMIT => Body::SubmitAnswer(reader.text(65).unwrap_or_default()),
                command::DELIVER => Body::DeliverAnswer,
                command::UNBIND => Body::UnbindAnswer,
                command::ENQUIRE_LINK => Body::EnquireLinkAnswer,
                _ => Body::Other(id),
            },
        };
        Ok(Self { status: Status(status), sequence, body })
    }
}

fn bind(reader: &mut Reader<'_>) -> Result<Bind, PduError> {
    Ok(Bind {
        system_id: reader.text(16)?,
        password: reader.text(9)?,
        system_type: reader.text(13)?,
    })
}

fn message(reader: &mut Reader<'_>) -> Result<Message, PduError> {
    reader.text(6)?;
    let (from, to) = (address(reader)?, address(reader)?);
    let esm_class = reader.octet()?;
    reader.take(2)?;
    reader.text(17)?;
    let validity = reader.text(17)?;
    let registered = reader.octet()?;
    reader.octet()?;
    let data_coding = reader.octet()?;
    reader.octet()?;
    let length = usize::from(reader.octet()?);
    let octets = reader.take(length)?.to_vec();
    let mut message = Message {
        from,
        to,
        esm_class,
        validity,
        registered,
        data_coding,
        octets,
        ..Message::default()
    };
    while !reader.0.is_empty() {
        let (tag, length) = (reader.short()?, reader.short()?);
        let value = reader.take(usize::from(length))?;
        match tag {
            tag::PAYLOAD => message.payload = Some(value.to_vec()),
            tag::RECEIPTED => message.receipted = Some(plain(value)),
            tag::STATE => message.state = value.first().copied(),
            _ => {}
        }
    }
    Ok(message)
}

fn address(reader: &mut Reader<'_>) -> Result<Address, PduError> {
    Ok(Address { ton: reader.octet()?, npi: reader.octet()?, text: reader.text(21)? })
}

/// What comes before a NUL; octets that are no ASCII are replaced.
fn plain(octets: &[u8]) -> String {
    let end = octets.iter().position(|b| *b == 0).unwrap_or(octets.len());
    let octets = octets.iter().take(end);
    octets.map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' }).collect()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PduError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(PduError::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn octet(&mut self) -> Result<u8, PduError> {
        self.take(1)?.first().copied().ok_or(PduError::Short)
    }

    fn short(&mut self) -> Result<u16, PduError> {
        let octets = self.take(2)?.first_chunk().ok_or(PduError::Short)?;
        Ok(u16::from_be_bytes(*octets))
    }

    fn number(&mut self) -> Result<u32, PduError> {
        let octets = self.take(4)?.first_chunk().ok_or(PduError::Short)?;
        Ok(u32::from_be_bytes(*octets))
    }

    /// A C-octet string that takes at most so many octets with its NUL.
    fn text(&mut self, most: usize) -> Result<String, PduError> {
        let within = self.0.get(..most).unwrap_or(self.0);
        let end = within.iter().position(|b| *b == 0).ok_or(PduError::Text)?;
        let text = plain(self.take(end)?);
        self.take(1)?;
        Ok(text)
    }
}

const HEADER: usize = 16;
/// A payload may have 64 KiB; with its header and other fields no PDU is longer.
pub const LONGEST: usize = 66_000;
