//! What there is to do with one mail.

mod run;

use super::super::fate::Fate;
use super::Load;
use crate::spool::relay::Why;
use crate::wire::KepAddress;
use crate::wire::rem::Reason;

/// What there is to do with a mail.
pub(in crate::deliver::run) enum Task {
    Send(Box<Load>),
    /// Nobody waits for it any more.
    Idle,
    /// Its provider has ceased to serve.
    Ended(Vec<KepAddress>),
    /// Not now.
    Wait,
    /// There is nothing by which the server could be known.
    Unknown,
}

fn failed(to: Vec<KepAddress>, why: &str) -> Vec<(KepAddress, Fate)> {
    let why = Why { reason: Reason::ProviderNotIdentified, detail: why.to_owned(), window: false };
    to.into_iter().map(|to| (to, Fate::Failed(why.clone()))).collect()
}

const CEASED: &str = "the provider has ceased to serve";
const NOTHING_KNOWN: &str = "the registry names nothing by which its server is known";
