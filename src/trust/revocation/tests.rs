use super::*;
use crate::trust::path::{Anchors, Role};
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use crate::trust::testing::{self, NOW};

fn issue(authority: &CertificateAuthority, links: &Links) -> Path {
    let profile = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
    let issued = authority.issue(&profile, KeyKind::P256, links, NOW).unwrap();
    let anchors = Anchors::new(vec![authority.certificate().clone()]).unwrap();
    anchors.path(issued.certificate(), &[], Role::User).unwrap()
}

fn revocation(on_unknown: OnUnknown) -> Revocation {
    Revocation::new(RevocationSettings { on_unknown, ..RevocationSettings::default() }).unwrap()
}

fn unknown(result: Result<Material, RevocationFault>) -> Unknown {
    match result {
        Err(RevocationFault::Unknown { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revoked_certificate_is_found_by_crl_and_by_ocsp() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let register = &development.registers[0];
    let (crl, ocsp) = (format!("{url}/crl/user.crl"), format!("{url}/ocsp/user"));
    for links in [
        Links { crl: Some(crl.clone()), ocsp: None },
        Links { crl: None, ocsp: Some(ocsp.clone()) },
    ] {
        let path = issue(&register.authority, &links);
        let revocation = revocation(OnUnknown::Refuse);
        let material = revocation.check(&path, NOW, NOW).await.unwrap();
        assert_eq!(material.crls.len() + material.ocsp.len(), 1);
        assert_eq!(material.certificates.len(), 2);
        register.revoke(path.certificates()[0].serial(), NOW.plus_secs(-60)).unwrap();
        assert!(revocation.check(&path, NOW, NOW).await.is_ok(), "the answer is still believed");
        revocation.forget();
        let revoked = revocation.check(&path, NOW, NOW).await.unwrap_err();
        assert!(matches!(revoked, RevocationFault::Revoked { at, .. } if at == NOW.plus_secs(-60)));
        let before = NOW.plus_secs(-86_400);
        let past = revocation.check(&path, before, NOW).await;
        assert!(past.is_ok(), "what was signed before stays good");
    }
}

#[tokio::test]
async fn kept_material_answers_later_and_offline() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let register = &development.registers[0];
    for links in [
        Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None },
        Links { crl: None, ocsp: Some(format!("{url}/ocsp/user")) },
    ] {
        let (path, other) =
            (issue(&register.authority, &links), issue(&register.authority, &links));
        let kept = revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await.unwrap();
        let kept = Material::from_der(&kept.to_der()).unwrap();
        assert_eq!(judge(&path, &kept, NOW), Ok(()));
        assert!(matches!(
            judge(&path, &kept, NOW.plus_secs(2 * DAY)),
            Err(RevocationFault::Unknown { why: Unknown::Stale(_), .. })
        ));
        let bare = judge(&other, &Material::default(), NOW);
        assert!(matches!(bare, Err(RevocationFault::Unknown { why: Unknown::NoSource, .. })));
        register.revoke(path.certificates()[0].serial(), NOW).unwrap();
        let after = revocation(OnUnknown::Refuse).check(&other, NOW, NOW).await.unwrap();
        if after.crls.len() == 1 {
            assert!(matches!(judge(&path, &after, NOW), Err(RevocationFault::Revoked { .. })));
        }
    }
}

#[tokio::test]
async fn openssl_reads_kept_material() {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let mut all = Material::default();
    for links in [
        Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None },
        Links { crl: None, ocsp: Some(format!("{url}/ocsp/user")) },
    ] {
        let path = issue(&development.registers[0].authority, &links);
        let one = revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await.unwrap();
        all.certificates.extend(one.certificates);
        all.crls.extend(one.crls);
        all.ocsp.extend(one.ocsp);
    }
    assert_eq!((all.certificates.len(), all.crls.len(), all.ocsp.len()), (4, 1, 1));
    std::fs::write(dir.path().join("material"), all.to_der()).unwrap();
    let print = "cms -cmsout -print -inform DER -in material -noout";
    let (ok, said) = testing::openssl(dir.path(), print);
    let named = ["id-ri-ocsp-response", "1.3.6.1.5.5.7.16.2"].iter().any(|n| said.contains(n));
    assert!(ok && named, "{said}");
}

#[tokio::test]
async fn a_dead_responder_is_passed_over_for_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let ocsp = Some("http://127.0.0.1:1/ocsp".to_owned());
    let links = Links { crl: Some(format!("{url}/crl/user.crl")), ocsp };
    let path = issue(&development.registers[0].authority, &links);
    let material = revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await.unwrap();
    assert_eq!((material.crls.len(), material.ocsp.len()), (1, 0));
}

#[tokio::test]
async fn what_nobody_can_say_is_named_and_judged_by_policy() {
    let authority = testing::authority("Kök");
    let dead = Links { crl: Some("http://127.0.0.1:1/crl".into()), ocsp: None };
    let path = issue(&authority, &dead);
    let why = unknown(revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await);
    assert!(matches!(why, Unknown::Unreachable(_)), "{why}");
    let material = revocation(OnUnknown::Accept).check(&path, NOW, NOW).await.unwrap();
    assert_eq!(material.unknown.len(), 1);
    let path = issue(&authority, &Links::default());
    assert_eq!(
        unknown(revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await),
        Unknown::NoSource
    );
}

#[tokio::test]
async fn a_list_of_another_time_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let links = Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None };
    let path = issue(&development.registers[0].authority, &links);
    let stale = revocation(OnUnknown::Refuse).check(&path, NOW, NOW.plus_secs(3_601)).await;
    assert!(matches!(unknown(stale), Unknown::Stale(_)));
    let early = revocation(OnUnknown::Refuse).check(&path, NOW, NOW.plus_secs(-3_600)).await;
    assert!(matches!(unknown(early), Unknown::Early(_)));
}

#[tokio::test]
async fn lists_and_answers_of_another_authority_are_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let (_development, url) = testing::registered(dir.path()).await;
    let other = testing::authority("Kullanıcı Kök");
    for links in [
        Links { crl: Some(format!("{url}/crl/user.crl")), ocsp: None },
        Links { crl: None, ocsp: Some(format!("{url}/ocsp/user")) },
    ] {
        let path = issue(&other, &links);
        let why = unknown(revocation(OnUnknown::Refuse).check(&path, NOW, NOW).await);
        assert_eq!(why, Unknown::NotAuthorised);
    }
}

#[test]
fn a_delegated_responder_is_believed_and_a_usurper_is_not() {
    let authority = testing::authority("Kök");
    let path = issue(&authority, &Links::default());
    let certificate = &path.certificates()[0];
    let delegate = testing::issue(&authority, Profile::Responder { name: "OCSP".into() });
    let usurper = testing::user(&authority);
    for (issued, good) in [(delegate, true), (usurper, false)] {
        let octets = delegated_answer(certificate, authority.certificate(), &issued);
        let said = answer::read(&octets, certificate, authority.certificate(), NOW);
        let wanted = if good { Ok(Said::Good) } else { Err(Unknown::NotAuthorised) };
        assert_eq!(said, wanted);
    }
}

fn delegated_answer(
    certificate: &Certificate,
    issuer: &Certificate,
    by: &crate::trust::pki::Issued,
) -> Vec<u8> {
    use crate::trust::Signer;
    use crate::wire::ocsp::{CertStatus, OcspRequest, SingleResponse, response_data};
    use crate::wire::{SignatureAlgorithm, der};
    let request = answer::request(certificate, issuer).unwrap();
    let id = OcspRequest::parse(&request).unwrap().ids.remove(0);
    let one = SingleResponse { id, status: CertStatus::Good, this_update: NOW, next_update: None };
    let name = by.certificate().x509().subject_name().to_der().unwrap();
    let data = response_data(&name, NOW, &[one], None);
    let signature = by.signer().unwrap().sign(&data).unwrap();
    let algorithm = der::signature_algorithm(SignatureAlgorithm::EcdsaSha256);
    let certificates = der::explicit(0, &der::sequence(&[by.certificate().der()]));
    let basic = der::sequence(&[&data, &algorithm, &der::bit_string(&signature), &certificates]);
    let kind = ::der::asn1::ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
    let bytes = der::sequence(&[&der::oid(kind), &der::octet_string(&basic)]);
    der::sequence(&[&der::enumerated(0), &der::explicit(0, &bytes)])
}

#[test]
fn delta_lists_are_not_read() {
    use crate::wire::der::{self, tag};
    let authority = testing::authority("Kök");
    let crl = authority.crl(&[], NOW, NOW.plus_secs(60)).unwrap();
    assert!(crl::Crl::parse(crl.clone()).is_ok());
    let list = der::parse(&crl).unwrap().children().unwrap();
    let tbs = list[0].children().unwrap();
    let delta = ::der::asn1::ObjectIdentifier::new_unwrap("2.5.29.27");
    let extension = der::sequence(&[
        &der::oid(delta),
        &der::boolean(true),
        &der::octet_string(&der::small_integer(1)),
    ]);
    let mut pieces: Vec<&[u8]> = tbs.iter().map(|node| node.whole).collect();
    let extensions = der::explicit(0, &der::sequence(&[&extension]));
    *pieces.last_mut().unwrap() = &extensions;
    let tbs = der::element(tag::SEQUENCE, &pieces);
    let changed = der::sequence(&[&tbs, list[1].whole, list[2].whole]);
    assert_eq!(crl::Crl::parse(changed).err(), Some(Unknown::MalformedCrl));
}

/// A list with further extensions, signed by the authority.
fn list_with(authority: &CertificateAuthority, extension: &[u8]) -> Vec<u8> {
    use crate::wire::der::{self, tag};
    let crl = authority.crl(&[], NOW, NOW.plus_secs(60)).unwrap();
    let list = der::parse(&crl).unwrap().children().unwrap();
    let tbs = list[0].children().unwrap();
    let extensions = der::explicit(0, &der::sequence(&[extension]));
    let mut pieces: Vec<&[u8]> = tbs.iter().map(|node| node.whole).collect();
    *pieces.last_mut().unwrap() = &extensions;
    let tbs = der::element(tag::SEQUENCE, &pieces);
    let key = openssl::pkey::PKey::private_key_from_pem(&authority.key_pem().unwrap()).unwrap();
    let digest = openssl::hash::MessageDigest::sha256();
    let mut signer = openssl::sign::Signer::new(digest, &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(&tbs).unwrap();
    der::sequence(&[&tbs, list[1].whole, &der::bit_string(&signature)])
}

#[test]
fn a_list_of_authorities_alone_says_nothing_of_a_person() {
    use crate::wire::der::{self, tag};
    let authority = testing::authority("Kök");
    let path = issue(&authority, &Links::default());
    let [certificate, issuer] = path.certificates() else { panic!("two") };
    let point = |scope: u8| {
        let only = der::element(tag::context_primitive(scope), &[&[0xff]]);
        let point = ::der::asn1::ObjectIdentifier::new_unwrap("2.5.29.28");
        let value = der::octet_string(&der::sequence(&[&only]));
        der::sequence(&[&der::oid(point), &der::boolean(true), &value])
    };
    let said = |scope| {
        let crl = crl::Crl::parse(list_with(&authority, &point(scope))).unwrap();
        crl.look_up(certificate, issuer, NOW)
    };
    assert_eq!(said(1), Ok(Said::Good), "onlyContainsUserCerts");
    assert_eq!(said(2), Err(Unknown::OtherScope), "onlyContainsCACerts");
    for (scope, what) in [(3, "onlySomeReasons"), (4, "indirectCRL"), (5, "attributes")] {
        let other = crl::Crl::parse(list_with(&authority, &point(scope)));
        assert_eq!(other.err(), Some(Unknown::MalformedCrl), "{what}");
    }
}

#[test]
fn a_list_of_another_partition_says_nothing() {
    use crate::wire::der::{self, tag};
    let authority = testing::authority("Kök");
    let links = |url: &str| Links { crl: Some(url.to_owned()), ocsp: None };
    let (ours, theirs) = ("http://crl.example/1.crl", "http://crl.example/2.crl");
    let list = |named: &[&str], critical: bool| {
        let uri = |url: &&str| der::element(tag::context_primitive(6), &[url.as_bytes()]);
        let names: Vec<u8> = named.iter().flat_map(uri).collect();
        let name = der::explicit(0, &der::element(tag::context(0), &[&names]));
        let value = der::octet_string(&der::sequence(&[&name]));
        let point = ::der::asn1::ObjectIdentifier::new_unwrap("2.5.29.28");
        let critical = if critical { der::boolean(true) } else { Vec::new() };
        let extension = der::sequence(&[&der::oid(point), &critical, &value]);
        crl::Crl::parse(list_with(&authority, &extension)).unwrap()
    };
    let path = issue(&authority, &links(ours));
    let nameless = issue(&authority, &Links::default());
    let [certificate, issuer] = path.certificates() else { panic!("two") };
    for critical in [true, false] {
        let said = |named: &[&str]| list(named, critical).look_up(certificate, issuer, NOW);
        assert_eq!(said(&[ours]), Ok(Said::Good));
        assert_eq!(said(&[theirs, ours]), Ok(Said::Good));
        assert_eq!(said(&[theirs]), Err(Unknown::OtherScope));
        let of_nameless = list(&[ours], critical).look_up(&nameless.certificates()[0], issuer, NOW);
        assert_eq!(of_nameless, Err(Unknown::OtherScope));
    }
    let whole = crl::Crl::parse(authority.crl(&[], NOW, NOW.plus_secs(60)).unwrap()).unwrap();
    assert_eq!(whole.look_up(certificate, issuer, NOW), Ok(Said::Good));
}

#[test]
fn lists_at_hand_tell_of_the_past_and_why_a_certificate_was_taken_back() {
    let authority = testing::authority("Kök");
    let path = issue(&authority, &Links::default());
    let serial = path.certificates()[0].serial();
    let list = |since: i64, reason: Option<u8>, made: i64| {
        let (at, made) = (NOW.plus_secs(since), NOW.plus_secs(made));
        let revoked = [crate::trust::pki::Revoked { serial: serial.into(), at, reason }];
        authority.crl(&revoked, made, made.plus_secs(3_600)).unwrap()
    };
    for (reason, retired) in [(None, false), (Some(1), false), (Some(4), true), (Some(5), true)] {
        let mut lists = Lists::default();
        lists.add_crl(list(60, reason, 3_600)).unwrap();
        let status = lists.about(&path, NOW).remove(0).status;
        assert_eq!(status, Status::Revoked { at: NOW.plus_secs(60), retired }, "{reason:?}");
    }
    // The earliest date that anybody states counts, whatever the order.
    let mut lists = Lists::default();
    for since in [50, -50, 0] {
        lists.add_crl(list(since, None, 0)).unwrap();
    }
    lists.add_crl(authority.crl(&[], NOW, NOW.plus_secs(60)).unwrap()).unwrap();
    let status = lists.about(&path, NOW).remove(0).status;
    assert_eq!(status, Status::Revoked { at: NOW.plus_secs(-50), retired: false });
    assert_eq!(lists.add_crl(b"no list".to_vec()), Err(Unknown::MalformedCrl));
    assert_eq!(Lists::default().about(&path, NOW)[0].status, Status::Unknown(None));
}

proptest::proptest! {
    #[test]
    fn touched_lists_never_panic(at in 0..400_usize, with in 0..=255_u8, cut in 0..500_usize) {
        static GOOD: std::sync::OnceLock<(Path, Vec<u8>)> = std::sync::OnceLock::new();
        let (path, good) = GOOD.get_or_init(|| {
            let authority = testing::authority("Kök");
            let path = issue(&authority, &Links::default());
            let serial = path.certificates()[0].serial().to_owned();
            let revoked = [crate::trust::pki::Revoked { serial, at: NOW, reason: None }];
            (path, authority.crl(&revoked, NOW, NOW.plus_secs(60)).unwrap())
        });
        let mut touched = good.clone();
        if let Some(octet) = touched.get_mut(at) {
            *octet = with;
        }
        touched.truncate(cut);
        let [certificate, issuer] = path.certificates() else { panic!("two") };
        let said = crl::Crl::parse(touched.clone()).and_then(|c| c.look_up(certificate, issuer, NOW));
        if said == Ok(Said::Good) {
            panic!("a touched list says good");
        }
        let _ = answer::read(&touched, certificate, issuer, NOW);
    }
}
