//! Dialogues as data: what stands in a file of `tests/transcripts/imap`, and a stage that plays it. The
//! pure session is one stage (`imap_transcripts.rs`), the server before a socket another.
//!
//! ```text
//! given user ali@hs05.kep.tr secret     the one account (login is then up to the file)
//! given login                           greeting and login are over
//! given starttls                        the listener offers STARTTLS
//! given nonce                           SCRAM as in the example of RFC 7677: its salt, its nonce
//! given mailbox Taslaklar \Drafts       · read-only · unsubscribed; `_` stands for a space
//! given mail INBOX (\Seen work) sealed  a message, its lines follow behind `|`
//! given mails INBOX 5                   so many small ones; with `new` nobody was told of them, as of
//!                                       a mail
//! given flags INBOX 3 (\Deleted)        someone else sets flags; `given gone INBOX 3` removes
//! given mail INBOX () stub              a notice that stands for an unopened dispatch
//! given annotation INBOX /private/x 1   someone else sets one; `server` is the server, no value takes it away
//! given whole                           the file makes sense only uncut
//! C: …                                  the client sends this line; lines in a row go together
//! S: …                                  the server sends this line: `*` (not at its start) is anything,
//!                                       `$name` a number, the same wherever it stands; MAILBOXID
//!                                       of SELECT need not be expected
//! then opened 1 3                       these were opened, in this order; `then opened` for none
//! then closed                           the server has hung up
//! then silence                          the client is silent for too long
//! ```

use std::collections::HashMap;

/// One step of a dialogue, with the number of its line.
pub struct Step {
    pub line: usize,
    pub what: What,
}

pub enum What {
    Given { words: String, body: Vec<u8> },
    Client(Vec<u8>),
    Server(String),
    Then(String),
}

/// Where a dialogue is played.
pub trait Stage {
    fn given(&mut self, words: &str, body: &[u8]) -> Result<(), String>;
    fn send(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// The server's next line, without its line end.
    fn line(&mut self) -> Result<Vec<u8>, String>;
    /// The server has nothing more to say.
    fn quiet(&mut self) -> Result<(), String>;
    fn then(&mut self, words: &str) -> Result<(), String>;
}

pub fn read(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let mut block = |prefix: &str| {
            let mut bytes = Vec::new();
            while let Some((_, more)) = lines.next_if(|(_, more)| more.starts_with(prefix)) {
                let more = more.strip_prefix(prefix).unwrap_or_default();
                bytes.extend_from_slice(more.strip_prefix(' ').unwrap_or(more).as_bytes());
                bytes.extend_from_slice(b"\r\n");
            }
            bytes
        };
        let what = match line.split_once(' ').unwrap_or((line, "")) {
            ("" | "#", _) => continue,
            ("given", words) => What::Given { words: words.to_owned(), body: block("|") },
            ("C:", first) => What::Client([first.as_bytes(), b"\r\n", &block("C:")].concat()),
            ("S:", expected) => What::Server(expected.to_owned()),
            ("then", words) => What::Then(words.to_owned()),
            _ => return Err(format!("line {}: unknown: {line}", number + 1)),
        };
        steps.push(Step { line: number + 1, what });
    }
    Ok(steps)
}

/// Plays a dialogue, the client's bytes in the pieces `cut` makes.
pub fn play(
    steps: &[Step],
    stage: &mut impl Stage,
    cut: &mut dyn FnMut(&[u8]) -> Vec<Vec<u8>>,
) -> Result<(), String> {
    let mut captured = HashMap::new();
    for step in steps {
        let result = match &step.what {
            What::Given { words, body } => stage.given(words, body),
            What::Client(bytes) => stage
                .quiet()
                .and_then(|()| cut(bytes).iter().try_for_each(|piece| stage.send(piece))),
            What::Server(expected) => heard(stage, expected).and_then(|line| {
                match matches(expected.as_bytes(), &line, true, &mut captured) {
                    true => Ok(()),
                    false => {
                        let line = String::from_utf8_lossy(&line);
                        Err(format!("expected: {expected}\n  but came: {line}"))
                    }
                }
            }),
            What::Then(words) => stage.then(words),
        };
        result.map_err(|why| format!("line {}: {why}", step.line))?;
    }
    stage.quiet()
}

/// The next line; MAILBOXID, which each SELECT says, only to those who expect it.
fn heard(stage: &mut impl Stage, expected: &str) -> Result<Vec<u8>, String> {
    let line = stage.line()?;
    match line.starts_with(b"* OK [MAILBOXID") && !expected.contains("MAILBOXID") {
        true => stage.line(),
        false => Ok(line),
    }
}

fn matches(pattern: &[u8], text: &[u8], start: bool, seen: &mut HashMap<Vec<u8>, Vec<u8>>) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] if !start => {
            (0..=text.len()).any(|skip| matches(rest, &text[skip..], false, seen))
        }
        [b'$', rest @ ..] if rest.first().is_some_and(u8::is_ascii_lowercase) => {
            let name = rest.iter().take_while(|b| b.is_ascii_lowercase()).count();
            let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
            let known =
                seen.entry(rest[..name].to_vec()).or_insert_with(|| text[..digits].to_vec());
            digits > 0
                && *known == text[..digits]
                && matches(&rest[name..], &text[digits..], false, seen)
        }
        [c, rest @ ..] => text.first() == Some(c) && matches(rest, &text[1..], false, seen),
    }
}

/// A seeded generator: the same cuts in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }

    pub fn cut(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at((self.next() % 30 + 1).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = more;
        }
        pieces
    }
}
