//! Several files side by side: what they lend each other, and where they contradict each other.

use super::*;

fn given<'a>(name: &'a str, octets: &'a [u8]) -> Given<'a> {
    Given { name, octets: Ok(octets), original: None }
}

fn run(world: &World, given: &[Given<'_>]) -> Run {
    world.judge().judge_all(given, None, world.now())
}

#[test]
fn a_valid_dispatch_lends_its_original() {
    let world = World::new();
    let (xml, dispatch) = (world.delivered(), world.dispatch(&world.original()));
    let run = run(&world, &[given("delil.xml", &xml), given("ileti.eml", &dispatch)]);
    assert_eq!(run.verdict, Verdict::Valid, "{run:#?}");
    let said = details(&run.files[0], Name::OriginalDigest);
    assert!(said.contains("doğru") && said.contains("in ileti.eml"), "{said}");
    assert_eq!(run.between.len(), 1);
    assert_eq!(run.between[0].state, State::Good);
}

#[test]
fn an_invalid_dispatch_lends_nothing_and_this_is_said() {
    let world = World::new();
    let dispatch = replaced(&world.dispatch(&world.original()), "Merhaba", "Elveda!");
    let xml = world.delivered();
    let run = run(&world, &[given("delil.xml", &xml), given("ileti.eml", &dispatch)]);
    assert_eq!(run.verdict, Verdict::Invalid);
    let [evidence, mail] = &run.files[..] else { panic!("two") };
    assert_eq!((evidence.verdict, mail.verdict), (Verdict::Valid, Verdict::Invalid), "{run:#?}");
    let said = details(evidence, Name::OriginalDigest);
    assert!(said.contains("ileti.eml") && said.contains("not taken for the original"), "{said}");
    assert!(!said.contains("doğru"), "{said}");
}

#[test]
fn a_forgers_dispatch_does_not_take_the_place_of_the_genuine_one() {
    let (world, forger) = (World::new(), World::new());
    let evidence = forger.evidence(Event::SubmissionAcceptance, b"forged");
    let xml = forger.stamped(&evidence);
    let forged = forger.dispatch_with(&forger.seal, &evidence, &xml, b"From: x\r\n\r\nforged");
    let (xml, genuine) = (world.delivered(), world.dispatch(&world.original()));
    let files =
        [given("sahte.eml", &forged), given("delil.xml", &xml), given("ileti.eml", &genuine)];
    let run = run(&world, &files);
    let verdicts: Vec<_> = run.files.iter().map(|file| file.verdict).collect();
    assert_eq!(verdicts, [Verdict::Invalid, Verdict::Valid, Verdict::Valid], "{run:#?}");
    assert!(details(&run.files[1], Name::OriginalDigest).contains("in ileti.eml"));
}

#[test]
fn a_dispatch_that_can_not_be_judged_lends_with_a_word_about_it() {
    let world = World::new();
    let (xml, dispatch) = (world.delivered(), world.dispatch(&world.original()));
    let judge = Judge::new(Believed::default()).unwrap();
    let files = [given("delil.xml", &xml), given("ileti.eml", &dispatch)];
    let run = judge.judge_all(&files, None, world.now());
    assert_eq!(run.verdict, Verdict::CantTell);
    let said = details(&run.files[0], Name::OriginalDigest);
    assert!(said.contains("own seal can't be judged"), "{said}");
}

#[test]
fn what_files_of_one_message_say_differently_is_named() {
    let world = World::new();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let one = world.stamped(&evidence);
    let mut other = world.evidence(Event::Retrieval, &world.original());
    other.message.subject = "Başka".into();
    let other = world.stamped(&other);
    let run = run(&world, &[given("a.xml", &one), given("b.xml", &other)]);
    assert!(run.files.iter().all(|file| file.verdict == Verdict::Valid));
    assert_eq!(run.verdict, Verdict::Invalid);
    let [difference] = &run.between[..] else { panic!("{run:#?}") };
    assert_eq!((difference.name, difference.state), (Name::Field, State::Bad));
    assert!(difference.turkish.contains("(konu)"), "{difference:?}");
    assert!(difference.detail.contains("b.xml has \"Başka\""), "{difference:?}");
}

#[test]
fn the_worst_file_decides_and_invalid_is_worse_than_open() {
    let world = World::new();
    let xml = world.delivered();
    let evidence = world.evidence(Event::Delivery, &world.original());
    let text = evidence.write(crate::wire::rem::Dialect::Ts102640).unwrap();
    let open = world.signed(&world.seal, &text).unstamped();
    let broken = replaced(&xml, AYSE, "x@hs05.kep.tr");
    let gone = Unread { why: "can't be read: no such file".into(), hint: "name a file" };
    let unread = Given { name: "yok.xml", octets: Err(&gone), original: None };
    let (good, open, broken) = (given("a", &xml), given("b", open.as_bytes()), given("c", &broken));
    assert_eq!(run(&world, &[good]).verdict, Verdict::Valid);
    assert_eq!(run(&world, &[good, open]).verdict, Verdict::CantTell);
    assert_eq!(run(&world, &[good, unread]).verdict, Verdict::CantTell);
    assert_eq!(run(&world, &[unread, open, broken, good]).verdict, Verdict::Invalid);
    let run = run(&world, &[unread, good]);
    assert_eq!(named(&run.files[0], State::Unknown), ["form"]);
    assert_eq!(run.files[1].verdict, Verdict::Valid);
    assert!(run.text().contains("no such file"), "{}", run.text());
}

#[test]
fn a_known_original_is_compared_per_file() {
    let world = World::new();
    let (xml, original) = (world.delivered(), world.original());
    let other = world.another("Başka", b"Elveda.\r\n");
    let with = |original| Given { original: Some(original), ..given("a.xml", &xml) };
    assert_eq!(run(&world, &[with(&original[..])]).verdict, Verdict::Valid);
    let run = run(&world, &[with(&other[..])]);
    assert_eq!(bad(&run.files[0]), ["original-digest", "original-field"]);
}

#[test]
fn nothing_handed_in_is_no_proof() {
    assert_eq!(run(&World::new(), &[]).verdict, Verdict::CantTell);
}
