//! Names that are stored in letters with their marks apart: the same mailboxes as those of composed ones.

use super::on_stores;
use super::opening::said;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{self, Role};
use crate::store::{Lane, StoreError, Tx};
use crate::wire::imap::*;

on_stores!(
    a_mailbox_stored_with_marks_apart_is_found_and_renamed_whole,
    two_that_differ_only_in_their_marks_are_told_apart,
    a_subscription_with_marks_apart_is_ended,
);

/// As a Mac spells it.
const APART: &str = "Dosyalar\u{131}m/O\u{308}lc\u{327}u\u{308}m";
const ONE: &str = "Dosyalarım/Ölçüm";

async fn laid(world: &World, names: &[&str]) {
    let (veli, names) = (world.veli, names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        for name in &names {
            mail::create(tx, veli, name, Role::Plain, 1)?;
        }
        Ok(())
    };
    world.store.write(Lane::Client, work).await.unwrap();
}

/// Names that are not an account's from the beginning.
async fn names(desk: &mut Desk, missing: bool) -> Vec<String> {
    let want = ListWant { missing, ..ListWant::default() };
    let Answer::Mailboxes(all) = desk.answer(Ask::Mailboxes(want)).await else { panic!() };
    let mut names: Vec<_> = all.into_iter().map(|entry| entry.name.to_string()).collect();
    names.retain(|name| name.starts_with("Dosya") || name.starts_with("Yeni"));
    names.sort();
    names
}

async fn a_mailbox_stored_with_marks_apart_is_found_and_renamed_whole(world: World) {
    laid(&world, &[APART, &format!("{APART}/Eski"), &format!("{APART}/o\u{308}")]).await;
    let mut desk = world.desk("veli").await;
    let all = [ONE.to_owned(), format!("{ONE}/Eski"), format!("{ONE}/ö")];
    assert_eq!(names(&mut desk, false).await, all);
    append(&mut desk, ONE, "x\r\n\r\n", Flags::default()).await;
    assert_eq!(select(&mut desk, APART).await.uids, uids("1"));
    let heard = said(&mut desk, &format!("c CREATE \"{ONE}\"\r\nd DELETE \"{APART}\"")).await;
    assert!(heard.contains("c NO [ALREADYEXISTS]") && heard.contains("d NO"), "{heard}");
    let heard = said(&mut desk, &format!("c UNSUBSCRIBE \"{ONE}\"")).await;
    assert!(heard.contains("c OK"), "{heard}");
    let heard = said(&mut desk, &format!("c RENAME \"{ONE}\" Yeni")).await;
    assert!(heard.contains("c OK"), "{heard}");
    assert_eq!(names(&mut desk, true).await, ["Yeni", "Yeni/Eski", "Yeni/ö"]);
    assert_eq!(select(&mut desk, "Yeni").await.uids, uids("1"));
    assert!(select(&mut desk, "Yeni/ö").await.uids.is_empty());
}

async fn two_that_differ_only_in_their_marks_are_told_apart(world: World) {
    laid(&world, &[APART, ONE]).await;
    let mut desk = world.desk("veli").await;
    append(&mut desk, ONE, "x\r\n\r\n", Flags::default()).await;
    let second = format!("{ONE} (2)");
    assert_eq!(names(&mut desk, false).await, [ONE, &second]);
    assert_eq!(select(&mut desk, ONE).await.uids.len(), 1);
    assert!(select(&mut desk, &second).await.uids.is_empty());
    let heard = said(&mut desk, &format!("c RENAME \"{ONE}\" Yeni\r\nd NOOP")).await;
    assert!(heard.contains("c OK"), "{heard}");
    assert_eq!(names(&mut desk, false).await, [ONE, "Yeni"]);
    assert!(select(&mut desk, ONE).await.uids.is_empty());
    assert_eq!(select(&mut desk, "Yeni").await.uids.len(), 1);
}

async fn a_subscription_with_marks_apart_is_ended(world: World) {
    let veli = world.veli;
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        tx.execute(
            "INSERT INTO former_mailbox (account, name, uid_validity, subscribed)
             VALUES ($1, $2, 4000000000, 1)",
            &[veli.0.into(), APART.into()],
        )?;
        Ok(())
    };
    world.store.write(Lane::Client, work).await.unwrap();
    let mut desk = world.desk("veli").await;
    assert_eq!(names(&mut desk, true).await, [ONE]);
    said(&mut desk, &format!("c UNSUBSCRIBE \"{ONE}\"")).await;
    assert_eq!(names(&mut desk, true).await, Vec::<String>::new());
    said(&mut desk, &format!("c CREATE \"{ONE}\"")).await;
    let made = select(&mut desk, ONE).await;
    assert!(made.uid_validity > 4_000_000_000, "no UID means two messages");
}
