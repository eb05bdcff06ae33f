//! The sample file and the page, both written from the declarations.

use super::Settings;
use super::declare::{Default, Setting, written};
use std::collections::BTreeMap;
use std::fmt::Write;

/// `conf/kep.toml`: complete, with what must be fitted to a provider switched on.
pub fn sample() -> String {
    file(|setting| match setting.default {
        Default::Must(_) | Default::Shown(_) | Default::Packaged(..) => {
            Some(setting.default.example())
        }
        Default::Is(_) | Default::Off(_) => None,
    })
}

/// A complete file that sets these keys (`accept.max_size`) and shows the others in comments. An
/// undeclared key is the error.
pub fn conf(values: &BTreeMap<&str, toml::Value>) -> Result<String, String> {
    let declared = |key: &str| {
        Settings::declared()
            .iter()
            .flat_map(|s| s.settings)
            .any(|setting| setting.full_key() == key)
    };
    match values.keys().find(|key| !declared(key)) {
        Some(key) => Err(format!("{key:?} is no setting")),
        None => {
            Ok(file(|setting| values.get(setting.full_key().as_str()).map(toml::Value::to_string)))
        }
    }
}

fn file(value: impl Fn(&Setting) -> Option<String>) -> String {
    let mut out = String::from(CONF_HEAD);
    for section in Settings::declared() {
        let _ = write!(out, "\n\n{}[{}]\n", comment(&joined(section.about)), section.name);
        for setting in section.settings {
            out.push('\n');
            out.push_str(&entry(setting, value(setting)));
        }
    }
    out
}

/// `docs/settings.md`: the same as a page.
pub fn page() -> String {
    let mut out = String::from(PAGE_HEAD);
    for section in Settings::declared() {
        let _ = write!(out, "\n## `[{}]`\n\n{}\n", section.name, joined(section.about));
        out.push_str(
            "\n| key | default | how it is written | what it does; why so |\n|---|---|---|---|\n",
        );
        out.push_str(&section.settings.iter().map(row).collect::<String>());
    }
    out
}

fn entry(setting: &Setting, value: Option<String>) -> String {
    let bounds = bounds(setting).map(|bounds| format!(" {}.", upper(&bounds))).unwrap_or_default();
    let silent = match (setting.default, &value) {
        (Default::Off(_) | Default::Shown(_), _) => " Not set by default.".to_owned(),
        (Default::Packaged(text, _), Some(_)) => format!(" Default: {}.", written(text)),
        _ => String::new(),
    };
    let text = format!("{} ({}.){bounds}{silent}", joined(setting.doc), upper(setting.why));
    let line = match (value, setting.default) {
        (Some(value), _) => format!("{} = {value}\n", setting.key),
        (None, Default::Packaged(text, _)) => format!("#{} = {}\n", setting.key, written(text)),
        (None, default) => format!("#{} = {}\n", setting.key, default.example()),
    };
    comment(&text.replace('`', "")) + &line
}

fn row(setting: &Setting) -> String {
    let default = match setting.default {
        Default::Is(text) | Default::Packaged(text, _) => format!("`{}`", written(text)),
        Default::Must(_) => "**must be named**".to_owned(),
        Default::Off(_) | Default::Shown(_) => "not set".to_owned(),
    };
    let bounds = bounds(setting).map(|bounds| format!("; {bounds}")).unwrap_or_default();
    let text = format!("{} *{}.*", joined(setting.doc), upper(setting.why));
    format!("| `{}` | {default} | {}{bounds} | {text} |\n", setting.key, setting.form)
}

fn bounds(setting: &Setting) -> Option<String> {
    let (low, high) = setting.within?;
    Some(format!("from {low} to {high}").replace('\'', ""))
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The text in comment lines of at most `WIDTH`.
fn comment(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        let full = |line: &String| line.chars().count() + 1 + word.chars().count() > WIDTH;
        if lines.last().is_some_and(full) {
            lines.push(String::from("#"));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

const WIDTH: usize = 100;

const CONF_HEAD: &str = "\
# The settings of kep: each with its default, its reason and its bounds. A commented line shows the
# default (or an example, where it says not set); the others must be fitted to your provider.
# Paths are relative to this file. Secrets never stand here: files with them are named.
# Written by the program's own tests from src/bin/kep/settings/sections.rs; `kep check` reads it.
";

const PAGE_HEAD: &str = "\
# Settings

Every key of the configuration file (`kep serve --conf FILE`; a complete one is `conf/kep.toml`).
Unknown keys are errors, with the nearest known one as a hint; `kep check` says everything that is
wrong at once. Paths are relative to the file. Secrets never stand in it: files with them are named.

This page is written by the program's own tests from `src/bin/kep/settings/sections.rs`
(`KEP_BLESS=1 cargo test --bin kep settings`).
";
