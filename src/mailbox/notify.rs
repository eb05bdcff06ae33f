//! What a client that sent NOTIFY (RFC 5465) is to hear of, and what it knows of its mailboxes.

use super::ask::Standing;
use crate::wire::MailboxId;
use crate::wire::imap::command::FetchItem;
use crate::wire::imap::notify::{EventGroup, Filter};
use crate::wire::imap::{MailboxName, ModSeq, UidSet};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Notify {
    pub selected: Selected,
    /// What changes at the server's annotations.
    pub server: bool,
    rules: Vec<Rule>,
    /// As the client was told last. An account has a bounded number of mailboxes.
    pub known: BTreeMap<MailboxId, Known>,
    own: Own,
}

/// What this client did itself since it was told last: no news to it (RFC 5465 §5).
#[derive(Debug, Default)]
struct Own {
    /// Mailboxes it made, removed, renamed or subscribed to.
    names: Vec<MailboxName>,
    /// Where the command under way puts messages.
    target: Option<MailboxName>,
    arrivals: Vec<(MailboxName, UidSet)>,
}

/// What is told of the selected mailbox; without NOTIFY all, where a command allows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Selected {
    pub messages: bool,
    pub flags: bool,
    /// EXPUNGE waits for a command that allows it.
    pub delayed: bool,
    pub items: Vec<FetchItem>,
}

#[derive(Debug)]
struct Rule {
    which: Which,
    events: Wanted,
}

#[derive(Debug)]
enum Which {
    Inboxes,
    Personal,
    Subscribed,
    Subtree(BTreeSet<MailboxName>),
    Mailboxes(BTreeSet<MailboxName>),
}

/// What a client wants to hear of one mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Wanted {
    pub messages: bool,
    pub flags: bool,
    pub names: bool,
    pub subscriptions: bool,
    pub annotations: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Known {
    pub name: MailboxName,
    pub subscribed: bool,
    pub uid_validity: u32,
    pub modseq: ModSeq,
}

impl Notify {
    /// Names that can be no mailbox are passed over (RFC 5465 §3.1).
    pub fn new(groups: Vec<EventGroup>, name: impl Fn(&[u8]) -> Option<MailboxName>) -> Self {
        let names = |all: &[Vec<u8>]| all.iter().filter_map(|one| name(one)).collect();
        let mut notify = Self::default();
        for EventGroup { filter, events } in groups {
            let which = match &filter {
                Filter::Selected { delayed } => {
                    let (messages, flags) = (events.messages, events.flags);
                    let items = events.items.into_iter().map(peeking).collect();
                    notify.selected = Selected { messages, flags, delayed: *delayed, items };
                    continue;
                }
                Filter::Inboxes => Which::Inboxes,
                Filter::Personal => Which::Personal,
                Filter::Subscribed => Which::Subscribed,
                Filter::Subtree(all) => Which::Subtree(names(all)),
                Filter::Mailboxes(all) => Which::Mailboxes(names(all)),
            };
            notify.server |= events.server;
            let events = Wanted {
                messages: events.messages,
                flags: events.flags,
                names: events.names,
                subscriptions: events.subscriptions,
                annotations: events.annotations,
            };
            notify.rules.push(Rule { which, events });
        }
        notify
    }

    /// Whether anything at all is to be told unasked.
    pub fn is_active(&self) -> bool {
        self.selected.messages || self.watches() || self.server
    }

    /// Whether any annotation is watched.
    pub fn watches_annotations(&self) -> bool {
        self.server || self.rules.iter().any(|rule| rule.events.annotations)
    }

    /// Whether any mailbox but the selected one is watched.
    pub fn watches(&self) -> bool {
        self.rules.iter().any(|rule| rule.events != Wanted::default())
    }

    /// All that any group asks of a mailbox.
    pub fn wanted(&self, name: &MailboxName, inbox: bool, subscribed: bool) -> Wanted {
        let hit = |which: &Which| match which {
            Which::Inboxes => inbox,
            Which::Personal => true,
            Which::Subscribed => subscribed,
            Which::Subtree(all) => {
                let mut lineage = std::iter::successors(Some(name.clone()), MailboxName::parent);
                lineage.any(|level| all.contains(&level))
            }
            Which::Mailboxes(all) => all.contains(name),
        };
        let hits = self.rules.iter().filter(|rule| hit(&rule.which)).map(|rule| rule.events);
        hits.fold(Wanted::default(), Wanted::and)
    }

    /// Takes mailboxes as what the client knows.
    pub fn learn(&mut self, all: &[Standing]) {
        self.known = all.iter().map(|one| (one.id, Known::of(one))).collect();
        self.own = Own::default();
    }

    /// The client changes something about mailboxes of these names.
    pub fn own_names(&mut self, names: impl IntoIterator<Item = MailboxName>) {
        let room = OWN.saturating_sub(self.own.names.len());
        self.own.names.extend(names.into_iter().take(room));
    }

    /// Whether the client did that; superiors come into being with a mailbox.
    pub fn is_own(&self, name: &MailboxName) -> bool {
        self.own.names.iter().any(|own| own == name || own.is_under(name))
    }

    /// The client puts messages into that mailbox.
    pub fn own_target(&mut self, to: &MailboxName) {
        self.own.target = Some(to.clone());
    }

    /// These are they.
    pub fn own_arrived(&mut self, uids: &UidSet) {
        if let Some(to) = self.own.target.take().filter(|_| self.own.arrivals.len() < OWN) {
            self.own.arrivals.push((to, uids.clone()));
        }
    }

    pub fn own_in(&self, name: &MailboxName) -> UidSet {
        let here = self.own.arrivals.iter().filter(|(to, _)| to == name);
        here.fold(UidSet::new(), |all, (_, uids)| all.union(uids))
    }
}

impl Known {
    pub fn of(standing: &Standing) -> Self {
        Self {
            name: standing.name.clone(),
            subscribed: standing.subscribed,
            uid_validity: standing.uid_validity,
            modseq: standing.modseq,
        }
    }
}

impl Wanted {
    fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages || other.messages,
            flags: self.flags || other.flags,
            names: self.names || other.names,
            subscriptions: self.subscriptions || other.subscriptions,
            annotations: self.annotations || other.annotations,
        }
    }
}

impl Selected {
    /// Without NOTIFY.
    pub const fn all() -> Self {
        Self { messages: true, flags: true, delayed: false, items: Vec::new() }
    }
}

/// Nobody asked for the message: it is not seen by that.
fn peeking(item: FetchItem) -> FetchItem {
    match item {
        FetchItem::Section { section, partial, name, .. } => {
            FetchItem::Section { section, peek: true, partial, name }
        }
        FetchItem::Binary { part, partial, .. } => FetchItem::Binary { part, peek: true, partial },
        other => other,
    }
}

/// Beyond this a client hears of its own doings, which does no harm.
const OWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::imap::notify::Events;

    #[test]
    fn groups_are_taken_together() {
        let events = |names, messages| Events { names, messages, ..Events::default() };
        let group = |filter, events| EventGroup { filter, events };
        let notify = Notify::new(
            vec![
                group(Filter::Subtree(vec![b"A".to_vec(), b"../x".to_vec()]), events(false, true)),
                group(Filter::Mailboxes(vec![b"A/B".to_vec(), b"C".to_vec()]), events(true, false)),
                group(Filter::Subscribed, events(true, false)),
            ],
            |name| MailboxName::from_wire(name, false),
        );
        let wanted = |name: &str, subscribed| {
            let wanted = notify.wanted(&MailboxName::parse(name).unwrap(), false, subscribed);
            (wanted.names, wanted.messages)
        };
        assert_eq!(wanted("A", false), (false, true));
        assert_eq!(wanted("A/B", false), (true, true));
        assert_eq!(wanted("A/B/C", false), (false, true));
        assert_eq!(wanted("AB", true), (true, false));
        assert_eq!(wanted("C/D", false), (false, false));
        assert!(notify.watches() && notify.is_active());
    }
}
