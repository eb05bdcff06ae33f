//! A small set of our own making, kept with the project: what was once judged valid stays so, in the
//! same words. `KEP_BLESS=1` rewrites the reports; where the set itself was deleted, it makes a new one.

use super::*;
use crate::trust::pki::KeyKind;
use crate::trust::{Anchors, Lists};
use crate::wire::Timestamp;
use std::path::{Path, PathBuf};

/// 2025-01-15, so that every machine that judges lives later.
const MADE: Timestamp = Timestamp::from_secs(1_736_931_600);
/// The reports are of this moment.
const JUDGED: Timestamp = MADE.plus_secs(30 * 86_400);

const FILES: [&str; 3] = ["evidence.xml", "dispatch.eml", "evidence-mail.eml"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify")
}

fn blesses() -> bool {
    std::env::var_os("KEP_BLESS").is_some()
}

fn file(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path)
        .unwrap_or_else(|e| panic!("{}: {e} (KEP_BLESS=1 makes it)", path.display()))
}

/// All keys are forgotten with this value.
fn make(folder: &Path) {
    std::fs::create_dir_all(folder.join("trust")).unwrap();
    let world = World::of(KeyKind::P256, MADE);
    let evidence = world.evidence(Event::Delivery, &world.original());
    let xml = world.stamped(&evidence);
    let ends = MADE.plus_secs(86_400);
    let crl = world.seal_root.crl(&[], MADE.plus_secs(3_600), ends).unwrap();
    let pem =
        |root: &crate::trust::pki::CertificateAuthority| root.certificate().pem().into_bytes();
    for (name, octets) in [
        ("trust/seal-ca.pem", pem(&world.seal_root)),
        ("trust/tsa-ca.pem", pem(&world.stamp_root)),
        ("trust/user-ca.pem", pem(&world.user_root)),
        ("trust/seal.crl", crl),
        ("original.eml", world.original()),
        ("evidence-mail.eml", world.evidence_mail(&evidence, &xml)),
        ("evidence.xml", xml),
        ("dispatch.eml", world.dispatch(&world.original())),
    ] {
        std::fs::write(folder.join(name), octets).unwrap();
    }
}

fn judge() -> Judge {
    let anchors = |name: &str| Some(Anchors::load(&folder().join("trust").join(name)).unwrap());
    let mut lists = Lists::default();
    lists.add_crl(file("trust/seal.crl")).unwrap();
    let (seal, time_stamp) = (anchors("seal-ca.pem"), anchors("tsa-ca.pem"));
    let user = anchors("user-ca.pem");
    Judge::new(Believed { seal, time_stamp, user, lists }).unwrap()
}

fn hold(name: &str, run: &Run) {
    let (path, text) = (folder().join(name), run.text());
    if blesses() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} (KEP_BLESS=1 accepts)", path.display());
}

#[test]
fn what_was_judged_valid_stays_valid_in_the_same_words() {
    if blesses() && !folder().join("evidence.xml").exists() {
        make(&folder());
    }
    let judge = judge();
    let octets = FILES.map(file);
    let given = |at: usize| Given { name: FILES[at], octets: Ok(&octets[at]), original: None };
    for (at, name) in FILES.iter().enumerate() {
        let run = judge.judge_all(&[given(at)], None, JUDGED);
        assert_eq!(run.verdict, Verdict::Valid, "{}", run.text());
        hold(&format!("{}.txt", name.split('.').next().unwrap()), &run);
    }
    let all = [given(0), given(1), given(2)];
    hold("together.txt", &judge.judge_all(&all, Some(&file("original.eml")), JUDGED));
    let blind = Judge::new(Believed::default()).unwrap();
    hold("without-anchors.txt", &blind.judge_all(&all, None, JUDGED));
    let altered = replaced(&octets[1], "Merhaba", "Elveda!");
    let altered = Given { octets: Ok(&altered), ..given(1) };
    hold("altered.txt", &judge.judge_all(&[altered, given(0)], None, JUDGED));
    let other = replaced(&file("original.eml"), AYSE, "mehmet.demir@hs05.kep.tr");
    hold("another-original.txt", &judge.judge_all(&[given(0)], Some(&other), JUDGED));
}
