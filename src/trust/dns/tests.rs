use super::table::{signed, silent, unsigned};
use super::*;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX};

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn record(at: &str, data: RData, proof: Proof) -> Record {
    let mut record = Record::from_rdata(name(at), 60, data);
    record.proof = proof;
    record
}

fn addresses(records: Vec<Record>) -> Option<Answer<IpAddr>> {
    let asked = name("posta.hs06.kep.tr.");
    let query = Query::query(asked.clone(), RecordType::A);
    let lookup = Lookup::new_with_max_ttl(query, records);
    answer(&lookup, asked, RecordType::A, |data| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        _ => None,
    })
}

fn a(at: &str, proof: Proof) -> Record {
    record(at, RData::A(A::new(192, 0, 2, 1)), proof)
}

fn alias(at: &str, to: &str, proof: Proof) -> Record {
    record(at, RData::CNAME(CNAME(name(to))), proof)
}

#[test]
fn an_answer_is_signed_when_every_step_to_it_is() {
    let (good, bare) = (Proof::Secure, Proof::Insecure);
    let own = "posta.hs06.kep.tr.";
    let found = addresses(vec![a(own, good)]).unwrap();
    assert_eq!((found.secure, found.name.as_str()), (true, "posta.hs06.kep.tr"));
    assert!(!addresses(vec![a(own, bare)]).unwrap().secure);
    assert!(!addresses(vec![a(own, good), a(own, Proof::Indeterminate)]).unwrap().secure);
    let through = |first: Proof, second: Proof| {
        addresses(vec![alias(own, "B.example.", first), a("b.example.", second)]).unwrap()
    };
    let found = through(good, good);
    assert_eq!((found.secure, found.name.as_str()), (true, "b.example"));
    assert!(!through(bare, good).secure, "an alias that anybody may have put there");
    assert!(!through(good, bare).secure);
}

#[test]
fn what_was_not_asked_for_counts_for_nothing() {
    let own = "posta.hs06.kep.tr.";
    assert_eq!(addresses(vec![a("evil.example.", Proof::Secure)]), None);
    assert_eq!(addresses(vec![alias(own, "b.example.", Proof::Secure)]), None);
    let round = [alias(own, "b.example.", Proof::Secure), alias("b.example.", own, Proof::Secure)];
    assert_eq!(addresses(round.to_vec()), None, "a ring ends");
    let both = vec![a("evil.example.", Proof::Insecure), a(own, Proof::Secure)];
    let found = addresses(both).unwrap();
    assert_eq!((found.secure, found.records.len()), (true, 1));
}

#[test]
fn names_are_compared_in_one_spelling() {
    assert_eq!(plain(&name("Posta.HS06.kep.tr.")), "posta.hs06.kep.tr");
    assert_eq!(plain(&Name::root()), "", "a null MX");
    let mx = MX::new(10, name("Posta.HS06.kep.tr."));
    assert_eq!(plain(&mx.exchange), "posta.hs06.kep.tr");
}

#[test]
fn addresses_of_both_kinds_come_in_turn_and_one_kind_is_enough() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let six = || signed("a", vec![ip("2001:db8::1"), ip("2001:db8::2")]);
    let four = || signed("a", vec![ip("192.0.2.1")]);
    let found = both(six(), four()).unwrap();
    assert_eq!(found.records, [ip("2001:db8::1"), ip("192.0.2.1"), ip("2001:db8::2")]);
    assert!(found.secure);
    let mixed = both(six(), unsigned("a", vec![ip("192.0.2.1")])).unwrap();
    assert!(!mixed.secure);
    assert_eq!(both(silent("a"), four()).unwrap().records.len(), 1);
    assert_eq!(both(six(), silent("a")).unwrap().records.len(), 2);
    assert!(both(silent("a"), signed("a", Vec::new())).is_err(), "there may be some");
    assert!(both(silent("a"), silent("a")).is_err());
    assert!(both(signed("a", Vec::new()), four()).unwrap().secure);
}

#[test]
fn a_trust_anchor_is_a_file_of_keys() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("root.key");
    assert!(anchors(&file).is_err(), "it is not there");
    for wrong in ["", "nonsense", ". IN DNSKEY 257 3 8 ???"] {
        std::fs::write(&file, wrong).unwrap();
        assert!(anchors(&file).is_err(), "{wrong}");
    }
    let key =
        "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==";
    std::fs::write(&file, format!(". 3600 IN DNSKEY 257 3 13 {key}\n")).unwrap();
    assert_eq!(anchors(&file).unwrap().len(), 1);
}
