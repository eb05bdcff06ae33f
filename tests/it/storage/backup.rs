//! A backup beside the running store, and what is restored from it.

use super::bed::{Bed, submission};
use super::contents::content;
use super::on_both;
use crate::small_disk::SmallDisk;
use kep::store::backup::{self, BackupError, Folder, Progress, Restored, Stage, Taken, Tell};
use kep::store::blobs::compact;
use kep::store::fsck::{self, Depth};
use kep::store::{Blobs, RowsAt, RowsError, Store, StoreError, Tx, contents, mail};
use kep::trust::Clock;
use kep::wire::{AccountId, Timestamp};
use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

impl Bed {
    fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    async fn back_up(&self, keep: Option<usize>) -> Result<Taken, BackupError> {
        let folder = Folder::make(&self.backups())?;
        backup::take(&self.store, folder, "hs05.kep.tr", &Clock::System, keep, silent()).await
    }

    /// A place for another store of the same kind.
    async fn elsewhere(&self, name: &str) -> (RowsAt, PathBuf) {
        let data = self.dir.path().join(name);
        let at = match &self.at {
            RowsAt::File(_) => RowsAt::File(data.join("kep.sqlite")),
            RowsAt::Postgres(_) => {
                RowsAt::Postgres(super::server::server().expect("a server").database().await)
            }
        };
        (at, data)
    }

    async fn restore(
        &self,
        (at, data): &(RowsAt, PathBuf),
        generation: Option<&str>,
    ) -> Result<Restored, BackupError> {
        self.restore_telling((at, data), generation, silent()).await
    }

    async fn restore_telling(
        &self,
        (at, data): (&RowsAt, &PathBuf),
        generation: Option<&str>,
        tell: Tell,
    ) -> Result<Restored, BackupError> {
        let folder = Folder::find(&self.backups())?;
        let (generation, vault) = (generation.map(str::to_owned), Arc::clone(&self.vault));
        let places = (data.as_path(), &*data.join("blobs"));
        backup::restore(folder, generation, at, places, vault, LATER, tell).await
    }

    async fn open(&self, (at, data): &(RowsAt, PathBuf)) -> Store {
        Store::find(at, &data.join("blobs"), Arc::clone(&self.vault)).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_there_when_the_backup_began_is_there_again() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"bir")).await.unwrap();
        let kept = content(&bed.store, &[b"the whole ", &[7; 300_000]]).await;
        let octets = bed.store.content(kept).await.unwrap();
        let before = everything(&bed.store).await;
        let taken = bed.back_up(None).await.unwrap();
        assert_eq!((taken.copied, taken.linked), (1, 0));
        assert_eq!(taken.manifest.count("submission"), 1);
        bed.lay_in(submission(&bed.store, 2, account, b"iki")).await.unwrap();

        let place = bed.elsewhere("again").await;
        let restored = bed.restore(&place, None).await.unwrap();
        assert_eq!(restored.rows, taken.manifest.tables);
        let again = bed.open(&place).await;
        assert_eq!(everything(&again).await, before);
        assert_eq!(again.content(kept).await.unwrap(), octets);
        assert_eq!(serious(&again).await, Vec::<String>::new());
        // Mail programs take nothing new for what they knew; numbers that they may have seen are not
        // given again.
        let validity = uid_validity(&again, account).await;
        assert_eq!(validity, LATER.secs());
        let next = content(&again, &[b"new"]).await;
        assert!(next.0 > kept.0 + 1_000, "{next:?}");
    })
    .await;
}

#[tokio::test]
async fn a_backup_that_lacks_a_file_or_an_octet_is_refused() {
    on_both(|bed| async move {
        content(&bed.store, &[&[1; 1000]]).await;
        let taken = bed.back_up(None).await.unwrap();
        let generation = bed.backups().join("generations").join(&taken.generation);
        let prove = || async {
            let folder = Folder::find(&bed.backups()).unwrap();
            let judged = backup::verify(folder, Arc::clone(&bed.vault), silent()).await?;
            judged.into_iter().map(|(_, one)| one).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(prove().await.unwrap().len(), 1);
        let parts: Vec<_> = taken.manifest.parts().map(|part| part.file.clone()).collect();
        assert_eq!(parts.len(), 2);
        for (n, part) in parts.into_iter().chain(["manifest.json".to_owned()]).enumerate() {
            let path = generation.join(&part);
            let whole = std::fs::read(&path).unwrap();
            let mut altered = whole.clone();
            altered[whole.len() / 2] ^= 1;
            let place = bed.elsewhere(&format!("altered{n}")).await;
            for bad in [altered, whole[..whole.len() - 1].to_vec()] {
                std::fs::write(&path, bad).unwrap();
                assert!(prove().await.is_err(), "{part}");
                assert!(bed.restore(&place, None).await.is_err(), "{part}");
            }
            std::fs::remove_file(&path).unwrap();
            assert!(prove().await.is_err(), "{part}");
            std::fs::write(&path, whole).unwrap();
            // What a restore that did not end has left is no reason to refuse the next one.
            bed.restore(&place, None).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_restore_that_was_cut_short_among_the_rows_is_repeated() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"bir")).await.unwrap();
        bed.back_up(None).await.unwrap();
        let place = bed.elsewhere("cut").await;
        let cut: Tell = Arc::new(|at| assert!(at.stage != Stage::Rows, "cut here"));
        for _ in 0..2 {
            let ended = bed.restore_telling((&place.0, &place.1), None, Arc::clone(&cut)).await;
            assert!(matches!(ended, Err(BackupError::Store(_))), "{ended:?}");
        }
        assert!(backup::unfinished(&place.1));
        if let RowsAt::Postgres(_) = &place.0 {
            // Nobody takes that for a provider's rows, from whichever folder.
            let blobs = Blobs::open(&bed.dir.path().join("new"), Arc::clone(&bed.vault)).unwrap();
            let half = Store::with(&place.0, blobs).await.err();
            assert!(matches!(half, Some(StoreError::Rows(RowsError::HalfRestored))), "{half:?}");
        }
        bed.restore(&place, None).await.unwrap();
        assert_eq!(everything(&bed.open(&place).await).await, everything(&bed.store).await);
        // A database that is whole is not cleared, though a folder beside it is unfinished.
        let beside = (place.0.clone(), bed.dir.path().join("beside"));
        std::fs::create_dir(&beside.1).unwrap();
        std::fs::write(beside.1.join("restore-unfinished"), b"x").unwrap();
        if let RowsAt::Postgres(_) = &beside.0 {
            let refused = bed.restore(&beside, None).await;
            let not_empty = |error: &BackupError| {
                matches!(error, BackupError::Store(StoreError::Rows(RowsError::NotEmpty)))
            };
            assert!(refused.as_ref().is_err_and(not_empty), "{refused:?}");
        }
        assert_eq!(everything(&bed.open(&place).await).await, everything(&bed.store).await);
    })
    .await;
}

#[tokio::test]
async fn a_restore_that_was_cut_short_before_its_marks_went_is_ended_by_the_next() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"bir")).await.unwrap();
        let there = everything(&bed.store).await;
        let first = bed.back_up(None).await.unwrap().generation;
        bed.lay_in(submission(&bed.store, 2, account, b"iki")).await.unwrap();
        let second = bed.back_up(None).await.unwrap().generation;
        let place = bed.elsewhere("cut").await;
        bed.restore(&place, Some(&first)).await.unwrap();
        // A file of rows goes with its folder; a database stays where it is.
        let RowsAt::Postgres(_) = &place.0 else { return };
        let mark = place.1.join("restore-unfinished");
        for marked in [true, false] {
            std::fs::write(&mark, format!("{first}\nwhole\n")).unwrap();
            if marked {
                let both = bed.open(&place).await;
                let make = |tx: &mut Tx<'_>| {
                    Ok::<_, StoreError>(
                        tx.execute("CREATE TABLE restore_unfinished (one BIGINT)", &[])?,
                    )
                };
                both.write(kep::store::Lane::Client, make).await.unwrap();
            }
            let again = bed.restore(&place, Some(&first)).await.unwrap();
            assert_eq!(again.rows, again.manifest.tables);
            assert!(!backup::unfinished(&place.1));
            let store = bed.open(&place).await;
            assert_eq!(everything(&store).await, there, "{marked}");
            assert_eq!(serious(&store).await, Vec::<String>::new(), "its contents are there");
        }
        // Another generation is not laid over what is whole.
        std::fs::write(&mark, format!("{first}\nwhole\n")).unwrap();
        let other = bed.restore(&place, Some(&second)).await;
        assert!(matches!(other, Err(BackupError::NotEmpty(_))), "{other:?}");
        let store = bed.open(&place).await;
        assert_eq!(everything(&store).await, there);
        assert_eq!(serious(&store).await, Vec::<String>::new());
        drop(store);
        // Whoever takes the database away begins anew.
        let fresh = (bed.elsewhere("x").await.0, place.1.clone());
        std::fs::write(&mark, format!("{first}\nwhole\n")).unwrap();
        bed.restore(&fresh, Some(&second)).await.unwrap();
        assert_eq!(everything(&bed.open(&fresh).await).await, everything(&bed.store).await);
    })
    .await;
}

#[tokio::test]
async fn a_restore_revives_no_login() {
    on_both(|bed| async move {
        let fill = [
            "INSERT INTO login_session (id, token, account, operator, proofs, created_at, seen_at,
                                        ends_at, address, agent)
             VALUES ('s', $1, 1, 0, '', 1, 1, 9000000000000, '192.0.2.7', 'Firefox')",
            "INSERT INTO login_challenge (token, kind, account, operator, details, made_at, ends_at)
             VALUES ($1, 'reset', 1, 0, '{}', 1, 9000000000000)",
            "INSERT INTO outgoing (account, cause, channel, target, language, kind, fields, sealed,
                                   due_at, expires_at, state)
             VALUES (1, 'code', 'sms', '+905551112233', 'tr', 'login-code', $1, 1, 1, 9, 'waiting'),
                    (1, 'mail', 'sms', '+905551112233', 'tr', 'mail', $1, 0, 1, 9, 'waiting')",
            "INSERT INTO notice_target (account, channel, target, language, events, added_at, code,
                                        code_at)
             VALUES (1, 'sms', '+905551112233', 'tr', 'mail', 1, $1, 1)",
        ];
        for sql in fill {
            bed.write(move |tx| Ok(tx.execute(sql, &[(&b"secret"[..]).into()])?)).await;
        }
        bed.back_up(None).await.unwrap();
        let place = bed.elsewhere("again").await;
        bed.restore(&place, None).await.unwrap();
        let again = bed.open(&place).await;
        let left = |sql: &'static str| {
            let work = move |tx: &mut Tx<'_>| Ok::<_, StoreError>(tx.one("n", sql, &[])?.int(0)?);
            again.read(work)
        };
        for table in [
            "SELECT COUNT(*) FROM login_session",
            "SELECT COUNT(*) FROM login_challenge",
            "SELECT COUNT(*) FROM outgoing WHERE sealed = 1 AND fields IS NOT NULL",
            "SELECT COUNT(*) FROM notice_target WHERE code IS NOT NULL",
        ] {
            assert_eq!(left(table).await.unwrap(), 0, "{table}");
        }
        let waits = "SELECT COUNT(*) FROM outgoing WHERE state = 'waiting'";
        assert_eq!(left(waits).await.unwrap(), 1, "what holds no secret goes out");
    })
    .await;
}

#[tokio::test]
async fn a_second_generation_copies_only_what_is_new() {
    on_both(|bed| async move {
        for n in 0..3 {
            content(&bed.another().await, &[&[n; 5000]]).await;
        }
        let first = bed.back_up(None).await.unwrap();
        assert_eq!((first.copied, first.linked), (3, 0));
        let nothing = bed.back_up(None).await.unwrap();
        assert_eq!((nothing.copied, nothing.linked, nothing.copied_octets), (0, 3, 0));
        content(&bed.store, &[&[9; 7000]]).await;
        let second = bed.back_up(Some(2)).await.unwrap();
        assert_eq!((second.copied, second.linked), (1, 3));
        assert!((7000..8000).contains(&second.copied_octets), "{}", second.copied_octets);
        assert_eq!(second.removed.as_slice(), std::slice::from_ref(&first.generation));
        // One file under as many names as there are generations.
        let folder = bed.backups().join("generations").join(&second.generation);
        let links =
            |part: &backup::Part| std::fs::metadata(folder.join(&part.file)).unwrap().nlink();
        let links: Vec<_> = second.manifest.segments.iter().map(links).collect();
        assert_eq!(links, [2, 2, 2, 1]);
        let place = bed.elsewhere("older").await;
        let older = bed.restore(&place, Some(&nothing.generation)).await.unwrap();
        assert_eq!(older.manifest.segments.len(), 3);
        let gone = bed.restore(&place, Some(&first.generation)).await;
        assert!(matches!(gone, Err(BackupError::NoGeneration(_))), "{gone:?}");
    })
    .await;
}

#[tokio::test]
async fn one_damaged_generation_does_not_hide_what_the_others_are_worth() {
    let bed = Bed::sqlite().await;
    content(&bed.store, &[&[1; 1000]]).await;
    let first = bed.back_up(None).await.unwrap().generation;
    let second = bed.back_up(None).await.unwrap().generation;
    let folder = bed.backups().join("generations");
    std::fs::remove_file(folder.join(&first).join("manifest.json")).unwrap();
    let find = Folder::find(&bed.backups()).unwrap();
    let judged = backup::verify(find, Arc::clone(&bed.vault), silent()).await.unwrap();
    let good: Vec<_> = judged.iter().map(|(name, one)| (name.as_str(), one.is_ok())).collect();
    assert_eq!(good, [(first.as_str(), false), (second.as_str(), true)]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_make_a_run_take_its_own_generation_away() {
    let bed = Bed::sqlite().await;
    content(&bed.store, &[&[1; 1000]]).await;
    let first = bed.back_up(None).await.unwrap().generation;
    let folder = bed.backups().join("generations");
    let ahead = "20990101T000000.000Z";
    std::fs::rename(folder.join(&first), folder.join(ahead)).unwrap();
    let refused = bed.back_up(Some(1)).await;
    assert!(matches!(&refused, Err(BackupError::Ahead(name)) if name == ahead), "{refused:?}");
    let names = || Folder::find(&bed.backups()).unwrap().generations().unwrap();
    assert_eq!(names(), [ahead], "nothing was made or taken away");
    // By its right name it is the older one, and goes.
    std::fs::rename(folder.join(ahead), folder.join(&first)).unwrap();
    let taken = bed.back_up(Some(1)).await.unwrap();
    assert_eq!((taken.removed, names()), (vec![first], vec![taken.generation]));
}

#[tokio::test]
async fn a_segment_that_only_looks_the_same_is_copied() {
    let bed = Bed::sqlite().await;
    content(&bed.store, &[&[1; 5000]]).await;
    bed.back_up(None).await.unwrap();
    // As after a restore of an older state: another segment of that number and length.
    let path = bed.blobs_dir().join("segment-00000001.kepb");
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"another name...", 5).unwrap();
    assert_eq!(bed.back_up(None).await.unwrap().copied, 1);
}

#[tokio::test]
async fn a_run_goes_on_where_one_was_killed() {
    let bed = Bed::sqlite().await;
    content(&bed.another().await, &[&[1; 5000]]).await;
    content(&bed.another().await, &[&[2; 5000]]).await;
    let taken = bed.back_up(None).await.unwrap();
    let generations = bed.backups().join("generations");
    // What a killed run leaves: a part, a segment that is whole and one that is not.
    let part = generations.join("20200101T000000.000Z.part");
    std::fs::rename(generations.join(&taken.generation), &part).unwrap();
    std::fs::remove_file(part.join("manifest.json")).unwrap();
    std::fs::write(part.join("blobs/segment-00000002.kepb"), b"half").unwrap();
    std::fs::write(part.join("blobs/segment-00000009.new"), b"x").unwrap();
    std::fs::create_dir(generations.join("20190101T000000.000Z.gone")).unwrap();
    let again = bed.back_up(None).await.unwrap();
    assert_eq!((again.found, again.copied), (1, 1));
    let left: Vec<_> = std::fs::read_dir(&generations).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(!left[0].path().join("blobs/segment-00000009.new").exists());
    bed.restore(&bed.elsewhere("again").await, None).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_next_run_goes_on() {
    let bed = Bed::sqlite().await;
    let place = bed.dir.path().join("disk");
    std::fs::create_dir(&place).unwrap();
    let Some(disk) = SmallDisk::mount(&place, "8m") else { return };
    for n in 1..3 {
        content(&bed.another().await, &[&vec![n; 2 << 20]]).await;
    }
    disk.fill(3 << 20);
    let take = async || {
        let folder = Folder::make(&place.join("backups"))?;
        backup::take(&bed.store, folder, "hs05.kep.tr", &Clock::System, None, silent()).await
    };
    let full = take().await;
    assert!(full.as_ref().is_err_and(BackupError::is_full), "{full:?}");
    let folder = Folder::find(&place.join("backups")).unwrap();
    assert_eq!(folder.generations().unwrap(), Vec::<String>::new());
    disk.empty();
    let taken = take().await.unwrap();
    assert_eq!((taken.found, taken.copied), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn compaction_and_writers_beside_a_backup_take_nothing_from_it() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        let done = Arc::new(AtomicBool::new(false));
        let busy = {
            let (store, done) = (bed.store.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::SeqCst) {
                    let dead = content(&store, &[&[3; 20_000]]).await;
                    let forget = move |tx: &mut Tx<'_>| Ok(contents::forget(tx, dead)?);
                    let forgot: Result<(), StoreError> =
                        store.write(kep::store::Lane::Client, forget).await;
                    forgot.unwrap();
                    compact::round(&store).await.unwrap();
                }
            })
        };
        for n in 0..8 {
            // Each opening begins a segment, which is soon more than half dead.
            let other = bed.another().await;
            bed.lay_in(submission(&other, n, account, &[n as u8; 900])).await.unwrap();
            let dead = content(&other, &[&[4; 9000]]).await;
            bed.write(move |tx| Ok(contents::forget(tx, dead)?)).await;
            drop(other);
            let taken = bed.back_up(Some(1)).await.unwrap();
            assert_eq!(taken.manifest.count("submission"), u64::from(n) + 1);
            let place = bed.elsewhere(&format!("again{n}")).await;
            bed.restore(&place, None).await.unwrap();
            let again = bed.open(&place).await;
            let lost = serious(&again).await;
            assert_eq!(lost, Vec::<String>::new(), "generation {n}");
        }
        done.store(true, Ordering::SeqCst);
        busy.await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nothing_is_removed_while_a_backup_holds_the_segments() {
    let bed = Bed::sqlite().await;
    let before = bed.another().await;
    let dead = content(&before, &[&[1; 5000]]).await;
    drop(before);
    bed.write(move |tx| Ok(contents::forget(tx, dead)?)).await;
    while compact::round(&bed.store).await.unwrap().emptied == 0 {
        tokio::task::yield_now().await;
    }
    let hold = std::fs::File::open(bed.blobs_dir().join("hold")).unwrap();
    hold.lock_shared().unwrap();
    assert_eq!(compact::round(&bed.store).await.unwrap().removed, 0);
    hold.unlock().unwrap();
    while compact::round(&bed.store).await.unwrap().removed == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rows_move_from_one_driver_to_the_other() {
    let Some(server) = super::server::server() else { return };
    let bed = Bed::sqlite().await;
    let account = bed.account("a@hs05.kep.tr").await;
    bed.lay_in(submission(&bed.store, 1, account, b"bir")).await.unwrap();
    bed.back_up(None).await.unwrap();
    let there = (RowsAt::Postgres(server.database().await), bed.dir.path().join("there"));
    bed.restore(&there, None).await.unwrap();
    assert_eq!(everything(&bed.open(&there).await).await, everything(&bed.store).await);
}

#[tokio::test]
async fn only_an_empty_place_and_the_right_key_will_do() {
    on_both(|bed| async move {
        content(&bed.store, &[&[1; 1000]]).await;
        bed.back_up(None).await.unwrap();
        let place = bed.elsewhere("full").await;
        std::fs::create_dir(&place.1).unwrap();
        std::fs::write(place.1.join("somebody's"), b"x").unwrap();
        let refused = bed.restore(&place, None).await;
        assert!(matches!(refused, Err(BackupError::NotEmpty(_))), "{refused:?}");
        std::fs::remove_file(place.1.join("somebody's")).unwrap();
        std::fs::write(place.1.join("serve.lock"), b"").unwrap();
        bed.restore(&place, None).await.unwrap();
        let twice = bed.restore(&place, None).await;
        assert!(matches!(twice, Err(BackupError::NotEmpty(_))), "{twice:?}");
        // Rows that are there are nobody's to write over, in whichever folder the blobs are.
        let rows = (place.0.clone(), bed.dir.path().join("other"));
        assert!(bed.restore(&rows, None).await.is_err());

        let stranger = Bed::sqlite().await;
        let folder = Folder::find(&bed.backups()).unwrap();
        let proven = backup::verify(folder, Arc::clone(&stranger.vault), silent()).await.unwrap();
        assert!(matches!(proven[0].1, Err(BackupError::OtherKey)), "{proven:?}");
        let ours = Folder::make(stranger.dir.path());
        assert!(matches!(ours, Err(BackupError::NotOurs(_))));
        let _alone = Folder::find(&bed.backups()).unwrap().lock().unwrap();
        let second = bed.back_up(None).await;
        assert!(matches!(second, Err(BackupError::Busy(_))), "{second:?}");
    })
    .await;
}

/// Each table's rows, in words, but for what a restore changes.
async fn everything(store: &Store) -> BTreeMap<String, Vec<String>> {
    let work = |tx: &mut Tx<'_>| -> Result<_, StoreError> {
        let mut all = BTreeMap::new();
        for mut table in kep::store::rows::whole::tables(tx)? {
            table.columns.retain(|column| column.name != "uid_validity");
            table.columns.sort_by(|a, b| a.name.cmp(&b.name));
            let mut rows = Vec::new();
            table.visit(tx, &mut |row| {
                rows.push(format!("{row:?}"));
                Ok(())
            })?;
            rows.sort();
            all.insert(table.name, rows);
        }
        Ok(all)
    };
    store.read(work).await.unwrap()
}

async fn uid_validity(store: &Store, account: AccountId) -> i64 {
    let work = move |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
        let inbox = mail::of_role(tx, account, mail::Role::Inbox)?;
        let sql = "SELECT uid_validity FROM mailbox WHERE id = $1";
        Ok(tx.one("mailbox", sql, &[inbox.0.into()])?.int(0)?)
    };
    store.read(work).await.unwrap()
}

/// What of a store is lost or damaged. These stores have no steps at work, so that more is unfinished.
async fn serious(store: &Store) -> Vec<String> {
    let found = fsck::check(store, Depth::Full, |_| {}).await.unwrap();
    let bad = [
        fsck::Kind::PieceWithoutBlob,
        fsck::Kind::OriginalWithoutBlob,
        fsck::Kind::OriginalDiffers,
        fsck::Kind::SegmentMissing,
        fsck::Kind::SegmentShort,
        fsck::Kind::BlobDamaged,
    ];
    let bad = found.into_iter().filter(|finding| bad.contains(&finding.kind));
    bad.map(|finding| finding.to_string()).collect()
}

fn silent() -> Tell {
    Arc::new(|_: Progress| {})
}

const LATER: Timestamp = Timestamp::from_secs(1_795_524_000);
