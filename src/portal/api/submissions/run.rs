//! Handing a message in: the room that accepts judges it, as it does by SMTP.

use super::Taken;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::desk::{Letter, Submitted};
use crate::portal::api::endpoint::{Created, Mail, NoWords};
use crate::portal::api::{Portal, Problem};
use crate::wire::MessageId;
use crate::wire::mime::address::{Address, addresses};
use crate::wire::mime::fields::fields;
use crate::wire::mime::header;
use std::collections::HashSet;
use std::sync::Arc;

pub async fn submit(
    portal: Arc<Portal>,
    call: Arc<Call>,
    _: NoWords,
    mail: Mail,
) -> Answered<Created<Taken>> {
    call.may_add()?;
    let account = call.account()?;
    let recipients = recipients(&mail.0);
    if recipients.is_empty() {
        return Err(Problem::NoRecipient);
    }
    let letter = Letter {
        account: account.id,
        address: account.address.clone(),
        operator: call.operator().map(|operator| operator.code),
        at: call.now,
        channel: call.channel(),
        recipients,
        octets: mail.0,
    };
    match portal.desk.submit(letter).await {
        Submitted::Accepted(id) => Ok(taken(&id, "accepted", false)),
        Submitted::Again(id) => Ok(taken(&id, "accepted", true)),
        Submitted::Held(id) => Ok(taken(&id, "held", false)),
        Submitted::Refused(refusal) => Err(Problem::Refused(refusal)),
        Submitted::Unavailable => Err(Problem::Unavailable),
    }
}

fn taken(id: &MessageId, state: &str, again: bool) -> Created<Taken> {
    let value = Taken { message_id: id.to_string(), state: state.to_owned(), again };
    Created { value, at: format!("/submissions/{id}") }
}

/// Whom To and Cc name, each once: there is nobody else (invariant 7). Of more than are ever taken, only
/// so many that they are too many.
fn recipients(octets: &[u8]) -> Vec<String> {
    let mut known = HashSet::new();
    let mut found: Vec<String> = Vec::new();
    for field in fields(header(octets)).filter(|field| field.is("To") || field.is("Cc")) {
        for address in addresses(&field.unfolded()) {
            let Address::Mailbox { local, domain, .. } = address else { continue };
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let whole = format!("{}@{}", text(&local), text(&domain));
            if known.insert(whole.to_ascii_lowercase()) {
                found.push(whole);
            }
            if found.len() > RECIPIENTS {
                return found;
            }
        }
    }
    found
}

/// As many as `accept.max_recipients` may say.
const RECIPIENTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_are_those_of_to_and_cc_each_once() {
        let mail = b"From: a@x\r\nTo: \"Ay\xc5\x9fe\" <ayse@hs05.kep.tr>,\r\n b@hs05.kep.tr\r\n\
            Cc: Grup: AYSE@hs05.kep.tr, c@hs06.kep.tr;\r\nBcc: d@hs05.kep.tr\r\n\r\nTo: e@hs05.kep.tr\r\n";
        assert_eq!(recipients(mail), ["ayse@hs05.kep.tr", "b@hs05.kep.tr", "c@hs06.kep.tr"]);
        assert!(recipients(b"").is_empty() && recipients(b"To: \r\n\r\n").is_empty());
    }

    #[test]
    fn of_more_recipients_than_are_ever_taken_no_more_are_gathered_than_show_it() {
        let field = |n: u32| {
            let all: Vec<_> = (0..600).map(|at| format!("a{n}-{at}@hs05.kep.tr")).collect();
            format!("To: {}\r\n", all.join(",\r\n "))
        };
        let mail: String = (0..4).map(field).chain(["\r\n".to_owned()]).collect();
        assert_eq!(recipients(mail.as_bytes()).len(), RECIPIENTS + 1);
    }
}
