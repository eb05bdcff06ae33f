//! SORT and THREAD (RFC 5256), and ESEARCH over many mailboxes (RFC 7377): what stands before their
//! search keys.

use super::cursor::{Cursor, Parsed};
use super::search::{failed, keys, known_charset, program, returns};
use crate::wire::imap::command::{
    MailboxArg, MultiSearch, Order, Search, SortCriterion, SortKey, Source, Threading,
};

pub(super) fn sort(cursor: &mut Cursor, uid: bool) -> Parsed<Search> {
    cursor.space()?;
    let returns = returns(cursor)?;
    let order = Order::Sort(criteria(cursor)?);
    let charset = known_charset(cursor).map_err(|why| failed(why, returns))?;
    cursor.space()?;
    Ok(Search { uid, returns, charset: true, key: keys(cursor, Some(charset))?, order })
}

pub(super) fn thread(cursor: &mut Cursor, uid: bool) -> Parsed<Search> {
    cursor.space()?;
    let threading = match cursor.word()?.to_ascii_uppercase().as_str() {
        "ORDEREDSUBJECT" => Threading::OrderedSubject,
        "REFERENCES" => Threading::References,
        _ => return Err("Unknown threading"),
    };
    let charset = known_charset(cursor)?;
    cursor.space()?;
    let key = keys(cursor, Some(charset))?;
    Ok(Search { uid, returns: None, charset: true, key, order: Order::Thread(threading) })
}

fn criteria(cursor: &mut Cursor) -> Parsed<Vec<SortCriterion>> {
    let mut criteria = Vec::new();
    cursor.must(b"(")?;
    loop {
        if criteria.len() == CRITERIA {
            return Err("Too many sort keys");
        }
        let reverse = cursor.eat_word("REVERSE");
        if reverse {
            cursor.space()?;
        }
        criteria.push(SortCriterion { key: sort_key(cursor)?, reverse });
        if cursor.eat(b")") {
            return Ok(criteria);
        }
        cursor.space()?;
    }
}

fn sort_key(cursor: &mut Cursor) -> Parsed<SortKey> {
    Ok(match cursor.word()?.to_ascii_uppercase().as_str() {
        "ARRIVAL" => SortKey::Arrival,
        "CC" => SortKey::Cc,
        "DATE" => SortKey::Date,
        "FROM" => SortKey::From,
        "SIZE" => SortKey::Size,
        "SUBJECT" => SortKey::Subject,
        "TO" => SortKey::To,
        "DISPLAYFROM" => SortKey::DisplayFrom,
        "DISPLAYTO" => SortKey::DisplayTo,
        "RELEVANCY" => SortKey::Relevancy,
        _ => return Err("Unknown sort key"),
    })
}

pub(super) fn multi_search(cursor: &mut Cursor) -> Parsed<MultiSearch> {
    let mut sources = Vec::new();
    cursor.space()?;
    if cursor.eat_word("IN") {
        cursor.must(b" (")?;
        loop {
            sources.push(source(cursor)?);
            if cursor.eat(b")") {
                break;
            }
            cursor.space()?;
            if sources.len() == SOURCES {
                return Err("Too many sources");
            }
        }
        cursor.space()?;
    }
    // UIDs are all that can be told of a mailbox that isn't selected.
    Ok(MultiSearch { sources, search: program(cursor, true)? })
}

fn source(cursor: &mut Cursor) -> Parsed<Source> {
    Ok(match cursor.word()?.to_ascii_uppercase().as_str() {
        "SELECTED" => Source::Selected,
        "INBOXES" => Source::Inboxes,
        "PERSONAL" => Source::Personal,
        "SUBSCRIBED" => Source::Subscribed,
        "SUBTREE" => Source::Subtree(names(cursor)?),
        "SUBTREE-ONE" => Source::SubtreeOne(names(cursor)?),
        "MAILBOXES" => Source::Mailboxes(names(cursor)?),
        _ => return Err("Unknown source"),
    })
}

/// One name, or some in parentheses.
fn names(cursor: &mut Cursor) -> Parsed<Vec<MailboxArg>> {
    cursor.space()?;
    if !cursor.eat(b"(") {
        return Ok(vec![cursor.astring()?]);
    }
    let mut names = vec![cursor.astring()?];
    while !cursor.eat(b")") {
        names.push(cursor.sp_astring()?);
        if names.len() > NAMES {
            return Err("Too many mailboxes");
        }
    }
    Ok(names)
}

/// Keys of one SORT: each can stand once in either way.
const CRITERIA: usize = 20;
const SOURCES: usize = 32;
/// Of one source.
const NAMES: usize = 256;
