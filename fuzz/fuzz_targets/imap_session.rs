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
        1 => {
            let pace = Pace { piece: 97, news: true, trouble: seed.into(), limit: limit(seed) };
            return drop(said(octets, pace));
        }
        _ => {}
    }
    let trouble = if seed % 4 == 2 { 0 } else { seed.into() };
    let limit = limit(seed);
    let at = |piece| said(octets, Pace { piece, news: false, trouble, limit });
    let (whole, cut) = (at(usize::MAX), at(usize::from(seed) + 1));
    assert!(
        whole == cut,
        "{}\n---\n{}",
        String::from_utf8_lossy(&whole),
        String::from_utf8_lossy(&cut)
    );
});

/// Few enough for the world's mailbox to hold more.
fn limit(seed: u8) -> Option<usize> {
    (seed & 4 > 0).then_some(3)
}

fn said(octets: &[u8], pace: Pace) -> Vec<u8> {
    drive_at(Config { tls: Tls::Active, id: Vec::new() }, octets, pace)
}
