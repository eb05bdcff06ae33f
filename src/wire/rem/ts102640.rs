//! Evidence as TS 102 640-2 V2.1.1 spells it: nine roots of one type, what Turkish providers exchange.

use super::common::{
    bounded, has_own, known, number_of, oddities, read_digest, read_own, time_of, write_digest,
    write_own,
};
use super::evidence::{bare, evidence_id, xml_id};
use super::{
    Authentication, Dialect, Event, Evidence, EvidenceFault, Issuer, MessageDetails, Party,
    PostalAddress, Read, Reason, Why,
};
use crate::wire::xml::{DS_NS, Writer, base64_of, child, children, text_of};
use data_encoding::BASE64;
use roxmltree::Node;

pub(super) const NS: &str = "http://uri.etsi.org/02640/v2#";

pub(super) fn write(evidence: &Evidence) -> Result<String, EvidenceFault> {
    let (root, _) = evidence.event.ts().ok_or(EvidenceFault::NotInDialect(evidence.event))?;
    let mut w = Writer::document();
    let root =
        ROOTS.iter().find(|r| r.strip_prefix("rem:") == Some(root)).copied().unwrap_or(ROOTS[0]);
    let id = xml_id(&evidence.id);
    let namespaces = [("xmlns:rem", NS), ("xmlns:ds", DS_NS), ("version", VERSION), ("Id", &id)];
    w.open(root, &namespaces);
    w.text("rem:EventCode", &evidence.event.ts_uri().unwrap_or_default());
    write_reasons(&mut w, &evidence.reasons);
    w.text("rem:EvidenceIdentifier", evidence.id.as_str());
    if !evidence.policies.is_empty() {
        w.open("rem:EvidenceIssuerPolicyID", &[]);
        for policy in &evidence.policies {
            w.text("rem:PolicyID", policy);
        }
        w.close();
    }
    write_issuer(&mut w, &evidence.issuer);
    write_authentication(
        &mut w,
        "rem:SenderAuthenticationDetails",
        evidence.sender_authentication.as_ref(),
    );
    write_authentication(
        &mut w,
        "rem:RecipientAuthenticationDetails",
        evidence.recipient_authentication.as_ref(),
    );
    w.text("rem:EventTime", &evidence.event_time.iso8601());
    if let Some(time) = evidence.submission_time {
        w.text("rem:SubmissionTime", &time.iso8601());
    }
    write_party(&mut w, "rem:SenderDetails", &evidence.sender);
    w.open("rem:RecipientsDetails", &[]);
    evidence.recipients.iter().for_each(|p| write_party(&mut w, "rem:EntityDetails", p));
    w.close();
    if let Some(number) = evidence.refers_to {
        w.text("rem:EvidenceRefersToRecipient", &number.to_string());
    }
    write_message(&mut w, &evidence.message);
    if let Some(external) = &evidence.external {
        w.text("rem:ForwardedToExternalSystem", external);
    }
    write_extensions(&mut w, evidence);
    Ok(w.finish())
}

fn write_reasons(w: &mut Writer, reasons: &[Why]) {
    if reasons.is_empty() {
        return;
    }
    w.open("rem:EventReasons", &[]);
    for why in reasons {
        w.open("rem:EventReason", &[]).text("rem:Code", &why.reason.ts_uri());
        // A reason that only the younger standard knows is named in the details.
        let named = why.reason.ts_fragment().is_none().then(|| why.reason.english());
        let details = match (named, &why.details) {
            (Some(name), Some(details)) => Some(format!("{name}: {details}")),
            (Some(name), None) => Some(name.to_owned()),
            (None, details) => details.clone(),
        };
        if let Some(details) = details {
            w.text("rem:Details", &details);
        }
        w.close();
    }
    w.close();
}

fn write_issuer(w: &mut Writer, issuer: &Issuer) {
    w.open("rem:EvidenceIssuerDetails", &[]);
    w.open("rem:NamesPostalAddresses", &[]).open("rem:NamePostalAddress", &[]);
    w.open("rem:EntityName", &[("xml:lang", "tr")]).text("rem:Name", &issuer.name).close();
    if let Some(postal) = &issuer.postal {
        w.open("rem:PostalAddress", &[("xml:lang", "tr")])
            .text("rem:StreetAddress", &postal.street)
            .text("rem:Locality", &postal.locality)
            .text("rem:PostalCode", &postal.postal_code)
            .text("rem:CountryName", &postal.country)
            .close();
    }
    w.close().close();
    w.leaf("rem:AttributedElectronicAddress", &[("scheme", "mailto")], &issuer.address);
    if let Some(der) = &issuer.certificate {
        w.open("rem:CertificateDetails", &[])
            .text("rem:X509Certificate", &BASE64.encode(der))
            .close();
    }
    w.close();
}

fn write_authentication(
    w: &mut Writer,
    name: &'static str,
    authentication: Option<&Authentication>,
) {
    if let Some(Authentication { time, method }) = authentication {
        w.open(name, &[])
            .text("rem:AuthenticationTime", &time.iso8601())
            .text("rem:AuthenticationMethod", method)
            .close();
    }
}

fn write_party(w: &mut Writer, element: &'static str, party: &Party) {
    let mut attributes = vec![("scheme", "mailto")];
    // The schema wants a DisplayName that is not empty.
    if let Some(name) = party.name.as_deref().filter(|n| !n.is_empty()) {
        attributes.push(("DisplayName", name));
    }
    w.open(element, &[])
        .leaf("rem:AttributedElectronicAddress", &attributes, &party.address)
        .close();
}

fn write_message(w: &mut Writer, message: &MessageDetails) {
    w.open("rem:SenderMessageDetails", &[("isNotification", "false")]);
    w.text("rem:MessageSubject", &message.subject);
    if let Some(id) = &message.ua_message_id {
        w.text("rem:UAMessageIdentifier", &format!("<{id}>"));
    }
    w.text("rem:MessageIdentifierByREMMD", &format!("<{}>", message.message_id));
    write_digest(w, message.digest.as_ref());
    w.close();
}

fn write_extensions(w: &mut Writer, evidence: &Evidence) {
    if has_own(evidence) {
        w.open("rem:Extensions", &[]).open("rem:Extension", &[("isCritical", "false")]);
        write_own(w, evidence);
        w.close().close();
    }
}

pub(super) fn read(root: Node) -> Result<Read, EvidenceFault> {
    let name = root.tag_name().name();
    if !ROOTS.iter().any(|r| r.strip_prefix("rem:") == Some(name)) {
        return Err(EvidenceFault::Root(name.to_owned()));
    }
    let mut odd = Vec::new();
    let code = child(root, NS, "EventCode").map(text_of);
    let event = Event::by_ts(name, code.as_deref())
        .ok_or_else(|| EvidenceFault::Event(code.clone().unwrap_or_else(|| name.to_owned())))?;
    if code.is_none() {
        odd.push("EventCode is missing".to_owned());
    }
    let identifier = child(root, NS, "EvidenceIdentifier").map(text_of);
    let identifier = identifier.ok_or(EvidenceFault::Missing("EvidenceIdentifier"))?;
    let message = child(root, NS, "SenderMessageDetails");
    let message = message.map(|m| read_message(m, &mut odd)).unwrap_or_else(|| {
        odd.push("SenderMessageDetails is missing".to_owned());
        MessageDetails::default()
    });
    let own = read_own(root, NS);
    let evidence = Evidence {
        id: evidence_id(root.attribute("Id"), &identifier),
        event,
        reasons: read_reasons(root, &mut odd)?,
        policies: read_policies(root)?,
        issuer: read_issuer(child(root, NS, "EvidenceIssuerDetails"), &mut odd),
        event_time: time_of(child(root, NS, "EventTime"))
            .ok_or(EvidenceFault::Missing("EventTime"))?,
        submission_time: time_of(child(root, NS, "SubmissionTime")),
        due_time: own.due_time,
        issue_time: own.issue_time,
        sender: child(root, NS, "SenderDetails").map(read_party).unwrap_or_default(),
        sender_authentication: read_authentication(root, "SenderAuthenticationDetails"),
        recipient_authentication: read_authentication(root, "RecipientAuthenticationDetails"),
        recipients: read_recipients(root)?,
        refers_to: number_of(child(root, NS, "EvidenceRefersToRecipient")),
        external: child(root, NS, "ForwardedToExternalSystem").map(text_of),
        message,
        opening: own.opening,
    };
    oddities(&evidence, &mut odd);
    Ok(Read { evidence, dialect: Dialect::Ts102640, oddities: odd })
}

fn read_reasons(root: Node, odd: &mut Vec<String>) -> Result<Vec<Why>, EvidenceFault> {
    let Some(list) = child(root, NS, "EventReasons") else { return Ok(Vec::new()) };
    let mut reasons = Vec::new();
    for node in children(list, NS, "EventReason") {
        let code = child(node, NS, "Code").map(text_of).unwrap_or_default();
        let details = child(node, NS, "Details").map(text_of);
        reasons.push(known(Reason::by_ts(&code), &code, details, odd));
        bounded(reasons.len(), "reasons")?;
    }
    Ok(reasons)
}

fn read_policies(root: Node) -> Result<Vec<String>, EvidenceFault> {
    let Some(list) = child(root, NS, "EvidenceIssuerPolicyID") else { return Ok(Vec::new()) };
    let policies: Vec<_> = children(list, NS, "PolicyID").map(text_of).collect();
    bounded(policies.len(), "policies")?;
    Ok(policies)
}

fn read_issuer(node: Option<Node>, odd: &mut Vec<String>) -> Issuer {
    let Some(node) = node else {
        odd.push("EvidenceIssuerDetails is missing".to_owned());
        return Issuer::default();
    };
    let address =
        child(node, NS, "NamesPostalAddresses").and_then(|n| child(n, NS, "NamePostalAddress"));
    let name = address
        .and_then(|a| child(a, NS, "EntityName"))
        .and_then(|n| child(n, NS, "Name"))
        .map(text_of);
    let postal = address.and_then(|a| child(a, NS, "PostalAddress")).map(|p| {
        let text = |name| child(p, NS, name).map(text_of).unwrap_or_default();
        PostalAddress {
            street: text("StreetAddress"),
            locality: text("Locality"),
            postal_code: text("PostalCode"),
            country: text("CountryName"),
        }
    });
    let certificate = child(node, NS, "CertificateDetails")
        .and_then(|c| child(c, NS, "X509Certificate"))
        .and_then(base64_of);
    let party = read_party(node);
    Issuer { name: name.unwrap_or_default(), address: party.address, postal, certificate }
}

fn read_party(node: Node) -> Party {
    if let Some(address) = child(node, NS, "AttributedElectronicAddress") {
        let name = address.attribute("DisplayName").map(str::to_owned);
        return Party { address: bare(&text_of(address)), name };
    }
    let uri = child(node, TSL_NS, "ElectronicAddress").and_then(|a| child(a, TSL_NS, "URI"));
    Party { address: uri.map(|u| bare(&text_of(u))).unwrap_or_default(), name: None }
}

fn read_recipients(root: Node) -> Result<Vec<Party>, EvidenceFault> {
    let list = child(root, NS, "RecipientsDetails");
    let all = list.into_iter().flat_map(|l| children(l, NS, "EntityDetails"));
    let recipients: Vec<Party> = all.map(read_party).collect();
    bounded(recipients.len(), "recipients")?;
    Ok(recipients)
}

fn read_authentication(root: Node, name: &str) -> Option<Authentication> {
    let node = child(root, NS, name)?;
    let time = time_of(child(node, NS, "AuthenticationTime"))?;
    Some(Authentication { time, method: child(node, NS, "AuthenticationMethod").map(text_of)? })
}

fn read_message(node: Node, odd: &mut Vec<String>) -> MessageDetails {
    let text = |name| child(node, NS, name).map(text_of);
    MessageDetails {
        subject: text("MessageSubject").unwrap_or_else(|| {
            odd.push("MessageSubject is missing".to_owned());
            String::new()
        }),
        ua_message_id: text("UAMessageIdentifier").map(|id| bare(&id)),
        message_id: text("MessageIdentifierByREMMD").map(|id| bare(&id)).unwrap_or_default(),
        digest: read_digest(node),
    }
}

const VERSION: &str = "2.1.1";
/// TS 102 231, whose addresses the first version used.
const TSL_NS: &str = "http://uri.etsi.org/02231/v2#";

const ROOTS: [&str; 9] = [
    "rem:SubmissionAcceptanceRejection",
    "rem:RelayREMMDAcceptanceRejection",
    "rem:RelayREMMDFailure",
    "rem:DeliveryNonDeliveryToRecipient",
    "rem:DownloadNonDownloadByRecipient",
    "rem:RetrievalNonRetrievalByRecipient",
    "rem:AcceptanceRejectionByRecipient",
    "rem:RelayToNonREMSystem",
    "rem:ReceivedFromNonREMSystem",
];
