//! Where the parts of a message lie, in a form small enough for a row: FETCH finds `BODY[1.2.MIME]`
//! with it and asks for those bytes only.

use super::content::Content;
use super::section::{Section, SectionText};
use super::tree::{Body, Part};
use std::ops::Range;

/// The parts in preorder, the message itself first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    nodes: Vec<Node>,
}

/// One part; offsets are within the whole message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    pub header: Range<u64>,
    pub body: Range<u64>,
    pub shape: Shape,
    pub encoding: Encoding,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Leaf,
    /// With so many parts, which follow, each with its own.
    Multipart(u32),
    /// Its message follows.
    Message,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
    Other,
}

impl Encoding {
    pub fn of(content: &Content) -> Self {
        let is = |name: &[u8]| content.encoding.eq_ignore_ascii_case(name);
        match () {
            () if content.is_identity() => Self::Identity,
            () if is(b"base64") => Self::Base64,
            () if is(b"quoted-printable") => Self::QuotedPrintable,
            () => Self::Other,
        }
    }
}

impl Layout {
    pub fn of(message: &Part) -> Self {
        let mut nodes = Vec::new();
        add(message, &mut nodes);
        Self { nodes }
    }

    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Where a section lies. Header fields give the whole header, to be picked from. `None` when
    /// the message has no such section (FETCH says NIL).
    pub fn find(&self, section: &Section) -> Option<Range<u64>> {
        let root = self.nodes.first()?;
        if section.part.is_empty() {
            return match section.text {
                SectionText::Whole => Some(root.header.start..root.body.end),
                SectionText::Header | SectionText::HeaderFields { .. } => Some(root.header.clone()),
                SectionText::Text => Some(root.body.clone()),
                SectionText::Mime => None,
            };
        }
        let (at, node) = self.part(&section.part)?;
        if section.text == SectionText::Mime {
            // A message that is not multipart is its own part 1; its header is its MIME header.
            return Some(node.header.clone());
        }
        if section.text == SectionText::Whole {
            return Some(node.body.clone());
        }
        let inner = self.nodes.get(at + 1).filter(|_| node.shape == Shape::Message)?;
        match section.text {
            SectionText::Text => Some(inner.body.clone()),
            _ => Some(inner.header.clone()),
        }
    }

    /// The part of that number: RFC 9051 §6.4.5.1, a message's numbers go on inside.
    pub fn part(&self, numbers: &[u32]) -> Option<(usize, &Node)> {
        let mut at = 0;
        for (level, &number) in numbers.iter().enumerate() {
            // The message enclosed in a message/rfc822 part has the numbers below that part's.
            let enclosed = level > 0 && self.nodes.get(at)?.shape == Shape::Message;
            at += usize::from(enclosed);
            at = match self.nodes.get(at)?.shape {
                Shape::Multipart(count) if number <= count => self.child(at, number)?,
                // Not a multipart: only its part 1, which is itself, and only of a message.
                Shape::Leaf | Shape::Message if number == 1 && (enclosed || level == 0) => at,
                _ => return None,
            };
        }
        Some((at, self.nodes.get(at)?))
    }

    /// The outermost enclosed message in which a section lies, or would lie if there were one: its
    /// octets. Not for that message as a whole, which the part around it shows.
    pub fn enclosing(&self, section: &Section) -> Option<Range<u64>> {
        let inside = !matches!(section.text, SectionText::Whole | SectionText::Mime);
        let entered = |depth: usize| {
            let (_, node) = self.part(section.part.get(..depth)?)?;
            (node.shape == Shape::Message).then(|| node.body.clone())
        };
        let most = section.part.len() + usize::from(inside);
        (1..most).find_map(entered)
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        number(self.nodes.len() as u64, out);
        for node in &self.nodes {
            number(node.header.start, out);
            number(node.body.start - node.header.start, out);
            number(node.body.end - node.body.start, out);
            let shape = match node.shape {
                Shape::Leaf => 0,
                Shape::Message => 1,
                Shape::Multipart(count) => 1 + u64::from(count),
            };
            let encoding = match node.encoding {
                Encoding::Identity => 0,
                Encoding::Base64 => 1,
                Encoding::QuotedPrintable => 2,
                Encoding::Other => 3,
            };
            number((shape << 2) | encoding, out);
        }
    }

    pub fn read(mut bytes: &[u8]) -> Option<Self> {
        let count = usize::try_from(take(&mut bytes)?).ok().filter(|n| (1..=NODES).contains(n))?;
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            let start = take(&mut bytes)?;
            let body = start.checked_add(take(&mut bytes)?)?;
            let end = body.checked_add(take(&mut bytes)?)?;
            let bits = take(&mut bytes)?;
            let shape = match bits >> 2 {
                0 => Shape::Leaf,
                1 => Shape::Message,
                more => Shape::Multipart(u32::try_from(more - 1).ok()?),
            };
            let encoding = match bits & 3 {
                0 => Encoding::Identity,
                1 => Encoding::Base64,
                2 => Encoding::QuotedPrintable,
                _ => Encoding::Other,
            };
            nodes.push(Node { header: start..body, body: body..end, shape, encoding });
        }
        Some(Self { nodes })
    }

    /// The node of a multipart's `number`th part.
    fn child(&self, parent: usize, number: u32) -> Option<usize> {
        let mut at = parent + 1;
        for _ in 1..number {
            at = self.after(at)?;
        }
        (number > 0).then_some(at)
    }

    /// The node behind a part and all that is in it.
    fn after(&self, at: usize) -> Option<usize> {
        let (mut at, mut left) = (at, 1_u64);
        while left > 0 {
            left -= 1;
            left += match self.nodes.get(at)?.shape {
                Shape::Leaf => 0,
                Shape::Message => 1,
                Shape::Multipart(count) => u64::from(count),
            };
            at += 1;
        }
        Some(at)
    }
}

fn add(part: &Part, nodes: &mut Vec<Node>) {
    let range = |r: &Range<usize>| r.start as u64..r.end as u64;
    let shape = match &part.inside {
        Body::Leaf => Shape::Leaf,
        Body::Message(_) => Shape::Message,
        Body::Multipart(parts) => Shape::Multipart(parts.len() as u32),
    };
    nodes.push(Node {
        header: range(&part.header),
        body: range(&part.body),
        shape,
        encoding: Encoding::of(&part.content),
    });
    part.children().iter().for_each(|child| add(child, nodes));
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// No more than the parser makes.
const NODES: usize = super::tree::PARTS;

#[cfg(test)]
mod tests;
