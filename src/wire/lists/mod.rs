//! Lists of providers that others publish: trusted lists (ETSI TS 119 612) and what a provider says of
//! itself (CSI, EN 319 532-4 annex C). Read within bounds into values that can't be wrong; whether who
//! signed one may be believed is asked elsewhere.

mod csi;
mod service;
mod trusted_list;

pub use csi::Csi;
pub use service::{Identity, Phase, Service, ServiceKind, Status, SupplyPoint};
pub use trusted_list::{ListedProvider, TrustedList, Unreadable};

use crate::wire::Timestamp;
use crate::wire::xml::{XML_NS, Xml, child, children, text_of};
use roxmltree::Node;

/// What a document is by its root element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ListKind {
    TrustedList,
    Csi,
}

/// Why a document is no list that can be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ListFault {
    #[error("the root element {0:?} is neither a trusted list's nor a CSI's")]
    Root(String),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} stands twice")]
    Twice(&'static str),
    #[error("{0} can't be read: {1:?}")]
    Value(&'static str, String),
    #[error("there are more than {1} {0}")]
    TooMany(&'static str, usize),
    #[error("the next update is not after the issue")]
    Times,
    #[error("a former status begins after the present one")]
    History,
}

impl ListKind {
    pub fn of(xml: &Xml) -> Result<Self, ListFault> {
        let root = xml.root();
        [Self::TrustedList, Self::Csi]
            .into_iter()
            .find(|kind| root.has_tag_name(kind.root()))
            .ok_or_else(|| ListFault::Root(cut(root.tag_name().name())))
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::TrustedList => "trusted-list",
            Self::Csi => "csi",
        }
    }

    fn root(self) -> (&'static str, &'static str) {
        match self {
            Self::TrustedList => (TL_NS, "TrustServiceStatusList"),
            Self::Csi => (CSI_NS, "CapabilityAndSecurityInformation"),
        }
    }
}

fn rooted<'a, 'i>(xml: &'a Xml<'i>, kind: ListKind) -> Result<Node<'a, 'i>, ListFault> {
    match ListKind::of(xml)? {
        found if found == kind => Ok(xml.root()),
        _ => Err(ListFault::Root(cut(xml.root().tag_name().name()))),
    }
}

/// The child of this name, which must be there once.
fn only<'a, 'i>(
    node: Node<'a, 'i>,
    ns: &str,
    name: &'static str,
) -> Result<Node<'a, 'i>, ListFault> {
    at_most_one(node, ns, name)?.ok_or(ListFault::Missing(name))
}

fn at_most_one<'a, 'i>(
    node: Node<'a, 'i>,
    ns: &str,
    name: &'static str,
) -> Result<Option<Node<'a, 'i>>, ListFault> {
    let mut found = children(node, ns, name);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(ListFault::Twice(name)),
        (one, None) => Ok(one),
    }
}

/// What an element says, white space joined, without control characters, of a bounded length.
fn said(node: Node, name: &'static str) -> Result<String, ListFault> {
    let text = text_of(node);
    let words: Vec<&str> = text.split_whitespace().collect();
    let said: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    match said.len() {
        1..=MAX_TEXT => Ok(said),
        _ => Err(ListFault::Value(name, cut(&said))),
    }
}

fn text(node: Node, ns: &str, name: &'static str) -> Result<String, ListFault> {
    said(only(node, ns, name)?, name)
}

/// A positive number that rows can hold.
fn number(node: Node, ns: &str, name: &'static str) -> Result<u64, ListFault> {
    let said = text(node, ns, name)?;
    let digits = said.bytes().all(|b| b.is_ascii_digit());
    let number = said.parse().ok().filter(|n| digits && (1..=i64::MAX as u64).contains(n));
    number.ok_or_else(|| ListFault::Value(name, cut(&said)))
}

/// TS 119 612 v2.4.1 is 6; what a later version means can't be known.
fn version(node: Node, ns: &str, name: &'static str) -> Result<(), ListFault> {
    match number(node, ns, name)? {
        1..=NEWEST => Ok(()),
        newer => Err(ListFault::Value(name, newer.to_string())),
    }
}

fn time(node: Node, ns: &str, name: &'static str) -> Result<Timestamp, ListFault> {
    let said = text(node, ns, name)?;
    Timestamp::parse_iso8601(&said).ok_or_else(|| ListFault::Value(name, cut(&said)))
}

/// TS 119 612 §5.3.15: an empty one says that there will be no other list.
fn next_update(
    node: Node,
    ns: &str,
    name: &'static str,
    issued: Timestamp,
) -> Result<Option<Timestamp>, ListFault> {
    let next = only(node, ns, name)?;
    let Some(_) = at_most_one(next, TL_NS, "dateTime")? else { return Ok(None) };
    match time(next, TL_NS, "dateTime")? {
        next if next > issued => Ok(Some(next)),
        _ => Err(ListFault::Times),
    }
}

/// A name in the language that people here know best: Turkish, English, then the first.
fn name(node: Node, name: &'static str) -> Result<String, ListFault> {
    let all = || children(node, TL_NS, "Name");
    let of = |language: &str| {
        let is = |n: &Node| n.attribute((XML_NS, "lang")).is_some_and(|l| matches(l, language));
        all().find(is)
    };
    let chosen = of("tr").or_else(|| of("en")).or_else(|| all().next());
    said(chosen.ok_or(ListFault::Missing(name))?, name)
}

fn matches(language: &str, wanted: &str) -> bool {
    language.split('-').next().is_some_and(|primary| primary.eq_ignore_ascii_case(wanted))
}

/// The addresses of an element that has a list of them.
fn uris(node: Node, ns: &str, name: &'static str) -> Result<Vec<String>, ListFault> {
    let Some(list) = child(node, ns, name) else { return Ok(Vec::new()) };
    let all = children(list, TL_NS, "URI").take(MAX_URIS + 1);
    let all: Vec<_> = all.map(|uri| said(uri, name)).collect::<Result<_, _>>()?;
    bounded(all.len(), "addresses", MAX_URIS)?;
    Ok(all)
}

fn bounded(count: usize, what: &'static str, most: usize) -> Result<(), ListFault> {
    if count <= most { Ok(()) } else { Err(ListFault::TooMany(what, most)) }
}

/// As much of a text as a line of log bears.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

const TL_NS: &str = "http://uri.etsi.org/02231/v2#";
const CSI_NS: &str = "http://uri.etsi.org/19532/v1#";
const ERDS_NS: &str = "http://uri.etsi.org/19522/v1#";
const NEWEST: u64 = 6;
const MAX_TEXT: usize = 1_000;
const MAX_URIS: usize = 64;

#[cfg(test)]
mod tests;
