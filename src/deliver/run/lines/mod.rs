//! Connections to other providers' servers: which serves another mail, and what it means when there is no
//! way to one.

mod dial;

use super::super::dial::{Line, OWN};
use super::super::dialogue::{Dialogue, Failure, Mail, Outcome, Report};
use super::Relay;
use crate::registry::route::{NoWay, Way};
use crate::store::relay::Trouble;
use std::time::Duration;
use tokio::time::Instant;

/// A mail with all that it takes to send it.
pub struct Load {
    pub mail: Mail,
    pub octets: Vec<u8>,
    pub way: Way,
}

/// What a server said of a mail, and whether that was under way at the end; or why nothing was said.
pub type Heard = Result<(Report, bool), Unsent>;

/// Brings a mail to its server.
pub trait Carrier: Send {
    fn send(&mut self, load: &Load) -> impl Future<Output = Heard> + Send;
}

/// Why a mail could not be sent.
#[derive(Debug)]
pub enum Unsent {
    Server(Trouble, String),
    /// Its provider's domain takes none: for good.
    Never(String),
}

/// A connection that may serve another mail, while the registry says the same of its server.
pub(in crate::deliver::run) struct Open {
    way: Way,
    line: Line,
    dialogue: Dialogue,
    /// Mails it has carried.
    carried: usize,
    /// What the name service said of it may have ended meanwhile.
    since: Instant,
}

/// Brings mails over the network, one after the other.
pub(in crate::deliver::run) struct Lines<'r> {
    pub(in crate::deliver::run) relay: &'r Relay,
    pub(in crate::deliver::run) open: Option<Open>,
}

impl Open {
    fn serves(&self, load: &Load) -> bool {
        self.way == load.way && self.carried < MAILS && self.since.elapsed() < OLDEST
    }
}

fn no_way(way: &Way, why: &NoWay) -> Unsent {
    let provider = way.domain.to_string();
    metrics::counter!("kep_relay_no_way_total", "provider" => provider, "why" => why.word())
        .increment(1);
    match why {
        NoWay::NoMail(_, true) => Unsent::Never(why.to_string()),
        // The path of a file is nobody else's affair.
        NoWay::Own(_) => {
            tracing::error!(provider = %way.domain, %why, "no way is found");
            Unsent::Server(Trouble::Unreachable, OWN.to_owned())
        }
        // An answer that is not signed ends nothing: anybody may have written it.
        _ => Unsent::Server(why.trouble(), why.to_string()),
    }
}

/// A connection that was used before has ended, maybe before it heard of this mail.
fn is_stale(report: &Report) -> bool {
    report.recipients.iter().all(|(_, outcome)| match outcome {
        Outcome::Failed(Failure::Lost | Failure::LostAfterBody) => true,
        Outcome::Refused(reply) => reply.code() == 421,
        _ => false,
    })
}

/// Mails over one connection: a server that counts them is not annoyed.
pub(in crate::deliver::run) const MAILS: usize = 100;
/// No connection is used for longer.
const OLDEST: Duration = Duration::from_secs(300);
