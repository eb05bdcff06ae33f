//! Making a signature in stages: prepare, sign, stamp. All new text is composed in canonical form,
//! so only the document itself is parsed and canonicalised, once.

use super::certificate::IssuerSerial;
use super::{ENVELOPED, EXCLUSIVE, Hash, SIGNED_PROPERTIES, XADES_NS};
use crate::wire::xml::{C14n, DS_NS, Xml, XmlFault, escape};
use crate::wire::{SignatureAlgorithm, Timestamp, sha256};
use data_encoding::BASE64;

/// A document whose digests stand; the key is still to speak.
pub struct Prepared {
    /// The document, without its last end tag.
    head: String,
    /// The root's end tag and what follows.
    tail: String,
    ids: String,
    algorithm: SignatureAlgorithm,
    /// Canonical SignedInfo.
    signed_info: String,
    /// SignedProperties as they stand below a root that declares the prefixes.
    properties: String,
    certificates: Vec<String>,
}

/// A document with its signature value; the time stamp is still missing.
pub struct Signed {
    prepared: Prepared,
    value: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SignFault {
    #[error("the document can't be signed: {0}")]
    Document(#[from] XmlFault),
    #[error("the root element is empty or the document has a signature already")]
    Place,
    #[error("the identifier prefix is no XML name, or the document uses it")]
    Ids,
    #[error("the certificate can't be read")]
    Certificate,
    #[error("the signature is not of this algorithm")]
    Signature,
}

impl Prepared {
    /// `ids` starts every identifier that is added; it must be an XML name that the document does
    /// not use itself.
    pub fn new(
        xml: &str,
        certificate_der: &[u8],
        algorithm: SignatureAlgorithm,
        signing_time: Timestamp,
        mime: &str,
        ids: &str,
    ) -> Result<Self, SignFault> {
        let document = Xml::parse(xml.as_bytes())?;
        if !is_name(ids) || document.has_id_prefix(&format!("{ids}-")) {
            return Err(SignFault::Ids);
        }
        if document.document().descendants().any(|n| n.has_tag_name((DS_NS, "Signature"))) {
            return Err(SignFault::Place);
        }
        let (head, tail) = split(&document).ok_or(SignFault::Place)?;
        let content = C14n::exclusive().octets(&document, document.document(), None);
        let certificate = IssuerSerial::of(certificate_der).ok_or(SignFault::Certificate)?;
        let properties = Properties {
            ids,
            time: signing_time.iso8601_secs(),
            digest: sha256(certificate_der).base64(),
            issuer_serial: BASE64.encode(&certificate.to_der()),
            mime: &escape(mime),
        };
        let canonical = properties.text(&declared("ds", DS_NS), &declared("xades", XADES_NS));
        let digests = [sha256(&content).base64(), sha256(canonical.as_bytes()).base64()];
        Ok(Self {
            head: head.to_owned(),
            tail: tail.to_owned(),
            ids: ids.to_owned(),
            algorithm,
            signed_info: signed_info(ids, algorithm, &digests, &declared("ds", DS_NS)),
            properties: properties.text("", ""),
            certificates: vec![BASE64.encode(certificate_der)],
        })
    }

    /// Further certificates of the chain go into KeyInfo, behind the signer's.
    pub fn with_chain(mut self, chain: &[&[u8]]) -> Self {
        self.certificates.extend(chain.iter().map(|der| BASE64.encode(der)));
        self
    }

    /// The octets that the key signs (their hash is the algorithm's).
    pub fn to_sign(&self) -> &[u8] {
        self.signed_info.as_bytes()
    }

    /// Takes the key's signature: PKCS #1 v1.5 octets, or an ECDSA value in DER.
    pub fn signed(self, signature: &[u8]) -> Result<Signed, SignFault> {
        let value = self.algorithm.in_xml(signature).ok_or(SignFault::Signature)?;
        Ok(Signed { value: BASE64.encode(&value), prepared: self })
    }
}

impl Signed {
    /// The octets whose hash the time-stamp authority stamps: canonical ds:SignatureValue.
    pub fn to_stamp(&self) -> Vec<u8> {
        self.value_element(&declared("ds", DS_NS)).into_bytes()
    }

    /// The whole document at level B-T.
    pub fn stamped(&self, token_der: &[u8]) -> String {
        let ids = &self.prepared.ids;
        let token = BASE64.encode(token_der);
        self.document(&format!(
            "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>\
             <xades:SignatureTimeStamp Id=\"{ids}-stamp\">\
             <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
             <xades:EncapsulatedTimeStamp>{token}</xades:EncapsulatedTimeStamp>\
             </xades:SignatureTimeStamp>\
             </xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
        ))
    }

    /// The whole document at level B-B, for when nothing more is asked for.
    pub fn unstamped(&self) -> String {
        self.document("")
    }

    fn document(&self, unsigned: &str) -> String {
        let Prepared { head, tail, ids, signed_info, properties, certificates, .. } =
            &self.prepared;
        let signed_info = signed_info.replacen(&declared("ds", DS_NS), "", 1);
        let value = self.value_element("");
        let chain: String = certificates
            .iter()
            .map(|c| format!("<ds:X509Certificate>{c}</ds:X509Certificate>"))
            .collect();
        format!(
            "{head}<ds:Signature xmlns:ds=\"{DS_NS}\" Id=\"{ids}-signature\">{signed_info}{value}\
             <ds:KeyInfo><ds:X509Data>{chain}</ds:X509Data></ds:KeyInfo>\
             <ds:Object><xades:QualifyingProperties xmlns:xades=\"{XADES_NS}\" \
             Target=\"#{ids}-signature\">{properties}{unsigned}</xades:QualifyingProperties>\
             </ds:Object></ds:Signature>{tail}"
        )
    }

    fn value_element(&self, ds: &str) -> String {
        let (ids, value) = (&self.prepared.ids, &self.value);
        format!("<ds:SignatureValue{ds} Id=\"{ids}-value\">{value}</ds:SignatureValue>")
    }
}

struct Properties<'a> {
    ids: &'a str,
    time: String,
    digest: String,
    issuer_serial: String,
    mime: &'a str,
}

impl Properties<'_> {
    /// `ds` and `xades` are the declarations that the canonical form has at this apex.
    fn text(&self, ds: &str, xades: &str) -> String {
        let Self { ids, time, digest, issuer_serial, mime } = self;
        let sha256 = Hash::Sha256.uri();
        format!(
            "<xades:SignedProperties{xades} Id=\"{ids}-properties\">\
             <xades:SignedSignatureProperties><xades:SigningTime>{time}</xades:SigningTime>\
             <xades:SigningCertificateV2><xades:Cert><xades:CertDigest>\
             <ds:DigestMethod{ds} Algorithm=\"{sha256}\"></ds:DigestMethod>\
             <ds:DigestValue{ds}>{digest}</ds:DigestValue></xades:CertDigest>\
             <xades:IssuerSerialV2>{issuer_serial}</xades:IssuerSerialV2></xades:Cert>\
             </xades:SigningCertificateV2></xades:SignedSignatureProperties>\
             <xades:SignedDataObjectProperties>\
             <xades:DataObjectFormat ObjectReference=\"#{ids}-document\">\
             <xades:MimeType>{mime}</xades:MimeType></xades:DataObjectFormat>\
             </xades:SignedDataObjectProperties></xades:SignedProperties>"
        )
    }
}

fn signed_info(
    ids: &str,
    algorithm: SignatureAlgorithm,
    [document, properties]: &[String; 2],
    ds: &str,
) -> String {
    let (method, sha256) = (algorithm.method().uri(), Hash::Sha256.uri());
    let digest = format!("<ds:DigestMethod Algorithm=\"{sha256}\"></ds:DigestMethod>");
    let transform = |uri: &str| format!("<ds:Transform Algorithm=\"{uri}\"></ds:Transform>");
    let (enveloped, exclusive) = (transform(ENVELOPED), transform(EXCLUSIVE));
    format!(
        "<ds:SignedInfo{ds}>\
         <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod>\
         <ds:Reference Id=\"{ids}-document\" URI=\"\">\
         <ds:Transforms>{enveloped}{exclusive}</ds:Transforms>\
         {digest}<ds:DigestValue>{document}</ds:DigestValue></ds:Reference>\
         <ds:Reference Type=\"{SIGNED_PROPERTIES}\" URI=\"#{ids}-properties\">\
         <ds:Transforms>{exclusive}</ds:Transforms>\
         {digest}<ds:DigestValue>{properties}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

/// The text before and from the root's end tag.
fn split<'a>(document: &Xml<'a>) -> Option<(&'a str, &'a str)> {
    let text = document.text();
    let root = document.root().range();
    // Within the root's own range the last `</` can only be its end tag; `<r/>` has none, and a
    // `</` before the last child's end would be that child's.
    let at = root.start + text.get(root.clone())?.rfind("</")?;
    let empty = text.get(..root.end)?.ends_with("/>");
    (!empty).then(|| text.split_at_checked(at)).flatten()
}

fn declared(prefix: &str, uri: &str) -> String {
    format!(" xmlns:{prefix}=\"{uri}\"")
}

/// An ASCII NCName, so that every identifier made from it is an xs:ID.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}
