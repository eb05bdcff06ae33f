use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SignedData::parse(&octets);
        let _ = issuer_serial(&octets);
    }
}
