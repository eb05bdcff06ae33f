//! What stands in a certificate, by its purpose.

use crate::trust::TrustError;
use crate::wire::der;
use ::der::asn1::ObjectIdentifier as Oid;
use openssl::asn1::{Asn1Object, Asn1OctetString};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::x509::extension::{ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509Builder, X509Extension, X509Name, X509NameBuilder, X509Ref};

/// Where a certificate's status can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links {
    pub crl: Option<String>,
    pub ocsp: Option<String>,
}

/// The certificates of the hierarchy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Profile {
    /// The provider's seal: names the address that its mails come from.
    Seal {
        domain: String,
        email: String,
    },
    /// A time-stamp authority: only for that, and critically so (RFC 3161 §2.3).
    TimeStamp {
        name: String,
    },
    TlsServer {
        names: Vec<String>,
        addresses: Vec<std::net::IpAddr>,
    },
    /// An S/MIME certificate with the user's address.
    User {
        name: String,
        email: String,
    },
    /// As Turkish qualified certificates are (BTK): no address, no purpose of S/MIME, but the
    /// T.C. kimlik no in the subject.
    Qualified {
        name: String,
        identity_number: String,
    },
    /// A delegated OCSP responder (RFC 6960 §4.2.2.2).
    Responder {
        name: String,
    },
}

impl Profile {
    pub(in crate::trust) fn subject(&self) -> Result<X509Name, ErrorStack> {
        let mut name = X509NameBuilder::new()?;
        name.append_entry_by_nid(Nid::COUNTRYNAME, "TR")?;
        match self {
            Self::Seal { domain, .. } => {
                name.append_entry_by_nid(Nid::ORGANIZATIONNAME, domain)?;
                let common = format!("KEP İşlem Sertifikası {domain}");
                name.append_entry_by_nid(Nid::COMMONNAME, &common)?;
            }
            Self::TlsServer { names, .. } => {
                let first = names.first().map_or("localhost", String::as_str);
                name.append_entry_by_nid(Nid::COMMONNAME, first)?;
            }
            Self::Qualified { name: person, identity_number } => {
                name.append_entry_by_nid(Nid::SERIALNUMBER, identity_number)?;
                name.append_entry_by_nid(Nid::COMMONNAME, person)?;
            }
            Self::TimeStamp { name: common }
            | Self::User { name: common, .. }
            | Self::Responder { name: common } => {
                name.append_entry_by_nid(Nid::COMMONNAME, common)?;
            }
        }
        Ok(name.build())
    }

    pub(super) fn extend(&self, to: &mut X509Builder, issuer: &X509Ref) -> Result<(), TrustError> {
        let usage = match self {
            Self::Seal { .. } | Self::User { .. } => {
                KeyUsage::new().critical().digital_signature().non_repudiation().build()?
            }
            Self::Qualified { .. } => KeyUsage::new().critical().non_repudiation().build()?,
            _ => KeyUsage::new().critical().digital_signature().build()?,
        };
        to.append_extension(usage)?;
        let purpose = match self {
            Self::Seal { .. } | Self::User { .. } => {
                Some(ExtendedKeyUsage::new().email_protection().build()?)
            }
            Self::TimeStamp { .. } => {
                Some(ExtendedKeyUsage::new().critical().time_stamping().build()?)
            }
            Self::TlsServer { .. } => Some(ExtendedKeyUsage::new().server_auth().build()?),
            Self::Responder { .. } => Some(ExtendedKeyUsage::new().other("OCSPSigning").build()?),
            Self::Qualified { .. } => None,
        };
        purpose.map(|purpose| to.append_extension(purpose)).transpose()?;
        if let Some(names) = self.names(to, issuer)? {
            to.append_extension(names)?;
        }
        if matches!(self, Self::Qualified { .. }) {
            to.append_extension(extension("1.3.6.1.5.5.7.1.3", &qc_statements())?)?;
            to.append_extension(extension("2.5.29.32", &policies())?)?;
        }
        Ok(())
    }

    fn names(
        &self,
        b: &X509Builder,
        issuer: &X509Ref,
    ) -> Result<Option<X509Extension>, ErrorStack> {
        let mut names = SubjectAlternativeName::new();
        match self {
            Self::Seal { email, .. } | Self::User { email, .. } => {
                names.email(email);
            }
            Self::TlsServer { names: hosts, addresses } => {
                hosts.iter().for_each(|host| {
                    names.dns(host);
                });
                addresses.iter().for_each(|address| {
                    names.ip(&address.to_string());
                });
            }
            _ => return Ok(None),
        }
        names.build(&b.x509v3_context(Some(issuer), None)).map(Some)
    }
}

impl Links {
    pub(super) fn extend(&self, to: &mut X509Builder) -> Result<(), TrustError> {
        if let Some(url) = &self.crl {
            let name = der::explicit(0, &der::explicit(0, &uri(url)));
            let points = der::sequence(&[&der::sequence(&[&name])]);
            to.append_extension(extension("2.5.29.31", &points)?)?;
        }
        if let Some(url) = &self.ocsp {
            let access = der::sequence(&[&der::oid(AD_OCSP), &uri(url)]);
            to.append_extension(extension("1.3.6.1.5.5.7.1.1", &der::sequence(&[&access]))?)?;
        }
        Ok(())
    }
}

pub(super) fn extension(kind: &str, value: &[u8]) -> Result<X509Extension, ErrorStack> {
    let kind = Asn1Object::from_str(kind)?;
    let value = Asn1OctetString::new_from_bytes(value)?;
    X509Extension::new_from_der(&kind, false, &value)
}

/// GeneralName uniformResourceIdentifier.
fn uri(url: &str) -> Vec<u8> {
    der::element(der::tag::context_primitive(6), &[url.as_bytes()])
}

/// EN 319 412-5: qualified, key in a signature device.
fn qc_statements() -> Vec<u8> {
    let statement = |kind| der::sequence(&[&der::oid(kind)]);
    der::sequence(&[&statement(QC_COMPLIANCE), &statement(QC_SSCD)])
}

fn policies() -> Vec<u8> {
    der::sequence(&[&der::sequence(&[&der::oid(QCP_NATURAL_QSCD)])])
}

const AD_OCSP: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1");
const QC_COMPLIANCE: Oid = Oid::new_unwrap("0.4.0.1862.1.1");
const QC_SSCD: Oid = Oid::new_unwrap("0.4.0.1862.1.4");
/// EN 319 411-2 §5.3: the policy of qualified certificates of persons on a device.
const QCP_NATURAL_QSCD: Oid = Oid::new_unwrap("0.4.0.194112.1.2");
