//! NOTIFY (RFC 5465 §8).

use super::cursor::{Cursor, Parsed};
use super::fetch;
use crate::wire::imap::command::MailboxArg;
use crate::wire::imap::notify::{EventGroup, Events, Filter, Notify};

pub(super) fn notify(cursor: &mut Cursor) -> Parsed<Notify> {
    cursor.space()?;
    if cursor.eat_word("NONE") {
        return Ok(Notify::None);
    }
    cursor.must_word("SET")?;
    cursor.space()?;
    let status = cursor.eat_word("STATUS");
    if status {
        cursor.space()?;
    }
    let mut groups = vec![group(cursor)?];
    while !cursor.at_end() {
        cursor.space()?;
        if groups.len() == GROUPS {
            return Err("Too many event groups");
        }
        groups.push(group(cursor)?);
    }
    let selected = |group: &&EventGroup| matches!(group.filter, Filter::Selected { .. });
    match groups.iter().filter(selected).count() {
        0 | 1 => Ok(Notify::Set { status, groups }),
        _ => Err("One group for the selected mailbox"),
    }
}

fn group(cursor: &mut Cursor) -> Parsed<EventGroup> {
    cursor.must(b"(")?;
    let filter = filter(cursor)?;
    cursor.space()?;
    let mut named = Named::default();
    if !cursor.eat_word("NONE") {
        cursor.must(b"(")?;
        event(cursor, &mut named)?;
        while !cursor.eat(b")") {
            cursor.space()?;
            event(cursor, &mut named)?;
        }
    }
    cursor.must(b")")?;
    Ok(EventGroup { events: named.events(&filter)?, filter })
}

fn filter(cursor: &mut Cursor) -> Parsed<Filter> {
    Ok(match cursor.word()?.to_ascii_uppercase().as_str() {
        "SELECTED" => Filter::Selected { delayed: false },
        "SELECTED-DELAYED" => Filter::Selected { delayed: true },
        "INBOXES" => Filter::Inboxes,
        "PERSONAL" => Filter::Personal,
        "SUBSCRIBED" => Filter::Subscribed,
        "SUBTREE" => Filter::Subtree(mailboxes(cursor)?),
        "MAILBOXES" => Filter::Mailboxes(mailboxes(cursor)?),
        _ => return Err("Unknown mailbox filter"),
    })
}

fn mailboxes(cursor: &mut Cursor) -> Parsed<Vec<MailboxArg>> {
    cursor.space()?;
    if !cursor.eat(b"(") {
        return Ok(vec![cursor.astring()?]);
    }
    let mut names = vec![cursor.astring()?];
    while !cursor.eat(b")") {
        cursor.space()?;
        if names.len() == NAMES {
            return Err("Too many mailboxes");
        }
        names.push(cursor.astring()?);
    }
    Ok(names)
}

/// What a group names, before it is judged as a whole.
#[derive(Default)]
struct Named {
    events: Events,
    new: bool,
    expunge: bool,
}

fn event(cursor: &mut Cursor, named: &mut Named) -> Parsed<()> {
    match cursor.word()?.to_ascii_uppercase().as_str() {
        "MESSAGENEW" => {
            named.new = true;
            if cursor.eat(b" (") {
                named.events.items = fetch::items(cursor)?;
            }
        }
        "MESSAGEEXPUNGE" => named.expunge = true,
        "FLAGCHANGE" => named.events.flags = true,
        "MAILBOXNAME" => named.events.names = true,
        "SUBSCRIPTIONCHANGE" => named.events.subscriptions = true,
        "MAILBOXMETADATACHANGE" => named.events.annotations = true,
        "SERVERMETADATACHANGE" => named.events.server = true,
        _ => named.events.unknown = true,
    }
    Ok(())
}

impl Named {
    /// RFC 5465 §5 and §6.1.
    fn events(self, filter: &Filter) -> Parsed<Events> {
        let Self { mut events, new, expunge } = self;
        let selected = matches!(filter, Filter::Selected { .. });
        let others = events.names || events.subscriptions || events.annotations || events.server;
        events.messages = new && expunge;
        match () {
            () if new != expunge => Err("MessageNew and MessageExpunge come together"),
            () if events.flags && !new => Err("FlagChange needs MessageNew and MessageExpunge"),
            () if selected && others => Err("Only messages of the selected mailbox"),
            () if !selected && !events.items.is_empty() => {
                Err("FETCH items of the selected mailbox only")
            }
            () => Ok(events),
        }
    }
}

const GROUPS: usize = 32;
const NAMES: usize = 256;
