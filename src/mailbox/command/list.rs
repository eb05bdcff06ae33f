//! LIST with RFC 5258, 5819 and 6154, and LSUB.

use imap_codec::imap_types::core::{Atom, QuotedChar};
use imap_codec::imap_types::flag::FlagNameAttribute;
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::Data;
use std::collections::BTreeSet;

use super::{Step, acl, metadata, status};
use crate::mailbox::ask::{Answer, Ask, ListWant, MailboxEntry, MailboxKind, Refusal, Standing};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::{List, ListReturn, ListSelect};
use crate::wire::imap::{MailboxName, Pattern, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    patterns: Vec<Pattern>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Lsub,
    List { select: ListSelect, returns: ListReturn },
}

pub(super) fn start(tag: String, list: List, core: &mut Core) -> Step {
    let empty = list.patterns.iter().all(Vec::is_empty);
    if empty && !list.extended {
        return root(&tag, core);
    }
    let utf8 = core.utf8_names();
    let patterns = list.patterns.iter();
    let patterns = patterns.filter_map(|p| Pattern::from_wire(&list.reference, p, utf8)).collect();
    let want = ListWant {
        missing: list.select.subscribed,
        status: list.returns.status.as_ref().map(|items| status::want(items)),
    };
    let form = Form::List { select: list.select, returns: list.returns };
    Step::Ask(Ask::Mailboxes(want), super::Task::List(Task { tag, patterns, form }))
}

pub(super) fn lsub(tag: String, reference: &[u8], pattern: &[u8], core: &mut Core) -> Step {
    let patterns = Pattern::from_wire(reference, pattern, core.utf8_names()).into_iter().collect();
    let want = ListWant { missing: true, status: None };
    Step::Ask(Ask::Mailboxes(want), super::Task::List(Task { tag, patterns, form: Form::Lsub }))
}

/// RFC 9051 §6.3.9: an empty pattern asks for the delimiter.
fn root(tag: &str, core: &mut Core) -> Step {
    let items = vec![FlagNameAttribute::Noselect];
    if let Ok(mailbox) = Mailbox::try_from("") {
        encode::data(&mut core.out, Data::List { items, delimiter: delimiter(), mailbox });
    }
    core.done(tag, Reply::ok("LIST completed"))
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Mailboxes(mut entries) => {
                entries.sort_by(|a, b| order(&a.name).cmp(&order(&b.name)));
                match &self.form {
                    Form::Lsub => {
                        self.tell_subscribed(&entries, core);
                        core.done(&self.tag, Reply::ok("LSUB completed"))
                    }
                    Form::List { select, returns } => {
                        let told = self.tell(&entries, *select, returns, core);
                        let wanted = returns.metadata.clone();
                        let names = if wanted.is_empty() { Vec::new() } else { told };
                        metadata::list(self.tag, names, wanted, core)
                    }
                }
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    /// Says which mailboxes were told, of those that are there.
    fn tell(
        &self,
        all: &[MailboxEntry],
        select: ListSelect,
        returns: &ListReturn,
        core: &mut Core,
    ) -> Vec<MailboxName> {
        let mut told = Vec::new();
        let has_children = parents(all, |entry| entry.kind != MailboxKind::Missing);
        let shown: BTreeSet<_> =
            all.iter().map(|entry| &entry.name).filter(|name| self.matches(name)).collect();
        // RFC 5258 §3.1: RECURSIVEMATCH shows parents of what is selected but does not match.
        let has_hidden = match select.recursive_match {
            true => parents(all, |e| selected(e, select) && !shown.contains(&e.name)),
            false => BTreeSet::new(),
        };
        let there: BTreeSet<_> = all.iter().map(|entry| &entry.name).collect();
        // A level that is no mailbox, above one that is subscribed (and may be none itself).
        let levels = has_hidden.iter().filter(|name| !there.contains(name) && self.matches(name));
        for name in levels {
            say(Kind::List, name, no_mailbox(), core);
            encode::child_info(&mut core.out);
        }
        for entry in all.iter().filter(|entry| shown.contains(&entry.name)) {
            let own = selected(entry, select);
            let below = has_hidden.contains(&entry.name);
            if !own && !below {
                continue;
            }
            let subscribed = entry.subscribed && (select.subscribed || returns.subscribed);
            let items = attributes(entry, subscribed, has_children.contains(&entry.name));
            say(Kind::List, &entry.name, items, core);
            if below {
                encode::child_info(&mut core.out);
            }
            let there = matches!(entry.kind, MailboxKind::Mailbox(_));
            if returns.my_rights && there {
                acl::tell(&entry.name, entry.rights, core);
            }
            if let (Some(items), Some(counts)) = (&returns.status, &entry.status) {
                status::tell(&entry.name, items, counts, core);
            }
            if there {
                told.push(entry.name.clone());
            }
        }
        told
    }

    /// RFC 3501 §6.3.9: with `%` a parent of something subscribed is shown, as not selectable.
    fn tell_subscribed(&self, all: &[MailboxEntry], core: &mut Core) {
        let parents = parents(all, |entry| entry.subscribed);
        let mut names: BTreeSet<(bool, &MailboxName)> = BTreeSet::new();
        let subscribed: BTreeSet<_> =
            all.iter().filter(|entry| entry.subscribed).map(|entry| &entry.name).collect();
        let known = subscribed.iter().copied().chain(&parents);
        names.extend(known.filter(|name| self.matches(name)).map(order));
        for (_, name) in names {
            let items = if subscribed.contains(name) {
                Vec::new()
            } else {
                vec![FlagNameAttribute::Noselect]
            };
            say(Kind::Lsub, name, items, core);
        }
    }

    fn matches(&self, name: &MailboxName) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}

fn attributes(
    entry: &MailboxEntry,
    subscribed: bool,
    has_children: bool,
) -> Vec<FlagNameAttribute<'static>> {
    let mut names = Vec::new();
    match entry.kind {
        MailboxKind::NoSelect => names.push("Noselect"),
        MailboxKind::Missing => names.push("NonExistent"),
        MailboxKind::Mailbox(_) => {}
    }
    names.push(if has_children { "HasChildren" } else { "HasNoChildren" });
    if subscribed {
        names.push("Subscribed");
    }
    if let MailboxKind::Mailbox(Some(special)) = entry.kind {
        names.push(special.attribute().trim_start_matches('\\'));
    }
    let atoms = names.into_iter().filter_map(|name| Atom::try_from(name).ok());
    atoms.map(FlagNameAttribute::from).collect()
}

/// A LIST response about one mailbox (RFC 9051 §6.3.2), and its name before.
pub(super) fn tell_name(name: &MailboxName, old: Option<&str>, core: &mut Core) {
    say(Kind::List, name, Vec::new(), core);
    if let Some(old) = old {
        encode::old_name(&mut core.out, old);
    }
}

/// A LIST response that nobody asked for (RFC 5465 §5.4), about a mailbox among `all`.
pub(super) fn tell_event(
    entry: &MailboxEntry,
    all: &[Standing],
    old: Option<&MailboxName>,
    core: &mut Core,
) {
    let has_children = all.iter().any(|other| other.name.is_under(&entry.name));
    say(Kind::List, &entry.name, attributes(entry, entry.subscribed, has_children), core);
    if let Some(old) = old {
        let old = old.to_wire(core.utf8_names());
        encode::old_name(&mut core.out, &old);
    }
}

fn no_mailbox() -> Vec<FlagNameAttribute<'static>> {
    Atom::try_from("NonExistent").ok().map(FlagNameAttribute::from).into_iter().collect()
}

enum Kind {
    List,
    Lsub,
}

fn say(kind: Kind, name: &MailboxName, items: Vec<FlagNameAttribute<'static>>, core: &mut Core) {
    let Ok(mailbox) = Mailbox::try_from(name.to_wire(core.utf8_names())) else { return };
    let delimiter = delimiter();
    let data = match kind {
        Kind::List => Data::List { items, delimiter, mailbox },
        Kind::Lsub => Data::Lsub { items, delimiter, mailbox },
    };
    encode::data(&mut core.out, data);
}

fn delimiter() -> Option<QuotedChar> {
    QuotedChar::try_from('/').ok()
}

fn selected(entry: &MailboxEntry, select: ListSelect) -> bool {
    let special = matches!(entry.kind, MailboxKind::Mailbox(Some(_)));
    let exists = entry.kind != MailboxKind::Missing;
    (!select.subscribed || entry.subscribed)
        && (!select.special_use || special)
        && (select.subscribed || exists)
}

/// All levels above the entries in question.
fn parents(all: &[MailboxEntry], is: impl Fn(&MailboxEntry) -> bool) -> BTreeSet<MailboxName> {
    let mut found = BTreeSet::new();
    for entry in all.iter().filter(|entry| is(entry)) {
        let mut above = entry.name.parent();
        while let Some(name) = above {
            above = name.parent();
            found.insert(name);
        }
    }
    found
}

/// INBOX first.
fn order(name: &MailboxName) -> (bool, &MailboxName) {
    (!name.is_inbox(), name)
}
