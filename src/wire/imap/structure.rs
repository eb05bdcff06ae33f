//! What FETCH needs to know of a message, computed once at delivery and kept in its row: ENVELOPE,
//! BODYSTRUCTURE and BODY as the bytes a client gets, and the layout of its parts.

mod write;

use crate::wire::mime::{self, Layout, Part};
use write::{Enclosed, Writer, bounded, envelope};

/// A row's bytes, and slices into them: FETCH copies these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Structure<'a> {
    /// `("Mon, …" "Konu" …)`, without the item's name.
    pub envelope: &'a [u8],
    pub bodystructure: &'a [u8],
    pub body: &'a [u8],
    /// The two as an unopened dispatch shows them: nothing of what it encloses.
    pub masked_bodystructure: &'a [u8],
    pub masked_body: &'a [u8],
    layout: &'a [u8],
}

impl<'a> Structure<'a> {
    /// The form a row keeps, of a whole message.
    pub fn compute(message: &[u8]) -> Vec<u8> {
        let root = mime::parse(message);
        let mut out = Vec::with_capacity(ROW);
        out.extend_from_slice(&[0; HEAD]);
        out[0] = VERSION;
        piece(&mut out, 0, |out| envelope(out, root.header_bytes(message)));
        // Only what enclosed messages say is masked.
        let shown = if encloses(&root) { 2 } else { 1 };
        let each = [Enclosed::Open, Enclosed::Masked].into_iter().take(shown).enumerate();
        for (at, enclosed) in each {
            for (more, extended) in [true, false].into_iter().enumerate() {
                let writer = Writer { message, enclosed, extended };
                piece(&mut out, 1 + 2 * at + more, |out| bounded(out, writer, &root));
            }
        }
        Layout::of(&root).write(&mut out);
        out
    }

    /// From a row; nothing when these bytes are of another version or cut off.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        let mut lengths = [0_usize; 5];
        for length in &mut lengths {
            let (head, tail) = rest.split_first_chunk::<4>()?;
            *length = u32::from_be_bytes(*head) as usize;
            rest = tail;
        }
        let mut pieces = [&rest[..0]; 5];
        for (piece, length) in pieces.iter_mut().zip(lengths) {
            (*piece, rest) = rest.split_at_checked(length)?;
        }
        let [envelope, bodystructure, body, masked_full, masked_body] = pieces;
        let same = masked_full.is_empty();
        (*version == VERSION).then_some(Self {
            envelope,
            bodystructure,
            body,
            masked_bodystructure: if same { bodystructure } else { masked_full },
            masked_body: if same { body } else { masked_body },
            layout: rest,
        })
    }

    pub fn layout(&self) -> Option<Layout> {
        Layout::read(self.layout)
    }
}

/// Writes the piece of that number and its length, which stands in the row's head.
fn piece(out: &mut Vec<u8>, number: usize, write: impl FnOnce(&mut Vec<u8>)) {
    let before = out.len();
    write(out);
    let length = ((out.len() - before) as u32).to_be_bytes();
    out[1 + 4 * number..][..4].copy_from_slice(&length);
}

fn encloses(part: &Part) -> bool {
    matches!(part.inside, mime::Body::Message(_)) || part.children().iter().any(encloses)
}

/// The version, and the lengths of five pieces.
const HEAD: usize = 1 + 5 * 4;
/// Octets of most rows.
const ROW: usize = 4 << 10;
const VERSION: u8 = 2;

#[cfg(test)]
mod tests;
