use super::*;
use crate::wire::digest::sha256_of;

fn row(n: i64, details: &str) -> EntryRow {
    EntryRow {
        n,
        at: Timestamp::from_millis(1_795_424_000_123),
        actor: "staff:ayse".into(),
        channel: "command-line".into(),
        act: "account.close".into(),
        subject: "ali.veli@hs05.kep.tr".into(),
        details: details.into(),
        link: chain::GENESIS,
    }
}

/// Computed by hand from the words of docs/audit.md, so that a change of the form is seen.
#[test]
fn a_link_is_what_the_page_says() {
    let entry = row(1, "{}");
    let mut octets = b"kep audit 1".to_vec();
    octets.extend([0; 32]);
    octets.extend(1_i64.to_be_bytes());
    octets.extend(1_795_424_000_123_i64.to_be_bytes());
    for text in ["staff:ayse", "command-line", "account.close", "ali.veli@hs05.kep.tr", "{}"] {
        octets.extend((text.len() as u64).to_be_bytes());
        octets.extend(text.as_bytes());
    }
    assert_eq!(chain::link(&entry, chain::GENESIS), sha256_of([octets.as_slice()]));
}

#[test]
fn every_part_of_an_entry_is_bound() {
    let base = row(1, "{}");
    let link = chain::link(&base, chain::GENESIS);
    let changes: [fn(&mut EntryRow); 7] = [
        |e| e.n = 2,
        |e| e.at = e.at.plus_millis(1),
        |e| e.actor = "staff:ali".into(),
        |e| e.channel = "api".into(),
        |e| e.act = "account.open".into(),
        |e| e.subject = "x".into(),
        |e| e.details = "{ }".into(),
    ];
    for change in changes {
        let mut other = base.clone();
        change(&mut other);
        assert_ne!(chain::link(&other, chain::GENESIS), link, "{other:?}");
    }
    assert_ne!(chain::link(&base, link), link);
    // What is moved from one text to the next is seen.
    let mut moved = base.clone();
    (moved.act, moved.subject) = ("account.closea".into(), "li.veli@hs05.kep.tr".into());
    assert_ne!(chain::link(&moved, chain::GENESIS), link);
}

#[test]
fn who_acts_is_written_in_one_way() {
    let person = Actor::Person { account: AccountId(7), name: "Ali Veli".into() };
    assert_eq!(person.to_string(), "person:7:Ali Veli");
    assert_eq!(Actor::Staff("ayse".into()).to_string(), "staff:ayse");
    assert_eq!(Actor::System("contracts").to_string(), "system:contracts");
    assert_eq!(sound("a\0b"), "a\u{fffd}b");
}
