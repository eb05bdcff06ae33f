//! One ds:Reference: what it covers, the digest it states and the digest we compute. Every reference
//! must be one we understand; a digest over something else would only look like protection.

use super::read::SignatureFault;
use super::{ENVELOPED, EXCLUSIVE, FILTER2, Hash, SIGNED_PROPERTIES, XADES_NS, XPATH};
use crate::wire::xml::{C14n, DS_NS, Method, XML_NS, Xml, base64_of, child, children, text_of};
use roxmltree::Node;

/// What a reference protects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Covered {
    /// The whole document without the signature.
    Document,
    SignedProperties,
    KeyInfo,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    pub covers: Covered,
    pub uri: String,
    pub hash: Hash,
    pub stated: Vec<u8>,
    /// `None` when the digest algorithm is too weak to be worth computing.
    pub computed: Option<Vec<u8>>,
}

impl Reference {
    pub fn holds(&self) -> bool {
        self.computed.as_ref() == Some(&self.stated)
    }

    pub(super) fn read(
        xml: &Xml,
        signature: Node,
        reference: Node,
    ) -> Result<Self, SignatureFault> {
        let uri = reference.attribute("URI").ok_or(SignatureFault::ReferenceWithoutUri)?;
        let (covers, apex) = target(xml, signature, reference, uri)?;
        let transforms = Transforms::read(reference)?;
        if (covers == Covered::Document) != transforms.without_signature {
            return Err(SignatureFault::ReferenceTransforms(uri.to_owned()));
        }
        let without = transforms.without_signature.then_some(signature);
        let octets = transforms.c14n.octets(xml, apex, without);
        let (hash, stated) = digest_of(reference)?;
        Ok(Self { covers, uri: uri.to_owned(), hash, stated, computed: hash.of(&octets) })
    }
}

/// ds:DigestMethod and ds:DigestValue below this element.
pub(super) fn digest_of(node: Node) -> Result<(Hash, Vec<u8>), SignatureFault> {
    let method = child(node, DS_NS, "DigestMethod").and_then(|m| m.attribute("Algorithm"));
    let method = method.ok_or(SignatureFault::Missing("DigestMethod"))?;
    let hash = Hash::by_uri(method).ok_or_else(|| SignatureFault::Digest(method.to_owned()))?;
    let value = child(node, DS_NS, "DigestValue").and_then(base64_of);
    Ok((hash, value.ok_or(SignatureFault::Missing("DigestValue"))?))
}

/// The canonicalization that an element with an `Algorithm` asks for.
pub(super) fn c14n_of(node: Node) -> Result<C14n, SignatureFault> {
    let uri = node.attribute("Algorithm").unwrap_or("");
    let mut c14n =
        C14n::by_uri(uri).ok_or_else(|| SignatureFault::Canonicalization(uri.to_owned()))?;
    // C14N 1.1 §2.4 joins xml:base of left-out ancestors; nobody signs such documents.
    let based = |n: Node| n.has_attribute((XML_NS, "base"));
    if c14n.method == Method::Inclusive11 && node.document().descendants().any(based) {
        return Err(SignatureFault::Canonicalization(format!("{uri} with xml:base")));
    }
    if let Some(list) = child(node, EXCLUSIVE, "InclusiveNamespaces") {
        let listed = list.attribute("PrefixList").unwrap_or("").split_ascii_whitespace();
        c14n.prefixes = listed.take(MAX_PREFIXES).map(str::to_owned).collect();
    }
    Ok(c14n)
}

fn target<'a, 'i>(
    xml: &'a Xml<'i>,
    signature: Node<'a, 'i>,
    reference: Node,
    uri: &str,
) -> Result<(Covered, Node<'a, 'i>), SignatureFault> {
    let elsewhere = || SignatureFault::ReferenceElsewhere(uri.to_owned());
    if uri.is_empty() {
        return Ok((Covered::Document, xml.document()));
    }
    let id = uri.strip_prefix('#').ok_or_else(elsewhere)?;
    let apex = xml.by_id(id).ok_or_else(elsewhere)?;
    if apex == xml.root() {
        return Ok((Covered::Document, apex));
    }
    let properties = signed_properties(signature);
    let typed = reference.attribute("Type") == Some(SIGNED_PROPERTIES);
    if Some(apex) == properties && typed {
        Ok((Covered::SignedProperties, apex))
    } else if apex.parent() == Some(signature) && apex.has_tag_name((DS_NS, "KeyInfo")) {
        Ok((Covered::KeyInfo, apex))
    } else {
        Err(elsewhere())
    }
}

/// Those of this signature, at the one place where they may stand.
pub(super) fn signed_properties<'a, 'i>(signature: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    qualifying_properties(signature).and_then(|q| child(q, XADES_NS, "SignedProperties"))
}

pub(super) fn qualifying_properties<'a, 'i>(signature: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    children(signature, DS_NS, "Object").find_map(|o| child(o, XADES_NS, "QualifyingProperties"))
}

struct Transforms {
    without_signature: bool,
    c14n: C14n,
}

impl Transforms {
    /// XML Signature §4.4.3.2: what remains a node set at the end is canonicalised with 1.0; a
    /// same-document reference never includes comments.
    fn read(reference: Node) -> Result<Self, SignatureFault> {
        let mut without_signature = false;
        let mut c14n = None;
        let all = child(reference, DS_NS, "Transforms");
        for transform in all.into_iter().flat_map(|t| children(t, DS_NS, "Transform")) {
            let uri = transform.attribute("Algorithm").unwrap_or("");
            let unknown = || SignatureFault::Transform(uri.to_owned());
            if c14n.is_some() {
                return Err(unknown());
            }
            match uri {
                ENVELOPED => without_signature = true,
                FILTER2 if subtracts_signatures(transform) => without_signature = true,
                XPATH if leaves_signatures_out(transform) => without_signature = true,
                _ => c14n = Some(c14n_of(transform).map_err(|_| unknown())?),
            }
        }
        let c14n = c14n.unwrap_or_else(C14n::inclusive).without_comments();
        Ok(Self { without_signature, c14n })
    }
}

/// XPath Filter 2.0 with one subtraction of every signature: there is one, so this is the enveloped
/// transform by another name.
fn subtracts_signatures(transform: Node) -> bool {
    let mut filters = transform.children().filter(Node::is_element);
    let (Some(filter), None) = (filters.next(), filters.next()) else { return false };
    let text = text_of(filter);
    let step = text.trim().strip_prefix("/descendant::").or(text.trim().strip_prefix("//"));
    let prefix = step.and_then(|s| s.strip_suffix(":Signature"));
    filter.has_tag_name((FILTER2, "XPath"))
        && filter.attribute("Filter") == Some("subtract")
        && prefix.is_some_and(|p| filter.lookup_namespace_uri(Some(p)) == Some(DS_NS))
}

/// XML Signature §6.6.3: `not(ancestor-or-self::ds:Signature)` is the enveloped transform once more.
fn leaves_signatures_out(transform: Node) -> bool {
    let mut filters = transform.children().filter(Node::is_element);
    let (Some(filter), None) = (filters.next(), filters.next()) else { return false };
    let text: String = text_of(filter).split_ascii_whitespace().collect();
    let prefix = text
        .strip_prefix("not(ancestor-or-self::")
        .and_then(|rest| rest.strip_suffix(":Signature)"));
    filter.has_tag_name((DS_NS, "XPath"))
        && prefix.is_some_and(|p| filter.lookup_namespace_uri(Some(p)) == Some(DS_NS))
}

const MAX_PREFIXES: usize = 32;
