//! A SignedData never panics, whatever is asked of it; its pieces are slices of what came.
#![no_main]
use kep::wire::cms::{SignedData, SignerId};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(data) = SignedData::parse(octets) else { return };
    let within = |slice: &[u8]| slice.is_empty() || octets.as_ptr_range().contains(&slice.as_ptr());
    assert!(data.certificates.iter().chain(&data.crls).chain(&data.ocsp).all(|one| within(one)));
    for certificate in &data.certificates {
        let _ = kep::wire::cms::issuer_serial(certificate);
    }
    for signer in &data.signers {
        match signer.id {
            SignerId::IssuerSerial { issuer, serial } => assert!(within(issuer) && within(serial)),
            SignerId::KeyId(id) => assert!(within(id)),
        }
        let _ = (signer.signed_octets(), signer.content_type(), signer.message_digest());
        let _ = (signer.signing_time().map(|t| t.map(|t| t.rfc5322())), signer.ess_certificate());
        for token in signer.signature_time_stamps().into_iter().flatten() {
            let _ = kep::wire::tsp::TstInfo::of_token(token);
        }
    }
});
