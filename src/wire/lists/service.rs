//! One service of a trusted list (TS 119 612 §5.5): who it is, where it is, and its statuses with the
//! times since when each holds. Only services of electronic delivery are looked at.

use super::{ListFault, TL_NS, at_most_one, bounded, cut, name, only, text, time};
use crate::wire::xml::{base64_of, child, children, text_of};
use crate::wire::{Timestamp, is_host};
use roxmltree::Node;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    pub kind: ServiceKind,
    pub name: String,
    pub identity: Identity,
    pub now: Phase,
    /// Those before, the latest first; none begins after `now`.
    pub before: Vec<Phase>,
    pub supply_points: Vec<SupplyPoint>,
}

/// Electronic delivery (§5.5.1.1): of any kind, or registered mail (EN 319 532).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServiceKind {
    Delivery { qualified: bool },
    Mail { qualified: bool },
}

/// By what a service is known (§5.5.3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// DER.
    pub certificates: Vec<Vec<u8>>,
    /// SubjectKeyIdentifiers.
    pub key_ids: Vec<Vec<u8>>,
    pub subjects: Vec<String>,
}

/// A status, and since when it holds or held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Phase {
    pub status: Status,
    /// The list's own word for it, `granted`.
    pub word: String,
    pub since: Timestamp,
}

/// What a status (§5.5.4 and annex D.5) means for who relies on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    InForce,
    /// The authority took it away, and may give it again.
    Withdrawn,
    /// The service has ended.
    Ceased,
}

/// Where a service is reached (§5.5.7; EN 319 532-4 annex C wants the first two).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SupplyPoint {
    Smtp { host: String, port: u16 },
    Https(String),
    Other(String),
}

impl ServiceKind {
    pub fn by_uri(uri: &str) -> Option<Self> {
        Some(match uri.strip_prefix(SERVICE_TYPE)? {
            "EDS" => Self::Delivery { qualified: false },
            "EDS/Q" => Self::Delivery { qualified: true },
            "EDS/REM" => Self::Mail { qualified: false },
            "EDS/REM/Q" => Self::Mail { qualified: true },
            _ => return None,
        })
    }
}

impl Service {
    /// `info` is its ServiceInformation.
    pub(super) fn read(kind: ServiceKind, node: Node, info: Node) -> Result<Self, ListFault> {
        let now = Phase::read(info)?;
        if now.word.is_empty() {
            return Err(ListFault::Value("ServiceStatus", status_text(info)));
        }
        Ok(Self {
            kind,
            name: name(only(info, TL_NS, "ServiceName")?, "ServiceName")?,
            identity: Identity::read(only(info, TL_NS, "ServiceDigitalIdentity")?)?,
            before: history(node, &now)?,
            now,
            supply_points: supply_points(info)?,
        })
    }

    /// When it was in force: from, and until when, each; the last without an end while it is.
    pub fn in_force(&self) -> Vec<(Timestamp, Option<Timestamp>)> {
        let mut spans: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for phase in self.before.iter().rev().chain([&self.now]) {
            let open = spans.last_mut().filter(|(_, until)| until.is_none());
            match (phase.status, open) {
                (Status::InForce, None) => spans.push((phase.since, None)),
                (Status::InForce, Some(_)) | (_, None) => {}
                (_, Some(span)) => span.1 = Some(phase.since),
            }
        }
        spans
    }
}

impl Phase {
    /// A status that is not known has no word, and is not in force.
    fn read(node: Node) -> Result<Self, ListFault> {
        let uri = text(node, TL_NS, "ServiceStatus")?;
        let since = time(node, TL_NS, "StatusStartingTime")?;
        let word = uri.strip_prefix(STATUS_ROOT).and_then(|rest| rest.split_once(STATUS));
        let known = word.and_then(|(_, word)| STATUSES.iter().find(|(known, _)| *known == word));
        let (word, status) = known.copied().unwrap_or(("", Status::Withdrawn));
        Ok(Self { status, word: word.to_owned(), since })
    }
}

impl Identity {
    fn read(node: Node) -> Result<Self, ListFault> {
        let mut identity = Self::default();
        let ids: Vec<Node> = children(node, TL_NS, "DigitalId").take(MAX_IDS + 1).collect();
        bounded(ids.len(), "digital identities", MAX_IDS)?;
        let octets = |node: Node, name| {
            let read = base64_of(node).filter(|octets| (1..=MAX_DER).contains(&octets.len()));
            read.ok_or_else(|| ListFault::Value(name, cut(&text_of(node))))
        };
        for id in ids {
            if let Some(certificate) = child(id, TL_NS, "X509Certificate") {
                identity.certificates.push(octets(certificate, "X509Certificate")?);
            }
            if let Some(key_id) = child(id, TL_NS, "X509SKI") {
                identity.key_ids.push(octets(key_id, "X509SKI")?);
            }
            if child(id, TL_NS, "X509SubjectName").is_some() {
                identity.subjects.push(text(id, TL_NS, "X509SubjectName")?);
            }
        }
        identity.certificates.dedup();
        Ok(identity)
    }
}

impl SupplyPoint {
    /// `smtp://host:25`; the examples of EN 319 532-4 write `smtp:host:25`.
    fn parse(uri: &str) -> Self {
        let other = || Self::Other(uri.to_owned());
        if let Some(rest) = uri.strip_prefix("smtp:") {
            let place = rest.trim_start_matches('/').trim_end_matches('/');
            let (host, port) = match place.split_once(':') {
                Some((host, port)) => (host, port.parse().unwrap_or(0)),
                None => (place, SMTP),
            };
            return match port {
                1.. if is_host(host) => Self::Smtp { host: host.to_ascii_lowercase(), port },
                _ => other(),
            };
        }
        match uri.starts_with("https://") {
            true => Self::Https(uri.to_owned()),
            false => other(),
        }
    }
}

fn history(node: Node, now: &Phase) -> Result<Vec<Phase>, ListFault> {
    let Some(history) = at_most_one(node, TL_NS, "ServiceHistory")? else { return Ok(Vec::new()) };
    let all = children(history, TL_NS, "ServiceHistoryInstance").take(MAX_PHASES + 1);
    let mut phases: Vec<Phase> = all.map(Phase::read).collect::<Result<_, _>>()?;
    bounded(phases.len(), "former statuses", MAX_PHASES)?;
    phases.sort_by_key(|phase| std::cmp::Reverse(phase.since));
    match phases.first() {
        Some(last) if last.since > now.since => Err(ListFault::History),
        _ => Ok(phases),
    }
}

fn supply_points(info: Node) -> Result<Vec<SupplyPoint>, ListFault> {
    let Some(points) = at_most_one(info, TL_NS, "ServiceSupplyPoints")? else {
        return Ok(Vec::new());
    };
    let all = children(points, TL_NS, "ServiceSupplyPoint").take(MAX_POINTS + 1);
    let all: Vec<_> = all
        .map(|point| Ok(SupplyPoint::parse(&super::said(point, "ServiceSupplyPoint")?)))
        .collect::<Result<_, ListFault>>()?;
    bounded(all.len(), "supply points", MAX_POINTS)?;
    Ok(all)
}

fn status_text(info: Node) -> String {
    text(info, TL_NS, "ServiceStatus").map(|uri| cut(&uri)).unwrap_or_default()
}

const SERVICE_TYPE: &str = "http://uri.etsi.org/TrstSvc/Svctype/";
/// Older lists have a word more in between.
const STATUS_ROOT: &str = "http://uri.etsi.org/TrstSvc/";
const STATUS: &str = "/Svcstatus/";
const STATUSES: [(&str, Status); 13] = [
    ("granted", Status::InForce),
    ("withdrawn", Status::Withdrawn),
    ("recognisedatnationallevel", Status::InForce),
    ("deprecatedatnationallevel", Status::Withdrawn),
    ("undersupervision", Status::InForce),
    // It ends, and is supervised until it has.
    ("supervisionincessation", Status::InForce),
    ("supervisionceased", Status::Ceased),
    ("supervisionrevoked", Status::Withdrawn),
    ("accredited", Status::InForce),
    ("accreditationceased", Status::Ceased),
    ("accreditationrevoked", Status::Withdrawn),
    ("setbynationallaw", Status::InForce),
    ("deprecatedbynationallaw", Status::Withdrawn),
];
/// RFC 5321 §2.3.10.
const SMTP: u16 = 25;
const MAX_IDS: usize = 16;
const MAX_DER: usize = 16 * 1024;
const MAX_PHASES: usize = 64;
const MAX_POINTS: usize = 16;
