//! No hidden recipients: evidence names all, so every RCPT stands in To or Cc (invariant 7).
//!
//! The other way round is free: someone named in To or Cc may get the message another way.

use super::header::Header;
use super::mailbox_list::{addresses, parse};
use crate::accept::ask::Envelope;
use crate::accept::refusal::Refusal;
use crate::wire::KepAddress;
use std::collections::HashSet;

/// The addresses in To and in Cc.
pub(super) fn check(
    header: &Header,
    envelope: &Envelope,
) -> Result<(Vec<String>, Vec<String>), Refusal> {
    if header.first("Bcc").is_some() {
        return Err(Refusal::BccPresent);
    }
    let to = read(header, "To")?;
    let cc = read(header, "Cc")?;
    let seen: HashSet<KepAddress> =
        to.iter().chain(&cc).filter_map(|text| KepAddress::parse(text).ok()).collect();
    match envelope.recipients.iter().find(|recipient| !seen.contains(&recipient.address)) {
        Some(hidden) => Err(Refusal::HiddenRecipient(hidden.address.to_string())),
        None => Ok((to, cc)),
    }
}

fn read(header: &Header, name: &str) -> Result<Vec<String>, Refusal> {
    let value = header.first(name).unwrap_or_default();
    let entries = parse(value).map_err(|_| Refusal::RecipientsMalformed(name.to_owned()))?;
    Ok(addresses(entries))
}
