//! Builds trust, store and rooms from the settings, in that order.

mod archive;
mod notify;
mod people;

pub use notify::{notify, ways};
pub use people::people;

use crate::door::MailDoor;
use crate::failure::{Failure, Outcome};
use crate::settings::{self, Rows, SealSource, Settings, SignaturePolicy};
use crate::texts;
use kep::accept::check::Limits;
use kep::accept::run::Desk;
use kep::accept::scan::{Clamd, Scanner, Scanning};
use kep::accept::{Rejections, ask, relay};
use kep::certify::Sealing;
use kep::deliver::dial::Patience;
use kep::deliver::incoming::Consigning;
use kep::deliver::{Relay, Rules, Who};
use kep::evidence::{Facts, Issuer};
use kep::mailbox::answer::Gate;
use kep::mailbox::autoconfig::{Directions, Door, Security, Service};
use kep::registry::audit::seal::AuditSeals;
use kep::registry::budget::Budget;
use kep::registry::caretaker::Caretaker;
use kep::registry::directory::{self, Directory, dial::CentralDirectory};
use kep::registry::holidays::{Calendar, SHIPPED};
use kep::registry::lists::{FETCH, Refresh};
use kep::registry::login::{Logins, Pauses};
use kep::registry::mta_sts::{Policies, PolicySettings};
use kep::registry::places::Places;
use kep::registry::route::Routes;
use kep::registry::{Provider, SignatureRule};
use kep::store::backup;
use kep::store::{RowsAt, RowsError, Store, StoreError};
use kep::trust::detached::Word;
use kep::trust::dial::Dial;
use kep::trust::dns::{Dns, DnsSettings};
use kep::trust::password::Passwords;
use kep::trust::pki::CertificateAuthority;
use kep::trust::serve::{Development, Register};
use kep::trust::signer::{self, KeyChoice, TokenChoice};
use kep::trust::tsa::Authority;
use kep::trust::vault::Vault;
use kep::trust::{
    self, Anchors, Clock, Collector, OnUnknown, Readiness, Revocation, RevocationSettings, Role,
    Signer, SignerSource, StampSettings, StampSource, Stamper, TokenVerifier, TrustError,
    UserTrust,
};
use kep::wire::KepAddress;
use kep::wire::lists::ListKind;
use secrecy::SecretString;
use std::fs::DirBuilder;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads a configuration file; every problem of it is in the failure.
pub fn settings(path: &Path) -> Outcome<Settings> {
    let (text, base) = configuration(path)?;
    Settings::parse(&text, base).map_err(|problems| wrong(path, &problems))
}

/// The same, with what can be had in spite of a failure.
pub fn settings_partly(path: &Path) -> Outcome<(Settings, Option<Failure>)> {
    let (text, base) = configuration(path)?;
    let (settings, problems) = Settings::parse_partly(&text, base);
    let failure = (!problems.0.is_empty()).then(|| wrong(path, &problems));
    match (settings, failure) {
        (Some(settings), failure) => Ok((settings, failure)),
        (None, failure) => Err(failure.unwrap_or_else(|| wrong(path, &problems))),
    }
}

fn configuration(path: &Path) -> Outcome<(String, &Path)> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::config(format!("{}: {error}", path.display()))
            .hint("name the configuration with --conf FILE, or make one with `kep dev init DIR`")
    })?;
    Ok((text, path.parent().unwrap_or(Path::new(""))))
}

fn wrong(path: &Path, problems: &settings::Problems) -> Failure {
    let lines: Vec<_> = problems.0.iter().map(|problem| line(path, problem)).collect();
    Failure::config(lines.join("\nkep: "))
}

fn line(path: &Path, problem: &settings::Problem) -> String {
    let place = problem.line.map_or(String::new(), |line| format!(":{line}"));
    let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("\nhint: {hint}"));
    format!("{}{place}: {}{hint}", path.display(), problem.what)
}

/// The store for a command: one that is there. Only the server makes or migrates it, as the user
/// whom it belongs to.
pub async fn store(settings: &Settings) -> Outcome<Store> {
    let found = find_store(settings).await?;
    found.ok_or_else(|| {
        let (_, blobs) = place(&settings.data);
        let place = match &settings.data.rows {
            Rows::Sqlite => settings.data.dir.display().to_string(),
            Rows::Postgres(_) => format!("{} and its database", blobs.display()),
        };
        Failure::not_found(format!("there is no store at {place}"))
            .hint("`kep serve` makes it at its first start; is [data] of the configuration right?")
    })
}

/// `None` where there is no store.
pub async fn find_store(settings: &Settings) -> Outcome<Option<Store>> {
    let vault = vault(settings)?;
    let (rows, blobs) = (rows(&settings.data)?, place(&settings.data).1);
    match Store::find(&rows, &blobs, vault).await {
        Ok(store) => Ok(Some(store)),
        Err(StoreError::Absent(_) | StoreError::Rows(RowsError::NoSchema)) => Ok(None),
        Err(error @ StoreError::Rows(RowsError::InClear)) => Err(storage(&error).hint(IN_CLEAR)),
        Err(error @ StoreError::Rows(RowsError::OlderSchema { .. })) => {
            Err(storage(&error).hint("`kep serve` brings it up to date when it starts"))
        }
        Err(error @ StoreError::Rows(RowsError::HalfRestored)) => {
            Err(storage(&error).hint(RESTORE_AGAIN))
        }
        Err(error) => Err(storage(&error)),
    }
}

/// Opens rows and blobs, and makes them where there are none.
pub async fn make_store(settings: &Settings) -> Outcome<Store> {
    let vault = vault(settings)?;
    let dir = &settings.data.dir;
    own_folder(dir).map_err(|e| Failure::cannot_create(format!("{}: {e}", dir.display())))?;
    if backup::unfinished(dir) {
        let what = format!("a restore to {} did not end", dir.display());
        return Err(Failure::unavailable(what).hint(RESTORE_AGAIN));
    }
    let (rows, blobs) = (rows(&settings.data)?, place(&settings.data).1);
    Store::open(&rows, &blobs, vault).await.map_err(|error| match &error {
        StoreError::Rows(RowsError::InClear) => storage(&error).hint(IN_CLEAR),
        StoreError::Rows(RowsError::HalfRestored) => storage(&error).hint(RESTORE_AGAIN),
        _ => storage(&error),
    })
}

fn storage(error: &StoreError) -> Failure {
    Failure::unavailable(format!("storage: {error}"))
}

pub fn vault(settings: &Settings) -> Outcome<Arc<Vault>> {
    let vault = Vault::open(&settings.vault.master_key).map_err(|error| {
        Failure::config(error).hint(match has_contents(settings) {
            true => "the master key decrypts all contents; restore it from its copy",
            false => "`kep vault init` makes the master key of a new provider",
        })
    });
    vault.map(Arc::new)
}
/// Where the rows' file and the blobs lie.
fn place(data: &settings::Data) -> (PathBuf, PathBuf) {
    let blobs = data.blobs.clone().unwrap_or_else(|| data.dir.join("blobs"));
    (data.dir.join("kep.sqlite"), blobs)
}

/// Whether anything was ever stored.
pub fn has_contents(settings: &Settings) -> bool {
    let (rows, blobs) = place(&settings.data);
    rows.exists() || std::fs::read_dir(blobs).is_ok_and(|mut entries| entries.next().is_some())
}

/// Where rows and blobs rest.
pub fn places(settings: &Settings) -> Outcome<(RowsAt, PathBuf)> {
    Ok((rows(&settings.data)?, place(&settings.data).1))
}

fn rows(data: &settings::Data) -> Outcome<RowsAt> {
    Ok(match &data.rows {
        Rows::Sqlite => RowsAt::File(place(data).0),
        Rows::Postgres(url) => RowsAt::Postgres(with_password(url, data)?),
    })
}

/// Makes a folder that is nobody else's; one that is there keeps its mode.
pub fn own_folder(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn with_password(url: &str, data: &settings::Data) -> Outcome<String> {
    let Some(file) = &data.rows_password_file else { return Ok(url.to_owned()) };
    let password = secret(file)?;
    let separator = if url.contains('?') { '&' } else { '?' };
    let encoded: String = secrecy::ExposeSecret::expose_secret(&password)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    Ok(format!("{url}{separator}password={encoded}"))
}

pub fn provider(settings: &Settings) -> Outcome<Provider> {
    let declared = &settings.provider;
    Ok(Provider {
        domain: declared.domain.clone(),
        name: declared.name.clone(),
        street: declared.address.clone(),
        postal_code: declared.postal_code.clone(),
        locality: declared.locality.clone(),
        country: declared.country.as_str().to_owned(),
        policy_uris: declared.policy_uris.iter().map(|uri| uri.as_str().to_owned()).collect(),
        portal_url: settings.opening.portal_url.as_ref().map(|url| url.as_str().to_owned()),
        texts: texts::read(settings.texts.dir.as_deref())?,
    })
}

/// Where mail programs connect, as the settings have it.
pub fn directions(settings: &Settings) -> Directions {
    let (listen, provider) = (&settings.listen, &settings.provider);
    let doors = [
        (Service::Imap, Security::Tls, listen.imap_tls),
        (Service::Imap, Security::StartTls, listen.imap_starttls),
        (Service::Submission, Security::Tls, listen.submission_tls),
        (Service::Submission, Security::StartTls, listen.submission_starttls),
    ];
    let door = |(service, security, address): (Service, Security, Option<SocketAddr>)| {
        Some(Door { service, security, port: address?.port() })
    };
    Directions {
        domain: provider.domain.clone(),
        name: provider.name.clone(),
        host: provider.mail_host.clone().unwrap_or_else(|| provider.domain.to_string()),
        doors: doors.into_iter().filter_map(door).collect(),
        answered: listen.autoconfig.is_some(),
    }
}

pub fn rule(policy: SignaturePolicy) -> SignatureRule {
    match policy {
        SignaturePolicy::Required => SignatureRule::Required,
        SignaturePolicy::Hold => SignatureRule::Hold,
        SignaturePolicy::Optional => SignatureRule::Optional,
    }
}

/// The seal's key, from a file or a token.
pub fn seal(settings: &Settings) -> Outcome<Arc<dyn Signer>> {
    let source = match settings.seal.source {
        SealSource::File => SignerSource::File {
            key: named(settings.seal.key.as_ref(), "seal.key")?,
            certificate: settings.seal.certificate.clone(),
        },
        SealSource::Pkcs11 => {
            let token = &settings.seal_pkcs11;
            SignerSource::Pkcs11 {
                module: named(token.module.as_ref(), "seal.pkcs11.module")?,
                token: TokenChoice::Label(named(token.token.as_ref(), "seal.pkcs11.token")?),
                pin: secret(&named(token.pin_file.as_ref(), "seal.pkcs11.pin_file")?)?,
                key: KeyChoice::Label(named(token.key_label.as_ref(), "seal.pkcs11.key_label")?),
                certificate: Some(settings.seal.certificate.clone()),
            }
        }
    };
    signer::open(&source).map_err(|error| Failure::config(format!("seal: {error}")))
}

pub fn stamper(settings: &Settings, clock: &Clock) -> Outcome<Stamper> {
    let source = match &settings.timestamp.url {
        Some(url) => StampSource::Http { url: url.as_str().to_owned() },
        None => StampSource::Embedded(Arc::new(authority(settings)?), clock.clone()),
    };
    stamper_with(source, settings, clock)
}

/// The stamper of a server: when the authority is its own, it is asked without a socket. Queries,
/// replies and their checks are the same.
fn own_stamper(settings: &Settings, clock: &Clock) -> Outcome<Stamper> {
    match own_authority(settings) {
        true => {
            let source = StampSource::Embedded(Arc::new(authority(settings)?), clock.clone());
            stamper_with(source, settings, clock)
        }
        false => stamper(settings, clock),
    }
}

/// Whether time stamps come from the development authority that `kep serve` runs itself.
pub fn own_authority(settings: &Settings) -> bool {
    let url = settings.timestamp.url.as_ref().map(|url| url.as_str().trim_end_matches('/'));
    let address = settings.listen.tsa.filter(|address| address.port() != 0);
    let own = address.map(|address| format!("http://{address}"));
    settings.authority.key.is_some() && own.is_some() && url == own.as_deref()
}

fn stamper_with(source: StampSource, settings: &Settings, clock: &Clock) -> Outcome<Stamper> {
    let wrong = |error: TrustError| Failure::config(format!("timestamp: {error}"));
    let anchors = Anchors::load(&settings.trust.tsa_anchors).map_err(wrong)?;
    let verifier = TokenVerifier::new(anchors, Vec::new());
    let declared = &settings.timestamp;
    let how = StampSettings {
        timeout: declared.timeout,
        drift: declared.max_drift,
        policy: declared.policy.as_ref().map(|policy| policy.as_str().to_owned()),
        ..StampSettings::default()
    };
    Stamper::new(source, verifier, clock.clone(), &how).map_err(wrong)
}

fn authority(settings: &Settings) -> Outcome<Authority> {
    let source = SignerSource::File {
        key: named(settings.authority.key.as_ref(), "authority.key")?,
        certificate: named(settings.authority.certificate.as_ref(), "authority.certificate")?,
    };
    let signer = signer::open(&source);
    Ok(Authority::new(signer.map_err(|e| Failure::config(format!("authority: {e}")))?))
}

/// The development authority: time stamps, and the status of what its registers issued.
pub fn development(settings: &Settings, clock: &Clock) -> Outcome<Development> {
    let mut registers = Vec::new();
    if let Some(dir) = &settings.authority.registers {
        let wrong = |what: String| Failure::config(format!("authority.registers: {what}"));
        let entries =
            std::fs::read_dir(dir).map_err(|e| wrong(format!("{}: {e}", dir.display())))?;
        for entry in entries.flatten() {
            let key = entry.path();
            let Some(name) = key.file_name().and_then(|n| n.to_str()?.strip_suffix(".key")) else {
                continue;
            };
            let read = |path: &Path| {
                std::fs::read(path).map_err(|e| wrong(format!("{}: {e}", path.display())))
            };
            let certificate = read(&key.with_extension("pem"))?;
            let authority = CertificateAuthority::from_pem(&read(&key)?, &certificate);
            registers.push(Register {
                name: name.to_owned(),
                authority: authority.map_err(|e| wrong(e.to_string()))?,
                file: key.with_extension("revoked"),
            });
        }
    }
    Ok(Development { stamps: authority(settings)?, registers, clock: clock.clone() })
}

pub fn users(settings: &Settings) -> Outcome<UserTrust> {
    let trust = &settings.trust;
    let wrong = |error: TrustError| Failure::config(format!("trust: {error}"));
    let anchors = Anchors::load(&trust.user_anchors).map_err(wrong)?;
    let on_unknown = match trust.revocation {
        settings::Revocation::Require => Some(OnUnknown::Refuse),
        settings::Revocation::Prefer => Some(OnUnknown::Accept),
        settings::Revocation::Off => None,
    };
    let revocation = on_unknown.map(|on_unknown| {
        let (timeout, refresh) = (trust.revocation_timeout, trust.cache);
        Revocation::new(RevocationSettings { timeout, refresh, on_unknown })
    });
    Ok(UserTrust::new(anchors, Vec::new(), revocation.transpose().map_err(wrong)?))
}

/// The seal's certificate up to its anchor; one that nobody could trust seals nothing.
pub fn seal_path(settings: &Settings, seal: &Arc<dyn Signer>) -> Outcome<trust::Path> {
    let wrong = |error: String| {
        Failure::config(format!("seal: {error}")).hint(
            "seal.certificate must be a seal certificate, with its chain behind it, of an authority \
             in trust.seal_anchors",
        )
    };
    let anchors = Anchors::load(&settings.trust.seal_anchors).map_err(|e| wrong(e.to_string()))?;
    let path = anchors.path(seal.certificate(), seal.chain(), Role::Seal);
    path.map_err(|error| wrong(error.to_string()))
}

/// What is asked about our own certificates; it holds up nothing.
pub fn collector(settings: &Settings, clock: &Clock) -> Outcome<Option<Arc<Collector>>> {
    let trust = &settings.trust;
    if trust.revocation == settings::Revocation::Off {
        return Ok(None);
    }
    let (timeout, refresh) = (trust.revocation_timeout, trust.cache);
    let on_unknown = OnUnknown::Accept;
    let revocation = Revocation::new(RevocationSettings { timeout, refresh, on_unknown });
    let revocation = revocation.map_err(|e| Failure::config(format!("trust: {e}")))?;
    Ok(Some(Arc::new(Collector::new(revocation, clock.clone()))))
}

pub fn calendar(settings: &Settings) -> Outcome<Calendar> {
    let text = match &settings.opening.holidays {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|e| Failure::config(format!("{}: {e}", path.display())))?,
        None => SHIPPED.to_owned(),
    };
    Calendar::parse(&text).map_err(|error| Failure::config(format!("opening.holidays: {error}")))
}

/// What takes mail to other providers.
fn relay(settings: &Settings, provider: &Provider, store: &Store, clock: &Clock) -> Outcome<Relay> {
    let service = KepAddress::parse(&provider.service_address());
    let service = service.map_err(|_| Failure::software("the service address"))?;
    let host = settings.provider.mail_host.clone();
    let who = Who {
        host: host.unwrap_or_else(|| provider.domain.to_string()),
        service,
        tls: settings.tls.certificate.clone().zip(settings.tls.key.clone()),
    };
    let declared = &settings.relay;
    let rules = Rules {
        window: declared.window,
        silence: declared.silence,
        evidence: declared.evidence_window,
        connections: declared.max_connections_per_provider as usize,
    };
    let routes = routes(settings, store)?;
    Ok(Relay::new(store.clone(), clock.clone(), who, routes, rules, Patience::default()))
}

/// The ways to other providers.
pub fn routes(settings: &Settings, store: &Store) -> Outcome<Routes> {
    let (names, declared) = (&settings.dns, &settings.relay);
    let dns = Dns::open(&DnsSettings {
        resolvers: names.resolvers.clone(),
        anchors: names.trust_anchor.clone(),
        timeout: names.timeout,
        longest: names.max_ttl,
    });
    let dns = dns.map_err(|error| Failure::config(format!("dns: {error}")))?;
    let policies = PolicySettings {
        port: declared.policy_port,
        timeout: declared.policy_timeout,
        authorities: declared.public_authorities.clone(),
    };
    let policies = Policies::new(store.clone(), dns.clone(), policies);
    Ok(Routes::new(dns, policies, declared.mx_port))
}

/// What fetches lists of providers; none where the settings name none.
pub fn refresh(settings: &Settings, store: &Store, clock: &Clock) -> Outcome<Option<Refresh>> {
    let declared = &settings.lists;
    let trusted = declared.trusted.iter().map(|url| (ListKind::TrustedList, url.to_string()));
    let csi = declared.csi.iter().map(|url| (ListKind::Csi, url.to_string()));
    let places: Vec<_> = trusted.chain(csi).collect();
    if places.is_empty() {
        return Ok(None);
    }
    let dial = Dial::safe(FETCH).map_err(|e| Failure::software(format!("lists: {e}")))?;
    Ok(Some(Refresh {
        store: store.clone(),
        clock: clock.clone(),
        dial,
        ours: settings.provider.domain.clone(),
        signers: declared.signers.clone(),
        csi_signers: declared.csi_signers.clone(),
        places,
        every: declared.every,
    }))
}

/// The machine's clock; where the development authority stamps, it may be moved by
/// `KEP_DEV_CLOCK_OFFSET_SECS`, so that legal times can be tried without waiting for them.
pub fn clock(settings: &Settings) -> Outcome<Clock> {
    let Ok(offset) = std::env::var("KEP_DEV_CLOCK_OFFSET_SECS") else { return Ok(Clock::System) };
    let url = settings.timestamp.url.as_ref().map(|url| url.as_str());
    let near = url.is_none_or(|url| LOOPBACK.iter().any(|start| url.starts_with(start)));
    let stamps_itself = near
        && settings.authority.key.is_some()
        && (settings.listen.tsa.is_some() || url.is_none());
    if !stamps_itself {
        return Err(Failure::config("KEP_DEV_CLOCK_OFFSET_SECS is for the development authority")
            .hint("a provider's clock is never moved; unset the variable"));
    }
    let secs: i64 = offset.parse().map_err(|_| {
        Failure::config(format!("KEP_DEV_CLOCK_OFFSET_SECS: {offset} is no number of seconds"))
    })?;
    tracing::warn!(secs, "the clock is moved");
    Ok(Clock::moved(secs.saturating_mul(1000)))
}

/// Where copies of the audit's seals lie.
pub fn audit_copies(settings: &Settings) -> PathBuf {
    settings.audit.copies.clone().unwrap_or_else(|| settings.data.dir.join("audit"))
}

/// What seals the audit by hand.
pub async fn audit_seals(settings: &Settings, store: Store) -> Outcome<AuditSeals> {
    let (provider, word) = (settings.provider.domain.to_string(), word(settings).await?);
    Ok(AuditSeals { store, provider, word, copies: audit_copies(settings) })
}

/// The provider's own word, for a command that gives it.
pub async fn word(settings: &Settings) -> Outcome<Word> {
    let clock = clock(settings)?;
    let seal = seal(settings)?;
    let stamper = Arc::new(own_stamper(settings, &clock)?);
    let path = seal_path(settings, &seal)?;
    let collector = collector(settings, &clock)?;
    let readiness = Readiness::new(path, Arc::clone(&stamper), collector.clone(), clock.clone());
    // A server knows it already.
    if let Some(collector) = &collector {
        let patience = settings.trust.revocation_timeout;
        let _ = tokio::time::timeout(patience, collector.round()).await;
    }
    Ok(Word { seal, stamper, readiness: Arc::new(readiness), clock })
}

/// The central directory, where one is named.
pub fn central(settings: &Settings) -> Outcome<Option<Arc<CentralDirectory>>> {
    let declared = &settings.directory;
    let Some(url) = &declared.url else { return Ok(None) };
    let token = declared.token_file.as_deref().map(secret).transpose()?;
    let central = CentralDirectory::new(url.as_str(), token, declared.timeout);
    central.map(|central| Some(Arc::new(central))).map_err(Failure::config)
}

/// Who answers questions to the directory.
pub fn directory(settings: &Settings, store: &Store) -> Outcome<Directory> {
    let (store, ours) = (store.clone(), settings.provider.domain.clone());
    Ok(Directory { store, ours, central: central(settings)? })
}

/// Who keeps the central directory current.
pub fn push(settings: &Settings, store: &Store, clock: &Clock) -> Outcome<directory::run::Push> {
    let (store, clock) = (store.clone(), clock.clone());
    Ok(directory::run::Push { store, clock, central: central(settings)? })
}

/// All that a running provider consists of.
pub struct House {
    pub settings: Settings,
    pub store: Store,
    pub clock: Clock,
    pub logins: Arc<Logins>,
    pub users: Arc<UserTrust>,
    /// One for all protocols.
    pub pauses: Arc<Pauses>,
    pub places: Arc<Places>,
    pub desk: Arc<Desk>,
    pub sealing: Arc<Sealing>,
    pub consigning: Arc<Consigning>,
    pub facts: Arc<Facts>,
    pub relay: Arc<Relay>,
    pub readiness: Arc<Readiness>,
    pub collector: Option<Arc<Collector>>,
    pub stamper: Arc<Stamper>,
    /// One for all that comes in.
    pub scanner: Option<Arc<Scanner>>,
}

impl House {
    pub async fn build(settings: Settings, clock: Clock) -> Outcome<Self> {
        let provider = provider(&settings)?;
        let seal = seal(&settings)?;
        let stamper = Arc::new(own_stamper(&settings, &clock)?);
        let users = Arc::new(users(&settings)?);
        let calendar = Arc::new(calendar(&settings)?);
        let store = make_store(&settings).await?;
        let parallel = std::thread::available_parallelism().map_or(2, usize::from);
        let passwords = Passwords::new(parallel);
        let passwords = passwords.map_err(|e| Failure::software(e.to_string()))?;
        let logins = Arc::new(Logins::new(store.clone(), passwords, provider.domain.clone()));
        let collector = collector(&settings, &clock)?;
        let path = seal_path(&settings, &seal)?;
        let stamps = Arc::clone(&stamper);
        let readiness = Readiness::new(path, stamps, collector.clone(), clock.clone());
        let readiness = Arc::new(readiness);
        // Evidence of the first second has what is known, too, unless an authority keeps us waiting.
        let first = async {
            if let Some(collector) = &collector {
                collector.round().await;
            }
            readiness.probe().await;
        };
        let _ = tokio::time::timeout(FIRST_ROUND, first).await;
        let issuer = Arc::new(Issuer {
            provider: provider.clone(),
            seal,
            stamper: Arc::clone(&stamper),
            readiness: Arc::clone(&readiness),
            clock: clock.clone(),
        });
        let relay = Arc::new(relay(&settings, &provider, &store, &clock)?);
        let accept = &settings.accept;
        let room = settings.mailbox.max_storage.map(|size| size.0);
        let desk = Desk::new(
            store.clone(),
            provider,
            Arc::clone(&logins),
            Arc::clone(&users),
            Arc::clone(&readiness),
            clock.clone(),
            Limits::default(),
            accept.max_recipients as usize,
            Rejections::new(accept.max_rejections_per_hour as usize),
            room,
            Budget::BODIES,
        );
        let scanner = scanner(&settings);
        let desk = Arc::new(desk.scanned_by(scanner.clone()));
        let sealing =
            Arc::new(Sealing { store: store.clone(), issuer: Arc::clone(&issuer), storage: room });
        let consigning = Arc::new(Consigning {
            store: store.clone(),
            issuer: Arc::clone(&issuer),
            storage: room,
        });
        let facts = Arc::new(Facts {
            store: store.clone(),
            issuer: Arc::clone(&issuer),
            policies: Arc::new(settings.opening.read_policy.clone()),
            calendar,
        });
        let pauses = Arc::new(Pauses::new(settings.accept.auth_failure_delay));
        let places = Arc::new(Places::new(store.clone()));
        Ok(Self {
            settings,
            store,
            clock,
            logins,
            users,
            pauses,
            places,
            desk,
            sealing,
            consigning,
            facts,
            relay,
            readiness,
            collector,
            stamper,
            scanner,
        })
    }

    /// Writes down what time has made of accounts.
    pub fn caretaker(&self) -> Caretaker {
        let provider = self.sealing.issuer.provider.name.clone();
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Caretaker { store, clock, word: self.word(), provider }
    }

    /// The provider's own word.
    pub fn word(&self) -> Word {
        let issuer = &self.sealing.issuer;
        Word {
            seal: Arc::clone(&issuer.seal),
            stamper: Arc::clone(&issuer.stamper),
            readiness: Arc::clone(&issuer.readiness),
            clock: self.clock.clone(),
        }
    }

    /// Judges logins of mail programs.
    pub fn gate(&self) -> Gate {
        Arc::new(MailDoor {
            logins: Arc::clone(&self.logins),
            users: Arc::clone(&self.users),
            pauses: Arc::clone(&self.pauses),
            places: Arc::clone(&self.places),
            clock: self.clock.clone(),
            scram: self.settings.mailbox.scram,
        })
    }

    pub fn audit_seals(&self) -> AuditSeals {
        let (store, provider) = (self.store.clone(), self.settings.provider.domain.to_string());
        AuditSeals { store, provider, word: self.word(), copies: audit_copies(&self.settings) }
    }

    /// Scans what came while the scanner was away.
    pub fn scanning(&self) -> Scanning {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Scanning { store, scanner: self.scanner.clone(), clock }
    }

    /// Judges what other providers hand over.
    pub fn relay_desk(&self) -> Outcome<relay::Desk> {
        let stamps = Anchors::load(&self.settings.trust.tsa_anchors);
        let stamps = stamps.map_err(|error| Failure::config(format!("timestamp: {error}")))?;
        let desk = relay::Desk::new(
            self.store.clone(),
            provider(&self.settings)?,
            Arc::clone(&self.readiness),
            self.clock.clone(),
            stamps.certificates().to_vec(),
            Budget::BODIES,
        );
        Ok(desk.scanned_by(self.scanner.clone()))
    }
}

/// Who looks for viruses; nobody where the settings name none.
pub fn scanner(settings: &Settings) -> Option<Arc<Scanner>> {
    let place = settings.scan.clamd.as_ref()?.0.clone();
    Some(Arc::new(Scanner { clamd: Clamd::new(place, settings.scan.timeout) }))
}

/// What the session of submission must know; `octets`: how large a dispatch may be by policy.
pub fn submission_config(settings: &Settings, octets: Option<u64>) -> ask::Config {
    let accept = &settings.accept;
    let host = settings.provider.domain.to_string();
    let most = octets.unwrap_or(accept.max_size.0);
    let recipients = accept.max_recipients as usize;
    // The largest original whose dispatch stays within it, whoever gets it.
    let mut config = ask::Config::new(host, most.saturating_sub(kep::certify::around(recipients)));
    config.max_recipients = recipients;
    config.max_login_failures = accept.max_auth_failures;
    config
}

/// What the session of other providers must know.
pub fn relay_config(settings: &Settings, octets: Option<u64>) -> ask::Config {
    let domain = settings.provider.domain.clone();
    ask::Config::relay(domain, octets.unwrap_or(settings.accept.max_size.0))
}

fn named<T: Clone>(value: Option<&T>, key: &str) -> Outcome<T> {
    value.cloned().ok_or_else(|| Failure::config(format!("{key} is not set")))
}

/// A secret that is alone in its file.
pub fn secret(path: &Path) -> Outcome<SecretString> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::config(format!("{}: {error}", path.display())))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Where a relative data path of the command line lies.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

const RESTORE_AGAIN: &str = "say `kep restore` once more";
const IN_CLEAR: &str = "data.rows = \"postgres://…?sslmode=verify-full&sslrootcert=FILE\"; \
                        sslmode=disable where the line is safe otherwise";
/// An authority at hand answers in milliseconds.
const LOOPBACK: [&str; 3] = ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"];
const FIRST_ROUND: std::time::Duration = std::time::Duration::from_millis(1_000);
