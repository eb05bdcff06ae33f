//! Documents that others make otherwise than we do, and that are sound all the same: what can't be
//! told from them is open, and never called a forgery.

use super::*;
use crate::trust::signer::FileSigner;
use crate::trust::verify::ecdsa_to_xml;
use crate::trust::{Certificate, Signer};
use crate::wire::rem::Dialect;
use crate::wire::sha256;
use crate::wire::xml::{C14n, DS_NS, Xml};
use data_encoding::BASE64;

/// Delivery evidence before it is signed.
fn unsigned(world: &World) -> String {
    world.evidence(Event::Delivery, &world.original()).write(Dialect::Ts102640).unwrap()
}

#[test]
fn unsigned_evidence_stands_and_falls_with_the_seal_of_its_mail() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let mail = world.evidence_mail(&evidence, unsigned(&world).as_bytes());
    let report = world.judged(&mail);
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    let inside = &report.enclosed[0];
    assert!(named(inside, State::Note).contains(&"signature-form"), "{inside:#?}");
    assert!(named(inside, State::Good).contains(&"issuer"), "{inside:#?}");
    // Without anchors it is as open as the seal; under a broken one it is nobody's.
    let open = Judge::new(Believed::default()).unwrap().judge(&mail, None, world.now());
    assert_eq!(open.enclosed[0].verdict, Verdict::CantTell, "{open:#?}");
    let at = mail.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let from = at + mail[at..].windows(5).position(|w| w == b"Delil").unwrap();
    let mut broken = mail.clone();
    broken[from] ^= 1;
    let report = world.judged(&broken);
    assert!(bad(&report).contains(&"seal"), "{report:#?}");
    assert!(bad(&report.enclosed[0]).contains(&"signature-form"), "{report:#?}");
}

#[test]
fn a_seal_can_not_vouch_for_unsigned_evidence_of_another_provider() {
    let world = World::new();
    let mut evidence = world.evidence(Event::Delivery, &world.original());
    evidence.issuer.address = "kepservisi@hs06.kep.tr".into();
    let xml = evidence.write(Dialect::Ts102640).unwrap();
    let report = world.judged(&world.evidence_mail(&evidence, xml.as_bytes()));
    assert_eq!(bad(&report.enclosed[0]), ["issuer"], "{report:#?}");
}

#[test]
fn the_seal_of_the_mail_brings_the_chain_that_its_evidence_leaves_out() {
    let world = World::new();
    let middle = world.seal_root.issue_authority("Ara", world.kind, world.at).unwrap();
    let links = crate::trust::pki::Links::default();
    let profile = crate::trust::testing::seal_profile();
    let issued = middle.issue(&profile, world.kind, &links, world.at).unwrap();
    let chain = vec![issued.certificate().clone(), middle.certificate().clone()];
    let by = FileSigner::from_pem(&issued.key_pem().unwrap(), chain).unwrap();
    let original = world.original();
    let evidence = world.evidence(Event::SubmissionAcceptance, &original);
    let signed = world.signed(&by, &evidence.write(Dialect::Ts102640).unwrap());
    let xml = signed.stamped(&world.token(&signed.to_stamp())).into_bytes();
    let report = world.judged(&world.dispatch_with(&by, &evidence, &xml, &original));
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert_eq!(bad(&world.judged(&xml)), ["seal-certificate"], "alone it lacks the link");
}

/// Evidence whose KeyInfo was left out.
fn without_key_info(world: &World) -> Vec<u8> {
    let text = String::from_utf8(world.delivered()).unwrap();
    let (before, rest) = text.split_once("<ds:KeyInfo>").unwrap();
    let (_, after) = rest.split_once("</ds:KeyInfo>").unwrap();
    format!("{before}{after}").into_bytes()
}

#[test]
fn a_certificate_that_is_only_named_is_found_at_hand_or_missed() {
    let world = World::new();
    let xml = without_key_info(&world);
    let report = world.judged(&xml);
    assert_eq!((report.verdict, bad(&report)), (Verdict::CantTell, vec![]), "{report:#?}");
    assert!(named(&report, State::Unknown).contains(&"signing-certificate"), "{report:#?}");
    let mut believed = world.believed();
    believed.lists.add_certificate(world.user.certificate().clone());
    believed.lists.add_certificate(world.seal.certificate().clone());
    let report = Judge::new(believed).unwrap().judge(&xml, None, world.now());
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    // The seal of the mail brings it along.
    let evidence = world.evidence(Event::Delivery, &world.original());
    let report = world.judged(&world.evidence_mail(&evidence, &xml));
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
}

#[test]
fn evidence_kept_in_another_encoding_is_the_same_evidence() {
    let world = World::new();
    let text = String::from_utf8(world.delivered()).unwrap();
    let declared = |name: &str| {
        let (_, root) = text.split_once("?>").unwrap();
        format!("<?xml version=\"1.0\" encoding=\"{name}\"?>{root}")
    };
    let latin5: Vec<u8> = declared("ISO-8859-9").chars().map(latin5).collect();
    assert_eq!(world.judged(&latin5).verdict, Verdict::Valid);
    for (mark, unit) in
        [(b"\xff\xfe", u16::to_le_bytes as fn(u16) -> [u8; 2]), (b"\xfe\xff", u16::to_be_bytes)]
    {
        let units: Vec<u8> = declared("UTF-16").encode_utf16().flat_map(unit).collect();
        let report = world.judged(&[&mark[..], &units].concat());
        assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
        assert_eq!(bad(&world.judged(&[&mark[..], &units, b"x"].concat())), ["form"]);
    }
    // An encoding nobody here knows is open; text that is not what it says is malformed.
    let report = world.judged(declared("EBCDIC-CP-TR").as_bytes());
    assert_eq!((report.verdict, bad(&report)), (Verdict::CantTell, vec![]), "{report:#?}");
    assert_eq!(bad(&world.judged(&[b"<a>\xd0</a>".as_slice()].concat())), ["form"]);
}

fn latin5(c: char) -> u8 {
    match c {
        'Ğ' => 0xd0,
        'İ' => 0xdd,
        'Ş' => 0xde,
        'ğ' => 0xf0,
        'ı' => 0xfd,
        'ş' => 0xfe,
        other => u8::try_from(u32::from(other)).unwrap(),
    }
}

/// A plain XML signature, with these certificates in KeyInfo.
fn plain(world: &World, transform: &str, certificates: &[&Certificate]) -> Vec<u8> {
    let xml = unsigned(world);
    let document = Xml::parse(xml.as_bytes()).unwrap();
    let digest = sha256(&C14n::exclusive().octets(&document, document.document(), None));
    let canonical = format!(
        "<ds:SignedInfo xmlns:ds=\"{DS_NS}\"><ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256\">\
         </ds:SignatureMethod><ds:Reference URI=\"\"><ds:Transforms>{transform}<ds:Transform \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
        digest.base64()
    );
    let value = ecdsa_to_xml(&world.seal.sign(canonical.as_bytes()).unwrap(), 32).unwrap();
    let chain: String = certificates
        .iter()
        .map(|c| format!("<ds:X509Certificate>{}</ds:X509Certificate>", BASE64.encode(c.der())))
        .collect();
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{DS_NS}\">{canonical}<ds:SignatureValue>{}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data>{chain}</ds:X509Data></ds:KeyInfo></ds:Signature>",
        BASE64.encode(&value)
    );
    let end = xml.rfind("</").unwrap();
    format!("{}{signature}{}", &xml[..end], &xml[end..]).into_bytes()
}

const ENVELOPED: &str = "<ds:Transform \
    Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"></ds:Transform>";

#[test]
fn the_signer_may_stand_anywhere_in_key_info() {
    let world = World::new();
    let (root, seal) = (world.seal_root.certificate(), world.seal.certificate());
    for chain in [&[seal, root][..], &[root, seal], &[root, world.user.certificate(), seal]] {
        let report = world.judged(&plain(&world, ENVELOPED, chain));
        assert_eq!((report.verdict, bad(&report)), (Verdict::CantTell, vec![]), "{report:#?}");
        let good = named(&report, State::Good);
        assert!(
            good.contains(&"signature-value") && good.contains(&"seal-certificate"),
            "{good:?}"
        );
    }
    let report = world.judged(&plain(&world, ENVELOPED, &[root, world.user.certificate()]));
    assert!(bad(&report).contains(&"signature-value"), "{report:#?}");
}

#[test]
fn a_filter_that_leaves_the_signature_out_is_the_enveloped_transform() {
    let world = World::new();
    let filter = |text: &str| {
        let uri = "http://www.w3.org/TR/1999/REC-xpath-19991116";
        let transform =
            format!("<ds:Transform Algorithm=\"{uri}\"><ds:XPath>{text}</ds:XPath></ds:Transform>");
        world.judged(&plain(&world, &transform, &[world.seal.certificate()]))
    };
    for text in
        ["not(ancestor-or-self::ds:Signature)", "\n not( ancestor-or-self::ds:Signature )\n"]
    {
        let report = filter(text);
        assert_eq!(bad(&report), [""; 0], "{report:#?}");
        assert!(named(&report, State::Good).contains(&"reference-document"), "{report:#?}");
    }
    for text in ["not(ancestor-or-self::Signature)", "self::text()", "true()"] {
        assert_eq!(named(&filter(text), State::Unknown)[0], "signature-form", "{text}");
    }
}

#[test]
fn evidence_that_does_not_say_by_whom_is_no_providers_word() {
    let world = World::new();
    let judged = |dialect, id: &str| {
        let mut evidence = world.evidence(Event::Delivery, &world.original());
        evidence.id = crate::wire::EvidenceId::from_stored(id);
        let xml = evidence.write(dialect).unwrap().replace(&evidence.issuer.address, "");
        let signed = world.signed(&world.seal, &xml);
        world.judged(signed.stamped(&world.token(&signed.to_stamp())).as_bytes())
    };
    let report = judged(Dialect::Ts102640, "_1");
    assert_eq!((report.verdict, bad(&report)), (Verdict::CantTell, vec![]), "{report:#?}");
    assert_eq!(named(&report, State::Unknown), ["issuer"]);
    let report = judged(Dialect::En319522, "_1");
    assert_eq!(report.verdict, Verdict::Valid, "{report:#?}");
    assert!(named(&report, State::Note).contains(&"issuer"), "{report:#?}");
    let report = judged(Dialect::Ts102640, "1.2.3@hs05.kep.tr");
    assert!(named(&report, State::Good).contains(&"issuer"), "{report:#?}");
}
