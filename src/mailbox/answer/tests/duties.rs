//! What the session of an operator may do, by his roles of now.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::registry::operators::{Act, Role as Duties, Roles};
use crate::store::mail::{Kind, Role};
use crate::store::operators::{self, OperatorRow};
use crate::store::{Lane, StoreError, Tx};
use crate::wire::imap::*;
use crate::wire::{AccountId, MailboxId};

on_stores!(
    an_operator_does_what_the_table_gives_his_roles_and_nothing_else,
    other_roles_count_at_once_and_without_reading_the_session_ends,
);

pub async fn appoint(world: &World, roles: &[Duties]) {
    appoint_of(world, world.ali, roles).await;
}

pub async fn appoint_of(world: &World, account: AccountId, roles: &[Duties]) {
    let words = Roles::new(roles.iter().copied()).unwrap().words();
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let row = OperatorRow {
            title: String::new(),
            account,
            code: 1,
            given_name: "Ayşe".into(),
            surname: "Demir".into(),
            identity_number: "10000000146".into(),
            phone: None,
            email: None,
            roles: words.clone(),
            added_at: NOW,
            added_by: "staff:test".into(),
            ended: None,
            suspended: None,
        };
        if !operators::add(tx, &row)? {
            operators::set_roles(tx, account, 1, &words)?;
        }
        Ok(())
    };
    world.store.write(Lane::Client, work).await.unwrap();
}

pub fn store(mailbox: MailboxId, system: SystemFlags) -> Ask {
    Ask::Store(Store {
        mailbox,
        uids: uids("1"),
        change: FlagChange::Add,
        flags: Flags { system, keywords: Keywords::default() },
        unchanged_since: None,
        echo: false,
    })
}

fn begin(to: &str) -> Ask {
    let flags = Flags { system: SystemFlags::from_bits(0), keywords: Keywords::default() };
    Ask::AppendBegin(AppendBegin { to: name(to), flags, internal_date: None, size: 4 })
}

/// Asks of each kind, and what must be allowed for them.
fn asks(mailbox: MailboxId) -> Vec<(Ask, Vec<Act>)> {
    let one = || uids("1");
    vec![
        (store(mailbox, SystemFlags::FLAGGED), vec![Act::File]),
        (Ask::Copy { mailbox, uids: one(), to: name("Arşiv") }, vec![Act::File]),
        (Ask::Copy { mailbox, uids: one(), to: name("Taslaklar") }, vec![Act::File, Act::Draft]),
        (Ask::Create { name: name("Yeni"), special: None }, vec![Act::File]),
        (
            Ask::Rename { from: name("Yeni"), to: name("Çöp Kutusu/Yeni") },
            vec![Act::File, Act::Delete],
        ),
        (begin("Taslaklar"), vec![Act::Draft]),
        (Ask::AppendAbort, vec![]),
        (begin("Giden Kutusu"), vec![Act::Keep]),
        (Ask::AppendAbort, vec![]),
        (store(mailbox, SystemFlags::DELETED), vec![Act::Delete]),
        (Ask::Copy { mailbox, uids: one(), to: name("Çöp Kutusu") }, vec![Act::File, Act::Delete]),
        (Ask::Expunge { mailbox, uids: Some(uids("99")) }, vec![Act::Delete]),
        (Ask::Search(Search { mailbox, key: SearchKey::All, modseq: false, read: 0 }), vec![]),
    ]
}

pub async fn operator(world: &World) -> (Desk, MailboxId) {
    let mut desk = world.desk_by("ali", "OPERATOR").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    (desk, mailbox)
}

async fn an_operator_does_what_the_table_gives_his_roles_and_nothing_else(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let sets: [&[Duties]; 5] = [
        &[Duties::Reads],
        &[Duties::Reads, Duties::Prepares],
        &[Duties::Reads, Duties::Sends],
        &[Duties::Reads, Duties::Signs, Duties::Audits],
        &[Duties::Full],
    ];
    for duties in sets {
        appoint(&world, duties).await;
        let roles = Roles::new(duties.iter().copied()).unwrap();
        let (mut desk, mailbox) = operator(&world).await;
        for (ask, acts) in asks(mailbox) {
            let asked = format!("{duties:?} {ask:?}");
            let may = acts.iter().all(|act| roles.may(*act));
            let answer = desk.answer(ask).await;
            let refused = matches!(answer, Answer::Refused(Refusal::NotPermitted));
            assert_eq!(refused, !may, "{asked}: {answer:?}");
        }
    }
}

async fn other_roles_count_at_once_and_without_reading_the_session_ends(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    appoint(&world, &[Duties::Full]).await;
    let (mut desk, mailbox) = operator(&world).await;
    let mark = || store(mailbox, SystemFlags::DELETED);
    assert!(matches!(desk.answer(mark()).await, Answer::Stored(_)));
    appoint(&world, &[Duties::Reads]).await;
    assert_eq!(refused(desk.answer(mark()).await), Refusal::NotPermitted);
    assert!(matches!(desk.answer(Ask::Overview).await, Answer::Overview(_)));
    appoint(&world, &[Duties::Signs]).await;
    assert_eq!(refused(desk.answer(Ask::Overview).await), Refusal::AccountClosed);
    // The holder's own session goes on.
    let mut holder = world.desk("ali").await;
    assert!(matches!(holder.answer(mark()).await, Answer::Stored(_)));
}
