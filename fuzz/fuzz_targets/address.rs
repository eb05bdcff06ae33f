//! An address never panics, and what was read is read again as the same.
#![no_main]
use kep::wire::KepAddress;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(address) = KepAddress::parse(text) {
        assert_eq!(KepAddress::parse(address.as_str()), Ok(address));
    }
});
