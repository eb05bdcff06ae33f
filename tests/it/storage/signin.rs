//! Logging in to the portal and the API, on both drivers: by password and a second factor, by passkey,
//! by electronic signature, and the ways back in.

use super::credentials::passkey_maker::{Authenticator, Kind};
use super::credentials::{ALI, ali, app};
use super::logins::{address, by};
use super::told::{self, told};
use super::{NOW, bed::Bed, on_both};
use kep::registry::accounts;
use kep::registry::audit::{By, Channel};
use kep::registry::closings;
use kep::registry::credentials::{self, Owner, passkeys, passwords};
use kep::registry::outbox::Kind as Notice;
use kep::registry::sessions::{self, Factor, StepUp};
use kep::registry::signin::{Answer, Asking, Client, Entered, Given, Reset, Second, SignIn};
use kep::trust::passkey::Relying;
use kep::trust::password::Passwords;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::{Anchors, UserSigner, UserTrust};
use kep::wire::{KepDomain, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

pub const OWN: &str = "kendi sözü";

pub fn root() -> CertificateAuthority {
    CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap()
}

pub fn sign_in(bed: &Bed, root: &CertificateAuthority) -> SignIn {
    let anchors = Anchors::new(vec![root.certificate().clone()]).unwrap();
    SignIn {
        store: bed.store.clone(),
        passwords: Arc::new(Passwords::new(2).unwrap()),
        users: Arc::new(UserTrust::new(anchors, Vec::new(), None)),
        relying: Relying::of_portal("https://kep.example/"),
        domain: KepDomain::parse("hs05.kep.tr").unwrap(),
    }
}

fn client() -> Client {
    Client { address: [192, 0, 2, 7].into(), agent: "Firefox".into(), channel: Channel::Portal }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

pub async fn by_password(desk: &SignIn, user: &str, password: &str, now: Timestamp) -> Answer {
    desk.password(user, &secret(password), &client(), now).await.unwrap()
}

pub fn entered(answer: Answer) -> Entered {
    match answer {
        Answer::In(entered) => *entered,
        other => panic!("{other:?}"),
    }
}

fn second(answer: Answer) -> Second {
    match answer {
        Answer::Second(second) => second,
        other => panic!("{other:?}"),
    }
}

fn factors(entered: &Entered) -> Vec<Factor> {
    entered.session.factors().collect()
}

fn challenge(options: &serde_json::Value) -> Vec<u8> {
    let text = options["challenge"].as_str().unwrap();
    data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
}

/// A registered passkey.
async fn passkey(desk: &SignIn, owner: Owner) -> Authenticator {
    let relying = desk.relying.clone().unwrap();
    let mut key = Authenticator::new(Kind::Es256, relying.origin(), relying.id());
    let asked = passkeys::begin(&desk.store, &relying, "Deneme", owner, NOW).await.unwrap();
    let answer = key.create(&challenge(&asked.options));
    let (token, by) = (&asked.token, by());
    passkeys::finish(&desk.store, &relying, owner, token, &answer, "Telefon", &by).await.unwrap();
    key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_very_many_sessions_those_stay_that_are_in_use() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let mut key = passkey(&desk, owner).await;
        let mut enter = async |now| {
            let asked = desk.ask_passkey(now).await.unwrap();
            let answer = key.get(&challenge(&asked.options));
            entered(desk.passkey(&asked.token, &answer, &client(), now).await.unwrap())
        };
        let (used, unused) = (enter(NOW).await, enter(NOW).await);
        let there = async |one: &Entered, secs| {
            let found = sessions::find(&bed.store, &one.token, NOW.plus_secs(secs)).await;
            found.unwrap().is_some()
        };
        for _ in 2..99 {
            enter(NOW.plus_secs(1)).await;
        }
        assert!(there(&used, 120).await);
        for _ in 0..2 {
            enter(NOW.plus_secs(121)).await;
        }
        assert!(there(&used, 121).await && !there(&unused, 121).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_alone_lets_in_where_the_policy_says_so() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        for wrong in ["başka", "", "kendi sozu"] {
            assert!(matches!(by_password(&desk, ALI, wrong, NOW).await, Answer::Wrong), "{wrong}");
        }
        for nobody in ["yok@hs05.kep.tr", "", "no name", "ali.veli@hs06.kep.tr"] {
            assert!(matches!(by_password(&desk, nobody, OWN, NOW).await, Answer::Wrong));
        }
        let one = entered(by_password(&desk, "ali.veli", OWN, NOW).await);
        assert_eq!((one.session.owner, factors(&one)), (owner, vec![Factor::Password]));
        assert_eq!(
            (one.session.address.as_str(), one.session.agent.as_str()),
            ("192.0.2.7", "Firefox")
        );
        let found = sessions::find(&bed.store, &one.token, NOW.plus_secs(899)).await.unwrap();
        assert_eq!(found.unwrap().id, one.session.id);
        // That was a use: it lasts a quarter of an hour from there, and eight hours at most.
        let found = async |secs| sessions::find(&bed.store, &one.token, NOW.plus_secs(secs)).await;
        assert!(found(1_700).await.unwrap().is_some());
        assert!(found(1_700 + 900).await.unwrap().is_none());
        let id = secret(&one.session.id);
        assert!(
            sessions::find(&bed.store, &id, NOW).await.unwrap().is_none(),
            "its name is no token"
        );

        let listed = sessions::list(&bed.store, owner.account, NOW.plus_secs(1_700)).await.unwrap();
        assert_eq!(listed.len(), 1);
        let end = async |id: &str| sessions::end(&bed.store, owner, id, &by()).await.unwrap();
        assert!(!end("nothing").await && end(&one.session.id).await && !end(&one.session.id).await);
        assert!(found(1_700).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_is_locked_out_for_a_time_whether_there_is_such_a_name_or_not() {
    on_both(|bed| async move {
        let (root, _) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        for name in [ALI, "yok@hs05.kep.tr"] {
            for _ in 0..10 {
                assert!(matches!(by_password(&desk, name, "yanlış", NOW).await, Answer::Wrong));
            }
            let until = match by_password(&desk, name, OWN, NOW).await {
                Answer::Locked(until) => until,
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(until, NOW.plus_secs(900));
        }
        assert!(matches!(by_password(&desk, "ali.veli", OWN, NOW).await, Answer::Locked(_)));
        entered(by_password(&desk, ALI, OWN, NOW.plus_secs(900)).await);
        // A right one forgets what was wrong before it.
        for _ in 0..9 {
            by_password(&desk, ALI, "yanlış", NOW.plus_secs(901)).await;
        }
        entered(by_password(&desk, ALI, OWN, NOW.plus_secs(902)).await);
        by_password(&desk, ALI, "yanlış", NOW.plus_secs(903)).await;
        entered(by_password(&desk, ALI, OWN, NOW.plus_secs(904)).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_is_asked_and_a_code_is_used_once() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let (app, paper) = app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let give = async |token: &SecretString, given, now| {
            desk.second(token, given, &client(), now).await.unwrap()
        };
        let first = second(by_password(&desk, ALI, OWN, NOW).await);
        assert!(first.options.totp && first.options.backup_code && !first.options.passkey);
        let wrong = second(give(&first.token, Given::Totp(secret("000000")), NOW).await);
        assert_eq!((first.left, wrong.left), (5, 4));
        let stale = give(&first.token, Given::Totp(app.code(NOW)), NOW).await;
        assert!(matches!(stale, Answer::Expired), "a token is answered once");
        let again = second(give(&wrong.token, Given::Password(secret(OWN)), NOW).await);
        assert_eq!(again.left, 3, "the same factor is no second one");
        let one = entered(give(&again.token, Given::Totp(app.code(NOW)), NOW).await);
        assert_eq!(factors(&one), [Factor::Password, Factor::Totp]);

        let next = second(by_password(&desk, ALI, OWN, NOW).await);
        let replayed = second(give(&next.token, Given::Totp(app.code(NOW)), NOW).await);
        let older = Given::Totp(app.code(NOW.plus_secs(-30)));
        let older = second(give(&replayed.token, older, NOW).await);
        let paper_code = secret(&paper[0].expose_secret().replace('-', "").to_uppercase());
        let two = entered(give(&older.token, Given::BackupCode(paper_code.clone()), NOW).await);
        assert_eq!(factors(&two), [Factor::Password, Factor::BackupCode]);
        let next = second(by_password(&desk, ALI, OWN, NOW).await);
        let used = second(give(&next.token, Given::BackupCode(paper_code), NOW).await);
        let late = Given::BackupCode(paper[1].clone());
        assert!(matches!(give(&used.token, late, NOW.plus_secs(300)).await, Answer::Expired));
        // A skewed clock: the app is half a minute ahead.
        let next = second(by_password(&desk, ALI, OWN, NOW).await);
        entered(give(&next.token, Given::Totp(app.code(NOW.plus_secs(30))), NOW).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_code_at_the_same_time_lets_in_once() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = Arc::new(sign_in(&bed, &root));
        let (app, paper) = app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let codes: [fn(SecretString) -> Given; 2] = [Given::Totp, Given::BackupCode];
        for (given, code) in codes.into_iter().zip([app.code(NOW), paper[0].clone()]) {
            let mut waiting = Vec::new();
            for _ in 0..6 {
                waiting.push(second(by_password(&desk, ALI, OWN, NOW).await).token);
            }
            let all: Vec<_> = waiting
                .into_iter()
                .map(|token| {
                    let (desk, given) = (Arc::clone(&desk), given(code.clone()));
                    tokio::spawn(async move { desk.second(&token, given, &client(), NOW).await })
                })
                .collect();
            let mut inside = 0;
            for one in all {
                inside += usize::from(matches!(one.await.unwrap().unwrap(), Answer::In(_)));
            }
            assert_eq!(inside, 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessed_codes_lock_the_app_and_leave_the_other_factors() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let (app, paper) = app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        for round in 0..2 {
            let mut asked = second(by_password(&desk, ALI, OWN, NOW).await);
            for left in (1..5).rev() {
                let given = Given::Totp(secret("00000x"));
                asked = second(desk.second(&asked.token, given, &client(), NOW).await.unwrap());
                assert_eq!(asked.left, left, "{round}");
            }
            let given = Given::Totp(secret("00000x"));
            let last = desk.second(&asked.token, given, &client(), NOW).await.unwrap();
            assert!(matches!(last, Answer::Wrong), "the password is asked again");
        }
        let asked = second(by_password(&desk, ALI, OWN, NOW).await);
        let given = Given::Totp(app.code(NOW));
        let locked = second(desk.second(&asked.token, given, &client(), NOW).await.unwrap());
        assert_eq!((locked.locked_until, locked.left), (Some(NOW.plus_secs(900)), 5));
        let given = Given::BackupCode(paper[3].clone());
        entered(desk.second(&locked.token, given, &client(), NOW).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_lets_in_alone_and_stands_behind_a_password() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let mut key = passkey(&desk, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let asked = desk.ask_passkey(NOW).await.unwrap();
        assert_eq!(asked.options["allowCredentials"], serde_json::json!([]));
        let answer = key.get(&challenge(&asked.options));
        let enter = async |token: &SecretString, answer: &str, now| {
            desk.passkey(token, answer, &client(), now).await.unwrap()
        };
        let one = entered(enter(&asked.token, &answer, NOW).await);
        assert_eq!((one.session.owner, factors(&one)), (owner, vec![Factor::Passkey]));
        assert!(matches!(enter(&asked.token, &answer, NOW).await, Answer::Expired), "once");
        let asked = desk.ask_passkey(NOW).await.unwrap();
        assert!(matches!(enter(&asked.token, &answer, NOW).await, Answer::Wrong), "replayed");
        let asked = desk.ask_passkey(NOW).await.unwrap();
        let relying = desk.relying.clone().unwrap();
        let stranger = Authenticator::new(Kind::Ed25519, relying.origin(), relying.id())
            .get(&challenge(&asked.options));
        assert!(matches!(enter(&asked.token, &stranger, NOW).await, Answer::Wrong));

        let asked = second(by_password(&desk, ALI, OWN, NOW).await);
        assert!(asked.options.passkey);
        let asked = desk.second_passkey(&asked.token, NOW).await.unwrap().unwrap();
        let Asking::Passkey(options) = &asked.asking else { panic!("{asked:?}") };
        assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
        let given = Given::Passkey(key.get(&challenge(options)));
        let two = entered(desk.second(&asked.token, given, &client(), NOW).await.unwrap());
        assert_eq!(factors(&two), [Factor::Password, Factor::Passkey]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legal_act_asks_for_more_than_the_password_that_let_in() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let (app, _) = app(&bed, owner).await;
        let one = entered(by_password(&desk, ALI, OWN, NOW).await);
        let rules = credentials::Rules::of(&kep::registry::policy::Policies::default());
        assert!(!one.session.proves(StepUp::Legal, &rules, NOW));
        let asked = desk.step_up(&one.session, NOW).await.unwrap();
        let given = Given::Totp(app.code(NOW));
        let stepped = desk.second(&asked.token, given, &client(), NOW).await.unwrap();
        assert!(matches!(stepped, Answer::Stepped));
        let again = sessions::find(&bed.store, &one.token, NOW).await.unwrap().unwrap();
        assert!(again.proves(StepUp::Legal, &rules, NOW.plus_secs(600)));
        assert!(!again.proves(StepUp::Legal, &rules, NOW.plus_secs(601)));
        // The password proves that somebody is there, and no more.
        let asked = desk.step_up(&again, NOW.plus_secs(700)).await.unwrap();
        let given = Given::Password(secret(OWN));
        let stepped =
            desk.second(&asked.token, given, &client(), NOW.plus_secs(700)).await.unwrap();
        assert!(matches!(stepped, Answer::Stepped));
        let again =
            sessions::find(&bed.store, &one.token, NOW.plus_secs(700)).await.unwrap().unwrap();
        assert!(again.proves(StepUp::Presence, &rules, NOW.plus_secs(700)));
        assert!(!again.proves(StepUp::Legal, &rules, NOW.plus_secs(700)));
        // A session that has ended is proven nothing.
        let asked = desk.step_up(&again, NOW.plus_secs(700)).await.unwrap();
        sessions::end_all(&bed.store, owner, None, &by()).await.unwrap();
        let given = Given::Password(secret(OWN));
        let over = desk.second(&asked.token, given, &client(), NOW.plus_secs(700)).await.unwrap();
        assert!(matches!(over, Answer::Expired));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sms_code_is_the_fall_back_and_few_are_sent() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        told::reach(&bed, &address(ALI)).await;
        let mut asked = second(by_password(&desk, ALI, OWN, NOW).await);
        let mut sent = Vec::new();
        for _ in 0..3 {
            asked = desk.second_sms(&asked.token, NOW).await.unwrap().unwrap();
            let told = told(&bed).await;
            assert_eq!(told.iter().map(|one| one.kind).collect::<Vec<_>>(), [Notice::LoginCode]);
            assert_eq!((told[0].to.as_str(), told[0].expires), (told::PHONE, asked.ends_at));
            sent.push(told[0].values["code"].clone());
        }
        let first = Given::Sms(secret(&sent[0]));
        asked = second(desk.second(&asked.token, first, &client(), NOW).await.unwrap());
        let last = Given::Sms(secret(&sent[2]));
        let one = entered(desk.second(&asked.token, last, &client(), NOW).await.unwrap());
        assert_eq!(factors(&one), [Factor::Password, Factor::Sms]);
        let asked = second(by_password(&desk, ALI, OWN, NOW).await);
        assert!(desk.second_sms(&asked.token, NOW).await.is_err(), "he waits for the next");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_every_session_but_the_one_that_asked() {
    on_both(|bed| async move {
        let (root, owner) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let (one, two) = (
            entered(by_password(&desk, ALI, OWN, NOW).await),
            entered(by_password(&desk, ALI, OWN, NOW).await),
        );
        let new = secret("gizli bir söz daha");
        let but = Some(one.session.id.as_str());
        passwords::set(&bed.store, owner, &new, but, &by()).await.unwrap();
        assert!(sessions::find(&bed.store, &one.token, NOW).await.unwrap().is_some());
        assert!(sessions::find(&bed.store, &two.token, NOW).await.unwrap().is_none());
        assert!(matches!(by_password(&desk, ALI, OWN, NOW).await, Answer::Wrong));
        entered(by_password(&desk, ALI, new.expose_secret(), NOW).await);
        // What waited for a second factor is void.
        app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let asked = second(by_password(&desk, ALI, new.expose_secret(), NOW).await);
        passwords::set(&bed.store, owner, &secret("ve bir söz daha"), None, &by()).await.unwrap();
        let given = Given::Totp(secret("000000"));
        let void = desk.second(&asked.token, given, &client(), NOW).await.unwrap();
        assert!(matches!(void, Answer::Expired));
        assert!(sessions::list(&bed.store, owner.account, NOW).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_over_lets_nobody_in_and_says_so_to_its_holder_alone() {
    on_both(|bed| async move {
        let (root, _) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let one = entered(by_password(&desk, ALI, OWN, NOW).await);
        let closed = NOW.plus_secs(-120 * 86_400);
        let ali = address(ALI);
        closings::close(&bed.store, &ali, &By::system("test", closed)).await.unwrap();
        assert!(sessions::find(&bed.store, &one.token, NOW).await.unwrap().is_none());
        assert!(matches!(by_password(&desk, ALI, OWN, NOW).await, Answer::Closed(_)));
        assert!(matches!(by_password(&desk, ALI, "yanlış", NOW).await, Answer::Wrong));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_set_by_link_and_code_and_tells_nobody_of_accounts() {
    on_both(|bed| async move {
        let (root, _) = (root(), ali(&bed).await);
        let desk = sign_in(&bed, &root);
        let session = entered(by_password(&desk, ALI, OWN, NOW).await);
        told::reach(&bed, &address(ALI)).await;
        for nobody in ["yok@hs05.kep.tr", "no name", ""] {
            desk.forgot(nobody, NOW).await.unwrap();
        }
        assert!(told(&bed).await.is_empty());
        desk.forgot("ali.veli", NOW).await.unwrap();
        let sent = told(&bed).await;
        let kinds: Vec<_> = sent.iter().map(|one| (one.kind, one.to.as_str())).collect();
        assert_eq!(kinds, [(Notice::ResetLink, told::MAILBOX), (Notice::ResetCode, told::PHONE)]);
        assert!(sent.iter().all(|one| one.expires == NOW.plus_secs(900)));
        let token_of =
            |link: &str| secret(link.strip_prefix("https://kep.example/parola#").unwrap());
        let (token, code) = (token_of(&sent[0].values["link"]), secret(&sent[1].values["code"]));
        let reset = async |token: &SecretString, code: &SecretString, new: &str, secs| {
            let now = NOW.plus_secs(secs);
            desk.reset(token, code, &secret(new), &client(), now).await.unwrap()
        };
        let new = "gizli bir söz daha";
        let other = secret(if code.expose_secret() == "000000" { "000001" } else { "000000" });
        assert!(matches!(reset(&token, &other, new, 0).await, Reset::Wrong));
        assert!(matches!(reset(&other, &code, new, 0).await, Reset::Expired));
        assert!(matches!(reset(&token, &code, "galatasaray1905", 0).await, Reset::Password(_)));
        assert!(matches!(reset(&token, &code, new, 899).await, Reset::Done));
        assert!(matches!(reset(&token, &code, new, 899).await, Reset::Expired), "once");
        entered(by_password(&desk, ALI, new, NOW).await);
        assert!(sessions::find(&bed.store, &session.token, NOW).await.unwrap().is_none());
        let heard = told(&bed).await;
        assert_eq!(heard.iter().filter(|one| one.kind == Notice::Credentials).count(), 2);
        assert_eq!(heard[0].values["account"], ALI);

        // Five wrong codes void the link; a quarter of an hour does, too; three links go out in it.
        let link = async |secs| {
            desk.forgot(ALI, NOW.plus_secs(secs)).await.unwrap();
            let sent = told(&bed).await;
            let found = sent.iter().find(|one| one.kind == Notice::ResetLink);
            found.map(|one| token_of(&one.values["link"]))
        };
        let guessed = link(1).await.unwrap();
        for _ in 0..5 {
            assert!(matches!(reset(&guessed, &secret("guess"), new, 1).await, Reset::Wrong));
        }
        assert!(matches!(reset(&guessed, &secret("guess"), new, 1).await, Reset::Expired));
        let late = link(2).await.unwrap();
        assert!(matches!(reset(&late, &code, new, 902).await, Reset::Expired));
        assert!(link(3).await.is_none(), "no more for now");
    })
    .await;
}

/// A person's key and certificate, of this authority.
fn person(root: &CertificateAuthority, profile: Profile) -> UserSigner {
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
    let file = issued.pkcs12("kişi", "parola").unwrap();
    UserSigner::from_pkcs12(&file, &secret("parola")).unwrap()
}

fn qualified(number: &str) -> Profile {
    Profile::Qualified { name: "Ali Veli".into(), identity_number: number.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_lets_in_whose_certificate_is_registered_or_bears_his_number() {
    on_both(|bed| async move {
        let root = root();
        let (registered, numbered) =
            (person(&root, qualified("10000000214")), person(&root, qualified("10000000146")));
        super::logins::open(&bed, ALI, vec![registered.certificate().clone()]).await;
        let desk = sign_in(&bed, &root);
        let purpose = kep::registry::signin::Purpose::Login;
        let enter = async |signer: &UserSigner, user: Option<&str>| {
            let (token, text) = desk.ask_signature(purpose, NOW).await.unwrap();
            assert!(text.contains("https://kep.example") && text.ends_with("\r\n"));
            let cms = signer.sign(text.as_bytes(), NOW).unwrap();
            desk.signature(&token, &cms, user, &client(), NOW).await.unwrap()
        };
        let one = entered(enter(&registered, None).await);
        assert_eq!((one.account.address.as_str(), factors(&one)), (ALI, vec![Factor::Signature]));
        entered(enter(&registered, Some("ali.veli")).await);
        assert!(matches!(enter(&registered, Some("yok")).await, Answer::Wrong));
        assert!(matches!(enter(&numbered, None).await, Answer::Wrong), "nobody has this number");
        let stranger = person(&self::root(), qualified("10000000214"));
        assert!(matches!(enter(&stranger, None).await, Answer::Wrong), "of an authority unknown");

        // Two accounts of one person: he says which.
        for who in ["bir@hs05.kep.tr", "iki@hs05.kep.tr"] {
            numbered_account(&bed, who, "10000000146").await;
        }
        let named = entered(enter(&numbered, Some("iki@hs05.kep.tr")).await);
        assert_eq!(named.account.address.as_str(), "iki@hs05.kep.tr");
        let Answer::Which { token, accounts } = enter(&numbered, None).await else { panic!() };
        assert_eq!(accounts.len(), 2);
        let chosen = desk.which(&token, &accounts[0], &client(), NOW).await.unwrap();
        assert_eq!(entered(chosen).account.address, accounts[0]);
        let again = desk.which(&token, &accounts[0], &client(), NOW).await.unwrap();
        assert!(matches!(again, Answer::Expired));
        let Answer::Which { token, .. } = enter(&numbered, None).await else { panic!() };
        let other = desk.which(&token, &address(ALI), &client(), NOW).await.unwrap();
        assert!(matches!(other, Answer::Wrong), "one that was not offered");
    })
    .await;
}

/// An operator's certificate that bears the account's address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operators_certificate_is_no_factor_of_the_holder() {
    on_both(|bed| async move {
        use super::operators::{FIRM, appoint, by, firm, open};
        use kep::registry::operators::{self, Role};
        let root = root();
        open(&bed).await;
        let code = appoint(&bed, "10000000146", &[Role::Reads]).await;
        let profile = Profile::User { name: "Ayşe Demir".into(), email: FIRM.into() };
        let signer = person(&root, profile);
        let desk = sign_in(&bed, &root);
        let purpose = kep::registry::signin::Purpose::Login;
        let enter = async || {
            let (token, text) = desk.ask_signature(purpose, NOW).await.unwrap();
            let cms = signer.sign(text.as_bytes(), NOW).unwrap();
            desk.signature(&token, &cms, None, &client(), NOW).await.unwrap()
        };
        let holder = entered(enter().await);
        assert_eq!(holder.account.address.as_str(), FIRM, "nobody's yet: by the address");
        let given = signer.certificate().clone();
        operators::give_certificate(&bed.store, &by(NOW), &firm(), code, given).await.unwrap();
        assert!(matches!(enter().await, Answer::Wrong), "an operator's");
        operators::end(&bed.store, &by(NOW), &firm(), code).await.unwrap();
        assert!(matches!(enter().await, Answer::Wrong), "who has ended");
    })
    .await;
}

async fn numbered_account(bed: &Bed, who: &str, number: &str) {
    use kep::registry::accounts::{NewAccount, OpeningMode, SignatureRule};
    let new = NewAccount {
        address: address(who),
        name: "Ali Veli".into(),
        identity_number: Some(number.into()),
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Required,
        password: "x".into(),
        certificates: Vec::new(),
        at: NOW,
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    accounts::add(&bed.store, &domain, new).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_serves_once_in_time_and_for_its_purpose_alone() {
    use kep::registry::signin::Purpose;
    on_both(|bed| async move {
        let root = root();
        let signer = person(&root, qualified("10000000214"));
        super::logins::open(&bed, ALI, vec![signer.certificate().clone()]).await;
        let desk = sign_in(&bed, &root);
        let enter = async |token: &SecretString, cms: &[u8], secs| {
            desk.signature(token, cms, None, &client(), NOW.plus_secs(secs)).await.unwrap()
        };
        let ask = async |purpose| {
            let (token, text) = desk.ask_signature(purpose, NOW).await.unwrap();
            let cms = signer.sign(text.as_bytes(), NOW).unwrap();
            (token, text, cms)
        };
        let (token, _, cms) = ask(Purpose::Login).await;
        entered(enter(&token, &cms, 0).await);
        assert!(matches!(enter(&token, &cms, 0).await, Answer::Expired), "once");
        let (token, ..) = ask(Purpose::Login).await;
        assert!(matches!(enter(&token, &cms, 0).await, Answer::Wrong), "of another number");
        let (token, _, cms) = ask(Purpose::Login).await;
        assert!(matches!(enter(&token, &cms, 300).await, Answer::Expired));
        let (token, text, _) = ask(Purpose::Login).await;
        let changed =
            signer.sign(text.replace("kep.example", "kep.attacker").as_bytes(), NOW).unwrap();
        assert!(matches!(enter(&token, &changed, 0).await, Answer::Wrong));
        for octets in [&b""[..], b"no CMS", &vec![0x30; 300_000]] {
            let (token, ..) = ask(Purpose::Login).await;
            assert!(matches!(enter(&token, octets, 0).await, Answer::Wrong));
        }
        let (token, _, cms) = ask(Purpose::NewPassword).await;
        assert!(
            matches!(enter(&token, &cms, 0).await, Answer::Wrong),
            "it was asked for a password"
        );

        let reset = async |token: &SecretString, cms: &[u8], new: &str| {
            desk.reset_signed(token, cms, None, &secret(new), &client(), NOW).await.unwrap()
        };
        let (token, _, cms) = ask(Purpose::Login).await;
        assert!(matches!(reset(&token, &cms, "gizli bir söz daha").await, Reset::Wrong));
        let (token, _, cms) = ask(Purpose::NewPassword).await;
        assert!(matches!(reset(&token, &cms, "galatasaray").await, Reset::Password(_)));
        let (token, _, cms) = ask(Purpose::NewPassword).await;
        assert!(matches!(reset(&token, &cms, "gizli bir söz daha").await, Reset::Done));
        entered(by_password(&desk, ALI, "gizli bir söz daha", NOW).await);
        let id = accounts::get(&bed.store, &address(ALI)).await.unwrap().id;
        assert_eq!(
            sessions::list(&bed.store, id, NOW).await.unwrap().len(),
            1,
            "the old ones ended"
        );
    })
    .await;
}

/// The signature of another program, with its text inside and without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_openssl_signs_lets_in() {
    if std::process::Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: no openssl program to sign");
        return;
    }
    on_both(|bed| async move {
        let (root, place) = (root(), tempfile::tempdir().unwrap());
        let issued =
            root.issue(&qualified("10000000214"), KeyKind::P256, &Links::default(), NOW).unwrap();
        super::logins::open(&bed, ALI, vec![issued.certificate().clone()]).await;
        std::fs::write(place.path().join("key.pem"), issued.key_pem().unwrap()).unwrap();
        std::fs::write(place.path().join("cert.pem"), issued.certificate().pem()).unwrap();
        let desk = sign_in(&bed, &root);
        for options in ["-cades", "-cades -nodetach", "-nodetach -binary", "-binary -md sha512"] {
            let purpose = kep::registry::signin::Purpose::Login;
            let (token, text) = desk.ask_signature(purpose, NOW).await.unwrap();
            std::fs::write(place.path().join("text"), &text).unwrap();
            let command = format!(
                "cms -sign -in text -signer cert.pem -inkey key.pem -outform DER -out cms {options}"
            );
            let mut openssl = std::process::Command::new("openssl");
            openssl.args(command.split(' ')).current_dir(place.path());
            let ran = openssl.output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            let cms = std::fs::read(place.path().join("cms")).unwrap();
            let answer = desk.signature(&token, &cms, None, &client(), NOW).await.unwrap();
            assert_eq!(factors(&entered(answer)), [Factor::Signature], "{options}");
        }
        // As the second factor behind a password.
        let owner = Owner::holder(accounts::get(&bed.store, &address(ALI)).await.unwrap().id);
        app(&bed, owner).await;
        credentials::choose_two(&bed.store, owner, true, &by()).await.unwrap();
        let asked = second(by_password(&desk, ALI, OWN, NOW).await);
        let asked = desk.second_signature(&asked.token, NOW).await.unwrap().unwrap();
        let Asking::Signature(text) = &asked.asking else { panic!("{asked:?}") };
        let file = issued.pkcs12("kişi", "parola").unwrap();
        let signer = UserSigner::from_pkcs12(&file, &secret("parola")).unwrap();
        let given = Given::Signature(signer.sign(text.as_bytes(), NOW).unwrap());
        let one = entered(desk.second(&asked.token, given, &client(), NOW).await.unwrap());
        assert_eq!(factors(&one), [Factor::Password, Factor::Signature]);
    })
    .await;
}
