//! MESSAGELIMIT (RFC 9738), with a limit of three messages and six in the mailbox.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::{Config, Next, Session, Tls};
use crate::store::mail::{Kind, Role};

on_stores!(
    fetch_and_store_go_from_the_highest_down_and_stop,
    a_search_looks_at_the_highest_and_saves_no_others,
    what_is_all_or_nothing_is_refused,
    what_moves_or_goes_can_be_repeated_until_none_is_left,
    the_limit_is_told_beside_another_code,
    large_rows_come_from_the_highest_down_too,
);

async fn six(world: &World, octets: usize) -> Desk {
    for n in 1..=6 {
        let mail = format!("Subject: {n}\r\nX-Long: {}\r\n\r\nx\r\n", "y".repeat(octets));
        world.put(world.veli, Role::Inbox, &mail, Kind::Plain).await;
    }
    world.desk("veli").await
}

/// What comes of commands once INBOX is selected, without untagged OK.
async fn said(desk: &mut Desk, commands: &[&str]) -> Vec<String> {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.limit_to(3);
    let commands = commands.join("\r\n");
    let all =
        format!("x LOGIN veli x\r\nx SELECT INBOX\r\nx SEARCH 1\r\n{commands}\r\nx LOGOUT\r\n");
    session.feed(all.as_bytes());
    let mut said = Vec::new();
    let text = loop {
        match session.next() {
            Next::Send(octets) => said.extend(octets),
            Next::Ask(ask) => session.answer(desk.answer(ask).await),
            Next::Close => break String::from_utf8(said).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    let (_, behind) = text.split_once("x OK SEARCH completed\r\n").unwrap();
    let (behind, _) = behind.split_once("* BYE").unwrap();
    let lines = behind.lines().filter(|line| !line.starts_with("* OK "));
    lines.map(str::to_owned).collect()
}

/// Lines up to their text.
async fn heard(desk: &mut Desk, commands: &[&str]) -> Vec<String> {
    let cut = |line: String| match line.split_once("] ") {
        Some((before, _)) if !line.starts_with("* SEARCH") => format!("{before}]"),
        _ => line,
    };
    said(desk, commands).await.into_iter().map(cut).collect()
}

async fn fetch_and_store_go_from_the_highest_down_and_stop(world: World) {
    let mut desk = six(&world, 0).await;
    let fetched = heard(&mut desk, &["a FETCH 1:* (UID)", "b UID FETCH 1:3 (UID)"]).await;
    assert_eq!(
        fetched[..4],
        ["* 6 FETCH (UID 6)", "* 5 FETCH (UID 5)", "* 4 FETCH (UID 4)", "a OK [MESSAGELIMIT 3 4]"]
    );
    assert_eq!(fetched[4..7], ["* 1 FETCH (UID 1)", "* 2 FETCH (UID 2)", "* 3 FETCH (UID 3)"]);
    assert_eq!(fetched[7], "b OK FETCH completed");
    let stored = heard(&mut desk, &["a UID STORE 2:* FLAGS (\\Seen)", "b SEARCH 1:3 SEEN"]).await;
    assert!(stored[0].starts_with("* 6 FETCH") && stored[2].starts_with("* 4 FETCH"), "{stored:?}");
    assert_eq!(stored[3..], ["a OK [MESSAGELIMIT 3 4]", "* SEARCH", "b OK SEARCH completed"]);
    let partial = ["a UID FETCH 1:* (UID) (PARTIAL -1:-4)", "b UID FETCH 1:* (UID) (PARTIAL 4:6)"];
    let partial = heard(&mut desk, &partial).await;
    assert_eq!(partial[..2], ["a NO [MESSAGELIMIT 3]", "* 4 FETCH (UID 4)"]);
}

async fn a_search_looks_at_the_highest_and_saves_no_others(world: World) {
    let mut desk = six(&world, 0).await;
    let found = heard(
        &mut desk,
        &[
            "a SEARCH UNSEEN",
            "b UID SEARCH UID 1:3 UNSEEN",
            "c UID SEARCH RETURN (SAVE COUNT) SUBJECT \"\"",
            "d UID FETCH $ (UID)",
            "e UID SEARCH (UIDAFTER 1 UIDBEFORE 5)",
            "f UID SEARCH UIDAFTER 1 UIDBEFORE 6",
            "g UID SEARCH UIDAFTER 4294967295",
            "h UID SEARCH UIDBEFORE 1",
            "i SEARCH UIDAFTER 0",
            "j SEARCH UIDBEFORE 1:2",
            "k UID SEARCH RETURN (UPDATE COUNT) ALL",
        ],
    )
    .await;
    assert_eq!(
        found[..4],
        ["* SEARCH 4 5 6", "a OK [MESSAGELIMIT 3 4]", "* SEARCH 1 2 3", "b OK SEARCH completed"]
    );
    assert_eq!(found[4..6], ["* ESEARCH (TAG \"c\") UID COUNT 3", "c OK [MESSAGELIMIT 3 4]"]);
    assert_eq!(
        found[6..10],
        ["* 4 FETCH (UID 4)", "* 5 FETCH (UID 5)", "* 6 FETCH (UID 6)", "d OK FETCH completed"]
    );
    assert_eq!(found[10..12], ["* SEARCH 2 3 4", "e OK SEARCH completed"]);
    assert_eq!(found[12..14], ["* SEARCH 3 4 5", "f OK [MESSAGELIMIT 3 3]"]);
    assert_eq!(found[14], "* SEARCH");
    assert_eq!(found[16], "* SEARCH");
    assert!(found[18].starts_with("i BAD") && found[19].starts_with("j BAD"), "{found:?}");
    assert_eq!(found[20], "* NO [NOUPDATE \"k\"]");
}

async fn what_is_all_or_nothing_is_refused(world: World) {
    let mut desk = six(&world, 0).await;
    let refused = heard(
        &mut desk,
        &[
            "a UID COPY 2:* Taslaklar",
            "b STATUS Taslaklar (MESSAGES)",
            "c UID COPY 4:* Taslaklar",
            "d SORT (DATE) UTF-8 ALL",
            "e UID SORT (REVERSE SUBJECT) UTF-8 UIDAFTER 3",
            "f THREAD REFERENCES UTF-8 ALL",
        ],
    )
    .await;
    assert_eq!(
        refused[..3],
        ["a NO [MESSAGELIMIT 3 4]", "* STATUS Taslaklar (MESSAGES 0)", "b OK STATUS completed"]
    );
    assert!(refused[3].starts_with("c OK [COPYUID"), "{refused:?}");
    assert_eq!(refused[4..7], ["d NO [MESSAGELIMIT 3]", "* SORT 6 5 4", "e OK SORT completed"]);
    assert_eq!(refused[7], "f NO [MESSAGELIMIT 3]");
}

async fn what_moves_or_goes_can_be_repeated_until_none_is_left(world: World) {
    let mut desk = six(&world, 0).await;
    let again = ["a MOVE 2:* Taslaklar", "b MOVE 2:* Taslaklar", "c UID SEARCH ALL"];
    let moved = heard(&mut desk, &again).await;
    assert_eq!(
        moved[..5],
        ["* 6 EXPUNGE", "* 5 EXPUNGE", "* 4 EXPUNGE", "* 3 RECENT", "a OK [MESSAGELIMIT 3 4]"]
    );
    assert_eq!(moved[5..9], ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 RECENT", "b OK MOVE completed"]);
    for n in 0..4 {
        world.put(world.veli, Role::Inbox, &format!("Subject: {n}\r\n\r\n"), Kind::Plain).await;
    }
    let gone = [
        "a UID STORE 7:* +FLAGS.SILENT (\\Deleted)",
        "b UID STORE 1,7 +FLAGS.SILENT (\\Deleted)",
        "c UID EXPUNGE 1:*",
        "d EXPUNGE",
        "e STATUS INBOX (MESSAGES)",
    ];
    let gone = heard(&mut desk, &gone).await;
    let at = gone.iter().position(|line| line == "c OK [MESSAGELIMIT 3 8]").unwrap();
    assert_eq!(gone[at - 4..at - 1], ["* 5 EXPUNGE", "* 4 EXPUNGE", "* 3 EXPUNGE"]);
    assert_eq!(gone[at + 1..at + 3], ["* 2 EXPUNGE", "* 1 EXPUNGE"]);
    assert!(gone.contains(&"* STATUS INBOX (MESSAGES 0)".to_owned()), "{gone:?}");
}

async fn the_limit_is_told_beside_another_code(world: World) {
    let mut desk = six(&world, 0).await;
    let told = heard(&mut desk, &["a UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\\Seen)"]).await;
    assert_eq!(told, ["* NO [MESSAGELIMIT 3 4]", "a OK [MODIFIED 4:6]"]);
}

async fn large_rows_come_from_the_highest_down_too(world: World) {
    // An answer ends early with these.
    let mut desk = six(&world, 200 << 10).await;
    let lines = said(&mut desk, &["a FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"]).await;
    let of: Vec<_> = lines.iter().filter(|line| line.starts_with("* ")).collect();
    let begins = |at: usize, begin: &str| of[at].starts_with(begin);
    assert!(begins(0, "* 6 F") && begins(1, "* 5 F") && begins(2, "* 4 F"), "{of:?}");
    assert_eq!(of.len(), 3);
    let large = said(&mut desk, &["a FETCH 1:* (UID BODY.PEEK[HEADER])"]).await;
    let of: Vec<_> = large.iter().filter(|line| line.starts_with("* ")).collect();
    assert!(of[0].starts_with("* 6 FETCH (UID 6 "), "{}", &of[0][..30]);
    assert!(of[2].starts_with("* 4 FETCH (UID 4 "), "{}", &of[2][..30]);
    assert!(large.iter().any(|line| line.starts_with("a OK [MESSAGELIMIT 3 4]")));
}
