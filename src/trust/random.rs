//! Random octets, from the cryptographic generator.

use super::Clock;

/// Octets nobody can guess.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    openssl::rand::rand_bytes(&mut octets).expect("the operating system gives random octets");
    octets
}

/// An identifier that nobody can guess (74 random bits), and that sorts by the time it was made, so
/// that what is new lies together on disk (UUID version 7, RFC 9562 §5.7).
pub fn identifier() -> [u8; 16] {
    let millis = u64::try_from(Clock::System.now().millis()).unwrap_or_default().to_be_bytes();
    let mut octets = bytes::<16>();
    octets[..6].copy_from_slice(&millis[2..]);
    octets[6] = octets[6] & 0x0f | 0x70;
    octets[8] = octets[8] & 0x3f | 0x80;
    octets
}

/// A number below `bound` (0 for 0), even enough for jitter; not for keys.
pub fn below(bound: u64) -> u64 {
    u64::from_be_bytes(bytes()).checked_rem(bound).unwrap_or(0)
}

/// A password people can type: `groups` of five from 32 letters and digits, 25 bits each.
pub fn password(groups: usize) -> String {
    let group = |_| -> String {
        bytes::<5>().iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect()
    };
    (0..groups).map(group).collect::<Vec<_>>().join("-")
}

/// Without i, l, o, u: they are misread.
const LETTERS: [u8; 32] = *b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_have_their_form() {
        let (one, other) = (password(4), password(4));
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert!(one.bytes().all(|b| b == b'-' || LETTERS.contains(&b)));
    }

    #[test]
    fn identifiers_differ_and_sort_by_time() {
        let (one, other) = (identifier(), identifier());
        assert_ne!(one, other);
        assert!(one[..6] <= other[..6]);
        assert_eq!((one[6] >> 4, one[8] >> 6), (7, 2));
    }

    #[test]
    fn a_bound_holds() {
        assert_eq!(below(0), 0);
        assert_eq!(below(1), 0);
        assert!((0..100).all(|_| below(7) < 7));
    }
}
