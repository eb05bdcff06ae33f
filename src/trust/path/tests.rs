use super::*;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::testing::{self, NOW};

fn anchors(of: &CertificateAuthority) -> Anchors {
    Anchors::new(vec![of.certificate().clone()]).unwrap()
}

#[test]
fn a_chain_goes_through_an_authority_below_the_anchor() {
    let root = testing::authority("Kök");
    let middle = root.issue_authority("Ara", KeyKind::P256, NOW).unwrap();
    let issued = testing::user(&middle);
    let others = [middle.certificate().clone()];
    let path = anchors(&root).path(issued.certificate(), &others, Role::User).unwrap();
    assert_eq!(path.certificates().len(), 3);
    assert_eq!(path.issuer(), Some(middle.certificate()));
    let missing = anchors(&root).path(issued.certificate(), &[], Role::User);
    assert!(matches!(missing, Err(PathFault::Untrusted { .. })));
    // the anchor may also be the authority below, or the certificate itself
    assert!(anchors(&middle).path(issued.certificate(), &[], Role::User).is_ok());
    let own = Anchors::new(vec![issued.certificate().clone()]).unwrap();
    assert!(own.path(issued.certificate(), &[], Role::Seal).is_ok());
}

#[test]
fn an_unknown_authority_is_refused() {
    let (ours, theirs) = (testing::authority("Kök"), testing::authority("Kök"));
    let issued = testing::user(&theirs);
    let refused = anchors(&ours).path(issued.certificate(), &[], Role::User);
    assert!(matches!(refused, Err(PathFault::Untrusted { .. })));
}

#[test]
fn validity_is_asked_for_a_moment() {
    let authority = testing::authority("Kök");
    let issued = testing::user(&authority);
    let path = anchors(&authority).path(issued.certificate(), &[], Role::User).unwrap();
    let year = 365 * 86_400;
    assert_eq!(path.check_at(NOW), Ok(()));
    assert!(matches!(path.check_at(NOW.plus_secs(4 * year)), Err(PathFault::Expired { .. })));
    assert!(matches!(path.check_at(NOW.plus_secs(-year)), Err(PathFault::NotYetValid { .. })));
}

#[test]
fn each_role_has_its_use() {
    let authority = testing::authority("Kök");
    let anchors = anchors(&authority);
    let allowed = |profile: Profile| {
        let issued = testing::issue(&authority, profile);
        let fits = |role| anchors.path(issued.certificate(), &[], role).is_ok();
        [Role::Seal, Role::TimeStamp, Role::User, Role::Tls].map(fits)
    };
    let stamp = Profile::TimeStamp { name: "ZDS".into() };
    let tls = Profile::TlsServer { names: vec!["localhost".into()], addresses: vec![] };
    let qualified =
        Profile::Qualified { name: "Ali".into(), identity_number: "10000000146".into() };
    assert_eq!(allowed(testing::seal_profile()), [true, false, true, false]);
    assert_eq!(allowed(stamp), [false, true, true, false]);
    assert_eq!(allowed(tls), [false, false, true, true]);
    assert_eq!(allowed(qualified), [true, false, true, true]);
    let itself = anchors.path(authority.certificate(), &[], Role::User);
    assert!(matches!(itself, Err(PathFault::KeyUsage { .. })));
}

#[test]
fn a_short_key_is_refused() {
    let authority = testing::authority("Kök");
    let short = openssl::rsa::Rsa::generate(1024).unwrap().public_key_to_pem().unwrap();
    let links = Links::default();
    let weak = authority.issue_for(&testing::seal_profile(), &short, &links, NOW).unwrap();
    let refused = anchors(&authority).path(&weak, &[], Role::Seal);
    assert!(matches!(refused, Err(PathFault::WeakKey { bits: 1024, .. })));
}

#[test]
fn a_sha1_signature_of_an_authority_is_refused() {
    let authority = testing::authority("Kök");
    let issued = testing::user(&authority);
    let mut weak = issued.certificate().der().to_vec();
    // ecdsa-with-SHA256 (…4.3.2) becomes ecdsa-with-SHA1 (…4.1) in name only: the name is judged
    let strong = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    while let Some(at) = weak.windows(10).position(|w| w == strong) {
        weak[at + 9] = 1; // ecdsa-with-SHA224: not in our list either
    }
    let weak = Certificate::from_der(&weak).unwrap();
    assert_eq!(weak.signature_digest(), None);
    let path = Path { certificates: vec![weak, authority.certificate().clone()] };
    assert!(matches!(path.check_strength(), Err(PathFault::WeakDigest { .. })));
}

#[test]
fn anchors_are_read_from_a_folder_or_a_file() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Anchors::load(dir.path()).is_err());
    for name in ["a", "b"] {
        let pem = testing::authority(name).certificate().pem();
        std::fs::write(dir.path().join(format!("{name}.pem")), pem).unwrap();
    }
    std::fs::write(dir.path().join("README"), "no certificate").unwrap();
    assert_eq!(Anchors::load(dir.path()).unwrap().certificates().len(), 2);
    assert_eq!(Anchors::load(&dir.path().join("a.pem")).unwrap().certificates().len(), 1);
    std::fs::write(dir.path().join("c.pem"), "no certificate").unwrap();
    assert!(Anchors::load(dir.path()).err().unwrap().to_string().contains("c.pem"));
}
