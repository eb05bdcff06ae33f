//! Reading a signature strictly: one place, known algorithms, every reference understood. What needs
//! a key (the value, the stamp, the path) is handed out as octets, so that each check can be told.

use super::algorithm::ecdsa_in_der;
use super::certificate::IssuerSerial;
use super::reference::{c14n_of, digest_of, qualifying_properties, signed_properties};
use super::{Covered, Hash, Reference, SignatureMethod, XADES_NS};
use crate::wire::Timestamp;
use crate::wire::xml::{C14n, DS_NS, Xml, base64_of, child, children, text_of};
use roxmltree::Node;

/// One enveloped signature, taken apart. Nothing here says that it is valid.
#[derive(Clone, Debug)]
pub struct Signature {
    pub references: Vec<Reference>,
    pub method: SignatureMethod,
    /// Canonical SignedInfo: what the key signed.
    pub signed_octets: Vec<u8>,
    /// For the key: PKCS #1 or PSS octets, or an ECDSA value in DER.
    pub value: Vec<u8>,
    /// KeyInfo, the signing certificate first when it could be told.
    pub certificates: Vec<Vec<u8>>,
    pub signing_time: Option<Timestamp>,
    pub binding: Binding,
    pub stamps: Vec<Stamp>,
}

/// How the signed properties name the signing certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binding {
    /// No SigningCertificate: a plain XML signature.
    Absent,
    /// Its digest is the first certificate's, and so is the issuer and serial number when given.
    Bound(Hash),
    /// Named with a digest too weak to tell certificates apart.
    Weak,
    /// No certificate of KeyInfo has the digest.
    DigestDiffers,
    /// KeyInfo has none, and none at hand has the digest.
    NotAtHand,
    IssuerSerialDiffers,
}

/// One time-stamp token and what it must have stamped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub token_der: Vec<u8>,
    pub stamped_octets: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignatureFault {
    #[error("the document is not signed")]
    Unsigned,
    #[error("the document has {0} signatures, one is expected")]
    Several(usize),
    #[error("the signature is not a child of the root element")]
    Wrapped,
    #[error("{0} is missing or can't be read")]
    Missing(&'static str),
    #[error("{0} stands twice")]
    Twice(&'static str),
    #[error("unknown canonicalization {0:?}")]
    Canonicalization(String),
    #[error("unknown signature algorithm {0:?}")]
    Method(String),
    #[error("unknown digest algorithm {0:?}")]
    Digest(String),
    #[error("unknown transform {0:?}")]
    Transform(String),
    #[error("a reference says not what it covers")]
    ReferenceWithoutUri,
    #[error("the reference {0:?} covers neither this document nor its signed properties")]
    ReferenceElsewhere(String),
    #[error("the reference {0:?} has transforms that don't belong to it")]
    ReferenceTransforms(String),
    #[error("no reference covers {0}")]
    Uncovered(&'static str),
    #[error("the signature has more than {MAX} {what}", MAX = MAX_ITEMS, what = .0)]
    TooMany(&'static str),
}

impl Signature {
    pub fn read(xml: &Xml) -> Result<Self, SignatureFault> {
        Self::read_beside(xml, &[])
    }

    /// `at_hand`: certificates that KeyInfo may leave out when the signature names its own by digest.
    pub fn read_beside(xml: &Xml, at_hand: &[&[u8]]) -> Result<Self, SignatureFault> {
        let signature = place(xml)?;
        let info = only(signature, DS_NS, "SignedInfo")?;
        let method = only(info, DS_NS, "SignatureMethod")?.attribute("Algorithm").unwrap_or("");
        let method = SignatureMethod::by_uri(method)
            .ok_or_else(|| SignatureFault::Method(method.to_owned()))?;
        let c14n = c14n_of(only(info, DS_NS, "CanonicalizationMethod")?)?;
        let value_element = only(signature, DS_NS, "SignatureValue")?;
        let references = references(xml, signature, info)?;
        let mut certificates = certificates(signature)?;
        let properties = signed_properties(signature)
            .and_then(|p| child(p, XADES_NS, "SignedSignatureProperties"));
        let binding =
            properties.map_or(Ok(Binding::Absent), |p| bind(p, &mut certificates, at_hand))?;
        let time = properties.and_then(|p| child(p, XADES_NS, "SigningTime"));
        Ok(Self {
            references,
            method,
            signed_octets: c14n.octets(xml, info, None),
            value: value(method, value_element)?,
            certificates,
            signing_time: time.and_then(|t| Timestamp::parse_iso8601(&text_of(t))),
            binding,
            stamps: stamps(xml, signature, value_element)?,
        })
    }

    /// The algorithms in use that prove nothing any more, by name.
    pub fn weak(&self) -> Vec<&'static str> {
        let references = self.references.iter().filter(|r| r.hash.is_weak());
        let mut weak: Vec<_> = references.map(|r| r.hash.uri()).collect();
        if self.method.hash().is_weak() {
            weak.push(self.method.uri());
        }
        if self.binding == Binding::Weak {
            weak.push("SigningCertificate");
        }
        weak.dedup();
        weak
    }
}

/// The one signature of the document. A second one anywhere is refused: which of them was checked
/// must never be a question.
fn place<'a, 'i>(xml: &'a Xml<'i>) -> Result<Node<'a, 'i>, SignatureFault> {
    let mut all = xml.document().descendants().filter(|n| n.has_tag_name((DS_NS, "Signature")));
    let first = all.next().ok_or(SignatureFault::Unsigned)?;
    match all.count() {
        0 if first.parent() == Some(xml.root()) => Ok(first),
        0 => Err(SignatureFault::Wrapped),
        more => Err(SignatureFault::Several(more + 1)),
    }
}

fn references(xml: &Xml, signature: Node, info: Node) -> Result<Vec<Reference>, SignatureFault> {
    let nodes: Vec<Node> = children(info, DS_NS, "Reference").take(MAX_ITEMS + 1).collect();
    bounded(nodes.len(), "references")?;
    let mut read: Vec<Reference> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let reference = Reference::read(xml, signature, node)?;
        if read.iter().any(|r| r.covers == reference.covers) {
            return Err(SignatureFault::Twice("Reference"));
        }
        read.push(reference);
    }
    let covers = |what| read.iter().any(|r| r.covers == what);
    if !covers(Covered::Document) {
        return Err(SignatureFault::Uncovered("the document"));
    }
    if qualifying_properties(signature).is_some() && !covers(Covered::SignedProperties) {
        return Err(SignatureFault::Uncovered("the signed properties"));
    }
    Ok(read)
}

fn value(method: SignatureMethod, element: Node) -> Result<Vec<u8>, SignatureFault> {
    let octets = base64_of(element).ok_or(SignatureFault::Missing("SignatureValue"))?;
    match method {
        SignatureMethod::Ecdsa(_) => {
            ecdsa_in_der(&octets).ok_or(SignatureFault::Missing("SignatureValue"))
        }
        _ => Ok(octets),
    }
}

fn certificates(signature: Node) -> Result<Vec<Vec<u8>>, SignatureFault> {
    let data = child(signature, DS_NS, "KeyInfo");
    let all = data
        .into_iter()
        .flat_map(|k| children(k, DS_NS, "X509Data"))
        .flat_map(|d| children(d, DS_NS, "X509Certificate"));
    let read: Option<Vec<Vec<u8>>> = all.take(MAX_ITEMS + 1).map(base64_of).collect();
    let read = read.ok_or(SignatureFault::Missing("X509Certificate"))?;
    bounded(read.len(), "certificates")?;
    Ok(read)
}

/// Finds the certificate that SigningCertificateV2 (or its elder) names and puts it first.
fn bind(
    properties: Node,
    certificates: &mut Vec<Vec<u8>>,
    at_hand: &[&[u8]],
) -> Result<Binding, SignatureFault> {
    let named = child(properties, XADES_NS, "SigningCertificateV2")
        .or_else(|| child(properties, XADES_NS, "SigningCertificate"));
    let Some(named) = named else { return Ok(Binding::Absent) };
    // EN 319 132-1 §5.2.2: the first Cert is the signer's.
    let named = child(named, XADES_NS, "Cert").ok_or(SignatureFault::Missing("Cert"))?;
    let digest =
        child(named, XADES_NS, "CertDigest").ok_or(SignatureFault::Missing("CertDigest"))?;
    let (hash, stated) = digest_of(digest)?;
    if hash.is_weak() {
        return Ok(Binding::Weak);
    }
    let named_so = |c: &[u8]| hash.of(c).as_ref() == Some(&stated);
    if let Some(found) = certificates.iter().position(|c| named_so(c)) {
        certificates.swap(0, found);
    } else if let Some(found) = at_hand.iter().find(|c| named_so(c)) {
        certificates.insert(0, found.to_vec());
    } else {
        let none = certificates.is_empty();
        return Ok(if none { Binding::NotAtHand } else { Binding::DigestDiffers });
    }
    let same = certificates.first().is_some_and(|c| same_issuer_serial(named, c));
    Ok(if same { Binding::Bound(hash) } else { Binding::IssuerSerialDiffers })
}

/// IssuerSerialV2 is compared whole. The elder IssuerSerial writes the name as text in many
/// spellings: there the serial number decides, the digest having named the certificate already.
fn same_issuer_serial(named: Node, certificate: &[u8]) -> bool {
    let own = IssuerSerial::of(certificate);
    if let Some(v2) = child(named, XADES_NS, "IssuerSerialV2") {
        return own.is_some_and(|own| base64_of(v2) == Some(own.to_der()));
    }
    let Some(v1) = child(named, XADES_NS, "IssuerSerial") else { return true };
    let stated = child(v1, DS_NS, "X509SerialNumber").map(text_of).unwrap_or_default();
    own.and_then(|own| own.serial_decimal()).is_some_and(|serial| serial == stated.trim())
}

fn stamps(xml: &Xml, signature: Node, value: Node) -> Result<Vec<Stamp>, SignatureFault> {
    let properties = qualifying_properties(signature)
        .and_then(|q| child(q, XADES_NS, "UnsignedProperties"))
        .and_then(|u| child(u, XADES_NS, "UnsignedSignatureProperties"));
    let mut stamps = Vec::new();
    let all = properties.into_iter().flat_map(|p| children(p, XADES_NS, "SignatureTimeStamp"));
    for stamp in all {
        let c14n = child(stamp, DS_NS, "CanonicalizationMethod");
        let c14n = c14n.map_or_else(|| Ok(C14n::inclusive()), c14n_of)?;
        let stamped_octets = c14n.octets(xml, value, None);
        let token = only(stamp, XADES_NS, "EncapsulatedTimeStamp")?;
        let token_der = base64_of(token).ok_or(SignatureFault::Missing("EncapsulatedTimeStamp"))?;
        stamps.push(Stamp { token_der, stamped_octets });
        bounded(stamps.len(), "time stamps")?;
    }
    Ok(stamps)
}

fn only<'a, 'i>(
    parent: Node<'a, 'i>,
    ns: &str,
    name: &'static str,
) -> Result<Node<'a, 'i>, SignatureFault> {
    let mut found = children(parent, ns, name);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(SignatureFault::Twice(name)),
        (None, _) => Err(SignatureFault::Missing(name)),
    }
}

fn bounded(count: usize, what: &'static str) -> Result<(), SignatureFault> {
    if count <= MAX_ITEMS { Ok(()) } else { Err(SignatureFault::TooMany(what)) }
}

/// Each of them may cost a canonicalization.
const MAX_ITEMS: usize = 16;
