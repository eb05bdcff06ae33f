//! The ways to the other providers, walked as far as their servers' certificates: what is signed, which
//! records are of what is shown. And the record by which others know our own server.

use super::Finding;
use crate::settings::Settings;
use crate::wire_up;
use kep::deliver::dial::{self, Patience};
use kep::registry::peers::{self, Peer, PeerState, PeerTls};
use kep::registry::route::{Found, NoWay, Routes, Server, Way};
use kep::store::Store;
use kep::store::relay::Trouble;
use kep::trust::tls::{self, PeerTrust};
use kep::trust::{Certificate, Clock};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// All at once: a server that is silent keeps the others waiting no longer than itself.
pub async fn check(settings: &Settings, store: &Store, clock: &Clock, found: &mut Vec<Finding>) {
    let routes = match wire_up::routes(settings, store) {
        Ok(routes) => Arc::new(routes),
        Err(failure) => return found.push(Finding::wrong("routes", failure)),
    };
    let host = settings.provider.mail_host.clone();
    let helo = host.unwrap_or_else(|| settings.provider.domain.to_string());
    // That they can't be read is said where the providers are looked at.
    let rows = peers::list(store).await.unwrap_or_default();
    let mut at_work = JoinSet::new();
    for peer in rows.iter().filter_map(|row| Peer::parse(row).ok()) {
        let PeerState::Active = peer.state else { continue };
        let Some(tls) = peer.tls else { continue };
        let way = Way { domain: peer.domain, route: peer.route, tls };
        let (routes, clock, helo) = (Arc::clone(&routes), clock.clone(), helo.clone());
        at_work.spawn(async move { walk(&routes, &way, &clock, &helo).await });
    }
    let mut all: Vec<Finding> = at_work.join_all().await.into_iter().flatten().collect();
    all.sort_by(|one, other| one.text.cmp(&other.text));
    found.extend(all);
}

/// `_25._tcp.HOST. IN TLSA …`, for the certificate that our relay shows.
pub fn tlsa(settings: &Settings, host: &str) -> Option<String> {
    let port = settings.listen.relay?.port();
    let pem = std::fs::read(settings.tls.certificate.as_ref()?).ok()?;
    let chain = Certificate::from_pem(&pem).ok()?;
    let record = tls::record_of(chain.first()?)?;
    Some(format!("_{port}._tcp.{host}.  IN TLSA {record}"))
}

async fn walk(routes: &Routes, way: &Way, clock: &Clock, helo: &str) -> Vec<Finding> {
    let domain = &way.domain;
    let Found { servers, passed_over, signed } = match routes.find(way, clock.now()).await {
        Ok(found) => found,
        Err(why) => return vec![no_way(&format!("{domain}: {why}"), &why)],
    };
    let mx = match signed {
        None => String::new(),
        Some(true) => " (MX, signed)".to_owned(),
        Some(false) => " (MX, not signed)".to_owned(),
    };
    let mut all: Vec<_> = passed_over
        .iter()
        .map(|(host, why)| no_way(&format!("{domain}: {host} gets nothing: {why}"), why))
        .collect();
    for server in &servers {
        let at = format!("{domain}: {}:{}{mx}, {}", server.host, server.port, way.tls.word());
        all.push(match dial::look(server, domain, helo, &patience()).await {
            Err(heard) => Finding::warning("route", format!("{at}: {heard}")),
            Ok(chain) => shown(&at, way, server, &chain, clock),
        });
    }
    all
}

fn no_way(text: &str, why: &NoWay) -> Finding {
    match why.trouble() {
        Trouble::Unreachable => Finding::warning("route", text),
        Trouble::NotIdentified => Finding::wrong("route", text),
    }
}

fn shown(at: &str, way: &Way, server: &Server, chain: &[Vec<u8>], clock: &Clock) -> Finding {
    let known = tls::knows(&server.trust, &server.host, chain, clock.now());
    let records = match &server.trust {
        PeerTrust::Dane(dane) => {
            let line = |record| match tls::is_shown(record, chain) {
                true => format!("; {record} is of what it shows"),
                false => format!("; {record} is not"),
            };
            dane.records.iter().map(line).collect()
        }
        _ => String::new(),
    };
    let by = match way.tls {
        PeerTls::Registered(_) => "the registry",
        PeerTls::Dane => "its signed zone",
        PeerTls::MtaSts => "its policy",
    };
    match known {
        Ok(()) => {
            Finding::good("route", format!("{at}: it is the server that {by} tells{records}"))
        }
        Err(why) => Finding::wrong("route", format!("{at}: {why}{records}")),
    }
}

/// Who looks waits less than who has mail to send.
fn patience() -> Patience {
    let short = Duration::from_secs(10);
    Patience {
        connect: short,
        greeting: short,
        answer: short,
        whole: 3 * short,
        ..Patience::default()
    }
}
