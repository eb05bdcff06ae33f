//! APPEND with several messages (RFC 3502), with messages put together of parts (RFC 4469), in UTF-8
//! (RFC 6855 §4), and REPLACE (RFC 8508): read in steps, each up to octets that stream in.

use super::cursor::{Cursor, Parsed};
use super::{date_time, flag_list, literal_at_end};
use crate::wire::imap::Flags;
use crate::wire::imap::command::{Append, AppendForm, AppendStep, Literal, Messages};

/// From behind the command's name.
pub(super) fn append(cursor: &mut Cursor) -> Parsed<Append> {
    let name = cursor.sp_astring()?;
    let (steps, form) = steps(cursor, None)?;
    Ok(Append { replaces: None, name, steps, form })
}

/// RFC 8508 §4: one message's number, and one message.
pub(super) fn replace(cursor: &mut Cursor, uid: bool) -> Parsed<Append> {
    let replaced = super::sp_messages(cursor, uid)?;
    if replaced == Messages::Saved {
        return Err("REPLACE takes one message");
    }
    let append = append(cursor)?;
    let begins = |step: &&AppendStep| matches!(step, AppendStep::Message { .. });
    match append.steps.iter().filter(begins).count() {
        1 => Ok(Append { replaces: Some(replaced), ..append }),
        _ => Err("REPLACE takes one message"),
    }
}

/// What stands between two literals, or behind the last one.
pub(super) fn steps(
    cursor: &mut Cursor,
    mut form: Option<AppendForm>,
) -> Parsed<(Vec<AppendStep>, AppendForm)> {
    let mut steps = Vec::new();
    loop {
        if steps.len() >= STEPS {
            return Err("Too many parts");
        }
        form = match form {
            None => {
                steps.push(message(cursor)?);
                match begin(cursor)? {
                    Begun::Octets(literal, form) => {
                        steps.push(AppendStep::Octets(literal));
                        return Ok((steps, form));
                    }
                    Begun::Parts(step) => {
                        steps.push(step);
                        Some(AppendForm::Catenate)
                    }
                }
            }
            Some(AppendForm::Plain) if cursor.at_end() => {
                steps.push(AppendStep::End);
                return Ok((steps, AppendForm::Plain));
            }
            Some(AppendForm::Plain) => None,
            Some(AppendForm::Utf8) => {
                cursor.must(b")")?;
                Some(AppendForm::Plain)
            }
            Some(AppendForm::Catenate) if cursor.eat(b")") => Some(AppendForm::Plain),
            Some(AppendForm::Catenate) => {
                cursor.space()?;
                steps.push(part(cursor)?);
                Some(AppendForm::Catenate)
            }
        };
        if matches!(steps.last(), Some(AppendStep::Text(_))) {
            return Ok((steps, AppendForm::Catenate));
        }
    }
}

enum Begun {
    Octets(Literal, AppendForm),
    Parts(AppendStep),
}

fn message(cursor: &mut Cursor) -> Parsed<AppendStep> {
    cursor.space()?;
    let mut flags = Flags::default();
    if cursor.peek() == Some(b'(') {
        flags = flag_list(cursor)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(date_time(&cursor.text()?).ok_or("Bad date")?);
        cursor.space()?;
    }
    Ok(AppendStep::Message { flags, date })
}

fn begin(cursor: &mut Cursor) -> Parsed<Begun> {
    if matches!(cursor.peek(), Some(b'{' | b'~')) {
        return Ok(Begun::Octets(literal(cursor)?, AppendForm::Plain));
    }
    if cursor.eat_word("CATENATE") {
        cursor.must(b" (")?;
        return Ok(Begun::Parts(part(cursor)?));
    }
    cursor.must_word("UTF8")?;
    cursor.must(b" (")?;
    Ok(Begun::Octets(literal(cursor)?, AppendForm::Utf8))
}

/// RFC 4469 §4 `cat-part`.
fn part(cursor: &mut Cursor) -> Parsed<AppendStep> {
    if cursor.eat_word("URL") {
        return Ok(AppendStep::Url(cursor.sp_astring()?));
    }
    cursor.must_word("TEXT")?;
    cursor.space()?;
    Ok(AppendStep::Text(literal(cursor)?))
}

/// The announcement of octets that stream in: the last thing on what was read so far.
fn literal(cursor: &Cursor) -> Parsed<Literal> {
    let rest = cursor.rest_of_line();
    let digits = rest.strip_prefix(b"~").unwrap_or(rest).strip_prefix(b"{");
    let alone = digits.is_some_and(|digits| !digits.contains(&b'{'));
    literal_at_end(rest).filter(|_| alone).ok_or("Expected a literal")
}

/// Between two literals.
const STEPS: usize = 1_000;
