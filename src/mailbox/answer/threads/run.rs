//! Some messages at a time, so that it holds up nobody.

use super::{decide, members, undecided};
use crate::mailbox::answer::Answered;
use crate::mailbox::answer::serve::Desk;
use crate::store::{Lane, Tx};
use crate::wire::imap::UidSet;
use crate::wire::{MailboxId, ThreadId};
use std::collections::{BTreeMap, BTreeSet};

impl Desk {
    /// Each is looked at once.
    pub(in crate::mailbox::answer) async fn decide_threads(
        &self,
        id: MailboxId,
        uids: &UidSet,
    ) -> Answered<()> {
        let mut left = uids.clone();
        loop {
            let (who, looked_at) = (self.who()?, left.clone());
            let look = move |tx: &mut Tx<'_>| undecided(tx, &who, id, &looked_at);
            let found = self.read(look).await?;
            let Some(last) = found.last() else { return Ok(()) };
            let who = self.who()?;
            let work = move |tx: &mut Tx<'_>| decide(tx, &who, id, &found);
            self.office.store.write(Lane::Background, work).await?;
            left = left.intersection(&UidSet::range(last.saturating_add(1), u32::MAX));
        }
    }

    pub(in crate::mailbox::answer) async fn members(
        &self,
        id: MailboxId,
        of: BTreeSet<ThreadId>,
    ) -> Answered<BTreeMap<ThreadId, UidSet>> {
        if of.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.decide_threads(id, &UidSet::range(1, u32::MAX)).await?;
        let who = self.who()?;
        self.read(move |tx| members(tx, &who, id, &of)).await
    }
}
