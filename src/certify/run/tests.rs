use super::*;
use crate::evidence::testing::{ALI, ID, World};
use crate::store::RowsError;
use crate::trust::testing::NOW;
use crate::wire::rem::{Evidence, Opened};

/// A message to these, sealed; the world and its dispatches by provider.
async fn sealed(to: &[&str]) -> (World, BTreeMap<String, Vec<u8>>) {
    let world = World::open().await;
    let providers =
        [("hs06.kep.tr", "ts102640"), ("hs07.kep.tr", "en319522"), ("hs08.kep.tr", "both")];
    for (domain, dialect) in providers {
        world.provider(domain, dialect).await;
    }
    let own = |to: &str| (to == ALI).then_some(world.ali);
    let recipients: Vec<_> = to.iter().map(|to| (*to, own(to))).collect();
    world.message(Origin::Account(world.ali), &recipients).await;
    let store = world.facts.store.clone();
    let lay_in = |tx: &mut Tx<'_>| spool::certify(tx, &MessageId::parse(ID).unwrap(), NOW);
    store.write::<_, RowsError, _>(Lane::Client, lay_in).await.unwrap();
    let issuer = Arc::clone(&world.facts.issuer);
    let sealing = Sealing { store: store.clone(), issuer, storage: None };
    let job = Takers::new(&store, Step::Certify).take(NOW, 1).await.unwrap().remove(0).job;
    sealing.carry_out(&job).await.unwrap();
    // As by a process whose lease ran out.
    sealing.carry_out(&job).await.unwrap();
    let waiting = world.waiting().await.into_iter().map(|(to, _, mail)| (to, mail)).collect();
    (world, waiting)
}

/// The dialects of what a dispatch encloses; its original is the one that was sent.
fn enclosed(mail: &[u8]) -> Vec<&'static str> {
    let opened = Opened::read(mail).unwrap();
    assert_eq!(opened.original.as_ref().unwrap().octets(mail), b"mail");
    let read = opened.evidence.iter().map(|found| Evidence::read(&found.xml).unwrap());
    read.map(|read| read.dialect.word()).collect()
}

async fn own_dispatch(world: &World) -> Vec<u8> {
    let find = |tx: &mut Tx<'_>| submissions::find(tx, &MessageId::parse(ID).unwrap());
    let submission = world.facts.store.read(find).await.unwrap().unwrap();
    world.facts.store.content(submission.dispatch.unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_provider_gets_a_dispatch_in_its_dialect() {
    let to = [ALI, "can@hs06.kep.tr", "ela@hs07.kep.tr", "nur@hs08.kep.tr", "su@hs09.kep.tr"];
    let (world, waiting) = sealed(&to).await;
    let dialects: Vec<_> = waiting.iter().map(|(to, mail)| (to.as_str(), enclosed(mail))).collect();
    let expected = [
        ("hs06.kep.tr", vec!["ts102640"]),
        ("hs07.kep.tr", vec!["en319522"]),
        ("hs08.kep.tr", vec!["ts102640", "en319522"]),
        ("hs09.kep.tr", vec!["ts102640"]),
    ];
    assert_eq!(dialects, expected);
    let own = own_dispatch(&world).await;
    assert_eq!(enclosed(&own), ["ts102640"]);
    assert!(waiting["hs06.kep.tr"] == own && waiting["hs09.kep.tr"] == own, "one dispatch");
    // Each encloses the same documents, octet for octet, and one of each is kept.
    let document = |mail: &[u8], n: usize| Opened::read(mail).unwrap().evidence[n].xml.clone();
    assert_eq!(document(&waiting["hs08.kep.tr"], 0), document(&own, 0));
    assert_eq!(document(&waiting["hs08.kep.tr"], 1), document(&waiting["hs07.kep.tr"], 0));
    let count = |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        let count = |sql| tx.one("count", sql, &[])?.int(0);
        let mut count = count;
        Ok([
            count("SELECT COUNT(*) FROM evidence")?,
            count("SELECT COUNT(*) FROM evidence_form")?,
            count("SELECT COUNT(*) FROM dispatch_form")?,
        ])
    };
    assert_eq!(world.facts.store.read(count).await.unwrap(), [1, 1, 2]);
    let found =
        crate::store::fsck::check(&world.facts.store, crate::store::fsck::Depth::Full, |_| {});
    assert_eq!(found.await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_wants_the_default_no_dispatch_is_made_in_it() {
    let (world, waiting) = sealed(&["ela@hs07.kep.tr"]).await;
    assert_eq!(enclosed(&waiting["hs07.kep.tr"]), ["en319522"]);
    assert_eq!(own_dispatch(&world).await, waiting["hs07.kep.tr"]);
}
