//! Which annotations changed since when, for those who watch.

use super::on_stores;
use super::world::*;
use crate::mailbox::answer::Desk;
use crate::mailbox::ask::*;
use crate::wire::imap::metadata::EntryName;

on_stores!(
    changes_are_told_from_a_step_on_and_to_their_account_alone,
    changes_of_a_mailbox_go_with_it_and_steps_never_go_back,
    changes_that_are_remembered_are_bounded,
);

async fn set(desk: &mut Desk, mailbox: Option<&str>, entries: &[(&str, Option<&str>)]) -> u64 {
    let entries = entries.iter().map(|(of, text)| {
        let value = text.map(|text| text.as_bytes().to_vec());
        (EntryName::parse(of.as_bytes()).unwrap(), value)
    });
    let ask = Ask::SetMetadata { mailbox: mailbox.map(name), entries: entries.collect() };
    match desk.answer(ask).await {
        Answer::Annotated(step) => step,
        other => panic!("{other:?}"),
    }
}

/// The step, and `MAILBOX ENTRY STEP` of each change.
async fn changes(desk: &mut Desk, since: Option<u64>) -> (u64, Vec<String>) {
    let Answer::Annotations(news) = desk.answer(Ask::Annotations { since }).await else { panic!() };
    let lines = news.changed.iter().flat_map(|changed| {
        let of = changed.mailbox.as_ref().map_or("server", |one| one.name.as_str()).to_owned();
        changed.entries.iter().map(move |(entry, step)| format!("{of} {entry} {step}"))
    });
    (news.step, lines.collect())
}

async fn changes_are_told_from_a_step_on_and_to_their_account_alone(world: World) {
    let (mut ali, mut veli) = (world.desk("ali").await, world.desk("veli").await);
    assert_eq!(changes(&mut ali, None).await, (0, vec![]));
    let pair = [("/private/a", Some("1")), ("/shared/b", Some("2"))];
    assert_eq!(set(&mut ali, Some("INBOX"), &pair).await, 1);
    assert_eq!(set(&mut ali, None, &[("/private/c", Some("3"))]).await, 2);
    assert_eq!(set(&mut ali, Some("INBOX"), &[("/private/a", None)]).await, 3);
    assert_eq!(changes(&mut ali, None).await, (3, vec![]), "who begins knows all");
    let all = ["server /private/c 2", "INBOX /private/a 3", "INBOX /shared/b 1"];
    assert_eq!(changes(&mut ali, Some(0)).await, (3, all.map(str::to_owned).to_vec()));
    assert_eq!(changes(&mut ali, Some(2)).await, (3, vec![all[1].to_owned()]));
    assert_eq!(changes(&mut ali, Some(3)).await, (3, vec![]));
    assert_eq!(changes(&mut ali, Some(u64::MAX)).await, (3, vec![]));
    assert_eq!(changes(&mut veli, Some(0)).await, (0, vec![]));
    // What is refused changed nothing.
    let refusing = Ask::SetMetadata {
        mailbox: None,
        entries: vec![(EntryName::parse(b"/shared/x").unwrap(), Some(b"x".to_vec()))],
    };
    assert_eq!(refused(ali.answer(refusing).await), Refusal::NotPermitted);
    assert_eq!(changes(&mut ali, Some(3)).await, (3, vec![]));
}

async fn changes_of_a_mailbox_go_with_it_and_steps_never_go_back(world: World) {
    let mut desk = world.desk("ali").await;
    let make = || Ask::Create { name: name("Yeni"), special: None };
    assert!(matches!(desk.answer(make()).await, Answer::Created(_)));
    assert_eq!(set(&mut desk, Some("Yeni"), &[("/private/a", Some("1"))]).await, 1);
    let rename = Ask::Rename { from: name("Yeni"), to: name("Eski") };
    assert!(matches!(desk.answer(rename).await, Answer::Done));
    assert_eq!(changes(&mut desk, Some(0)).await, (1, vec!["Eski /private/a 1".to_owned()]));
    assert!(matches!(desk.answer(Ask::Delete { name: name("Eski") }).await, Answer::Done));
    assert_eq!(changes(&mut desk, Some(0)).await, (1, vec![]));
    assert_eq!(set(&mut desk, None, &[("/private/a", Some("1"))]).await, 2);
}

async fn changes_that_are_remembered_are_bounded(world: World) {
    let mut desk = world.desk("ali").await;
    for n in 0..13 {
        let names: Vec<_> = (0..100).map(|m| format!("/private/n/{n}/{m}")).collect();
        let entries: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
        set(&mut desk, Some("INBOX"), &entries).await;
    }
    let (step, told) = changes(&mut desk, Some(0)).await;
    assert!(step == 13 && (1000..1200).contains(&told.len()), "{step}: {}", told.len());
    assert_eq!(changes(&mut desk, Some(12)).await.1.len(), 100);
}
