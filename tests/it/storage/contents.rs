//! Contents share blobs; what nothing refers to is forgotten with its key.

use super::bed::{self, Bed, submission};
use super::on_both;
use kep::store::{Lane, Store, StoreError, contents};
use kep::wire::ContentId;
use std::sync::Arc;

pub async fn content(store: &Store, pieces: &[&[u8]]) -> ContentId {
    let puts: Vec<_> = pieces.iter().map(|p| store.blobs.put(p.to_vec()).unwrap()).collect();
    let blobs = Arc::clone(&store.blobs);
    let work = move |tx: &mut kep::store::Tx<'_>| {
        contents::create_from(tx, &blobs, &puts.iter().collect::<Vec<_>>())
    };
    store.write::<_, StoreError, _>(Lane::Client, work).await.unwrap()
}

#[tokio::test]
async fn contents_share_blobs_and_forget_only_the_unused() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let new = submission(&bed.store, 1, account, b"original");
        let original = (new.original.id, new.original.size);
        bed.lay_in(new).await.unwrap();
        let blobs = Arc::clone(&bed.store.blobs);
        let around = bed.store.blobs.put(b"head ".to_vec()).unwrap();
        let shared = bed.store.blobs.put(b" foot".to_vec()).unwrap();
        let (a, b) = bed
            .write(move |tx| {
                blobs.record(tx, &around)?;
                blobs.record(tx, &shared)?;
                let (head, foot) = ((around.id, around.size), (shared.id, shared.size));
                let a = contents::create(tx, &[head, original, foot])?;
                Ok((a, contents::create(tx, &[original, foot])?))
            })
            .await;
        assert_eq!(bed.store.content(a).await.unwrap(), b"head original foot");
        bed.write(move |tx| Ok(contents::forget(tx, a)?)).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 2, "head went with its key");
        assert_eq!(bed.store.content(b).await.unwrap(), b"original foot");
        bed.write(move |tx| Ok(contents::forget(tx, b)?)).await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 1, "the submission's stays");
    })
    .await;
}

#[tokio::test]
async fn any_range_across_pieces_can_be_read() {
    on_both(|bed| async move {
        let pieces: Vec<Vec<u8>> =
            [1_usize, 70_000, 0, 65_536, 3].map(|n| (0..n).map(|i| (i * 7) as u8).collect()).into();
        let whole = pieces.concat();
        let id = content(&bed.store, &pieces.iter().map(Vec::as_slice).collect::<Vec<_>>()).await;
        // A store that was opened anew has nothing in memory: what it reads comes from the files.
        let cold = bed.another().await;
        let size = whole.len() as u64;
        for range in [0..size, 0..1, 0..2, 69_990..70_010, 135_536..size, 65_000..140_000, 5..5] {
            let part = &whole[range.start as usize..(range.end.min(size)) as usize];
            for store in [&bed.store, &cold] {
                assert_eq!(store.content_range(id, range.clone()).await.unwrap(), part);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_opened_again_finds_all() {
    on_both(|bed| async move {
        let id = content(&bed.store, &[b"first ", b"second"]).await;
        let Bed { store, at, vault, dir } = bed;
        drop(store);
        let again = Store::open(&at, &dir.path().join("blobs"), vault).await.unwrap();
        assert_eq!(again.content(id).await.unwrap(), b"first second");
        let after = content(&again, &[b"third"]).await;
        assert_eq!(again.content(after).await.unwrap(), b"third");
    })
    .await;
}

/// Two processes: one forgets the last use of a blob while the other begins a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_is_used_again_is_not_forgotten_meanwhile() {
    on_both(|bed| async move {
        for _ in 0..20 {
            let put = bed.store.blobs.put(b"shared".to_vec()).unwrap();
            let (id, size, blobs) = (put.id, put.size, Arc::clone(&bed.store.blobs));
            let old = bed
                .write(move |tx| {
                    blobs.record(tx, &put)?;
                    Ok(contents::create(tx, &[(id, size)])?)
                })
                .await;
            let (a, b) = (bed.store.clone(), bed.store.clone());
            let forget = tokio::spawn(async move {
                let work = move |tx: &mut kep::store::Tx<'_>| Ok(contents::forget(tx, old)?);
                a.write::<_, StoreError, _>(Lane::Client, work).await
            });
            let create = tokio::spawn(async move {
                let work = move |tx: &mut kep::store::Tx<'_>| {
                    let known =
                        tx.first("SELECT 1 FROM blob WHERE id = $1", &[(&id.0[..]).into()])?;
                    known.map(|_| contents::create(tx, &[(id, size)])).transpose()
                };
                b.write::<_, kep::store::RowsError, _>(Lane::Client, work).await
            });
            forget.await.unwrap().unwrap();
            // A missing blob is a fair answer; a content without it is not.
            if let Ok(Some(new)) = create.await.unwrap() {
                assert_eq!(bed.store.content(new).await.unwrap(), b"shared");
            }
        }
        let broken = "SELECT COUNT(*) FROM piece p
                      WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = p.blob)";
        assert_eq!(bed.count(broken).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_not_laid_in_without_its_content() {
    on_both(|bed| async move {
        if !bed.store.shared() {
            return;
        }
        let account = bed.account("ayse@hs05.kep.tr").await;
        let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
        let message = bed::message(&put, kep::store::mail::Kind::Plain, None);
        let work = move |tx: &mut kep::store::Tx<'_>| {
            let inbox = kep::store::mail::of_role(tx, account, kep::store::mail::Role::Inbox)?;
            kep::store::mail::lay_in(tx, inbox, ContentId(4711), &message)
        };
        let done = bed.store.write::<_, kep::store::RowsError, _>(Lane::Client, work).await;
        assert!(matches!(done, Err(kep::store::RowsError::Missing("content"))));
    })
    .await;
}

/// What is gone is gone from the file too: with a data key in a free place its content could be read.
#[tokio::test]
async fn an_erased_data_key_is_not_left_in_the_file() {
    let bed = Bed::sqlite().await;
    let first = content(&bed.store, &[b"a"]).await;
    let forgotten = content(&bed.store, &[b"b"]).await;
    content(&bed.store, &[b"c"]).await;
    let key = bed
        .read(|tx| Ok(tx.one("blob", "SELECT data_key FROM blob ORDER BY start LIMIT 1", &[])?))
        .await;
    let key = key.bytes(0).unwrap().to_vec();
    let file = bed.dir.path().join("rows.db");
    let in_file = || {
        // The journal is another matter (docs/security.md).
        let beside = rusqlite::Connection::open(&file).unwrap();
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = beside.query_row(checkpoint, [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
        let octets = std::fs::read(&file).unwrap();
        octets.windows(key.len()).any(|window| window == key)
    };
    assert!(in_file());
    for id in [first, forgotten] {
        bed.write(move |tx| Ok(contents::forget(tx, id)?)).await;
    }
    assert!(!in_file());
}

#[tokio::test]
async fn a_row_that_claims_a_huge_content_is_an_error() {
    on_both(|bed| async move {
        let id = content(&bed.store, &[b"small"]).await;
        let cold = bed.another().await;
        bed.write(|tx| Ok(tx.execute("UPDATE blob SET size = 1152921504606846975", &[])?)).await;
        assert!(matches!(cold.content(id).await, Err(StoreError::Blob(_))));
    })
    .await;
}
