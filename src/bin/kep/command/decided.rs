//! What policies change in a server that runs: how large a message may be, how long the trash is kept.

use crate::wire_up::{self, House};
use kep::accept::ask::Config;
use kep::registry::policy::{InForce, Policies, Span};
use kep::store::mail::trash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the sessions of either role go by.
pub struct Sessions {
    pub submission: watch::Receiver<Arc<Config>>,
    pub relay: watch::Receiver<Arc<Config>>,
}

/// The sessions that begin from now on go by the policies in force, which are looked at each second.
pub async fn sessions(
    house: &House,
    tasks: &mut JoinSet<()>,
    mut stop: watch::Receiver<bool>,
) -> Sessions {
    let in_force = InForce::new(house.store.clone());
    let settings = house.settings.clone();
    let clock = house.clock.clone();
    let both = move |policies: &Policies| {
        let octets = policies.size_message.map(|size| size.0);
        (wire_up::submission_config(&settings, octets), wire_up::relay_config(&settings, octets))
    };
    let first = in_force.at(clock.now()).await.unwrap_or_default();
    let (one, other) = both(&first);
    let (tell_one, submission) = watch::channel(Arc::new(one));
    let (tell_other, relay) = watch::channel(Arc::new(other));
    tasks.spawn(async move {
        let mut before = first;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
            match in_force.at(clock.now()).await {
                Ok(now) if now != before => {
                    let (one, other) = both(&now);
                    tell_one.send_replace(Arc::new(one));
                    tell_other.send_replace(Arc::new(other));
                    before = now;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "policies"),
            }
        }
    });
    Sessions { submission, relay }
}

/// Removes what has been in the trash for as long as is decided, or as the configuration says.
pub fn emptying(
    house: &House,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + use<> {
    let (store, clock) = (house.store.clone(), house.clock.clone());
    let configured = Span::days(i64::from(house.settings.mailbox.trash_days));
    let in_force = InForce::new(store.clone());
    async move {
        loop {
            let now = clock.now();
            let empty = async {
                let kept = in_force.at(now).await?.retention_trash.unwrap_or(configured);
                // None is forever.
                let Some(before) = (kept.0 > 0).then(|| now.plus_millis(-kept.0)) else {
                    return Ok(0);
                };
                trash::empty(&store, before).await
            };
            tokio::select! {
                emptied = empty => match emptied {
                    Ok(0) => {}
                    Ok(messages) => tracing::info!(messages, "removed from the trash"),
                    Err(error) => tracing::warn!(%error, "the trash can't be emptied"),
                },
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(EMPTYING) => {}
                _ = stop.changed() => return,
            }
        }
    }
}

/// What is in the trash for a month may be there for an hour more.
const EMPTYING: Duration = Duration::from_hours(1);
const LOOK: Duration = Duration::from_secs(1);
