//! Where the steps work: threads of their own, which give way to those that answer clients. What a
//! client waits for is not held up by a queue of signatures, on a machine of few cores either.

use crate::failure::{Failure, Outcome};
use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Handle, Runtime};

pub struct Workshop {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Workshop {
    pub fn open() -> Outcome<Self> {
        let niceness = getpriority_process(None).unwrap_or(0) + NICENESS;
        let mut threads = Builder::new_multi_thread();
        threads.enable_all().thread_name("kep-steps").on_thread_start(move || give_way(niceness));
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

/// Linux keeps a niceness for each thread, which those that it starts begin with (sched(7)): it is set,
/// not added to.
fn give_way(niceness: i32) {
    if let Err(error) = setpriority_process(None, niceness) {
        tracing::debug!(%error, "the steps work at the priority of all");
    }
}

/// A third of the weight of those who answer clients, when both want the same core.
const NICENESS: i32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_a_nicer_thread_starts_is_as_nice() {
        let before = getpriority_process(None).unwrap();
        let workshop = Workshop::open().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        workshop.handle().spawn(async move {
            let own = getpriority_process(None).unwrap();
            let started = tokio::task::spawn_blocking(|| getpriority_process(None).unwrap()).await;
            tell.send((own, started.unwrap())).unwrap();
        });
        let nicer = (before + NICENESS).min(19);
        assert_eq!(told.recv().unwrap(), (nicer, nicer));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
