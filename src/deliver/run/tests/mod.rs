//! The relay against servers that speak what is written down, over sockets and TLS.

mod peer;
mod queues;
mod routes;
mod transcripts;
mod world;

use super::*;

/// Everything that is due now, and what falls due through it, until nobody is at work.
async fn pass(relay: &Arc<Relay>) {
    let (_tell, stop) = watch::channel(false);
    let mut crew = Crew::default();
    loop {
        let next = relay.turn(&mut crew, &stop).await.unwrap();
        if crew.at.is_empty() && next > relay.clock.now() {
            return;
        }
        crew.all_end().await;
    }
}
