//! What was found out lately: a small map with a bound and, where it matters, an end.

use crate::wire::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds at most `capacity` entries; when it is full, it starts anew (what is missing is found out
/// again, so forgetting costs time and never correctness).
pub(super) struct Cache<K, V> {
    entries: Mutex<HashMap<K, (V, Timestamp)>>,
    capacity: usize,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    /// What is known under `key` and holds at `now`.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let entries = self.lock();
        entries.get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
    }

    pub fn put(&self, key: K, value: V, until: Timestamp) {
        let mut entries = self.lock();
        if entries.len() >= self.capacity {
            entries.clear();
        }
        entries.insert(key, (value, until));
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, Timestamp)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For what never ends.
pub(super) const FOREVER: Timestamp = Timestamp::from_millis(i64::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_end_and_are_bounded() {
        let at = Timestamp::from_secs;
        let cache = Cache::new(2);
        cache.put(1, 'a', at(10));
        assert_eq!(cache.get(&1, at(9)), Some('a'));
        assert_eq!(cache.get(&1, at(10)), None);
        cache.put(2, 'b', FOREVER);
        cache.put(3, 'c', FOREVER);
        assert_eq!((cache.get(&2, at(0)), cache.get(&3, at(0))), (None, Some('c')));
    }
}
