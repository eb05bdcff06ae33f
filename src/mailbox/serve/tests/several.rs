//! Several clients on one account: none sees a number shift, each learns of all that happened.

use super::mirror::Mirror;
use super::*;
use std::collections::BTreeMap;

/// A seeded generator: the same commands in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % sides
    }
}

async fn fill(world: &World, count: usize) {
    for _ in 0..count {
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    }
}

/// Flags by UID, as a client that just came sees them.
async fn truth(imap: &Arc<Imap>) -> BTreeMap<u32, String> {
    let mut fresh = Mirror::connect(imap, "ali", "").await;
    fresh.select().await;
    fresh.flags
}

fn random(dice: &mut Dice) -> String {
    let (a, b) = (dice.roll(60) + 1, dice.roll(60) + 1);
    match dice.roll(10) {
        0 => format!("UID STORE {a}:{b} +FLAGS (\\Deleted)"),
        1 => format!("UID STORE {a} FLAGS (work{})", dice.roll(3)),
        2 => format!("UID STORE {a},{b} +FLAGS (\\Seen)"),
        3 => format!("UID EXPUNGE {a}:{b}"),
        4 => format!("UID MOVE {a} Taslaklar"),
        5 => format!("UID COPY {a} INBOX"),
        6 => format!("UID FETCH {a}:{b} (UID FLAGS)"),
        7 => "UID SEARCH UNSEEN".to_owned(),
        8 => format!("UID STORE {a}:{b} -FLAGS (\\Deleted)"),
        _ => "NOOP".to_owned(),
    }
}

/// What only those say who use sequence numbers.
fn numbered(dice: &mut Dice, count: usize) -> String {
    let n = dice.roll(count.max(1) as u32) + 1;
    match dice.roll(4) {
        _ if count == 0 => "NOOP".to_owned(),
        0 => format!("FETCH {n}:{count} (UID FLAGS)"),
        1 => format!("STORE {n} +FLAGS (\\Answered)"),
        2 => "SEARCH ALL".to_owned(),
        _ => "EXPUNGE".to_owned(),
    }
}

async fn many_at_once(world: World) {
    fill(&world, 40).await;
    let imap = imap(&world);
    let mut running = tokio::task::JoinSet::new();
    for (seed, enable) in ["", "CONDSTORE", "QRESYNC", "UIDONLY", "QRESYNC"].iter().enumerate() {
        let imap = Arc::clone(&imap);
        running.spawn(async move {
            let mut dice = Dice(seed as u64 + 1);
            let mut mirror = Mirror::connect(&imap, "ali", enable).await;
            mirror.select().await;
            for _ in 0..60 {
                let by_number = *enable != "UIDONLY" && dice.roll(3) == 0;
                let command = match by_number {
                    true => numbered(&mut dice, mirror.flags.len()),
                    false => random(&mut dice),
                };
                mirror.run(&command).await;
                mirror.complete().await;
            }
            mirror
        });
    }
    let mut mirrors = Vec::new();
    while let Some(mirror) = running.join_next().await {
        mirrors.push(mirror.unwrap());
    }
    let truth = truth(&imap).await;
    for mut mirror in mirrors {
        mirror.run("NOOP").await;
        mirror.complete().await;
        assert_eq!(mirror.flags, truth);
    }
}

async fn away_and_back(world: World) {
    fill(&world, 30).await;
    let imap = imap(&world);
    let mut mirror = Mirror::connect(&imap, "ali", "QRESYNC").await;
    mirror.select().await;
    let mut other = Mirror::connect(&imap, "ali", "").await;
    other.select().await;
    let mut dice = Dice(7);
    for _ in 0..25 {
        // Both at the same time, so that it goes with some news untold.
        for _ in 0..dice.roll(6) {
            other.run(&random(&mut dice)).await;
            mirror.run(&random(&mut dice)).await;
            if dice.roll(3) == 0 {
                let command = numbered(&mut dice, mirror.flags.len().min(3));
                // It may name a message that is gone already.
                let heard = mirror.client.command(&command).await;
                mirror.take(&heard, !command.starts_with("EXPUNGE"));
            }
            mirror.complete().await;
        }
        // Alone.
        for _ in 0..dice.roll(8) {
            other.run(&random(&mut dice)).await;
        }
        if dice.roll(2) == 0 {
            fill(&world, 2).await;
        }
        mirror.resume(&imap, "ali").await;
        assert_eq!(mirror.flags, truth(&imap).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_at_once_see_the_same_in_the_end() {
    let (_place, world) = embedded().await;
    many_at_once(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_at_once_see_the_same_in_the_end_on_a_server() {
    let place = tempfile::tempdir().unwrap();
    if let Some(world) = World::on_server(&place).await {
        many_at_once(world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_learns_what_it_missed() {
    let (_place, world) = embedded().await;
    away_and_back(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_away_learns_what_it_missed_on_a_server() {
    let place = tempfile::tempdir().unwrap();
    if let Some(world) = World::on_server(&place).await {
        away_and_back(world).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_that_others_make_rename_and_remove_are_told() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    let (mut one, mut other) = (connect(&imap), connect(&imap));
    one.log_in("ali").await;
    other.log_in("ali").await;
    let set = "NOTIFY SET (personal (MailboxName SubscriptionChange MessageNew MessageExpunge))";
    assert!(one.command(set).await.contains("t OK"));
    for (command, told) in [
        ("CREATE A", "* LIST (\\HasNoChildren) \"/\" A\r\n"),
        ("CREATE A/B", "* LIST (\\HasNoChildren) \"/\" A/B\r\n* LIST (\\HasChildren) \"/\" A\r\n"),
        ("SUBSCRIBE A/B", "* LIST (\\HasNoChildren \\Subscribed) \"/\" A/B\r\n"),
        ("RENAME A C", "* LIST (\\HasChildren) \"/\" C (\"OLDNAME\" (\"A\"))\r\n"),
        ("UNSUBSCRIBE C/B", "* LIST (\\HasNoChildren) \"/\" C/B\r\n"),
        (
            "APPEND C/B {3+}\r\na:b",
            "* STATUS C/B (UIDVALIDITY 1795000000 UIDNEXT 2 MESSAGES 1)\r\n",
        ),
        ("RENAME C/B D", "* LIST (\\HasNoChildren) \"/\" D (\"OLDNAME\" (\"C/B\"))\r\n"),
        ("DELETE D", "* LIST (\\NonExistent \\HasNoChildren) \"/\" D\r\n"),
    ] {
        assert!(other.command(command).await.contains("t OK"), "{command}");
        let last = told.trim_end().rsplit_once("\r\n").map_or(told.trim_end(), |(_, last)| last);
        assert_eq!(one.until(last).await, told, "{command}");
    }
    // Nothing of another account.
    let mut veli = connect(&imap);
    veli.log_in("veli").await;
    veli.command("CREATE Veli").await;
    assert!(other.command("CREATE E").await.contains("t OK"));
    assert_eq!(one.until("* LIST").await, "* LIST (\\HasNoChildren) \"/\" E\r\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let (_place, world) = embedded().await;
    let large = format!("Subject: x\r\n\r\n{}", "0123456789abcdef".repeat(60_000));
    world.put(world.ali, Role::Inbox, &large, Kind::Plain).await;
    let imap = imap(&world);
    let mut slow = connect(&imap);
    slow.log_in("ali").await;
    slow.command("SELECT INBOX").await;
    slow.send("s FETCH 1 (BODY.PEEK[])\r\n").await;
    let mut other = connect(&imap);
    other.log_in("ali").await;
    other.command("SELECT INBOX").await;
    assert!(other.command("UID STORE 1 +FLAGS (\\Deleted)").await.contains("t OK"));
    assert!(other.command("EXPUNGE").await.contains("* 1 EXPUNGE"));
    // What it asked for is gone now, in the middle: the line is cut rather than filled up.
    let Client { stream, served, .. } = slow;
    drop(stream);
    served.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_waits_hears_that_it_goes_on() {
    let (_place, world) = embedded().await;
    fill(&world, 200).await;
    let mut imap = imap(&world);
    Arc::get_mut(&mut imap).unwrap().progress = Duration::ZERO;
    let mut client = connect(&imap);
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    client.command("UID STORE 1:* +FLAGS.SILENT (\\Deleted)").await;
    // One that is quickly done has nothing to say meanwhile.
    let mut said = String::new();
    while !said.contains("* OK [INPROGRESS (\"t\" NIL NIL)] ") {
        said = client.command("UID SEARCH BODY nothing").await;
    }
    // Between responses, never within.
    let said = client.command("EXPUNGE").await;
    assert!(said.lines().all(|line| line.starts_with("* ") || line.starts_with("t OK")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_off_leave_nothing_behind() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    for amid in [
        "i IDLE\r\n",
        "t NOTIFY SET (personal (MailboxName))\r\n",
        "t APPEND INBOX {99+}\r\nx",
        "t SEA",
    ] {
        let mut client = connect(&imap);
        client.log_in("ali").await;
        client.command("SELECT INBOX").await;
        client.send(amid).await;
        let Client { stream, served, .. } = client;
        drop(stream);
        served.await.unwrap();
    }
    assert!(imap.bells.is_quiet());
    let mut client = connect(&imap);
    client.log_in("ali").await;
    assert!(client.command("SELECT INBOX").await.contains("* 0 EXISTS"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    let held = Arc::strong_count(&world.office);
    for round in 0..30 {
        let mut client = connect(&imap);
        client.log_in("ali").await;
        assert!(client.command("CREATE Gelip").await.contains("t "));
        client.command("SELECT Gelip").await;
        let mail = format!("Subject: {round}\r\n\r\n{}", "text ".repeat(4_000));
        let append = format!("APPEND Gelip {{{}+}}\r\n{mail}", mail.len());
        assert!(client.command(&append).await.contains("* 1 EXISTS"));
        assert!(client.command("FETCH 1 (ENVELOPE BODY[])").await.contains("t OK"));
        assert!(client.command("SEARCH BODY text").await.contains("* SEARCH 1"));
        client.command("STORE 1 +FLAGS (\\Deleted)").await;
        assert!(client.command("EXPUNGE").await.contains("* 1 EXPUNGE"));
        client.send("i IDLE\r\nDONE\r\nz LOGOUT\r\n").await;
        client.until("z OK").await;
        let Client { stream, served, .. } = client;
        drop(stream);
        served.await.unwrap();
    }
    assert!(imap.bells.is_quiet());
    assert_eq!(Arc::strong_count(&world.office), held, "desks");
    let (mailboxes, octets) = world.office.kept();
    assert!(mailboxes <= 2 && octets == 0, "{mailboxes} views, {octets} octets coming in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idling_client_hears_what_was_said_to_notify() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    let mut client = connect(&imap);
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    client.command("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))").await;
    // Between commands, with half a command waiting, and in IDLE.
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    client.until("* 1 FETCH (UID 1)").await;
    client.send("n NO").await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    client.send("OP\r\n").await;
    let heard = client.until("n OK").await;
    let late = if heard.contains("* 2 FETCH") { heard } else { client.until("* 2 FETCH").await };
    assert!(late.contains("* 2 FETCH (UID 2)"), "{late}");
    client.send("i IDLE\r\n").await;
    client.until("+ ").await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    client.until("* 3 FETCH (UID 3)").await;
    client.send("DONE\r\n").await;
    client.until("i OK").await;
}

/// Labels are the registry's: a portal, or `kep label`, changes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_others_change_are_a_change_of_their_annotation() {
    use crate::registry::labels;
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    client.command("NOTIFY SET (personal (ServerMetadataChange))").await;
    let told = "* METADATA \"\" \"/private/vendor/vendor.kep/labels\"\r\n";
    labels::create(&world.store, world.ali, "Satış", None, world::NOW).await.unwrap();
    assert_eq!(client.until("* METADATA").await, told);
    labels::rename(&world.store, world.ali, "Satış", "Alış", world::NOW).await.unwrap();
    assert_eq!(client.until("* METADATA").await, told);
    labels::create(&world.store, world.veli, "Satış", None, world::NOW).await.unwrap();
    labels::delete(&world.store, world.ali, "Alış", world::NOW).await.unwrap();
    assert_eq!(client.until("* METADATA").await, told);
    assert_eq!(client.command("NOOP").await, "t OK Done\r\n");
}
