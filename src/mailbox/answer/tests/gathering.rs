//! Virtual mailboxes: what they show follows their sources, changes go through to these, and what is
//! unopened stays so.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::registry::labels;
use crate::store::Changed;
use crate::store::mail::gather::fresh;
use crate::store::mail::{self, Kind, Role, trash, view};
use crate::store::{StoreError, Tx};
use crate::wire::imap::*;
use crate::wire::{AccountId, MailboxId};

on_stores!(
    all_shows_everything_but_the_trash_in_order_of_arrival,
    what_is_flagged_anywhere_is_shown_and_goes_when_it_is_not,
    flags_set_here_are_set_there,
    what_changed_there_is_not_changed_here_unseen,
    expunging_here_moves_to_the_trash_and_it_can_be_restored,
    copies_and_moves_are_of_the_messages_shown,
    what_is_replaced_from_a_virtual_mailbox_goes_from_where_it_stands,
    what_a_virtual_mailbox_shows_no_more_is_not_replaced,
    a_virtual_mailbox_takes_nothing_in_and_stays,
    sealed_content_opens_here_as_there_once_invariant_3,
    a_notice_is_opened_from_here_too,
    a_folder_in_the_trash_is_shown_no_more_and_again_when_it_is_back,
    eight_who_look_at_a_time_see_the_same,
    thousands_of_messages_are_gathered_in_units,
    other_accounts_messages_are_never_shown,
    whoever_waits_hears_of_every_mailbox,
    what_is_opened_beside_it_leaves_the_selected_one_selected,
);

const ALL: &str = "Tüm Postalar";
const FLAGGED: &str = "Önemli";

fn flag(system: SystemFlags) -> Flags {
    Flags { system, ..Flags::default() }
}

/// Subjects of what a mailbox shows, by UID.
async fn shown(desk: &mut Desk, mailbox: &str) -> Vec<String> {
    let selected = select(desk, mailbox).await;
    let subject = |row: Row| {
        let text = String::from_utf8_lossy(&row.header).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("Subject: "));
        line.unwrap_or_default().to_owned()
    };
    let rows = rows(desk, selected.mailbox).await;
    assert_eq!(rows.iter().map(|row| row.uid).collect::<UidSet>(), selected.uids);
    rows.into_iter().map(subject).collect()
}

async fn put(world: &World, account: AccountId, role: Role, subject: &str) -> u32 {
    let mail = format!("Subject: {subject}\r\n\r\nbody {subject}\r\n");
    world.put(account, role, &mail, Kind::Plain).await
}

async fn changes(desk: &mut Desk, mailbox: MailboxId, since: ModSeq) -> Changes {
    match desk.answer(Ask::Changes { mailbox, since }).await {
        Answer::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

async fn moved(desk: &mut Desk, from: MailboxId, set: &str, to: &str) -> Moved {
    match desk.answer(Ask::Move { mailbox: from, uids: uids(set), to: name(to) }).await {
        Answer::Moved(moved) => moved,
        other => panic!("{other:?}"),
    }
}

async fn all_shows_everything_but_the_trash_in_order_of_arrival(world: World) {
    put(&world, world.ali, Role::Sent, "sent").await;
    put(&world, world.ali, Role::Inbox, "first").await;
    put(&world, world.ali, Role::Trash, "thrown away").await;
    put(&world, world.ali, Role::Drafts, "draft").await;
    put(&world, world.ali, Role::ArchiveOut, "filed").await;
    world.put(world.ali, Role::Evidence, "Subject: evidence\r\n\r\n", Kind::Evidence).await;
    let mut desk = world.desk("ali").await;
    let mut all = shown(&mut desk, ALL).await;
    all.sort_unstable();
    assert_eq!(all, ["draft", "evidence", "filed", "first", "sent"]);
    let before = select(&mut desk, ALL).await;
    put(&world, world.ali, Role::Inbox, "second").await;
    let news = changes(&mut desk, before.mailbox, before.highest_modseq).await;
    assert_eq!(
        (news.arrived, news.changed, news.vanished),
        (uids("6"), UidSet::new(), UidSet::new())
    );
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    moved(&mut desk, inbox, "1", "Çöp Kutusu").await;
    let again = select(&mut desk, ALL).await;
    assert_eq!(again.uids.len(), 5);
    assert_eq!(again.uid_validity, before.uid_validity);
    let news = changes(&mut desk, before.mailbox, before.highest_modseq).await;
    assert_eq!(news.vanished.len(), 1);
    assert!(news.highest_modseq > before.highest_modseq);
    assert_eq!(again.uids.last(), Some(6));
}

async fn what_is_flagged_anywhere_is_shown_and_goes_when_it_is_not(world: World) {
    put(&world, world.ali, Role::Inbox, "one").await;
    put(&world, world.ali, Role::Inbox, "two").await;
    let mut desk = world.desk("ali").await;
    assert!(shown(&mut desk, FLAGGED).await.is_empty());
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    let flagged = flag(SystemFlags::FLAGGED);
    store_flags(&mut desk, inbox, "2", FlagChange::Add, flagged.clone()).await;
    assert_eq!(shown(&mut desk, FLAGGED).await, ["two"]);
    let before = select(&mut desk, FLAGGED).await;
    let off =
        store_flags(&mut desk, before.mailbox, "1", FlagChange::Remove, flagged.clone()).await;
    assert_eq!((off.changed, off.rows.len()), (uids("1"), 1));
    assert!(!off.rows[0].flags.system.has(SystemFlags::FLAGGED));
    let news = changes(&mut desk, before.mailbox, before.highest_modseq).await;
    assert_eq!(news.vanished, uids("1"));
    let rows = rows(&mut desk, inbox).await;
    assert!(rows.iter().all(|row| row.flags == Flags::default()));
    store_flags(&mut desk, inbox, "2", FlagChange::Add, flagged).await;
    assert_eq!(select(&mut desk, FLAGGED).await.uids, uids("2"), "under a new UID");
}

async fn flags_set_here_are_set_there(world: World) {
    for subject in ["one", "two", "three"] {
        put(&world, world.ali, Role::Inbox, subject).await;
    }
    put(&world, world.ali, Role::Sent, "sent").await;
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    let seen = Flags { system: SystemFlags::SEEN, ..keyword("iş") };
    let stored = store_flags(&mut desk, all.mailbox, "1:*", FlagChange::Add, seen.clone()).await;
    assert_eq!((stored.changed.len(), stored.rows.len()), (4, 4));
    assert!(stored.rows.iter().all(|row| row.flags == seen && row.modseq == stored.modseq));
    for (mailbox, count) in [("INBOX", 3), ("Giden Kutusu", 1), (ALL, 4)] {
        let selected = select(&mut desk, mailbox).await;
        let rows = rows(&mut desk, selected.mailbox).await;
        assert!(rows.len() == count && rows.iter().all(|row| row.flags == seen), "{mailbox}");
    }
    let news = changes(&mut desk, all.mailbox, stored.modseq).await;
    assert_eq!(
        (news.changed, news.arrived),
        (UidSet::new(), UidSet::new()),
        "nothing is told twice"
    );
}

async fn what_changed_there_is_not_changed_here_unseen(world: World) {
    put(&world, world.ali, Role::Inbox, "one").await;
    put(&world, world.ali, Role::Inbox, "two").await;
    let (mut desk, mut other) = (world.desk("ali").await, world.desk("ali").await);
    let all = select(&mut desk, ALL).await;
    let inbox = select(&mut other, "INBOX").await.mailbox;
    store_flags(&mut other, inbox, "1", FlagChange::Add, flag(SystemFlags::ANSWERED)).await;
    let ask = Store {
        mailbox: all.mailbox,
        uids: uids("1:*"),
        change: FlagChange::Add,
        flags: flag(SystemFlags::SEEN),
        unchanged_since: Some(all.highest_modseq),
        echo: false,
    };
    let Answer::Stored(stored) = desk.answer(Ask::Store(ask)).await else { panic!() };
    assert_eq!((stored.modified.len(), stored.changed.len()), (1, 1));
    let seen: Vec<_> =
        rows(&mut other, inbox).await.into_iter().map(|row| row.flags.system).collect();
    assert_eq!(seen, [SystemFlags::ANSWERED, SystemFlags::SEEN]);
}

async fn expunging_here_moves_to_the_trash_and_it_can_be_restored(world: World) {
    put(&world, world.ali, Role::ArchiveIn, "filed").await;
    put(&world, world.ali, Role::Inbox, "kept").await;
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    let filed = shown(&mut desk, ALL).await.iter().position(|s| s == "filed").unwrap() + 1;
    let deleted = flag(SystemFlags::DELETED);
    store_flags(&mut desk, all.mailbox, &filed.to_string(), FlagChange::Add, deleted).await;
    let answer = desk.answer(Ask::Expunge { mailbox: all.mailbox, uids: None }).await;
    let Answer::Expunged(gone) = answer else { panic!("{answer:?}") };
    assert_eq!(gone, UidSet::one(filed as u32));
    assert_eq!(shown(&mut desk, ALL).await, ["kept"]);
    assert!(shown(&mut desk, "Arşiv/Gelen").await.is_empty());
    let bin = select(&mut desk, "Çöp Kutusu").await;
    assert_eq!(rows(&mut desk, bin.mailbox).await[0].flags, Flags::default(), "not deleted there");
    let ali = world.ali;
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let bin = view::owned(tx, ali, bin.mailbox)?.unwrap();
        Ok(trash::restore(tx, &bin, &bin_uids(), NOW)?)
    };
    let restored = world.store.write(crate::store::Lane::Client, work).await.unwrap();
    assert_eq!(restored.len(), 1);
    assert_eq!(shown(&mut desk, "Arşiv/Gelen").await, ["filed"]);
    assert_eq!(shown(&mut desk, ALL).await, ["kept", "filed"]);
}

fn bin_uids() -> UidSet {
    uids("1:*")
}

async fn copies_and_moves_are_of_the_messages_shown(world: World) {
    for (role, subject) in
        [(Role::Inbox, "a"), (Role::Sent, "b"), (Role::Inbox, "c"), (Role::Drafts, "d")]
    {
        put(&world, world.ali, role, subject).await;
    }
    let mut desk = world.desk("ali").await;
    let Answer::Created(_) = desk.answer(Ask::Create { name: name("x"), special: None }).await
    else {
        panic!()
    };
    let all = select(&mut desk, ALL).await;
    let order = shown(&mut desk, ALL).await;
    let copy = Ask::Copy { mailbox: all.mailbox, uids: uids("1:4"), to: name("x") };
    let answer = desk.answer(copy).await;
    let Answer::Copied(Some(placed)) = answer else { panic!("{answer:?}") };
    assert_eq!((placed.from, placed.to), (uids("1:4"), uids("1:4")));
    assert_eq!(shown(&mut desk, "x").await, order, "COPYUID pairs them up");
    assert_eq!(select(&mut desk, ALL).await.uids, uids("1:8"), "copies are messages");
    let moved = moved(&mut desk, all.mailbox, "2:3", "Arşiv").await;
    assert_eq!((moved.gone.clone(), moved.placed.unwrap().from), (uids("2:3"), uids("2:3")));
    assert_eq!(shown(&mut desk, "Arşiv").await, order[1..3]);
    assert_eq!(select(&mut desk, ALL).await.uids, uids("1,4:10"));
}

async fn replace(desk: &mut Desk, mailbox: MailboxId, uid: u32, to: &str) -> Answer {
    let (to, size) = (name(to), ORIGINAL.len() as u64);
    let begin = AppendBegin { to, flags: Flags::default(), internal_date: None, size };
    desk.answer(Ask::AppendBegin(begin)).await;
    desk.answer(Ask::AppendChunk(ORIGINAL.into())).await;
    desk.answer(Ask::Replace { mailbox, uid }).await
}

async fn what_is_replaced_from_a_virtual_mailbox_goes_from_where_it_stands(world: World) {
    labels::create(&world.store, world.ali, "Satış", None, NOW).await.unwrap();
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    let mut desk = world.desk("ali").await;
    for (n, mailbox) in (1_u32..).zip([ALL, FLAGGED, "Etiketler/Satış"]) {
        put(&world, world.ali, Role::Drafts, "draft").await;
        let drafts = select(&mut desk, "Taslaklar").await;
        let draft = drafts.uids.last().unwrap().to_string();
        let shown_by_all = Flags { system: SystemFlags::FLAGGED, ..keyword("sat=c4=b1=c5=9f") };
        store_flags(&mut desk, drafts.mailbox, &draft, FlagChange::Add, shown_by_all).await;
        let before = select(&mut desk, mailbox).await;
        let uid = before.uids.last().unwrap();
        let answer = replace(&mut desk, before.mailbox, uid, "Taslaklar").await;
        assert!(matches!(answer, Answer::Appended(_)), "{mailbox}: {answer:?}");
        let news = changes(&mut desk, before.mailbox, before.highest_modseq).await;
        assert_eq!(news.vanished, UidSet::one(uid), "{mailbox}");
        let replaced = select(&mut desk, "Taslaklar").await.uids;
        assert_eq!(replaced.len() as u32, n, "{mailbox}: it is not there twice");
        assert!(!replaced.contains(draft.parse().unwrap()), "{mailbox}");
        assert_eq!(shown(&mut desk, ALL).await.len() as u32, n, "{mailbox}");
        assert_eq!(
            refused(replace(&mut desk, before.mailbox, uid, "Taslaklar").await),
            Refusal::Gone
        );
    }
    assert!(shown(&mut desk, "Çöp Kutusu").await.is_empty());
}

async fn what_a_virtual_mailbox_shows_no_more_is_not_replaced(world: World) {
    put(&world, world.ali, Role::Drafts, "draft").await;
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    let drafts = select(&mut desk, "Taslaklar").await.mailbox;
    let refusal = refused(replace(&mut desk, all.mailbox, 1, "Deliller").await);
    assert!(!matches!(refusal, Refusal::Gone), "{refusal:?}");
    assert_eq!(shown(&mut desk, ALL).await, ["draft"], "nothing happened");
    moved(&mut desk, drafts, "1", "Çöp Kutusu").await;
    assert_eq!(refused(replace(&mut desk, all.mailbox, 1, "Taslaklar").await), Refusal::Gone);
    assert!(select(&mut desk, "Taslaklar").await.uids.is_empty());
    assert_eq!(shown(&mut desk, "Çöp Kutusu").await, ["draft"]);
}

async fn a_virtual_mailbox_takes_nothing_in_and_stays(world: World) {
    put(&world, world.ali, Role::Inbox, "one").await;
    let mut desk = world.desk("ali").await;
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    for own in [ALL, FLAGGED] {
        let to = name(own);
        assert_eq!(refused(append(&mut desk, own, STUB, Flags::default()).await), Refusal::Cannot);
        for ask in [
            Ask::Copy { mailbox: inbox, uids: uids("1"), to: to.clone() },
            Ask::Move { mailbox: inbox, uids: uids("1"), to: to.clone() },
            Ask::Delete { name: to.clone() },
            Ask::Rename { from: to.clone(), to: name("x") },
            Ask::Rename { from: name("Deliller"), to: to.clone() },
            Ask::Create { name: name(&format!("{own}/x")), special: None },
        ] {
            let shape = format!("{ask:?}");
            assert_eq!(refused(desk.answer(ask).await), Refusal::Cannot, "{shape}");
        }
    }
    let all = select(&mut desk, ALL).await;
    let within = Ask::Move { mailbox: all.mailbox, uids: uids("1"), to: name(FLAGGED) };
    assert_eq!(refused(desk.answer(within).await), Refusal::Cannot);
    assert_eq!(shown(&mut desk, "INBOX").await, ["one"]);
}

async fn sealed_content_opens_here_as_there_once_invariant_3(world: World) {
    world.deliver("1@hs05.kep.tr", false).await;
    let mut desk = world.desk("veli").await;
    let all = select(&mut desk, ALL).await;
    let sealed = rows(&mut desk, all.mailbox).await;
    assert_eq!(sealed[0].opening, Opening::Sealed);
    let facts = world.facts().await;
    let secret = SearchKey::Text("ıspanak".into());
    let search = Search { mailbox: all.mailbox, key: secret, modseq: false, read: 0 };
    let Answer::Found(found) = desk.answer(Ask::Search(search)).await else { panic!() };
    assert!(found.uids.is_empty());
    assert_eq!(world.facts().await, facts, "listing and searching open nothing");
    let start = HEAD.len();
    let mut readers = Vec::new();
    for n in 0..8 {
        let mut desk = world.desk("veli").await;
        let from = select(&mut desk, if n % 2 == 0 { ALL } else { "INBOX" }).await.mailbox;
        readers.push(tokio::spawn(async move {
            desk.answer(content(from, 1, start..start + 10)).await
        }));
    }
    for reader in readers {
        assert!(matches!(reader.await.unwrap(), Answer::Content(_)));
    }
    assert_eq!(world.facts().await, facts + 1);
    for mailbox in [ALL, "INBOX"] {
        let selected = select(&mut desk, mailbox).await.mailbox;
        assert_eq!(rows(&mut desk, selected).await[0].opening, Opening::Open, "{mailbox}");
    }
}

async fn a_notice_is_opened_from_here_too(world: World) {
    world.deliver("1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let all = select(&mut desk, ALL).await;
    assert_eq!(all.uids, uids("1"));
    let facts = world.facts().await;
    let moved = moved(&mut desk, all.mailbox, "1", "Açılacaklar").await;
    assert_eq!((moved.placed, moved.gone), (None, uids("1")));
    assert_eq!(world.facts().await, facts + 1);
    assert_eq!(select(&mut desk, ALL).await.uids, uids("2"), "the dispatch");
    assert_eq!(select(&mut desk, "INBOX").await.uids, uids("2"));
}

async fn a_folder_in_the_trash_is_shown_no_more_and_again_when_it_is_back(world: World) {
    let mut desk = world.desk("ali").await;
    let Answer::Created(_) = desk.answer(Ask::Create { name: name("x"), special: None }).await
    else {
        panic!()
    };
    append(&mut desk, "x", "Subject: in x\r\n\r\n", Flags::default()).await;
    assert_eq!(shown(&mut desk, ALL).await, ["in x"]);
    let rename = |from: &str, to: &str| Ask::Rename { from: name(from), to: name(to) };
    // As Thunderbird deletes a folder.
    let Answer::Done = desk.answer(rename("x", "Çöp Kutusu/x")).await else { panic!() };
    assert!(shown(&mut desk, ALL).await.is_empty());
    let Answer::Done = desk.answer(rename("Çöp Kutusu/x", "y")).await else { panic!() };
    assert_eq!(select(&mut desk, ALL).await.uids, uids("2"));
    let Answer::Done = desk.answer(Ask::Delete { name: name("y") }).await else { panic!() };
    assert!(shown(&mut desk, ALL).await.is_empty());
}

async fn eight_who_look_at_a_time_see_the_same(world: World) {
    for n in 0..40 {
        put(&world, world.ali, if n % 3 == 0 { Role::Sent } else { Role::Inbox }, "x").await;
    }
    let mut lookers = Vec::new();
    for n in 0..8 {
        let mut desk = world.desk("ali").await;
        lookers.push(tokio::spawn(async move {
            if n % 2 == 0 {
                let inbox = select(&mut desk, "INBOX").await.mailbox;
                let set = format!("{}:{}", n + 1, n + 3);
                store_flags(&mut desk, inbox, &set, FlagChange::Add, keyword("k")).await;
                moved(&mut desk, inbox, &format!("{}", n + 10), "Çöp Kutusu").await;
            }
            select(&mut desk, ALL).await.mailbox
        }));
    }
    for looker in lookers {
        looker.await.unwrap();
    }
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    assert_eq!(all.uids.len(), 36);
    let labelled =
        rows(&mut desk, all.mailbox).await.iter().filter(|r| !r.flags.keywords.is_empty()).count();
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    let there =
        rows(&mut desk, inbox).await.iter().filter(|r| !r.flags.keywords.is_empty()).count();
    assert_eq!(labelled, there);
}

async fn thousands_of_messages_are_gathered_in_units(world: World) {
    let (store, ali) = (world.store.clone(), world.ali);
    let octets = b"Subject: many\r\n\r\n";
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let put = store.blobs.put(octets.to_vec())?;
        let content = crate::store::contents::create_from(tx, &store.blobs, &[&put])?;
        let inbox = mail::of_role(tx, ali, Role::Inbox)?;
        for _ in 0..1500 {
            mail::lay_in(tx, inbox, content, &new(octets, Kind::Plain))?;
        }
        Ok(())
    };
    world.store.write(crate::store::Lane::Client, work).await.unwrap();
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    assert_eq!(all.uids, uids("1:1500"));
    assert_eq!(select(&mut desk, FLAGGED).await.uids, UidSet::new());
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    moved(&mut desk, inbox, "1:1400", "Arşiv").await;
    let now = select(&mut desk, ALL).await;
    assert_eq!(now.uids, uids("1401:2900"));
}

async fn other_accounts_messages_are_never_shown(world: World) {
    put(&world, world.veli, Role::Inbox, "veli's").await;
    let (mut ali, mut veli) = (world.desk("ali").await, world.desk("veli").await);
    assert!(shown(&mut ali, ALL).await.is_empty());
    let all = select(&mut veli, ALL).await;
    assert_eq!(all.uids, uids("1"));
    for ask in [
        Ask::Changes { mailbox: all.mailbox, since: 1 },
        content(all.mailbox, 1, 0..5),
        Ask::Expunge { mailbox: all.mailbox, uids: None },
        Ask::Move { mailbox: all.mailbox, uids: uids("1"), to: name("INBOX") },
    ] {
        assert_eq!(refused(ali.answer(ask).await), Refusal::NoSuchMailbox);
    }
    fresh::freshen(&world.store, world.ali, all.mailbox).await.unwrap();
}

async fn whoever_waits_hears_of_every_mailbox(world: World) {
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    let mut news = world.store.watch();
    put(&world, world.ali, Role::Sent, "sent").await;
    let expected = desk.news_of(all.mailbox);
    assert_eq!(expected, Changed::Account(world.ali));
    while news.recv().await.unwrap() != expected {}
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    assert_eq!(desk.news_of(inbox), Changed::Mailbox(inbox));
}

async fn what_is_opened_beside_it_leaves_the_selected_one_selected(world: World) {
    let mut desk = world.desk("ali").await;
    let all = select(&mut desk, ALL).await;
    put(&world, world.ali, Role::Inbox, "one").await;
    let inbox = select(&mut world.desk("ali").await, "INBOX").await.mailbox;
    store_flags(&mut desk, inbox, "1", FlagChange::Add, flag(SystemFlags::FLAGGED)).await;
    for beside in [FLAGGED, "INBOX"] {
        match desk.answer(Ask::Open { name: name(beside) }).await {
            Answer::Selected(opened) => assert_eq!(opened.uids, uids("1"), "{beside}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(desk.news_of(all.mailbox), Changed::Account(world.ali));
    let news = changes(&mut desk, all.mailbox, all.highest_modseq).await;
    assert_eq!(news.arrived, uids("1"));
    put(&world, world.ali, Role::Sent, "two").await;
    let search = Search { mailbox: all.mailbox, key: SearchKey::All, modseq: false, read: 0 };
    match desk.answer(Ask::Search(search)).await {
        Answer::Found(found) => assert_eq!(found.uids, uids("1:2")),
        other => panic!("{other:?}"),
    }
}
