//! What people log in by, and their sessions, on both drivers.

use super::logins::{address, by, open};
use super::{NOW, bed::Bed, on_both};
use kep::registry::accounts;
use kep::registry::audit::{self, By};
use kep::registry::credentials::tries::{self, Counted, Gate};
use kep::registry::credentials::{self, CredentialError, Owner, Rules, passkeys, passwords, totp};
use kep::registry::outbox::Kind as Notice;
use kep::registry::policy::Policies;
use kep::registry::sessions;
use kep::store::audit::Wanted;
use kep::store::{Lane, RowsError, Tx};
use kep::trust::passkey::Relying;
use kep::trust::totp::TotpSecret;
use kep::wire::Timestamp;
use passkey_maker::{Authenticator, Kind};
use secrecy::{ExposeSecret, SecretString};

#[path = "../../passkeys/mod.rs"]
pub mod passkey_maker;

pub const ALI: &str = "ali.veli@hs05.kep.tr";

/// An authenticator app, as it learns its secret.
pub struct App(Vec<u8>);

impl App {
    pub fn scan(secret: &SecretString) -> Self {
        Self(data_encoding::BASE32_NOPAD.decode(secret.expose_secret().as_bytes()).unwrap())
    }

    /// RFC 6238, by other code than the server's.
    pub fn code(&self, now: Timestamp) -> SecretString {
        use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
        let step = (now.secs() / 30).to_be_bytes();
        let key = PKey::hmac(&self.0).unwrap();
        let mut signer = Signer::new(MessageDigest::sha1(), &key).unwrap();
        let mac = signer.sign_oneshot_to_vec(&step).unwrap();
        let at = usize::from(mac[19] & 15);
        let number = u32::from_be_bytes(mac[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        SecretString::from(format!("{:06}", number % 1_000_000))
    }
}

fn at(secs: i64) -> By {
    By { at: NOW.plus_secs(secs), ..by() }
}

/// A confirmed app, and its codes on paper; its first code is used, that of an hour before now.
pub async fn app(bed: &Bed, owner: Owner) -> (App, Vec<SecretString>) {
    let made = totp::enrol(&bed.store, owner, "Deneme KEP", &at(-3600)).await.unwrap();
    let app = App::scan(&made.secret);
    let first = app.code(NOW.plus_secs(-3600));
    let codes = totp::confirm(&bed.store, owner, &first, &at(-3600)).await.unwrap();
    (app, codes)
}

pub async fn ali(bed: &Bed) -> Owner {
    open(bed, ALI, Vec::new()).await;
    Owner::holder(accounts::get(&bed.store, &address(ALI)).await.unwrap().id)
}

async fn acts(bed: &Bed) -> Vec<String> {
    let all = audit::list(&bed.store, Wanted { most: 1000, ..Wanted::default() }).await.unwrap();
    all.into_iter().map(|entry| entry.act).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_is_begun_confirmed_and_taken_away() {
    on_both(|bed| async move {
        let (owner, store) = (ali(&bed).await, &bed.store);
        assert_eq!(totp::known(store, owner).await.unwrap(), None);
        let first = totp::enrol(store, owner, "Deneme", &by()).await.unwrap();
        assert!(first.uri.expose_secret().starts_with("otpauth://totp/Deneme:ali.veli%40hs05"));
        // Begun anew: the first secret is void.
        let made = totp::enrol(store, owner, "Deneme", &by()).await.unwrap();
        let (old, app) = (App::scan(&first.secret), App::scan(&made.secret));
        for wrong in [old.code(NOW), app.code(NOW.plus_secs(90)), "12345".to_owned().into()] {
            let refused = totp::confirm(store, owner, &wrong, &by()).await;
            assert!(matches!(refused, Err(CredentialError::Code)));
        }
        let none = totp::renew_codes(store, owner, &by()).await;
        assert!(matches!(none, Err(CredentialError::NoTotp)), "it proves nothing yet");
        let codes = totp::confirm(store, owner, &app.code(NOW), &by()).await.unwrap();
        assert_eq!(codes.len(), 10);
        let again = totp::confirm(store, owner, &app.code(NOW.plus_secs(30)), &by()).await;
        assert!(matches!(again, Err(CredentialError::TotpThere)));
        let again = totp::enrol(store, owner, "Deneme", &by()).await;
        assert!(
            matches!(again, Err(CredentialError::TotpThere)),
            "nobody puts another in its place"
        );
        let known = totp::known(store, owner).await.unwrap().unwrap();
        assert_eq!((known.confirmed_at, known.backup_codes), (Some(NOW), 10));
        totp::remove(store, owner, &by()).await.unwrap();
        assert_eq!(totp::known(store, owner).await.unwrap(), None);
        assert!(matches!(totp::remove(store, owner, &by()).await, Err(CredentialError::NoTotp)));
        let said = acts(&bed).await;
        for act in ["login.totp.enrol", "login.totp.confirm", "login.totp.remove"] {
            assert!(said.iter().any(|known| known == act), "{act}: {said:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_rests_sealed() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let made = totp::enrol(&bed.store, owner, "Deneme", &by()).await.unwrap();
        let plain = App::scan(&made.secret).0;
        let key = kep::store::credentials::OwnerKey { account: owner.account, operator: 0 };
        let row = bed.read(move |tx| Ok(kep::store::credentials::totp::get(tx, key)?)).await;
        let sealed = row.unwrap().secret;
        assert!(!sealed.windows(plain.len()).any(|part| part == plain));
        let opened = TotpSecret::unseal(&bed.vault, b"totp/1/0", &sealed).unwrap();
        assert_eq!(opened.text().expose_secret(), made.secret.expose_secret());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_keeps_the_factor_that_is_asked_of_him_and_staff_may_take_it() {
    on_both(|bed| async move {
        let (owner, store) = (ali(&bed).await, &bed.store);
        app(&bed, owner).await;
        credentials::choose_two(store, owner, true, &by()).await.unwrap();
        let name = ALI.to_owned();
        let actor = audit::Actor::Person { account: owner.account, name };
        let himself = By { actor, ..by() };
        let kept = totp::remove(store, owner, &himself).await;
        assert!(matches!(kept, Err(CredentialError::LastFactor)));
        assert!(totp::known(store, owner).await.unwrap().is_some(), "nothing was done");
        totp::remove(store, owner, &by()).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passkeys_are_registered_once_and_are_their_owners_alone() {
    on_both(|bed| async move {
        let (owner, store) = (ali(&bed).await, &bed.store);
        open(&bed, "ayse@hs05.kep.tr", Vec::new()).await;
        let ayse = accounts::get(store, &address("ayse@hs05.kep.tr")).await.unwrap().id;
        let relying = Relying::of_portal("https://kep.example/").unwrap();
        let mut key = Authenticator::new(Kind::Es256, "https://kep.example", "kep.example");
        let asked = |options: &serde_json::Value| {
            let challenge = options["challenge"].as_str().unwrap().as_bytes();
            data_encoding::BASE64URL_NOPAD.decode(challenge).unwrap()
        };
        let begin = async || passkeys::begin(store, &relying, "Deneme", owner, NOW).await.unwrap();
        let first = begin().await;
        let answer = key.create(&asked(&first.options));
        let finish = async |owner, token: &SecretString, answer: &str, at: i64| {
            passkeys::finish(store, &relying, owner, token, answer, "Telefon", &self::at(at)).await
        };
        let stranger = finish(Owner::holder(ayse), &first.token, &answer, 0).await;
        assert!(matches!(stranger, Err(CredentialError::Expired)), "asked of another");
        let second = begin().await;
        let answer = key.create(&asked(&second.options));
        let late = finish(owner, &second.token, &answer, 300).await;
        assert!(matches!(late, Err(CredentialError::Expired)));
        let third = begin().await;
        let wrong = finish(owner, &third.token, &answer, 0).await;
        assert!(matches!(wrong, Err(CredentialError::Passkey(_))), "it answers another challenge");
        let fourth = begin().await;
        let answer = key.create(&asked(&fourth.options));
        let made = finish(owner, &fourth.token, &answer, 0).await.unwrap();
        let twice = finish(owner, &fourth.token, &answer, 0).await;
        assert!(matches!(twice, Err(CredentialError::Expired)), "a challenge is answered once");
        let fifth = begin().await;
        assert_eq!(fifth.options["excludeCredentials"][0]["id"], made.id);
        let answer = key.create(&asked(&fifth.options));
        let again = finish(owner, &fifth.token, &answer, 0).await;
        assert!(matches!(again, Err(CredentialError::PasskeyThere)));

        // Of the other kinds, one that vouches for itself among them.
        for (kind, right) in [(Kind::Rs256, true), (Kind::Ed25519, true), (Kind::Es256, false)] {
            let mut key = Authenticator::new(kind, "https://kep.example", "kep.example");
            let next = begin().await;
            let answer = key.create_packed(&asked(&next.options), right);
            let made = finish(owner, &next.token, &answer, 0).await;
            assert_eq!(made.is_ok(), right, "{kind:?}");
            if let Ok(made) = made {
                assert!(passkeys::remove(store, owner, &made.id, &by()).await.unwrap());
            }
        }
        assert!(passkeys::rename(store, owner, &made.id, "Cep", &by()).await.unwrap());
        assert_eq!(passkeys::list(store, owner).await.unwrap()[0].name, "Cep");
        let other = Owner::holder(ayse);
        assert!(!passkeys::rename(store, other, &made.id, "Cep", &by()).await.unwrap());
        assert!(!passkeys::remove(store, other, &made.id, &by()).await.unwrap());
        assert!(!passkeys::remove(store, owner, "no id!", &by()).await.unwrap());
        assert!(passkeys::remove(store, owner, &made.id, &by()).await.unwrap());
        assert!(passkeys::list(store, owner).await.unwrap().is_empty());
    })
    .await;
}

async fn try_once(bed: &Bed, counted: &Counted, now: Timestamp) -> Gate {
    let counted = counted.clone();
    let rules = Rules { tries: 3, ..Rules::of(&Policies::default()) };
    let work = move |tx: &mut Tx<'_>| tries::begin(tx, &counted, &rules, now);
    bed.store.write(Lane::Client, work).await.map_err(|e: RowsError| e).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_outlives_a_restart_and_locks_no_other_factor() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let (codes, paper) = (Counted::Totp(owner), Counted::Backup(owner));
        for _ in 0..3 {
            assert_eq!(try_once(&bed, &codes, NOW).await, Gate::Open);
        }
        let until = NOW.plus_secs(900);
        assert_eq!(try_once(&bed, &codes, NOW.plus_secs(1)).await, Gate::Locked(until));
        let later = Bed {
            store: bed.another().await,
            at: bed.at.clone(),
            vault: bed.vault.clone(),
            dir: bed.dir.clone(),
        };
        assert_eq!(try_once(&later, &codes, NOW.plus_secs(2)).await, Gate::Locked(until));
        assert_eq!(try_once(&later, &paper, NOW.plus_secs(2)).await, Gate::Open);
        let unlocked = tries::unlock(&bed.store, owner, &address(ALI), &by()).await.unwrap();
        assert!(unlocked && acts(&bed).await.iter().any(|act| act == "login.unlock"));
        assert_eq!(try_once(&bed, &codes, NOW.plus_secs(3)).await, Gate::Open);
        assert!(tries::unlock(&bed.store, owner, &address(ALI), &by()).await.unwrap());
        assert!(!tries::unlock(&bed.store, owner, &address(ALI), &by()).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tries_at_the_same_time_are_no_more_than_one_after_the_other() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        let rules = Rules { tries: 3, ..Rules::of(&Policies::default()) };
        let all: Vec<_> = (0..24)
            .map(|_| {
                let store = bed.store.clone();
                let work = move |tx: &mut Tx<'_>| -> Result<Gate, RowsError> {
                    tries::begin(tx, &Counted::Totp(owner), &rules, NOW)
                };
                tokio::spawn(async move { store.write(Lane::Client, work).await.unwrap() })
            })
            .collect();
        let mut open = 0;
        for one in all {
            open += usize::from(one.await.unwrap() == Gate::Open);
        }
        assert_eq!(open, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_is_checked_recorded_and_told() {
    on_both(|bed| async move {
        let (owner, store) = (ali(&bed).await, &bed.store);
        let set = async |secret: &str| {
            passwords::set(store, owner, &SecretString::from(secret), None, &by()).await
        };
        for bad in ["kısa", "galatasaray1905", "ali.veli@hs05.kep.tr", "Veli Ali 1980"] {
            let refused = set(bad).await;
            assert!(matches!(refused, Err(CredentialError::Password(_))), "{bad}");
        }
        super::told::reach(&bed, &super::logins::address(ALI)).await;
        set("gizli bir söz daha").await.unwrap();
        assert!(acts(&bed).await.iter().any(|act| act == "account.password"));
        let heard = super::told::told(&bed).await;
        assert!(heard.len() == 2 && heard.iter().all(|one| one.kind == Notice::Credentials));
        assert_eq!(heard[0].values["time"], NOW.turkish());
        assert!(super::told::told(&bed).await.is_empty(), "told once");
        let audit = audit::list(store, Wanted { most: 1000, ..Wanted::default() }).await.unwrap();
        assert!(audit.iter().all(|entry| !entry.details.to_string().contains("gizli")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_logs_in_by_is_his_and_goes_with_him() {
    on_both(|bed| async move {
        let (holder, store) = (ali(&bed).await, &bed.store);
        let operator = Owner { operator: 7, ..holder };
        let secret = SecretString::from("gizli bir söz daha");
        passwords::set(store, operator, &secret, None, &by()).await.unwrap();
        app(&bed, operator).await;
        assert_eq!(totp::known(store, holder).await.unwrap(), None);
        let row = bed.read(move |tx| Ok(kep::store::accounts::by_id(tx, holder.account)?)).await;
        let passwords = kep::trust::password::Passwords::new(1).unwrap();
        assert!(!passwords.verify(Some(&row.password), &secret, NOW).await, "not the holder's");
        bed.write(move |tx| Ok(credentials::forget(tx, operator)?)).await;
        assert_eq!(totp::known(store, operator).await.unwrap(), None);
        assert!(sessions::list(store, holder.account, NOW).await.unwrap().is_empty());
    })
    .await;
}
