//! A configuration file never panics; every problem it has can be said.
#![no_main]
#[path = "../../src/bin/kep/settings/mod.rs"]
mod settings;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(problems) = settings::Settings::parse(text, std::path::Path::new("/")) {
        let _ = problems.to_string();
    }
});
