use super::world::{AYSE, CAN, House, LETTER, OURS, Said};
use super::{TOLD, renamed};
use crate::evidence::parcel::Document;
use crate::evidence::verify::tests::world::World;
use crate::store::notices::TargetRow;
use crate::store::submissions::RecipientState;
use crate::store::{Lane, RowsError, Tx, accounts, evidence, notices, outbox};
use crate::trust::testing::NOW;
use crate::wire::EvidenceId;
use crate::wire::rem::{ContentDigest, Dialect, Event, Party};
use crate::wire::xades::Hash;

#[tokio::test(flavor = "multi_thread")]
async fn evidence_comes_back_and_the_state_follows() {
    for house in House::both().await {
        house.sent().await;
        for (n, (event, shown)) in (1..).zip(TOLD) {
            let mail = house.returned(&house.told(event));
            assert_eq!(house.hand_null(&mail).await, Said::Taken, "{event:?}");
            assert_eq!(house.shown().await, shown, "{event:?}");
            assert_eq!(house.deliller(CAN).await.len(), n, "{event:?}");
            // The same again changes nothing.
            assert_eq!(house.hand_null(&mail).await, Said::Again);
            let mails = house.deliller(CAN).await;
            assert!(mails.len() == n && mails.contains(&mail), "{event:?}");
        }
        let kept = house.evidence(OURS).await;
        assert!(kept.iter().all(|row| row.origin == "hs05.kep.tr" && row.recipient == AYSE));
        assert_eq!(house.words().await, "$KepAccepted $KepDelivered $KepRead");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_is_told_once_of_what_another_provider_says() {
    for house in House::both().await {
        house.sent().await;
        let place = |tx: &mut Tx<'_>| -> Result<(), RowsError> {
            let account = accounts::by_address(tx, CAN)?.ok_or(RowsError::Missing("account"))?.id;
            let place = TargetRow {
                id: 0,
                account,
                channel: "email".into(),
                target: "can@example.com".into(),
                language: "tr".into(),
                events: "evidence".into(),
                quiet: None,
                deputy: None,
                added_at: NOW,
                verified_at: None,
            };
            let id = notices::add(tx, &place)?.ok_or(RowsError::Missing("place"))?;
            notices::verified(tx, id, NOW)
        };
        house.store.write(Lane::Client, place).await.unwrap();
        for (event, _) in TOLD {
            let mail = house.returned(&house.told(event));
            assert_eq!(house.hand_null(&mail).await, Said::Taken, "{event:?}");
            assert_eq!(house.hand_null(&mail).await, Said::Again, "{event:?}");
        }
        let said = |tx: &mut Tx<'_>| outbox::list(tx, None, None, 100);
        let said = house.store.read(said).await.unwrap();
        let mut said: Vec<_> = said.into_iter().map(|row| (row.kind, row.cause)).collect();
        said.sort();
        // That the other one took it over is no news of what became of it.
        let told = [Event::Delivery, Event::NonDelivery, Event::Retrieval];
        let told = told.map(|event| format!("evidence/{OURS}/{}", event.name()));
        assert_eq!(said, told.map(|cause| ("evidence".to_owned(), cause)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_does_not_fit_is_refused_and_leaves_nothing() {
    let house = House::open().await;
    house.sent().await;
    let good = house.told(Event::Delivery);
    let refused = |name| Said::Refused(name);

    let mut never = good.clone();
    never.message.message_id = "gonderilmedi@hs06.kep.tr".into();
    assert_eq!(house.hand_null(&house.returned(&never)).await, refused("EvidenceOfNothing"));
    let mut elsewhere = good.clone();
    elsewhere.recipients = vec![Party { address: "veli@hs07.kep.tr".into(), name: None }];
    assert_eq!(house.hand_null(&house.returned(&elsewhere)).await, refused("EvidenceUnfit"));
    let mut sender = good.clone();
    sender.sender.address = "baska@hs06.kep.tr".into();
    assert_eq!(house.hand_null(&house.returned(&sender)).await, refused("EvidenceUnfit"));
    let mut digest = good.clone();
    digest.message.digest = None;
    assert_eq!(house.hand_null(&house.returned(&digest)).await, refused("EvidenceUnfit"));
    let mut nobody = good.clone();
    nobody.recipients.push(Party { address: "fatma@hs05.kep.tr".into(), name: None });
    nobody.refers_to = None;
    assert_eq!(house.hand_null(&house.returned(&nobody)).await, refused("EvidenceUnfit"));
    // Only we can tell of the submission, and that somebody can't be reached.
    for event in [Event::SubmissionAcceptance, Event::RelayFailure] {
        let own = house.told(event);
        assert_eq!(house.hand_null(&house.returned(&own)).await, refused("EvidenceUnfit"));
    }
    // Under another provider's seal.
    let (other, mail) = (World::new(), house.returned(&good));
    house.register(|row| row.seals[0].certificate = der(&other)).await;
    assert_eq!(house.hand_null(&mail).await, refused("SealUnknown"));
    assert!(house.evidence(OURS).await.is_empty() && house.deliller(CAN).await.is_empty());
    assert_eq!(house.shown().await, RecipientState::Accepted);
}

/// RB22 is of a provider that never took it over; one that did and says no more is another thing.
#[tokio::test(flavor = "multi_thread")]
async fn who_took_it_over_and_fell_silent_is_told_apart() {
    for (taken, word) in [(false, "relay-failed"), (true, "delivery-expired")] {
        let house = House::open().await;
        house.sent().await;
        house.relayed().await;
        if taken {
            let acceptance = house.told(Event::RelayAcceptance);
            assert_eq!(house.hand_null(&house.returned(&acceptance)).await, Said::Taken);
        }
        assert_eq!(house.shown().await, RecipientState::Relayed);
        house.fall_silent().await;
        house.fall_silent().await;
        assert_eq!(house.jobs("evidence").await, [format!("fact/{OURS}/1/{word}")]);
        assert_eq!(house.shown().await, RecipientState::RelayFailed);
        // Word that comes after all is shown.
        let late = house.told(Event::Delivery);
        assert_eq!(house.hand_null(&house.returned(&late)).await, Said::Taken);
        assert_eq!(house.shown().await, RecipientState::Delivered);
    }
}

/// Whatever others call their evidence, it takes the place of none of ours and of no other.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_05_another_providers_identifiers_are_never_ours() {
    for house in House::both().await {
        house.sent().await;
        let own = EvidenceId::derive(
            &crate::wire::MessageId::parse(OURS).unwrap(),
            "relay-failure",
            AYSE,
        );
        let first = renamed(&house.told(Event::Delivery), own.as_str());
        assert_eq!(house.hand_null(&house.returned(&first)).await, Said::Taken);
        let kept = house.evidence(OURS).await;
        assert_eq!(kept[0].id.as_str(), format!("hs05.kep.tr/{own}"));
        assert_eq!(kept[0].document_id(), own.as_str());
        // The same identifier for something else is refused.
        let second = renamed(&house.told(Event::Retrieval), own.as_str());
        assert_eq!(house.hand_null(&house.returned(&second)).await, Said::Refused("EvidenceUnfit"));
        assert_eq!(house.shown().await, RecipientState::Delivered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_a_provider_cannot_fill_a_mailbox_with_evidence() {
    let house = House::open().await;
    house.sent().await;
    let good = house.told(Event::Delivery);
    let mut said = Vec::new();
    let first = house.returned(&renamed(&good, &format!("_{:032x}", 0)));
    for n in 0..20 {
        let mail = match n {
            0 => first.clone(),
            n => house.returned(&renamed(&good, &format!("_{n:032x}"))),
        };
        said.push(house.hand_null(&mail).await);
    }
    assert_eq!(said.iter().filter(|said| **said == Said::Taken).count(), 16);
    assert_eq!(said.last(), Some(&Said::Refused("EvidenceTooMuch")));
    // What is here already hears the same as ever.
    assert_eq!(house.hand_null(&first).await, Said::Again);
    assert_eq!(house.shown().await, RecipientState::Delivered);
}

fn der(world: &World) -> Vec<u8> {
    use crate::trust::Signer;
    world.seal.certificate().der().to_vec()
}

/// Two documents, one fact: both are kept, under the one identifier.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_in_both_dialects_is_one_and_both_are_kept() {
    for house in House::both().await {
        house.sent().await;
        let told = house.told(Event::Delivery);
        let written = [Dialect::Ts102640, Dialect::En319522]
            .map(|dialect| (dialect, house.peer.stamped_in(&told, dialect)));
        let documents = [0, 1].map(|n| Document { dialect: written[n].0, xml: &written[n].1 });
        let mail = house.peer.evidence_mail_of(&told, &documents);
        assert_eq!(house.hand_null(&mail).await, Said::Taken);
        assert_eq!(house.hand_null(&mail).await, Said::Again);
        let kept = house.evidence(OURS).await;
        assert_eq!((kept.len(), kept[0].dialect.as_str()), (1, "ts102640"));
        let id = kept[0].id.clone();
        let forms = house.store.read(move |tx| evidence::forms(tx, &id)).await.unwrap();
        let dialects: Vec<_> = forms.iter().map(|form| form.dialect.as_str()).collect();
        assert_eq!(dialects, ["en319522"]);
        // Alone it is the same one, in other octets.
        let alone = house.peer.evidence_mail(&told, &written[1].1);
        assert_eq!(house.hand_null(&alone).await, Said::Again);
        assert_eq!(house.evidence(OURS).await.len(), 1);
        assert_eq!(house.shown().await, RecipientState::Delivered);
    }
}

/// A provider that tells in each dialect by a mail of its own tells one evidence, and nothing of it is lost.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_comes_in_the_other_dialect_later_is_kept_too() {
    for house in House::both().await {
        house.sent().await;
        let told = house.told(Event::Delivery);
        for (dialect, said) in [(Dialect::En319522, Said::Taken), (Dialect::Ts102640, Said::Taken)]
        {
            let xml = house.peer.stamped_in(&told, dialect);
            let mail = house.peer.evidence_mail(&told, &xml);
            assert_eq!(house.hand_null(&mail).await, said);
            assert_eq!(house.hand_null(&mail).await, Said::Again);
            let other = house.peer.stamped_in(&told, dialect);
            let other = house.peer.evidence_mail(&told, &other);
            assert_eq!(
                house.hand_null(&other).await,
                Said::Refused("EvidenceUnfit"),
                "{dialect:?}"
            );
        }
        let kept = house.evidence(OURS).await;
        assert_eq!((kept.len(), kept[0].dialect.as_str()), (1, "en319522"));
        let id = kept[0].id.clone();
        let forms = house.store.read(move |tx| evidence::forms(tx, &id)).await.unwrap();
        assert_eq!(forms.len(), 1);
        assert_eq!(house.shown().await, RecipientState::Delivered);
    }
}

/// One identifier is one evidence: what tells of two things under it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn one_identifier_for_two_facts_is_refused_and_moves_nothing() {
    let house = House::open().await;
    house.sent().await;
    let delivered = house.told(Event::Delivery);
    let mut read = house.told(Event::Retrieval);
    read.id = delivered.id.clone();
    let written = [&delivered, &read].map(|told| house.peer.stamped_in(told, Dialect::Ts102640));
    let documents = [0, 1].map(|n| Document { dialect: Dialect::Ts102640, xml: &written[n] });
    let mail = house.peer.evidence_mail_of(&delivered, &documents);
    assert_eq!(house.hand_null(&mail).await, Said::Refused("EvidenceInvalid"));
    assert_eq!(house.evidence(OURS).await.len(), 0);
    assert_eq!(house.shown().await, RecipientState::Accepted);
}

/// What a provider had before it closed, it may tell of; under a seal that was good then.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_a_provider_that_closed_is_taken_of_what_it_had() {
    let house = House::open().await;
    house.sent().await;
    let told = house.returned(&house.told(Event::Delivery));
    let closed = |since: i64| {
        let since = house.peer.at.plus_secs(since);
        house.register(move |row| (row.state, row.since) = ("closed".into(), since))
    };
    closed(3600).await;
    assert_eq!(house.hand(&told, &[CAN]).await, Said::Refused("PeerEnded"), "it never had it");
    house.relayed().await;
    closed(-3600).await;
    assert_eq!(house.hand_null(&told).await, Said::Refused("PeerEnded"), "it came after the end");
    closed(3600).await;
    let ended = house.peer.at.plus_secs(-60);
    let since = house.peer.at.plus_secs(3600);
    house
        .register(move |row| {
            (row.state, row.since) = ("closed".into(), since);
            row.seals[0].until = Some(ended);
        })
        .await;
    assert_eq!(house.hand_null(&told).await, Said::Refused("SealEnded"));
    closed(3600).await;
    assert_eq!(house.hand_null(&told).await, Said::Taken);
    assert_eq!(house.shown().await, RecipientState::Delivered);
}

/// SHA-256 is what is kept of a message; whoever names it by more gets it worked out.
#[tokio::test(flavor = "multi_thread")]
async fn evidence_may_name_the_message_by_a_longer_digest() {
    let house = House::open().await;
    house.sent().await;
    let mut told = house.told(Event::Delivery);
    let named = |hash: Hash, octets: &[u8]| {
        let (algorithm, value) = (hash.uri().to_owned(), hash.of(octets).unwrap());
        Some(ContentDigest::Other { algorithm, value })
    };
    for (digest, said) in [
        (named(Hash::Sha512, b"another"), Said::Refused("EvidenceUnfit")),
        (
            Some(ContentDigest::Other { algorithm: "urn:own".into(), value: vec![0; 32] }),
            Said::Refused("EvidenceUnfit"),
        ),
        (named(Hash::Sha384, LETTER), Said::Taken),
    ] {
        told.message.digest = digest;
        assert_eq!(house.hand_null(&house.returned(&told)).await, said);
    }
    told.message.digest = named(Hash::Sha512, LETTER);
    let other = renamed(&told, "_another");
    assert_eq!(house.hand_null(&house.returned(&other)).await, Said::Taken);
}

/// What one document says the other must say.
#[tokio::test(flavor = "multi_thread")]
async fn two_documents_of_one_evidence_that_differ_are_refused() {
    let house = House::open().await;
    house.sent().await;
    let told = house.told(Event::Delivery);
    let mut other = told.clone();
    other.message.message_id = "baska@hs06.kep.tr".into();
    let elder = house.peer.stamped_in(&told, Dialect::Ts102640);
    let younger = house.peer.stamped_in(&other, Dialect::En319522);
    let documents = [
        Document { dialect: Dialect::Ts102640, xml: &elder },
        Document { dialect: Dialect::En319522, xml: &younger },
    ];
    let mail = house.peer.evidence_mail_of(&told, &documents);
    assert_eq!(house.hand_null(&mail).await, Said::Refused("EvidenceInvalid"));
    assert!(house.evidence(OURS).await.is_empty());
}
