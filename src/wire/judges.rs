//! For tests only: outside judges and the schemas and samples that are not part of the project.
//! What is absent is said on standard output, never silently passed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A file or folder below the reference collection (`KEP_REFERENCE`, else `../shared/reference`
/// beside the repository).
pub(crate) fn reference(path: &str) -> Option<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("KEP_REFERENCE").map(PathBuf::from);
    let beside = ["../shared/reference", "../../shared/reference"].map(|p| manifest.join(p));
    let found = named.into_iter().chain(beside).map(|base| base.join(path)).find(|p| p.exists());
    if found.is_none() {
        println!("skipped: the reference {path} is not here (set KEP_REFERENCE)");
    }
    found
}

/// Runs a tool; `None` when it is not installed, else whether it was content and what it said.
pub(crate) fn judge(tool: &str, arguments: &[&std::ffi::OsStr]) -> Option<(bool, String)> {
    let run = Command::new(tool).args(arguments).stdin(Stdio::null()).output();
    let Ok(output) = run else {
        println!("skipped: {tool} is not installed");
        return None;
    };
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}
