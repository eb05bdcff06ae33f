use super::*;
use crate::trust::SignerFault;
use crate::trust::path::{Anchors, PathFault};
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::testing::{self, NOW};
use axum::body::Bytes;
use std::net::SocketAddr;

type Answer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// An authority on a free port that answers each query with what `answer` makes of it.
async fn serve(answer: Answer) -> String {
    let handler = move |query: Bytes| {
        let answer = answer.clone();
        async move { answer(&query) }
    };
    let router = axum::Router::new().route("/", axum::routing::post(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/")
}

fn stamper(root: &CertificateAuthority, source: StampSource) -> Stamper {
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    Stamper::new(source, verifier, Clock::Fixed(NOW), &StampSettings::default()).unwrap()
}

/// What a stamper says to an authority that answers so.
async fn outcome(root: &CertificateAuthority, answer: Answer) -> Result<Token, StampError> {
    let url = serve(answer).await;
    stamper(root, StampSource::Http { url }).stamp(b"content").await
}

fn authority(root: &CertificateAuthority) -> Authority {
    Authority::new(Arc::new(testing::stamper(root).signer().unwrap()))
}

/// An answer to a changed query.
fn changed(authority: Authority, change: fn(&mut Request)) -> Answer {
    Arc::new(move |query| {
        let mut request = Request::parse(query).unwrap();
        change(&mut request);
        authority.respond(&request.write(), NOW)
    })
}

fn wrong(result: Result<Token, StampError>) -> TokenFault {
    match result {
        Err(StampError::WrongReply(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_comes_over_http_and_is_believed() {
    let root = testing::authority("ZD Kök");
    let authority = authority(&root);
    let token = outcome(&root, changed(authority, |_| ())).await.unwrap();
    assert_eq!(token.gen_time, NOW);
    assert_eq!(token.path.certificates().len(), 2);
}

#[tokio::test]
async fn the_embedded_authority_stamps_many_at_once() {
    let root = testing::authority("ZD Kök");
    let source = StampSource::Embedded(Arc::new(authority(&root)), Clock::Fixed(NOW));
    let stamper = stamper(&root, source);
    for content in [&b"a"[..], b"b", b""] {
        let token = stamper.stamp(content).await.unwrap();
        assert!(stamper.verifier().verify(&token.der, content).is_ok());
        let other = stamper.verifier().verify(&token.der, b"other");
        assert_eq!(other.unwrap_err(), TokenFault::Imprint);
    }
}

#[tokio::test]
async fn replies_to_other_questions_are_refused() {
    let root = testing::authority("ZD Kök");
    let nonce = changed(authority(&root), |request| request.nonce = Some(vec![1]));
    assert_eq!(wrong(outcome(&root, nonce).await), TokenFault::Nonce);
    let without = changed(authority(&root), |request| request.nonce = None);
    assert_eq!(wrong(outcome(&root, without).await), TokenFault::Nonce);
    let imprint = changed(authority(&root), |r| r.imprint = Imprint::sha256(sha256(b"other")));
    assert_eq!(wrong(outcome(&root, imprint).await), TokenFault::Imprint);
    let longer = changed(authority(&root), |request| {
        let digest = openssl::hash::hash(openssl::hash::MessageDigest::sha512(), b"content");
        let algorithm = crate::wire::DigestAlgorithm::Sha512.oid();
        request.imprint = Imprint { algorithm, digest: digest.unwrap().to_vec() };
    });
    assert_eq!(wrong(outcome(&root, longer).await), TokenFault::OtherAlgorithm);
    let bare = changed(authority(&root), |request| request.certificate_wanted = false);
    let fault = TokenFault::Signer(SignerFault::NoCertificate);
    assert_eq!(wrong(outcome(&root, bare).await), fault);
}

#[tokio::test]
async fn replies_of_others_are_refused() {
    let root = testing::authority("ZD Kök");
    let foreign = changed(authority(&testing::authority("Yabancı")), |_| ());
    let fault = wrong(outcome(&root, foreign).await);
    assert!(matches!(fault, TokenFault::Path(PathFault::Untrusted { .. })), "{fault}");
    let user = testing::user(&root).signer().unwrap();
    let purpose = changed(Authority::new(Arc::new(user)), |_| ());
    let fault = wrong(outcome(&root, purpose).await);
    assert!(matches!(fault, TokenFault::Path(PathFault::Purpose { .. })), "{fault}");
}

#[tokio::test]
async fn an_expired_authority_is_refused() {
    let long_ago = NOW.plus_secs(-5 * 365 * 86_400);
    let root = CertificateAuthority::create("ZD Kök", KeyKind::P256, long_ago).unwrap();
    let profile = Profile::TimeStamp { name: "ZDS".into() };
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), long_ago).unwrap();
    let expired = Authority::new(Arc::new(issued.signer().unwrap()));
    let fault = wrong(outcome(&root, changed(expired, |_| ())).await);
    assert!(matches!(fault, TokenFault::Path(PathFault::Expired { .. })), "{fault}");
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused() {
    let root = testing::authority("ZD Kök");
    let authority = authority(&root);
    let touched: Answer = Arc::new(move |query| {
        let mut reply = authority.respond(query, NOW);
        // the signature's last octet
        if let Some(last) = reply.last_mut() {
            *last ^= 1;
        }
        reply
    });
    let fault = wrong(outcome(&root, touched).await);
    assert_eq!(fault, TokenFault::Signer(SignerFault::Broken));
}

#[tokio::test]
async fn every_touched_octet_of_a_reply_is_noticed() {
    let root = testing::authority("ZD Kök");
    let authority = authority(&root);
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    let request = Request {
        imprint: Imprint::sha256(sha256(b"content")),
        policy: None,
        nonce: None,
        certificate_wanted: true,
        extended: false,
    };
    let reply = Reply::parse(&authority.respond(&request.write(), NOW)).unwrap();
    let token = reply.token.unwrap();
    let good = verifier.verify(&token, b"content").unwrap();
    for at in 0..token.len() {
        let mut touched = token.clone();
        touched[at] ^= 0x10;
        if let Ok(token) = verifier.verify(&touched, b"content") {
            // outside what is signed; what the token says stays the same
            assert_eq!((token.gen_time, token.serial), (good.gen_time, good.serial.clone()));
        }
    }
}

#[tokio::test]
async fn garbage_and_floods_are_refused() {
    let root = testing::authority("ZD Kök");
    for garbage in [&b""[..], b"<html>", &[0x30, 0x80], &[0x30, 3, 0x30, 1, 2]] {
        let fault = wrong(outcome(&root, Arc::new(move |_| garbage.to_vec())).await);
        assert!(matches!(fault, TokenFault::Malformed(_)), "{fault}");
    }
    let flood = outcome(&root, Arc::new(|_| vec![0x30; MAX_REPLY + 1])).await;
    assert!(matches!(flood, Err(StampError::Outage(DialError::TooLarge { .. }))));
    let empty = Reply { status: Status::Granted, text: None, failure: None, token: None };
    let fault = wrong(outcome(&root, Arc::new(move |_| empty.write())).await);
    assert_eq!(fault, TokenFault::Malformed(TspError::NotTstInfo));
}

#[tokio::test]
async fn a_rejection_is_told_with_its_reason() {
    let root = testing::authority("ZD Kök");
    let foreign = |request: &mut Request| request.policy = Some(Oid::new_unwrap("1.2.3"));
    match outcome(&root, changed(authority(&root), foreign)).await {
        Err(StampError::Rejected { status: Status::Rejection, failure, text }) => {
            assert_eq!(failure, Some(Failure::UnacceptedPolicy));
            assert_eq!(text, "another policy");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_policy_than_ours_is_refused() {
    let root = testing::authority("ZD Kök");
    let url = serve(changed(authority(&root), |request| request.policy = None)).await;
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    let settings = StampSettings { policy: Some("1.2.3.4".into()), ..StampSettings::default() };
    let source = StampSource::Http { url };
    let stamper = Stamper::new(source, verifier, Clock::Fixed(NOW), &settings).unwrap();
    let fault = wrong(stamper.stamp(b"content").await);
    assert!(matches!(fault, TokenFault::Policy(_)), "{fault}");
}

#[tokio::test]
async fn clocks_too_far_apart_are_told() {
    let root = testing::authority("ZD Kök");
    for (seconds, good) in [(59, true), (-59, true), (62, false), (-62, false)] {
        let authority = authority(&root);
        let moved: Answer = Arc::new(move |query| authority.respond(query, NOW.plus_secs(seconds)));
        match outcome(&root, moved).await {
            Ok(_) => assert!(good, "{seconds}"),
            Err(StampError::ClockDrift { millis }) => {
                assert_eq!((good, millis), (false, i64::abs(seconds) * 1000));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_absent_authority_is_an_outage() {
    let root = testing::authority("ZD Kök");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let absent = stamper(&root, StampSource::Http { url }).stamp(b"content").await;
    assert!(matches!(absent, Err(StampError::Outage(DialError::Unreachable { .. }))));
}

#[tokio::test]
async fn a_silent_authority_is_an_outage() {
    let root = testing::authority("ZD Kök");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    let timeout = Duration::from_millis(50);
    let settings = StampSettings { timeout, ..StampSettings::default() };
    let source = StampSource::Http { url };
    let stamper = Stamper::new(source, verifier, Clock::Fixed(NOW), &settings).unwrap();
    let silent = stamper.stamp(b"content").await;
    assert!(matches!(silent, Err(StampError::Outage(DialError::Timeout { .. }))), "{silent:?}");
}
