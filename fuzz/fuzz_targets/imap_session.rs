//! A mailbox session never panics and comes to an end, with TLS and without, while the mailbox
//! changes and while it doesn't; how its octets are cut changes nothing of what it says.
#![no_main]
use kep::mailbox::drive::{Pace, drive_at};
use kep::mailbox::{Config, Tls, drive};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&seed, octets)) = input.split_first() else { return };
    let config = |tls| Config { tls, id: Vec::new() };
    match seed % 4 {
        0 => return drive(config(Tls::Offered), octets),
        1 => return drive(config(Tls::Active), octets),
        _ => {}
    }
    let at = |piece| drive_at(config(Tls::Active), octets, Pace { piece, news: false });
    let (whole, cut) = (at(usize::MAX), at(usize::from(seed) + 1));
    assert!(
        whole == cut,
        "{}\n---\n{}",
        String::from_utf8_lossy(&whole),
        String::from_utf8_lossy(&cut)
    );
});
