//! A text as the parts in which it is sent.

use super::gsm::{self, Septets, Shift};

/// How letters that the 7-bit alphabet lacks are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turkish {
    /// In UCS-2: every network and phone has it; 70 letters a part.
    Ucs2,
    /// By the Turkish shift table: 155 letters a part, where the network carries it.
    Shift,
    /// As people write who lack them: `ş` as `s`.
    Plain,
}

/// How a text is sent that is longer than one part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Long {
    /// Parts, numbered in a user data header.
    Parts,
    /// Whole, in `message_payload`: the SMSC cuts it.
    Payload,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sms {
    pub data_coding: u8,
    /// Octets, and whether they begin with a user data header.
    pub parts: Vec<(Vec<u8>, bool)>,
    /// The one part goes into `message_payload`.
    pub payload: bool,
}

/// `reference` numbers the parts' whole (TS 23.040 §9.2.3.24.1): the same one for the same message, so
/// that a part that comes twice is the same part.
pub fn sms(text: &str, turkish: Turkish, long: Long, reference: u8) -> Sms {
    let fits = |shift| text.chars().all(|letter| gsm::septets(letter, shift).is_some());
    match turkish {
        _ if fits(Shift::Default) => of_septets(text, Shift::Default, long, reference),
        Turkish::Shift if fits(Shift::Turkish) => of_septets(text, Shift::Turkish, long, reference),
        Turkish::Plain => {
            let plain: String = text.chars().map(gsm::plain).collect();
            of_septets(&plain, Shift::Default, long, reference)
        }
        Turkish::Ucs2 | Turkish::Shift => of_units(text, long, reference),
    }
}

fn of_septets(text: &str, shift: Shift, long: Long, reference: u8) -> Sms {
    let letters = text.chars().filter_map(|letter| gsm::septets(letter, shift));
    let header: &[u8] = match shift {
        Shift::Default => &[],
        Shift::Turkish => &[0x24, 1, 1],
    };
    let room = |header: usize| {
        // Octets of the header and of its length, rounded up to septets.
        let octets = if header == 0 { 0 } else { header + 1 };
        SEPTETS.saturating_sub((octets * 8).div_ceil(7))
    };
    let pieces = letters.map(Septets::octets).collect();
    parts(pieces, DEFAULT, header, room, long, reference)
}

fn of_units(text: &str, long: Long, reference: u8) -> Sms {
    let pieces = text.chars().map(|letter| {
        let mut units = [0; 2];
        letter.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()).collect()
    });
    let room = |header: usize| OCTETS - if header == 0 { 0 } else { header + 1 };
    parts(pieces.collect(), UCS2, &[], room, long, reference)
}

/// Lays pieces, none of which may be cut, into as many parts as they take.
fn parts(
    pieces: Vec<Vec<u8>>,
    data_coding: u8,
    header: &[u8],
    room: impl Fn(usize) -> usize,
    long: Long,
    reference: u8,
) -> Sms {
    let whole = |header: &[u8], octets: &[u8]| match header {
        [] => (octets.to_vec(), false),
        header => {
            let length = u8::try_from(header.len()).unwrap_or(u8::MAX);
            ([&[length], header, octets].concat(), true)
        }
    };
    let all = pieces.concat();
    if all.len() <= room(header.len()) {
        return Sms { data_coding, parts: vec![whole(header, &all)], payload: false };
    }
    if long == Long::Payload {
        return Sms { data_coding, parts: vec![whole(header, &all)], payload: true };
    }
    let room = room(header.len() + CONCATENATED);
    let mut cut: Vec<Vec<u8>> = vec![Vec::new()];
    for piece in pieces {
        let begun = cut.len();
        match cut.last_mut() {
            Some(last) if last.len() + piece.len() <= room => last.extend(piece),
            _ if begun < MOST => cut.push(piece),
            // A text of ours never is so long; what is beyond is left out, never all of it.
            _ => break,
        }
    }
    let total = u8::try_from(cut.len()).unwrap_or(u8::MAX);
    let numbered = cut.iter().zip(1_u8..).map(|(octets, n)| {
        let header = [header, &[0, 3, reference, total, n]].concat();
        whole(&header, octets)
    });
    Sms { data_coding, parts: numbered.collect(), payload: false }
}

const DEFAULT: u8 = 0;
const UCS2: u8 = 8;
/// Of one part: 140 octets, or as many septets as fit into them.
const OCTETS: usize = 140;
const SEPTETS: usize = 160;
/// Octets of the header's element that numbers a part.
const CONCATENATED: usize = 5;
/// Ten parts are 670 letters of UCS-2.
const MOST: usize = 10;
