//! A session ends with its access: the account's, or the password's that let it in.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::app_passwords::{self, AppPasswordRow};
use crate::store::mail::{Kind, Role};
use crate::store::{Lane, StoreError, Tx, accounts};
use crate::wire::imap::*;
use crate::wire::{AccountId, MailboxId, Timestamp};

on_stores!(
    an_open_session_ends_three_months_after_the_account_was_closed,
    an_open_session_ends_with_the_generated_password_that_let_it_in,
    an_open_session_ends_with_a_new_password_where_the_old_one_let_it_in,
    nothing_is_opened_for_whom_has_no_access_any_more_invariant_3,
);

async fn close(world: &World, account: AccountId, at: Timestamp) {
    let work = move |tx: &mut Tx<'_>| accounts::set_state(tx, account, "closed", Some(at));
    world.store.write(Lane::Client, move |tx| work(tx).map_err(StoreError::from)).await.unwrap();
}

/// Asks of each kind.
fn asks(mailbox: MailboxId) -> Vec<Ask> {
    let status = StatusWant::default();
    vec![
        Ask::Select { name: name("INBOX"), examine: true },
        Ask::Mailboxes(ListWant { missing: false, status: Some(status) }),
        Ask::Status { name: name("Tüm Postalar"), want: status },
        Ask::Changes { mailbox, since: 1 },
        Ask::Rows { mailbox, uids: uids("1"), want: RowWant::default() },
        content(mailbox, 1, 0..4),
        Ask::Previews { mailbox, uids: uids("1"), lazy: true },
        Ask::Search(Search { mailbox, key: SearchKey::All, modseq: false, read: 0 }),
        Ask::Copy { mailbox, uids: uids("1"), to: name("Çöp Kutusu") },
        Ask::Move { mailbox, uids: uids("1"), to: name("Açılacaklar") },
        Ask::Expunge { mailbox, uids: None },
        Ask::Delete { name: name("x") },
        Ask::Create { name: name("x"), special: None },
    ]
}

async fn hears_the_end(desk: &mut Desk, mailbox: MailboxId) {
    for ask in asks(mailbox) {
        let asked = format!("{ask:?}");
        assert_eq!(refused(desk.answer(ask).await), Refusal::AccountClosed, "{asked}");
    }
}

async fn an_open_session_ends_three_months_after_the_account_was_closed(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    close(&world, world.ali, NOW.plus_secs(-30 * 24 * 3600)).await;
    assert_eq!(rows(&mut desk, mailbox).await.len(), 1, "it can be read still");
    close(&world, world.ali, NOW.plus_secs(-120 * 24 * 3600)).await;
    hears_the_end(&mut desk, mailbox).await;
    select(&mut world.desk("veli").await, "INBOX").await;
}

async fn an_open_session_ends_with_the_generated_password_that_let_it_in(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let row = AppPasswordRow {
        account: world.ali,
        id: "abcde".into(),
        name: "Telefon".into(),
        opening: None,
        scopes: "imap".into(),
        verifier: "x".into(),
        salt: vec![1],
        iterations: 4096,
        scram: vec![1],
        created_at: NOW,
        used_at: None,
    };
    world.store.write(Lane::Client, move |tx| app_passwords::add(tx, &row)).await.unwrap();
    let mut by_it = world.desk_by("ali", "GENERATED").await;
    let mut other = world.desk("ali").await;
    let mailbox = select(&mut by_it, "INBOX").await.mailbox;
    let ali = world.ali;
    let remove = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
        Ok(app_passwords::remove(tx, ali, "abcde")?)
    };
    assert!(world.store.write(Lane::Client, remove).await.unwrap());
    hears_the_end(&mut by_it, mailbox).await;
    select(&mut other, "INBOX").await;
}

async fn an_open_session_ends_with_a_new_password_where_the_old_one_let_it_in(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let (mut by_it, mut other) = (world.desk_by("ali", "OWN").await, world.desk("ali").await);
    let mailbox = select(&mut by_it, "INBOX").await.mailbox;
    let ali = world.ali;
    let set = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        Ok(accounts::set_password(tx, ali, "x", NOW.plus_millis(1))?)
    };
    world.store.write(Lane::Client, set).await.unwrap();
    hears_the_end(&mut by_it, mailbox).await;
    select(&mut other, "INBOX").await;
}

async fn nothing_is_opened_for_whom_has_no_access_any_more_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut desk = world.desk_by("veli", "DIRECT").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    close(&world, world.veli, NOW.plus_secs(-120 * 24 * 3600)).await;
    let ask = content(mailbox, 1, 0..HEAD.len() + ORIGINAL.len());
    assert_eq!(refused(desk.answer(ask).await), Refusal::AccountClosed);
    assert_eq!(world.facts().await, 0);
}
