//! Holds what ARCHITECTURE.md promises, by reading the source.

mod source;

use crate::lane;
use source::{File, rust_files, text_files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A room uses only rooms below it: `lib.rs` lists them in the order of a message's way.
#[test]
fn arrows_go_down() {
    let rooms = rooms();
    let mut up = Vec::new();
    for file in rust_files("src") {
        let Some(own) = file.room().and_then(|room| rooms.iter().position(|known| *known == room))
        else {
            continue;
        };
        for (line, used) in file.crate_paths() {
            let place = rooms.iter().position(|room| *room == used);
            if place.is_some_and(|place| place < own) {
                up.push(format!("{}:{line}: {} may not use {used}", file.path, rooms[own]));
            }
        }
    }
    assert!(up.is_empty(), "\n{}", up.join("\n"));
}

/// The list in `lib.rs` is the alphabet, and the floors stand below the steps.
#[test]
fn rooms_stand_in_order() {
    let rooms = rooms();
    let order = STEPS.iter().chain(FLOORS);
    let expected: Vec<_> = order.filter(|room| rooms.iter().any(|known| known == *room)).collect();
    assert_eq!(
        rooms.iter().map(String::as_str).collect::<Vec<_>>(),
        expected.iter().map(|r| **r).collect::<Vec<_>>()
    );
}

/// What waits stands in the shells and the floors; everything else is a plain function.
#[test]
fn async_stays_in_shells_and_floors() {
    let allowed = |file: &File| {
        file.is_test_file()
            || SHELLS.contains(&file.name())
            || file.room().is_some_and(|room| ASYNC_FLOORS.contains(&room.as_str()))
            || file.path.starts_with("src/bin/")
    };
    let mut found = Vec::new();
    for file in rust_files("src").into_iter().filter(|file| !allowed(file)) {
        for (line, code) in file.code_lines() {
            if source::words(code).any(|word| word == "async" || word == "await") {
                found.push(format!("{}:{line}: {}", file.path, code.trim()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "async outside {SHELLS:?} and {ASYNC_FLOORS:?}:\n{}",
        found.join("\n")
    );
}

/// Each foreign crate has one door.
#[test]
fn foreign_crates_have_one_door() {
    let mut found = Vec::new();
    for file in rust_files("src") {
        for (krate, doors) in DOORS {
            if doors.iter().any(|door| file.path.starts_with(door)) {
                continue;
            }
            let lines =
                file.production_lines().filter(|(_, code)| source::names_crate(code, krate));
            found.extend(lines.map(|(line, _)| {
                format!("{}:{line}: {krate} belongs to {}", file.path, doors.join(", "))
            }));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// A file says at its top what it is for.
#[test]
fn files_open_with_an_essay() {
    let bare: Vec<_> = rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .filter(|file| !file.is_test_file() && !file.text.starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert!(bare.is_empty(), "no `//!` at the top of {bare:?}");
}

/// Long files and functions are split before they hurt.
#[test]
fn files_and_functions_stay_small() {
    let files = rust_files("src");
    let mut too_long = Vec::new();
    let mut lengths: Vec<usize> =
        files.iter().map(|file| file.production_lines().count()).collect();
    for file in &files {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            too_long.push(format!("{}: {lines} lines", file.path));
        }
        for (line, name, length) in file.functions() {
            if length > FUNCTION_LINES {
                too_long.push(format!("{}:{line}: fn {name} has {length} lines", file.path));
            }
        }
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    println!("{} files, median {median} lines", lengths.len());
    assert!(too_long.is_empty(), "\n{}", too_long.join("\n"));
}

/// `docs/quirks.md` and the `QUIRK` comments name each other.
#[test]
fn quirks_are_indexed_both_ways() {
    let page = std::fs::read_to_string(source::root().join("docs/quirks.md")).unwrap_or_default();
    let listed: BTreeSet<u32> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## ")?.split('.').next()?.parse().ok())
        .collect();
    let mut marked = BTreeSet::new();
    let mut bad = Vec::new();
    for file in rust_files("src") {
        for (number, line) in file.text.lines().enumerate() {
            let Some((_, mark)) = line.split_once("QUIRK(") else { continue };
            let reference = mark.split_once("docs/quirks.md#").map(|(_, rest)| rest);
            let digits = reference.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
            match digits.flatten().and_then(|digits| digits.parse().ok()) {
                Some(number) => _ = marked.insert(number),
                None => bad.push(format!("{}:{}: no docs/quirks.md#N", file.path, number + 1)),
            }
        }
    }
    assert!(bad.is_empty(), "\n{}", bad.join("\n"));
    let unlisted: Vec<_> = marked.difference(&listed).collect();
    let unmarked: Vec<_> = listed.difference(&marked).collect();
    assert!(unlisted.is_empty(), "marked in the source, missing in docs/quirks.md: {unlisted:?}");
    assert!(unmarked.is_empty(), "in docs/quirks.md, marked nowhere in the source: {unmarked:?}");
}

/// Each invariant of the design has a test that bears its number. The list of those still without
/// may only shrink: an invariant on it that has its test is an error too.
#[test]
fn invariants_have_their_tests() {
    let mut held: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        let marked = |line: usize| {
            let above: Vec<_> = file.text.lines().take(line.saturating_sub(1)).collect();
            above
                .into_iter()
                .rev()
                .take_while(|line| line.trim_start().starts_with(['#', '/']))
                .any(is_test_attribute)
        };
        for (line, name, _) in file.functions() {
            let number = name.strip_prefix("invariant_").and_then(|rest| rest.split_once('_'));
            let Some((digits, _)) = number else { continue };
            assert_eq!(digits.len(), 2, "{}: invariant_NN_… in {name}", file.path);
            assert!(marked(line), "{}:{line}: {name} is no test", file.path);
            held.entry(digits.parse().unwrap()).or_default().push(name);
        }
    }
    for number in 1..=INVARIANTS {
        let has = held.contains_key(&number);
        let awaited = NOT_YET.contains(&number);
        assert!(has || awaited, "invariant {number} has no test invariant_{number:02}_…");
        assert!(!(has && awaited), "invariant {number} has its test: take it off NOT_YET");
    }
    assert!(held.keys().all(|number| (1..=INVARIANTS).contains(number)), "{held:?}");
}

fn all_functions() -> BTreeSet<String> {
    let files = rust_files("src").into_iter().chain(rust_files("tests"));
    files.flat_map(|file| file.functions()).map(|(_, name, _)| name).collect()
}

/// A page that names a test of an invariant names one that is there.
#[test]
fn tests_that_pages_name_exist() {
    let tests = all_functions();
    let mut missing = Vec::new();
    for (path, text) in text_files("md") {
        let names = source::words(&text).filter(|word| word.starts_with("invariant"));
        // `invariant_NN_…` stands for any of them.
        let cited = names.filter(|name| name.contains('_') && !name.starts_with("invariant_NN"));
        let lost = cited.filter(|name| !tests.contains(*name));
        missing.extend(lost.map(|name| format!("{path}: {name}")));
    }
    assert!(missing.is_empty(), "no such test:\n{}", missing.join("\n"));
}

/// The page about evidence names, for each that is issued and for each reason, what shows it.
#[test]
fn each_evidence_has_its_test() {
    let tests = all_functions();
    let page = std::fs::read_to_string(source::root().join("docs/evidence.md")).unwrap();
    let is_path = |word: &str| word.starts_with("tests/") || word.starts_with("src/");
    let is_test = |word: &str| {
        let plain = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        // Figures have names of this form, too.
        plain && word.matches('_').count() >= 3 && !word.starts_with("kep_")
    };
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let mut missing = Vec::new();
    for word in page.lines().flat_map(quoted) {
        let there = match is_path(&word) {
            true => source::root().join(&word).exists(),
            false => !is_test(&word) || tests.contains(&word),
        };
        if !there {
            missing.push(word);
        }
    }
    assert!(missing.is_empty(), "docs/evidence.md: no such test: {missing:?}");
    let issued = page.lines().filter(|line| {
        let first = line.trim_start_matches("| ").split(' ').next().unwrap_or_default();
        line.starts_with("| ") && first.parse::<u8>().is_ok()
    });
    for row in issued.clone() {
        assert!(quoted(row).iter().any(|word| is_path(word) || is_test(word)), "{row}");
    }
    assert!(issued.count() >= 24, "the tables of docs/evidence.md");
}

/// Evidence is append-only: no statement of this program changes or deletes it.
#[test]
fn invariant_05_no_statement_changes_or_deletes_evidence() {
    let verbs =
        ["DELETE FROM evidence", "UPDATE evidence", "DELETE FROM material", "UPDATE material"];
    for file in rust_files("src") {
        let found = verbs.iter().find(|verb| file.text.contains(*verb));
        assert!(found.is_none(), "{}: {found:?}", file.path);
    }
}

/// So are entries of credits: what is wrong is set right by another entry.
#[test]
fn invariant_05_no_statement_changes_or_deletes_an_entry_of_credits() {
    for file in rust_files("src") {
        let found = ["DELETE FROM credit_entry", "UPDATE credit_entry"]
            .iter()
            .find(|verb| file.text.contains(**verb));
        assert!(found.is_none(), "{}: {found:?}", file.path);
    }
}

/// Keys, passwords and key stores are made by `kep dev init`, never committed.
#[test]
fn no_secret_is_committed() {
    let mut found = Vec::new();
    for path in source::tracked_files() {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
        if SECRET_ENDINGS.contains(&ending) || SECRET_NAMES.contains(&name) {
            found.push(path.clone());
        }
        let text = std::fs::read(source::root().join(&path)).unwrap_or_default();
        // Assembled, so that this file itself doesn't hold the words.
        let marks = ["PRIVATE KEY-----", "ENCRYPTED PRIVATE KEY-----"]
            .map(|end| format!("-----BEGIN {end}\nM"));
        if marks.iter().any(|mark| source::contains(&text, mark.as_bytes())) {
            found.push(format!("{path}: a private key"));
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

/// No stubs, no tests that are switched off, no warnings silenced: neither in `src` nor in `tests`.
#[test]
fn nothing_is_left_undone() {
    let mut found = Vec::new();
    for file in rust_files("src").into_iter().chain(rust_files("tests")) {
        if file.path.starts_with("tests/it/tidy") {
            continue;
        }
        for (line, code) in file.code_lines() {
            if let Some(word) = UNDONE.iter().find(|word| code.contains(**word)) {
                found.push(format!("{}:{line}: {word}", file.path));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Relative links of the documents lead somewhere.
#[test]
fn documents_link_to_what_exists() {
    let mut broken = Vec::new();
    for (path, text) in text_files("md") {
        for target in source::links(&text) {
            let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
            if !source::root().join(folder).join(target).exists() {
                broken.push(format!("{path}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn rooms() -> Vec<String> {
    let lib =
        std::fs::read_to_string(source::root().join("src/lib.rs")).expect("the library has a root");
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let rooms: Vec<_> = names.map(str::to_owned).collect();
    assert!(rooms.last().is_some_and(|last| last == "wire"), "{rooms:?} should end with wire");
    rooms
}

fn is_test_attribute(line: &str) -> bool {
    matches!(line.trim(), "#[test]") || line.trim().starts_with("#[tokio::test")
}

const STEPS: &[&str] = &["accept", "certify", "deliver", "evidence", "mailbox", "notify", "portal"];
const FLOORS: &[&str] = &["registry", "spool", "store", "trust", "wire"];
/// We listen, we connect, we loop over the spool.
const SHELLS: &[&str] = &["serve.rs", "dial.rs", "run.rs"];
const ASYNC_FLOORS: &[&str] = &["registry", "spool", "store", "trust"];

/// Where a crate may be named. A pure digest (sha2) is in `wire` by design.
const DOORS: &[(&str, &[&str])] = &[
    ("openssl", &["src/trust/"]),
    ("cryptoki", &["src/trust/"]),
    ("argon2", &["src/trust/"]),
    ("rusqlite", &["src/store/"]),
    ("tokio_postgres", &["src/store/"]),
    ("refinery", &["src/store/"]),
    ("imap_types", &["src/wire/imap", "src/mailbox/"]),
    ("imap_codec", &["src/wire/imap", "src/mailbox/"]),
    ("smtp_proto", &["src/wire/smtp"]),
    ("reqwest", &["src/trust/dial.rs"]),
    ("hickory_resolver", &["src/trust/dns"]),
    ("lettre", &["src/notify/smarthost"]),
    ("clap", &["src/bin/"]),
    ("csv", &["src/registry/contacts/"]),
];

const FILE_LINES: usize = 800;
const FUNCTION_LINES: usize = 120;

const INVARIANTS: u32 = 10;
/// Invariants whose rooms are not built yet.
const NOT_YET: &[u32] = &[];

const SECRET_ENDINGS: &[&str] = &["p12", "pfx", "key", "jks", "pin"];
const SECRET_NAMES: &[&str] = &["passwords.txt", "id_rsa", "id_ed25519", ".env", ".netrc"];

const UNDONE: &[&str] = &[
    "todo!(",
    "unimplemented!(",
    "#[ignore",
    "dbg!(",
    "allow(dead_code)",
    "allow(unused",
    "thread::sleep(",
];

/// A bug that can't be planted any more proves nothing: `tests/sim/planted/run` is long, and nobody runs
/// it with each change.
#[test]
fn planted_bugs_still_apply() {
    let Some(patch) = lane::tool("patch") else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::fs::read_dir(root.join("tests/sim/planted")).unwrap();
    let bugs = folder.map(|entry| entry.unwrap().path());
    let bugs: Vec<_> = bugs.filter(|path| path.extension().is_some_and(|e| e == "patch")).collect();
    assert!(bugs.len() >= 10, "{bugs:?}");
    for bug in bugs {
        let mut apply = Command::new(&patch);
        apply.args(["--dry-run", "--batch", "--fuzz=0", "-p1", "-i"]).arg(&bug).arg("-d").arg(root);
        let ran = apply.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success(), "{}: {said}", bug.display());
    }
}
