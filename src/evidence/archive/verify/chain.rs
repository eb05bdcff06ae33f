//! The stamps of an archive: each follows from the one before, came while what stands behind that one was good
//! (RFC 4998 §5.3), and is what the audit has of it.

use super::super::{Noted, Statement, root_of};
use super::{Fault, Verdict};
use crate::store::archive::{Batch, Stamp};
use crate::trust::{Lists, Path, Status, TokenVerifier};
use crate::wire::digest::{sha256, sha256_of};
use crate::wire::{Digest, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stamps as far as they were looked at.
pub(super) struct Chain<'a> {
    batches: &'a [Batch],
    tokens: &'a TokenVerifier,
    /// Of those that were not looked at yet, by their numbers.
    noted: BTreeMap<i64, Vec<Noted>>,
    /// What the next one says of the last whose statement was one.
    previous: String,
    /// Up to which batch the last statement reaches.
    reach: i64,
    standing: Option<Standing>,
}

/// The last one whose token is good.
struct Standing {
    n: i64,
    given: Timestamp,
    path: Arc<Path>,
    /// Certificates, lists and answers.
    kept: Vec<Vec<u8>>,
}

impl<'a> Chain<'a> {
    pub fn new(
        batches: &'a [Batch],
        tokens: &'a TokenVerifier,
        noted: Vec<Result<Noted, i64>>,
        verdict: &mut Verdict,
    ) -> Self {
        let mut by_number = BTreeMap::<i64, Vec<Noted>>::new();
        for one in noted {
            match one {
                Ok(one) => by_number.entry(one.number).or_default().push(one),
                Err(entry) => verdict.add(Fault::Note(entry)),
            }
        }
        let (previous, reach, standing) = (String::new(), 0, None);
        Self { batches, tokens, noted: by_number, previous, reach, standing }
    }

    pub fn add(&mut self, stamp: &Stamp, kept: Vec<Vec<u8>>, verdict: &mut Verdict) {
        let n = stamp.n;
        let own = Noted::new(stamp, set_of(&kept));
        // Of one that was made before they were noted there is none.
        if self.noted.remove(&n).is_some_and(|noted| noted.iter().any(|one| *one != own)) {
            verdict.add(Fault::NotOfAudit(n));
        }
        let statement = Statement::parse(&stamp.statement);
        self.reach = statement.as_ref().map_or(self.reach, |statement| statement.batches);
        let follows = |one: &Statement| one.number == n && n == verdict.stamps as i64;
        let Some(statement) = statement.filter(follows) else {
            return verdict.add(Fault::Statement(n));
        };
        if statement.previous != self.previous {
            verdict.add(Fault::Previous(n));
        }
        let reach = self.batches.iter().take_while(|batch| batch.n <= statement.batches).count();
        if root_of(self.batches.get(..reach).unwrap_or_default()).hex() != statement.root {
            verdict.add(Fault::Root(n));
        }
        match self.tokens.verify(&stamp.token, stamp.statement.as_bytes()) {
            Ok(token) => {
                let (given, path) = (token.gen_time, token.path);
                self.renew(Standing { n, given, path, kept }, verdict);
            }
            Err(fault) => verdict.add(Fault::Token(n, fault.to_string())),
        }
        self.previous = own.digest;
    }

    fn renew(&mut self, new: Standing, verdict: &mut Verdict) {
        if let Some(before) = &self.standing {
            if before.ends() < new.given {
                verdict.add(Fault::Late(new.n, before.ends()));
            }
            before.revoked(new.given, &new.kept, verdict);
        }
        self.standing = Some(new);
    }

    /// Nothing came after the last one. Leaves in batches that the stamps reach are stamped.
    pub fn end(self, now: Timestamp, verdict: &mut Verdict) {
        self.noted.into_keys().for_each(|n| verdict.add(Fault::NotOfAudit(n)));
        let reached = self.batches.iter().filter(|batch| batch.n <= self.reach);
        verdict.stamped = reached.map(|batch| u64::try_from(batch.leaves).unwrap_or(0)).sum();
        let Some(last) = self.standing else { return };
        (verdict.stamped_at, verdict.ends_at) = (Some(last.given), Some(last.ends()));
        if last.ends() < now {
            verdict.add(Fault::Ended(last.n, last.ends()));
        }
        last.revoked(now, &[], verdict);
    }
}

impl Standing {
    fn ends(&self) -> Timestamp {
        self.path.ends().unwrap_or(self.given)
    }

    /// By what was kept with it and with the one that renewed it: a certificate that was taken back before it
    /// was given, or, since its key may be another's, before it was renewed.
    fn revoked(&self, renewed: Timestamp, later: &[Vec<u8>], verdict: &mut Verdict) {
        let mut lists = Lists::default();
        for piece in self.kept.iter().chain(later) {
            // A list, an answer or neither, whatever the rows call it.
            if lists.add_crl(piece.clone()).is_err() {
                lists.add_answer(piece);
            }
        }
        for past in lists.about(&self.path, self.given) {
            let Status::Revoked { at, retired } = past.status else { continue };
            if at <= if retired { self.given } else { renewed } {
                verdict.add(Fault::Revoked(self.n, past.subject, at));
            }
        }
    }
}

/// As the rows name a set of material.
fn set_of(kept: &[Vec<u8>]) -> Digest {
    let mut digests: Vec<_> = kept.iter().map(|piece| sha256(piece)).collect();
    digests.sort_unstable();
    digests.dedup();
    sha256_of(digests.iter().map(|digest| &digest.0[..]))
}
