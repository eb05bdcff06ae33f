//! The envelope of a mail to another provider. Pure.

use super::dialogue::{Mail, To};
use super::run::Who;
use crate::store::relay::{Kind, Queued};
use crate::store::submissions::{Recipient, RecipientState, Submission};
use crate::wire::smtp::{Notify, Orcpt, Ret, orcpt};
use crate::wire::{KepAddress, KepDomain};

/// Those of a message's recipients that wait for their provider to get it.
pub fn waiting(recipients: &[Recipient], provider: &KepDomain) -> Vec<(usize, KepAddress)> {
    let waits = recipients.iter().filter(|recipient| recipient.state == RecipientState::Accepted);
    let with_it = waits.filter(|recipient| recipient.is_with(provider));
    with_it.filter_map(|to| Some((to.n, KepAddress::registered(&to.address).ok()?))).collect()
}

/// A dispatch: failures and delays are told by DSN, too, to the provider and never to the sender, who
/// gets evidence (RFC 3461; EN 319 532-4 clause 5). So NOTIFY, RET and ENVID are the provider's own; ORCPT
/// is the sender's, where he gave any (RFC 3461 §5.2.1).
pub fn dispatch(
    queued: &Queued,
    submission: &Submission,
    to: &[(usize, KepAddress)],
    who: &Who,
    octets: &[u8],
) -> Mail {
    let notify = Notify::On { success: false, failure: true, delay: true };
    let said =
        |n: &usize| submission.details.dsn.get(n).and_then(|dsn| orcpt(dsn.orcpt.as_deref()?));
    let own = |to: &KepAddress| Orcpt { kind: "rfc822".to_owned(), address: to.to_string() };
    let recipients = to.iter().map(|(n, address)| To {
        address: address.clone(),
        notify,
        orcpt: Some(said(n).unwrap_or_else(|| own(address))),
    });
    Mail {
        requiretls: submission.details.requiretls,
        ret: Some(Ret::Headers),
        envid: Some(queued.message.to_string()),
        ..mail(who, recipients.collect(), octets)
    }
}

/// An evidence mail goes to the provider's own address; there is no receipt for a receipt.
pub fn evidence(queued: &Queued, address: KepAddress, who: &Who, octets: &[u8]) -> Mail {
    let to = To { address, notify: Notify::Never, orcpt: None };
    Mail { envid: Some(queued.evidence.clone()), ..mail(who, vec![to], octets) }
}

fn mail(who: &Who, recipients: Vec<To>, octets: &[u8]) -> Mail {
    Mail {
        helo: who.host.clone(),
        from: Some(who.service.clone()),
        recipients,
        size: octets.len() as u64,
        eight_bit: !octets.is_ascii(),
        smtputf8: false,
        requiretls: false,
        ret: None,
        envid: None,
    }
}

/// How a mail in the queue is called in the log.
pub fn name(queued: &Queued) -> &str {
    match queued.kind {
        Kind::Dispatch => queued.message.as_str(),
        Kind::Evidence => &queued.evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::submissions::{Details, Dsn, Origin, SubmissionState};
    use crate::wire::{AccountId, BlobId, ContentId, MessageId, Timestamp, sha256};

    /// RFC 3461 §5.2.1; the rest is between providers, and the sender gets evidence whatever he asked for.
    #[test]
    fn what_the_sender_calls_his_recipient_goes_on_and_the_rest_is_the_providers() {
        let at = Timestamp::from_secs(1_795_000_000);
        let message = MessageId::parse("5f2c@hs05.kep.tr").unwrap();
        let never =
            Dsn { notify: Some("NEVER".into()), orcpt: Some("rfc822;Can+2BAk@x.example".into()) };
        let details = Details {
            ret: Some("FULL".into()),
            envid: Some("QQ1".into()),
            dsn: [(1, never)].into(),
            ..Details::default()
        };
        let submission = Submission {
            message_id: message.clone(),
            origin: Origin::Account(AccountId(1)),
            state: SubmissionState::Dispatched,
            accepted_at: at,
            original: BlobId([0; 16]),
            size: 1,
            digest: sha256(b"x"),
            details,
            sent_uid: None,
            dispatch: Some(ContentId(1)),
        };
        let queued = Queued {
            id: 1,
            name: "dispatch/x".into(),
            provider: KepDomain::parse("hs06.kep.tr").unwrap(),
            kind: Kind::Dispatch,
            message,
            evidence: String::new(),
            content: ContentId(1),
            since: at,
            due: at,
            attempts: 0,
            held: false,
            reply: String::new(),
        };
        let address = |text: &str| KepAddress::parse(text).unwrap();
        let who = Who {
            host: "relay.hs05.kep.tr".into(),
            service: address("kepservisi@hs05.kep.tr"),
            tls: None,
        };
        let to = [(1, address("can.ak@hs06.kep.tr")), (2, address("ela@hs06.kep.tr"))];
        let mail = dispatch(&queued, &submission, &to, &who, b"x");
        let named = |n: usize| mail.recipients[n].orcpt.as_ref().unwrap().to_string();
        assert_eq!(named(0), "rfc822;Can+2BAk@x.example");
        assert_eq!(named(1), "rfc822;ela@hs06.kep.tr");
        let told = Notify::On { success: false, failure: true, delay: true };
        assert!(mail.recipients.iter().all(|to| to.notify == told));
        assert_eq!(
            (mail.ret, mail.envid.as_deref()),
            (Some(Ret::Headers), Some("5f2c@hs05.kep.tr"))
        );
    }
}
