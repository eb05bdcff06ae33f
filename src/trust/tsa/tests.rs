use super::*;
use crate::trust::path::Anchors;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::testing::{self, NOW};
use crate::trust::token::TokenVerifier;
use crate::wire::tsp::Status;
use std::fs;

fn request() -> Request {
    Request {
        imprint: Imprint::sha256(sha256(b"content")),
        policy: None,
        nonce: Some(vec![0x11, 0x22]),
        certificate_wanted: true,
        extended: false,
    }
}

fn authority() -> (CertificateAuthority, Authority) {
    let root = testing::authority("ZD Kök");
    let signer = testing::stamper(&root).signer().unwrap();
    (root, Authority::new(Arc::new(signer)))
}

#[test]
fn a_token_says_what_was_asked_and_when() {
    let (root, authority) = authority();
    let reply = Reply::parse(&authority.respond(&request().write(), NOW)).unwrap();
    assert_eq!(reply.status, Status::Granted);
    let token = reply.token.unwrap();
    let info = TstInfo::of_token(&token).unwrap();
    assert_eq!((info.gen_time, info.nonce), (NOW, request().nonce));
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    assert_eq!(verifier.verify(&token, b"content").unwrap().gen_time, NOW);
}

#[test]
fn the_certificate_comes_only_when_wanted() {
    let (_, authority) = authority();
    let bare = Request { certificate_wanted: false, ..request() };
    let sizes = [request(), bare].map(|request| {
        let reply = Reply::parse(&authority.respond(&request.write(), NOW)).unwrap();
        let token = reply.token.unwrap();
        crate::wire::cms::SignedData::parse(&token).unwrap().certificates.len()
    });
    assert_eq!(sizes, [1, 0]);
}

#[test]
fn serial_numbers_are_never_the_same() {
    let (root, one) = authority();
    let other = Authority::new(Arc::new(testing::stamper(&root).signer().unwrap()));
    let mut serials = vec![one.serial(), one.serial(), other.serial(), other.serial()];
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 4);
}

#[test]
fn what_is_not_accepted_is_rejected_by_name() {
    let (_, authority) = authority();
    let sha1 = Imprint { algorithm: DigestAlgorithm::Sha1.oid(), digest: vec![0; 20] };
    let short = Imprint { algorithm: DigestAlgorithm::Sha256.oid(), digest: vec![0; 31] };
    let foreign = Some(Oid::new_unwrap("1.2.3"));
    let mut version = request().write();
    version[4] = 9;
    for (query, failure) in [
        (Request { imprint: sha1, ..request() }.write(), Failure::BadAlgorithm),
        (Request { imprint: short, ..request() }.write(), Failure::BadDataFormat),
        (Request { policy: foreign, ..request() }.write(), Failure::UnacceptedPolicy),
        (Request { nonce: Some(vec![1; 41]), ..request() }.write(), Failure::BadRequest),
        (b"garbage".to_vec(), Failure::BadDataFormat),
        (version, Failure::BadRequest),
    ] {
        let reply = Reply::parse(&authority.respond(&query, NOW)).unwrap();
        assert_eq!((reply.status, reply.failure), (Status::Rejection, Some(failure)));
        assert_eq!(reply.token, None);
    }
}

#[test]
fn openssl_verifies_replies_to_its_own_queries() {
    if !testing::openssl_is_here() {
        return;
    }
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let dir = tempfile::tempdir().unwrap();
        let now = crate::trust::Clock::System.now();
        let root = CertificateAuthority::create("ZD Kök", kind, now).unwrap();
        let profile = Profile::TimeStamp { name: "ZDS".into() };
        let issued = root.issue(&profile, kind, &Links::default(), now).unwrap();
        let authority = Authority::new(Arc::new(issued.signer().unwrap()));
        fs::write(dir.path().join("ca.pem"), root.certificate().pem()).unwrap();
        fs::write(dir.path().join("data"), b"content").unwrap();
        let query = "ts -query -data data -sha256 -cert -out query.tsq";
        let (made, said) = testing::openssl(dir.path(), query);
        assert!(made, "{said}");
        let query = fs::read(dir.path().join("query.tsq")).unwrap();
        fs::write(dir.path().join("reply.tsr"), authority.respond(&query, now)).unwrap();
        for against in ["-queryfile query.tsq", "-data data"] {
            let verify = format!("ts -verify {against} -in reply.tsr -CAfile ca.pem");
            let (ok, said) = testing::openssl(dir.path(), &verify);
            assert!(ok, "{said}");
        }
    }
}
