//! Texts of mails that an operator replaces: `dispatch.toml`, `evidence.toml` and `stub.toml` in
//! `texts.dir`, each with `title` and `lines` under `[turkish]` and `[english]`.

use crate::failure::{Failure, Outcome};
use kep::registry::Texts;
use kep::wire::rem::{Template, Words};
use serde::Deserialize;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    turkish: Language,
    english: Language,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    title: String,
    lines: Vec<String>,
}

/// The built-in texts, and in their place those of the folder.
pub fn read(dir: Option<&Path>) -> Outcome<Texts> {
    let mut texts = Texts::default();
    let Some(dir) = dir else { return Ok(texts) };
    if !dir.is_dir() {
        return Err(Failure::config(format!("texts.dir: {} is no folder", dir.display())));
    }
    let places = [
        ("dispatch", &mut texts.dispatch),
        ("evidence", &mut texts.evidence),
        ("stub", &mut texts.stub),
    ];
    if let Some(stranger) = stranger(dir, &places.each_ref().map(|(name, _)| *name)) {
        return Err(Failure::config(format!("texts.dir: {} is no text", stranger.display()))
            .hint("dispatch.toml, evidence.toml and stub.toml are"));
    }
    for (name, place) in places {
        if let Some(template) = template(&dir.join(name).with_extension("toml"))? {
            *place = template;
        }
    }
    Ok(texts)
}

/// A text under a name that nobody reads: a slip would leave the built-in one in force.
fn stranger(dir: &Path, names: &[&str]) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|file| file.path());
    files.find(|file| {
        let name = file.file_stem().and_then(|stem| stem.to_str());
        file.extension().is_some_and(|e| e == "toml") && !name.is_some_and(|n| names.contains(&n))
    })
}

fn template(path: &Path) -> Outcome<Option<Template>> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::config(format!("{}: {error}", path.display())).hint(
            "title and lines under [turkish] and [english]; {subject} and the like are filled in",
        )
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(&error)),
    };
    let file: File = toml::from_str(&text).map_err(|error| wrong(&error))?;
    let words = |language: Language| Words { title: language.title, lines: language.lines };
    Ok(Some(Template { turkish: words(file.turkish), english: words(file.english) }))
}
