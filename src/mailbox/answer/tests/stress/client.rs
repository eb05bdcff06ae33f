//! A client with its session and desk: says commands, hears answers, and tells the ledger.

use super::super::super::{Desk, Office};
use super::super::world;
use super::ledger::Ledger;
use super::picture::{Flags, Picture};
use super::reading::{Response, Value, responses};
use super::saying::{Command, Dice, Kind, Mode, Stage, command, named, select};
use crate::mailbox::ask::Ask;
use crate::mailbox::{Config, Next, Session, Tls};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub struct Client {
    pub mode: Mode,
    session: Session,
    /// With a task of its own while an ask is answered beside others.
    desk: Option<Desk>,
    asked: Option<Ask>,
    heard: Vec<u8>,
    unsent: Vec<u8>,
    under_way: VecDeque<(String, Command)>,
    tags: u32,
    pub picture: Option<Picture>,
    /// What it knew of mailboxes when it left them.
    known: BTreeMap<String, Picture>,
    /// The last things that happened, for who has to find out why.
    pub log: Vec<String>,
}

impl Client {
    pub async fn connect(office: &Arc<Office>, mode: Mode) -> Self {
        let config = Config { tls: Tls::Active, id: Vec::new() };
        let mut client = Self {
            mode,
            session: Session::new(config),
            desk: Some(Desk::new(Arc::clone(office), [127, 0, 0, 1].into())),
            asked: None,
            heard: Vec::new(),
            unsent: Vec::new(),
            under_way: VecDeque::new(),
            tags: 0,
            picture: None,
            known: BTreeMap::new(),
            log: Vec::new(),
        };
        let opening = format!("l LOGIN ali x\r\n{}", mode.opening());
        client.session.feed(opening.as_bytes());
        loop {
            match client.session.next() {
                Next::Send(said) => assert!(!String::from_utf8_lossy(&said).contains("BAD")),
                Next::Ask(ask) => {
                    client.asked = Some(ask);
                    client.answer().await;
                }
                _ => return client,
            }
        }
    }

    /// The line breaks off; it comes back and goes on with what it knew.
    pub async fn reconnect(&mut self, office: &Arc<Office>, ledger: &mut Ledger) {
        self.leave(ledger);
        let mut fresh = Self::connect(office, self.mode).await;
        fresh.known = std::mem::take(&mut self.known);
        fresh.log = std::mem::take(&mut self.log);
        fresh.log.push("-- broke off".into());
        *self = fresh;
    }

    pub fn may_break_off(&self) -> bool {
        self.under_way.iter().all(|(_, command)| command.may_be_lost())
    }

    pub fn asks(&self) -> bool {
        self.asked.is_some()
    }

    /// The ask and the desk that answers it, to be answered beside others.
    pub fn hand_out(&mut self) -> Option<(Desk, Ask)> {
        Some((self.desk.take()?, self.asked.take()?))
    }

    pub fn take_back(&mut self, desk: Desk, answer: crate::mailbox::ask::Answer) {
        self.desk = Some(desk);
        self.session.answer(answer);
    }

    pub async fn answer(&mut self) {
        if let Some((mut desk, ask)) = self.hand_out() {
            let answer = desk.answer(ask).await;
            self.take_back(desk, answer);
        }
    }

    /// One thing happens; says whether anything could. Without a stage no new command is said.
    pub async fn turn(
        &mut self,
        dice: &mut Dice,
        stage: Option<&mut Stage>,
        ledger: &mut Ledger,
    ) -> bool {
        if self.asks() {
            self.answer().await;
            return true;
        }
        let last = stage.is_none();
        match self.session.next() {
            Next::Send(said) => self.hear(&said, ledger),
            Next::Ask(ask) => self.asked = Some(ask),
            Next::Read | Next::Wait(_) if !self.unsent.is_empty() => self.send(dice),
            Next::Wait(_) if self.idles() => match dice.roll(3) > 0 && !last {
                true => self.session.changed(),
                false => self.session.feed(b"DONE\r\n"),
            },
            Next::Wait(_) if dice.roll(2) == 0 => self.session.changed(),
            Next::Read | Next::Wait(_) => {
                let waiting: Vec<_> = self.under_way.iter().map(|(tag, _)| tag).collect();
                assert!(waiting.is_empty(), "no answer to {waiting:?}");
                let Some(stage) = stage else { return false };
                self.say_some(dice, stage);
            }
            other => panic!("{other:?}"),
        }
        true
    }

    fn idles(&self) -> bool {
        self.under_way.front().is_some_and(|(_, command)| command.kind == Kind::Idle)
    }

    /// One command, or a few that don't wait for each other's answers.
    fn say_some(&mut self, dice: &mut Dice, stage: &mut Stage) {
        for _ in 0..=dice.roll(3) {
            let quiet = self.under_way.iter().all(|(_, command)| command.quiet);
            let next = match &self.picture {
                None => {
                    let mailbox =
                        &stage.mailboxes[dice.roll(stage.mailboxes.len() as u32) as usize];
                    return self.select(mailbox);
                }
                Some(picture) => command(dice, self.mode, picture, stage, quiet),
            };
            let ends = matches!(next.kind, Kind::Select { .. } | Kind::Leave | Kind::Idle);
            if ends && !self.under_way.is_empty() {
                break;
            }
            self.say(next);
            if ends {
                break;
            }
        }
    }

    pub fn say(&mut self, command: Command) {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.unsent.extend(format!("{tag} {}\r\n", command.text).as_bytes());
        self.log.push(format!("C: {tag} {}", command.text.lines().next().unwrap_or_default()));
        self.under_way.push_back((tag, command));
    }

    fn send(&mut self, dice: &mut Dice) {
        let whole = dice.roll(4) > 0;
        let size = if whole { self.unsent.len() } else { self.unsent.len().div_ceil(2) };
        let piece: Vec<u8> = self.unsent.drain(..size).collect();
        self.session.feed(&piece);
    }

    pub fn select(&mut self, mailbox: &str) {
        let next = select(mailbox, self.known.get(mailbox).filter(|_| self.mode.resyncs()));
        self.enter(mailbox, &next);
        self.say(next);
    }

    fn enter(&mut self, mailbox: &str, next: &Command) {
        let mut picture = Picture::new(mailbox, self.mode == Mode::UidOnly);
        if let (Kind::Select { resumed: true }, Some(known)) = (&next.kind, self.known.get(mailbox))
        {
            picture.resume(known);
        }
        self.picture = Some(picture);
    }

    pub fn leave(&mut self, ledger: &mut Ledger) {
        if let Some(picture) = self.picture.take() {
            ledger.gone(&picture);
            // With some of it unknown it could not come back and go on.
            if picture.is_whole() && picture.highest > 0 {
                self.known.insert(picture.mailbox.clone(), picture);
            }
        }
    }

    fn hear(&mut self, said: &[u8], ledger: &mut Ledger) {
        self.log.push(format!("S: {}", String::from_utf8_lossy(said).trim_end()));
        self.heard.extend(said);
        for response in responses(&mut self.heard) {
            match response {
                Response::GoOn => assert!(self.idles()),
                Response::Data(data) => self.data(&data, ledger),
                Response::Status { tag: None, kind, code } => {
                    assert_eq!(kind, "OK");
                    assert!(!self.under_way.is_empty() || self.mode == Mode::Notify);
                    let kind = self.under_way.front().map(|(_, command)| command.kind.clone());
                    self.code(code.as_deref(), &kind.unwrap_or(Kind::Plain), ledger);
                }
                Response::Status { tag: Some(tag), kind, code } => {
                    let (expected, command) = self.under_way.pop_front().expect("a command");
                    assert_eq!(tag, expected);
                    let fine = kind == "OK" || (kind == "NO" && command.may_fail);
                    assert!(fine, "{kind} to {}", command.text);
                    self.code(code.as_deref(), &command.kind, ledger);
                    self.ended(&command, kind == "OK", code.as_deref(), ledger);
                }
            }
        }
    }

    fn data(&mut self, data: &[Value], ledger: &mut Ledger) {
        let quiet = match self.under_way.front() {
            Some((_, command)) => command.quiet,
            None => self.mode != Mode::Notify,
        };
        assert!(self.mode == Mode::Notify || !self.under_way.is_empty(), "unasked: {data:?}");
        let Some(picture) = &mut self.picture else { return };
        if let Some(state) = picture.hear(data, quiet) {
            ledger.state(&picture.mailbox, picture.selection, &state);
        }
        let words = ["SEARCH", "SORT", "THREAD"];
        if matches!(&data[0], Value::Atom(word) if words.contains(&word.as_str())) {
            let by_number = self.under_way.front().is_some_and(|(_, command)| command.by_number);
            data[1..].iter().for_each(|found| is_here(picture, found, by_number));
        }
    }

    /// A code that came within a command of that kind.
    fn code(&mut self, code: Option<&str>, kind: &Kind, ledger: &mut Ledger) {
        let Some(code) = code else { return };
        if let Some(picture) = &mut self.picture {
            picture.code(code);
        }
        let here = self.picture.as_ref().map(|picture| &picture.mailbox);
        match (code.split(' ').next(), kind) {
            (Some("APPENDUID"), Kind::Append { to, tokens }) => ledger.appended(to, tokens, code),
            (Some("COPYUID"), Kind::Place { to, moved }) => {
                ledger.placed(here.unwrap(), to, code, *moved);
            }
            _ => {}
        }
    }

    fn ended(&mut self, command: &Command, done: bool, code: Option<&str>, ledger: &mut Ledger) {
        let Some(picture) = &mut self.picture else { return };
        match &command.kind {
            Kind::Silent { set, sign, flags } if done => {
                let uids = named(picture, set, command.by_number);
                let modified = code.and_then(|code| code.strip_prefix("MODIFIED "));
                silent(
                    picture,
                    &uids,
                    (sign, flags),
                    modified.unwrap_or_default(),
                    command.by_number,
                );
            }
            Kind::Select { resumed: true } => {
                picture.resumed();
            }
            _ => {}
        }
        picture.ended();
        if command.kind == Kind::Leave {
            self.leave(ledger);
        }
    }

    /// Flags by UID, where they are known.
    pub fn belief(&self) -> BTreeMap<u32, Option<Flags>> {
        let all = self.picture.as_ref().map(|picture| &picture.messages);
        all.into_iter().flatten().map(|(uid, message)| (*uid, message.flags.clone())).collect()
    }
}

fn silent(
    picture: &mut Picture,
    uids: &[u32],
    (sign, flags): (&str, &Flags),
    modified: &str,
    by_number: bool,
) {
    let modified = if modified.is_empty() { Default::default() } else { world::uids(modified) };
    let number = |uid: u32| picture.numbers.iter().position(|one| *one == Some(uid));
    let is_modified = |uid: &u32| match by_number {
        true => number(*uid).is_some_and(|at| modified.contains(at as u32 + 1)),
        false => modified.contains(*uid),
    };
    let hit: Vec<u32> = uids.iter().copied().filter(|uid| !is_modified(uid)).collect();
    for uid in hit {
        let Some(message) = picture.messages.get_mut(&uid) else { continue };
        // Flags that were told are newer, unless a greater mod-sequence was told without any.
        if picture.told.get(&uid) == Some(&message.modseq) {
            continue;
        }
        let Some(known) = &mut message.flags else { continue };
        match sign {
            "+" => known.extend(flags.iter().cloned()),
            "-" => known.retain(|flag| !flags.contains(flag)),
            _ => *known = flags.clone(),
        }
    }
}

/// What is found is in the mailbox as the client knows it.
fn is_here(picture: &Picture, found: &Value, by_number: bool) {
    match found {
        Value::List(threads) => threads.iter().for_each(|one| is_here(picture, one, by_number)),
        number => {
            let number: u32 = number.number();
            let here = match by_number {
                true => (1..=picture.count()).contains(&number),
                false => picture.numbers.iter().any(|uid| uid.is_none_or(|uid| uid == number)),
            };
            assert!(here, "{number} was found in {:?}", picture.numbers);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let first = self.log.len().saturating_sub(SHOWN);
            eprintln!("---- {:?}\n{}", self.mode, self.log[first..].join("\n"));
        }
    }
}

/// Lines of a log that are worth reading.
const SHOWN: usize = 60;
