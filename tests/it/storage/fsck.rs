//! fsck finds each contradiction, and nothing where there is none.

use super::bed::{self, Bed, RECIPIENT, submission};
use super::contents::content;
use super::evidence::{append, new};
use super::{NOW, on_both, server};
use kep::spool;
use kep::store::fsck::repair::{Repaired, repair};
use kep::store::fsck::{Depth, Finding, Kind, Part, Severity, check};
use kep::store::mail::{self, Role};
use kep::store::submissions::{self, RecipientState};
use kep::store::{RowsAt, RowsError, Store, StoreError, Tx};
use kep::wire::{AccountId, ContentId, KepDomain, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// Message 1, delivered and not read yet, with everything that belongs to it.
pub async fn delivered(bed: &Bed) -> AccountId {
    let account = bed.account("ayse@hs05.kep.tr").await;
    bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
    bed.write(|tx| Ok(spool::certify(tx, &bed::id(1), NOW)?)).await;
    assert_eq!(kinds(bed, Depth::Full).await, BTreeSet::new(), "accepted");
    for (event, recipient) in [("submission-acceptance", ""), ("delivery", RECIPIENT)] {
        append(&bed.store, new(&bed.store, 1, event, recipient)).await;
    }
    let dispatch = content(&bed.store, &[b"dispatch"]).await;
    let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
    let sent = bed::message(&put, mail::Kind::Plain, Some(bed::id(1)));
    let sealed = bed::message(&put, mail::Kind::Sealed, Some(bed::id(1)));
    bed.write(move |tx| {
        tx.execute("DELETE FROM job", &[])?;
        submissions::dispatched(tx, &bed::id(1), dispatch)?;
        submissions::outcome(tx, &bed::id(1), 1, RecipientState::Delivered, NOW)?;
        for (role, message) in [(Role::Sent, &sent), (Role::Inbox, &sealed)] {
            let mailbox = mail::of_role(tx, account, role)?;
            mail::lay_in(tx, mailbox, dispatch, message)?;
        }
        Ok(spool::expire(tx, &bed::id(1), 1, NOW.plus_secs(24 * 3600))?)
    })
    .await;
    account
}

async fn findings(bed: &Bed, depth: Depth) -> Vec<Finding> {
    check(&bed.store, depth, |_| ()).await.unwrap()
}

async fn kinds(bed: &Bed, depth: Depth) -> BTreeSet<Kind> {
    findings(bed, depth).await.into_iter().map(|finding| finding.kind).collect()
}

#[tokio::test]
async fn a_sound_store_has_no_findings_and_progress_is_told() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let mut steps = Vec::new();
        let found = check(&bed.store, Depth::Full, |progress| steps.push(progress)).await.unwrap();
        assert_eq!(found, []);
        assert!(steps.iter().any(|p| p.part == Part::Rows));
        let last = steps.last().unwrap();
        assert_eq!((last.part, last.done), (Part::Blobs, last.of));
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_relay_to_its_own_provider_is_not_lost() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let waits = "UPDATE recipient SET state = 'accepted', account = NULL,
                     address = 'can@kurum.hs77.kep.tr'";
        bed.write(move |tx| Ok(tx.execute(waits, &[])?)).await;
        let to = |domain: &str| KepDomain::parse(domain).unwrap();
        let relay = async |domain| {
            let domain = to(domain);
            let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                let submission = submissions::find(tx, &bed::id(1))?.unwrap();
                let dispatch = submission.dispatch.unwrap();
                Ok(spool::relay(tx, &bed::id(1), dispatch, &domain, NOW)?)
            };
            bed.write(work).await;
        };
        relay("hs78.kep.tr").await;
        assert!(kinds(&bed, Depth::Full).await.contains(&Kind::NotDelivered));
        relay("hs77.kep.tr").await;
        assert_eq!(kinds(&bed, Depth::Full).await, BTreeSet::new());
    })
    .await;
}

#[tokio::test]
async fn each_break_is_found_by_name() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let breaks: &[(&'static str, &'static str, Kind)] = &[
            (
                "UPDATE submission SET state = 'accepted'",
                "UPDATE submission SET state = 'dispatched'",
                Kind::NotCertified,
            ),
            (
                "UPDATE evidence SET event = 'x' WHERE event = 'submission-acceptance'",
                "UPDATE evidence SET event = 'submission-acceptance' WHERE event = 'x'",
                Kind::NoAcceptanceEvidence,
            ),
            (
                "UPDATE evidence SET event = 'x' WHERE event = 'delivery'",
                "UPDATE evidence SET event = 'delivery' WHERE event = 'x'",
                Kind::NoDeliveryEvidence,
            ),
            (
                "UPDATE recipient SET state = 'accepted'",
                "UPDATE recipient SET state = 'delivered'",
                Kind::NotDelivered,
            ),
            (
                "UPDATE recipient SET state = 'failed'",
                "UPDATE recipient SET state = 'delivered'",
                Kind::NoFailureEvidence,
            ),
            (
                "UPDATE recipient SET state = 'read'",
                "UPDATE recipient SET state = 'delivered'",
                Kind::NoReadEvidence,
            ),
            (
                "UPDATE job SET name = 'x'",
                "UPDATE job SET name = 'expire/1@hs05.kep.tr/1'",
                Kind::NoClock,
            ),
            ("UPDATE recipient SET n = 2", "UPDATE recipient SET n = 1", Kind::NoClock),
            (
                "UPDATE recipient SET message_id = 'x'",
                "UPDATE recipient SET message_id = '1@hs05.kep.tr'",
                Kind::NoRecipients,
            ),
            (
                "UPDATE message SET content = -content",
                "UPDATE message SET content = -content",
                Kind::MessageWithoutContent,
            ),
            (
                "UPDATE message SET mailbox = -mailbox",
                "UPDATE message SET mailbox = -mailbox",
                Kind::MessageWithoutMailbox,
            ),
            (
                "UPDATE message SET mailbox = -mailbox",
                "UPDATE message SET mailbox = -mailbox",
                Kind::NoSentCopy,
            ),
            (
                "UPDATE message SET mailbox = -mailbox",
                "UPDATE message SET mailbox = -mailbox",
                Kind::NotInMailbox,
            ),
            (
                "UPDATE submission SET dispatch = -dispatch",
                "UPDATE submission SET dispatch = -dispatch",
                Kind::DispatchWithoutContent,
            ),
            (
                "UPDATE submission SET size = size + 1",
                "UPDATE submission SET size = size - 1",
                Kind::OriginalDiffers,
            ),
            (
                "UPDATE content SET size = size + 1",
                "UPDATE content SET size = size - 1",
                Kind::ContentSize,
            ),
            (
                "UPDATE piece SET content = content + 99",
                "UPDATE piece SET content = content - 99",
                Kind::ContentSize,
            ),
            (
                "UPDATE mailbox SET uid_next = uid_next - 1",
                "UPDATE mailbox SET uid_next = uid_next + 1",
                Kind::UidNext,
            ),
            (
                "UPDATE mailbox SET mod_seq = mod_seq - 1",
                "UPDATE mailbox SET mod_seq = mod_seq + 1",
                Kind::ModSeq,
            ),
            (
                "UPDATE mailbox SET octets = octets + 1",
                "UPDATE mailbox SET octets = octets - 1",
                Kind::Octets,
            ),
            (
                "UPDATE blob SET segment = segment + 99",
                "UPDATE blob SET segment = segment - 99",
                Kind::SegmentMissing,
            ),
            (
                "UPDATE blob SET start = start + 9999",
                "UPDATE blob SET start = start - 9999",
                Kind::SegmentShort,
            ),
        ];
        for (damage, repair, kind) in breaks.iter().copied() {
            bed.write(move |tx| Ok(tx.execute(damage, &[])?)).await;
            let found = kinds(&bed, Depth::Quick).await;
            assert!(found.contains(&kind), "{damage}: {found:?}");
            bed.write(move |tx| Ok(tx.execute(repair, &[])?)).await;
            assert_eq!(kinds(&bed, Depth::Quick).await, BTreeSet::new(), "{repair}");
        }
    })
    .await;
}

#[tokio::test]
async fn missing_blobs_are_found() {
    on_both(|bed| async move {
        delivered(&bed).await;
        bed.write(|tx| Ok(tx.execute("DELETE FROM blob", &[])?)).await;
        let found = kinds(&bed, Depth::Quick).await;
        for kind in [Kind::PieceWithoutBlob, Kind::EvidenceWithoutBlob, Kind::OriginalWithoutBlob] {
            assert!(found.contains(&kind), "{found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_flipped_bit_is_found_by_the_full_check() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let path = bed.blobs_dir().join("segment-00000001.kepb");
        let mut octets = std::fs::read(&path).unwrap();
        // Behind the first record's header.
        octets[33] ^= 1;
        std::fs::write(&path, octets).unwrap();
        assert_eq!(kinds(&bed, Depth::Quick).await, BTreeSet::new());
        let found = findings(&bed, Depth::Full).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].kind, found[0].severity), (Kind::BlobDamaged, Severity::Lost));
    })
    .await;
}

#[tokio::test]
async fn what_nothing_refers_to_is_reclaimable() {
    on_both(|bed| async move {
        let id = content(&bed.store, &[b"orphan"]).await;
        let found = findings(&bed, Depth::Quick).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].kind, found[0].severity),
            (Kind::OrphanContent, Severity::Reclaimable)
        );
        bed.write(
            move |tx| Ok(tx.execute("DELETE FROM piece WHERE content = $1", &[id.0.into()])?),
        )
        .await;
        assert!(kinds(&bed, Depth::Quick).await.contains(&Kind::OrphanBlob));
    })
    .await;
}

#[tokio::test]
async fn segments_without_rows_are_reclaimable_and_without_any_row_lost() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        // Nothing points to it: its transaction never came.
        bed.store.blobs.put(b"mail".to_vec()).unwrap();
        bed.store.blobs.sync().unwrap();
        let found = findings(&bed, Depth::Quick).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].kind, found[0].severity), (Kind::RowsMissing, Severity::Lost));
        // Another start has another segment.
        let other = bed.another().await;
        bed::lay_in(&other, submission(&other, 1, account, b"mail")).await.unwrap().unwrap();
        bed.write(|tx| Ok(spool::certify(tx, &bed::id(1), NOW)?)).await;
        let found = findings(&bed, Depth::Quick).await;
        assert_eq!(found.len(), 1, "{found:?}");
        let unnamed = (Kind::SegmentUnnamed, Severity::Reclaimable);
        assert_eq!((found[0].kind, found[0].severity), unnamed);
        assert!(found[0].subject.starts_with("segment 1, "), "{found:?}");
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_not_there_is_not_made_by_looking_for_it() {
    let bed = Bed::sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    let (rows, blobs) = (dir.path().join("rows.db"), dir.path().join("blobs"));
    let find = async |rows: &RowsAt| Store::find(rows, &blobs, Arc::clone(&bed.vault)).await;
    let file = RowsAt::File(rows.clone());
    assert!(matches!(find(&file).await, Err(StoreError::Absent(_))));
    assert!(!rows.exists() && !blobs.exists());
    // Rows without blobs, and a file that is no store's yet.
    std::fs::copy(bed.dir.path().join("rows.db"), &rows).unwrap();
    assert!(matches!(find(&file).await, Err(StoreError::Absent(_))));
    assert!(!blobs.exists());
    std::fs::create_dir(&blobs).unwrap();
    std::fs::write(&rows, "").unwrap();
    assert!(matches!(find(&file).await, Err(StoreError::Absent(_))));
    assert_eq!(std::fs::metadata(&rows).unwrap().len(), 0);
    if let Some(server) = server::server() {
        let found = find(&RowsAt::Postgres(server.database().await)).await;
        assert!(matches!(found, Err(StoreError::Rows(RowsError::NoSchema))));
    }
}

#[tokio::test]
async fn what_counts_as_read_and_is_hidden_still_is_odd() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        bed.write(move |tx| {
            let inbox = mail::of_role(tx, account, Role::Inbox)?;
            let hidden = mail::of_role(tx, account, Role::Hidden)?;
            Ok(mail::move_to(tx, mail::Place { mailbox: inbox, uid: 1 }, hidden, NOW)?)
        })
        .await;
        assert_eq!(findings(&bed, Depth::Quick).await, [], "its notice was deleted");
        bed.write(|tx| Ok(tx.execute("UPDATE recipient SET state = 'expired'", &[])?)).await;
        assert!(kinds(&bed, Depth::Quick).await.contains(&Kind::StillHidden));
    })
    .await;
}

/// A message from yesterday, and behind it a content that nothing refers to; then one from today.
async fn orphans(bed: &Bed) -> [ContentId; 2] {
    let account = bed.account("ayse@hs05.kep.tr").await;
    let old = content(&bed.store, &[b"old", b"er"]).await;
    let kept = content(&bed.store, &[b"kept"]).await;
    let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
    let yesterday = NOW.plus_secs(-25 * 3600);
    let message =
        mail::NewMessage { saved_at: yesterday, ..bed::message(&put, mail::Kind::Plain, None) };
    bed.write(move |tx| {
        let inbox = mail::of_role(tx, account, Role::Inbox)?;
        Ok(mail::lay_in(tx, inbox, kept, &message)?)
    })
    .await;
    [old, content(&bed.store, &[b"new"]).await]
}

async fn repaired(bed: &Bed) -> Repaired {
    repair(&bed.store, NOW.plus_secs(-24 * 3600)).await.unwrap()
}

/// Says of all segments when they were written last.
fn written(bed: &Bed, at: Timestamp) {
    let at = UNIX_EPOCH + Duration::from_millis(at.millis() as u64);
    for file in std::fs::read_dir(bed.blobs_dir()).unwrap() {
        let file = std::fs::File::options().write(true).open(file.unwrap().path()).unwrap();
        file.set_modified(at).unwrap();
    }
}

#[tokio::test]
async fn old_contents_that_nothing_refers_to_are_removed() {
    on_both(|bed| async move {
        let [_, new] = orphans(&bed).await;
        assert_eq!(findings(&bed, Depth::Quick).await.len(), 2);
        assert_eq!(repaired(&bed).await, Repaired { contents: 1, blobs: 0, left: 1 });
        assert_eq!(findings(&bed, Depth::Full).await.len(), 1, "the new one is left");
        assert_eq!(bed.store.content(new).await.unwrap(), b"new");
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 2, "its blobs went, too");
        assert_eq!(repaired(&bed).await, Repaired { contents: 0, blobs: 0, left: 1 });
    })
    .await;
}

#[tokio::test]
async fn old_blobs_that_nothing_refers_to_are_removed() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let there = bed.count("SELECT COUNT(*) FROM blob").await;
        for octets in [b"one", b"two"] {
            let (put, blobs) =
                (bed.store.blobs.put(octets.to_vec()).unwrap(), Arc::clone(&bed.store.blobs));
            bed.write(move |tx| blobs.record(tx, &put)).await;
        }
        written(&bed, NOW);
        assert_eq!(repaired(&bed).await, Repaired { contents: 0, blobs: 0, left: 2 });
        written(&bed, NOW.plus_secs(-25 * 3600));
        assert_eq!(repaired(&bed).await, Repaired { contents: 0, blobs: 2, left: 0 });
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, there);
        assert_eq!(findings(&bed, Depth::Full).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_repair_that_breaks_off_leaves_what_it_has_not_done() {
    let bed = Bed::sqlite().await;
    let [old, _] = orphans(&bed).await;
    let trigger = "CREATE TRIGGER stuck BEFORE DELETE ON blob BEGIN SELECT RAISE(ABORT, 'no'); END";
    bed.write(move |tx| Ok(tx.execute(trigger, &[])?)).await;
    assert!(repair(&bed.store, NOW).await.is_err());
    let found = kinds(&bed, Depth::Full).await;
    assert_eq!(found, [Kind::OrphanContent].into(), "whole, as it was");
    assert_eq!(bed.store.content(old).await.unwrap(), b"older");
    bed.write(|tx| Ok(tx.execute("DROP TRIGGER stuck", &[])?)).await;
    assert_eq!(repaired(&bed).await.contents, 1);
}

#[tokio::test]
async fn what_is_referred_to_is_never_repaired_away() {
    on_both(|bed| async move {
        delivered(&bed).await;
        written(&bed, NOW.plus_secs(-25 * 3600));
        let later = NOW.plus_secs(400 * 24 * 3600);
        assert_eq!(repair(&bed.store, later).await.unwrap(), Repaired::default());
        assert_eq!(findings(&bed, Depth::Full).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_copy_that_is_lost_after_the_last_forgetting_is_found() {
    on_both(|bed| async move {
        let account = delivered(&bed).await;
        let sent = bed.write(move |tx| Ok(mail::of_role(tx, account, Role::Sent)?)).await;
        let copy = content(&bed.store, &[b"copy"]).await;
        let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
        let other = bed::message(&put, mail::Kind::Plain, None);
        let lost = move |forgotten: i64, uid: i64| {
            let set = [forgotten.into(), sent.0.into()];
            move |tx: &mut kep::store::Tx<'_>| {
                tx.execute("UPDATE submission SET sent_uid = $1", &[uid.into()])?;
                tx.execute("UPDATE mailbox SET forgotten = $1 WHERE id = $2", &set)?;
                Ok(())
            }
        };
        bed.write(move |tx| {
            mail::lay_in(tx, sent, copy, &other)?;
            mail::lay_in(tx, sent, copy, &other)?;
            tx.execute("UPDATE message SET message_id = NULL", &[])?;
            Ok(())
        })
        .await;
        let born = bed.count("SELECT born FROM message WHERE uid = 2 ORDER BY mailbox LIMIT 1");
        let born = born.await;
        // Nothing is forgotten; all is; what came before it came after the forgetting already.
        for (forgotten, is_found) in [(0, true), (born, false), (born - 1, true)] {
            bed.write(lost(forgotten, 3)).await;
            let found = kinds(&bed, Depth::Quick).await;
            assert_eq!(found.contains(&Kind::NoSentCopy), is_found, "{forgotten}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_reading_that_waits_for_evidence_that_is_there_is_found() {
    on_both(|bed| async move {
        delivered(&bed).await;
        let held = |name: &'static str| {
            bed.write(move |tx| {
                let due = kep::store::jobs::HELD;
                Ok(kep::store::jobs::lay_in(tx, "evidence", name, "{}", due)?)
            })
        };
        held("fact/2@hs05.kep.tr/1/read").await;
        assert_eq!(kinds(&bed, Depth::Quick).await, BTreeSet::new());
        held("fact/1@hs05.kep.tr/1/read").await;
        assert_eq!(kinds(&bed, Depth::Quick).await, BTreeSet::from([Kind::ReadHeld]));
        bed.write(|tx| Ok(spool::release_read(tx, &bed::id(1), 1, NOW)?)).await;
        assert_eq!(kinds(&bed, Depth::Quick).await, BTreeSet::new());
        assert_eq!(bed.read(|tx| Ok(kep::store::jobs::held(tx, "evidence")?)).await, 1);
    })
    .await;
}
