//! Evidence as EN 319 522-3 V1.1.1 spells it, with the values of the REM baseline (EN 319 532-4
//! Annex C). Local elements have no namespace there, referenced ones do.

use super::common::{
    bounded, has_own, known, number_of, oddities, read_digest, read_own, time_of, write_digest,
    write_own,
};
use super::evidence::{bare, evidence_id, xml_id};
use super::{
    Authentication, Dialect, Event, Evidence, EvidenceFault, Issuer, MessageDetails, Party,
    PostalAddress, Read, Reason, Why,
};
use crate::wire::sha256;
use crate::wire::xml::{DS_NS, Writer, base64_of, child, children, text_of};
use data_encoding::{BASE64, HEXUPPER};
use roxmltree::Node;

pub(super) const NS: &str = "http://uri.etsi.org/19522/v1#";

pub(super) fn write(evidence: &Evidence) -> Result<String, EvidenceFault> {
    let uri = evidence.event.en_uri().ok_or(EvidenceFault::NotInDialect(evidence.event))?;
    let mut w = Writer::document();
    let id = xml_id(&evidence.id);
    let mut attributes = NAMESPACES.to_vec();
    attributes.extend([("version", VERSION), ("Id", &id)]);
    w.open("tns:Evidence", &attributes);
    w.text("tns:EvidenceIdentifier", &message_form(evidence));
    w.text("tns:ERDSEventId", &uri);
    write_reasons(&mut w, evidence);
    w.text("EventTime", &evidence.event_time.iso8601());
    write_policies(&mut w, &evidence.policies);
    write_issuer(&mut w, &evidence.issuer);
    let sender = evidence.sender_authentication.as_ref();
    write_user(&mut w, "tns:SenderDetails", &evidence.sender, sender);
    for (at, party) in evidence.recipients.iter().enumerate() {
        let own = at + 1 == evidence.refers_to.unwrap_or(1);
        let authentication = evidence.recipient_authentication.as_ref().filter(|_| own);
        write_user(&mut w, "tns:RecipientDetails", party, authentication);
    }
    if let Some(time) = evidence.submission_time {
        w.text("tns:SubmissionTime", &time.iso8601());
    }
    if let Some(number) = evidence.refers_to.filter(|_| is_about_recipient(evidence.event)) {
        w.text("EvidenceRefersToRecipient", &number.to_string());
    }
    w.text("tns:MessageIdentifier", &evidence.message.message_id);
    write_content(&mut w, &evidence.message);
    write_external(&mut w, evidence);
    write_extensions(&mut w, evidence);
    Ok(w.finish())
}

/// The baseline wants the form of an RFC 5322 msg-id: ours get the issuer's domain.
fn message_form(evidence: &Evidence) -> String {
    let id = evidence.id.as_str();
    match evidence.issuer.address.rsplit_once('@') {
        Some((_, domain)) if !id.contains('@') => format!("{id}@{domain}"),
        _ => id.to_owned(),
    }
}

fn write_reasons(w: &mut Writer, evidence: &Evidence) {
    // EN 319 522-2 table 13: a failure has a reason; EN 319 532-4: so has a success.
    let implied = [Why { reason: Reason::implied(evidence.event), details: None }];
    let reasons = if evidence.reasons.is_empty() { &implied[..] } else { &evidence.reasons };
    w.open("tns:EventReasons", &[]);
    for why in reasons {
        let (code, uri) = why.reason.en(evidence.event);
        w.open("tns:EventReason", &[]).text("Code", &uri).text("Details", &code);
        w.text("Details", why.reason.english());
        if let Some(details) = &why.details {
            w.text("Details", details);
        }
        w.close();
    }
    w.close();
}

/// EN 319 532-4 C.4.5: the baseline's own policy first, then the domain's.
fn write_policies(w: &mut Writer, policies: &[String]) {
    w.open("tns:EvidenceIssuerPolicyID", &[]).text("PolicyID", BASELINE);
    for policy in policies {
        w.text("PolicyID", policy);
    }
    w.close();
}

fn write_issuer(w: &mut Writer, issuer: &Issuer) {
    w.open("tns:EvidenceIssuerDetails", &[]).open("tns:Identity", &[]);
    write_attribute(w, LEGAL_NAME, &issuer.name, Some("elp:LegalNameType"));
    write_attribute(w, MAIL, &issuer.address, None);
    if let Some(postal) = &issuer.postal {
        let values = [&postal.street, &postal.locality, &postal.postal_code, &postal.country];
        for (name, value) in POSTAL.into_iter().zip(values) {
            write_attribute(w, name, value, None);
        }
    }
    w.close();
    if let Some(der) = &issuer.certificate {
        w.open("tns:CertificateDetails", &[]).text("X509Certificate", &BASE64.encode(der)).close();
    }
    w.close();
}

fn write_attribute(w: &mut Writer, (name, uri): Attribute, value: &str, kind: Option<&str>) {
    w.open("saml:Attribute", &[("FriendlyName", name), ("Name", uri), ("NameFormat", NAME_FORMAT)]);
    match kind {
        Some(kind) => w.leaf("saml:AttributeValue", &[("xsi:type", kind)], value),
        None => w.text("saml:AttributeValue", value),
    };
    w.close();
}

fn write_user(
    w: &mut Writer,
    element: &'static str,
    party: &Party,
    authentication: Option<&Authentication>,
) {
    w.open(element, &[]).open("tns:Identity", &[]);
    let person = person_identifier(&party.address);
    write_attribute(w, PERSON, &person, Some("enp:PersonIdentifierType"));
    if let Some(name) = &party.name {
        write_attribute(w, DISPLAY_NAME, name, None);
    }
    w.close();
    w.leaf("Identifier", &[("IdentifierSchemeName", "mailto")], &party.address);
    if let Some(Authentication { time, method }) = authentication {
        w.open("AssuranceLevelsDetails", &[]);
        w.open("GlobalAssuranceLevel", &[]).text("AssuranceLevel", SUBSTANTIAL).close();
        w.open("tns:AuthenticationDetails", &[])
            .text("AuthenticationTime", &time.iso8601())
            .text("AuthenticationMethod", method)
            .close();
        w.close();
    }
    w.close();
}

/// EN 319 532-4 C.4.5.3: country, country, digest of the address in lower case.
fn person_identifier(address: &str) -> String {
    let digest = sha256(address.to_lowercase().as_bytes());
    format!("TR/TR/{}", HEXUPPER.encode(&digest.0))
}

fn write_content(w: &mut Writer, message: &MessageDetails) {
    w.open("tns:UserContentInfo", &[]);
    if let Some(id) = &message.ua_message_id {
        w.text("AppLayerIdentifier", &format!("<{id}>"));
    }
    w.text("ComposingParts", "1").open("tns:PartsInfo", &[]).open("tns:PartInfo", &[]);
    w.text("Identifier", MIME_OID).text("ContentType", "message/rfc822");
    write_digest(w, message.digest.as_ref());
    w.close().close().close();
}

/// EN 319 522-2 table 13, I09: acceptance, handover and what lies between name their recipient; relay
/// evidence does so in an extension of the baseline.
fn is_about_recipient(event: Event) -> bool {
    event.en().is_some_and(|(code, _)| code.starts_with(['C', 'D', 'E']))
}

fn is_relay(event: Event) -> bool {
    matches!(event, Event::RelayAcceptance | Event::RelayRejection | Event::RelayFailure)
}

fn write_external(w: &mut Writer, evidence: &Evidence) {
    let Some(external) = &evidence.external else { return };
    if is_relay(evidence.event) {
        w.open("tns:ExternalERDSDetails", &[]).open("tns:Identity", &[]);
        write_attribute(w, LEGAL_NAME, external, Some("elp:LegalNameType"));
        w.close().close();
    } else {
        w.text("ForwardedToExternalSystem", external);
    }
}

fn write_extensions(w: &mut Writer, evidence: &Evidence) {
    w.open("tns:Extensions", &[]);
    w.open("tns:Extension", &[("isCritical", "false")]).open("ext:GeneralEvidenceInfo", &[]);
    w.text("ext:Subject", &evidence.message.subject).close().close();
    if let Some(number) = evidence.refers_to.filter(|_| !is_about_recipient(evidence.event)) {
        w.open("tns:Extension", &[("isCritical", "false")])
            .open("ext:RelayEvidenceInfo", &[])
            .text("ext:RelayEvidenceRefersTo", &number.to_string())
            .close()
            .close();
    }
    if has_own(evidence) {
        w.open("tns:Extension", &[("isCritical", "false")]);
        write_own(w, evidence);
        w.close();
    }
    w.close();
}

pub(super) fn read(root: Node) -> Result<Read, EvidenceFault> {
    if root.tag_name().name() != "Evidence" {
        return Err(EvidenceFault::Root(root.tag_name().name().to_owned()));
    }
    let mut odd = Vec::new();
    let uri = text(root, "ERDSEventId").ok_or(EvidenceFault::Missing("ERDSEventId"))?;
    let event = Event::by_en(&uri).ok_or(EvidenceFault::Event(uri))?;
    let identifier = text(root, "EvidenceIdentifier");
    let identifier = identifier.ok_or(EvidenceFault::Missing("EvidenceIdentifier"))?;
    let own = read_own(root, NS);
    let reasons = read_reasons(root, event, &mut odd)?;
    let users: Vec<Node> = children(root, NS, "RecipientDetails").collect();
    bounded(users.len(), "recipients")?;
    let sender = child(root, NS, "SenderDetails");
    let evidence = Evidence {
        id: evidence_id(root.attribute("Id"), &identifier),
        event: told_apart(event, &reasons, own.due_time.is_some()),
        reasons,
        policies: read_policies(root, &mut odd)?,
        issuer: read_issuer(child(root, NS, "EvidenceIssuerDetails"), &mut odd),
        event_time: time_of(any(root, "EventTime")).ok_or(EvidenceFault::Missing("EventTime"))?,
        submission_time: time_of(any(root, "SubmissionTime")),
        due_time: own.due_time,
        issue_time: own.issue_time,
        sender: sender.map(read_user).unwrap_or_default(),
        sender_authentication: sender.and_then(read_authentication),
        recipient_authentication: users.iter().find_map(|u| read_authentication(*u)),
        recipients: users.iter().map(|u| read_user(*u)).collect(),
        refers_to: number_of(any(root, "EvidenceRefersToRecipient"))
            .or_else(|| read_relay_info(root, users.len(), &mut odd)),
        external: read_external(root),
        message: read_message(root),
        opening: own.opening,
    };
    oddities(&evidence, &mut odd);
    Ok(Read { evidence, dialect: Dialect::En319522, oddities: odd })
}

/// One URI stands for a failed delivery and for one whose window ended: the reason tells.
fn told_apart(event: Event, reasons: &[Why], due: bool) -> Event {
    let timed_out =
        |why: &Why| matches!(why.reason, Reason::NoDeliveryInfo | Reason::RetentionPeriodExpired);
    match event {
        Event::NonDelivery if due || reasons.iter().any(timed_out) => Event::DeliveryExpiration,
        other => other,
    }
}

fn read_reasons(
    root: Node,
    event: Event,
    odd: &mut Vec<String>,
) -> Result<Vec<Why>, EvidenceFault> {
    let Some(list) = child(root, NS, "EventReasons") else { return Ok(Vec::new()) };
    let mut reasons = Vec::new();
    for node in children(list, NS, "EventReason") {
        let code = text(node, "Code").unwrap_or_default();
        // The baseline puts its code and the standard's words first; what follows is told by hand.
        let all = node.children().filter(|n| n.tag_name().name() == "Details").map(text_of);
        let details = all.skip(2).reduce(|a, b| format!("{a} {b}"));
        reasons.push(known(Reason::by_en(&code), &code, details, odd));
        bounded(reasons.len(), "reasons")?;
    }
    let implied = |why: &Why| why.details.is_none() && why.reason == Reason::implied(event);
    if event.is_success() && reasons.len() == 1 && reasons.iter().all(implied) {
        reasons.clear();
    }
    Ok(reasons)
}

fn read_policies(root: Node, odd: &mut Vec<String>) -> Result<Vec<String>, EvidenceFault> {
    let list = child(root, NS, "EvidenceIssuerPolicyID");
    let all = list.into_iter().flat_map(|l| l.children()).filter(Node::is_element).map(text_of);
    let mut policies: Vec<String> = all.collect();
    bounded(policies.len(), "policies")?;
    match policies.iter().position(|p| p == BASELINE) {
        Some(at) => drop(policies.remove(at)),
        None => odd.push("the policy of the REM baseline is not named".to_owned()),
    }
    Ok(policies)
}

fn read_issuer(node: Option<Node>, odd: &mut Vec<String>) -> Issuer {
    let Some(node) = node else {
        odd.push("EvidenceIssuerDetails is missing".to_owned());
        return Issuer::default();
    };
    let [street, locality, postal_code, country] =
        POSTAL.map(|attribute| read_attribute(node, attribute));
    let postal = street.map(|street| PostalAddress {
        street,
        locality: locality.unwrap_or_default(),
        postal_code: postal_code.unwrap_or_default(),
        country: country.unwrap_or_default(),
    });
    Issuer {
        name: read_attribute(node, LEGAL_NAME).unwrap_or_default(),
        address: read_attribute(node, MAIL).unwrap_or_default(),
        postal,
        certificate: any(node, "CertificateDetails")
            .and_then(|c| any(c, "X509Certificate"))
            .and_then(base64_of),
    }
}

fn read_attribute(entity: Node, (_, uri): Attribute) -> Option<String> {
    let identity = child(entity, NS, "Identity")?;
    let mut all = children(identity, SAML_NS, "Attribute");
    let found = all.find(|a| a.attribute("Name") == Some(uri))?;
    child(found, SAML_NS, "AttributeValue").map(text_of)
}

fn read_user(node: Node) -> Party {
    let address = text(node, "Identifier").map(|a| bare(&a)).unwrap_or_default();
    Party { address, name: read_attribute(node, DISPLAY_NAME) }
}

fn read_authentication(user: Node) -> Option<Authentication> {
    let details = any(user, "AssuranceLevelsDetails")?;
    let details = any(details, "AuthenticationDetails").or_else(|| {
        any(details, "AuthenticationDetsAndAssuranceLevel")
            .and_then(|d| any(d, "AuthenticationDetails"))
    })?;
    let time = time_of(any(details, "AuthenticationTime"))?;
    Some(Authentication { time, method: text(details, "AuthenticationMethod")? })
}

fn read_external(root: Node) -> Option<String> {
    any(root, "ExternalERDSDetails")
        .and_then(|d| read_attribute(d, LEGAL_NAME))
        .or_else(|| text(root, "ForwardedToExternalSystem"))
}

/// The one recipient that relay evidence is about; all of them is the same as none named.
fn read_relay_info(root: Node, recipients: usize, odd: &mut Vec<String>) -> Option<usize> {
    let extensions = any(root, "Extensions").into_iter().flat_map(|e| children(e, NS, "Extension"));
    let info = extensions.filter_map(|e| child(e, EXT_NS, "RelayEvidenceInfo")).next()?;
    let numbers: Vec<Option<usize>> = children(info, EXT_NS, "RelayEvidenceRefersTo")
        .map(|n| number_of(Some(n)))
        .take(recipients + 1)
        .collect();
    match numbers[..] {
        [one] => one,
        _ if numbers.len() != recipients => {
            odd.push("the relay evidence is about several recipients, not all".to_owned());
            None
        }
        _ => None,
    }
}

fn read_message(root: Node) -> MessageDetails {
    let content = any(root, "UserContentInfo");
    let part = content.and_then(|c| any(c, "PartsInfo")).and_then(|p| any(p, "PartInfo"));
    let extensions = any(root, "Extensions").into_iter().flat_map(|e| children(e, NS, "Extension"));
    let subject = extensions
        .filter_map(|e| child(e, EXT_NS, "GeneralEvidenceInfo"))
        .find_map(|i| child(i, EXT_NS, "Subject"));
    MessageDetails {
        subject: subject.map(text_of).unwrap_or_default(),
        ua_message_id: content.and_then(|c| text(c, "AppLayerIdentifier")).map(|id| bare(&id)),
        message_id: text(root, "MessageIdentifier").map(|id| bare(&id)).unwrap_or_default(),
        digest: part.and_then(read_digest),
    }
}

/// A child by name, with or without the namespace: writers disagree about which are qualified.
fn any<'a, 'i>(parent: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    child(parent, NS, name).or_else(|| child(parent, "", name))
}

fn text(parent: Node, name: &str) -> Option<String> {
    any(parent, name).map(text_of)
}

const VERSION: &str = "EN319522v1.1.1";
pub(super) const BASELINE: &str = "http://uri.etsi.org/19532/v1#/REMbaseline";
const SUBSTANTIAL: &str = "http://eidas.europa.eu/LoA/substantial";
/// The OID of a MIME message's internet media type tree, as the baseline wants it.
const MIME_OID: &str = "urn:oid:1.3.6.1.7";
const SAML_NS: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const EXT_NS: &str = "http://uri.etsi.org/19532/v1#";
const NAME_FORMAT: &str = "urn:oasis:names:tc:SAML:2.0:attrname-format:uri";

const NAMESPACES: [(&str, &str); 7] = [
    ("xmlns:ds", DS_NS),
    ("xmlns:elp", "http://eidas.europa.eu/attributes/legalperson"),
    ("xmlns:enp", "http://eidas.europa.eu/attributes/naturalperson"),
    ("xmlns:ext", EXT_NS),
    ("xmlns:saml", SAML_NS),
    ("xmlns:tns", NS),
    ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
];

/// Friendly name and URI: eIDAS where it has one, else the X.500 and COSINE attribute.
type Attribute = (&'static str, &'static str);
const LEGAL_NAME: Attribute =
    ("LegalName", "http://eidas.europa.eu/attributes/legalperson/LegalName");
const PERSON: Attribute =
    ("PersonIdentifier", "http://eidas.europa.eu/attributes/naturalperson/PersonIdentifier");
const DISPLAY_NAME: Attribute = ("displayName", "urn:oid:2.16.840.1.113730.3.1.241");
const MAIL: Attribute = ("mail", "urn:oid:0.9.2342.19200300.100.1.3");
const POSTAL: [Attribute; 4] = [
    ("street", "urn:oid:2.5.4.9"),
    ("l", "urn:oid:2.5.4.7"),
    ("postalCode", "urn:oid:2.5.4.17"),
    ("c", "urn:oid:2.5.4.6"),
];
