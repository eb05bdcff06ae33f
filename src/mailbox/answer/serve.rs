//! The desk at which one connection's asks are answered, and the office that all desks share.

use super::append::Append;
use super::arrange;
use super::content::{self, Look, Shown};
use super::duties::{self, Deed, Did, Duty, Entry};
use super::progress::Counter;
use super::reads::{Known, Reads};
use super::room::Room;
use super::views::Views;
use super::{
    Answered, Failure, Who, folders, gathered, labelling, messages, metadata, preview, quota,
    rights, words,
};
use crate::mailbox::ask::{
    self, Answer, Ask, Content, FlagChange, LoggedIn, Login, Moved, Notice, Placed, Refusal, Salt,
};
use crate::registry::OpeningMode;
use crate::store::mail::gather::fresh::freshen;
use crate::store::mail::tree;
use crate::store::{Changed, Lane, RowsError, Store, StoreError, Tx};
use crate::wire::imap::{MailboxName, UidSet};
use crate::wire::{AccountId, MailboxId, MessageId, Timestamp};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Judges logins; delays after failures are its own.
pub trait Door: Send + Sync {
    fn login(&self, login: Login, peer: Peer) -> Judging<Admitted>;

    /// What a SCRAM exchange begins with; a door for passwords alone has nothing to say.
    fn salt(&self, _user: String) -> Judging<Salt> {
        Box::pin(std::future::ready(Err(Refusal::BadCredentials)))
    }

    /// Whether there is a password that SCRAM could prove.
    fn scram(&self) -> Judging<bool> {
        Box::pin(std::future::ready(Ok(false)))
    }
}

pub type Gate = Arc<dyn Door>;
pub type Judging<T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send>>;

impl<F: Fn(Login, Peer) -> Judging<Admitted> + Send + Sync> Door for F {
    fn login(&self, login: Login, peer: Peer) -> Judging<Admitted> {
        self(login, peer)
    }
}

/// Who is at the other end.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: IpAddr,
    /// What it showed in the TLS handshake, as DER: its own first. It holds the key of that.
    pub certificates: Arc<Vec<Vec<u8>>>,
}

/// Who was let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub account: AccountId,
    /// Who authenticated, and by which generated password: a read fact names it.
    pub person: String,
    /// Whether anything may be added to the account.
    pub adds: bool,
    /// The generated password that let him in: when it is taken away, so is he.
    pub password: Option<String>,
    /// Which of the account's operators he is, where he is not its holder.
    pub duty: Option<Duty>,
    /// When the account's own password let him in: with a new one he is out.
    pub own_password: Option<Timestamp>,
    /// How this session opens, where it is not as the mailbox has it.
    pub opening: Option<OpeningMode>,
    /// `ServerSignature` of SCRAM.
    pub signature: Option<Vec<u8>>,
    /// What he should know of the account.
    pub notice: Option<Notice>,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of an appended message.
    pub message: u64,
    /// Octets of all messages that are coming in at a time; an account may have a quarter.
    pub incoming: usize,
    /// Octets that an account may hold, if it has no limit of its own.
    pub storage: Option<u64>,
}

impl Limits {
    /// A mailbox takes no larger messages than all do.
    fn bound(&self, status: &mut ask::Status) {
        status.append_limit = status.append_limit.min(self.message);
    }
}

/// What all connections share.
pub struct Office {
    pub(super) store: Store,
    pub(super) views: Views,
    gate: Gate,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) limits: Limits,
    pub(super) room: Room,
    /// Sorts and threads under way: each may hold something of every message of a mailbox.
    pub(super) arranging: Semaphore,
}

impl Office {
    pub fn new(
        store: Store,
        gate: Gate,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        limits: Limits,
    ) -> Arc<Self> {
        let room = Room::new(limits.incoming, limits.message);
        let arranging = Semaphore::new(arrange::AT_A_TIME);
        Arc::new(Self { store, views: Views::default(), gate, clock, limits, room, arranging })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Mailboxes whose views are kept, and octets of messages that are coming in.
    #[cfg(test)]
    pub fn kept(&self) -> (usize, usize) {
        (self.views.count(), self.room.held())
    }
}

/// One connection's place: what it must remember between asks.
pub struct Desk {
    pub(super) office: Arc<Office>,
    peer: Peer,
    admitted: Option<Admitted>,
    pub(super) append: Append,
    shown: Option<Shown>,
    counter: Counter,
    /// The virtual mailbox that was selected last.
    gathered: Option<MailboxId>,
    /// What is to be recorded of the ask that is being answered, once it does something.
    pub(super) entry: Option<Entry>,
    known: Known,
}

impl Desk {
    pub fn new(office: Arc<Office>, peer: IpAddr) -> Self {
        let peer = Peer { address: peer, certificates: Arc::default() };
        Self {
            office,
            peer,
            admitted: None,
            append: Append::default(),
            shown: None,
            counter: Counter::default(),
            gathered: None,
            entry: None,
            known: Known::default(),
        }
    }

    /// How far the ask is that is being answered.
    pub fn counter(&self) -> Counter {
        self.counter.clone()
    }

    pub async fn offers_scram(&self) -> bool {
        self.office.gate.scram().await.unwrap_or(false)
    }

    /// After a handshake.
    pub fn shown_certificates(&mut self, certificates: Vec<Vec<u8>>) {
        self.peer.certificates = Arc::new(certificates);
    }

    /// What happens on our side is logged here and is `Unavailable` to the client.
    pub async fn answer(&mut self, ask: Ask) -> Answer {
        self.counter.begin(0);
        if !matches!(ask, Ask::Content(_)) {
            self.shown = None;
        }
        match self.try_answer(ask).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) => Answer::Refused(refusal),
            Err(error @ (Failure::Store(_) | Failure::Registry(_))) => {
                tracing::error!(%error, "an ask could not be answered");
                Answer::Refused(Refusal::Unavailable)
            }
        }
    }

    /// Under which name the news of a mailbox are told.
    pub fn news_of(&self, mailbox: MailboxId) -> Changed {
        match &self.admitted {
            Some(admitted) if self.gathered == Some(mailbox) => Changed::Account(admitted.account),
            _ => Changed::Mailbox(mailbox),
        }
    }

    /// Virtual mailboxes are brought up to date before they are looked at.
    async fn freshen(&mut self, ask: &Ask) -> Answered<()> {
        let Some(look) = gathered::look(ask, self.gathered) else { return Ok(()) };
        let account = self.who()?.account;
        let find = move |tx: &mut Tx<'_>| gathered::found(tx, account, &look);
        let found: Vec<_> = self.read(find).await?;
        if matches!(ask, Ask::Select { .. }) {
            self.gathered = found.first().copied();
        }
        for id in found {
            freshen(&self.office.store, account, id).await?;
        }
        Ok(())
    }

    async fn try_answer(&mut self, ask: Ask) -> Answered<Answer> {
        self.entry = None;
        if self.admitted.is_some() {
            self.freshen(&ask).await?;
            self.on_duty(&ask).await?;
        }
        match ask {
            Ask::Login(login) => self.login(login).await,
            Ask::Salt { user } => Ok(Answer::Salt(self.office.gate.salt(user).await?)),
            Ask::Content(ask) => self.content(ask).await,
            Ask::Previews { mailbox, uids, lazy } => self.previews(mailbox, uids, lazy).await,
            Ask::Search(ask) => self.search(ask).await,
            Ask::Sort { mailbox, uids, exact, by } => {
                self.sort(mailbox, uids, arrange::SortBy { by, exact }).await
            }
            Ask::Thread { mailbox, uids, by } => self.thread(mailbox, uids, by).await,
            Ask::Rows { mailbox, ref uids, want } if want.thread => {
                self.decide_threads(mailbox, uids).await?;
                self.look_up(ask).await
            }
            Ask::Store(ask) => self.store(ask).await,
            Ask::Expunge { mailbox, uids } => self.expunge(mailbox, uids).await,
            Ask::Copy { mailbox, uids, to } => self.copy(mailbox, uids, to).await,
            Ask::Move { mailbox, uids, to } => self.move_to(mailbox, uids, to).await,
            Ask::Delete { name } => self.delete(name).await,
            Ask::Rename { from, to } => self.rename(from, to).await,
            Ask::AppendBegin(_)
            | Ask::AppendChunk(_)
            | Ask::AppendText { .. }
            | Ask::AppendUrl(_)
            | Ask::Replace { .. }
            | Ask::AppendCommit
            | Ask::AppendAbort => self.append(ask).await,
            Ask::Select { .. } | Ask::News { .. } => self.tell_first(ask).await,
            Ask::Mailboxes(_)
            | Ask::Open { .. }
            | Ask::Changes { .. }
            | Ask::Overview
            | Ask::Status { .. }
            | Ask::Metadata(_)
            | Ask::Annotations { .. }
            | Ask::Quota { .. }
            | Ask::Rights { .. }
            | Ask::Flags { .. }
            | Ask::Rows { .. } => self.look_up(ask).await,
            change => self.change(change).await,
        }
    }

    /// What an operator may not do is not done, and what was coming for it is forgotten.
    async fn on_duty(&mut self, ask: &Ask) -> Answered<()> {
        let who = self.who()?;
        let Some(duty) = who.duty else { return Ok(()) };
        let Some(deed) = Deed::of(ask, self.append.to()) else { return Ok(()) };
        let weigh = move |tx: &mut Tx<'_>| duties::weigh(tx, &who, &duty, &deed);
        match self.read(weigh).await {
            Ok(entry) => self.entry = entry,
            Err(failure) => {
                self.append = Append::default();
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn login(&mut self, login: Login) -> Answered<Answer> {
        (self.admitted, self.gathered, self.known) = (None, None, Known::default());
        let mut admitted = self.office.gate.login(login, self.peer.clone()).await?;
        let (account, notice) = (admitted.account, admitted.notice);
        let signature = admitted.signature.take();
        self.admitted = Some(admitted);
        Ok(Answer::LoggedIn(LoggedIn { account, signature, notice }))
    }

    pub(super) fn who(&self) -> Answered<Who> {
        let admitted = self.admitted.as_ref().ok_or(Refusal::BadCredentials)?;
        Ok(Who {
            account: admitted.account,
            person: admitted.person.clone(),
            adds: admitted.adds,
            password: admitted.password.clone(),
            duty: admitted.duty,
            own_password: admitted.own_password,
            storage: self.office.limits.storage,
            opening: admitted.opening,
            now: (self.office.clock)(),
        })
    }

    /// Asks that change nothing. // table
    pub(super) async fn look_up(&self, ask: Ask) -> Answered<Answer> {
        if let Some(answer) = self.at_once(&ask).await? {
            return Ok(answer);
        }
        let few = is_of_few(&ask);
        let who = self.who()?;
        let office = Arc::clone(&self.office);
        let work = move |tx: &mut Tx<'_>| {
            let views = &office.views;
            Ok(match &ask {
                Ask::Mailboxes(want) => {
                    let mut entries = folders::list(tx, &who, views, *want)?;
                    let statuses = entries.iter_mut().filter_map(|entry| entry.status.as_mut());
                    statuses.for_each(|status| office.limits.bound(status));
                    Answer::Mailboxes(entries)
                }
                Ask::Select { name, examine } => {
                    Answer::Selected(folders::select(tx, &who, views, name, *examine)?)
                }
                Ask::Open { name } => {
                    Answer::Selected(folders::select(tx, &who, views, name, true)?)
                }
                Ask::Changes { mailbox, since } | Ask::News { mailbox, since } => {
                    Answer::Changes(folders::changes(tx, &who, *mailbox, *since)?)
                }
                Ask::Overview => Answer::Overview(folders::overview(tx, &who)?),
                Ask::Status { name, want } => {
                    let mut status = folders::status(tx, &who, views, name, *want)?;
                    office.limits.bound(&mut status);
                    Answer::Status(status)
                }
                Ask::Quota { mailbox } => Answer::Quota(quota::get(tx, &who, mailbox.as_ref())?),
                Ask::Rights { name } => Answer::Rights(rights::of_named(tx, &who, name)?),
                Ask::Metadata(want) => Answer::Metadata(metadata::get(tx, &who, want)?),
                Ask::Annotations { since } => {
                    Answer::Annotations(metadata::changes(tx, &who, *since)?)
                }
                Ask::Flags { mailbox, uids } => {
                    Answer::Flags(messages::flags(tx, &who, *mailbox, uids)?)
                }
                Ask::Rows { mailbox, uids, want } => {
                    Answer::Rows(messages::rows(tx, &who, *mailbox, uids, *want)?)
                }
                _ => return Err(Refusal::Cannot.into()),
            })
        };
        match few {
            true => self.read_here(work).await,
            false => self.read(work).await,
        }
    }

    /// Where nothing happened since the last look, a few rows tell it. Over a network that would be one
    /// more question.
    async fn at_once(&self, ask: &Ask) -> Answered<Option<Answer>> {
        if self.office.store.shared() {
            return Ok(None);
        }
        let (who, office) = (self.who()?, Arc::clone(&self.office));
        match ask {
            Ask::Select { name, examine } => {
                let (name, examine) = (name.clone(), *examine);
                let look = move |tx: &mut Tx<'_>| {
                    folders::select_known(tx, &who, &office.views, &name, examine)
                };
                Ok(self.read_here(look).await?.map(Answer::Selected))
            }
            Ask::Changes { mailbox, since } | Ask::News { mailbox, since } => {
                let (mailbox, since) = (*mailbox, *since);
                let look = move |tx: &mut Tx<'_>| folders::unchanged(tx, &who, mailbox, since);
                Ok(self.read_here(look).await?.map(Answer::Changes))
            }
            _ => Ok(None),
        }
    }

    /// Asks that change something: answered when it is durable. // table
    async fn change(&mut self, ask: Ask) -> Answered<Answer> {
        let who = self.who()?;
        let work = move |tx: &mut Tx<'_>| {
            Ok(match &ask {
                Ask::Create { name, special } => {
                    folders::make(tx, &who, name, *special)?;
                    Answer::Created(super::named(tx, &who, name)?.id)
                }
                Ask::Subscribe { name, on } => done(tree::subscribe(tx, who.account, name, *on)?),
                Ask::SetMetadata { mailbox, entries } => {
                    Answer::Annotated(metadata::set(tx, &who, mailbox.as_ref(), entries)?)
                }
                _ => return Err(Refusal::Cannot.into()),
            })
        };
        self.act(work, |_| Did::Part).await
    }

    async fn store(&mut self, ask: ask::Store) -> Answered<Answer> {
        let words = ask.flags.keywords.client_owned();
        let adds = ask.change != FlagChange::Remove && !words.is_empty();
        if adds && words.as_str().len() > messages::KEYWORDS_MAX {
            return Err(Refusal::Limit.into());
        }
        if adds {
            let (who, office, id) = (self.who()?, Arc::clone(&self.office), ask.mailbox);
            let words = words.clone();
            let look = move |tx: &mut Tx<'_>| {
                let mailbox = super::owned(tx, &who, id)?;
                folders::may_have(tx, &office.views, &mailbox, &words)
            };
            self.read(look).await?;
        }
        let who = self.who()?;
        let work = move |tx: &mut Tx<'_>| match adds {
            true => labelling::store(tx, &who, &ask, &words),
            false => messages::store(tx, &who, &ask),
        };
        Ok(Answer::Stored(self.act(work, |stored| Did::Of(&stored.changed)).await?))
    }

    async fn expunge(&mut self, mailbox: MailboxId, uids: Option<UidSet>) -> Answered<Answer> {
        let who = self.who()?;
        let asker = who.clone();
        let look = move |tx: &mut Tx<'_>| messages::marked(tx, &asker, mailbox, uids.as_ref());
        let mut gone = UidSet::new();
        let marked = self.read(look).await?;
        self.counter.begin(marked.len());
        for batch in batches(marked, messages::EXPUNGED) {
            let (who, count) = (who.clone(), batch.len());
            let work = move |tx: &mut Tx<'_>| messages::expunge(tx, &who, mailbox, &batch);
            gone = gone.union(&self.act(work, |gone| Did::Of(gone)).await?);
            self.counter.add(count);
        }
        Ok(Answer::Expunged(gone))
    }

    /// In batches, all or none: when one fails, those before it are taken back.
    /// QUIRK(kep, 2026-11): a crash in between leaves them; docs/quirks.md#25
    async fn copy(&mut self, from: MailboxId, uids: UidSet, to: MailboxName) -> Answered<Answer> {
        let size = self.may_go(from, &uids, &to, true).await?;
        self.counter.begin(uids.len());
        let mut copied = None;
        for batch in batches(uids, size) {
            let (who, target, count) = (self.who()?, to.clone(), batch.len());
            let work = move |tx: &mut Tx<'_>| messages::copy(tx, &who, from, &batch, &target);
            match self.act(work, duties::placed).await {
                Ok(placed) if in_another(&copied, &placed) => {
                    self.take_back(&to, placed).await?;
                    return Err(Refusal::NoSuchTarget.into());
                }
                Ok(placed) => {
                    copied = together(copied, placed);
                    self.counter.add(count);
                }
                Err(failure) => {
                    self.take_back(&to, copied).await?;
                    return Err(failure);
                }
            }
        }
        Ok(Answer::Copied(copied))
    }

    pub(super) async fn take_back(&self, to: &MailboxName, copied: Option<Placed>) -> Answered<()> {
        let Some(Placed { uid_validity, to: uids, .. }) = copied else { return Ok(()) };
        for batch in batches(uids, messages::EXPUNGED) {
            let (who, to) = (self.who()?, to.clone());
            let work =
                move |tx: &mut Tx<'_>| messages::take_back(tx, &who, &to, uid_validity, &batch);
            // Whether or not the session may stay: what was begun ends as if it had not.
            self.office.store.write(Lane::Client, work).await?;
        }
        Ok(())
    }

    /// In batches; each message is moved whole (RFC 6851 §3.3). What a failure leaves where it was
    /// can be moved again, and the client hears what went.
    async fn move_to(
        &mut self,
        from: MailboxId,
        uids: UidSet,
        to: MailboxName,
    ) -> Answered<Answer> {
        let size = self.may_go(from, &uids, &to, false).await?;
        self.counter.begin(uids.len());
        let (mut placed, mut gone) = (None, UidSet::new());
        for batch in batches(uids, size) {
            let (who, to, count) = (self.who()?, to.clone(), batch.len());
            let work = move |tx: &mut Tx<'_>| messages::move_to(tx, &who, from, &batch, &to);
            let moved = self.act(work, |moved| Did::Of(&moved.gone)).await?;
            placed = together(placed, moved.placed);
            gone = gone.union(&moved.gone);
            self.counter.add(count);
        }
        Ok(Answer::Moved(Moved { placed, gone }))
    }

    async fn may_go(
        &self,
        from: MailboxId,
        uids: &UidSet,
        to: &MailboxName,
        copied: bool,
    ) -> Answered<usize> {
        let (who, uids, to) = (self.who()?, uids.clone(), to.clone());
        let look = move |tx: &mut Tx<'_>| messages::may_go(tx, &who, from, &uids, &to, copied);
        self.read(look).await
    }

    async fn delete(&mut self, name: MailboxName) -> Answered<Answer> {
        loop {
            let (who, name) = (self.who()?, name.clone());
            let most = messages::EXPUNGED;
            let work = move |tx: &mut Tx<'_>| {
                Ok::<_, Failure>(tree::delete(tx, who.account, &name, most, who.now)?)
            };
            if self.act(work, |_| Did::Part).await? {
                return Ok(Answer::Done);
            }
        }
    }

    async fn rename(&mut self, from: MailboxName, to: MailboxName) -> Answered<Answer> {
        let (who, old, new) = (self.who()?, from.clone(), to.clone());
        let work = move |tx: &mut Tx<'_>| {
            Ok::<_, Failure>(tree::rename(tx, who.account, &old, &new, who.now)?)
        };
        self.act(work, |_| Did::Part).await?;
        let mut moved = usize::from(from.is_inbox());
        while moved > 0 {
            let (who, to) = (self.who()?, to.clone());
            let most = messages::EXPUNGED;
            let work = move |tx: &mut Tx<'_>| {
                Ok::<_, Failure>(tree::empty_inbox(tx, who.account, &to, most, who.now)?)
            };
            moved = self.act(work, |_| Did::Part).await?;
        }
        Ok(Answer::Done)
    }

    /// A part of what an operator does: he may do it still, and it is recorded in the same transaction.
    async fn act<T: Send + 'static>(
        &mut self,
        work: impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static,
        did: impl Fn(&T) -> Did<'_> + Send + 'static,
    ) -> Answered<T> {
        let Some(entry) = self.entry.clone() else { return self.write(work).await };
        let who = self.who()?;
        let told = move |tx: &mut Tx<'_>| {
            entry.weigh_again(tx, &who)?;
            let done = work(tx)?;
            entry.record(tx, &who, &did(&done))?;
            Ok(done)
        };
        let done = self.write(told).await?;
        self.entry.iter_mut().for_each(|entry| entry.recorded = true);
        Ok(done)
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        self.office.store.write(Lane::Client, staying(self.who()?, work)).await
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        self.office.store.read(staying(self.who()?, work)).await
    }

    /// Of a few rows by their keys: without another thread's detour.
    async fn read_here<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        self.office.store.look_up(staying(self.who()?, work)).await
    }

    /// What is unopened is opened, that is durable, and only then is it looked at again.
    pub(super) async fn content(&mut self, ask: Content) -> Answered<Answer> {
        let who = self.who()?;
        if let Some((shown, range)) = self.shown.as_ref().and_then(|s| Some((s, s.next(&ask)?))) {
            let (shown, office) = (shown.clone(), Arc::clone(&self.office));
            let read = move || shown.read(&office.store.blobs, &range);
            return Ok(Answer::Content(blocking(read).await?));
        }
        let mut looked = self.look(&who, &ask).await?;
        if let Look::MustOpen(message) = looked {
            if who.opening == Some(OpeningMode::Sealed) {
                return Err(Failure::said(words::OPEN_BY_MOVING));
            }
            self.open(&who, message).await?;
            looked = self.look(&who, &ask).await?;
        }
        match looked {
            Look::Notice(message, notice) => {
                self.open(&who, message).await?;
                let (_, range) = ask.pieces.first().ok_or(Refusal::Cannot)?;
                let octets = notice.read(&self.office.store.blobs, range)?;
                self.shown = Some(notice);
                Ok(Answer::Content(octets))
            }
            Look::Octets(found) => {
                self.note(who, found.reads).await?;
                self.shown = found.shown;
                Ok(Answer::Content(found.octets))
            }
            Look::MustOpen(message) => {
                tracing::error!(%message, "a message stays sealed though it was opened");
                Err(Refusal::Unavailable.into())
            }
        }
    }

    /// What an operator is given is recorded, that is durable, and only then given.
    async fn note(&mut self, who: Who, reads: Reads) -> Answered<()> {
        let Reads { mut known, new } = reads;
        known.extend(new.iter().map(|given| given.content));
        if let Some(reader) = who.reader() {
            // A few at a time: whoever else is recorded on shared rows waits for the end of each.
            for part in new.chunks(READS) {
                let (who, part) = (who.clone(), part.to_vec());
                self.write(move |tx| duties::gives(tx, &who, reader, &part)).await?;
            }
        }
        if !known.is_empty() {
            self.known.add(known);
        }
        Ok(())
    }

    async fn open(&self, who: &Who, message: MessageId) -> Answered<()> {
        let opener = who.clone();
        let work = move |tx: &mut Tx<'_>| messages::open(tx, &opener, message.clone());
        self.write(work).await
    }

    async fn look(&self, who: &Who, ask: &Content) -> Answered<Look> {
        let (who, ask, known) = (who.clone(), ask.clone(), self.known.clone());
        let blobs = Arc::clone(&self.office.store.blobs);
        self.read(move |tx| content::look(tx, &who, &blobs, &ask, &known)).await
    }

    /// What was made before, and what is made now; that it is kept nobody waits for in vain.
    async fn previews(&self, id: MailboxId, uids: UidSet, lazy: bool) -> Answered<Answer> {
        let (who, batch) = (self.who()?, uids.clone().take_first(ask::BATCH));
        let look = move |tx: &mut Tx<'_>| preview::look(tx, &who, id, &batch);
        let mut all = self.read(look).await?;
        let missing = all.iter().filter(|message| message.text.is_none() && !lazy);
        for batch in batches(missing.map(|message| message.uid).collect(), preview::MADE) {
            let (who, blobs) = (self.who()?, Arc::clone(&self.office.store.blobs));
            let make = move |tx: &mut Tx<'_>| preview::make(tx, &who, id, &batch, &blobs);
            let made = self.read(make).await?;
            all.extend(made.iter().cloned());
            let keep = move |tx: &mut Tx<'_>| preview::keep(tx, &made);
            if let Err(error) = self.office.store.write(Lane::Background, keep).await {
                tracing::warn!(%error, "previews were not kept");
            }
        }
        let told = all.into_iter().filter_map(|message| Some((message.uid, message.text?)));
        Ok(Answer::Previews(told.collect()))
    }
}

fn is_of_few(ask: &Ask) -> bool {
    matches!(ask, Ask::Flags { uids, .. } | Ask::Rows { uids, .. } if uids.len() <= FEW)
}

pub(super) fn batches(mut all: UidSet, size: usize) -> impl Iterator<Item = UidSet> {
    std::iter::from_fn(move || Some(all.take_first(size)).filter(|batch| !batch.is_empty()))
}

/// Whether the mailbox was made anew between two batches.
fn in_another(one: &Option<Placed>, other: &Option<Placed>) -> bool {
    let validity = |placed: &Option<Placed>| placed.as_ref().map(|placed| placed.uid_validity);
    validity(one).zip(validity(other)).is_some_and(|(one, other)| one != other)
}

/// Places of one batch after another: UIDs grow.
fn together(one: Option<Placed>, other: Option<Placed>) -> Option<Placed> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Placed {
            uid_validity: other.uid_validity,
            from: one.from.union(&other.from),
            to: one.to.union(&other.to),
        }),
        (one, other) => one.or(other),
    }
}

/// Nothing is done for a session whose access has ended meanwhile.
fn staying<T>(
    who: Who,
    work: impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static,
) -> impl Fn(&mut Tx<'_>) -> Answered<T> + Send + 'static {
    move |tx| {
        super::may_stay(tx, &who)?;
        work(tx)
    }
}

fn done(_: ()) -> Answer {
    Answer::Done
}

/// Runs what reads or writes files beside the runtime's own threads, some of it at a time: each thread
/// holds memory of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<T> {
    // Never closed. Whoever asked may be gone: the seat is free when the work is done.
    let seat = FILES.acquire().await.ok();
    let run = move || {
        let _seat = seat;
        work()
    };
    let closed = |_| StoreError::Rows(RowsError::Closed);
    tokio::task::spawn_blocking(run).await.map_err(closed)?
}

/// At a time, whoever asks; more would only wait for the same processors and disk.
pub(super) const AT_FILES: usize = 8;
static FILES: Semaphore = Semaphore::const_new(AT_FILES);

/// Messages whose rows are read where they are asked for.
const FEW: usize = 4;
/// Contents that are recorded as read at a time.
const READS: usize = 16;
