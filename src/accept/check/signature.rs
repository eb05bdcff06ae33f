//! Where the user's signature is, by octets on the wire (RFC 8551 §3.5); `trust` judges it.
//!
//! Only the whole message's signature counts: the outermost type is the S/MIME one. A signed part
//! somewhere inside signs that part, not the message.

use super::content_type::ContentType;
use super::header::{Header, field, field_end, is_empty, line_at};
use super::structure::{Delimiter, delimiter};
use crate::accept::refusal::Refusal;
use data_encoding::BASE64;
use std::ops::Range;

#[derive(Clone, PartialEq, Eq)]
pub enum SignatureForm {
    None,
    /// multipart/signed.
    Multipart {
        /// The signed octets: from the part's first header octet to before the CRLF that belongs
        /// to the next delimiter. Canonical, because every line of a message ends in CRLF.
        signed_part: Range<usize>,
        signature_der: Vec<u8>,
        /// As the sender wrote it; the digest that counts is in the signature.
        micalg: Option<String>,
    },
    /// application/pkcs7-mime with SignedData: the content is inside.
    Opaque {
        der: Vec<u8>,
    },
    /// S/MIME or PGP; a signature inside can't be seen.
    Encrypted,
    /// A PGP/MIME signature.
    Pgp,
}

impl SignatureForm {
    /// Why a message of this form can't pass where a signature is required; none when there is a
    /// signature for `trust` to judge.
    pub fn lack(&self) -> Option<Refusal> {
        match self {
            Self::None => Some(Refusal::SignatureMissing),
            Self::Encrypted => Some(Refusal::SignatureHidden),
            Self::Pgp => Some(Refusal::SignatureForeignForm),
            Self::Multipart { .. } | Self::Opaque { .. } => None,
        }
    }
}

impl std::fmt::Debug for SignatureForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => write!(f, "None"),
            Self::Multipart { signed_part, signature_der, micalg } => {
                write!(f, "Multipart({signed_part:?}, {} octets, {micalg:?})", signature_der.len())
            }
            Self::Opaque { der } => write!(f, "Opaque({} octets)", der.len()),
            Self::Encrypted => write!(f, "Encrypted"),
            Self::Pgp => write!(f, "Pgp"),
        }
    }
}

pub(super) fn locate(octets: &[u8], header: &Header) -> Result<SignatureForm, Refusal> {
    let Some(kind) = header.first("Content-Type").and_then(ContentType::parse) else {
        return Ok(SignatureForm::None);
    };
    match kind.essence.as_str() {
        "multipart/signed" => multipart(octets, header.body, &kind),
        "multipart/encrypted" => Ok(SignatureForm::Encrypted),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            let body = octets.get(header.body..).unwrap_or_default();
            let encoding = header.first("Content-Transfer-Encoding").unwrap_or_default();
            let der = decode(body, encoding).ok_or(Refusal::SignatureMalformed)?;
            Ok(opaque(der))
        }
        _ => Ok(SignatureForm::None),
    }
}

fn multipart(octets: &[u8], body: usize, kind: &ContentType) -> Result<SignatureForm, Refusal> {
    let protocol = kind.parameter("protocol").unwrap_or_default().to_ascii_lowercase();
    if protocol == "application/pgp-signature" {
        return Ok(SignatureForm::Pgp);
    }
    let boundary = kind.boundary().ok_or(Refusal::SignatureMalformed)?;
    let (signed_part, signature) =
        two_parts(octets, body, boundary).ok_or(Refusal::SignatureMalformed)?;
    let part = octets.get(signature).unwrap_or_default();
    let signature_der = signature_part(part).ok_or(Refusal::SignatureMalformed)?;
    let micalg = kind.parameter("micalg").map(str::to_owned);
    Ok(SignatureForm::Multipart { signed_part, signature_der, micalg })
}

/// Exactly two parts and the closing delimiter, or nothing.
fn two_parts(octets: &[u8], body: usize, boundary: &str) -> Option<(Range<usize>, Range<usize>)> {
    let mut at = body;
    let mut open: Option<usize> = None;
    let mut parts = Vec::new();
    while let Some(line) = line_at(octets, at) {
        let end = at + line.len();
        if let Some(kind) = delimiter(line, boundary) {
            if let Some(start) = open {
                // The CRLF before a delimiter belongs to the delimiter.
                let last = at.checked_sub(2).filter(|last| *last >= start)?;
                parts.push(start..last);
            }
            if kind == Delimiter::Close {
                return <[_; 2]>::try_from(parts).ok().map(|[a, b]| (a, b));
            }
            open = Some(end);
        }
        at = end;
    }
    None
}

fn signature_part(part: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    let (mut kind, mut encoding) = (None, &b""[..]);
    while let Some(line) = line_at(part, at) {
        if is_empty(line) {
            at += line.len();
            break;
        }
        let end = field_end(part, at);
        let read = field(part.get(at..end)?)?;
        if read.name.eq_ignore_ascii_case(b"Content-Type") {
            kind = ContentType::parse(read.value);
        } else if read.name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            encoding = read.value;
        }
        at = end;
    }
    let kind = kind?;
    if !kind.is("application/pkcs7-signature") && !kind.is("application/x-pkcs7-signature") {
        return None;
    }
    decode(part.get(at..)?, encoding)
}

fn decode(body: &[u8], encoding: &[u8]) -> Option<Vec<u8>> {
    let encoding = encoding.trim_ascii();
    let der = if encoding.eq_ignore_ascii_case(b"base64") {
        let text: Vec<u8> = body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        BASE64.decode(&text).ok()?
    } else {
        // RFC 8551 §3.1.2: anything else is the octets themselves (which SMTP hardly allows).
        body.to_vec()
    };
    (!der.is_empty()).then_some(der)
}

/// What a ContentInfo holds stands in its first octets; the smime-type parameter only repeats it.
fn opaque(der: Vec<u8>) -> SignatureForm {
    let head = der.get(..HEAD.min(der.len())).unwrap_or_default();
    if contains(head, SIGNED_DATA) {
        SignatureForm::Opaque { der }
    } else if contains(head, ENVELOPED_DATA) || contains(head, AUTH_ENVELOPED_DATA) {
        SignatureForm::Encrypted
    } else {
        SignatureForm::None
    }
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

/// Tag, length (up to five octets, or indefinite) and the object identifier.
const HEAD: usize = 20;
/// 1.2.840.113549.1.7.2
const SIGNED_DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
/// 1.2.840.113549.1.7.3
const ENVELOPED_DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3];
/// 1.2.840.113549.1.9.16.1.23
const AUTH_ENVELOPED_DATA: &[u8] = &[6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 23];
