//! Randomness for identifiers, keys and nonces.

/// `N` random octets. Without randomness nothing here may go on.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes).expect("the operating system gives randomness");
    bytes
}
