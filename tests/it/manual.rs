//! Every manual page that one names is there.

use std::process::Command;

#[test]
fn each_page_that_a_page_names_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kep = Command::new(env!("CARGO_BIN_EXE_kep"))
        .args(["man", "--dir"])
        .arg(folder.path())
        .status()
        .expect("kep runs");
    assert!(kep.success());
    let mut named = 0;
    for page in std::fs::read_dir(folder.path()).expect("pages") {
        let text = std::fs::read_to_string(page.expect("a page").path()).expect("text");
        for name in names(&text) {
            named += 1;
            assert!(folder.path().join(format!("{name}.1")).is_file(), "no page {name}(1)");
        }
    }
    assert!(named > 50, "only {named} pages are named");
}

#[test]
fn a_folder_that_is_not_there_has_a_hint() {
    let kep = Command::new(env!("CARGO_BIN_EXE_kep"))
        .args(["man", "--dir", "/nowhere/at/all"])
        .output()
        .expect("kep runs");
    assert_eq!(kep.status.code(), Some(73), "EX_CANTCREAT");
    assert!(String::from_utf8_lossy(&kep.stderr).contains("hint: "));
}

/// What stands before each `(1)`, hyphens as ROFF writes them.
fn names(page: &str) -> Vec<String> {
    let words = page.split_whitespace().filter_map(|word| word.split_once("(1)"));
    words.map(|(name, _)| name.replace('\\', "")).filter(|name| name.starts_with("kep")).collect()
}
