//! Mailboxes for labels: who wants them has them; what is put in gets the label, what is taken out
//! loses it, and the message stays where it is.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::registry::labels;
use crate::store::mail::{Kind, Role};
use crate::wire::imap::*;

on_stores!(
    who_wants_them_has_a_mailbox_for_each_label,
    what_has_the_label_is_shown_and_nothing_else,
    what_is_copied_or_moved_in_gets_the_label,
    what_is_taken_out_loses_the_label,
    what_no_label_shows_gets_none,
);

const SALES: &str = "Etiketler/Satış";
const URGENT: &str = "Etiketler/Acele";
const KEY: &str = "sat=c4=b1=c5=9f";

async fn wanted(world: &World) {
    labels::create(&world.store, world.ali, "Satış", None, NOW).await.unwrap();
    labels::create(&world.store, world.ali, "Acele", None, NOW).await.unwrap();
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
}

async fn put(world: &World, role: Role, text: &str) -> u32 {
    world.put(world.ali, role, &format!("Subject: {text}\r\n\r\n{text}\r\n"), Kind::Plain).await
}

/// Names of the account's mailboxes under `Etiketler`, and that level.
async fn names(desk: &mut Desk) -> Vec<String> {
    let Answer::Mailboxes(all) = desk.answer(Ask::Mailboxes(ListWant::default())).await else {
        panic!()
    };
    let own = all.into_iter().filter(|entry| entry.name.as_str().starts_with("Etiketler"));
    let told = |entry: MailboxEntry| match entry.kind {
        MailboxKind::NoSelect => format!("({})", entry.name),
        _ => entry.name.to_string(),
    };
    let mut names: Vec<_> = own.map(told).collect();
    names.sort();
    names
}

/// The subjects of what a mailbox shows, with the keywords.
async fn shown(desk: &mut Desk, mailbox: &str) -> Vec<String> {
    let id = select(desk, mailbox).await.mailbox;
    let told = |row: Row| {
        let header = String::from_utf8(row.header).unwrap();
        let subject = header.lines().next().unwrap().trim_start_matches("Subject: ").to_owned();
        format!("{subject} {}", row.flags.keywords.as_str()).trim_end().to_owned()
    };
    rows(desk, id).await.into_iter().map(told).collect()
}

async fn copy(desk: &mut Desk, from: &str, set: &str, to: &str) -> Option<Placed> {
    let mailbox = select(desk, from).await.mailbox;
    match desk.answer(Ask::Copy { mailbox, uids: uids(set), to: name(to) }).await {
        Answer::Copied(placed) => placed,
        other => panic!("{other:?}"),
    }
}

async fn moved(desk: &mut Desk, from: &str, set: &str, to: &str) -> Moved {
    let mailbox = select(desk, from).await.mailbox;
    match desk.answer(Ask::Move { mailbox, uids: uids(set), to: name(to) }).await {
        Answer::Moved(moved) => moved,
        other => panic!("{other:?}"),
    }
}

async fn who_wants_them_has_a_mailbox_for_each_label(world: World) {
    let mut desk = world.desk("ali").await;
    labels::create(&world.store, world.ali, "Satış", None, NOW).await.unwrap();
    assert_eq!(names(&mut desk).await, Vec::<String>::new());
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    assert_eq!(names(&mut desk).await, ["(Etiketler)", SALES]);
    labels::create(&world.store, world.ali, "%5 * indirim", None, NOW).await.unwrap();
    labels::create(&world.store, world.ali, "..", None, NOW).await.unwrap();
    labels::rename(&world.store, world.ali, "Satış", "Pazarlama", NOW).await.unwrap();
    let now = ["(Etiketler)", "Etiketler/Pazarlama", "Etiketler/％5 ＊ indirim"];
    assert_eq!(names(&mut desk).await, now);
    let before = select(&mut desk, "Etiketler/Pazarlama").await.uid_validity;
    labels::delete(&world.store, world.ali, "Pazarlama", NOW).await.unwrap();
    labels::create(&world.store, world.ali, "Pazarlama", None, NOW).await.unwrap();
    assert!(select(&mut desk, "Etiketler/Pazarlama").await.uid_validity > before);
    for ask in [
        Ask::Create { name: name("Etiketler/Yeni"), special: None },
        Ask::Delete { name: name("Etiketler/Pazarlama") },
        Ask::Rename { from: name("Etiketler/Pazarlama"), to: name("Yeni") },
    ] {
        assert_eq!(refused(desk.answer(ask).await), Refusal::Cannot);
    }
    let appended = append(&mut desk, "Etiketler/Pazarlama", "x\r\n\r\n", Flags::default()).await;
    assert_eq!(refused(appended), Refusal::Cannot);
    labels::as_mailboxes(&world.store, world.ali, false, NOW).await.unwrap();
    assert_eq!(names(&mut desk).await, Vec::<String>::new());
    assert_eq!(names(&mut world.desk("veli").await).await, Vec::<String>::new());
}

async fn what_has_the_label_is_shown_and_nothing_else(world: World) {
    wanted(&world).await;
    let mut desk = world.desk("ali").await;
    for text in ["bir", "iki", "uc"] {
        put(&world, Role::Inbox, text).await;
    }
    assert_eq!(shown(&mut desk, SALES).await, Vec::<String>::new());
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    store_flags(&mut desk, inbox, "1,3", FlagChange::Add, keyword(KEY)).await;
    let both = [format!("bir {KEY}"), format!("uc {KEY}")];
    assert_eq!(shown(&mut desk, SALES).await, both);
    assert_eq!(shown(&mut desk, URGENT).await, Vec::<String>::new());
    store_flags(&mut desk, inbox, "1", FlagChange::Remove, keyword(&KEY.to_uppercase())).await;
    assert_eq!(shown(&mut desk, SALES).await, both[1..]);
    // The same through the mailbox itself.
    let sales = select(&mut desk, SALES).await.mailbox;
    store_flags(&mut desk, sales, "2", FlagChange::Remove, keyword(KEY)).await;
    assert_eq!(shown(&mut desk, SALES).await, Vec::<String>::new());
    assert_eq!(shown(&mut desk, "INBOX").await, ["bir", "iki", "uc"]);
    labels::delete(&world.store, world.ali, "Satış", NOW).await.unwrap();
    let ask = Ask::Select { name: name(SALES), examine: false };
    assert_eq!(refused(desk.answer(ask).await), Refusal::NoSuchMailbox);
}

async fn what_is_copied_or_moved_in_gets_the_label(world: World) {
    wanted(&world).await;
    let mut desk = world.desk("ali").await;
    for text in ["bir", "iki", "uc"] {
        put(&world, Role::Inbox, text).await;
    }
    let placed = copy(&mut desk, "INBOX", "2:3", SALES).await.unwrap();
    assert_eq!((placed.from, placed.to), (uids("2:3"), uids("1:2")));
    let now = [format!("iki {KEY}"), format!("uc {KEY}")];
    assert_eq!(shown(&mut desk, SALES).await, now);
    // It stays where it was.
    let went = moved(&mut desk, "INBOX", "1", SALES).await;
    assert_eq!((went.gone, went.placed.unwrap().to), (UidSet::new(), uids("3")));
    let all: Vec<_> = ["bir", "iki", "uc"].iter().map(|text| format!("{text} {KEY}")).collect();
    assert_eq!(shown(&mut desk, "INBOX").await, all);
    // Again: it is there already, and its order tells nothing of pairs.
    assert_eq!(copy(&mut desk, "INBOX", "1:2", SALES).await, None);
    assert_eq!(shown(&mut desk, SALES).await.len(), 3);
    // From label to label.
    let went = moved(&mut desk, SALES, "1", URGENT).await;
    assert_eq!((went.gone, went.placed.unwrap().to), (uids("1"), uids("1")));
    assert_eq!(shown(&mut desk, URGENT).await, ["iki acele"]);
    copy(&mut desk, SALES, "2", URGENT).await;
    assert_eq!(shown(&mut desk, URGENT).await, ["iki acele", &format!("uc {KEY} acele")]);
    // Nothing was doubled.
    assert_eq!(shown(&mut desk, "INBOX").await.len(), 3);
}

async fn what_is_taken_out_loses_the_label(world: World) {
    wanted(&world).await;
    let mut desk = world.desk("ali").await;
    for text in ["bir", "iki", "uc"] {
        put(&world, Role::Inbox, text).await;
    }
    copy(&mut desk, "INBOX", "1:3", SALES).await;
    let sales = select(&mut desk, SALES).await.mailbox;
    let deleted = Flags { system: SystemFlags::DELETED, ..Flags::default() };
    store_flags(&mut desk, sales, "1", FlagChange::Add, deleted).await;
    match desk.answer(Ask::Expunge { mailbox: sales, uids: None }).await {
        Answer::Expunged(gone) => assert_eq!(gone, uids("1")),
        other => panic!("{other:?}"),
    }
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    let first = rows(&mut desk, inbox).await.remove(0);
    assert_eq!(first.flags, Flags::default(), "neither label nor mark, and it stays");
    // To another mailbox it goes without the label, to the trash with it.
    let went = moved(&mut desk, SALES, "2", "Arşiv").await;
    assert_eq!(went.gone, uids("2"));
    assert_eq!(shown(&mut desk, "Arşiv").await, ["iki"]);
    moved(&mut desk, SALES, "3", "Çöp Kutusu").await;
    assert_eq!(shown(&mut desk, "Çöp Kutusu").await, [format!("uc {KEY}")]);
    assert_eq!(shown(&mut desk, SALES).await, Vec::<String>::new());
    assert_eq!(shown(&mut desk, "INBOX").await, ["bir"]);
}

async fn what_no_label_shows_gets_none(world: World) {
    wanted(&world).await;
    let mut desk = world.desk("ali").await;
    put(&world, Role::Trash, "atilan").await;
    let mailbox = select(&mut desk, "Çöp Kutusu").await.mailbox;
    for ask in [
        Ask::Copy { mailbox, uids: uids("1"), to: name(SALES) },
        Ask::Move { mailbox, uids: uids("1"), to: name(SALES) },
    ] {
        assert_eq!(refused(desk.answer(ask).await), Refusal::Cannot);
    }
    // An unopened message may have a label: that opens nothing.
    world.deliver("m1@hs05.kep.tr", true).await;
    labels::create(&world.store, world.veli, "Satış", None, NOW).await.unwrap();
    labels::as_mailboxes(&world.store, world.veli, true, NOW).await.unwrap();
    let mut veli = world.desk("veli").await;
    copy(&mut veli, "INBOX", "1", SALES).await;
    assert_eq!(shown(&mut veli, SALES).await.len(), 1);
    assert_eq!(world.facts().await, 0);
    let other = world.desk("ali").await.answer(Ask::Rights { name: name(SALES) }).await;
    let Answer::Rights(own) = other else { panic!() };
    assert_eq!(own.rights.to_string(), "lrswitead");
}
