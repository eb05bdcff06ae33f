//! Blobs just put are read again within a second (certify, delivery, the first fetch): the last
//! few stay in memory, first in, first out.

use crate::wire::BlobId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    blobs: HashMap<BlobId, Arc<Vec<u8>>>,
    order: VecDeque<BlobId>,
    size: usize,
}

impl Cache {
    pub fn keep(&self, id: BlobId, bytes: Vec<u8>) {
        if bytes.capacity() > LARGEST {
            return;
        }
        let mut kept = self.lock();
        kept.size += bytes.capacity();
        kept.blobs.insert(id, Arc::new(bytes));
        kept.order.push_back(id);
        while kept.size > ROOM {
            let Some(oldest) = kept.order.pop_front() else { break };
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
/// A larger one would push all others out.
const LARGEST: usize = 6 << 20;
