//! Lists of providers that others publish and sign: trusted lists (TS 119 612) and CSI (EN 319 532-4).
//! Whom an operator has pinned is believed; what such a list says becomes entries of the registry, by
//! rules that can be shown before they act. What is set by hand stays, and is shown where a list says
//! otherwise.

mod claims;
mod csi;
mod follow;
mod import;
mod plan;
mod run;

pub use claims::Why;
pub(super) use follow::mark;
pub use follow::{Aspect, forget, leave};
pub use import::{How, ImportError, Imported, import};
pub use run::{FETCH, Refresh, Trouble, fetch};

use crate::store::listed_providers::ListedRow;
use crate::store::providers::ProviderRow;
use crate::trust::Certificate;
use crate::trust::verify::{PinFault, pinned};
use crate::wire::lists::{Csi, ListFault, ListKind, TrustedList};
use crate::wire::xml::{Xml, XmlFault};
use crate::wire::{Digest, KepDomain, Timestamp, sha256};
use std::fmt;

/// A list that somebody signed who is believed.
#[derive(Clone, Debug)]
pub struct Authentic {
    pub document: Document,
    pub signer: Certificate,
    /// Whose seal signed it, where nobody did who is pinned: it speaks of that provider alone.
    pub by_seal_of: Option<KepDomain>,
    /// Of the whole document.
    pub digest: Digest,
}

#[derive(Clone, Debug)]
pub enum Document {
    TrustedList(TrustedList),
    Csi(Csi),
}

/// Whose signature is believed, apart: who makes providers known is another than who says by what the
/// server of one is known, and neither signs for the other.
#[derive(Clone, Default, Debug)]
pub struct Believed {
    /// Under trusted lists.
    pub lists: Vec<Certificate>,
    /// Under CSI, beside the seal of the provider that it is of.
    pub csi: Vec<Certificate>,
}

/// A seal that may sign its provider's own CSI.
#[derive(Clone, Debug)]
pub struct OwnSeal {
    pub domain: KepDomain,
    pub certificate: Certificate,
}

/// Why a list is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Xml(#[from] XmlFault),
    #[error("{0}")]
    Form(#[from] ListFault),
    #[error("it is a {0}, and a {1} was asked for")]
    Kind(&'static str, &'static str),
    #[error(transparent)]
    Signature(#[from] PinFault),
    #[error("the certificate of {subject} was not valid when the list was issued ({issued})")]
    Signer { subject: String, issued: Timestamp },
    #[error("it was issued at {0}, which is still to come")]
    Ahead(Timestamp),
    #[error("it is older than the list that is held: {offered} after {held}")]
    Older { held: i64, offered: i64 },
    #[error("it has the number of the list that is held ({0}), and says something else")]
    Doubled(i64),
}

/// What becomes, or would become, of one provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub what: What,
    /// The provider's domain where it is known.
    pub domain: Option<KepDomain>,
    /// As the list calls it.
    pub name: String,
    pub details: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum What {
    Added,
    Changed,
    Resumed,
    Suspended,
    Closed,
    Unchanged,
    /// The list says other than what is set by hand, which stays.
    Conflict,
    Ignored,
}

/// What the registry has of a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Known {
    pub row: ProviderRow,
    /// None: set by hand.
    pub listed: Option<ListedRow>,
    /// Which of its seals the list laid in.
    pub seals: Vec<Digest>,
}

/// What is to be put into the registry, and how that is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Plan {
    pub entries: Vec<Known>,
    pub lines: Vec<Line>,
}

impl Authentic {
    /// Everything that must hold before a list is believed, but for what depends on what is held.
    pub fn judge(
        octets: &[u8],
        wanted: Option<ListKind>,
        believed: &Believed,
        seals: &[OwnSeal],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let xml = Xml::parse(octets)?;
        let kind = ListKind::of(&xml)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != kind) {
            return Err(Refusal::Kind(kind.word(), wanted.word()));
        }
        let document = match kind {
            ListKind::TrustedList => Document::TrustedList(TrustedList::read(&xml)?),
            ListKind::Csi => Document::Csi(Csi::read(&xml)?),
        };
        let (believed, own) = match kind {
            ListKind::TrustedList => (&believed.lists, &[][..]),
            ListKind::Csi => (&believed.csi, seals),
        };
        let own_certificates = own.iter().map(|seal| &seal.certificate);
        let all: Vec<Certificate> = believed.iter().chain(own_certificates).cloned().collect();
        let signer = pinned(&xml, &all)?;
        let issued = document.issued();
        if !signer.valid_at(issued) {
            return Err(Refusal::Signer { subject: signer.subject().to_owned(), issued });
        }
        if issued > now.plus_millis(SKEW) {
            return Err(Refusal::Ahead(issued));
        }
        let own = own.iter().find(|seal| seal.certificate == signer);
        let by_seal_of = own.filter(|_| !believed.contains(&signer)).map(|own| own.domain.clone());
        Ok(Self { document, signer, by_seal_of, digest: sha256(octets) })
    }

    /// Under which it is held: the same for each issue. What a provider's own seal signed is apart, so
    /// that it rolls nobody else's back.
    pub fn name(&self) -> String {
        match &self.by_seal_of {
            Some(provider) => format!("{}/{provider}", self.document.name()),
            None => self.document.name(),
        }
    }
}

impl Document {
    pub fn kind(&self) -> ListKind {
        match self {
            Self::TrustedList(_) => ListKind::TrustedList,
            Self::Csi(_) => ListKind::Csi,
        }
    }

    /// Which list it is: the same for each issue.
    fn name(&self) -> String {
        match self {
            Self::TrustedList(list) => {
                let kind = list.kind.rsplit('/').next().unwrap_or_default();
                format!("{}/{kind}", list.territory)
            }
            Self::Csi(csi) => format!("csi/{}", csi.host),
        }
    }

    pub fn sequence(&self) -> i64 {
        let sequence = match self {
            Self::TrustedList(list) => list.sequence,
            Self::Csi(csi) => csi.sequence,
        };
        i64::try_from(sequence).unwrap_or(i64::MAX)
    }

    pub fn issued(&self) -> Timestamp {
        match self {
            Self::TrustedList(list) => list.issued,
            Self::Csi(csi) => csi.issued,
        }
    }

    pub fn next_update(&self) -> Option<Timestamp> {
        match self {
            Self::TrustedList(list) => list.next_update,
            Self::Csi(csi) => csi.next_update,
        }
    }

    /// Whether anything new is believed by it: another should be there by now, or none will come.
    // QUIRK(kep, 2026-11): what it said stays. docs/quirks.md#94
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.next_update().is_some_and(|next| now <= next)
    }
}

impl What {
    /// Whether the entry is another one by it.
    fn changes(self) -> bool {
        !matches!(self, Self::Unchanged | Self::Conflict | Self::Ignored)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Resumed => "resumed",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
            Self::Unchanged => "unchanged",
            Self::Conflict => "conflict",
            Self::Ignored => "ignored",
        }
    }
}

impl Line {
    fn new(what: What, domain: Option<&KepDomain>, name: &str, details: Vec<String>) -> Self {
        Self { what, domain: domain.cloned(), name: name.to_owned(), details }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.domain.as_ref().map_or("-", KepDomain::as_str);
        write!(f, "{} {domain} ({})", self.what.word(), self.name)?;
        match self.details.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.details.join("; ")),
        }
    }
}

/// Clocks of who publishes and who reads may be apart a little.
const SKEW: i64 = 5 * 60 * 1000;
