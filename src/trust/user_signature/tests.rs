use super::*;
use crate::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use crate::trust::revocation::RevocationSettings;
use crate::trust::testing::{self, NOW};
use std::fs;
use std::path::Path as FilePath;

const MAIL: &[u8] = b"Content-Type: text/plain\r\n\r\nMerhaba\r\n";

fn trust(root: &CertificateAuthority) -> UserTrust {
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    UserTrust::new(anchors, Vec::new(), None)
}

/// What `openssl cms -sign` makes of the mail: the signature of some other program.
fn sign(dir: &FilePath, by: &Issued, options: &str) -> Vec<u8> {
    fs::write(dir.join("key.pem"), by.key_pem().unwrap()).unwrap();
    fs::write(dir.join("cert.pem"), by.certificate().pem()).unwrap();
    fs::write(dir.join("mail"), MAIL).unwrap();
    let command = "cms -sign -binary -in mail -signer cert.pem -inkey key.pem -outform DER";
    let (made, said) = testing::openssl(dir, &format!("{command} -out p7s {options}"));
    assert!(made, "{said}");
    fs::read(dir.join("p7s")).unwrap()
}

fn reason<T: std::fmt::Debug>(result: Result<T, SignatureFault>) -> FaultReason {
    result.unwrap_err().reason()
}

#[tokio::test]
async fn signatures_of_another_program_are_believed() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let root = CertificateAuthority::create("Kök", kind, NOW).unwrap();
        let profile = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
        let ali = root.issue(&profile, kind, &Links::default(), NOW).unwrap();
        let qualified =
            Profile::Qualified { name: "Ayşe".into(), identity_number: "10000000146".into() };
        let ayse = root.issue(&qualified, kind, &Links::default(), NOW).unwrap();
        let trust = trust(&root);
        for options in
            ["-md sha256", "-md sha512 -cades", "-md sha384 -keyid", "-noattr", "-stream"]
        {
            for by in [&ali, &ayse] {
                let p7s = sign(dir.path(), by, options);
                let signed = trust.verify(MAIL, &p7s, NOW).await.unwrap();
                assert_eq!(&signed.signer, by.certificate(), "{options}");
                let other = trust.verify(b"Other", &p7s, NOW).await;
                let wanted = match options {
                    "-noattr" => FaultReason::Broken, // no digest is stated, only the signature
                    _ => FaultReason::DigestMismatch,
                };
                assert_eq!(reason(other), wanted, "{options}");
            }
        }
        if kind == KeyKind::Rsa2048 {
            let p7s = sign(dir.path(), &ali, "-md sha256 -keyopt rsa_padding_mode:pss");
            assert!(trust.verify(MAIL, &p7s, NOW).await.is_ok());
            assert_eq!(reason(trust.verify(b"", &p7s, NOW).await), FaultReason::DigestMismatch);
        }
    }
}

#[tokio::test]
async fn opaque_signatures_give_their_content() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = testing::authority("Kök");
    let ali = testing::user(&root);
    for options in ["-nodetach", "-nodetach -stream -indef"] {
        let p7m = sign(dir.path(), &ali, options);
        let (signed, content) = trust(&root).verify_opaque(&p7m, NOW).await.unwrap();
        assert_eq!((&signed.signer, content.as_slice()), (ali.certificate(), MAIL));
    }
    let detached = sign(dir.path(), &ali, "");
    let refused = trust(&root).verify_opaque(&detached, NOW).await;
    assert_eq!(reason(refused), FaultReason::Malformed);
}

#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = testing::authority("Kök");
    let (ali, trust) = (testing::user(&root), trust(&root));
    let verify = |p7s: Vec<u8>, now| {
        let trust = &trust;
        async move { reason(trust.verify(MAIL, &p7s, now).await) }
    };
    let good = sign(dir.path(), &ali, "");
    let year = 365 * 86_400;
    assert_eq!(verify(good.clone(), NOW.plus_secs(4 * year)).await, FaultReason::Expired);
    assert_eq!(verify(good.clone(), NOW.plus_secs(-year)).await, FaultReason::NotYetValid);
    let sha1 = sign(dir.path(), &ali, "-md sha1");
    assert_eq!(verify(sha1, NOW).await, FaultReason::WeakDigest);
    let bare = sign(dir.path(), &ali, "-nocerts");
    assert_eq!(verify(bare, NOW).await, FaultReason::NoCertificate);
    let veli = testing::user(&root);
    fs::write(dir.path().join("veli.key"), veli.key_pem().unwrap()).unwrap();
    fs::write(dir.path().join("veli.pem"), veli.certificate().pem()).unwrap();
    let twice = sign(dir.path(), &ali, "-signer veli.pem -inkey veli.key");
    assert_eq!(verify(twice, NOW).await, FaultReason::SeveralSigners);
    let foreign = sign(dir.path(), &testing::user(&testing::authority("Kök")), "");
    assert_eq!(verify(foreign, NOW).await, FaultReason::Untrusted);
    let mut broken = good.clone();
    if let Some(last) = broken.last_mut() {
        *last ^= 1;
    }
    assert_eq!(verify(broken, NOW).await, FaultReason::Broken);
    assert_eq!(verify(b"garbage".to_vec(), NOW).await, FaultReason::Malformed);
    assert_eq!(verify(good[..good.len() / 2].to_vec(), NOW).await, FaultReason::Malformed);
}

#[tokio::test]
async fn a_revoked_user_is_refused_and_an_unknown_one_may_try_again() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let register = &development.registers[0];
    let profile = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
    let links = Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None };
    let ali = register.authority.issue(&profile, KeyKind::P256, &links, NOW).unwrap();
    let anchors = || Anchors::new(vec![register.authority.certificate().clone()]).unwrap();
    let revocation = || Revocation::new(RevocationSettings::default()).unwrap();
    let trust = UserTrust::new(anchors(), Vec::new(), Some(revocation()));
    let p7s = sign(dir.path(), &ali, "");
    let signed = trust.verify(MAIL, &p7s, NOW).await.unwrap();
    assert_eq!(signed.material.crls.len(), 1);
    register.revoke(ali.certificate().serial(), NOW.plus_secs(-1)).unwrap();
    trust.forget();
    assert_eq!(reason(trust.verify(MAIL, &p7s, NOW).await), FaultReason::Revoked);
    let dead = Links { crl: Some("http://127.0.0.1:1/".into()), ocsp: None };
    let veli = register.authority.issue(&profile, KeyKind::P256, &dead, NOW).unwrap();
    let p7s = sign(dir.path(), &veli, "");
    let fault = trust.verify(MAIL, &p7s, NOW).await.unwrap_err();
    assert!(fault.is_temporary(), "{fault}");
    let silent = register.authority.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
    let p7s = sign(dir.path(), &silent, "");
    let fault = trust.verify(MAIL, &p7s, NOW).await.unwrap_err();
    assert_eq!((fault.reason(), fault.is_temporary()), (FaultReason::RevocationNowhere, false));
}

#[tokio::test]
async fn a_mail_that_leaves_out_a_certificate_harms_only_itself() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = testing::authority("Kök");
    let middle = root.issue_authority("Ara", KeyKind::P256, NOW).unwrap();
    let (ali, trust) = (testing::user(&middle), trust(&root));
    fs::write(dir.path().join("middle.pem"), middle.certificate().pem()).unwrap();
    let without = sign(dir.path(), &ali, "");
    let with = sign(dir.path(), &ali, "-certfile middle.pem");
    assert_eq!(reason(trust.verify(MAIL, &without, NOW).await), FaultReason::Untrusted);
    assert!(trust.verify(MAIL, &with, NOW).await.is_ok());
}

/// One octet after the other is changed: nothing else than what was signed is ever believed.
#[test]
fn touched_signatures_never_panic_and_never_say_another_name() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let root = testing::authority("Kök");
    let (ali, trust) = (testing::user(&root), trust(&root));
    let good = sign(dir.path(), &ali, "-cades");
    for at in 0..good.len() {
        for flip in [0x01, 0x80] {
            let mut touched = good.clone();
            touched[at] ^= flip;
            if let Ok(checked) = trust.check(MAIL, &touched) {
                assert_eq!(&checked.signer, ali.certificate());
            }
            assert!(trust.check(b"Other", &touched).is_err());
        }
    }
}
