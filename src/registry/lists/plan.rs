//! From what a trusted list claims and what the registry has to what is to be put there: pure, so that
//! it can be shown before it is done.

use super::claims::{Claim, Claims, Why};
use super::follow::{Aspect, ByHand};
use super::{Known, Line, Plan, What};
use crate::registry::peers::{self, PeerState};
use crate::store::listed_providers::ListedRow;
use crate::store::providers::SealRow;
use crate::wire::lists::TrustedList;
use crate::wire::{Digest, KepDomain, Timestamp, sha256};

/// Which list says it, and whether anything new is believed by it.
pub(super) struct Source<'a> {
    pub name: &'a str,
    pub issued: Timestamp,
    pub fresh: bool,
    pub now: Timestamp,
}

/// What may be changed and what is set by hand.
pub(super) struct Weigh {
    by_hand: ByHand,
    pub changes: Vec<String>,
    pub conflicts: Vec<String>,
}

impl Weigh {
    pub fn new(known: &Known) -> Self {
        let by_hand = ByHand::of(known.listed.as_ref());
        Self { by_hand, changes: Vec::new(), conflicts: Vec::new() }
    }

    pub fn is_by_hand(&self, aspect: Aspect) -> bool {
        self.by_hand.has(aspect)
    }

    /// Whether the part takes what the list says.
    pub fn takes(&mut self, aspect: Aspect, differs: bool, said: impl FnOnce() -> String) -> bool {
        let by_hand = self.by_hand.has(aspect);
        if differs && by_hand {
            self.conflicts.push(said());
        } else if differs {
            self.changes.push(said());
        }
        differs && !by_hand
    }
}

impl Plan {
    pub fn of_list(
        list: &TrustedList,
        known: &[Known],
        ours: &KepDomain,
        source: &Source<'_>,
    ) -> Self {
        let mut plan = Self::default();
        let claims = Claims::of(list, ours);
        for claim in claims.of.values() {
            match known.iter().find(|known| known.row.domain == claim.domain.as_str()) {
                None => plan.add(claim, source),
                Some(known) => plan.compare(claim, known, source),
            }
        }
        for known in known.iter().filter(|known| follows(known, source.name)) {
            let named = claims.of.keys().any(|domain| domain.as_str() == known.row.domain);
            if !named && !claims.may_name(known) {
                plan.leave_out(known, source);
            }
        }
        plan.lines.extend(claims.ignored);
        plan
    }

    fn add(&mut self, claim: &Claim, source: &Source<'_>) {
        let (domain, name) = (Some(&claim.domain), &claim.name);
        if !source.fresh {
            let details = vec![Why::Expired.to_string()];
            return self.lines.push(Line::new(What::Ignored, domain, name, details));
        }
        let mut row = peers::fresh(&claim.domain, source.now);
        row.name.clone_from(name);
        row.host = claim.host.to_string();
        claim.state.word().clone_into(&mut row.state);
        row.since = claim.since;
        row.seals.clone_from(&claim.seals);
        let mut details = vec![state(claim), format!("host {}", claim.host)];
        details.extend(claim.seals.iter().map(seal));
        details.extend(claim.csi.iter().map(|url| format!("its CSI is at {url}")));
        self.lines.push(Line::new(What::Added, domain, name, details));
        let (domain, list) = (claim.domain.to_string(), source.name.to_owned());
        let seals = row.seals.iter().map(digest).collect();
        let listed = Some(ListedRow { domain, list, by_hand: String::new() });
        self.entries.push(Known { row, listed, seals });
    }

    fn compare(&mut self, claim: &Claim, known: &Known, source: &Source<'_>) {
        let (domain, name) = (Some(&claim.domain), &claim.name);
        if let Some(listed) = known.listed.as_ref().filter(|row| !is_free(row, source.name)) {
            let details = vec![Why::OtherList(listed.list.clone()).to_string()];
            return self.lines.push(Line::new(What::Ignored, domain, name, details));
        }
        let (mut next, mut weigh) = (known.clone(), Weigh::new(known));
        let row = &mut next.row;
        // What an operator calls a provider contradicts nobody.
        let called = row.name != *name && !weigh.is_by_hand(Aspect::Name);
        if weigh.takes(Aspect::Name, called, || format!("name {name}")) {
            row.name.clone_from(name);
        }
        let host = claim.host.to_string();
        let moved = row.host != host && source.fresh;
        if weigh.takes(Aspect::Host, moved, || format!("host {host}")) {
            row.host = host;
            row.route.clear();
        }
        let seals = Seals::of(known, claim, source, weigh.is_by_hand(Aspect::Seals));
        weigh.changes.extend(seals.changes);
        weigh.conflicts.extend(seals.conflicts);
        row.seals = seals.rows;
        next.seals = seals.laid;
        let what = turned(claim, &mut next, &mut weigh, source);
        if let Some(listed) = &mut next.listed {
            source.name.clone_into(&mut listed.list);
        }
        self.settle(what, &claim.domain, name, known, next, weigh);
    }

    /// A provider that an earlier issue named, and this one doesn't.
    fn leave_out(&mut self, known: &Known, source: &Source<'_>) {
        let Ok(domain) = KepDomain::parse(&known.row.domain) else { return };
        let (mut next, mut weigh) = (known.clone(), Weigh::new(known));
        for seal in next.row.seals.iter_mut().filter(|seal| known.seals.contains(&digest(seal))) {
            if end(seal, source.issued) {
                weigh.changes.push(self::seal(seal));
            }
        }
        let said = || "the list does not name it any more".to_owned();
        let active = known.row.state == PeerState::Active.word();
        let mut what = What::Changed;
        if weigh.takes(Aspect::State, active, said) {
            what = What::Suspended;
            let since = source.issued;
            PeerState::set(PeerState::Suspended { since }.word(), &mut next.row, since);
        }
        self.settle(what, &domain, &known.row.name.clone(), known, next, weigh);
    }

    pub(super) fn settle(
        &mut self,
        what: What,
        domain: &KepDomain,
        name: &str,
        before: &Known,
        after: Known,
        weigh: Weigh,
    ) {
        let what = if weigh.changes.is_empty() { What::Unchanged } else { what };
        let details = match (what, &after.listed) {
            (What::Unchanged, None) => vec!["set by hand".to_owned()],
            _ => weigh.changes,
        };
        self.lines.push(Line::new(what, Some(domain), name, details));
        if !weigh.conflicts.is_empty() {
            self.lines.push(Line::new(What::Conflict, Some(domain), name, weigh.conflicts));
        }
        if after != *before {
            self.entries.push(after);
        }
    }
}

/// The state that the list has, where it is not as the registry has it.
fn turned(claim: &Claim, next: &mut Known, weigh: &mut Weigh, source: &Source<'_>) -> What {
    let word = claim.state.word();
    let other = next.row.state != word;
    let active = claim.state == PeerState::Active;
    // Since when somebody is active says nothing; since when he is not is told to senders.
    let later = !active && next.row.since != claim.since && !weigh.is_by_hand(Aspect::State);
    let differs = (other || later) && (source.fresh || !active);
    if !weigh.takes(Aspect::State, differs, || state(claim)) {
        return What::Changed;
    }
    word.clone_into(&mut next.row.state);
    next.row.since = claim.since;
    match claim.state {
        _ if !other => What::Changed,
        PeerState::Active => What::Resumed,
        PeerState::Suspended { .. } => What::Suspended,
        PeerState::Closed { .. } => What::Closed,
    }
}

/// The seals of an entry as they are to be. None that was there goes: it may end.
struct Seals {
    rows: Vec<SealRow>,
    laid: Vec<Digest>,
    changes: Vec<String>,
    conflicts: Vec<String>,
}

impl Seals {
    fn of(known: &Known, claim: &Claim, source: &Source<'_>, by_hand: bool) -> Self {
        let laid = |row: &&SealRow| known.seals.contains(&digest(row));
        let own: Vec<&SealRow> = known.row.seals.iter().filter(|row| !laid(row)).collect();
        let is_own = |row: &&SealRow| own.iter().any(|own| own.certificate == row.certificate);
        let wanted: Vec<&SealRow> = claim.seals.iter().filter(|row| !is_own(row)).collect();
        let mut rows: Vec<SealRow> = own.iter().map(|row| (*row).clone()).collect();
        let (mut changes, mut conflicts) = (Vec::new(), Vec::new());
        for row in &own {
            let end = |all: &mut dyn Iterator<Item = &SealRow>| {
                let same = all.filter(|one| one.certificate == row.certificate);
                same.map(|one| one.until.unwrap_or(FOREVER)).max()
            };
            let said = end(&mut claim.seals.iter());
            if said.is_some() && said != end(&mut own.iter().copied()) {
                let last = claim.seals.iter().rfind(|one| one.certificate == row.certificate);
                conflicts.extend(last.map(|one| format!("{}, set by hand otherwise", seal(one))));
            }
        }
        let former: Vec<&SealRow> = known.row.seals.iter().filter(laid).collect();
        for row in &former {
            let said = wanted.iter().filter(|one| one.certificate == row.certificate);
            let until = said.map(|one| one.until.unwrap_or(FOREVER)).max();
            // A fresh list says itself what holds; an expired one can only take away.
            let goes_on = source.fresh && !by_hand && until.is_some();
            let mut kept = (*row).clone();
            if !goes_on {
                if end(&mut kept, until.unwrap_or(source.issued)) {
                    changes.push(seal(&kept));
                }
                rows.push(kept);
            } else if let Some(since) = claim.speaks_since(row) {
                // Of the time before its history it says nothing: what was said of it stays.
                end(&mut kept, since);
                rows.push(kept);
            }
        }
        if source.fresh && by_hand {
            conflicts.extend(wanted.iter().map(|row| seal(row)));
        } else if source.fresh {
            let new = wanted.iter().filter(|row| !former.contains(row));
            changes.extend(new.map(|row| seal(row)));
            rows.extend(wanted.iter().map(|row| (*row).clone()));
        }
        let mut laid: Vec<Digest> = rows.iter().skip(own.len()).map(digest).collect();
        laid.sort();
        laid.dedup();
        Self { rows, laid, changes, conflicts }
    }
}

/// Says whether it ended later before.
fn end(seal: &mut SealRow, at: Timestamp) -> bool {
    let later = seal.until.is_none_or(|until| until > at) && at < FOREVER;
    if later {
        seal.until = Some(at);
    }
    later
}

fn follows(known: &Known, list: &str) -> bool {
    known.listed.as_ref().is_some_and(|row| row.list == list)
}

fn is_free(row: &ListedRow, list: &str) -> bool {
    row.list.is_empty() || row.list == list
}

fn digest(row: &SealRow) -> Digest {
    sha256(&row.certificate)
}

fn state(claim: &Claim) -> String {
    format!("{} since {} ({})", claim.state.word(), claim.since.iso8601_secs(), claim.word)
}

fn seal(row: &SealRow) -> String {
    let from = row.from.map(Timestamp::iso8601_secs).unwrap_or_default();
    let until = row.until.map(|until| format!(" until {}", until.iso8601_secs()));
    format!("seal {} from {from}{}", digest(row).hex(), until.unwrap_or_default())
}

const FOREVER: Timestamp = Timestamp::from_millis(i64::MAX);
