//! Transcripts: a dialogue as people of the field write it, played against what we built.
//!
//! ```text
//! # path — what it shows
//! given account ali@hs05.kep.tr gizli     words about the world, read by the driver
//! C: EHLO client                          a line from the client, CRLF added
//! C= raw\r\n octets{.*1000}               octets as written: \r \n \0 \t \\ \xHH, {text*count}
//! C! tls                                  the client does its half of the handshake
//! S: 250-*                                a line from the server; * matches anything, $name
//!                                         remembers a word or repeats it; $(base64 text) encodes
//! S! closed                               the server has closed
//! then accepted 1                         what the world looks like now, read by the driver
//! ```
//!
//! A driver that cannot give or see something (a socket sees no pauses) leaves that file out.
//! `C:` lines up to the next `S:` are sent at once (pipelined).

use data_encoding::BASE64;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Transcript {
    pub path: PathBuf,
    pub given: Vec<String>,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub enum Step {
    /// Octets from the client, all to be sent before the next expectation.
    Client(Vec<u8>),
    ClientTls,
    Server {
        line: usize,
        pattern: String,
    },
    ServerCloses {
        line: usize,
    },
    Then {
        line: usize,
        words: String,
    },
}

impl Transcript {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut transcript = Self { path: path.to_owned(), given: Vec::new(), steps: Vec::new() };
        for (index, line) in text.lines().enumerate() {
            transcript.line(index + 1, line);
        }
        assert!(!transcript.steps.is_empty(), "{} is empty", path.display());
        transcript
    }

    fn line(&mut self, line: usize, text: &str) {
        let rest = |mark: &str| text.strip_prefix(mark).map(|t| t.strip_prefix(' ').unwrap_or(t));
        if let Some(words) = rest("C:") {
            let words = encoded(words);
            self.client(format!("{words}\r\n").into_bytes());
        } else if let Some(raw) = rest("C=") {
            self.client(unescaped(raw));
        } else if text == "C! tls" {
            self.steps.push(Step::ClientTls);
        } else if let Some(pattern) = rest("S:") {
            self.steps.push(Step::Server { line, pattern: pattern.to_owned() });
        } else if text == "S! closed" {
            self.steps.push(Step::ServerCloses { line });
        } else if let Some(words) = rest("given") {
            self.given.push(words.to_owned());
        } else if let Some(words) = rest("then") {
            self.steps.push(Step::Then { line, words: words.to_owned() });
        } else {
            assert!(
                text.is_empty() || text.starts_with('#'),
                "{}:{line}: what is {text:?}?",
                self.path.display()
            );
        }
    }

    fn client(&mut self, octets: Vec<u8>) {
        match self.steps.last_mut() {
            Some(Step::Client(before)) => before.extend(octets),
            _ => self.steps.push(Step::Client(octets)),
        }
    }
}

/// All transcripts below a folder, in order.
pub fn below(folder: &str) -> Vec<Transcript> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(folder);
    let mut paths = Vec::new();
    let mut open = vec![root];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { paths.push(path) }
        }
    }
    paths.sort();
    paths.iter().map(|path| Transcript::read(path)).collect()
}

/// Does a line fit its pattern? Names bind at their first use.
pub fn fits(pattern: &str, line: &str, names: &mut HashMap<String, String>) -> bool {
    let Some(special) = pattern.find(['*', '$']) else { return pattern == line };
    let (head, tail) = pattern.split_at(special);
    let Some(rest) = line.strip_prefix(head) else { return false };
    if let Some(after) = tail.strip_prefix('*') {
        return (0..=rest.len())
            .filter_map(|at| rest.get(at..))
            .any(|rest| fits(after, rest, &mut names.clone()) && fits(after, rest, names));
    }
    let name: String = tail.chars().skip(1).take_while(|c| c.is_ascii_alphanumeric()).collect();
    let after = &tail[1 + name.len()..];
    let word: String = match names.get(&name) {
        Some(known) => known.clone(),
        None => rest.chars().take_while(|c| !c.is_whitespace()).collect(),
    };
    let Some(rest) = rest.strip_prefix(word.as_str()) else { return false };
    names.insert(name, word);
    fits(after, rest, names)
}

/// `$(base64 …)` with escapes inside becomes base64.
fn encoded(words: &str) -> String {
    let Some(start) = words.find("$(base64 ") else { return words.to_owned() };
    let end = start + words[start..].find(')').expect("an open $( is closed");
    let inside = unescaped(&words[start + "$(base64 ".len()..end]);
    format!("{}{}{}", &words[..start], BASE64.encode(&inside), encoded(&words[end + 1..]))
}

pub fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => rest = escape(rest, &mut octets),
            '{' if rest.contains('*') && rest.contains('}') => {
                let (inside, after) = rest.split_once('}').unwrap();
                let (piece, count) = inside.rsplit_once('*').unwrap();
                octets.extend(unescaped(piece).repeat(count.parse().unwrap()));
                rest = after;
            }
            c => octets.extend(c.to_string().into_bytes()),
        }
    }
    octets
}

fn escape<'a>(rest: &'a str, octets: &mut Vec<u8>) -> &'a str {
    let (octet, used) = match rest.as_bytes().first() {
        Some(b'r') => (b'\r', 1),
        Some(b'n') => (b'\n', 1),
        Some(b't') => (b'\t', 1),
        Some(b'0') => (0, 1),
        Some(b'\\') => (b'\\', 1),
        Some(b'x') => (u8::from_str_radix(&rest[1..3], 16).unwrap(), 3),
        other => panic!("unknown escape {other:?}"),
    };
    octets.push(octet);
    &rest[used..]
}

#[test]
fn patterns_bind_names_and_skip_over_stars() {
    let mut names = HashMap::new();
    assert!(fits("250 2.0.0 $id", "250 2.0.0 abc@x", &mut names));
    assert!(fits("250 2.0.0 $id", "250 2.0.0 abc@x", &mut names));
    assert!(!fits("250 2.0.0 $id", "250 2.0.0 abd@x", &mut names));
    assert!(fits("550 * yok@x *", "550 5.1.1 yok@x nobody", &mut names));
    assert!(!fits("250 ok", "250 okay", &mut names));
    assert_eq!(unescaped(r"a\r\n{.\n*2}\x00"), b"a\r\n.\n.\n\0");
    assert_eq!(encoded(r"AUTH PLAIN $(base64 \0a\0b)"), "AUTH PLAIN AGEAYg==");
}
