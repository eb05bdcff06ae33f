//! A throw-away authority for measurements: user, seal, time-stamp and TLS certificates.

use std::io;

use clap::ValueEnum;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// What kind of keys everyone has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum KeyKind {
    P256,
    Rsa2048,
}

/// An authority that signs certificates.
pub struct Authority {
    kind: KeyKind,
    pub certificate: X509,
    key: PKey<Private>,
}

/// A certificate with its key.
pub struct Holder {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl KeyKind {
    /// As `kep dev init --key` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Rsa2048 => "rsa2048",
        }
    }

    fn generate(self) -> Result<PKey<Private>, ErrorStack> {
        match self {
            Self::P256 => {
                let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                PKey::from_ec_key(EcKey::generate(&curve)?)
            }
            Self::Rsa2048 => PKey::from_rsa(Rsa::generate(2048)?),
        }
    }
}

impl Authority {
    pub fn new(kind: KeyKind) -> io::Result<Self> {
        let key = kind.generate()?;
        let mut builder = certificate("Measuring Authority", &key)?;
        let own = builder_name("Measuring Authority")?;
        builder.set_issuer_name(&own)?;
        builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        builder.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { kind, certificate: builder.build(), key })
    }

    /// A certificate for signatures.
    pub fn issue(&self, name: &str) -> io::Result<Holder> {
        self.issue_with(name, |builder| {
            builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)
        })
    }

    /// A TLS certificate for a host.
    pub fn issue_host(&self, host: &str) -> io::Result<Holder> {
        self.issue_with(host, |builder| {
            let context = builder.x509v3_context(Some(&self.certificate), None);
            let names = SubjectAlternativeName::new().dns(host).build(&context)?;
            builder.append_extension(names)
        })
    }

    /// Trust in this authority only.
    pub fn store(&self) -> io::Result<X509Store> {
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(self.certificate.clone())?;
        Ok(store.build())
    }

    fn issue_with(
        &self,
        name: &str,
        extend: impl Fn(&mut X509Builder) -> Result<(), ErrorStack>,
    ) -> io::Result<Holder> {
        let key = self.kind.generate()?;
        let mut builder = certificate(name, &key)?;
        builder.set_issuer_name(self.certificate.subject_name())?;
        extend(&mut builder)?;
        builder.sign(&self.key, MessageDigest::sha256())?;
        Ok(Holder { certificate: builder.build(), key })
    }
}

fn certificate(name: &str, key: &PKey<Private>) -> io::Result<X509Builder> {
    let mut builder = X509Builder::new()?;
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::ONE, false)?;
    let serial = serial.to_asn1_integer()?;
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(1)?);
    builder.set_version(X509_V3)?;
    builder.set_serial_number(&serial)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    let subject = builder_name(name)?;
    builder.set_subject_name(&subject)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn builder_name(name: &str) -> Result<openssl::x509::X509Name, ErrorStack> {
    let mut builder = X509NameBuilder::new()?;
    builder.append_entry_by_nid(Nid::COMMONNAME, name)?;
    Ok(builder.build())
}

const X509_V3: i32 = 2;
/// RFC 5280 §4.1.2.2: at most 20 octets, positive.
const SERIAL_BITS: i32 = 127;
