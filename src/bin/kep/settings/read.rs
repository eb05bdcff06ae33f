//! Takes settings out of a file one by one and notes everything that is wrong with it.

use super::SectionDeclared;
use super::declare::{Default, Setting, written};
use super::kinds::Kind;
use super::nearest::nearest;
use std::fmt;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One thing that is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where; a missing key has no line.
    pub line: Option<usize>,
    pub what: String,
    pub hint: Option<String>,
}

/// Everything that is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// The text without the lines that are wrong.
    pub fn without(&self, text: &str) -> String {
        let wrong = |number| self.0.iter().any(|problem| problem.line == Some(number));
        let lines = text.lines().zip(1..).map(|(line, at)| if wrong(at) { "" } else { line });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// An open file, and what was found wrong so far.
pub struct Reader<'a> {
    text: &'a str,
    base: &'a Path,
    root: DeTable<'a>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A text that is no TOML yields its syntax errors alone: what it leaves out can't be known.
    pub fn open(text: &'a str, base: &'a Path) -> Result<Self, Problems> {
        if text.len() > FILE_MAX {
            let what = format!("the file has {} bytes; at most {FILE_MAX} are read", text.len());
            return Err(Problems(vec![Problem { line: None, what, hint: None }]));
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        let problem = |error: &toml::de::Error| Problem {
            line: error.span().map(|span| line_of(text, span.start)),
            what: error.message().trim_end().replace('\n', ", "),
            hint: None,
        };
        if !errors.is_empty() {
            return Err(Problems(errors.iter().map(problem).collect()));
        }
        Ok(Self { text, base, root: root.into_inner(), problems: Vec::new() })
    }

    /// The value of a setting: the file's, or the default.
    pub fn take<T: Kind>(&mut self, setting: &Setting) -> Option<T> {
        let Some((value, line)) = self.find(setting) else {
            return self.default(setting);
        };
        let read = T::read(value.get_ref(), self.base).and_then(|value| bounded(value, setting));
        read.map_err(|what| {
            let what = format!("{}: {what}", setting.full_key());
            self.problems.push(Problem { line: Some(line), what, hint: Some(form(setting)) });
        })
        .ok()
    }

    /// Notes every key that no setting has.
    pub fn refuse_unknown(&mut self, sections: &[SectionDeclared]) {
        let mut unknown = Vec::new();
        strangers(&self.root, "", sections, &mut unknown);
        let found = unknown.into_iter().map(|(key, place)| Problem {
            line: Some(line_of(self.text, place)),
            hint: suggestion(&key, sections),
            what: format!("{key:?} is no setting"),
        });
        let found: Vec<_> = found.collect();
        self.problems.extend(found);
    }

    /// What was wrong, in the order of the file.
    pub fn close(mut self) -> Problems {
        self.problems.sort_by_key(|problem| problem.line);
        Problems(self.problems)
    }

    fn find(&self, setting: &Setting) -> Option<(Spanned<DeValue<'a>>, usize)> {
        let mut table = &self.root;
        for name in setting.section.split('.') {
            table = table.get(name)?.get_ref().as_table()?;
        }
        let (key, value) = table.get_key_value(setting.key)?;
        Some((value.clone(), line_of(self.text, key.span().start)))
    }

    fn default<T: Kind>(&mut self, setting: &Setting) -> Option<T> {
        match setting.default {
            Default::Is(text) | Default::Packaged(text, _) => {
                from_declared(setting, &written(text), self.base)
            }
            Default::Off(_) | Default::Shown(_) => T::absent(),
            Default::Must(_) => {
                let example = format!("{} = {}", setting.key, setting.default.example());
                self.problems.push(Problem {
                    line: None,
                    what: format!("{} is missing", setting.full_key()),
                    hint: Some(format!("write, in [{}], for example: {example}", setting.section)),
                });
                None
            }
        }
    }
}

/// A declared text as a value. `None` would be a slip in the declaration, which the tests find.
fn from_declared<T: Kind>(setting: &Setting, text: &str, base: &Path) -> Option<T> {
    let line = format!("{} = {text}", setting.key);
    let table = DeTable::parse(&line).ok()?.into_inner();
    T::read(table.get(setting.key)?.get_ref(), base).ok()
}

fn bounded<T: Kind>(value: T, setting: &Setting) -> Result<T, String> {
    let Some((low, high)) = setting.within else { return Ok(value) };
    let measure = |text: &str| {
        from_declared::<T>(setting, text, Path::new("")).and_then(|bound| bound.measure())
    };
    match (measure(low), value.measure(), measure(high)) {
        (Some(low), Some(own), Some(high)) if (low..=high).contains(&own) => Ok(value),
        _ => Err("is out of bounds".to_owned()),
    }
}

fn form(setting: &Setting) -> String {
    let form = setting.form.replace('`', "");
    match setting.within {
        Some((low, high)) => format!("write {form}, from {low} to {high}").replace('\'', "\""),
        None => format!("write {form}"),
    }
}

/// Keys of tables that are neither sections nor settings; `path` ends with a dot.
fn strangers(
    table: &DeTable<'_>,
    path: &str,
    sections: &[SectionDeclared],
    unknown: &mut Vec<(String, usize)>,
) {
    for (key, value) in table.iter() {
        let name = format!("{path}{}", key.get_ref());
        let is_section =
            sections.iter().any(|s| s.name == name || s.name.starts_with(&format!("{name}.")));
        let own =
            sections.iter().filter(|s| format!("{}.", s.name) == path).flat_map(|s| s.settings);
        match value.get_ref().as_table() {
            Some(inner) if is_section => strangers(inner, &format!("{name}."), sections, unknown),
            _ if own.into_iter().any(|setting| setting.key == key.get_ref()) => {}
            _ => unknown.push((name, key.span().start)),
        }
    }
}

fn suggestion(key: &str, sections: &[SectionDeclared]) -> Option<String> {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let own = sections.iter().find(|known| known.name == section);
    let own_keys = own.iter().flat_map(|known| known.settings).map(|setting| setting.key);
    if let Some(near) = nearest(name, own_keys) {
        return Some(format!("did you mean {near:?}?"));
    }
    let all = || sections.iter().flat_map(|known| known.settings);
    let near =
        nearest(name, all().map(|setting| setting.key).chain(sections.iter().map(|s| s.name)))?;
    match all().find(|setting| setting.key == near) {
        Some(setting) => Some(format!("did you mean {near:?} in [{}]?", setting.section)),
        None => Some(format!("did you mean the section [{near}]?")),
    }
}

fn line_of(text: &str, place: usize) -> usize {
    text.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(Problem::to_string).collect();
        f.write_str(&texts.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// The complete sample has about 20 KiB.
const FILE_MAX: usize = 1024 * 1024;
