//! Archive time stamps on both drivers: all evidence is under them, each follows from the one before, and
//! what was changed since is named.

use super::bed::Bed;
use super::evidence::{append, new};
use super::holders::word;
use super::{NOW, on_both};
use kep::evidence::archive::{self, Archivist, Fault, Stamped, Verdict};
use kep::store::archive::Stamp;
use kep::trust::detached::Word;
use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile, Revoked};
use kep::trust::serve::{self, Development, Register};
use kep::trust::tsa::Authority;
use kep::trust::{
    Anchors, Certificate, Clock, Collector, Readiness, Revocation, RevocationSettings, Role,
    StampSettings, StampSource, Stamper, TokenVerifier,
};
use kep::wire::{Digest, Timestamp, sha256};
use std::sync::Arc;

pub fn archivist(bed: &Bed, now: Timestamp) -> Archivist {
    let (Word { stamper, readiness, clock, .. }, _) = word(now);
    let provider = "hs05.kep.tr".to_owned();
    Archivist { store: bed.store.clone(), provider, stamper, readiness, clock }
}

fn now(stamped: Stamped) -> Stamp {
    let Stamped::Now(stamp) = stamped else { panic!("{stamped:?}") };
    stamp
}

async fn verify(bed: &Bed, by: &Archivist) -> Verdict {
    archive::verify(&bed.store, by.stamper.verifier(), by.clock.now()).await.unwrap()
}

fn day(n: i64) -> Timestamp {
    NOW.plus_secs(n * 86_400)
}

/// An authority that began on that day: its root is good for ten years, what it stamps by for three.
pub struct Stamps {
    root: CertificateAuthority,
    anchor: Certificate,
    issued: Issued,
    seal: Issued,
}

impl Stamps {
    pub fn begun(name: &str, at: Timestamp) -> Self {
        Self::answering(name, &Links::default(), at)
    }

    /// Whose certificates name who answers for them.
    fn answering(name: &str, links: &Links, at: Timestamp) -> Self {
        let root = CertificateAuthority::create(name, KeyKind::P256, at).unwrap();
        let issue = |profile| root.issue(&profile, KeyKind::P256, links, at).unwrap();
        let issued = issue(Profile::TimeStamp { name: format!("{name} ZD") });
        let (domain, email) = ("hs05.kep.tr".into(), "kepservisi@hs05.kep.tr".into());
        let seal = issue(Profile::Seal { domain, email });
        Self { anchor: root.certificate().clone(), root, issued, seal }
    }

    pub fn archivist(&self, bed: &Bed, now: Timestamp) -> Archivist {
        self.archivist_after(&[], None, bed, now)
    }

    /// One that believes others, too, and asks about them.
    fn archivist_after(
        &self,
        others: &[&Certificate],
        collector: Option<Collector>,
        bed: &Bed,
        now: Timestamp,
    ) -> Archivist {
        let (clock, anchors) = (Clock::Fixed(now), anchors(&[&[&self.anchor], others].concat()));
        let path = anchors.path(self.seal.certificate(), &[], Role::Seal).unwrap();
        let authority = Arc::new(Authority::new(Arc::new(self.issued.signer().unwrap())));
        let source = StampSource::Embedded(authority, clock.clone());
        let tokens = TokenVerifier::new(anchors, Vec::new());
        let stamper = Stamper::new(source, tokens, clock.clone(), &StampSettings::default());
        let stamper = Arc::new(stamper.unwrap());
        let readiness = Arc::new(Readiness::new(
            path,
            Arc::clone(&stamper),
            collector.map(Arc::new),
            clock.clone(),
        ));
        let (store, provider) = (bed.store.clone(), "hs05.kep.tr".into());
        Archivist { store, provider, stamper, readiness, clock }
    }
}

fn anchors(of: &[&Certificate]) -> Anchors {
    Anchors::new(of.iter().copied().cloned().collect()).unwrap()
}

async fn faults(bed: &Bed, believed: &[&Certificate], now: Timestamp) -> Vec<Fault> {
    let tokens = TokenVerifier::new(anchors(believed), Vec::new());
    archive::verify(&bed.store, &tokens, now).await.unwrap().faults
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
        let second = now(archivist.stamp().await.unwrap());
        let third = now(archivist.stamp().await.unwrap());
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
        let gone = [Fault::NotOfAudit(2), Fault::NotOfAudit(3)];
        assert_eq!(verdict.faults, gone, "whoever takes the newest away");
        // That others have their numbers since makes it no better.
        now(archivist.stamp().await.unwrap());
        assert_eq!(verify(&bed, &archivist).await.faults, gone);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stamped_outlives_the_certificates_that_it_was_stamped_by() {
    on_both(|bed| async move {
        let [a, b, c] = [("A", 0), ("B", 1000), ("C", 2000)]
            .map(|(name, begun)| Stamps::begun(name, day(begun)));
        append(&bed.store, new(&bed.store, 1, "delivery", "a")).await;
        for (stamps, at) in [(&a, 0), (&b, 1000), (&c, 2000)] {
            assert!(stamps.archivist(&bed, day(at)).round().await.unwrap().is_some());
        }
        let all = [&a.anchor, &b.anchor, &c.anchor];
        assert_eq!(faults(&bed, &all, day(3000)).await, [], "two of the three have ended");
        let ended = faults(&bed, &all, day(3100)).await;
        assert!(matches!(ended[..], [Fault::Ended(3, at)] if at < day(3100)), "{ended:?}");
        let unknown = faults(&bed, &all[1..], day(3000)).await;
        assert!(matches!(unknown[..], [Fault::Token(1, _)]), "an anchor is kept: {unknown:?}");
        // What came when it was too late proves nothing of what was there before.
        let late = Stamps::begun("D", day(3100));
        late.archivist(&bed, day(3100)).stamp().await.unwrap();
        let told = faults(&bed, &[&all[..], &[&late.anchor]].concat(), day(3100)).await;
        assert!(matches!(told[..], [Fault::Late(4, at)] if at < day(3100)), "{told:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_of_the_authority_before_is_asked_for_when_it_is_renewed() {
    on_both(|bed| async move {
        append(&bed.store, new(&bed.store, 1, "delivery", "a")).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let links = Links { ocsp: Some(format!("{url}/ocsp/a")), ..Links::default() };
        let (a, b) = (Stamps::answering("A", &links, day(-5)), Stamps::begun("B", day(-5)));
        a.archivist(&bed, day(0)).stamp().await.unwrap();
        // Its key is lost; from then on a process stamps by another one that never saw the first.
        let Stamps { root, issued, anchor, .. } = a;
        let register =
            Register { name: "a".into(), authority: root, file: bed.dir.path().join("revoked") };
        register.revoke(issued.certificate().serial(), day(10)).unwrap();
        let (registers, clock) = (vec![register], Clock::Fixed(day(20)));
        let stamps = Authority::new(Arc::new(issued.signer().unwrap()));
        let router =
            serve::router(Arc::new(Development { stamps, registers, clock: clock.clone() }));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let revocation = Revocation::new(RevocationSettings::default()).unwrap();
        let collector = Collector::new(revocation, clock);
        let archivist = b.archivist_after(&[&anchor], Some(collector), &bed, day(20));
        archivist.stamp().await.unwrap();
        let told = faults(&bed, &[&anchor, &b.anchor], day(30)).await;
        assert!(matches!(&told[..], [Fault::Revoked(1, _, at)] if *at == day(10)), "{told:?}");
        // Whoever takes the answer away is told as well.
        bed.write(|tx| {
            let sql = "DELETE FROM material_set WHERE digest IN
                       (SELECT digest FROM material WHERE kind = 'ocsp')";
            Ok(tx.execute(sql, &[])?)
        })
        .await;
        let told = faults(&bed, &[&anchor, &b.anchor], day(30)).await;
        assert_eq!(told, [Fault::NotOfAudit(2)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stamp_by_a_key_that_was_lost_counts_when_another_came_before() {
    for (revoked, reason, renewed, counts) in [
        (10, 1, 5, true),
        (10, 1, 20, false),
        // Superseded: what was signed before is good.
        (10, 4, 20, true),
        (-1, 4, 5, false),
    ] {
        let bed = Bed::sqlite().await;
        let (a, b) = (Stamps::begun("A", day(-5)), Stamps::begun("B", day(-5)));
        append(&bed.store, new(&bed.store, 1, "delivery", "a")).await;
        a.archivist(&bed, day(0)).stamp().await.unwrap();
        b.archivist(&bed, day(renewed)).stamp().await.unwrap();
        let serial = a.issued.certificate().serial().to_owned();
        let taken_back = Revoked { serial, at: day(revoked), reason: Some(reason) };
        let list = a.root.crl(&[taken_back], day(30), day(60)).unwrap();
        bed.write(move |tx| {
            let digest = sha256(&list);
            let row = [(&digest.0[..]).into(), (&list[..]).into()];
            tx.execute("INSERT INTO material (digest, kind, value) VALUES ($1, 'crl', $2)", &row)?;
            let add = "INSERT INTO material_set (id, digest)
                       SELECT material_set, $1 FROM archive_stamp WHERE n = 2";
            tx.execute(add, &[(&digest.0[..]).into()])?;
            Ok(())
        })
        .await;
        let told = faults(&bed, &[&a.anchor, &b.anchor], day(40)).await;
        // The list was not kept by the program, and the audit knows it.
        let told: Vec<_> = told.into_iter().filter(|one| *one != Fault::NotOfAudit(2)).collect();
        match counts {
            true => assert_eq!(told, [], "{revoked} {reason} {renewed}"),
            false => assert!(
                matches!(&told[..], [Fault::Revoked(1, name, at)]
                         if name.contains("A ZD") && *at == day(revoked)),
                "{revoked} {reason} {renewed}: {told:?}"
            ),
        }
    }
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_slower_than_another_process_is_told_of_its_stamp() {
    on_both(|bed| async move {
        let archivist = archivist(&bed, NOW);
        assert_eq!(archivist.stamp().await.unwrap(), Stamped::Nothing);
        for n in 1..=40 {
            append(&bed.store, new(&bed.store, n, "delivery", "a")).await;
        }
        // All at once, none of them fails, whoever gathers and whoever stamps.
        let (one, two, three) = tokio::join!(archivist.stamp(), archivist.stamp(), archivist.stamp());
        for stamped in [one, two, three] {
            assert!(!matches!(stamped.unwrap(), Stamped::Nothing));
        }
        let verdict = verify(&bed, &archivist).await;
        assert_eq!((verdict.stamped, verdict.waiting, &*verdict.faults), (40, 0, &[][..]));
        // Another one's stands there between the look and the writing.
        let before = verdict.stamps as i64;
        let faster: &[&'static str] = match bed.store.shared() {
            false => &["CREATE TRIGGER faster BEFORE INSERT ON archive_stamp WHEN NEW.ends_at > 0
                        BEGIN INSERT INTO archive_stamp (n, statement, token, stamped_at, ends_at,
                        material_set) VALUES (NEW.n, 'another', X'00', 1, 0, NEW.material_set); END"],
            true => &[
                "CREATE FUNCTION faster() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.ends_at > 0 THEN INSERT INTO archive_stamp (n, statement, token, stamped_at,
                 ends_at, material_set) VALUES (NEW.n, 'another', '', 1, 0, NEW.material_set); END IF;
                 RETURN NEW; END $$",
                "CREATE TRIGGER faster BEFORE INSERT ON archive_stamp
                 FOR EACH ROW EXECUTE FUNCTION faster()",
            ],
        };
        for sql in faster {
            bed.write(move |tx| Ok(tx.execute(sql, &[])?)).await;
        }
        match archivist.stamp().await.unwrap() {
            Stamped::ByAnother(stamp) => {
                assert_eq!((stamp.n, stamp.statement.as_str()), (before + 1, "another"));
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_was_blown_up_is_judged_within_bounds() {
    on_both(|bed| async move {
        let archivist = archivist(&bed, NOW);
        append(&bed.store, new(&bed.store, 1, "delivery", "a")).await;
        now(archivist.stamp().await.unwrap());
        now(archivist.stamp().await.unwrap());
        bed.write(|tx| {
            let token = vec![b'x'; 2 << 20];
            tx.execute("UPDATE archive_stamp SET token = $1 WHERE n = 1", &[(&token[..]).into()])?;
            let statement = "x".repeat(100_000);
            let sql = "UPDATE archive_stamp SET statement = $1 WHERE n = 2";
            tx.execute(sql, &[statement.as_str().into()])?;
            for n in 0..3000 {
                let (name, leaf) = (format!("yok-{n}"), [7_u8; 32]);
                tx.execute(
                    "INSERT INTO archive_leaf (evidence, batch, leaf) VALUES ($1, 1, $2)",
                    &[name.as_str().into(), (&leaf[..]).into()],
                )?;
            }
            Ok(())
        })
        .await;
        let verdict = verify(&bed, &archivist).await;
        assert_eq!(verdict.stamps, 2);
        for fault in [Fault::Batch(1), Fault::Statement(2)] {
            // Those of the leaves that are nowhere come before.
            let told = verdict.faults.contains(&fault) || verdict.unnamed > 0;
            assert!(told, "{fault:?}");
        }
        assert_eq!(verdict.faults.len(), 1000);
        // A batch has 1024 leaves, and one more tells that it is none.
        assert!((20..40).contains(&verdict.unnamed), "{}", verdict.unnamed);
    })
    .await;
}
