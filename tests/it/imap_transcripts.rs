//! Dialogues as data. Each file in `tests/transcripts/imap` runs against the pure session whole, cut
//! at every octet, and at seeded random cuts: how the bytes arrive must not change the answer.
//!
//! ```text
//! given user ali@hs05.kep.tr secret     the one account (login is then up to the file)
//! given login                           greeting and login are over
//! given starttls                        the listener offers STARTTLS
//! given mailbox Taslaklar \Drafts       · read-only
//! given mail INBOX (\Seen work) sealed  a message, its lines follow behind `|`
//! given flags INBOX 3 (\Deleted)        someone else sets flags; `given gone INBOX 3` removes
//! given full                            no room for more
//! given whole                           the file makes sense only uncut
//! C: …                                  the client sends this line
//! S: …                                  the server sends this line: `*` (not at its start) is anything,
//!                                       `$name` captures, then stands for what it captured
//! then opened 1 3                       these were opened, in this order; `then opened` for none
//! then closed                           the server has hung up
//! then silence                          the client was silent too long
//! ```

use crate::imap_world::{Mailbox, World};
use kep::mailbox::{Config, Next, Session, Tls, ask::FlagChange};
use kep::wire::imap::{Flags, Keyword, MailboxName, SpecialUse, SystemFlags, UidSet};
use std::collections::HashMap;
use std::path::PathBuf;

#[test]
fn imap_dialogues_run_whole() {
    each(|text| play(text, &mut |bytes| vec![bytes.to_vec()]));
}

#[test]
fn imap_dialogues_do_not_depend_on_cuts() {
    each(|text| {
        if text.lines().any(|line| line == "given whole") {
            return Ok(());
        }
        play(text, &mut |bytes| bytes.chunks(1).map(<[u8]>::to_vec).collect())?;
        (0..20).try_for_each(|seed| {
            let mut dice = Dice(seed * 7919 + 1);
            play(text, &mut |bytes| dice.cut(bytes))
        })
    });
}

#[test]
fn a_session_survives_any_bytes() {
    let mut dice = Dice(42);
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..dice.next() % 400)
            .map(|_| WORDS[dice.next() as usize % WORDS.len()])
            .collect::<Vec<_>>()
            .concat()
            .into_bytes();
        kep::mailbox::session::drive(config(Tls::Active), &bytes);
        let mut world = World { user: ("a".into(), "b".into()), ..World::default() };
        world.boxes.push(Mailbox::new("INBOX", None));
        world.boxes[0].lay_in(
            Flags::default(),
            b"Subject: x\r\n\r\nbody\r\n".to_vec(),
            false,
            None,
        );
        let mut player = Player::new(world, Tls::Active);
        player.send(b"x LOGIN a b\r\ny SELECT INBOX\r\n").unwrap();
        dice.cut(&bytes).iter().for_each(|piece| player.send(piece).unwrap());
    }
}

const WORDS: [&str; 40] = [
    "a ",
    "b ",
    "\r\n",
    "\r\n",
    "\r\n",
    "NOOP",
    "FETCH ",
    "1:*",
    "1 ",
    "FLAGS",
    "(",
    ")",
    "BODY[]",
    "BODY[1.MIME]",
    "UID ",
    "STORE ",
    "+FLAGS ",
    "\\Seen",
    "\\Deleted",
    "EXPUNGE",
    "SEARCH ",
    "ALL",
    "NOT ",
    "LIST ",
    "\"\" ",
    "*",
    "%",
    "APPEND INBOX ",
    "{3+}\r\n",
    "{3}\r\n",
    "IDLE",
    "DONE",
    "SELECT INBOX",
    "CLOSE",
    "AUTHENTICATE PLAIN",
    "=",
    "\0",
    "\u{ff}",
    "COPY ",
    "MOVE 1 INBOX",
];

fn each(run: impl Fn(&str) -> Result<(), String>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/imap");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let failures: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            run(&text).err().map(|why| format!("{}: {why}", file.display()))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn config(tls: Tls) -> Config {
    Config { tls, id: vec![("name".into(), "kep".into())] }
}

fn play(text: &str, cut: &mut dyn FnMut(&[u8]) -> Vec<Vec<u8>>) -> Result<(), String> {
    let tls =
        if text.lines().any(|line| line == "given starttls") { Tls::Offered } else { Tls::Active };
    let mut player = Player::new(World::default(), tls);
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let result = match line.split_once(' ') {
            _ if line.is_empty() || line.starts_with('#') => Ok(()),
            Some(("given", what)) => {
                let mut body = String::new();
                while let Some((_, more)) = lines.next_if(|(_, more)| more.starts_with('|')) {
                    body.push_str(more.strip_prefix("| ").unwrap_or(""));
                    body.push_str("\r\n");
                }
                player.given(what, &body)
            }
            Some(("C:", first)) => {
                let mut bytes = format!("{first}\r\n").into_bytes();
                while let Some((_, more)) = lines.next_if(|(_, more)| more.starts_with("C:")) {
                    bytes.extend_from_slice(more.strip_prefix("C: ").unwrap_or("").as_bytes());
                    bytes.extend_from_slice(b"\r\n");
                }
                player
                    .quiet()
                    .and_then(|()| cut(&bytes).iter().try_for_each(|piece| player.send(piece)))
            }
            Some(("S:", expected)) => player.expect(expected),
            None if line == "S:" => player.expect(""),
            Some(("then", what)) => player.then(what),
            _ => Err("unknown line".to_owned()),
        };
        result.map_err(|why| format!("line {}: {line}\n  {why}", number + 1))?;
    }
    player.quiet()
}

struct Player {
    session: Session,
    world: World,
    said: Vec<u8>,
    captured: HashMap<String, String>,
    closed: bool,
}

impl Player {
    fn new(world: World, tls: Tls) -> Self {
        let session = Session::new(config(tls));
        let mut player =
            Self { session, world, said: Vec::new(), captured: HashMap::new(), closed: false };
        player.run();
        player
    }

    /// Does what the session says until it wants bytes. Whether it idles.
    fn run(&mut self) -> bool {
        loop {
            match self.session.next() {
                Next::Read => return false,
                Next::Wait(_) => return true,
                Next::Send(bytes) => self.said.extend(bytes),
                Next::StartTls => self.session.secured(),
                Next::Ask(ask) => {
                    let answer = self.world.answer(ask);
                    self.session.answer(answer);
                }
                Next::Close => {
                    self.closed = true;
                    return false;
                }
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        if !self.closed {
            self.session.feed(bytes);
            self.run();
        }
        Ok(())
    }

    fn expect(&mut self, expected: &str) -> Result<(), String> {
        let end =
            self.said.windows(2).position(|w| w == b"\r\n").ok_or("the server says nothing")?;
        let line: Vec<u8> = self.said.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line[..end]).into_owned();
        let before = self.captured.clone();
        match matches(expected.as_bytes(), line.as_bytes(), true, &mut self.captured) {
            true => Ok(()),
            false => {
                self.captured = before;
                Err(format!("but the server says: {line}"))
            }
        }
    }

    fn quiet(&self) -> Result<(), String> {
        match self.said.is_empty() {
            true => Ok(()),
            false => Err(format!("the server says more: {}", String::from_utf8_lossy(&self.said))),
        }
    }

    fn given(&mut self, what: &str, body: &str) -> Result<(), String> {
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["starttls" | "whole"] => {}
            ["full"] => self.world.full = true,
            ["user", name, secret] => self.world.user = ((*name).into(), (*secret).into()),
            ["login"] => {
                self.world.user = ("ali".into(), "secret".into());
                self.send(b"x LOGIN ali secret\r\n")?;
                self.said.clear();
            }
            ["mailbox", name, rest @ ..] => {
                let special = rest.first().and_then(|word| SpecialUse::named(word));
                let mut mailbox = Mailbox::new(&name.replace('_', " "), special);
                mailbox.read_only = rest.contains(&"read-only");
                mailbox.subscribed = !rest.contains(&"unsubscribed");
                self.world.boxes.push(mailbox);
            }
            ["mail", name, ..] => {
                let (flags, sealed) = (flags(what), words.contains(&"sealed"));
                self.mailbox(name)?.lay_in(flags, body.as_bytes().to_vec(), sealed, None);
            }
            ["mails", name, count] => {
                for number in 1..=count.parse().map_err(|_| "bad count")? {
                    let mail = format!("Subject: mail {number}\r\n\r\nbody {number}\r\n");
                    self.mailbox(name)?.lay_in(Flags::default(), mail.into_bytes(), false, None);
                }
            }
            ["gone", name, uid] => {
                let uid = uid.parse().map_err(|_| "bad uid")?;
                self.mailbox(name)?.take_out(&UidSet::one(uid));
            }
            ["flags", name, uid, ..] => {
                let uid = uid.parse().map_err(|_| "bad uid")?;
                let flags = flags(what);
                self.mailbox(name)?.flag(&UidSet::one(uid), FlagChange::Add, &flags);
            }
            _ => return Err("unknown given".to_owned()),
        }
        if self.run() {
            self.session.changed();
            self.run();
        }
        Ok(())
    }

    fn mailbox(&mut self, name: &str) -> Result<&mut Mailbox, String> {
        let name = MailboxName::parse(&name.replace('_', " ")).ok_or("bad name")?;
        self.world.find(&name).ok_or_else(|| "no such mailbox".to_owned())
    }

    fn then(&mut self, what: &str) -> Result<(), String> {
        let words: Vec<&str> = what.split(' ').collect();
        match words.as_slice() {
            ["closed"] => match self.closed {
                true => Ok(()),
                false => Err("but it is open".to_owned()),
            },
            ["silence"] => {
                self.session.timeout();
                self.run();
                Ok(())
            }
            ["opened", uids @ ..] => {
                let opened: Vec<String> =
                    self.world.opened.iter().map(ToString::to_string).collect();
                match opened == uids {
                    true => Ok(()),
                    false => Err(format!("but opened were {opened:?}")),
                }
            }
            _ => Err("unknown then".to_owned()),
        }
    }
}

/// The flags between parentheses.
fn flags(text: &str) -> Flags {
    let inner = text
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("", |(inner, _)| inner);
    let system =
        inner.split(' ').filter_map(SystemFlags::named).fold(SystemFlags::default(), |a, b| a | b);
    Flags { system, keywords: inner.split(' ').filter_map(Keyword::parse).collect() }
}

fn matches(
    pattern: &[u8],
    text: &[u8],
    start: bool,
    captured: &mut HashMap<String, String>,
) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] if !start => {
            (0..=text.len()).any(|skip| matches(rest, &text[skip..], false, captured))
        }
        [b'$', first, ..] if first.is_ascii_lowercase() => {
            let name = pattern[1..].iter().take_while(|b| b.is_ascii_lowercase()).count();
            let (name, rest) = pattern[1..].split_at(name);
            let name = String::from_utf8_lossy(name).into_owned();
            let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
            let found = String::from_utf8_lossy(&text[..digits]).into_owned();
            let known = captured.entry(name).or_insert_with(|| found.clone()).clone();
            !found.is_empty() && known == found && matches(rest, &text[digits..], false, captured)
        }
        [c, rest @ ..] => text.first() == Some(c) && matches(rest, &text[1..], false, captured),
    }
}

/// A seeded generator: the same cuts in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn cut(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, more) = rest.split_at((self.next() as usize % 30 + 1).min(rest.len()));
            pieces.push(piece.to_vec());
            rest = more;
        }
        pieces
    }
}
