//! Conversations: decided once, of old messages when somebody asks, and never more than messages bring.

use super::bed::Bed;
use super::contents::content;
use super::{NOW, on_both};
use kep::store::mail::{self, Kind, NewMessage, Role, change, threads, view};
use kep::wire::imap::UidSet;
use kep::wire::{AccountId, ThreadId};

/// Lays a mail into INBOX; its content is of no account yet.
async fn lay(bed: &Bed, account: AccountId, header: &str) -> ThreadId {
    let id = content(&bed.store, &[b"mail"]).await;
    let mail = format!("{header}\r\n").into_bytes();
    bed.write(move |tx| {
        let inbox = mail::of_role(tx, account, Role::Inbox)?;
        mail::lay_in(tx, inbox, id, &NewMessage::of(&mail, Kind::Plain, NOW))?;
        Ok(threads::thread_of(tx, account, id)?.unwrap())
    })
    .await
}

async fn inbox(bed: &Bed, account: AccountId) -> view::Mailbox {
    bed.read(move |tx| {
        let id = mail::of_role(tx, account, Role::Inbox)?;
        Ok(view::owned(tx, account, id)?.unwrap())
    })
    .await
}

const MEMBERS: &str = "SELECT COUNT(*) FROM thread_member";
const REFERENCES: &str = "SELECT COUNT(*) FROM thread_reference";

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_references_and_giant_ids_take_little_room() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let many: Vec<String> = (0..10_000).map(|n| format!("<{n}@x>")).collect();
        let header = format!("Message-ID: <a@x>\r\nReferences: {}\r\n", many.join("\r\n "));
        let first = lay(&bed, account, &header).await;
        assert_eq!(bed.count(REFERENCES).await, 33);
        // The last ones count, and so does its own name.
        assert_eq!(lay(&bed, account, "In-Reply-To: <9999@x>\r\n").await, first);
        assert_ne!(lay(&bed, account, "In-Reply-To: <0@x>\r\n").await, first);
        assert_eq!(lay(&bed, account, "References: <b@x> <a@x>\r\n").await, first);
        let giant = "a".repeat(300_000);
        lay(&bed, account, &format!("Message-ID: <{giant}@x>\r\nReferences: <{giant}@y>\r\n"))
            .await;
        assert_eq!(bed.count(REFERENCES).await, 35);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_message_told_of_its_conversation_goes_with_it() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        lay(&bed, account, "Message-ID: <a@x>\r\n").await;
        lay(&bed, account, "Message-ID: <b@x>\r\nReferences: <z@x> <a@x>\r\n").await;
        let inbox = inbox(&bed, account).await;
        for (uid, left) in [(1, (1, 2)), (2, (0, 0))] {
            let inbox = inbox.clone();
            bed.write(move |tx| Ok(change::remove_all(tx, &inbox, &UidSet::one(uid))?)).await;
            assert_eq!((bed.count(MEMBERS).await, bed.count(REFERENCES).await), left);
        }
    })
    .await;
}

/// As a store of before has them.
#[tokio::test(flavor = "multi_thread")]
async fn old_messages_get_their_conversations_in_steps_and_keep_them() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        for n in 0..150 {
            // Answers before what they answer, too.
            let header = format!("Message-ID: <{n}@x>\r\nIn-Reply-To: <{}@x>\r\n", (n + 75) % 150);
            lay(&bed, account, &header).await;
        }
        bed.write(|tx| Ok(tx.execute("DELETE FROM thread_member", &[])?)).await;
        bed.write(|tx| Ok(tx.execute("DELETE FROM thread_reference", &[])?)).await;
        let (inbox, all) = (inbox(&bed, account).await, UidSet::range(1, u32::MAX));
        let mut steps = 0;
        loop {
            let (of, uids) = (inbox.clone(), all.clone());
            let left = bed.read(move |tx| Ok(threads::undecided(tx, &of, &uids)?)).await;
            if left.is_empty() {
                break;
            }
            assert!(left.len() <= 64);
            let of = inbox.clone();
            bed.write(move |tx| Ok(threads::decide(tx, &of, &left)?)).await;
            steps += 1;
        }
        assert_eq!(steps, 3);
        let wanted = "SELECT COUNT(DISTINCT thread) FROM thread_member";
        assert_eq!((bed.count(MEMBERS).await, bed.count(wanted).await), (150, 75));
        // Once more changes nothing.
        let before = bed.count("SELECT CAST(SUM(thread) AS BIGINT) FROM thread_member").await;
        let of = inbox.clone();
        bed.write(move |tx| Ok(threads::decide(tx, &of, &all)?)).await;
        let after = bed.count("SELECT CAST(SUM(thread) AS BIGINT) FROM thread_member").await;
        assert_eq!(before, after);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_lay_in_one_conversation_at_once_hinder_nobody() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let mut laid = tokio::task::JoinSet::new();
        for n in 0..24 {
            let (store, id) = (bed.store.clone(), content(&bed.store, &[b"mail"]).await);
            // In one order and in the other.
            let (one, other) = if n % 2 == 0 { ("a", "b") } else { ("b", "a") };
            let role = [Role::Inbox, Role::Sent, Role::Drafts, Role::Archive][n % 4];
            let header =
                format!("Message-ID: <{n}@x>\r\nReferences: <{one}@x> <{other}@x>\r\n\r\n");
            laid.spawn(async move {
                let work = move |tx: &mut kep::store::Tx<'_>| {
                    let to = mail::of_role(tx, account, role)?;
                    let new = NewMessage::of(header.as_bytes(), Kind::Plain, NOW);
                    mail::lay_in(tx, to, id, &new).map_err(kep::store::StoreError::from)
                };
                store.write(kep::store::Lane::Client, work).await.unwrap()
            });
        }
        while let Some(done) = laid.join_next().await {
            done.unwrap();
        }
        assert_eq!((bed.count(MEMBERS).await, bed.count(REFERENCES).await), (24, 26));
    })
    .await;
}
