use super::*;
use crate::trust::Signer;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links};
use crate::trust::signer::FileSigner;
use crate::trust::testing;
use crate::trust::{StampSettings, StampSource, Stamper, tsa};
use crate::wire::cms::{Prepared, oid};
use crate::wire::sha256;
use std::fs;

const MAIL: &[u8] = b"Content-Type: text/plain\r\n\r\nMerhaba\r\n";

struct World {
    seal_root: CertificateAuthority,
    stamp_root: CertificateAuthority,
    seal: FileSigner,
    stamper: Stamper,
}

fn world(kind: KeyKind) -> World {
    let now = crate::trust::Clock::System.now(); // openssl, the judge, knows no other
    let create = |name: &str| CertificateAuthority::create(name, kind, now).unwrap();
    let (seal_root, stamp_root) = (create("İşlem Kök"), create("ZD Kök"));
    let links = Links::default();
    let seal = seal_root.issue(&testing::seal_profile(), kind, &links, now).unwrap();
    let stamps = crate::trust::pki::Profile::TimeStamp { name: "ZDS".into() };
    let stamps = stamp_root.issue(&stamps, kind, &links, now).unwrap().signer().unwrap();
    let clock = crate::trust::Clock::System;
    let authority = Arc::new(tsa::Authority::new(Arc::new(stamps)));
    let source = StampSource::Embedded(authority, clock.clone());
    let settings = StampSettings::default();
    let stamper = Stamper::new(source, tokens(&stamp_root), clock, &settings).unwrap();
    World { seal_root, stamp_root, seal: seal.signer().unwrap(), stamper }
}

fn tokens(root: &CertificateAuthority) -> TokenVerifier {
    TokenVerifier::new(Anchors::new(vec![root.certificate().clone()]).unwrap(), Vec::new())
}

impl World {
    fn verifier(&self) -> SealVerifier {
        let anchors = Anchors::new(vec![self.seal_root.certificate().clone()]).unwrap();
        SealVerifier::new(anchors, Vec::new(), tokens(&self.stamp_root))
    }

    async fn seal(&self, stamped: bool) -> Vec<u8> {
        let now = crate::trust::Clock::System.now();
        let prepared = Prepared::new(self.seal.identity(), oid::DATA, sha256(MAIL), Some(now));
        let signature = self.seal.sign(prepared.to_sign()).unwrap();
        let signed = prepared.signed(signature);
        if !stamped {
            return signed.detached(None);
        }
        let token = self.stamper.stamp(signed.to_stamp()).await.unwrap();
        signed.detached(Some(&token.der))
    }
}

#[tokio::test]
async fn our_seals_are_what_openssl_and_we_verify() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let world = world(kind);
        for stamped in [false, true] {
            let p7s = world.seal(stamped).await;
            let sealed = world.verifier().verify(MAIL, &p7s, world_now()).unwrap();
            assert_eq!(&sealed.signer, world.seal.certificate());
            assert_eq!(sealed.token.is_some(), stamped);
            assert!(sealed.signing_time.is_some());
            judge_by_openssl(&world, &p7s);
        }
    }
}

fn judge_by_openssl(world: &World, p7s: &[u8]) {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("mail"), MAIL).unwrap();
    fs::write(dir.join("p7s"), p7s).unwrap();
    fs::write(dir.join("ca.pem"), world.seal_root.certificate().pem()).unwrap();
    for options in ["", "-cades", "-cades -purpose smimesign"] {
        let verify = "cms -verify -binary -inform DER -in p7s -content mail -CAfile ca.pem";
        let (ok, said) = testing::openssl(dir, &format!("{verify} -out out {options}"));
        assert!(ok, "{options}: {said}");
    }
}

#[tokio::test]
async fn a_stamped_seal_outlives_its_certificate() {
    let world = world(KeyKind::P256);
    let later = world_now().plus_secs(10 * 365 * 86_400);
    let (bare, stamped) = (world.seal(false).await, world.seal(true).await);
    let expired = world.verifier().verify(MAIL, &bare, later).unwrap_err();
    assert!(matches!(expired, SealFault::Path(PathFault::Expired { .. })), "{expired}");
    assert!(world.verifier().verify(MAIL, &stamped, later).is_ok());
}

#[tokio::test]
async fn a_seal_with_a_users_key_is_invalid() {
    let world = world(KeyKind::P256);
    let user_root = testing::authority("Kullanıcı Kök");
    let user = testing::user(&user_root).signer().unwrap();
    let world = World { seal: user, ..world };
    let p7s = world.seal(true).await;
    let fault = world.verifier().verify(MAIL, &p7s, world_now()).unwrap_err();
    assert!(matches!(fault, SealFault::Path(PathFault::Untrusted { .. })), "{fault}");
}

#[tokio::test]
async fn another_seals_token_is_refused() {
    let world = world(KeyKind::P256);
    let now = world_now();
    let prepared = Prepared::new(world.seal.identity(), oid::DATA, sha256(MAIL), Some(now));
    let signature = world.seal.sign(prepared.to_sign()).unwrap();
    let token = world.stamper.stamp(b"another signature").await.unwrap();
    let p7s = prepared.signed(signature).detached(Some(&token.der));
    let fault = world.verifier().verify(MAIL, &p7s, now).unwrap_err();
    assert_eq!(fault, SealFault::Token(TokenFault::Imprint));
}

#[tokio::test]
async fn other_octets_are_noticed() {
    let world = world(KeyKind::P256);
    let p7s = world.seal(true).await;
    let fault = world.verifier().verify(b"Other", &p7s, world_now()).unwrap_err();
    assert_eq!(fault, SealFault::Signer(SignerFault::DigestMismatch));
}

#[test]
fn ecdsa_goes_between_xml_and_der() {
    let signer = testing::user(&testing::authority("Kök")).signer().unwrap();
    for round in 0..50_u8 {
        let signature = signer.sign(&[round]).unwrap();
        let xml = ecdsa_to_xml(&signature, 32).unwrap();
        assert_eq!(xml.len(), 64);
        assert_eq!(ecdsa_from_xml(&xml).unwrap(), signature);
        assert!(raw(signer.certificate(), signer.algorithm(), &[round], &signature));
    }
    for bad in [&b""[..], b"abc", &[0; 134]] {
        assert_eq!(ecdsa_from_xml(bad), None);
    }
    assert_eq!(ecdsa_to_xml(b"garbage", 32), None);
    assert_eq!(ecdsa_to_xml(&[0x30, 6, 2, 1, 1, 2, 1, 1], 0), None);
}

fn world_now() -> Timestamp {
    crate::trust::Clock::System.now()
}
