//! Which messages are told to be one conversation (RFC 8474 THREADID).

use super::on_stores;
use super::opening::said;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::imap::{Flags, object_id};
use crate::wire::{AccountId, ThreadId};

on_stores!(
    answers_are_in_the_conversation_of_what_they_answer,
    what_joins_two_conversations_leaves_them_two,
    a_conversation_is_known_before_its_first_message_comes,
    copies_are_in_the_conversation_wherever_they_lie,
    conversations_are_an_accounts_own,
    a_notice_and_its_dispatch_are_in_one_conversation_unopened_or_opened,
    a_notice_is_in_no_conversation_that_its_dispatch_names,
    a_copy_that_takes_the_servers_place_keeps_the_conversation,
    conversations_are_searched_for,
);

fn mail(id: &str, more: &str) -> String {
    format!("Subject: x\r\nMessage-ID: <{id}>\r\n{more}\r\nmetin\r\n")
}

async fn put(world: &World, account: AccountId, id: &str, more: &str) {
    world.put(account, Role::Inbox, &mail(id, more), Kind::Plain).await;
}

async fn threads(desk: &mut Desk, mailbox: &str) -> Vec<ThreadId> {
    let mailbox = select(desk, mailbox).await.mailbox;
    let want = RowWant { thread: true, ..RowWant::default() };
    match desk.answer(Ask::Rows { mailbox, uids: uids("1:*"), want }).await {
        Answer::Rows(rows) => rows.iter().map(|row| row.thread.expect("decided")).collect(),
        other => panic!("{other:?}"),
    }
}

/// As numbers, by when a conversation is met first.
async fn grouped(desk: &mut Desk, mailbox: &str) -> Vec<usize> {
    let threads = threads(desk, mailbox).await;
    let mut met = Vec::new();
    let mut number = |thread: &ThreadId| {
        let known = met.iter().position(|other| other == thread);
        known.unwrap_or_else(|| {
            met.push(*thread);
            met.len() - 1
        })
    };
    threads.iter().map(&mut number).collect()
}

async fn answers_are_in_the_conversation_of_what_they_answer(world: World) {
    for (id, more) in [
        ("a@x", ""),
        ("b@x", "In-Reply-To: <a@x>\r\n"),
        ("c@x", "References: <a@x> <b@x>\r\n"),
        // About the same, and of no conversation but its own.
        ("d@x", ""),
        ("e@x", "References: <unknown@x>\r\n\t<\"c\"@x>\r\n"),
        ("f@x", "In-Reply-To: your mail\r\n"),
        ("a@x", ""),
    ] {
        put(&world, world.veli, id, more).await;
    }
    world.put(world.veli, Role::Inbox, "Subject: x\r\n\r\nno name\r\n", Kind::Plain).await;
    world.put(world.veli, Role::Inbox, "no header", Kind::Plain).await;
    let mut desk = world.desk("veli").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 0, 0, 1, 0, 2, 0, 3, 4]);
}

async fn what_joins_two_conversations_leaves_them_two(world: World) {
    put(&world, world.veli, "a@x", "").await;
    put(&world, world.veli, "b@x", "").await;
    let mut desk = world.desk("veli").await;
    let before = threads(&mut desk, "INBOX").await;
    put(&world, world.veli, "c@x", "References: <a@x> <b@x>\r\n").await;
    put(&world, world.veli, "d@x", "References: <a@x>\r\n").await;
    // The nearest counts.
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 1, 1, 0]);
    assert_eq!(threads(&mut desk, "INBOX").await[..2], before);
}

async fn a_conversation_is_known_before_its_first_message_comes(world: World) {
    put(&world, world.veli, "c@x", "References: <a@x> <b@x>\r\n").await;
    put(&world, world.veli, "d@x", "References: <a@x>\r\n").await;
    put(&world, world.veli, "b@x", "In-Reply-To: <a@x>\r\n").await;
    put(&world, world.veli, "a@x", "").await;
    let mut desk = world.desk("veli").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 0, 0, 0]);
    // Who named it first may go.
    said(&mut desk, "c STORE 1:3 +FLAGS (\\Deleted)\r\nd EXPUNGE").await;
    put(&world, world.veli, "e@x", "In-Reply-To: <a@x>\r\n").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 0]);
}

async fn copies_are_in_the_conversation_wherever_they_lie(world: World) {
    put(&world, world.veli, "a@x", "").await;
    put(&world, world.veli, "b@x", "").await;
    let mut desk = world.desk("veli").await;
    let both = threads(&mut desk, "INBOX").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    desk.answer(Ask::Copy { mailbox, uids: uids("1"), to: name("Taslaklar") }).await;
    desk.answer(Ask::Move { mailbox, uids: uids("1"), to: name("Arşiv") }).await;
    for place in ["Taslaklar", "Arşiv"] {
        assert_eq!(threads(&mut desk, place).await, both[..1], "{place}");
    }
    let all = threads(&mut desk, "Tüm Postalar").await;
    assert_eq!(all.iter().filter(|thread| **thread == both[0]).count(), 2);
    assert_eq!(all.iter().filter(|thread| **thread == both[1]).count(), 1);
}

/// Whoever knows a Message-ID learns nothing of who else has it.
async fn conversations_are_an_accounts_own(world: World) {
    put(&world, world.ali, "a@x", "").await;
    put(&world, world.veli, "b@x", "References: <a@x>\r\n").await;
    put(&world, world.veli, "a@x", "").await;
    let (mut ali, mut veli) = (world.desk("ali").await, world.desk("veli").await);
    let (theirs, own) = (threads(&mut ali, "INBOX").await, threads(&mut veli, "INBOX").await);
    assert_eq!(grouped(&mut veli, "INBOX").await, [0, 0]);
    assert!(!own.contains(&theirs[0]));
    let search = format!("c SEARCH THREADID {}", object_id::thread_id(theirs[0]));
    assert!(said(&mut veli, &search).await.contains("* SEARCH\r\n"));
}

async fn a_notice_and_its_dispatch_are_in_one_conversation_unopened_or_opened(world: World) {
    put(&world, world.veli, "other@x", "").await;
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let notice = threads(&mut desk, "INBOX").await[1];
    // Nothing of what the original says is looked at.
    put(&world, world.veli, "guess@x", "References: <ua-1@example.org>\r\n").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 1, 2]);
    assert_eq!(world.facts().await, 0);
    let moved = said(&mut desk, "c UID MOVE 2 \"A&AOcBMQ-lacaklar\"").await;
    assert!(moved.contains("c OK"), "{moved}");
    assert_eq!(threads(&mut desk, "INBOX").await.last(), Some(&notice));
    put(&world, world.veli, "answer@x", "References: <m1@hs05.kep.tr>\r\n").await;
    assert_eq!(threads(&mut desk, "INBOX").await.last(), Some(&notice));
}

/// What an unopened message answers is told with its content, by whatever it is found; what answers it
/// later is in its conversation.
async fn a_notice_is_in_no_conversation_that_its_dispatch_names(world: World) {
    put(&world, world.veli, "asked@x", "").await;
    put(&world, world.veli, "also@x", "References: <ua-1@example.org>\r\n").await;
    let head = HEAD.replacen("\r\n", "\r\nReferences: <asked@x>\r\n <ua-1@example.org>\r\n", 1);
    world.deliver_of("m1@hs05.kep.tr", &head).await;
    put(&world, world.veli, "guess@x", "References: <asked@x>\r\n").await;
    let mut desk = world.desk("veli").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 1, 2, 0]);
    assert_eq!(world.facts().await, 0);
    let moved = said(&mut desk, "c UID MOVE 3 \"A&AOcBMQ-lacaklar\"").await;
    assert!(moved.contains("c OK"), "{moved}");
    put(&world, world.veli, "answer@x", "In-Reply-To: <m1@hs05.kep.tr>\r\n").await;
    assert_eq!(grouped(&mut desk, "INBOX").await, [0, 1, 0, 2, 2]);
}

async fn a_copy_that_takes_the_servers_place_keeps_the_conversation(world: World) {
    world.submit("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("ali").await;
    let servers = threads(&mut desk, "Giden Kutusu").await;
    let sent = "Subject: x\r\nMessage-ID: <ua-1@example.org>\r\n\r\nmetin\r\n";
    let appended = append(&mut desk, "Giden Kutusu", sent, Flags::default()).await;
    assert!(matches!(appended, Answer::Appended(_)), "{appended:?}");
    let own = threads(&mut desk, "Giden Kutusu").await;
    assert_eq!((servers.len(), own.clone()), (1, servers));
    put(&world, world.ali, "answer@x", "In-Reply-To: <ua-1@example.org>\r\n").await;
    put(&world, world.ali, "proof@x", "References: <m1@hs05.kep.tr>\r\n").await;
    assert_eq!(threads(&mut desk, "INBOX").await, [own[0]; 2]);
}

async fn conversations_are_searched_for(world: World) {
    for (id, more) in [("a@x", ""), ("b@x", "In-Reply-To: <a@x>\r\n"), ("c@x", "")] {
        put(&world, world.veli, id, more).await;
    }
    let mut desk = world.desk("veli").await;
    let thread = object_id::thread_id(threads(&mut desk, "INBOX").await[0]);
    for (search, found) in [
        (format!("THREADID {thread}"), " 1 2"),
        (format!("NOT THREADID {thread}"), " 3"),
        (format!("THREADID {thread} HEADER Message-ID b@x"), " 2"),
        (format!("OR THREADID {thread} HEADER Message-ID c@x"), " 1 2 3"),
        (format!("THREADID {thread} BODY metin"), " 1 2"),
        (format!("FUZZY THREADID {thread}"), " 1 2"),
        ("THREADID T999999".to_owned(), ""),
        ("NOT THREADID T9223372036854775807".to_owned(), " 1 2 3"),
    ] {
        let heard = said(&mut desk, &format!("c SEARCH {search}")).await;
        assert!(heard.contains(&format!("* SEARCH{found}\r\n")), "{search}: {heard}");
    }
}
