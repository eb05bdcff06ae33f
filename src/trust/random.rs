//! Random octets, from the cryptographic generator.

/// Octets nobody can guess.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut octets = [0; N];
    openssl::rand::rand_bytes(&mut octets).expect("the operating system gives random octets");
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
    fn a_bound_holds() {
        assert_eq!(below(0), 0);
        assert_eq!(below(1), 0);
        assert!((0..100).all(|_| below(7) < 7));
    }
}
