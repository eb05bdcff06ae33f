//! One whole command (RFC 9051 §9, RFC 3501 and extensions), its literals inline. Lenient only where
//! clients in the field need it; bounded in depth and count everywhere.

mod append;
mod arrange;
mod attributes;
mod cursor;
mod fetch;
mod list;
mod notify;
mod search;

use secrecy::SecretString;

use super::command::{
    Append, AppendForm, AppendStep, Command, Literal, Messages, Qresync, Select, Store, StoreKind,
    Tagged, UidBatches,
};
use super::{Flags, Keyword, SearchKey, SequenceSet, SystemFlags};
use crate::wire::Timestamp;
use crate::wire::mime::Section;
use cursor::{Cursor, Parsed};
pub(crate) use search::{BAD_CHARSET, BAD_CHARSET_TO_SAVE};

/// A command from its tag to its line end. Never panics, whatever the bytes.
pub fn parse_command_bytes(bytes: &[u8]) -> Result<Tagged, &'static str> {
    let mut cursor = Cursor::new(bytes);
    let tag = cursor.tag()?;
    cursor.space()?;
    let name = cursor.word()?.to_ascii_uppercase();
    let command = match name.as_str() {
        "UID" => {
            cursor.space()?;
            let name = cursor.word()?.to_ascii_uppercase();
            uid_command(&name, &mut cursor)?
        }
        _ => command(&name, &mut cursor)?,
    };
    cursor.end()?;
    Ok(Tagged { tag, command })
}

/// The tag, as far as there is one, for a `BAD`.
pub(super) fn tag_of(bytes: &[u8]) -> Option<String> {
    Cursor::new(bytes).tag().ok()
}

/// The literal a line (without its line end) announces.
pub(super) fn literal_at_end(line: &[u8]) -> Option<Literal> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|b| *b == b'{')?;
    let (before, digits) = (inner.get(..open)?, inner.get(open + 1..)?);
    let (digits, sync) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    // More than there can be is too much, whatever it says: what follows is no command.
    let size = std::str::from_utf8(digits).ok().filter(|_| number)?.parse().unwrap_or(u64::MAX);
    Some(Literal { size, sync, binary: before.ends_with(b"~") })
}

/// What a command is whose line so far ends with a literal.
pub(super) enum Head {
    /// An APPEND, and this literal is octets of a message.
    Append(String, Append),
    /// The same further on in one.
    More(Vec<AppendStep>, AppendForm),
    Bad(Option<String>, &'static str),
    /// Another command, or a literal that is one of APPEND's arguments.
    Other,
}

pub(super) fn append_head(bytes: &[u8]) -> Head {
    let mut cursor = Cursor::new(bytes);
    let (tag, name) = match append_name(&mut cursor) {
        Ok(Some(found)) => found,
        _ => return Head::Other,
    };
    let append = match name {
        Appending::Append => append::append(&mut cursor),
        Appending::Replace { uid } => append::replace(&mut cursor, uid),
    };
    match append {
        Ok(append) => Head::Append(tag, append),
        // The mailbox name is the literal: its bytes are not here yet.
        Err(_) if cursor.is_cut() => Head::Other,
        Err(reason) => Head::Bad(Some(tag), reason),
    }
}

/// What stands behind octets that streamed in, up to the next ones or to the end.
pub(super) fn append_rest(bytes: &[u8], form: AppendForm) -> Head {
    let mut cursor = Cursor::new(bytes);
    match append::steps(&mut cursor, Some(form)) {
        Ok((steps, form)) => Head::More(steps, form),
        Err(_) if cursor.is_cut() => Head::Other,
        Err(reason) => Head::Bad(None, reason),
    }
}

/// A section as a URL names it (RFC 5092), without brackets.
pub(super) fn section_of(bytes: &[u8]) -> Option<Section> {
    let mut cursor = Cursor::new(bytes);
    let section = fetch::section(&mut cursor).ok()?;
    cursor.end().ok().map(|()| section)
}

enum Appending {
    Append,
    Replace { uid: bool },
}

fn append_name(cursor: &mut Cursor) -> Parsed<Option<(String, Appending)>> {
    let tag = cursor.tag()?;
    cursor.space()?;
    let uid = cursor.eat_word("UID");
    if uid {
        cursor.space()?;
    }
    let name = cursor.word()?.to_ascii_uppercase();
    Ok(match (name.as_str(), uid) {
        ("APPEND", false) => Some((tag, Appending::Append)),
        ("REPLACE", uid) => Some((tag, Appending::Replace { uid })),
        _ => None,
    })
}

fn command(name: &str, cursor: &mut Cursor) -> Parsed<Command> {
    Ok(match name {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "STARTTLS" => Command::StartTls,
        "AUTHENTICATE" => authenticate(cursor)?,
        "LOGIN" => {
            let user = cursor.sp_text()?;
            let password = SecretString::from(cursor.sp_text()?);
            Command::Login { user, password }
        }
        "ENABLE" => Command::Enable(cursor.words()?),
        "ID" => Command::Id(id(cursor)?),
        "NAMESPACE" => Command::Namespace,
        "UIDBATCHES" => Command::UidBatches(uid_batches(cursor)?),
        "NOTIFY" => Command::Notify(notify::notify(cursor)?),
        "UNAUTHENTICATE" => Command::Unauthenticate,
        "COMPRESS" => {
            cursor.space()?;
            Command::Compress(cursor.word()?.to_ascii_uppercase())
        }
        "SELECT" => Command::Select(select(cursor, false)?),
        "EXAMINE" => Command::Select(select(cursor, true)?),
        "CREATE" => list::create(cursor)?,
        "DELETE" => Command::Delete(cursor.sp_astring()?),
        "RENAME" => Command::Rename { from: cursor.sp_astring()?, to: cursor.sp_astring()? },
        "SUBSCRIBE" => Command::Subscribe { name: cursor.sp_astring()?, on: true },
        "UNSUBSCRIBE" => Command::Subscribe { name: cursor.sp_astring()?, on: false },
        "LIST" => Command::List(list::list(cursor)?),
        "LSUB" => {
            Command::Lsub { reference: cursor.sp_astring()?, pattern: cursor.sp_list_mailbox()? }
        }
        "STATUS" => {
            let name = cursor.sp_astring()?;
            cursor.space()?;
            Command::Status { name, items: list::status_items(cursor)? }
        }
        "GETMETADATA" => attributes::get_metadata(cursor)?,
        "SETMETADATA" => attributes::set_metadata(cursor)?,
        "GETQUOTA" => Command::GetQuota(cursor.sp_astring()?),
        "GETQUOTAROOT" => Command::GetQuotaRoot(cursor.sp_astring()?),
        "SETQUOTA" => attributes::set_quota(cursor)?,
        "MYRIGHTS" | "GETACL" | "LISTRIGHTS" | "SETACL" | "DELETEACL" => {
            attributes::acl(name, cursor)?
        }
        "APPEND" => Command::Append(append::append(cursor)?),
        "IDLE" => Command::Idle,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "ESEARCH" => Command::MultiSearch(arrange::multi_search(cursor)?),
        "CANCELUPDATE" => Command::CancelUpdate(tags(cursor)?),
        _ => return message_command(name, false, cursor),
    })
}

fn uid_command(name: &str, cursor: &mut Cursor) -> Parsed<Command> {
    match name {
        "EXPUNGE" => Ok(Command::Expunge(Some(sp_messages(cursor, true)?))),
        _ => message_command(name, true, cursor),
    }
}

fn message_command(name: &str, uid: bool, cursor: &mut Cursor) -> Parsed<Command> {
    Ok(match name {
        "REPLACE" => Command::Append(append::replace(cursor, uid)?),
        "SEARCH" => Command::Search(search::search(cursor, uid)?),
        "SORT" => Command::Search(arrange::sort(cursor, uid)?),
        "THREAD" => Command::Search(arrange::thread(cursor, uid)?),
        "FETCH" => Command::Fetch(fetch::fetch(cursor, uid)?),
        "STORE" => Command::Store(store(cursor, uid)?),
        "COPY" => Command::Copy { uid, set: sp_messages(cursor, uid)?, to: cursor.sp_astring()? },
        "MOVE" => Command::Move { uid, set: sp_messages(cursor, uid)?, to: cursor.sp_astring()? },
        _ => return Err("Unknown command"),
    })
}

/// Quoted tags to the end (RFC 5267 §4.3.5).
fn tags(cursor: &mut Cursor) -> Parsed<Vec<String>> {
    let mut tags = vec![cursor.sp_text()?];
    while !cursor.at_end() {
        tags.push(cursor.sp_text()?);
    }
    Ok(tags)
}

fn sp_messages(cursor: &mut Cursor, uid: bool) -> Parsed<Messages> {
    cursor.space()?;
    if cursor.eat(b"$") {
        return Ok(Messages::Saved);
    }
    let set = cursor.sequence_set()?;
    Ok(if uid { Messages::Uid(set) } else { Messages::Sequence(set) })
}

fn authenticate(cursor: &mut Cursor) -> Parsed<Command> {
    cursor.space()?;
    let mechanism = cursor.word()?.to_ascii_uppercase();
    let initial = match cursor.eat(b" ") {
        true => Some(SecretString::from(cursor.rest_as_text()?)),
        false => None,
    };
    Ok(Command::Authenticate { mechanism, initial })
}

fn id(cursor: &mut Cursor) -> Parsed<Vec<(String, Option<String>)>> {
    cursor.space()?;
    let mut pairs = Vec::new();
    if cursor.eat_word("NIL") {
        return Ok(pairs);
    }
    cursor.must(b"(")?;
    while !cursor.eat(b")") {
        if !pairs.is_empty() {
            cursor.space()?;
            // QUIRK(clients, 2026-11): there are programs that end the list so. docs/quirks.md#72
            if cursor.eat(b")") {
                break;
            }
        }
        if pairs.len() == ID_PAIRS {
            return Err("Too many ID fields");
        }
        let name = cursor.text()?;
        cursor.space()?;
        let value = if cursor.eat_word("NIL") { None } else { Some(cursor.text()?) };
        pairs.push((name, value));
    }
    Ok(pairs)
}

fn select(cursor: &mut Cursor, examine: bool) -> Parsed<Select> {
    let mut select = Select { name: cursor.sp_astring()?, examine, ..Select::default() };
    if !cursor.eat(b" ") {
        return Ok(select);
    }
    cursor.must(b"(")?;
    loop {
        match cursor.word()?.to_ascii_uppercase().as_str() {
            "CONDSTORE" => select.condstore = true,
            "QRESYNC" => select.qresync = Some(qresync(cursor)?),
            _ => return Err("Unknown SELECT parameter"),
        }
        if cursor.eat(b")") {
            return Ok(select);
        }
        cursor.space()?;
    }
}

fn uid_batches(cursor: &mut Cursor) -> Parsed<UidBatches> {
    let positive =
        |cursor: &mut Cursor| cursor.number32().ok().filter(|n| *n > 0).ok_or("Bad number");
    cursor.space()?;
    let size = positive(cursor)?;
    if !cursor.eat(b" ") {
        return Ok(UidBatches { size, range: None });
    }
    let first = positive(cursor)?;
    cursor.must(b":")?;
    Ok(UidBatches { size, range: Some((first, positive(cursor)?)) })
}

fn qresync(cursor: &mut Cursor) -> Parsed<Qresync> {
    cursor.must(b" (")?;
    let uid_validity = u32::try_from(cursor.number()?).map_err(|_| "Bad UIDVALIDITY")?;
    cursor.space()?;
    let modseq = cursor.number()?;
    let (mut known_uids, mut matches) = (None, None);
    if cursor.eat(b" ") && cursor.peek() != Some(b'(') {
        known_uids = Some(known_set(cursor)?);
        cursor.eat(b" ");
    }
    if cursor.eat(b"(") {
        let numbers = known_set(cursor)?;
        cursor.space()?;
        matches = Some((numbers, known_set(cursor)?));
        cursor.must(b")")?;
    }
    cursor.must(b")")?;
    Ok(Qresync { uid_validity, modseq, known_uids, matches })
}

/// RFC 7162 §7 `known-uids`: what a client knows has no `*`.
fn known_set(cursor: &mut Cursor) -> Parsed<SequenceSet> {
    Some(cursor.sequence_set()?).filter(|set| !set.has_star()).ok_or("Bad message set")
}

fn store(cursor: &mut Cursor, uid: bool) -> Parsed<Store> {
    let set = sp_messages(cursor, uid)?;
    cursor.space()?;
    let mut unchanged_since = None;
    if cursor.eat(b"(") {
        cursor.must_word("UNCHANGEDSINCE")?;
        cursor.space()?;
        unchanged_since = Some(cursor.number()?);
        cursor.must(b") ")?;
    }
    let change = match () {
        () if cursor.eat(b"+") => StoreKind::Add,
        () if cursor.eat(b"-") => StoreKind::Remove,
        () => StoreKind::Replace,
    };
    let silent = match cursor.word()?.to_ascii_uppercase().as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err("Unknown STORE item"),
    };
    cursor.space()?;
    let flags = match cursor.peek() {
        Some(b'(') => flag_list(cursor)?,
        _ => flags_until(cursor, |cursor| cursor.at_end())?,
    };
    Ok(Store { uid, set, unchanged_since, change, silent, flags })
}

fn flag_list(cursor: &mut Cursor) -> Parsed<Flags> {
    cursor.must(b"(")?;
    if cursor.eat(b")") {
        return Ok(Flags::default());
    }
    flags_until(cursor, |cursor| cursor.eat(b")"))
}

/// Flags between spaces. `\Recent` and unknown system flags are passed over: no client may set
/// them, and refusing the whole command helps nobody.
/// QUIRK(kep, 2026-11): as keywords of the server are; docs/quirks.md#24
fn flags_until(cursor: &mut Cursor, ends: impl Fn(&mut Cursor) -> bool) -> Parsed<Flags> {
    let (mut system, mut keywords) = (SystemFlags::default(), Vec::new());
    loop {
        let backslash = cursor.eat(b"\\");
        let word = cursor.word()?;
        match backslash {
            true => {
                let known = SystemFlags::named(&format!("\\{word}"));
                system = system | known.unwrap_or_default();
            }
            false => keywords.push(Keyword::parse(word).ok_or("Bad keyword")?),
        }
        if keywords.len() > KEYWORDS {
            return Err("Too many keywords");
        }
        if ends(cursor) {
            return Ok(Flags { system, keywords: keywords.into_iter().collect() });
        }
        cursor.space()?;
    }
}

/// ` 7-Jul-1996 02:44:25 -0700`
fn date_time(text: &str) -> Option<Timestamp> {
    let date = chrono::DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}

/// RFC 2971 §3.3.
const ID_PAIRS: usize = 30;
/// In one command.
const KEYWORDS: usize = 500;

#[cfg(test)]
mod tests;
