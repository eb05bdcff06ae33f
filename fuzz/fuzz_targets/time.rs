//! A time never panics and is read again as the same.
#![no_main]
use kep::wire::Timestamp;
libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Some(time) = Timestamp::parse_iso8601(text) {
        assert_eq!(Timestamp::parse_iso8601(&time.iso8601()), Some(time));
        let _ = (time.rfc5322(), time.turkish(), time.istanbul().date_naive());
    }
});
