//! Delivery reports that another provider's server sends about our mail (RFC 3464): what they say, bounded
//! and without belief. No seal is under them; who reads decides what they weigh.

use super::part::{Part, parameter};
use super::{Reason, evidence::bare};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryReport {
    /// The ENVID of the mail that it is about.
    pub envelope: Option<String>,
    /// The Message-ID of what it returns, without angle brackets.
    pub message_id: Option<String>,
    /// Never empty.
    pub recipients: Vec<Reported>,
}

/// What became of the mail for one recipient, by the word of a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reported {
    /// As we said it with ORCPT, and as the server has it: addresses in lower case.
    pub original: Option<String>,
    pub last: String,
    pub action: Action,
    /// RFC 3463, `5.1.1`.
    pub status: String,
    /// What the server heard or thinks, in printable ASCII; may be empty.
    pub diagnostic: String,
}

/// RFC 3464 §2.3.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Failed,
    Delayed,
    Delivered,
    Relayed,
    Expanded,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReportFault {
    #[error("it has no part of the type message/delivery-status")]
    NoStatus,
    #[error("it tells of nobody")]
    Nobody,
    #[error("it tells of more than {MAX_RECIPIENTS} recipients")]
    TooMany,
    #[error("{0} is missing or can't be read")]
    Field(&'static str),
}

impl DeliveryReport {
    /// Whether a mail calls itself one: `multipart/report; report-type=delivery-status`.
    pub fn is(mail: &[u8]) -> bool {
        let outer = Part::read(mail, 0..mail.len());
        let kind = outer.field("Content-Type").and_then(|v| parameter(v, "report-type"));
        outer.content_type() == "multipart/report"
            && kind.is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"))
    }

    pub fn read(mail: &[u8]) -> Result<Self, ReportFault> {
        let parts = Part::read(mail, 0..mail.len()).parts(mail);
        let of = |kinds: &[&str]| parts.iter().find(|p| kinds.contains(&p.content_type().as_str()));
        let status = of(&["message/delivery-status", "message/global-delivery-status"]);
        let status = status.ok_or(ReportFault::NoStatus)?;
        let octets = status.decoded(mail).ok_or(ReportFault::NoStatus)?;
        let returned = of(&["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"]);
        let message_id = returned.and_then(|part| {
            let octets = part.decoded(mail)?;
            Part::read(&octets, 0..octets.len()).field("Message-ID").map(named)
        });
        let mut groups = groups(&octets).into_iter();
        let whole = groups.next().ok_or(ReportFault::NoStatus)?;
        let envelope = whole.field("Original-Envelope-Id").map(named);
        let recipients = groups.map(|group| Reported::read(&group));
        let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
        match recipients.len() {
            0 => Err(ReportFault::Nobody),
            1..=MAX_RECIPIENTS => Ok(Self { envelope, message_id, recipients }),
            _ => Err(ReportFault::TooMany),
        }
    }
}

impl Reported {
    fn read(group: &Part) -> Result<Self, ReportFault> {
        let last = group.field("Final-Recipient").and_then(address);
        let action = group.field("Action").map(str::to_ascii_lowercase);
        let action = action.and_then(|word| Action::all().find(|a| a.word() == word.trim()));
        let status = group.field("Status").and_then(|v| v.split_whitespace().next());
        let status = status.filter(|status| is_status(status));
        Ok(Self {
            original: group.field("Original-Recipient").and_then(address),
            last: last.ok_or(ReportFault::Field("Final-Recipient"))?,
            action: action.ok_or(ReportFault::Field("Action"))?,
            status: status.ok_or(ReportFault::Field("Status"))?.to_owned(),
            diagnostic: plain(group.field("Diagnostic-Code").unwrap_or_default()),
        })
    }

    /// Whether it is about this address.
    pub fn is_about(&self, address: &str) -> bool {
        let same = |told: &str| told.eq_ignore_ascii_case(address);
        same(&self.last) || self.original.as_deref().is_some_and(same)
    }

    /// Why the relay failed, where a code says so: evidence must not guess.
    pub fn reason(&self) -> Reason {
        match self.status.as_str() {
            "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" => Reason::UnknownRecipient,
            "5.4.1" | "5.4.7" => Reason::ProviderUnreachable,
            "5.4.4" => Reason::ProviderNotIdentified,
            _ => Reason::ProviderMalfunction,
        }
    }
}

impl Action {
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Failed, Self::Delayed, Self::Delivered, Self::Relayed, Self::Expanded].into_iter()
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Failed => "başarısız",
            Self::Delayed => "gecikti",
            Self::Delivered => "teslim edildi",
            Self::Relayed => "aktarıldı",
            Self::Expanded => "dağıtıldı",
        }
    }
}

/// The groups of fields, as headers of their own: a blank line stands between them.
fn groups(octets: &[u8]) -> Vec<Part> {
    let (mut found, mut start, mut at) = (Vec::new(), 0, 0);
    for line in octets.split_inclusive(|b| *b == b'\n') {
        let blank = line.trim_ascii().is_empty();
        if blank && at > start {
            found.push(Part::read(octets, start..at));
        }
        at += line.len();
        if blank {
            start = at;
        }
        if found.len() > MAX_RECIPIENTS + 1 {
            return found;
        }
    }
    if at > start {
        found.push(Part::read(octets, start..at));
    }
    found
}

/// `rfc822; a@b`, the address alone and in lower case.
fn address(value: &str) -> Option<String> {
    let (kind, address) = value.split_once(';')?;
    let address = bare(address).to_ascii_lowercase();
    let plain = address.len() <= ADDRESS_MAX && address.bytes().all(|b| b.is_ascii_graphic());
    (kind.trim().eq_ignore_ascii_case("rfc822") && plain && address.contains('@'))
        .then_some(address)
}

fn named(value: &str) -> String {
    bare(value).chars().filter(|c| c.is_ascii_graphic()).take(ID_MAX).collect()
}

fn is_status(text: &str) -> bool {
    let mut numbers = text.split('.');
    let class = numbers.next().is_some_and(|class| matches!(class, "2" | "4" | "5"));
    let mut number = || {
        let digits = numbers.next().unwrap_or_default();
        (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    };
    class && number() && number() && numbers.next().is_none()
}

/// What another server says is a stranger's text.
fn plain(text: &str) -> String {
    let printable =
        text.chars().take(HEARD).map(|c| if (' '..='~').contains(&c) { c } else { '?' });
    printable.collect::<String>().trim().to_owned()
}

/// As many as a dispatch can be handed over for at once.
const MAX_RECIPIENTS: usize = 1_000;
/// RFC 5321 §4.5.3.1: 64, the sign, 255.
const ADDRESS_MAX: usize = 320;
const ID_MAX: usize = 255;
const HEARD: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3464 Appendix E, as a server of ours would be told.
    const WHOLE: &str = "From: <MAILER-DAEMON@hs06.kep.tr>\r\n\
        Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b\"\r\n\r\n\
        --b\r\n\r\nSorry.\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
        Original-Envelope-Id: 5f2c@hs05.kep.tr\r\nReporting-MTA: dns; mx.hs06.kep.tr\r\n\r\n\
        Original-Recipient: rfc822;Can@hs06.kep.tr\r\nFinal-Recipient: RFC822; can@ic.example\r\n\
        Action: Failed\r\nStatus: 5.1.1 (no such)\r\n\
        Diagnostic-Code: smtp; 550 5.1.1\r\n  kim bu \u{1b}[1m\r\n\r\n\
        Final-Recipient: rfc822;ela@hs06.kep.tr\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <5f2c@hs05.kep.tr>\r\n\r\n--b--\r\n";

    #[test]
    fn a_report_says_of_whom_it_tells_and_what() {
        assert!(DeliveryReport::is(WHOLE.as_bytes()));
        let report = DeliveryReport::read(WHOLE.as_bytes()).unwrap();
        assert_eq!(report.envelope.as_deref(), Some("5f2c@hs05.kep.tr"));
        assert_eq!(report.message_id.as_deref(), Some("5f2c@hs05.kep.tr"));
        let [can, ela] = report.recipients.as_slice() else { panic!("{report:?}") };
        assert!(can.is_about("can@hs06.kep.tr") && can.is_about("can@ic.example"));
        assert!(!can.is_about("ela@hs06.kep.tr"));
        assert_eq!((can.action, can.status.as_str()), (Action::Failed, "5.1.1"));
        assert_eq!(can.diagnostic, "smtp; 550 5.1.1 kim bu ?[1m");
        assert_eq!(can.reason(), Reason::UnknownRecipient);
        assert_eq!((ela.action, ela.status.as_str()), (Action::Delayed, "4.4.1"));
        // Written on Unix it says the same.
        assert_eq!(DeliveryReport::read(WHOLE.replace('\r', "").as_bytes()), Ok(report));
    }

    #[test]
    fn what_is_no_report_is_named() {
        let fault = |text: &str| DeliveryReport::read(text.as_bytes()).unwrap_err();
        assert!(!DeliveryReport::is(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
        assert_eq!(fault("Subject: a\r\n\r\nb\r\n"), ReportFault::NoStatus);
        let without = |field: &str| {
            let lines = WHOLE.split_inclusive("\r\n").filter(|line| !line.starts_with(field));
            fault(&lines.collect::<String>())
        };
        for field in ["Final-Recipient", "Action", "Status"] {
            assert_eq!(without(field), ReportFault::Field(field));
        }
        let wrong = |from: &str, to: &str| fault(&WHOLE.replacen(from, to, 1));
        assert_eq!(wrong("Status: 5.1.1 ", "Status: 550 "), ReportFault::Field("Status"));
        assert_eq!(wrong("Action: Failed", "Action: lost"), ReportFault::Field("Action"));
        assert_eq!(wrong("RFC822; can@", "x400; can@"), ReportFault::Field("Final-Recipient"));
        let begin = WHOLE.find("Original-Recipient").unwrap();
        let end = WHOLE.find("--b\r\nContent-Type: text/rfc822").unwrap();
        let nobody = [&WHOLE[..begin], &WHOLE[end..]].concat();
        assert_eq!(fault(&nobody), ReportFault::Nobody);
        let one = "Final-Recipient: rfc822;a@b.c\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n";
        let many = [&WHOLE[..begin], &one.repeat(MAX_RECIPIENTS + 1), &WHOLE[end..]].concat();
        assert_eq!(fault(&many), ReportFault::TooMany);
    }

    #[test]
    fn invariant_10_whatever_octets_are_a_report_nothing_panics() {
        let octets = WHOLE.as_bytes();
        for at in 0..octets.len() {
            let mut touched = octets.to_vec();
            touched[at] ^= 0x2f;
            let _ = DeliveryReport::read(&touched);
            let _ = DeliveryReport::read(&octets[..at]);
        }
    }
}
