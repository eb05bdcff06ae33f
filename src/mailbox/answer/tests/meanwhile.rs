//! What happens between two asks of one command.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::mailbox::{Config, Next, Session, Tls};
use crate::store::mail::{Kind, Role};
use crate::wire::MailboxId;

on_stores!(
    a_keyword_set_while_a_message_becomes_seen_is_told,
    what_changes_amid_the_news_comes_with_the_next_ones,
);

/// What a session says until it waits; before an ask is answered, others may do something.
async fn hear(
    session: &mut Session,
    desk: &mut Desk,
    other: &mut Desk,
    mut meanwhile: impl FnMut(&Ask) -> Option<(MailboxId, &'static str, &'static str)>,
) -> String {
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(octets) => said.extend(octets),
            Next::Ask(ask) => {
                if let Some((mailbox, set, word)) = meanwhile(&ask) {
                    store_flags(other, mailbox, set, FlagChange::Add, keyword(word)).await;
                }
                let mut answer = desk.answer(ask).await;
                if let Answer::Changes(changes) = &mut answer {
                    // As where many changed: their flags are another ask.
                    changes.flags.clear();
                }
                session.answer(answer);
            }
            _ => return String::from_utf8_lossy(&said).into_owned(),
        }
    }
}

/// Others set a keyword after FETCH read a message's row and before it sets `\Seen`: what the client
/// is told then, it is not told again.
async fn a_keyword_set_while_a_message_becomes_seen_is_told(world: World) {
    world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    let (mut desk, mut other) = (world.desk("ali").await, world.desk("ali").await);
    let mailbox = select(&mut other, "INBOX").await.mailbox;
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(b"a LOGIN ali x\r\nb SELECT INBOX\r\nc FETCH 1 (BODY[])\r\nd NOOP\r\n");
    let said = hear(&mut session, &mut desk, &mut other, |ask| {
        matches!(ask, Ask::Store(_)).then_some((mailbox, "1", "is"))
    })
    .await;
    let answer = said.split_once("b OK").unwrap().1;
    assert!(answer.contains(" FLAGS (\\Seen is))\r\n"), "{said}");
    assert!(answer.find("* FLAGS (").unwrap() < answer.find("* 1 FETCH").unwrap(), "{said}");
    assert!(answer.contains("c OK") && answer.contains("d OK Done"), "{said}");
}

/// Others change both messages again after NOOP asked what changed and before it reads their flags: one
/// that was told with the newer mod-sequence would let the client believe it knew of the other.
async fn what_changes_amid_the_news_comes_with_the_next_ones(world: World) {
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    }
    let (mut desk, mut other) = (world.desk("ali").await, world.desk("ali").await);
    let mailbox = select(&mut other, "INBOX").await.mailbox;
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(b"a LOGIN ali x\r\nb ENABLE QRESYNC\r\nc SELECT INBOX\r\nd NOOP\r\n");
    hear(&mut session, &mut desk, &mut other, |_| None).await;
    store_flags(&mut other, mailbox, "1", FlagChange::Add, keyword("first")).await;
    session.feed(b"e NOOP\r\n");
    let mut once = Some((mailbox, "1:2", "again"));
    let first = hear(&mut session, &mut desk, &mut other, |ask| {
        matches!(ask, Ask::Flags { .. }).then(|| once.take()).flatten()
    })
    .await;
    assert_eq!(once, None, "nobody came between");
    session.feed(b"f NOOP\r\n");
    let second = hear(&mut session, &mut desk, &mut other, |_| None).await;
    assert!(first.contains("e OK [HIGHESTMODSEQ 5]"), "{first}");
    assert!(!first.contains("again") && !first.contains("MODSEQ (6)"), "{first}");
    assert!(second.contains("* 1 FETCH (UID 1 FLAGS (first again) MODSEQ (6))"), "{second}");
    assert!(second.contains("* 2 FETCH (UID 2 FLAGS (again) MODSEQ (6))"), "{second}");
    assert!(second.contains("f OK [HIGHESTMODSEQ 6]"), "{second}");
}
