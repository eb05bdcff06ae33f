//! SEARCH over rows, headers and opened content.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::store::mail::{Kind, Role};
use crate::wire::MailboxId;
use crate::wire::imap::*;
use SearchKey as Key;
use chrono::NaiveDate;

on_stores!(
    each_key_finds_what_it_says,
    turkish_letters_are_found_however_they_are_written,
    a_stubs_notice_is_searched_and_what_it_stands_for_is_not,
    many_messages_are_searched_in_batches,
    much_content_is_searched_in_several_goes,
    addresses_are_found_without_their_comments,
    a_search_says_what_is_there,
    what_a_command_read_before_counts,
    a_fuzzy_search_finds_what_is_like_it,
);

async fn find(desk: &mut Desk, mailbox: MailboxId, key: Key<UidSet>) -> String {
    match desk.answer(Ask::Search(Search { mailbox, key, modseq: false, read: 0 })).await {
        Answer::Found(found) => found.uids.to_string(),
        other => panic!("{other:?}"),
    }
}

fn header(name: &str, text: &str) -> Key<UidSet> {
    Key::Header { name: name.into(), text: text.into() }
}

fn not(key: Key<UidSet>) -> Key<UidSet> {
    Key::Not(Box::new(key))
}

fn or(a: Key<UidSet>, b: Key<UidSet>) -> Key<UidSet> {
    Key::Or(Box::new(a), Box::new(b))
}

async fn each_key_finds_what_it_says(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    world.put(world.ali, Role::Inbox, &[HEAD, ORIGINAL, TAIL].concat(), Kind::Dispatch).await;
    world.put(world.ali, Role::Inbox, STUB, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let flags = Flags { system: SystemFlags::SEEN, ..keyword("is") };
    store_flags(&mut desk, mailbox, "2", FlagChange::Add, flags).await;
    let today = NOW.istanbul().date_naive();
    let day = |d| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
    let seen = || Key::Flag(SystemFlags::SEEN);
    let cases = [
        (Key::All, "1:3"),
        (Key::And(Vec::new()), "1:3"),
        (Key::Messages(uids("2:9")), "2:3"),
        (seen(), "2"),
        (not(seen()), "1,3"),
        (Key::Flag(SystemFlags::DELETED), ""),
        (Key::Keyword(Keyword::parse("IS").unwrap()), "2"),
        (Key::On(today), "1:3"),
        (Key::Before(today), ""),
        (Key::Since(today), "1:3"),
        // The zone of the field counts: in UTC it is the day before.
        (Key::SentOn(day(23)), "1"),
        (Key::SentBefore(day(23)), ""),
        (Key::SentSince(day(24)), ""),
        (not(Key::SentOn(day(23))), "2:3"),
        (Key::Older(0), "1:3"),
        (Key::Older(1), ""),
        (Key::Younger(60), "1:3"),
        (Key::Larger(STUB.len() as u64), "1:2"),
        (Key::Smaller(STUB.len() as u64 + 1), "3"),
        (header("subject", "teklif"), "1:3"),
        (header("SUBJECT", "iletisi"), "2"),
        (header("Message-ID", ""), "1"),
        (header("From", "kepservisi@"), "2:3"),
        (Key::Body("iletiniz var".into()), "3"),
        (Key::Body("Teklif".into()), "2"),
        (Key::Body("giris METNI".into()), "2"),
        (Key::Text("teklif".into()), "1:3"),
        (Key::Text("<e/>".into()), ""),
        (Key::And(vec![not(seen()), header("Subject", "teklif"), Key::Body("var".into())]), "3"),
        (or(seen(), Key::Body("var".into())), "2:3"),
        (not(or(seen(), header("From", "ali"))), "3"),
        (Key::ModSeq(5), "2"),
    ];
    for (key, expected) in cases {
        assert_eq!(find(&mut desk, mailbox, key.clone()).await, expected, "{key:?}");
    }
    let search = Search { mailbox, key: Key::All, modseq: true, read: 0 };
    match desk.answer(Ask::Search(search)).await {
        Answer::Found(found) => assert_eq!(found.highest_modseq, 5),
        other => panic!("{other:?}"),
    }
}

async fn turkish_letters_are_found_however_they_are_written(world: World) {
    let latin5 = "Subject: =?iso-8859-9?Q?=DDSPARTA_S=F6zle=FEmesi?=\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\
        PHA+PGI+xLDDh8SwTkRFPC9iPiAgS8SxUk1JWkk8L3A+\r\n";
    world.put(world.ali, Role::Inbox, latin5, Kind::Plain).await;
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    for text in ["ısparta", "ISPARTA SÖZLEŞME", "isparta sözleşmesi"] {
        assert_eq!(find(&mut desk, mailbox, header("Subject", text)).await, "1", "{text}");
    }
    for text in ["içinde kırmızı", "İÇİNDE KIRMIZI", "kirmizi"] {
        assert_eq!(find(&mut desk, mailbox, Key::Body(text.into())).await, "1", "{text}");
    }
    assert_eq!(find(&mut desk, mailbox, Key::Body("ISPANAK SİPARİŞİ".into())).await, "2");
    assert_eq!(find(&mut desk, mailbox, Key::Body("icinde".into())).await, "");
}

async fn a_stubs_notice_is_searched_and_what_it_stands_for_is_not(world: World) {
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut desk = world.desk("veli").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    assert_eq!(find(&mut desk, mailbox, Key::Body("iletiniz".into())).await, "1");
    assert_eq!(find(&mut desk, mailbox, Key::Text("ıspanak".into())).await, "");
    desk.answer(Ask::Move { mailbox, uids: uids("1"), to: name("Açılacaklar") }).await;
    assert_eq!(find(&mut desk, mailbox, Key::Text("ıspanak".into())).await, "2");
    assert_eq!(world.facts().await, 1);
}

async fn many_messages_are_searched_in_batches(world: World) {
    for n in 0..300 {
        let mail = format!("Subject: sayi {n}\r\n\r\nx\r\n");
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    assert_eq!(find(&mut desk, mailbox, header("subject", "sayi 29")).await, "30,291:300");
    assert_eq!(find(&mut desk, mailbox, Key::Body("x".into())).await, "1:300");
}

async fn much_content_is_searched_in_several_goes(world: World) {
    let long = "uzun bir metin\r\n".repeat(60_000);
    for n in 1..=8 {
        let mail = format!("Subject: sayi {n}\r\n\r\n{}{long}", ["tek ", "cift "][n % 2]);
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    assert_eq!(find(&mut desk, mailbox, Key::Body("tek uzun".into())).await, "2,4,6,8");
    let one = Key::And(vec![Key::Text("çift".into()), header("Subject", "sayi")]);
    assert_eq!(find(&mut desk, mailbox, one).await, "");
    let other = or(Key::Text("cift uzun".into()), header("Subject", "sayi 2"));
    assert_eq!(find(&mut desk, mailbox, other).await, "1:3,5,7");
}

async fn addresses_are_found_without_their_comments(world: World) {
    let mail = |from: &str| format!("From: {from}\r\nSubject: LA\u{11e}\r\n\r\nx\r\n");
    for from in [
        "<ali (o)@ (bu) hs05.kep.tr>",
        "=?utf-8?q?=C5=9Eule?= Y\r\n <sule@hs01.kep.tr>",
        "ekip: veli@hs01.kep.tr,\r\n ali@hs05.kep.tr;",
    ] {
        world.put(world.ali, Role::Inbox, &mail(from), Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    for (text, expected) in [
        ("ali@hs05.kep.tr", "1,3"),
        ("şule", "2"),
        ("Şule Y <sule@", "2"),
        ("(bu)", "1"),
        ("ekip", "3"),
        ("veli@hs05", ""),
        ("", "1:3"),
    ] {
        assert_eq!(find(&mut desk, mailbox, header("from", text)).await, expected, "{text}");
    }
    assert_eq!(find(&mut desk, mailbox, header("subject", "LAG")).await, "1:3");
    assert_eq!(find(&mut desk, mailbox, header("subject", "(bu)")).await, "");
}

async fn a_search_says_what_is_there(world: World) {
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let flags = Flags { system: SystemFlags::DELETED, ..Flags::default() };
    store_flags(&mut desk, mailbox, "2", FlagChange::Add, flags).await;
    desk.answer(Ask::Expunge { mailbox, uids: None }).await;
    for key in [Key::Flag(SystemFlags::SEEN), Key::Text("x".into())] {
        let search = Search { mailbox, key, modseq: true, read: 0 };
        match desk.answer(Ask::Search(search)).await {
            Answer::Found(found) => assert_eq!(found.there.to_string(), "1,3"),
            other => panic!("{other:?}"),
        }
    }
}

async fn a_fuzzy_search_finds_what_is_like_it(world: World) {
    for (subject, body) in [
        ("S\u{f6}zle\u{15f}me", "Kas\u{131}m faturas\u{131}"),
        ("sozlesme", "toplant\u{131}"),
        ("ba\u{15f}ka", "bir \u{15f}ey"),
    ] {
        let mail = format!("Subject: {subject}\r\n\r\n{body}\r\n");
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let fuzzy = |key| Key::Fuzzy(Box::new(key));
    let text = |text: &str| Key::Text(text.into());
    for (key, found, exact) in [
        (header("subject", "sozlesme"), "2", "2"),
        (fuzzy(header("subject", "sozlesme")), "1:2", "2"),
        (fuzzy(text("faturasu")), "1", ""),
        (fuzzy(text("fatura")), "1", "1"),
        (fuzzy(Key::Body("toplanto".into())), "2", ""),
        (fuzzy(not(text("sozlesme"))), "3", "3"),
        (fuzzy(or(text("topplanti"), header("subject", "baska"))), "2:3", ""),
        (fuzzy(Key::Messages(uids("2"))), "2", "2"),
        (fuzzy(text("yok")), "", ""),
    ] {
        let search = Search { mailbox, key: key.clone(), modseq: false, read: 0 };
        match desk.answer(Ask::Search(search)).await {
            Answer::Found(all) => {
                let told = (all.uids.to_string(), all.exact.to_string());
                assert_eq!(told, (found.to_owned(), exact.to_owned()), "{key:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn what_a_command_read_before_counts(world: World) {
    world.put(world.ali, Role::Inbox, ORIGINAL, Kind::Plain).await;
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let search = |read| {
        Ask::Search(Search { mailbox, key: Key::Text("letter".into()), modseq: false, read })
    };
    let Answer::Found(found) = desk.answer(search(1000)).await else { panic!() };
    assert!(found.read > 1000, "{found:?}");
    assert!(is_said(desk.answer(search(2 << 30)).await));
}
