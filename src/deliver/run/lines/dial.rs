//! A mail goes over a connection.

use super::super::super::dial::{self, Reached};
use super::{Carrier, Heard, Lines, Load, Open, Relay, Unsent, is_stale, no_way};
use crate::store::relay::Trouble;
use tokio::time::Instant;

impl Carrier for Lines<'_> {
    async fn send(&mut self, load: &Load) -> Heard {
        self.relay.send(load, &mut self.open).await
    }
}

impl Relay {
    /// Over the connection that is open, or a new one; one that was open may have ended meanwhile.
    pub(in crate::deliver::run) async fn send(
        &self,
        load: &Load,
        open: &mut Option<Open>,
    ) -> Heard {
        let begun = Instant::now();
        if let Some(other) = open.take_if(|open| !open.serves(load)) {
            other.close().await;
        }
        if let Some(Open { line, dialogue, carried, .. }) = open
            && dialogue.another(load.mail.clone())
        {
            *carried += 1;
            let report = line.converse(dialogue, &load.octets, &self.patience).await;
            if !is_stale(&report) {
                return Ok((report, dialogue.begun()));
            }
        }
        *open = None;
        let patience = self.patience.left(begun);
        let found = self.routes.find(&load.way, self.clock.now()).await;
        let found = found.map_err(|why| no_way(&load.way, &why))?;
        for (host, why) in &found.passed_over {
            tracing::warn!(provider = %load.way.domain, host, %why, "the host is passed over");
        }
        let own = self.who.tls.as_ref().map(|(certificate, key)| (&**certificate, &**key));
        let (mail, octets) = (&load.mail, &load.octets);
        let reached = dial::reach(&found.servers, own, mail, octets, &patience).await;
        let Reached { line, dialogue, report } = reached.map_err(|(trouble, heard)| {
            let asked = found.servers.iter().any(|server| server.addresses.is_some());
            if trouble == Trouble::NotIdentified && asked {
                self.routes.forget();
            }
            Unsent::Server(trouble, heard)
        })?;
        let said = dialogue.begun();
        *open =
            Some(Open { way: load.way.clone(), line, dialogue, carried: 1, since: Instant::now() });
        Ok((report, said))
    }
}

impl Open {
    pub(in crate::deliver::run) async fn close(mut self) {
        self.line.close(&mut self.dialogue).await;
    }
}
