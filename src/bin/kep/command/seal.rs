//! `kep seal`: the key that signs evidence and dispatches, made in its token and shown.

use super::show;
use crate::arguments::{Key, Seal as Arguments};
use crate::failure::{Failure, Outcome};
use crate::settings::{SealSource, Settings};
use crate::wire_up;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::signer::{KeyChoice, Token, TokenChoice};
use kep::trust::{Clock, TrustError, random};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub fn run(arguments: &Arguments) -> Outcome {
    match arguments {
        Arguments::Generate { conf, key, dev_ca } => {
            generate(&wire_up::settings(&conf.conf)?, *key, dev_ca.as_deref())
        }
        Arguments::Show { conf, json } => {
            let seal = wire_up::seal(&wire_up::settings(&conf.conf)?)?;
            let certificate = seal.certificate();
            let shown = Shown {
                subject: certificate.subject().to_owned(),
                issuer: certificate.issuer().to_owned(),
                serial: certificate.serial().to_owned(),
                from: certificate.not_before().iso8601(),
                until: certificate.not_after().iso8601(),
                sha256: certificate.digest().hex(),
                algorithm: format!("{:?}", seal.algorithm()),
            };
            show::print(*json, &shown, text)
        }
    }
}

fn generate(settings: &Settings, key: Key, dev_ca: Option<&Path>) -> Outcome {
    if settings.seal.source != SealSource::Pkcs11 {
        return Err(Failure::config("seal.source is not pkcs11")
            .hint("a key in a file is made with openssl; this command makes one in a token"));
    }
    let declared = &settings.seal_pkcs11;
    let wrong = |error: TrustError| Failure::unavailable(format!("token: {error}"));
    let (Some(module), Some(label), Some(pin), Some(name)) =
        (&declared.module, &declared.token, &declared.pin_file, &declared.key_label)
    else {
        return Err(Failure::config("[seal.pkcs11] is not complete"));
    };
    let token = Token::open(module, &TokenChoice::Label(label.clone()), wire_up::secret(pin)?);
    let token = token.map_err(wrong)?;
    let choice = KeyChoice::Label(name.clone());
    if token.holds(&choice).map_err(|error| Failure::unavailable(format!("token: {error}")))? {
        return Err(Failure::cannot_create(format!("the token has a key {name} already"))
            .hint("another seal.pkcs11.key_label names another key; nothing is overwritten"));
    }
    let kind = match key {
        Key::P256 => KeyKind::P256,
        Key::Rsa2048 => KeyKind::Rsa2048,
        Key::Rsa3072 => KeyKind::Rsa3072,
    };
    let service = wire_up::provider(settings)?.service_address();
    // What can be refused is refused before the key is made.
    let authority = dev_ca.map(|pem| Authority::open(settings, pem)).transpose()?;
    let public = token.generate(kind, name, &random::bytes::<8>()).map_err(wrong)?;
    let domain = settings.provider.domain.to_string();
    match authority {
        Some(authority) => authority.certify(Profile::Seal { domain, email: service }, &public),
        None => {
            let request = token.request(&choice, kind, &public, &domain, &service);
            show::write(&request.map_err(wrong)?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A development authority, and the file that will hold what it issues.
struct Authority {
    authority: CertificateAuthority,
    links: Links,
    path: std::path::PathBuf,
    file: File,
}

impl Authority {
    fn open(settings: &Settings, pem: &Path) -> Outcome<Self> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|error| Failure::not_found(format!("{}: {error}", path.display())))
        };
        let authority =
            CertificateAuthority::from_pem(&read(&pem.with_extension("key"))?, &read(pem)?);
        let authority = authority.map_err(|e| Failure::data(format!("{}: {e}", pem.display())))?;
        let name = pem.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let at = settings.listen.tsa.map(|address| format!("http://{address}"));
        let links = at.zip(name).map_or(Links::default(), |(at, name)| Links {
            crl: Some(format!("{at}/crl/{name}.crl")),
            ocsp: Some(format!("{at}/ocsp/{name}")),
        });
        let path = settings.seal.certificate.clone();
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| {
            Failure::cannot_create(format!("{}: {error}", path.display()))
                .hint("seal.certificate must name a file that is not there; nothing is overwritten")
        })?;
        Ok(Self { authority, links, path, file })
    }

    fn certify(mut self, profile: Profile, public_key: &[u8]) -> Outcome {
        let now = Clock::System.now();
        let issued = self.authority.issue_for(&profile, public_key, &self.links, now);
        let issued = issued.map_err(Failure::software)?;
        let written = self.file.write_all(issued.pem().as_bytes());
        let path = self.path.display();
        written.map_err(|error| Failure::cannot_create(format!("{path}: {error}")))?;
        show::write(&format!("{} is in {path}\n", issued.subject()))?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
struct Shown {
    subject: String,
    issuer: String,
    serial: String,
    from: String,
    until: String,
    sha256: String,
    algorithm: String,
}

fn text(shown: &Shown) -> String {
    let Shown { subject, issuer, serial, from, until, sha256, algorithm } = shown;
    format!(
        "subject    {subject}\nissuer     {issuer}\nserial     {serial}\nvalid      {from} to {until}\n\
         sha256     {sha256}\nalgorithm  {algorithm}\n"
    )
}
