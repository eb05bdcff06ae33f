use super::*;
use crate::trust::Clock;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::testing;
use crate::wire::sha256;
use crate::wire::tsp::{Imprint, Reply, Request};
use std::fs;
use std::path::Path as FilePath;

/// What `openssl ts -reply` answers: an authority that is not ours, with every field filled.
fn reply(dir: &FilePath, options: &str) -> Vec<u8> {
    let conf = format!(
        "[tsa]\ndefault_tsa=one\n[one]\nserial=serial\nsigner_cert=tsa.pem\nsigner_key=tsa.key\n\
         signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha512\nordering=yes\n\
         accuracy=secs:1,millisecs:500,microsecs:100\ntsa_name=yes\nclock_precision_digits=3\n{options}\n"
    );
    fs::write(dir.join("tsa.cnf"), conf).unwrap();
    let (made, said) =
        testing::openssl(dir, "ts -reply -config tsa.cnf -queryfile query.tsq -out reply.tsr");
    assert!(made, "{said}");
    fs::read(dir.join("reply.tsr")).unwrap()
}

#[test]
fn tokens_of_another_authority_are_verified() {
    if !testing::openssl_is_here() {
        return;
    }
    let now = Clock::System.now();
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let dir = tempfile::tempdir().unwrap();
        let root = CertificateAuthority::create("ZD Kök", kind, now).unwrap();
        let profile = Profile::TimeStamp { name: "Yabancı ZDS".into() };
        let issued = root.issue(&profile, kind, &Links::default(), now).unwrap();
        fs::write(dir.path().join("tsa.pem"), issued.certificate().pem()).unwrap();
        fs::write(dir.path().join("tsa.key"), issued.key_pem().unwrap()).unwrap();
        let nonce = Some(vec![0x40, 2, 3, 4, 5, 6, 7, 8]);
        let request = Request {
            imprint: Imprint::sha256(sha256(b"content")),
            policy: None,
            nonce: nonce.clone(),
            certificate_wanted: true,
            extended: false,
        };
        fs::write(dir.path().join("query.tsq"), request.write()).unwrap();
        let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
        let verifier = TokenVerifier::new(anchors, Vec::new());
        for options in ["ess_cert_id_alg=sha1", "ess_cert_id_alg=sha256", "ess_cert_id_alg=sha512"]
        {
            let reply = Reply::parse(&reply(dir.path(), options)).unwrap();
            let asked = Asked { nonce: nonce.clone(), ..Asked::default() };
            let token = reply.token.unwrap();
            let token = verifier.verify_asked(&token, b"content", &asked).unwrap();
            assert_eq!((token.policy.as_str(), token.accuracy_millis), ("1.2.3.4.1", 1_501));
            assert!((token.gen_time.millis() - now.millis()).abs() < 60_000);
            let other = verifier.verify(&token.der, b"other");
            assert_eq!(other.unwrap_err(), TokenFault::Imprint);
        }
    }
}

#[test]
fn other_signed_things_are_no_tokens() {
    let root = testing::authority("ZD Kök");
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    let verifier = TokenVerifier::new(anchors, Vec::new());
    let data = crate::wire::cms::validation_data([root.certificate().der()], [], []);
    let fault = verifier.verify(&data, b"content").unwrap_err();
    assert_eq!(fault, TokenFault::Malformed(TspError::NotTstInfo));
}

#[test]
fn the_authority_that_a_token_names_is_the_certificates() {
    use crate::trust::Signer;
    use crate::wire::cms::{Prepared, oid};
    use crate::wire::der::{self, tag};
    use crate::wire::tsp::Accuracy;
    let root = testing::authority("ZD Kök");
    let signer = testing::stamper(&root).signer().unwrap();
    let verifier =
        TokenVerifier::new(Anchors::new(vec![root.certificate().clone()]).unwrap(), vec![]);
    let named = |certificate: &Certificate| {
        let subject = certificate.x509().subject_name().to_der().unwrap();
        Some(der::explicit(4, &subject))
    };
    let uri = Some(der::element(tag::context_primitive(6), &[b"http://zd.example/"]));
    for (tsa, good) in [
        (None, true),
        (named(signer.certificate()), true),
        (named(root.certificate()), false),
        (uri, false),
    ] {
        let info = TstInfo {
            policy: Oid::new_unwrap("1.2.3.4.1"),
            imprint: Imprint::sha256(sha256(b"content")),
            serial: vec![9],
            gen_time: testing::NOW,
            accuracy: Accuracy::default(),
            nonce: None,
            tsa,
        }
        .write();
        let prepared = Prepared::new(signer.identity(), oid::TST_INFO, sha256(&info), None);
        let signature = signer.sign(prepared.to_sign()).unwrap();
        let token = prepared.signed(signature).attached(&info);
        let verified = verifier.verify(&token, b"content");
        match good {
            true => assert!(verified.is_ok(), "{verified:?}"),
            false => assert_eq!(verified.unwrap_err(), TokenFault::Authority),
        }
    }
}
