//! The author is the account, and nobody else (invariant 7).

use super::RESERVED;
use super::header::Header;
use super::mailbox_list::{Entry, parse};
use crate::accept::refusal::Refusal;
use crate::wire::KepAddress;

pub(super) fn check(header: &Header, account: &KepAddress) -> Result<(), Refusal> {
    let mut all = header.all("From");
    let value = all.next().ok_or(Refusal::FromMissing)?;
    if all.next().is_some() {
        return Err(Refusal::FromDuplicate);
    }
    let entries = parse(value).map_err(|_| Refusal::FromMalformed)?;
    let address = match entries.as_slice() {
        [Entry::Mailbox(address)] => address,
        [] => return Err(Refusal::FromMissing),
        _ if entries.iter().any(|e| matches!(e, Entry::Group(_))) => {
            return Err(Refusal::FromGroup);
        }
        _ => return Err(Refusal::FromMany),
    };
    if !is(address, account) {
        return Err(Refusal::FromNotAccount(address.clone()));
    }
    if RESERVED.contains(&account.local()) {
        return Err(Refusal::SenderReserved(address.clone()));
    }
    sender_field(header, account)
}

/// RFC 5322 §3.6.2: who really sent it; readers show it as "on behalf of".
fn sender_field(header: &Header, account: &KepAddress) -> Result<(), Refusal> {
    let Some(value) = header.first("Sender") else { return Ok(()) };
    match parse(value).as_deref() {
        Ok([Entry::Mailbox(address)]) if is(address, account) => Ok(()),
        Ok([Entry::Mailbox(address)]) => Err(Refusal::SenderFieldNotAccount(address.clone())),
        _ => Err(Refusal::RecipientsMalformed("Sender".into())),
    }
}

fn is(address: &str, account: &KepAddress) -> bool {
    KepAddress::parse(address).is_ok_and(|address| address == *account)
}
