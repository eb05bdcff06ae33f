//! The name service, for mail to other providers: mail exchangers, addresses, TLSA and text records, each
//! with whether it is signed. We judge that ourselves, from the trust anchor down: what a resolver claims
//! (the AD bit) counts for nothing. What is signed wrongly is an error, never an answer.

use super::TrustError;
use super::error::read_file;
use crate::wire::tlsa::Tlsa;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver, TokioResolver};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct DnsSettings {
    /// Whom to ask; those of the system when there are none.
    pub resolvers: Vec<SocketAddr>,
    /// DNSKEY records, as in a zone; those of the root when there is no such file.
    pub anchors: Option<PathBuf>,
    /// For one answer of one resolver.
    pub timeout: Duration,
    /// No answer is kept longer, whatever its zone says.
    pub longest: Duration,
}

/// Asks the name service, and keeps answers for a while.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
    whole: Duration,
    #[cfg(test)]
    table: Option<Arc<table::Table>>,
}

/// What there is of a kind at a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer<T> {
    /// Empty: the name has none of that kind, or there is no such name.
    pub records: Vec<T>,
    /// Where aliases led; the name that was asked for, when there are none.
    pub name: String,
    /// All of it is signed, aliases too, up to the trust anchor.
    pub secure: bool,
    /// Whether there is such a name.
    pub exists: bool,
}

/// A mail exchanger (RFC 5321 §5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mx {
    pub preference: u16,
    /// In lower case, without the final dot; empty: no mail is taken (RFC 7505).
    pub host: String,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DnsFault {
    /// Nobody answered, or not with an answer.
    #[error("{name}: the name service does not answer ({why})")]
    Silent { name: String, why: String },
    /// It is not signed as it should be.
    #[error("{name}: the answer is not signed as its zone is (DNSSEC)")]
    Bogus { name: String },
    #[error("{0} is no name")]
    Name(String),
}

impl Dns {
    pub fn open(settings: &DnsSettings) -> Result<Self, TrustError> {
        let wrong = |error: NetError| TrustError::Setting(format!("name service: {error}"));
        let (servers, mut options) = servers(&settings.resolvers);
        options.timeout = settings.timeout;
        options.attempts = ATTEMPTS;
        options.validate = true;
        options.edns0 = true;
        options.use_hosts_file = ResolveHosts::Never;
        options.cache_size = KEPT;
        options.positive_max_ttl = Some(settings.longest);
        options.negative_max_ttl = Some(settings.longest.min(ABSENT));
        let provider = TokioRuntimeProvider::default();
        let builder = Resolver::builder_with_config(servers, provider).with_options(options);
        let anchors =
            settings.anchors.as_deref().map_or_else(|| Ok(TrustAnchors::default()), anchors)?;
        let resolver = builder.with_trust_anchor(Arc::new(anchors)).build().map_err(wrong)?;
        Ok(Self {
            resolver,
            whole: settings.timeout * WHOLE,
            #[cfg(test)]
            table: None,
        })
    }

    /// Asks nobody: all answers are in the table.
    #[cfg(test)]
    pub fn of_table(table: Arc<table::Table>) -> Self {
        let nobody = DnsSettings {
            resolvers: vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 9))],
            anchors: None,
            timeout: Duration::from_secs(60),
            longest: Duration::ZERO,
        };
        Self { table: Some(table), ..Self::open(&nobody).unwrap() }
    }

    /// Asks anew from now on.
    pub fn forget(&self) {
        self.resolver.clear_cache();
    }

    pub async fn mx(&self, domain: &str) -> Result<Answer<Mx>, DnsFault> {
        #[cfg(test)]
        if let Some(table) = &self.table {
            return table.mx(domain);
        }
        self.look(domain, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(Mx { preference: mx.preference, host: plain(&mx.exchange) }),
            _ => None,
        })
        .await
    }

    /// The addresses of a host, of both kinds in turn; `secure` when all of them are. Those of one kind
    /// do when the other can't be had.
    pub async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, DnsFault> {
        #[cfg(test)]
        if let Some(table) = &self.table {
            return table.addresses(host);
        }
        let (six, four) = tokio::join!(
            self.look(host, RecordType::AAAA, |data| match data {
                RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                _ => None,
            }),
            self.look(host, RecordType::A, |data| match data {
                RData::A(address) => Some(IpAddr::V4(address.0)),
                _ => None,
            })
        );
        both(six, four)
    }

    pub async fn tlsa(&self, host: &str, port: u16) -> Result<Answer<Tlsa>, DnsFault> {
        #[cfg(test)]
        if let Some(table) = &self.table {
            return table.tlsa(host, port);
        }
        self.look(&format!("_{port}._tcp.{host}"), RecordType::TLSA, |data| match data {
            RData::TLSA(tlsa) => Some(Tlsa {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                data: tlsa.cert_data.clone(),
            }),
            _ => None,
        })
        .await
    }

    /// Each text in one piece.
    pub async fn texts(&self, name: &str) -> Result<Answer<Vec<u8>>, DnsFault> {
        #[cfg(test)]
        if let Some(table) = &self.table {
            return table.texts(name);
        }
        self.look(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => Some(text.txt_data.concat()),
            _ => None,
        })
        .await
    }

    async fn look<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, DnsFault> {
        let asked = Name::from_ascii(format!("{name}."));
        let asked = asked.map_err(|_| DnsFault::Name(name.to_owned()))?;
        let silent = |why: String| DnsFault::Silent { name: name.to_owned(), why };
        match tokio::time::timeout(self.whole, self.resolver.lookup(asked.clone(), kind)).await {
            Err(_) => Err(silent("no answer in time".to_owned())),
            Ok(Ok(lookup)) => {
                answer(&lookup, asked, kind, read).ok_or_else(|| silent("an odd answer".to_owned()))
            }
            Ok(Err(error)) => absent(&error, name).unwrap_or_else(|| {
                Err(match error {
                    NetError::Dns(DnsError::DnssecBogus | DnsError::Nsec { .. }) => {
                        DnsFault::Bogus { name: name.to_owned() }
                    }
                    error => silent(error.to_string()),
                })
            }),
        }
    }
}

/// That there is nothing, as the zone says itself.
fn absent<T>(error: &NetError, name: &str) -> Option<Result<Answer<T>, DnsFault>> {
    let NetError::Dns(DnsError::NoRecordsFound(none)) = error else { return None };
    let secure = none.soa.as_ref().is_some_and(|soa| soa.proof.is_secure());
    let exists = !error.is_nx_domain();
    Some(Ok(Answer { records: Vec::new(), name: name.to_owned(), secure, exists }))
}

/// Follows the aliases from the name that was asked for; what else stands in the answer counts for
/// nothing.
fn answer<T>(
    lookup: &Lookup,
    asked: Name,
    kind: RecordType,
    read: impl Fn(&RData) -> Option<T>,
) -> Option<Answer<T>> {
    let (mut name, mut secure) = (asked, true);
    let at = |name: &Name, kind: RecordType| -> Vec<&Record> {
        let of = |record: &&Record| record.record_type() == kind && record.name == *name;
        lookup.answers().iter().filter(of).collect()
    };
    for _ in 0..ALIASES {
        let found = at(&name, kind);
        if !found.is_empty() {
            secure &= found.iter().all(|record| record.proof.is_secure());
            let records = found.iter().filter_map(|record| read(&record.data)).collect();
            return Some(Answer { records, name: plain(&name), secure, exists: true });
        }
        let alias = at(&name, RecordType::CNAME).into_iter().next()?;
        let RData::CNAME(target) = &alias.data else { return None };
        secure &= alias.proof.is_secure();
        name = target.0.clone();
    }
    None
}

/// Addresses of both kinds, in turn.
fn both(
    six: Result<Answer<IpAddr>, DnsFault>,
    four: Result<Answer<IpAddr>, DnsFault>,
) -> Result<Answer<IpAddr>, DnsFault> {
    let (six, four) = match (six, four) {
        (Ok(six), Ok(four)) => (six, four),
        (Ok(some), Err(_)) | (Err(_), Ok(some)) if !some.records.is_empty() => return Ok(some),
        (Err(fault), _) | (_, Err(fault)) => return Err(fault),
    };
    if six.records.is_empty() || four.records.is_empty() {
        let exists = six.exists || four.exists;
        let some = if six.records.is_empty() { four } else { six };
        return Ok(Answer { exists, ..some });
    }
    let mut records = Vec::new();
    let (mut a, mut b) = (six.records.into_iter(), four.records.into_iter());
    loop {
        let next = [a.next(), b.next()];
        if next == [None, None] {
            return Ok(Answer {
                records,
                name: four.name,
                secure: six.secure && four.secure,
                exists: true,
            });
        }
        records.extend(next.into_iter().flatten());
    }
}

/// Whom to ask, and how; where the system names nobody, this machine, as the C library does.
fn servers(resolvers: &[SocketAddr]) -> (ResolverConfig, ResolverOpts) {
    if resolvers.is_empty()
        && let Ok((config, options)) = read_system_conf()
    {
        let (_, _, servers) = config.into_parts();
        if !servers.is_empty() {
            return (ResolverConfig::from_name_servers(servers), options);
        }
    }
    let this = [SocketAddr::from((Ipv4Addr::LOCALHOST, 53))];
    let all = if resolvers.is_empty() { &this[..] } else { resolvers };
    let one = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        for connection in &mut server.connections {
            connection.port = address.port();
        }
        server
    };
    (ResolverConfig::from_name_servers(all.iter().map(one).collect()), ResolverOpts::default())
}

fn anchors(path: &Path) -> Result<TrustAnchors, TrustError> {
    let octets = read_file(path)?;
    let text = std::str::from_utf8(&octets).map_err(|error| TrustError::content(path, error))?;
    if !text.contains("DNSKEY") {
        return Err(TrustError::content(path, "no DNSKEY record is in it"));
    }
    text.parse().map_err(|error| TrustError::content(path, error))
}

/// A name as we compare it.
fn plain(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// Of one resolver for one question.
const ATTEMPTS: usize = 2;
/// With all that proves an answer: a dozen questions, of which some wait.
const WHOLE: u32 = 4;
/// Names from one to the other.
const ALIASES: usize = 9;
/// Answers that are kept: a few for each provider.
const KEPT: u64 = 1024;
/// That there is nothing is believed so long at most: what is missing is mended by somebody who waits.
const ABSENT: Duration = Duration::from_secs(60);

#[cfg(test)]
pub mod table;
#[cfg(test)]
mod tests;
