//! Mailboxes for labels: who wants them has them; what is put in gets the label, what is taken out
//! loses it, and the message stays where it is.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::registry::labels;
use crate::store::mail::{Kind, Role};
use crate::store::{RowsError, Tx};
use crate::wire::imap::*;

on_stores!(
    who_wants_them_has_a_mailbox_for_each_label,
    what_has_the_label_is_shown_and_nothing_else,
    what_is_copied_or_moved_in_gets_the_label,
    what_is_taken_out_loses_the_label,
    what_no_label_shows_gets_none,
    what_a_program_tags_has_a_mailbox,
    a_store_that_changes_nothing_makes_no_label,
    names_that_are_hard_have_mailboxes_of_their_own,
    a_thousand_labels_have_a_thousand_mailboxes,
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

/// Nobody named it: the name is what the key tells.
async fn what_a_program_tags_has_a_mailbox(world: World) {
    let mut desk = world.desk("ali").await;
    for text in ["bir", "iki"] {
        put(&world, Role::Inbox, text).await;
    }
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword("sat&atebxw-")).await;
    assert_eq!(names(&mut desk).await, [""; 0]);
    // What was tagged before is there when they are wanted.
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    assert_eq!(names(&mut desk).await, ["(Etiketler)", "Etiketler/satış"]);
    assert_eq!(shown(&mut desk, "Etiketler/satış").await, ["bir sat&atebxw-"]);
    // The key of today's Thunderbird for the same name is another label.
    store_flags(&mut desk, inbox, "2", FlagChange::Add, keyword("SAT=C4=B1=C5=9F")).await;
    let both = ["(Etiketler)", "Etiketler/satış", "Etiketler/satış (2)"];
    assert_eq!(names(&mut desk).await, both);
    assert_eq!(shown(&mut desk, "Etiketler/satış (2)").await, ["iki SAT=C4=B1=C5=9F"]);
    // What programs set by themselves is no label, and taking one off makes none.
    for word in ["NonJunk", "$Forwarded", "$MDNSent", "$KepRead"] {
        store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword(word)).await;
    }
    store_flags(&mut desk, inbox, "1", FlagChange::Remove, keyword("yok")).await;
    assert_eq!(names(&mut desk).await, both);
    // By APPEND as by STORE.
    append(&mut desk, "Taslaklar", "Subject: uc\r\n\r\n", keyword("acele")).await;
    assert_eq!(shown(&mut desk, "Etiketler/acele").await, ["uc acele"]);
    // A name that somebody gives it.
    labels::rename(&world.store, world.ali, "sat&atebxw-", "Eski satış", NOW).await.unwrap();
    let renamed = ["(Etiketler)", "Etiketler/Eski satış", "Etiketler/acele", "Etiketler/satış (2)"];
    assert_eq!(names(&mut desk).await, renamed);
    let as_before = ["bir sat&atebxw- NonJunk $Forwarded $MDNSent"];
    assert_eq!(shown(&mut desk, "Etiketler/Eski satış").await, as_before);
    labels::delete(&world.store, world.ali, "sat=c4=b1=c5=9f", NOW).await.unwrap();
    labels::delete(&world.store, world.ali, "acele", NOW).await.unwrap();
    assert_eq!(names(&mut desk).await, renamed[..2]);
    assert_eq!(shown(&mut desk, "INBOX").await[1], "iki");
    assert_eq!(names(&mut world.desk("veli").await).await, [""; 0]);
}

async fn a_store_that_changes_nothing_makes_no_label(world: World) {
    let mut desk = world.desk("ali").await;
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    put(&world, Role::Inbox, "bir").await;
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    let step = async || {
        let sql = "SELECT metadata_step FROM account WHERE id = $1";
        let ali = world.ali;
        let read = move |tx: &mut Tx<'_>| tx.one("step", sql, &[ali.0.into()])?.int(0);
        world.store.read::<_, RowsError, _>(read).await.unwrap()
    };
    let before = step().await;
    let words = |n: usize| (0..n).map(|n| format!("etiket{n}")).collect::<Vec<_>>().join(" ");
    // Nobody is there; nobody is as old; more than a message may have.
    store_flags(&mut desk, inbox, "7:9", FlagChange::Add, keyword(&words(700))).await;
    let ask = |flags, unchanged_since| Store {
        mailbox: inbox,
        uids: uids("1"),
        change: FlagChange::Replace,
        flags,
        unchanged_since,
        echo: false,
    };
    let answer = desk.answer(Ask::Store(ask(keyword("eski"), Some(1)))).await;
    let refused = matches!(&answer, Answer::Stored(stored) if !stored.modified.is_empty());
    assert!(refused, "{answer:?}");
    let answer = desk.answer(Ask::Store(ask(keyword(&words(1000)), None))).await;
    assert!(matches!(answer, Answer::Refused(Refusal::Limit)), "{answer:?}");
    assert_eq!((step().await, names(&mut desk).await.len()), (before, 0));
    // Many at once are one change of what lists them.
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword(&words(20))).await;
    assert_eq!((step().await, names(&mut desk).await.len()), (before + 1, 21));
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword(&words(20))).await;
    assert_eq!(step().await, before + 1);
}

async fn names_that_are_hard_have_mailboxes_of_their_own(world: World) {
    let mut desk = world.desk("ali").await;
    put(&world, Role::Inbox, "bir").await;
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    labels::create(&world.store, world.ali, "a／b", None, NOW).await.unwrap();
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    // A `/` in a name, what is no UTF-8, control characters, nothing that is seen, no name at all.
    let hard = ["a/b", "x=ff", "y=00=0d=0az", "=e2=80=8b", "..", "/", "=2f=2e=2e", "i=cc=87=20"];
    for key in hard {
        store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword(key)).await;
    }
    let long = "w".repeat(255);
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword(&long)).await;
    let all = names(&mut desk).await;
    for shown in ["a／b", "a／b (2)", "x=ff", "y=00=0d=0az", "=e2=80=8b", "／", "／.."] {
        assert!(all.contains(&format!("Etiketler/{shown}")), "{shown}: {all:?}");
    }
    assert!(all.iter().all(|name| !name.chars().any(char::is_control)), "{all:?}");
    assert!(!all.contains(&"Etiketler/..".to_owned()), "{all:?}");
    assert!(all.iter().all(|name| name.matches('/').count() <= 1), "{all:?}");
    let told = labels::list(&world.store, world.ali).await.unwrap();
    assert_eq!(told.len(), 1 + hard.len() + 1);
    let distinct: std::collections::BTreeSet<_> = told.iter().map(|label| &label.name).collect();
    assert_eq!(distinct.len(), told.len());
    labels::delete(&world.store, world.ali, "a／b", NOW).await.unwrap();
    assert!(!names(&mut desk).await.contains(&"Etiketler/a／b".to_owned()));
    assert_eq!(shown(&mut desk, "Etiketler/a／b (2)").await.len(), 1, "it stays where it is");
    // A new one takes the name that is free.
    labels::create(&world.store, world.ali, "a／b", None, NOW).await.unwrap();
    assert!(names(&mut desk).await.contains(&"Etiketler/a／b".to_owned()));
}

async fn a_thousand_labels_have_a_thousand_mailboxes(world: World) {
    let mut desk = world.desk("ali").await;
    put(&world, Role::Inbox, "bir").await;
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    labels::as_mailboxes(&world.store, world.ali, true, NOW).await.unwrap();
    for n in 0..10 {
        let words: Vec<_> = (0..100).map(|m| format!("etiket-{}", 100 * n + m)).collect();
        store_flags(&mut desk, inbox, "1", FlagChange::Replace, keyword(&words.join(" "))).await;
    }
    assert_eq!(names(&mut desk).await.len(), 1001);
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword("biri-daha")).await;
    assert_eq!(names(&mut desk).await.len(), 1001, "no more, and the message has it");
    assert_eq!(shown(&mut desk, "Etiketler/etiket-999").await.len(), 1);
    assert_eq!(shown(&mut desk, "Etiketler/etiket-0").await.len(), 0);
    labels::delete(&world.store, world.ali, "etiket-0", NOW).await.unwrap();
    store_flags(&mut desk, inbox, "1", FlagChange::Add, keyword("bu-sigar")).await;
    assert!(names(&mut desk).await.contains(&"Etiketler/bu-sigar".to_owned()));
}
