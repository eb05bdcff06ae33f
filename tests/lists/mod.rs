//! Lists of providers, filled from the templates beside this file and signed by a publisher of the test.

use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use kep::trust::signer::FileSigner;
use kep::trust::{Certificate, Signer};
use kep::wire::{Timestamp, xades};

/// Whoever publishes lists: a key, and the certificate that operators pin.
pub struct Publisher {
    pub issued: Issued,
}

/// One provider of a list.
#[derive(Clone)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub certificate: &'a Certificate,
    pub kind: &'a str,
    pub status: &'a str,
    pub since: Timestamp,
    pub host: &'a str,
    /// Former statuses, the latest first.
    pub before: Vec<(&'a str, Timestamp)>,
}

impl Publisher {
    pub fn new(name: &str, now: Timestamp) -> Self {
        let root = CertificateAuthority::create("Örnek Kök", KeyKind::P256, now).unwrap();
        let profile = Profile::Responder { name: name.to_owned() };
        Self { issued: root.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap() }
    }

    pub fn certificate(&self) -> &Certificate {
        self.issued.certificate()
    }

    pub fn sign(&self, xml: &str, now: Timestamp) -> String {
        sign(&self.issued.signer().unwrap(), xml, now)
    }
}

/// XAdES B-B, enveloped.
pub fn sign(signer: &dyn Signer, xml: &str, now: Timestamp) -> String {
    let (der, algorithm) = (signer.certificate().der(), signer.algorithm());
    let prepared = xades::Prepared::new(xml, der, algorithm, now, "text/xml", "imza").unwrap();
    let value = signer.sign(prepared.to_sign()).unwrap();
    prepared.signed(&value).unwrap().unstamped()
}

/// A seal of a provider, valid for three years from a day before.
pub fn seal(domain: &str, now: Timestamp) -> FileSigner {
    let root = CertificateAuthority::create("Mühür Kök", KeyKind::P256, now).unwrap();
    let email = format!("kepservisi@{domain}");
    let profile = Profile::Seal { domain: domain.to_owned(), email };
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
    issued.signer().unwrap()
}

pub fn list(number: u64, issued: Timestamp, next: Timestamp, entries: &[Entry<'_>]) -> String {
    let providers: String = entries.iter().map(provider).collect();
    let (number, issued, next) = (number.to_string(), issued.iso8601_secs(), next.iso8601_secs());
    let values =
        [("sequence", &number), ("issued", &issued), ("next", &next), ("providers", &providers)];
    filled(include_str!("list.xml"), &values.map(|(key, value)| (key, value.as_str())))
}

fn provider(entry: &Entry<'_>) -> String {
    let former = |(status, since): &(&str, Timestamp)| {
        let values = [("status", *status), ("since", &since.iso8601_secs())];
        filled(include_str!("history.xml"), &values)
    };
    let history: String = entry.before.iter().map(former).collect();
    filled(
        include_str!("provider.xml"),
        &[
            ("name", entry.name),
            ("type", entry.kind),
            ("certificate", &base64(entry.certificate)),
            ("status", entry.status),
            ("since", &entry.since.iso8601_secs()),
            ("host", entry.host),
            ("history", &history),
        ],
    )
}

pub fn csi(
    number: u64,
    issued: Timestamp,
    next: Timestamp,
    host: &str,
    shows: &Certificate,
) -> String {
    filled(
        include_str!("csi.xml"),
        &[
            ("sequence", &number.to_string()),
            ("issued", &issued.iso8601_secs()),
            ("next", &next.iso8601_secs()),
            ("host", host),
            ("name", "Öteki KEP A.Ş."),
            ("certificate", &base64(shows)),
        ],
    )
}

fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let fill =
        |text: String, (key, value): &(&str, &str)| text.replace(&format!("{{{key}}}"), value);
    values.iter().fold(template.to_owned(), fill)
}

fn base64(certificate: &Certificate) -> String {
    data_encoding::BASE64.encode(certificate.der())
}
