//! Where the steps work: threads of their own, which give way to those that answer clients. What a
//! client waits for is not held up by a queue of signatures, on a machine of few cores either.

use crate::failure::{Failure, Outcome};
use tokio::runtime::{Builder, Handle, Runtime};

pub struct Workshop {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Workshop {
    pub fn open() -> Outcome<Self> {
        let mut threads = Builder::new_multi_thread();
        threads.enable_all().thread_name("kep-steps").on_thread_start(give_way);
        let runtime = threads.build();
        let runtime = runtime.map_err(|error| Failure::software(format!("runtime: {error}")))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Workshop {
    /// Its tasks have ended, or had their time: nothing is waited for here.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Linux keeps a niceness for each thread (sched(7)).
fn give_way() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "the steps work at the priority of all");
    }
}

/// A third of the weight of those who answer clients, when both want the same core.
const NICENESS: i32 = 5;
