//! The stamps of an archive: each follows from the one before, and came while what stands behind that one
//! was good (RFC 4998 §5.1).

use super::super::{Noted, Statement, digest_of, root_of};
use super::{Fault, Verdict};
use crate::store::archive::{Batch, Piece, Stamp};
use crate::trust::{Lists, Path, Status, TokenVerifier};
use crate::wire::Timestamp;
use std::sync::Arc;

/// Stamps as far as they were looked at.
pub(super) struct Chain {
    /// What the audit has of one of them that was not looked at yet: whoever takes the newest away has to write
    /// the audit anew as well, whose seals stand elsewhere.
    noted: Option<Noted>,
    /// What the next one says of the last whose statement was one.
    previous: String,
    /// Up to which batch the last statement reaches.
    pub reach: i64,
    standing: Option<Standing>,
}

/// The last one whose token is good.
struct Standing {
    n: i64,
    given: Timestamp,
    path: Arc<Path>,
    kept: Vec<Piece>,
}

impl Chain {
    pub fn new(noted: Option<Noted>) -> Self {
        Self { noted, previous: String::new(), reach: 0, standing: None }
    }

    pub fn add(
        &mut self,
        (stamp, kept): (&Stamp, Vec<Piece>),
        batches: &[Batch],
        tokens: &TokenVerifier,
        verdict: &mut Verdict,
    ) {
        let (n, digest) = (stamp.n, digest_of(stamp).hex());
        let noted = self.noted.take_if(|noted| noted.number == n);
        if noted.is_some_and(|noted| noted.digest != digest) {
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
        let reach = batches.iter().take_while(|batch| batch.n <= statement.batches).count();
        if root_of(batches.get(..reach).unwrap_or_default()).hex() != statement.root {
            verdict.add(Fault::Root(n));
        }
        match tokens.verify(&stamp.token, stamp.statement.as_bytes()) {
            Ok(token) => {
                let (given, path) = (token.gen_time, token.path);
                self.renew(Standing { n, given, path, kept }, verdict);
            }
            Err(fault) => verdict.add(Fault::Token(n, fault.to_string())),
        }
        self.previous = digest;
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

    /// Nothing came after the last one.
    pub fn end(self, now: Timestamp, verdict: &mut Verdict) {
        if let Some(noted) = self.noted {
            verdict.add(Fault::NotOfAudit(noted.number));
        }
        let Some(last) = self.standing else { return };
        if last.ends() < now {
            verdict.add(Fault::Ended(last.n, last.ends()));
        }
        last.revoked(now, &[], verdict);
    }
}

impl Standing {
    /// When the first certificate behind it ends.
    fn ends(&self) -> Timestamp {
        let ends = self.path.certificates().iter().map(|one| one.not_after());
        ends.min().unwrap_or(self.given)
    }

    /// By what was kept with it and with the one that renewed it: a certificate that was taken back before it
    /// was given, or, since its key may be another's, before it was renewed.
    fn revoked(&self, renewed: Timestamp, later: &[Piece], verdict: &mut Verdict) {
        let mut lists = Lists::default();
        for piece in self.kept.iter().chain(later) {
            match piece {
                // What is no list says nothing.
                Piece::Crl(octets) => _ = lists.add_crl(octets.clone()),
                Piece::Ocsp(octets) => lists.add_answer(octets),
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
