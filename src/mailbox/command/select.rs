//! SELECT and EXAMINE, with CONDSTORE (RFC 7162 §3.1.8) and QRESYNC (§3.2.5).

use imap_codec::imap_types::core::Atom;
use imap_codec::imap_types::flag::{Flag, FlagPerm};
use imap_codec::imap_types::response::{Code, Data};
use std::num::{NonZeroU32, NonZeroU64};

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Refusal, Selected};
use crate::mailbox::core::Core;
use crate::mailbox::reply::{self, Reply};
use crate::mailbox::view::View;
use crate::wire::imap::command::{Qresync, Select};
use crate::wire::imap::{Keywords, encode};

#[derive(Debug)]
pub(in crate::mailbox) struct Task {
    tag: String,
    condstore: bool,
    qresync: Option<Qresync>,
    /// How the client spelt the name, if otherwise.
    spelling: Option<String>,
}

pub(super) fn start(tag: String, select: Select, core: &mut Core) -> Step {
    if let Some(reply) = select.qresync.as_ref().and_then(|qresync| unusable(qresync, core)) {
        return core.done(&tag, reply);
    }
    // RFC 9051 §6.3.2: a mailbox selected before is left, whether this one opens or not.
    core.close("Previous mailbox is now closed");
    let Some(name) = core.mailbox(&select.name) else {
        return core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox));
    };
    let spelling = name.other_spelling(&select.name).map(str::to_owned);
    let ask = Ask::Select { name, examine: select.examine };
    let Select { condstore, qresync, .. } = select;
    Step::Ask(ask, super::Task::Select(Task { tag, condstore, qresync, spelling }))
}

fn unusable(qresync: &Qresync, core: &Core) -> Option<Reply> {
    match qresync.matches.is_some() && core.enabled.uidonly {
        _ if !core.enabled.qresync => Some(Reply::bad("QRESYNC is not enabled")),
        true => Some(Reply::bad("UIDs only").named("UIDREQUIRED")),
        false => None,
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match answer {
            Answer::Selected(selected) => {
                core.enabled.condstore |= self.condstore;
                self.tell(selected, core)
            }
            Answer::Refused(refusal) => core.done(&self.tag, Reply::refused(&refusal)),
            _ => core.done(&self.tag, Reply::refused(&Refusal::Unavailable)),
        }
    }

    fn tell(self, selected: Selected, core: &mut Core) -> Step {
        let read_only = selected.read_only;
        tell_flags(&selected.keywords, read_only, core);
        let codes = [
            NonZeroU32::new(selected.uid_validity).map(Code::UidValidity),
            NonZeroU32::new(selected.uid_next).map(Code::UidNext),
            NonZeroU64::new(selected.highest_modseq).map(Code::HighestModSeq),
        ];
        // UNSEEN is a sequence number, and RFC 9051 gave it up.
        let first_unseen =
            selected.first_unseen.filter(|_| !core.enabled.rev2 && !core.enabled.uidonly);
        let uid_next = selected.uid_next;
        let qresync = self.qresync.filter(|known| known.uid_validity == selected.uid_validity);
        let view = View::new(selected);
        super::recent::tell_count(view.count(), view.recent().len(), core);
        let unseen = first_unseen.and_then(|uid| view.sequence(uid)).and_then(NonZeroU32::new);
        for code in unseen.map(Code::Unseen).into_iter().chain(codes.into_iter().flatten()) {
            core.note(code, "Noted");
        }
        core.note(reply::mailbox_id(view.mailbox), "Noted");
        if core.enabled.rev2 {
            super::list::tell_name(&view.name, self.spelling.as_deref(), core);
        }
        core.select(view);
        let code = if read_only { Code::ReadOnly } else { Code::ReadWrite };
        let reply = Reply::ok("Selected").code(code);
        match qresync {
            Some(qresync) => super::resync::start(self.tag, reply, qresync, uid_next, core),
            None => core.done(&self.tag, reply),
        }
    }
}

/// Keywords the client did not hear of yet are told before they are used.
pub(super) fn learn(keywords: &Keywords, core: &mut Core) {
    let Some(view) = core.view_mut().filter(|_| !keywords.is_empty()) else { return };
    if keywords.iter().all(|word| view.keywords.contains(word)) {
        return;
    }
    view.keywords = view.keywords.with(keywords);
    let (all, read_only) = (view.keywords.clone(), view.read_only);
    tell_flags(&all, read_only, core);
}

/// FLAGS names all, PERMANENTFLAGS those a client may change: `$Kep…` only the server sets.
fn tell_flags(keywords: &Keywords, read_only: bool, core: &mut Core) {
    let mut flags = vec![Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];
    let permanent: Vec<_> = match read_only {
        true => Vec::new(),
        false => {
            let own = flags.iter().cloned().chain(flags_of(&keywords.client_owned()));
            own.map(FlagPerm::Flag).chain([FlagPerm::Asterisk]).collect()
        }
    };
    flags.extend(flags_of(keywords));
    encode::data(&mut core.out, Data::Flags(flags));
    core.note(Code::PermanentFlags(permanent), "Flags you may change");
}

fn flags_of(keywords: &Keywords) -> Vec<Flag<'static>> {
    let atom = |word: &str| Atom::try_from(word.to_owned()).ok().map(Flag::Keyword);
    keywords.iter().filter_map(atom).collect()
}
