//! Comparing secrets, in a time that tells nothing of them.

/// Whether two secrets are the same; how long that takes depends on their lengths alone.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(is_same(b"gizli", b"gizli"));
        assert!(!is_same(b"gizli", b"gizl"));
        assert!(!is_same(b"gizli", b"gizlu"));
        assert!(is_same(b"", b""));
    }
}
