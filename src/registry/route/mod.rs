//! Where mail for another provider goes, and by what each server is known before a word is said to it: by
//! what the registry says, by its signed zone (DANE), by its policy (MTA-STS). What is not known that way
//! gets nothing: there is no lesser way to fall back to.

mod order;

use super::mta_sts::Policies;
use super::peers::{Host, PeerTls, Route};
use crate::store::relay::Trouble;
use crate::trust::dns::{Answer, Dns, DnsFault};
use crate::trust::random;
use crate::trust::tls::{Dane, PeerTrust};
use crate::wire::mta_sts::{Mode, Policy};
use crate::wire::tlsa::Tlsa;
use crate::wire::{KepDomain, Timestamp};
use std::net::IpAddr;

/// What the registry says of the way to a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Way {
    pub domain: KepDomain,
    pub route: Route,
    pub tls: PeerTls,
}

/// A server that mail may be handed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// SNI, and what its certificate names, where that counts.
    pub host: String,
    pub port: u16,
    /// None: those that the system knows for it.
    pub addresses: Option<Vec<IpAddr>>,
    pub trust: PeerTrust,
}

/// The servers in the order they are to be tried, never none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub servers: Vec<Server>,
    /// Hosts that get nothing, and why.
    pub passed_over: Vec<(String, NoWay)>,
    /// Whether the exchangers are signed; None where nobody had to ask for them.
    pub signed: Option<bool>,
}

/// Why mail can't go to a host, or anywhere.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoWay {
    #[error(transparent)]
    Dns(#[from] DnsFault),
    /// QUIRK(kep, 2026-11): RFC 5321 fails for good; docs/quirks.md#88
    #[error("there is no {0} (NXDOMAIN)")]
    NoSuchName(String),
    #[error("{0} has no address")]
    NoAddress(String),
    /// RFC 7505; and whether its zone has signed that.
    #[error("{0} takes no mail (null MX)")]
    NoMail(String, bool),
    #[error("DANE: {0} is an address, which has no TLSA records")]
    NotNamed(String),
    #[error("DANE: the {1} of {0} are not signed (DNSSEC)")]
    Unsigned(String, &'static str),
    #[error("DANE: there is no TLSA record at _{1}._tcp.{0}")]
    NoTlsa(String, u16),
    #[error("DANE: no TLSA record at _{1}._tcp.{0} is of use to mail")]
    UselessTlsa(String, u16),
    #[error("{1} lies outside {0}, whose MX are not signed: its name tells nothing")]
    Outside(String, String),
    #[error("MTA-STS: {0} has no policy")]
    NoPolicy(String),
    #[error("MTA-STS: the policy of {0} can't be had: {1}")]
    PolicyUnreachable(String, String),
    /// QUIRK(kep, 2026-11): RFC 8461 sends all the same; docs/quirks.md#89
    #[error("MTA-STS: the policy of {0} says {mode}, which can't be enforced", mode = .1.word())]
    NotEnforced(String, Mode),
    #[error("MTA-STS: the policy of {0} does not allow {1}")]
    NotAllowed(String, String),
    #[error("trouble of this provider's own: {0}")]
    Own(String),
}

impl NoWay {
    /// For metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Dns(DnsFault::Silent { .. }) => "dns-silent",
            Self::Dns(DnsFault::Bogus { .. }) => "dns-bogus",
            Self::Dns(DnsFault::Name(_)) | Self::NoSuchName(_) => "no-such-name",
            Self::NoAddress(_) => "no-address",
            Self::NoMail(..) => "null-mx",
            Self::NotNamed(_) => "dane-address",
            Self::Unsigned(..) => "dane-unsigned",
            Self::NoTlsa(..) => "dane-no-tlsa",
            Self::UselessTlsa(..) => "dane-useless-tlsa",
            Self::Outside(..) => "mx-outside",
            Self::NoPolicy(_) => "mta-sts-none",
            Self::PolicyUnreachable(..) => "mta-sts-unreachable",
            Self::NotEnforced(..) => "mta-sts-not-enforced",
            Self::NotAllowed(..) => "mta-sts-not-allowed",
            Self::Own(_) => "own",
        }
    }

    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Dns(DnsFault::Silent { .. }) | Self::PolicyUnreachable(..) | Self::Own(_) => {
                Trouble::Unreachable
            }
            _ => Trouble::NotIdentified,
        }
    }
}

/// Finds the ways to other providers.
pub struct Routes {
    dns: Dns,
    policies: Policies,
    /// Of mail exchangers, which name none.
    port: u16,
}

impl Routes {
    pub fn new(dns: Dns, policies: Policies, port: u16) -> Self {
        Self { dns, policies, port }
    }

    /// What was found led to no server that is the one: it is looked for anew the next time, whatever an
    /// answer said of how long it is good.
    pub fn forget(&self) {
        self.dns.forget();
    }

    pub async fn find(&self, way: &Way, now: Timestamp) -> Result<Found, NoWay> {
        let (hosts, signed) = match &way.route {
            Route::Host(host) => (vec![host.clone()], None),
            Route::Mx => self.exchangers(way).await?,
        };
        let how = match &way.tls {
            PeerTls::Registered(trust) => How::Registered(trust),
            PeerTls::Dane => How::Dane,
            PeerTls::MtaSts => How::MtaSts(self.policies.of(&way.domain, now).await?),
        };
        let (mut servers, mut passed_over) = (Vec::new(), Vec::new());
        for host in hosts {
            let name = host.name.clone();
            match self.server(way, &how, host, signed).await {
                Ok(server) => servers.push(server),
                Err(why) => passed_over.push((name, why)),
            }
        }
        match passed_over.first() {
            Some((_, why)) if servers.is_empty() => Err(why.clone()),
            _ => Ok(Found { servers, passed_over, signed }),
        }
    }

    /// The hosts of its MX, in the order they are to be tried; the domain itself where it has none (RFC
    /// 5321 §5.1). Whether they are signed; the domain needs not be, the registry names it.
    async fn exchangers(&self, way: &Way) -> Result<(Vec<Host>, Option<bool>), NoWay> {
        let domain = way.domain.to_string();
        let answer = self.dns.mx(&domain).await?;
        if !answer.exists {
            return Err(NoWay::NoSuchName(domain));
        }
        let host = |name: String| Host { name, port: self.port };
        if answer.records.is_empty() {
            return Ok((vec![host(domain)], None));
        }
        if way.tls == PeerTls::Dane && !answer.secure {
            return Err(NoWay::Unsigned(domain, "MX"));
        }
        let hosts = order::exchangers(answer.records, random::below);
        match hosts.is_empty() {
            true => Err(NoWay::NoMail(domain, answer.secure)),
            false => Ok((hosts.into_iter().map(host).collect(), Some(answer.secure))),
        }
    }

    async fn server(
        &self,
        way: &Way,
        how: &How<'_>,
        host: Host,
        signed: Option<bool>,
    ) -> Result<Server, NoWay> {
        let Host { name, port } = host;
        match how {
            How::Registered(trust) if matches!(way.route, Route::Host(_)) => {
                Ok(Server { host: name, port, addresses: None, trust: (*trust).clone() })
            }
            How::Registered(trust) => {
                let named = !matches!(trust, PeerTrust::Pins(_));
                if named && signed == Some(false) && !is_within(&name, &way.domain) {
                    return Err(NoWay::Outside(way.domain.to_string(), name));
                }
                let addresses = Some(self.addresses(&name).await?.records);
                Ok(Server { host: name, port, addresses, trust: (*trust).clone() })
            }
            How::Dane => self.by_dane(way, name, port).await,
            How::MtaSts(policy) => {
                if !policy.allows(&name) {
                    return Err(NoWay::NotAllowed(way.domain.to_string(), name));
                }
                let addresses = Some(self.addresses(&name).await?.records);
                let authorities = self.policies.authorities();
                let authorities = authorities.map_err(|error| NoWay::Own(error.to_string()))?;
                let trust = PeerTrust::Issuers(authorities);
                Ok(Server { host: name, port, addresses, trust })
            }
        }
    }

    /// RFC 7672 §2.2: addresses, then the records of the name that they are at, or of the one that was
    /// asked for.
    async fn by_dane(&self, way: &Way, name: String, port: u16) -> Result<Server, NoWay> {
        if name.parse::<IpAddr>().is_ok() {
            return Err(NoWay::NotNamed(name));
        }
        let addresses = self.addresses(&name).await?;
        if !addresses.secure {
            return Err(NoWay::Unsigned(name, "addresses"));
        }
        let mut base = addresses.name.clone();
        let mut found = self.tlsa(&base, port).await;
        if base != name && matches!(found, Err(NoWay::NoTlsa(..))) {
            base = name;
            found = self.tlsa(&base, port).await;
        }
        let mut names = vec![base.clone()];
        if way.route == Route::Mx {
            names.push(way.domain.to_string());
        }
        let dane = Dane { records: found?, names };
        match dane.usable() {
            false => Err(NoWay::UselessTlsa(base, port)),
            true => {
                let (addresses, trust) = (Some(addresses.records), PeerTrust::Dane(dane));
                Ok(Server { host: base, port, addresses, trust })
            }
        }
    }

    async fn tlsa(&self, host: &str, port: u16) -> Result<Vec<Tlsa>, NoWay> {
        let answer = self.dns.tlsa(host, port).await?;
        if answer.records.is_empty() {
            return Err(NoWay::NoTlsa(host.to_owned(), port));
        }
        match answer.secure {
            true => Ok(answer.records),
            false => Err(NoWay::Unsigned(host.to_owned(), "TLSA records")),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Answer<IpAddr>, NoWay> {
        let answer = self.dns.addresses(host).await?;
        match (answer.records.is_empty(), answer.exists) {
            (false, _) => Ok(answer),
            (true, true) => Err(NoWay::NoAddress(host.to_owned())),
            (true, false) => Err(NoWay::NoSuchName(host.to_owned())),
        }
    }
}

enum How<'a> {
    Registered(&'a PeerTrust),
    Dane,
    MtaSts(Policy),
}

/// A host of the provider's own: who forges its MX can't lead to another's.
fn is_within(host: &str, domain: &KepDomain) -> bool {
    let rest = host.strip_suffix(domain.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
