//! NOTIFY (RFC 5465), and telling what it asks for: the selected mailbox as after any command
//! (`sync.rs`), then of each other mailbox what is new since the client was told last.

use std::collections::{BTreeSet, VecDeque};

use super::sync::{self, Then};
use super::{Step, list, status};
use crate::mailbox::ask::{
    Answer, Ask, Changes, MailboxEntry, MailboxKind, Refusal, Standing, Status,
};
use crate::mailbox::core::Core;
use crate::mailbox::notify::{Known, Notify, Wanted};
use crate::mailbox::reply::{self, Reply};
use crate::wire::MailboxId;
use crate::wire::imap::Rights;
use crate::wire::imap::command::StatusItem;
use crate::wire::imap::notify::Notify as Command;
use crate::wire::imap::{MailboxName, ModSeq, UidSet};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    stage: Stage,
    /// Mailboxes of which a STATUS may be due.
    due: VecDeque<Due>,
}

#[derive(Debug)]
enum Stage {
    /// Where annotations stand is asked for first.
    Mark {
        tag: String,
        notify: Box<Notify>,
        status: bool,
    },
    /// The mailboxes are asked for, from which NOTIFY SET begins.
    Begin {
        tag: String,
        notify: Box<Notify>,
        status: bool,
    },
    /// Their STATUS is told before the tagged answer.
    First {
        tag: String,
        notify: Box<Notify>,
    },
    /// What is there now, to be compared with what is known.
    Look(Then),
    Tell(Then),
}

/// A mailbox in which something happened, or may have.
#[derive(Debug)]
struct Due {
    id: MailboxId,
    name: MailboxName,
    since: ModSeq,
    wanted: Wanted,
    /// Its UIDVALIDITY is another one (RFC 5465 §5.1).
    anew: bool,
    /// The client put these there itself.
    own: UidSet,
    items: Vec<StatusItem>,
}

pub(super) fn start(tag: String, command: Command, core: &mut Core) -> Step {
    let Command::Set { status, groups } = command else {
        put_in_force(Box::default(), core);
        return core.done(&tag, Reply::ok("NOTIFY completed"));
    };
    if groups.iter().any(|group| group.events.unknown) {
        return core.done(&tag, Reply::no("Unknown event").named(EVENTS));
    }
    let notify = Box::new(Notify::new(groups, |name| core.mailbox(name)));
    if notify.watches_annotations() {
        let mark = Ask::Annotations { since: None };
        return ask(mark, Stage::Mark { tag, notify, status }, VecDeque::new());
    }
    ask(Ask::Overview, Stage::Begin { tag, notify, status }, VecDeque::new())
}

/// From now on it says what is told.
pub(super) fn put_in_force(notify: Box<Notify>, core: &mut Core) {
    core.notify = Some(notify);
    forget_annotations(core);
}

/// Where they stand, unless there is something to be told of them.
fn forget_annotations(core: &mut Core) {
    let told = |notify: &Notify| notify.watches_annotations();
    if !core.enabled.metadata && !core.notify.as_deref().is_some_and(told) {
        core.annotations = None;
    }
}

/// Something happened in the account.
pub(in crate::mailbox) fn changed(core: &mut Core) -> Step {
    sync::begin(Then::Nothing, core)
}

/// After the news of the selected mailbox: those of the others.
pub(super) fn look(then: Then, core: &Core) -> Step {
    match core.notify.as_ref().is_some_and(|notify| notify.watches()) {
        true => ask(Ask::Overview, Stage::Look(then), VecDeque::new()),
        false => then.done(),
    }
}

fn ask(ask: Ask, stage: Stage, due: VecDeque<Due>) -> Step {
    Step::Ask(ask, super::Task::Notify(Box::new(Task { stage, due })))
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        let Self { stage, mut due } = self;
        match (stage, answer) {
            (Stage::Mark { tag, notify, status }, Answer::Annotations(now)) => {
                super::annotations::watch(now.step, core);
                ask(Ask::Overview, Stage::Begin { tag, notify, status }, due)
            }
            (Stage::Begin { tag, mut notify, status }, Answer::Overview(all)) => {
                notify.learn(&all);
                let due = if status { first(&all, &notify, core) } else { VecDeque::new() };
                next(Stage::First { tag, notify }, due, core)
            }
            (Stage::Mark { tag, .. } | Stage::Begin { tag, .. }, answer) => {
                // The one before it stays in force.
                forget_annotations(core);
                let refusal = match answer {
                    Answer::Refused(refusal) => refusal,
                    _ => Refusal::Unavailable,
                };
                core.done(&tag, Reply::refused(&refusal))
            }
            (Stage::Look(then), Answer::Overview(all)) => {
                let due = compare(&all, core);
                next(Stage::Tell(then), due, core)
            }
            (Stage::Look(then), _) => {
                overflow(core);
                then.done()
            }
            (stage @ Stage::Tell(_), Answer::Changes(changes)) => {
                if let Some(mailbox) = due.front_mut() {
                    mailbox.items = news(mailbox, &changes, core);
                    if mailbox.items.is_empty() {
                        due.pop_front();
                    }
                }
                next(stage, due, core)
            }
            (stage, Answer::Status(status)) => {
                if let Some(mailbox) = due.pop_front() {
                    tell(&mailbox, &status, core);
                }
                next(stage, due, core)
            }
            // It is gone meanwhile, which is told the next time.
            (stage, _) => {
                due.pop_front();
                next(stage, due, core)
            }
        }
    }
}

/// Asks about the first of those that are due.
fn next(stage: Stage, due: VecDeque<Due>, core: &mut Core) -> Step {
    let Some(mailbox) = due.front() else {
        return match stage {
            // RFC 5465 §3.1: it is a NOOP, too, by the rules before it.
            Stage::First { tag, notify } => {
                core.notify = None;
                sync::begin(Then::Notify(tag, notify), core)
            }
            Stage::Mark { tag, .. } | Stage::Begin { tag, .. } => {
                core.done(&tag, Reply::refused(&Refusal::Unavailable))
            }
            Stage::Look(then) | Stage::Tell(then) => then.done(),
        };
    };
    let question = match mailbox.items.is_empty() {
        true => Ask::Changes { mailbox: mailbox.id, since: mailbox.since },
        false => Ask::Status { name: mailbox.name.clone(), want: status::want(&mailbox.items) },
    };
    ask(question, stage, due)
}

/// The mailboxes whose STATUS comes before the tagged answer (RFC 5465 §3.1).
fn first(all: &[Standing], notify: &Notify, core: &Core) -> VecDeque<Due> {
    let selected = core.view().map(|view| view.mailbox);
    let due = |one: &Standing| {
        let wanted = notify.wanted(&one.name, one.inbox, one.subscribed);
        let items = items(wanted.messages, wanted.flags, core);
        (wanted.messages && selected != Some(one.id)).then(|| Due::of(one, 0, wanted, items))
    };
    all.iter().filter_map(due).collect()
}

/// Which items of STATUS tell of messages that came or went, and of flags.
fn items(messages: bool, flags: bool, core: &Core) -> Vec<StatusItem> {
    let mut items = vec![StatusItem::UidValidity];
    if messages {
        items.extend([StatusItem::UidNext, StatusItem::Messages]);
    }
    if flags {
        items.push(StatusItem::Unseen);
    }
    // RFC 5465 §5.1: a change of flags is told by it, whoever asks.
    if core.enabled.condstore || flags {
        items.push(StatusItem::HighestModSeq);
    }
    items
}

/// Compares what is there with what the client knows: names and subscriptions are told at once, of
/// the others it says where to look.
fn compare(all: &[Standing], core: &mut Core) -> VecDeque<Due> {
    let Some(mut notify) = core.notify.take() else { return VecDeque::new() };
    let selected = core.view().map(|view| view.mailbox);
    tell_names(all, &notify, core);
    let mut due = VecDeque::new();
    for one in all {
        let wanted = notify.wanted(&one.name, one.inbox, one.subscribed);
        if let Some(known) = notify.known.get(&one.id) {
            let anew = known.uid_validity != one.uid_validity;
            let moved = known.modseq != one.modseq || anew && wanted.flags;
            if moved && wanted.messages && selected != Some(one.id) {
                let own = notify.own_in(&one.name);
                due.push_back(Due { anew, own, ..Due::of(one, known.modseq, wanted, Vec::new()) });
            }
        }
    }
    notify.learn(all);
    core.notify = Some(notify);
    due
}

fn tell_names(all: &[Standing], notify: &Notify, core: &mut Core) {
    let there: BTreeSet<_> = all.iter().map(|one| one.id).collect();
    let mut affected: BTreeSet<MailboxName> = BTreeSet::new();
    let lost = notify.known.iter().filter(|(id, _)| !there.contains(id)).map(|(_, known)| known);
    for known in lost.filter(|known| names(notify, known) && !notify.is_own(&known.name)) {
        let missing = MailboxEntry {
            name: known.name.clone(),
            kind: MailboxKind::Missing,
            gathered: false,
            subscribed: false,
            rights: Rights::NONE,
            status: None,
        };
        list::tell_event(&missing, all, None, core);
        affected.extend(known.name.parent());
    }
    for one in all {
        if notify.is_own(&one.name) {
            continue;
        }
        let wanted = notify.wanted(&one.name, one.inbox, one.subscribed);
        let known = notify.known.get(&one.id);
        let old = known.map(|known| &known.name).filter(|old| **old != one.name);
        let along = old.is_some_and(|old| follows(old, one, all, notify));
        let flipped = known.is_some_and(|known| known.subscribed != one.subscribed);
        if known.is_none() && wanted.names {
            affected.extend(one.name.parent());
        }
        // RFC 5465 §5.4: what lies under a renamed mailbox is not told of.
        let told = wanted.names && (known.is_none() || old.is_some() && !along);
        if told || wanted.subscriptions && flipped {
            list::tell_event(&entry(one), all, old.filter(|_| told), core);
            affected.remove(&one.name);
        }
    }
    for parent in all.iter().filter(|one| affected.contains(&one.name)) {
        list::tell_event(&entry(parent), all, None, core);
    }
}

fn names(notify: &Notify, known: &Known) -> bool {
    notify.wanted(&known.name, known.name.is_inbox(), known.subscribed).names
}

/// Whether it has another name only because its parent has.
fn follows(old: &MailboxName, new: &Standing, all: &[Standing], notify: &Notify) -> bool {
    let (Some(old_parent), Some(new_parent)) = (old.parent(), new.name.parent()) else {
        return false;
    };
    let parent = all.iter().find(|one| one.name == new_parent);
    let known = parent.and_then(|parent| notify.known.get(&parent.id));
    old_parent != new_parent && known.is_some_and(|known| known.name == old_parent)
}

fn entry(one: &Standing) -> MailboxEntry {
    MailboxEntry {
        name: one.name.clone(),
        kind: MailboxKind::Mailbox(one.special),
        gathered: false,
        subscribed: one.subscribed,
        rights: Rights::NONE,
        status: None,
    }
}

/// Which items tell what happened; none when it is nothing the client wants to hear of.
fn news(mailbox: &Due, changes: &Changes, core: &Core) -> Vec<StatusItem> {
    let arrived = changes.arrived.difference(&mailbox.own);
    let messages = !arrived.is_empty() || !changes.vanished.is_empty();
    let flags = mailbox.wanted.flags && (!changes.changed.is_empty() || mailbox.anew);
    match messages || flags {
        true => items(messages, flags, core),
        false => Vec::new(),
    }
}

fn tell(mailbox: &Due, counts: &Status, core: &mut Core) {
    status::tell(&mailbox.name, &mailbox.items, counts, core);
}

/// RFC 5465 §5.8: what is not told any more must be looked for.
fn overflow(core: &mut Core) {
    put_in_force(Box::default(), core);
    core.note(reply::other("NOTIFICATIONOVERFLOW"), "Nothing more is told");
}

impl Due {
    fn of(one: &Standing, since: ModSeq, wanted: Wanted, items: Vec<StatusItem>) -> Self {
        let (name, own) = (one.name.clone(), UidSet::new());
        Self { id: one.id, name, since, wanted, anew: false, own, items }
    }
}

/// RFC 5465 §3.1: those there are.
const EVENTS: &str = "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange \
                      MailboxMetadataChange ServerMetadataChange)";

#[cfg(test)]
mod tests {
    use crate::mailbox::ask::{Answer, Ask, LoggedIn, Refusal, Standing};
    use crate::mailbox::{Config, Next, Session, Tls};
    use crate::wire::imap::MailboxName;
    use crate::wire::{AccountId, MailboxId};

    /// Runs until the client is to say something; the store fails once it is asked for an overview
    /// the second time.
    fn run(session: &mut Session, overviews: &mut u32) -> (String, bool) {
        let mut said = String::new();
        loop {
            match session.next() {
                Next::Send(octets) => said.push_str(&String::from_utf8(octets).unwrap()),
                Next::Ask(Ask::Login(_)) => {
                    session.answer(Answer::LoggedIn(LoggedIn {
                        account: AccountId(1),
                        signature: None,
                        notice: None,
                    }));
                }
                Next::Ask(Ask::Overview) => {
                    *overviews += 1;
                    let standing = Standing {
                        id: MailboxId(1),
                        name: MailboxName::inbox(),
                        special: None,
                        inbox: true,
                        subscribed: true,
                        uid_validity: 1,
                        modseq: 1,
                    };
                    session.answer(match overviews {
                        1 => Answer::Overview(vec![standing]),
                        _ => Answer::Refused(Refusal::Unavailable),
                    });
                }
                Next::Ask(_) => session.answer(Answer::Done),
                Next::Wait(_) => return (said, true),
                Next::Read => return (said, false),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn who_can_not_be_told_any_more_is_told_that() {
        let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
        session.feed(b"a LOGIN x y\r\nb NOTIFY SET (personal (MailboxName))\r\n");
        let mut overviews = 0;
        let (said, waits) = run(&mut session, &mut overviews);
        assert!(said.ends_with("b OK NOTIFY completed\r\n") && waits, "{said}");
        session.changed();
        let (said, waits) = run(&mut session, &mut overviews);
        assert_eq!(said, "* OK [NOTIFICATIONOVERFLOW] Nothing more is told\r\n");
        assert!(!waits, "as after NOTIFY NONE");
    }
}
