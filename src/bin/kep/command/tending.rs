//! What time alone causes in a server that runs: hand-overs that lapse, tasks that fall due; and who is
//! told that his mailboxes are nearly full.

use crate::wire_up::House;
use kep::registry::shares;
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

/// Tells who is nearly full.
pub fn storage(house: &House, mut stop: watch::Receiver<bool>) -> impl Future<Output = ()> + use<> {
    let (store, clock) = (house.store.clone(), house.clock.clone());
    let configured = house.settings.mailbox.max_storage.map(|size| size.0);
    async move {
        loop {
            tokio::select! {
                told = shares::warn(&store, configured, clock.now()) => match told {
                    Ok(0) => {}
                    Ok(accounts) => tracing::info!(accounts, "told that they are nearly full"),
                    Err(error) => tracing::warn!(%error, "storage shares can't be looked at"),
                },
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(SHARES) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// Mailboxes fill within days.
const SHARES: Duration = Duration::from_mins(10);
/// People act on tasks within hours.
const LOOK: Duration = Duration::from_mins(1);
