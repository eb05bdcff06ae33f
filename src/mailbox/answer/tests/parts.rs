//! Parts of messages: decoded, put together, put in another's place.

use super::on_stores;
use super::opening::said;
use super::world::*;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::imap::*;

on_stores!(
    a_part_of_an_unopened_dispatch_is_taken_when_it_is_opened_invariant_3,
    however_many_ask_in_whatever_way_there_is_one_read_fact_invariant_3,
    nothing_of_what_is_enclosed_is_told_before_it_is_opened_invariant_3,
    nothing_is_opened_for_a_message_that_is_refused_invariant_3,
    parts_of_others_messages_are_not_there,
    binary_parts_are_kept_in_base64,
    a_large_part_is_decoded_without_being_held,
    a_message_takes_anothers_place_or_nothing_happens,
    of_two_replacements_at_once_one_happens,
    the_clients_copy_may_replace_the_servers_itself,
);

async fn a_part_of_an_unopened_dispatch_is_taken_when_it_is_opened_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut desk = world.desk("veli").await;
    let outside = "c APPEND Taslaklar CATENATE (URL \"/INBOX/;UID=1/;SECTION=1\" URL \";UID=1/;SECTION=HEADER\")";
    assert!(said(&mut desk, outside).await.contains("c OK [APPENDUID"));
    assert_eq!(world.facts().await, 0);
    let inside = "c APPEND Taslaklar CATENATE (URL \"/INBOX/;UID=1/;SECTION=2\")\r\n\
                  d SELECT Taslaklar\r\ne UID FETCH 2 BODY.PEEK[]";
    let heard = said(&mut desk, inside).await;
    assert!(heard.contains("c OK [APPENDUID"), "{heard}");
    assert_eq!(world.facts().await, 1);
    assert!(heard.contains(ORIGINAL), "{heard}");
}

async fn however_many_ask_in_whatever_way_there_is_one_read_fact_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let ways = [
        "c FETCH 1 BODY[2]",
        "c FETCH 1 BODY.PEEK[2.HEADER.FIELDS (Subject)]",
        "c FETCH 1 RFC822",
        "c FETCH 1 BINARY[2.1]",
        "c FETCH 1 BINARY.PEEK[]",
        "c APPEND Taslaklar CATENATE (URL \"/INBOX/;UID=1\")",
        "c APPEND Taslaklar CATENATE (URL \";UID=1/;SECTION=2.1/;PARTIAL=3.1\")",
        "c UID REPLACE 1 Taslaklar CATENATE (URL \";UID=1/;SECTION=2.TEXT\")",
    ];
    let mut readers = Vec::new();
    for way in ways {
        let mut desk = world.desk("veli").await;
        readers.push(tokio::spawn(async move { said(&mut desk, way).await }));
    }
    for reader in readers {
        let heard = reader.await.unwrap();
        assert!(heard.contains("z OK"), "{heard}");
    }
    assert_eq!(world.facts().await, 1);
}

async fn nothing_of_what_is_enclosed_is_told_before_it_is_opened_invariant_3(world: World) {
    let mut desk = world.desk("veli").await;
    let sizes = "BINARY.SIZE[1.2.1] BINARY.SIZE[1.2.2] BINARY.SIZE[1.2.9] BINARY.SIZE[1.2.1.1]";
    world.deliver_real("m0@hs05.kep.tr").await;
    let heard = said(&mut desk, &format!("c FETCH 1 ({sizes})")).await;
    let zeros = sizes.replace(']', "] 0");
    assert!(heard.contains(&format!("({zeros})")), "{heard}");
    assert_eq!(world.facts().await, 0);
    let probes = [
        "c FETCH * BODY.PEEK[1.2.9]",
        "c FETCH * BODY.PEEK[1.2.1]<9999999.1>",
        "c FETCH * BODY.PEEK[1.2.HEADER]<9999999.1>",
        "c FETCH * BINARY.PEEK[1.2.9]",
        "c FETCH * BINARY.PEEK[1.2.1]<9999999.1>",
        "c APPEND Taslaklar CATENATE (URL \";UID=*/;SECTION=1.2.9\")",
        "c APPEND Taslaklar CATENATE (URL \";UID=*/;SECTION=1.2.1/;PARTIAL=9999999.1\")",
    ];
    for (n, probe) in (1..).zip(probes) {
        world.deliver_real(&format!("m{n}@hs05.kep.tr")).await;
        let probe = probe.replace("UID=*", &format!("UID={}", n + 1));
        said(&mut desk, &probe).await;
        assert_eq!(world.facts().await, n, "{probe}");
    }
}

async fn nothing_is_opened_for_a_message_that_is_refused_invariant_3(world: World) {
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut desk = world.desk("veli").await;
    for target in ["Deliller", "Yok", "\"&ATA-mza Bekleyenler\""] {
        let take = format!("c APPEND {target} CATENATE (URL \"/INBOX/;UID=1/;SECTION=2.TEXT\")");
        assert!(said(&mut desk, &take).await.contains("c NO"), "{target}");
    }
    let url = MessageUrl::parse(b"/INBOX/;UID=1/;SECTION=2.TEXT").unwrap();
    let take = Ask::AppendUrl(AppendUrl { mailbox: name("INBOX"), url });
    assert_eq!(refused(desk.answer(take).await), Refusal::Cannot);
    assert_eq!(world.facts().await, 0);
}

async fn parts_of_others_messages_are_not_there(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut desk = world.desk("veli").await;
    let take = "c APPEND Taslaklar CATENATE (URL \"/INBOX/;UID=1\")";
    assert!(said(&mut desk, take).await.contains("c NO [BADURL \"/INBOX/;UID=1\"]"));
    for mailbox in ["Yok", "%C3%96zel", "../ali/INBOX"] {
        let take = format!("c APPEND Taslaklar CATENATE (URL \"/{mailbox}/;UID=1\")");
        assert!(said(&mut desk, &take).await.contains("c NO [BADURL"), "{mailbox}");
    }
}

async fn binary_parts_are_kept_in_base64(world: World) {
    let mail =
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b";
    let mut desk = world.desk("veli").await;
    let commands = format!(
        "c APPEND INBOX ~{{{}+}}\r\n{mail}\r\nd NOOP\r\ne FETCH 1 (BODY.PEEK[1] BINARY.SIZE[1] BINARY.PEEK[1])",
        mail.len()
    );
    let heard = said(&mut desk, &commands).await;
    let kept = "BODY[1] {6}\r\nYQBi\r\n BINARY.SIZE[1] 3 BINARY[1] ~{3}\r\na\0b)";
    assert!(heard.contains(kept), "{heard:?}");
    let heard = said(&mut desk, "c APPEND INBOX ~{5+}\r\na:\0\r\n").await;
    assert!(heard.contains("c NO [UNKNOWN-CTE]"), "{heard}");
}

async fn a_large_part_is_decoded_without_being_held(world: World) {
    let octets: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8 | 1).collect();
    let mail = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        data_encoding::BASE64_MIME.encode(&octets)
    );
    world.put(world.veli, Role::Inbox, &mail, Kind::Plain).await;
    let mut desk = world.desk("veli").await;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let heard = said(&mut desk, "c FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])").await;
    let whole = format!("(BINARY.SIZE[1] 600000 BINARY[1] {{600000}}\r\n{})", text(&octets));
    assert!(heard.contains(&whole));
    let heard = said(&mut desk, "c FETCH 1 BINARY.PEEK[1]<100000.400000>").await;
    let part = text(&octets[100_000..500_000]);
    assert!(heard.contains(&format!("(BINARY[1]<100000> {{400000}}\r\n{part})")));
}

async fn a_message_takes_anothers_place_or_nothing_happens(world: World) {
    let mut desk = world.desk("veli").await;
    let first = format!("c APPEND Taslaklar {{{}+}}\r\n{STUB}", STUB.len());
    assert!(said(&mut desk, &first).await.contains("c OK"));
    let again = format!("{{{}+}}\r\n{ORIGINAL}", ORIGINAL.len());
    let heard = said(
        &mut desk,
        &format!("c SELECT Taslaklar\r\nd UID REPLACE 1 Taslaklar (\\Draft) {again}"),
    )
    .await;
    assert!(heard.contains("* OK [APPENDUID") && heard.contains("* 1 EXPUNGE"), "{heard}");
    assert!(heard.contains("d OK"), "{heard}");
    assert_eq!(select(&mut desk, "Taslaklar").await.uids, uids("2"));
    for target in ["Deliller", "Yok", "Taslaklar"] {
        let message = if target == "Taslaklar" { "{9999999}" } else { again.as_str() };
        let heard =
            said(&mut desk, &format!("c SELECT Taslaklar\r\nd REPLACE 1 {target} {message}")).await;
        assert!(heard.contains("d NO"), "{heard}");
        assert_eq!(select(&mut desk, "Taslaklar").await.uids, uids("2"), "{target}");
    }
}

async fn of_two_replacements_at_once_one_happens(world: World) {
    let mut desk = world.desk("veli").await;
    append(&mut desk, "Taslaklar", STUB, Flags::default()).await;
    let mailbox = select(&mut desk, "Taslaklar").await.mailbox;
    let mut tries = Vec::new();
    for _ in 0..4 {
        let mut desk = world.desk("veli").await;
        tries.push(tokio::spawn(async move {
            let (to, size) = (name("Taslaklar"), ORIGINAL.len() as u64);
            let begin = AppendBegin { to, flags: Flags::default(), internal_date: None, size };
            desk.answer(Ask::AppendBegin(begin)).await;
            desk.answer(Ask::AppendChunk(ORIGINAL.into())).await;
            desk.answer(Ask::Replace { mailbox, uid: 1 }).await
        }));
    }
    let mut done = 0;
    for each in tries {
        match each.await.unwrap() {
            Answer::Appended(_) => done += 1,
            other => assert_eq!(refused(other), Refusal::Gone),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(select(&mut desk, "Taslaklar").await.uids.len(), 1);
}

/// A program that saves what it sent in the place of what it finds there.
async fn the_clients_copy_may_replace_the_servers_itself(world: World) {
    world.submit("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("ali").await;
    let sent = select(&mut desk, "Giden Kutusu").await.mailbox;
    let (to, size) = (name("Giden Kutusu"), ORIGINAL.len() as u64);
    let begin = AppendBegin { to, flags: Flags::default(), internal_date: None, size };
    desk.answer(Ask::AppendBegin(begin)).await;
    desk.answer(Ask::AppendChunk(ORIGINAL.into())).await;
    let answer = desk.answer(Ask::Replace { mailbox: sent, uid: 1 }).await;
    assert!(matches!(answer, Answer::Appended(_)), "{answer:?}");
    let rows = rows(&mut desk, sent).await;
    assert_eq!(rows.iter().map(|row| row.uid).collect::<Vec<_>>(), [2]);
    assert!(rows[0].flags.keywords.contains("$KepAccepted"));
}
