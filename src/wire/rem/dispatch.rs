//! Composing dispatch and evidence mails around an original that is never copied nor changed:
//! `head ++ original ++ tail` is the mail, `before ++ original ++ after` are the signed octets.

use super::encode::{base64_lines, quoted_printable, words};
use super::headers::is_msg_id;
use super::{Introduction, MessageKind, RemHeaders};
use crate::wire::Timestamp;
use data_encoding::HEXLOWER;

/// One address of a header field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mailbox {
    pub name: Option<String>,
    pub address: String,
}

/// The outer mail: who, to whom, about what.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    pub to: Vec<Mailbox>,
    pub cc: Vec<Mailbox>,
    /// Not yet encoded.
    pub subject: String,
    pub date: Timestamp,
    /// Identifiers without angle brackets.
    pub message_id: String,
    pub in_reply_to: Option<String>,
    pub references: Vec<String>,
    pub rem: RemHeaders,
    /// Further fields, ASCII.
    pub extra: Vec<(&'static str, String)>,
    /// Of the boundaries; fresh, so that no original can contain them.
    pub random: [u8; 16],
    /// The digest of the S/MIME signature, `sha-256`.
    pub micalg: &'static str,
}

/// An evidence as attachment.
#[derive(Clone, Debug)]
pub struct EvidenceFile<'a> {
    pub name: String,
    pub xml: &'a [u8],
}

/// The pieces around the original.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Composed {
    outer_header: Vec<u8>,
    before_original: Vec<u8>,
    after_original: Vec<u8>,
    boundary: String,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ComposeFault {
    #[error("the original has the boundary in it; compose again with other random octets")]
    Boundary,
    #[error("the header field {0} has octets that a header can't carry")]
    Field(String),
}

impl Composed {
    /// With an original this is a dispatch, without one an evidence mail. The original is only looked
    /// at.
    pub fn new(
        envelope: &Envelope,
        introduction: &Introduction,
        original: Option<&[u8]>,
        evidence: &[EvidenceFile],
    ) -> Result<Self, ComposeFault> {
        let mark = HEXLOWER.encode(&envelope.random);
        let [outer, mixed, alternative] =
            ["s", "m", "a"].map(|kind| format!("=_kep_{kind}_{mark}"));
        let transfer = original.map(|original| Transfer::of(original, &mark)).transpose()?;
        // RFC 2045 §6.4: what encloses 8-bit octets says so.
        let declared = transfer.map_or("7bit", Transfer::name);
        let written = introduction.text.len() + introduction.html.len();
        let mut before = String::with_capacity(PARTS + 2 * written);
        let head = [
            "Content-Type: multipart/mixed;\r\n boundary=\"",
            &mixed,
            "\"\r\nContent-Transfer-Encoding: ",
            declared,
            "\r\n\r\n--",
            &mixed,
            "\r\n",
        ];
        push(&mut before, &head);
        introduction_part(&mut before, introduction, &alternative);
        if let Some(transfer) = transfer {
            push(&mut before, &["\r\n--", &mixed, "\r\n"]);
            original_header(&mut before, transfer);
        }
        let enclosed: usize = evidence.iter().map(|file| file.xml.len()).sum();
        let mut after = String::with_capacity(PARTS + enclosed * 3 / 2);
        for file in evidence {
            push(&mut after, &["\r\n--", &mixed, "\r\n"]);
            evidence_part(&mut after, file);
        }
        push(&mut after, &["\r\n--", &mixed, "--\r\n"]);
        Ok(Self {
            outer_header: outer_header(envelope, &outer, declared)?.into_bytes(),
            before_original: before.into_bytes(),
            after_original: after.into_bytes(),
            boundary: outer,
        })
    }

    /// Outer header, preamble and first boundary.
    pub fn outer_header(&self) -> &[u8] {
        &self.outer_header
    }

    /// The signed octets up to the original.
    pub fn before_original(&self) -> &[u8] {
        &self.before_original
    }

    /// The signed octets behind the original.
    pub fn after_original(&self) -> &[u8] {
        &self.after_original
    }

    /// All that comes before the original.
    pub fn head(&self) -> Vec<u8> {
        [self.outer_header.as_slice(), &self.before_original].concat()
    }

    /// All that comes behind the original, once the signed octets have their CMS signature.
    pub fn tail(&self, signature_der: &[u8]) -> Vec<u8> {
        let mut finish = String::with_capacity(PARTS + signature_der.len() * 3 / 2);
        let boundary = self.boundary.as_str();
        push(&mut finish, &["\r\n--", boundary, SIGNATURE_HEADER]);
        base64_lines(&mut finish, signature_der);
        push(&mut finish, &["--", boundary, "--\r\n"]);
        [self.after_original.as_slice(), finish.as_bytes()].concat()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Transfer {
    SevenBit,
    EightBit,
    Binary,
}

impl Transfer {
    /// RFC 2045 §2.7 to §2.9, and that no line begins like a boundary of ours.
    fn of(original: &[u8], mark: &str) -> Result<Self, ComposeFault> {
        let mut found = Self::SevenBit;
        let mut at = 0;
        let ends = memchr::memchr_iter(b'\n', original).map(|lf| lf + 1);
        for end in ends.chain(Some(original.len())) {
            let line = original.get(at..end).unwrap_or_default();
            at = end;
            let (text, ended) = match line.strip_suffix(b"\r\n") {
                Some(text) => (text, true),
                None => (line, false),
            };
            if text.starts_with(b"--=_kep_")
                && text.windows(mark.len()).any(|w| w == mark.as_bytes())
            {
                return Err(ComposeFault::Boundary);
            }
            let broken = !ended && line.ends_with(b"\n");
            if broken || text.len() > 998 || memchr::memchr2(0, b'\r', text).is_some() {
                found = Self::Binary;
            } else if found == Self::SevenBit && !text.is_ascii() {
                found = Self::EightBit;
            }
        }
        Ok(found)
    }

    fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            // QUIRK(kep, 2026-11): inside multipart/signed it should be 7bit: docs/quirks.md#33
            Self::EightBit => "8bit",
            Self::Binary => "binary",
        }
    }
}

fn outer_header(
    envelope: &Envelope,
    boundary: &str,
    declared: &str,
) -> Result<String, ComposeFault> {
    let mut out = String::with_capacity(2048);
    let mut add = |name: &str, value: String| {
        // Only folds that we made ourselves may break a line.
        let plain = |line: &str| line.bytes().all(|b| (b' '..0x7f).contains(&b));
        if value.split("\r\n ").all(plain) {
            [name, ": ", &value, "\r\n"].iter().for_each(|piece| out.push_str(piece));
            Ok(())
        } else {
            Err(ComposeFault::Field(name.to_owned()))
        }
    };
    add("From", addresses(std::slice::from_ref(&envelope.from)))?;
    if let Some(reply_to) = &envelope.reply_to {
        add("Reply-To", addresses(std::slice::from_ref(reply_to)))?;
    }
    add("To", addresses(&envelope.to))?;
    if !envelope.cc.is_empty() {
        add("Cc", addresses(&envelope.cc))?;
    }
    add("Subject", words(&envelope.subject))?;
    add("Date", envelope.date.rfc5322())?;
    add("Message-ID", format!("<{}>", envelope.message_id))?;
    if let Some(id) = envelope.in_reply_to.as_ref().filter(|id| is_msg_id(id)) {
        add("In-Reply-To", format!("<{id}>"))?;
    }
    let references = references(&envelope.references);
    if !references.is_empty() {
        add("References", references)?;
    }
    // RFC 3834 §5: no responder answers evidence; behind a dispatch there is a person.
    if envelope.rem.kind == Some(MessageKind::Evidence) {
        add("Auto-Submitted", "auto-generated".to_owned())?;
    }
    for (name, value) in envelope.rem.fields().into_iter().chain(envelope.extra.iter().cloned()) {
        add(name, value)?;
    }
    let micalg = envelope.micalg;
    out.push_str(&format!(
        "MIME-Version: 1.0\r\n\
         Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
         micalg={micalg}; boundary=\"{boundary}\"\r\n\
         Content-Transfer-Encoding: {declared}\r\n\r\n\
         This is a registered e-mail message, signed with S/MIME.\r\n\r\n--{boundary}\r\n"
    ));
    Ok(out)
}

/// The first and the latest; threading needs no more.
fn references(ids: &[String]) -> String {
    let good: Vec<&String> = ids.iter().filter(|id| is_msg_id(id)).collect();
    let skip = good.len().saturating_sub(MAX_REFERENCES);
    let kept = good.iter().enumerate().filter(|(at, _)| *at == 0 || *at > skip);
    kept.map(|(_, id)| format!("<{id}>")).collect::<Vec<_>>().join("\r\n ")
}

fn addresses(list: &[Mailbox]) -> String {
    let one = |mailbox: &Mailbox| match &mailbox.name {
        None => format!("<{}>", mailbox.address),
        Some(name) if name.is_ascii() => {
            let name: String = name.chars().filter(|c| !c.is_control()).collect();
            let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{quoted}\"\r\n <{}>", mailbox.address)
        }
        Some(name) => format!("{}\r\n <{}>", words(name), mailbox.address),
    };
    list.iter().map(one).collect::<Vec<_>>().join(",\r\n ")
}

fn introduction_part(out: &mut String, introduction: &Introduction, boundary: &str) {
    let head = [
        "REM-Section-Type: rem_message/introduction\r\n\
         X-REM-Section-Type: rem_message/introduction\r\n\
         Content-Type: multipart/alternative;\r\n boundary=\"",
        boundary,
        "\"\r\n\r\n",
    ];
    push(out, &head);
    for (kind, text) in [("plain", &introduction.text), ("html", &introduction.html)] {
        let head = [
            "--",
            boundary,
            "\r\nContent-Type: text/",
            kind,
            "; charset=\"UTF-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        ];
        push(out, &head);
        quoted_printable(out, text);
        out.push_str("\r\n");
    }
    push(out, &["--", boundary, "--\r\n"]);
}

fn original_header(out: &mut String, transfer: Transfer) {
    let header = [
        "REM-Section-Type: rem_message/original\r\n\
         X-REM-Section-Type: rem_message/original\r\n\
         Content-Type: message/rfc822; name=\"AttachedMimeMessage.eml\"\r\n\
         Content-Transfer-Encoding: ",
        transfer.name(),
        "\r\nContent-Disposition: attachment; filename=\"AttachedMimeMessage.eml\"\r\n\r\n",
    ];
    push(out, &header);
}

fn evidence_part(out: &mut String, file: &EvidenceFile) {
    // Names are ours, but a stray quote must not end the parameter.
    let name: String = file.name.chars().filter(|c| c.is_ascii_graphic() && *c != '"').collect();
    let head = [
        "REM-Section-Type: rem_message/xml_evidence\r\n\
         X-REM-Section-Type: rem_message/xml_evidence\r\n\
         Content-Type: application/xml; charset=\"UTF-8\"; name=\"",
        &name,
        "\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"",
        &name,
        "\"\r\n\r\n",
    ];
    push(out, &head);
    base64_lines(out, file.xml);
}

fn push(out: &mut String, pieces: &[&str]) {
    pieces.iter().for_each(|piece| out.push_str(piece));
}

/// What follows the boundary before the signature.
const SIGNATURE_HEADER: &str = "\r\n\
    Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
    Content-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\
    Content-Description: S/MIME Cryptographic Signature\r\n\r\n";
/// Octets of the headers and boundaries of some parts.
const PARTS: usize = 1 << 10;
const MAX_REFERENCES: usize = 20;
