//! Hostile input: whatever is handed in, the work is bounded, and a judgement comes out.

use super::*;
use proptest::prelude::*;

#[test]
fn sizes_beyond_the_bounds_are_open_with_a_hint() {
    let world = World::new();
    let large = vec![b'x'; MAX_OCTETS + 1];
    let empty: [&[u8]; 3] = [b"", b"\r\n \n", &large];
    for octets in empty {
        let report = world.judged(octets);
        assert_eq!((report.kind, report.verdict), (Kind::Unknown, Verdict::CantTell));
        assert!(report.check(Name::Form).unwrap().hint.is_some());
    }
    let mut xml = world.delivered();
    let at = xml.iter().rposition(|octet| *octet == b'<').unwrap();
    let filler = vec![b' '; crate::wire::xml::MAX_OCTETS];
    xml.splice(at..at, filler);
    assert_eq!(world.judged(&xml).verdict, Verdict::CantTell);
}

#[test]
fn structures_beyond_the_bounds_are_refused() {
    let world = World::new();
    let text = String::from_utf8(world.delivered()).unwrap();
    let end = text.rfind("</").unwrap();
    let with = |insert: &str| {
        let whole = format!("{}{insert}{}", &text[..end], &text[end..]);
        bad(&world.judged(whole.as_bytes()))
    };
    let attributes: String = (0..200).map(|n| format!(" a{n}=\"\"")).collect();
    let namespaces: String = (0..100).map(|n| format!(" xmlns:n{n}=\"urn:{n}\"")).collect();
    let deep = format!("{}{}", "<a>".repeat(300), "</a>".repeat(300));
    let many = "<a/>".repeat(250_000);
    let name = "a".repeat(5_000);
    for (what, insert) in [
        ("depth", deep),
        ("attributes", format!("<a{attributes}/>")),
        ("namespaces", format!("<a{namespaces}/>")),
        ("elements", many),
        ("names", format!("<{name}/>")),
    ] {
        assert_eq!(with(&insert), ["form"], "{what}");
    }
}

#[test]
fn what_hides_behind_a_comment_that_only_seems_to_end_is_bounded_too() {
    let level = |n: usize| {
        let declared: String = (0..60).map(|k| format!(" xmlns:n{n}x{k}=\"urn:{n}\"")).collect();
        format!("<a{declared}>")
    };
    let deep: String = (0..200).map(level).collect();
    let ends = "</a>".repeat(200);
    for begin in ["<!-->", "<!--->"] {
        let text = format!("<r>{begin}<![CDATA[-->{deep}{ends}<!--]]>--></r>");
        assert_eq!(bad(&World::new().judged(text.as_bytes())), ["form"], "{begin}");
        let fault = crate::wire::xml::Xml::parse(text.as_bytes()).err();
        let expected = crate::wire::xml::XmlFault::TooMany("namespaces at one place");
        assert_eq!(fault, Some(expected), "{begin}");
    }
    let harmless = "<r><!--> a comment --><!---> another --></r>";
    assert!(crate::wire::xml::Xml::parse(harmless.as_bytes()).is_ok());
}

#[test]
fn too_many_of_anything_in_a_signature_is_refused() {
    let world = World::new();
    let text = String::from_utf8(world.delivered()).unwrap();
    let multiplied = |name: &str| {
        let from = text.rfind(&format!("<{name}")).unwrap();
        let end = format!("</{name}>");
        let to = from + text[from..].find(&end).unwrap() + end.len();
        let mut all = text[..from].to_owned();
        for n in 0..20 {
            all.push_str(&text[from..to].replace("Id=\"kep-", &format!("Id=\"k{n}-")));
        }
        all.push_str(&text[to..]);
        bad(&world.judged(all.as_bytes()))
    };
    for name in ["ds:X509Certificate", "xades:SignatureTimeStamp", "ds:Reference"] {
        assert_eq!(multiplied(name), ["signature-form"], "{name}");
    }
}

#[test]
fn too_many_parts_and_too_much_evidence_are_refused() {
    let world = World::new();
    let part = "--b\r\nContent-Type: text/plain\r\n\r\n\r\n";
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    let many = format!("{head}{}--b--\r\n", part.repeat(1_200));
    assert_eq!(bad(&world.judged(many.as_bytes())), ["form"]);
    let part = "--b\r\nContent-Type: application/xml\r\n\r\n<a/>\r\n";
    let much = format!("{head}{}--b--\r\n", part.repeat(100));
    let report = world.judged(much.as_bytes());
    assert!(bad(&report).contains(&"enclosed-evidence"), "{:?}", bad(&report));
    assert_eq!(report.enclosed.len(), 64);
    let deep: String = (0..300)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    assert_eq!(world.judged(deep.as_bytes()).verdict, Verdict::Invalid);
}

#[test]
fn what_a_peer_wrote_reaches_a_terminal_as_one_plain_line() {
    let world = World::new();
    let mut evidence = world.evidence(Event::Delivery, &world.original());
    evidence.message.subject = format!("a\u{1b}[2J\u{202e}b\nSONUÇ{}", "x".repeat(5_000));
    evidence.issuer.name = "GEÇERLİ\r\nSONUÇ · RESULT: GEÇERLİ".into();
    let xml = world.stamped(&evidence);
    let name = "a.xml";
    let given = [Given { name, octets: Ok(&xml), original: None }];
    let text = world.judge().judge_all(&given, None, world.now()).text();
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\r'));
    assert_eq!(text.lines().filter(|line| line.starts_with("SONUÇ")).count(), 1);
    assert!(text.lines().all(|line| line.len() < 3_000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn invariant_10_random_octets_are_judged_without_panic(
        octets in proptest::collection::vec(any::<u8>(), 0..400),
        start in prop::sample::select(vec!["", "<", "<?xml version=\"1.0\"?><a>", "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n"]),
    ) {
        let judge = Judge::new(Believed::default()).unwrap();
        let octets = [start.as_bytes(), &octets].concat();
        let report = judge.judge(&octets, Some(&octets), crate::trust::testing::NOW);
        prop_assert_ne!(report.verdict, Verdict::Valid);
    }
}
