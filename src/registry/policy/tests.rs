use super::super::audit::{Actor, Channel};
use super::super::budget::Budget;
use super::*;
use crate::registry::declared::Kind;
use crate::store::RowsAt;
use crate::trust::vault::Vault;
use std::num::NonZeroU16;

const NOW: Timestamp = Timestamp::from_secs(1_795_424_000);

async fn store() -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let key = place.path().join("master.key");
    Vault::create(&key).unwrap();
    let at = RowsAt::File(place.path().join("rows.db"));
    let vault = Arc::new(Vault::open(&key).unwrap());
    let store = Store::open(&at, &place.path().join("blobs"), vault).await.unwrap();
    (place, store)
}

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at }
}

async fn hold(store: &Store, then: Timestamp) -> Span {
    let in_force = store.read(move |tx| at(tx, then)).await;
    in_force.unwrap_or_else(|e: RowsError| panic!("{e}")).hold_lapse
}

#[test]
fn each_value_is_read_as_it_is_written() {
    let policies = Policies::default();
    for declared in DECLARED {
        let written = policies.written(declared.key).unwrap();
        let mut again = Policies::default();
        assert!(again.take(declared.key, &written), "{}: {written}", declared.key);
        assert_eq!(again, policies, "{}", declared.key);
        assert!(!again.take(declared.key, "no such value"), "{}", declared.key);
        assert!(!declared.turkish.is_empty() && !declared.english.is_empty());
    }
    let keys: std::collections::BTreeSet<_> = DECLARED.iter().map(|one| one.key).collect();
    assert_eq!(keys.len(), DECLARED.len(), "a key is declared once");
}

#[test]
fn times_and_sizes_are_written_in_the_largest_unit_that_is_whole() {
    for (text, millis) in
        [("90s", 90_000), ("15m", 900_000), ("24h", 86_400_000), ("30 d", 2_592_000_000)]
    {
        assert_eq!(Span::parse(text), Some(Span(millis)), "{text}");
    }
    assert_eq!(Span::hours(24).write(), "1d");
    let steps = |text: &str| Steps::parse(text).map(|steps| steps.write());
    assert_eq!(steps("24h, 6h 90m").as_deref(), Some("1d 6h 90m"));
    assert_eq!(steps("6h").as_deref(), Some("6h"), "as it was written when there was one");
    for bad in ["", "6h 24h", "6h 6h", "6h x", "6h 5h 4h 3h 2h 1h", "6h 0h", "59s"] {
        assert_eq!(steps(bad), None, "{bad:?}");
    }
    assert_eq!(Span::minutes(90).write(), "90m");
    assert_eq!(Octets::parse("25 MiB"), Some(Octets(26_214_400)));
    assert_eq!(Octets(26_214_400).write(), "25 MiB");
    for bad in ["", "5", "h", "-1h", "1.5h", "99999999999999999999d", "36600000d", "5 MB"] {
        assert_eq!(Span::parse(bad), None, "{bad:?}");
        assert_eq!(Octets::parse(bad), None, "{bad:?}");
    }
}

#[tokio::test]
async fn a_decision_holds_from_its_day_and_what_was_stays_told() {
    let (_place, store) = store().await;
    let later = NOW.plus_secs(3600);
    let decide = |value: &'static str, from, now| {
        let store = store.clone();
        async move { set(&store, &by(now), "hold.lapse", value, from, "yeni süre").await }
    };
    assert_eq!(hold(&store, NOW).await, Span::days(7));
    decide("3d", later, NOW).await.unwrap();
    assert_eq!(hold(&store, NOW).await, Span::days(7));
    assert_eq!(hold(&store, later).await, Span::days(3));
    // Of two of one instant, the later one.
    decide("2d", later, NOW).await.unwrap();
    assert_eq!(hold(&store, later).await, Span::days(2));
    // What was in force an hour ago can't be decided now.
    let past = decide("9d", NOW, later.plus_secs(1)).await;
    assert!(matches!(past, Err(PolicyError::Past(_))), "{past:?}");
    assert_eq!(hold(&store, later).await, Span::days(2));
    let history = history(&store, Some("hold.lapse")).await.unwrap();
    let values: Vec<_> = history.iter().map(|one| one.value.as_str()).collect();
    assert_eq!(values, ["3d", "2d"]);
    assert_eq!(history[0].set_by, "staff:ayse");
}

#[tokio::test]
async fn what_has_not_begun_can_be_taken_back_and_what_has_cannot() {
    let (_place, store) = store().await;
    let day = 86_400;
    set(&store, &by(NOW), "hold.lapse", "3d", NOW, "bugün").await.unwrap();
    set(&store, &by(NOW), "hold.lapse", "4d", NOW.plus_secs(day), "yarın").await.unwrap();
    assert_eq!(cancel(&store, &by(NOW), "hold.lapse", "vazgeçildi").await.unwrap(), 1);
    assert_eq!(cancel(&store, &by(NOW), "hold.lapse", "vazgeçildi").await.unwrap(), 0);
    assert_eq!(hold(&store, NOW.plus_secs(2 * day)).await, Span::days(3));
    let acts = audit::list(&store, audit::Wanted { most: 10, ..Default::default() }).await.unwrap();
    let acts: Vec<_> = acts.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts, ["policy.cancel", "policy.set", "policy.set"]);
}

#[tokio::test]
async fn what_is_no_policy_or_no_value_or_has_no_reason_is_refused() {
    let (_place, store) = store().await;
    let cases = [
        ("no.such", "3d", "neden"),
        ("hold.lapse", "üç gün", "neden"),
        ("hold.lapse", "3d", "  "),
        ("hold.lapse", "3d", "iki\nsatır"),
    ];
    for (key, value, reason) in cases {
        let refused = set(&store, &by(NOW), key, value, NOW, reason).await;
        assert!(refused.is_err(), "{key} {value} {reason:?}");
    }
    assert_eq!(history(&store, None).await.unwrap(), []);
}

#[tokio::test]
async fn the_time_to_read_follows_what_was_decided_for_the_day_of_delivery() {
    let (_place, store) = store().await;
    let day = 86_400;
    set(&store, &by(NOW), "read.standart", "48h", NOW.plus_secs(day), "kanun").await.unwrap();
    set(&store, &by(NOW), "read.standart", "-", NOW.plus_secs(3 * day), "geri").await.unwrap();
    let rules = store.read(|tx| read_rules(tx, &PolicyTable::default())).await;
    let rules = rules.unwrap_or_else(|e: RowsError| panic!("{e}"));
    let hours = |hours| ReadPolicy::Hours(NonZeroU16::new(hours).unwrap());
    for (delivered, rule) in [(0, 24), (1, 48), (2, 48), (3, 24)] {
        let at = NOW.plus_secs(delivered * day);
        assert_eq!(rules.rule(at, MessageType::Standart), hours(rule), "day {delivered}");
        assert_eq!(rules.rule(at, MessageType::EYazisma), hours(24));
    }
}

#[tokio::test]
async fn what_is_in_force_is_looked_up_again_after_a_second() {
    let (_place, store) = store().await;
    let in_force = InForce::new(store.clone());
    assert_eq!(in_force.at(NOW).await.unwrap().hold_lapse, Span::days(7));
    set(&store, &by(NOW), "hold.lapse", "3d", NOW, "neden").await.unwrap();
    assert_eq!(in_force.at(NOW.plus_millis(999)).await.unwrap().hold_lapse, Span::days(7));
    assert_eq!(in_force.at(NOW.plus_millis(1000)).await.unwrap().hold_lapse, Span::days(3));
    // A clock that was put back asks anew.
    assert_eq!(in_force.at(NOW.plus_millis(-1)).await.unwrap().hold_lapse, Span::days(7));
}

/// A larger message would find no memory, and hear a temporary error for ever.
#[test]
fn no_message_is_allowed_that_has_no_room_in_memory() {
    let most = Budget::of_one(Budget::BODIES) as u64;
    assert_eq!(DispatchSize::parse("128 MiB"), Some(DispatchSize(most)));
    for bad in ["129 MiB", "1 GiB", "1 MiB"] {
        assert_eq!(DispatchSize::parse(bad), None, "{bad}");
    }
}
