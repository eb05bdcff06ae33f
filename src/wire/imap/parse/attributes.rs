//! GETMETADATA and SETMETADATA (RFC 5464 §5), QUOTA (RFC 9208 §7), ACL (RFC 4314 §6).

use super::cursor::{Cursor, Parsed};
use crate::wire::imap::command::{Acl, Command, GetMetadata};
use crate::wire::imap::metadata::{Depth, EntryName};

pub(super) fn get_metadata(cursor: &mut Cursor) -> Parsed<Command> {
    let mut get = GetMetadata::default();
    cursor.space()?;
    if cursor.peek() == Some(b'(') {
        options(cursor, &mut get)?;
        cursor.space()?;
    }
    get.name = cursor.astring()?;
    cursor.space()?;
    // Examples of the RFC, and clients that follow them, have the options here.
    if cursor.starts_with(b"(MAXSIZE ") || cursor.starts_with(b"(DEPTH ") {
        options(cursor, &mut get)?;
        cursor.space()?;
    }
    get.entries = entries(cursor)?;
    Ok(Command::GetMetadata(get))
}

fn options(cursor: &mut Cursor, get: &mut GetMetadata) -> Parsed<()> {
    cursor.must(b"(")?;
    loop {
        let word = cursor.word()?.to_ascii_uppercase();
        cursor.space()?;
        match word.as_str() {
            "MAXSIZE" => get.max_size = Some(cursor.number()?),
            "DEPTH" => get.depth = depth(cursor)?,
            _ => return Err("Unknown GETMETADATA option"),
        }
        if cursor.eat(b")") {
            return Ok(());
        }
        cursor.space()?;
    }
}

fn depth(cursor: &mut Cursor) -> Parsed<Depth> {
    match cursor.word()?.to_ascii_lowercase().as_str() {
        "0" => Ok(Depth::Zero),
        "1" => Ok(Depth::One),
        "infinity" => Ok(Depth::Infinity),
        _ => Err("Bad depth"),
    }
}

/// One name, or several in brackets.
pub(super) fn entries(cursor: &mut Cursor) -> Parsed<Vec<EntryName>> {
    if !cursor.eat(b"(") {
        return Ok(vec![asked(cursor)?]);
    }
    let mut all = vec![asked(cursor)?];
    while !cursor.eat(b")") {
        cursor.space()?;
        if all.len() == ENTRIES {
            return Err("Too many entries");
        }
        let name = asked(cursor)?;
        if !all.contains(&name) {
            all.push(name);
        }
    }
    Ok(all)
}

fn asked(cursor: &mut Cursor) -> Parsed<EntryName> {
    EntryName::parse_asked(&cursor.astring()?).ok_or("Bad entry name")
}

pub(super) fn set_metadata(cursor: &mut Cursor) -> Parsed<Command> {
    let name = cursor.sp_astring()?;
    cursor.space()?;
    cursor.must(b"(")?;
    let mut entries: Vec<(EntryName, Option<Vec<u8>>)> = Vec::new();
    loop {
        if entries.len() == ENTRIES {
            return Err("Too many entries");
        }
        let entry = EntryName::parse(&cursor.astring()?).ok_or("Bad entry name")?;
        cursor.space()?;
        let value = cursor.value()?;
        // The last one holds.
        entries.retain(|(other, _)| *other != entry);
        entries.push((entry, value));
        if cursor.eat(b")") {
            return Ok(Command::SetMetadata { name, entries });
        }
        cursor.space()?;
    }
}

/// `SETQUOTA root (STORAGE 512)`
pub(super) fn set_quota(cursor: &mut Cursor) -> Parsed<Command> {
    cursor.sp_astring()?;
    cursor.space()?;
    cursor.must(b"(")?;
    let mut resources = 0;
    while !cursor.eat(b")") {
        if resources > 0 {
            cursor.space()?;
        }
        if resources == ENTRIES {
            return Err("Too many resources");
        }
        cursor.word()?;
        cursor.space()?;
        cursor.number()?;
        resources += 1;
    }
    Ok(Command::SetQuota)
}

pub(super) fn acl(command: &str, cursor: &mut Cursor) -> Parsed<Command> {
    let name = cursor.sp_astring()?;
    let acl = match command {
        "MYRIGHTS" => Acl::Mine,
        "GETACL" => Acl::Get,
        "LISTRIGHTS" => Acl::List { identifier: cursor.sp_text()? },
        "DELETEACL" => {
            cursor.sp_text()?;
            Acl::Set
        }
        _ => {
            cursor.sp_text()?;
            rights(&cursor.sp_text()?)?;
            Acl::Set
        }
    };
    Ok(Command::Acl { name, acl })
}

/// `+rw`: RFC 4314 §2.1, with the two letters of RFC 2086 and the digits it leaves to servers.
fn rights(text: &str) -> Parsed<()> {
    let letters = text.trim_start_matches(['+', '-']);
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match text.len() - letters.len() <= 1 && letters.bytes().all(good) {
        true => Ok(()),
        false => Err("Bad rights"),
    }
}

/// Of one command.
const ENTRIES: usize = 64;
