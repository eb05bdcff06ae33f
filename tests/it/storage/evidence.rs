//! Evidence is appended once and stays.

use super::bed;
use super::{NOW, on_both};
use kep::store::evidence::{self, Material, NewEvidence};
use kep::store::{Lane, Store, StoreError};
use kep::wire::{EvidenceId, sha256};
use std::sync::Arc;

pub fn new(store: &Store, n: u32, event: &str, recipient: &str) -> NewEvidence {
    let material = b"certificate".to_vec();
    NewEvidence {
        id: EvidenceId::derive(&bed::id(n), event, recipient),
        message_id: bed::id(n),
        event: event.into(),
        recipient: recipient.into(),
        dialect: "ts102640",
        origin: "own".into(),
        event_time: NOW,
        stamped_at: NOW,
        stored_at: NOW,
        xml: store.blobs.put(b"<xml/>".to_vec()).unwrap(),
        forms: Vec::new(),
        material: vec![Material {
            kind: "cert",
            digest: sha256(&material),
            value: material.into(),
        }],
    }
}

pub async fn append(store: &Store, new: NewEvidence) -> bool {
    let blobs = Arc::clone(&store.blobs);
    let work = move |tx: &mut kep::store::Tx<'_>| evidence::append(tx, &blobs, &new);
    store.write::<_, StoreError, _>(Lane::Background, work).await.unwrap()
}

#[tokio::test]
async fn invariant_05_evidence_is_appended_once_and_keeps_its_material() {
    on_both(|bed| async move {
        assert!(append(&bed.store, new(&bed.store, 1, "delivery", "a")).await);
        let first = bed.read(|tx| Ok(evidence::of_message(tx, &bed::id(1))?)).await;
        let mut changed = new(&bed.store, 1, "delivery", "a");
        changed.event_time = NOW.plus_secs(1);
        assert!(!append(&bed.store, changed).await);
        assert!(append(&bed.store, new(&bed.store, 1, "retrieval", "a")).await);
        let all = bed.read(|tx| Ok(evidence::of_message(tx, &bed::id(1))?)).await;
        assert_eq!(all.len(), 2);
        let same = all.iter().find(|row| row.id == first[0].id).unwrap();
        assert_eq!((same.event_time, same.xml), (NOW, first[0].xml));
        let id = first[0].id.clone();
        let material = bed.read(move |tx| Ok(evidence::material(tx, &id)?)).await;
        assert_eq!(material, [("cert".to_owned(), b"certificate".to_vec())]);
        assert_eq!(bed.count("SELECT COUNT(*) FROM material").await, 1, "shared");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evidence_that_lost_the_race_leaves_no_blob() {
    on_both(|bed| async move {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (store, new) = (bed.store.clone(), new(&bed.store, 1, "delivery", "a"));
                tokio::spawn(async move { append(&store, new).await })
            })
            .collect();
        let mut added = 0;
        for task in tasks {
            added += u32::from(task.await.unwrap());
        }
        assert_eq!(added, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM evidence").await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 1);
    })
    .await;
}
