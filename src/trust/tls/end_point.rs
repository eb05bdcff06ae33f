//! The channel binding `tls-server-end-point` (RFC 5929 §4): the digest of the certificate that a server
//! shows. It binds to the server and not to the connection, and is there in TLS 1.2, too.

use crate::trust::Certificate;
use crate::wire::DigestAlgorithm;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;

/// By the digest of the certificate's own signature, or SHA-256 where that is MD5 or SHA-1. A signature
/// without a digest, or with one that nobody knows, gives none (§4.1).
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let digest = match certificate.signature_digest() {
        Some(DigestAlgorithm::Sha256) => MessageDigest::sha256(),
        Some(DigestAlgorithm::Sha384) => MessageDigest::sha384(),
        Some(DigestAlgorithm::Sha512) => MessageDigest::sha512(),
        _ if is_weak(&certificate) => MessageDigest::sha256(),
        _ => return None,
    };
    Some(openssl::hash::hash(digest, certificate.der()).ok()?.to_vec())
}

fn is_weak(certificate: &Certificate) -> bool {
    let signature = certificate.x509().signature_algorithm().object().nid();
    let digest = signature.signature_algorithms().map(|both| both.digest);
    matches!(digest, Some(Nid::MD5 | Nid::SHA1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::x509::{X509, X509Name};

    fn made(key: &PKey<Private>, digest: MessageDigest) -> Vec<u8> {
        let mut name = X509Name::builder().unwrap();
        name.append_entry_by_text("CN", "posta.hs05.kep.tr").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_not_before(&Asn1Time::from_unix(1_795_000_000).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::from_unix(1_895_000_000).unwrap()).unwrap();
        builder.set_pubkey(key).unwrap();
        builder.sign(key, digest).unwrap();
        builder.build().to_der().unwrap()
    }

    #[test]
    fn a_certificate_is_digested_as_it_was_signed_and_never_weakly() {
        let rsa = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let curve = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let (sha256, sha384) = (MessageDigest::sha256(), MessageDigest::sha384());
        for (key, signed, expected) in [
            (&rsa, MessageDigest::md5(), sha256),
            (&rsa, MessageDigest::sha1(), sha256),
            (&curve, MessageDigest::sha1(), sha256),
            (&rsa, sha256, sha256),
            (&curve, sha384, sha384),
            (&rsa, MessageDigest::sha512(), MessageDigest::sha512()),
        ] {
            let certificate = made(key, signed);
            let expected = openssl::hash::hash(expected, &certificate).unwrap().to_vec();
            assert_eq!(end_point(&certificate), Some(expected), "{:?}", signed.type_());
        }
        let edwards = PKey::generate_ed25519().unwrap();
        assert_eq!(end_point(&made(&edwards, MessageDigest::null())), None);
        assert_eq!(end_point(b"no certificate"), None);
    }
}
