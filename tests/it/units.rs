//! The systemd units: hardened as promised, and with sockets the server knows by name.

use crate::lane;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `docs/security.md` promises at most this, in tenths.
const EXPOSURE: &str = "20";

#[test]
fn service_is_hardened() {
    let Some(analyze) = lane::tool("systemd-analyze") else { return };
    let output = Command::new(analyze)
        .args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE])
        .arg(folder().join("kep.service"))
        .output()
        .expect("a program that was found runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", said.lines().last().unwrap_or_default());
}

#[test]
fn sockets_bear_the_names_and_ports_of_the_listeners() {
    let sample =
        std::fs::read_to_string(root().join("conf/kep.toml")).expect("the sample is there");
    let sockets = std::fs::read_dir(folder()).expect("the units are there").flatten();
    let sockets = sockets.map(|entry| entry.path());
    let sockets: Vec<_> =
        sockets.filter(|p| p.extension().is_some_and(|e| e == "socket")).collect();
    assert!(!sockets.is_empty());
    for socket in sockets {
        let text = std::fs::read_to_string(&socket).expect("a listed file is there");
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
        let listener =
            format!("{} = \"[::]:{}\"", value("FileDescriptorName="), value("ListenStream="));
        assert!(sample.contains(&listener), "{}: no {listener} in conf/kep.toml", socket.display());
        assert_eq!(value("Service="), "kep.service", "{}", socket.display());
    }
}

fn folder() -> PathBuf {
    root().join("systemd")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
