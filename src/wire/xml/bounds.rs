//! One linear look at the tags before a tree is built: the parser's own work grows with the square
//! of nesting, attributes and namespace declarations, so those are bounded first.

use super::{MAX_DEPTH, MAX_NAME, XmlFault};

/// Does the text stay within the bounds? Well-formedness is the parser's business.
pub(super) fn hold(text: &str) -> Result<(), XmlFault> {
    let mut rest = text.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut in_scope = 0;
    let mut elements = 0;
    let mut declarations = 0;
    while let Some(at) = rest.iter().position(|b| *b == b'<') {
        rest = &rest[at + 1..];
        if let Some(after) = markup(rest)? {
            rest = after;
        } else if rest.first() == Some(&b'/') {
            in_scope -= open.pop().unwrap_or(0);
        } else {
            let tag = tag(rest)?;
            elements += 1;
            declarations += tag.declarations;
            let here = in_scope + tag.declarations;
            if !tag.empty {
                open.push(tag.declarations);
                in_scope = here;
            }
            within(elements <= MAX_ELEMENTS, "elements")?;
            within(declarations <= MAX_DECLARATIONS, "namespace declarations")?;
            within(here <= MAX_IN_SCOPE, "namespaces at one place")?;
            if open.len() > MAX_DEPTH {
                return Err(XmlFault::TooDeep);
            }
            rest = &rest[tag.length..];
        }
    }
    Ok(())
}

struct Tag {
    length: usize,
    empty: bool,
    declarations: usize,
}

/// What follows a comment, a CDATA section or a processing instruction; anything else after `<!` is
/// of a DTD.
fn markup(rest: &[u8]) -> Result<Option<&[u8]>, XmlFault> {
    let end: &[u8] = match rest {
        [b'!', b'-', b'-', ..] => b"-->",
        [b'!', b'[', ..] => b"]]>",
        [b'!', ..] => return Err(XmlFault::Dtd),
        [b'?', ..] => b"?>",
        _ => return Ok(None),
    };
    let after =
        rest.windows(end.len()).position(|w| w == end).map_or(rest.len(), |i| i + end.len());
    Ok(Some(&rest[after..]))
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
                return Ok(Tag { length: at, empty, declarations });
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
    Ok(Tag { length: rest.len(), empty: false, declarations })
}

fn within(holds: bool, what: &'static str) -> Result<(), XmlFault> {
    if holds { Ok(()) } else { Err(XmlFault::TooMany(what)) }
}

const MAX_ELEMENTS: usize = 200_000;
const MAX_ATTRIBUTES: usize = 128;
/// The parser copies what is in scope at each declaration.
const MAX_DECLARATIONS: usize = 8_192;
const MAX_IN_SCOPE: usize = 64;
