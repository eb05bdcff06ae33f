//! What time and others leave to be done, and who is told of it: contracts that end, uploads that broke off,
//! what came back unsigned; and operators who act no more. On both drivers.

use super::operators::{appoint, by, code, firm, open};
use super::{NOW, bed::Bed, bed::submission, on_both};
use kep::registry::accounts::{
    self, CertificateUse, NewAccount, OpeningMode, RegistryError, SignatureRule,
};
use kep::registry::api_tokens::{self, NewToken};
use kep::registry::app_passwords::{NewPassword, Scopes};
use kep::registry::credentials::{Owner, certificates};
use kep::registry::credits::{self, Charge, Paid, Short, Unit};
use kep::registry::handovers::{self, Sent};
use kep::registry::holders::records::{self, NewHolding};
use kep::registry::holders::{Contact, Holder, HolderForm};
use kep::registry::labels::LabelError;
use kep::registry::notices::{self, Event};
use kep::registry::operators::{self, OperatorError, Person, Role, Roles, Signer, Standing};
use kep::registry::policy;
use kep::registry::standing::Service;
use kep::registry::tasks::{self, Task, TaskKind, TaskState, Wanted, sweep};
use kep::registry::terms::{self, Terms};
use kep::registry::{closings, contracts};
use kep::store::credentials::{OwnerKey, passkeys, sessions, totp};
use kep::store::mail::{Kind, NewMessage};
use kep::store::submissions::{self, NewSubmission, SubmissionState};
use kep::store::{StoreError, credentials, credits as rows, notices as places, outbox};
use kep::trust::Certificate;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::{AccountId, KepAddress, KepDomain, MessageId, OperatorCode, Timestamp};

const AYSE: &str = "10000000146";
const MEHMET: &str = "10000000214";
const ALI: &str = "ali.veli@hs05.kep.tr";
const UA: &str = "imza.1@istemci.example";
const MAIL: &[u8] = b"Message-ID: <imza.1@istemci.example>\r\nSubject: x\r\n\r\nx\r\n";

pub fn ali() -> KepAddress {
    KepAddress::parse(ALI).unwrap()
}

fn day(n: i64) -> Timestamp {
    NOW.plus_secs(n * 86_400)
}

/// A person's account, with a contract of a year.
pub async fn person(bed: &Bed) -> AccountId {
    let form = HolderForm {
        kind: "person".into(),
        given_names: Some("Ali".into()),
        surname: Some("Veli".into()),
        identity_number: Some(AYSE.into()),
        ..HolderForm::default()
    };
    let account = NewAccount {
        address: ali(),
        name: String::new(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Hold,
        password: "-".into(),
        certificates: Vec::new(),
        at: NOW,
    };
    let new = NewHolding {
        account,
        holder: Holder::parse(&form, NOW).unwrap(),
        contact: Contact::default(),
        service: Service::Both,
        months: Some(12),
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    records::open(&bed.store, &domain, new, &by(NOW)).await.unwrap().0
}

/// A proven place of an account that hears of these.
pub async fn place(bed: &Bed, account: AccountId, events: &[Event]) {
    let events = events.iter().map(|event| event.word()).collect::<Vec<_>>().join(" ");
    bed.write(move |tx| {
        let row = places::TargetRow {
            id: 0,
            account,
            channel: "mail".into(),
            target: "ali@ornek.example".into(),
            language: "tr".into(),
            events: events.clone(),
            quiet: None,
            deputy: None,
            added_at: NOW,
            verified_at: Some(NOW),
        };
        places::add(tx, &row)?;
        tx.execute("UPDATE notice_target SET verified_at = $1", &[NOW.millis().into()])?;
        Ok(())
    })
    .await;
}

/// What the outbox holds of a kind: cause, and what its text is made of.
async fn told(bed: &Bed, kind: &'static str) -> Vec<(String, String)> {
    let all = bed.read(|tx| Ok(outbox::list(tx, None, None, 100)?)).await;
    let of = all.into_iter().rev().filter(|row| row.kind == kind);
    let text = |fields: Option<Vec<u8>>| String::from_utf8(fields.unwrap_or_default()).unwrap();
    of.map(|row| (row.cause, text(row.fields))).collect()
}

async fn tasks_of(bed: &Bed, address: &KepAddress, kind: TaskKind) -> Vec<Task> {
    let wanted = Wanted { all: true, most: 100, ..Wanted::default() };
    let mut all = tasks::list(&bed.store, address, wanted).await.unwrap();
    all.retain(|one| one.kind == kind);
    all
}

async fn contract_tasks(bed: &Bed) -> Vec<(String, TaskState)> {
    let all = tasks_of(bed, &ali(), TaskKind::ContractEnding).await;
    all.into_iter().map(|one| (one.subject, one.state)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contract_that_ends_is_a_task_until_it_is_renewed_or_its_account_is_closed() {
    on_both(|bed| async move {
        person(&bed).await;
        let sweep = async |at| sweep::round(&bed.store, at).await.unwrap();
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        let before = |days: i64| end.plus_secs(-days * 86_400);
        assert_eq!(sweep(before(31)).await, sweep::Round::default(), "it is early");
        assert_eq!(sweep(before(30)).await.opened, 1);
        assert_eq!(sweep(before(29)).await, sweep::Round::default(), "twice is once");
        let task = &tasks_of(&bed, &ali(), TaskKind::ContractEnding).await[0];
        assert_eq!(
            (task.subject.as_str(), task.due, task.kind.action()),
            ("1", Some(end), "renew")
        );
        let undone = tasks::dismiss(&bed.store, &by(end), &ali(), task.id).await;
        assert!(matches!(undone, Err(tasks::TaskError::Undone(_))), "only renewing ends it");
        let renewed = before(1);
        contracts::renew(&bed.store, &ali(), None, &by(renewed)).await.unwrap();
        let first = ("1".to_owned(), TaskState::Done { at: renewed });
        assert_eq!(contract_tasks(&bed).await, std::slice::from_ref(&first));
        assert_eq!(sweep(end).await, sweep::Round::default(), "another term follows");

        // Nobody looked and nobody renewed: it is to be done still, after its end.
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        let late = end.plus_secs(86_400);
        assert_eq!(sweep(late).await.opened, 1);
        assert_eq!(sweep(late.plus_secs(60)).await, sweep::Round::default());
        let second = |state| ("2".to_owned(), state);
        assert_eq!(contract_tasks(&bed).await, [first.clone(), second(TaskState::Open)]);
        closings::close(&bed.store, &ali(), &by(late)).await.unwrap();
        let done = second(TaskState::Done { at: late });
        assert_eq!(contract_tasks(&bed).await, [first.clone(), done.clone()]);
        assert_eq!(sweep(late.plus_secs(60)).await.opened, 0, "nobody renews what is closed");
        // Opened again, it has a term of its own.
        closings::reopen(&bed.store, &ali(), Some(AYSE), &by(late.plus_secs(90))).await.unwrap();
        assert_eq!(sweep(late.plus_secs(120)).await.opened, 0);
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        assert_eq!(sweep(end.plus_secs(-1)).await.opened, 1);
        let third = ("3".to_owned(), TaskState::Open);
        assert_eq!(contract_tasks(&bed).await, [first, done, third]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closing_that_completes_by_the_clock_ends_the_task_of_its_contract() {
    on_both(|bed| async move {
        person(&bed).await;
        let sweep = async |at| sweep::round(&bed.store, at).await.unwrap();
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        let soon = end.plus_secs(-20 * 86_400);
        assert_eq!(sweep(soon).await.opened, 1);
        closings::request(&bed.store, &ali(), "", &by(soon)).await.unwrap();
        assert_eq!(sweep(soon.plus_secs(60)).await.closed, 0, "it may be withdrawn");
        // A week on it is closed, whether or not anybody has written that down.
        let closed = soon.plus_secs(8 * 86_400);
        assert_eq!(sweep(closed).await.closed, 1);
        assert_eq!(sweep(closed).await, sweep::Round::default());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_contract_is_told_once_and_of_a_renewed_one_no_more() {
    on_both(|bed| async move {
        let account = person(&bed).await;
        place(&bed, account, &[Event::Contract]).await;
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        let before = |days: i64| end.plus_secs(-days * 86_400);
        let tell = async |at| notices::tell_of_endings(&bed.store, at).await.unwrap();
        assert_eq!(tell(before(31)).await, 0);
        assert_eq!(tell(before(30)).await, 1);
        for days in [30, 20, 7, 1, 0, -1] {
            assert_eq!(tell(before(days)).await, 0, "{days}");
        }
        let all = told(&bed, "contract").await;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, "contract/1");
        assert!(all[0].1.contains(&end.turkish_day()), "{}", all[0].1);
        let row = bed.read(|tx| Ok(outbox::list(tx, None, None, 100)?)).await.remove(0);
        let outgoing = kep::registry::outbox::outgoing(&row).unwrap();
        let still = async || {
            let (outgoing, at) = (outgoing.clone(), before(20));
            let values = serde_json::from_str(&all[0].1).unwrap();
            bed.read(move |tx| Ok(notices::wants_still(tx, &outgoing, &values, at)?)).await
        };
        assert!(still().await);
        contracts::renew(&bed.store, &ali(), None, &by(before(5))).await.unwrap();
        assert!(!still().await, "who has renewed is not told that it ends");
        // Of a closed account nobody renews anything.
        let end = contracts::of(&bed.store, &ali()).await.unwrap()[0].ends_at;
        closings::close(&bed.store, &ali(), &by(end.plus_secs(-86_400))).await.unwrap();
        assert_eq!(tell(end.plus_secs(-80_000)).await, 0);
    })
    .await;
}

pub async fn broke_off(bed: &Bed, account: AccountId, id: &str, at: Timestamp) -> bool {
    let id = id.to_owned();
    bed.write(move |tx| Ok(tasks::broke_off(tx, account, None, &id, at)?)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_broke_off_is_a_task_until_the_message_comes_or_a_week_is_over() {
    on_both(|bed| async move {
        open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        assert!(broke_off(&bed, account, UA, NOW).await);
        assert!(!broke_off(&bed, account, UA, NOW.plus_secs(5)).await, "again is the same");
        let state = async || {
            let all = tasks_of(&bed, &firm(), TaskKind::UploadUnfinished).await;
            all.into_iter().map(|one| (one.subject, one.state)).collect::<Vec<_>>()
        };
        assert_eq!(state().await, [(UA.to_owned(), TaskState::Open)]);
        let at = NOW.plus_secs(60);
        bed.write(move |tx| Ok(tasks::arrived(tx, account, UA, at)?)).await;
        assert_eq!(state().await, [(UA.to_owned(), TaskState::Done { at })]);
        // What has come whole does not come to be unfinished.
        let mut new = submission(&bed.store, 1, account, MAIL);
        new.details.ua_message_id = Some(UA.to_owned());
        bed.lay_in(new).await.unwrap();
        assert!(!broke_off(&bed, account, UA, NOW.plus_secs(90)).await);

        assert!(broke_off(&bed, account, "2@x", NOW).await);
        bed.write(move |tx| Ok(tasks::sent(tx, account, "2@x", at)?)).await;
        assert!(broke_off(&bed, account, "3@x", NOW).await);
        assert_eq!(sweep::round(&bed.store, day(6)).await.unwrap().closed, 0);
        assert_eq!(sweep::round(&bed.store, day(8)).await.unwrap().closed, 1);
        let all = state().await;
        assert_eq!(all[1].1, TaskState::Done { at });
        assert_eq!(all[2].1, TaskState::Lapsed { at: day(7) });
        // He who breaks off for ever has some, not all.
        for n in 0..30 {
            broke_off(&bed, account, &format!("n{n}@x"), NOW).await;
        }
        let open = state().await.iter().filter(|(_, state)| *state == TaskState::Open).count();
        assert_eq!(open, 20);
    })
    .await;
}

/// A message of the firm that is held, and hand-over number one.
async fn hold(bed: &Bed, n: u32, charge: Option<Charge>) -> (AccountId, MessageId) {
    let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
    let mut new = submission(&bed.store, n, account, MAIL);
    new.state = SubmissionState::Held;
    new.details.ua_message_id = Some(UA.to_owned());
    new.details.charge = charge;
    let (store, id) = (bed.store.clone(), new.message_id.clone());
    bed.write(move |tx| -> Result<(), StoreError> {
        assert_eq!(credits::pay(tx, &new, &[])?, Paid::Yes);
        submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
        let copy = NewMessage::of(MAIL, Kind::Plain, NOW);
        handovers::hold(tx, account, &new, &copy, &by(NOW))
    })
    .await;
    (account, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_owns_what_came_back_unsigned_is_told_once_and_nothing_of_it() {
    on_both(|bed| async move {
        open(&bed).await;
        let (account, _) = hold(&bed, 1, None).await;
        place(&bed, account, &[Event::Handover]).await;
        let one = handovers::list(&bed.store, &firm(), true, 0, 10).await.unwrap()[0].id;
        let at = NOW.plus_secs(60);
        let reason = "gizli gerekçe";
        handovers::give_back(&bed.store, &by(at), &firm(), None, one, reason).await.unwrap();
        let all = told(&bed, "handover").await;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].0, format!("handover/{one}"));
        assert!(all[0].1.contains("iade edildi") && all[0].1.contains(&at.turkish()), "{all:?}");
        assert!(!all[0].1.contains(reason) && !all[0].1.contains("Subject"), "{all:?}");

        // It waits again, and nobody signs it. The notice has the hour when it lapsed.
        hold(&bed, 2, None).await;
        let late = day(9);
        for _ in 0..2 {
            handovers::lapse(&bed.store, late).await.unwrap();
        }
        let all = told(&bed, "handover").await;
        assert_eq!(all.len(), 2);
        assert!(all[1].1.contains("imzalanmadı") && all[1].1.contains(&day(7).turkish()));
        // What is signed comes back to nobody.
        hold(&bed, 3, None).await;
        bed.write(move |tx| {
            let message = &MessageId::parse("9@hs05.kep.tr").unwrap();
            let sent = Sent { account, ua_message_id: UA, message, signer: None };
            handovers::signed(tx, &sent, &by(late))
        })
        .await;
        assert_eq!(told(&bed, "handover").await.len(), 2);
    })
    .await;
}

fn costs(total: i64) -> Charge {
    Charge { total, elsewhere: 1, here: 1, back: vec![21, 31, 41], low: 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signed_form_is_charged_after_the_held_ones_reservation_is_released() {
    on_both(|bed| async move {
        open(&bed).await;
        let what = super::credits::addition(Unit::Credit, 5, "F-1");
        credits::top_up(&bed.store, &by(NOW), &firm(), &what).await.unwrap();
        let (account, held) = hold(&bed, 1, Some(costs(4))).await;
        let left = async || bed.read(move |tx| Ok(rows::balance(tx, account)?)).await;
        assert_eq!((left().await.available, left().await.reserved), (1, 4));
        let pay = async |n: u32, total: i64| {
            let mut new: NewSubmission = submission(&bed.store, n, account, b"imzali\r\n");
            new.details.charge = Some(costs(total));
            bed.write(move |tx| -> Result<Paid, StoreError> {
                let held = handovers::reserved(tx, account, UA)?;
                Ok(credits::pay(tx, &new, &held)?)
            })
            .await
        };
        let waits = async || bed.read(move |tx| Ok(handovers::awaiting(tx, account, UA)?)).await;
        assert_eq!(waits().await, 4);
        // Too dear with all of it: nothing has changed.
        assert_eq!(pay(2, 6).await, Paid::Short(Short { needed: 6, left: 5 }));
        assert_eq!((left().await.available, left().await.reserved), (1, 4));
        // The signed form is larger, and costs what there is.
        assert_eq!(pay(2, 5).await, Paid::Yes);
        assert_eq!((left().await.available, left().await.reserved), (0, 5));
        // What follows gives nothing back a second time.
        bed.write(move |tx| {
            let message = &MessageId::parse("2@hs05.kep.tr").unwrap();
            let sent = Sent { account, ua_message_id: UA, message, signer: None };
            handovers::signed(tx, &sent, &by(NOW))
        })
        .await;
        assert_eq!((left().await.available, left().await.reserved), (0, 5));
        assert_eq!(waits().await, 0);
        let again = held.clone();
        let gone = bed.read(move |tx| Ok(submissions::find(tx, &again)?.unwrap().state)).await;
        assert_eq!(gone, SubmissionState::Signed);
        assert!(credits::audit(&bed.store).await.unwrap().faults.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_account_has_no_operators() {
    on_both(|bed| async move {
        person(&bed).await;
        let somebody = || Person::new("Mehmet", "Ak", MEHMET, None, None).unwrap();
        let roles = Roles::new([Role::Reads]).unwrap();
        let refused = operators::add(&bed.store, &by(NOW), &ali(), somebody(), roles).await;
        assert!(matches!(refused, Err(OperatorError::Personal(_))), "{refused:?}");
        assert_eq!(bed.count("SELECT COUNT(*) FROM operator").await, 0);
        // Nor does an account with operators become a person's.
        open(&bed).await;
        let reads = appoint(&bed, MEHMET, &[Role::Reads]).await;
        let form = HolderForm {
            kind: "person".into(),
            given_names: Some("Can".into()),
            surname: Some("Ak".into()),
            identity_number: Some("10000000382".into()),
            ..HolderForm::default()
        };
        let can = || Holder::parse(&form, NOW).unwrap();
        let refused = records::set_holder(&bed.store, &firm(), can(), &by(NOW)).await;
        assert!(matches!(refused, Err(RegistryError::HasOperators(_))), "{refused:?}");
        operators::end(&bed.store, &by(NOW), &firm(), reads).await.unwrap();
        records::set_holder(&bed.store, &firm(), can(), &by(NOW)).await.unwrap();
    })
    .await;
}

/// All that one may log in by, and a session.
async fn outfitted(bed: &Bed, account: AccountId, code: OperatorCode) {
    let owner = OwnerKey { account, operator: code.number() };
    bed.write(move |tx| {
        totp::put(tx, owner, b"sealed", NOW)?;
        totp::confirm(tx, owner, NOW)?;
        totp::set_backup_codes(tx, owner, &[[7; 32]])?;
        credentials::set_operator_password(tx, owner, "-", NOW)?;
        credentials::set_two_factors(tx, owner, true)?;
        let key = passkeys::PasskeyRow {
            id: code.to_string().into_bytes(),
            owner,
            name: "Anahtar".into(),
            public_key: vec![1],
            sign_count: 0,
            added_at: NOW,
            used_at: None,
        };
        passkeys::add(tx, &key)?;
        let session = sessions::SessionRow {
            id: code.to_string(),
            owner,
            proofs: String::new(),
            created_at: NOW,
            seen_at: NOW,
            ends_at: day(1),
            address: String::new(),
            agent: String::new(),
        };
        Ok(sessions::add(tx, &session, code.to_string().as_bytes())?)
    })
    .await;
    let new = NewPassword { name: "Telefon".into(), opening: None, scopes: Scopes::mail() };
    operators::give_password(&bed.store, &by(NOW), &firm(), code, new).await.unwrap();
    let new = NewToken { name: "Program", scopes: api_tokens::Scopes::full(false), days: 9 };
    api_tokens::add(&bed.store, &by(NOW), &firm(), Some(code), new).await.unwrap();
}

/// In how many tables an operator has something to log in by.
async fn left(bed: &Bed, code: OperatorCode) -> usize {
    let number = code.number();
    bed.read(move |tx| {
        let mut left = 0;
        for sql in [
            "SELECT 1 FROM totp WHERE operator = $1",
            "SELECT 1 FROM backup_code WHERE operator = $1",
            "SELECT 1 FROM operator_password WHERE operator = $1",
            "SELECT 1 FROM login_choice WHERE operator = $1",
            "SELECT 1 FROM passkey WHERE operator = $1",
            "SELECT 1 FROM login_session WHERE operator = $1",
            "SELECT 1 FROM app_password WHERE operator = $1",
            "SELECT 1 FROM api_token WHERE operator = $1",
        ] {
            left += usize::from(tx.first(sql, &[number.into()])?.is_some());
        }
        Ok(left)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_or_is_suspended_has_nothing_left_to_log_in_by() {
    on_both(|bed| async move {
        open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let (one, other) = (
            appoint(&bed, AYSE, &[Role::Signs]).await,
            appoint(&bed, MEHMET, &[Role::Signs, Role::Reads]).await,
        );
        for code in [one, other] {
            outfitted(&bed, account, code).await;
            assert_eq!(left(&bed, code).await, 8);
        }
        operators::end(&bed.store, &by(NOW), &firm(), one).await.unwrap();
        assert_eq!((left(&bed, one).await, left(&bed, other).await), (0, 8));

        let (_, id) = hold(&bed, 1, None).await;
        let subject = id.as_str();
        handovers::hand_over(&bed.store, &by(NOW), &firm(), None, subject, other).await.unwrap();
        operators::suspend(&bed.store, &by(NOW), &firm(), other).await.unwrap();
        assert_eq!(left(&bed, other).await, 0);
        let him = operators::get(&bed.store, &firm(), other).await.unwrap();
        assert!(matches!(&him.standing, Standing::Suspended { at, .. } if *at == NOW));
        assert!(!him.may(operators::Act::Sign), "for a time he may nothing");
        let open = tasks_of(&bed, &firm(), TaskKind::Sign).await;
        assert_eq!(open[0].operator, None, "what was his is for whoever may sign");
        let twice = operators::suspend(&bed.store, &by(NOW), &firm(), other).await;
        assert!(matches!(twice, Err(OperatorError::Suspended(..))), "{twice:?}");
        let new = NewPassword { name: "Telefon".into(), opening: None, scopes: Scopes::mail() };
        let given = operators::give_password(&bed.store, &by(NOW), &firm(), other, new).await;
        assert!(matches!(given, Err(OperatorError::Suspended(..))), "{given:?}");
        operators::resume(&bed.store, &by(NOW), &firm(), other).await.unwrap();
        let him = operators::get(&bed.store, &firm(), other).await.unwrap();
        assert!(him.may(operators::Act::Sign) && him.may(operators::Act::Read));
        let twice = operators::resume(&bed.store, &by(NOW), &firm(), other).await;
        assert!(matches!(twice, Err(OperatorError::NotSuspended(..))), "{twice:?}");
        operators::suspend(&bed.store, &by(NOW), &firm(), other).await.unwrap();
        operators::end(&bed.store, &by(NOW), &firm(), other).await.unwrap();
        let none = operators::resume(&bed.store, &by(NOW), &firm(), other).await;
        assert!(matches!(none, Err(OperatorError::Ended(..))), "{none:?}");
        assert!(matches!(
            operators::suspend(&bed.store, &by(NOW), &firm(), code(7)).await,
            Err(OperatorError::Unknown(..))
        ));
    })
    .await;
}

const VKN: &str = "8760052205";

fn company(number: &str) -> Holder {
    let form = HolderForm {
        kind: "company".into(),
        title: Some("Örnek A.Ş.".into()),
        vkn: Some(number.into()),
        mersis: Some(format!("0{number}00014")),
        ..HolderForm::default()
    };
    Holder::parse(&form, NOW).unwrap()
}

/// As an institution's seal names it, by its VKN.
fn e_seal(number: &str) -> Certificate {
    let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
    let (name, identity_number) = ("Örnek A.Ş.".into(), number.into());
    let profile = Profile::Qualified { name, identity_number };
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
    issued.certificate().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_e_seal_signs_for_its_institution_where_it_is_permitted_and_for_no_other() {
    on_both(|bed| async move {
        open(&bed).await;
        let who = async |certificate: Certificate| {
            let account = accounts::get(&bed.store, &firm()).await.unwrap();
            let at = NOW.plus_secs(60);
            bed.read(move |tx| Ok(operators::e_seal(tx, &account, &certificate, at)?)).await
        };
        let (own, other) = (e_seal(VKN), e_seal("3880718497"));
        assert_eq!(who(own.clone()).await, Some(Signer::Stranger), "whose it is nobody knows");
        records::set_holder(&bed.store, &firm(), company(VKN), &by(NOW)).await.unwrap();
        assert_eq!(who(own.clone()).await, Some(Signer::Stranger), "it is not permitted");
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let (uses, owner) = (CertificateUse::Both, Owner::holder(account));
        certificates::add(&bed.store, owner, own.clone(), uses, &by(NOW)).await.unwrap();
        assert_eq!(who(own.clone()).await, Some(Signer::Stranger), "nor by being registered");
        let seal = Terms { e_seal: Some(true), ..Terms::default() };
        let permit = async || terms::set(&bed.store, &firm(), &seal, &by(NOW)).await;
        let refused = permit().await;
        assert!(matches!(refused, Err(LabelError::Registry(RegistryError::Forbidden(_)))));
        let decide = async |value: &'static str, at| {
            policy::set(&bed.store, &by(at), "e-seal.allowed", value, at, "Kurul").await.unwrap();
        };
        decide("yes", NOW).await;
        permit().await.unwrap();
        assert_eq!(who(own.clone()).await, Some(Signer::Holder));
        assert_eq!(who(e_seal(VKN)).await, Some(Signer::Holder), "by its number");
        assert_eq!(who(other.clone()).await, Some(Signer::Stranger));
        assert_eq!(who(e_seal(AYSE)).await, None, "a person's");
        // What is forbidden again forbids what was permitted.
        decide("no", NOW.plus_secs(30)).await;
        assert_eq!(who(own).await, Some(Signer::Stranger));
    })
    .await;
}
