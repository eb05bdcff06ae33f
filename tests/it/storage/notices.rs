//! Notices and the outbox on both drivers: what is told whom, once, when, and what became of it.

use super::bed::{Bed, submission};
use super::operators as firm;
use super::{NOW, on_both};
use kep::notify::gateway::{Form, Gateway};
use kep::notify::texts::Sayer;
use kep::notify::{Notify, Senders, Sms};
use kep::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
use kep::registry::app_passwords::{NewPassword, Scopes};
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::notices::{self, Absence, Change, Event, Happened, NoticeError, Whose};
use kep::registry::operators::{self, Person, Role as OperatorRole, Roles};
use kep::registry::outbox::{self, Fields, Kind, Language, Outgoing};
use kep::registry::{closings, credits, policy};
use kep::spool::{Step, Takers};
use kep::store::fsck;
use kep::store::outbox::{self as rows, OutgoingRow, State};
use kep::store::submissions::{self, RecipientState};
use kep::store::{RowsError, StoreError, Tx};
use kep::trust::dial::Dial;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::{Certificate, Clock, password};
use kep::wire::{AccountId, KepAddress, KepDomain, Reach, Timestamp};
use secrecy::SecretString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ALI: &str = "ali.veli@hs05.kep.tr";
const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";

fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

fn place(text: &str) -> Reach {
    Reach::parse(text).unwrap()
}

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at }
}

pub async fn open(bed: &Bed, who: &str) -> AccountId {
    let new = NewAccount {
        address: address(who),
        name: "Ali Veli".into(),
        identity_number: None,
        opening: OpeningMode::Sealed,
        signature: SignatureRule::Required,
        password: password::hash(&SecretString::from("kendi sözü")).unwrap(),
        certificates: Vec::new(),
        at: NOW,
    };
    let domain = KepDomain::parse("hs05.kep.tr").unwrap();
    accounts::add(&bed.store, &domain, new).await.unwrap()
}

pub fn change(events: &[Event]) -> Change {
    Change {
        language: Language::Turkish,
        events: events.iter().copied().collect(),
        quiet: None,
        whose: Whose::Holder,
    }
}

async fn all(bed: &Bed) -> Vec<OutgoingRow> {
    let mut all = bed.read(|tx| Ok(rows::list(tx, None, None, 100)?)).await;
    all.reverse();
    all
}

/// The code that was sent last.
pub async fn code(bed: &Bed) -> SecretString {
    let row = all(bed).await.into_iter().rfind(|row| row.kind == "verify").unwrap();
    let outgoing = outbox::outgoing(&row).unwrap();
    SecretString::from(outgoing.fields.values(&bed.vault).unwrap()["code"].clone())
}

/// A place of the account that is proven.
pub async fn proven(bed: &Bed, who: &str, at: &str, change: Change) {
    let who = address(who);
    notices::add(&bed.store, &by(NOW), &who, place(at), change).await.unwrap();
    let code = code(bed).await;
    notices::verify(&bed.store, &by(NOW), &who, place(at), &code).await.unwrap();
    // What proved it is no part of what a test counts.
    bed.write(|tx| {
        for row in rows::list(tx, Some(State::Waiting), None, 100)? {
            rows::settle(tx, row.id, State::Sent, "", NOW)?;
        }
        Ok(())
    })
    .await;
}

pub fn mail(account: AccountId, cause: &str, at: Timestamp) -> impl Fn(&mut Tx<'_>) -> Told {
    let cause = cause.to_owned();
    move |tx| {
        let values = [("sender", ALI), ("time", "bugün")];
        let cause = format!("mail/{cause}");
        let happened = Happened { account, kind: Kind::Mail, cause, values: &values, at };
        Ok(notices::tell(tx, &happened)?)
    }
}

type Told = Result<usize, StoreError>;

pub async fn of(bed: &Bed, kind: &str) -> Vec<OutgoingRow> {
    all(bed).await.into_iter().filter(|row| row.kind == kind).collect()
}

#[tokio::test]
async fn a_cause_is_laid_down_once_a_place_and_not_at_all_when_it_did_not_happen() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        assert_eq!(bed.write(mail(ali, "0", NOW)).await, 0, "told nowhere");
        proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
        proven(&bed, ALI, "ali@example.com", change(&[Event::Mail])).await;
        assert_eq!(bed.write(mail(ali, "1", NOW)).await, 2);
        assert_eq!(bed.write(mail(ali, "1", NOW)).await, 0);
        let undone = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            mail(ali, "2", NOW)(tx)?;
            Err(RowsError::Undone("on purpose").into())
        };
        bed.store.write(kep::store::Lane::Client, undone).await.unwrap_err();
        let laid = of(&bed, "mail").await;
        assert_eq!(
            laid.iter().map(|row| row.channel.as_str()).collect::<Vec<_>>(),
            ["mail", "sms"]
        );
        assert_eq!(
            bed.count("SELECT COUNT(*) FROM job WHERE step = 'notify' AND name <> ''").await,
            4
        );
    })
    .await;
}

#[tokio::test]
async fn a_place_is_proven_by_the_last_code_in_time_and_in_few_tries() {
    on_both(|bed| async move {
        let (ali, phone) = (address(ALI), place("05321234567"));
        open(&bed, ALI).await;
        open(&bed, AYSE).await;
        let first_by = by(NOW);
        let add =
            || notices::add(&bed.store, &first_by, &ali, phone.clone(), change(&[Event::Mail]));
        add().await.unwrap();
        assert!(matches!(add().await, Err(NoticeError::Exists(..))));
        let first = code(&bed).await;
        let verify = async |at: Timestamp, code: &SecretString| {
            notices::verify(&bed.store, &by(at), &ali, phone.clone(), code).await
        };
        let send = async |at: Timestamp| {
            notices::send_code(&bed.store, &by(at), &ali, phone.clone()).await
        };
        assert!(matches!(send(NOW.plus_secs(59)).await, Err(NoticeError::Soon)));
        send(NOW.plus_secs(60)).await.unwrap();
        let second = code(&bed).await;
        let wrong = SecretString::from("abcdef");
        for _ in 0..5 {
            assert!(matches!(verify(NOW.plus_secs(61), &wrong).await, Err(NoticeError::Wrong)));
        }
        assert!(matches!(verify(NOW.plus_secs(61), &second).await, Err(NoticeError::Over)));
        send(NOW.plus_secs(120)).await.unwrap();
        let third = code(&bed).await;
        assert!(matches!(verify(NOW.plus_secs(721), &third).await, Err(NoticeError::Over)));
        let old = verify(NOW.plus_secs(121), &first).await;
        assert!(
            matches!(old, Err(NoticeError::Wrong))
                || secrecy::ExposeSecret::expose_secret(&first)
                    == secrecy::ExposeSecret::expose_secret(&third)
        );
        let ayse = address(AYSE);
        let other = notices::verify(&bed.store, &first_by, &ayse, phone.clone(), &third).await;
        assert!(matches!(other, Err(NoticeError::Unknown(..))));
        verify(NOW.plus_secs(122), &third).await.unwrap();
        assert!(notices::list(&bed.store, &ali).await.unwrap()[0].proven_at.is_some());
        for n in 3..20 {
            send(NOW.plus_secs(60 * n)).await.unwrap();
        }
        assert!(matches!(send(NOW.plus_secs(3000)).await, Err(NoticeError::ManyCodes(_))));
        send(NOW.plus_secs(90_000)).await.unwrap();
        let acts = audit::list(&bed.store, Wanted { most: 50, ..Wanted::default() }).await.unwrap();
        let acts: Vec<_> =
            acts.iter().map(|act| (act.act.as_str(), act.details.to_string())).collect();
        assert!(acts.iter().any(|(act, _)| *act == "account.notice.verify"), "{acts:?}");
        assert!(acts.iter().all(|(_, details)| !details.contains("1234567")), "{acts:?}");
    })
    .await;
}

#[tokio::test]
async fn quiet_hours_deputies_and_pauses_are_kept() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        let night = Timestamp::parse_iso8601("2026-11-30T02:00:00+03:00").unwrap();
        let morning = Timestamp::parse_iso8601("2026-11-30T08:00:00+03:00").unwrap();
        let quiet = "22:00-08:00".parse().ok();
        let wishes = [Event::Mail, Event::Login];
        proven(&bed, ALI, "05321234567", Change { quiet, ..change(&wishes) }).await;
        let absence =
            Absence { deputy: "Ayşe".into(), from: night, until: night.plus_secs(86_400) };
        let whose = Whose::Deputy(absence);
        proven(&bed, ALI, "ayse@example.com", Change { whose, ..change(&wishes) }).await;
        assert_eq!(bed.write(mail(ali, "0", night.plus_millis(-1))).await, 1);
        assert_eq!(bed.write(mail(ali, "1", night)).await, 2);
        assert_eq!(bed.write(mail(ali, "2", night.plus_secs(1))).await, 2);
        let due = |channel: &str, rows: &[OutgoingRow]| -> Vec<Timestamp> {
            rows.iter().filter(|row| row.channel == channel).map(|row| row.due_at).collect()
        };
        let laid = of(&bed, "mail").await;
        assert_eq!(due("sms", &laid), [morning; 3]);
        assert_eq!(due("mail", &laid), [night, night.plus_secs(120)], "two minutes between");
        // A strange login wakes the holder, and is none of the deputy's affair.
        let login = move |tx: &mut Tx<'_>| -> Result<[bool; 3], StoreError> {
            let mut seen =
                |place: &[u8]| notices::new_place(tx, ali, place, ("IMAP", "192.0.2.0/24"), night);
            Ok([seen(&[1; 32])?, seen(&[2; 32])?, seen(&[2; 32])?])
        };
        assert_eq!(bed.write(login).await, [false, true, false], "the first place is not new");
        let told = of(&bed, "login").await;
        assert_eq!((told.len(), told[0].due_at, told[0].channel.as_str()), (1, night, "sms"));
    })
    .await;
}

#[tokio::test]
async fn who_has_opened_the_message_is_not_reminded_of_it() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Unread])).await;
        let (due, hour) = (NOW.plus_secs(24 * 3600), 3600);
        for n in [1, 2] {
            let octets = format!("mail {n}");
            bed.lay_in(submission(&bed.store, n, ali, octets.as_bytes())).await.unwrap();
            bed.write(move |tx| {
                submissions::outcome(tx, &super::bed::id(n), 1, RecipientState::Delivered, NOW)?;
                Ok(notices::watch(tx, ali, &super::bed::id(n), 1, due, NOW)?)
            })
            .await;
        }
        let takers = Takers::new(&bed.store, Step::Notify);
        let at = NOW.plus_secs(18 * hour);
        assert!(
            takers
                .take(at.plus_millis(-1), 10)
                .await
                .unwrap()
                .iter()
                .all(|taken| !taken.job.name.starts_with("unread/"))
        );
        bed.write(|tx| {
            submissions::opened(tx, &super::bed::id(1), 1, RecipientState::Read, NOW)?;
            Ok(())
        })
        .await;
        for n in [1, 2] {
            bed.write(move |tx| {
                Ok(notices::look_unread(tx, (&super::bed::id(n), 1), due, NOW, at)?)
            })
            .await;
        }
        let told = of(&bed, "unread").await;
        assert_eq!((told.len(), told[0].expires_at), (1, due));
        let outgoing = outbox::outgoing(&told[0]).unwrap();
        let values = outgoing.fields.values(&bed.vault).unwrap();
        let wants = async || {
            let (outgoing, values) = (outgoing.clone(), values.clone());
            bed.read(move |tx| Ok(notices::wants_still(tx, &outgoing, &values, at)?)).await
        };
        assert!(wants().await);
        bed.write(|tx| {
            submissions::opened(tx, &super::bed::id(2), 1, RecipientState::Read, NOW)?;
            Ok(())
        })
        .await;
        assert!(!wants().await);
    })
    .await;
}

/// A message that is delivered, and whose time to read runs from now on.
async fn watched(bed: &Bed, ali: AccountId, due: Timestamp) {
    bed.lay_in(submission(&bed.store, 1, ali, b"mail")).await.unwrap();
    bed.write(move |tx| {
        submissions::outcome(tx, &super::bed::id(1), 1, RecipientState::Delivered, NOW)?;
        Ok(notices::watch(tx, ali, &super::bed::id(1), 1, due, NOW)?)
    })
    .await;
}

/// Looks at what is unread then; where one is reminded, and when, by what came before.
async fn reminded(bed: &Bed, at: Timestamp) -> Vec<(String, Timestamp)> {
    let notify = notify(bed, "http://127.0.0.1:9/", at);
    for taken in Takers::new(&bed.store, Step::Notify).take(at, 100).await.unwrap() {
        if taken.job.name.starts_with("unread/") {
            notify.carry_out(&taken.job).await.unwrap();
        }
    }
    let all = of(bed, "unread").await;
    all.into_iter().map(|row| (row.target, row.due_at)).collect()
}

#[tokio::test]
async fn what_stays_unread_is_told_again_and_further() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        policy::set(&bed.store, &by(NOW), "notice.unread", "24h 6h 2h", NOW, "deneme")
            .await
            .unwrap();
        proven(&bed, ALI, "ali@example.com", change(&[Event::Unread])).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
        let whose = Whose::Deputy(Absence::never("Ayşe".into()));
        proven(&bed, ALI, "05337654321", Change { whose, ..change(&[Event::Escalation]) }).await;
        let due = NOW.plus_secs(48 * 3600);
        watched(&bed, ali, due).await;
        let before = move |hours: i64| due.plus_secs(-hours * 3600);
        assert_eq!(reminded(&bed, before(25)).await, []);
        let [post, sms, second] = ["ali@example.com", "+905321234567", "+905337654321"];
        let expected = [(24, vec![post]), (6, vec![post, sms]), (2, vec![post, sms, second])];
        let mut told = Vec::new();
        for (hours, places) in expected {
            told.extend(places.into_iter().map(|place| (place.to_owned(), before(hours))));
            for _ in 0..2 {
                let mut found = reminded(&bed, before(hours)).await;
                found.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
                let mut told = told.clone();
                told.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
                assert_eq!(found, told, "{hours}");
            }
        }
        assert_eq!(reminded(&bed, before(1)).await.len(), told.len(), "that was the last");
        // The second person is told though nobody is away; of nothing else.
        let row = of(&bed, "unread").await.into_iter().find(|row| row.target == second).unwrap();
        let outgoing = outbox::outgoing(&row).unwrap();
        let values = outgoing.fields.values(&bed.vault).unwrap();
        let still = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            Ok(notices::wants_still(tx, &outgoing, &values, before(2))?)
        };
        assert!(bed.read(still).await);
        assert_eq!(bed.write(mail(ali, "sonra", NOW)).await, 1, "his own telephone");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_twice_at_the_end_of_his_quiet_hours_nor_once_more_when_he_has_opened() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        let quiet = "22:00-08:00".parse().ok();
        let wishes = Change { quiet, ..change(&[Event::Unread]) };
        proven(&bed, ALI, "05321234567", wishes).await;
        let due = Timestamp::parse_iso8601("2026-11-30T09:30:00+03:00").unwrap();
        let morning = Timestamp::parse_iso8601("2026-11-30T08:00:00+03:00").unwrap();
        watched(&bed, ali, due).await;
        // By default six hours before, and two: both are quiet.
        for hours in [6, 2, 1] {
            let told = reminded(&bed, due.plus_secs(-hours * 3600)).await;
            assert_eq!(told, [("+905321234567".to_owned(), morning)], "{hours}");
        }
    })
    .await;
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Unread])).await;
        let due = NOW.plus_secs(24 * 3600);
        watched(&bed, ali, due).await;
        assert_eq!(reminded(&bed, due.plus_secs(-6 * 3600)).await.len(), 1);
        bed.write(|tx| {
            submissions::opened(tx, &super::bed::id(1), 1, RecipientState::Read, NOW)?;
            Ok(())
        })
        .await;
        assert_eq!(reminded(&bed, due.plus_secs(-2 * 3600)).await.len(), 1);
    })
    .await;
}

async fn steps(bed: &Bed, steps: &str, at: Timestamp) {
    policy::set(&bed.store, &by(at), "notice.unread", steps, at, "deneme").await.unwrap();
}

/// The hours before the end at which somebody was reminded.
fn hours(told: &[(String, Timestamp)], place: &str, due: Timestamp) -> Vec<i64> {
    let his = told.iter().filter(|(target, _)| target.ends_with(place));
    let mut hours: Vec<_> = his.map(|(_, at)| (due.millis() - at.millis()) / 3_600_000).collect();
    hours.sort_by(|one, other| other.cmp(one));
    hours
}

#[tokio::test]
async fn a_deputy_hears_reminders_in_his_days_and_the_last_one_on_any() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        steps(&bed, "24h 6h 2h", NOW).await;
        let due = NOW.plus_secs(48 * 3600);
        let before = move |hours: i64| due.plus_secs(-hours * 3600);
        let whose = Whose::Deputy(Absence { deputy: "Ayşe".into(), from: NOW, until: before(20) });
        let wishes = Change { whose, ..change(&[Event::Unread, Event::Escalation]) };
        proven(&bed, ALI, "05337654321", wishes).await;
        watched(&bed, ali, due).await;
        for (at, told) in [(24, vec![24]), (6, vec![24]), (2, vec![24, 2])] {
            let found = reminded(&bed, before(at)).await;
            assert_eq!(hours(&found, "5337654321", due), told, "{at}");
        }
        let mut wanted = Vec::new();
        let mut rows = of(&bed, "unread").await;
        rows.sort_by_key(|row| row.due_at);
        for row in rows {
            let outgoing = outbox::outgoing(&row).unwrap();
            let values = outgoing.fields.values(&bed.vault).unwrap();
            let still = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
                Ok(notices::wants_still(tx, &outgoing, &values, before(2))?)
            };
            wanted.push(bed.read(still).await);
        }
        assert_eq!(wanted, [false, true], "an earlier one that was put off beyond his days");
    })
    .await;
}

#[tokio::test]
async fn other_steps_decided_meanwhile_lose_no_reminder_and_double_none() {
    let cases: [(&str, &str, &[i64], &[i64]); 4] = [
        // Steps, those that are decided after the first; when the holder is told, and the second person.
        ("24h 6h 2h", "2h", &[24, 2], &[2]),
        ("6h 2h", "24h 7h 2h", &[6, 2], &[2]),
        ("6h 2h", "6h 4h 1h", &[6, 2, 1], &[1]),
        // The last one is past already.
        ("6h 2h", "7h", &[6], &[2]),
    ];
    for (first, then, holder, second) in cases {
        on_both(|bed| async move {
            let ali = open(&bed, ALI).await;
            steps(&bed, first, NOW).await;
            proven(&bed, ALI, "ali@example.com", change(&[Event::Unread])).await;
            let whose = Whose::Deputy(Absence::never("Ayşe".into()));
            let wishes = Change { whose, ..change(&[Event::Escalation]) };
            proven(&bed, ALI, "ayse@example.com", wishes).await;
            let due = NOW.plus_secs(48 * 3600);
            watched(&bed, ali, due).await;
            let mut told = Vec::new();
            for before in (0..48).rev() {
                let at = due.plus_secs(-before * 3600);
                let fresh = told.is_empty();
                told = reminded(&bed, at).await;
                if fresh && !told.is_empty() {
                    steps(&bed, then, at).await;
                }
            }
            assert_eq!(hours(&told, "ali@example.com", due), holder, "{first}, {then}");
            assert_eq!(hours(&told, "ayse@example.com", due), second, "{first}, {then}");
        })
        .await;
    }
}

#[tokio::test]
async fn who_is_looked_for_late_is_reminded_once() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Unread])).await;
        let due = NOW.plus_secs(24 * 3600);
        watched(&bed, ali, due).await;
        // By default six hours before, and two.
        let late = due.plus_secs(-3600);
        for _ in 0..2 {
            assert_eq!(reminded(&bed, late).await, [("+905321234567".to_owned(), late)]);
        }
    })
    .await;
}

/// A gateway that answers as it is told, and what it was asked.
struct Station {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    busy: Arc<AtomicUsize>,
}

async fn gateway() -> Station {
    let (asked, busy) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (seen, left) = (Arc::clone(&asked), Arc::clone(&busy));
    let answer = move |body: String| {
        let less = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        seen.lock().unwrap().push(body);
        let status = if less.is_ok() { 503 } else { 200 };
        async move { axum::http::StatusCode::from_u16(status).unwrap() }
    };
    let router = axum::Router::new().route("/", axum::routing::post(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Station { url, asked, busy }
}

pub fn notify(bed: &Bed, url: &str, now: Timestamp) -> Notify {
    let gateway = Gateway {
        dial: Dial::straight(Duration::from_secs(10)).unwrap(),
        url: url.to_owned(),
        body: Some("{id} {text}".into()),
        form: Form::Urlencoded,
        header: None,
        sender: "KEP".into(),
        success: None,
        refused: None,
        reference: None,
    };
    Notify {
        store: bed.store.clone(),
        clock: Clock::Fixed(now),
        senders: Senders { sms: Some(Sms::Http(gateway)), mail: None, from: None },
        sayer: Sayer { name: "Örnek".into(), portal: None },
    }
}

/// Carries out what is due then; what is put off is not.
pub async fn round(bed: &Bed, notify: &Notify, now: Timestamp) {
    let takers = Takers::new(&bed.store, Step::Notify);
    for taken in takers.take(now, 100).await.unwrap() {
        notify.carry_out(&taken.job).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_is_too_busy_for_comes_again_and_those_that_wait_go_together() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
        for n in ["1", "2", "3"] {
            bed.write(mail(ali, n, NOW)).await;
        }
        let later = NOW.plus_secs(600);
        let told = gateway().await;
        let notify = notify(&bed, &told.url, later);
        told.busy.store(1, Ordering::SeqCst);
        round(&bed, &notify, later).await;
        let rows_now = of(&bed, "mail").await;
        let states: Vec<_> = rows_now.iter().map(|row| row.state).collect();
        assert_eq!(states, [State::Waiting, State::Joined, State::Joined]);
        assert!(rows_now[0].trouble.contains("HTTP 503"), "{}", rows_now[0].trouble);
        assert_eq!((rows_now[0].tells, rows_now[1].joined), (3, Some(rows_now[0].id)));
        round(&bed, &notify, later.plus_secs(60)).await;
        let asked = told.asked.lock().unwrap().clone();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0], asked[1], "the same under the same name");
        assert!(asked[0].contains("3%20yeni%20KEP%20iletisi"), "{}", asked[0]);
        let sent = of(&bed, "mail").await;
        assert_eq!((sent[0].state, sent[0].fields.is_none()), (State::Sent, true));
        round(&bed, &notify, later.plus_secs(7200)).await;
        assert_eq!(told.asked.lock().unwrap().len(), 2, "once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_when_the_process_ended_is_said_again() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
        bed.write(mail(ali, "1", NOW)).await;
        let id = of(&bed, "mail").await[0].id;
        bed.write(move |tx| Ok(rows::begin(tx, id)?)).await;
        let told = gateway().await;
        round(&bed, &notify(&bed, &told.url, NOW), NOW).await;
        assert_eq!(of(&bed, "mail").await[0].state, State::Sent);
        let asked = told.asked.lock().unwrap();
        assert!(asked.len() == 1 && asked[0].starts_with(&format!("{id} ")), "{asked:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_said_is_given_up_in_time_and_an_operator_may_try_again() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "ali@example.com", change(&[Event::Mail])).await;
        bed.write(mail(ali, "1", NOW)).await;
        let secret = Fields::secret(&bed.vault, &[("code", "123456"), ("account", ALI)]).unwrap();
        bed.write(move |tx| {
            let outgoing = Outgoing {
                account: ali,
                to: place("ali@example.com"),
                language: Language::English,
                kind: Kind::LoginCode,
                fields: secret.clone(),
                cause: "login-code/1".into(),
                due: NOW,
                expires: NOW.plus_secs(300),
            };
            Ok(outbox::queue(tx, &outgoing)?)
        })
        .await;
        // No smarthost is set.
        round(&bed, &notify(&bed, "http://127.0.0.1:1/", NOW), NOW).await;
        let waits = of(&bed, "mail").await.remove(0);
        assert_eq!(
            (waits.state, waits.trouble.as_str()),
            (State::Waiting, "notify.mail.server is not set")
        );
        let end = NOW.plus_secs(86_400);
        round(&bed, &notify(&bed, "http://127.0.0.1:1/", end), end).await;
        let (failed, code) =
            (of(&bed, "mail").await.remove(0), of(&bed, "login-code").await.remove(0));
        assert_eq!((failed.state, code.state), (State::Failed, State::Failed));
        assert!(code.fields.is_none() && failed.fields.is_some());
        assert!(
            failed.trouble.starts_with("its time had passed: notify.mail"),
            "{}",
            failed.trouble
        );
        let retry = async |id| outbox::retry(&bed.store, &by(end), id).await.unwrap();
        assert_eq!(
            [retry(code.id).await, retry(failed.id).await, retry(9999).await],
            [Some(outbox::Retried::Gone), Some(outbox::Retried::Now), None]
        );
        let again = of(&bed, "mail").await.remove(0);
        assert_eq!((again.state, again.expires_at), (State::Waiting, end.plus_secs(86_400)));
        // A place that is taken away hears nothing more.
        notices::remove(&bed.store, &by(end), &address(ALI), place("ali@example.com"))
            .await
            .unwrap();
        assert_eq!(of(&bed, "mail").await[0].state, State::Withdrawn);
        let gone = bed.write(move |tx| Ok(rows::sweep(tx, end.plus_secs(1))?)).await;
        assert_eq!((gone, all(&bed).await.len()), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn a_receipt_may_come_before_the_answer_that_it_is_about() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
        bed.write(mail(ali, "1", NOW)).await;
        let id = of(&bed, "mail").await[0].id;
        bed.write(move |tx| {
            rows::receipt(tx, "a", "delivered", NOW)?;
            rows::add_part(tx, "a", id, NOW)?;
            rows::add_part(tx, "b", id, NOW)?;
            rows::receipt(tx, "b", "enroute", NOW)?;
            Ok(rows::receipt(tx, "b", "undeliverable", NOW)?)
        })
        .await;
        let parts = bed.read(move |tx| Ok(rows::parts(tx, id)?)).await;
        let expected = [("a", "delivered"), ("b", "undeliverable")];
        let expected = expected.map(|(name, said)| (name.to_owned(), Some(said.to_owned())));
        assert_eq!(parts, expected);
    })
    .await;
}

/// Two processes of one store take from the same outbox; on SQLite there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_say_each_notice_once() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Credit])).await;
        bed.write(move |tx| {
            for n in 0..30 {
                let cause = format!("credit/{n}");
                let values = [("balance", "7"), ("unit", "kontör"), ("unit_en", "credits")];
                let happened =
                    Happened { account: ali, kind: Kind::Credit, cause, values: &values, at: NOW };
                notices::tell(tx, &happened)?;
            }
            Ok(())
        })
        .await;
        let told = gateway().await;
        let stores = match bed.store.shared() {
            true => vec![bed.store.clone(), bed.another().await],
            false => vec![bed.store.clone()],
        };
        let rounds = stores.into_iter().map(|store| {
            let notify = Notify { store: store.clone(), ..notify(&bed, &told.url, NOW) };
            tokio::spawn(async move {
                let takers = Takers::new(&store, Step::Notify);
                loop {
                    let taken = takers.take(NOW, 3).await.unwrap();
                    if taken.is_empty() {
                        return;
                    }
                    for one in &taken {
                        notify.carry_out(&one.job).await.unwrap();
                    }
                }
            })
        });
        for round in rounds.collect::<Vec<_>>() {
            round.await.unwrap();
        }
        let mut asked = told.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        assert_eq!((asked.len(), told.asked.lock().unwrap().len()), (30, 30));
        assert!(of(&bed, "credit").await.iter().all(|row| row.state == State::Sent));
    })
    .await;
}

/// An SMS is paid for once however often it is tried, not at all when it is not sent, and a balance that
/// runs low is told of.
#[tokio::test(flavor = "multi_thread")]
async fn an_sms_costs_a_credit_when_it_is_sent() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        let wishes = [Event::Mail, Event::Credit];
        proven(&bed, ALI, "05321234567", change(&wishes)).await;
        let on = policy::set(&bed.store, &by(NOW), "credit.enforced", "yes", NOW, "deneme").await;
        on.unwrap_or_else(|error| panic!("{error}"));
        let what = credits::Addition {
            unit: credits::Unit::Sms,
            amount: 11,
            reason: "havale".into(),
            reference: "dekont 1".into(),
        };
        credits::top_up(&bed.store, &by(NOW), &address(ALI), &what).await.unwrap();
        let left =
            async || bed.read(move |tx| Ok(kep::store::credits::balance(tx, ali)?)).await.sms;
        let told = gateway().await;
        // Two attempts, one credit; what cannot be sent is given back.
        told.busy.store(1, Ordering::SeqCst);
        bed.write(mail(ali, "1", NOW)).await;
        let ours = notify(&bed, &told.url, NOW);
        round(&bed, &ours, NOW).await;
        round(&bed, &ours, NOW.plus_secs(60)).await;
        assert_eq!((of(&bed, "mail").await[0].state, left().await), (State::Sent, 10));
        let later = NOW.plus_secs(600);
        bed.write(mail(ali, "2", later)).await;
        let (nobody, end) = ("http://127.0.0.1:1/", later.plus_secs(90_000));
        round(&bed, &notify(&bed, nobody, later), later).await;
        assert_eq!(left().await, 9);
        let low = of(&bed, "credit").await;
        assert_eq!(low.len(), 0, "it is told of by a job of its own");
        round(&bed, &notify(&bed, nobody, end), end).await;
        assert_eq!((of(&bed, "mail").await[1].state, left().await), (State::Failed, 10));
        assert_eq!(of(&bed, "credit").await.len(), 1);
        assert_eq!(credits::audit(&bed.store).await.unwrap().faults, [""; 0]);
        assert_eq!(unfounded(&bed).await, 0, "an SMS that was given back is no fault");
        bed.write(|tx| {
            tx.execute(
                "UPDATE credit_entry SET id = 'sms-back/9/x' WHERE kind = 'give-back'",
                &[],
            )?;
            Ok(())
        })
        .await;
        assert_eq!(unfounded(&bed).await, 1, "one that nobody paid for");
    })
    .await;
}

/// Whatever is registered: of the holder, of an operator, to sign or to log in.
#[tokio::test]
async fn each_certificate_that_ends_is_told_of_once_a_distance() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Certificate])).await;
        let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
        let mut ends = NOW;
        for (n, uses) in [(1_u8, "both"), (2, "login")] {
            let profile =
                Profile::TlsServer { names: vec![format!("n{n}")], addresses: Vec::new() };
            let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
            let certificate = issued.certificate().clone();
            ends = certificate.not_after();
            let digest = certificate.digest();
            bed.write(move |tx| {
                let der = certificate.der();
                Ok(kep::store::accounts::add_certificate(tx, ali, &digest.0, der, uses, NOW)?)
            })
            .await;
        }
        for (days, laid) in [(31, 0), (29, 2), (28, 0), (6, 2), (1, 2), (-1, 0)] {
            let at = ends.plus_secs(-days * 86_400);
            assert_eq!(notices::tell_of_endings(&bed.store, at).await.unwrap(), laid, "{days}");
        }
        assert_eq!(of(&bed, "certificate").await.len(), 6);
    })
    .await;
}

/// One that ends, and one for the same use that ends later.
fn two_certificates() -> [Certificate; 2] {
    let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
    let issue = |at| {
        let profile = Profile::User { name: "Ali".into(), email: ALI.into() };
        root.issue(&profile, KeyKind::P256, &Links::default(), at).unwrap().certificate().clone()
    };
    let (old, new) = (issue(NOW.plus_secs(-40 * 86_400)), issue(NOW));
    assert!(old.not_after() < new.not_after());
    [old, new]
}

async fn register(bed: &Bed, ali: AccountId, certificate: &Certificate) {
    let (digest, der) = (certificate.digest(), certificate.der().to_vec());
    bed.write(move |tx| {
        Ok(kep::store::accounts::add_certificate(tx, ali, &digest.0, &der, "both", NOW)?)
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_of_a_certificate_that_a_later_one_replaced() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Certificate])).await;
        let [old, new] = two_certificates();
        let ends = old.not_after();
        register(&bed, ali, &old).await;
        let tell = async |at| notices::tell_of_endings(&bed.store, at).await.unwrap();
        assert_eq!(tell(ends.plus_secs(-20 * 86_400)).await, 1);
        let station = gateway().await;
        register(&bed, ali, &new).await;
        // What waited is no longer so.
        let at = ends.plus_secs(-20 * 86_400 + 60);
        round(&bed, &notify(&bed, &station.url, at), at).await;
        assert_eq!(*station.asked.lock().unwrap(), Vec::<String>::new());
        assert_eq!(of(&bed, "certificate").await[0].state, State::Withdrawn);
        assert_eq!(tell(ends.plus_secs(-5 * 86_400)).await, 0, "nor does the next distance count");
    })
    .await;
}

#[tokio::test]
async fn nobody_is_told_what_ends_of_a_closed_account() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        proven(&bed, ALI, "05321234567", change(&[Event::Certificate])).await;
        let [old, _] = two_certificates();
        register(&bed, ali, &old).await;
        let before = |days: i64| old.not_after().plus_secs(-days * 86_400);
        let tell = async |at| notices::tell_of_endings(&bed.store, at).await.unwrap();
        assert_eq!(tell(before(20)).await, 1);
        closings::close(&bed.store, &address(ALI), &by(before(10))).await.unwrap();
        assert_eq!(tell(before(5)).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_deputy_hears_nothing_after_his_time_though_it_was_laid_down_before() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        let night = Timestamp::parse_iso8601("2026-11-30T02:00:00+03:00").unwrap();
        let morning = Timestamp::parse_iso8601("2026-11-30T08:00:00+03:00").unwrap();
        let hour = 3600;
        for (place, until) in
            [("05321234567", night.plus_secs(hour)), ("05337654321", morning.plus_secs(hour))]
        {
            let whose = Whose::Deputy(Absence { deputy: "Ayşe".into(), from: NOW, until });
            let quiet = "22:00-08:00".parse().ok();
            proven(&bed, ALI, place, Change { quiet, whose, ..change(&[Event::Mail]) }).await;
        }
        assert_eq!(bed.write(mail(ali, "1", night)).await, 2);
        let station = gateway().await;
        round(&bed, &notify(&bed, &station.url, morning), morning).await;
        let states = async |target: &str| {
            let all = of(&bed, "mail").await;
            all.iter().find(|row| row.target.ends_with(target)).unwrap().state
        };
        assert_eq!(states("5321234567").await, State::Withdrawn, "the holder is back");
        assert_eq!(states("5337654321").await, State::Sent);
        assert_eq!(station.asked.lock().unwrap().len(), 1);
    })
    .await;
}

/// An operator's telephone was the second person's place, too, and what concerned his own password was not said there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_credentials_are_told_where_somebody_elses_place_is_too() {
    on_both(|bed| async move {
        firm::open(&bed).await;
        let (own, holders) = ("05337654321", "05321112233");
        let who = Person::new("Ayşe", "Demir", "10000000146", Some(own), None).unwrap();
        let roles = Roles::new([OperatorRole::Reads]).unwrap();
        let operator =
            operators::add(&bed.store, &by(NOW), &firm::firm(), who, roles).await.unwrap();
        let deputy = || Change {
            whose: Whose::Deputy(Absence::never("Ayşe".into())),
            ..change(&[Event::Escalation])
        };
        let address = firm::firm().to_string();
        proven(&bed, &address, own, deputy()).await;
        proven(&bed, &address, holders, change(&[Event::Mail])).await;
        let new = NewPassword { name: "Telefon".into(), opening: None, scopes: Scopes::mail() };
        let (by, code) = (by(NOW), operator.code);
        operators::give_password(&bed.store, &by, &firm::firm(), code, new).await.unwrap();
        // What was the holder's is a deputy's by then, who has nothing of it.
        let at = place(holders);
        notices::set(&bed.store, &by, &firm::firm(), at, deputy()).await.unwrap();
        let station = gateway().await;
        round(&bed, &notify(&bed, &station.url, NOW), NOW).await;
        let said = of(&bed, "credentials").await;
        let mut said: Vec<_> = said.into_iter().map(|row| (row.target, row.state)).collect();
        said.sort_by(|one, two| one.0.cmp(&two.0));
        let wanted = [("+905321112233", State::Withdrawn), ("+905337654321", State::Sent)];
        assert_eq!(said, wanted.map(|(at, state)| (at.to_owned(), state)));
    })
    .await;
}

#[tokio::test]
async fn who_deputises_on_no_day_hears_of_the_last_reminder_and_of_nothing_else() {
    on_both(|bed| async move {
        open(&bed, ALI).await;
        let set = async |events: &[Event]| {
            let whose = Whose::Deputy(Absence::never("Ayşe".into()));
            let wishes = Change { whose, ..change(events) };
            let at = place("ayse@example.com");
            notices::set(&bed.store, &by(NOW), &address(ALI), at, wishes).await.map(drop)
        };
        proven(&bed, ALI, "ayse@example.com", change(&[Event::Mail])).await;
        for events in [&[][..], &[Event::Mail], &[Event::Mail, Event::Escalation]] {
            let refused = set(events).await;
            assert!(matches!(refused, Err(NoticeError::Deputy)), "{refused:?}");
        }
        set(&[Event::Escalation]).await.unwrap();
    })
    .await;
}

/// The phone is sold while the gateway thinks.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_to_a_place_that_is_taken_away_is_not_tried_there_again() {
    on_both(|bed| async move {
        let ali = open(&bed, ALI).await;
        let on = policy::set(&bed.store, &by(NOW), "credit.enforced", "yes", NOW, "deneme").await;
        on.unwrap_or_else(|error| panic!("{error}"));
        let what = credits::Addition {
            unit: credits::Unit::Sms,
            amount: 20,
            reason: "havale".into(),
            reference: "dekont 1".into(),
        };
        credits::top_up(&bed.store, &by(NOW), &address(ALI), &what).await.unwrap();
        // The second after the first one's pause.
        let cases =
            [("503", State::Withdrawn, 20, NOW), ("200", State::Sent, 19, NOW.plus_secs(900))];
        for (status, state, left, at) in cases {
            proven(&bed, ALI, "05321234567", change(&[Event::Mail])).await;
            bed.write(mail(ali, status, at)).await;
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            let ours = notify(&bed, &url, at);
            let gateway = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                let who = address(ALI);
                notices::remove(&bed.store, &by(NOW), &who, place("05321234567")).await.unwrap();
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            };
            tokio::join!(round(&bed, &ours, at), gateway);
            let there = of(&bed, "mail").await.pop().unwrap();
            assert_eq!((there.state, there.fields), (state, None));
            let balance = bed.read(move |tx| Ok(kep::store::credits::balance(tx, ali)?)).await;
            assert_eq!(balance.sms, left);
        }
    })
    .await;
}

/// An SMSC that counts anew calls another SMS by the same number.
#[tokio::test]
async fn a_reference_that_comes_again_is_of_the_new_part_and_has_no_receipt() {
    on_both(|bed| async move {
        let later = NOW.plus_secs(86_400);
        bed.write(move |tx| {
            rows::add_part(tx, "17", 1, NOW)?;
            rows::receipt(tx, "17", "failed", NOW)?;
            rows::add_part(tx, "17", 1, NOW)?;
            Ok(())
        })
        .await;
        let parts = async |of| bed.read(move |tx| Ok(rows::parts(tx, of)?)).await;
        assert_eq!(parts(1).await, [("17".to_owned(), Some("failed".to_owned()))], "twice is once");
        bed.write(move |tx| Ok(rows::add_part(tx, "17", 2, later)?)).await;
        assert_eq!((parts(1).await, parts(2).await), (vec![], vec![("17".to_owned(), None)]));
        bed.write(move |tx| Ok(rows::sweep(tx, later)?)).await;
        assert_eq!(parts(2).await.len(), 1, "it is of its own day");
    })
    .await;
}

async fn unfounded(bed: &Bed) -> usize {
    let found = fsck::check(&bed.store, fsck::Depth::Quick, |_| ()).await.unwrap();
    found.iter().filter(|one| one.kind == fsck::Kind::CreditUnfounded).count()
}
