//! Invariant 3: the read fact is durable before content leaves, and there is one.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::mailbox::{Config, Next, Session, Tls};
use crate::wire::imap::*;

on_stores!(
    eight_readers_of_a_sealed_message_make_one_read_fact_invariant_3,
    eight_moves_of_a_stub_make_one_read_fact_invariant_3,
    listing_reading_the_envelope_and_searching_open_nothing_invariant_3,
    a_range_that_touches_the_original_opens_invariant_3,
    what_is_asked_for_ahead_of_its_turn_is_not_opened_invariant_3,
    what_the_provider_made_opens_nothing_however_it_is_asked_for_invariant_3,
    any_octet_of_the_original_opens_however_it_is_asked_for_invariant_3,
    a_stub_opens_into_inbox_under_a_new_uid,
    a_stub_that_is_copied_by_a_program_without_move_opens_too,
    a_notice_that_is_appended_by_a_program_that_was_offline_opens_too,
    only_stubs_enter_the_mailbox_of_opening,
    unopened_messages_are_moved_and_stay_unopened,
    a_mailbox_with_unopened_messages_is_not_deleted,
    unopened_messages_are_not_copied_but_into_the_trash,
);

const WHOLE: usize = HEAD.len() + ORIGINAL.len() + TAIL.len();

async fn eight_readers_of_a_sealed_message_make_one_read_fact_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mailbox = select(&mut world.desk("veli").await, "INBOX").await.mailbox;
    let mut readers = Vec::new();
    for _ in 0..8 {
        let mut desk = world.desk("veli").await;
        readers.push(tokio::spawn(async move { desk.answer(content(mailbox, 1, 0..WHOLE)).await }));
    }
    for reader in readers {
        let Answer::Content(bytes) = reader.await.unwrap() else { panic!("no content") };
        assert_eq!(bytes, [HEAD, ORIGINAL, TAIL].concat().as_bytes());
        assert_eq!(world.facts().await, 1);
    }
    let row = &rows(&mut world.desk("veli").await, mailbox).await[0];
    assert_eq!((row.uid, row.opening), (1, Opening::Open));
}

async fn eight_moves_of_a_stub_make_one_read_fact_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mailbox = select(&mut world.desk("veli").await, "INBOX").await.mailbox;
    let mut movers = Vec::new();
    for _ in 0..8 {
        let mut desk = world.desk("veli").await;
        let ask = Ask::Move { mailbox, uids: uids("1"), to: name("Açılacaklar") };
        movers.push(tokio::spawn(async move { desk.answer(ask).await }));
    }
    let mut gone = 0;
    for mover in movers {
        match mover.await.unwrap() {
            Answer::Moved(moved) => {
                assert_eq!(moved.placed, None);
                gone += moved.gone.len();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((gone, world.facts().await), (1, 1));
    let rows = rows(&mut world.desk("veli").await, mailbox).await;
    assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [2]);
}

async fn listing_reading_the_envelope_and_searching_open_nothing_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let row = &rows(&mut desk, mailbox).await[0];
    assert_eq!(row.opening, Opening::Sealed);
    for range in [0..HEAD.len(), HEAD.len() + ORIGINAL.len()..WHOLE] {
        let answer = desk.answer(content(mailbox, 1, range)).await;
        assert!(matches!(answer, Answer::Content(_)), "{answer:?}");
    }
    for text in ["ıspanak", "Giris"] {
        for key in [SearchKey::Body(text.into()), SearchKey::Text(text.into())] {
            let search = Search { mailbox, key, modseq: false, read: 0 };
            match desk.answer(Ask::Search(search)).await {
                Answer::Found(found) => assert!(found.uids.is_empty(), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(world.facts().await, 0);
}

async fn a_range_that_touches_the_original_opens_invariant_3(world: World) {
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let end = HEAD.len() + ORIGINAL.len();
    let ranges = [0..HEAD.len() + 1, end - 1..WHOLE, 0..WHOLE, HEAD.len()..end];
    for (n, range) in (1..).zip(ranges) {
        world.deliver(&format!("m{n}@hs05.kep.tr"), false).await;
        for around in [0..HEAD.len(), end..WHOLE] {
            let answer = desk.answer(content(mailbox, n, around)).await;
            assert!(matches!(answer, Answer::Content(_)), "{answer:?}");
        }
        assert_eq!(world.facts().await, n as usize - 1);
        desk.answer(content(mailbox, n, range)).await;
        assert_eq!(world.facts().await, n as usize);
    }
}

async fn what_is_asked_for_ahead_of_its_turn_is_not_opened_invariant_3(world: World) {
    for n in 1..=3 {
        world.deliver(&format!("m{n}@hs05.kep.tr"), false).await;
    }
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let (head, whole) = (HEAD.len() as u64, WHOLE as u64);
    let ask = |pieces: &[(Uid, std::ops::Range<u64>)]| {
        Ask::Content(Content { mailbox, pieces: pieces.to_vec() })
    };
    // The second one's original ends the answer, whatever stands behind it.
    let pieces = [(1, 0..whole), (2, 0..head), (2, 0..whole), (3, 0..head)];
    let Answer::Content(octets) = desk.answer(ask(&pieces)).await else { panic!("no content") };
    assert_eq!(octets, [HEAD, ORIGINAL, TAIL, HEAD].concat().as_bytes());
    assert_eq!(world.facts().await, 1);
    let Answer::Content(octets) = desk.answer(ask(&pieces[2..])).await else { panic!("none") };
    assert_eq!(octets, [HEAD, ORIGINAL, TAIL, HEAD].concat().as_bytes());
    assert_eq!(world.facts().await, 2);
    // A session asks ahead, and each is opened in its turn.
    let said = said(&mut desk, "c FETCH 1:3 BODY.PEEK[]").await;
    assert_eq!((said.matches("ıspanak").count(), world.facts().await), (3, 3), "{said}");
}

/// What a session with this desk says to these commands.
pub async fn said(desk: &mut Desk, commands: &str) -> String {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session
        .feed(format!("a LOGIN veli x\r\nb SELECT INBOX\r\n{commands}\r\nz LOGOUT\r\n").as_bytes());
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(octets) => said.extend(octets),
            Next::Ask(ask) => session.answer(desk.answer(ask).await),
            Next::Close => return String::from_utf8_lossy(&said).into_owned(),
            other => panic!("{other:?}"),
        }
    }
}

async fn what_the_provider_made_opens_nothing_however_it_is_asked_for_invariant_3(world: World) {
    let around = world.deliver_real("m1@hs05.kep.tr").await;
    let mut desk = world.desk("veli").await;
    let sections = [
        "[1.MIME]",
        "[1.1]",
        "[1.1.MIME]",
        "[1.1.1]",
        "[1.1.2]<0.512>",
        "[1.2.MIME]",
        "[1.3]",
        "[1.3.MIME]",
        "[2]",
        "[2.MIME]",
        "[]<0.512>",
        "[TEXT]<0.100>",
        "[HEADER]",
        "[1]<0.64>",
        "[HEADER.FIELDS (From)]",
    ];
    for section in sections {
        let said = said(&mut desk, &format!("c FETCH 1 BODY.PEEK{section}")).await;
        assert!(said.contains("c OK") && !said.contains("NIL)"), "{section}: {said}");
        assert!(said.contains(" {") && !said.contains(" {0}"), "{section}: {said}");
        assert_eq!(world.facts().await, 0, "{section}");
    }
    let tail = format!("c FETCH 1 (BODY.PEEK[]<{}.99999>)", around.end);
    assert!(said(&mut desk, &tail).await.contains("smime.p7s"));
    assert_eq!(world.facts().await, 0);
}

async fn any_octet_of_the_original_opens_however_it_is_asked_for_invariant_3(world: World) {
    let mut desk = world.desk("veli").await;
    let mut sections: Vec<_> = [
        "[]",
        "[TEXT]",
        "[1]",
        "[1.2]",
        "[1.2.HEADER]",
        "[1.2.TEXT]",
        "[1.2.1]",
        "[1.2.1.MIME]",
        "[1.2.2.MIME]",
        "[1.2.HEADER.FIELDS (Subject)]",
        "[1.2]<0.1>",
    ]
    .map(str::to_owned)
    .to_vec();
    let original = world.deliver_real("m0@hs05.kep.tr").await;
    sections.push(format!("[]<{}.2>", original.start - 1));
    sections.push(format!("[]<{}.1>", original.end - 1));
    for (n, section) in (1..).zip(sections) {
        world.deliver_real(&format!("m{n}@hs05.kep.tr")).await;
        let said = said(&mut desk, &format!("c FETCH {} BODY.PEEK{section}", n + 1)).await;
        assert!(said.contains("c OK"), "{section}: {said}");
        assert_eq!(world.facts().await, n, "{section}");
    }
}

async fn a_stub_opens_into_inbox_under_a_new_uid(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let inbox = select(&mut desk, "INBOX").await;
    let before = desk.answer(content(inbox.mailbox, 1, 0..STUB.len())).await;
    assert!(matches!(before, Answer::Content(bytes) if bytes == STUB.as_bytes()));
    assert_eq!(world.facts().await, 0);
    let ask = Ask::Move { mailbox: inbox.mailbox, uids: uids("1"), to: name("Açılacaklar") };
    match desk.answer(ask).await {
        Answer::Moved(moved) => assert_eq!(moved, Moved { placed: None, gone: uids("1") }),
        other => panic!("{other:?}"),
    }
    let since = inbox.highest_modseq;
    match desk.answer(Ask::Changes { mailbox: inbox.mailbox, since }).await {
        Answer::Changes(changes) => {
            assert_eq!((changes.arrived, changes.vanished), (uids("2"), uids("1")));
        }
        other => panic!("{other:?}"),
    }
    let whole = desk.answer(content(inbox.mailbox, 2, 0..WHOLE)).await;
    assert!(matches!(whole, Answer::Content(bytes) if bytes.len() == WHOLE));
    assert_eq!(world.facts().await, 1);
}

async fn a_stub_that_is_copied_by_a_program_without_move_opens_too(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let ask = Ask::Copy { mailbox, uids: uids("1"), to: name("Açılacaklar") };
    assert!(matches!(desk.answer(ask).await, Answer::Copied(None)));
    assert_eq!(world.facts().await, 1);
}

async fn a_notice_that_is_appended_by_a_program_that_was_offline_opens_too(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let notice =
        |id: &str| STUB.replace("Subject", &format!("Message-ID: <kapali-zarf.{id}>\r\nSubject"));
    let mut desk = world.desk("veli").await;
    let add = async |who: &mut crate::mailbox::answer::Desk, id: &str| {
        append(who, "Açılacaklar", &notice(id), Flags::default()).await
    };
    // Of a message that is none, or another's.
    assert!(is_said(add(&mut desk, "m2@hs05.kep.tr").await));
    assert!(is_said(add(&mut desk, "m1").await));
    assert!(is_said(add(&mut world.desk("ali").await, "m1@hs05.kep.tr").await));
    assert_eq!(world.facts().await, 0);
    for uid in ["1", "2"] {
        let answer = add(&mut desk, "m1@hs05.kep.tr").await;
        assert!(matches!(answer, Answer::Appended(appended) if appended.uids == uids(uid)));
    }
    assert_eq!(world.facts().await, 1);
    assert!(select(&mut desk, "Açılacaklar").await.uids.is_empty());
    assert_eq!(select(&mut desk, "INBOX").await.uids, uids("2"));
}

async fn only_stubs_enter_the_mailbox_of_opening(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.deliver("m2@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let to = || name("Açılacaklar");
    assert!(is_said(desk.answer(Ask::Move { mailbox, uids: uids("1:2"), to: to() }).await));
    assert!(is_said(desk.answer(Ask::Copy { mailbox, uids: uids("1"), to: to() }).await));
    assert!(is_said(append(&mut desk, "Açılacaklar", ORIGINAL, Flags::default()).await));
    assert_eq!(world.facts().await, 0);
    assert_eq!(rows(&mut desk, mailbox).await.len(), 2);
}

async fn unopened_messages_are_moved_and_stay_unopened(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.deliver("m2@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let ask = Ask::Move { mailbox, uids: uids("1:2"), to: name("Arşiv") };
    assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
    let archive = select(&mut desk, "Arşiv").await.mailbox;
    assert_eq!(rows(&mut desk, archive).await[0].opening, Opening::Sealed);
    assert_eq!(world.facts().await, 0);
    let ask = Ask::Move { mailbox: archive, uids: uids("2"), to: name("Açılacaklar") };
    assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
    desk.answer(content(archive, 1, 0..WHOLE)).await;
    assert_eq!(world.facts().await, 2);
    assert_eq!(rows(&mut desk, mailbox).await.len(), 1);
}

async fn a_mailbox_with_unopened_messages_is_not_deleted(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.deliver("m2@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let delete = || Ask::Delete { name: name("Eski") };
    for uid in ["1", "2"] {
        let create = Ask::Create { name: name("Eski"), special: None };
        let made = desk.answer(create).await;
        assert!(matches!(made, Answer::Created(_)), "{made:?}");
        let ask = Ask::Move { mailbox, uids: uids(uid), to: name("Eski") };
        assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
        assert!(is_said(desk.answer(delete()).await));
        let old = select(&mut desk, "Eski").await.mailbox;
        assert_eq!(rows(&mut desk, old).await.len(), 1);
        let opens = match uid {
            "1" => content(old, 1, 0..WHOLE),
            _ => Ask::Move { mailbox: old, uids: uids("1"), to: name("Açılacaklar") },
        };
        desk.answer(opens).await;
        assert!(matches!(desk.answer(delete()).await, Answer::Done));
    }
    assert_eq!(world.facts().await, 2);
}

async fn unopened_messages_are_not_copied_but_into_the_trash(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    world.deliver("m2@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    for uid in ["1", "2"] {
        let ask = Ask::Copy { mailbox, uids: uids(uid), to: name("Arşiv") };
        assert!(is_said(desk.answer(ask).await));
        let ask = Ask::Copy { mailbox, uids: uids(uid), to: name("Çöp Kutusu") };
        assert!(matches!(desk.answer(ask).await, Answer::Copied(Some(_))));
    }
    let trash = select(&mut desk, "Çöp Kutusu").await.mailbox;
    // Opening one place opens all: there is no second, unopened way to the content.
    desk.answer(content(trash, 1, 0..WHOLE)).await;
    assert!(rows(&mut desk, mailbox).await.iter().all(|row| row.opening == Opening::Open));
    let ask = Ask::Move { mailbox: trash, uids: uids("2"), to: name("Açılacaklar") };
    assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
    assert_eq!(world.facts().await, 2);
    assert_eq!(rows(&mut desk, trash).await.len(), 1);
}
