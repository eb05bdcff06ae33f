use super::*;
use crate::wire::rem::Event;
use world::{ALI, AYSE, World};

mod bounds;
mod documents;
mod foreign;
mod golden;
mod mails;
mod revoked;
mod sound;
mod together;
mod touched;
pub(crate) mod world;
mod wrapped;

/// The names of the checks in that state, the file's own ones.
fn named(report: &Report, state: State) -> Vec<&'static str> {
    let found = report.checks.iter().filter(|check| check.state == state);
    let mut names: Vec<_> = found.map(|check| check.name.as_str()).collect();
    names.dedup();
    names
}

fn bad(report: &Report) -> Vec<&'static str> {
    named(report, State::Bad)
}

/// The details of all checks of that name, in one text.
fn details(report: &Report, name: Name) -> String {
    let found = report.checks.iter().filter(|check| check.name == name);
    found
        .map(|check| format!("{} · {}", check.turkish, check.detail))
        .collect::<Vec<_>>()
        .join("\n")
}

fn replaced(octets: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(octets).unwrap();
    assert!(text.contains(from), "{from} is not there");
    text.replacen(from, to, 1).into_bytes()
}
