//! Programs that are not ours. `./check` installs them and sets `KEP_LANES`, then a missing one is
//! a failure; elsewhere its tests step aside and say so.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A program on the path, or `None` where it may be absent.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps daemons where only root looks.
    let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path).chain(more).map(|folder| folder.join(name));
    there(name, found.into_iter().find(|program| program.is_file()))
}

/// Python with a module that is not its own, under the same rule.
pub fn python_with(module: &str) -> Option<PathBuf> {
    let python = tool("python3")?;
    let (good, _) = run(&python, &["-c", &format!("import {module}")]);
    there(&format!("Python's {module}"), good.then_some(python))
}

/// The first of several places where a file may be, under the same rule.
pub fn file(name: &str, places: &[&str]) -> Option<PathBuf> {
    there(name, places.iter().map(PathBuf::from).find(|place| place.is_file()))
}

/// A file or folder below the reference collection (`KEP_REFERENCE`, else `shared/reference` beside
/// the repository), which is not part of the project.
pub fn reference(path: &str) -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("KEP_REFERENCE").map(PathBuf::from);
    let beside = ["../shared/reference", "../../shared/reference"].map(|p| manifest.join(p));
    let found = named.into_iter().chain(beside).map(|base| base.join(path)).find(|p| p.exists());
    if found.is_none() {
        println!("skipped: the reference {path} is not here (set KEP_REFERENCE)");
    }
    found
}

/// Runs a program to its end: whether it was content, and all it said. One that doesn't end is a
/// failure of its test, not of the whole run.
pub fn run<A: AsRef<OsStr>>(program: &Path, arguments: &[A]) -> (bool, Vec<u8>) {
    run_within(PATIENCE, program, arguments)
}

/// The same for what has more to do.
pub fn run_within<A: AsRef<OsStr>>(
    patience: Duration,
    program: &Path,
    arguments: &[A],
) -> (bool, Vec<u8>) {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let (pid, (tell, told)) = (child.id().to_string(), mpsc::channel());
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(ran) = told.recv_timeout(patience) else {
        let killed = Command::new("kill").args(["-KILL", &pid]).status();
        panic!("{} does not end ({killed:?})", program.display());
    };
    let ran = ran.unwrap();
    (ran.status.success(), [ran.stdout, ran.stderr].concat())
}

fn there(name: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    let required = std::env::var_os("KEP_LANES").is_some();
    assert!(found.is_some() || !required, "{name} is not installed, and KEP_LANES is set");
    if found.is_none() {
        println!("skipped: {name} is not installed");
    }
    found
}

/// None of them has more to do than a busy machine does in this.
const PATIENCE: Duration = Duration::from_secs(120);
