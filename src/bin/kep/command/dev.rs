//! `kep dev init`: a working provider in a folder. No real trust stands behind what it makes.

use super::{said, show};
use crate::arguments::{DevInit, Key};
use crate::failure::{Failure, Outcome};
use crate::{settings, wire_up};
use kep::registry::accounts::{self, NewAccount, OpeningMode};
use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use kep::trust::vault::Vault;
use kep::trust::{Certificate, Clock, TrustError, password, random};
use kep::wire::{KepAddress, KepDomain, Timestamp};
use secrecy::SecretString;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub async fn init(arguments: &DevInit) -> Outcome {
    let made = make(arguments).await?;
    show::print(arguments.json, &made, |made| {
        let mut out = format!("provider {} in {}\n", made.domain, made.dir.display());
        for account in &made.accounts {
            out.push_str(&format!("account  {account}\n"));
        }
        out.push_str(&format!("start it: kep serve --conf {}\n", made.conf.display()));
        out
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What was made.
#[derive(Serialize)]
pub struct Made {
    pub dir: PathBuf,
    pub conf: PathBuf,
    pub domain: String,
    pub accounts: Vec<String>,
}

/// One account to open.
struct Person {
    address: KepAddress,
    name: String,
    identity_number: Option<String>,
    password: String,
}

impl Person {
    /// A qualified certificate is known by the T.C. kimlik no in it; others are registered.
    fn registered(&self, issued: &Issued) -> Vec<Certificate> {
        match self.identity_number {
            Some(_) => Vec::new(),
            None => vec![issued.certificate().clone()],
        }
    }
}

pub async fn make(arguments: &DevInit) -> Outcome<Made> {
    let domain = KepDomain::parse(&arguments.domain)
        .map_err(|_| Failure::usage(format!("{} is not hsNN.kep.tr", arguments.domain)))?;
    if arguments.base_port > u16::MAX - 8 {
        return Err(Failure::usage("there is no room for eight ports above --base-port"));
    }
    let people = people(&arguments.accounts, &domain)?;
    let dir = wire_up::absolute(&arguments.dir);
    let place = Place::make(&dir)?;
    let now = Clock::System.now();
    let users = hierarchy(&place, arguments, &domain, now)?;
    Vault::create(&place.secret("master.key")).map_err(Failure::cannot_create)?;
    let conf = place.conf(arguments, &domain)?;
    let settings = wire_up::settings(&conf)?;
    let store = wire_up::make_store(&settings).await?;
    let mut passwords = String::new();
    for person in &people {
        let issued = certificate(&users, person, arguments.base_port, now)?;
        let p12 = issued.pkcs12(person.address.as_str(), &person.password).map_err(pki)?;
        place.private(&format!("users/{}.p12", person.address), &p12)?;
        passwords.push_str(&format!("{} {}\n", person.address, person.password));
        let secret = SecretString::from(person.password.clone());
        let new = NewAccount {
            address: person.address.clone(),
            name: person.name.clone(),
            identity_number: person.identity_number.clone(),
            opening: if arguments.direct { OpeningMode::Direct } else { OpeningMode::Sealed },
            signature: said::rule(arguments.signature),
            password: password::hash(&secret).map_err(Failure::software)?,
            certificates: person.registered(&issued),
            at: now,
        };
        accounts::add(&store, &domain, new).await.map_err(said::registry)?;
    }
    place.private("passwords.txt", passwords.as_bytes())?;
    Ok(Made {
        dir,
        conf,
        domain: domain.to_string(),
        accounts: people.iter().map(|person| person.address.to_string()).collect(),
    })
}

fn people(accounts: &[String], domain: &KepDomain) -> Outcome<Vec<Person>> {
    let mut people: Vec<Person> = Vec::new();
    for text in accounts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let (text, qualified) = match text.strip_suffix(":qualified") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let whole = if text.contains('@') { text.to_owned() } else { format!("{text}@{domain}") };
        let address = said::parse(&whole)?;
        accounts::is_own(&address, domain).map_err(said::registry)?;
        if people.iter().any(|person| person.address == address) {
            return Err(Failure::usage(format!("{address} is named twice")));
        }
        people.push(Person {
            name: name(address.local()),
            identity_number: qualified.then(|| identity_number(&random::bytes())),
            password: random::password(4),
            address,
        });
    }
    if people.is_empty() {
        return Err(Failure::usage("--accounts names nobody"));
    }
    Ok(people)
}

/// `ali.veli` is Ali Veli.
fn name(local: &str) -> String {
    let words = local.split(['.', '_', '-']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    };
    words.map(capital).collect::<Vec<_>>().join(" ")
}

/// A well-formed T.C. kimlik no: eleven digits, the last two check the nine before.
fn identity_number(random: &[u8; 9]) -> String {
    let mut digits: Vec<u32> = random.iter().map(|byte| u32::from(byte % 10)).collect();
    if let Some(first) = digits.first_mut() {
        *first = 1 + *first % 9;
    }
    let sum = |parity: usize| -> u32 { digits.iter().skip(parity).step_by(2).sum() };
    let tenth = (sum(0) * 7 + 100 - sum(1)) % 10;
    digits.push(tenth);
    digits.push(digits.iter().sum::<u32>() % 10);
    digits.iter().map(u32::to_string).collect()
}

/// Four authorities, the provider's own keys; says the users' authority.
fn hierarchy(
    place: &Place,
    arguments: &DevInit,
    domain: &KepDomain,
    now: Timestamp,
) -> Outcome<CertificateAuthority> {
    let kind = match arguments.key {
        Key::P256 => KeyKind::P256,
        Key::Rsa2048 => KeyKind::Rsa2048,
        Key::Rsa3072 => KeyKind::Rsa3072,
    };
    let authority = |name: &str| -> Outcome<CertificateAuthority> {
        let title = format!("kep development {name} CA, not to be trusted");
        let made = CertificateAuthority::create(&title, KeyKind::P256, now).map_err(pki)?;
        let pem = made.certificate().pem();
        place.public(&format!("trust/{name}-ca.pem"), pem.as_bytes())?;
        place.public(&format!("secrets/registers/{name}.pem"), pem.as_bytes())?;
        place.private(&format!("secrets/registers/{name}.key"), &made.key_pem().map_err(pki)?)?;
        Ok(made)
    };
    let (seal, tsa, user, tls) =
        (authority("seal")?, authority("tsa")?, authority("user")?, authority("tls")?);
    let email = format!("kepservisi@{domain}");
    let links = |name: &str| links(name, arguments.base_port);
    let seal_profile = Profile::Seal { domain: domain.to_string(), email };
    place.pair("seal", &seal.issue(&seal_profile, kind, &links("seal"), now).map_err(pki)?)?;
    let stamp_profile = Profile::TimeStamp { name: format!("kep development TSA of {domain}") };
    place.pair("tsa", &tsa.issue(&stamp_profile, kind, &links("tsa"), now).map_err(pki)?)?;
    let tls_profile = Profile::TlsServer {
        names: vec!["localhost".to_owned(), domain.to_string()],
        addresses: vec![std::net::Ipv4Addr::LOCALHOST.into(), std::net::Ipv6Addr::LOCALHOST.into()],
    };
    let issued = tls.issue(&tls_profile, KeyKind::P256, &links("tls"), now).map_err(pki)?;
    place.pair("tls", &issued)?;
    Ok(user)
}

fn links(name: &str, base: u16) -> Links {
    let authority = format!("http://127.0.0.1:{}", base + 7);
    Links {
        crl: Some(format!("{authority}/crl/{name}.crl")),
        ocsp: Some(format!("{authority}/ocsp/{name}")),
    }
}

fn certificate(
    users: &CertificateAuthority,
    person: &Person,
    base: u16,
    now: Timestamp,
) -> Outcome<Issued> {
    let profile = match &person.identity_number {
        Some(number) => {
            Profile::Qualified { name: person.name.clone(), identity_number: number.clone() }
        }
        None => Profile::User { name: person.name.clone(), email: person.address.to_string() },
    };
    users.issue(&profile, KeyKind::P256, &links("user", base), now).map_err(pki)
}

fn pki(error: TrustError) -> Failure {
    Failure::software(format!("development hierarchy: {error}"))
}

/// The folder that is made.
struct Place {
    dir: PathBuf,
}

impl Place {
    fn make(dir: &Path) -> Outcome<Self> {
        let wrong =
            |error: std::io::Error| Failure::cannot_create(format!("{}: {error}", dir.display()));
        if dir.exists() && fs::read_dir(dir).map_err(wrong)?.next().is_some() {
            return Err(Failure::cannot_create(format!("{} is not empty", dir.display()))
                .hint("name a new folder; nothing is ever overwritten"));
        }
        for sub in ["", "trust", "users", "secrets", "secrets/registers", "spool"] {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(dir.join(sub)).map_err(wrong)?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    fn secret(&self, name: &str) -> PathBuf {
        self.dir.join("secrets").join(name)
    }

    fn public(&self, name: &str, octets: &[u8]) -> Outcome<()> {
        self.write(name, octets, 0o644)
    }

    fn private(&self, name: &str, octets: &[u8]) -> Outcome<()> {
        self.write(name, octets, 0o600)
    }

    fn pair(&self, name: &str, issued: &Issued) -> Outcome<()> {
        self.public(&format!("secrets/{name}.pem"), issued.certificate().pem().as_bytes())?;
        self.private(&format!("secrets/{name}.key"), &issued.key_pem().map_err(pki)?)
    }

    fn write(&self, name: &str, octets: &[u8], mode: u32) -> Outcome<()> {
        let path = self.dir.join(name);
        let mut options = fs::OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(mode).open(&path);
        let written = opened.and_then(|mut file| file.write_all(octets));
        written.map_err(|e| Failure::cannot_create(format!("{}: {e}", path.display())))
    }

    fn conf(&self, arguments: &DevInit, domain: &KepDomain) -> Outcome<PathBuf> {
        let at = |n: u16| format!("127.0.0.1:{}", arguments.base_port + n);
        let policy = match arguments.signature {
            crate::arguments::Signature::Required => "required",
            crate::arguments::Signature::Hold => "hold",
            crate::arguments::Signature::Optional => "optional",
        };
        let texts: BTreeMap<&str, toml::Value> = [
            ("provider.domain", domain.to_string()),
            ("provider.name", format!("Geliştirme KEP Hizmet Sağlayıcısı {domain}")),
            ("listen.submission_tls", at(0)),
            ("listen.submission_starttls", at(1)),
            ("listen.imap_tls", at(2)),
            ("listen.imap_starttls", at(3)),
            ("listen.relay", at(4)),
            ("listen.portal", at(5)),
            ("listen.metrics", at(6)),
            ("listen.tsa", at(7)),
            ("tls.certificate", "secrets/tls.pem".to_owned()),
            ("tls.key", "secrets/tls.key".to_owned()),
            ("seal.key", "secrets/seal.key".to_owned()),
            ("seal.certificate", "secrets/seal.pem".to_owned()),
            ("timestamp.url", format!("http://{}/", at(7))),
            ("authority.key", "secrets/tsa.key".to_owned()),
            ("authority.certificate", "secrets/tsa.pem".to_owned()),
            ("authority.registers", "secrets/registers".to_owned()),
            ("trust.user_anchors", "trust/user-ca.pem".to_owned()),
            ("trust.seal_anchors", "trust/seal-ca.pem".to_owned()),
            ("trust.tsa_anchors", "trust/tsa-ca.pem".to_owned()),
            ("accept.signature", policy.to_owned()),
        ]
        .into_iter()
        .map(|(key, value)| (key, toml::Value::String(value)))
        .collect();
        let text = settings::conf(&texts).map_err(Failure::software)?;
        self.private("kep.toml", text.as_bytes())?;
        Ok(self.dir.join("kep.toml"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_numbers_check() {
        // The rule of the population registry, on a number made up for documentation.
        assert_eq!(identity_number(&[0, 0, 0, 0, 0, 0, 0, 0, 1]), "10000000146");
        assert_eq!(name("ali.veli"), "Ali Veli");
    }
}
