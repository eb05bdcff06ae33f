//! Operators, what they log in and sign by, and what there is to do, on both drivers.

use super::{NOW, bed::Bed, on_both};
use kep::registry::accounts::{self, CertificateUse, NewAccount, OpeningMode, SignatureRule};
use kep::registry::app_passwords::{NewPassword, Scope, Scopes};
use kep::registry::audit::{self, Actor, By, Channel, Wanted as Acts};
use kep::registry::credentials::{Owner, certificates};
use kep::registry::login::{Logins, Outcome};
use kep::registry::operators::{self, OperatorError, Person, Role, Roles, Signer, Standing};
use kep::registry::tasks::{self, NewTask, TaskKind, TaskState, Wanted, sweep};
use kep::store::{StoreError, Tx};
use kep::trust::password::Passwords;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::{Certificate, password};
use kep::wire::{KepAddress, KepDomain, OperatorCode, Timestamp};
use secrecy::{ExposeSecret, SecretString};

pub const FIRM: &str = "firma@hs05.kep.tr";
const AYSE: &str = "10000000146";
const MEHMET: &str = "10000000214";

pub fn firm() -> KepAddress {
    KepAddress::parse(FIRM).unwrap()
}

pub fn code(number: i64) -> OperatorCode {
    OperatorCode::of_number(number).unwrap()
}

pub fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at }
}

pub async fn open(bed: &Bed) {
    let new = NewAccount {
        address: firm(),
        name: "Örnek A.Ş.".into(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Hold,
        password: password::hash(&SecretString::from("kendi sözü")).unwrap(),
        certificates: Vec::new(),
        at: NOW,
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    accounts::add(&bed.store, &domain, new).await.unwrap();
}

fn phone() -> NewPassword {
    NewPassword { name: "Telefon".into(), opening: None, scopes: Scopes::mail() }
}

pub async fn appoint(bed: &Bed, number: &str, roles: &[Role]) -> OperatorCode {
    let person = Person::new("Ayşe", "Demir", number, None, Some("a@example.org")).unwrap();
    let roles = Roles::new(roles.iter().copied()).unwrap();
    let added = operators::add(&bed.store, &by(NOW), &firm(), person, roles).await;
    added.unwrap().code
}

/// One that ends so many days from now.
fn certificate(profile: Profile, days: i64) -> Certificate {
    let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
    let issue = |at| {
        let issued = root.issue(&profile, KeyKind::P256, &Links::default(), at).unwrap();
        issued.certificate().clone()
    };
    let life = issue(NOW).not_after().millis() - NOW.millis();
    issue(NOW.plus_millis(days * 86_400_000 - life))
}

fn qualified(number: &str) -> Certificate {
    let (name, identity_number) = ("Ayşe Demir".into(), number.into());
    certificate(Profile::Qualified { name, identity_number }, 365)
}

pub fn mailed(email: &str, days: i64) -> Certificate {
    certificate(Profile::User { name: "Ayşe Demir".into(), email: email.into() }, days)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_given_once_and_a_person_has_one_at_a_time() {
    on_both(|bed| async move {
        open(&bed).await;
        let one = appoint(&bed, AYSE, &[Role::Signs]).await;
        let other = appoint(&bed, MEHMET, &[Role::Reads, Role::Sends]).await;
        assert_eq!((one, other), (code(1), code(2)));
        let again = Person::new("Ayşe", "Demir", AYSE, None, None).unwrap();
        let roles = Roles::new([Role::Full]).unwrap();
        let refused = operators::add(&bed.store, &by(NOW), &firm(), again, roles).await;
        assert!(matches!(refused, Err(OperatorError::Exists(_))), "{refused:?}");
        operators::set_roles(&bed.store, &by(NOW), &firm(), one, roles).await.unwrap();
        operators::end(&bed.store, &by(NOW), &firm(), one).await.unwrap();
        let twice = operators::end(&bed.store, &by(NOW), &firm(), one).await;
        assert!(matches!(twice, Err(OperatorError::Ended(..))), "{twice:?}");
        let none = operators::get(&bed.store, &firm(), code(9)).await;
        assert!(matches!(none, Err(OperatorError::Unknown(..))), "{none:?}");
        assert_eq!(appoint(&bed, AYSE, &[Role::Reads]).await, code(3));
        let all = operators::list(&bed.store, &firm()).await.unwrap();
        let ended = |one: &operators::Operator| matches!(one.standing, Standing::Ended { .. });
        assert_eq!(all.iter().map(ended).collect::<Vec<_>>(), [true, false, false]);
        assert!(!all[0].may(operators::Act::Read), "who has ended may nothing");
        let acts = audit::list(&bed.store, Acts { most: 10, ..Acts::default() }).await.unwrap();
        let told: Vec<_> = acts.iter().rev().map(|one| one.act.as_str()).collect();
        let add = "operator.add";
        assert_eq!(told, [add, add, "operator.roles", "operator.end", add]);
        assert!(acts.iter().all(|one| !one.details.to_string().contains(AYSE)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_by_an_operators_password_is_that_person_until_he_ends() {
    on_both(|bed| async move {
        open(&bed).await;
        let code = appoint(&bed, AYSE, &[Role::Reads]).await;
        let domain = KepDomain::parse("hs05.kep.tr").unwrap();
        let logins = Logins::new(bed.store.clone(), Passwords::new(2).unwrap(), domain);
        let made = operators::give_password(&bed.store, &by(NOW), &firm(), code, phone()).await;
        let (known, secret) = made.unwrap();
        let login = async || match logins.login(FIRM, &secret, Scope::Imap, NOW).await.unwrap() {
            Outcome::Proven(proven) => Some(proven.operator),
            Outcome::Rejected | Outcome::NotHere(_) => None,
        };
        assert_eq!(login().await.unwrap().unwrap().code, code);
        let Outcome::Proven(proven) = logins.login(FIRM, &secret, Scope::Imap, NOW).await.unwrap()
        else {
            panic!("rejected")
        };
        assert_eq!(proven.person(), format!("{FIRM} / 001 Ayşe Demir (Telefon)"));
        let own = SecretString::from("kendi sözü");
        let Outcome::Proven(holder) = logins.login(FIRM, &own, Scope::Imap, NOW).await.unwrap()
        else {
            panic!("rejected")
        };
        assert_eq!(holder.operator, None);
        let one = operators::get(&bed.store, &firm(), code).await.unwrap();
        let his = operators::passwords(&bed.store, &firm(), &one).await.unwrap();
        assert_eq!(his.iter().map(|one| &one.id).collect::<Vec<_>>(), [&known.id]);
        assert!(!secret.expose_secret().is_empty());
        operators::end(&bed.store, &by(NOW), &firm(), code).await.unwrap();
        assert_eq!(login().await, None);
        let late = operators::give_password(&bed.store, &by(NOW), &firm(), code, phone()).await;
        assert!(matches!(late, Err(OperatorError::Ended(..))), "no password is left behind");
        assert_eq!(bed.count("SELECT COUNT(*) FROM app_password").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_07_a_signature_is_the_holders_or_a_known_operators() {
    on_both(|bed| async move {
        open(&bed).await;
        let ayse = appoint(&bed, AYSE, &[Role::Signs]).await;
        let mehmet = appoint(&bed, MEHMET, &[Role::Reads]).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap();
        let whose = async |certificate: &Certificate| {
            let (account, shown) = (account.clone(), certificate.clone());
            let found = bed
                .read(move |tx| Ok(operators::signer(tx, &account, &shown, CertificateUse::Sign)?))
                .await;
            match found {
                Signer::Holder => Some(0),
                Signer::Operator(one) => Some(one.code.number()),
                Signer::Stranger => None,
            }
        };
        assert_eq!(whose(&qualified(AYSE)).await, Some(1), "by the number");
        assert_eq!(whose(&qualified(MEHMET)).await, Some(2));
        assert_eq!(whose(&mailed(FIRM, 30)).await, Some(0), "by the address");
        let own = mailed("ayse@example.org", 30);
        assert_eq!(whose(&own).await, None);
        let give = async |code, certificate: &Certificate| {
            let given = certificate.clone();
            operators::give_certificate(&bed.store, &by(NOW), &firm(), code, given).await
        };
        give(ayse, &own).await.unwrap();
        give(ayse, &own).await.unwrap();
        assert_eq!(whose(&own).await, Some(1));
        assert!(matches!(give(mehmet, &own).await, Err(OperatorError::Taken)));
        let hers = qualified(AYSE);
        assert!(matches!(give(mehmet, &hers).await, Err(OperatorError::OtherPerson(_))));
        operators::end(&bed.store, &by(NOW), &firm(), ayse).await.unwrap();
        assert_eq!(whose(&own).await, None);
        assert_eq!(whose(&hers).await, None);
    })
    .await;
}

/// A certificate with the account's address, and with or without his number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_07_who_has_ended_signs_as_nobody_whatever_address_his_certificate_bears() {
    on_both(|bed| async move {
        open(&bed).await;
        let ayse = appoint(&bed, AYSE, &[Role::Signs]).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap();
        let whose = async |certificate: &Certificate| {
            let (account, shown) = (account.clone(), certificate.clone());
            let what = CertificateUse::Sign;
            let work = move |tx: &mut Tx<'_>| Ok(operators::signer(tx, &account, &shown, what)?);
            match bed.read(work).await {
                Signer::Holder => Some(0),
                Signer::Operator(one) => Some(one.code.number()),
                Signer::Stranger => None,
            }
        };
        let give = async |code, certificate: &Certificate| {
            let given = certificate.clone();
            operators::give_certificate(&bed.store, &by(NOW), &firm(), code, given).await.unwrap();
        };
        let (addressed, numbered) = (mailed(FIRM, 30), qualified(AYSE));
        give(ayse, &addressed).await;
        give(ayse, &numbered).await;
        assert_eq!([whose(&addressed).await, whose(&numbered).await], [Some(1), Some(1)]);
        operators::end(&bed.store, &by(NOW), &firm(), ayse).await.unwrap();
        assert_eq!([whose(&addressed).await, whose(&numbered).await], [None, None]);
        assert_eq!(whose(&qualified(AYSE)).await, None, "one that was never registered");
        let shown = accounts::certificates(&bed.store, account.id).await.unwrap();
        assert!(shown.is_empty(), "none of them is the account's");
        // The same person, appointed anew: by her number at once, by the other one once it is given.
        let again = appoint(&bed, AYSE, &[Role::Signs]).await;
        assert_eq!([whose(&addressed).await, whose(&numbered).await], [None, Some(2)]);
        give(again, &addressed).await;
        assert_eq!(whose(&addressed).await, Some(2));
        operators::suspend(&bed.store, &by(NOW), &firm(), again).await.unwrap();
        assert_eq!([whose(&addressed).await, whose(&qualified(AYSE)).await], [None, None]);
        operators::end(&bed.store, &by(NOW), &firm(), again).await.unwrap();
        // What the provider's people register as the holder's is the holder's.
        let uses = CertificateUse::Sign;
        certificates::add(&bed.store, Owner::holder(account.id), addressed.clone(), uses, &by(NOW))
            .await
            .unwrap();
        assert_eq!(whose(&addressed).await, Some(0));
    })
    .await;
}

async fn list(bed: &Bed, operator: Option<OperatorCode>, all: bool) -> Vec<tasks::Task> {
    let wanted = Wanted { operator, all, after: 0, most: 100 };
    tasks::list(&bed.store, &firm(), wanted).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cause_is_one_task_and_each_operator_sees_what_he_may_do() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE, &[Role::Signs]).await;
        let reads = appoint(&bed, MEHMET, &[Role::Reads]).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let new = |kind, subject: &str, operator| NewTask {
            account,
            kind,
            subject: subject.to_owned(),
            operator,
            note: String::new(),
            due: None,
        };
        let open_it =
            async |task: NewTask| bed.write(move |tx| Ok(tasks::open(tx, &task, NOW)?)).await;
        assert!(open_it(new(TaskKind::Sign, "1@x", None)).await);
        assert!(!open_it(new(TaskKind::Sign, "1@x", Some(signs))).await, "it is open");
        assert!(open_it(new(TaskKind::Returned, "2@x", Some(reads))).await);
        assert!(open_it(new(TaskKind::EvidenceDelayed, "3@x", None)).await);
        let seen = async |operator| {
            let found = list(&bed, operator, false).await;
            found.iter().map(|one| one.subject.clone()).collect::<Vec<_>>()
        };
        assert_eq!(seen(None).await, ["1@x", "2@x", "3@x"]);
        assert_eq!(seen(Some(signs)).await, ["1@x"]);
        assert_eq!(seen(Some(reads)).await, ["2@x", "3@x"]);
        let first = list(&bed, None, false).await[0].id;
        let undone = tasks::dismiss(&bed.store, &by(NOW), &firm(), first).await;
        assert!(matches!(undone, Err(tasks::TaskError::Undone(TaskKind::Sign))));
        let second = list(&bed, None, false).await[1].id;
        for _ in 0..2 {
            tasks::dismiss(&bed.store, &by(NOW), &firm(), second).await.unwrap();
        }
        assert_eq!(seen(None).await, ["1@x", "3@x"]);
        let states: Vec<_> = list(&bed, None, true).await.iter().map(|one| one.state).collect();
        assert_eq!(states, [TaskState::Open, TaskState::Done { at: NOW }, TaskState::Open]);
        assert!(open_it(new(TaskKind::Returned, "2@x", None)).await, "again");
        assert_eq!(seen(None).await.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_ends_is_a_task_until_another_takes_its_place_or_it_has_ended() {
    on_both(|bed| async move {
        open(&bed).await;
        let ayse = appoint(&bed, AYSE, &[Role::Signs]).await;
        let give = async |certificate: Certificate| {
            operators::give_certificate(&bed.store, &by(NOW), &firm(), ayse, certificate)
                .await
                .unwrap();
        };
        let old = mailed("ayse@example.org", 60);
        give(old.clone()).await;
        let day = |n: i64| NOW.plus_secs(n * 86_400);
        let sweep = async |at| sweep::round(&bed.store, at).await.unwrap();
        assert_eq!(sweep(NOW).await, sweep::Round::default(), "it is early");
        assert_eq!(sweep(day(40)).await.opened, 1);
        assert_eq!(sweep(day(40)).await, sweep::Round::default(), "twice is once");
        let task = &list(&bed, None, false).await[0];
        assert_eq!((task.kind, task.operator), (TaskKind::CertificateEnding, Some(ayse)));
        assert_eq!((&task.subject, task.due), (&old.digest().hex(), Some(old.not_after())));
        give(mailed("ayse@example.org", 365)).await;
        assert_eq!(sweep(day(41)).await.closed, 1);
        assert_eq!(list(&bed, None, true).await[0].state, TaskState::Done { at: day(41) });
        // Nobody looked for a year: it had ended by then.
        assert_eq!(sweep(day(340)).await.opened, 1);
        assert_eq!(sweep(day(400)).await.closed, 1);
        let lapsed = list(&bed, None, true).await;
        assert!(matches!(lapsed[1].state, TaskState::Lapsed { at } if at < day(400)));
    })
    .await;
}

/// What only logs in, what can't be read, and what is taken away again replace nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_replaced_by_one_for_the_same_use_alone_and_while_that_is_there() {
    on_both(|bed| async move {
        open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let add = async |certificate: &Certificate, uses| {
            let new = certificate.clone();
            certificates::add(&bed.store, Owner::holder(account), new, uses, &by(NOW))
                .await
                .unwrap();
        };
        let (old, login, new) = (mailed(FIRM, 60), mailed(FIRM, 365), mailed(FIRM, 365));
        add(&old, CertificateUse::Sign).await;
        add(&login, CertificateUse::Login).await;
        bed.write(move |tx| -> Result<(), StoreError> {
            let (uses, garbage) = ("both", b"no certificate");
            kep::store::accounts::add_certificate(tx, account, &[7; 32], garbage, uses, NOW)?;
            Ok(())
        })
        .await;
        let day = |n: i64| NOW.plus_secs(n * 86_400);
        let sweep = async |at| sweep::round(&bed.store, at).await.unwrap();
        assert_eq!(sweep(day(40)).await.opened, 1);
        add(&new, CertificateUse::Both).await;
        assert_eq!(sweep(day(41)).await.closed, 1);
        assert_eq!(sweep(day(41)).await, sweep::Round::default());
        certificates::remove(&bed.store, Owner::holder(account), true, new.digest(), &by(NOW))
            .await
            .unwrap();
        assert_eq!(sweep(day(42)).await.opened, 1, "it is told again");
        assert_eq!(list(&bed, None, false).await[0].subject, old.digest().hex());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_is_late_is_a_task_until_it_is_there() {
    on_both(|bed| async move {
        open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let new = super::bed::submission(&bed.store, 1, account, b"Subject: x\r\n\r\nx\r\n");
        let id = new.message_id.clone();
        bed.lay_in(new).await.unwrap();
        let job = id.clone();
        bed.write(move |tx| Ok(kep::spool::certify(tx, &job, NOW)?)).await;
        let sweep = async |secs| sweep::round(&bed.store, NOW.plus_secs(secs)).await.unwrap();
        assert_eq!(sweep(60).await.opened, 0);
        assert_eq!(sweep(3600).await.opened, 1);
        assert_eq!(sweep(3660).await, sweep::Round::default());
        let found = list(&bed, None, false).await;
        assert_eq!(found[0].kind, TaskKind::EvidenceDelayed);
        assert_eq!(found[0].subject, id.as_str());
        bed.write(move |tx| -> Result<(), StoreError> {
            tx.execute("DELETE FROM job", &[])?;
            tx.execute("UPDATE submission SET state = 'dispatched'", &[])?;
            Ok(())
        })
        .await;
        assert_eq!(sweep(3720).await.closed, 1);
        assert_eq!(list(&bed, None, false).await, []);
    })
    .await;
}
