//! The stamps of an archive: each follows from the one before.

use super::super::{Statement, digest_of, root_of};
use super::{Fault, Verdict};
use crate::store::archive::{Batch, Stamp};
use crate::trust::TokenVerifier;

/// Stamps as far as they were looked at.
#[derive(Default)]
pub(super) struct Chain {
    /// What the next one says of the last whose statement was one.
    previous: String,
    /// Up to which batch the last statement reaches.
    pub reach: i64,
}

impl Chain {
    pub fn add(
        &mut self,
        stamp: &Stamp,
        batches: &[Batch],
        tokens: &TokenVerifier,
        verdict: &mut Verdict,
    ) {
        let n = stamp.n;
        let statement = Statement::parse(&stamp.statement);
        self.reach = statement.as_ref().map_or(self.reach, |statement| statement.batches);
        let follows = |one: &Statement| one.number == n && n == verdict.stamps as i64;
        let Some(statement) = statement.filter(follows) else {
            return verdict.add(Fault::Statement(n));
        };
        if statement.previous != self.previous {
            verdict.add(Fault::Previous(n));
        }
        let reach = batches.iter().take_while(|batch| batch.n <= statement.batches).count();
        if root_of(batches.get(..reach).unwrap_or_default()).hex() != statement.root {
            verdict.add(Fault::Root(n));
        }
        if let Err(fault) = tokens.verify(&stamp.token, stamp.statement.as_bytes()) {
            verdict.add(Fault::Token(n, fault.to_string()));
        }
        self.previous = digest_of(stamp).hex();
    }
}
