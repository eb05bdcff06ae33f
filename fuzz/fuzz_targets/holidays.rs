//! A holiday file never panics, and every rule of a calendar it yields ends.
#![no_main]
use kep::registry::{holidays::Calendar, read_policy::ReadPolicy};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(calendar) = Calendar::parse(text) {
        let start = kep::wire::Timestamp::from_secs(1_780_000_000);
        let _ = ReadPolicy::EndOfNextBusinessDay.due(start, &calendar);
    }
});
