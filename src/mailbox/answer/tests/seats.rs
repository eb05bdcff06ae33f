//! How many may be at work for all connections together.

use crate::mailbox::answer::serve::{AT_FILES, blocking};
use std::sync::{Arc, Condvar, Mutex};
use tokio::task::JoinSet;

/// Each thread that reads holds memory of its own, however many ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_no_more_look_at_files_at_a_time_than_there_are_seats() {
    // How many began, how many are at it, how many were at it at most.
    let seen = Arc::new((Mutex::new((0, 0, 0)), Condvar::new()));
    let mut looking = JoinSet::new();
    for _ in 0..4 * AT_FILES {
        let seen = Arc::clone(&seen);
        looking.spawn(blocking(move || {
            let (counts, all) = &*seen;
            let mut counts = counts.lock().unwrap();
            (counts.0, counts.1) = (counts.0 + 1, counts.1 + 1);
            counts.2 = counts.2.max(counts.1);
            all.notify_all();
            let mut counts = all.wait_while(counts, |counts| counts.0 < AT_FILES).unwrap();
            counts.1 -= 1;
            Ok(())
        }));
    }
    while let Some(looked) = looking.join_next().await {
        looked.unwrap().unwrap();
    }
    assert_eq!(seen.0.lock().unwrap().2, AT_FILES);
}
