//! Reads the repository's source: no parser, a line scanner that knows comments and strings.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A source file.
pub struct File {
    /// From the root, with slashes.
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of strings blanked, line by line as long as it was.
    code: String,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every `.rs` file below a folder, in order.
pub fn rust_files(folder: &str) -> Vec<File> {
    let with = |(path, text): (String, String)| File { code: blanked(&text), path, text };
    let below = files("rs").into_iter().filter(|(path, _)| path.starts_with(&format!("{folder}/")));
    below.map(with).collect()
}

/// Every tracked file with that ending, and its text.
pub fn text_files(ending: &str) -> Vec<(String, String)> {
    files(ending)
}

/// What git tracks or would add; without git, every file outside `target`.
pub fn tracked_files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut paths: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
        }
        _ => walk(root()).iter().filter_map(|path| relative(path)).collect(),
    };
    paths.retain(|path| root().join(path).is_file());
    paths.sort();
    paths
}

impl File {
    /// The folder or file directly below `src`: `src/wire/mod.rs` and `src/wire.rs` are of `wire`.
    pub fn room(&self) -> Option<String> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?;
        Some(first.trim_end_matches(".rs").to_owned())
    }

    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub fn is_test_file(&self) -> bool {
        self.name() == "tests.rs" || self.path.contains("/tests/")
    }

    /// Lines with their numbers, without comments and the insides of strings.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(number, line)| (number + 1, line))
    }

    /// Code lines without the items that only tests have; none of a file of tests.
    pub fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.test_items();
        let none = self.is_test_file();
        let tested = move |line: &usize| none || tests.iter().any(|item| item.contains(line));
        self.code_lines().filter(move |(line, _)| !tested(line))
    }

    /// The lines of each item under `#[cfg(test)]`.
    fn test_items(&self) -> Vec<RangeInclusive<usize>> {
        let (mut place, mut found) = (0, Vec::new());
        for (line, text) in self.code_lines() {
            let rest = &self.code[place..];
            place += text.len() + 1;
            if text.trim() == "#[cfg(test)]" {
                let end = body_end(rest).or_else(|| rest.find(';')).unwrap_or(rest.len());
                found.push(line..=line + rest[..end].matches('\n').count());
            }
        }
        found
    }

    /// Rooms named by `crate::room` or inside `crate::{a, b}`, and by as many `super::` as lead to
    /// the root, with the line.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for start in ["crate::", "super::"] {
            for (place, _) in self.code.match_indices(start) {
                let before = self.code[..place].chars().next_back();
                if before.is_some_and(|c| is_word(c) || c == '$' || c == ':') {
                    continue;
                }
                let Some(rest) = self.from_root(&self.code[place..]) else { continue };
                let line = self.code[..place].matches('\n').count() + 1;
                let names = match rest.strip_prefix('{') {
                    Some(group) => group_heads(group),
                    None => vec![identifier(rest)],
                };
                found.extend(names.into_iter().map(|name| (line, name)));
            }
        }
        found.sort();
        found
    }

    /// What follows in a path after the root of the crate; `None` for one that stays below.
    fn from_root<'c>(&self, path: &'c str) -> Option<&'c str> {
        if let Some(rest) = path.strip_prefix("crate::") {
            return Some(rest);
        }
        let (mut rest, mut up) = (path, 0);
        while let Some(next) = rest.strip_prefix("super::") {
            (rest, up) = (next, up + 1);
        }
        // A module inside the file (its tests) stands one lower.
        (up >= self.depth()).then_some(rest)
    }

    /// How many modules the file is below the root: `src/store/rows/mod.rs` is two.
    fn depth(&self) -> usize {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|part| *part != "mod").count()
    }

    /// Functions with a body: line, name and length in lines.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = Vec::new();
        for (place, _) in self.code.match_indices("fn ") {
            let before = self.code[..place].chars().next_back();
            let name = identifier(&self.code[place + 3..]);
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') || name.is_empty() {
                continue;
            }
            if let Some(end) = body_end(&self.code[place..]) {
                let line = self.code[..place].matches('\n').count() + 1;
                let length = self.code[place..place + end].matches('\n').count() + 1;
                found.push((line, name, length));
            }
        }
        found
    }
}

/// The words of a line of code.
pub fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Whether a line names a crate at the start of a path: `krate::…`, `use krate;`.
pub fn names_crate(code: &str, krate: &str) -> bool {
    code.match_indices(krate).any(|(place, _)| {
        let before = code[..place].trim_end();
        let after = &code[place + krate.len()..];
        let starts = !before.ends_with("::") && !code[..place].ends_with(is_word);
        let used = before.ends_with("use") && after.starts_with(';');
        starts && (after.starts_with("::") || used)
    })
}

pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Relative targets of Markdown links, without fragments.
pub fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.contains(' '))
        .collect()
}

fn files(ending: &str) -> Vec<(String, String)> {
    let ending = format!(".{ending}");
    let paths = tracked_files().into_iter().filter(|path| path.ends_with(&ending));
    paths
        .filter_map(|path| Some((path.clone(), std::fs::read_to_string(root().join(path)).ok()?)))
        .collect()
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let skipped = path.file_name().is_some_and(|name| name == "target" || name == ".git");
        match path.is_dir() {
            true if !skipped => found.extend(walk(&path)),
            true => {}
            false => found.push(path),
        }
    }
    found
}

fn relative(path: &Path) -> Option<String> {
    Some(path.strip_prefix(root()).ok()?.to_str()?.replace('\\', "/"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| is_word(*c)).collect()
}

/// The first names inside a group `a::x, b::{c, d}}`, up to its closing brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            _ => {}
        }
        if depth == 0
            && c != ','
            && let Some(head) = heads.last_mut()
        {
            head.push(c);
        }
    }
    heads.iter().map(|head| identifier(head.trim())).collect()
}

/// Where the body of a function ends that begins here; `None` for a declaration without body.
fn body_end(code: &str) -> Option<usize> {
    let mut braces = 0_usize;
    let mut brackets = 0_i32;
    for (place, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' if braces <= 1 => return (braces == 1).then_some(place),
            '}' => braces -= 1,
            ';' if braces == 0 && brackets == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The text with comments, strings and characters blanked, newlines kept.
fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let end = match (c, chars.get(at + 1)) {
            ('/', Some('/')) => line_end(&chars, at),
            ('/', Some('*')) => comment_end(&chars, at),
            ('"', _) => string_end(&chars, at + 1),
            ('r', Some('"' | '#'))
                if !at.checked_sub(1).is_some_and(|b| is_word(chars[b]) && chars[b] != 'b') =>
            {
                raw_string_end(&chars, at).unwrap_or(at)
            }
            ('\'', Some('\\')) => {
                chars[at + 2..].iter().skip(1).position(|c| *c == '\'').map_or(at, |n| at + n + 4)
            }
            ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
            _ => at,
        };
        if end == at {
            out.push(c);
            at += 1;
        } else {
            out.extend(
                chars[at..end.min(chars.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |n| at + n)
}

fn comment_end(chars: &[char], at: usize) -> usize {
    chars[at + 2..]
        .windows(2)
        .position(|pair| pair == ['*', '/'])
        .map_or(chars.len(), |n| at + n + 4)
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"…"`, `r#"…"#`; `None` for a raw identifier.
fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let open = at + 1 + hashes;
    (chars.get(open) == Some(&'"')).then_some(())?;
    let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = chars[open + 1..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(chars.len(), |n| open + 1 + n + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        File { path: "src/wire/a.rs".into(), text: text.into(), code: blanked(text) }
    }

    #[test]
    fn comments_and_strings_are_not_code() {
        let text = "let a = \"async \\\" fn\"; // await\n/* crate::x */ let b = r#\"crate::\"y\"#; 'a' '\\'' fn<'a>";
        let code = blanked(text);
        assert_eq!(code.lines().count(), 2);
        assert!(!code.contains("async") && !code.contains("await") && !code.contains("crate"));
        assert!(
            code.contains("let a =") && code.contains("let b =") && code.contains("fn<'a>"),
            "{code}"
        );
    }

    #[test]
    fn rooms_are_found_in_paths_and_groups() {
        let file = file(
            "use crate::store::Rows;\nuse crate::{spool, wire::{a, b}};\nlet x = crate::trust::y();\nuse $crate::z;",
        );
        let rooms = [(1, "store"), (2, "spool"), (2, "wire"), (3, "trust")];
        assert_eq!(file.crate_paths(), rooms.map(|(line, room)| (line, room.to_owned())));
    }

    #[test]
    fn rooms_are_found_by_climbing() {
        let found = |text: &str| file(text).crate_paths();
        // The file is `wire::a`.
        assert_eq!(found("use super::b::c;"), []);
        assert_eq!(found("use super::super::store::X;"), [(1, "store".to_owned())]);
        let two = [(1, "spool".to_owned()), (1, "trust".to_owned())];
        assert_eq!(found("use super::super::{trust::Y, spool};"), two);
        assert_eq!(found("use super::super::super::mailbox;"), [(1, "mailbox".to_owned())]);
    }

    #[test]
    fn tests_in_the_middle_hide_nothing_after_them() {
        let text =
            "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nfn c() {\n}\nfn d() {}";
        let file = file(text);
        let left: Vec<_> = file.production_lines().map(|(line, _)| line).collect();
        assert_eq!(left, [1, 4, 8]);
    }

    #[test]
    fn functions_are_measured_to_their_closing_brace() {
        let file = file(
            "fn a() {\n  if x { y }\n}\ntrait T { fn b(x: [u8; 2]); }\nconst fn c() -> u8 { 1 }\n",
        );
        let found = [(1, "a", 3), (5, "c", 1)];
        assert_eq!(
            file.functions(),
            found.map(|(line, name, length)| (line, name.to_owned(), length))
        );
    }

    #[test]
    fn crates_are_named_at_the_start_of_a_path() {
        for (code, named) in [
            ("use openssl::pkey;", true),
            ("let x = openssl::sha();", true),
            ("use openssl;", true),
            ("crate::openssl::x", false),
            ("my_openssl::x", false),
            ("let openssl = 1;", false),
        ] {
            assert_eq!(names_crate(code, "openssl"), named, "{code}");
        }
    }
}
