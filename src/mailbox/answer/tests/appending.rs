//! APPEND, and the client's copy of what it sent.

use super::on_stores;
use super::world::*;
use crate::mailbox::ask::*;
use crate::store::{Lane, StoreError, Tx};
use crate::wire::imap::*;
use crate::wire::mime::fields::fields;

on_stores!(
    what_is_appended_is_there_byte_for_byte,
    several_messages_come_in_together_or_not_at_all,
    the_clients_copy_replaces_the_servers,
    what_a_hold_covers_stays_when_the_clients_copy_replaces_the_servers,
    the_clients_copy_is_linked_when_it_came_first,
    a_second_copy_is_just_a_second_mail,
    some_mailboxes_take_no_appended_message,
    a_closed_account_takes_nothing,
    too_large_messages_and_lies_about_size_are_refused,
    one_account_does_not_take_the_memory_of_all_appends,
);

const CLIENTS: &str =
    "From: ali@hs05.kep.tr\r\nMessage-ID: <ua-1@example.org>\r\nSubject: x\r\n\r\nown\r\n";

fn appended(answer: Answer) -> UidSet {
    match answer {
        Answer::Appended(appended) => appended.uids,
        other => panic!("{other:?}"),
    }
}

async fn what_is_appended_is_there_byte_for_byte(world: World) {
    let mut desk = world.desk("ali").await;
    let flags = Flags { system: SystemFlags::DRAFT, ..keyword("iş $KepRead $Forwarded") };
    let flags = Flags { keywords: Keywords::from_stored("is $KepRead"), ..flags };
    let uid = appended(append(&mut desk, "Taslaklar", ORIGINAL, flags).await);
    assert_eq!(uid, uids("1"));
    let mailbox = select(&mut desk, "Taslaklar").await.mailbox;
    let row = &rows(&mut desk, mailbox).await[0];
    assert_eq!((row.flags.system, row.flags.keywords.as_str()), (SystemFlags::DRAFT, "is"));
    assert_eq!((row.size, row.internal_date), (ORIGINAL.len() as u64, NOW));
    assert!(row.header.ends_with(b"\r\n\r\n") && fields(&row.header).count() == 5);
    assert!(Structure::read(&row.structure).is_some());
    match desk.answer(content(mailbox, 1, 0..ORIGINAL.len())).await {
        Answer::Content(bytes) => assert_eq!(bytes, ORIGINAL.as_bytes()),
        other => panic!("{other:?}"),
    }
    // It goes on from the content it opened last.
    match desk.answer(content(mailbox, 1, 6..20)).await {
        Answer::Content(bytes) => assert_eq!(bytes, &ORIGINAL.as_bytes()[6..20]),
        other => panic!("{other:?}"),
    }
}

async fn several_messages_come_in_together_or_not_at_all(world: World) {
    let mut desk = world.desk("ali").await;
    let begin = |size: usize| {
        let (to, size) = (name("Taslaklar"), size as u64);
        Ask::AppendBegin(AppendBegin { to, flags: Flags::default(), internal_date: None, size })
    };
    desk.answer(begin(STUB.len())).await;
    desk.answer(Ask::AppendChunk(STUB.into())).await;
    assert_eq!(refused(desk.answer(begin(2 << 20)).await), Refusal::TooBig);
    assert!(matches!(desk.answer(Ask::AppendCommit).await, Answer::Refused(_)));
    assert!(select(&mut desk, "Taslaklar").await.uids.is_empty());

    for octets in [STUB, ORIGINAL] {
        desk.answer(begin(octets.len())).await;
        desk.answer(Ask::AppendChunk(octets.into())).await;
    }
    assert_eq!(appended(desk.answer(Ask::AppendCommit).await), uids("1:2"));
    desk.answer(begin(STUB.len())).await;
    desk.answer(Ask::AppendAbort).await;
    assert!(matches!(desk.answer(Ask::AppendCommit).await, Answer::Refused(_)));
    assert_eq!(select(&mut desk, "Taslaklar").await.uids, uids("1:2"));
}

async fn the_clients_copy_replaces_the_servers(world: World) {
    let id = world.submit("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("ali").await;
    let sent = select(&mut desk, "Giden Kutusu").await.mailbox;
    store_flags(&mut desk, sent, "1", FlagChange::Add, keyword("etiket")).await;
    let flags = Flags { system: SystemFlags::SEEN, ..keyword("$Forwarded") };
    assert_eq!(appended(append(&mut desk, "Giden Kutusu", CLIENTS, flags).await), uids("2"));
    let rows = rows(&mut desk, sent).await;
    assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [2]);
    assert_eq!(rows[0].flags.keywords.as_str(), "$Forwarded $KepAccepted etiket");
    assert_eq!(rows[0].size, CLIENTS.len() as u64);
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        use crate::store::submissions::{self, Origin};
        let found = submissions::find(tx, &id)?.unwrap();
        let kind = crate::store::mail::Kind::Plain;
        let Origin::Account(account) = found.origin else { panic!("an account's") };
        let places = crate::store::mail::places_of(tx, account, &id, kind)?;
        Ok((found.sent_uid, places.len()))
    };
    assert_eq!(world.store.read(work).await.unwrap(), (Some(2), 1));
}

/// Who has Message-ID could lay another mail in its place.
async fn what_a_hold_covers_stays_when_the_clients_copy_replaces_the_servers(world: World) {
    use crate::store::holds::{self, Signed};
    world.submit("m1@hs05.kep.tr", true).await;
    let ali = world.ali;
    let signed = Signed { by: "can".into(), second: "ece".into(), at: NOW };
    let place = move |tx: &mut Tx<'_>| holds::place(tx, ali, None, "2026/17", &signed);
    world.store.write(Lane::Client, place).await.unwrap();
    let mut desk = world.desk("ali").await;
    appended(append(&mut desk, "Giden Kutusu", CLIENTS, Flags::default()).await);
    let kept = world.store.read(move |tx: &mut Tx<'_>| holds::kept_back(tx, ali)).await;
    assert_eq!(kept.unwrap(), 1);
}

async fn the_clients_copy_is_linked_when_it_came_first(world: World) {
    for submitted_first in [true, false] {
        let id = format!("m{submitted_first}@hs05.kep.tr");
        let mut desk = world.desk("ali").await;
        if submitted_first {
            world.submit(&id, false).await;
        }
        appended(append(&mut desk, "Giden Kutusu", CLIENTS, Flags::default()).await);
        if !submitted_first {
            world.submit(&id, false).await;
        }
        let (store, ali) = (world.store.clone(), world.ali);
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            let id = crate::wire::MessageId::parse(&id).unwrap();
            lay_server_copy(tx, &store, ali, &id)
        };
        world.store.write(Lane::Background, work).await.unwrap();
        let sent = select(&mut desk, "Giden Kutusu").await.mailbox;
        let rows = rows(&mut desk, sent).await;
        let last = rows.last().unwrap();
        assert_eq!(last.flags.keywords.as_str(), "$KepAccepted");
        assert_eq!(last.size, CLIENTS.len() as u64);
        assert_eq!(rows.len(), if submitted_first { 1 } else { 2 });
    }
}

async fn a_second_copy_is_just_a_second_mail(world: World) {
    world.submit("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("ali").await;
    for _ in 0..2 {
        appended(append(&mut desk, "Giden Kutusu", CLIENTS, Flags::default()).await);
    }
    let sent = select(&mut desk, "Giden Kutusu").await.mailbox;
    let rows = rows(&mut desk, sent).await;
    let seen: Vec<_> = rows.iter().map(|r| (r.uid, r.flags.keywords.as_str())).collect();
    assert_eq!(seen, [(2, "$KepAccepted"), (3, "")]);
}

async fn some_mailboxes_take_no_appended_message(world: World) {
    let mut desk = world.desk("ali").await;
    for to in ["Deliller", "Açılacaklar", "İmza Bekleyenler"] {
        assert!(is_said(append(&mut desk, to, STUB, Flags::default()).await), "{to}");
    }
    let nowhere = append(&mut desk, "Yok", STUB, Flags::default()).await;
    assert_eq!(refused(nowhere), Refusal::NoSuchTarget);
}

async fn a_closed_account_takes_nothing(world: World) {
    world
        .put(world.ali, crate::store::mail::Role::Inbox, STUB, crate::store::mail::Kind::Plain)
        .await;
    let mut desk = world.desk("closed").await;
    let answer = append(&mut desk, "Taslaklar", STUB, Flags::default()).await;
    assert_eq!(refused(answer), Refusal::ReadOnlyAccount);
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let copy = Ask::Copy { mailbox, uids: uids("1"), to: name("Arşiv") };
    assert_eq!(refused(desk.answer(copy).await), Refusal::ReadOnlyAccount);
}

async fn too_large_messages_and_lies_about_size_are_refused(world: World) {
    let mut desk = world.desk("ali").await;
    let begin = |size| {
        let to = name("Taslaklar");
        Ask::AppendBegin(AppendBegin { to, flags: Flags::default(), internal_date: None, size })
    };
    assert_eq!(refused(desk.answer(begin((1 << 20) + 1)).await), Refusal::TooBig);
    assert!(matches!(desk.answer(begin(3)).await, Answer::Done));
    assert_eq!(refused(desk.answer(Ask::AppendChunk(vec![b'x'; 4])).await), Refusal::TooBig);
    assert!(matches!(desk.answer(begin(3)).await, Answer::Done));
    desk.answer(Ask::AppendChunk(vec![b'x'; 2])).await;
    assert_eq!(refused(desk.answer(Ask::AppendCommit).await), Refusal::Cannot);
}

async fn one_account_does_not_take_the_memory_of_all_appends(world: World) {
    let begin = || {
        let (to, size) = (name("Taslaklar"), 1 << 20);
        Ask::AppendBegin(AppendBegin { to, flags: Flags::default(), internal_date: None, size })
    };
    let chunk = |octets: usize| Ask::AppendChunk(vec![b'x'; octets]);
    // What is announced costs nothing; what comes does.
    let mut desks = Vec::new();
    for _ in 0..9 {
        let mut desk = world.desk("ali").await;
        assert!(matches!(desk.answer(begin()).await, Answer::Done));
        desks.push(desk);
    }
    assert!(matches!(desks[0].answer(chunk(1 << 20)).await, Answer::Done));
    assert_eq!(refused(desks[1].answer(chunk(1)).await), Refusal::Unavailable);
    let mut other = world.desk("veli").await;
    assert!(matches!(other.answer(begin()).await, Answer::Done));
    assert!(matches!(other.answer(chunk(1 << 20)).await, Answer::Done));
    assert_eq!(appended(other.answer(Ask::AppendCommit).await), uids("1"));
    // Given back by whoever goes, and with what is complete.
    desks[0].answer(Ask::AppendAbort).await;
    assert!(matches!(desks[2].answer(chunk(1 << 20)).await, Answer::Done));
    drop(desks.remove(2));
    assert!(matches!(desks[2].answer(chunk(1 << 20)).await, Answer::Done));
    assert_eq!(appended(desks[2].answer(Ask::AppendCommit).await), uids("1"));
    assert!(matches!(desks[3].answer(chunk(1 << 20)).await, Answer::Done));
}
