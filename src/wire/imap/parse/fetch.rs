//! FETCH items, sections, partials and modifiers.

use super::cursor::{Cursor, Parsed};
use crate::wire::imap::command::{Fetch, FetchItem};
use crate::wire::mime::{Section, SectionText};

pub(super) fn fetch(cursor: &mut Cursor, uid: bool) -> Parsed<Fetch> {
    let set = super::sp_messages(cursor, uid)?;
    cursor.space()?;
    let mut items = Vec::new();
    match () {
        () if cursor.eat_word("ALL") => items.extend(ALL),
        () if cursor.eat_word("FAST") => items.extend(FAST),
        () if cursor.eat_word("FULL") => items.extend(FULL),
        () if cursor.eat(b"(") => items = self::items(cursor)?,
        () => items.push(item(cursor)?),
    }
    let mut fetch = Fetch { uid, set, items, changed_since: None, vanished: false, partial: None };
    if cursor.eat(b" ") {
        modifiers(cursor, &mut fetch)?;
    }
    Ok(fetch)
}

/// What stands between parentheses, behind the first.
pub(super) fn items(cursor: &mut Cursor) -> Parsed<Vec<FetchItem>> {
    let mut items = vec![item(cursor)?];
    let mut asked = 1;
    while !cursor.eat(b")") {
        cursor.space()?;
        asked += 1;
        if asked > ITEMS {
            return Err("Too many FETCH items");
        }
        add(&mut items, item(cursor)?);
    }
    Ok(items)
}

/// What is asked for twice is answered once; one of the two without PEEK is enough to set `\Seen`.
fn add(items: &mut Vec<FetchItem>, new: FetchItem) {
    match (items.iter_mut().find(|old| is_shown_as(old, &new)), new) {
        (None, new) => items.push(new),
        (Some(FetchItem::Section { peek: old, .. }), FetchItem::Section { peek, .. }) => {
            *old &= peek;
        }
        (Some(FetchItem::Preview { lazy: old }), FetchItem::Preview { lazy }) => *old &= lazy,
        _ => {}
    }
}

/// Whether the response names both alike.
fn is_shown_as(one: &FetchItem, other: &FetchItem) -> bool {
    use FetchItem::{Binary, Preview, Section};
    match (one, other) {
        (
            Section { section, partial, name, .. },
            Section { section: section2, partial: partial2, name: name2, .. },
        ) => (section, partial, name) == (section2, partial2, name2),
        (Binary { part, partial, .. }, Binary { part: part2, partial: partial2, .. }) => {
            (part, partial) == (part2, partial2)
        }
        (Preview { .. }, Preview { .. }) => true,
        (one, other) => one == other,
    }
}

fn modifiers(cursor: &mut Cursor, fetch: &mut Fetch) -> Parsed<()> {
    cursor.must(b"(")?;
    loop {
        match cursor.word()?.to_ascii_uppercase().as_str() {
            "CHANGEDSINCE" => {
                cursor.space()?;
                fetch.changed_since = Some(cursor.number()?);
            }
            "VANISHED" => fetch.vanished = true,
            "PARTIAL" => {
                cursor.space()?;
                fetch.partial = Some(super::search::partial(cursor)?);
            }
            _ => return Err("Unknown FETCH modifier"),
        }
        if cursor.eat(b")") {
            break;
        }
        cursor.space()?;
    }
    // RFC 7162 §3.2.6.
    match fetch.vanished && (!fetch.uid || fetch.changed_since.is_none()) {
        true => Err("VANISHED needs UID FETCH with CHANGEDSINCE"),
        false => Ok(()),
    }
}

fn item(cursor: &mut Cursor) -> Parsed<FetchItem> {
    let name = cursor.take_while(|b| b.is_ascii_alphanumeric() || b == b'.').to_ascii_uppercase();
    let plain = |text: SectionText, peek: bool, name: &str| FetchItem::Section {
        section: Section { part: Vec::new(), text },
        peek,
        partial: None,
        name: name.to_owned(),
    };
    Ok(match name.as_slice() {
        b"UID" => FetchItem::Uid,
        b"FLAGS" => FetchItem::Flags,
        b"INTERNALDATE" => FetchItem::InternalDate,
        b"RFC822.SIZE" => FetchItem::Size,
        b"ENVELOPE" => FetchItem::Envelope,
        b"BODYSTRUCTURE" => FetchItem::BodyStructure,
        b"MODSEQ" => FetchItem::ModSeq,
        b"RFC822" => plain(SectionText::Whole, false, "RFC822"),
        // QUIRK(outlook, 2024-12): asks so where it sees no IMAP4rev1 it knows. docs/quirks.md#70
        b"RFC822.PEEK" => plain(SectionText::Whole, true, "RFC822"),
        b"RFC822.HEADER" => plain(SectionText::Header, true, "RFC822.HEADER"),
        b"RFC822.TEXT" => plain(SectionText::Text, false, "RFC822.TEXT"),
        b"BODY" if cursor.peek() == Some(b'[') => body_section(cursor, false)?,
        b"BODY.PEEK" => body_section(cursor, true)?,
        b"BODY" => FetchItem::Body,
        b"BINARY" | b"BINARY.PEEK" => {
            let part = binary_part(cursor)?;
            FetchItem::Binary { part, peek: name.ends_with(b"PEEK"), partial: partial(cursor)? }
        }
        b"SAVEDATE" => FetchItem::SaveDate,
        b"EMAILID" => FetchItem::EmailId,
        b"THREADID" => FetchItem::ThreadId,
        b"PREVIEW" => FetchItem::Preview { lazy: cursor.eat_any_case(b" (LAZY)") },
        b"BINARY.SIZE" => FetchItem::BinarySize { part: binary_part(cursor)? },
        _ => return Err("Unknown FETCH item"),
    })
}

fn body_section(cursor: &mut Cursor, peek: bool) -> Parsed<FetchItem> {
    cursor.must(b"[")?;
    let section = section(cursor)?;
    cursor.must(b"]")?;
    let partial = partial(cursor)?;
    let name = name(&section, partial);
    Ok(FetchItem::Section { section, peek, partial, name })
}

pub(super) fn section(cursor: &mut Cursor) -> Parsed<Section> {
    let part = part(cursor)?;
    let word = cursor.take_while(|b| b.is_ascii_alphabetic() || b == b'.').to_ascii_uppercase();
    let text = match word.as_slice() {
        b"" => SectionText::Whole,
        b"HEADER" => SectionText::Header,
        b"TEXT" => SectionText::Text,
        b"MIME" if !part.is_empty() => SectionText::Mime,
        b"HEADER.FIELDS" => SectionText::HeaderFields { not: false, names: names(cursor)? },
        b"HEADER.FIELDS.NOT" => SectionText::HeaderFields { not: true, names: names(cursor)? },
        _ => return Err("Unknown section"),
    };
    Ok(Section { part, text })
}

/// `1.2.` before a word, `1.2` alone.
fn part(cursor: &mut Cursor) -> Parsed<Vec<u32>> {
    let mut numbers = Vec::new();
    while cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        if numbers.len() == PART_DEPTH {
            return Err("Part number too deep");
        }
        numbers.push(cursor.number32()?);
        if !cursor.eat(b".") {
            break;
        }
    }
    if numbers.contains(&0) { Err("Bad part number") } else { Ok(numbers) }
}

fn binary_part(cursor: &mut Cursor) -> Parsed<Vec<u32>> {
    cursor.must(b"[")?;
    let part = part(cursor)?;
    cursor.must(b"]")?;
    Ok(part)
}

fn names(cursor: &mut Cursor) -> Parsed<Vec<String>> {
    cursor.space()?;
    cursor.must(b"(")?;
    let mut names = Vec::new();
    loop {
        let name = cursor.text()?;
        // It is written back in the response: printable ASCII, as field names are.
        if names.len() == FIELDS || name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("Bad field name");
        }
        names.push(name);
        if cursor.eat(b")") {
            return Ok(names);
        }
        cursor.space()?;
    }
}

fn partial(cursor: &mut Cursor) -> Parsed<Option<(u64, u64)>> {
    if !cursor.eat(b"<") {
        return Ok(None);
    }
    let start = cursor.number()?;
    cursor.must(b".")?;
    let length = cursor.number()?;
    cursor.must(b">")?;
    if length == 0 { Err("Empty partial") } else { Ok(Some((start, length))) }
}

/// What the response calls it: `BODY[1.HEADER.FIELDS (FROM)]<0>`, never PEEK.
fn name(section: &Section, partial: Option<(u64, u64)>) -> String {
    let numbers: Vec<_> = section.part.iter().map(u32::to_string).collect();
    let mut name = format!("BODY[{}", numbers.join("."));
    let word = match &section.text {
        SectionText::Whole => "",
        SectionText::Header => "HEADER",
        SectionText::Text => "TEXT",
        SectionText::Mime => "MIME",
        SectionText::HeaderFields { not: false, .. } => "HEADER.FIELDS",
        SectionText::HeaderFields { not: true, .. } => "HEADER.FIELDS.NOT",
    };
    if !numbers.is_empty() && !word.is_empty() {
        name.push('.');
    }
    name.push_str(word);
    if let SectionText::HeaderFields { names, .. } = &section.text {
        let quoted: Vec<_> = names.iter().map(|n| astring(n)).collect();
        name.push_str(&format!(" ({})", quoted.join(" ")));
    }
    name.push(']');
    if let Some((start, _)) = partial {
        name.push_str(&format!("<{start}>"));
    }
    name
}

fn astring(name: &str) -> String {
    match name.bytes().all(super::cursor::is_atom_char) {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

const FAST: [FetchItem; 3] = [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
const ALL: [FetchItem; 4] =
    [FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size, FetchItem::Envelope];
const FULL: [FetchItem; 5] = [
    FetchItem::Flags,
    FetchItem::InternalDate,
    FetchItem::Size,
    FetchItem::Envelope,
    FetchItem::Body,
];

const ITEMS: usize = 100;
const FIELDS: usize = 200;
/// One more than a message can be deep.
const PART_DEPTH: usize = 101;
