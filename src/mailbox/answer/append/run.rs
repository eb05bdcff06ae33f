//! A message comes in: octets as they come, then all of it into a blob, then into a mailbox.

use super::Append;
use crate::mailbox::answer::serve::{Desk, blocking};
use crate::mailbox::answer::{Answered, append, catenate, duties, folders, quota};
use crate::mailbox::ask::{Answer, AppendBegin, AppendUrl, Ask, Refusal};
use crate::store::Tx;
use crate::store::mail::Role;
use crate::wire::MailboxId;
use crate::wire::imap::Uid;
use std::sync::Arc;

impl Desk {
    pub(in crate::mailbox::answer) async fn append(&mut self, ask: Ask) -> Answered<Answer> {
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
                self.may_append(&begin).await?;
                let (who, office) = (self.who()?, &self.office);
                self.append.begin(&who, begin, office.limits.message, &office.room)?;
            }
            Ask::AppendChunk(chunk) => self.append.chunk(&chunk)?,
            Ask::AppendText { size } => self.append.more(size, self.office.limits.message)?,
            Ask::AppendUrl(url) => self.take_part(url).await?,
            Ask::AppendCommit => {
                self.finish_coming().await?;
                return self.commit(None).await;
            }
            Ask::Replace { mailbox, uid } => {
                self.finish_coming().await?;
                return self.commit(Some((mailbox, uid))).await;
            }
            _ => self.append = Append::default(),
        }
        Ok(Answer::Done)
    }

    async fn may_append(&self, begin: &AppendBegin) -> Answered<()> {
        let (who, to, office) = (self.who()?, begin.to.clone(), Arc::clone(&self.office));
        let (words, size) = (begin.flags.keywords.client_owned(), begin.size);
        let work = move |tx: &mut Tx<'_>| {
            let mailbox = append::may_begin(tx, &who, &to)?;
            if mailbox.role != Role::Opening {
                quota::has_room(tx, &who, size)?;
            }
            folders::may_have(tx, &office.views, &mailbox, &words)
        };
        self.read(work).await
    }

    /// Puts the message whose bytes are all here into a blob; its memory is free again.
    async fn finish_coming(&mut self) -> Answered<()> {
        if let Some(coming) = self.append.take_coming() {
            let blobs = Arc::clone(&self.office.store.blobs);
            self.append.keep(blocking(move || coming.finish(&blobs)).await?);
        }
        Ok(())
    }

    /// A part of another message, read as FETCH reads it: what is unopened is opened.
    async fn take_part(&mut self, url: AppendUrl) -> Answered<()> {
        // Nothing is opened for a message that is not to come.
        self.append.more(0, self.office.limits.message)?;
        let mut part = match self.find_part(url.clone()).await? {
            catenate::Found::Part(part) => part,
            catenate::Found::Sealed(ask) => {
                self.content(ask).await?;
                match self.find_part(url).await? {
                    catenate::Found::Part(part) => part,
                    catenate::Found::Sealed(_) => return Err(Refusal::Unavailable.into()),
                }
            }
        };
        self.append.more(part.streams(), self.office.limits.message)?;
        while let Some(ask) = part.next() {
            let Answer::Content(octets) = self.content(ask).await? else {
                return Err(Refusal::Unavailable.into());
            };
            if let Some(octets) = part.take(octets)? {
                self.append.chunk(&octets)?;
            }
        }
        let picked = part.picked();
        self.append.more(picked.len() as u64, self.office.limits.message)?;
        self.append.chunk(&picked)
    }

    async fn find_part(&self, url: AppendUrl) -> Answered<catenate::Found> {
        let who = self.who()?;
        self.read(move |tx| catenate::find(tx, &who, &url)).await
    }

    async fn commit(&mut self, replaces: Option<(MailboxId, Uid)>) -> Answered<Answer> {
        let (who, ready) = (self.who()?, self.append.take_ready());
        let (blobs, entry) = (Arc::clone(&self.office.store.blobs), self.entry.take());
        let work = move |tx: &mut Tx<'_>| {
            let appended = match replaces {
                Some(old) => append::replace(tx, &who, &blobs, &ready, old)?,
                None => append::commit(tx, &who, &blobs, &ready)?,
            };
            if let Some(entry) = &entry {
                duties::record(tx, &who, &entry.or_of(&appended.uids))?;
            }
            Ok(appended)
        };
        Ok(Answer::Appended(self.write(work).await?))
    }
}
