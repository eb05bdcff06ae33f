//! The desk at which one connection's asks are answered, and the office that all desks share.

use super::append::{self, Append};
use super::content::{self, Look, Shown};
use super::room::Room;
use super::search::{self, Progress, Query};
use super::views::Views;
use super::{Answered, Failure, Who, folders, messages};
use crate::mailbox::ask::{Answer, Ask, Content, Found, LoggedIn, Login, Refusal, Search};
use crate::store::mail::tree;
use crate::store::{Lane, RowsError, Store, StoreError, Tx};
use crate::wire::imap::{MailboxName, ModSeq, UidSet};
use crate::wire::{AccountId, MailboxId, Timestamp};
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Judges a login; delays after failures are its own.
pub type Gate = Arc<
    dyn Fn(Login, IpAddr) -> Pin<Box<dyn Future<Output = Result<Admitted, Refusal>> + Send>>
        + Send
        + Sync,
>;

/// Who was let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub account: AccountId,
    /// The address that authenticated: a read fact names it.
    pub person: String,
    /// Whether anything may be added to the account.
    pub adds: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of an appended message.
    pub message: u64,
    /// Octets of all messages that are coming in at a time; an account may have a quarter.
    pub incoming: usize,
}

/// What all connections share.
pub struct Office {
    store: Store,
    views: Views,
    gate: Gate,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    limits: Limits,
    room: Room,
}

impl Office {
    pub fn new(
        store: Store,
        gate: Gate,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        limits: Limits,
    ) -> Arc<Self> {
        let room = Room::new(limits.incoming, limits.message);
        Arc::new(Self { store, views: Views::default(), gate, clock, limits, room })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// One connection's place: what it must remember between asks.
pub struct Desk {
    office: Arc<Office>,
    peer: IpAddr,
    admitted: Option<Admitted>,
    append: Append,
    shown: Option<Shown>,
}

impl Desk {
    pub fn new(office: Arc<Office>, peer: IpAddr) -> Self {
        Self { office, peer, admitted: None, append: Append::default(), shown: None }
    }

    /// What happens on our side is logged here and is `Unavailable` to the client.
    pub async fn answer(&mut self, ask: Ask) -> Answer {
        if !matches!(ask, Ask::Content(_)) {
            self.shown = None;
        }
        match self.try_answer(ask).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) => Answer::Refused(refusal),
            Err(Failure::Store(error)) => {
                tracing::error!(%error, "an ask could not be answered");
                Answer::Refused(Refusal::Unavailable)
            }
        }
    }

    /// Whether a mailbox changed after `since`; when that can't be told, it may have.
    pub async fn changed_since(&self, mailbox: MailboxId, since: ModSeq) -> bool {
        let Ok(who) = self.who() else { return false };
        let work = move |tx: &mut Tx<'_>| Ok(super::owned(tx, &who, mailbox)?.mod_seq > since);
        let changed: Answered<bool> = self.office.store.read(work).await;
        changed.unwrap_or(true)
    }

    async fn try_answer(&mut self, ask: Ask) -> Answered<Answer> {
        match ask {
            Ask::Login(login) => self.login(login).await,
            Ask::Content(ask) => self.content(ask).await,
            Ask::Search(ask) => self.search(ask).await,
            Ask::Expunge { mailbox, uids } => self.expunge(mailbox, uids).await,
            Ask::AppendBegin(_) | Ask::AppendChunk(_) | Ask::AppendCommit | Ask::AppendAbort => {
                self.append(ask).await
            }
            Ask::Mailboxes(_)
            | Ask::Select { .. }
            | Ask::Changes { .. }
            | Ask::Status { .. }
            | Ask::Rows { .. } => self.look_up(ask).await,
            change => self.change(change).await,
        }
    }

    async fn login(&mut self, login: Login) -> Answered<Answer> {
        self.admitted = None;
        let admitted = (self.office.gate)(login, self.peer).await?;
        let account = admitted.account;
        self.admitted = Some(admitted);
        Ok(Answer::LoggedIn(LoggedIn { account }))
    }

    fn who(&self) -> Answered<Who> {
        let admitted = self.admitted.as_ref().ok_or(Refusal::BadCredentials)?;
        Ok(Who {
            account: admitted.account,
            person: admitted.person.clone(),
            adds: admitted.adds,
            now: (self.office.clock)(),
        })
    }

    /// Asks that change nothing. // table
    async fn look_up(&self, ask: Ask) -> Answered<Answer> {
        let who = self.who()?;
        let office = Arc::clone(&self.office);
        let work = move |tx: &mut Tx<'_>| {
            let views = &office.views;
            Ok(match &ask {
                Ask::Mailboxes(want) => Answer::Mailboxes(folders::list(tx, &who, views, *want)?),
                Ask::Select { name, examine } => {
                    Answer::Selected(folders::select(tx, &who, views, name, *examine)?)
                }
                Ask::Changes { mailbox, since } => {
                    Answer::Changes(folders::changes(tx, &who, *mailbox, *since)?)
                }
                Ask::Status { name, want } => {
                    Answer::Status(folders::status(tx, &who, views, name, *want)?)
                }
                Ask::Rows { mailbox, uids, want } => {
                    Answer::Rows(messages::rows(tx, &who, *mailbox, uids, *want)?)
                }
                _ => return Err(Refusal::Cannot.into()),
            })
        };
        self.office.store.read(work).await
    }

    /// Asks that change something: answered when it is durable. // table
    async fn change(&self, ask: Ask) -> Answered<Answer> {
        let who = self.who()?;
        let work = move |tx: &mut Tx<'_>| {
            Ok(match &ask {
                Ask::Create { name, special_use } => {
                    done(folders::create(tx, &who, name, *special_use)?)
                }
                Ask::Delete { name } => done(tree::delete(tx, who.account, name, who.now)?),
                Ask::Rename { from, to } => done(tree::rename(tx, who.account, from, to, who.now)?),
                Ask::Subscribe { name, on } => done(tree::subscribe(tx, who.account, name, *on)?),
                Ask::Store(ask) => Answer::Stored(messages::store(tx, &who, ask)?),
                Ask::Copy { mailbox, uids, to } => {
                    Answer::Copied(messages::copy(tx, &who, *mailbox, uids, to)?)
                }
                Ask::Move { mailbox, uids, to } => {
                    Answer::Moved(messages::move_to(tx, &who, *mailbox, uids, to)?)
                }
                _ => return Err(Refusal::Cannot.into()),
            })
        };
        self.office.store.write(Lane::Client, work).await
    }

    async fn expunge(&self, mailbox: MailboxId, uids: Option<UidSet>) -> Answered<Answer> {
        let who = self.who()?;
        let asker = who.clone();
        let look = move |tx: &mut Tx<'_>| messages::marked(tx, &asker, mailbox, uids.as_ref());
        let mut gone = UidSet::new();
        for batch in batches(self.office.store.read(look).await?, messages::EXPUNGED) {
            let who = who.clone();
            let work = move |tx: &mut Tx<'_>| messages::expunge(tx, &who, mailbox, &batch);
            gone = gone.union(&self.office.store.write(Lane::Client, work).await?);
        }
        Ok(Answer::Expunged(gone))
    }

    /// What is unopened is opened, that is durable, and only then is it looked at again.
    async fn content(&mut self, ask: Content) -> Answered<Answer> {
        let who = self.who()?;
        if let Some(shown) = self.shown.as_ref().filter(|shown| shown.goes_on(&ask)) {
            let (shown, office) = (shown.clone(), Arc::clone(&self.office));
            let read = move || shown.read(&office.store.blobs, &ask.range);
            return Ok(Answer::Content(blocking(read).await?));
        }
        let mut looked = self.look(&who, &ask).await?;
        if let Look::MustOpen(message) = looked {
            let opener = who.clone();
            let work = move |tx: &mut Tx<'_>| messages::open(tx, &opener, message.clone());
            self.office.store.write(Lane::Client, work).await?;
            looked = self.look(&who, &ask).await?;
        }
        match looked {
            Look::Bytes(bytes, shown) => {
                self.shown = shown;
                Ok(Answer::Content(bytes))
            }
            Look::MustOpen(message) => {
                tracing::error!(%message, "a message stays sealed though it was opened");
                Err(Refusal::Unavailable.into())
            }
        }
    }

    async fn look(&self, who: &Who, ask: &Content) -> Answered<Look> {
        let (who, ask) = (who.clone(), ask.clone());
        let blobs = Arc::clone(&self.office.store.blobs);
        self.office.store.read(move |tx| content::look(tx, &who, &blobs, &ask)).await
    }

    async fn append(&mut self, ask: Ask) -> Answered<Answer> {
        let answer = self.try_append(ask).await;
        if answer.is_err() {
            self.append = Append::default();
        }
        answer
    }

    async fn try_append(&mut self, ask: Ask) -> Answered<Answer> {
        match ask {
            Ask::AppendBegin(begin) => {
                self.finish_coming().await?;
                self.may_append(&begin.to).await?;
                let (who, office) = (self.who()?, &self.office);
                self.append.begin(&who, begin, office.limits.message, &office.room)?;
            }
            Ask::AppendChunk(chunk) => self.append.chunk(&chunk)?,
            Ask::AppendCommit => {
                self.finish_coming().await?;
                return self.commit().await;
            }
            _ => self.append = Append::default(),
        }
        Ok(Answer::Done)
    }

    async fn may_append(&self, to: &MailboxName) -> Answered<()> {
        let (who, to) = (self.who()?, to.clone());
        let work = move |tx: &mut Tx<'_>| append::may_begin(tx, &who, &to).map(|_| ());
        self.office.store.read(work).await
    }

    /// Puts the message whose bytes are all here into a blob; its memory is free again.
    async fn finish_coming(&mut self) -> Answered<()> {
        if let Some(coming) = self.append.take_coming() {
            let blobs = Arc::clone(&self.office.store.blobs);
            self.append.keep(blocking(move || coming.finish(&blobs)).await?);
        }
        Ok(())
    }

    async fn commit(&mut self) -> Answered<Answer> {
        let (who, ready) = (self.who()?, self.append.take_ready());
        let blobs = Arc::clone(&self.office.store.blobs);
        let work = move |tx: &mut Tx<'_>| append::commit(tx, &who, &blobs, &ready);
        Ok(Answer::Appended(self.office.store.write(Lane::Client, work).await?))
    }

    async fn search(&self, ask: Search) -> Answered<Answer> {
        let run = Run { desk: self, who: self.who()?, ask: Arc::new(ask) };
        Ok(Answer::Found(run.search().await?))
    }
}

/// A search under way: batch by batch, so that it holds up nobody.
struct Run<'d> {
    desk: &'d Desk,
    who: Who,
    ask: Arc<Search>,
}

impl Run<'_> {
    async fn search(&self) -> Answered<Found> {
        let query = Arc::new(Query::new(self.ask.key.clone()));
        let office = Arc::clone(&self.desk.office);
        let narrow = self.read(&query, move |tx, who, ask, query| {
            search::candidates(tx, who, &office.views, ask.mailbox, query)
        });
        let (candidates, sure) = narrow.await?;
        if sure && !self.ask.modseq {
            return Ok(Found { uids: candidates, highest_modseq: 0 });
        }
        let mut progress = Progress::default();
        for batch in batches(candidates, search::ROWS) {
            let rows = self.read(&query, move |tx, who, ask, query| {
                search::by_rows(tx, who, ask.mailbox, &batch, query)
            });
            progress.add(rows.await?)?;
        }
        for batch in batches(std::mem::take(&mut progress.to_read), search::HEADERS) {
            let headers = self.read(&query, move |tx, who, ask, query| {
                search::by_headers(tx, who, ask.mailbox, &batch, query)
            });
            progress.add(headers.await?)?;
        }
        for batch in batches(std::mem::take(&mut progress.to_open), search::OPENED) {
            let blobs = Arc::clone(&self.desk.office.store.blobs);
            let content = self.read(&query, move |tx, who, ask, query| {
                search::by_content(tx, who, ask.mailbox, &batch, query, &blobs)
            });
            progress.add(content.await?)?;
        }
        Ok(Found { uids: progress.found, highest_modseq: progress.highest_modseq })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: &Arc<Query>,
        work: impl Fn(&mut Tx<'_>, &Who, &Search, &Query) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        let (who, ask, query) = (self.who.clone(), Arc::clone(&self.ask), Arc::clone(query));
        self.desk.office.store.read(move |tx| work(tx, &who, &ask, &query)).await
    }
}

fn batches(mut all: UidSet, size: usize) -> impl Iterator<Item = UidSet> {
    std::iter::from_fn(move || Some(all.take_first(size)).filter(|batch| !batch.is_empty()))
}

fn done(_: ()) -> Answer {
    Answer::Done
}

/// Runs what reads or writes files beside the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Answered<T> + Send + 'static,
) -> Answered<T> {
    let closed = |_| StoreError::Rows(RowsError::Closed);
    tokio::task::spawn_blocking(work).await.map_err(closed)?
}
