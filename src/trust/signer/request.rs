//! A certification request (PKCS#10, RFC 2986) for a seal key that is in a token.

use super::{KeyChoice, SignError, Token};
use crate::trust::TrustError;
use crate::trust::pki::{KeyKind, Profile};
use crate::wire::SignatureAlgorithm;
use crate::wire::der::{self, tag};
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::pkey::PKey;

impl Token {
    /// PEM of a request for the seal certificate of `domain`, with the address its mails come from.
    pub fn request(
        &self,
        key: &KeyChoice,
        kind: KeyKind,
        public_key_pem: &[u8],
        domain: &str,
        email: &str,
    ) -> Result<String, TrustError> {
        let algorithm = match kind {
            KeyKind::P256 => SignatureAlgorithm::EcdsaSha256,
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => SignatureAlgorithm::RsaSha256,
        };
        let info = info(domain, email, public_key_pem)?;
        let sign = |octets: &[u8]| self.sign_with(key, algorithm, octets);
        let signature = sign(&info)?;
        let request = der::sequence(&[
            &info,
            &der::signature_algorithm(algorithm),
            &der::bit_string(&signature),
        ]);
        Ok(pem("CERTIFICATE REQUEST", &request))
    }

    fn sign_with(
        &self,
        key: &KeyChoice,
        algorithm: SignatureAlgorithm,
        octets: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let found = self.find_key(key)?;
        let found = found.ok_or_else(|| SignError::Key(format!("no private key {key:?}")))?;
        self.sign_octets(found, algorithm, octets).map_err(|e| SignError::Token(e.to_string()))
    }
}

/// CertificationRequestInfo (§4.1) with the wanted name as extension (RFC 2985 §5.4.2).
fn info(domain: &str, email: &str, public_key_pem: &[u8]) -> Result<Vec<u8>, TrustError> {
    let profile = Profile::Seal { domain: domain.to_owned(), email: email.to_owned() };
    let subject = profile.subject()?.to_der()?;
    let key = PKey::public_key_from_pem(public_key_pem)?.public_key_to_der()?;
    let names = der::sequence(&[&der::element(tag::context_primitive(1), &[email.as_bytes()])]);
    let extension = der::sequence(&[&der::oid(ALTERNATIVE_NAME), &der::octet_string(&names)]);
    let extensions = der::sequence(&[&extension]);
    let wanted =
        der::sequence(&[&der::oid(EXTENSION_REQUEST), &der::element(tag::SET, &[&extensions])]);
    Ok(der::sequence(&[
        &der::small_integer(0),
        &subject,
        &key,
        &der::element(tag::context(0), &[&wanted]),
    ]))
}

/// RFC 7468.
pub(in crate::trust) fn pem(label: &str, der: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line));
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

const EXTENSION_REQUEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.14");
const ALTERNATIVE_NAME: Oid = Oid::new_unwrap("2.5.29.17");
