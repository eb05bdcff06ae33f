//! The desk's telling of what is recent.

use crate::mailbox::answer::serve::Desk;
use crate::mailbox::answer::{Answered, Failure};
use crate::mailbox::ask::{Answer, Ask, Changes, Selected};
use crate::store::mail::recent;
use crate::wire::MailboxId;
use crate::wire::imap::{Uid, UidSet};

impl Desk {
    /// Answers `Select` and `News`: what is recent then is so to this session alone. Without anything
    /// recent nothing is written.
    pub(in crate::mailbox::answer) async fn tell_first(&self, ask: Ask) -> Answered<Answer> {
        let asked = match &ask {
            Ask::News { mailbox, .. } => Some(*mailbox),
            _ => None,
        };
        Ok(match (self.look_up(ask).await?, asked) {
            (Answer::Selected(selected), _) if !selected.read_only => {
                let recent =
                    self.claim(selected.mailbox, selected.uid_next, selected.recent).await?;
                Answer::Selected(Selected { recent, ..selected })
            }
            (Answer::Changes(changes), Some(mailbox)) => {
                let recent = self.claim(mailbox, changes.uid_next, changes.recent).await?;
                Answer::Changes(Changes { recent, ..changes })
            }
            (other, _) => other,
        })
    }

    async fn claim(&self, mailbox: MailboxId, next: Uid, seen: UidSet) -> Answered<UidSet> {
        if seen.is_empty() {
            return Ok(seen);
        }
        match self.write(move |tx| Ok::<_, Failure>(recent::claim(tx, mailbox, next)?)).await {
            Ok(from) => Ok(seen.intersection(&UidSet::range(from, Uid::MAX))),
            // Who can't be sure has them recent, and a full disk keeps nobody from reading.
            Err(Failure::Store(error)) => {
                tracing::warn!(%error, "that messages were told of is not kept");
                Ok(seen)
            }
            Err(other) => Err(other),
        }
    }
}
