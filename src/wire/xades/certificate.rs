//! The two fields of a certificate that a signature binds to: issuer and serial number, as the
//! octets stand in it (decoding and encoding a name again may change it).

use der::{Decode, Header, Reader, SliceReader, Tag};

pub(super) struct IssuerSerial<'a> {
    /// The issuer's Name, a whole TLV.
    issuer: &'a [u8],
    /// The serial number, a whole INTEGER TLV.
    serial: &'a [u8],
}

impl<'a> IssuerSerial<'a> {
    /// RFC 5280 §4.1: version, serialNumber, signature, issuer come first.
    pub(super) fn of(certificate: &'a [u8]) -> Option<Self> {
        let mut outer = SliceReader::new(certificate).ok()?;
        Header::decode(&mut outer).ok()?;
        Header::decode(&mut outer).ok()?;
        let mut serial = outer.tlv_bytes().ok()?;
        if serial.first() == Some(&VERSION) {
            serial = outer.tlv_bytes().ok()?;
        }
        outer.tlv_bytes().ok()?;
        let issuer = outer.tlv_bytes().ok()?;
        let right = Tag::Integer.number().value() == u32::from(*serial.first()?)
            && issuer.first() == Some(&SEQUENCE);
        right.then_some(Self { issuer, serial })
    }

    /// RFC 5035 §5.4.1 IssuerSerial with one directoryName, in DER.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let names = tlv(SEQUENCE, &tlv(DIRECTORY_NAME, self.issuer));
        tlv(SEQUENCE, &[names.as_slice(), self.serial].concat())
    }

    /// The serial number as XML Signature's X509SerialNumber writes it.
    pub(super) fn serial_decimal(&self) -> Option<String> {
        let content = SliceReader::new(self.serial).ok().and_then(|mut reader| {
            let header = Header::decode(&mut reader).ok()?;
            reader.read_slice(header.length()).ok()
        })?;
        // RFC 5280 §4.1.2.2: positive and at most 20 octets.
        (content.len() <= 21).then(|| decimal(content))
    }
}

fn decimal(octets: &[u8]) -> String {
    let mut digits = vec![0u8];
    for octet in octets {
        let mut carry = u32::from(*octet);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits.iter().rev().map(|d| char::from(b'0' + d)).collect()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let used = &octets[octets.iter().take_while(|b| **b == 0).count()..];
        out.push(0x80 | used.len() as u8);
        out.extend_from_slice(used);
    }
    out.extend_from_slice(content);
    out
}

const SEQUENCE: u8 = 0x30;
/// `[0] EXPLICIT Version`
const VERSION: u8 = 0xa0;
/// `[4] EXPLICIT Name` of GeneralName
const DIRECTORY_NAME: u8 = 0xa4;
