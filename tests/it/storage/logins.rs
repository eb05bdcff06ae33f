//! Who is let in: generated passwords by their text or by SCRAM, certificates, on both drivers.

use super::signin::{by_password, root, sign_in};
use super::{NOW, bed::Bed, on_both};
use kep::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
use kep::registry::app_passwords::{NewPassword, Scope, Scopes};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::closings;
use kep::registry::credentials::{self, Owner, certificates, totp};
use kep::registry::login::{Logins, Means, NotHere, Outcome, Proven};
use kep::registry::signin::Answer;
use kep::registry::{CertificateUse, RegistryError, app_passwords};
use kep::store::app_passwords::{self as rows, AppPasswordRow};
use kep::store::credentials::tries;
use kep::store::{Lane, StoreError, Tx};
use kep::trust::password::Passwords;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::scram::Verifier;
use kep::trust::{Certificate, Clock, password};
use kep::wire::{KepAddress, KepDomain};
use secrecy::{ExposeSecret, SecretString};

const ALI: &str = "ali.veli@hs05.kep.tr";

pub fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

pub fn by() -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at: NOW }
}

fn mail(name: &str) -> NewPassword {
    NewPassword { name: name.into(), opening: None, scopes: Scopes::mail() }
}

pub async fn open(bed: &Bed, who: &str, certificates: Vec<Certificate>) {
    let new = NewAccount {
        address: address(who),
        name: "Ali Veli".into(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Required,
        password: password::hash(&SecretString::from("kendi sözü")).unwrap(),
        certificates,
        at: NOW,
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    accounts::add(&bed.store, &domain, new).await.unwrap();
}

fn logins(bed: &Bed) -> Logins {
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    Logins::new(bed.store.clone(), Passwords::new(2).unwrap(), domain)
}

async fn by_text(logins: &Logins, user: &str, secret: &str) -> Option<Proven> {
    let secret = SecretString::from(secret);
    proven(logins.login(user, &secret, Scope::Imap, NOW).await.unwrap())
}

fn proven(outcome: Outcome) -> Option<Proven> {
    match outcome {
        Outcome::Proven(proven) => Some(*proven),
        Outcome::Rejected | Outcome::NotHere(_) => None,
    }
}

/// What a client that knows the secret proves, as RFC 5802 §3 says.
fn client_proof(secret: &str, salt: &[u8], iterations: u32, message: &[u8]) -> Vec<u8> {
    use openssl::{hash::MessageDigest, pkcs5, pkey::PKey, sha, sign::Signer};
    let hmac = |key: &[u8], octets: &[u8]| {
        let key = PKey::hmac(key).unwrap();
        Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(octets).unwrap()
    };
    let mut salted = [0; 32];
    let (secret, digest) = (secret.as_bytes(), MessageDigest::sha256());
    pkcs5::pbkdf2_hmac(secret, salt, iterations as usize, digest, &mut salted).unwrap();
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&sha::sha256(&client_key), message);
    client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_password_lets_in_until_it_is_taken_away() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let logins = logins(&bed);
        let (ali, store) = (address(ALI), &bed.store);
        let make = async |name, opening| {
            let new = NewPassword { opening, ..mail(name) };
            app_passwords::add(store, &ali, new, &by()).await.unwrap()
        };
        let (phone, secret) = make("Telefon", Some(OpeningMode::Direct)).await;
        let (_, other) = make("Thunderbird", None).await;
        let secret = secret.expose_secret().to_owned();
        let whole = by_text(&logins, ALI, &secret).await.unwrap();
        assert_eq!(whole.opening(), Some(OpeningMode::Direct));
        assert_eq!(whole.person(), format!("{ALI} (Telefon)"));
        let typed = secret.replace('-', "").to_uppercase();
        assert!(by_text(&logins, "ali.veli", &typed).await.is_some());
        let second = by_text(&logins, ALI, other.expose_secret()).await.unwrap();
        assert_eq!((second.opening(), second.person().contains("Thunderbird")), (None, true));
        let own = by_text(&logins, ALI, "kendi sözü").await.unwrap();
        assert_eq!((own.by.clone(), own.person()), (Means::Password, ALI.to_owned()));
        // The name of a row with the letters of another.
        let mixed = format!("{}{}", &secret[..5], &other.expose_secret()[5..]);
        for wrong in [mixed.as_str(), &secret[..secret.len() - 1], "", "kendi sozu"] {
            assert_eq!(by_text(&logins, ALI, wrong).await, None, "{wrong}");
        }
        assert_eq!(by_text(&logins, "ayse@hs05.kep.tr", &secret).await, None);

        let listed = app_passwords::list(store, &ali).await.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|known| known.used_at == Some(NOW)), "{listed:?}");
        assert!(app_passwords::remove(store, &ali, &phone.id.to_uppercase(), &by()).await.unwrap());
        assert!(!app_passwords::remove(store, &ali, &phone.id, &by()).await.unwrap());
        assert_eq!(by_text(&logins, ALI, &secret).await, None);
        assert!(by_text(&logins, ALI, other.expose_secret()).await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scram_finds_which_generated_password_it_is_and_tells_nothing_of_names() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let logins = logins(&bed);
        assert!(!logins.any_generated().await.unwrap());
        let before = logins.salted(ALI).await.unwrap();
        let ali = address(ALI);
        let add =
            async |name| app_passwords::add(&bed.store, &ali, mail(name), &by()).await.unwrap().1;
        let (one, two) = (add("Bir").await, add("İki").await);
        assert!(logins.any_generated().await.unwrap());
        let salted = logins.salted("ali.veli").await.unwrap();
        assert_eq!((&salted.salt, salted.iterations), (&before.salt, 4096));
        assert_ne!(salted.nonce, before.nonce);
        let unknown = logins.salted("yok@hs05.kep.tr").await.unwrap();
        assert_eq!(unknown.salt, logins.salted("YOK@hs05.kep.tr").await.unwrap().salt);
        assert_eq!((unknown.salt.len(), unknown.iterations), (salted.salt.len(), 4096));
        assert_ne!(unknown.salt, salted.salt);
        assert_eq!(logins.salted("no name").await.unwrap().salt.len(), salted.salt.len());

        let message = b"n=ali.veli,r=a,r=ab,s=c2FsdA==,i=4096,c=biws,r=ab";
        for (secret, name) in [(&one, "Bir"), (&two, "İki")] {
            let proof = client_proof(secret.expose_secret(), &salted.salt, 4096, message);
            let (outcome, signature) =
                logins.prove(ALI, message, &proof, Scope::Imap, NOW).await.unwrap();
            assert!(proven(outcome).unwrap().person().ends_with(&format!("({name})")));
            let verifier = Verifier::new(secret, &salted.salt, 4096).unwrap();
            assert_eq!(verifier.prove(message, &proof), Some(signature));
            let others = logins
                .prove("ayse@hs05.kep.tr", message, &proof, Scope::Imap, NOW)
                .await
                .unwrap()
                .0;
            assert_eq!(proven(others), None);
            let other =
                logins.prove(ALI, b"another exchange", &proof, Scope::Imap, NOW).await.unwrap().0;
            assert_eq!(proven(other), None);
        }
        // The account's own password is no verifier of SCRAM.
        let proof = client_proof("kendi sözü", &salted.salt, 4096, message);
        assert_eq!(
            proven(logins.prove(ALI, message, &proof, Scope::Imap, NOW).await.unwrap().0),
            None
        );
        assert_eq!(proven(logins.prove(ALI, b"", b"", Scope::Imap, NOW).await.unwrap().0), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_a_bounded_number_of_generated_passwords_of_its_own() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        open(&bed, "ayse@hs05.kep.tr", Vec::new()).await;
        let add = |who: KepAddress| {
            let store = bed.store.clone();
            tokio::spawn(async move { app_passwords::add(&store, &who, mail("P"), &by()).await })
        };
        let all: Vec<_> = (0..36).map(|_| add(address(ALI))).collect();
        let mut made = 0;
        for one in all {
            match one.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert!(matches!(error, RegistryError::ManyPasswords(..)), "{error}"),
            }
        }
        assert_eq!(made, 32);
        let (ayse, _) = add(address("ayse@hs05.kep.tr")).await.unwrap().unwrap();
        assert!(!app_passwords::remove(&bed.store, &address(ALI), &ayse.id, &by()).await.unwrap());
        let unknown = add(address("yok@hs05.kep.tr")).await.unwrap();
        assert!(matches!(unknown, Err(RegistryError::Unknown(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_lets_in_to_the_account_that_it_is_of() {
    on_both(|bed| async move {
        let now = Clock::System.now();
        let root = CertificateAuthority::create("Kök", KeyKind::P256, now).unwrap();
        let issue = |email: &str| {
            let profile = Profile::User { name: "Ali".into(), email: email.into() };
            let issued = root.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
            issued.certificate().clone()
        };
        let (registered, named, shared) =
            (issue("baska@hs05.kep.tr"), issue(ALI), issue("ortak@hs05.kep.tr"));
        open(&bed, ALI, vec![registered.clone(), shared.clone()]).await;
        open(&bed, "ayse@hs05.kep.tr", vec![shared.clone()]).await;
        let logins = logins(&bed);
        let enter = async |user: &str, certificate: &Certificate| {
            let proven = proven(logins.certificate(user, certificate).await.unwrap());
            proven.map(|proven| proven.account.address.to_string())
        };
        assert_eq!(enter("", &registered).await.as_deref(), Some(ALI));
        assert_eq!(enter("", &named).await.as_deref(), Some(ALI));
        assert_eq!(enter("ali.veli", &registered).await.as_deref(), Some(ALI));
        assert_eq!(enter("ayse", &registered).await, None);
        assert_eq!(enter("ayse", &named).await, None);
        assert_eq!(enter("", &shared).await, None, "it does not tell whose login it is");
        assert_eq!(enter("ayse", &shared).await.as_deref(), Some("ayse@hs05.kep.tr"));
        assert_eq!(enter("", &issue("yok@hs05.kep.tr")).await, None);
        assert_eq!(enter("no name", &registered).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_again_gives_no_further_time_and_reopening_forgets() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (store, ali) = (&bed.store, address(ALI));
        let by = |at| By::system("test", at);
        let close = async |at| closings::close(store, &ali, &by(at)).await.unwrap();
        let closed_at = async || accounts::get(store, &ali).await.unwrap().closed_at();
        close(NOW).await;
        close(NOW.plus_secs(99)).await;
        assert_eq!(closed_at().await, Some(NOW));
        closings::reopen(store, &ali, None, &by(NOW.plus_secs(100))).await.unwrap();
        assert_eq!(closed_at().await, None);
        close(NOW.plus_secs(101)).await;
        assert_eq!(closed_at().await, Some(NOW.plus_secs(101)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_scram_row_locks_out_no_other_password() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, ali) = (logins(&bed), address(ALI));
        let add =
            async |name| app_passwords::add(&bed.store, &ali, mail(name), &by()).await.unwrap();
        let (first, _) = add("Bir").await;
        let account = accounts::get(&bed.store, &ali).await.unwrap().id;
        let damage = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let row = rows::find(tx, account, &first.id)?.unwrap();
            rows::remove(tx, account, &first.id)?;
            rows::add(tx, &AppPasswordRow { scram: vec![7; 40], salt: b"another".into(), ..row })
        };
        bed.store.write(Lane::Client, damage).await.unwrap();
        // One more shares the salt of those that are there, whatever it is.
        let (_, secret) = add("İki").await;
        let salted = logins.salted(ALI).await.unwrap();
        assert_eq!(salted.salt, b"another");
        let message = b"n=ali.veli,r=a,r=ab,s=YW5vdGhlcg==,i=4096,c=biws,r=ab";
        let proof = client_proof(secret.expose_secret(), &salted.salt, salted.iterations, message);
        let (outcome, _) = logins.prove(ALI, message, &proof, Scope::Imap, NOW).await.unwrap();
        assert!(proven(outcome).unwrap().person().ends_with("(İki)"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_opens_the_doors_that_it_was_made_for() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, ali) = (logins(&bed), address(ALI));
        let make = async |scopes: &[Scope]| {
            let scopes = Scopes::new(scopes.iter().copied()).unwrap();
            let new = NewPassword { name: "P".into(), opening: None, scopes };
            app_passwords::add(&bed.store, &ali, new, &by()).await.unwrap().1
        };
        for own in [vec![Scope::Smtp], vec![Scope::Imap], vec![Scope::Smtp, Scope::Imap]] {
            let secret = make(&own).await;
            for door in Scope::ALL {
                let outcome = logins.login(ALI, &secret, door, NOW).await.unwrap();
                match own.contains(&door) {
                    true => assert!(matches!(outcome, Outcome::Proven(_)), "{own:?} {door:?}"),
                    false => assert!(matches!(outcome, Outcome::NotHere(NotHere::Scope))),
                }
            }
        }
        // One of an earlier version, for a door that there is none of any more.
        let secret = make(&[Scope::Smtp]).await;
        let former = "UPDATE app_password SET scopes = 'api'";
        bed.write(move |tx| Ok(tx.execute(former, &[])?)).await;
        for door in Scope::ALL {
            let outcome = logins.login(ALI, &secret, door, NOW).await.unwrap();
            assert!(matches!(outcome, Outcome::NotHere(NotHere::Scope)), "{door:?}");
        }
        let secret = make(&[Scope::Smtp]).await;
        let salted = logins.salted(ALI).await.unwrap();
        let message = b"n=ali.veli,r=a,r=ab,s=c2FsdA==,i=4096,c=biws,r=ab";
        let proof = client_proof(secret.expose_secret(), &salted.salt, 4096, message);
        let by_scram = logins.prove(ALI, message, &proof, Scope::Imap, NOW).await.unwrap().0;
        assert!(matches!(by_scram, Outcome::NotHere(NotHere::Scope)));
        assert!(Scopes::new([]).is_none(), "a password is for a door at least");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_two_factors_are_asked_the_own_password_lets_no_mail_program_in() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, ali) = (logins(&bed), address(ALI));
        let owner = Owner::holder(accounts::get(&bed.store, &ali).await.unwrap().id);
        assert!(
            credentials::choose_two(&bed.store, owner, true, &by()).await.is_err(),
            "no second"
        );
        super::credentials::app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let own = SecretString::from("kendi sözü");
        let outcome = logins.login(ALI, &own, Scope::Imap, NOW).await.unwrap();
        assert!(matches!(outcome, Outcome::NotHere(NotHere::SecondFactor)));
        let wrong = SecretString::from("başka söz");
        let outcome = logins.login(ALI, &wrong, Scope::Imap, NOW).await.unwrap();
        assert!(matches!(outcome, Outcome::Rejected));
        let (_, secret) = app_passwords::add(&bed.store, &ali, mail("P"), &by()).await.unwrap();
        assert!(by_text(&logins, ALI, secret.expose_secret()).await.is_some());
        totp::remove(&bed.store, owner, &by()).await.unwrap();
        credentials::choose_two(&bed.store, owner, false, &by()).await.unwrap();
        assert!(by_text(&logins, ALI, "kendi sözü").await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_by_a_mail_program_is_locked_out_at_every_door() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, portal) = (logins(&bed), sign_in(&bed, &root()));
        let ali = address(ALI);
        let (_, generated) = app_passwords::add(&bed.store, &ali, mail("P"), &by()).await.unwrap();
        for name in ["ali.veli", "yok@hs05.kep.tr"] {
            // A wrong generated one is no guess at the own one, however often it comes.
            let mut mixed = generated.expose_secret().to_owned();
            mixed.replace_range(mixed.len() - 5.., "00000");
            assert_eq!(by_text(&logins, ALI, &mixed).await, None);
            for guess in 0..10 {
                assert_eq!(by_text(&logins, name, &format!("yanlış {guess}")).await, None);
            }
            let answer = by_password(&portal, name, "kendi sözü", NOW).await;
            assert!(matches!(answer, Answer::Locked(_)), "{name}: {answer:?}");
        }
        assert_eq!(by_text(&logins, ALI, "kendi sözü").await, None, "right, and not heard");
        assert!(by_text(&logins, ALI, generated.expose_secret()).await.is_some());
        let (later, own) = (NOW.plus_secs(900), SecretString::from("kendi sözü"));
        let after = logins.login(ALI, &own, Scope::Smtp, later).await.unwrap();
        assert!(proven(after).is_some(), "a lock ends");
    })
    .await;
}

/// What is said meanwhile is judged as little at a mail program as at the portal: it is as new afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_is_locked_nothing_that_a_mail_program_says_is_judged_or_noted() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let logins = logins(&bed);
        for name in [ALI, "yok@hs05.kep.tr"] {
            for guess in 0..10 {
                assert_eq!(by_text(&logins, name, &format!("yanlış {guess}")).await, None);
            }
            assert_eq!(by_text(&logins, name, "sonraki").await, None);
            let (later, guess) = (NOW.plus_secs(900), SecretString::from("sonraki"));
            let outcome = logins.login(name, &guess, Scope::Imap, later).await.unwrap();
            assert!(matches!(outcome, Outcome::Rejected));
            let who = format!("password/{name}/0");
            let row = bed.read(move |tx| Ok(tries::get(tx, &who)?)).await.unwrap();
            assert_eq!((row.failures, row.last_at), (1, later), "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_at_the_portal_is_locked_out_of_mail_programs() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, portal) = (logins(&bed), sign_in(&bed, &root()));
        assert!(by_text(&logins, ALI, "kendi sözü").await.is_some());
        for _ in 0..10 {
            assert!(matches!(by_password(&portal, ALI, "yanlış", NOW).await, Answer::Wrong));
        }
        for door in Scope::ALL {
            let own = SecretString::from("kendi sözü");
            let outcome = logins.login(ALI, &own, door, NOW).await.unwrap();
            assert!(matches!(outcome, Outcome::Rejected), "{door:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_with_an_old_password_locks_nobody_out() {
    on_both(|bed| async move {
        open(&bed, ALI, Vec::new()).await;
        let (logins, old) = (logins(&bed), SecretString::from("eski söz"));
        for minutes in 0..60 {
            let now = NOW.plus_secs(minutes * 60);
            let outcome = logins.login(ALI, &old, Scope::Imap, now).await.unwrap();
            assert!(matches!(outcome, Outcome::Rejected));
        }
        let (later, own) = (NOW.plus_secs(3_600), SecretString::from("kendi sözü"));
        assert!(proven(logins.login(ALI, &own, Scope::Imap, later).await.unwrap()).is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_for_what_it_was_registered_for() {
    on_both(|bed| async move {
        let now = Clock::System.now();
        let root = CertificateAuthority::create("Kök", KeyKind::P256, now).unwrap();
        let profile = Profile::User { name: "Ali".into(), email: ALI.into() };
        let issued = root.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
        let certificate = issued.certificate().clone();
        open(&bed, ALI, vec![certificate.clone()]).await;
        let (logins, ali) = (logins(&bed), address(ALI));
        let id = accounts::get(&bed.store, &ali).await.unwrap().id;
        for (uses, signs, enters) in [
            (CertificateUse::Sign, true, false),
            (CertificateUse::Login, false, true),
            (CertificateUse::Both, true, true),
        ] {
            let certificate = certificate.clone();
            let owner = Owner::holder(id);
            certificates::add(&bed.store, owner, certificate.clone(), uses, &by()).await.unwrap();
            let signing = bed.read(move |tx| Ok(kep::store::accounts::certificates(tx, id)?)).await;
            assert_eq!(!signing.is_empty(), signs, "{uses:?}");
            let outcome = logins.certificate(ALI, &certificate).await.unwrap();
            assert_eq!(proven(outcome).is_some(), enters, "{uses:?}");
            let listed = accounts::certificates(&bed.store, id).await.unwrap();
            assert_eq!(listed.len(), 1);
            assert_eq!(listed[0].1, uses);
        }
    })
    .await;
}
