//! Sets of messages. A `SequenceSet` is what a client writes (`1:4,7,*`); a `UidSet` is what it
//! means: sorted ranges of UIDs, so that 100,000 messages in a row cost eight bytes.

use std::fmt;

/// A message's unique identifier in its mailbox (RFC 9051 §2.3.1.1); never 0.
pub type Uid = u32;
/// A mod-sequence (RFC 7162 §3.1): 63 bits, grows with every change of a mailbox.
pub type ModSeq = u64;

/// UIDs as sorted, disjoint, non-adjacent closed ranges.
#[derive(Clone, PartialEq, Eq, Debug, Default, Hash)]
pub struct UidSet {
    ranges: Vec<(Uid, Uid)>,
}

/// What a client wrote: ranges in its order, `None` for `*`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SequenceSet {
    ranges: Vec<(Option<u32>, Option<u32>)>,
}

impl UidSet {
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// All UIDs from `first` to `last`; empty when `first` is the greater.
    pub fn range(first: Uid, last: Uid) -> Self {
        let ranges = if first <= last { vec![(first, last)] } else { Vec::new() };
        Self { ranges }
    }

    pub fn one(uid: Uid) -> Self {
        Self::range(uid, uid)
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many UIDs are in it.
    pub fn len(&self) -> usize {
        self.ranges.iter().map(|(a, b)| (b - a) as usize + 1).sum()
    }

    pub fn first(&self) -> Option<Uid> {
        self.ranges.first().map(|r| r.0)
    }

    pub fn last(&self) -> Option<Uid> {
        self.ranges.last().map(|r| r.1)
    }

    pub fn contains(&self, uid: Uid) -> bool {
        let after = self.ranges.partition_point(|r| r.0 <= uid);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|r| uid <= r.1)
    }

    /// Closed ranges, ascending.
    pub fn ranges(&self) -> &[(Uid, Uid)] {
        &self.ranges
    }

    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.ranges.iter().flat_map(|&(a, b)| a..=b)
    }

    /// Adds one; cheap when it is greater than all others.
    pub fn insert(&mut self, uid: Uid) {
        self.insert_range(uid, uid);
    }

    /// Adds a closed range; cheap when it lies behind all others.
    pub fn insert_range(&mut self, first: Uid, last: Uid) {
        if first > last {
            return;
        }
        match self.ranges.last_mut() {
            Some(end) if first > end.1 && first - end.1 == 1 => end.1 = last,
            Some(end) if first <= end.1 => self.merge(first, last),
            _ => self.ranges.push((first, last)),
        }
    }

    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<_> = self.ranges.iter().chain(&other.ranges).copied().collect();
        all.sort_unstable();
        let mut set = Self::new();
        for (first, last) in all {
            set.join(first, last);
        }
        set
    }

    pub fn intersection(&self, other: &Self) -> Self {
        let (mut i, mut j, mut set) = (0, 0, Self::new());
        while let (Some(a), Some(b)) = (self.ranges.get(i), other.ranges.get(j)) {
            set.insert_range(a.0.max(b.0), a.1.min(b.1));
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        set
    }

    pub fn difference(&self, other: &Self) -> Self {
        let mut set = Self::new();
        let mut j = 0;
        for &(mut first, last) in &self.ranges {
            while other.ranges.get(j).is_some_and(|b| b.1 < first) {
                j += 1;
            }
            let mut k = j;
            let mut used_up = false;
            while let Some(&(a, b)) = other.ranges.get(k).filter(|b| b.0 <= last) {
                if a > first {
                    set.insert_range(first, a - 1);
                }
                if b >= last {
                    used_up = true;
                    break;
                }
                first = b + 1;
                k += 1;
            }
            if !used_up {
                set.insert_range(first, last);
            }
        }
        set
    }

    /// Takes the last `count` UIDs out.
    pub fn take_last(&mut self, count: usize) -> Self {
        let rest = self.len().saturating_sub(count);
        let first = self.take_first(rest);
        std::mem::replace(self, first)
    }

    /// Takes the first `count` UIDs out.
    pub fn take_first(&mut self, count: usize) -> Self {
        let (mut left, mut whole) = (count, 0);
        let mut taken = Self::new();
        for range in &mut self.ranges {
            let here = (range.1 - range.0) as usize + 1;
            if here > left {
                if left > 0 {
                    let cut = range.0 + left as u32;
                    taken.ranges.push((range.0, cut - 1));
                    range.0 = cut;
                }
                break;
            }
            taken.ranges.push(*range);
            left -= here;
            whole += 1;
        }
        self.ranges.drain(..whole);
        taken
    }

    fn merge(&mut self, first: Uid, last: Uid) {
        let from = self.ranges.partition_point(|r| r.1 < first.saturating_sub(1));
        let to = self.ranges.partition_point(|r| r.0 <= last.saturating_add(1));
        let hit = self.ranges.get(from..to).unwrap_or_default();
        let low = hit.first().map_or(first, |r| r.0.min(first));
        let high = hit.last().map_or(last, |r| r.1.max(last));
        self.ranges.splice(from..to, [(low, high)]);
    }

    /// `insert_range` for ranges that come in ascending order of their start.
    fn join(&mut self, first: Uid, last: Uid) {
        match self.ranges.last_mut() {
            Some(end) if first <= end.1.saturating_add(1) => end.1 = end.1.max(last),
            _ => self.ranges.push((first, last)),
        }
    }
}

impl FromIterator<Uid> for UidSet {
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut all: Vec<_> = uids.into_iter().collect();
        if !all.is_sorted() {
            all.sort_unstable();
        }
        let mut set = Self::new();
        for uid in all {
            set.join(uid, uid);
        }
        set
    }
}

/// As IMAP writes it: `1:4,7`. An empty set has no such form; the caller says nothing instead.
impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}:{last}")?,
            }
        }
        Ok(())
    }
}

impl SequenceSet {
    pub fn range(first: u32, last: u32) -> Self {
        Self { ranges: vec![(Some(first), Some(last))] }
    }

    /// RFC 9051 `sequence-set`, at most `SETS` ranges.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut ranges = Vec::new();
        for part in text.split(|b| *b == b',') {
            if ranges.len() == SETS {
                return None;
            }
            let mut ends = part.splitn(2, |b| *b == b':');
            let first = number_or_star(ends.next()?)?;
            let last = ends.next().map_or(Some(first), number_or_star)?;
            ranges.push((first, last));
        }
        Some(Self { ranges })
    }

    /// The numbers meant when the greatest one in use is `max`; `*` is `max`. Numbers above it
    /// stay in (a UID may be one that never was; the caller intersects with what there is).
    pub fn resolve(&self, max: u32) -> UidSet {
        let mut all: Vec<_> = self
            .ranges
            .iter()
            .map(|&(a, b)| (a.unwrap_or(max), b.unwrap_or(max)))
            .map(|(a, b)| (a.min(b), a.max(b)))
            .filter(|r| r.1 > 0)
            .collect();
        all.sort_unstable();
        let mut set = UidSet::new();
        for (first, last) in all {
            set.join(first.max(1), last);
        }
        set
    }

    pub fn ranges(&self) -> &[(Option<u32>, Option<u32>)] {
        &self.ranges
    }

    /// Whether `*` occurs: a set of known UIDs may not have it.
    pub fn has_star(&self) -> bool {
        self.ranges.iter().any(|r| r.0.is_none() || r.1.is_none())
    }
}

fn number_or_star(text: &[u8]) -> Option<Option<u32>> {
    if text == b"*" {
        return Some(None);
    }
    let digits = !text.is_empty() && text.len() <= 10 && text.iter().all(u8::is_ascii_digit);
    let number: u32 = std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()?;
    (number > 0).then_some(Some(number))
}

/// Ranges in one set: a line of 64 KiB can't hold many more.
const SETS: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(text: &str) -> UidSet {
        SequenceSet::parse(text.as_bytes()).unwrap().resolve(10)
    }

    #[test]
    fn what_a_client_writes_is_understood() {
        assert_eq!(set("1:4,7,*").to_string(), "1:4,7,10");
        assert_eq!(set("*:3").to_string(), "3:10");
        assert_eq!(set("5,4,4,3").to_string(), "3:5");
        assert_eq!(set("4294967295").to_string(), "4294967295");
        for bad in ["", "0", "1:", ":1", "1,,2", "a", "4294967296", "1:2:3", "+1", " 1"] {
            assert_eq!(SequenceSet::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_first_ones_are_taken_out() {
        let mut all = set("1:3,5,7:9");
        assert_eq!(all.take_first(5).to_string(), "1:3,5,7");
        assert_eq!(all.to_string(), "8:9");
        assert_eq!(all.take_first(5).to_string(), "8:9");
        assert!(all.is_empty());
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets(a in proptest::collection::vec(1u32..60, 0..40), b in proptest::collection::vec(1u32..60, 0..40)) {
            let (x, y): (BTreeSet<_>, BTreeSet<_>) = (a.iter().copied().collect(), b.iter().copied().collect());
            let mut one = UidSet::new();
            a.iter().for_each(|uid| one.insert(*uid));
            let two: UidSet = b.iter().copied().collect();
            prop_assert_eq!(one.iter().collect::<BTreeSet<_>>(), x.clone());
            prop_assert_eq!(one.len(), x.len());
            prop_assert_eq!(one.union(&two), x.union(&y).copied().collect());
            prop_assert_eq!(one.intersection(&two), x.intersection(&y).copied().collect());
            prop_assert_eq!(one.difference(&two), x.difference(&y).copied().collect());
            prop_assert!((0..60).all(|uid| one.contains(uid) == x.contains(&uid)));
            prop_assert!(one.ranges().windows(2).all(|w| w[0].1 + 1 < w[1].0));
        }
    }
}
