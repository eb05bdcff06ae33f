//! The end of the time to hear of what was relayed, where several processes look for it.

use super::NOW;
use super::bed::{self, Bed, submission};
use super::evidence::new;
use super::server::admin;
use kep::spool::fact::Fact;
use kep::spool::relay::{arrived, silent};
use kep::store::submissions::{NewRecipient, RecipientState, lock};
use kep::store::{Lane, RowsAt, Store, StoreError, Tx, evidence};
use kep::wire::rem::Event;
use std::sync::{Arc, Mutex, mpsc};

const THERE: &str = "can@hs06.kep.tr";
const DUE: i64 = 60;

/// A message that went to another provider, which says nothing of it; as its job has it.
async fn relayed(bed: &Bed) -> Fact {
    let ayse = bed.account("ayse@hs05.kep.tr").await;
    let mut new = submission(&bed.store, 1, ayse, b"mail");
    let (address, state) = (THERE.into(), RecipientState::Accepted);
    new.recipients = vec![NewRecipient { address, account: None, state }];
    bed.lay_in(new).await.unwrap();
    bed.write(|tx| {
        assert!(arrived(tx, &bed::id(1), 1, NOW, NOW.plus_secs(DUE))?);
        let row = tx.one("job", "SELECT payload FROM job WHERE step = 'expire'", &[])?;
        Ok(Fact::parse(row.text(0)?)?)
    })
    .await
}

async fn sweep(store: &Store, fact: &Fact) -> bool {
    let fact = fact.clone();
    let now = NOW.plus_secs(DUE);
    let work = move |tx: &mut Tx<'_>| silent(tx, &bed::id(1), 1, &fact, now);
    store.write(Lane::Background, work).await.unwrap()
}

async fn facts(bed: &Bed) -> Vec<String> {
    bed.read(|tx| {
        let rows = tx.query("SELECT name FROM job WHERE step = 'evidence' ORDER BY name", &[])?;
        Ok(rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<_, _>>()?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sweeps_at_once_make_one_evidence() {
    let Some(bed) = Bed::postgres().await else { return };
    let fact = relayed(&bed).await;
    let other = bed.another().await;
    let sweeps = [&bed.store, &other, &bed.store, &other].map(|store| sweep(store, &fact));
    let [a, b, c, d] = sweeps;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert_eq!([a, b, c, d].into_iter().filter(|first| *first).count(), 1);
    assert_eq!(facts(&bed).await, [format!("fact/{}/1/relay-failed", bed::id(1))]);
}

/// The acceptance of the other provider (20) is being laid down: who sweeps waits, and finds it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sweep_waits_for_word_that_is_being_laid_down() {
    let Some(bed) = Bed::postgres().await else { return };
    let fact = relayed(&bed).await;
    let RowsAt::Postgres(url) = &bed.at else { panic!("not PostgreSQL") };
    let admin = admin(url).await;
    let (told, hears) = tokio::sync::oneshot::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let (told, waits) = (Mutex::new(Some(told)), Mutex::new(waits));
    let word = {
        let (blobs, mut word) = (Arc::clone(&bed.store.blobs), new(&bed.store, 1, "", ""));
        word.event = Event::RelayAcceptance.name().to_owned();
        word.origin = "hs06.kep.tr".into();
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            lock(tx, &bed::id(1))?;
            assert!(evidence::append(tx, &blobs, &word)?);
            told.lock().unwrap().take().map(|told| told.send(()));
            waits.lock().unwrap().recv().unwrap();
            Ok(())
        };
        let store = bed.store.clone();
        tokio::spawn(async move { store.write(Lane::Client, work).await.unwrap() })
    };
    hears.await.unwrap();
    let other = bed.another().await;
    let sweeping = tokio::spawn(async move { sweep(&other, &fact).await });
    let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted";
    while !sweeping.is_finished() {
        let row = admin.query_one(waiting, &[]).await.unwrap();
        if row.get::<_, i64>(0) > 0 {
            break;
        }
    }
    go_on.send(()).unwrap();
    word.await.unwrap();
    assert!(sweeping.await.unwrap());
    assert_eq!(facts(&bed).await, [format!("fact/{}/1/delivery-expired", bed::id(1))]);
}
