//! What a client may say next: commands of all kinds, thrown by seeded dice, that are right as far
//! as the client can know.

use super::picture::{Flags, Picture};

/// A seeded generator: the same commands in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % sides.max(1)
    }

    pub fn one_of<'t, T: ?Sized>(&mut self, all: &[&'t T]) -> &'t T {
        all[self.roll(all.len() as u32) as usize]
    }
}

/// How a client connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Plain,
    Condstore,
    Qresync,
    UidOnly,
    Rev2,
    Notify,
}

impl Mode {
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Condstore, Self::Qresync, Self::UidOnly, Self::Rev2, Self::Notify];

    /// What is said behind LOGIN.
    pub fn opening(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Condstore => "e ENABLE CONDSTORE\r\n",
            Self::Qresync => "e ENABLE QRESYNC\r\n",
            Self::UidOnly => "e ENABLE UIDONLY\r\n",
            Self::Rev2 => "e ENABLE IMAP4rev2\r\n",
            Self::Notify => {
                "e ENABLE QRESYNC\r\n\
                 e NOTIFY SET (selected (MessageNew (UID FLAGS) MessageExpunge FlagChange))\r\n"
            }
        }
    }

    /// A number that was right may be wrong a moment later where news come at any time.
    pub fn by_number(self) -> bool {
        !matches!(self, Self::UidOnly | Self::Notify)
    }

    pub fn resyncs(self) -> bool {
        matches!(self, Self::Qresync | Self::Notify)
    }
}

/// What is to be learnt from the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    Plain,
    Select {
        resumed: bool,
    },
    /// Only the client knows which flags these have now.
    Silent {
        set: String,
        sign: &'static str,
        flags: Flags,
    },
    /// REPLACE, too.
    Append {
        to: String,
        tokens: Vec<String>,
    },
    /// COPY, or MOVE.
    Place {
        to: String,
        moved: bool,
    },
    Leave,
    Idle,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    pub text: String,
    pub kind: Kind,
    /// No number shifts in its answer.
    pub quiet: bool,
    /// Messages that are gone may make it fail.
    pub may_fail: bool,
    /// Names messages by numbers, which must not shift before it is read.
    pub by_number: bool,
}

pub fn plain(text: String) -> Command {
    Command { text, kind: Kind::Plain, quiet: false, may_fail: false, by_number: false }
}

impl Command {
    /// Whether nobody misses anything when its answer is never heard.
    pub fn may_be_lost(&self) -> bool {
        let harmless = matches!(self.kind, Kind::Plain | Kind::Select { .. } | Kind::Silent { .. });
        harmless && !["EXPUNGE", "Deleted"].iter().any(|word| self.text.contains(word))
    }
}

/// The mailboxes of a run, and what makes a message's text its own.
pub struct Stage {
    pub mailboxes: Vec<String>,
    pub prefix: String,
    pub next: u32,
}

impl Stage {
    fn token(&mut self) -> String {
        self.next += 1;
        format!("{}-{}.", self.prefix, self.next)
    }

    fn any<'s>(&'s self, dice: &mut Dice) -> &'s str {
        &self.mailboxes[dice.roll(self.mailboxes.len() as u32) as usize]
    }
}

pub fn select(mailbox: &str, known: Option<&Picture>) -> Command {
    let known = known.filter(|known| known.validity > 0 && known.highest > 0);
    let resync = known.map(|k| format!(" (QRESYNC ({} {}))", k.validity, k.highest));
    let text = format!("SELECT {mailbox}{}", resync.unwrap_or_default());
    Command { kind: Kind::Select { resumed: known.is_some() }, ..plain(text) }
}

/// In a mailbox; `quiet_before` when nothing is under way that may shift numbers.
pub fn command(
    dice: &mut Dice,
    mode: Mode,
    picture: &Picture,
    stage: &mut Stage,
    quiet_before: bool,
) -> Command {
    if !picture.is_whole() && dice.roll(2) == 0 {
        return quiet("UID FETCH 1:* (UID FLAGS)".to_owned(), false);
    }
    let by_number = mode.by_number() && quiet_before && picture.count() > 0 && dice.roll(2) == 0;
    match dice.roll(if by_number { 24 } else { 32 }) {
        0..=4 => fetch(dice, mode, picture, by_number),
        5..=11 => store(dice, mode, picture, by_number),
        12..=13 => search(dice, by_number),
        14..=16 => place(dice, picture, stage, "COPY", by_number),
        17..=19 => place(dice, picture, stage, "MOVE", by_number),
        20 => replace(dice, picture, stage, by_number),
        21..=23 => expunge(dice, picture, mode),
        24..=26 => {
            let to = stage.any(dice).to_owned();
            append(dice, stage, &to)
        }
        27..=28 => plain("NOOP".to_owned()),
        29 => Command { kind: Kind::Idle, ..plain("IDLE".to_owned()) },
        30 => {
            let text = dice.one_of(&["CLOSE", "UNSELECT"]);
            Command { kind: Kind::Leave, ..plain(text.to_owned()) }
        }
        _ => plain(format!("STATUS {} (MESSAGES UIDNEXT UNSEEN)", stage.any(dice))),
    }
}

/// A set of numbers, or UIDs of which some may be gone or never were.
fn set(dice: &mut Dice, picture: &Picture, by_number: bool) -> String {
    let most = match by_number {
        true => picture.count(),
        false => picture.messages.keys().next_back().copied().unwrap_or(1) + 2,
    };
    let (a, b) = (dice.roll(most) + 1, dice.roll(most) + 1);
    match dice.roll(6) {
        0 => format!("{a}:{b}"),
        1 => format!("{a},{b}"),
        2 if !by_number => format!("{a}:*"),
        _ => a.to_string(),
    }
}

fn form(by_number: bool) -> &'static str {
    if by_number { "" } else { "UID " }
}

/// One whose answer has no room for news.
fn quiet(text: String, by_number: bool) -> Command {
    Command { quiet: by_number, by_number, may_fail: true, ..plain(text) }
}

fn fetch(dice: &mut Dice, mode: Mode, picture: &Picture, by_number: bool) -> Command {
    let set = set(dice, picture, by_number);
    let items = ["(UID FLAGS)", "(UID BODY[])", "(UID FLAGS BODY.PEEK[])", "(UID MODSEQ FLAGS)"];
    let items = dice.one_of(&items);
    let since = match dice.roll(4) {
        0 if mode.resyncs() && !by_number => {
            format!(" (CHANGEDSINCE {} VANISHED)", picture.highest)
        }
        1 if picture.highest > 0 => format!(" (CHANGEDSINCE {})", picture.highest),
        _ => String::new(),
    };
    quiet(format!("{}FETCH {set} {items}{since}", form(by_number)), by_number)
}

fn store(dice: &mut Dice, mode: Mode, picture: &Picture, by_number: bool) -> Command {
    let set = set(dice, picture, by_number);
    let sign = dice.one_of(&["+", "+", "-", ""]);
    let word = format!("w{}", dice.roll(5));
    let flags =
        dice.one_of(&["\\Deleted", "\\Deleted", "\\Seen", "\\Answered", &word, "\\Flagged"]);
    let unchanged = match dice.roll(5) {
        0 if mode != Mode::Plain && picture.highest > 0 => {
            format!(" (UNCHANGEDSINCE {})", picture.highest)
        }
        _ => String::new(),
    };
    // Who doesn't know the UID could not tell what it marked.
    let flags = if by_number && !picture.is_whole() { "\\Seen" } else { flags };
    // Of a removal that nobody hears of the mark at least is told; and which one `*` was, it can't know
    // later.
    let silent = !set.contains('*') && *flags != *"\\Deleted" && dice.roll(2) == 0;
    let dot = if silent { ".SILENT" } else { "" };
    let text = format!("{}STORE {set}{unchanged} {sign}FLAGS{dot} ({flags})", form(by_number));
    let mut command = quiet(text, by_number);
    if silent {
        command.kind = Kind::Silent { set, sign, flags: [flags.to_owned()].into() };
    }
    command
}

/// The UIDs a set names, as far as the client knows.
pub fn named(picture: &Picture, set: &str, by_number: bool) -> Vec<u32> {
    let last = match by_number {
        true => picture.count(),
        false => picture.numbers.iter().flatten().last().copied().unwrap_or(0),
    };
    let set = crate::wire::imap::SequenceSet::parse(set.as_bytes()).unwrap().resolve(last);
    let known = picture.numbers.iter().zip(1..).filter_map(|(uid, number)| Some(((*uid)?, number)));
    let is_named = |uid, number| set.contains(if by_number { number } else { uid });
    known.filter(|(uid, number)| is_named(*uid, *number)).map(|(uid, _)| uid).collect()
}

fn search(dice: &mut Dice, by_number: bool) -> Command {
    let text = dice.one_of(&[
        "SEARCH ALL",
        "SEARCH UNSEEN UNDELETED",
        "SEARCH NOT KEYWORD w1",
        "SORT (REVERSE SUBJECT) UTF-8 ALL",
        "THREAD REFERENCES UTF-8 ALL",
    ]);
    quiet(format!("{}{text}", form(by_number)), by_number)
}

fn place(
    dice: &mut Dice,
    picture: &Picture,
    stage: &Stage,
    verb: &str,
    by_number: bool,
) -> Command {
    let (set, to) = (set(dice, picture, by_number), stage.any(dice).to_owned());
    let text = format!("{}{verb} {set} {to}", form(by_number));
    Command {
        kind: Kind::Place { to, moved: verb == "MOVE" },
        quiet: false,
        ..quiet(text, by_number)
    }
}

fn message(token: &str, dice: &mut Dice) -> String {
    let lines = "0123456789 0123456789\r\n".repeat(dice.roll(40) as usize);
    let text = format!("Subject: {token}\r\n\r\n{lines}");
    format!("{{{}+}}\r\n{text}", text.len())
}

pub fn append(dice: &mut Dice, stage: &mut Stage, to: &str) -> Command {
    let to = to.to_owned();
    let tokens: Vec<_> = (0..=dice.roll(6) / 4).map(|_| stage.token()).collect();
    let all: Vec<_> = tokens.iter().map(|token| message(token, dice)).collect();
    let text = format!("APPEND {to} (w{}) {}", dice.roll(7), all.join(" "));
    Command { kind: Kind::Append { to, tokens }, ..plain(text) }
}

fn replace(dice: &mut Dice, picture: &Picture, stage: &mut Stage, by_number: bool) -> Command {
    let known = picture.numbers.iter().zip(1..).filter_map(|(uid, number)| Some(((*uid)?, number)));
    let known: Vec<(u32, u32)> = known.collect();
    let Some((uid, number)) = known.get(dice.roll(known.len() as u32) as usize) else {
        return plain("NOOP".to_owned());
    };
    let one = if by_number { number } else { uid };
    let (to, token) = (stage.any(dice).to_owned(), stage.token());
    let text = format!("{}REPLACE {one} {to} {}", form(by_number), message(&token, dice));
    Command {
        kind: Kind::Append { to, tokens: vec![token] },
        quiet: false,
        ..quiet(text, by_number)
    }
}

fn expunge(dice: &mut Dice, picture: &Picture, mode: Mode) -> Command {
    // RFC 9586 §3.5: EXPUNGE without UID stays.
    match dice.roll(2) {
        0 => plain(format!("UID EXPUNGE {}", set(dice, picture, false))),
        _ if mode == Mode::Notify => plain("NOOP".to_owned()),
        _ => plain("EXPUNGE".to_owned()),
    }
}
