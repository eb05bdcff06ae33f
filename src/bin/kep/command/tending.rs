//! What time alone causes in a server that runs: hand-overs that lapse, tasks that fall due.

use crate::wire_up::House;
use kep::registry::tasks::sweep;
use std::time::Duration;
use tokio::sync::watch;

/// Looks for it now and then. After a stop the first round catches up.
pub fn tasks(house: &House, mut stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let (store, clock) = (house.store.clone(), house.clock.clone());
    async move {
        loop {
            tokio::select! {
                round = sweep::round(&store, clock.now()) => match round {
                    Ok(round) if round == sweep::Round::default() => {}
                    Ok(round) => tracing::info!(?round, "tasks"),
                    Err(error) => tracing::warn!(%error, "what is to be done can't be looked for"),
                },
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// People act on tasks within hours.
const LOOK: Duration = Duration::from_mins(1);
