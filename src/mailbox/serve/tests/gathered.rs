//! Virtual mailboxes, as a client sees them.

use super::*;

const ALL: &str = "\"T&APw-m Postalar\"";
const FLAGGED: &str = "&ANY-nemli";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn virtual_mailboxes_are_listed_by_their_use_and_not_subscribed() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    let subscribed = "LIST (SUBSCRIBED) \"\" * RETURN (STATUS (MESSAGES))";
    assert!(!client.command(subscribed).await.contains("Postalar"));
    let all = crate::store::mail::view::named;
    let looked = world.store.read(move |tx| all(tx, world.ali, "Tüm Postalar")).await;
    assert_eq!(looked.unwrap().unwrap().uid_next, 1, "nobody looks there");
    let listed = client.command("LIST \"\" * RETURN (SUBSCRIBED STATUS (MESSAGES))").await;
    let of = |name: &str| {
        let lines = listed.lines().filter(|line| line.contains(name));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let all = of("Postalar");
    assert!(all[0].contains("\\All") && !all[0].contains("\\Subscribed"), "{listed}");
    assert!(all[1].contains("MESSAGES 1"), "{listed}");
    let flagged = of("nemli");
    assert!(flagged[0].contains("\\Flagged") && flagged[1].contains("MESSAGES 0"), "{listed}");
    let subscribed = client.command("LSUB \"\" *").await;
    assert!(!subscribed.contains("Postalar") && !subscribed.contains("nemli"), "{subscribed}");
    assert!(client.command(&format!("SUBSCRIBE {ALL}")).await.contains("t OK"));
    assert!(client.command("LSUB \"\" *").await.contains("Postalar"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_put_into_them_and_they_stay() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    client.command("SELECT INBOX").await;
    for name in [ALL, FLAGGED] {
        for command in [
            format!("APPEND {name} {{3+}}\r\nabc"),
            format!("UID COPY 1 {name}"),
            format!("UID MOVE 1 {name}"),
            format!("DELETE {name}"),
            format!("RENAME {name} x"),
            format!("CREATE {name}"),
        ] {
            let said = client.command(&command).await;
            assert!(said.contains("t NO [CANNOT]"), "{command}: {said}");
        }
    }
    assert!(client.command("CREATE \"T&APw-m Postalar/x\"").await.contains("NO [CANNOT]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idling_client_hears_what_happens_in_any_mailbox() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    let mut client = connect(&imap);
    client.log_in("ali").await;
    assert!(client.command(&format!("SELECT {ALL}")).await.contains("* 0 EXISTS"));
    client.send("i IDLE\r\n").await;
    client.until("+ ").await;
    for (count, role) in [(1, Role::Inbox), (2, Role::Sent), (3, Role::Evidence)] {
        world.put(world.ali, role, world::STUB, Kind::Plain).await;
        client.until(&format!("* {count} EXISTS")).await;
    }
    let mut other = connect(&imap);
    other.log_in("ali").await;
    other.command("SELECT INBOX").await;
    other.command("STORE 1 +FLAGS (\\Flagged)").await;
    client.until("* 1 FETCH (UID 1 FLAGS (\\Flagged))").await;
    other.command("MOVE 1 \"&AMcA9g-p Kutusu\"").await;
    client.until("* 1 EXPUNGE").await;
    client.send("DONE\r\n").await;
    client.until("i OK").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_star_taken_off_and_a_message_expunged_go_from_here() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    }
    client.command("SELECT INBOX").await;
    client.command("STORE 1:2 +FLAGS (\\Flagged)").await;
    let selected = client.command(&format!("SELECT {FLAGGED} (CONDSTORE)")).await;
    assert!(selected.contains("* 2 EXISTS") && selected.contains("[READ-WRITE]"), "{selected}");
    let off = client.command("STORE 1 -FLAGS (\\Flagged)").await;
    assert!(off.contains("* 1 FETCH (UID 1 FLAGS ()"), "{off}");
    assert!(client.command("NOOP").await.contains("* 1 EXPUNGE"));
    client.command("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert!(client.command("EXPUNGE").await.contains("* 1 EXPUNGE"));
    let counted = client.command("STATUS INBOX (MESSAGES)").await;
    assert!(counted.contains("MESSAGES 2"), "{counted}");
    let thrown = client.command("STATUS \"&AMcA9g-p Kutusu\" (MESSAGES DELETED)").await;
    assert!(thrown.contains("MESSAGES 1 DELETED 0"), "{thrown}");
    client.command(&format!("SELECT {ALL}")).await;
    client.command("STORE 1 +FLAGS.SILENT (\\Deleted)").await;
    assert!(client.command("CLOSE").await.contains("t OK"));
    assert!(client.command(&format!("STATUS {ALL} (MESSAGES)")).await.contains("MESSAGES 1"));
}
