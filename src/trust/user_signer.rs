//! A user's own signature: a certificate and key from a PKCS#12 file, made into S/MIME as mail
//! programs make it. For agents, the demonstration and tests; the server never holds such a key.

use super::signer::FileSigner;
use super::{Certificate, SignError, Signer, TrustError, random};
use crate::wire::cms::{Prepared, oid};
use crate::wire::{Timestamp, sha256};
use data_encoding::{BASE64, HEXLOWER};
use openssl::pkcs12::Pkcs12;
use openssl::x509::X509;
use secrecy::{ExposeSecret, SecretString};

/// A person's key, and the certificate that names the person.
pub struct UserSigner(FileSigner);

impl UserSigner {
    /// The file's authorities are sent along with signatures, but for a root: whoever verifies has
    /// it, or has no reason to believe it.
    pub fn from_pkcs12(file: &[u8], password: &SecretString) -> Result<Self, TrustError> {
        let sealed = Pkcs12::from_der(file)
            .map_err(|_| TrustError::Key("this is no PKCS#12 file".into()))?;
        let opened = sealed
            .parse2(password.expose_secret())
            .map_err(|_| TrustError::Key("the PKCS#12 file does not open with it".into()))?;
        let key = opened.pkey.ok_or_else(|| TrustError::Key("the file has none".into()))?;
        let own = opened.cert.ok_or_else(|| TrustError::Certificate("none is there".into()))?;
        let others = opened.ca.into_iter().flatten().filter(|other| !is_root(other));
        let certificates = std::iter::once(own).chain(others).map(Certificate::from_x509);
        Ok(Self(FileSigner::new(key, certificates.collect::<Result<_, _>>()?)?))
    }

    pub fn certificate(&self) -> &Certificate {
        self.0.certificate()
    }

    /// A detached signature over exactly these octets (CAdES baseline B, SHA-256).
    pub fn sign(&self, octets: &[u8], now: Timestamp) -> Result<Vec<u8>, SignError> {
        let prepared = Prepared::new(self.0.identity(), oid::DATA, sha256(octets), Some(now));
        let signature = self.0.sign(prepared.to_sign())?;
        Ok(prepared.signed(signature).detached(None))
    }

    /// A MIME part as `multipart/signed` (RFC 8551 §3.5.3), from its Content-Type field on, to
    /// stand behind a message's other fields.
    pub fn multipart_signed(&self, part: &[u8], now: Timestamp) -> Result<Vec<u8>, SignError> {
        let part = canonical(part);
        let signature = self.sign(&part, now)?;
        // 96 bits nobody can foresee: no part holds them.
        let boundary = format!("imza-{}", HEXLOWER.encode(&random::bytes::<12>()));
        let mut out = format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
             micalg=sha-256; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
        )
        .into_bytes();
        out.extend_from_slice(&part);
        let file = "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
                    Content-Transfer-Encoding: base64\r\n\
                    Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n";
        let lines = base64_lines(&signature);
        out.extend(format!("\r\n--{boundary}\r\n{file}{lines}--{boundary}--\r\n").into_bytes());
        Ok(out)
    }
}

/// RFC 8551 §3.1.1: every line ends with CRLF.
pub fn canonical(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len() + part.len() / 64);
    let mut octets = part.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\r' => {
                octets.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    out
}

fn is_root(certificate: &X509) -> bool {
    let (subject, issuer) = (certificate.subject_name(), certificate.issuer_name());
    subject.try_cmp(issuer).is_ok_and(std::cmp::Ordering::is_eq)
}

fn base64_lines(octets: &[u8]) -> String {
    let mut lines = String::with_capacity(octets.len() * 14 / 10 + 2);
    for line in octets.chunks(LINE) {
        BASE64.encode_append(line, &mut lines);
        lines.push_str("\r\n");
    }
    lines
}

/// RFC 2045 §6.8: 57 octets make a line of 76 characters.
const LINE: usize = 57;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
    use crate::trust::testing::{self, NOW};
    use crate::trust::{Anchors, UserTrust};
    use std::fs;

    const PART: &[u8] = b"Content-Type: text/plain\nA: b\r\n\r\nMerhaba\n";

    #[tokio::test]
    async fn what_it_signs_is_believed() {
        for kind in [KeyKind::P256, KeyKind::Rsa2048] {
            let (root, signer) = person(kind);
            let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
            let trust = UserTrust::new(anchors, Vec::new(), None);
            let p7s = signer.sign(PART, NOW).unwrap();
            let signed = trust.verify(PART, &p7s, NOW).await.unwrap();
            assert_eq!(&signed.signer, signer.certificate());
            assert_eq!(signed.signing_time, Some(NOW));
            assert!(trust.verify(b"other", &p7s, NOW).await.is_err());
        }
    }

    #[test]
    fn openssl_verifies_the_mail() {
        if !testing::openssl_is_here() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        for kind in [KeyKind::P256, KeyKind::Rsa2048] {
            let (root, signer) = person(kind);
            let mail = signer.multipart_signed(PART, NOW).unwrap();
            fs::write(dir.path().join("mail"), [b"MIME-Version: 1.0\r\n", &mail[..]].concat())
                .unwrap();
            fs::write(dir.path().join("ca.pem"), root.certificate().pem()).unwrap();
            let verify = format!(
                "cms -verify -in mail -CAfile ca.pem -attime {} -purpose any -out out",
                NOW.secs()
            );
            let (ok, said) = testing::openssl(dir.path(), &verify);
            assert!(ok, "{said}");
            assert_eq!(fs::read(dir.path().join("out")).unwrap(), canonical(PART));
        }
    }

    #[test]
    fn a_wrong_password_and_a_wrong_file_are_told_apart() {
        let (_, issued) = issue(KeyKind::P256);
        let file = issued.pkcs12("ali", "parola").unwrap();
        let why = |file: &[u8], password: &str| {
            UserSigner::from_pkcs12(file, &password.into()).err().unwrap().to_string()
        };
        assert_eq!(why(&file, "başka"), "the key: the PKCS#12 file does not open with it");
        assert_eq!(why(b"no", "parola"), "the key: this is no PKCS#12 file");
    }

    #[test]
    fn every_kind_of_line_end_becomes_crlf() {
        assert_eq!(canonical(b"a\nb\r\nc\rd\n\n"), b"a\r\nb\r\nc\r\nd\r\n\r\n");
        assert_eq!(canonical(b"\r\r\n"), b"\r\n\r\n");
        assert_eq!(canonical(b""), b"");
    }

    fn issue(kind: KeyKind) -> (CertificateAuthority, crate::trust::pki::Issued) {
        let root = CertificateAuthority::create("Kök", kind, NOW).unwrap();
        let profile = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
        let issued = root.issue(&profile, kind, &Links::default(), NOW).unwrap();
        (root, issued)
    }

    fn person(kind: KeyKind) -> (CertificateAuthority, UserSigner) {
        let (root, issued) = issue(kind);
        let file = issued.pkcs12("ali", "parola").unwrap();
        (root, UserSigner::from_pkcs12(&file, &"parola".into()).unwrap())
    }
}
