//! A trusted list (TS 119 612 v2.1.1 to v2.4.1): its scheme, and the services of electronic delivery.

use super::service::{Service, ServiceKind};
use super::{
    ListFault, ListKind, TL_NS, at_most_one, bounded, cut, name, next_update, number, only, rooted,
    said, text, time, uris, version,
};
use crate::wire::Timestamp;
use crate::wire::xml::{Xml, child, children};
use roxmltree::Node;

/// Parsed; that nobody forged it is not known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustedList {
    /// Counts up with each issue of the same list.
    pub sequence: u64,
    /// TSLType, a URI.
    pub kind: String,
    pub operator: String,
    pub scheme: String,
    /// SchemeTerritory, `TR`.
    pub territory: String,
    pub issued: Timestamp,
    /// None: the list is closed, no other follows.
    pub next_update: Option<Timestamp>,
    /// Where it is published.
    pub points: Vec<String>,
    pub providers: Vec<ListedProvider>,
    /// How many services are of other kinds.
    pub others: usize,
    pub unreadable: Vec<Unreadable>,
}

/// A provider with at least one service of electronic delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedProvider {
    pub name: String,
    pub services: Vec<Service>,
}

/// A service of electronic delivery that is not as the standard has it. It hides no other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    pub provider: String,
    pub fault: ListFault,
}

impl TrustedList {
    pub fn read(xml: &Xml) -> Result<Self, ListFault> {
        let root = rooted(xml, ListKind::TrustedList)?;
        let tag = root.attribute("TSLTag").unwrap_or("");
        if !TAGS.contains(&tag) {
            return Err(ListFault::Value("TSLTag", cut(tag)));
        }
        let scheme = only(root, TL_NS, "SchemeInformation")?;
        version(scheme, TL_NS, "TSLVersionIdentifier")?;
        let issued = time(scheme, TL_NS, "ListIssueDateTime")?;
        let operator = only(scheme, TL_NS, "SchemeOperatorName")?;
        let mut list = Self {
            sequence: number(scheme, TL_NS, "TSLSequenceNumber")?,
            kind: text(scheme, TL_NS, "TSLType")?,
            operator: name(operator, "SchemeOperatorName")?,
            scheme: name(only(scheme, TL_NS, "SchemeName")?, "SchemeName")?,
            territory: text(scheme, TL_NS, "SchemeTerritory")?,
            issued,
            next_update: next_update(scheme, TL_NS, "NextUpdate", issued)?,
            points: uris(scheme, TL_NS, "DistributionPoints")?,
            providers: Vec::new(),
            others: 0,
            unreadable: Vec::new(),
        };
        if let Some(all) = at_most_one(root, TL_NS, "TrustServiceProviderList")? {
            list.take_providers(all)?;
        }
        Ok(list)
    }

    fn take_providers(&mut self, all: Node) -> Result<(), ListFault> {
        let mut services = 0;
        for (n, provider) in children(all, TL_NS, "TrustServiceProvider").enumerate() {
            bounded(n + 1, "providers", MAX_PROVIDERS)?;
            let services_of = only(provider, TL_NS, "TSPServices")?;
            let named = only(provider, TL_NS, "TSPInformation")
                .and_then(|information| only(information, TL_NS, "TSPName"))
                .and_then(|names| name(names, "TSPName"));
            let mut listed = ListedProvider { name: named?, services: Vec::new() };
            for service in children(services_of, TL_NS, "TSPService") {
                services += 1;
                bounded(services, "services", MAX_SERVICES)?;
                match read_service(service) {
                    Ok(Some(service)) => listed.services.push(service),
                    Ok(None) => self.others += 1,
                    Err(fault) => {
                        let provider = listed.name.clone();
                        self.unreadable.push(Unreadable { provider, fault });
                    }
                }
            }
            if !listed.services.is_empty() {
                self.providers.push(listed);
            }
        }
        Ok(())
    }
}

/// None: of another kind.
fn read_service(node: Node) -> Result<Option<Service>, ListFault> {
    let info = only(node, TL_NS, "ServiceInformation")?;
    let kind = child(info, TL_NS, "ServiceTypeIdentifier");
    let kind = said(kind.ok_or(ListFault::Missing("ServiceTypeIdentifier"))?, "service type")?;
    let Some(kind) = ServiceKind::by_uri(&kind) else { return Ok(None) };
    Service::read(kind, node, info).map(Some)
}

/// §5.2.1; lists of TS 102 231 bear the second.
const TAGS: [&str; 2] = ["http://uri.etsi.org/19612/TSLTag", "http://uri.etsi.org/02231/TSLTag"];
/// The largest lists of states have some hundred providers.
const MAX_PROVIDERS: usize = 2_000;
const MAX_SERVICES: usize = 20_000;
