//! A search under way: batch by batch, so that it holds up nobody.

use super::{Candidates, Progress, Query, Source};
use crate::mailbox::answer::serve::{Desk, batches};
use crate::mailbox::answer::{Answered, Who, search};
use crate::mailbox::ask::{Answer, Found, Search};
use crate::store::Tx;
use crate::wire::imap::UidSet;
use std::sync::Arc;

impl Desk {
    pub(in crate::mailbox::answer) async fn search(&self, ask: Search) -> Answered<Answer> {
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
        let threads = search::threads(&self.ask.key);
        let threads = self.desk.members(self.ask.mailbox, threads).await?;
        let query = Arc::new(Query::new(self.ask.key.clone(), threads));
        let office = Arc::clone(&self.desk.office);
        let narrow = self.read(&query, move |tx, who, ask, query| {
            search::candidates(tx, who, &office.views, ask.mailbox, query)
        });
        let Candidates { uids, sure, there } = narrow.await?;
        if sure && !self.ask.modseq {
            let exact = uids.clone();
            return Ok(Found { uids, highest_modseq: 0, there, exact, read: self.ask.read });
        }
        let mut progress = Progress { to_read: uids, read: self.ask.read, ..Progress::default() };
        let rows_tell = sure || query.told_by(Source::Rows);
        for batch in batches(taken(&mut progress.to_read, rows_tell), search::ROWS) {
            let rows = self.read(&query, move |tx, who, ask, query| {
                search::by_rows(tx, who, ask.mailbox, &batch, query)
            });
            progress.add(rows.await?)?;
        }
        progress.to_open = std::mem::take(&mut progress.to_read);
        let headers_tell = query.told_by(Source::Headers);
        for batch in batches(taken(&mut progress.to_open, headers_tell), search::HEADERS) {
            let headers = self.read(&query, move |tx, who, ask, query| {
                search::by_headers(tx, who, ask.mailbox, &batch, query)
            });
            progress.add(headers.await?)?;
        }
        while !progress.to_open.is_empty() {
            let batch = progress.to_open.take_first(search::OPENED);
            let blobs = Arc::clone(&self.desk.office.store.blobs);
            let content = self.read(&query, move |tx, who, ask, query| {
                search::by_content(tx, who, ask.mailbox, &batch, query, &blobs)
            });
            progress.add(content.await?)?;
        }
        let Progress { found: uids, exact, highest_modseq, read, .. } = progress;
        Ok(Found { uids, highest_modseq, there, exact, read })
    }

    async fn read<T: Send + 'static>(
        &self,
        query: &Arc<Query>,
        work: impl Fn(&mut Tx<'_>, &Who, &Search, &Query) -> Answered<T> + Send + 'static,
    ) -> Answered<T> {
        let (who, ask, query) = (self.who.clone(), Arc::clone(&self.ask), Arc::clone(query));
        self.desk.read(move |tx| work(tx, &who, &ask, &query)).await
    }
}

/// What is to be looked at in this way, if it tells anything.
fn taken(from: &mut UidSet, tells: bool) -> UidSet {
    if tells { std::mem::take(from) } else { UidSet::new() }
}
