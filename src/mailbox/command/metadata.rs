//! GETMETADATA and SETMETADATA (RFC 5464), and the METADATA responses of a LIST (RFC 9590).

use imap_codec::imap_types::extensions::metadata::MetadataCode;
use imap_codec::imap_types::response::Code;

use super::Step;
use crate::mailbox::ask::{Answer, Ask, Metadata, MetadataWant, Refusal};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::MailboxName;
use crate::wire::imap::command::GetMetadata;
use crate::wire::imap::encode;
use crate::wire::imap::metadata::EntryName;
use std::vec;

#[derive(Debug)]
pub(in crate::mailbox) enum Task {
    Get(Get),
    Set { tag: String },
}

/// Values of one mailbox after another.
#[derive(Debug)]
pub(in crate::mailbox) struct Get {
    tag: String,
    done: &'static str,
    want: MetadataWant,
    /// Mailboxes that come after the one in `want`.
    next: vec::IntoIter<MailboxName>,
    /// Within a LIST: a mailbox that went away meanwhile is passed over.
    listing: bool,
    longest: Option<u64>,
}

pub(super) fn get(tag: String, get: GetMetadata, core: &mut Core) -> Step {
    let Some(mailbox) = subject(&get.name, core) else {
        return core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox));
    };
    let (entries, max_size, depth) = (get.entries, get.max_size, get.depth);
    let want = MetadataWant { mailbox, entries, max_size, depth, after: None };
    let next = Vec::new().into_iter();
    let done = "GETMETADATA completed";
    Get { tag, done, want, next, listing: false, longest: None }.ask()
}

/// The rest of a LIST: what was asked for of the mailboxes listed.
pub(super) fn list(
    tag: String,
    names: Vec<MailboxName>,
    entries: Vec<EntryName>,
    core: &mut Core,
) -> Step {
    let mut next = names.into_iter();
    let done = "LIST completed";
    let Some(first) = next.next() else { return core.done(&tag, Reply::ok(done)) };
    let want = MetadataWant { mailbox: Some(first), entries, ..MetadataWant::default() };
    Get { tag, done, want, next, listing: true, longest: None }.ask()
}

pub(super) fn set(
    tag: String,
    name: &[u8],
    entries: Vec<(EntryName, Option<Vec<u8>>)>,
    core: &mut Core,
) -> Step {
    match subject(name, core) {
        Some(mailbox) => {
            let task = super::Task::Metadata(Box::new(Task::Set { tag }));
            Step::Ask(Ask::SetMetadata { mailbox, entries }, task)
        }
        None => core.done(&tag, Reply::refused(&Refusal::NoSuchMailbox)),
    }
}

/// An empty name is the server (RFC 5464 §4.2).
fn subject(name: &[u8], core: &Core) -> Option<Option<MailboxName>> {
    match name.is_empty() {
        true => Some(None),
        false => core.mailbox(name).map(Some),
    }
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match (self, answer) {
            (Self::Get(get), Answer::Metadata(found)) => get.tell(found, core),
            (Self::Get(get), Answer::Refused(Refusal::NoSuchMailbox)) if get.listing => {
                get.go_on(core)
            }
            (Self::Get(Get { tag, .. }) | Self::Set { tag }, Answer::Refused(refusal)) => {
                core.done(&tag, Reply::refused(&refusal))
            }
            (Self::Set { tag }, Answer::Annotated(step)) => {
                super::annotations::own(step, core);
                super::sync::finish(tag, Reply::ok("SETMETADATA completed"), core)
            }
            (Self::Get(Get { tag, .. }) | Self::Set { tag }, _) => {
                core.done(&tag, Reply::refused(&Refusal::Unavailable))
            }
        }
    }

    /// Whether many answers are better sent together.
    pub fn is_bulk(&self) -> bool {
        matches!(self, Self::Get(get) if get.listing)
    }
}

impl Get {
    fn ask(self) -> Step {
        let ask = Ask::Metadata(self.want.clone());
        Step::Ask(ask, super::Task::Metadata(Box::new(Task::Get(self))))
    }

    fn tell(mut self, found: Metadata, core: &mut Core) -> Step {
        let name = self.want.mailbox.as_ref();
        let name = name.map(|name| name.to_wire(core.utf8_names())).unwrap_or_default();
        encode::metadata(&mut core.out, &name, &found.values);
        self.longest = self.longest.max(found.longest);
        match found.values.last() {
            Some((last, _)) if found.more => {
                self.want.after = Some(last.clone());
                self.ask()
            }
            _ => self.go_on(core),
        }
    }

    fn go_on(mut self, core: &mut Core) -> Step {
        if let Some(next) = self.next.next() {
            self.want.mailbox = Some(next);
            self.want.after = None;
            return self.ask();
        }
        let reply = Reply::ok(self.done);
        let reply = match self.longest {
            Some(size) => {
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                reply.code(Code::Metadata(MetadataCode::LongEntries(size)))
            }
            None => reply,
        };
        core.done(&self.tag, reply)
    }
}

#[cfg(test)]
mod tests {
    use crate::mailbox::ask::{Answer, Ask, LoggedIn, Metadata};
    use crate::mailbox::{Config, Next, Session, Tls};
    use crate::wire::AccountId;
    use crate::wire::imap::metadata::EntryName;

    /// Many values come in several answers, each of which is sent before the next is asked for.
    #[test]
    fn many_values_are_never_held() {
        let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
        session.feed(b"a LOGIN x y\r\nb GETMETADATA (DEPTH infinity) INBOX /private\r\n");
        let (mut said, mut asked) = (String::new(), Vec::new());
        while !said.contains("b OK") {
            match session.next() {
                Next::Send(bytes) => {
                    assert!(bytes.len() < 1000);
                    said.push_str(std::str::from_utf8(&bytes).unwrap());
                }
                Next::Ask(Ask::Metadata(want)) => {
                    asked.push(want.after.map(|after| after.to_string()));
                    let name = format!("/private/{}", asked.len());
                    let value = Some(vec![b'x'; 100]);
                    let values = vec![(EntryName::parse(name.as_bytes()).unwrap(), value)];
                    let (more, longest) = (asked.len() < 20, Some(7 * asked.len() as u64));
                    session.answer(Answer::Metadata(Metadata { values, longest, more }));
                }
                Next::Ask(_) => {
                    session.answer(Answer::LoggedIn(LoggedIn {
                        account: AccountId(1),
                        signature: None,
                        notice: None,
                    }));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((asked.len(), &asked[0], &asked[1]), (20, &None, &Some("/private/1".into())));
        assert_eq!(said.matches("* METADATA \"INBOX\" (\"/private/").count(), 20);
        assert!(said.ends_with("b OK [METADATA LONGENTRIES 140] GETMETADATA completed\r\n"));
    }
}
