use super::*;
use crate::trust::pki::Links;
use crate::trust::signer::tests::{MODULE, PIN, soft_token};
use crate::trust::testing::{self, NOW};

/// As its owner does with another program, while the signer has no session: after a removal.
fn change_pin(signer: &Pkcs11Signer, from: &str, to: &str) {
    signer.token.lock().forget();
    let pin = |text: &str| AuthPin::from(text.to_owned());
    let session = signer.token.module.open_rw_session(signer.token.slot).unwrap();
    session.login(UserType::User, Some(&pin(from))).unwrap();
    session.set_pin(&pin(from), &pin(to)).unwrap();
}

#[test]
fn a_pin_that_was_changed_is_tried_once_and_not_again() {
    if !soft_token("pkcs11::tests::a_pin_that_was_changed_is_tried_once_and_not_again") {
        return;
    }
    let open = || {
        let choice = TokenChoice::Label("kep-test".into());
        Token::open(Path::new(MODULE), &choice, PIN.into()).unwrap()
    };
    let (token, authority) = (open(), testing::authority("Kök"));
    let public = token.generate(KeyKind::P256, "seal", &[1]).unwrap();
    let profile = testing::seal_profile();
    let sealed = authority.issue_for(&profile, &public, &Links::default(), NOW).unwrap();
    let key = KeyChoice::Label("seal".into());
    let signer = Pkcs11Signer::new(token, &key, vec![sealed.clone()]).unwrap();
    signer.token.lock().forget();
    assert!(signer.sign(b"content").is_ok(), "it was out for a moment");

    change_pin(&signer, PIN, "9999");
    assert!(matches!(signer.sign(b"content"), Err(SignError::Pin)));
    // Were it tried again, it would be right now.
    change_pin(&signer, "9999", PIN);
    for _ in 0..3 {
        assert!(matches!(signer.sign(b"content"), Err(SignError::Pin)));
    }
    // A restart.
    let signer = Pkcs11Signer::new(open(), &key, vec![sealed]).unwrap();
    assert!(signer.sign(b"content").is_ok());
}
