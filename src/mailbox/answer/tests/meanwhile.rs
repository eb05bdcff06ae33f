//! What happens between two asks of one command.

use super::on_stores;
use super::world::*;
use crate::mailbox::ask::*;
use crate::mailbox::{Config, Next, Session, Tls};
use crate::store::mail::{Kind, Role};

on_stores!(a_keyword_set_while_a_message_becomes_seen_is_told);

/// Others set a keyword after FETCH read a message's row and before it sets `\Seen`: what the client
/// is told then, it is not told again.
async fn a_keyword_set_while_a_message_becomes_seen_is_told(world: World) {
    world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    let (mut desk, mut other) = (world.desk("ali").await, world.desk("ali").await);
    let mailbox = select(&mut other, "INBOX").await.mailbox;
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(b"a LOGIN ali x\r\nb SELECT INBOX\r\nc FETCH 1 (BODY[])\r\nd NOOP\r\n");
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(octets) => said.extend(octets),
            Next::Ask(ask) => {
                if matches!(ask, Ask::Store(_)) {
                    store_flags(&mut other, mailbox, "1", FlagChange::Add, keyword("is")).await;
                }
                session.answer(desk.answer(ask).await);
            }
            _ => break,
        }
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    let answer = said.split_once("b OK").unwrap().1;
    assert!(answer.contains(" FLAGS (\\Seen is))\r\n"), "{said}");
    assert!(answer.find("* FLAGS (").unwrap() < answer.find("* 1 FETCH").unwrap(), "{said}");
    assert!(answer.contains("c OK") && answer.contains("d OK Done"), "{said}");
}
