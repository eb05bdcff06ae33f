//! The relay queue: a queue for each provider, leases, holds; how a server was found.

use super::bed::{self, Bed, submission};
use super::{NOW, on_both};
use kep::store::jobs::Leases;
use kep::store::relay::{self, Health, Kind, NewRelay, Queued, Trouble};
use kep::store::{Lane, Store, Tx, contents};
use kep::wire::{ContentId, KepDomain, Timestamp};

fn domain(text: &str) -> KepDomain {
    KepDomain::parse(text).unwrap()
}

async fn content(bed: &Bed) -> ContentId {
    let account = bed.account("ayse@hs05.kep.tr").await;
    bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
    bed.write(|tx| {
        let found = kep::store::submissions::find(tx, &bed::id(1))?.unwrap();
        Ok(contents::create(tx, &[(found.original, found.size)])?)
    })
    .await
}

async fn lay(bed: &Bed, name: &'static str, to: &'static str, content: ContentId, now: Timestamp) {
    bed.write(move |tx| {
        let (provider, message) = (domain(to), bed::id(1));
        let new = NewRelay {
            name,
            provider: &provider,
            kind: Kind::Dispatch,
            message: &message,
            evidence: "",
            content,
            now,
        };
        Ok(relay::lay_in(tx, &new)?)
    })
    .await;
}

async fn take(
    store: &Store,
    to: &'static str,
    now: Timestamp,
    limit: usize,
    leases: &Leases,
) -> Vec<Queued> {
    let leases = leases.clone();
    let work = move |tx: &mut Tx<'_>| relay::take(tx, &domain(to), now, limit, &leases);
    match store.shared() {
        true => store.write(Lane::Background, work).await.unwrap(),
        false => store.read(work).await.unwrap(),
    }
}

fn names(queued: &[Queued]) -> Vec<&str> {
    queued.iter().map(|queued| queued.name.as_str()).collect()
}

#[tokio::test]
async fn each_provider_has_a_queue_of_its_own_oldest_first() {
    on_both(|bed| async move {
        let content = content(&bed).await;
        for (name, to, at) in [
            ("c", "hs02.kep.tr", 3),
            ("a", "hs02.kep.tr", 1),
            ("x", "hs01.kep.tr", 0),
            ("b", "hs02.kep.tr", 2),
            ("a", "hs02.kep.tr", 0),
            ("later", "hs02.kep.tr", 900),
        ] {
            lay(&bed, name, to, content, NOW.plus_secs(at)).await;
        }
        let providers = bed.read(|tx| Ok(relay::providers(tx)?)).await;
        assert_eq!(providers, [domain("hs01.kep.tr"), domain("hs02.kep.tr")]);
        let (now, leases) = (NOW.plus_secs(10), Leases::default());
        let found = take(&bed.store, "hs02.kep.tr", now, 10, &leases).await;
        assert_eq!(names(&found), ["a", "b", "c"]);
        let next = bed.read(move |tx| Ok(relay::next_due(tx, &domain("hs02.kep.tr"), now)?)).await;
        assert_eq!(next, Some(NOW.plus_secs(900)));
        let (first, second, aside) = (found[0].id, found[1].id, found[1].clone());
        bed.write(move |tx| {
            relay::put_off(tx, first, NOW.plus_secs(60), "450 busy")?;
            relay::set_aside(tx, &aside, "550 no")?;
            relay::give_back(tx, second + 1)?;
            Ok(())
        })
        .await;
        let again = NOW.plus_secs(100);
        let found = bed.read(move |tx| Ok(relay::find(tx, first)?.unwrap())).await;
        assert_eq!((found.attempts, found.reply.as_str()), (1, "450 busy"));
        assert_eq!(found.since, NOW.plus_secs(1), "its window runs on");
        let held = (Kind::Dispatch, true);
        let held = bed.read(move |tx| Ok(relay::since(tx, held, again, again, 9)?)).await;
        assert_eq!(names(&held), ["b"]);
        let counts = bed.read(|tx| Ok(relay::counts(tx)?)).await;
        assert_eq!((counts[1].waiting, counts[1].held), (4, 1));
        bed.write(move |tx| {
            relay::hurry(tx, Err(&domain("hs02.kep.tr")), again)?;
            relay::finish(tx, second)?;
            Ok(())
        })
        .await;
        let next =
            bed.read(move |tx| Ok(relay::next_due(tx, &domain("hs02.kep.tr"), NOW.plus_secs(99))?));
        assert_eq!(next.await, Some(again));
    })
    .await;
}

/// SQLite has one process with one set of leases; PostgreSQL may have several.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_relay_never_take_the_same_mail() {
    on_both(|bed| async move {
        let content = content(&bed).await;
        let names: Vec<&'static str> =
            (0..40).map(|n| &*Box::leak(format!("m{n}").into_boxed_str())).collect();
        for name in names {
            lay(&bed, name, "hs02.kep.tr", content, NOW).await;
        }
        let own = Leases::default();
        let (second, leases) = match bed.store.shared() {
            true => (bed.another().await, Leases::default()),
            false => (bed.store.clone(), own.clone()),
        };
        let all = |store: Store, leases: Leases| async move {
            let mut all = Vec::new();
            loop {
                let taken = take(&store, "hs02.kep.tr", NOW, 3, &leases).await;
                let mine: Vec<_> =
                    taken.iter().filter_map(|one| Some((one.id, leases.take(one.id)?))).collect();
                if taken.is_empty() {
                    return all;
                }
                all.extend(mine);
            }
        };
        let tasks = [(bed.store.clone(), own), (second, leases)]
            .map(|(store, leases)| tokio::spawn(all(store, leases)));
        let mut taken = Vec::new();
        let mut leased = Vec::new();
        for task in tasks {
            for (id, lease) in task.await.unwrap() {
                taken.push(id);
                leased.push(lease);
            }
        }
        taken.sort_unstable();
        let count = taken.len();
        taken.dedup();
        assert_eq!((taken.len(), count), (40, 40));
    })
    .await;
}

/// On a shared store another process must not end a mail that is under way.
#[tokio::test]
async fn a_window_passes_over_what_another_process_has() {
    on_both(|bed| async move {
        if !bed.store.shared() {
            return;
        }
        let content = content(&bed).await;
        for name in ["a", "b", "c"] {
            lay(&bed, name, "hs02.kep.tr", content, NOW).await;
        }
        let taken = take(&bed.store, "hs02.kep.tr", NOW, 1, &Leases::default()).await;
        assert_eq!(names(&taken), ["a"]);
        // Neither hold, release nor retry takes the lease from whoever has it.
        let id = taken[0].id;
        bed.write(move |tx| {
            relay::hold(tx, id)?;
            relay::release(tx, Ok(id), NOW)?;
            Ok(relay::hurry(tx, Ok(id), NOW)?)
        })
        .await;
        let (free, later) = ((Kind::Dispatch, false), NOW.plus_secs(60));
        let found = bed.read(move |tx| Ok(relay::since(tx, free, NOW, later, 9)?)).await;
        assert_eq!(names(&found), ["b", "c"]);
        let over = bed.write(move |tx| Ok(relay::lease_since(tx, free, NOW, later, 9)?)).await;
        assert_eq!(over.len(), 2);
        assert!(take(&bed.store, "hs02.kep.tr", later, 9, &Leases::default()).await.is_empty());
        let again = bed.write(move |tx| Ok(relay::lease_since(tx, free, NOW, later, 9)?)).await;
        assert!(again.is_empty(), "one who ends them is enough");
    })
    .await;
}

#[tokio::test]
async fn how_a_server_was_found_is_kept_until_it_is_well() {
    on_both(|bed| async move {
        let at = domain("hs02.kep.tr");
        let found = bed.read(|tx| Ok(relay::health(tx, &domain("hs02.kep.tr"))?)).await;
        assert_eq!(found, Health::default());
        let down = Health {
            failures: 3,
            trouble: Trouble::NotIdentified,
            reply: "TLS: bad certificate".into(),
            down_since: NOW,
            probe_at: NOW.plus_secs(60),
            held: true,
        };
        let look = || bed.read(|tx| Ok(relay::health(tx, &domain("hs02.kep.tr"))?));
        // An operator holds it; a relay that read the row before says what it found, and keeps that.
        let (kept, provider) = (Health { held: false, ..down.clone() }, at.clone());
        bed.write(move |tx| {
            relay::set_held(tx, &provider, true)?;
            Ok(relay::set_unwell(tx, &provider, &kept)?)
        })
        .await;
        assert_eq!(look().await, down);
        let provider = at.clone();
        bed.write(move |tx| Ok(relay::set_well(tx, &provider)?)).await;
        assert_eq!(look().await, Health { held: true, ..Health::default() });
        bed.write(move |tx| {
            relay::set_unwell(tx, &at, &Health { failures: 1, ..Health::default() })?;
            relay::set_held(tx, &at, false)?;
            assert_eq!(relay::health(tx, &at)?.failures, 1);
            Ok(relay::set_well(tx, &at)?)
        })
        .await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM relay_peer").await, 0);
    })
    .await;
}
