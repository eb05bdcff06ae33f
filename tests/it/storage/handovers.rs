//! What waits for a signature, and what becomes of it, on both drivers.

use super::operators::{appoint, by, code, firm, open};
use super::{NOW, bed::Bed, bed::submission, on_both};
use kep::registry::accounts;
use kep::registry::credits::{self, Charge, Paid, Unit};
use kep::registry::handovers::{self, Handover, HandoverError, Sent, State};
use kep::registry::operators::{self, Role};
use kep::registry::tasks::{self, TaskKind, TaskState, Wanted};
use kep::store::credits as rows;
use kep::store::mail::{self, Kind, NewMessage};
use kep::store::submissions::{self, NewSubmission, SubmissionState};
use kep::store::{Lane, StoreError};
use kep::wire::{AccountId, MessageId, Timestamp};

const AYSE: &str = "10000000146";
const MEHMET: &str = "10000000214";
const UA: &str = "imza.1@istemci.example";
const MAIL: &[u8] = b"Message-ID: <imza.1@istemci.example>\r\nSubject: x\r\n\r\nx\r\n";

/// A held message of the firm, as it is laid in.
fn held(bed: &Bed, account: AccountId) -> NewSubmission {
    let mut new = submission(&bed.store, 1, account, MAIL);
    new.state = SubmissionState::Held;
    new.details.ua_message_id = Some(UA.to_owned());
    new
}

pub async fn hold(bed: &Bed) -> (AccountId, MessageId) {
    let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
    let (new, store) = (held(bed, account), bed.store.clone());
    let id = new.message_id.clone();
    bed.write(move |tx| -> Result<(), StoreError> {
        submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
        let copy = NewMessage::of(MAIL, Kind::Plain, NOW);
        handovers::hold(tx, account, &new, &copy, &by(NOW))
    })
    .await;
    (account, id)
}

async fn sign(bed: &Bed, account: AccountId, signer: i64, at: Timestamp) {
    bed.write(move |tx| {
        let message = MessageId::parse("2@hs05.kep.tr").unwrap();
        let signer = kep::wire::OperatorCode::of_number(signer);
        let sent = Sent { account, ua_message_id: UA, message: &message, signer };
        handovers::signed(tx, &sent, &by(at))
    })
    .await;
}

async fn all(bed: &Bed) -> Vec<Handover> {
    handovers::list(&bed.store, &firm(), true, 0, 100).await.unwrap()
}

async fn todo(bed: &Bed) -> Vec<(TaskKind, TaskState)> {
    let wanted = Wanted { all: true, most: 100, ..Wanted::default() };
    let found = tasks::list(&bed.store, &firm(), wanted).await.unwrap();
    found.iter().map(|one| (one.kind, one.state)).collect()
}

/// How many messages stand in a mailbox.
async fn standing(bed: &Bed, account: AccountId, role: mail::Role) -> i64 {
    bed.read(move |tx| {
        let mailbox = mail::of_role(tx, account, role)?;
        let sql = "SELECT COUNT(*) FROM message WHERE mailbox = $1";
        Ok(tx.one("count", sql, &[mailbox.0.into()])?.int(0)?)
    })
    .await
}

async fn state(bed: &Bed, id: &MessageId) -> SubmissionState {
    let id = id.clone();
    bed.read(move |tx| Ok(submissions::find(tx, &id)?.unwrap().state)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_handed_to_who_may_sign_and_his_signature_ends_it() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE, &[Role::Signs]).await;
        let reads = appoint(&bed, MEHMET, &[Role::Reads]).await;
        let (account, id) = hold(&bed).await;
        assert_eq!(standing(&bed, account, mail::Role::Held).await, 1);
        assert_eq!(todo(&bed).await, [(TaskKind::Sign, TaskState::Open)]);
        let hand = async |by_operator, to| {
            let address = firm();
            handovers::hand_over(&bed.store, &by(NOW), &address, by_operator, id.as_str(), to).await
        };
        let refused = hand(None, reads).await;
        assert!(matches!(refused, Err(HandoverError::NotHis(..))), "{refused:?}");
        assert!(matches!(hand(Some(reads), signs).await, Err(HandoverError::NotHis(..))));
        assert!(matches!(hand(None, code(9)).await, Err(HandoverError::Operator(_))));
        let handed = hand(None, signs).await.unwrap();
        assert!(matches!(handed.state, State::Waiting { to: Some(to), .. } if to == signs));
        sign(&bed, account, 1, NOW.plus_secs(60)).await;
        sign(&bed, account, 1, NOW.plus_secs(61)).await;
        let found = all(&bed).await;
        let at = NOW.plus_secs(60);
        let message = MessageId::parse("2@hs05.kep.tr").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].state, State::Signed { by: Some(signs), at, message });
        assert_eq!(todo(&bed).await, [(TaskKind::Sign, TaskState::Done { at })]);
        assert_eq!(standing(&bed, account, mail::Role::Held).await, 0);
        assert_eq!(state(&bed, &id).await, SubmissionState::Signed);
        let back =
            handovers::give_back(&bed.store, &by(NOW), &firm(), None, found[0].id, "olmaz").await;
        assert!(matches!(back, Err(HandoverError::Mistimed(_))), "{back:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_returned_stands_in_the_drafts_and_may_come_again() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE, &[Role::Signs]).await;
        let other = appoint(&bed, MEHMET, &[Role::Signs]).await;
        let (account, id) = hold(&bed).await;
        let address = firm();
        let subject = id.as_str();
        let one = handovers::hand_over(&bed.store, &by(NOW), &address, None, subject, signs).await;
        let one = one.unwrap().id;
        let give = async |who, reason: &'static str| {
            handovers::give_back(&bed.store, &by(NOW), &firm(), Some(who), one, reason).await
        };
        assert!(matches!(give(other, "benim değil").await, Err(HandoverError::NotHis(..))));
        assert!(matches!(give(signs, " ").await, Err(HandoverError::Reason)));
        let back = give(signs, "ek eksik").await.unwrap();
        let reason = "ek eksik".to_owned();
        assert_eq!(back.state, State::Returned { by: Some(signs), at: NOW, reason });
        assert_eq!(standing(&bed, account, mail::Role::Held).await, 0);
        assert_eq!(standing(&bed, account, mail::Role::Drafts).await, 1);
        assert_eq!(state(&bed, &id).await, SubmissionState::Withdrawn);
        let done = (TaskKind::Sign, TaskState::Done { at: NOW });
        assert_eq!(todo(&bed).await, [done, (TaskKind::Returned, TaskState::Open)]);
        // From the drafts it is handed over again; then its signed form goes.
        let again = handovers::hand_over(&bed.store, &by(NOW), &address, None, UA, other).await;
        assert!(matches!(again.unwrap().state, State::Waiting { .. }));
        let draft = (TaskKind::Sign, TaskState::Open);
        assert_eq!(todo(&bed).await, [done, (TaskKind::Returned, done.1), draft]);
        sign(&bed, account, 2, NOW).await;
        assert_eq!(standing(&bed, account, mail::Role::Drafts).await, 0);
        assert_eq!(standing(&bed, account, mail::Role::Trash).await, 1);
        let unknown =
            handovers::hand_over(&bed.store, &by(NOW), &address, None, "yok@x", other).await;
        assert!(matches!(unknown, Err(HandoverError::NoPaper(..))));
        // The same mail again is not the one that was withdrawn.
        let mut new = held(&bed, account);
        new.message_id = MessageId::parse("3@hs05.kep.tr").unwrap();
        assert_eq!(bed.lay_in(new).await, Ok(()));
    })
    .await;
}

/// Returned, sent again unsigned, returned again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_back_is_done_when_it_is_handed_in_again_and_a_new_reason_is_told() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE, &[Role::Signs]).await;
        let (account, _) = hold(&bed).await;
        let back = async |reason: &'static str| {
            let id = all(&bed).await.iter().map(|one| one.id).max().unwrap();
            let (by, firm) = (by(NOW), firm());
            let back = handovers::give_back(&bed.store, &by, &firm, Some(signs), id, reason);
            back.await.unwrap();
        };
        let returned = async || {
            let wanted = Wanted { most: 100, ..Wanted::default() };
            let found = tasks::list(&bed.store, &firm(), wanted).await.unwrap();
            let returned = found.into_iter().filter(|one| one.kind == TaskKind::Returned);
            returned.map(|one| one.note).collect::<Vec<_>>()
        };
        back("ek eksik").await;
        assert_eq!(returned().await, ["ek eksik"]);
        let mut new = held(&bed, account);
        new.message_id = MessageId::parse("3@hs05.kep.tr").unwrap();
        let store = bed.store.clone();
        bed.write(move |tx| -> Result<(), StoreError> {
            submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
            let copy = NewMessage::of(MAIL, Kind::Plain, NOW);
            handovers::hold(tx, account, &new, &copy, &by(NOW))
        })
        .await;
        assert_eq!(returned().await, [""; 0], "it waits for a signature again");
        back("tarih yanlış").await;
        assert_eq!(returned().await, ["tarih yanlış"]);
    })
    .await;
}

/// A row that nobody can read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_over_that_can_not_be_read_holds_up_no_other() {
    on_both(|bed| async move {
        open(&bed).await;
        let (account, _) = hold(&bed).await;
        bed.write(move |tx| -> Result<(), StoreError> {
            tx.execute(
                "INSERT INTO handover (account, form, subject, operator, handed_by, since, due, state)
                 VALUES ($1, '?', 'x', 0, 'x', 0, 1, 'waiting')",
                &[account.0.into()],
            )?;
            Ok(())
        })
        .await;
        let late = NOW.plus_secs(400 * 86_400);
        assert_eq!(tasks::sweep::round(&bed.store, late).await.unwrap().lapsed, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_signs_lapses_at_its_end_however_late_that_is_written_down() {
    on_both(|bed| async move {
        open(&bed).await;
        let (account, id) = hold(&bed).await;
        let end = NOW.plus_secs(7 * 86_400);
        assert_eq!(handovers::lapse(&bed.store, end.plus_millis(-1)).await.unwrap(), 0);
        assert_eq!(handovers::lapse(&bed.store, end.plus_secs(3600)).await.unwrap(), 1);
        assert_eq!(handovers::lapse(&bed.store, end.plus_secs(3600)).await.unwrap(), 0);
        assert_eq!(all(&bed).await[0].state, State::Lapsed { at: end });
        let lapsed = (TaskKind::Sign, TaskState::Lapsed { at: end });
        assert_eq!(todo(&bed).await, [lapsed, (TaskKind::Returned, TaskState::Open)]);
        assert_eq!(standing(&bed, account, mail::Role::Drafts).await, 1);
        assert_eq!(state(&bed, &id).await, SubmissionState::Withdrawn);
        // Who signs it after all has nothing left to do.
        sign(&bed, account, 0, end.plus_secs(7200)).await;
        let done = TaskState::Done { at: end.plus_secs(7200) };
        assert_eq!(todo(&bed).await, [lapsed, (TaskKind::Returned, done)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reserved_for_it_comes_back_when_it_goes_no_further() {
    on_both(|bed| async move {
        open(&bed).await;
        let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
        let what = super::credits::addition(Unit::Credit, 5, "F-1");
        credits::top_up(&bed.store, &by(NOW), &firm(), &what).await.unwrap();
        let (mut new, store) = (held(&bed, account), bed.store.clone());
        let charge = Charge { total: 3, elsewhere: 1, here: 3, back: vec![21, 31, 41], low: 0 };
        new.details.charge = Some(charge);
        bed.write(move |tx| -> Result<(), StoreError> {
            assert_eq!(credits::pay(tx, &new, &[])?, Paid::Yes);
            submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
            let copy = NewMessage::of(MAIL, Kind::Plain, NOW);
            handovers::hold(tx, account, &new, &copy, &by(NOW))
        })
        .await;
        let left = async || bed.read(move |tx| Ok(rows::balance(tx, account)?)).await;
        assert_eq!((left().await.available, left().await.reserved), (2, 3));
        let end = NOW.plus_secs(8 * 86_400);
        for _ in 0..2 {
            handovers::lapse(&bed.store, end).await.unwrap();
            assert_eq!((left().await.available, left().await.reserved), (5, 0));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_ends_leaves_what_waits_to_whoever_may_sign() {
    on_both(|bed| async move {
        open(&bed).await;
        let signs = appoint(&bed, AYSE, &[Role::Signs]).await;
        let (account, id) = hold(&bed).await;
        let address = firm();
        let subject = id.as_str();
        handovers::hand_over(&bed.store, &by(NOW), &address, None, subject, signs).await.unwrap();
        operators::end(&bed.store, &by(NOW), &address, signs).await.unwrap();
        assert!(matches!(all(&bed).await[0].state, State::Waiting { to: None, .. }));
        bed.write(move |tx| handovers::released(tx, account, &id, &by(NOW))).await;
        assert_eq!(all(&bed).await[0].state, State::Released { at: NOW });
        assert_eq!(standing(&bed, account, mail::Role::Held).await, 0);
        assert_eq!(todo(&bed).await, [(TaskKind::Sign, TaskState::Done { at: NOW })]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_signature_a_return_and_a_lapse_at_the_same_time_one_wins() {
    on_both(|bed| async move {
        open(&bed).await;
        let (account, id) = hold(&bed).await;
        let one = all(&bed).await[0].id;
        let end = NOW.plus_secs(8 * 86_400);
        let mut tries = tokio::task::JoinSet::new();
        for n in 0..12 {
            // Other processes, where there can be some.
            let store = match bed.store.shared() {
                true => bed.another().await,
                false => bed.store.clone(),
            };
            tries.spawn(async move {
                match n % 3 {
                    0 => {
                        let work = move |tx: &mut kep::store::Tx<'_>| {
                            kep::store::accounts::lock(tx, account)?;
                            let message = MessageId::parse("2@hs05.kep.tr").unwrap();
                            let message = &message;
                            let sent = Sent { account, ua_message_id: UA, message, signer: None };
                            handovers::signed(tx, &sent, &by(end))
                        };
                        store.write(Lane::Client, work).await.unwrap();
                    }
                    1 => {
                        let reason = "aynı anda";
                        let back =
                            handovers::give_back(&store, &by(end), &firm(), None, one, reason)
                                .await;
                        assert!(matches!(back, Ok(_) | Err(HandoverError::Mistimed(_))));
                    }
                    _ => {
                        handovers::lapse(&store, end).await.unwrap();
                    }
                }
            });
        }
        tries.join_all().await;
        let found = all(&bed).await;
        assert_eq!(found.len(), 1);
        let signed = matches!(found[0].state, State::Signed { .. });
        assert!(!matches!(found[0].state, State::Waiting { .. }));
        let (held, drafts) = (mail::Role::Held, mail::Role::Drafts);
        assert_eq!(standing(&bed, account, held).await, 0);
        assert_eq!(standing(&bed, account, drafts).await, i64::from(!signed));
        let went = state(&bed, &id).await;
        assert_eq!(went == SubmissionState::Signed, signed);
        let acts = bed.count("SELECT COUNT(*) FROM audit WHERE act LIKE 'handover.%'").await;
        assert_eq!(acts, 1, "one act is recorded");
    })
    .await;
}
