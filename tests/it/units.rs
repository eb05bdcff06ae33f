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

/// A wrong PIN in a loop of restarts locks the token; a closed store (74) wants one.
#[test]
fn what_a_restart_does_not_mend_is_not_restarted() {
    let service = std::fs::read_to_string(folder().join("kep.service")).expect("the unit is there");
    let codes = service.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    let codes: Vec<_> = codes.unwrap_or_default().split(' ').collect();
    assert!(codes.contains(&"78") && !codes.contains(&"74"), "{codes:?}");
}

/// Where the shipped configuration puts things, the unit may read, or write, them.
#[test]
fn sample_and_unit_agree_on_every_path() {
    let text = |name: &str| std::fs::read_to_string(root().join(name)).expect("a shipped file");
    let (service, folders) = (text("systemd/kep.service"), text("systemd/kep.tmpfiles"));
    let value =
        |key: &str| service.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    let sample: toml::Table = toml::from_str(&text("conf/kep.toml")).expect("the sample is TOML");
    let state = format!("/var/lib/{}", value("StateDirectory="));
    assert_eq!(sample["data"]["dir"].as_str(), Some(state.as_str()));
    assert_eq!(value("WorkingDirectory="), state);
    let configuration = format!("/etc/{}", value("ConfigurationDirectory="));
    let conf = format!("--conf {configuration}/kep.toml");
    assert!(value("ExecStart=").ends_with(&conf), "{}", value("ExecStart="));

    let made = |folder: &str| {
        let mut lines = folders.lines().filter_map(|line| line.strip_prefix("d "));
        lines.any(|line| line.split(' ').next() == Some(folder))
    };
    let own = |file: &str| {
        let lines = folders.lines().filter_map(|line| line.strip_prefix("z "));
        lines.filter_map(|line| line.strip_suffix(" 0600 kep kep")).any(|pattern| {
            pattern == file
                || pattern.strip_suffix('*').is_some_and(|folder| file.starts_with(folder))
        })
    };
    // Commented ones are the defaults, relative to the configuration.
    let paths = [("tls", "certificate"), ("seal", "certificate")];
    let keys = [("tls", "key"), ("seal", "key"), ("vault", "master_key")];
    let anchors = ["user_anchors", "seal_anchors", "tsa_anchors"].map(|key| ("trust", key));
    for (section, key) in paths.iter().chain(&keys).chain(&anchors) {
        let path = path_in(&text("conf/kep.toml"), section, key);
        let path = Path::new(&configuration).join(path);
        let folder = if *section == "trust" { Some(path.as_path()) } else { path.parent() };
        let folder = folder.and_then(Path::to_str).expect("a folder");
        assert!(made(folder), "{section}.{key}: {folder} is not made by kep.tmpfiles");
        let secret = keys.contains(&(section, key));
        let path = path.to_str().expect("a path");
        assert!(!secret || own(path), "{section}.{key}: {path} is not kep's own by kep.tmpfiles");
    }
}

/// The value of a line of the sample, commented or not.
fn path_in(sample: &str, section: &str, key: &str) -> String {
    let header = format!("[{section}]");
    let within = sample.lines().skip_while(|line| *line != header).skip(1);
    let mut lines = within.take_while(|line| !line.starts_with('['));
    let value =
        lines.find_map(|line| line.trim_start_matches('#').strip_prefix(key)?.strip_prefix(" = "));
    value.unwrap_or_else(|| panic!("{section}.{key}")).trim_matches('"').to_owned()
}

fn folder() -> PathBuf {
    root().join("systemd")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
