//! SEARCH: RETURN options (RFC 4731, 5182, 5267, 9394), charset, and the tree of keys, bounded in depth and size.

use chrono::NaiveDate;

use super::cursor::{Cursor, Parsed};
use super::{SearchKey, SequenceSet, SystemFlags};
use crate::wire::imap::command::{Order, Partial, Search, SearchReturn};
use crate::wire::imap::object_id::{is_object_id, parse_email_id, parse_thread_id};
use crate::wire::imap::{Keyword, MessageSet};
use crate::wire::mime::text::{decode_charset, is_charset};

type Key = SearchKey<MessageSet>;

pub(super) fn search(cursor: &mut Cursor, uid: bool) -> Parsed<Search> {
    cursor.space()?;
    program(cursor, uid)
}

pub(super) fn program(cursor: &mut Cursor, uid: bool) -> Parsed<Search> {
    let returns = returns(cursor)?;
    let mut charset = None;
    if cursor.eat_word("CHARSET") {
        charset = Some(known_charset(cursor).map_err(|why| failed(why, returns))?);
        cursor.space()?;
    }
    let named = charset.is_some();
    Ok(Search { uid, returns, charset: named, key: keys(cursor, charset)?, order: Order::Mailbox })
}

/// RFC 5182 §2.1: what is answered by NO and was to be saved leaves nothing saved.
pub(super) fn failed(why: &'static str, returns: Option<SearchReturn>) -> &'static str {
    let saves = returns.is_some_and(|returns| returns.save);
    if why == BAD_CHARSET && saves { BAD_CHARSET_TO_SAVE } else { why }
}

/// `RETURN (…) `, if it comes.
pub(super) fn returns(cursor: &mut Cursor) -> Parsed<Option<SearchReturn>> {
    if !cursor.eat_word("RETURN") {
        return Ok(None);
    }
    cursor.space()?;
    let returns = return_options(cursor)?;
    cursor.space()?;
    Ok(Some(returns))
}

/// All keys to the end of the command.
pub(super) fn keys(cursor: &mut Cursor, charset: Option<Vec<u8>>) -> Parsed<Key> {
    Keys { cursor, charset, left: KEYS, texts: TEXTS }.all_until_end()
}

fn return_options(cursor: &mut Cursor) -> Parsed<SearchReturn> {
    let mut returns = SearchReturn::default();
    cursor.must(b"(")?;
    let mut first = true;
    while !cursor.eat(b")") {
        if !first {
            cursor.space()?;
        }
        first = false;
        match cursor.word()?.to_ascii_uppercase().as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            "UPDATE" => returns.update = true,
            "RELEVANCY" => returns.relevancy = true,
            // A hint (RFC 5267 §4.2) that tells us nothing.
            "CONTEXT" => {}
            "PARTIAL" => {
                cursor.space()?;
                let again = returns.partial.replace(partial(cursor)?).is_some();
                if again {
                    return Err("One PARTIAL only");
                }
            }
            _ => return Err("Unknown RETURN option"),
        }
    }
    // RFC 9394 §3.1.
    if returns.all && returns.partial.is_some() {
        return Err("Either ALL or PARTIAL");
    }
    // RFC 4731 §3.1: nothing named means ALL.
    let nothing = SearchReturn { relevancy: returns.relevancy, ..SearchReturn::default() };
    returns.all |= returns == nothing;
    Ok(returns)
}

/// `1:500` or `-1:-100`; either end may stand first (RFC 5267 §4.4).
pub(super) fn partial(cursor: &mut Cursor) -> Parsed<Partial> {
    let from_end = cursor.eat(b"-");
    let one = cursor.number32()?;
    cursor.must(if from_end { b":-" } else { b":" })?;
    let other = cursor.number32()?;
    match one.min(other) {
        0 => Err("Bad range"),
        first => Ok(Partial { first, last: one.max(other), from_end }),
    }
}

pub(super) fn known_charset(cursor: &mut Cursor) -> Parsed<Vec<u8>> {
    let name = cursor.sp_astring()?.to_ascii_lowercase();
    if is_charset(&name) { Ok(name) } else { Err(BAD_CHARSET) }
}

struct Keys<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    charset: Option<Vec<u8>>,
    left: usize,
    /// Texts may come so often still: each is looked for in all that is read.
    texts: usize,
}

impl Keys<'_, '_> {
    fn all_until_end(&mut self) -> Parsed<Key> {
        let mut keys = vec![self.key(0)?];
        while !self.cursor.at_end() {
            self.cursor.space()?;
            keys.push(self.key(0)?);
        }
        Ok(both(keys))
    }

    fn key(&mut self, depth: usize) -> Parsed<Key> {
        self.left = self.left.checked_sub(1).ok_or("Too many search keys")?;
        if depth > DEPTH {
            return Err("Search nested too deep");
        }
        match self.cursor.peek() {
            Some(b'(') => self.list(depth),
            Some(b'$') => {
                self.cursor.must(b"$")?;
                Ok(Key::Messages(MessageSet::Saved))
            }
            Some(b'0'..=b'9' | b'*') => Ok(Key::Messages(MessageSet::Sequence(self.set()?))),
            _ => {
                let word = self.cursor.word()?.to_ascii_uppercase();
                self.named(&word, depth)
            }
        }
    }

    fn list(&mut self, depth: usize) -> Parsed<Key> {
        self.cursor.must(b"(")?;
        let mut keys = vec![self.key(depth + 1)?];
        while !self.cursor.eat(b")") {
            self.cursor.space()?;
            keys.push(self.key(depth + 1)?);
        }
        Ok(both(keys))
    }

    fn named(&mut self, word: &str, depth: usize) -> Parsed<Key> {
        if let Some((flag, on)) = flag_key(word) {
            let key = Key::Flag(flag);
            return Ok(if on { key } else { not(key) });
        }
        Ok(match word {
            "ALL" => Key::All,
            "RECENT" => recent(),
            "OLD" => not(recent()),
            "NEW" => both(vec![recent(), not(Key::Flag(SystemFlags::SEEN))]),
            "NOT" => not(self.sp_key(depth)?),
            "FUZZY" => Key::Fuzzy(Box::new(self.sp_key(depth)?)),
            "OR" => Key::Or(Box::new(self.sp_key(depth)?), Box::new(self.sp_key(depth)?)),
            "UID" => {
                self.cursor.space()?;
                match self.cursor.eat(b"$") {
                    true => Key::Messages(MessageSet::Saved),
                    false => Key::Messages(MessageSet::Uid(self.set()?)),
                }
            }
            // RFC 9738 §3.2.
            "UIDAFTER" => between(self.uid()?.checked_add(1), Some(u32::MAX)),
            "UIDBEFORE" => between(Some(1), self.uid()?.checked_sub(1)),
            "KEYWORD" => Key::Keyword(self.keyword()?),
            "UNKEYWORD" => not(Key::Keyword(self.keyword()?)),
            "BEFORE" => Key::Before(self.date()?),
            "ON" => Key::On(self.date()?),
            "SINCE" => Key::Since(self.date()?),
            "SENTBEFORE" => Key::SentBefore(self.date()?),
            "SENTON" => Key::SentOn(self.date()?),
            "SENTSINCE" => Key::SentSince(self.date()?),
            "SAVEDBEFORE" => Key::SavedBefore(self.date()?),
            "SAVEDON" => Key::SavedOn(self.date()?),
            "SAVEDSINCE" => Key::SavedSince(self.date()?),
            // RFC 8514 §4.3: every mailbox has save dates.
            "SAVEDATESUPPORTED" => Key::All,
            "EMAILID" => match parse_email_id(self.object_id()?) {
                Some(content) => Key::Email(content),
                None => not(Key::All),
            },
            "THREADID" => match parse_thread_id(self.object_id()?) {
                Some(thread) => Key::Thread(thread),
                None => not(Key::All),
            },
            "OLDER" => Key::Older(self.seconds()?),
            "YOUNGER" => Key::Younger(self.seconds()?),
            "LARGER" => Key::Larger(self.number()?),
            "SMALLER" => Key::Smaller(self.number()?),
            "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => {
                Key::Header { name: word.to_ascii_lowercase(), text: self.text()? }
            }
            "HEADER" => {
                let name = self.cursor.sp_text()?.to_ascii_lowercase();
                Key::Header { name, text: self.text()? }
            }
            "TEXT" => Key::Text(self.text()?),
            "BODY" => Key::Body(self.text()?),
            "MODSEQ" => self.modseq()?,
            _ => return Err("Unknown search key"),
        })
    }

    fn sp_key(&mut self, depth: usize) -> Parsed<Key> {
        self.cursor.space()?;
        self.key(depth + 1)
    }

    fn set(&mut self) -> Parsed<SequenceSet> {
        self.cursor.sequence_set()
    }

    fn keyword(&mut self) -> Parsed<Keyword> {
        self.cursor.space()?;
        Keyword::parse(self.cursor.word()?).ok_or("Bad keyword")
    }

    fn object_id(&mut self) -> Parsed<&str> {
        self.cursor.space()?;
        let id = self.cursor.word()?;
        if is_object_id(id) { Ok(id) } else { Err("Bad object identifier") }
    }

    fn number(&mut self) -> Parsed<u64> {
        self.cursor.space()?;
        self.cursor.number()
    }

    fn uid(&mut self) -> Parsed<u32> {
        u32::try_from(self.number()?).ok().filter(|n| *n > 0).ok_or("Bad UID")
    }

    fn seconds(&mut self) -> Parsed<u32> {
        u32::try_from(self.number()?).ok().filter(|n| *n > 0).ok_or("Bad interval")
    }

    fn text(&mut self) -> Parsed<String> {
        self.texts = self.texts.checked_sub(1).ok_or("Too many search texts")?;
        let bytes = self.cursor.sp_astring()?;
        Ok(decode_charset(&bytes, self.charset.as_deref()).into_owned())
    }

    /// `1-Feb-1994`, quoted or not.
    fn date(&mut self) -> Parsed<NaiveDate> {
        let text = self.cursor.sp_text()?;
        NaiveDate::parse_from_str(text.trim(), "%d-%b-%Y").map_err(|_| "Bad date")
    }

    /// `MODSEQ 7` or `MODSEQ "/flags/\\draft" all 7` (RFC 7162 §3.1.5); entries are one to us.
    fn modseq(&mut self) -> Parsed<Key> {
        self.cursor.space()?;
        if self.cursor.peek() == Some(b'"') {
            self.cursor.astring()?;
            self.cursor.space()?;
            self.cursor.word()?;
            self.cursor.space()?;
        }
        Ok(Key::ModSeq(self.cursor.number()?))
    }
}

fn both(mut keys: Vec<Key>) -> Key {
    match (keys.pop(), keys.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            keys.extend(last);
            Key::And(keys)
        }
    }
}

/// Messages whose UIDs are within; none when an end is none.
fn between(first: Option<u32>, last: Option<u32>) -> Key {
    match first.zip(last).filter(|(first, last)| *first > 0 && first <= last) {
        Some((first, last)) => Key::Messages(MessageSet::Uid(SequenceSet::range(first, last))),
        None => not(Key::All),
    }
}

fn recent() -> Key {
    Key::Messages(MessageSet::Recent)
}

fn not(key: Key) -> Key {
    Key::Not(Box::new(key))
}

fn flag_key(word: &str) -> Option<(SystemFlags, bool)> {
    let (name, on) = match word.strip_prefix("UN") {
        Some(name) => (name, false),
        None => (word, true),
    };
    Some((SystemFlags::named(&format!("\\{name}"))?, on))
}

/// The session answers this one with `BADCHARSET`.
pub(crate) const BAD_CHARSET: &str = "Unknown charset";
pub(crate) const BAD_CHARSET_TO_SAVE: &str = "Unknown charset, nothing is saved";

const DEPTH: usize = 32;
/// In one command.
const KEYS: usize = 1_000;
/// More than people type.
const TEXTS: usize = 64;
