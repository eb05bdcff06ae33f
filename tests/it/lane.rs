//! Lanes with real components: programs that are not ours. `./check` installs them and sets
//! `KEP_LANES`, then a missing one is a failure; elsewhere its tests step aside and say so.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

/// A program on the path, or `None` where it may be absent.
pub fn tool(name: &str) -> Option<PathBuf> {
    let found = find(name, &std::env::var_os("PATH").unwrap_or_default());
    let required = std::env::var_os("KEP_LANES").is_some();
    assert!(found.is_some() || !required, "{name} is not installed, and KEP_LANES is set");
    if found.is_none() {
        eprintln!("{name} is not installed: nothing was tried");
    }
    found
}

/// strace, where the kernel lets us trace.
pub fn strace() -> Option<PathBuf> {
    let strace = tool("strace")?;
    let ran = Command::new(&strace).args(["-f", "-qq", "-o", "/dev/null", "true"]).output();
    let ran = ran.expect("a program that was found runs");
    if ran.status.success() {
        return Some(strace);
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(said.contains("not permitted"), "strace: {said}");
    eprintln!("SKIPPED: the kernel forbids tracing here: {}", said.trim());
    None
}

fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    // Debian keeps daemons where only root looks.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let folders = std::env::split_paths(path).chain(more);
    folders.map(|folder| folder.join(name)).find(|program| program.is_file())
}

#[test]
fn programs_are_found_on_the_path_alone() {
    assert_eq!(find("sh", OsStr::new("/bin")), Some(PathBuf::from("/bin/sh")));
    assert_eq!(find("no-such-program", OsStr::new("/bin")), None);
}
