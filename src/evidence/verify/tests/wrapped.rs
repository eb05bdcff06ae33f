//! Signature wrapping: a genuine signature, and content beside it that it does not cover.

use super::*;
use crate::trust::Signer;
use crate::wire::rem::{Dialect, Evidence};
use crate::wire::sha256;
use crate::wire::xml::{C14n, DS_NS, Xml};
use data_encoding::BASE64;

/// What the forger wants to be believed.
const FORGED: &str = "mallory@hs05.kep.tr";

/// Genuine evidence, and the same claiming another recipient.
fn pair(world: &World) -> (String, String) {
    let evidence = world.evidence(Event::Delivery, &world.original());
    let genuine = String::from_utf8(world.stamped(&evidence)).unwrap();
    let forged = evidence.write(Dialect::Ts102640).unwrap();
    (genuine, forged.replace(AYSE, FORGED))
}

fn signature(text: &str) -> &str {
    let from = text.find("<ds:Signature ").unwrap();
    let to = text.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    &text[from..to]
}

/// The root element without the XML declaration.
fn root(text: &str) -> &str {
    text.split_once("?>").map_or(text, |(_, root)| root.trim())
}

/// With this before the root's end.
fn inside(document: &str, what: &str) -> String {
    let end = document.rfind("</").unwrap();
    format!("{}{what}{}", &document[..end], &document[end..])
}

/// Never valid, and if it is read as the forgery, then as an invalid one.
fn refused(world: &World, what: &str, document: &str) -> Report {
    let report = world.judged(document.as_bytes());
    assert_eq!(report.verdict, Verdict::Invalid, "{what}: {:#?}", report.checks);
    report
}

#[test]
fn a_signature_taken_from_other_evidence_covers_nothing() {
    let world = World::new();
    let (genuine, forged) = pair(&world);
    let report = refused(&world, "moved", &inside(&forged, signature(&genuine)));
    assert_eq!(bad(&report), ["reference-document"]);
}

#[test]
fn signed_evidence_inside_forged_evidence_is_refused() {
    let world = World::new();
    let (genuine, forged) = pair(&world);
    // The same Id twice is the classic; other identifiers leave the structure alone to tell.
    assert_eq!(bad(&refused(&world, "ids", &inside(&forged, root(&genuine)))), ["form"]);
    let id = forged.split(" Id=\"").nth(1).unwrap().split('"').next().unwrap();
    let forged = forged.replacen(id, "_forged", 1);
    let wrapped = inside(&forged, root(&genuine));
    assert_eq!(bad(&refused(&world, "inner", &wrapped)), ["signature-form"]);
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", unsigned(&genuine));
    let carrier = signature(&genuine).replacen("</ds:Signature>", &object, 1);
    let report = refused(&world, "in an object", &inside(&forged, &carrier));
    assert_eq!(bad(&report), ["reference-document"]);
}

/// The genuine root without its signature.
fn unsigned(genuine: &str) -> String {
    root(genuine).replacen(signature(genuine), "", 1)
}

#[test]
fn a_second_signature_is_refused_wherever_it_stands() {
    let world = World::new();
    let (genuine, _) = pair(&world);
    let empty = format!("<ds:Signature xmlns:ds=\"{DS_NS}\"/>");
    let places = [
        inside(&genuine, &empty),
        genuine.replacen("<ds:Object>", &format!("<ds:Object>{empty}</ds:Object><ds:Object>"), 1),
        genuine.replacen("<ds:Signature ", &format!("{empty}<ds:Signature "), 1),
        inside(&genuine, signature(&genuine).replace("kep-", "iki-").as_str()),
    ];
    for document in places {
        assert_eq!(bad(&refused(&world, "second", &document)), ["signature-form"]);
    }
}

#[test]
fn a_signature_below_another_element_is_refused() {
    let world = World::new();
    let (genuine, _) = pair(&world);
    let signature = signature(&genuine);
    let deeper = format!("<x>{signature}</x>");
    let report = refused(&world, "deeper", &genuine.replacen(signature, &deeper, 1));
    assert_eq!(bad(&report), ["signature-form"]);
    let around = format!("<zarf>{}</zarf>", root(&genuine));
    assert!(bad(&refused(&world, "around", &around)).contains(&"signature-form"));
}

#[test]
fn other_properties_before_the_signed_ones_are_refused() {
    let world = World::new();
    let (genuine, _) = pair(&world);
    let from = genuine.find("<ds:Object>").unwrap();
    let to = genuine.find("</ds:Object>").unwrap() + "</ds:Object>".len();
    let object = &genuine[from..to];
    let other = object.replace("Id=\"kep-", "Id=\"iki-").replace("SigningTime>2", "SigningTime>1");
    let before = format!("{}{other}{}", &genuine[..from], &genuine[from..]);
    assert_eq!(bad(&refused(&world, "before", &before)), ["signature-form"]);
    // Behind the signed ones they are read by nobody.
    let behind = format!("{}{other}{}", &genuine[..to], &genuine[to..]);
    let (plain, report) = (world.judged(genuine.as_bytes()), world.judged(behind.as_bytes()));
    assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
    assert_eq!(report.evidence, plain.evidence);
    assert_eq!(details(&report, Name::Times), details(&plain, Name::Times));
}

#[test]
fn forged_evidence_in_the_signature_itself_is_read_by_nobody() {
    let world = World::new();
    let (genuine, forged) = pair(&world);
    let forged = root(&forged).replacen(" Id=\"", " Id=\"forged", 1);
    let object = format!("<ds:Object>{forged}</ds:Object></ds:Signature>");
    let carrier = genuine.replacen("</ds:Signature>", &object, 1);
    let report = world.judged(carrier.as_bytes());
    assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
    assert_eq!(report.evidence.unwrap().recipients, [AYSE]);
}

#[test]
fn a_reference_by_identifier_must_be_to_the_root() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let genuine = signed_by_id(&world, &evidence);
    let report = world.judged(genuine.as_bytes());
    // No XAdES: nothing is wrong with it, and little is proven.
    assert_eq!((report.verdict, bad(&report)), (Verdict::CantTell, vec![]), "{:#?}", report.checks);
    assert!(named(&report, State::Good).contains(&"reference-document"));
    assert!(named(&report, State::Good).contains(&"signature-value"));

    let id = genuine.split(" Id=\"").nth(1).unwrap().split('"').next().unwrap();
    let forged = evidence.write(Dialect::Ts102640).unwrap().replace(AYSE, FORGED);
    let forged = forged.replacen(id, "_forged", 1);
    let own = signature(&genuine);
    let object = format!("<ds:Object>{}</ds:Object></ds:Signature>", unsigned(&genuine));
    let wrappings = [
        ("in an object", inside(&forged, &own.replacen("</ds:Signature>", &object, 1))),
        ("as a sibling", inside(&forged, &format!("{}{own}", unsigned(&genuine)))),
        ("as a parent", inside(&forged, root(&genuine))),
    ];
    for (what, document) in wrappings {
        let report = refused(&world, what, &document);
        assert_eq!(bad(&report), ["signature-form"], "{what}");
    }
}

/// A plain XML signature whose reference names the root by its identifier.
fn signed_by_id(world: &World, evidence: &Evidence) -> String {
    let text = evidence.write(Dialect::Ts102640).unwrap();
    let xml = Xml::parse(text.as_bytes()).unwrap();
    let id = xml.root().attribute("Id").unwrap();
    let digest = sha256(&C14n::exclusive().octets(&xml, xml.root(), None)).base64();
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"{DS_NS}\">\
         <ds:CanonicalizationMethod Algorithm=\"{exclusive}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">\
         </ds:Transform><ds:Transform Algorithm=\"{exclusive}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    );
    let value = world.seal.sign(info.as_bytes()).unwrap();
    let value = BASE64.encode(&crate::trust::verify::ecdsa_to_xml(&value, 32).unwrap());
    let certificate = BASE64.encode(world.seal.certificate().der());
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{DS_NS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>\
         </ds:X509Data></ds:KeyInfo></ds:Signature>"
    );
    inside(&text, &signature)
}
