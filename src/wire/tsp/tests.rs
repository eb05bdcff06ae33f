use super::*;
use crate::wire::{Timestamp, sha256};
use ::der::asn1::ObjectIdentifier;
use proptest::prelude::*;

const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4.1");

#[test]
fn requests_go_both_ways() {
    for (policy, nonce, certificate_wanted) in
        [(None, None, false), (Some(POLICY), Some(vec![1, 2, 3]), true)]
    {
        let imprint = Imprint::sha256(sha256(b"content"));
        let request = Request { imprint, policy, nonce, certificate_wanted, extended: false };
        assert_eq!(Request::parse(&request.write()), Ok(request));
    }
}

#[test]
fn replies_go_both_ways() {
    let token = crate::wire::der::sequence(&[]);
    for reply in [
        Reply::granted(token),
        Reply::rejected(Failure::BadAlgorithm, "no"),
        Reply::rejected(Failure::SystemFailure, "yarın"),
        Reply { status: Status::Other(77), text: None, failure: None, token: None },
    ] {
        assert_eq!(Reply::parse(&reply.write()), Ok(reply));
    }
}

#[test]
fn token_infos_go_both_ways() {
    let name = crate::wire::der::element(0x86, &[b"http://zd.example/"]);
    for (millis, tsa) in [(0, None), (20, Some(name.clone())), (1000, None), (1500, Some(name))] {
        let info = TstInfo {
            policy: POLICY,
            imprint: Imprint::sha256(sha256(b"content")),
            serial: vec![9],
            gen_time: Timestamp::from_millis(1_700_000_000_120),
            accuracy: Accuracy { millis },
            nonce: Some(vec![5]),
            tsa,
        };
        assert_eq!(TstInfo::parse(&info.write()), Ok(info));
    }
}

#[test]
fn a_critical_extension_of_a_token_info_is_refused_and_another_is_not() {
    use crate::wire::der;
    let info = TstInfo {
        policy: POLICY,
        imprint: Imprint::sha256(sha256(b"content")),
        serial: vec![9],
        gen_time: Timestamp::from_millis(1_700_000_000_120),
        accuracy: Accuracy::default(),
        nonce: None,
        tsa: None,
    };
    let with = |critical: &[u8]| {
        let kind = der::oid(POLICY);
        let extension = der::sequence(&[&kind, critical, &der::octet_string(b"x")]);
        let extensions = der::element(der::tag::context(1), &[&extension]);
        let written = info.write();
        let fields = der::parse(&written).unwrap().content;
        TstInfo::parse(&der::sequence(&[fields, &extensions]))
    };
    assert_eq!(with(&der::boolean(true)), Err(TspError::Critical));
    assert_eq!(with(&[]), Ok(info.clone()));
}

#[test]
fn other_versions_are_refused() {
    let mut request = Request {
        imprint: Imprint::sha256(sha256(b"")),
        policy: None,
        nonce: None,
        certificate_wanted: false,
        extended: false,
    }
    .write();
    request[4] = 2;
    assert_eq!(Request::parse(&request), Err(TspError::Version));
}

proptest! {
    #[test]
    fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (Request::parse(&octets), Reply::parse(&octets), TstInfo::of_token(&octets));
    }
}
