//! Who has a message recent (RFC 3501 §2.3.2): the first to be told of it, and nobody else.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::MailboxId;
use crate::wire::imap::*;

on_stores!(
    the_first_to_select_has_it_recent_and_to_look_takes_nothing,
    what_comes_while_many_listen_is_recent_to_one,
    that_it_is_told_changes_no_mod_sequence,
    nothing_is_recent_in_a_virtual_mailbox,
    copies_and_what_is_appended_are_recent,
    another_account_tells_of_nothing,
);

async fn arrive(world: &World, count: u32) {
    for n in 0..count {
        let mail = format!("Subject: {n}\r\n\r\nx\r\n");
        world.put(world.veli, Role::Inbox, &mail, Kind::Plain).await;
    }
}

async fn examine(desk: &mut Desk, mailbox: &str) -> Selected {
    match desk.answer(Ask::Select { name: name(mailbox), examine: true }).await {
        Answer::Selected(selected) => selected,
        other => panic!("{other:?}"),
    }
}

async fn recent_of(desk: &mut Desk, mailbox: &str) -> u32 {
    let want = StatusWant { recent: true, ..StatusWant::default() };
    match desk.answer(Ask::Status { name: name(mailbox), want }).await {
        Answer::Status(status) => status.recent,
        other => panic!("{other:?}"),
    }
}

async fn news(desk: &mut Desk, mailbox: MailboxId, since: ModSeq) -> Changes {
    match desk.answer(Ask::News { mailbox, since }).await {
        Answer::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

async fn the_first_to_select_has_it_recent_and_to_look_takes_nothing(world: World) {
    arrive(&world, 3).await;
    let (mut one, mut other) = (world.desk("veli").await, world.desk("veli").await);
    assert_eq!(examine(&mut one, "INBOX").await.recent, uids("1:3"));
    assert_eq!(recent_of(&mut one, "INBOX").await, 3);
    assert_eq!(select(&mut other, "INBOX").await.recent, uids("1:3"));
    assert_eq!(recent_of(&mut one, "INBOX").await, 0);
    assert!(select(&mut one, "INBOX").await.recent.is_empty());
    arrive(&world, 1).await;
    assert_eq!(select(&mut one, "INBOX").await.recent, uids("4"));
    assert!(examine(&mut other, "INBOX").await.recent.is_empty());
}

async fn what_comes_while_many_listen_is_recent_to_one(world: World) {
    let mut desks = Vec::new();
    for _ in 0..6 {
        let mut desk = world.desk("veli").await;
        let selected = select(&mut desk, "INBOX").await;
        desks.push((desk, selected));
    }
    arrive(&world, 2).await;
    let mut looker = world.desk("veli").await;
    let looked = examine(&mut looker, "INBOX").await;
    let mut listening = tokio::task::JoinSet::new();
    for (mut desk, selected) in desks {
        let (mailbox, since) = (selected.mailbox, selected.highest_modseq);
        listening.spawn(async move { news(&mut desk, mailbox, since).await });
    }
    let told = listening.join_all().await;
    assert!(told.iter().all(|changes| changes.arrived == uids("1:2")));
    let recent: Vec<_> = told.iter().map(|changes| changes.recent.clone()).collect();
    assert_eq!(recent.iter().filter(|recent| !recent.is_empty()).count(), 1, "{recent:?}");
    assert!(recent.contains(&uids("1:2")));
    arrive(&world, 1).await;
    let (mailbox, since) = (looked.mailbox, looked.highest_modseq);
    match looker.answer(Ask::Changes { mailbox, since }).await {
        Answer::Changes(changes) => assert_eq!(changes.recent, uids("3")),
        other => panic!("{other:?}"),
    }
    assert_eq!(news(&mut looker, mailbox, since).await.recent, uids("3"));
    assert!(news(&mut looker, mailbox, since).await.recent.is_empty());
}

async fn that_it_is_told_changes_no_mod_sequence(world: World) {
    arrive(&world, 2).await;
    let mut desk = world.desk("veli").await;
    let looked = examine(&mut desk, "INBOX").await;
    let first = select(&mut desk, "INBOX").await;
    let again = select(&mut desk, "INBOX").await;
    assert_eq!(looked.highest_modseq, first.highest_modseq);
    assert_eq!(first.highest_modseq, again.highest_modseq);
}

async fn nothing_is_recent_in_a_virtual_mailbox(world: World) {
    arrive(&world, 2).await;
    let mut desk = world.desk("veli").await;
    let all = select(&mut desk, "Tüm Postalar").await;
    assert_eq!((all.uids.len(), all.recent.len()), (2, 0));
    assert_eq!(recent_of(&mut desk, "Tüm Postalar").await, 0);
    assert_eq!(recent_of(&mut desk, "INBOX").await, 2);
    arrive(&world, 1).await;
    assert!(news(&mut desk, all.mailbox, all.highest_modseq).await.recent.is_empty());
    assert_eq!(select(&mut desk, "INBOX").await.recent, uids("1:3"));
}

async fn copies_and_what_is_appended_are_recent(world: World) {
    arrive(&world, 2).await;
    let mut desk = world.desk("veli").await;
    let inbox = select(&mut desk, "INBOX").await;
    let (mailbox, uids, to) = (inbox.mailbox, inbox.uids.clone(), name("Taslaklar"));
    assert!(matches!(desk.answer(Ask::Copy { mailbox, uids, to }).await, Answer::Copied(_)));
    append(&mut desk, "Taslaklar", "Subject: x\r\n\r\ny\r\n", Flags::default()).await;
    assert_eq!(recent_of(&mut desk, "Taslaklar").await, 3);
    assert_eq!(select(&mut desk, "Taslaklar").await.recent.len(), 3);
}

async fn another_account_tells_of_nothing(world: World) {
    arrive(&world, 1).await;
    let mut veli = world.desk("veli").await;
    let mailbox = examine(&mut veli, "INBOX").await.mailbox;
    let mut ali = world.desk("ali").await;
    let stolen = ali.answer(Ask::News { mailbox, since: 0 }).await;
    assert_eq!(refused(stolen), Refusal::NoSuchMailbox);
    assert_eq!(select(&mut veli, "INBOX").await.recent, uids("1"));
}
