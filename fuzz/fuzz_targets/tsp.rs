//! A time-stamp reply, a query and what a token says never panic; what was read is written and read
//! again as the same.
#![no_main]
use kep::wire::tsp::{Reply, Request, TstInfo};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    if let Ok(reply) = Reply::parse(octets) {
        let again = Reply::parse(&reply.write()).expect("what was written is read");
        assert_eq!(again, reply);
        if let Some(token) = &reply.token {
            let _ = TstInfo::of_token(token).map(|info| info.gen_time.iso8601());
        }
    }
    if let Ok(request) = Request::parse(octets) {
        let again = Request::parse(&request.write()).expect("what was written is read");
        assert_eq!((again.imprint, again.policy), (request.imprint, request.policy));
    }
    if let Ok(info) = TstInfo::parse(octets) {
        let _ = (info.gen_time.iso8601(), info.write());
    }
});
