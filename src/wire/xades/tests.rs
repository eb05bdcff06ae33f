use super::*;
use crate::wire::judges::{judge, reference};
use crate::wire::xml::{Xml, XmlFault};
use crate::wire::{SignatureAlgorithm, Timestamp, sha256};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::{Signer, Verifier};
use openssl::x509::{X509, X509NameBuilder};

/// A key with a certificate over itself.
pub(crate) struct Key {
    pkey: PKey<Private>,
    certificate: X509,
    algorithm: SignatureAlgorithm,
}

impl Key {
    pub(crate) fn new(algorithm: SignatureAlgorithm) -> Self {
        let curve = |nid| {
            let group = EcGroup::from_curve_name(nid).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        };
        let pkey = match algorithm {
            SignatureAlgorithm::EcdsaSha256 => curve(Nid::X9_62_PRIME256V1),
            SignatureAlgorithm::EcdsaSha384 => curve(Nid::SECP384R1),
            _ => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        };
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("C", "TR").unwrap();
        name.append_entry_by_text("CN", "Örnek İşlem Sertifikası").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_hex_str("00C0FFEE00112233445566778899AABB").unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
        builder.set_pubkey(&pkey).unwrap();
        builder.sign(&pkey, MessageDigest::sha256()).unwrap();
        Self { pkey, certificate: builder.build(), algorithm }
    }

    fn der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }

    fn prepared(&self, xml: &str) -> Prepared {
        let time = Timestamp::from_millis(1_795_422_564_123);
        Prepared::new(xml, &self.der(), self.algorithm, time, "text/xml", "_e1").unwrap()
    }

    fn signed(&self, xml: &str) -> Signed {
        let prepared = self.prepared(xml);
        let mut signer = Signer::new(digest(self.algorithm.method().hash()), &self.pkey).unwrap();
        let signature = signer.sign_oneshot_to_vec(prepared.to_sign()).unwrap();
        prepared.signed(&signature).unwrap()
    }

    pub(crate) fn sign(&self, xml: &str) -> String {
        self.signed(xml).stamped(b"a token")
    }
}

fn digest(hash: Hash) -> MessageDigest {
    match hash {
        Hash::Sha1 => MessageDigest::sha1(),
        Hash::Sha256 => MessageDigest::sha256(),
        Hash::Sha384 => MessageDigest::sha384(),
        Hash::Sha512 => MessageDigest::sha512(),
    }
}

fn read(text: &str) -> Result<Signature, SignatureFault> {
    Signature::read(&Xml::parse(text.as_bytes()).unwrap())
}

/// The key operation that `trust` does.
fn value_verifies(signature: &Signature) -> bool {
    let key = X509::from_der(&signature.certificates[0]).unwrap().public_key().unwrap();
    let mut verifier = Verifier::new(digest(signature.method.hash()), &key).unwrap();
    verifier.verify_oneshot(&signature.value, &signature.signed_octets).unwrap_or(false)
}

fn is_good(text: &str) -> bool {
    let signature = read(text).unwrap();
    signature.references.iter().all(Reference::holds)
        && matches!(signature.binding, Binding::Bound(_))
        && value_verifies(&signature)
}

const ALGORITHMS: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::EcdsaSha384,
];

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\r\n<!-- c --><r:e xmlns:r=\"urn:r\" xmlns=\"urn:d\" \
    xmlns:ds=\"urn:other\" xmlns:unused=\"urn:u\" Id=\"_e1\">\n <a k='&#9;ğ'>Gönderi &lt;kabul&gt;\r\n\
    <![CDATA[<x>&]]></a><b xmlns=\"\"/>\n</r:e>\n<?pi?>";

#[test]
fn what_is_signed_reads_back_whole() {
    for algorithm in ALGORITHMS {
        let key = Key::new(algorithm);
        let signed = key.signed(DOCUMENT);
        let to_stamp = signed.to_stamp();
        let text = signed.stamped(b"a token");
        let signature = read(&text).unwrap();
        assert!(is_good(&text), "{algorithm:?}");
        assert_eq!(signature.binding, Binding::Bound(Hash::Sha256));
        assert_eq!(signature.signing_time, Some(Timestamp::from_secs(1_795_422_564)));
        assert_eq!(signature.certificates, [key.der()]);
        let covers: Vec<_> = signature.references.iter().map(|r| r.covers).collect();
        assert_eq!(covers, [Covered::Document, Covered::SignedProperties]);
        assert_eq!(
            signature.stamps,
            [Stamp { token_der: b"a token".to_vec(), stamped_octets: to_stamp }]
        );
        assert!(signature.weak().is_empty());
        assert!(read(&key.signed(DOCUMENT).unstamped()).unwrap().stamps.is_empty());
    }
}

#[test]
fn a_chain_stands_behind_the_signer() {
    let key = Key::new(SignatureAlgorithm::EcdsaSha256);
    let prepared = key.prepared(DOCUMENT).with_chain(&[b"issuer", b"root"]);
    let mut signer = Signer::new(MessageDigest::sha256(), &key.pkey).unwrap();
    let value = signer.sign_oneshot_to_vec(prepared.to_sign()).unwrap();
    let signature = read(&prepared.signed(&value).unwrap().stamped(b"t")).unwrap();
    assert_eq!(signature.certificates, [key.der(), b"issuer".to_vec(), b"root".to_vec()]);
}

#[test]
fn a_changed_octet_shows_in_the_part_that_covers_it() {
    let text = Key::new(SignatureAlgorithm::EcdsaSha256).sign(DOCUMENT);
    let broken = |from: &str, to: &str| {
        let text = text.replacen(from, to, 1);
        let signature = read(&text).unwrap();
        let held: Vec<bool> = signature.references.iter().map(Reference::holds).collect();
        (held, value_verifies(&signature))
    };
    assert_eq!(broken("kabul", "kabuk"), (vec![false, true], true));
    assert_eq!(broken("<?pi?>", "<?pi x?>"), (vec![false, true], true));
    assert_eq!(broken("text/xml", "text/xmi"), (vec![true, false], true));
    assert_eq!(broken("<!-- c -->", "<!-- d -->"), (vec![true, true], true));
    assert_eq!(
        broken("<ds:Reference Type", "<ds:Reference Id=\"n\" Type"),
        (vec![true, true], false)
    );
}

#[test]
fn wrapped_doubled_and_strange_signatures_are_refused_by_name() {
    let text = Key::new(SignatureAlgorithm::EcdsaSha256).sign(DOCUMENT);
    let fault = |text: &str| read(text).err().unwrap();
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fault(&text.replacen(from, to, 1))
    };
    assert_eq!(fault(DOCUMENT), SignatureFault::Unsigned);
    let start = text.find("<ds:Signature ").unwrap();
    let end = text.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let signature = &text[start..end];
    let wrapped = text.replacen(signature, &format!("<x>{signature}</x>"), 1);
    assert_eq!(fault(&wrapped), SignatureFault::Wrapped);
    let doubled =
        text.replacen("</ds:Object>", "</ds:Object><ds:Object><ds:Signature/></ds:Object>", 1);
    assert_eq!(fault(&doubled), SignatureFault::Several(2));
    assert_eq!(
        replaced(ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
        SignatureFault::Transform("http://www.w3.org/TR/1999/REC-xslt-19991116".into())
    );
    assert_eq!(
        replaced("URI=\"\"", "URI=\"http://example.org/\""),
        SignatureFault::ReferenceElsewhere("http://example.org/".into())
    );
    assert_eq!(replaced("URI=\"\"", ""), SignatureFault::ReferenceWithoutUri);
    assert_eq!(
        replaced("Id=\"_e1-document\" URI=\"\"", "URI=\"#_e1-value\""),
        SignatureFault::ReferenceElsewhere("#_e1-value".into())
    );
    assert_eq!(
        replaced(SIGNED_PROPERTIES, "urn:x"),
        SignatureFault::ReferenceElsewhere("#_e1-properties".into())
    );
    assert_eq!(
        replaced("xmldsig-more#ecdsa-sha256", "xmldsig-more#hmac-sha256"),
        SignatureFault::Method("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256".into())
    );
    assert_eq!(
        replaced("<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>"),
        SignatureFault::Twice("SignedInfo")
    );
    let twice = text.replacen("Id=\"_e1-stamp\"", "Id=\"_e1-properties\"", 1);
    assert_eq!(
        Xml::parse(twice.as_bytes()).err(),
        Some(XmlFault::DuplicateId("_e1-properties".into()))
    );
}

#[test]
fn a_base_that_canonical_xml_1_1_would_join_is_refused() {
    let eleven = "http://www.w3.org/2006/12/xml-c14n11";
    let text = Key::new(SignatureAlgorithm::EcdsaSha256).sign(DOCUMENT);
    let text = text.replace(EXCLUSIVE, eleven);
    assert!(read(&text).is_ok());
    let based = text.replacen("<r:e ", "<r:e xml:base=\"http://x/\" ", 1);
    let fault = SignatureFault::Canonicalization(format!("{eleven} with xml:base"));
    assert_eq!(read(&based).err(), Some(fault));
}

#[test]
fn only_one_reference_that_covers_something_is_not_enough() {
    let text = Key::new(SignatureAlgorithm::EcdsaSha256).sign(DOCUMENT);
    let from = text.find("<ds:Reference Type").unwrap();
    let to = text.find("</ds:SignedInfo>").unwrap();
    let without = format!("{}{}", &text[..from], &text[to..]);
    let fault = read(&without).err().unwrap();
    assert_eq!(fault, SignatureFault::Uncovered("the signed properties"));
}

#[test]
fn another_certificate_is_not_bound() {
    let (key, other) = (Key::new(ALGORITHMS[1]), Key::new(ALGORITHMS[1]));
    let text = key.sign(DOCUMENT);
    let base64 = |key: &Key| data_encoding::BASE64.encode(&key.der());
    let swapped = text.replacen(&base64(&key), &base64(&other), 1);
    let signature = read(&swapped).unwrap();
    assert_eq!(signature.binding, Binding::DigestDiffers);
    assert!(!value_verifies(&signature));
    let serial = text.find("<xades:IssuerSerialV2>").unwrap() + 30;
    let mut changed = text.clone();
    changed
        .replace_range(serial..serial + 1, if &text[serial..=serial] == "A" { "B" } else { "A" });
    assert_eq!(read(&changed).unwrap().binding, Binding::IssuerSerialDiffers);
}

#[test]
fn sha1_is_recognised_and_called_weak() {
    let text = Key::new(ALGORITHMS[0]).sign(DOCUMENT);
    let sha1 = Hash::Sha1.uri();
    let weak = text
        .replace(Hash::Sha256.uri(), sha1)
        .replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1");
    let signature = read(&weak).unwrap();
    assert_eq!(signature.binding, Binding::Weak);
    assert!(signature.references.iter().all(|r| r.computed.is_none() && !r.holds()));
    assert_eq!(
        signature.weak(),
        [sha1, "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "SigningCertificate"]
    );
}

#[test]
fn a_document_that_cannot_be_signed_is_refused() {
    let key = Key::new(ALGORITHMS[1]);
    let new = |xml: &str, certificate: &[u8], ids: &str| {
        let time = Timestamp::from_secs(0);
        Prepared::new(xml, certificate, key.algorithm, time, "text/xml", ids).err()
    };
    let der = key.der();
    assert!(matches!(new("<a/>", &der, "i"), Some(SignFault::Place)));
    assert!(matches!(new(&key.sign(DOCUMENT), &der, "i"), Some(SignFault::Place)));
    assert!(matches!(new("<a></a>", &der, "1"), Some(SignFault::Ids)));
    assert!(matches!(new("<a Id='i-value'></a>", &der, "i"), Some(SignFault::Ids)));
    assert!(matches!(new("<a></a>", b"\x30\x03\x02\x01", "i"), Some(SignFault::Certificate)));
    assert!(matches!(new("<a>", &der, "i"), Some(SignFault::Document(_))));
    assert!(matches!(key.prepared(DOCUMENT).signed(b"no der"), Err(SignFault::Signature)));
}

#[test]
fn issuer_and_serial_are_those_of_the_certificate() {
    let key = Key::new(ALGORITHMS[1]);
    let der = key.der();
    let own = certificate::IssuerSerial::of(&der).unwrap();
    let decimal = BigNum::from_hex_str("00C0FFEE00112233445566778899AABB").unwrap();
    assert_eq!(own.serial_decimal().unwrap(), decimal.to_dec_str().unwrap().to_string());
    let name = key.certificate.issuer_name().to_der().unwrap();
    assert!(own.to_der().windows(name.len()).any(|w| w == name));
}

/// Outside judge: `None` when it is not installed.
pub(crate) fn xmlsec1(key: &Key, text: &str) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, file] = ["c.pem", "signed.xml"].map(|name| folder.path().join(name));
    std::fs::write(&certificate, key.certificate.to_pem().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    let id = format!("{XADES_NS}:SignedProperties");
    judge(
        "xmlsec1",
        &[
            "--verify".as_ref(),
            "--pubkey-cert-pem".as_ref(),
            certificate.as_os_str(),
            "--id-attr:Id".as_ref(),
            id.as_ref(),
            file.as_os_str(),
        ],
    )
}

#[test]
fn xmlsec1_verifies_what_we_sign() {
    for algorithm in ALGORITHMS {
        let key = Key::new(algorithm);
        let text = key.sign(DOCUMENT);
        let Some((good, said)) = xmlsec1(&key, &text) else { return };
        assert!(good, "{algorithm:?}: {said}");
        for (from, to) in [("kabul", "kabuk"), ("text/xml", "text/xmi")] {
            let (good, _) = xmlsec1(&key, &text.replacen(from, to, 1)).unwrap();
            assert!(!good);
        }
    }
}

#[test]
fn foreign_evidence_is_read_and_its_signatures_hold() {
    let Some(folder) = reference("xsd/examples/erds-samples") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("CSI") || name.starts_with("TL") {
            continue;
        }
        let octets = std::fs::read(&path).unwrap();
        let signature = Signature::read(&Xml::parse(&octets).unwrap()).unwrap();
        assert!(signature.references.iter().all(Reference::holds), "{name}");
        assert_eq!(signature.binding, Binding::Bound(Hash::Sha512), "{name}");
        assert!(value_verifies(&signature), "{name}");
        assert_eq!(signature.certificates.len(), 2, "{name}");
        let [stamp] = &signature.stamps[..] else { panic!("{name}") };
        let imprint = sha256(&stamp.stamped_octets).0;
        assert!(stamp.token_der.windows(32).any(|w| w == imprint), "{name}");
        seen += 1;
    }
    assert!(seen >= 6);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_or_changed_signature_never_panics(at in 0usize..6000, with in "[<>a\"=/# ]{0,2}") {
        static SIGNED: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| Key::new(ALGORITHMS[1]).sign(DOCUMENT));
        let at = (0..=at.min(SIGNED.len())).rev().find(|i| SIGNED.is_char_boundary(*i)).unwrap_or(0);
        let rest = SIGNED[at..].chars().next().map_or(0, char::len_utf8);
        let text = format!("{}{with}{}", &SIGNED[..at], &SIGNED[at + rest..]);
        if let Ok(xml) = Xml::parse(text.as_bytes()) {
            let _ = Signature::read(&xml);
        }
    }

    #[test]
    fn random_certificates_never_panic(der in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64)) {
        if let Some(read) = certificate::IssuerSerial::of(&der) {
            let _ = read.to_der();
            let _ = read.serial_decimal();
        }
    }
}

#[test]
fn ecdsa_values_change_spelling_without_loss() {
    for (first, last) in [(0x00, 0x01), (0x00, 0x80), (0x7f, 0x00), (0xff, 0xff)] {
        let half: Vec<u8> = [vec![first, last], vec![last; 30]].concat();
        let joined = [half.clone(), half].concat();
        let der = algorithm::ecdsa_in_der(&joined).unwrap();
        let openssl = openssl::ecdsa::EcdsaSig::from_der(&der).unwrap();
        assert_eq!(openssl.r().to_vec_padded(32).unwrap(), joined[..32]);
        assert_eq!(openssl.to_der().unwrap(), der);
        assert_eq!(SignatureAlgorithm::EcdsaSha256.in_xml(&der).unwrap(), joined);
    }
    assert!(algorithm::ecdsa_in_der(&[]).is_none());
    assert!(algorithm::ecdsa_in_der(&[1; 63]).is_none());
    assert!(algorithm::ecdsa_in_der(&[1; 200]).is_none());
    let p384 = algorithm::ecdsa_in_der(&[1; 96]).unwrap();
    assert!(SignatureAlgorithm::EcdsaSha256.in_xml(&p384).is_none());
}
