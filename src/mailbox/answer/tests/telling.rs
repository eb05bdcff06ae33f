//! What lists tell of messages beside their rows: first words, identifiers, dates, limits.

use super::on_stores;
use super::opening::said;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::imap::*;
use std::collections::BTreeMap;

on_stores!(
    an_unopened_dispatch_has_no_preview_invariant_3,
    a_preview_is_made_once_and_kept,
    copies_have_one_email_id_and_a_notice_another,
    a_mailbox_is_known_by_its_id_whatever_it_is_called,
    a_message_is_saved_when_it_comes_into_a_mailbox,
    mailboxes_say_what_they_take,
);

async fn an_unopened_dispatch_has_no_preview_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.deliver("m2@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let heard = said(&mut desk, "c FETCH 1:2 PREVIEW").await;
    assert!(heard.contains("* 1 FETCH (PREVIEW NIL)"), "{heard}");
    assert!(heard.contains("* 2 FETCH (PREVIEW \"Bir iletiniz var\")"), "{heard}");
    assert_eq!(world.facts().await, 0);
    let heard = said(&mut desk, "c FETCH 1 BODY.PEEK[2]<0.1>\r\nd FETCH 1 PREVIEW").await;
    assert!(heard.contains("PREVIEW {24}\r\nGizli ıspanak siparişi)"), "{heard}");
    assert_eq!(world.facts().await, 1);
}

async fn previews(
    desk: &mut Desk,
    mailbox: crate::wire::MailboxId,
    lazy: bool,
) -> BTreeMap<Uid, String> {
    match desk.answer(Ask::Previews { mailbox, uids: uids("1:*"), lazy }).await {
        Answer::Previews(previews) => previews,
        other => panic!("{other:?}"),
    }
}

async fn a_preview_is_made_once_and_kept(world: World) {
    for n in 0..20 {
        let mail = format!("Subject: {n}\r\n\r\nmetin {n}\r\n");
        world.put(world.veli, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    assert!(previews(&mut desk, mailbox, true).await.is_empty());
    let made = previews(&mut desk, mailbox, false).await;
    assert_eq!(made.len(), 20);
    assert_eq!(made[&7], "metin 6");
    assert_eq!(previews(&mut desk, mailbox, true).await, made);
    let mut other = world.desk("ali").await;
    let theirs = Ask::Previews { mailbox, uids: uids("1"), lazy: true };
    assert_eq!(refused(other.answer(theirs).await), Refusal::NoSuchMailbox);
}

async fn email_ids(desk: &mut Desk, mailbox: &str) -> Vec<crate::wire::ContentId> {
    let mailbox = select(desk, mailbox).await.mailbox;
    rows(desk, mailbox).await.iter().map(|row| row.content).collect()
}

async fn copies_have_one_email_id_and_a_notice_another(world: World) {
    world.put(world.veli, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    for to in ["Çöp Kutusu", "Taslaklar"] {
        desk.answer(Ask::Copy { mailbox, uids: uids("1"), to: name(to) }).await;
    }
    let id = email_ids(&mut desk, "INBOX").await[0];
    desk.answer(Ask::Move { mailbox, uids: uids("1"), to: name("Arşiv") }).await;
    for place in ["Çöp Kutusu", "Taslaklar", "Arşiv"] {
        assert_eq!(email_ids(&mut desk, place).await, [id], "{place}");
    }
    world.put(world.veli, Role::Inbox, STUB, Kind::Plain).await;
    let other = email_ids(&mut desk, "INBOX").await[0];
    assert_ne!(other, id);
    let search = |id| format!("c SEARCH EMAILID {}", object_id::email_id(id));
    assert!(said(&mut desk, &search(other)).await.contains("* SEARCH 1\r\n"));
    assert!(said(&mut desk, &search(id)).await.contains("* SEARCH\r\n"));

    world.deliver("m1@hs05.kep.tr", true).await;
    let notice = *email_ids(&mut desk, "INBOX").await.last().unwrap();
    let open = Ask::Move { mailbox, uids: uids("3"), to: name("Açılacaklar") };
    assert!(matches!(desk.answer(open).await, Answer::Moved(_)));
    let opened = *email_ids(&mut desk, "INBOX").await.last().unwrap();
    assert_ne!(notice, opened);
}

async fn a_mailbox_is_known_by_its_id_whatever_it_is_called(world: World) {
    let mut desk = world.desk("veli").await;
    let made = match desk.answer(Ask::Create { name: name("a/b"), special: None }).await {
        Answer::Created(id) => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(select(&mut desk, "a/b").await.mailbox, made);
    desk.answer(Ask::Rename { from: name("a"), to: name("c") }).await;
    assert_eq!(select(&mut desk, "c/b").await.mailbox, made);
    desk.answer(Ask::Delete { name: name("c/b") }).await;
    match desk.answer(Ask::Create { name: name("c/b"), special: None }).await {
        Answer::Created(id) => assert_ne!(id, made),
        other => panic!("{other:?}"),
    }
}

async fn a_message_is_saved_when_it_comes_into_a_mailbox(world: World) {
    let mut desk = world.desk("veli").await;
    let append = format!(
        "c APPEND INBOX \"1-Feb-2001 03:04:05 +0300\" {{{}+}}\r\n{STUB}\r\n\
         d FETCH 1 (INTERNALDATE SAVEDATE)\r\ne SEARCH SAVEDON {}\r\nf SEARCH SAVEDBEFORE {}",
        STUB.len(),
        NOW.istanbul().format("%d-%b-%Y"),
        NOW.istanbul().format("%d-%b-%Y"),
    );
    let heard = said(&mut desk, &append).await;
    let saved = NOW.istanbul().format("%d-%b-%Y %H:%M:%S +0300");
    let dates = format!("(INTERNALDATE \" 1-Feb-2001 03:04:05 +0300\" SAVEDATE \"{saved}\")");
    assert!(heard.contains(&dates), "{heard}");
    assert!(heard.contains("* SEARCH 1\r\ne OK") && heard.contains("* SEARCH\r\nf OK"), "{heard}");
}

async fn mailboxes_say_what_they_take(world: World) {
    let mut desk = world.desk("veli").await;
    let heard = said(
        &mut desk,
        "c STATUS INBOX (APPENDLIMIT)\r\nd STATUS Deliller (APPENDLIMIT)\r\n\
         e LIST \"\" Deliller RETURN (STATUS (APPENDLIMIT MAILBOXID))",
    )
    .await;
    assert!(heard.contains("INBOX (APPENDLIMIT 1048576)\r\n"), "{heard}");
    assert!(heard.contains("Deliller (APPENDLIMIT 0)\r\nd OK"), "{heard}");
    assert!(heard.contains("Deliller (APPENDLIMIT 0 MAILBOXID (F"), "{heard}");
    let heard = said(&mut desk, "c ENABLE UTF8=ACCEPT\r\nd STATUS Önemli (APPENDLIMIT)").await;
    assert!(heard.contains("Önemli (APPENDLIMIT 0)\r\nd OK"), "{heard}");
}
