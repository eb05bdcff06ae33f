use super::*;
use proptest::prelude::*;

fn domain() -> KepDomain {
    KepDomain::parse("hs05.kep.tr").unwrap()
}

fn person(given: &str, surname: &str) -> Called {
    Called::Person { given_names: given.into(), surname: surname.into() }
}

fn first(called: &Called, most: usize) -> Vec<String> {
    candidates(called, &domain()).iter().take(most).map(ToString::to_string).collect()
}

#[test]
fn turkish_letters_lose_their_marks() {
    for (name, letters) in [
        ("Çağrı Öztürk", "cagri ozturk"),
        ("IŞIL İĞDE", "isil igde"),
        ("Âlî  Şükrü", "ali sukru"),
        ("O’Brien-Müller", "obrien muller"),
        ("Łukasz Ødegård", "lukasz odegard"),
        ("Örnek A.Ş.", "ornek as"),
        ("王", ""),
        ("  ", ""),
    ] {
        assert_eq!(folded(name), letters, "{name}");
    }
}

#[test]
fn a_person_is_offered_his_name() {
    let all = first(&person("Ayşe Gül", "Yılmaz Ünlü"), 6);
    assert_eq!(
        all,
        [
            "ayse.yilmazunlu@hs05.kep.tr",
            "ayse.gul.yilmazunlu@hs05.kep.tr",
            "aysegul.yilmazunlu@hs05.kep.tr",
            "yilmazunlu.ayse@hs05.kep.tr",
            "ag.yilmazunlu@hs05.kep.tr",
            "ayse.yilmazunlu2@hs05.kep.tr",
        ]
    );
    assert_eq!(first(&person("王", "Çelik"), 1), ["celik@hs05.kep.tr"]);
    assert!(first(&person("王", "李"), 1).is_empty());
}

#[test]
fn an_institution_is_offered_a_sub_domain() {
    let all =
        first(&Called::Institution { title: "Örnek Yazılım Sanayi ve Ticaret A.Ş.".into() }, 4);
    assert_eq!(
        all,
        [
            "ornekyazilim@ornekyazilim.hs05.kep.tr",
            "bilgi@ornekyazilim.hs05.kep.tr",
            "ornekyazilim@hs05.kep.tr",
            "oy@oy.hs05.kep.tr",
        ]
    );
    let address = KepAddress::parse(&all[0]).unwrap();
    assert_eq!(sub_domain(&address).as_deref(), Some("ornekyazilim"));
    assert_eq!(sub_domain(&KepAddress::parse(&all[2]).unwrap()), None);
}

#[test]
fn what_is_taken_for_another_is_the_same_to_us() {
    let same = [
        ("ali.veli@hs05.kep.tr", "aliveli@hs05.kep.tr"),
        ("ali_veli@hs05.kep.tr", "ali-veli@hs05.kep.tr"),
        ("oran@hs05.kep.tr", "0ran@hs05.kep.tr"),
        ("kemal@hs05.kep.tr", "kema1@hs05.kep.tr"),
        ("orman@hs05.kep.tr", "0r.man@hs05.kep.tr"),
        ("demir@hs05.kep.tr", "dernir@hs05.kep.tr"),
    ];
    for (one, two) in same {
        assert_eq!(lookalike(one), lookalike(two), "{one} {two}");
    }
    let other = [("ali.veli2", "ali.veli3"), ("ali", "veli"), ("a@b", "ab@")];
    for (one, two) in other {
        assert_ne!(lookalike(one), lookalike(two), "{one} {two}");
    }
}

proptest! {
    #[test]
    fn folding_leaves_letters_digits_and_single_spaces(name in any::<String>()) {
        let text = folded(&name);
        prop_assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b' '));
        prop_assert!(!text.contains("  ") && !text.starts_with(' ') && !text.ends_with(' '));
        prop_assert_eq!(folded(&text), text);
    }

    /// Capital letters fold as their small ones do.
    #[test]
    fn case_changes_nothing(name in "[a-zçğıöşüA-ZÇĞİÖŞÜ ]{0,30}") {
        let upper: String = name.chars().map(|c| match c {
            'i' => 'İ',
            'ı' => 'I',
            c => c.to_uppercase().next().unwrap_or(c),
        }).collect();
        prop_assert_eq!(folded(&upper), folded(&name));
    }

    #[test]
    fn each_candidate_is_an_address_and_its_own(
        given in ".{0,60}", surname in ".{0,60}", title in any::<String>()
    ) {
        for called in [person(&given, &surname), Called::Institution { title }] {
            let all = candidates(&called, &domain());
            let different: BTreeSet<_> = all.iter().collect();
            prop_assert_eq!(different.len(), all.len());
            prop_assert!(all.iter().all(|one| is_own(one, &domain()).is_ok()));
            prop_assert!(all.iter().all(|one| KepAddress::parse(one.as_str()).as_ref() == Ok(one)));
        }
    }
}
