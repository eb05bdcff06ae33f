//! A command line never panics, neither read alone nor judged by its line ends; what is a command
//! holds no octet that could end a line.
#![no_main]
use kep::wire::smtp::{LineKind, LineReader, parse};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let _ = parse(octets).map_err(|error| error.to_string());
    let mut reader = LineReader::default();
    reader.feed(octets);
    while let Ok(Some(line)) = reader.next_line(LineKind::Command) {
        assert!(!line.contains(&b'\r') && !line.contains(&b'\n'));
        let _ = parse(&line);
    }
});
