//! In which order mail exchangers are tried (RFC 5321 §5.1). Pure.

use crate::trust::dns::Mx;

/// The hosts by preference; those of the same one in the order of the dice (`dice(n)` is below `n`), so
/// that each bears its part. None: no mail is taken (RFC 7505).
pub fn exchangers(mut records: Vec<Mx>, dice: impl Fn(u64) -> u64) -> Vec<String> {
    // One beside others says nothing (RFC 7505 §3).
    records.retain(|mx| !mx.host.is_empty());
    for last in (1..records.len()).rev() {
        let other = usize::try_from(dice(last as u64 + 1)).unwrap_or(last);
        records.swap(last, other.min(last));
    }
    records.sort_by_key(|mx| mx.preference);
    let mut hosts: Vec<String> = Vec::new();
    for mx in records {
        if !hosts.contains(&mx.host) {
            hosts.push(mx.host);
        }
        if hosts.len() == HOSTS {
            break;
        }
    }
    hosts
}

/// Who has tried so many has tried enough (RFC 5321 §5.1).
const HOSTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn mx(preference: u16, host: &str) -> Mx {
        Mx { preference, host: host.to_owned() }
    }

    #[test]
    fn the_preferred_come_first_and_equals_share() {
        let records = vec![mx(20, "c"), mx(10, "a"), mx(10, "b")];
        let (mut first, throw) = (Vec::new(), Cell::new(0_u64));
        for n in 0..6 {
            throw.set(n);
            let hosts = exchangers(records.clone(), |below| {
                let now = throw.get();
                throw.set(now / below);
                now % below
            });
            assert_eq!((hosts.len(), hosts[2].as_str()), (3, "c"));
            first.push(hosts[0].clone());
        }
        first.sort();
        first.dedup();
        assert_eq!(first, ["a", "b"]);
    }

    #[test]
    fn a_null_mx_is_nobody_and_beside_others_nothing() {
        assert!(exchangers(vec![mx(0, "")], |_| 0).is_empty());
        assert_eq!(exchangers(vec![mx(0, ""), mx(10, "a")], |_| 0), ["a"]);
    }

    #[test]
    fn a_host_that_is_named_twice_is_tried_once() {
        assert_eq!(exchangers(vec![mx(10, "a"), mx(20, "a"), mx(30, "b")], |_| 0), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn whatever_the_dice_say_preference_rules(
            records in prop::collection::vec((0_u16..4, "[a-e]?"), 0..20), throws: u64,
        ) {
            let records: Vec<_> = records.iter().map(|(p, host)| mx(*p, host)).collect();
            let hosts = exchangers(records.clone(), |below| throws % below);
            let best = |host: &String| {
                records.iter().filter(|mx| mx.host == *host).map(|mx| mx.preference).min()
            };
            prop_assert!(hosts.is_sorted_by_key(best));
            prop_assert!(hosts.iter().all(|host| !host.is_empty()));
        }
    }
}
