//! An OCSP answer and a question never panic; a question is written and read again as the same.
#![no_main]
use kep::wire::ocsp::{BasicResponse, CertStatus, OcspRequest};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    if let Ok(answer) = BasicResponse::parse(octets) {
        for one in &answer.responses {
            let _ = (one.this_update.iso8601(), one.next_update.map(|time| time.rfc5322()));
            if let CertStatus::Revoked { at, .. } = one.status {
                let _ = at.turkish();
            }
        }
    }
    if let Ok(request) = OcspRequest::parse(octets) {
        let again = OcspRequest::parse(&request.write()).expect("what was written is read");
        assert_eq!(again.ids.len(), request.ids.len());
        for (again, first) in again.ids.iter().zip(&request.ids) {
            assert_eq!((again, &again.serial), (first, &first.serial));
        }
    }
});
