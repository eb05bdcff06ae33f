//! Compaction empties and removes segments, beside readers, and loses nothing.

use super::bed::Bed;
use super::contents::content;
use super::on_both;
use kep::store::blobs::compact;
use kep::store::{BlobError, Lane, Store, StoreError, Tx, contents};
use kep::wire::ContentId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ten contents of which eight are forgotten, in a segment that nobody appends to any more.
async fn mostly_dead(bed: &Bed) -> Vec<(ContentId, Vec<u8>)> {
    let before = bed.another().await;
    let mut all = Vec::new();
    for n in 0..10_u8 {
        let octets = vec![n; 100_000];
        all.push((content(&before, &[&octets, b" and its foot"]).await, octets));
    }
    let dead = all.split_off(2);
    bed.write(move |tx| dead.iter().try_for_each(|(id, _)| Ok(contents::forget(tx, *id)?))).await;
    for (_, octets) in &mut all {
        octets.extend_from_slice(b" and its foot");
    }
    all
}

fn files(bed: &Bed) -> usize {
    let dir = std::fs::read_dir(bed.blobs_dir()).unwrap();
    dir.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".kepb"))
        .count()
}

/// A program that another test starts shares our file locks between its fork and its exec; a round
/// passes over a segment that somebody seems to hold, and the next one takes it.
async fn round_that_did_something(bed: &Bed) -> compact::Report {
    for _ in 0..10_000 {
        let report = compact::round(&bed.store).await.unwrap();
        if report != compact::Report::default() {
            return report;
        }
    }
    compact::Report::default()
}

#[tokio::test]
async fn a_segment_that_is_mostly_dead_is_emptied_and_then_removed() {
    on_both(|bed| async move {
        let living = mostly_dead(&bed).await;
        let first = round_that_did_something(&bed).await;
        assert_eq!((first.moved, first.emptied, first.removed), (4, 1, 0));
        assert_eq!(files(&bed), 2, "readers may still hold its places");
        let second = round_that_did_something(&bed).await;
        assert_eq!((second.moved, second.removed), (0, 1));
        assert_eq!(files(&bed), 1);
        let cold = bed.another().await;
        for (id, octets) in living {
            assert_eq!(cold.content(id).await.unwrap(), octets);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_compaction_always_find_their_octets() {
    on_both(|bed| async move {
        let living = mostly_dead(&bed).await;
        let done = Arc::new(AtomicBool::new(false));
        let reader = |store: Store| {
            let (living, done) = (living.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut reads = 0;
                while !done.load(Ordering::SeqCst) || reads == 0 {
                    for (id, octets) in &living {
                        assert_eq!(&store.content(*id).await.unwrap(), octets);
                        reads += 1;
                    }
                }
            })
        };
        // One in this process, one in another; neither has the octets in memory.
        let readers = [reader(bed.store.clone()), reader(bed.another().await)];
        for _ in 0..3 {
            compact::round(&bed.store).await.unwrap();
        }
        done.store(true, Ordering::SeqCst);
        for reader in readers {
            reader.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_place_that_was_read_before_the_file_went_says_that_it_moved() {
    on_both(|bed| async move {
        let living = mostly_dead(&bed).await;
        let id = living[0].0;
        let old = bed.read(move |tx| Ok(contents::find(tx, id)?)).await;
        compact::round(&bed.store).await.unwrap();
        assert_eq!(old.read(&bed.store.blobs, 0..5).unwrap(), [0; 5], "a round later it is there");
        compact::round(&bed.store).await.unwrap();
        let gone = old.read(&bed.store.blobs, 0..5);
        assert!(matches!(gone, Err(StoreError::Blob(BlobError::Moved(_)))), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn a_put_into_a_segment_that_was_emptied_meanwhile_is_refused() {
    on_both(|bed| async move {
        let before = bed.another().await;
        let put = before.blobs.put(b"not recorded yet".to_vec()).unwrap();
        before.blobs.sync().unwrap();
        drop(before);
        // Its writer's thread gives the segment back when it has ended.
        let emptied = async {
            while compact::round(&bed.store).await.unwrap().emptied == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, emptied).await.expect("the segment is emptied");
        let blobs = Arc::clone(&bed.store.blobs);
        let work = move |tx: &mut Tx<'_>| contents::create_from(tx, &blobs, &[&put]);
        let refused = bed.store.write(Lane::Client, work).await;
        assert!(matches!(refused, Err(StoreError::Blob(BlobError::Lost(_)))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_appended_to_is_left_alone() {
    on_both(|bed| async move {
        let id = content(&bed.store, &[&[1; 1000]]).await;
        bed.write(move |tx| Ok(contents::forget(tx, id)?)).await;
        let other = bed.another().await;
        for store in [&bed.store, &other] {
            assert_eq!(compact::round(store).await.unwrap(), compact::Report::default());
        }
    })
    .await;
}

#[tokio::test]
async fn a_damaged_record_stays_where_it_is() {
    on_both(|bed| async move {
        let living = mostly_dead(&bed).await;
        let path = bed.blobs_dir().join("segment-00000001.kepb");
        let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"XX", 5000).unwrap();
        let round = round_that_did_something(&bed).await;
        assert_eq!((round.moved, round.damaged.len(), round.emptied), (3, 1, 0));
        assert_eq!(compact::round(&bed.store).await.unwrap().removed, 0);
        assert_eq!(bed.another().await.content(living[1].0).await.unwrap(), living[1].1);
    })
    .await;
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);
