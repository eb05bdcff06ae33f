//! Taking a dispatch or evidence mail apart, ours or another provider's: by section type first, by
//! content type where there is none. Nothing is copied but what was encoded.

use super::RemHeaders;
use super::part::{MAX_PARTS, Part};
use std::ops::Range;

/// What a REM mail is made of, as ranges of its octets.
#[derive(Clone, Debug)]
pub struct Opened {
    pub headers: RemHeaders,
    /// The whole introduction part.
    pub introduction: Option<Range<usize>>,
    pub original: Option<Original>,
    pub evidence: Vec<FoundEvidence>,
    /// Extension parts, decoded.
    pub extensions: Vec<FoundEvidence>,
    /// The octets under the S/MIME signature.
    pub signed: Option<Range<usize>>,
    /// The detached CMS signature.
    pub signature_der: Option<Vec<u8>>,
    pub oddities: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Original {
    At(Range<usize>),
    /// It was enclosed with a transfer encoding, which no REM mail should do.
    Decoded(Vec<u8>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundEvidence {
    pub file_name: Option<String>,
    pub xml: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenFault {
    #[error("the mail is neither a dispatch nor an evidence mail")]
    NotRem,
    #[error("the mail has two originals")]
    TwoOriginals,
    #[error("the S/MIME envelope does not have exactly a signed part and its signature")]
    Envelope,
    #[error("the mail has more parts than are looked at")]
    TooManyParts,
    #[error("an attachment's transfer encoding is broken")]
    Encoding,
}

impl Opened {
    pub fn read(mail: &[u8]) -> Result<Self, OpenFault> {
        let outer = Part::read(mail, 0..mail.len());
        let mut opened = Self {
            headers: RemHeaders::read(outer.fields()),
            introduction: None,
            original: None,
            evidence: Vec::new(),
            extensions: Vec::new(),
            signed: None,
            signature_der: None,
            oddities: Vec::new(),
        };
        let inside = if outer.content_type() == "multipart/signed" {
            opened.unseal(mail, &outer)?
        } else {
            opened.oddities.push("the mail is not signed".to_owned());
            outer
        };
        let parts = inside.parts(mail);
        if parts.len() >= MAX_PARTS {
            return Err(OpenFault::TooManyParts);
        }
        for part in if parts.is_empty() { vec![inside] } else { parts } {
            opened.sort_in(mail, &part)?;
        }
        if opened.evidence.is_empty() && opened.original.is_none() {
            return Err(OpenFault::NotRem);
        }
        if opened.evidence.is_empty() {
            opened.oddities.push("no evidence is attached".to_owned());
        }
        Ok(opened)
    }

    /// The signed part; a second candidate for either would leave open what was signed.
    fn unseal(&mut self, mail: &[u8], outer: &Part) -> Result<Part, OpenFault> {
        let parts = outer.parts(mail);
        let [signed, signature] = &parts[..] else { return Err(OpenFault::Envelope) };
        if !P7S.contains(&signature.content_type().as_str()) {
            return Err(OpenFault::Envelope);
        }
        self.signature_der = Some(signature.decoded(mail).ok_or(OpenFault::Encoding)?);
        self.signed = Some(signed.whole.clone());
        Ok(signed.clone())
    }

    fn sort_in(&mut self, mail: &[u8], part: &Part) -> Result<(), OpenFault> {
        let section = part.field("REM-Section-Type").or(part.field("X-REM-Section-Type"));
        let section = section.map(|s| s.trim().to_ascii_lowercase());
        let kind = match section.as_deref().and_then(|s| s.strip_prefix("rem_message/")) {
            Some(known @ ("introduction" | "original" | "xml_evidence" | "extension")) => known,
            Some(other) => {
                self.oddities.push(format!("a part of the unknown kind {other:?}"));
                return Ok(());
            }
            None => self.guessed(part),
        };
        match kind {
            "introduction" => {
                self.introduction = self.introduction.take().or(Some(part.whole.clone()))
            }
            "original" => self.enclose(mail, part)?,
            "xml_evidence" => self.evidence.push(found(mail, part)?),
            "extension" => self.extensions.push(found(mail, part)?),
            _ => self.oddities.push(format!("a further part, {}", part.content_type())),
        }
        Ok(())
    }

    fn guessed(&self, part: &Part) -> &'static str {
        let extension =
            part.file_name().is_some_and(|n| n.eq_ignore_ascii_case("REMExtensions.xml"));
        match part.content_type().as_str() {
            "message/rfc822" => "original",
            "application/xml" | "text/xml" if extension => "extension",
            "application/xml" | "text/xml" => "xml_evidence",
            "multipart/alternative" | "text/plain" | "text/html" => "introduction",
            _ => "",
        }
    }

    fn enclose(&mut self, mail: &[u8], part: &Part) -> Result<(), OpenFault> {
        if self.original.is_some() {
            return Err(OpenFault::TwoOriginals);
        }
        self.original = Some(if part.is_encoded() {
            self.oddities.push("the original has a transfer encoding".to_owned());
            Original::Decoded(part.decoded(mail).ok_or(OpenFault::Encoding)?)
        } else {
            Original::At(part.body.clone())
        });
        Ok(())
    }
}

impl Original {
    /// The original's octets, out of the mail that it was found in.
    pub fn octets<'a>(&'a self, mail: &'a [u8]) -> &'a [u8] {
        match self {
            Self::At(range) => mail.get(range.clone()).unwrap_or_default(),
            Self::Decoded(octets) => octets,
        }
    }
}

fn found(mail: &[u8], part: &Part) -> Result<FoundEvidence, OpenFault> {
    let xml = part.decoded(mail).ok_or(OpenFault::Encoding)?;
    Ok(FoundEvidence { file_name: part.file_name(), xml })
}

const P7S: [&str; 2] = ["application/pkcs7-signature", "application/x-pkcs7-signature"];
