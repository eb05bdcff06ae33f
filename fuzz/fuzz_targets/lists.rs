//! A list of providers never panics, nor do the times that it says; nothing unsigned is believed.
#![no_main]
use kep::registry::lists::{Authentic, Believed};
use kep::wire::Timestamp;
use kep::wire::lists::{Csi, TrustedList};
use kep::wire::xml::Xml;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(xml) = Xml::parse(octets) else { return };
    if let Ok(list) = TrustedList::read(&xml) {
        for service in list.providers.iter().flat_map(|provider| &provider.services) {
            let spans = service.in_force();
            assert!(spans.iter().all(|(from, until)| until.is_none_or(|until| *from <= until)));
            assert!(spans.windows(2).all(|pair| pair[0].1.is_some_and(|end| end <= pair[1].0)));
        }
    }
    let _ = Csi::read(&xml).map(|csi| csi.is_baseline());
    let now = Timestamp::from_secs(1_795_000_000);
    assert!(Authentic::judge(octets, None, &Believed::default(), &[], now).is_err());
});
