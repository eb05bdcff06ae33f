//! TSTInfo (RFC 3161 §2.4.2): what a token says.

use super::{Imprint, TspError};
use crate::wire::Timestamp;
use crate::wire::cms::{SignedData, oid};
use crate::wire::der::{self, Node, tag};
use ::der::asn1::ObjectIdentifier;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TstInfo {
    pub policy: ObjectIdentifier,
    pub imprint: Imprint,
    /// Content octets of the INTEGER.
    pub serial: Vec<u8>,
    pub gen_time: Timestamp,
    pub accuracy: Accuracy,
    /// Content octets of the INTEGER.
    pub nonce: Option<Vec<u8>>,
    /// By whom, as a GeneralName.
    pub tsa: Option<Vec<u8>>,
}

/// How far the true time may lie from genTime; nothing said is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accuracy {
    pub millis: i64,
}

impl TstInfo {
    pub fn parse(input: &[u8]) -> Result<Self, TspError> {
        let mut reader = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        if reader.expect(tag::INTEGER)?.small()? != 1 {
            return Err(TspError::Version);
        }
        let policy = reader.next()?.oid()?;
        let imprint = Imprint::read(reader.next()?)?;
        let serial = reader.expect(tag::INTEGER)?.content.to_vec();
        let gen_time = reader.expect(tag::GENERALIZED_TIME)?.time()?;
        let accuracy = reader.optional(tag::SEQUENCE)?.map(accuracy).transpose()?;
        reader.optional(tag::BOOLEAN)?;
        let nonce = reader.optional(tag::INTEGER)?.map(|node| node.content.to_vec());
        let tsa = reader.optional(tag::context(0))?;
        let tsa = tsa.map(|field| field.reader().next()).transpose()?;
        let extensions = reader.optional(tag::context(1))?;
        reader.finish()?;
        extensions.map_or(Ok(()), refuse_critical)?;
        let (accuracy, tsa) = (accuracy.unwrap_or_default(), tsa.map(|name| name.whole.to_vec()));
        Ok(Self { policy, imprint, serial, gen_time, accuracy, nonce, tsa })
    }

    /// What the token says, without any check of its signature.
    pub fn of_token(token: &[u8]) -> Result<Self, TspError> {
        Self::of_signed(&SignedData::parse(token)?)
    }

    pub fn of_signed(signed: &SignedData<'_>) -> Result<Self, TspError> {
        match &signed.content {
            Some(content) if signed.content_type == oid::TST_INFO => Self::parse(content),
            _ => Err(TspError::NotTstInfo),
        }
    }

    pub fn write(&self) -> Vec<u8> {
        let nonce = self.nonce.as_ref().map(|n| der::element(tag::INTEGER, &[n]));
        let tsa = self.tsa.as_ref().map(|name| der::explicit(0, name));
        der::sequence(&[
            &der::small_integer(1),
            &der::oid(self.policy),
            &self.imprint.write(),
            &der::element(tag::INTEGER, &[&self.serial]),
            &der::precise_time(self.gen_time),
            &self.accuracy.write(),
            &nonce.unwrap_or_default(),
            &tsa.unwrap_or_default(),
        ])
    }
}

impl Accuracy {
    fn write(self) -> Vec<u8> {
        let millis = u32::try_from(self.millis).unwrap_or(0);
        if millis == 0 {
            return Vec::new();
        }
        let seconds = (millis >= 1000).then(|| der::small_integer(millis / 1000));
        let rest = (millis % 1000 != 0).then(|| {
            let mut field = der::small_integer(millis % 1000);
            field[0] = tag::context_primitive(0);
            field
        });
        der::sequence(&[&seconds.unwrap_or_default(), &rest.unwrap_or_default()])
    }
}

fn accuracy(node: Node<'_>) -> Result<Accuracy, TspError> {
    let mut reader = node.reader();
    let mut part = |wanted, per_unit: i64| -> Result<i64, TspError> {
        let found = reader.optional(wanted)?.map(|node| node.small()).transpose()?;
        Ok(found.map_or(0, |value| i64::from(value).saturating_mul(per_unit)))
    };
    let millis = part(tag::INTEGER, 1000)? + part(tag::context_primitive(0), 1)?;
    let micros = part(tag::context_primitive(1), 1)?;
    Ok(Accuracy { millis: millis + i64::from(micros > 0) })
}

/// RFC 5280 §4.2: what is critical and not understood may change the meaning of all.
fn refuse_critical(extensions: Node<'_>) -> Result<(), TspError> {
    for extension in extensions.children()? {
        let mut reader = extension.reader();
        reader.next()?.oid()?;
        let critical = reader.optional(tag::BOOLEAN)?.map(|b| b.boolean()).transpose()?;
        if critical == Some(true) {
            return Err(TspError::Critical);
        }
    }
    Ok(())
}
