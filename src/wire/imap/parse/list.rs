//! LIST with its extensions (RFC 5258, 5819, 6154), STATUS items, CREATE with a special use.

use super::attributes::entries;
use super::cursor::{Cursor, Parsed};
use crate::wire::imap::SpecialUse;
use crate::wire::imap::command::{Command, List, ListReturn, StatusItem};

pub(super) fn list(cursor: &mut Cursor) -> Parsed<List> {
    let mut list = List::default();
    cursor.space()?;
    if cursor.eat(b"(") {
        list.extended = true;
        selection(cursor, &mut list)?;
        cursor.space()?;
    }
    list.reference = cursor.astring()?;
    cursor.space()?;
    match cursor.eat(b"(") {
        true => {
            list.extended = true;
            list.patterns = patterns(cursor)?;
        }
        false => list.patterns.push(cursor.list_mailbox()?),
    }
    if cursor.eat(b" ") {
        cursor.must_word("RETURN")?;
        cursor.space()?;
        list.extended = true;
        list.returns = returns(cursor)?;
    }
    Ok(list)
}

fn selection(cursor: &mut Cursor, list: &mut List) -> Parsed<()> {
    let mut first = true;
    while !cursor.eat(b")") {
        if !first {
            cursor.space()?;
        }
        first = false;
        match cursor.word()?.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => list.select.subscribed = true,
            "REMOTE" => list.select.remote = true,
            "RECURSIVEMATCH" => list.select.recursive_match = true,
            "SPECIAL-USE" => list.select.special_use = true,
            _ => return Err("Unknown selection option"),
        }
    }
    // RFC 5258 §3.1: it only widens another one.
    match list.select.recursive_match && !list.select.subscribed && !list.select.special_use {
        true => Err("RECURSIVEMATCH needs another option"),
        false => Ok(()),
    }
}

fn patterns(cursor: &mut Cursor) -> Parsed<Vec<Vec<u8>>> {
    let mut patterns = vec![cursor.list_mailbox()?];
    while !cursor.eat(b")") {
        cursor.space()?;
        if patterns.len() == PATTERNS {
            return Err("Too many patterns");
        }
        patterns.push(cursor.list_mailbox()?);
    }
    Ok(patterns)
}

fn returns(cursor: &mut Cursor) -> Parsed<ListReturn> {
    let mut returns = ListReturn::default();
    cursor.must(b"(")?;
    let mut first = true;
    while !cursor.eat(b")") {
        if !first {
            cursor.space()?;
        }
        first = false;
        match cursor.word()?.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => returns.subscribed = true,
            "CHILDREN" => returns.children = true,
            "SPECIAL-USE" => returns.special_use = true,
            "STATUS" => {
                cursor.space()?;
                returns.status = Some(status_items(cursor)?);
            }
            "MYRIGHTS" => returns.my_rights = true,
            "METADATA" => {
                cursor.space()?;
                returns.metadata = entries(cursor)?;
            }
            _ => return Err("Unknown return option"),
        }
    }
    Ok(returns)
}

pub(super) fn status_items(cursor: &mut Cursor) -> Parsed<Vec<StatusItem>> {
    cursor.must(b"(")?;
    let mut items = Vec::new();
    while !cursor.eat(b")") {
        if !items.is_empty() {
            cursor.space()?;
        }
        if items.len() == ITEMS {
            return Err("Too many items");
        }
        items.push(match cursor.word()?.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            "DELETED" => StatusItem::Deleted,
            "SIZE" => StatusItem::Size,
            "DELETED-STORAGE" => StatusItem::DeletedStorage,
            "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
            "MAILBOXID" => StatusItem::MailboxId,
            "APPENDLIMIT" => StatusItem::AppendLimit,
            _ => return Err("Unknown STATUS item"),
        });
    }
    Ok(items)
}

pub(super) fn create(cursor: &mut Cursor) -> Parsed<Command> {
    let name = cursor.sp_astring()?;
    let mut uses = Vec::new();
    if cursor.eat(b" ") {
        cursor.must(b"(")?;
        cursor.must_word("USE")?;
        cursor.must(b" (")?;
        while !cursor.eat(b")") {
            if !uses.is_empty() {
                cursor.space()?;
            }
            if uses.len() == ITEMS {
                return Err("Too many items");
            }
            cursor.must(b"\\")?;
            uses.push(SpecialUse::named(&format!("\\{}", cursor.word()?)));
        }
        cursor.must(b")")?;
    }
    Ok(Command::Create { name, uses })
}

/// Programs send two or three.
const PATTERNS: usize = 8;
const ITEMS: usize = 32;
