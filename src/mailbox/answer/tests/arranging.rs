//! SORT and THREAD over what is stored.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::MailboxId;
use crate::wire::imap::UidSet;
use crate::wire::imap::command::{SortCriterion, SortKey, Threading};

on_stores!(
    each_sort_key_puts_in_its_order,
    threads_are_made_of_headers,
    an_unopened_dispatch_is_sorted_by_its_outer_header,
    many_messages_are_sorted_in_batches,
    nobody_sorts_what_is_anothers,
);

async fn sort(desk: &mut Desk, mailbox: MailboxId, by: &[(SortKey, bool)]) -> String {
    let by = by.iter().map(|(key, reverse)| SortCriterion { key: *key, reverse: *reverse });
    let (uids, exact) = (UidSet::range(1, 1_000), UidSet::range(2, 3));
    let ask = Ask::Sort { mailbox, uids, exact, by: by.collect() };
    match desk.answer(ask).await {
        Answer::Sorted(uids) => uids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        other => panic!("{other:?}"),
    }
}

async fn thread(desk: &mut Desk, mailbox: MailboxId, uids: UidSet, by: Threading) -> String {
    match desk.answer(Ask::Thread { mailbox, uids, by }).await {
        Answer::Threads(tokens) => {
            let word = |token: ThreadToken| match token {
                ThreadToken::Open => "(".to_owned(),
                ThreadToken::Close => ")".to_owned(),
                ThreadToken::Message(uid) => format!(" {uid}"),
            };
            tokens.into_iter().map(word).collect::<String>().replace("( ", "(")
        }
        other => panic!("{other:?}"),
    }
}

async fn each_sort_key_puts_in_its_order(world: World) {
    for mail in [
        "From: Zeynep <b@x>\r\nTo: c@x\r\nCc: b@x\r\nSubject: Re: [liste] \u{e7}ay\r\n\
         Date: Tue, 24 Nov 2026 00:30:00 +0300\r\n\r\nuzun uzun uzun uzun uzun\r\n",
        "From: =?utf-8?q?=C3=87i=C4=9Fdem?= <C@x>\r\nTo: ekip: a@x;\r\nSubject: cam (fwd)\r\n\
         Date: Mon, 23 Nov 2026 21:40:00 +0000\r\n\r\nx\r\n",
        "From: a@x (Ahmet)\r\nSubject: Dere\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n\r\nxx\r\n",
        "Subject: d\u{fc}n\r\nDate: hi\u{e7}\r\n\r\nxxx\r\n",
    ] {
        world.put(world.ali, Role::Inbox, mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let cases: [(&[(SortKey, bool)], &str); 13] = [
        (&[(SortKey::Relevancy, false)], "2 3 1 4"),
        (&[(SortKey::Arrival, false)], "1 2 3 4"),
        (&[(SortKey::Arrival, true)], "1 2 3 4"),
        // 00:30 in Turkey is 21:30 in UTC; without a date the day it came counts, November 18.
        (&[(SortKey::Date, false)], "4 3 1 2"),
        (&[(SortKey::Date, true)], "2 1 3 4"),
        (&[(SortKey::Subject, false)], "2 1 3 4"),
        (&[(SortKey::Subject, true)], "4 3 1 2"),
        (&[(SortKey::From, false)], "4 3 1 2"),
        (&[(SortKey::To, false)], "3 4 1 2"),
        (&[(SortKey::Cc, false), (SortKey::From, true)], "2 3 4 1"),
        (&[(SortKey::Size, false)], "4 3 2 1"),
        (&[(SortKey::DisplayFrom, false)], "4 3 2 1"),
        (&[(SortKey::DisplayTo, true)], "2 1 3 4"),
    ];
    for (by, expected) in cases {
        assert_eq!(sort(&mut desk, mailbox, by).await, expected, "{by:?}");
    }
}

async fn threads_are_made_of_headers(world: World) {
    for mail in [
        "Message-ID: <1@x>\r\nSubject: a\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n\r\n",
        "Message-ID: <2@x>\r\nReferences: <1@x>\r\nSubject: b\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0300\r\n\r\n",
        "Message-ID: <3@x>\r\nIn-Reply-To: <\"1\"@x>\r\nSubject: c\r\n\
         Date: Mon, 23 Nov 2026 11:00:00 +0300\r\n\r\n",
        "Message-ID: <4@x>\r\nSubject: Re: A\r\nDate: Mon, 23 Nov 2026 13:00:00 +0300\r\n\r\n",
        "Message-ID: <5@x>\r\nSubject: b\r\nDate: Mon, 23 Nov 2026 14:00:00 +0300\r\n\r\n",
    ] {
        world.put(world.ali, Role::Inbox, mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let all = || UidSet::range(1, 9);
    let threads = thread(&mut desk, mailbox, all(), Threading::References).await;
    assert_eq!(threads, "(1(3)(2)(4))(5)");
    let threads = thread(&mut desk, mailbox, all(), Threading::OrderedSubject).await;
    assert_eq!(threads, "(1 4)(3)(2 5)");
    // What is not asked for is as if it weren't there.
    let threads = thread(&mut desk, mailbox, uids("2:3"), Threading::References).await;
    assert_eq!(threads, "((3)(2))");
    assert_eq!(thread(&mut desk, mailbox, uids("77"), Threading::References).await, "");
}

async fn an_unopened_dispatch_is_sorted_by_its_outer_header(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.put(world.veli, Role::Inbox, "Subject: [KEP z\r\n\r\nx\r\n", Kind::Plain).await;
    world.put(world.veli, Role::Inbox, "Subject: [KEP a\r\n\r\nx\r\n", Kind::Plain).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let before = sort(&mut desk, mailbox, &[(SortKey::Subject, false)]).await;
    let threads = thread(&mut desk, mailbox, UidSet::range(1, 9), Threading::References).await;
    assert_eq!(world.facts().await, 0, "{before} {threads}");
}

async fn many_messages_are_sorted_in_batches(world: World) {
    for n in 0..600 {
        let mail = format!("Subject: {:03}\r\n\r\nx\r\n", 599 - n);
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let sorted = sort(&mut desk, mailbox, &[(SortKey::Subject, false)]).await;
    assert!(sorted.starts_with("600 599 598 "), "{sorted}");
    assert!(sorted.ends_with(" 3 2 1"), "{sorted}");
}

async fn nobody_sorts_what_is_anothers(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut ali = world.desk("ali").await;
    let mailbox = select(&mut ali, "INBOX").await.mailbox;
    let mut veli = world.desk("veli").await;
    let (uids, by) = (UidSet::one(1), Threading::References);
    let ask = Ask::Thread { mailbox, uids: uids.clone(), by };
    assert_eq!(refused(veli.answer(ask).await), Refusal::NoSuchMailbox);
    let by = vec![SortCriterion { key: SortKey::Size, reverse: false }];
    let ask = Ask::Sort { mailbox, uids, exact: UidSet::new(), by };
    assert_eq!(refused(veli.answer(ask).await), Refusal::NoSuchMailbox);
}
