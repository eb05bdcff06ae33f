//! Canonical XML 1.0 and 1.1 and Exclusive Canonicalization 1.0, with and without comments, of a
//! document or of one element with all below it, one subtree left out.
//!
//! The tree keeps no prefixes; they are read from the source text. The walk does not recurse.

use super::{XML_NS, Xml};
use roxmltree::{Attribute, Node, NodeType};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Exclusive,
    Inclusive,
    Inclusive11,
}

/// A canonicalization: method, comments, and the InclusiveNamespaces of the exclusive method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct C14n {
    pub method: Method,
    pub comments: bool,
    /// Prefixes treated inclusively; `#default` is the default namespace.
    pub prefixes: Vec<String>,
}

impl C14n {
    pub fn exclusive() -> Self {
        Self { method: Method::Exclusive, comments: false, prefixes: Vec::new() }
    }

    pub fn inclusive() -> Self {
        Self { method: Method::Inclusive, comments: false, prefixes: Vec::new() }
    }

    /// The method that an `Algorithm` attribute names.
    pub fn by_uri(uri: &str) -> Option<Self> {
        let (method, exact, _) = METHODS.iter().find(|m| uri == m.1 || uri == m.2)?;
        Some(Self { method: *method, comments: uri != *exact, prefixes: Vec::new() })
    }

    pub fn without_comments(self) -> Self {
        Self { comments: false, ..self }
    }

    /// The canonical octets of `apex` (the document node too), leaving out the subtree `without`.
    pub fn octets(&self, xml: &Xml, apex: Node, without: Option<Node>) -> Vec<u8> {
        let mut walk = Walk {
            rule: self,
            text: xml.text(),
            apex,
            without,
            rendered: Vec::new(),
            marks: Vec::new(),
            out: Vec::with_capacity(apex.range().len() + 256),
        };
        if apex.node_type() == NodeType::Root {
            walk.document()
        } else {
            walk.subtree(apex)
        }
        walk.out
    }
}

struct Walk<'a, 'i> {
    rule: &'a C14n,
    text: &'a str,
    apex: Node<'a, 'i>,
    without: Option<Node<'a, 'i>>,
    /// Prefixes in force in the output, the innermost last.
    rendered: Vec<(&'a str, &'a str)>,
    /// How long `rendered` was before each open element.
    marks: Vec<usize>,
    out: Vec<u8>,
}

impl<'a, 'i> Walk<'a, 'i> {
    /// C14N 1.0 §2.1: what stands beside the root element is on lines of its own.
    fn document(&mut self) {
        let mut root_seen = false;
        for node in self.apex.children() {
            if node.is_element() {
                self.subtree(node);
                root_seen = true;
            } else if node.is_pi() || (node.is_comment() && self.rule.comments) {
                if root_seen {
                    self.out.push(b'\n');
                }
                self.leaf(node);
                if !root_seen {
                    self.out.push(b'\n');
                }
            }
        }
    }

    fn subtree(&mut self, top: Node<'a, 'i>) {
        let mut at = top;
        loop {
            if at.is_element() && Some(at) != self.without {
                self.open(at);
                if let Some(first) = at.first_child() {
                    at = first;
                    continue;
                }
                self.close(at);
            } else if Some(at) != self.without {
                self.leaf(at);
            }
            loop {
                if at == top {
                    return;
                }
                if let Some(next) = at.next_sibling() {
                    at = next;
                    break;
                }
                let Some(parent) = at.parent() else { return };
                at = parent;
                self.close(at);
            }
        }
    }

    fn open(&mut self, node: Node<'a, 'i>) {
        self.marks.push(self.rendered.len());
        let name = name_of(self.text, node);
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        let mut attributes: Vec<(&str, &str, &str, &str)> =
            node.attributes().map(|a| keyed(self.text, a)).collect();
        match self.rule.method {
            Method::Exclusive => self.used_namespaces(node, name, &attributes),
            _ => self.all_namespaces(node),
        }
        if node == self.apex && self.rule.method != Method::Exclusive {
            self.inherit(node, &mut attributes);
        }
        attributes.sort_unstable();
        for (_, _, name, value) in attributes {
            self.attribute(name, value);
        }
        self.out.push(b'>');
    }

    fn close(&mut self, node: Node<'a, 'i>) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name_of(self.text, node).as_bytes());
        self.out.push(b'>');
        self.rendered.truncate(self.marks.pop().unwrap_or(0));
    }

    /// Exclusive C14N §3: the prefixes visibly used here, and the listed ones that are in scope.
    fn used_namespaces(
        &mut self,
        node: Node<'a, 'i>,
        name: &'a str,
        attributes: &[(&'a str, &'a str, &'a str, &'a str)],
    ) {
        let mut used: Vec<(&str, &str)> = Vec::with_capacity(4);
        used.push((prefix_of(name), node.tag_name().namespace().unwrap_or("")));
        for (uri, _, name, _) in attributes.iter().filter(|a| a.2.contains(':')) {
            used.push((prefix_of(name), uri));
        }
        for listed in &self.rule.prefixes {
            let wanted = if listed == "#default" { None } else { Some(listed.as_str()) };
            let found = node.namespaces().find(|n| n.name() == wanted);
            match found {
                Some(ns) => used.push((ns.name().unwrap_or(""), ns.uri())),
                None if wanted.is_none() => used.push(("", "")),
                None => {}
            }
        }
        used.sort_unstable();
        used.dedup();
        for (prefix, uri) in used {
            self.declare(prefix, uri);
        }
    }

    fn all_namespaces(&mut self, node: Node<'a, 'i>) {
        let outer = (node != self.apex).then(|| node.parent_element()).flatten();
        if outer.is_some_and(|outer| same_scope(node, outer)) {
            return;
        }
        let mut scope: BTreeMap<&str, &str> = BTreeMap::new();
        for ns in node.namespaces() {
            scope.insert(ns.name().unwrap_or(""), ns.uri());
        }
        scope.entry("").or_insert("");
        for (prefix, uri) in scope {
            self.declare(prefix, uri);
        }
    }

    /// Writes a namespace declaration, unless the output has it in force already.
    fn declare(&mut self, prefix: &'a str, uri: &'a str) {
        let old = self.rendered.iter().rev().find(|(p, _)| *p == prefix).map(|(_, uri)| *uri);
        let superfluous = old.unwrap_or("") == uri || prefix == "xml";
        if superfluous || (uri.is_empty() && !prefix.is_empty()) {
            return;
        }
        self.rendered.push((prefix, uri));
        if prefix.is_empty() {
            self.attribute("xmlns", uri);
        } else {
            self.out.extend_from_slice(b" xmlns:");
            self.out.extend_from_slice(prefix.as_bytes());
            self.value(uri);
        }
    }

    /// C14N 1.0 §2.4: an apex takes over the `xml:` attributes of its ancestors; 1.1 leaves `xml:id`.
    fn inherit(
        &self,
        node: Node<'a, 'i>,
        attributes: &mut Vec<(&'a str, &'a str, &'a str, &'a str)>,
    ) {
        let mut own: BTreeSet<&str> =
            attributes.iter().filter(|a| a.0 == XML_NS).map(|a| a.1).collect();
        for ancestor in node.ancestors().skip(1) {
            for a in ancestor.attributes().filter(|a| a.namespace() == Some(XML_NS)) {
                let stays = self.rule.method == Method::Inclusive11 && a.name() == "id";
                if !stays && own.insert(a.name()) {
                    attributes.push(keyed(self.text, a));
                }
            }
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.value(value);
    }

    fn value(&mut self, value: &str) {
        self.out.extend_from_slice(b"=\"");
        replaced(&mut self.out, value, in_attribute);
        self.out.push(b'"');
    }

    fn leaf(&mut self, node: Node<'a, 'i>) {
        if let Some(pi) = node.pi() {
            self.out.extend_from_slice(b"<?");
            self.out.extend_from_slice(pi.target.as_bytes());
            if let Some(value) = pi.value {
                self.out.push(b' ');
                lines(&mut self.out, value);
            }
            self.out.extend_from_slice(b"?>");
        } else if node.is_comment() && self.rule.comments {
            self.out.extend_from_slice(b"<!--");
            lines(&mut self.out, node.text().unwrap_or(""));
            self.out.extend_from_slice(b"-->");
        } else if node.is_text() {
            replaced(&mut self.out, node.text().unwrap_or(""), in_text);
        }
    }
}

fn replaced(out: &mut Vec<u8>, text: &str, entity: fn(u8) -> Option<&'static [u8]>) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            out.extend_from_slice(&text.as_bytes()[from..at]);
            out.extend_from_slice(entity);
            from = at + 1;
        }
    }
    out.extend_from_slice(&text.as_bytes()[from..]);
}

/// XML 1.0 §2.11: the parser normalises line ends in text, but not in comments and instructions.
fn lines(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.replace("\r\n", "\n").replace('\r', "\n").as_bytes());
}

fn in_text(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn in_attribute(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn name_of<'a>(text: &'a str, node: Node) -> &'a str {
    let rest = text.get(node.range().start + 1..).unwrap_or("");
    let ends = |c: char| c.is_ascii_whitespace() || c == '>' || c == '/';
    &rest[..rest.find(ends).unwrap_or(rest.len())]
}

/// Namespace, local name, qualified name, value: sorts as C14N wants it.
fn keyed<'a>(text: &'a str, a: Attribute<'a, '_>) -> (&'a str, &'a str, &'a str, &'a str) {
    let name = text.get(a.range_qname()).unwrap_or("");
    let local = name.split_once(':').map_or(name, |(_, local)| local);
    (a.namespace().unwrap_or(""), local, name, a.value())
}

fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn same_scope(a: Node, b: Node) -> bool {
    let mut theirs = b.namespaces();
    let equal = a.namespaces().all(|ns| theirs.next().is_some_and(|t| std::ptr::eq(ns, t)));
    equal && theirs.next().is_none()
}

/// Method, its algorithm identifier, and the one with comments.
const METHODS: [(Method, &str, &str); 3] = [
    (
        Method::Exclusive,
        "http://www.w3.org/2001/10/xml-exc-c14n#",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    ),
    (
        Method::Inclusive,
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    ),
    (
        Method::Inclusive11,
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    ),
];
