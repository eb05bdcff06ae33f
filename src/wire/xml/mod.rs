//! XML that a peer may have written: read within bounds, canonicalised, and written escaped.
//!
//! [`text`] and [`Xml::read`], or [`Xml::parse`] for both, are the only door for foreign octets: no DTD,
//! no entities, no two equal identifiers, and bounds on size, depth and counts that hold before the
//! tree is built.

mod bounds;
mod c14n;
mod encoding;
mod write;

pub use c14n::{C14n, Method};
pub use encoding::text;
pub use write::{Writer, escape, without_illegal};

use roxmltree::{Document, Node, NodeId, ParsingOptions};
use std::borrow::Cow;
use std::collections::HashMap;

/// A document in memory whose identifiers are unambiguous.
pub struct Xml<'a> {
    document: Document<'a>,
    ids: HashMap<String, NodeId>,
}

/// Why octets are not a document we are willing to look at.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum XmlFault {
    #[error("the document has {0} octets, at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    #[error("the document is not UTF-8")]
    NotUtf8,
    #[error("the document declares the encoding {0:?}, which is not read")]
    Encoding(String),
    #[error("the document has a DTD or an entity declaration")]
    Dtd,
    #[error("elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("the document has too many {0}")]
    TooMany(&'static str),
    #[error("a name is longer than {MAX_NAME} octets")]
    LongName,
    #[error("the identifier {0:?} stands twice")]
    DuplicateId(String),
    #[error("not well-formed: {0}")]
    Malformed(String),
}

impl<'a> Xml<'a> {
    /// What is UTF-8.
    pub fn parse(octets: &'a [u8]) -> Result<Self, XmlFault> {
        match text(octets)? {
            Cow::Borrowed(text) => Self::read(text),
            Cow::Owned(_) => Err(XmlFault::Encoding(encoding::name(octets))),
        }
    }

    /// What [`text`] gave.
    pub fn read(text: &'a str) -> Result<Self, XmlFault> {
        bounds::hold(text)?;
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options).map_err(fault)?;
        let ids = identifiers(&document)?;
        Ok(Self { document, ids })
    }

    /// The document node, above the root element.
    pub fn document(&self) -> Node<'_, 'a> {
        self.document.root()
    }

    pub fn root(&self) -> Node<'_, 'a> {
        self.document.root_element()
    }

    pub fn text(&self) -> &'a str {
        self.document.input_text()
    }

    /// The one element that carries this identifier.
    pub fn by_id(&self, id: &str) -> Option<Node<'_, 'a>> {
        self.document.get_node(*self.ids.get(id)?)
    }

    /// Does any identifier start like this?
    pub fn has_id_prefix(&self, prefix: &str) -> bool {
        self.ids.keys().any(|id| id.starts_with(prefix))
    }
}

/// The child element of this name, when there is one.
pub fn child<'a, 'i>(node: Node<'a, 'i>, ns: &str, name: &str) -> Option<Node<'a, 'i>> {
    children(node, ns, name).next()
}

/// The child elements of this name.
pub fn children<'a, 'i: 'a>(
    node: Node<'a, 'i>,
    ns: &str,
    name: &str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |n| {
        let tag = n.tag_name();
        n.is_element() && tag.name() == name && tag.namespace().unwrap_or("") == ns
    })
}

/// All character data directly below an element, also around comments.
pub fn text_of(node: Node) -> String {
    node.children().filter(Node::is_text).filter_map(|n| n.text()).collect()
}

/// Base64 as XML carries it: with white space anywhere.
pub fn base64_of(node: Node) -> Option<Vec<u8>> {
    let text: Vec<u8> = text_of(node).bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    data_encoding::BASE64.decode(&text).ok()
}

fn identifiers(document: &Document) -> Result<HashMap<String, NodeId>, XmlFault> {
    let mut ids = HashMap::new();
    for node in document.descendants().filter(Node::is_element) {
        let own = node.attributes().filter(|a| match a.namespace() {
            None => matches!(a.name(), "Id" | "ID" | "id"),
            Some(ns) => ns == XML_NS && a.name() == "id",
        });
        for id in own {
            if ids.insert(id.value().to_owned(), node.id()).is_some() {
                return Err(XmlFault::DuplicateId(id.value().to_owned()));
            }
        }
    }
    Ok(ids)
}

fn fault(error: roxmltree::Error) -> XmlFault {
    match error {
        roxmltree::Error::DtdDetected | roxmltree::Error::UnknownEntityReference(..) => {
            XmlFault::Dtd
        }
        roxmltree::Error::NodesLimitReached => XmlFault::TooMany("nodes"),
        other => XmlFault::Malformed(other.to_string()),
    }
}

pub const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";
/// XML Signature, W3C Recommendation 2008.
pub const DS_NS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Evidence has some ten thousand octets; a trusted list has megabytes.
pub const MAX_OCTETS: usize = 8 * 1024 * 1024;
pub const MAX_DEPTH: usize = 256;
const MAX_NODES: u32 = 400_000;
const MAX_NAME: usize = 1024;

#[cfg(test)]
mod tests;
