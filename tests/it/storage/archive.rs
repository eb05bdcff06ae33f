//! Archive time stamps on both drivers: all evidence is under them, each follows from the one before, and
//! what was changed since is named.

use super::bed::Bed;
use super::evidence::{append, new};
use super::holders::word;
use super::{NOW, on_both};
use kep::evidence::archive::{self, Archivist, Fault, Verdict};
use kep::trust::detached::Word;
use kep::wire::{Digest, Timestamp};

pub fn archivist(bed: &Bed, now: Timestamp) -> Archivist {
    let (Word { stamper, readiness, clock, .. }, _) = word(now);
    let provider = "hs05.kep.tr".to_owned();
    Archivist { store: bed.store.clone(), provider, stamper, readiness, clock }
}

async fn verify(bed: &Bed, by: &Archivist) -> Verdict {
    archive::verify(&bed.store, by.stamper.verifier()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_evidence_comes_under_stamps_that_follow_from_each_other() {
    on_both(|bed| async move {
        let archivist = archivist(&bed, NOW);
        assert_eq!(archivist.round().await.unwrap(), None, "there is no evidence");
        for n in 1..=3 {
            append(&bed.store, new(&bed.store, n, "delivery", "a")).await;
        }
        assert_eq!(archivist.round().await.unwrap().unwrap().n, 1);
        assert_eq!(archivist.round().await.unwrap(), None, "it is not time");
        append(&bed.store, new(&bed.store, 4, "delivery", "a")).await;
        let verdict = verify(&bed, &archivist).await;
        assert_eq!((verdict.stamps, verdict.stamped, verdict.waiting), (1, 3, 1));
        assert_eq!(verdict.faults, []);
        let second = archivist.stamp().await.unwrap().unwrap();
        let third = archivist.stamp().await.unwrap().unwrap();
        assert_eq!((second.n, third.n), (2, 3));
        assert!(third.ends_at > third.stamped_at);
        let verdict = verify(&bed, &archivist).await;
        assert_eq!((verdict.stamps, verdict.stamped, verdict.waiting), (3, 4, 0));
        assert_eq!(verdict.faults, []);
        let kept = bed.count(
            "SELECT COUNT(*) FROM archive_stamp a JOIN material_set s ON s.id = a.material_set
             JOIN material m ON m.digest = s.digest WHERE m.kind = 'certificate'",
        );
        assert!(kept.await >= 3, "what validates a stamp is kept with it");
        // What is gathered and was never stamped waits.
        bed.write(|tx| Ok(tx.execute("DELETE FROM archive_stamp WHERE n > 1", &[])?)).await;
        let verdict = verify(&bed, &archivist).await;
        assert_eq!((verdict.stamps, verdict.stamped, verdict.waiting), (1, 3, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_since_it_was_stamped_is_named() {
    on_both(|bed| async move {
        let archivist = archivist(&bed, NOW);
        for n in 1..=3 {
            append(&bed.store, new(&bed.store, n, "delivery", "a")).await;
        }
        archivist.stamp().await.unwrap();
        archivist.stamp().await.unwrap();
        let ids = bed
            .read(|tx| {
                let rows = tx.query("SELECT id FROM evidence ORDER BY id", &[])?;
                let ids = rows.iter().map(|row| row.text(0).map(str::to_owned));
                Ok(ids.collect::<Result<Vec<_>, _>>()?)
            })
            .await;
        let (changed, gone) = (ids[0].clone(), ids[1].clone());
        let (one, other) = (changed.clone(), gone.clone());
        bed.write(move |tx| {
            let zero = Digest([0; 32]);
            let sql = "UPDATE blob SET digest = $1
                       WHERE id = (SELECT xml FROM evidence WHERE id = $2)";
            tx.execute(sql, &[(&zero.0[..]).into(), (&one).into()])?;
            tx.execute("DELETE FROM evidence WHERE id = $1", &[(&other).into()])?;
            Ok(())
        })
        .await;
        let faults = verify(&bed, &archivist).await.faults;
        assert_eq!(faults, [Fault::Changed(changed), Fault::Gone(gone)]);

        // Who writes leaf and root anew as well, can't write the stamps.
        bed.write(|tx| {
            tx.execute("UPDATE archive_batch SET root = $1", &[(&[7_u8; 32][..]).into()])?;
            tx.execute(
                "UPDATE archive_stamp SET statement = REPLACE(statement, 'hs05', 'hs06') WHERE n = 1",
                &[],
            )?;
            Ok(())
        })
        .await;
        let faults = verify(&bed, &archivist).await.faults;
        assert!(faults.contains(&Fault::Batch(1)), "{faults:?}");
        assert!(faults.contains(&Fault::Root(1)) && faults.contains(&Fault::Root(2)), "{faults:?}");
        assert!(faults.iter().any(|fault| matches!(fault, Fault::Token(1, _))), "{faults:?}");
        assert!(faults.contains(&Fault::Previous(2)), "{faults:?}");
    })
    .await;
}
