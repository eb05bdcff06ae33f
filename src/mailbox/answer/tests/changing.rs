//! Flags, copies, moves, removals, and mailboxes themselves; several tasks at a time.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{self, Kind, Role};
use crate::store::{Lane, StoreError, Tx};
use crate::wire::imap::*;
use crate::wire::{AccountId, MailboxId};

on_stores!(
    flags_are_added_taken_and_replaced,
    the_servers_keywords_are_not_a_clients_to_change,
    a_mailbox_has_no_more_keywords_than_can_be_told,
    what_changed_meanwhile_is_left_alone,
    copies_and_moves_pair_up,
    changes_of_many_messages_let_others_write_in_between,
    copies_of_batches_before_a_failed_one_are_taken_back,
    uids_and_mod_sequences_only_grow,
    tasks_that_flag_fetch_and_expunge_agree_in_the_end,
    moves_of_the_same_messages_at_a_time_double_nothing,
    flags_set_at_a_time_are_all_kept,
    a_mailbox_of_another_account_is_none,
    an_evidence_mail_is_hidden_and_its_evidence_stays,
    mailboxes_are_made_renamed_and_removed,
    the_programs_own_mailboxes_stay,
    renaming_inbox_moves_its_messages,
    a_name_made_again_has_a_greater_uidvalidity,
    subscriptions_outlive_mailboxes,
);

async fn fill(world: &World, account: AccountId, count: u32) {
    for n in 0..count {
        let mail = format!("Subject: {n}\r\n\r\nbody {n}\r\n");
        world.put(account, Role::Inbox, &mail, Kind::Plain).await;
    }
}

fn system(system: SystemFlags) -> Flags {
    Flags { system, ..Flags::default() }
}

async fn flags_are_added_taken_and_replaced(world: World) {
    fill(&world, world.ali, 4).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let seen = Flags { system: SystemFlags::SEEN, ..keyword("is") };
    let stored = store_flags(&mut desk, mailbox, "1:3", FlagChange::Add, seen.clone()).await;
    assert_eq!((stored.changed, stored.rows.len()), (uids("1:3"), 3));
    assert!(stored.rows.iter().all(|row| row.flags == seen && row.modseq == stored.modseq));
    let again = store_flags(&mut desk, mailbox, "1:4", FlagChange::Add, seen.clone()).await;
    assert_eq!(again.changed, uids("4"));
    assert_eq!(again.rows[0].modseq, stored.modseq);
    let taken = system(SystemFlags::SEEN);
    store_flags(&mut desk, mailbox, "2", FlagChange::Remove, taken).await;
    let flagged = system(SystemFlags::FLAGGED);
    store_flags(&mut desk, mailbox, "3", FlagChange::Replace, flagged.clone()).await;
    let rows = rows(&mut desk, mailbox).await;
    let now: Vec<_> = rows.into_iter().map(|row| row.flags).collect();
    assert_eq!(now, [seen.clone(), keyword("is"), flagged, seen]);
    let selected = select(&mut desk, "INBOX").await;
    assert_eq!((selected.first_unseen, selected.keywords.as_str()), (Some(2), "is"));
}

async fn the_servers_keywords_are_not_a_clients_to_change(world: World) {
    world.submit("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "Giden Kutusu").await.mailbox;
    let mine = keyword("is $KepRead");
    for change in [FlagChange::Add, FlagChange::Replace] {
        let stored = store_flags(&mut desk, mailbox, "1", change, mine.clone()).await;
        assert_eq!(stored.rows[0].flags.keywords.as_str(), "$KepAccepted is");
    }
    let gone = keyword("is $KepAccepted");
    let stored = store_flags(&mut desk, mailbox, "1", FlagChange::Remove, gone).await;
    assert_eq!(stored.rows[0].flags.keywords.as_str(), "$KepAccepted");
    let long = (0..2000).map(|n| format!("etiket{n} ")).collect::<String>();
    let flags = keyword(long.trim_end());
    let ask = crate::mailbox::ask::Store {
        mailbox,
        uids: uids("1"),
        change: FlagChange::Add,
        flags,
        unchanged_since: None,
        echo: false,
    };
    assert_eq!(refused(desk.answer(Ask::Store(ask)).await), Refusal::Limit);
}

async fn a_mailbox_has_no_more_keywords_than_can_be_told(world: World) {
    fill(&world, world.ali, 12).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let words = |n: u32| {
        let words: Vec<_> = (0..80).map(|w| format!("{n}-{w}-{}", "x".repeat(80))).collect();
        keyword(&words.join(" "))
    };
    let set = |n: u32, change| {
        Ask::Store(Store {
            mailbox,
            uids: UidSet::one(n),
            change,
            flags: words(n),
            unchanged_since: None,
            echo: false,
        })
    };
    let mut full = 0;
    for n in 1..=12 {
        match desk.answer(set(n, FlagChange::Add)).await {
            Answer::Stored(_) => full = n,
            other => {
                assert_eq!(refused(other), Refusal::Limit);
                break;
            }
        }
    }
    assert_eq!(full, 9);
    // Those it has can be given and taken still; new ones can't come by APPEND either.
    let Answer::Stored(_) = desk.answer(set(full, FlagChange::Replace)).await else { panic!() };
    let Answer::Stored(_) = desk.answer(set(11, FlagChange::Remove)).await else { panic!() };
    assert_eq!(refused(append(&mut desk, "INBOX", STUB, words(11)).await), Refusal::Limit);
    let appended = append(&mut desk, "INBOX", STUB, words(1)).await;
    assert!(matches!(appended, Answer::Appended(_)), "{appended:?}");
    let long = keyword(words(13).keywords.with(&words(14).keywords).as_str());
    assert_eq!(refused(append(&mut desk, "Taslaklar", STUB, long).await), Refusal::Limit);
}

async fn what_changed_meanwhile_is_left_alone(world: World) {
    fill(&world, world.ali, 3).await;
    let mut desk = world.desk("ali").await;
    let selected = select(&mut desk, "INBOX").await;
    let mailbox = selected.mailbox;
    store_flags(&mut desk, mailbox, "2", FlagChange::Add, system(SystemFlags::SEEN)).await;
    let ask = crate::mailbox::ask::Store {
        mailbox,
        uids: uids("1:3"),
        change: FlagChange::Add,
        flags: system(SystemFlags::DELETED),
        unchanged_since: Some(selected.highest_modseq),
        echo: true,
    };
    match desk.answer(Ask::Store(ask)).await {
        Answer::Stored(stored) => {
            assert_eq!((stored.changed, stored.modified), (uids("1,3"), uids("2")));
        }
        other => panic!("{other:?}"),
    }
    let ask = Ask::Changes { mailbox, since: selected.highest_modseq };
    match desk.answer(ask).await {
        Answer::Changes(changes) => {
            assert_eq!((changes.changed, changes.arrived), (uids("1:3"), UidSet::new()));
        }
        other => panic!("{other:?}"),
    }
}

async fn copies_and_moves_pair_up(world: World) {
    fill(&world, world.ali, 6).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    store_flags(&mut desk, mailbox, "2", FlagChange::Add, keyword("is")).await;
    let to = || name("Arşiv");
    match desk.answer(Ask::Copy { mailbox, uids: uids("2,4:9"), to: to() }).await {
        Answer::Copied(Some(placed)) => {
            assert_eq!((placed.from, placed.to), (uids("2,4:6"), uids("1:4")));
            assert_eq!(placed.uid_validity, 7);
        }
        other => panic!("{other:?}"),
    }
    match desk.answer(Ask::Move { mailbox, uids: uids("1:2"), to: to() }).await {
        Answer::Moved(moved) => {
            assert_eq!(moved.gone, uids("1:2"));
            assert_eq!(moved.placed.unwrap().to, uids("5:6"));
        }
        other => panic!("{other:?}"),
    }
    let archive = select(&mut desk, "Arşiv").await.mailbox;
    let there = rows(&mut desk, archive).await;
    let subject = |at: usize| String::from_utf8(there[at].header.clone()).unwrap();
    assert_eq!((subject(0), subject(5)), (subject(5), subject(0)));
    assert_eq!(there[0].flags.keywords.as_str(), "is");
    // The original is gone for good; its copy still reads.
    store_flags(&mut desk, mailbox, "4", FlagChange::Add, system(SystemFlags::DELETED)).await;
    desk.answer(Ask::Expunge { mailbox, uids: None }).await;
    match desk.answer(content(archive, 2, 0..11)).await {
        Answer::Content(bytes) => assert_eq!(bytes, b"Subject: 3\r"),
        other => panic!("{other:?}"),
    }
    let none = Ask::Move { mailbox, uids: uids("1"), to: name("Yok") };
    assert_eq!(refused(desk.answer(none).await), Refusal::NoSuchTarget);
}

/// As many messages in INBOX as two batches and a half hold, without a commit for each.
async fn many(world: &World) -> (Desk, MailboxId, u32) {
    fill(world, world.ali, 1).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let mut count = 1;
    while count < 2560 {
        let uids = UidSet::range(1, count.min(2560 - count));
        count += uids.len() as u32;
        desk.answer(Ask::Copy { mailbox, uids, to: name("INBOX") }).await;
    }
    (desk, mailbox, count)
}

async fn mod_seq(desk: &mut Desk, of: &str) -> u64 {
    select(desk, of).await.highest_modseq
}

async fn changes_of_many_messages_let_others_write_in_between(world: World) {
    let (mut desk, mailbox, count) = many(&world).await;
    let all = UidSet::range(1, count);
    // Each batch has a mod-sequence of its own.
    let before = mod_seq(&mut desk, "Arşiv").await;
    let copy = Ask::Copy { mailbox, uids: all.clone(), to: name("Arşiv") };
    let Answer::Copied(Some(placed)) = desk.answer(copy).await else { panic!("not copied") };
    assert_eq!((&placed.from, placed.to), (&all, all.clone()));
    assert_eq!(mod_seq(&mut desk, "Arşiv").await, before + 3);
    done(&mut desk, create("x")).await;
    let to = name("x");
    let Answer::Moved(moved) = desk.answer(Ask::Move { mailbox, uids: all.clone(), to }).await
    else {
        panic!("not moved")
    };
    assert_eq!((moved.gone, moved.placed.unwrap().to), (all.clone(), all.clone()));
    assert_eq!(mod_seq(&mut desk, "x").await, 1 + 3);
    assert!(select(&mut desk, "INBOX").await.uids.is_empty());

    let x = select(&mut desk, "x").await.mailbox;
    desk.answer(Ask::Move { mailbox: x, uids: all.clone(), to: name("INBOX") }).await;
    done(&mut desk, Ask::Rename { from: name("INBOX"), to: name("eski") }).await;
    assert_eq!(select(&mut desk, "eski").await.uids, all);
    assert!(mod_seq(&mut desk, "eski").await > 1 + 3);
    done(&mut desk, Ask::Delete { name: name("eski") }).await;
    assert_eq!(refused(desk.answer(examine("eski")).await), Refusal::NoSuchMailbox);
    assert_eq!(select(&mut desk, "Arşiv").await.uids, all);
}

fn examine(text: &str) -> Ask {
    Ask::Select { name: name(text), examine: true }
}

async fn copies_of_batches_before_a_failed_one_are_taken_back(world: World) {
    let (mut desk, mailbox, count) = many(&world).await;
    let all = UidSet::range(1, count);
    desk.answer(Ask::Copy { mailbox, uids: uids("1"), to: name("Arşiv") }).await;
    // There are UIDs left for one batch, not for two.
    let left = i64::from(u32::MAX) - 1500;
    let sql = "UPDATE mailbox SET uid_next = $1 WHERE name = $2";
    let work = move |tx: &mut Tx<'_>| {
        Ok::<_, StoreError>(tx.execute(sql, &[left.into(), "Arşiv".into()])?)
    };
    world.store.write(Lane::Client, work).await.unwrap();
    let copy = Ask::Copy { mailbox, uids: all.clone(), to: name("Arşiv") };
    assert_eq!(refused(desk.answer(copy).await), Refusal::Unavailable);
    assert_eq!(select(&mut desk, "Arşiv").await.uids, uids("1"));
    assert_eq!(select(&mut desk, "INBOX").await.uids, all);
    // Of a mailbox that was made anew meanwhile nothing is taken.
    let other = select(&mut desk, "Arşiv").await.uid_validity + 1;
    let copied = Placed { uid_validity: other, from: uids("1"), to: uids("1") };
    desk.take_back(&name("Arşiv"), Some(copied)).await.unwrap();
    assert_eq!(select(&mut desk, "Arşiv").await.uids, uids("1"));
}

async fn uids_and_mod_sequences_only_grow(world: World) {
    let mut desk = world.desk("ali").await;
    let (mut last_uid, mut last_modseq) = (0, 0);
    for round in 0..5 {
        fill(&world, world.ali, 2).await;
        let selected = select(&mut desk, "INBOX").await;
        assert!(selected.uids.first().unwrap() > last_uid, "round {round}");
        assert!(selected.highest_modseq > last_modseq);
        assert!(selected.uid_next > selected.uids.last().unwrap());
        (last_uid, last_modseq) = (selected.uids.last().unwrap(), selected.highest_modseq);
        let mailbox = selected.mailbox;
        store_flags(&mut desk, mailbox, "1:*", FlagChange::Add, system(SystemFlags::DELETED)).await;
        match desk.answer(Ask::Expunge { mailbox, uids: None }).await {
            Answer::Expunged(gone) => assert_eq!(gone, selected.uids),
            other => panic!("{other:?}"),
        }
        assert!(select(&mut desk, "INBOX").await.uids.is_empty());
    }
}

async fn tasks_that_flag_fetch_and_expunge_agree_in_the_end(world: World) {
    fill(&world, world.ali, 40).await;
    let first = select(&mut world.desk("ali").await, "INBOX").await;
    let mailbox = first.mailbox;
    let mut tasks = Vec::new();
    for task in 0..6_u32 {
        let mut desk = world.desk("ali").await;
        tasks.push(tokio::spawn(async move {
            for round in 0..12 {
                let uid = (task * 7 + round * 3) % 40 + 1;
                match task % 3 {
                    0 => {
                        let (set, flags) = (uid.to_string(), system(SystemFlags::DELETED));
                        store_flags(&mut desk, mailbox, &set, FlagChange::Add, flags).await;
                        desk.answer(Ask::Expunge { mailbox, uids: Some(uids(&set)) }).await;
                    }
                    1 => {
                        let flags = keyword(&format!("k{task}"));
                        store_flags(&mut desk, mailbox, "1:*", FlagChange::Add, flags).await;
                    }
                    _ => {
                        for row in rows(&mut desk, mailbox).await {
                            let ask = content(mailbox, row.uid, 0..9);
                            match desk.answer(ask).await {
                                Answer::Content(bytes) => assert_eq!(&bytes[..9], b"Subject: "),
                                Answer::Refused(Refusal::Gone) => {}
                                other => panic!("{other:?}"),
                            }
                        }
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // A view that grew by changes is the one that is read anew.
    let mut desk = world.desk("ali").await;
    let grown = select(&mut desk, "INBOX").await;
    let fresh: UidSet = rows(&mut desk, mailbox).await.iter().map(|row| row.uid).collect();
    assert_eq!(grown.uids, fresh);
    match desk.answer(Ask::Changes { mailbox, since: first.highest_modseq }).await {
        Answer::Changes(changes) => {
            assert_eq!(first.uids.difference(&changes.vanished), fresh);
            assert_eq!(changes.changed, fresh);
        }
        other => panic!("{other:?}"),
    }
}

async fn moves_of_the_same_messages_at_a_time_double_nothing(world: World) {
    fill(&world, world.ali, 9).await;
    let mailbox = select(&mut world.desk("ali").await, "INBOX").await.mailbox;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let mut desk = world.desk("ali").await;
        let to = if task % 2 == 0 { "Arşiv" } else { "Çöp Kutusu" };
        let ask = Ask::Move { mailbox, uids: uids("1:9"), to: name(to) };
        tasks.push(tokio::spawn(async move { desk.answer(ask).await }));
    }
    let mut gone = 0;
    for task in tasks {
        match task.await.unwrap() {
            Answer::Moved(moved) => {
                let placed = moved.placed.unwrap();
                assert_eq!(placed.from.len(), placed.to.len());
                gone += moved.gone.len();
            }
            other => panic!("{other:?}"),
        }
    }
    let mut desk = world.desk("ali").await;
    let mut there = 0;
    for mailbox in ["INBOX", "Arşiv", "Çöp Kutusu"] {
        there += select(&mut desk, mailbox).await.uids.len();
    }
    assert_eq!((gone, there), (9, 9));
}

async fn flags_set_at_a_time_are_all_kept(world: World) {
    world.submit("m1@hs05.kep.tr", true).await;
    let mailbox = select(&mut world.desk("ali").await, "Giden Kutusu").await.mailbox;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let mut desk = world.desk("ali").await;
        tasks.push(tokio::spawn(async move {
            let flags = keyword(&format!("k{task}"));
            store_flags(&mut desk, mailbox, "1", FlagChange::Add, flags).await;
        }));
    }
    let owned = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let words = ["$KepAccepted", "$KepDelivered"];
        Ok(mail::set_server_keywords(tx, mail::Place { mailbox, uid: 1 }, &words)?)
    };
    world.store.write(Lane::Background, owned).await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let row = &rows(&mut world.desk("ali").await, mailbox).await[0];
    assert_eq!(row.flags.keywords.iter().count(), 10, "{:?}", row.flags.keywords);
}

async fn a_mailbox_of_another_account_is_none(world: World) {
    fill(&world, world.ali, 1).await;
    let mailbox = select(&mut world.desk("ali").await, "INBOX").await.mailbox;
    let mut veli = world.desk("veli").await;
    for mailbox in [mailbox, MailboxId(mailbox.0 + 10), MailboxId(9999)] {
        let all = || uids("1:*");
        let want = RowWant::default();
        let asks = [
            Ask::Rows { mailbox, uids: all(), want },
            content(mailbox, 1, 0..5),
            Ask::Changes { mailbox, since: 0 },
            Ask::Copy { mailbox, uids: all(), to: name("Arşiv") },
            Ask::Move { mailbox, uids: all(), to: name("Arşiv") },
            Ask::Expunge { mailbox, uids: None },
            Ask::Search(Search { mailbox, key: SearchKey::All, modseq: false, read: 0 }),
            Ask::Store(crate::mailbox::ask::Store {
                mailbox,
                uids: all(),
                change: FlagChange::Add,
                flags: system(SystemFlags::DELETED),
                unchanged_since: None,
                echo: true,
            }),
        ];
        for ask in asks {
            assert_eq!(refused(veli.answer(ask).await), Refusal::NoSuchMailbox);
        }
    }
    assert_eq!(rows(&mut world.desk("ali").await, mailbox).await.len(), 1);
}

async fn an_evidence_mail_is_hidden_and_its_evidence_stays(world: World) {
    world.put(world.ali, Role::Evidence, STUB, Kind::Evidence).await;
    fill(&world, world.ali, 1).await;
    let mut desk = world.desk("ali").await;
    let evidence = select(&mut desk, "Deliller").await.mailbox;
    let trash = Ask::Move { mailbox: evidence, uids: uids("1"), to: name("Çöp Kutusu") };
    assert!(matches!(desk.answer(trash).await, Answer::Moved(_)));
    let trash = select(&mut desk, "Çöp Kutusu").await.mailbox;
    let back = Ask::Move { mailbox: trash, uids: uids("1"), to: name("Deliller") };
    assert!(matches!(desk.answer(back).await, Answer::Moved(_)));
    store_flags(&mut desk, evidence, "2", FlagChange::Add, system(SystemFlags::DELETED)).await;
    match desk.answer(Ask::Expunge { mailbox: evidence, uids: None }).await {
        Answer::Expunged(gone) => assert_eq!(gone, uids("2")),
        other => panic!("{other:?}"),
    }
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    let into = Ask::Move { mailbox: inbox, uids: uids("1"), to: name("Deliller") };
    assert!(is_said(desk.answer(into).await));
}

async fn done(desk: &mut crate::mailbox::answer::Desk, ask: Ask) {
    match desk.answer(ask).await {
        Answer::Done | Answer::Created(_) => {}
        other => panic!("{other:?}"),
    }
}

async fn names(desk: &mut crate::mailbox::answer::Desk) -> Vec<String> {
    match desk.answer(Ask::Mailboxes(ListWant { missing: true, status: None })).await {
        Answer::Mailboxes(entries) => {
            let plain = |entry: &&MailboxEntry| entry.name.as_str().starts_with("x");
            let text = |entry: &MailboxEntry| format!("{} {:?}", entry.name, entry.kind);
            entries.iter().filter(plain).map(text).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn create(text: &str) -> Ask {
    Ask::Create { name: name(text), special: None }
}

async fn mailboxes_are_made_renamed_and_removed(world: World) {
    let mut desk = world.desk("ali").await;
    done(&mut desk, create("x/İşler/2026")).await;
    assert_eq!(names(&mut desk).await.len(), 3);
    assert_eq!(refused(desk.answer(create("x")).await), Refusal::MailboxExists);
    let delete = |text: &str| Ask::Delete { name: name(text) };
    assert_eq!(refused(desk.answer(delete("x")).await), Refusal::HasChildren);
    let rename = |from: &str, to: &str| Ask::Rename { from: name(from), to: name(to) };
    assert_eq!(refused(desk.answer(rename("x", "x/y")).await), Refusal::Cannot);
    done(&mut desk, rename("x/İşler", "xy/b")).await;
    let now =
        ["x Mailbox(None)", "xy Mailbox(None)", "xy/b Mailbox(None)", "xy/b/2026 Mailbox(None)"];
    assert_eq!(names(&mut desk).await, now);
    assert_eq!(refused(desk.answer(rename("x", "xy/b")).await), Refusal::MailboxExists);
    append(&mut desk, "xy/b/2026", STUB, Flags::default()).await;
    done(&mut desk, delete("xy/b/2026")).await;
    assert_eq!(refused(desk.answer(delete("xy/b/2026")).await), Refusal::NoSuchMailbox);
    assert_eq!(refused(desk.answer(rename("yok", "x2")).await), Refusal::NoSuchMailbox);
}

async fn the_programs_own_mailboxes_stay(world: World) {
    let mut desk = world.desk("ali").await;
    for own in ["INBOX", "Deliller", "Açılacaklar", "Giden Kutusu"] {
        let answer = desk.answer(Ask::Delete { name: name(own) }).await;
        assert_eq!(refused(answer), Refusal::Cannot);
    }
    let rename = Ask::Rename { from: name("Deliller"), to: name("x") };
    assert_eq!(refused(desk.answer(rename).await), Refusal::Cannot);
    for reserved in ["Önemli", "Etiketler/iş", "Tüm Postalar"] {
        assert_eq!(refused(desk.answer(create(reserved)).await), Refusal::Cannot);
    }
    let all = desk.answer(Ask::Mailboxes(ListWant::default())).await;
    let Answer::Mailboxes(all) = all else { panic!("{all:?}") };
    assert_eq!(all.len(), 12);
    assert!(all.iter().all(|entry| !entry.name.as_str().is_empty()));
    let hidden: Vec<_> = all.iter().filter(|e| !e.subscribed).map(|e| e.name.as_str()).collect();
    assert_eq!(hidden, ["Tüm Postalar", "Önemli"]);
    let uses = all.iter().filter(|e| matches!(e.kind, MailboxKind::Mailbox(Some(_)))).count();
    assert_eq!(uses, 6);
}

async fn renaming_inbox_moves_its_messages(world: World) {
    fill(&world, world.ali, 3).await;
    let mut desk = world.desk("ali").await;
    done(&mut desk, Ask::Rename { from: name("INBOX"), to: name("x/eski") }).await;
    assert!(select(&mut desk, "INBOX").await.uids.is_empty());
    assert_eq!(select(&mut desk, "x/eski").await.uids, uids("1:3"));
}

async fn a_name_made_again_has_a_greater_uidvalidity(world: World) {
    let mut desk = world.desk("ali").await;
    let mut last = 0;
    for _ in 0..3 {
        done(&mut desk, create("x")).await;
        let selected = select(&mut desk, "x").await;
        assert!(selected.uid_validity > last);
        last = selected.uid_validity;
        append(&mut desk, "x", STUB, Flags::default()).await;
        done(&mut desk, Ask::Delete { name: name("x") }).await;
    }
    // A mailbox that takes the name by being renamed, too.
    done(&mut desk, create("x2")).await;
    done(&mut desk, Ask::Rename { from: name("x2"), to: name("x") }).await;
    assert!(select(&mut desk, "x").await.uid_validity > last);
}

async fn subscriptions_outlive_mailboxes(world: World) {
    let mut desk = world.desk("ali").await;
    let subscribe = |text: &str, on| Ask::Subscribe { name: name(text), on };
    done(&mut desk, create("x")).await;
    done(&mut desk, subscribe("x", true)).await;
    done(&mut desk, subscribe("xyz", true)).await;
    done(&mut desk, Ask::Delete { name: name("x") }).await;
    assert_eq!(names(&mut desk).await, ["x Missing", "xyz Missing"]);
    done(&mut desk, create("x")).await;
    assert_eq!(names(&mut desk).await, ["x Mailbox(None)", "xyz Missing"]);
    let all = desk.answer(Ask::Mailboxes(ListWant::default())).await;
    let Answer::Mailboxes(all) = all else { panic!("{all:?}") };
    assert!(all.iter().find(|e| e.name.as_str() == "x").unwrap().subscribed);
    done(&mut desk, subscribe("xyz", false)).await;
    assert_eq!(names(&mut desk).await, ["x Mailbox(None)"]);
}
