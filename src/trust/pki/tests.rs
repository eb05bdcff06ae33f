use super::*;
use crate::trust::testing::{self, NOW};
use std::fs;

#[test]
fn keys_of_each_kind_make_a_hierarchy_that_openssl_verifies() {
    if !testing::openssl_is_here() {
        return;
    }
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let dir = tempfile::tempdir().unwrap();
        let authority = CertificateAuthority::create("Test Kök", kind, NOW).unwrap();
        let links = Links { crl: Some("http://127.0.0.1:1/user.crl".into()), ocsp: None };
        let good = authority.issue(&profile(), kind, &links, NOW).unwrap();
        let bad = authority.issue(&profile(), kind, &links, NOW).unwrap();
        let revoked =
            [Revoked { serial: bad.certificate().serial().into(), at: NOW, reason: None }];
        let crl = authority.crl(&revoked, NOW, NOW.plus_secs(3600)).unwrap();
        fs::write(dir.path().join("ca.pem"), authority.certificate().pem()).unwrap();
        fs::write(dir.path().join("good.pem"), good.certificate().pem()).unwrap();
        fs::write(dir.path().join("bad.pem"), bad.certificate().pem()).unwrap();
        fs::write(dir.path().join("crl.der"), crl).unwrap();
        let (made, said) = testing::openssl(dir.path(), "crl -inform DER -in crl.der -out crl.pem");
        assert!(made, "{said}");
        let verify = format!("verify -attime {} -crl_check -CRLfile crl.pem", NOW.secs());
        let verify = format!("{verify} -CAfile ca.pem -x509_strict");
        let (ok, said) = testing::openssl(dir.path(), &format!("{verify} good.pem"));
        assert!(ok, "{said}");
        let (ok, said) = testing::openssl(dir.path(), &format!("{verify} bad.pem"));
        assert!(!ok && said.contains("certificate revoked"), "{said}");
    }
}

#[test]
fn an_empty_crl_is_read_too() {
    let authority = testing::authority("Test Kök");
    let crl = authority.crl(&[], NOW, NOW.plus_secs(60)).unwrap();
    let crl = openssl::x509::X509Crl::from_der(&crl).unwrap();
    assert!(crl.verify(authority.certificate().key()).unwrap());
    assert!(crl.get_revoked().is_none());
}

#[test]
fn a_qualified_certificate_names_the_person_and_no_address() {
    let authority = testing::authority("Test Kök");
    let identity_number = "10000000146".to_owned();
    let issued = testing::issue(
        &authority,
        Profile::Qualified { name: "Ayşe Çağrı".into(), identity_number },
    );
    let certificate = issued.certificate();
    assert_eq!(certificate.identity_number(), Some("10000000146"));
    assert!(certificate.emails().is_empty());
    assert_eq!(certificate.extended_key_usage(), None);
    assert_eq!(certificate.common_name().as_deref(), Some("Ayşe Çağrı"));
    let usage = certificate.key_usage().unwrap();
    assert!(usage.non_repudiation && !usage.digital_signature);
}

#[test]
fn a_user_certificate_goes_into_a_pkcs12_file_and_out_again() {
    let authority = testing::authority("Test Kök");
    let issued = testing::user(&authority);
    assert_eq!(issued.certificate().emails(), ["ali.veli@hs05.kep.tr"]);
    let file = issued.pkcs12("ali.veli@hs05.kep.tr", "parola").unwrap();
    let read = openssl::pkcs12::Pkcs12::from_der(&file).unwrap();
    assert!(read.parse2("yanlış").is_err());
    let read = read.parse2("parola").unwrap();
    assert_eq!(read.cert.unwrap().to_der().unwrap(), issued.certificate().der());
    assert_eq!(read.ca.unwrap().len(), 1);
}

#[test]
fn the_hierarchy_is_read_again_from_its_files() {
    let authority = testing::authority("Test Kök");
    let key = authority.key_pem().unwrap();
    let pem = authority.certificate().pem();
    let again = CertificateAuthority::from_pem(&key, pem.as_bytes()).unwrap();
    assert_eq!(again.certificate(), authority.certificate());
    let other = testing::authority("Other").certificate().pem();
    assert!(CertificateAuthority::from_pem(&key, other.as_bytes()).is_err());
}

#[test]
fn openssl_asks_the_responder() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let now = crate::trust::Clock::System.now();
    let authority = CertificateAuthority::create("Test Kök", KeyKind::P256, now).unwrap();
    let issued = authority.issue(&profile(), KeyKind::P256, &Links::default(), now).unwrap();
    fs::write(dir.path().join("ca.pem"), authority.certificate().pem()).unwrap();
    fs::write(dir.path().join("user.pem"), issued.certificate().pem()).unwrap();
    let asked = "ocsp -issuer ca.pem -cert user.pem -CAfile ca.pem";
    let (made, said) = testing::openssl(dir.path(), &format!("{asked} -reqout query.der"));
    assert!(made, "{said}");
    let query = fs::read(dir.path().join("query.der")).unwrap();
    let revoked = [Revoked { serial: issued.certificate().serial().into(), at: now, reason: None }];
    for (revoked, word) in [(&revoked[..0], "user.pem: good"), (&revoked[..], "user.pem: revoked")]
    {
        let reply = authority.ocsp(&query, revoked, now).unwrap();
        fs::write(dir.path().join("reply.der"), reply).unwrap();
        let with = format!("{asked} -no_nonce -reqin query.der -respin reply.der");
        let (ok, said) = testing::openssl(dir.path(), &with);
        assert!(ok && said.contains("Response verify OK") && said.contains(word), "{said}");
    }
}

fn profile() -> Profile {
    Profile::User { name: "Ali Veli".into(), email: "ali.veli@hs05.kep.tr".into() }
}

#[test]
fn a_hierarchy_has_four_roots_that_do_not_stand_for_each_other() {
    let Hierarchy { seal, tsa, user, tls } = Hierarchy::create(KeyKind::P256, NOW).unwrap();
    let roots = [seal, tsa, user, tls];
    for (at, root) in roots.iter().enumerate() {
        let anchors = crate::trust::Anchors::new(vec![root.certificate().clone()]).unwrap();
        for (of, other) in roots.iter().enumerate() {
            let issued = testing::user(other);
            let path = anchors.path(issued.certificate(), &[], crate::trust::Role::User);
            assert_eq!(path.is_ok(), at == of);
        }
    }
}
