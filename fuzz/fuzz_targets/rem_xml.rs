//! Evidence never panics, nor does its signature; what was read and written once is from then on
//! always read and written as the same.
#![no_main]
use kep::wire::rem::Evidence;
use kep::wire::xades::Signature;
use kep::wire::xml::Xml;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(xml) = Xml::parse(octets) else { return };
    let _ = Signature::read(&xml).map(|signature| signature.weak());
    let Ok(foreign) = Evidence::read_xml(&xml) else { return };
    // What lacks a field that the schema wants can be read and not be written.
    let Ok(written) = foreign.evidence.write(foreign.dialect) else { return };
    let ours = Evidence::read(written.as_bytes()).expect("what was written is read");
    assert_eq!(ours.evidence.event, foreign.evidence.event);
    assert_eq!(ours.evidence.refers_to, foreign.evidence.refers_to);
    assert_eq!(ours.evidence.message.digest, foreign.evidence.message.digest);
    let again = ours.evidence.write(ours.dialect).expect("it was written before");
    let again = Evidence::read(again.as_bytes()).expect("what was written is read");
    assert_eq!(again.evidence, ours.evidence);
});
