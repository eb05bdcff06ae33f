//! A time never panics; a year of four digits is read again as the same.
#![no_main]
use kep::wire::Timestamp;
libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Some(time) = Timestamp::parse_iso8601(text) {
        let again = Timestamp::parse_iso8601(&time.iso8601());
        assert!(again == Some(time) || !(0..253_402_300_800).contains(&time.secs()));
        let _ = (time.rfc5322(), time.turkish());
    }
});
