//! What a trusted list claims of each provider of the circuit: its services of registered mail put
//! together by the domain that their certificates name. What names none, or not rightly, is told.

use super::follow::{Aspect, ByHand};
use super::{Known, Line, What};
use crate::registry::peers::{Host, PeerState};
use crate::store::providers::SealRow;
use crate::trust::Certificate;
use crate::wire::lists::{Identity, Service, ServiceKind, Status, SupplyPoint, TrustedList};
use crate::wire::{KepAddress, KepDomain, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What a list says of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Claim {
    pub domain: KepDomain,
    pub name: String,
    pub state: PeerState,
    pub since: Timestamp,
    /// The list's own word for that state.
    pub word: String,
    /// Where its relay listens; without a supply point the domain itself (RFC 5321 §5.1).
    pub host: Host,
    /// A seal for each time that the status was in force.
    pub seals: Vec<SealRow>,
    /// Where its own CSI is.
    pub csi: Option<String>,
    /// Since when the list speaks of each certificate (DER).
    speaks: Vec<(Vec<u8>, Timestamp)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Claims {
    pub of: BTreeMap<KepDomain, Claim>,
    pub ignored: Vec<Line>,
    /// Providers of which something is not understood: what is missing of them says nothing.
    pub doubtful: BTreeSet<String>,
}

/// Why a service becomes no entry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    #[error("a service of electronic delivery, not of registered mail")]
    NotMail,
    #[error("it names no certificate, which seals are judged by")]
    NoCertificate,
    #[error("its certificate can't be read: {0}")]
    Certificate(String),
    #[error("its certificates have different keys")]
    Keys,
    #[error("its certificate is an authority's, not a seal")]
    Authority,
    #[error("the key identifier is not its certificate's")]
    KeyId,
    #[error("it names no domain of the circuit (hsNN.kep.tr)")]
    Outside,
    #[error("it names several domains: {0}")]
    Several(String),
    #[error("it is this provider itself")]
    Ours,
    #[error("several providers of the list name this domain")]
    Contested,
    #[error("the list has expired: nothing new is believed")]
    Expired,
    #[error("it follows another list, {0}")]
    OtherList(String),
}

/// A service that names a provider of the circuit.
struct Mail<'a> {
    provider: &'a str,
    service: &'a Service,
    certificates: Vec<Certificate>,
}

impl Claim {
    /// The time since when the list speaks of a seal that was in force before that already.
    pub fn speaks_since(&self, seal: &SealRow) -> Option<Timestamp> {
        let of = self.speaks.iter().filter(|(der, _)| *der == seal.certificate);
        let since = of.map(|(_, since)| *since).min();
        since.filter(|since| seal.from.is_some_and(|from| from < *since))
    }
}

impl Claims {
    pub fn of(list: &TrustedList, ours: &KepDomain) -> Self {
        let mut claims = Self::default();
        let mut by_domain: BTreeMap<KepDomain, Vec<Mail<'_>>> = BTreeMap::new();
        for provider in &list.providers {
            for service in &provider.services {
                match named(service, ours) {
                    Ok((domain, certificates)) => {
                        let mail = Mail { provider: &provider.name, service, certificates };
                        by_domain.entry(domain).or_default().push(mail);
                    }
                    // Understood, and no affair of the registry's.
                    Err(why @ (Why::NotMail | Why::Ours)) => {
                        let details = vec![format!("{}: {why}", service.name)];
                        let line = Line::new(What::Ignored, None, &provider.name, details);
                        claims.ignored.push(line);
                    }
                    Err(why) => {
                        let details = vec![format!("{}: {why}", service.name)];
                        claims.ignore(None, &provider.name, details);
                    }
                }
            }
        }
        for odd in &list.unreadable {
            claims.ignore(None, &odd.provider, vec![odd.fault.to_string()]);
        }
        for (domain, services) in by_domain {
            let names: BTreeSet<&str> = services.iter().map(|mail| mail.provider).collect();
            if names.len() > 1 {
                for name in names {
                    claims.ignore(Some(&domain), name, vec![Why::Contested.to_string()]);
                }
            } else if let Some(claim) = together(&domain, &services) {
                claims.of.insert(domain, claim);
            }
        }
        claims
    }

    /// Whether something that was not understood may be of this provider.
    pub fn may_name(&self, known: &Known) -> bool {
        let renamed = ByHand::of(known.listed.as_ref()).has(Aspect::Name);
        self.doubtful.contains(&known.row.name) || (renamed && !self.doubtful.is_empty())
    }

    fn ignore(&mut self, domain: Option<&KepDomain>, name: &str, details: Vec<String>) {
        self.doubtful.insert(name.to_owned());
        self.ignored.push(Line::new(What::Ignored, domain, name, details));
    }
}

/// Whose service it is. Its seals are among what it is known by.
fn named(service: &Service, ours: &KepDomain) -> Result<(KepDomain, Vec<Certificate>), Why> {
    let ServiceKind::Mail { .. } = service.kind else { return Err(Why::NotMail) };
    let certificates = certificates(&service.identity)?;
    let of = |email: &String| KepAddress::parse(email).ok().map(|a| a.domain().provider());
    let emails = certificates.iter().flat_map(|one| one.emails().iter().filter_map(of));
    let mut domains: BTreeSet<KepDomain> = emails.collect();
    domains.extend(service.supply_points.iter().filter_map(|point| match point {
        SupplyPoint::Smtp { host, .. } => KepDomain::of_host(host),
        _ => None,
    }));
    let names = domains.iter().map(KepDomain::as_str).collect::<Vec<_>>().join(", ");
    match (domains.pop_first(), domains.is_empty()) {
        (None, _) => Err(Why::Outside),
        (Some(_), false) => Err(Why::Several(names)),
        (Some(domain), true) if domain == ours.provider() => Err(Why::Ours),
        (Some(domain), true) => Ok((domain, certificates)),
    }
}

fn certificates(identity: &Identity) -> Result<Vec<Certificate>, Why> {
    let read = |der: &Vec<u8>| {
        Certificate::from_der(der).map_err(|error| Why::Certificate(error.to_string()))
    };
    let all: Vec<Certificate> = identity.certificates.iter().map(read).collect::<Result<_, _>>()?;
    let first = all.first().ok_or(Why::NoCertificate)?;
    let key =
        |one: &Certificate| one.key_digest().map_err(|error| Why::Certificate(error.to_string()));
    let own = key(first)?;
    for one in &all {
        // TS 119 612 §5.5.3: several certificates of one identity are of one key.
        if key(one)? != own {
            return Err(Why::Keys);
        }
        if one.is_authority() {
            return Err(Why::Authority);
        }
    }
    let is = |id: &Vec<u8>| all.iter().any(|one| one.key_id().is_none_or(|own| own == id));
    match identity.key_ids.iter().all(is) {
        true => Ok(all),
        false => Err(Why::KeyId),
    }
}

/// Of one provider. In force is what any of its services is; else the latest word counts.
fn together(domain: &KepDomain, services: &[Mail<'_>]) -> Option<Claim> {
    let first = services.first()?;
    let now = |mail: &&Mail<'_>| mail.service.now.since;
    let in_force = services.iter().filter(|mail| mail.service.now.status == Status::InForce);
    let leading = in_force.min_by_key(now).or_else(|| services.iter().max_by_key(now))?;
    let (phase, points) = (&leading.service.now, &leading.service.supply_points);
    let since = phase.since;
    let relay = points.iter().find_map(|point| match point {
        SupplyPoint::Smtp { host, port } => Some(Host { name: host.clone(), port: *port }),
        _ => None,
    });
    let csi = points.iter().find_map(|point| match point {
        SupplyPoint::Https(url) => Some(url.clone()),
        _ => None,
    });
    Some(Claim {
        domain: domain.clone(),
        name: first.provider.to_owned(),
        // QUIRK(kep, 2026-11): what the authority took away it may give again. docs/quirks.md#95
        state: match phase.status {
            Status::InForce => PeerState::Active,
            Status::Withdrawn => PeerState::Suspended { since },
            Status::Ceased => PeerState::Closed { since },
        },
        since,
        word: phase.word.clone(),
        host: relay.unwrap_or_else(|| Host { name: domain.to_string(), port: SMTP }),
        seals: seals(services),
        csi,
        speaks: speaks(services),
    })
}

fn speaks(services: &[Mail<'_>]) -> Vec<(Vec<u8>, Timestamp)> {
    let of = |mail: &Mail<'_>| {
        let first = mail.service.before.last().unwrap_or(&mail.service.now).since;
        mail.certificates.iter().map(|one| (one.der().to_vec(), first)).collect::<Vec<_>>()
    };
    services.iter().flat_map(of).collect()
}

fn seals(services: &[Mail<'_>]) -> Vec<SealRow> {
    let mut seals = Vec::new();
    for mail in services {
        for certificate in &mail.certificates {
            for (from, until) in mail.service.in_force() {
                let certificate = certificate.der().to_vec();
                let seal = SealRow { certificate, from: Some(from), until };
                if !seals.contains(&seal) {
                    seals.push(seal);
                }
            }
        }
    }
    seals
}

/// RFC 5321 §2.3.10.
const SMTP: u16 = 25;
