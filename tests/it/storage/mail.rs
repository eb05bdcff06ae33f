//! UIDs and mod-sequences grow, whoever lays in, moves and removes at the same time.

use super::bed::{self, Bed, submission};
use super::contents::content;
use super::{NOW, on_both};
use kep::spool::opening::{self, Opening};
use kep::spool::{self, Channel, Fact, Step, Takers};
use kep::store::mail::{self, Kind, Place, Role};
use kep::store::submissions::{self, RecipientState};
use kep::store::{Lane, RowsError, Store, StoreError, Tx};
use kep::wire::{AccountId, ContentId, MailboxId, Timestamp};
use std::collections::BTreeSet;

async fn mailbox(bed: &Bed, account: AccountId, role: Role) -> MailboxId {
    bed.read(move |tx| Ok(mail::of_role(tx, account, role)?)).await
}

async fn lay_in(bed: &Bed, mailbox: MailboxId, content: ContentId, kind: Kind) -> u32 {
    let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
    let message = bed::message(&put, kind, Some(bed::id(1)));
    bed.write(move |tx| Ok(mail::lay_in(tx, mailbox, content, &message)?)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uids_and_mod_sequences_are_given_once_each() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let inbox = mailbox(&bed, account, Role::Inbox).await;
        let content = content(&bed.store, &[b"mail"]).await;
        let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let store = bed.store.clone();
                let message = bed::message(&put, Kind::Plain, None);
                let work = move |tx: &mut Tx<'_>| Ok(mail::lay_in(tx, inbox, content, &message)?);
                tokio::spawn(
                    async move { store.write::<_, StoreError, _>(Lane::Client, work).await },
                )
            })
            .collect();
        let mut uids = BTreeSet::new();
        for task in tasks {
            uids.insert(task.await.unwrap().unwrap());
        }
        assert_eq!(uids, (1..=32).collect());
        assert_eq!(bed.count("SELECT COUNT(DISTINCT mod_seq) FROM message").await, 32);
        let behind = "SELECT COUNT(*) FROM mailbox b JOIN message m ON m.mailbox = b.id
                      WHERE m.mod_seq > b.mod_seq OR m.uid >= b.uid_next";
        assert_eq!(bed.count(behind).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_removed_vanishes_and_its_content_with_the_last_use() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let inbox = mailbox(&bed, account, Role::Inbox).await;
        let content = content(&bed.store, &[b"mail"]).await;
        let first = Place { mailbox: inbox, uid: lay_in(&bed, inbox, content, Kind::Plain).await };
        let second = Place { mailbox: inbox, uid: lay_in(&bed, inbox, content, Kind::Plain).await };
        assert!(bed.write(move |tx| Ok(mail::remove(tx, first)?)).await);
        assert!(!bed.write(move |tx| Ok(mail::remove(tx, first)?)).await, "it is gone");
        assert_eq!(bed.store.content(content).await.unwrap(), b"mail", "the other has it");
        assert!(bed.write(move |tx| Ok(mail::remove(tx, second)?)).await);
        assert_eq!(bed.count("SELECT COUNT(*) FROM content").await, 0);
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 0);
        assert_eq!(bed.count("SELECT COUNT(*) FROM vanished").await, 2);
        let next = "SELECT uid_next FROM mailbox WHERE role = 'inbox'";
        assert_eq!(bed.count(next).await, 3, "UIDs are not used again");
    })
    .await;
}

#[tokio::test]
async fn moving_a_message_that_is_gone_changes_nothing() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let inbox = mailbox(&bed, account, Role::Inbox).await;
        let trash = mailbox(&bed, account, Role::Trash).await;
        let content = content(&bed.store, &[b"mail"]).await;
        let place = Place { mailbox: inbox, uid: lay_in(&bed, inbox, content, Kind::Plain).await };
        let later = NOW.plus_secs(5);
        assert_eq!(bed.write(move |tx| Ok(mail::move_to(tx, place, trash, later)?)).await, 1);
        assert_eq!(bed.count("SELECT saved_at FROM message").await, later.millis());
        let work = move |tx: &mut Tx<'_>| mail::move_to(tx, place, trash, NOW);
        let again = bed.store.write::<_, RowsError, _>(Lane::Client, work).await;
        assert!(matches!(again, Err(RowsError::Missing("message"))), "{again:?}");
        assert_eq!(bed.count("SELECT uid_next FROM mailbox WHERE role = 'trash'").await, 2);
        assert_eq!(bed.count("SELECT COUNT(*) FROM vanished").await, 1);
    })
    .await;
}

/// A stub in INBOX, its dispatch hidden: as delivery leaves a message in the mode `kapalı zarf`.
async fn delivered(bed: &Bed) -> AccountId {
    let account = bed.account("ayse@hs05.kep.tr").await;
    bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
    let dispatch = content(&bed.store, &[b"dispatch"]).await;
    let stub = content(&bed.store, &[b"stub"]).await;
    let hidden = mailbox(bed, account, Role::Hidden).await;
    let inbox = mailbox(bed, account, Role::Inbox).await;
    lay_in(bed, hidden, dispatch, Kind::Sealed).await;
    lay_in(bed, inbox, stub, Kind::Stub).await;
    let state = RecipientState::Delivered;
    bed.write(move |tx| Ok(submissions::outcome(tx, &bed::id(1), 1, state, NOW)?)).await;
    account
}

fn opening(account: AccountId) -> Opening {
    Opening {
        account,
        message: bed::id(1),
        channel: Channel::Imap,
        person: "ayse@hs05.kep.tr".into(),
        at: NOW,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_openings_at_once_one_is_recorded_and_all_are_shown_the_same() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        let open = || {
            let (store, opening) = (bed.store.clone(), opening(account));
            let work = move |tx: &mut Tx<'_>| Ok(opening::open(tx, &opening)?);
            tokio::spawn(async move { store.write::<_, StoreError, _>(Lane::Client, work).await })
        };
        let tasks: Vec<_> = (0..16).map(|_| open()).collect();
        let mut places = BTreeSet::new();
        for task in tasks {
            places.extend(task.await.unwrap().unwrap());
        }
        assert_eq!(places.len(), 1, "{places:?}");
        let facts = "SELECT COUNT(*) FROM job WHERE step = 'evidence'";
        assert_eq!(bed.count(facts).await, 1);
        let payload = bed.read(|tx| {
            Ok(tx
                .one("job", "SELECT payload FROM job WHERE step = 'evidence'", &[])?
                .text(0)?
                .to_owned())
        });
        assert!(matches!(Fact::parse(&payload.await).unwrap(), Fact::Read { recipient: 1, .. }));
        assert_eq!(bed.count("SELECT COUNT(*) FROM message WHERE kind = 'stub'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openings_at_once_after_the_time_out_all_succeed() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        let expired = RecipientState::Expired;
        bed.write(move |tx| Ok(submissions::opened(tx, &bed::id(1), 1, expired, NOW)?)).await;
        let open = || {
            let (store, opening) = (bed.store.clone(), opening(account));
            let work = move |tx: &mut Tx<'_>| Ok(opening::open(tx, &opening)?);
            tokio::spawn(async move { store.write::<_, StoreError, _>(Lane::Client, work).await })
        };
        for task in (0..16).map(|_| open()).collect::<Vec<_>>() {
            assert_eq!(task.await.unwrap().unwrap().len(), 1);
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM job").await, 0, "no read after the time-out");
    })
    .await;
}

/// The delivery's evidence is laid down: what `evidence::Facts` does with it.
fn evidence_of_delivery(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    submissions::set_due(tx, &bed::id(1), 1, NOW.plus_secs(3600))?;
    Ok(spool::release_read(tx, &bed::id(1), 1, NOW)?)
}

#[tokio::test]
async fn a_reading_waits_in_the_spool_for_the_evidence_of_the_delivery() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        let open = move |tx: &mut Tx<'_>| Ok(opening::open(tx, &opening(account))?);
        bed.write(open).await;
        bed.write(open).await;
        let takers = Takers::new(&bed.store, Step::Evidence);
        let years = NOW.plus_secs(50 * 365 * 86_400);
        assert!(takers.take(years, 10).await.unwrap().is_empty(), "however late it is");
        // Of another recipient, or message.
        bed.write(|tx| Ok(spool::release_read(tx, &bed::id(1), 2, NOW)?)).await;
        bed.write(|tx| Ok(spool::release_read(tx, &bed::id(2), 1, NOW)?)).await;
        assert!(takers.take(years, 10).await.unwrap().is_empty());
        // What is undone releases nothing.
        let undone = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            evidence_of_delivery(tx)?;
            Err(StoreError::NotFound("the end".into()))
        };
        assert!(bed.store.write(Lane::Background, undone).await.is_err());
        let after = bed.another().await;
        assert!(Takers::new(&after, Step::Evidence).take(years, 10).await.unwrap().is_empty());
        assert!(bed.write(evidence_of_delivery).await);
        assert!(!bed.write(evidence_of_delivery).await, "once");
        let taken = takers.take(NOW, 10).await.unwrap();
        let facts: Vec<_> = taken.iter().map(|t| Fact::parse(&t.job.payload).unwrap()).collect();
        assert!(matches!(facts[..], [Fact::Read { recipient: 1, .. }]), "{facts:?}");
    })
    .await;
}

#[tokio::test]
async fn who_is_released_is_woken() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        bed.write(move |tx| Ok(opening::open(tx, &opening(account))?)).await;
        // What rang for the laying in.
        let ring = bed.store.job_for("evidence");
        tokio::time::timeout(std::time::Duration::from_secs(30), ring).await.unwrap();
        bed.write(evidence_of_delivery).await;
        let ring = bed.store.job_for("evidence");
        tokio::time::timeout(std::time::Duration::from_secs(30), ring).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_reading_after_the_evidence_of_the_delivery_waits_for_nothing() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        assert!(!bed.write(evidence_of_delivery).await, "nobody has read");
        bed.write(move |tx| Ok(opening::open(tx, &opening(account))?)).await;
        let takers = Takers::new(&bed.store, Step::Evidence);
        assert_eq!(takers.take(NOW, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reading_and_the_evidence_of_the_delivery_at_once_leave_nothing_waiting() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        for _ in 0..20 {
            bed.write(|tx| {
                tx.execute("DELETE FROM job", &[])?;
                tx.execute("UPDATE recipient SET state = 'delivered', due_at = NULL", &[])?;
                Ok(())
            })
            .await;
            let (reading, telling) = (bed.store.clone(), bed.store.clone());
            let read = tokio::spawn(async move {
                let work = move |tx: &mut Tx<'_>| opening::open(tx, &opening(account));
                reading.write::<_, RowsError, _>(Lane::Client, work).await.map(drop)
            });
            let told = tokio::spawn(async move {
                telling.write(Lane::Background, evidence_of_delivery).await.map(drop)
            });
            read.await.unwrap().unwrap();
            told.await.unwrap().unwrap();
            let due = "SELECT COUNT(*) FROM job WHERE due_at <= 1795424000000";
            assert_eq!(bed.count(due).await, 1);
        }
    })
    .await;
}

/// As delivered, with a time to read that ends at `due` and the job for that.
async fn delivered_until(bed: &Bed, due: Timestamp) -> AccountId {
    let account = delivered(bed).await;
    bed.write(move |tx| {
        submissions::set_due(tx, &bed::id(1), 1, due)?;
        Ok(spool::expire(tx, &bed::id(1), 1, due)?)
    })
    .await;
    account
}

/// What became of the recipient, and the facts about him.
async fn outcome(bed: &Bed) -> (RecipientState, Vec<Fact>) {
    bed.read(|tx| {
        let state = submissions::recipients(tx, &bed::id(1))?[0].state;
        let facts = tx.query("SELECT payload FROM job WHERE step = 'evidence'", &[])?;
        let facts = facts.iter().map(|row| Fact::parse(row.text(0)?));
        Ok((state, facts.collect::<Result<_, _>>()?))
    })
    .await
}

fn expired(due: Timestamp) -> Fact {
    Fact::Expired { message: bed::id(1).to_string(), recipient: 1, at: due.millis() }
}

/// The step whose job waits: what `evidence::Facts` does when it comes to it.
async fn time_out(store: &Store, due: Timestamp, now: Timestamp) -> bool {
    let work = move |tx: &mut Tx<'_>| opening::expire(tx, &bed::id(1), 1, due, now);
    store.write::<_, RowsError, _>(Lane::Background, work).await.unwrap()
}

#[tokio::test]
async fn invariant_02_the_time_to_read_ends_once_however_late_the_server_comes_back() {
    on_both(|bed| async move {
        // The server comes back an hour late, and the addressee is faster than the job.
        let due = NOW.plus_secs(-3600);
        let account = delivered_until(&bed, due).await;
        let open = move |tx: &mut Tx<'_>| Ok(opening::open(tx, &opening(account))?);
        let shown = bed.write(open).await;
        assert_eq!(shown.len(), 1, "the content is shown all the same");
        assert_eq!(outcome(&bed).await, (RecipientState::Expired, vec![expired(due)]));
        assert!(!time_out(&bed.store, due, NOW.plus_secs(1)).await, "its job comes second");
        assert_eq!(bed.write(open).await, shown);
        assert_eq!(outcome(&bed).await, (RecipientState::Expired, vec![expired(due)]));
    })
    .await;
}

#[tokio::test]
async fn what_is_opened_in_the_last_moment_is_read() {
    on_both(|bed| async move {
        let due = NOW.plus_millis(1);
        let account = delivered_until(&bed, due).await;
        bed.write(move |tx| Ok(opening::open(tx, &opening(account))?)).await;
        assert!(!time_out(&bed.store, due, due).await);
        let (state, facts) = outcome(&bed).await;
        assert_eq!(state, RecipientState::Read);
        assert!(matches!(facts[..], [Fact::Read { .. }]), "{facts:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_openings_and_time_outs_at_once_one_outcome_is_recorded() {
    on_both(|bed| async move {
        let account = delivered_until(&bed, NOW).await;
        let tasks = (0..16).map(|n| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                match n % 2 {
                    0 => time_out(&store, NOW, NOW).await,
                    _ => {
                        let work = move |tx: &mut Tx<'_>| opening::open(tx, &opening(account));
                        let shown = store.write::<_, RowsError, _>(Lane::Client, work).await;
                        shown.unwrap().is_empty()
                    }
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(outcome(&bed).await, (RecipientState::Expired, vec![expired(NOW)]));
    })
    .await;
}

#[tokio::test]
async fn after_the_time_out_the_message_is_shown_whether_its_notice_stands_or_not() {
    on_both(|bed| async move {
        let account = delivered_until(&bed, NOW).await;
        let inbox = mailbox(&bed, account, Role::Inbox).await;
        // The addressee deletes the notice for good: the message waits for its time-out.
        let notice = Place { mailbox: inbox, uid: 1 };
        assert!(bed.write(move |tx| Ok(mail::remove(tx, notice)?)).await);
        assert!(time_out(&bed.store, NOW, NOW).await);
        let shown = "SELECT COUNT(*) FROM message m JOIN mailbox b ON b.id = m.mailbox
                     WHERE b.role = 'inbox' AND m.kind = 'dispatch' AND m.uid = 2";
        assert_eq!(bed.count(shown).await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 1);
        assert_eq!(outcome(&bed).await, (RecipientState::Expired, vec![expired(NOW)]));
    })
    .await;
    on_both(|bed| async move {
        delivered_until(&bed, NOW).await;
        assert!(time_out(&bed.store, NOW, NOW).await);
        let left = "SELECT COUNT(*) FROM message WHERE kind <> 'dispatch'";
        assert_eq!(bed.count(left).await, 0, "the notice has done its work");
        assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 1);
    })
    .await;
}
