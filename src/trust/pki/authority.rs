//! An authority of the development hierarchy: makes itself, and issues.

use super::KeyKind;
use super::profile::{Links, Profile};
use crate::trust::signer::FileSigner;
use crate::trust::{Certificate, TrustError, random};
use crate::wire::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::stack::Stack;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509Builder, X509NameBuilder, X509NameRef};
use zeroize::Zeroizing;

pub struct CertificateAuthority {
    pub(super) key: PKey<Private>,
    certificate: Certificate,
}

/// A new key and its certificate.
pub struct Issued {
    key: PKey<Private>,
    certificate: Certificate,
    authority: Certificate,
}

impl CertificateAuthority {
    /// A new root, valid for ten years from a day before `now`.
    pub fn create(name: &str, kind: KeyKind, now: Timestamp) -> Result<Self, TrustError> {
        let key = kind.generate()?;
        let mut subject = X509NameBuilder::new()?;
        subject.append_entry_by_nid(Nid::COUNTRYNAME, "TR")?;
        subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
        let subject = subject.build();
        let mut builder = begin(&subject, &subject, &key, now, CA_DAYS)?;
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        let mut usage = KeyUsage::new();
        usage.critical().key_cert_sign().crl_sign().digital_signature();
        builder.append_extension(usage.build()?)?;
        let key_id = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(key_id)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { key, certificate: Certificate::from_x509(builder.build())? })
    }

    /// One that was made before.
    pub fn from_pem(key: &[u8], certificate: &[u8]) -> Result<Self, TrustError> {
        let key = PKey::private_key_from_pem(key)?;
        let certificate = Certificate::from_pem(certificate)?
            .into_iter()
            .next()
            .ok_or_else(|| TrustError::Certificate("none is there".into()))?;
        if !certificate.key().public_eq(&key) {
            return Err(TrustError::KeyMismatch(certificate.subject().to_owned()));
        }
        Ok(Self { key, certificate })
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub fn key_pem(&self) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }

    /// A new key with a certificate for it, valid for three years from a day before `now`.
    pub fn issue(
        &self,
        profile: &Profile,
        kind: KeyKind,
        links: &Links,
        now: Timestamp,
    ) -> Result<Issued, TrustError> {
        let key = kind.generate()?;
        let certificate = self.certify(profile, &key, links, now, LEAF_DAYS)?;
        Ok(Issued { key, certificate, authority: self.certificate.clone() })
    }

    /// A certificate for a key that is elsewhere, such as in a token (PEM of its public half).
    pub fn issue_for(
        &self,
        profile: &Profile,
        public_key_pem: &[u8],
        links: &Links,
        now: Timestamp,
    ) -> Result<Certificate, TrustError> {
        let key = PKey::public_key_from_pem(public_key_pem)?;
        self.certify(profile, &key, links, now, LEAF_DAYS)
    }

    /// An authority under this one.
    pub fn issue_authority(
        &self,
        name: &str,
        kind: KeyKind,
        now: Timestamp,
    ) -> Result<Self, TrustError> {
        let key = kind.generate()?;
        let mut subject = X509NameBuilder::new()?;
        subject.append_entry_by_nid(Nid::COMMONNAME, name)?;
        let issuer = self.certificate.x509();
        let mut builder = begin(&subject.build(), issuer.subject_name(), &key, now, CA_DAYS)?;
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().crl_sign().build()?)?;
        self.finish(builder).map(|certificate| Self { key, certificate })
    }

    pub(super) fn certify<T: HasPublic>(
        &self,
        profile: &Profile,
        key: &PKeyRef<T>,
        links: &Links,
        now: Timestamp,
        days: i64,
    ) -> Result<Certificate, TrustError> {
        let issuer = self.certificate.x509();
        let subject = profile.subject()?;
        let mut builder = begin(&subject, issuer.subject_name(), key, now, days)?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        profile.extend(&mut builder, issuer)?;
        links.extend(&mut builder)?;
        self.finish(builder)
    }

    fn finish(&self, mut builder: X509Builder) -> Result<Certificate, TrustError> {
        let issuer = self.certificate.x509();
        let context = builder.x509v3_context(Some(issuer), None);
        let own = SubjectKeyIdentifier::new().build(&context)?;
        let authority = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
        builder.append_extension(own)?;
        builder.append_extension(authority)?;
        builder.sign(&self.key, MessageDigest::sha256())?;
        Certificate::from_x509(builder.build())
    }
}

impl Issued {
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// PKCS#8 in PEM, unencrypted: for files with mode 0600.
    pub fn key_pem(&self) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        Ok(Zeroizing::new(self.key.private_key_to_pem_pkcs8()?))
    }

    pub fn signer(&self) -> Result<FileSigner, TrustError> {
        FileSigner::new(self.key.clone(), vec![self.certificate.clone()])
    }

    /// For mail programs: key, certificate and authority under a password.
    pub fn pkcs12(&self, name: &str, password: &str) -> Result<Vec<u8>, TrustError> {
        let mut authorities = Stack::new()?;
        authorities.push(self.authority.x509().clone())?;
        let mut builder = Pkcs12::builder();
        builder.name(name).pkey(&self.key).cert(self.certificate.x509()).ca(authorities);
        Ok(builder.build2(password)?.to_der()?)
    }
}

fn begin<T: HasPublic>(
    subject: &X509NameRef,
    issuer: &X509NameRef,
    key: &PKeyRef<T>,
    now: Timestamp,
    days: i64,
) -> Result<X509Builder, TrustError> {
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    let mut serial = random::bytes::<16>();
    serial[0] = (serial[0] & 0x7f) | 0x40; // RFC 5280 §4.1.2.2: positive, here always 16 octets
    let serial = BigNum::from_slice(&serial)?.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::from_unix(now.secs() - DAY)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(now.secs() + days * DAY)?.as_ref())?;
    Ok(builder)
}

const DAY: i64 = 86_400;
const CA_DAYS: i64 = 3_653;
const LEAF_DAYS: i64 = 1_096;
