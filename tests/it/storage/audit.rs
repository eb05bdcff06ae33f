//! The audit on both drivers: who appends at the same time, what a change of the past looks like, and
//! that a chain which was written anew as a whole is told by its seals.

use super::bed::Bed;
use super::{NOW, on_both};
use kep::registry::audit::seal::{self, Against, AuditSeals, Copy, Fault, Verdict};
use kep::registry::audit::{self, Actor, By, Channel, Wanted, chain};
use kep::store::audit as rows;
use kep::store::{Lane, RowsError, Store, Tx};
use kep::trust::detached::Word;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::tsa::Authority;
use kep::trust::{
    Anchors, Clock, Readiness, Role, SealVerifier, StampSettings, StampSource, Stamper,
    TokenVerifier,
};
use kep::wire::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at }
}

async fn act(store: &Store, act: &'static str, subject: &str, at: Timestamp) {
    let subject = subject.to_owned();
    let work = move |tx: &mut Tx<'_>| -> Result<i64, RowsError> {
        audit::record(tx, &by(at), act, &subject, json!({ "why": "çünkü" }))
    };
    store.write(Lane::Client, work).await.unwrap();
}

async fn walked(store: &Store) -> Result<chain::Walked, chain::Break> {
    store
        .read(|tx| chain::walk(tx, &BTreeSet::new()))
        .await
        .unwrap_or_else(|e: RowsError| panic!("{e}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_at_the_same_time_are_one_chain() {
    on_both(|bed| async move {
        let writers = (0..8).map(|writer| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                for n in 0..8 {
                    act(&store, "account.note", &format!("w{writer}"), NOW.plus_secs(n)).await;
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        assert_eq!(walked(&bed.store).await.unwrap().entries, 64);
        let wanted = Wanted { subject: Some("w3".into()), most: 100, ..Wanted::default() };
        let found = audit::list(&bed.store, wanted).await.unwrap();
        assert_eq!(found.len(), 8);
        assert!(found.is_sorted_by(|a, b| a.n > b.n), "the newest come first");
        assert_eq!(found[0].details["why"], "çünkü");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_are_found_by_kind_time_and_page() {
    on_both(|bed| async move {
        for (n, name) in
            ["account.close", "account.open", "accountant.add", "account"].into_iter().enumerate()
        {
            act(&bed.store, name, "x", NOW.plus_secs(n as i64)).await;
        }
        let acts = |wanted: Wanted| {
            let store = bed.store.clone();
            async move {
                let found = audit::list(&store, Wanted { most: 10, ..wanted }).await.unwrap();
                found.into_iter().map(|entry| entry.act).collect::<Vec<_>>()
            }
        };
        let kind = Wanted { act: Some("account".into()), ..Wanted::default() };
        assert_eq!(acts(kind).await, ["account", "account.open", "account.close"]);
        let one = Wanted { act: Some("account.open".into()), ..Wanted::default() };
        assert_eq!(acts(one).await, ["account.open"]);
        let late = Wanted { since: Some(NOW.plus_secs(2)), ..Wanted::default() };
        assert_eq!(acts(late).await, ["account", "accountant.add"]);
        let page = Wanted { before: Some(3), ..Wanted::default() };
        assert_eq!(acts(page).await, ["account.open", "account.close"]);
    })
    .await;
}

/// Whether it is told as what it is.
type Told = fn(&chain::Break) -> bool;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_past_breaks_the_chain() {
    let changes: [(&'static str, Told); 4] = [
        ("UPDATE audit SET subject = 'y' WHERE n = 2", |b| *b == chain::Break::Link(2)),
        ("DELETE FROM audit WHERE n = 2", |b| {
            matches!(b, chain::Break::Gap { after: 1, found: 3 })
        }),
        ("DELETE FROM audit WHERE n = 3", |b| matches!(b, chain::Break::Head { head: 3, last: 2 })),
        ("UPDATE audit_head SET n = 2", |b| matches!(b, chain::Break::Head { head: 2, last: 3 })),
    ];
    for (change, expected) in changes {
        on_both(|bed| async move {
            for n in 0..3 {
                act(&bed.store, "account.note", "x", NOW.plus_secs(n)).await;
            }
            assert!(walked(&bed.store).await.is_ok());
            bed.write(move |tx| Ok(tx.execute(change, &[])?)).await;
            let broken = walked(&bed.store).await.unwrap_err();
            assert!(expected(&broken), "{change}: {broken}");
        })
        .await;
    }
}

/// A provider's seal and time stamps.
struct Trust {
    seal: CertificateAuthority,
    stamps: CertificateAuthority,
}

impl Trust {
    fn new() -> Self {
        let root = |name| CertificateAuthority::create(name, KeyKind::P256, NOW).unwrap();
        Self { seal: root("Mühür Kök"), stamps: root("ZD Kök") }
    }

    fn verifier(&self) -> SealVerifier {
        let anchors = |ca: &CertificateAuthority| Anchors::new(vec![ca.certificate().clone()]);
        let tokens = TokenVerifier::new(anchors(&self.stamps).unwrap(), Vec::new());
        SealVerifier::new(anchors(&self.seal).unwrap(), Vec::new(), tokens)
    }

    fn seals(&self, bed: &Bed, at: Timestamp) -> AuditSeals {
        let clock = Clock::Fixed(at);
        let issue = |ca: &CertificateAuthority, profile| {
            ca.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap()
        };
        let email = "kepservisi@hs05.kep.tr".into();
        let seal = issue(&self.seal, Profile::Seal { domain: "hs05.kep.tr".into(), email });
        let stamps = issue(&self.stamps, Profile::TimeStamp { name: "ZDS".into() });
        let authority = Arc::new(Authority::new(Arc::new(stamps.signer().unwrap())));
        let source = StampSource::Embedded(authority, clock.clone());
        let anchors = Anchors::new(vec![self.stamps.certificate().clone()]).unwrap();
        let tokens = TokenVerifier::new(anchors, Vec::new());
        let settings = StampSettings::default();
        let stamper = Arc::new(Stamper::new(source, tokens, clock.clone(), &settings).unwrap());
        let anchors = Anchors::new(vec![self.seal.certificate().clone()]).unwrap();
        let path = anchors.path(seal.certificate(), &[], Role::Seal).unwrap();
        let readiness = Arc::new(Readiness::new(path, Arc::clone(&stamper), None, clock.clone()));
        let seal = Arc::new(seal.signer().unwrap());
        AuditSeals {
            store: bed.store.clone(),
            provider: "hs05.kep.tr".into(),
            word: Word { seal, stamper, readiness, clock },
            copies: bed.dir.path().join("copies"),
        }
    }

    async fn verdict(&self, bed: &Bed, now: Timestamp) -> Verdict {
        let copies = seal::copies(&bed.dir.path().join("copies")).unwrap();
        self.judge(bed, &copies, now).await
    }

    async fn judge(&self, bed: &Bed, copies: &BTreeMap<i64, Copy>, now: Timestamp) -> Verdict {
        self.judge_knowing(bed, copies, &BTreeSet::new(), now).await
    }

    async fn judge_knowing(
        &self,
        bed: &Bed,
        copies: &BTreeMap<i64, Copy>,
        explained: &BTreeSet<i64>,
        now: Timestamp,
    ) -> Verdict {
        let (provider, verifier) = ("hs05.kep.tr", &self.verifier());
        let held = Against { provider, verifier, copies, explained };
        seal::verify(&bed.store, &held, now).await.unwrap()
    }
}

/// Two days, each sealed at its end.
async fn two_days(trust: &Trust, bed: &Bed) -> Timestamp {
    days(trust, bed, 2).await
}

async fn days(trust: &Trust, bed: &Bed, count: usize) -> Timestamp {
    let mut now = NOW;
    for _ in 0..count {
        for n in 0..3 {
            act(&bed.store, "account.note", "x", now.plus_secs(n)).await;
        }
        now = now.plus_secs(86_400);
        trust.seals(bed, now).seal().await.unwrap();
    }
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_sealed_daily_verifies() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = two_days(&trust, &bed).await;
        act(&bed.store, "account.note", "after", now.plus_secs(5)).await;
        let verdict = trust.verdict(&bed, now.plus_secs(10)).await;
        assert_eq!(verdict.faults, []);
        assert_eq!((verdict.entries, verdict.seals, verdict.sealed_up_to), (7, 2, 6));
        // Who forgets to seal is told so.
        let late = trust.verdict(&bed, now.plus_secs(3 * 86_400)).await;
        assert!(matches!(late.faults[..], [Fault::Stale(_)]), "{:?}", late.faults);
    })
    .await;
}

/// All entries with a chain of their own, as whoever holds the rows can make one.
fn rewrite(tx: &mut Tx<'_>) -> Result<(), RowsError> {
    let mut all = Vec::new();
    rows::visit(tx, |entry| {
        all.push(entry);
        true
    })?;
    tx.execute("DELETE FROM audit", &[])?;
    tx.execute("DELETE FROM audit_head", &[])?;
    for mut entry in all {
        if entry.n == 2 {
            entry.subject = "somebody else".into();
        }
        rows::append(tx, vec![entry], chain::link)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_written_anew_as_a_whole_is_told_by_its_seals() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = two_days(&trust, &bed).await;
        bed.write(|tx| Ok(rewrite(tx)?)).await;
        assert!(walked(&bed.store).await.is_ok(), "the chain itself is whole");
        let verdict = trust.verdict(&bed, now).await;
        assert!(verdict.faults.contains(&Fault::Rewritten(1, 3)), "{:?}", verdict.faults);
        assert!(verdict.faults.contains(&Fault::Rewritten(2, 6)), "{:?}", verdict.faults);
        // With the seals gone from the rows too, their copies tell.
        bed.write(|tx| Ok(tx.execute("DELETE FROM audit_seal", &[])?)).await;
        let verdict = trust.verdict(&bed, now).await;
        assert!(verdict.faults.contains(&Fault::Removed(2)), "{:?}", verdict.faults);
        // And with those gone, that nothing was sealed for days.
        let nothing = trust.judge(&bed, &BTreeMap::new(), now.plus_secs(86_400)).await;
        assert!(matches!(nothing.faults[..], [Fault::NeverSealed(_)]), "{:?}", nothing.faults);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_were_taken_back_with_their_seals_and_copies_leave_a_gap() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = days(&trust, &bed, 10).await;
        // Who holds rows and copies takes the last five days back, and the server seals what he wrote.
        let back = |tx: &mut Tx<'_>| -> Result<(), RowsError> {
            let link = tx.one("link", "SELECT link FROM audit WHERE n = 15", &[])?;
            tx.execute("DELETE FROM audit WHERE n > 15", &[])?;
            let head = "UPDATE audit_head SET n = 15, link = $1";
            tx.execute(head, &[link.bytes(0)?.into()])?;
            tx.execute("DELETE FROM audit_seal WHERE number > 5", &[])?;
            Ok(())
        };
        bed.write(move |tx| Ok(back(tx)?)).await;
        let copies = bed.dir.path().join("copies");
        for number in 6..=10 {
            let (statement, signature) = seal::names(number);
            std::fs::remove_file(copies.join(statement)).unwrap();
            std::fs::remove_file(copies.join(signature)).unwrap();
        }
        act(&bed.store, "account.note", "another", NOW.plus_secs(6 * 86_400)).await;
        let now = now.plus_secs(600);
        trust.seals(&bed, now).seal().await.unwrap();
        let verdict = trust.verdict(&bed, now.plus_secs(10)).await;
        assert!(matches!(verdict.faults[..], [Fault::Gap(6, _, _)]), "{:?}", verdict.faults);
        // A server that stood still looks the same, and somebody knows that it did.
        let found = seal::copies(&copies).unwrap();
        let known = BTreeSet::from([6]);
        let explained = trust.judge_knowing(&bed, &found, &known, now.plus_secs(10)).await;
        assert_eq!(explained.faults, []);
        // What is said to be older than the seal before it was not done then.
        act(&bed.store, "account.note", "old", now.plus_secs(-2 * 86_400)).await;
        let verdict = trust.judge_knowing(&bed, &found, &known, now.plus_secs(20)).await;
        assert!(matches!(verdict.faults[..], [Fault::Backdated(6, 17, _)]), "{:?}", verdict.faults);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seals_of_another_key_or_out_of_order_are_told() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = two_days(&trust, &bed).await;
        let stranger = Trust::new();
        let verdict = stranger.verdict(&bed, now).await;
        assert!(matches!(verdict.faults[..], [Fault::Seal(1, _), Fault::Seal(2, _)]));
        bed.write(|tx| Ok(tx.execute("DELETE FROM audit_seal WHERE number = 1", &[])?)).await;
        let verdict = trust.verdict(&bed, now).await;
        let expected = [Fault::Missing(1), Fault::Removed(1)];
        assert_eq!(verdict.faults, expected);
        // A seal whose copy is another one.
        let folder = bed.dir.path().join("copies");
        std::fs::write(folder.join(seal::names(2).0), b"{}").unwrap();
        let verdict = trust.verdict(&bed, now).await;
        assert!(verdict.faults.contains(&Fault::CopyDiffers(2)), "{:?}", verdict.faults);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_missing_is_written_with_the_next_seal() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = two_days(&trust, &bed).await;
        let folder = bed.dir.path().join("copies");
        std::fs::remove_file(folder.join(seal::names(1).0)).unwrap();
        let verdict = trust.verdict(&bed, now).await;
        assert_eq!(verdict.faults, [Fault::Uncopied(1)]);
        trust.seals(&bed, now.plus_secs(60)).seal().await.unwrap();
        assert_eq!(trust.verdict(&bed, now.plus_secs(60)).await.faults, []);
    })
    .await;
}

/// Whoever verifies between the seal and its copy finds nothing wrong, and later it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_seal_may_lack_its_copy_for_some_minutes() {
    on_both(|bed| async move {
        let trust = Trust::new();
        let now = two_days(&trust, &bed).await;
        let folder = bed.dir.path().join("copies");
        std::fs::remove_file(folder.join(seal::names(2).0)).unwrap();
        assert_eq!(trust.verdict(&bed, now.plus_secs(60)).await.faults, []);
        let late = trust.verdict(&bed, now.plus_secs(360)).await;
        assert_eq!(late.faults, [Fault::Uncopied(2)]);
        std::fs::remove_file(folder.join(seal::names(1).0)).unwrap();
        let older = trust.verdict(&bed, now.plus_secs(60)).await;
        assert_eq!(older.faults, [Fault::Uncopied(1)], "of the newest alone");
    })
    .await;
}
