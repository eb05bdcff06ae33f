//! `kep verify` on any octets never panics, and nothing is valid that our keys have not signed: not
//! without anchors, and under those of the corpus (`KEP_FUZZ_TRUST`, made by seeds.rs) only what
//! states exactly what one of the evidences made then does.
#![no_main]
use kep::evidence::verify::{Believed, Given, Judge, Report, Verdict};
use kep::trust::{Anchors, Lists};
use kep::wire::Timestamp;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let nobody = STRANGER.judge(octets, Some(octets), NOW);
    assert!(nobody.verdict != Verdict::Valid, "{nobody:?}");
    let Some(world) = &*WORLD else { return };
    let given = |name| Given { name, octets: Ok(octets), original: None };
    let twice = [given("a"), given("b")];
    for report in world.judge.judge_all(&twice, None, NOW).files {
        for stated in valid(&report) {
            assert!(world.stated.contains(&stated), "forged: {stated}");
        }
    }
});

struct World {
    judge: Judge,
    /// What the evidences of the corpus state.
    stated: HashSet<String>,
}

static STRANGER: LazyLock<Judge> =
    LazyLock::new(|| Judge::new(Believed::default()).expect("a judge without anchors"));

static WORLD: LazyLock<Option<World>> = LazyLock::new(|| {
    let folder = PathBuf::from(std::env::var_os("KEP_FUZZ_TRUST")?);
    let load = |name: &str| Some(Anchors::load(&folder.join(name)).expect("anchors"));
    let (seal, time_stamp) = (load("seal-ca.pem"), load("tsa-ca.pem"));
    let believed =
        Believed { seal, time_stamp, user: load("user-ca.pem"), lists: Lists::default() };
    let judge = Judge::new(believed).expect("a judge");
    let stated: HashSet<String> = files(&folder.join("signed"))
        .iter()
        .flat_map(|f| valid(&judge.judge(f, None, NOW)))
        .collect();
    assert!(!stated.is_empty(), "no evidence of the corpus is valid");
    Some(World { judge, stated })
});

/// What the valid evidence in a report states.
fn valid(report: &Report) -> Vec<String> {
    let own = report.evidence.as_ref().filter(|_| report.verdict == Verdict::Valid);
    let own = own.map(|facts| format!("{facts:?}"));
    own.into_iter().chain(report.enclosed.iter().flat_map(valid)).collect()
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the signed evidence");
    entries.map(|entry| std::fs::read(entry.expect("a file").path()).expect("a file")).collect()
}

/// When the corpus was made.
const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);
