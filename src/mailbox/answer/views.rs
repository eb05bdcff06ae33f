//! Glances of mailboxes, kept so that SELECT and STATUS cost what changed since the last one, not
//! what the mailbox holds.

use crate::store::mail::view::{self, Glance, Mailbox};
use crate::store::{RowsError, Tx};
use crate::wire::MailboxId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
pub struct Views(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    glances: HashMap<MailboxId, Arc<Glance>>,
    weight: usize,
}

impl Views {
    /// What a mailbox holds. Only in a read: what a write sees may be rolled back.
    pub fn glance(&self, tx: &mut Tx<'_>, of: &Mailbox) -> Result<Arc<Glance>, RowsError> {
        if let Some(known) = self.known_now(of) {
            return Ok(known);
        }
        let known = self.known(of.id);
        let glance = Arc::new(view::glance(tx, of, known.as_deref())?);
        self.keep(of.id, &glance);
        Ok(glance)
    }

    /// The same, when nothing changed since somebody looked.
    pub fn known_now(&self, of: &Mailbox) -> Option<Arc<Glance>> {
        self.known(of.id).filter(|known| known.mod_seq == of.mod_seq)
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).glances.len()
    }

    fn known(&self, id: MailboxId) -> Option<Arc<Glance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).glances.get(&id).cloned()
    }

    fn keep(&self, id: MailboxId, new: &Arc<Glance>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.glances.get(&id).is_some_and(|old| old.mod_seq >= new.mod_seq) {
            return;
        }
        if kept.weight + new.weight() > WEIGHT_MAX {
            // All are quickly made again; keeping count of their use would cost more.
            *kept = Kept::default();
        }
        kept.weight += new.weight();
        if let Some(old) = kept.glances.insert(id, Arc::clone(new)) {
            kept.weight -= old.weight();
        }
    }
}

/// Octets: some ten thousand mailboxes of people who read and delete now and then.
const WEIGHT_MAX: usize = 32 << 20;
