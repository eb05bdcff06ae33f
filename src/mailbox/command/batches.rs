//! UIDBATCHES (RFC 10022): UID ranges with so many messages each, from the newest down.

use super::Step;
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::UidBatches;
use crate::wire::imap::{Uid, UidSet, encode};

pub(super) fn start(tag: &str, batches: UidBatches, core: &mut Core) -> Step {
    let Some(view) = core.view() else { return Step::Done };
    if batches.size < SIZE_MIN {
        return core.done(tag, Reply::no("500 messages at least").named("TOOSMALL"));
    }
    let (first, last) = batches.range.unwrap_or((1, u32::MAX));
    let skipped = first.min(last).saturating_sub(1) as usize;
    let count = (first.abs_diff(last) as usize).saturating_add(1);
    let all = cut(view.uids(), batches.size);
    let wanted: Vec<_> = all.into_iter().skip(skipped).take(count).collect();
    encode::uid_batches(&mut core.out, tag, &wanted);
    core.done(tag, Reply::ok("UIDBATCHES completed"))
}

/// Highest and lowest UID of each batch. No UID is between two, and the last goes down to 1.
fn cut(uids: &UidSet, size: u32) -> Vec<(Uid, Uid)> {
    let (mut batches, mut high, mut room) = (Vec::new(), uids.last(), size);
    for &(first, last) in uids.ranges().iter().rev() {
        let mut left = last - first + 1;
        while let Some(end) = high.filter(|_| left >= room) {
            let low = first + (left - room);
            batches.push((end, low));
            left -= room;
            room = size;
            high = low.checked_sub(1).filter(|high| *high > 0);
        }
        room -= left;
    }
    if room == size {
        // Below the last full batch there is nothing.
        if let Some(batch) = batches.last_mut() {
            batch.1 = 1;
        }
    } else if let Some(high) = high {
        batches.push((high, 1));
    }
    batches
}

/// RFC 10022 §3.2: a server takes batches of this size.
const SIZE_MIN: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mailbox_is_cut_from_the_newest_down() {
        let uids: UidSet = [1, 2, 5, 9, 10, 11, 20].into_iter().collect();
        assert_eq!(cut(&uids, 3), [(20, 10), (9, 2), (1, 1)]);
        assert_eq!(cut(&uids, 7), [(20, 1)]);
        assert_eq!(cut(&uids, 100), [(20, 1)]);
        assert_eq!(cut(&[4, 8].into_iter().collect(), 1), [(8, 8), (7, 1)]);
        assert_eq!(cut(&UidSet::new(), 3), []);
    }

    proptest! {
        #[test]
        fn each_batch_has_its_messages_and_none_is_left_out(
            uids in proptest::collection::btree_set(1_u32..200, 0..80),
            size in 1_u32..20,
        ) {
            let uids: UidSet = uids.into_iter().collect();
            let batches = cut(&uids, size);
            let held = |(high, low): &(Uid, Uid)| uids.intersection(&UidSet::range(*low, *high)).len();
            let counts: Vec<_> = batches.iter().map(held).collect();
            prop_assert_eq!(counts.iter().sum::<usize>(), uids.len());
            let (last, full) = counts.split_last().unwrap_or((&0, &[]));
            prop_assert!(full.iter().all(|count| *count == size as usize));
            prop_assert!(batches.is_empty() || (1..=size as usize).contains(last));
            prop_assert!(batches.windows(2).all(|two| two[0].1 - 1 == two[1].0));
            prop_assert_eq!(batches.first().map(|batch| batch.0), uids.last());
            prop_assert_eq!(batches.last().map(|batch| batch.1), uids.last().map(|_| 1));
        }
    }
}
