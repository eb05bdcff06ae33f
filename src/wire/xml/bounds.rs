//! One linear look at the tags before a tree is built: the parser's own work grows with the square
//! of nesting, attributes and namespace declarations, so those are bounded first.

use super::{MAX_DEPTH, MAX_NAME, XmlFault};

/// How far a text goes: never less than what the parser meets before it ends or gives up.
#[derive(Default, Debug)]
pub(super) struct Extent {
    pub elements: usize,
    pub depth: usize,
    /// The most of one element.
    pub attributes: usize,
    pub declarations: usize,
    /// The most namespaces at one place.
    pub in_scope: usize,
}

/// Does the text stay within the bounds? Well-formedness is the parser's business, but where markup
/// begins and ends is seen here exactly as the parser sees it: what only one of them takes for a
/// comment would hide the rest from the other.
pub(super) fn hold(text: &str) -> Result<Extent, XmlFault> {
    let mut rest = text.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut in_scope = 0;
    let mut extent = Extent::default();
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = &rest[at + 1..];
        if let Some(after) = markup(rest)? {
            rest = after;
        } else if rest.first() == Some(&b'/') {
            in_scope -= open.pop().unwrap_or(0);
        } else {
            let tag = tag(rest)?;
            let here = in_scope + tag.declarations;
            extent.meet(&tag, open.len() + 1, here)?;
            if !tag.empty {
                open.push(tag.declarations);
                in_scope = here;
            }
            rest = &rest[tag.length..];
        }
    }
    Ok(extent)
}

impl Extent {
    fn meet(&mut self, tag: &Tag, depth: usize, in_scope: usize) -> Result<(), XmlFault> {
        self.elements += 1;
        self.declarations += tag.declarations;
        self.attributes = self.attributes.max(tag.attributes);
        self.depth = self.depth.max(depth);
        self.in_scope = self.in_scope.max(in_scope);
        within(self.elements <= MAX_ELEMENTS, "elements")?;
        within(self.declarations <= MAX_DECLARATIONS, "namespace declarations")?;
        within(self.in_scope <= MAX_IN_SCOPE, "namespaces at one place")?;
        if self.depth > MAX_DEPTH { Err(XmlFault::TooDeep) } else { Ok(()) }
    }
}

struct Tag {
    length: usize,
    empty: bool,
    attributes: usize,
    declarations: usize,
}

/// What follows a comment, a CDATA section or a processing instruction; anything else after `<!` is
/// of a DTD. The end is looked for behind the whole beginning: `<!-->` opens a comment and ends none.
fn markup(rest: &[u8]) -> Result<Option<&[u8]>, XmlFault> {
    let kinds: [(&[u8], &[u8]); 3] = [(b"!--", b"-->"), (b"![CDATA[", b"]]>"), (b"?", b"?>")];
    for (begin, end) in kinds {
        let Some(inside) = rest.strip_prefix(begin) else { continue };
        let at = memchr::memmem::find(inside, end).map_or(inside.len(), |at| at + end.len());
        return Ok(Some(&inside[at..]));
    }
    if rest.first() == Some(&b'!') { Err(XmlFault::Dtd) } else { Ok(None) }
}

fn tag(rest: &[u8]) -> Result<Tag, XmlFault> {
    let (mut quote, mut word, mut attributes, mut declarations) = (None, 0, 0, 0);
    for (at, byte) in rest.iter().copied().enumerate() {
        match quote {
            Some(q) if byte == q => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'') => {
                quote = Some(byte);
                attributes += 1;
                within(attributes <= MAX_ATTRIBUTES, "attributes")?;
            }
            None if byte == b'>' => {
                let empty = at > 0 && rest[at - 1] == b'/';
                return Ok(Tag { length: at, empty, attributes, declarations });
            }
            None => {
                word = if byte.is_ascii_whitespace() || byte == b'=' { 0 } else { word + 1 };
                if word == 1 && rest[at..].starts_with(b"xmlns") {
                    declarations += 1;
                }
                if word > MAX_NAME {
                    return Err(XmlFault::LongName);
                }
            }
        }
        if quote.is_some() {
            word = 0;
        }
    }
    Ok(Tag { length: rest.len(), empty: false, attributes, declarations })
}

fn within(holds: bool, what: &'static str) -> Result<(), XmlFault> {
    if holds { Ok(()) } else { Err(XmlFault::TooMany(what)) }
}

const MAX_ELEMENTS: usize = 200_000;
const MAX_ATTRIBUTES: usize = 128;
/// The parser copies what is in scope at each declaration.
const MAX_DECLARATIONS: usize = 8_192;
const MAX_IN_SCOPE: usize = 64;
