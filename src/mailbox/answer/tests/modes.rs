//! A password that opens otherwise than the account's messages lie.

use super::on_stores;
use super::world::*;
use crate::mailbox::ask::*;

on_stores!(
    a_password_that_opens_by_moving_fetches_nothing_unopened,
    a_password_that_opens_by_fetching_opens_notices,
    eight_fetchers_of_a_notice_make_one_read_fact_invariant_3,
);

async fn a_password_that_opens_by_moving_fetches_nothing_unopened(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut desk = world.desk_by("veli", "SEALED").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let whole = || content(mailbox, 1, 0..HEAD.len() + ORIGINAL.len());
    assert!(is_said(desk.answer(whole()).await));
    let around = desk.answer(content(mailbox, 1, 0..HEAD.len())).await;
    assert!(matches!(around, Answer::Content(_)), "what the provider made is no content");
    assert_eq!(world.facts().await, 0);
    let to = || name("Açılacaklar");
    match desk.answer(Ask::Move { mailbox, uids: uids("1"), to: to() }).await {
        Answer::Moved(moved) => assert!(moved.gone.is_empty(), "it stays where it is, opened"),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.facts().await, 1);
    assert!(matches!(desk.answer(whole()).await, Answer::Content(_)));
    assert_eq!(rows(&mut desk, mailbox).await[0].opening, Opening::Open);
    // What is opened is moved there no more.
    assert!(is_said(desk.answer(Ask::Move { mailbox, uids: uids("1"), to: to() }).await));
}

async fn a_password_that_opens_by_fetching_opens_notices(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk_by("veli", "DIRECT").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    assert_eq!(rows(&mut desk, mailbox).await[0].opening, Opening::Sealed);
    let mut other = world.desk("veli").await;
    let seen = other.answer(content(mailbox, 1, 0..STUB.len())).await;
    assert!(matches!(seen, Answer::Content(_)));
    assert_eq!(world.facts().await, 0, "another password's fetch of a notice opens nothing");

    let mut read = Vec::new();
    for range in [0..10, 10..STUB.len(), 5..9] {
        match desk.answer(content(mailbox, 1, range)).await {
            Answer::Content(octets) => read.push(octets),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.facts().await, 1);
    }
    assert_eq!(read[..2].concat(), STUB.as_bytes(), "a UID shows what it always showed");
    assert_eq!(read[2], &STUB.as_bytes()[5..9]);
    let listed = rows(&mut desk, mailbox).await;
    assert_eq!(listed.iter().map(|row| row.uid).collect::<Vec<_>>(), [2]);
    assert_eq!(refused(desk.answer(content(mailbox, 1, 0..10)).await), Refusal::Gone);
    match desk.answer(content(mailbox, 2, 0..HEAD.len() + ORIGINAL.len())).await {
        Answer::Content(octets) => assert_eq!(octets, [HEAD, ORIGINAL].concat().as_bytes()),
        other => panic!("{other:?}"),
    }
}

async fn eight_fetchers_of_a_notice_make_one_read_fact_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mailbox = select(&mut world.desk("veli").await, "INBOX").await.mailbox;
    let mut readers = Vec::new();
    for _ in 0..8 {
        let mut desk = world.desk_by("veli", "DIRECT").await;
        readers.push(tokio::spawn(async move { desk.answer(content(mailbox, 1, 0..9)).await }));
    }
    let mut shown = 0;
    for reader in readers {
        match reader.await.unwrap() {
            Answer::Content(octets) => {
                assert_eq!(octets, &STUB.as_bytes()[..9]);
                assert_eq!(world.facts().await, 1);
                shown += 1;
            }
            late => assert_eq!(refused(late), Refusal::Gone),
        }
    }
    assert!(shown >= 1);
}
