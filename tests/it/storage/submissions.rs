//! The same mail is one submission; outcomes are set once.

use super::bed::{self, submission};
use super::{NOW, on_both};
use kep::store::submissions::{self, NewRecipient, NewSubmission, Origin, RecipientState};
use kep::wire::KepDomain;

#[tokio::test]
async fn the_same_mail_again_is_the_same_message() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        assert_eq!(bed.lay_in(submission(&bed.store, 1, account, b"mail")).await, Ok(()));
        let again = bed.lay_in(submission(&bed.store, 2, account, b"mail")).await;
        assert_eq!(again, Err(bed::id(1)));
        let other = bed.lay_in(submission(&bed.store, 3, account, b"another")).await;
        assert_eq!(other, Ok(()));
        let mut late = submission(&bed.store, 4, account, b"mail");
        late.accepted_at = NOW.plus_secs(24 * 3600 + 1);
        assert_eq!(bed.lay_in(late).await, Ok(()), "a day later it is another message");
        let found = bed.read(|tx| Ok(submissions::find(tx, &bed::id(1))?.unwrap())).await;
        assert_eq!(found.details.subject, "Şubat çağrısı");
        assert_eq!(bed.count("SELECT COUNT(*) FROM recipient").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_equal_mails_at_once_one_is_accepted() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let (store, new) = (bed.store.clone(), submission(&bed.store, n, account, b"mail"));
                tokio::spawn(async move { bed::lay_in(&store, new).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        let first: std::collections::BTreeSet<_> =
            answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(first.len(), 1, "all others hear the same id");
        assert_eq!(bed.count("SELECT COUNT(*) FROM submission").await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM blob").await, 1);
    })
    .await;
}

#[tokio::test]
async fn each_outcome_comes_once() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
        let outcomes = bed
            .write(|tx| {
                let id = bed::id(1);
                let early = submissions::opened(tx, &id, 1, RecipientState::Read, NOW)?;
                let delivered = submissions::outcome(tx, &id, 1, RecipientState::Delivered, NOW)?;
                let failed = submissions::outcome(tx, &id, 1, RecipientState::Failed, NOW)?;
                let read = submissions::opened(tx, &id, 1, RecipientState::Read, NOW)?;
                let expired = submissions::opened(tx, &id, 1, RecipientState::Expired, NOW)?;
                let opened = [early, read, expired].map(|opened| opened.is_some());
                Ok([opened[0], delivered, failed, opened[1], opened[2]])
            })
            .await;
        assert_eq!(outcomes, [false, true, false, true, false]);
        let state = bed.read(|tx| Ok(submissions::recipients(tx, &bed::id(1))?[0].state)).await;
        assert_eq!(state, RecipientState::Read);
    })
    .await;
}

/// Another provider's message 1, to one of ours and to one elsewhere.
fn relayed(bed: &bed::Bed, account: kep::wire::AccountId, octets: &[u8]) -> NewSubmission {
    let recipient = |address: &str, account, state| NewRecipient {
        address: address.to_owned(),
        account,
        state,
    };
    NewSubmission {
        origin: Origin::Peer(KepDomain::parse("hs06.kep.tr").unwrap()),
        recipients: vec![
            recipient("ayse@hs05.kep.tr", Some(account), RecipientState::Elsewhere),
            recipient("can@hs07.kep.tr", None, RecipientState::Elsewhere),
        ],
        ..submission(&bed.store, 1, account, octets)
    }
}

#[tokio::test]
async fn a_providers_message_is_one_by_its_identifier_whenever_it_comes() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        assert_eq!(bed.lay_in(relayed(&bed, account, b"mail")).await, Ok(()));
        let mut late = relayed(&bed, account, b"mail");
        late.accepted_at = NOW.plus_secs(48 * 3600);
        assert_eq!(bed.lay_in(late).await, Err(bed::id(1)));
        let found = bed.read(|tx| Ok(submissions::find(tx, &bed::id(1))?.unwrap())).await;
        assert_eq!(found.origin, Origin::Peer(KepDomain::parse("hs06.kep.tr").unwrap()));
        let changed = bed
            .write(|tx| {
                let id = bed::id(1);
                let first = submissions::addressed(tx, &id, 1)?;
                let again = submissions::addressed(tx, &id, 1)?;
                // What is told of others' recipients moves none of ours.
                submissions::told(tx, &id, 1, RecipientState::Read, NOW)?;
                submissions::told(tx, &id, 2, RecipientState::Delivered, NOW)?;
                submissions::told(tx, &id, 2, RecipientState::Read, NOW.plus_secs(9))?;
                Ok((first, again, submissions::recipients(tx, &id)?))
            })
            .await;
        assert_eq!((changed.0, changed.1), (true, false));
        let states: Vec<_> = changed.2.iter().map(|recipient| recipient.state).collect();
        assert_eq!(states, [RecipientState::Accepted, RecipientState::Read]);
        assert_eq!(changed.2[1].delivered_at, Some(NOW));
        assert_eq!(changed.2[1].opened_at, Some(NOW.plus_secs(9)));
    })
    .await;
}
