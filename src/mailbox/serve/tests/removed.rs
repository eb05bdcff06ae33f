//! What a session hears when another one takes away, or renames, what it is at work on.

use super::*;
use crate::registry::labels;
use crate::store::{Lane, StoreError, Tx, accounts, app_passwords};
use crate::wire::Timestamp;

/// Runs a test on each kind of store that is at hand.
macro_rules! on_stores {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_place, world) = super::embedded().await;
                super::$name(world).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let place = tempfile::tempdir().unwrap();
                if let Some(world) = super::World::on_server(&place).await {
                    super::$name(world).await;
                }
            })*
        }
    };
}

on_stores!(
    whose_mailbox_is_deleted_hears_it_with_whatever_he_says_next,
    who_waits_hears_at_once_that_his_mailbox_is_deleted,
    a_mailbox_of_the_same_name_is_another,
    who_leaves_a_deleted_mailbox_stays,
    who_deletes_his_own_mailbox_goes_on_without_it,
    a_renamed_mailbox_stays_selected,
    a_name_that_changes_while_an_idle_begins_is_told,
    a_labels_mailbox_is_renamed_and_goes_as_any_other,
    who_waits_hears_at_once_that_his_access_is_over,
);

/// Two sessions of one account, of which the first has selected `A` with two messages.
async fn two(world: &World) -> (Client, Client) {
    let imap = imap(world);
    let (mut one, mut other) = (connect(&imap), connect(&imap));
    one.log_in("ali").await;
    other.log_in("ali").await;
    if !other.command("CREATE A").await.contains("t OK") {
        return (one, other);
    }
    for _ in 0..2 {
        other.command("APPEND A {14+}\r\nSubject: x\r\n\r\n").await;
    }
    assert!(one.command("SELECT A").await.contains("* 2 EXISTS"));
    (one, other)
}

async fn all_of(client: &mut Client) -> String {
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).await.unwrap();
    client.heard.extend(rest);
    String::from_utf8(std::mem::take(&mut client.heard)).unwrap()
}

const GONE: &str = "* BYE The mailbox was deleted\r\n";

async fn whose_mailbox_is_deleted_hears_it_with_whatever_he_says_next(world: World) {
    for (command, answer) in [
        ("NOOP", "t OK"),
        ("CHECK", "t OK"),
        ("FETCH 1:* (FLAGS)", "t NO [NONEXISTENT]"),
        ("UID FETCH 1:* (BODY[])", "t NO [NONEXISTENT]"),
        ("STORE 1 +FLAGS (\\Seen)", "t NO [NONEXISTENT]"),
        ("SEARCH ALL", "t NO [NONEXISTENT]"),
        ("UID SORT (SIZE) UTF-8 ALL", "t NO [NONEXISTENT]"),
        ("COPY 1 INBOX", "t NO [NONEXISTENT]"),
        ("COPY 1 Yok", "t NO [NONEXISTENT]"),
        ("MOVE 1 INBOX", "t NO [NONEXISTENT]"),
        ("EXPUNGE", "t NO [NONEXISTENT]"),
        ("REPLACE 1 INBOX {1+}\r\nx", "t NO [NONEXISTENT]"),
        ("CREATE A", "t OK"),
        ("APPEND INBOX {1+}\r\nx", "t OK"),
    ] {
        let (mut one, mut other) = two(&world).await;
        assert!(other.command("DELETE A").await.contains("t OK"), "{command}");
        one.send(&format!("t {command}\r\n")).await;
        let said = all_of(&mut one).await;
        let (before, after) =
            said.split_once(answer).unwrap_or_else(|| panic!("{command}: {said}"));
        assert!(after.ends_with(GONE) && after.lines().count() == 2, "{command}: {said}");
        assert!(!before.contains("EXISTS"), "{command}: {said}");
        // The server waits a while for who was sent away to hang up.
        drop(one.stream);
        one.served.await.unwrap();
        other.command("DELETE A").await;
    }
}

async fn who_waits_hears_at_once_that_his_mailbox_is_deleted(world: World) {
    let set = "t NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MailboxName))\r\n";
    let names = "t NOTIFY SET (selected NONE) (personal (MailboxName))\r\n";
    for (waits, begun, told) in [
        ("t IDLE\r\n", "+ ", ""),
        (set, "t OK", ""),
        (names, "t OK", "* LIST (\\NonExistent \\HasNoChildren) \"/\" A\r\n"),
    ] {
        let (mut one, mut other) = two(&world).await;
        one.send(waits).await;
        one.until(begun).await;
        assert!(other.command("DELETE A").await.contains("t OK"), "{waits}");
        if told.is_empty() {
            let said = all_of(&mut one).await;
            assert!(said.ends_with(GONE), "{waits}: {said}");
            continue;
        }
        // Of the selected mailbox it is to hear nothing; what is asked for says it.
        assert_eq!(one.until("* LIST").await, told);
        one.send("t FETCH 1 (FLAGS)\r\n").await;
        let said = all_of(&mut one).await;
        assert!(said.starts_with("t NO [NONEXISTENT]") && said.ends_with(GONE), "{said}");
    }
}

async fn a_mailbox_of_the_same_name_is_another(world: World) {
    let (mut one, mut other) = two(&world).await;
    for command in ["DELETE A", "CREATE A", "APPEND A {1+}\r\nx"] {
        assert!(other.command(command).await.contains("t OK"), "{command}");
    }
    one.send("t NOOP\r\n").await;
    let said = all_of(&mut one).await;
    assert!(!said.contains("EXISTS") && said.ends_with(GONE), "{said}");
}

async fn who_leaves_a_deleted_mailbox_stays(world: World) {
    for (command, answer) in [
        ("CLOSE", "t OK"),
        ("UNSELECT", "t OK"),
        ("SELECT INBOX", "* OK [CLOSED]"),
        ("SELECT A", "t NO [NONEXISTENT]"),
    ] {
        let (mut one, mut other) = two(&world).await;
        assert!(other.command("DELETE A").await.contains("t OK"), "{command}");
        let said = one.command(command).await;
        assert!(said.contains(answer), "{command}: {said}");
        let said = one.command("NOOP").await;
        assert!(said.ends_with("t OK Done\r\n"), "{command}: {said}");
        drop(one);
        drop(other);
    }
}

async fn who_deletes_his_own_mailbox_goes_on_without_it(world: World) {
    let (mut one, mut other) = two(&world).await;
    let said = one.command("DELETE A").await;
    assert!(said.starts_with("* OK [CLOSED]") && said.contains("\r\nt OK"), "{said}");
    assert!(one.command("FETCH 1 (FLAGS)").await.starts_with("t BAD No mailbox selected"));
    assert!(one.command("SELECT INBOX").await.contains("t OK"));
    // Another one that is deleted meanwhile is not taken for it.
    other.command("CREATE B").await;
    other.command("SELECT B").await;
    assert!(one.command("CREATE C").await.contains("t OK"));
    assert!(one.command("DELETE B").await.contains("t OK"));
    let said = other.command("DELETE C").await;
    // It hears, with the answer, that it has none any more.
    assert!(said.starts_with("* OK [CLOSED]") && said.contains("t OK"), "{said}");
}

async fn a_renamed_mailbox_stays_selected(world: World) {
    let (mut one, mut other) = two(&world).await;
    one.command("ENABLE IMAP4rev2").await;
    assert!(other.command("RENAME A C").await.contains("t OK"));
    assert!(other.command("CREATE A").await.contains("t OK"));
    assert!(other.command("APPEND A {1+}\r\nx").await.contains("t OK"));
    let said = one.command("NOOP").await;
    assert!(said.contains("* LIST (") && said.contains("\"/\" C (\"OLDNAME\" (\"A\"))"), "{said}");
    assert!(!said.contains("EXISTS"), "{said}");
    // The same messages, under the same numbers.
    assert!(one.command("UID STORE 2 +FLAGS (\\Flagged)").await.contains("UID 2"));
    let said = one.command("ESEARCH IN (mailboxes \"A\") RETURN (COUNT) ALL").await;
    assert!(said.contains("COUNT 1"), "{said}");
    let said = one.command("ESEARCH IN (selected) RETURN (COUNT) ALL").await;
    assert!(said.contains("MAILBOX C") && said.contains("COUNT 2"), "{said}");
    let said = other.command("SELECT C").await;
    assert!(said.contains("* 2 EXISTS"), "{said}");
    assert!(other.command("UID SEARCH FLAGGED").await.contains("* SEARCH 2\r\n"));
    // In IDLE, and what lies under another one.
    one.send("i IDLE\r\n").await;
    one.until("+ ").await;
    assert!(other.command("RENAME C D/E").await.contains("t OK"));
    assert!(one.until("* LIST").await.contains("D/E (\"OLDNAME\" (\"C\"))"));
    one.send("DONE\r\n").await;
    one.until("i OK").await;
    // One's own renaming is told once.
    let said = one.command("RENAME D F").await;
    assert_eq!(said.matches("OLDNAME").count(), 1, "{said}");
    let said = one.command("ESEARCH IN (selected) RETURN (COUNT) ALL").await;
    assert!(said.contains("MAILBOX F/E"), "{said}");
}

/// The server has looked, and can't go on to listen while nobody reads what it found.
async fn a_name_that_changes_while_an_idle_begins_is_told(world: World) {
    let (_, mut other) = two(&world).await;
    let mut one = connect_through(&imap(&world), 4);
    one.until("* OK").await;
    one.log_in("ali").await;
    one.command("ENABLE IMAP4rev2").await;
    assert!(one.command("SELECT A").await.contains("* 2 EXISTS"));
    assert!(other.command("APPEND A {1+}\r\nx").await.contains("t OK"));
    one.send("i IDLE\r\n").await;
    one.until("+ ").await;
    while one.heard.is_empty() {
        one.stream.read_buf(&mut one.heard).await.unwrap();
    }
    assert!(other.command("RENAME A B").await.contains("t OK"));
    one.until("* 3 EXISTS").await;
    let told = timeout(Duration::from_secs(60), one.until("* LIST")).await;
    assert!(told.expect("it is told").ends_with("\"/\" B (\"OLDNAME\" (\"A\"))\r\n"));
}

async fn who_waits_hears_at_once_that_his_access_is_over(world: World) {
    let ali = world.ali;
    let long_ago = Timestamp::from_millis(world::NOW.millis() - 120 * 24 * 3600 * 1000);
    let close = move |tx: &mut Tx<'_>| {
        accounts::set_state(tx, ali, "closed", Some(long_ago)).map_err(StoreError::from)
    };
    let open = move |tx: &mut Tx<'_>| {
        accounts::set_state(tx, ali, "active", None).map_err(StoreError::from)
    };
    for (waits, begun) in [
        ("t IDLE\r\n", "+ "),
        ("t NOTIFY SET (selected (MessageNew MessageExpunge))\r\n", "t OK"),
        ("t NOTIFY SET (personal (MailboxName))\r\n", "t OK"),
    ] {
        let (mut one, _other) = two(&world).await;
        one.command("SELECT INBOX").await;
        one.send(waits).await;
        one.until(begun).await;
        world.store.write(Lane::Client, close).await.unwrap();
        let said = all_of(&mut one).await;
        assert!(said.ends_with("* BYE Access is over\r\n"), "{waits}: {said}");
        world.store.write(Lane::Client, open).await.unwrap();
    }
    // A generated password that is taken away: who came in by another one looks, and stays.
    let (mut one, _other) = two(&world).await;
    one.command("SELECT INBOX").await;
    one.send("t IDLE\r\n").await;
    one.until("+ ").await;
    let remove =
        move |tx: &mut Tx<'_>| app_passwords::remove(tx, ali, "abcde").map_err(StoreError::from);
    assert!(!world.store.write(Lane::Client, remove).await.unwrap());
    one.send("DONE\r\n").await;
    one.until("t OK").await;
}

async fn a_labels_mailbox_is_renamed_and_goes_as_any_other(world: World) {
    let (store, ali) = (&world.store, world.ali);
    labels::create(store, ali, "Satış", None, world::NOW).await.unwrap();
    labels::as_mailboxes(store, ali, true, world::NOW).await.unwrap();
    let mut one = connect(&imap(&world));
    one.log_in("ali").await;
    one.command("ENABLE IMAP4rev2").await;
    assert!(one.command("SELECT \"Etiketler/Satış\"").await.contains("t OK"));
    one.send("t IDLE\r\n").await;
    one.until("+ ").await;
    labels::rename(store, ali, "Satış", "Alım", world::NOW).await.unwrap();
    // Letters beyond ASCII make a literal of the name.
    let said = one.until("Etiketler/Alım").await;
    assert!(said.contains("* LIST ") && said.contains("\"OLDNAME\""), "{said}");
    labels::as_mailboxes(store, ali, false, world::NOW).await.unwrap();
    let said = all_of(&mut one).await;
    assert!(said.ends_with(GONE), "{said}");
}
