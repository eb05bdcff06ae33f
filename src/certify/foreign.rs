//! What another provider hands over: opened, and judged by the seals that are registered for it. A
//! chain to some authority is not enough, and what can't be checked is not taken for good. Pure.

mod known;

pub use known::Known;

use crate::evidence::verify::{Check, Kind, Name, Report, State};
use crate::trust::verify::smime;
use crate::trust::{Certificate, SignerFault};
use crate::wire::rem::{Event, Evidence, OpenFault, Opened, Original};
use crate::wire::{KepAddress, KepDomain, MessageId, Timestamp};

/// A mail of another provider, taken apart, and whose certificate signed it.
pub struct Handed<'a> {
    mail: &'a [u8],
    opened: Opened,
    pub signer: Certificate,
    /// It, and what came along with it.
    pub certificates: Vec<Certificate>,
}

/// Whom to believe.
pub struct Believe<'a> {
    pub domain: &'a KepDomain,
    /// What else its users have addresses under; none in the circuit.
    pub domains: &'a [String],
    /// The seals registered for it.
    pub seals: &'a [Certificate],
    pub known: &'a Known,
}

/// A dispatch that holds.
pub struct Dispatch {
    pub id: MessageId,
    pub sender: KepAddress,
    /// As the acceptance names them, in its order.
    pub recipients: Vec<KepAddress>,
    pub original: Original,
    pub acceptance: Told,
}

/// An evidence mail that holds.
pub struct EvidenceMail {
    /// Never empty; of evidence in both dialects the first.
    pub told: Vec<Told>,
}

/// One evidence of another provider, and its octets.
#[derive(Clone)]
pub struct Told {
    pub evidence: Evidence,
    pub dialect: &'static str,
    pub stamped_at: Timestamp,
    pub xml: Vec<u8>,
    /// The same evidence in the other dialect.
    pub further: Vec<Written>,
}

impl Told {
    /// When the last of its documents was stamped.
    pub fn last_stamp(&self) -> Timestamp {
        self.further.iter().map(|form| form.stamped_at).fold(self.stamped_at, Timestamp::max)
    }
}

/// An evidence as a further dialect has it.
#[derive(Clone)]
pub struct Written {
    pub dialect: &'static str,
    pub stamped_at: Timestamp,
    pub xml: Vec<u8>,
}

pub enum Sound {
    Dispatch(Box<Dispatch>),
    Evidence(EvidenceMail),
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    #[error("neither a dispatch nor an evidence mail: {0}")]
    NotRem(String),
    #[error("the seal: {0}")]
    Seal(String),
    #[error("the seal's certificate: {0}")]
    SealCertificate(String),
    #[error("the evidence: {0}")]
    Evidence(String),
    /// By our clock; it may be right in a moment.
    #[error("the time: {0}")]
    Ahead(String),
    #[error("the original: {0}")]
    Original(String),
    #[error("the sender {0} is another provider's")]
    Sender(String),
    #[error("the recipient {0} is no KEP address")]
    Recipient(String),
    #[error("the message id {0} is another provider's")]
    MessageId(String),
    #[error("can't be judged: {0}")]
    Judge(String),
}

impl<'a> Handed<'a> {
    /// `registered` are certificates that a seal may leave out.
    pub fn open(
        mail: &'a [u8],
        registered: Vec<Certificate>,
        known: &Known,
    ) -> Result<Self, Fault> {
        let opened = Opened::read(mail).map_err(not_rem)?;
        let signed = opened.signed.clone().and_then(|range| mail.get(range));
        let Some((signed, der)) = signed.zip(opened.signature_der.as_deref()) else {
            return Err(Fault::NotRem("the mail is not signed".to_owned()));
        };
        let seal = |fault: SignerFault| Fault::Seal(fault.to_string());
        let registered = known.registered(registered)?;
        let (signer, certificates) = match registered.verifier.signature(signed, der) {
            Ok(seal) => (seal.signer, seal.certificates),
            Err(SignerFault::MissingAttribute(_)) => {
                let plain = smime(der, Some(signed)).map_err(seal)?;
                (plain.signer, plain.certificates)
            }
            Err(fault) => return Err(seal(fault)),
        };
        let brought = |one: &Certificate| *one == signer || !registered.seals.contains(one);
        let mut certificates: Vec<_> = certificates.into_iter().filter(brought).collect();
        certificates.dedup();
        Ok(Self { mail, opened, signer, certificates })
    }

    /// Every check that must hold before anything is believed.
    pub fn judge(self, believe: &Believe<'_>, now: Timestamp) -> Result<Sound, Fault> {
        if !believe.seals.contains(&self.signer) {
            return Err(Fault::Seal("the certificate is not a registered one".to_owned()));
        }
        let judge = believe.known.judge(believe.domain, believe.seals)?;
        let report = judge.judge(self.mail, None, now);
        whole(&report)?;
        let told = self.told(&report)?;
        match (report.kind, self.opened.original) {
            (Kind::Dispatch, Some(original)) => dispatch(believe, original, told),
            _ => Ok(Sound::Evidence(EvidenceMail { told })),
        }
    }

    /// Each fact once, of what is enclosed.
    fn told(&self, report: &Report) -> Result<Vec<Told>, Fault> {
        let mut all: Vec<Told> = Vec::new();
        for (found, judged) in self.opened.evidence.iter().zip(&report.enclosed) {
            let read = Evidence::read(&found.xml).map_err(|e| Fault::Evidence(e.to_string()))?;
            if read.evidence.id.as_str().len() > ID_MAX {
                return Err(Fault::Evidence("its identifier is too long".to_owned()));
            }
            let stamped = judged.evidence.as_ref().and_then(|facts| facts.stamped_at.as_deref());
            let stamped = stamped.and_then(Timestamp::parse_iso8601);
            let stamped_at =
                stamped.ok_or_else(|| Fault::Evidence("it has no time stamp".to_owned()))?;
            // One identifier is one evidence, whatever else is enclosed.
            let by_id = all.iter().position(|told| told.evidence.id == read.evidence.id);
            let same = |told: &Told| is_about(&told.evidence) == is_about(&read.evidence);
            let place = by_id.or_else(|| all.iter().position(same));
            let (dialect, xml) = (read.dialect.word(), found.xml.clone());
            match place.and_then(|place| all.get_mut(place)) {
                None => {
                    let (evidence, further) = (read.evidence, Vec::new());
                    all.push(Told { evidence, dialect, stamped_at, xml, further });
                }
                Some(told) if told.evidence.id != read.evidence.id => {}
                Some(told) if !is_same(&told.evidence, &read.evidence) => {
                    let text = "its documents under one identifier tell of different things";
                    return Err(Fault::Evidence(text.to_owned()));
                }
                Some(told) if told.dialect != dialect => {
                    told.further.push(Written { dialect, stamped_at, xml });
                }
                Some(_) => {}
            }
        }
        match all.is_empty() {
            true => Err(Fault::NotRem("no evidence is enclosed".to_owned())),
            false => Ok(all),
        }
    }
}

/// The event, and whom it is about.
fn is_about(evidence: &Evidence) -> (Event, Option<String>) {
    (evidence.event, evidence.recipient().map(|party| party.address.to_ascii_lowercase()))
}

/// Whether two documents under one identifier tell of the same fact about the same message; times to the
/// second, since not all write more.
fn is_same(one: &Evidence, other: &Evidence) -> bool {
    let addresses = |evidence: &Evidence| -> Vec<String> {
        let all = [&evidence.sender].into_iter().chain(&evidence.recipients);
        all.map(|party| party.address.to_ascii_lowercase()).collect()
    };
    let second = |evidence: &Evidence| evidence.event_time.secs();
    second(one) == second(other)
        && is_about(one) == is_about(other)
        && one.message.message_id == other.message.message_id
        && one.message.digest == other.message.digest
        && addresses(one) == addresses(other)
}

/// The dispatch of a message that this provider accepted from one of its accounts.
fn dispatch(believe: &Believe<'_>, original: Original, told: Vec<Told>) -> Result<Sound, Fault> {
    let acceptance = told.into_iter().find(|t| t.evidence.event == Event::SubmissionAcceptance);
    let missing = || Fault::Evidence("the dispatch does not enclose its acceptance".to_owned());
    let acceptance = acceptance.ok_or_else(missing)?;
    let Evidence { sender, message, .. } = &acceptance.evidence;
    let Believe { domain, domains, .. } = believe;
    let with = |of: &KepDomain| of.provider() == domain.provider();
    let has = |of: &KepDomain| domains.iter().any(|domain| domain == of.as_str());
    let stranger = || Fault::Sender(sender.address.clone());
    let address = KepAddress::registered(&sender.address).map_err(|_| stranger())?;
    if !with(&address.domain()) && !has(&address.domain()) {
        return Err(stranger());
    }
    let foreign = || Fault::MessageId(message.message_id.clone());
    let id = MessageId::parse(&message.message_id).ok_or_else(foreign)?;
    let of = id.as_str().rsplit_once('@').and_then(|(_, of)| KepDomain::registered(of).ok());
    if !of.is_some_and(|of| with(&of)) {
        return Err(foreign());
    }
    let recipients = named(&acceptance.evidence, domain.is_kep())?;
    let sender = address;
    Ok(Sound::Dispatch(Box::new(Dispatch { id, sender, recipients, original, acceptance })))
}

/// Our own evidence will name all of them, and so will mail headers: each must be an address, in the circuit
/// one of the circuit.
fn named(acceptance: &Evidence, circuit: bool) -> Result<Vec<KepAddress>, Fault> {
    let address = if circuit { KepAddress::parse } else { KepAddress::registered };
    if acceptance.recipients.len() > MAX_NAMED {
        return Err(Fault::Evidence(format!("it names more than {MAX_NAMED} recipients")));
    }
    let parties = acceptance.recipients.iter();
    let parsed = parties.map(|party| {
        let nobody = |_| Fault::Recipient(party.address.clone());
        address(&party.address).map_err(nobody)
    });
    parsed.collect()
}

/// All that the judgement of a mail says, but for what is between its sender and his provider.
fn whole(report: &Report) -> Result<(), Fault> {
    for check in &report.checks {
        held(check, false)?;
    }
    for judged in &report.enclosed {
        // QUIRK(kep, 2026-11): evidence stands by its own signature and stamp. docs/quirks.md#86
        if judged.check(Name::SignatureValue).is_none() {
            return Err(Fault::Evidence("it is not signed by itself".to_owned()));
        }
        for check in &judged.checks {
            held(check, true)?;
        }
    }
    Ok(())
}

fn held(check: &Check, inside: bool) -> Result<(), Fault> {
    let open = match check.state {
        State::Good | State::Note => return Ok(()),
        State::Unknown => true,
        State::Bad => false,
    };
    let said = || format!("{}: {}", check.name.as_str(), check.detail);
    Err(match (check.name, inside) {
        // What the original says of itself was his provider's to judge.
        (Name::OriginalField, _) => return Ok(()),
        (Name::Revocation, _) if open => return Ok(()),
        (Name::Times, _) if open => Fault::Ahead(said()),
        (Name::OriginalDigest | Name::HeaderDigest | Name::EnclosedOriginal, _) => {
            Fault::Original(said())
        }
        (Name::Form | Name::EnclosedEvidence | Name::Oddity, false) => Fault::NotRem(said()),
        (Name::SealCertificate | Name::Revocation, false) => Fault::SealCertificate(said()),
        (Name::Header, false) | (_, true) => Fault::Evidence(said()),
        (_, false) => Fault::Seal(said()),
    })
}

/// As many as anybody may write to at once; each evidence of ours names all of them.
const MAX_NAMED: usize = 1_000;

/// Octets of an identifier of others: it names a row.
const ID_MAX: usize = 255;

fn not_rem(fault: OpenFault) -> Fault {
    Fault::NotRem(fault.to_string())
}

#[cfg(test)]
mod tests;
