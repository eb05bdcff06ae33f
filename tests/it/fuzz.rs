//! The fuzz targets as ordinary tests: each is compiled with a stand-in for libFuzzer's entry point and
//! runs on its seeds, so that a target that no longer builds or holds is found before anybody fuzzes.
#![expect(unused_attributes, dead_code, unused_imports, reason = "they are written as crates")]

/// Makes a function of a target.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:block) => {
        pub fn run($input: &[u8]) $body
    };
    (|$input:ident: &str| $body:block) => {
        pub fn run(octets: &[u8]) {
            if let Ok($input) = std::str::from_utf8(octets) $body
        }
    };
}

#[path = "../../fuzz/fuzz_targets/address.rs"]
mod address;
#[path = "../../fuzz/fuzz_targets/cms.rs"]
mod cms;
#[path = "../../fuzz/fuzz_targets/settings.rs"]
mod configuration;
#[path = "../../fuzz/fuzz_targets/evidence_verify.rs"]
mod evidence_verify;
#[path = "../../fuzz/fuzz_targets/holidays.rs"]
mod holidays;
#[path = "../../fuzz/fuzz_targets/imap_command.rs"]
mod imap_command;
#[path = "../../fuzz/fuzz_targets/imap_session.rs"]
mod imap_session;
#[path = "../../fuzz/fuzz_targets/lists.rs"]
mod lists;
#[path = "../../fuzz/fuzz_targets/mime.rs"]
mod mime;
#[path = "../../fuzz/fuzz_targets/ocsp.rs"]
mod ocsp;
#[path = "../../fuzz/fuzz_targets/rem_xml.rs"]
mod rem_xml;
#[path = "../../fuzz/seeds.rs"]
mod seeds;
#[path = "../../fuzz/fuzz_targets/smtp_line.rs"]
mod smtp_line;
#[path = "../../fuzz/fuzz_targets/smtp_session.rs"]
mod smtp_session;
#[path = "../../fuzz/fuzz_targets/time.rs"]
mod time;
#[path = "../../fuzz/fuzz_targets/tsp.rs"]
mod tsp;

type Target = fn(&[u8]);

#[test]
fn each_fuzz_target_holds_on_its_seeds() {
    let all: [(&str, Target); 15] = [
        ("address", address::run),
        ("cms", cms::run),
        ("evidence_verify", evidence_verify::run),
        ("holidays", holidays::run),
        ("imap_command", imap_command::run),
        ("imap_session", imap_session::run),
        ("lists", lists::run),
        ("mime", mime::run),
        ("ocsp", ocsp::run),
        ("rem_xml", rem_xml::run),
        ("settings", configuration::run),
        ("smtp_line", smtp_line::run),
        ("smtp_session", smtp_session::run),
        ("time", time::run),
        ("tsp", tsp::run),
    ];
    let repository = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    seeds::make(folder.path().to_owned(), repository.to_owned()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(repository.join("fuzz/fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(all.map(|(name, _)| format!("{name}.rs")).to_vec(), files);
    for (name, run) in all {
        let seeds: Vec<_> = std::fs::read_dir(folder.path().join(name)).unwrap().collect();
        assert!(!seeds.is_empty(), "{name}");
        for seed in seeds {
            run(&std::fs::read(seed.unwrap().path()).unwrap());
        }
    }
}
