//! SORT and THREAD: keys are gathered batch by batch.

use crate::mailbox::answer::serve::{Desk, batches, blocking};
use crate::mailbox::answer::{Answered, arrange};
use crate::mailbox::ask::Answer;
use crate::store::Tx;
use crate::wire::MailboxId;
use crate::wire::imap::UidSet;
use crate::wire::imap::command::Threading;
use std::sync::Arc;

impl Desk {
    pub(in crate::mailbox::answer) async fn sort(
        &self,
        mailbox: MailboxId,
        uids: UidSet,
        by: arrange::SortBy,
    ) -> Answered<Answer> {
        let _turn = self.office.arranging.acquire().await;
        let by = Arc::new(by);
        let mut keyed = arrange::Keyed::default();
        for batch in batches(uids, arrange::BATCH) {
            let (who, by) = (self.who()?, Arc::clone(&by));
            let read = move |tx: &mut Tx<'_>| arrange::keys(tx, &who, mailbox, &batch, &by);
            keyed.add(self.read(read).await?)?;
        }
        Ok(Answer::Sorted(blocking(move || Ok(keyed.sorted(&by.by))).await?))
    }

    pub(in crate::mailbox::answer) async fn thread(
        &self,
        mailbox: MailboxId,
        uids: UidSet,
        by: Threading,
    ) -> Answered<Answer> {
        let _turn = self.office.arranging.acquire().await;
        let mut letters = arrange::Letters::default();
        for batch in batches(uids, arrange::BATCH) {
            let who = self.who()?;
            let read = move |tx: &mut Tx<'_>| arrange::letters(tx, &who, mailbox, &batch, by);
            letters.add(self.read(read).await?)?;
        }
        Ok(Answer::Threads(blocking(move || letters.threads(by)).await?))
    }
}
