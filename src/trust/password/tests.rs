use super::*;

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

#[tokio::test]
async fn the_right_password_is_right_and_others_are_not() {
    let passwords = Passwords::new(2).unwrap();
    let stored = passwords.hash("gizli şifre").await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_ne!(stored, passwords.hash("gizli şifre").await.unwrap());
    for _ in 0..2 {
        assert_eq!(passwords.verify("gizli şifre", &stored, NOW).await, Ok(true));
        assert_eq!(passwords.verify("gizli sifre", &stored, NOW).await, Ok(false));
    }
    assert_eq!(passwords.verify_nobody("gizli şifre").await, Ok(false));
}

#[tokio::test]
async fn what_was_right_is_remembered_for_a_while_and_only_for_that_form() {
    let passwords = Passwords::new(1).unwrap();
    let stored = passwords.hash("one").await.unwrap();
    assert_eq!(passwords.verify("one", &stored, NOW).await, Ok(true));
    let remembered = |at: Timestamp, stored: &str| {
        passwords.right.get(&passwords.remembered("one", stored), at).is_some()
    };
    assert!(remembered(NOW, &stored));
    assert!(!remembered(NOW.plus_secs(REMEMBER_SECS), &stored));
    let changed = passwords.hash("two").await.unwrap();
    assert!(!remembered(NOW, &changed));
    assert_eq!(passwords.verify("one", &changed, NOW).await, Ok(false));
    passwords.forget();
    assert!(!remembered(NOW, &stored));
}

#[tokio::test]
async fn stored_forms_that_cost_too_much_are_refused() {
    let passwords = Passwords::new(1).unwrap();
    let stored = passwords.hash("one").await.unwrap();
    for costly in [stored.replace("m=19456", "m=4194304"), stored.replace("t=2", "t=1000")] {
        assert_eq!(passwords.verify("one", &costly, NOW).await, Err(PasswordError::Stored));
    }
    for bad in ["", "plain", "$1$salt$hash", "$argon2id$v=19$m=19456,t=2,p=1$AAAA"] {
        assert_eq!(passwords.verify("one", bad, NOW).await, Err(PasswordError::Stored), "{bad}");
    }
    let long = "a".repeat(MAX_PASSWORD + 1);
    assert_eq!(passwords.verify(&long, &stored, NOW).await, Err(PasswordError::TooLong));
}

#[tokio::test]
async fn a_flood_is_told_to_come_again() {
    let passwords = Passwords::new(1).unwrap();
    passwords.waiting.store(MAX_WAITING, Ordering::Relaxed);
    assert_eq!(passwords.hash("one").await, Err(PasswordError::Busy));
    passwords.waiting.store(0, Ordering::Relaxed);
    assert!(passwords.hash("one").await.is_ok());
    assert_eq!(passwords.waiting.load(Ordering::Relaxed), 0);
}
