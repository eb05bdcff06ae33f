//! A mailbox session never panics and comes to an end, with TLS and without, while the mailbox
//! changes and while it doesn't, and whatever goes wrong with what it asks for; how its octets are cut
//! changes nothing of what it says.
#![no_main]
use kep::mailbox::drive::{Pace, drive_at};
use kep::mailbox::{Config, Tls, drive};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((&seed, octets)) = input.split_first() else { return };
    match seed % 4 {
        0 => return drive(Config { tls: Tls::Offered, id: Vec::new() }, octets),
        1 => return drop(said(octets, Pace { piece: 97, news: true, trouble: seed.into() })),
        _ => {}
    }
    let trouble = if seed % 4 == 2 { 0 } else { seed.into() };
    let at = |piece| said(octets, Pace { piece, news: false, trouble });
    let (whole, cut) = (at(usize::MAX), at(usize::from(seed) + 1));
    assert!(
        whole == cut,
        "{}\n---\n{}",
        String::from_utf8_lossy(&whole),
        String::from_utf8_lossy(&cut)
    );
});

fn said(octets: &[u8], pace: Pace) -> Vec<u8> {
    drive_at(Config { tls: Tls::Active, id: Vec::new() }, octets, pace)
}
