//! One file a command. A command that needs the world asks and becomes a task, which owns all it
//! needs until its answers are in.

mod acl;
mod ahead;
mod annotations;
mod append;
mod auth;
mod batches;
mod binary;
mod context;
mod copy;
mod expunge;
mod fetch;
mod folders;
mod idle;
mod limit;
mod list;
mod metadata;
mod multi;
mod notify;
mod piece;
mod plain;
mod quota;
mod recent;
mod resync;
mod search;
mod select;
mod status;
mod store;
mod sync;
mod telling;

use imap_codec::imap_types::core::Charset;
use imap_codec::imap_types::response::Code;

use super::ask::{Answer, Ask};
use super::core::{Access, Core};
use super::reply::Reply;
use crate::wire::imap::command::Command;
use crate::wire::imap::{BAD_CHARSET, BAD_CHARSET_TO_SAVE, MessageSet, SearchKey, Tagged, UidSet};

pub(super) use annotations::Watched;
pub(super) use append::{Upload, start as start_append};
pub(super) use auth::Sasl;
pub(super) use context::Context;
pub(super) use idle::{changed as idle_changed, done as idle_done};
pub(super) use notify::changed as notify_changed;

/// What comes after a command or an answer.
#[derive(Debug)]
pub(super) enum Step {
    Ask(Ask, Task),
    /// Much is said: it is sent before the task goes on.
    Pause(Task),
    /// All is said.
    Done,
    Upload(Upload),
    Sasl(Sasl),
    Idle(String),
    StartTls(String),
    Compress(String),
    Expand(String),
    Close,
}

/// A command between its ask and the answer.
#[derive(Debug)]
pub(super) enum Task {
    Login(auth::Login),
    Salt(Box<auth::Salting>),
    List(list::Task),
    Select(select::Task),
    Resync(resync::Task),
    Status(status::Task),
    Notify(Box<notify::Task>),
    Folder(folders::Task),
    Append(append::Task),
    Sync(Box<sync::Task>),
    Expunge(expunge::Task),
    Search(Box<search::Task>),
    MultiSearch(Box<multi::Task>),
    Context(context::Task),
    Fetch(Box<fetch::Task>),
    Store(store::Task),
    Copy(copy::Task),
    Metadata(Box<metadata::Task>),
    Annotations(annotations::Task),
    Quota(quota::Task),
    Acl(acl::Task),
}

impl Task {
    pub fn answer(self, answer: Answer, core: &mut Core) -> Step {
        match self {
            Self::Login(task) => task.answer(answer, core),
            Self::Salt(task) => task.answer(answer, core),
            Self::List(task) => task.answer(answer, core),
            Self::Select(task) => task.answer(answer, core),
            Self::Resync(task) => task.answer(answer, core),
            Self::Status(task) => task.answer(answer, core),
            Self::Notify(task) => task.answer(answer, core),
            Self::Folder(task) => task.answer(answer, core),
            Self::Append(task) => task.answer(answer, core),
            Self::Sync(task) => task.answer(answer, core),
            Self::Expunge(task) => task.answer(answer, core),
            Self::Search(task) => task.answer(answer, core),
            Self::MultiSearch(task) => task.answer(answer, core),
            Self::Context(task) => task.answer(answer, core),
            Self::Fetch(task) => task.answer(answer, core),
            Self::Store(task) => task.answer(answer, core),
            Self::Copy(task) => task.answer(answer, core),
            Self::Metadata(task) => task.answer(answer, core),
            Self::Annotations(task) => task.answer(answer, core),
            Self::Quota(task) => task.answer(answer, core),
            Self::Acl(task) => task.answer(answer, core),
        }
    }

    /// After a pause.
    pub fn go_on(self, core: &mut Core) -> Step {
        match self {
            Self::Fetch(task) => task.go_on(core),
            Self::Search(task) => task.go_on(core),
            Self::MultiSearch(task) => task.go_on(core),
            // Nobody else pauses.
            _ => Step::Close,
        }
    }

    /// Whether somebody comes in by it, which can be given up at any time.
    pub fn is_login(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Salt(_))
    }

    /// Whether its output is better collected than sent at every ask.
    pub fn is_bulk(&self) -> bool {
        let metadata = matches!(self, Self::Metadata(task) if task.is_bulk());
        metadata
            || matches!(self, Self::Fetch(_) | Self::Store(_) | Self::Sync(_) | Self::Resync(_))
            || matches!(self, Self::Select(_))
    }
}

pub(super) fn start(tagged: Tagged, core: &mut Core) -> Step {
    let Tagged { tag, command } = tagged;
    core.tag.clone_from(&tag);
    core.removed = false;
    if let Some(reply) = out_of_place(&command, core) {
        return core.done(&tag, reply);
    }
    match command {
        Command::Capability => plain::capability(&tag, core),
        Command::Noop | Command::Check => sync::finish(tag, Reply::ok("Done"), core),
        Command::Logout => plain::logout(&tag, core),
        Command::StartTls => Step::StartTls(tag),
        Command::Authenticate { mechanism, initial } => {
            auth::authenticate(tag, &mechanism, initial, core)
        }
        Command::Login { user, password } => auth::login(tag, user, password),
        Command::Enable(names) => plain::enable(tag, &names, core),
        Command::Id(_) => plain::id(&tag, core),
        Command::Namespace => plain::namespace(&tag, core),
        Command::UidBatches(batches) => batches::start(&tag, batches, core),
        Command::Notify(command) => notify::start(tag, command, core),
        Command::Unauthenticate => plain::unauthenticate(tag, core),
        Command::Compress(algorithm) => plain::compress(tag, &algorithm, core),
        Command::Select(select) => select::start(tag, select, core),
        Command::Create { .. }
        | Command::Delete(_)
        | Command::Rename { .. }
        | Command::Subscribe { .. } => folders::start(tag, command, core),
        Command::List(list) => list::start(tag, list, core),
        Command::Lsub { reference, pattern } => list::lsub(tag, &reference, &pattern, core),
        Command::GetQuota(root) => quota::get(tag, &root, core),
        Command::GetQuotaRoot(name) => quota::root_of(tag, &name, core),
        Command::SetQuota => quota::set(&tag, core),
        Command::Acl { name, acl } => acl::start(tag, &name, acl, core),
        Command::GetMetadata(get) => metadata::get(tag, get, core),
        Command::SetMetadata { name, entries } => metadata::set(tag, &name, entries, core),
        Command::Status { name, items } => status::start(tag, &name, items, core),
        // Without octets that stream in; with them the reader gives it as an event of its own.
        Command::Append(append) => append::start(tag, append, core),
        Command::Idle => idle::start(tag, core),
        Command::Close => expunge::close(tag, core),
        Command::Unselect => plain::unselect(&tag, core),
        Command::Expunge(set) => expunge::start(tag, set, core),
        Command::Search(search) => search::start(tag, search, core),
        Command::MultiSearch(search) => multi::start(tag, search, core),
        Command::CancelUpdate(of) => context::cancel(&tag, &of, core),
        Command::Fetch(fetch) => fetch::start(tag, fetch, core),
        Command::Store(store) => store::start(tag, store, core),
        Command::Copy { uid, set, to } => copy::start(tag, uid, &set, &to, false, core),
        Command::Move { uid, set, to } => copy::start(tag, uid, &set, &to, true, core),
    }
}

/// The answer to what could not be parsed.
pub(super) fn bad_reply(reason: &'static str, core: &mut Core) -> Reply {
    if let Some(view) = core.view_mut().filter(|_| reason == BAD_CHARSET_TO_SAVE) {
        view.saved = UidSet::new();
    }
    match reason {
        // RFC 9051 §6.4.4: the one syntax error that is a NO.
        BAD_CHARSET | BAD_CHARSET_TO_SAVE => {
            let allowed = CHARSETS.iter().filter_map(|name| Charset::try_from(*name).ok());
            Reply::no(reason).code(Code::BadCharset { allowed: allowed.collect() })
        }
        _ => Reply::bad(reason),
    }
}

/// The first of those that are read; there are many more.
const CHARSETS: [&str; 4] = ["US-ASCII", "UTF-8", "ISO-8859-9", "WINDOWS-1254"];

/// A tagged answer instead of the command, when this is not the state for it (RFC 9051 §3).
fn out_of_place(command: &Command, core: &Core) -> Option<Reply> {
    let needs = needs(command);
    let good = match (&core.access, needs) {
        (_, Needs::Nothing) => true,
        (Access::NotAuthenticated, needs) => needs == Needs::Nobody,
        (Access::Authenticated(_), needs) => needs == Needs::Login,
        (Access::Selected(..), needs) => needs == Needs::Login || needs == Needs::Mailbox,
    };
    match needs {
        _ if good => plain::needs_tls(command, core)
            .or_else(|| needs_uids(command, core))
            .or_else(|| recent::given_up(command, core)),
        Needs::Nobody => Some(Reply::bad("Already logged in")),
        Needs::Mailbox if core.account().is_some() => Some(Reply::bad("No mailbox selected")),
        _ => Some(Reply::bad("Log in first")),
    }
}

/// RFC 9586 §3: with UIDONLY what names messages by sequence numbers is refused.
fn needs_uids(command: &Command, core: &Core) -> Option<Reply> {
    let is_number =
        |key: &SearchKey<_>| matches!(key, SearchKey::Messages(MessageSet::Sequence(_)));
    let by_uid = match command {
        Command::Fetch(fetch) => fetch.uid,
        Command::Store(store) => store.uid,
        Command::Search(search) => search.uid && !search.key.any(&is_number),
        Command::Copy { uid, .. } | Command::Move { uid, .. } => *uid,
        Command::Append(append) => !matches!(append.replaces, Some(MessageSet::Sequence(_))),
        _ => true,
    };
    let refused = core.enabled.uidonly && !by_uid;
    refused.then(|| Reply::bad("UIDs only").named("UIDREQUIRED"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Before login only.
    Nobody,
    Login,
    Mailbox,
}

fn needs(command: &Command) -> Needs {
    match command {
        Command::Append(append) if append.replaces.is_some() => Needs::Mailbox,
        Command::Capability | Command::Noop | Command::Logout | Command::Id(_) => Needs::Nothing,
        Command::StartTls | Command::Authenticate { .. } | Command::Login { .. } => Needs::Nobody,
        Command::Check
        | Command::Close
        | Command::Unselect
        | Command::Expunge(_)
        | Command::Search(_)
        | Command::UidBatches(_)
        | Command::CancelUpdate(_)
        | Command::Fetch(_)
        | Command::Store(_)
        | Command::Copy { .. }
        | Command::Move { .. } => Needs::Mailbox,
        _ => Needs::Login,
    }
}

#[cfg(test)]
mod tests;
