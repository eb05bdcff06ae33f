//! The dialogues of `tests/transcripts/imap` against the pure session: whole, cut at every octet, and at
//! seeded random cuts, because how bytes arrive must not change the answer.

use crate::imap_script::{Dice, Stage, Step, play, read};
use crate::imap_world::{Mailbox, World};
use imap_codec::decode::Decoder;
use imap_codec::{GreetingCodec, ResponseCodec};
use kep::mailbox::ask::{
    Answer, Ask, Changes, FlagChange, FlagRow, Found, LoggedIn, MailboxEntry, MailboxKind, Opening,
    Refusal, Row, Selected, ThreadToken,
};
use kep::mailbox::{Config, Next, Session, Tls};
use kep::wire::imap::metadata::EntryName;
use kep::wire::imap::{
    Flags, Keyword, Keywords, MailboxName, Rights, SpecialUse, SystemFlags, UidSet,
};
use kep::wire::{AccountId, ContentId, MailboxId, Timestamp};
use std::path::PathBuf;

#[test]
fn imap_dialogues_run_whole() {
    each(|text, steps| {
        let mut stage = Pure::of(text);
        play(steps, &mut stage, &mut |bytes| vec![bytes.to_vec()])?;
        judge(&stage.all)
    });
}

#[test]
fn imap_dialogues_do_not_depend_on_cuts() {
    each(|text, steps| {
        if text.lines().any(|line| line == "given whole") {
            return Ok(());
        }
        let every = &mut |bytes: &[u8]| bytes.chunks(1).map(<[u8]>::to_vec).collect();
        play(steps, &mut Pure::of(text), every)?;
        (0..20).try_for_each(|seed| {
            let mut dice = Dice(seed * 7919 + 1);
            play(steps, &mut Pure::of(text), &mut |bytes| dice.cut(bytes))
        })
    });
}

#[test]
fn a_session_survives_any_words() {
    let mut dice = Dice(42);
    for _ in 0..500 {
        let words: Vec<&str> =
            (0..dice.next() % 400).map(|_| WORDS[dice.next() % WORDS.len()]).collect();
        let bytes = words.concat().into_bytes();
        kep::mailbox::drive(config(Tls::Active), &bytes);
        let mut stage = Pure::of("");
        stage.world.boxes.push(Mailbox::new("INBOX", None));
        let mail = b"Subject: x\r\n\r\nbody\r\n".to_vec();
        stage.world.boxes[0].lay_in(Flags::default(), mail, false, None);
        stage.given("login", b"").unwrap();
        dice.cut(&bytes).iter().for_each(|piece| stage.send(piece).unwrap());
    }
}

#[test]
fn a_hundred_thousand_messages_are_never_held() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(b"a LOGIN x y\r\nb SELECT INBOX\r\nc UID FETCH 1:* (FLAGS)\r\nd LOGOUT\r\n");
    let (mut rows, mut lines) = (0, 0);
    loop {
        match session.next() {
            Next::Send(bytes) => {
                assert!(bytes.len() < 64 * 1024, "{} octets at once", bytes.len());
                lines += bytes.iter().filter(|b| **b == b'\n').count();
            }
            Next::Ask(ask) => session.answer(large(ask, &mut rows)),
            Next::Close => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows, 100_000);
    assert!(lines > 100_000);
}

#[test]
fn results_of_a_hundred_thousand_go_out_in_pieces() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(
        b"a LOGIN x y\r\nb SELECT INBOX\r\nc SEARCH ALL\r\nd UID SORT (REVERSE ARRIVAL) UTF-8 ALL\r\n\
          e THREAD REFERENCES UTF-8 ALL\r\nf SEARCH RETURN (ALL RELEVANCY) ALL\r\n\
          g ESEARCH RETURN (ALL RELEVANCY) ALL\r\nh LOGOUT\r\n",
    );
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(bytes) => {
                assert!(bytes.len() < 64 * 1024, "{} octets at once", bytes.len());
                said.extend(bytes);
            }
            Next::Ask(ask) => session.answer(large(ask, &mut 0)),
            Next::Close => break,
            other => panic!("{other:?}"),
        }
    }
    let said = String::from_utf8(said).unwrap();
    for part in [
        "* SEARCH 1 2 3 ",
        " 99999 100000\r\nc OK SEARCH",
        "* SORT 100000 99999 ",
        " 2 1\r\nd OK SORT",
        "* THREAD (1)(2)(3)",
        "(99999)(100000)\r\ne OK THREAD",
        "* ESEARCH (TAG \"f\") ALL 1:100000 RELEVANCY (100 100 ",
        " 100)\r\nf OK SEARCH",
        " UID ALL 1:100000 RELEVANCY (100 ",
        " 100)\r\ng OK ESEARCH",
    ] {
        assert!(said.contains(part), "{part}");
    }
}

#[test]
fn invariant_10_large_headers_asked_for_often_are_sent_one_by_one() {
    let mut session = Session::new(config(Tls::Active));
    let items: Vec<_> = (0..99).map(|n| format!("BODY.PEEK[HEADER.FIELDS.NOT (X{n})]")).collect();
    let fetch = format!("c UID FETCH 1:5,8 ({})\r\nd LOGOUT\r\n", items.join(" "));
    session.feed(b"a LOGIN x y\r\nb SELECT INBOX\r\n");
    session.feed(fetch.as_bytes());
    let (mut asked, mut said) = (Vec::new(), Vec::new());
    loop {
        match session.next() {
            Next::Send(bytes) => {
                assert!(bytes.len() < 32 * 1024 + HEADER + 200, "{} octets at once", bytes.len());
                said.extend(bytes);
            }
            // No more than two at a time, and the fourth is gone.
            Next::Ask(Ask::Rows { uids, .. }) => {
                let rows = uids.iter().filter(|uid| *uid != 4).take(2).map(with_header);
                session.answer(Answer::Rows(rows.collect()));
                asked.push(uids.to_string());
            }
            Next::Ask(ask) => session.answer(large(ask, &mut 0)),
            Next::Close => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(asked, ["1:5,8", "3:5,8", "8"]);
    let said = String::from_utf8(said).unwrap();
    assert_eq!(said.matches(" FETCH (UID ").count(), 5);
    assert_eq!(said.matches("BODY[HEADER.FIELDS.NOT (X").count(), 5 * 99);
    assert!(said.contains("c OK [EXPUNGEISSUED]"), "one is gone");
}

#[test]
fn flags_that_come_a_few_at_a_time_are_asked_for_again() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(b"a LOGIN x y\r\nb SELECT INBOX\r\n");
    session.feed(b"c UID FETCH 1:5,8 (FLAGS)\r\nd FETCH 1:5 (UID MODSEQ)\r\ne LOGOUT\r\n");
    let (mut asked, mut said) = (Vec::new(), Vec::new());
    loop {
        match session.next() {
            Next::Send(bytes) => said.extend(bytes),
            // No more than two at a time, and the fourth is gone.
            Next::Ask(Ask::Flags { uids, .. }) => {
                let row = |uid| FlagRow { uid, modseq: 7, flags: Flags::default() };
                let rows = uids.iter().filter(|uid| *uid != 4).take(2).map(row);
                session.answer(Answer::Flags(rows.collect()));
                asked.push(uids.to_string());
            }
            Next::Ask(ask) => session.answer(large(ask, &mut 0)),
            Next::Close => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(asked, ["1:5,8", "3:5,8", "8", "1:5", "3:5"]);
    let said = String::from_utf8(said).unwrap();
    assert_eq!(said.matches(" FETCH (UID ").count(), 5 + 4);
    assert!(said.contains("* 8 FETCH (UID 8 FLAGS ())\r\nc OK [EXPUNGEISSUED]"), "{said}");
    assert!(said.contains("* 5 FETCH (UID 5 MODSEQ (7))\r\nd OK [EXPUNGEISSUED]"), "{said}");
}

#[test]
fn what_is_asked_for_twice_is_answered_once() {
    let mut session = Session::new(config(Tls::Active));
    session.feed(
        b"a LOGIN x y\r\nb SELECT INBOX\r\nc FETCH 1 (UID FLAGS UID BODY.PEEK[HEADER] \
                   FLAGS BODY.PEEK[HEADER] RFC822.HEADER)\r\nd LOGOUT\r\n",
    );
    let mut said = String::new();
    loop {
        match session.next() {
            Next::Send(bytes) => said.push_str(std::str::from_utf8(&bytes).unwrap()),
            Next::Ask(ask) => session.answer(large(ask, &mut 0)),
            Next::Close => break,
            other => panic!("{other:?}"),
        }
    }
    let expected = "* 1 FETCH (UID 1 FLAGS () BODY[HEADER] {0}\r\n RFC822.HEADER {0}\r\n)\r\n";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn invariant_10_a_list_made_to_be_slow_is_not() {
    let entry = |n: usize| MailboxEntry {
        name: MailboxName::parse(&format!("{}{n:04}", "a/".repeat(30) + &"a".repeat(190))).unwrap(),
        kind: MailboxKind::Mailbox(None),
        gathered: false,
        subscribed: true,
        rights: Rights::ALL,
        status: None,
    };
    let mut session = Session::new(config(Tls::Active));
    let pattern = format!("{}{}b", "*a".repeat(39), "a".repeat(170));
    let patterns = [pattern.as_str(); 8].join(" ");
    let list = format!("b LIST (SUBSCRIBED RECURSIVEMATCH) \"\" ({patterns})\r\n");
    session.feed(format!("a LOGIN x y\r\n{list}").as_bytes());
    let begun = tokio::time::Instant::now();
    let said = loop {
        match session.next() {
            Next::Send(bytes) if bytes.starts_with(b"b ") => break bytes,
            Next::Send(_) => {}
            Next::Ask(Ask::Mailboxes(_)) => {
                session.answer(Answer::Mailboxes((0..2000).map(entry).collect()));
            }
            Next::Ask(ask) => session.answer(large(ask, &mut 0)),
            other => panic!("{other:?}"),
        }
    };
    assert!(said.starts_with(b"b OK"), "{}", String::from_utf8_lossy(&said));
    // Without optimisation, on a machine that does other things too.
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

fn with_header(uid: u32) -> Row {
    Row { header: [b"X: ", &[b'x'; HEADER - 7][..], b"\r\n\r\n"].concat(), ..bare(uid) }
}

fn bare(uid: u32) -> Row {
    Row {
        uid,
        modseq: 1,
        flags: Flags::default(),
        internal_date: Timestamp::from_secs(0),
        saved_at: Timestamp::from_secs(0),
        content: ContentId(1),
        thread: None,
        size: 1,
        opening: Opening::Open,
        structure: Vec::new(),
        header: Vec::new(),
    }
}

/// A world with 100,000 messages in its one mailbox.
fn large(ask: Ask, rows: &mut usize) -> Answer {
    match ask {
        Ask::Login(_) => {
            Answer::LoggedIn(LoggedIn { account: AccountId(1), signature: None, notice: None })
        }
        Ask::Select { name, .. } => Answer::Selected(Selected {
            mailbox: MailboxId(1),
            name,
            uid_validity: 1,
            uid_next: 100_001,
            highest_modseq: 1,
            uids: UidSet::range(1, 100_000),
            first_unseen: None,
            keywords: Keywords::default(),
            read_only: false,
            recent: UidSet::new(),
        }),
        Ask::Rows { uids, .. } => {
            assert!(uids.len() <= kep::mailbox::ask::BATCH);
            *rows += uids.len();
            Answer::Rows(uids.iter().map(bare).collect())
        }
        Ask::Flags { uids, .. } => {
            assert!(uids.len() <= kep::mailbox::ask::FLAGS_BATCH);
            *rows += uids.len();
            let row = |row: Row| FlagRow { uid: row.uid, modseq: row.modseq, flags: row.flags };
            Answer::Flags(uids.iter().map(bare).map(row).collect())
        }
        Ask::Search(_) => {
            let all = || UidSet::range(1, 100_000);
            Answer::Found(Found {
                uids: all(),
                highest_modseq: 1,
                there: all(),
                exact: all(),
                read: 0,
            })
        }
        Ask::Sort { uids, .. } => {
            let mut all: Vec<_> = uids.iter().collect();
            all.reverse();
            Answer::Sorted(all)
        }
        Ask::Thread { uids, .. } => {
            let one = |uid| [ThreadToken::Open, ThreadToken::Message(uid), ThreadToken::Close];
            Answer::Threads(uids.iter().flat_map(one).collect())
        }
        _ => Answer::Changes(Changes::default()),
    }
}

fn each(run: impl Fn(&str, &[Step]) -> Result<(), String>) {
    let failures: Vec<_> = dialogues()
        .into_iter()
        .filter_map(|(name, text)| {
            let result = read(&text).and_then(|steps| run(&text, &steps));
            result.err().map(|why| format!("{name}: {why}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// All of them, by name.
pub fn dialogues() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/imap");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |file: PathBuf| (file.display().to_string(), std::fs::read_to_string(file).unwrap());
    files.into_iter().map(read).collect()
}

fn config(tls: Tls) -> Config {
    Config { tls, id: vec![("name".into(), "kep".into())] }
}

/// What the server says is IMAP to a reader that is not ours, as far as that one knows it.
fn judge(mut said: &[u8]) -> Result<(), String> {
    let unknown = [
        &b"* ESEARCH"[..],
        b"* STATUS",
        b"* LIST",
        b"* QUOTA",
        b"* ACL ",
        b"* MYRIGHTS",
        b"* SORT",
        b"* THREAD",
    ];
    let (mut greeted, mut unread, mut utf8) = (false, 0, false);
    while !said.is_empty() {
        let rest = match greeted {
            true => ResponseCodec::default().decode(said).map(|(rest, _)| rest).ok(),
            false => GreetingCodec::default().decode(said).map(|(rest, _)| rest).ok(),
        };
        greeted = true;
        let end = said.windows(2).position(|two| two == b"\r\n").map_or(said.len(), |at| at + 2);
        let line = &said[..end];
        // Eight bits are for those who enabled them, and imap-codec is not one of them.
        let has = |word: &[u8]| line.windows(word.len()).any(|w| w == word);
        utf8 |= line.starts_with(b"* ENABLED") && (has(b"UTF8=ACCEPT") || has(b"IMAP4rev2"));
        let young = [&b"PREVIEW "[..], b"SAVEDATE ", b"EMAILID ", b"THREADID ", b"BINARY["];
        let excused = young.iter().any(|word| has(word)) && has(b" FETCH (")
            || utf8 && !line.is_ascii()
            || has(b" UIDFETCH ")
            || line.starts_with(b"* UIDBATCHES ")
            || unknown.iter().any(|word| line.starts_with(word));
        unread += usize::from(rest.is_none());
        said = match rest {
            Some(rest) => rest,
            None if excused => behind(said),
            None => return Err(format!("not IMAP: {}", String::from_utf8_lossy(line))),
        };
    }
    if unread < 16 { Ok(()) } else { Err(format!("{unread} responses were not judged")) }
}

/// What stands behind a response with its literals.
fn behind(mut said: &[u8]) -> &[u8] {
    loop {
        let end = said.windows(2).position(|two| two == b"\r\n").map_or(said.len(), |at| at + 2);
        let line = said[..end].strip_suffix(b"}\r\n").unwrap_or_default();
        let digits = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = std::str::from_utf8(&line[line.len() - digits..]).unwrap();
        match digits.parse::<usize>() {
            Ok(length) => said = &said[end + length..],
            Err(_) => return &said[end..],
        }
    }
}

/// The session without a socket, over a world in memory.
struct Pure {
    session: Session,
    world: World,
    said: Vec<u8>,
    /// All it ever said.
    all: Vec<u8>,
    closed: bool,
}

impl Pure {
    /// With the listener the dialogue is about.
    fn of(text: &str) -> Self {
        let offered = text.lines().any(|line| line == "given starttls");
        let session = Session::new(config(if offered { Tls::Offered } else { Tls::Active }));
        let mut stage = Self {
            session,
            world: World::default(),
            said: Vec::new(),
            all: Vec::new(),
            closed: false,
        };
        stage.run();
        stage
    }

    /// Does what the session says until it wants bytes; says whether it idles.
    fn run(&mut self) -> bool {
        loop {
            match self.session.next() {
                Next::Read => return false,
                Next::Wait(_) => return true,
                Next::Send(bytes) => {
                    self.all.extend_from_slice(&bytes);
                    self.said.extend(bytes);
                }
                Next::StartTls => self.session.secured(),
                Next::Compress => self.session.compressed(),
                Next::Expand => self.session.expanded(),
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

    fn mailbox(&mut self, name: &str) -> Result<&mut Mailbox, String> {
        let name = MailboxName::parse(&name.replace('_', " ")).ok_or("bad name")?;
        self.world.find(&name).ok_or_else(|| "no such mailbox".to_owned())
    }

    fn happens(&mut self, words: &str, body: &[u8]) -> Result<(), String> {
        let uid = |word: &str| word.parse().map(UidSet::one).map_err(|_| "bad uid".to_owned());
        match words.split(' ').collect::<Vec<_>>().as_slice() {
            ["starttls" | "whole" | "nonce"] => {}
            ["user", name, secret] => self.world.user = ((*name).into(), (*secret).into()),
            ["not-for-reading", secret] => {
                self.world.not_here.push(((*secret).into(), Refusal::PasswordScope));
            }
            ["not-alone", secret] => {
                self.world.not_here.push(((*secret).into(), Refusal::PasswordAlone));
            }
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
            ["mail", name, rest @ ..] => {
                let sealed = rest.contains(&"sealed");
                let mailbox = self.mailbox(name)?;
                mailbox.lay_in(flags(words), body.to_vec(), sealed, None);
                if !rest.contains(&"new") {
                    mailbox.claim();
                }
            }
            ["mails", name, count, rest @ ..] => {
                for number in 1..=count.parse().map_err(|_| "bad count")? {
                    let mail = format!("Subject: mail {number}\r\n\r\nbody {number}\r\n");
                    self.mailbox(name)?.lay_in(Flags::default(), mail.into_bytes(), false, None);
                }
                if !rest.contains(&"new") {
                    self.mailbox(name)?.claim();
                }
            }
            ["gone", name, gone] => {
                self.mailbox(name)?.take_out(&uid(gone)?);
            }
            ["annotation", of, entry, value @ ..] => {
                let name = Some(*of).filter(|of| *of != "server").and_then(MailboxName::parse);
                let entry = EntryName::parse(entry.as_bytes()).ok_or("bad entry")?;
                let value = value.first().map(|value| value.as_bytes().to_vec());
                let set = self.world.attributes.set(name.as_ref(), vec![(entry, value)]);
                set.map_err(|refusal| format!("{refusal:?}"))?;
            }
            ["flags", name, of, ..] => {
                self.mailbox(name)?.flag(&uid(of)?, FlagChange::Add, &flags(words));
            }
            _ => return Err("unknown given".to_owned()),
        }
        Ok(())
    }
}

impl Stage for Pure {
    fn given(&mut self, words: &str, body: &[u8]) -> Result<(), String> {
        self.happens(words, body)?;
        if self.run() {
            self.session.changed();
            self.run();
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        if !self.closed {
            self.session.feed(bytes);
            self.run();
        }
        Ok(())
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        let end = self.said.windows(2).position(|two| two == b"\r\n");
        let end = end.ok_or_else(|| "the server says nothing".to_owned())?;
        let mut line: Vec<u8> = self.said.drain(..end + 2).collect();
        line.truncate(end);
        Ok(line)
    }

    fn quiet(&mut self) -> Result<(), String> {
        match self.said.is_empty() {
            true => Ok(()),
            false => Err(format!("the server says more: {}", String::from_utf8_lossy(&self.said))),
        }
    }

    fn then(&mut self, words: &str) -> Result<(), String> {
        match words.split(' ').collect::<Vec<_>>().as_slice() {
            ["closed"] if self.closed => Ok(()),
            ["closed"] => Err("but it is open".to_owned()),
            ["silence"] => {
                self.session.timeout();
                self.run();
                Ok(())
            }
            ["opened", uids @ ..] => {
                let opened: Vec<_> = self.world.opened.iter().map(ToString::to_string).collect();
                if opened == uids { Ok(()) } else { Err(format!("but opened were {opened:?}")) }
            }
            _ => Err("unknown then".to_owned()),
        }
    }
}

/// The flags between parentheses.
pub fn flags(text: &str) -> Flags {
    let inner = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let words = || inner.map_or("", |(inner, _)| inner).split(' ');
    let system = words().filter_map(SystemFlags::named).fold(SystemFlags::default(), |a, b| a | b);
    Flags { system, keywords: words().filter_map(Keyword::parse).collect() }
}

/// Octets of a large header.
const HEADER: usize = 100_000;

const WORDS: [&str; 48] = [
    "a ",
    "b ",
    "\r\n",
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
    " ",
    "BODY[]",
    "BODY[1.MIME]",
    "UID ",
    "STORE ",
    "+FLAGS ",
    "\\Seen",
    "\\Deleted",
    "EXPUNGE",
    "SEARCH ",
    "SORT (SIZE) UTF-8 ",
    "RETURN (UPDATE ALL) ",
    "FUZZY TEXT x",
    "ESEARCH IN (personal) ",
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
    "a SELECT INBOX\r\n",
    "a FETCH 1 (BODY[TEXT] ENVELOPE)\r\n",
    "a IDLE\r\n",
    "CLOSE",
    "AUTHENTICATE PLAIN",
    "=",
    "\0",
    "\u{ff}",
    "COPY ",
    "MOVE 1 INBOX",
];
