//! What a provider says of itself: capability and security information (EN 319 532-4 annex C.2.3).

use super::{
    CSI_NS, ERDS_NS, ListFault, ListKind, cut, next_update, number, only, rooted, said, text, time,
    version,
};
use crate::wire::xml::{Xml, base64_of, children, text_of};
use crate::wire::{Timestamp, is_host};
use roxmltree::Node;

/// Parsed; that nobody forged it is not known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csi {
    /// Counts up with each issue.
    pub sequence: u64,
    /// Where the trusted list is that names the service.
    pub list: String,
    pub issued: Timestamp,
    /// None: no other follows.
    pub next_update: Option<Timestamp>,
    /// Where its relay listens (ERDSDomain, the host of its MX), in lower case.
    pub host: String,
    /// Who runs it, as the trusted list names the provider.
    pub body: String,
    /// Which profile it follows, a URI.
    pub profile: String,
    /// DER of what its server shows.
    pub tls_certificate: Vec<u8>,
}

impl Csi {
    pub fn read(xml: &Xml) -> Result<Self, ListFault> {
        let root = rooted(xml, ListKind::Csi)?;
        let scheme = only(root, CSI_NS, "SchemeData")?;
        version(scheme, CSI_NS, "CSIVersionIdentifier")?;
        let issued = time(scheme, CSI_NS, "CSIIssueDateTime")?;
        let capability = only(root, CSI_NS, "CapabilityMetadata")?;
        let metadata = only(capability, ERDS_NS, "ERDSMetadata")?;
        let security = only(root, CSI_NS, "SecurityMetadata")?;
        let security = only(security, CSI_NS, "CapabilityBasedSecurity")?;
        Ok(Self {
            sequence: number(scheme, CSI_NS, "CSISequenceNumber")?,
            list: text(scheme, CSI_NS, "CSIPointerToTL")?,
            issued,
            next_update: next_update(scheme, CSI_NS, "CSINextUpdate", issued)?,
            host: host(metadata)?,
            body: of(metadata, "ERDSGoverningBody")?,
            profile: of(metadata, "ERDSProfileSupported")?,
            tls_certificate: certificate(only(security, CSI_NS, "TLSCertificate")?)?,
        })
    }

    /// The baseline of EN 319 532-4 annex C, whose evidence is that of EN 319 522.
    pub fn is_baseline(&self) -> bool {
        self.profile == BASELINE
    }
}

fn host(metadata: Node) -> Result<String, ListFault> {
    let host = of(metadata, "ERDSDomain")?;
    match is_host(&host) {
        true => Ok(host.to_ascii_lowercase()),
        false => Err(ListFault::Value("ERDSDomain", cut(&host))),
    }
}

fn certificate(node: Node) -> Result<Vec<u8>, ListFault> {
    let der = base64_of(node).filter(|der| (1..=MAX_DER).contains(&der.len()));
    der.ok_or_else(|| ListFault::Value("TLSCertificate", cut(&text_of(node))))
}

/// What stands in ERDSMetadata has no name space in the samples, and one in the schema's prose.
fn of(metadata: Node, name: &'static str) -> Result<String, ListFault> {
    let mut all = ["", ERDS_NS].into_iter().flat_map(|ns| children(metadata, ns, name));
    match (all.next(), all.next()) {
        (Some(one), None) => said(one, name),
        (None, _) => Err(ListFault::Missing(name)),
        (Some(_), Some(_)) => Err(ListFault::Twice(name)),
    }
}

const BASELINE: &str = "http://uri.etsi.org/19532/v1#/REMbaseline";
const MAX_DER: usize = 16 * 1024;
