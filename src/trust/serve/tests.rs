use super::*;
use crate::trust::dial::{Dial, DialError};
use crate::trust::pki::{Links, Profile};
use crate::trust::testing::{self, NOW};
use std::time::Duration;

#[tokio::test]
async fn ocsp_answers_by_get_too_and_unknown_names_are_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let (development, url) = testing::registered(dir.path()).await;
    let dial = Dial::new(Duration::from_secs(5)).unwrap();
    let query = crate::wire::ocsp::OcspRequest { ids: Vec::new(), nonce: None }.write();
    let encoded = BASE64.encode(&query);
    let reply = dial.get(&format!("{url}/ocsp/user/{encoded}"), 10_000).await.unwrap();
    assert!(crate::wire::ocsp::BasicResponse::parse(&reply).unwrap().responses.is_empty());
    for (path, status) in [
        ("ocsp/user/@", 400),
        ("ocsp/nobody/AA==", 404),
        ("crl/nobody.crl", 404),
        ("crl/user", 404),
    ] {
        let refused = dial.get(&format!("{url}/{path}"), 10_000).await.unwrap_err();
        assert!(matches!(refused, DialError::Status { status: s, .. } if s == status), "{path}");
    }
    assert_eq!(development.registers[0].revoked(), []);
}

#[tokio::test]
async fn large_queries_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_development, url) = testing::registered(dir.path()).await;
    let dial = Dial::new(Duration::from_secs(5)).unwrap();
    let refused = dial.post(&url, "application/timestamp-query", vec![0; MAX_BODY + 1], 10).await;
    assert!(matches!(refused, Err(DialError::Status { status: 413, .. })), "{refused:?}");
}

#[test]
fn lines_that_are_no_entries_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("revoked.txt");
    let register = Register { name: "user".into(), authority: testing::authority("Kök"), file };
    let user = Profile::User { name: "Ali".into(), email: "ali@hs05.kep.tr".into() };
    let issued = register.authority.issue(&user, Default::default(), &Links::default(), NOW);
    let serial = issued.unwrap().certificate().serial().to_owned();
    register.revoke(&serial, NOW).unwrap();
    std::fs::write(&register.file, format!("garbage\n-1 2\n{serial} {}\n", NOW.secs())).unwrap();
    assert_eq!(register.revoked(), [Revoked { serial, at: NOW, reason: None }]);
}
