//! In which dialect evidence goes to another provider, and that it goes once more as it is.

use super::*;
use crate::evidence::verify::{Believed, Judge};
use crate::wire::EvidenceId;
use crate::wire::rem::{Dialect, Opened};

const PEER: &str = "hs06.kep.tr";
const CAN: &str = "can@hs06.kep.tr";

/// A message of a provider that is told in this dialect, delivered to Ali.
async fn handed_over(dialect: &str) -> World {
    let world = World::open().await;
    world.provider(PEER, dialect).await;
    let peer = KepDomain::parse(PEER).unwrap();
    world.message(Origin::Peer(peer), &[(ALI, Some(world.ali))]).await;
    let lay_in = |tx: &mut Tx<'_>| {
        let id = MessageId::parse(ID).unwrap();
        submissions::outcome(tx, &id, 1, RecipientState::Delivered, NOW)?;
        let fact = Fact::Delivered { message: ID.into(), recipient: 1, at: NOW.millis() };
        spool::fact(tx, &fact, NOW)
    };
    world.facts.store.write::<_, RowsError, _>(Lane::Client, lay_in).await.unwrap();
    assert_eq!(world.carry_out().await, ["delivered"]);
    world
}

/// What a mail encloses: the names of the files, and in which dialect each is.
fn enclosed(mail: &[u8]) -> Vec<(String, Dialect)> {
    let opened = Opened::read(mail).unwrap();
    let file = |found: &crate::wire::rem::FoundEvidence| {
        (found.file_name.clone().unwrap(), Evidence::read(&found.xml).unwrap().dialect)
    };
    opened.evidence.iter().map(file).collect()
}

/// In which dialects the one evidence is kept; each with a sound signature of its own.
async fn kept(world: &World) -> Vec<String> {
    let id = world.id.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        let row = rows::of_message(tx, &id)?.remove(0);
        let forms = rows::forms(tx, &row.id)?;
        let further = forms.iter().map(|form| row.in_form(form));
        let all: Vec<_> = [row.clone()].into_iter().chain(further).collect();
        let puts = all.iter().map(|row| crate::store::blobs::find(tx, &row.xml));
        let puts = puts.collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().zip(puts).collect::<Vec<_>>())
    };
    let judge = Judge::new(Believed::default()).unwrap();
    let mut dialects = Vec::new();
    for (row, put) in world.facts.store.read(work).await.unwrap() {
        let xml = world.facts.store.blobs.read(&put).unwrap();
        let differ = crate::evidence::agree::differences(&row, &judge.judge(&xml, None, NOW));
        assert!(differ.is_empty(), "{differ:?}");
        dialects.push(row.dialect);
    }
    dialects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_told_in_its_dialect_and_both_are_one_evidence() {
    let elder = ("DeliveryNonDeliveryToRecipient.xml".to_owned(), Dialect::Ts102640);
    let younger = ("ContentConsignment.xml".to_owned(), Dialect::En319522);
    let cases = [
        ("ts102640", vec![elder.clone()], vec!["ts102640"]),
        ("en319522", vec![younger.clone()], vec!["en319522"]),
        ("both", vec![elder, younger], vec!["ts102640", "en319522"]),
    ];
    for (dialect, files, words) in cases {
        let world = handed_over(dialect).await;
        assert_eq!(world.events().await, ["delivery"], "one evidence");
        assert_eq!(kept(&world).await, words);
        let waiting = world.waiting().await;
        let [(to, evidence, mail)] = waiting.as_slice() else { panic!("{}", waiting.len()) };
        assert_eq!((to.as_str(), enclosed(mail)), (PEER, files));
        let derived = EvidenceId::derive(&world.id, "delivery", ALI);
        assert_eq!(evidence, derived.as_str(), "whatever the dialect");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_again_gets_the_same_octets_and_what_waits_is_not_doubled() {
    let world = handed_over("both").await;
    let first = world.waiting().await;
    let again = |tx: &mut Tx<'_>| {
        spool::fact(tx, &Fact::Again { message: ID.into(), at: NOW.millis() }, NOW)
    };
    world.facts.store.write::<_, RowsError, _>(Lane::Client, again).await.unwrap();
    assert_eq!(world.carry_out().await, ["again"]);
    assert_eq!(world.waiting().await, first, "it is on its way still");
    // The provider took it.
    let taken = |tx: &mut Tx<'_>| -> Result<(), RowsError> {
        let queued = crate::store::relay::list(tx, None, 1)?.remove(0);
        crate::store::relay::finish(tx, queued.id)?;
        mail::forget_unused(tx, queued.content).map(drop)
    };
    world.facts.store.write::<_, RowsError, _>(Lane::Client, taken).await.unwrap();
    assert!(world.waiting().await.is_empty());
    world.facts.store.write::<_, RowsError, _>(Lane::Client, again).await.unwrap();
    assert_eq!(world.carry_out().await, ["again"]);
    assert_eq!(world.waiting().await, first, "octet for octet");
    assert_eq!(world.events().await, ["delivery"]);
}

/// What a user is told stays in the default, whatever the providers of his correspondents want.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_own_account_is_told_in_the_default() {
    let world = World::open().await;
    world.provider(PEER, "en319522").await;
    world.message(Origin::Account(world.ali), &[(CAN, None)]).await;
    let fact = Fact::DeliveryExpired { message: ID.into(), recipient: 1, at: NOW.millis() };
    let lay_in = move |tx: &mut Tx<'_>| spool::fact(tx, &fact, NOW);
    world.facts.store.write::<_, RowsError, _>(Lane::Client, lay_in).await.unwrap();
    assert_eq!(world.carry_out().await, ["delivery-expired"]);
    assert_eq!(kept(&world).await, ["ts102640"]);
}
