//! Annotations, rights and the quota of an account, on both stores.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::{Desk, Limits, Office};
use crate::mailbox::ask::*;
use crate::registry::labels::{self, Colour};
use crate::registry::shares;
use crate::store::mail::{Kind, Role, usage};
use crate::store::{Lane, StoreError, Tx};
use crate::wire::imap::metadata::{Depth, EntryName};
use crate::wire::imap::*;

on_stores!(
    annotations_stay_with_their_mailbox_and_go_with_it,
    annotations_are_bounded,
    labels_and_uses_can_be_read_as_annotations,
    what_an_account_uses_is_counted_as_it_changes,
    a_full_account_takes_nothing_in_and_can_be_emptied,
    an_own_limit_goes_before_the_providers,
    evidence_never_counts,
    rights_say_what_is_possible,
    a_use_is_given_once,
);

fn entry(text: &str) -> EntryName {
    EntryName::parse(text.as_bytes()).unwrap()
}

async fn get(desk: &mut Desk, mailbox: Option<&str>, entries: &[&str], depth: Depth) -> Answer {
    let want = MetadataWant {
        mailbox: mailbox.map(name),
        entries: entries.iter().map(|text| entry(text)).collect(),
        depth,
        ..MetadataWant::default()
    };
    desk.answer(Ask::Metadata(want)).await
}

async fn one(desk: &mut Desk, mailbox: Option<&str>, of: &str) -> Option<String> {
    match get(desk, mailbox, &[of], Depth::Zero).await {
        Answer::Metadata(mut found) => {
            assert_eq!(found.values.len(), 1);
            found.values.remove(0).1.map(|value| String::from_utf8(value).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

async fn set(desk: &mut Desk, mailbox: Option<&str>, entries: &[(&str, Option<&str>)]) -> Answer {
    let value = |value: &Option<&str>| value.map(|text| text.as_bytes().to_vec());
    let entries = entries.iter().map(|(of, text)| (entry(of), value(text))).collect();
    desk.answer(Ask::SetMetadata { mailbox: mailbox.map(name), entries }).await
}

async fn done(desk: &mut Desk, ask: Ask) {
    match desk.answer(ask).await {
        Answer::Done | Answer::Created(_) => {}
        other => panic!("{other:?}"),
    }
}

async fn annotations_stay_with_their_mailbox_and_go_with_it(world: World) {
    let (mut ali, mut veli) = (world.desk("ali").await, world.desk("veli").await);
    done(&mut ali, Ask::Create { name: name("Yeni"), special: None }).await;
    set(&mut ali, Some("Yeni"), &[("/private/comment", Some("biri"))]).await;
    set(&mut ali, None, &[("/private/comment", Some("benim"))]).await;
    done(&mut ali, Ask::Rename { from: name("Yeni"), to: name("Eski") }).await;
    assert_eq!(one(&mut ali, Some("Eski"), "/private/comment").await.as_deref(), Some("biri"));
    assert_eq!(one(&mut ali, None, "/private/comment").await.as_deref(), Some("benim"));
    // Another account's.
    assert_eq!(one(&mut veli, None, "/private/comment").await, None);
    let other = get(&mut veli, Some("Eski"), &["/private/comment"], Depth::Zero).await;
    assert_eq!(refused(other), Refusal::NoSuchMailbox);
    let other = set(&mut veli, Some("Eski"), &[("/private/comment", None)]).await;
    assert_eq!(refused(other), Refusal::NoSuchMailbox);
    done(&mut ali, Ask::Delete { name: name("Eski") }).await;
    done(&mut ali, Ask::Create { name: name("Eski"), special: None }).await;
    assert_eq!(one(&mut ali, Some("Eski"), "/private/comment").await, None);
    // All or none.
    let pair = [("/private/a", Some("1")), ("/private/specialuse", Some("\\Junk"))];
    assert_eq!(refused(set(&mut ali, Some("Eski"), &pair).await), Refusal::UseAttr);
    assert_eq!(one(&mut ali, Some("Eski"), "/private/a").await, None);
}

async fn annotations_are_bounded(world: World) {
    let mut desk = world.desk("ali").await;
    let long = "x".repeat((64 << 10) + 1);
    let refusal = refused(set(&mut desk, Some("INBOX"), &[("/private/a", Some(&long))]).await);
    assert_eq!(refusal, Refusal::ValueTooLong(64 << 10));
    let value = &long[1..];
    for n in 0..64 {
        let of = format!("/private/n/{n:02}");
        let answer = set(&mut desk, Some("INBOX"), &[(&of, Some(value))]).await;
        assert!(matches!(answer, Answer::Annotated(_)), "{n}: {answer:?}");
    }
    let more = [("/private/b", Some("x"))];
    assert_eq!(refused(set(&mut desk, Some("INBOX"), &more).await), Refusal::TooManyEntries);
    // Answers are bounded, too, and go on where they ended.
    let (mut after, mut seen, mut answers) = (None, 0, 0);
    loop {
        let want = MetadataWant {
            mailbox: Some(name("INBOX")),
            entries: vec![entry("/private/n")],
            depth: Depth::One,
            after,
            max_size: None,
        };
        let Answer::Metadata(found) = desk.answer(Ask::Metadata(want)).await else { panic!() };
        assert!(found.values.len() <= 2);
        (seen, answers) = (seen + found.values.len(), answers + 1);
        after = found.values.last().map(|(name, _)| name.clone());
        if !found.more {
            break;
        }
    }
    assert_eq!((seen, answers), (64, 32));
    // What takes away makes room.
    let gone = [("/private/n/00", None)];
    assert!(matches!(set(&mut desk, Some("INBOX"), &gone).await, Answer::Annotated(_)));
    assert!(matches!(set(&mut desk, Some("INBOX"), &more).await, Answer::Annotated(_)));
}

async fn labels_and_uses_can_be_read_as_annotations(world: World) {
    let green = Colour::parse("#2e7d32");
    labels::create(&world.store, world.ali, "Satış", green, NOW).await.unwrap();
    labels::create(&world.store, world.ali, "Acele", None, NOW).await.unwrap();
    let mut desk = world.desk("ali").await;
    let told = one(&mut desk, None, "/private/vendor/vendor.kep/labels").await.unwrap();
    assert_eq!(
        told,
        "[{\"key\":\"acele\",\"name\":\"Acele\"},\
         {\"key\":\"sat=c4=b1=c5=9f\",\"name\":\"Satış\",\"colour\":\"#2E7D32\"}]"
    );
    let labels = [("/private/vendor/vendor.kep/labels", Some("[]"))];
    assert_eq!(refused(set(&mut desk, None, &labels).await), Refusal::NotPermitted);
    let drafts = one(&mut desk, Some("Taslaklar"), "/private/specialuse").await;
    assert_eq!(drafts.as_deref(), Some("\\Drafts"));
    assert_eq!(one(&mut desk, Some("INBOX"), "/private/specialuse").await, None);
    let Answer::Metadata(all) = get(&mut desk, None, &["/private/vendor"], Depth::Infinity).await
    else {
        panic!()
    };
    assert_eq!(all.values.len(), 1);
}

async fn used(world: &World) -> u64 {
    let ali = world.ali;
    let work = move |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let counted = tx.one(
            "sum",
            "SELECT CAST(COALESCE(SUM(m.size), 0) AS BIGINT) FROM message m
             JOIN mailbox b ON b.id = m.mailbox
             WHERE b.account = $1 AND m.kind <> 'evidence'",
            &[ali.0.into()],
        )?;
        Ok((usage::of_account(tx, ali)?.octets, counted.int(0)? as u64))
    };
    let (kept, counted) = world.store.read(work).await.unwrap();
    assert_eq!(kept, counted);
    kept
}

async fn what_an_account_uses_is_counted_as_it_changes(world: World) {
    let mail = "Subject: x\r\n\r\nbody\r\n";
    let size = mail.len() as u64;
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, mail, Kind::Plain).await;
    }
    assert_eq!(used(&world).await, 3 * size);
    let mut desk = world.desk("ali").await;
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    // Copies share their content, and count.
    let ask = Ask::Copy { mailbox, uids: uids("1,3"), to: name("Arşiv") };
    assert!(matches!(desk.answer(ask).await, Answer::Copied(Some(_))));
    assert_eq!(used(&world).await, 5 * size);
    let ask = Ask::Move { mailbox, uids: uids("1:2"), to: name("Çöp Kutusu") };
    assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
    assert_eq!(used(&world).await, 5 * size);
    let trash = select(&mut desk, "Çöp Kutusu").await.mailbox;
    let deleted = Flags { system: SystemFlags::DELETED, ..Flags::default() };
    store_flags(&mut desk, trash, "1", FlagChange::Add, deleted).await;
    let want = StatusWant { deleted_storage: true, ..StatusWant::default() };
    let Answer::Status(status) = desk.answer(Ask::Status { name: name("Çöp Kutusu"), want }).await
    else {
        panic!()
    };
    assert_eq!((status.deleted_storage, status.deleted), (size, 0));
    desk.answer(Ask::Expunge { mailbox: trash, uids: None }).await;
    assert_eq!(used(&world).await, 4 * size);
    append(&mut desk, "Taslaklar", mail, Flags::default()).await;
    assert_eq!(used(&world).await, 5 * size);
    done(&mut desk, Ask::Rename { from: name("INBOX"), to: name("Yeni") }).await;
    assert_eq!(used(&world).await, 5 * size);
    done(&mut desk, Ask::Delete { name: name("Yeni") }).await;
    assert_eq!(used(&world).await, 4 * size);
}

/// A desk of a provider whose accounts may hold so much.
async fn narrow(world: &World, storage: u64) -> Desk {
    let limits = Limits { message: 1 << 20, incoming: 4 << 20, storage: Some(storage) };
    let ali = world.ali;
    let gate = move |_: Login, _| {
        let (account, person) = (ali, "ali@hs05.kep.tr".to_owned());
        let admitted = crate::mailbox::answer::Admitted {
            account,
            person,
            adds: true,
            password: None,
            duty: None,
            own_password: None,
            opening: None,
            notice: None,
            signature: None,
        };
        Box::pin(std::future::ready(Ok(admitted)))
            as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
    };
    let (store, clock) = (world.store.clone(), std::sync::Arc::new(|| NOW));
    let office = Office::new(store, std::sync::Arc::new(gate), clock, limits);
    let mut desk = Desk::new(office, [127, 0, 0, 1].into());
    let login =
        Login { user: "ali".into(), proof: Proof::Password("x".into()), mechanism: "PLAIN" };
    assert!(matches!(desk.answer(Ask::Login(login)).await, Answer::LoggedIn(_)));
    desk
}

async fn a_full_account_takes_nothing_in_and_can_be_emptied(world: World) {
    let mail = format!("Subject: x\r\n\r\n{}\r\n", "b".repeat(384));
    let size = mail.len() as u64;
    for _ in 0..2 {
        world.put(world.ali, Role::Inbox, &mail, Kind::Plain).await;
    }
    let mut desk = narrow(&world, 3 * size).await;
    let appended = append(&mut desk, "Taslaklar", &mail, Flags::default()).await;
    assert!(matches!(appended, Answer::Appended(_)));
    let Answer::Quota(quota) = desk.answer(Ask::Quota { mailbox: None }).await else { panic!() };
    assert_eq!(quota.storage, Some(Resource { used: 3 * size, limit: 3 * size }));
    assert_eq!((quota.mailboxes.used, quota.mailboxes.limit), (10, 2000));
    let one_more = append(&mut desk, "Taslaklar", "x\r\n\r\n", Flags::default()).await;
    assert_eq!(refused(one_more), Refusal::OverQuota);
    let mailbox = select(&mut desk, "INBOX").await.mailbox;
    let copy = |to: &str| Ask::Copy { mailbox, uids: uids("1"), to: name(to) };
    assert_eq!(refused(desk.answer(copy("Arşiv")).await), Refusal::OverQuota);
    // How programs without MOVE delete.
    assert!(matches!(desk.answer(copy("Çöp Kutusu")).await, Answer::Copied(Some(_))));
    let moved = Ask::Move { mailbox, uids: uids("2"), to: name("Arşiv") };
    assert!(matches!(desk.answer(moved).await, Answer::Moved(_)));
}

/// Wherever it is put, evidence counts for nothing, and comes into a full account.
async fn evidence_never_counts(world: World) {
    let mail = "Subject: x\r\n\r\nbody\r\n";
    let size = mail.len() as u64;
    let mut desk = narrow(&world, size).await;
    append(&mut desk, "Taslaklar", mail, Flags::default()).await;
    for _ in 0..3 {
        world.put(world.ali, Role::Evidence, mail, Kind::Evidence).await;
    }
    assert_eq!(used(&world).await, size);
    let mailbox = select(&mut desk, "Deliller").await.mailbox;
    let ask = Ask::Copy { mailbox, uids: uids("1:2"), to: name("Arşiv") };
    assert!(matches!(desk.answer(ask).await, Answer::Copied(Some(_))), "there is room for it");
    let ask = Ask::Move { mailbox, uids: uids("1,3"), to: name("Çöp Kutusu") };
    assert!(matches!(desk.answer(ask).await, Answer::Moved(_)));
    assert_eq!(used(&world).await, size);
    let deleted = Flags { system: SystemFlags::DELETED, ..Flags::default() };
    let trash = select(&mut desk, "Çöp Kutusu").await.mailbox;
    store_flags(&mut desk, trash, "1:2", FlagChange::Add, deleted).await;
    let want = StatusWant { deleted_storage: true, ..StatusWant::default() };
    let ask = Ask::Status { name: name("Çöp Kutusu"), want };
    let Answer::Status(status) = desk.answer(ask).await else { panic!() };
    assert_eq!(status.deleted_storage, 0, "nothing is freed");
    desk.answer(Ask::Expunge { mailbox: trash, uids: None }).await;
    assert_eq!(used(&world).await, size);
    let ali = world.ali;
    let room =
        |limit| move |tx: &mut Tx<'_>| Ok::<_, StoreError>(shares::room(tx, ali, limit, NOW)?);
    assert_eq!(world.store.read(room(Some(size))).await.unwrap(), Some(0));
    assert_eq!(world.store.read(room(None)).await.unwrap(), None);
}

async fn an_own_limit_goes_before_the_providers(world: World) {
    let mut desk = narrow(&world, 10).await;
    let mail = "Subject: x\r\n\r\nbody\r\n";
    let refusal = refused(append(&mut desk, "Taslaklar", mail, Flags::default()).await);
    assert_eq!(refusal, Refusal::OverQuota);
    let ali = world.ali;
    let allow = move |limit| {
        move |tx: &mut Tx<'_>| -> Result<(), StoreError> { Ok(usage::set_limit(tx, ali, limit)?) }
    };
    world.store.write(Lane::Client, allow(Some(100))).await.unwrap();
    let appended = append(&mut desk, "Taslaklar", mail, Flags::default()).await;
    assert!(matches!(appended, Answer::Appended(_)));
    let Answer::Quota(quota) = desk.answer(Ask::Quota { mailbox: None }).await else { panic!() };
    assert_eq!(quota.storage, Some(Resource { used: mail.len() as u64, limit: 100 }));
    world.store.write(Lane::Client, allow(None)).await.unwrap();
    let refusal = refused(append(&mut desk, "Taslaklar", mail, Flags::default()).await);
    assert_eq!(refusal, Refusal::OverQuota);
}

async fn rights_say_what_is_possible(world: World) {
    let mut desk = world.desk("ali").await;
    done(&mut desk, Ask::Create { name: name("Yeni"), special: None }).await;
    let mut told = Vec::new();
    for mailbox in ["INBOX", "Deliller", "İmza Bekleyenler", "Açılacaklar", "Taslaklar", "Yeni"]
    {
        match desk.answer(Ask::Rights { name: name(mailbox) }).await {
            Answer::Rights(own) => {
                assert_eq!(own.identifier, "ali@hs05.kep.tr");
                told.push(own.rights.to_string());
            }
            other => panic!("{other:?}"),
        }
    }
    let (own, server) = ("lrswikteacd", "lrswkteacd");
    assert_eq!(told, [own, server, server, own, own, "lrswikxteacd"]);
    let mut other = world.desk("veli").await;
    let answer = other.answer(Ask::Rights { name: name("Yeni") }).await;
    assert_eq!(refused(answer), Refusal::NoSuchMailbox);
    // A closed account takes nothing in.
    let mut closed = world.desk("closed").await;
    let ask = Ask::Mailboxes(ListWant::default());
    let Answer::Mailboxes(all) = closed.answer(ask).await else { panic!() };
    let of = |text: &str| all.iter().find(|e| e.name == name(text)).unwrap().rights.to_string();
    assert_eq!([of("Yeni"), of("Açılacaklar")], ["lrswkxteacd", own]);
}

async fn a_use_is_given_once(world: World) {
    let mut desk = world.desk("ali").await;
    let make = |text: &str, special| Ask::Create { name: name(text), special: Some(special) };
    for taken in [SpecialUse::Archive, SpecialUse::All, SpecialUse::Flagged, SpecialUse::Sent] {
        assert_eq!(refused(desk.answer(make("Depo", taken)).await), Refusal::UseAttr);
    }
    done(&mut desk, make("Gereksiz", SpecialUse::Junk)).await;
    let second = desk.answer(make("Depo", SpecialUse::Junk)).await;
    assert_eq!(refused(second), Refusal::UseAttr);
    let kind = async |desk: &mut Desk, text: &str| {
        let Answer::Mailboxes(all) = desk.answer(Ask::Mailboxes(ListWant::default())).await else {
            panic!()
        };
        all.into_iter().find(|entry| entry.name == name(text)).map(|entry| entry.kind)
    };
    assert_eq!(kind(&mut desk, "Depo").await, None);
    // It may be renamed and removed, as any that its owner made; then another may have the use.
    done(&mut desk, Ask::Rename { from: name("Gereksiz"), to: name("Spam") }).await;
    let junk = Some(MailboxKind::Mailbox(Some(SpecialUse::Junk)));
    assert_eq!(kind(&mut desk, "Spam").await, junk);
    done(&mut desk, Ask::Delete { name: name("Spam") }).await;
    done(&mut desk, make("Depo", SpecialUse::Junk)).await;
    let mut other = world.desk("veli").await;
    done(&mut other, make("Depo", SpecialUse::Junk)).await;
}
