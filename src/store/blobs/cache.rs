//! Blobs just put are read again within a second (certify, delivery, the first fetch): the last
//! few stay in memory, first in, first out, and not for long.

use crate::wire::BlobId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Default)]
pub struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    blobs: HashMap<BlobId, Arc<Vec<u8>>>,
    /// With when they came.
    order: VecDeque<(BlobId, Instant)>,
    size: usize,
}

impl Cache {
    /// `now`: what came long before is forgotten.
    pub fn keep(&self, id: BlobId, bytes: Vec<u8>, now: Instant) {
        let mut kept = self.lock();
        if bytes.capacity() <= LARGEST {
            kept.size += bytes.capacity();
            kept.blobs.insert(id, Arc::new(bytes));
            kept.order.push_back((id, now));
        }
        while let Some((oldest, came)) = kept.order.front().copied() {
            if kept.size <= ROOM && now.saturating_duration_since(came) < AGE {
                break;
            }
            kept.order.pop_front();
            let gone = kept.blobs.remove(&oldest).map_or(0, |b| b.capacity());
            kept.size -= gone;
        }
    }

    pub fn get(&self, id: &BlobId) -> Option<Arc<Vec<u8>>> {
        self.lock().blobs.get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All of them together.
const ROOM: usize = 32 << 20;
/// What waits for its step longer is read from disk.
const AGE: Duration = Duration::from_secs(10);
/// A larger one would push all others out.
const LARGEST: usize = 6 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> BlobId {
        BlobId([n; 16])
    }

    #[tokio::test]
    async fn what_came_long_ago_goes_with_the_next_one() {
        let (cache, begun) = (Cache::default(), Instant::now());
        cache.keep(id(1), vec![1; 100], begun);
        cache.keep(id(2), vec![2; 100], begun + AGE / 2);
        assert!(cache.get(&id(1)).is_some() && cache.get(&id(2)).is_some());
        // Even with one that is too large to be kept.
        cache.keep(id(3), vec![3; LARGEST + 1], begun + AGE);
        assert!(cache.get(&id(1)).is_none() && cache.get(&id(3)).is_none());
        assert_eq!(cache.get(&id(2)).as_deref(), Some(&vec![2; 100]));
        cache.keep(id(4), vec![4; 10], begun + 2 * AGE);
        assert_eq!(cache.lock().size, 10);
    }

    #[tokio::test]
    async fn many_at_once_push_the_first_ones_out() {
        let (cache, now) = (Cache::default(), Instant::now());
        for n in 0..8 {
            cache.keep(id(n), vec![n; LARGEST], now);
        }
        assert!(cache.lock().size <= ROOM);
        assert!(cache.get(&id(0)).is_none() && cache.get(&id(7)).is_some());
    }
}
