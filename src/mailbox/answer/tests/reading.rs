//! Selecting, counting, listing rows.

use super::on_stores;
use super::world::*;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::imap::*;

on_stores!(
    nothing_is_answered_before_login,
    counts_follow_what_happens,
    rows_come_with_what_is_wanted,
    rows_of_large_headers_come_a_few_at_a_time,
    flags_come_without_what_is_dear,
    flags_of_many_keywords_come_a_few_at_a_time,
    the_hidden_mailbox_is_never_seen,
    large_content_comes_in_pieces,
    small_contents_come_together,
);

async fn nothing_is_answered_before_login(world: World) {
    let peer = [127, 0, 0, 1].into();
    let mut desk = crate::mailbox::answer::Desk::new(world.office.clone(), peer);
    let ask = Ask::Select { name: name("INBOX"), examine: false };
    assert_eq!(refused(desk.answer(ask).await), Refusal::BadCredentials);
    let login = |user: &str| {
        Ask::Login(Login {
            user: user.into(),
            proof: Proof::Password("x".into()),
            mechanism: "PLAIN",
        })
    };
    assert!(matches!(desk.answer(login("ali")).await, Answer::LoggedIn(_)));
    // A failed login after a good one leaves nobody logged in.
    assert_eq!(refused(desk.answer(login("nobody")).await), Refusal::BadCredentials);
    let ask = Ask::Select { name: name("INBOX"), examine: false };
    assert_eq!(refused(desk.answer(ask).await), Refusal::BadCredentials);
}

async fn counts_follow_what_happens(world: World) {
    let mut desk = world.desk("ali").await;
    let want = StatusWant {
        recent: false,
        messages: true,
        unseen: true,
        deleted: true,
        size: true,
        deleted_storage: true,
    };
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let mut counts = Vec::new();
    for step in 0..4 {
        match step {
            0 => drop(world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await),
            1 => drop(world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await),
            2 => {
                let system = SystemFlags::SEEN | SystemFlags::DELETED;
                let flags = Flags { system, ..Flags::default() };
                store_flags(&mut desk, mailbox, "1", FlagChange::Add, flags).await;
            }
            _ => drop(desk.answer(Ask::Expunge { mailbox, uids: None }).await),
        }
        match desk.answer(Ask::Status { name: name("INBOX"), want }).await {
            Answer::Status(s) => counts.push((s.messages, s.unseen, s.deleted, s.size as usize)),
            other => panic!("{other:?}"),
        }
    }
    let (one, two) = (STUB.len(), STUB.len() + ORIGINAL.len());
    assert_eq!(counts, [(1, 1, 0, one), (2, 2, 0, two), (2, 1, 1, two), (1, 1, 0, ORIGINAL.len())]);
    let all = Ask::Mailboxes(ListWant { missing: false, status: Some(want) });
    let Answer::Mailboxes(all) = desk.answer(all).await else { panic!("no list") };
    let inbox = all.iter().find(|entry| entry.name.is_inbox()).unwrap();
    assert_eq!(inbox.status.unwrap().messages, 1);
}

async fn rows_come_with_what_is_wanted(world: World) {
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    for (structure, header) in [(false, false), (true, false), (false, true), (true, true)] {
        let want = RowWant { structure, header, thread: false };
        let ask = Ask::Rows { mailbox, uids: uids("1,3,9"), want };
        let Answer::Rows(rows) = desk.answer(ask).await else { panic!("no rows") };
        assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [1, 3]);
        for row in rows {
            assert_eq!(Structure::read(&row.structure).is_some(), structure);
            assert_eq!(row.header.starts_with(b"From: "), header);
        }
    }
}

async fn rows_of_large_headers_come_a_few_at_a_time(world: World) {
    let large = format!("Subject: x\r\nX: {}\r\n\r\nletter\r\n", "y".repeat(300_000));
    for n in 1..=9 {
        let mail = if n % 3 == 0 { STUB } else { &large };
        world.put(world.ali, Role::Inbox, mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let (mut left, mut answers) = (uids("1:9"), Vec::new());
    while !left.is_empty() {
        let want = RowWant { structure: true, header: true, thread: false };
        let ask = Ask::Rows { mailbox, uids: left.clone(), want };
        let Answer::Rows(rows) = desk.answer(ask).await else { panic!("no rows") };
        assert!(rows.iter().all(|row| Structure::read(&row.structure).is_some()));
        assert!(rows.iter().all(|row| row.header.ends_with(b"\r\n\r\n")));
        let came: UidSet = rows.iter().map(|row| row.uid).collect();
        answers.push(came.to_string());
        left = left.difference(&came);
    }
    assert_eq!(answers, ["1:5", "6:9"]);
    let text = Ask::Search(Search {
        mailbox,
        key: SearchKey::Text("letter".into()),
        modseq: false,
        read: 0,
    });
    let Answer::Found(found) = desk.answer(text).await else { panic!("nothing found") };
    assert_eq!(found.uids, uids("1:2,4:5,7:8"));
}

async fn flags_come_without_what_is_dear(world: World) {
    for _ in 0..4 {
        world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let seen = Flags { system: SystemFlags::SEEN, ..keyword("is") };
    store_flags(&mut desk, mailbox, "2:3", FlagChange::Add, seen).await;
    let rows = rows(&mut desk, mailbox).await.into_iter().filter(|row| row.uid != 2);
    let row = |row: Row| FlagRow { uid: row.uid, modseq: row.modseq, flags: row.flags };
    let ask = || Ask::Flags { mailbox, uids: uids("1,3:9,4000000000") };
    let Answer::Flags(flags) = desk.answer(ask()).await else { panic!("no flags") };
    let mut rows: Vec<_> = rows.map(row).collect();
    assert_eq!(flags, rows);
    rows.retain(|row| row.uid > 2);
    let since = rows[1].modseq - 1;
    let ask_changes = Ask::Changes { mailbox, since };
    let Answer::Changes(changes) = desk.answer(ask_changes).await else { panic!("no changes") };
    assert_eq!((changes.changed, changes.arrived), (uids("2:3"), uids("4")));
    assert_eq!(changes.flags.iter().map(|row| row.uid).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(changes.flags[1..], rows);
    let mut other = world.desk("veli").await;
    assert_eq!(refused(other.answer(ask()).await), Refusal::NoSuchMailbox);
    let far = Ask::Flags { mailbox, uids: uids("7:900000") };
    let Answer::Flags(none) = desk.answer(far).await else { panic!("no flags") };
    assert_eq!(none, []);
}

async fn flags_of_many_keywords_come_a_few_at_a_time(world: World) {
    for _ in 0..131 {
        world.put(world.ali, Role::Inbox, "Subject: x\r\n\r\n", Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let words: Vec<_> = (100..201).map(|n| format!("{n}{}", "x".repeat(77))).collect();
    let words = words.iter().filter_map(|word| Keyword::parse(word)).collect();
    let many = Flags { keywords: words, ..Flags::default() };
    assert_eq!(many.keywords.as_str().len(), 101 * 81 - 1);
    store_flags(&mut desk, mailbox, "1:131", FlagChange::Add, many.clone()).await;
    let (mut left, mut answers) = (uids("1:131"), Vec::new());
    while !left.is_empty() {
        let ask = Ask::Flags { mailbox, uids: left.clone() };
        let Answer::Flags(rows) = desk.answer(ask).await else { panic!("no flags") };
        assert!(rows.iter().all(|row| row.flags == many));
        let came: UidSet = rows.iter().map(|row| row.uid).collect();
        answers.push(came.to_string());
        left = left.difference(&came);
    }
    assert_eq!(answers, ["1:129", "130:131"]);
    let ask = Ask::Changes { mailbox, since: 0 };
    let Answer::Changes(changes) = desk.answer(ask).await else { panic!("no changes") };
    assert_eq!((changes.arrived, changes.flags), (uids("1:131"), Vec::new()));
}

async fn the_hidden_mailbox_is_never_seen(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let inbox = select(&mut desk, "INBOX").await.mailbox;
    // Mailboxes of an account are made in a row: its hidden one is among these.
    for id in inbox.0..inbox.0 + 11 {
        let mailbox = crate::wire::MailboxId(id);
        let end = HEAD.len() + ORIGINAL.len();
        match desk.answer(content(mailbox, 1, 0..end)).await {
            Answer::Content(bytes) => assert_eq!(bytes, STUB.as_bytes()),
            other => drop(refused(other)),
        }
    }
    assert_eq!(world.facts().await, 0);
}

async fn large_content_comes_in_pieces(world: World) {
    let large = format!("Subject: x\r\n\r\n{}", "0123456789abcdef".repeat(40_000));
    world.put(world.ali, Role::Inbox, &large, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let mut whole = Vec::new();
    while whole.len() < large.len() {
        let ask = content(mailbox, 1, whole.len()..large.len());
        match desk.answer(ask).await {
            Answer::Content(bytes) => {
                assert!((1..=256 << 10).contains(&bytes.len()));
                whole.extend(bytes);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(whole, large.as_bytes());
    let beyond = content(mailbox, 1, large.len()..large.len() + 9);
    assert_eq!(refused(desk.answer(beyond).await), Refusal::Cannot);
}

async fn small_contents_come_together(world: World) {
    for letter in ["a", "b", "c", "d"] {
        let mail = format!("Subject: {letter}\r\n\r\n{}\r\n", letter.repeat(9));
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let large = "x".repeat(300 << 10);
    world.put(world.ali, Role::Inbox, &large, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let body = |uid| (uid, 14..23);
    let all = [body(1), body(2), (2, 0..3), body(4)];
    assert_eq!(octets(&mut desk, mailbox, &all).await, b"aaaaaaaaabbbbbbbbbSubddddddddd");
    // One that can't be given ends the answer, and is refused when it comes first.
    for odd in [(9, 0..4), (2, 90..95)] {
        let pieces = [body(1), odd.clone(), body(4)];
        assert_eq!(octets(&mut desk, mailbox, &pieces).await, b"aaaaaaaaa");
        let ask = Ask::Content(Content { mailbox, pieces: vec![odd, body(4)] });
        refused(desk.answer(ask).await);
    }
    assert_eq!(octets(&mut desk, mailbox, &[(2, 20..90), body(4)]).await, b"bbb\r\n");
    // An answer is full before the last one is through; it is gone on with.
    let end = 300 << 10;
    let came = octets(&mut desk, mailbox, &[body(1), (5, 0..end), body(4)]).await;
    assert_eq!(came.len(), 256 << 10);
    let left = came.len() as u64 - 9..end;
    let missing = left.end - left.start;
    assert_eq!(octets(&mut desk, mailbox, &[(5, left)]).await.len() as u64, missing);
}

async fn octets(
    desk: &mut crate::mailbox::answer::Desk,
    mailbox: crate::wire::MailboxId,
    pieces: &[(crate::wire::imap::Uid, std::ops::Range<u64>)],
) -> Vec<u8> {
    match desk.answer(Ask::Content(Content { mailbox, pieces: pieces.to_vec() })).await {
        Answer::Content(octets) => octets,
        other => panic!("{other:?}"),
    }
}
