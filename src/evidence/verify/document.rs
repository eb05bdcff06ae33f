//! Evidence as an XML document: form, one enveloped signature, its time stamp, its certificate, and
//! whether its times and its digest agree with each other and with the original.

use super::report::{Checks, Facts, Kind, Report, State};
use super::stamp::{self, WEAK, When};
use super::{Beside, Judge, Name, compare};
use crate::trust::Certificate;
use crate::trust::verify::xml_value;
use crate::wire::Timestamp;
use crate::wire::rem::{Dialect, Evidence, EvidenceFault, Read};
use crate::wire::xades::{Binding, Covered, Reference, Signature, SignatureFault};
use crate::wire::xml::{Xml, XmlFault, text};
use data_encoding::BASE64;

pub(super) fn judge(judge: &Judge, octets: &[u8], beside: &Beside<'_>) -> Report {
    let mut checks = Checks::default();
    let text = text(octets);
    let xml = match text.as_ref().map_err(Clone::clone).and_then(|text| Xml::read(text)) {
        Ok(xml) => xml,
        Err(fault) => {
            unreadable(&fault, &mut checks);
            return Report::new(Kind::Unknown, checks);
        }
    };
    let read = form(&xml, &mut checks);
    let at_hand = at_hand(judge, beside);
    let signature = signature_form(&xml, &at_hand, beside, &mut checks);
    let signed = match &signature {
        Some(signature) => judge_signature(judge, signature, &at_hand, beside.now, &mut checks),
        None => beside.around.map_or_else(Signed::default, |around| Signed {
            when: around.when,
            signer: around.signer.clone(),
        }),
    };
    let Some(Read { evidence, dialect, .. }) = read else {
        return Report::new(Kind::Unknown, checks);
    };
    let signed_at = signature.as_ref().and_then(|signature| signature.signing_time);
    times(&evidence, signed_at, signed.when, beside.now, &mut checks);
    issuer(&evidence, dialect, signed.signer.as_ref(), &mut checks);
    if let Some(original) = beside.original {
        compare::with_original(&evidence, original, &mut checks);
    }
    let mut report = Report::new(Kind::Evidence, checks);
    report.evidence = Some(Facts::of(&evidence, dialect, signed.when.stamped()));
    report.read = Some(evidence);
    report
}

/// By whom and when the evidence was signed, as far as that is known.
#[derive(Default)]
struct Signed {
    when: When,
    signer: Option<Certificate>,
}

/// What can't be looked at here is no forgery.
fn unreadable(fault: &XmlFault, checks: &mut Checks) {
    match fault {
        XmlFault::TooLarge(_) => checks.unknown(Name::Form, fault.to_string()),
        XmlFault::Encoding(_) => {
            checks.unknown(Name::Form, fault.to_string());
            checks.hint("another verifier may know the encoding");
        }
        _ => checks.bad(Name::Form, fault.to_string()),
    }
}

/// Certificates that a signature may leave out: the mail around it brings them, or whoever asks.
fn at_hand(judge: &Judge, beside: &Beside<'_>) -> Vec<Certificate> {
    let around = beside.around.into_iter().flat_map(|around| &around.certificates);
    let all = around.chain(judge.lists.certificates());
    all.take(MAX_AT_HAND).cloned().collect()
}

fn form(xml: &Xml, checks: &mut Checks) -> Option<Read> {
    match Evidence::read_xml(xml) {
        Ok(read) => {
            let standard = match read.dialect {
                Dialect::Ts102640 => "TS 102 640-2",
                Dialect::En319522 => "EN 319 522-3",
            };
            checks.good(
                Name::Form,
                format!("evidence by {standard}: {}", read.evidence.event.english()),
            );
            read.oddities.iter().for_each(|odd| checks.note(Name::Oddity, odd.as_str()));
            Some(read)
        }
        Err(fault @ (EvidenceFault::Root(_) | EvidenceFault::Event(_))) => {
            checks.unknown(Name::Form, fault.to_string());
            checks.hint(
                "this may be a sound document of another kind; only REM evidence is known here",
            );
            None
        }
        Err(fault) => {
            checks.bad(Name::Form, fault.to_string());
            None
        }
    }
}

fn signature_form(
    xml: &Xml,
    at_hand: &[Certificate],
    beside: &Beside<'_>,
    checks: &mut Checks,
) -> Option<Signature> {
    let others: Vec<&[u8]> = at_hand.iter().map(Certificate::der).collect();
    let fault = match Signature::read_beside(xml, &others) {
        Ok(signature) => {
            let detail = "one enveloped signature, every reference understood";
            checks.good(Name::SignatureForm, detail);
            return Some(signature);
        }
        Err(fault) => fault,
    };
    if let (SignatureFault::Unsigned, Some(around)) = (&fault, beside.around) {
        // TS 102 640: evidence inside a signed envelope may be left unsigned.
        let state = if around.state == State::Good { State::Note } else { around.state };
        checks.say(
            Name::SignatureForm,
            state,
            "not signed by itself: the mail's seal stands for it",
        );
        return None;
    }
    match fault {
        SignatureFault::Canonicalization(_)
        | SignatureFault::Method(_)
        | SignatureFault::Digest(_)
        | SignatureFault::Transform(_) => {
            checks.unknown(Name::SignatureForm, fault.to_string());
            checks.hint("an algorithm that is not known here; another verifier may know it");
        }
        _ => checks.bad(Name::SignatureForm, fault.to_string()),
    }
    None
}

fn judge_signature(
    judge: &Judge,
    signature: &Signature,
    at_hand: &[Certificate],
    now: Timestamp,
    checks: &mut Checks,
) -> Signed {
    algorithms(signature, checks);
    signature.references.iter().for_each(|reference| judge_reference(reference, checks));
    binding(signature, checks);
    let brought = signature.certificates.iter().filter_map(|der| Certificate::from_der(der).ok());
    let certificates: Vec<Certificate> = brought.chain(at_hand.iter().cloned()).collect();
    let Some(signer) = signer(signature, &certificates) else {
        checks
            .unknown(Name::SignatureValue, "the signature brings no certificate that can be read");
        return Signed::default();
    };
    let holds = xml_value(&signer, signature);
    match holds {
        true => checks.good(Name::SignatureValue, format!("verifies with {}", signer.subject())),
        false => checks.bad(
            Name::SignatureValue,
            format!("does not verify with the key of {}", signer.subject()),
        ),
    }
    let when = time_stamps(judge, signature, now, checks);
    let when = When { claimed: when.claimed.or(signature.signing_time), ..when };
    stamp::seal_certificate(judge, &signer, &certificates, when, now, checks);
    Signed { when, signer: Some(signer) }
}

/// The certificate that the signature names; where it names none, KeyInfo gives no order (XMLDSig
/// §4.4.4), and the one whose key made the signature is meant.
fn signer(signature: &Signature, certificates: &[Certificate]) -> Option<Certificate> {
    let first = signature.certificates.first().and_then(|der| Certificate::from_der(der).ok());
    if signature.binding != Binding::Absent {
        return first;
    }
    certificates.iter().find(|one| xml_value(one, signature)).cloned().or(first)
}

fn algorithms(signature: &Signature, checks: &mut Checks) {
    let weak = signature.weak();
    if weak.is_empty() {
        checks.good(Name::Algorithms, signature.method.uri());
    } else {
        checks.bad(Name::Algorithms, format!("too weak: {}", weak.join(", ")));
        checks.hint(WEAK);
    }
}

fn judge_reference(reference: &Reference, checks: &mut Checks) {
    let name = match reference.covers {
        Covered::Document => Name::ReferenceDocument,
        Covered::SignedProperties => Name::ReferenceSignedProperties,
        Covered::KeyInfo => Name::ReferenceKeyInfo,
    };
    let uri = &reference.uri;
    let stated = BASE64.encode(&reference.stated);
    match &reference.computed {
        None => {
            let hash = reference.hash.uri();
            checks.bad(name, format!("reference {uri:?}: {hash} is not computed any more"));
        }
        Some(_) if reference.holds() => {
            checks.good(name, format!("reference {uri:?}: the digest is the stated one"));
        }
        Some(computed) => {
            let computed = BASE64.encode(computed);
            checks.bad(name, format!("reference {uri:?}: stated {stated}, computed {computed}"));
        }
    }
}

fn binding(signature: &Signature, checks: &mut Checks) {
    let name = Name::SigningCertificate;
    match signature.binding {
        Binding::Bound(_) => {
            checks.good(name, "SigningCertificate names the certificate of KeyInfo")
        }
        Binding::Absent => {
            checks.unknown(name, "no SigningCertificate: a plain XML signature, no XAdES");
        }
        Binding::NotAtHand => {
            checks.unknown(name, "KeyInfo leaves the certificate out, and it is not at hand");
            checks.hint("the mail or the X.material folder that it came with may hold it");
        }
        Binding::Weak => {
            checks.bad(name, "the certificate is named with a digest that is too weak");
            checks.hint(WEAK);
        }
        Binding::DigestDiffers => {
            checks.bad(name, "no certificate of KeyInfo has the digest that was signed");
        }
        Binding::IssuerSerialDiffers => {
            checks.bad(name, "issuer and serial number are not the certificate's");
        }
    }
}

/// Every token must hold; the earliest proven time counts.
fn time_stamps(judge: &Judge, signature: &Signature, now: Timestamp, checks: &mut Checks) -> When {
    if signature.stamps.is_empty() {
        checks
            .unknown(Name::TimeStamp, "the signature has no time stamp: its time is only claimed");
    }
    let all = signature.stamps.iter();
    let all: Vec<When> =
        all.map(|s| stamp::token(judge, &s.token_der, &s.stamped_octets, now, checks)).collect();
    When {
        proven: all.iter().filter_map(|when| when.proven).min(),
        claimed: all.iter().filter_map(|when| when.claimed).min(),
    }
}

/// Event, signing and stamping follow each other; clocks may be apart a little.
fn times(
    evidence: &Evidence,
    signed: Option<Timestamp>,
    when: When,
    now: Timestamp,
    checks: &mut Checks,
) {
    let (name, event) = (Name::Times, evidence.event_time);
    if signed.is_some_and(|signed| signed < event.plus_millis(-SKEW)) {
        checks.note(name, format!("signed before the event of {event}, says the signer"));
    }
    let Some(stamped) = when.proven.or(when.claimed) else { return };
    if stamped < event.plus_millis(-SKEW) {
        checks.bad(name, format!("stamped at {stamped}, before the event of {event}"));
    } else if signed.is_some_and(|signed| stamped < signed.plus_millis(-SKEW)) {
        checks.bad(name, format!("stamped at {stamped}, before the signing time"));
    } else if now.plus_millis(SKEW) < stamped {
        checks.unknown(name, format!("stamped at {stamped}, which is still to come"));
        checks.hint("is the clock of this machine right?");
    } else {
        checks.good(name, format!("event {event}, stamped {stamped}"));
        let late = stamped.millis().saturating_sub(event.millis());
        if late > LATE {
            let minutes = late / 60_000;
            checks.note(name, format!("stamped {minutes} minutes after the event"));
        }
    }
}

/// Whoever issued the evidence must be whom the seal certificate names: trusted providers can't
/// speak for each other. And the certificate that the evidence itself names should be that one.
fn issuer(
    evidence: &Evidence,
    dialect: Dialect,
    signer: Option<&Certificate>,
    checks: &mut Checks,
) {
    let Some(signer) = signer else { return };
    let stated = evidence.issuer.address.to_ascii_lowercase();
    let named = signer.emails();
    let names = |address: &str| named.iter().any(|email| same_domain(email, address));
    if stated.is_empty() {
        nameless(evidence, dialect, names, checks);
    } else if names(&stated) {
        checks.good(Name::Issuer, format!("{stated}: the seal certificate's own"));
    } else if named.is_empty() {
        checks.note(Name::Issuer, format!("{stated}: the seal certificate names nobody"));
    } else {
        let named = named.join(", ");
        let text = format!("issued by {stated:?}, the seal certificate names {named:?}");
        checks.bad(Name::Issuer, text);
    }
    let stated = evidence.issuer.certificate.as_deref();
    if stated.is_some_and(|stated| stated != signer.der()) {
        let text = "IssuerDetails names another certificate than the one that signed";
        checks.note(Name::SigningCertificate, text);
    }
}

/// Evidence that leaves out whose it is: TS 102 640-2 demands an address, by EN 319 522-3 attributes
/// may stand for it. An identifier with a domain may tell instead.
fn nameless(
    evidence: &Evidence,
    dialect: Dialect,
    names: impl Fn(&str) -> bool,
    checks: &mut Checks,
) {
    let id = evidence.id.as_str().to_ascii_lowercase();
    if names(&id) {
        return checks
            .good(Name::Issuer, format!("not stated; {id} is the seal certificate's own"));
    }
    if let Some((_, domain)) = id.rsplit_once('@') {
        let text = format!("not stated; the identifier is of {domain}, the seal is not");
        return checks.bad(Name::Issuer, text);
    }
    let text = "the evidence does not state by whom it was issued";
    match dialect {
        Dialect::Ts102640 => checks.unknown(Name::Issuer, text),
        Dialect::En319522 => checks.note(Name::Issuer, text),
    }
}

fn same_domain(one: &str, other: &str) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    domain(one).is_some_and(|one| domain(other) == Some(one))
}

/// Each may cost a verification.
const MAX_AT_HAND: usize = 32;
/// Five minutes: what clocks of services may be apart.
const SKEW: i64 = 5 * 60 * 1000;
/// A stamp is a matter of seconds; an hour later something had failed.
const LATE: i64 = 60 * 60 * 1000;
