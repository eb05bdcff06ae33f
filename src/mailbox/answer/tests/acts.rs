//! What an operator does and reads stands in the audit with his name.

use super::duties::{appoint, appoint_of, operator, store};
use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::{Store as StoreAsk, *};
use crate::registry::audit::{self, Entry, Wanted};
use crate::registry::operators::Role as Duties;
use crate::store::mail::{Kind, Role};
use crate::store::{Lane, StoreError, Tx, operators};
use crate::wire::imap::*;
use crate::wire::{AccountId, MailboxId};
use serde_json::{Value, json};

on_stores!(
    each_deed_of_an_operator_is_one_entry_with_his_name,
    what_the_holder_does_and_what_is_refused_is_no_entry,
    a_deed_in_many_parts_is_one_entry,
    what_an_operator_reads_is_recorded_once_however_he_asks,
    what_a_list_shows_is_no_reading,
    an_unopened_message_is_read_when_it_is_opened,
    one_answer_of_many_messages_records_each,
    two_sessions_of_one_operator_record_a_message_once,
    who_has_ended_reads_nothing_and_others_are_recorded_for_themselves,
    with_its_content_goes_that_somebody_was_given_it,
);

const WHOLE: usize = ORIGINAL.len();

async fn entries(world: &World) -> Vec<Entry> {
    let wanted = Wanted { most: 100, ..Wanted::default() };
    let mut all = audit::list(&world.store, wanted).await.unwrap();
    all.reverse();
    all
}

async fn told(world: &World) -> Vec<(String, Value)> {
    entries(world).await.into_iter().map(|one| (one.act, one.details)).collect()
}

fn change(mailbox: MailboxId, uids: UidSet, change: FlagChange, flags: Flags) -> Ask {
    Ask::Store(StoreAsk { mailbox, uids, change, flags, unchanged_since: None, echo: false })
}

/// Deeds of each kind, in an order in which each can be done, and what is told of them.
fn deeds(mailbox: MailboxId) -> Vec<(Ask, &'static str, Value)> {
    let seen = || Flags { system: SystemFlags::SEEN, ..Flags::default() };
    let (at, to) = (|| name("INBOX"), name);
    let comment =
        || vec![(metadata::EntryName::parse(b"/private/comment").unwrap(), Some(b"x".to_vec()))];
    let on = |what, uids| json!({ "what": what, "mailbox": "INBOX", "uids": uids });
    let about = |what, mailbox| json!({ "what": what, "mailbox": mailbox });
    let goes = |what, uids, to| json!({ "what": what, "mailbox": "INBOX", "uids": uids, "to": to });
    vec![
        (
            change(mailbox, uids("1:3,5"), FlagChange::Add, seen()),
            "mail.file",
            on("flags", "1:3,5"),
        ),
        (change(mailbox, uids("2"), FlagChange::Remove, seen()), "mail.file", on("flags", "2")),
        (
            change(mailbox, uids("2"), FlagChange::Add, keyword("$MDNSent")),
            "mail.file",
            on("flags", "2"),
        ),
        (
            change(mailbox, uids("2"), FlagChange::Add, keyword("ihale")),
            "mail.file",
            on("label", "2"),
        ),
        (Ask::Create { name: to("Yeni"), special: None }, "mail.file", about("create", "Yeni")),
        (
            Ask::Copy { mailbox, uids: uids("1"), to: to("Yeni") },
            "mail.file",
            goes("copy", "1", "Yeni"),
        ),
        (
            Ask::Copy { mailbox, uids: uids("1"), to: to("Taslaklar") },
            "mail.draft",
            goes("copy", "1", "Taslaklar"),
        ),
        (
            Ask::Move { mailbox, uids: uids("1:2"), to: to("Arşiv") },
            "mail.file",
            goes("move", "1:2", "Arşiv"),
        ),
        (
            Ask::Move { mailbox, uids: uids("3"), to: to("Çöp Kutusu") },
            "mail.delete",
            goes("move", "3", "Çöp Kutusu"),
        ),
        (Ask::Subscribe { name: to("Yeni"), on: true }, "mail.file", about("subscribe", "Yeni")),
        (
            Ask::SetMetadata { mailbox: Some(at()), entries: comment() },
            "mail.file",
            about("metadata", "INBOX"),
        ),
        (
            Ask::SetMetadata { mailbox: None, entries: comment() },
            "mail.file",
            json!({ "what": "metadata" }),
        ),
        (
            Ask::Rename { from: to("Yeni"), to: to("Eski") },
            "mail.file",
            json!({ "what": "rename", "mailbox": "Yeni", "to": "Eski" }),
        ),
        (
            Ask::Rename { from: to("Eski"), to: to("Çöp Kutusu/Eski") },
            "mail.delete",
            json!({ "what": "rename", "mailbox": "Eski", "to": "Çöp Kutusu/Eski" }),
        ),
        (
            Ask::Delete { name: to("Çöp Kutusu/Eski") },
            "mail.delete",
            about("delete", "Çöp Kutusu/Eski"),
        ),
        (
            change(
                mailbox,
                uids("4:5"),
                FlagChange::Add,
                Flags { system: SystemFlags::DELETED, ..Flags::default() },
            ),
            "mail.delete",
            on("flags", "4:5"),
        ),
        (Ask::Expunge { mailbox, uids: None }, "mail.delete", on("expunge", "4:5")),
    ]
}

async fn fill(world: &World, count: u32) {
    for _ in 0..count {
        world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    }
}

fn with_operator(mut details: Value) -> Value {
    details["operator"] = "001".into();
    details
}

async fn each_deed_of_an_operator_is_one_entry_with_his_name(world: World) {
    fill(&world, 6).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let mut wanted = Vec::new();
    for (ask, act, details) in deeds(mailbox) {
        let asked = format!("{ask:?}");
        let answer = desk.answer(ask).await;
        assert!(!matches!(answer, Answer::Refused(_)), "{asked}: {answer:?}");
        wanted.push((act.to_owned(), with_operator(details)));
        assert_eq!(told(&world).await, wanted, "{asked}");
    }
    for (to, act) in [("Taslaklar", "mail.draft"), ("Giden Kutusu", "mail.keep")] {
        let Answer::Appended(at) = append(&mut desk, to, ORIGINAL, Flags::default()).await else {
            panic!("not appended")
        };
        let details = json!({ "what": "append", "to": to, "uids": at.uids.to_string() });
        wanted.push((act.to_owned(), with_operator(details)));
        assert_eq!(told(&world).await, wanted, "{to}");
    }
    let flags = Flags { system: SystemFlags::default(), keywords: Keywords::default() };
    let size = ORIGINAL.len() as u64;
    let begin = AppendBegin { to: name("Taslaklar"), flags, internal_date: None, size };
    desk.answer(Ask::AppendBegin(begin)).await;
    desk.answer(Ask::AppendChunk(ORIGINAL.into())).await;
    let answer = desk.answer(Ask::Replace { mailbox, uid: 6 }).await;
    assert!(matches!(answer, Answer::Appended(_)), "{answer:?}");
    let details = json!({ "what": "replace", "mailbox": "INBOX", "uids": "6", "to": "Taslaklar" });
    wanted.push(("mail.delete".into(), with_operator(details)));
    assert_eq!(told(&world).await, wanted);
    for one in entries(&world).await {
        assert!(one.actor.ends_with(":ali@hs05.kep.tr / 001 Ayşe Demir"), "{one:?}");
        assert_eq!((one.channel.as_str(), one.subject.as_str()), ("imap", "ali@hs05.kep.tr"));
    }
}

async fn what_the_holder_does_and_what_is_refused_is_no_entry(world: World) {
    fill(&world, 6).await;
    let mut holder = world.desk("ali").await;
    let mailbox = select(&mut holder, "INBOX").await.mailbox;
    for (ask, ..) in deeds(mailbox) {
        assert!(!matches!(holder.answer(ask).await, Answer::Refused(_)));
    }
    append(&mut holder, "Taslaklar", ORIGINAL, Flags::default()).await;
    holder.answer(content(mailbox, 6, 0..WHOLE)).await;
    assert_eq!(told(&world).await, []);
    appoint(&world, &[Duties::Reads]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let all = || uids("6");
    let keywords = Keywords::from_stored(&"x".repeat(9000));
    let long = Flags { system: SystemFlags::default(), keywords };
    for ask in [
        // His roles don't let him.
        store(mailbox, SystemFlags::DELETED),
        Ask::Copy { mailbox, uids: all(), to: name("Taslaklar") },
        Ask::Move { mailbox, uids: all(), to: name("Çöp Kutusu") },
        Ask::Delete { name: name("Arşiv") },
        Ask::Expunge { mailbox, uids: None },
        // It can't be.
        Ask::Copy { mailbox, uids: all(), to: name("Yok") },
        Ask::Move { mailbox, uids: all(), to: name("Deliller") },
        Ask::Create { name: name("Arşiv"), special: None },
        Ask::Rename { from: name("Yok"), to: name("Var") },
        change(mailbox, all(), FlagChange::Add, long),
        change(MailboxId(999), all(), FlagChange::Add, keyword("ihale")),
    ] {
        let asked = format!("{ask:?}");
        assert!(matches!(desk.answer(ask).await, Answer::Refused(_)), "{asked}");
        assert_eq!(told(&world).await, [], "{asked}");
    }
    // It changes nothing.
    let seen = || Flags { system: SystemFlags::SEEN, ..Flags::default() };
    let Ask::Store(stale) = change(mailbox, all(), FlagChange::Add, seen()) else { panic!() };
    for ask in [
        change(mailbox, uids("99"), FlagChange::Add, seen()),
        change(mailbox, all(), FlagChange::Remove, keyword("ihale")),
        Ask::Store(StoreAsk { unchanged_since: Some(1), ..stale }),
        Ask::Copy { mailbox, uids: uids("99"), to: name("Arşiv") },
        Ask::Move { mailbox, uids: uids("99"), to: name("Arşiv") },
    ] {
        let asked = format!("{ask:?}");
        desk.answer(ask).await;
        assert_eq!(told(&world).await, [], "{asked}");
    }
    let answer = append(&mut desk, "Giden Kutusu", ORIGINAL, Flags::default()).await;
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    assert_eq!(told(&world).await, []);
    // What was coming when he lost the role does not come, then or later.
    appoint(&world, &[Duties::Reads, Duties::Sends]).await;
    let size = ORIGINAL.len() as u64;
    let flags = Flags::default();
    let begin = AppendBegin { to: name("Giden Kutusu"), flags, internal_date: None, size };
    desk.answer(Ask::AppendBegin(begin)).await;
    desk.answer(Ask::AppendChunk(ORIGINAL.into())).await;
    appoint(&world, &[Duties::Reads]).await;
    assert_eq!(refused(desk.answer(Ask::AppendCommit).await), Refusal::NotPermitted);
    appoint(&world, &[Duties::Reads, Duties::Sends]).await;
    assert!(matches!(desk.answer(Ask::AppendCommit).await, Answer::Refused(_)));
    assert_eq!(told(&world).await, []);
}

async fn a_deed_in_many_parts_is_one_entry(world: World) {
    fill(&world, 2).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    // INBOX stays, and what is in it follows in parts.
    let rename = Ask::Rename { from: name("INBOX"), to: name("Eski") };
    assert!(matches!(desk.answer(rename).await, Answer::Done));
    let moved = select(&mut desk, "Eski").await;
    assert_eq!(moved.uids.len(), 2);
    // Nothing is marked: nothing is done.
    desk.answer(Ask::Expunge { mailbox, uids: None }).await;
    let acts: Vec<_> = told(&world).await.into_iter().map(|(act, _)| act).collect();
    assert_eq!(acts, ["mail.file"]);
    // Moving into where messages are opened is opening, which has its own record.
    world.deliver("m1@hs05.kep.tr", true).await;
    appoint_of(&world, world.veli, &[Duties::Full]).await;
    let mut opener = world.desk_by("veli", "OPERATOR").await;
    let inbox = select(&mut opener, "INBOX").await.mailbox;
    let open = Ask::Move { mailbox: inbox, uids: uids("1"), to: name("Açılacaklar") };
    assert!(matches!(opener.answer(open).await, Answer::Moved(_)));
    assert_eq!((told(&world).await.len(), world.facts().await), (1, 1));
}

async fn what_an_operator_reads_is_recorded_once_however_he_asks(world: World) {
    // Another's, with a header longer than the whole of his.
    let long = format!("X: {}\r\n\r\nx", "x".repeat(4 * WHOLE));
    world.put(world.veli, Role::Inbox, &long, Kind::Plain).await;
    fill(&world, 1).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let header = ORIGINAL.find("\r\n\r\n").unwrap() + 4;
    let once = [json!({ "operator": "001", "mailbox": "INBOX", "uid": 1 })];
    let reads = || async {
        let all = told(&world).await;
        all.into_iter().filter(|(act, _)| act == "mail.read").map(|(_, it)| it).collect::<Vec<_>>()
    };
    for range in [header..header + 1, 0..WHOLE, header + 2..header + 9, 0..WHOLE] {
        let answer = desk.answer(content(mailbox, 1, range)).await;
        assert!(matches!(answer, Answer::Content(_)), "{answer:?}");
        assert_eq!(reads().await, once);
    }
    // Another session of his, copies, where it is moved, where it is shown: the content is the same.
    let (mut other, _) = operator(&world).await;
    other.answer(Ask::Copy { mailbox, uids: uids("1"), to: name("Arşiv") }).await;
    other.answer(store(mailbox, SystemFlags::FLAGGED)).await;
    other.answer(Ask::Move { mailbox, uids: uids("1"), to: name("Çöp Kutusu") }).await;
    for shown in ["Arşiv", "Çöp Kutusu", "Tüm Postalar"] {
        let Selected { mailbox, uids, .. } = select(&mut other, shown).await;
        assert!(!uids.is_empty(), "{shown}");
        for uid in uids.iter() {
            let answer = other.answer(content(mailbox, uid, 0..WHOLE)).await;
            assert!(matches!(answer, Answer::Content(_)), "{shown}: {answer:?}");
        }
    }
    assert_eq!(reads().await, once);
}

async fn what_a_list_shows_is_no_reading(world: World) {
    fill(&world, 1).await;
    appoint(&world, &[Duties::Reads]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let header = ORIGINAL.find("\r\n\r\n").unwrap() + 4;
    rows(&mut desk, mailbox).await;
    desk.answer(Ask::Previews { mailbox, uids: uids("1"), lazy: false }).await;
    let key = SearchKey::Body("sipariş".into());
    desk.answer(Ask::Search(Search { mailbox, key, modseq: false, read: 0 })).await;
    for range in [0..header, 0..10, header - 1..header] {
        assert!(matches!(desk.answer(content(mailbox, 1, range)).await, Answer::Content(_)));
    }
    assert!(matches!(desk.answer(content(mailbox, 9, 0..WHOLE)).await, Answer::Refused(_)));
    assert_eq!(told(&world).await, []);
}

async fn an_unopened_message_is_read_when_it_is_opened(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    appoint_of(&world, world.veli, &[Duties::Reads]).await;
    let mut desk = world.desk_by("veli", "OPERATOR").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    // What the provider made around it.
    desk.answer(content(mailbox, 1, 0..HEAD.len())).await;
    assert_eq!((told(&world).await.len(), world.facts().await), (0, 0));
    desk.answer(content(mailbox, 1, HEAD.len()..HEAD.len() + 1)).await;
    let details = json!({
        "operator": "001", "mailbox": "INBOX", "uid": 1, "message": "m1@hs05.kep.tr",
    });
    assert_eq!(told(&world).await, [("mail.read".to_owned(), details)]);
    assert_eq!(world.facts().await, 1);
    // A notice has nothing of it.
    world.deliver("m2@hs05.kep.tr", true).await;
    let answer = desk.answer(content(mailbox, 2, 0..STUB.len())).await;
    assert!(matches!(answer, Answer::Content(_)), "{answer:?}");
    assert_eq!(told(&world).await.len(), 1);
}

async fn one_answer_of_many_messages_records_each(world: World) {
    fill(&world, 40).await;
    appoint(&world, &[Duties::Reads]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let all = || Content { mailbox, pieces: (1..=40).map(|uid| (uid, 0..WHOLE as u64)).collect() };
    for _ in 0..2 {
        let Answer::Content(octets) = desk.answer(Ask::Content(all())).await else {
            panic!("no content")
        };
        assert_eq!(octets.len(), 40 * WHOLE);
        let mut read: Vec<_> = told(&world).await.iter().map(|one| one.1["uid"].as_u64()).collect();
        read.sort_unstable();
        assert_eq!(read, (1..=40).map(Some).collect::<Vec<_>>());
    }
}

async fn two_sessions_of_one_operator_record_a_message_once(world: World) {
    fill(&world, 8).await;
    appoint(&world, &[Duties::Reads]).await;
    let mut readers = Vec::new();
    for n in 0..8_usize {
        let (mut desk, mailbox) = operator(&world).await;
        readers.push(tokio::spawn(async move {
            // Each in an order of its own.
            let mut pieces: Vec<_> = (1..=8).map(|uid| (uid, 0..WHOLE as u64)).collect();
            pieces.rotate_left(n);
            desk.answer(Ask::Content(Content { mailbox, pieces })).await
        }));
    }
    for reader in readers {
        let answer = reader.await.unwrap();
        assert!(matches!(answer, Answer::Content(_)), "{answer:?}");
    }
    let all = told(&world).await;
    assert_eq!(all.len(), 8, "{all:?}");
}

async fn end(world: &World, account: AccountId) {
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        operators::end(tx, account, 1, NOW, "staff:test")?;
        Ok(())
    };
    world.store.write(Lane::Client, work).await.unwrap();
}

async fn who_has_ended_reads_nothing_and_others_are_recorded_for_themselves(world: World) {
    fill(&world, 2).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    desk.answer(content(mailbox, 1, 0..WHOLE)).await;
    end(&world, world.ali).await;
    for ask in [content(mailbox, 2, 0..WHOLE), store(mailbox, SystemFlags::SEEN)] {
        assert!(matches!(desk.answer(ask).await, Answer::Refused(_)));
    }
    assert_eq!(told(&world).await.len(), 1);
    // The same login on this connection, and another person.
    let mut holder = desk;
    let login =
        Login { user: "ali".into(), proof: Proof::Password("x".into()), mechanism: "PLAIN" };
    assert!(matches!(holder.answer(Ask::Login(login)).await, Answer::LoggedIn(_)));
    assert!(matches!(holder.answer(content(mailbox, 2, 0..WHOLE)).await, Answer::Content(_)));
    assert_eq!(told(&world).await.len(), 1);
}

async fn kept(world: &World) -> i64 {
    let count = |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
        Ok(tx.one("count", "SELECT COUNT(*) FROM operator_read", &[])?.int(0)?)
    };
    world.store.read(count).await.unwrap()
}

async fn with_its_content_goes_that_somebody_was_given_it(world: World) {
    fill(&world, 2).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    for uid in 1..=2 {
        desk.answer(content(mailbox, uid, 0..WHOLE)).await;
    }
    assert_eq!(kept(&world).await, 2);
    let mut holder: Desk = world.desk("ali").await;
    holder.answer(store(mailbox, SystemFlags::DELETED)).await;
    holder.answer(Ask::Expunge { mailbox, uids: None }).await;
    assert_eq!(kept(&world).await, 1);
    assert_eq!(told(&world).await.len(), 2, "the audit keeps it");
}
