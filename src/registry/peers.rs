//! The other providers of the circuit, each parsed once from its row: where it is, by what it is known,
//! how its evidence and dispatches are sealed, how evidence is written for it.

use super::RegistryError;
use super::audit::{self, By};
use crate::store::providers::{self as rows, ProviderRow, SealRow};
use crate::store::{Lane, RowsError, Store, Tx, listed_providers, relay};
use crate::trust::Certificate;
use crate::trust::tls::{PeerTrust, is_pinned};
use crate::wire::rem::Dialect;
use crate::wire::{Digest, KepAddress, KepDomain, Timestamp, is_host};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt;

/// A provider as the registry has it.
#[derive(Clone, Debug)]
pub struct Peer {
    pub domain: KepDomain,
    pub name: String,
    pub state: PeerState,
    pub route: Route,
    /// By what its server is known. Without it nothing is sent.
    pub tls: Option<PeerTls>,
    /// In the order they came; several are good while one follows another.
    pub seals: Vec<PeerSeal>,
    /// What it must show when it connects to us: SHA-256 of its certificate or key. None: its seal
    /// alone tells who it is.
    pub client_pins: Vec<Digest>,
    pub dialect: PeerDialect,
    /// Octets of a dispatch.
    pub size_limit: Option<u64>,
    pub added_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerState {
    Active,
    /// Nothing is sent and nothing taken, for a time.
    Suspended {
        since: Timestamp,
    },
    /// For good.
    Closed {
        since: Timestamp,
    },
}

/// Where its relay listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Route {
    Host(Host),
    /// At the mail exchangers of its domain (RFC 5321 §5).
    Mx,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// A name or an address; SNI, and the name that its certificate bears.
    pub name: String,
    pub port: u16,
}

/// By what its server is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeerTls {
    /// The registry says it itself.
    Registered(PeerTrust),
    /// Its signed zone says it (RFC 7672).
    Dane,
    /// Its policy says it (RFC 8461).
    MtaSts,
}

/// One of its seal certificates, and when what it seals is taken.
#[derive(Clone, Debug)]
pub struct PeerSeal {
    pub certificate: Certificate,
    pub from: Timestamp,
    pub until: Timestamp,
}

/// In which standard's XML its dispatches and its evidence are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PeerDialect {
    One(Dialect),
    Both,
}

impl Default for PeerDialect {
    fn default() -> Self {
        Self::One(Dialect::Ts102640)
    }
}

/// What is wrong with a provider's row.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PeerFault {
    #[error("{0} is not a provider's domain")]
    Domain(String),
    #[error("{0} is neither host:port nor mx")]
    Route(String),
    #[error("{0} tells no server")]
    Tls(String),
    #[error("{0} is not a SHA-256 in hexadecimal")]
    Pin(String),
    #[error("the issuers of its server: {0}")]
    Issuers(String),
    #[error("a seal: {0}")]
    Seal(String),
    #[error("{0} is no state")]
    State(String),
    #[error("{0} is no dialect")]
    Dialect(String),
}

impl Peer {
    pub fn parse(row: &ProviderRow) -> Result<Self, PeerFault> {
        let domain = KepDomain::registered(&row.domain);
        Ok(Self {
            domain: domain.map_err(|_| PeerFault::Domain(row.domain.clone()))?,
            name: row.name.clone(),
            state: PeerState::parse(&row.state, row.since)?,
            route: route(row)?,
            tls: tls(row)?,
            seals: row.seals.iter().map(PeerSeal::parse).collect::<Result<_, _>>()?,
            client_pins: pins(&row.client_pins)?,
            dialect: PeerDialect::parse(&row.dialect)?,
            size_limit: row.size_limit.and_then(|limit| limit.try_into().ok()),
            added_at: row.added_at,
        })
    }

    pub fn find(tx: &mut Tx<'_>, domain: &KepDomain) -> Result<Option<Self>, RowsError> {
        let row = rows::find(tx, domain.as_str())?;
        let stored = |_| RowsError::Stored("another provider");
        row.as_ref().map(Self::parse).transpose().map_err(stored)
    }

    /// Whose users have addresses under a domain: the provider's own, or one that it has beside that.
    pub fn answering(tx: &mut Tx<'_>, domain: &KepDomain) -> Result<Option<Self>, RowsError> {
        if let Some(peer) = Self::find(tx, &domain.provider())? {
            return Ok(Some(peer));
        }
        let provider = rows::of_domain(tx, domain.as_str())?;
        let provider = provider.and_then(|provider| KepDomain::registered(&provider).ok());
        provider.map_or(Ok(None), |provider| Self::find(tx, &provider))
    }

    /// Where evidence goes: in the circuit the name is agreed upon, elsewhere it is the one in the seal.
    pub fn service_address(&self) -> Option<KepAddress> {
        if self.domain.is_kep() {
            return KepAddress::parse(&format!("kepservisi@{}", self.domain)).ok();
        }
        let named = self.seals.iter().rev().flat_map(|seal| seal.certificate.emails());
        named.filter_map(|email| KepAddress::registered(email).ok()).next()
    }

    /// All that can be read: one that is damaged hides no other.
    pub fn all(tx: &mut Tx<'_>) -> Result<Vec<Self>, RowsError> {
        let rows = rows::all(tx)?;
        Ok(rows.iter().filter_map(|row| Self::parse(row).ok()).collect())
    }

    /// Whether this is a certificate that its client shows.
    pub fn shows(&self, client: Option<&[u8]>) -> bool {
        client.is_some_and(|client| is_pinned(client, &self.client_pins))
    }

    /// The seals that are good at a time.
    pub fn seals_at(&self, at: Timestamp) -> impl Iterator<Item = &PeerSeal> {
        self.seals.iter().filter(move |seal| seal.from <= at && at <= seal.until)
    }
}

fn route(row: &ProviderRow) -> Result<Route, PeerFault> {
    match row.route.as_str() {
        "" => Host::parse(&row.host).map(Route::Host),
        MX => Ok(Route::Mx),
        text => Err(PeerFault::Route(text.to_owned()))
            .ok()
            .filter(|route| *route == Route::Mx)
            .ok_or_else(|| PeerFault::Route(text.to_owned())),
    }
}

fn tls(row: &ProviderRow) -> Result<Option<PeerTls>, PeerFault> {
    match row.tls_by.as_str() {
        "" => Ok(trust(row)?.map(PeerTls::Registered)),
        word => PeerTls::by(word).map(Some).ok_or_else(|| PeerFault::Tls(word.to_owned())),
    }
}

fn trust(row: &ProviderRow) -> Result<Option<PeerTrust>, PeerFault> {
    let pins = pins(&row.tls_pins)?;
    if !pins.is_empty() {
        return Ok(Some(PeerTrust::Pins(pins)));
    }
    if row.tls_ca.is_empty() {
        return Ok(None);
    }
    let issuers = Certificate::from_pem_kept(row.tls_ca.as_bytes());
    let issuers = issuers.map_err(|error| PeerFault::Issuers(error.to_string()))?;
    Ok(Some(PeerTrust::Issuers(issuers)))
}

/// A pin as people write it: hexadecimal, with or without colons.
pub fn pin(text: &str) -> Result<Digest, PeerFault> {
    let hex: String = text.chars().filter(|c| *c != ':').collect();
    Digest::from_hex(&hex).ok_or_else(|| PeerFault::Pin(text.to_owned()))
}

fn pins(text: &str) -> Result<Vec<Digest>, PeerFault> {
    text.split_ascii_whitespace().map(pin).collect()
}

/// Pins as a row has them.
pub fn written(pins: &[Digest]) -> String {
    pins.iter().map(Digest::hex).collect::<Vec<_>>().join(" ")
}

impl PeerState {
    /// The state, as of `at`, in a row; one that is so already stays as it is.
    pub fn set(word: &str, row: &mut ProviderRow, at: Timestamp) {
        if row.state != word {
            row.state = word.to_owned();
            row.since = at;
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Closed { .. } => "closed",
        }
    }

    fn parse(word: &str, since: Timestamp) -> Result<Self, PeerFault> {
        match word {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended { since }),
            "closed" => Ok(Self::Closed { since }),
            other => Err(PeerFault::State(other.to_owned())),
        }
    }
}

impl PeerTls {
    /// `dane`, `mta-sts`: what needs no more words.
    pub fn by(word: &str) -> Option<Self> {
        [Self::Dane, Self::MtaSts].into_iter().find(|tls| tls.word() == word)
    }

    pub fn word(&self) -> &'static str {
        match self {
            Self::Registered(PeerTrust::Pins(_)) => "pin",
            Self::Registered(_) => "ca",
            Self::Dane => "dane",
            Self::MtaSts => "mta-sts",
        }
    }
}

impl Route {
    /// `mx`, or a host. (One that is called `mx` is `mx:25`.)
    pub fn parse(text: &str) -> Result<Self, PeerFault> {
        match text.eq_ignore_ascii_case(MX) {
            true => Ok(Self::Mx),
            false => Host::parse(text).map(Self::Host),
        }
    }

    /// Puts it into a row.
    pub fn set(&self, row: &mut ProviderRow) {
        (row.host, row.route) = match self {
            Self::Host(host) => (host.to_string(), String::new()),
            Self::Mx => (String::new(), MX.to_owned()),
        };
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Mx => f.write_str(MX),
        }
    }
}

impl Host {
    /// `host`, `host:port`, `[v6]:port`; without a port 25.
    pub fn parse(text: &str) -> Result<Self, PeerFault> {
        let wrong = || PeerFault::Route(text.to_owned());
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?)
            }
            _ => (text, PORT),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bare {
            Some(v6) => v6.parse::<std::net::Ipv6Addr>().map(|_| v6).map_err(|_| wrong())?,
            None if is_host(host) => host,
            None => return Err(wrong()),
        };
        Ok(Self { name: host.to_owned(), port })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}

impl PeerSeal {
    fn parse(row: &SealRow) -> Result<Self, PeerFault> {
        let certificate = Certificate::from_der_kept(&row.certificate);
        let certificate = certificate.map_err(|error| PeerFault::Seal(error.to_string()))?;
        let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
        Ok(Self {
            from: row.from.map_or(not_before, |from| from.max(not_before)),
            until: row.until.map_or(not_after, |until| until.min(not_after)),
            certificate,
        })
    }
}

impl PeerDialect {
    pub fn word(self) -> &'static str {
        match self {
            Self::One(dialect) => dialect.word(),
            Self::Both => "both",
        }
    }

    /// In the order of a mail's attachments; never empty.
    pub fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::One(Dialect::Ts102640) => &[Dialect::Ts102640],
            Self::One(Dialect::En319522) => &[Dialect::En319522],
            Self::Both => &[Dialect::Ts102640, Dialect::En319522],
        }
    }

    /// What a provider is told in; of one that the registry does not have, as everybody.
    pub fn of(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<Self, RowsError> {
        let row = rows::find(tx, provider.as_str())?;
        let known = row.and_then(|row| Self::parse(&row.dialect).ok());
        Ok(known.unwrap_or_default())
    }

    pub fn parse(word: &str) -> Result<Self, PeerFault> {
        [Self::One(Dialect::Ts102640), Self::One(Dialect::En319522), Self::Both]
            .into_iter()
            .find(|dialect| dialect.word() == word)
            .ok_or_else(|| PeerFault::Dialect(word.to_owned()))
    }
}

/// A provider of which nothing is known yet but its domain.
pub fn fresh(domain: &KepDomain, now: Timestamp) -> ProviderRow {
    ProviderRow {
        domain: domain.to_string(),
        name: String::new(),
        host: String::new(),
        state: PeerState::Active.word().to_owned(),
        since: now,
        tls_pins: String::new(),
        tls_ca: String::new(),
        tls_by: String::new(),
        route: String::new(),
        client_pins: String::new(),
        dialect: PeerDialect::default().word().to_owned(),
        size_limit: None,
        added_at: now,
        seals: Vec::new(),
    }
}

/// Adds a provider, or puts another row in its place: set by hand. Says whether it could be: its domain
/// is none that another provider has users under.
pub async fn put(store: &Store, row: ProviderRow, by: &By) -> Result<bool, RegistryError> {
    let by = by.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
        if rows::of_domain(tx, &row.domain)?.is_some_and(|owner| owner != row.domain) {
            return Ok(false);
        }
        listed_providers::forget(tx, &row.domain)?;
        rows::put(tx, &row)?;
        let details = json!({ "name": row.name, "state": row.state, "host": row.host });
        audit::record(tx, &by, "provider.add", &row.domain, details)?;
        Ok(true)
    };
    Ok(store.write(Lane::Client, work).await?)
}

/// Which domains a provider outside the circuit has users under, beside its own. Says whether they could be
/// set: none of them is another's.
pub async fn set_domains(
    store: &Store,
    provider: &KepDomain,
    domains: &[KepDomain],
    by: &By,
) -> Result<bool, RegistryError> {
    let (provider, domains, by) = (provider.to_string(), domains.to_vec(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
        for domain in &domains {
            let owner = rows::of_domain(tx, domain.as_str())?;
            let taken = owner.is_some_and(|owner| owner != provider);
            if taken || rows::find(tx, domain.as_str())?.is_some() {
                return Ok(false);
            }
        }
        let names: BTreeSet<_> = domains.iter().map(KepDomain::to_string).collect();
        let names: Vec<_> = names.into_iter().collect();
        rows::set_domains(tx, &provider, &names)?;
        audit::record(tx, &by, "provider.domains", &provider, json!({ "domains": names }))?;
        Ok(true)
    };
    Ok(store.write(Lane::Client, work).await?)
}

pub async fn domains(store: &Store, provider: &KepDomain) -> Result<Vec<String>, RegistryError> {
    let provider = provider.to_string();
    Ok(store.read(move |tx| rows::domains(tx, &provider)).await?)
}

/// Changes what is known of a provider, in one transaction; what changes is set by hand from then on,
/// whatever lists say. Says whether there is one.
pub async fn change(
    store: &Store,
    domain: &KepDomain,
    change: impl Fn(&mut ProviderRow) + Send + 'static,
    by: &By,
) -> Result<bool, RegistryError> {
    let (domain, by) = (domain.to_string(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
        rows::lock(tx, &domain)?;
        let Some(before) = rows::find(tx, &domain)? else { return Ok(false) };
        let mut row = before.clone();
        change(&mut row);
        rows::put(tx, &row)?;
        super::lists::mark(tx, &before, &row)?;
        let details = json!({ "changed": differing(&before, &row), "state": row.state });
        audit::record(tx, &by, "provider.change", &domain, details)?;
        Ok(true)
    };
    Ok(store.write(Lane::Client, work).await?)
}

/// What two rows of one provider say differently.
fn differing(before: &ProviderRow, after: &ProviderRow) -> Vec<&'static str> {
    let tls = |row: &ProviderRow| [&row.tls_pins, &row.tls_ca, &row.tls_by].map(Clone::clone);
    let parts = [
        ("name", before.name != after.name),
        ("host", before.host != after.host || before.route != after.route),
        ("state", before.state != after.state),
        ("tls", tls(before) != tls(after)),
        ("client-pins", before.client_pins != after.client_pins),
        ("dialect", before.dialect != after.dialect),
        ("size-limit", before.size_limit != after.size_limit),
        ("seals", before.seals != after.seals),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// It has ceased to serve: what waits for it comes to its end, held or not (`deliver::run`). Says whether
/// there is one.
pub async fn close(store: &Store, domain: &KepDomain, by: &By) -> Result<bool, RegistryError> {
    let at = by.at;
    change(store, domain, move |row| PeerState::set("closed", row, at), by).await
}

/// How a provider was taken out of the registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    Removed,
    Unknown,
    /// Mail waits for it: it is closed first, so that what waits comes to its end.
    Waited,
}

pub async fn remove(store: &Store, domain: &KepDomain, by: &By) -> Result<Removal, RegistryError> {
    let (domain, by) = (domain.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        if relay::waits_for(tx, &domain)? {
            return Ok(Removal::Waited);
        }
        if !rows::remove(tx, domain.as_str())? {
            return Ok(Removal::Unknown);
        }
        audit::record(tx, &by, "provider.remove", domain.as_str(), json!({}))?;
        Ok(Removal::Removed)
    };
    Ok(store.write(Lane::Client, work).await?)
}

/// The rows as they are: one that is damaged hides no other.
pub async fn list(store: &Store) -> Result<Vec<ProviderRow>, RegistryError> {
    Ok(store.read(rows::all).await?)
}

pub async fn find(store: &Store, domain: &KepDomain) -> Result<Option<ProviderRow>, RegistryError> {
    let domain = domain.to_string();
    Ok(store.read(move |tx| rows::find(tx, &domain)).await?)
}

/// RFC 5321 §2.3.10: where SMTP between servers is spoken.
const PORT: u16 = 25;
const MX: &str = "mx";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_a_host_and_a_port() {
        let parse = |text: &str| Route::parse(text).map(|route| route.to_string());
        assert_eq!(parse("relay.hs06.kep.tr").unwrap(), "relay.hs06.kep.tr:25");
        assert_eq!(parse("127.0.0.1:42504").unwrap(), "127.0.0.1:42504");
        assert_eq!(parse("[::1]:2525").unwrap(), "[::1]:2525");
        assert_eq!(parse("[::1]").unwrap(), "[::1]:25");
        for wrong in ["", ":25", "a b:25", "x:0", "x:70000", "x:", "::1", "[x]:25", "-x:25", "a..b"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_route_may_lead_over_the_exchangers_of_the_domain() {
        let parse = |text: &str| Route::parse(text).unwrap();
        assert_eq!((parse("mx"), parse("MX")), (Route::Mx, Route::Mx));
        assert_eq!(parse("mx:25").to_string(), "mx:25", "a host of that name");
        assert_eq!(PeerTls::by("dane"), Some(PeerTls::Dane));
        assert_eq!((PeerTls::by("ca"), PeerTls::by("")), (None, None));
    }

    #[test]
    fn pins_are_read_as_people_write_them() {
        let plain = "0f".repeat(32);
        let colons = ["0F"; 32].join(":");
        assert_eq!(pin(&plain), pin(&colons));
        assert_eq!(pins(&written(&[pin(&plain).unwrap()])).unwrap(), [pin(&plain).unwrap()]);
        assert!(pin("0f0f").is_err());
        assert!(pin(&"zz".repeat(32)).is_err());
    }
}
