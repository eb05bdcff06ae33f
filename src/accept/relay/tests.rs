use crate::accept::ask::PeerAnswer;
use crate::accept::refusal::Refusal;
use crate::store::submissions::{Origin, RecipientState};
use crate::wire::rem::{Event, Evidence};
use crate::wire::{EvidenceId, KepDomain};
use world::{CAN, House, Said};

mod abroad;
mod reports;
mod returning;
mod scanning;
mod world;

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatch_is_taken_over_octet_for_octet() {
    for house in House::both().await {
        let mail = house.incoming(&[CAN, "yok@hs06.kep.tr", "ali@hs07.kep.tr"]);
        assert_eq!(house.hand(&mail, &[CAN, "yok@hs06.kep.tr"]).await, Said::Taken);

        let (submission, recipients) = house.message("5f2c@hs05.kep.tr").await.unwrap();
        assert_eq!(submission.origin, Origin::Peer(KepDomain::parse("hs05.kep.tr").unwrap()));
        assert_eq!(house.store.content(submission.dispatch.unwrap()).await.unwrap(), mail);
        let states: Vec<_> = recipients.iter().map(|r| (r.state, r.account.is_some())).collect();
        let expected = [
            (RecipientState::Accepted, true),
            (RecipientState::Accepted, false),
            (RecipientState::Elsewhere, false),
        ];
        assert_eq!(states, expected);
        assert_eq!(house.jobs("consign").await, ["consign/5f2c@hs05.kep.tr"]);
        let kept = house.evidence("5f2c@hs05.kep.tr").await;
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].origin.as_str(), kept[0].event.as_str()),
            ("hs05.kep.tr", "submission-acceptance")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_twice_is_served_once_however_often_the_dispatch_comes() {
    for house in House::both().await {
        let mail = house.incoming(&[CAN, CAN]);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Taken);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Again);
        let (_, recipients) = house.message("5f2c@hs05.kep.tr").await.unwrap();
        let states: Vec<_> = recipients.iter().map(|one| one.state).collect();
        assert_eq!(states, [RecipientState::Accepted, RecipientState::Elsewhere]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_the_same_dispatch_again_hears_the_same_and_doubles_nothing() {
    for house in House::both().await {
        let mail = house.incoming(&[CAN, "yok@hs06.kep.tr"]);
        let all = futures_of(&house, &mail, 8).await;
        assert!(all.iter().all(|said| matches!(said, Said::Taken | Said::Again)), "{all:?}");
        assert_eq!(all.iter().filter(|said| **said == Said::Taken).count(), 1);
        assert_eq!(house.evidence("5f2c@hs05.kep.tr").await.len(), 1);
        assert_eq!(house.jobs("consign").await.len(), 1);
        assert_eq!(house.jobs("evidence").await, ["fact/5f2c@hs05.kep.tr/0/again"]);

        // For one more recipient it is handed over anew.
        assert_eq!(house.hand(&mail, &["yok@hs06.kep.tr"]).await, Said::Again);
        let (_, recipients) = house.message("5f2c@hs05.kep.tr").await.unwrap();
        assert!(recipients.iter().all(|r| r.state == RecipientState::Accepted));

        // The identifier with another message is no repetition.
        let other = house.peer.another("Başka", b"Selam.\r\n");
        let mail = house.incoming_of(&other, &[CAN]);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Refused("OtherMessage"));
    }
}

async fn futures_of(house: &House, mail: &[u8], count: usize) -> Vec<Said> {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (house, mail) = (house.clone(), mail.to_vec());
        all.spawn(async move { house.hand(&mail, &[CAN]).await });
    }
    all.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_07_only_registered_providers_hand_over_and_only_their_own() {
    let house = House::open().await;
    let mail = house.incoming(&[CAN]);
    let (peer, other) = ("hs05.kep.tr", "hs07.kep.tr");
    assert_eq!(house.hand(&mail, &[CAN, "veli@hs06.kep.tr"]).await, Said::Refused("NotNamed"));
    assert_eq!(
        house.hand_by(Some(other), &mail, &[CAN], None).await,
        Said::Refused("SealOfAnother")
    );

    house.register(|row| row.state = "suspended".into()).await;
    assert_eq!(house.hand_by(None, &mail, &[CAN], None).await, Said::Refused("PeerSuspended"));
    assert_eq!(house.meet(peer, None).await, refused(Refusal::PeerSuspended(peer.into())));
    house.register(|row| row.state = "closed".into()).await;
    assert_eq!(house.meet(peer, None).await, PeerAnswer::Known, "it may have evidence");
    assert_eq!(house.hand(&mail, &[CAN]).await, Said::Refused("PeerEnded"));
    assert_eq!(house.meet(other, None).await, refused(Refusal::PeerUnknown(other.into())));

    // Where the registry asks for a certificate of the client, the seal alone is not enough.
    let shown = house.peer.user_root.certificate().clone();
    let pin = shown.digest().hex();
    house.register(|row| row.client_pins = pin.clone()).await;
    let stranger = house.peer.seal_root.certificate().der().to_vec();
    for client in [None, Some(&stranger[..])] {
        assert_eq!(house.meet(peer, client).await, refused(Refusal::PeerNotShown(peer.into())));
        let said = house.hand_by(None, &mail, &[CAN], client).await;
        assert_eq!(said, Said::Refused("PeerNotShown"));
    }
    assert_eq!(house.meet(peer, Some(shown.der())).await, PeerAnswer::Known);
    assert_eq!(house.hand_by(None, &mail, &[CAN], Some(shown.der())).await, Said::Taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_06_what_is_refused_leaves_nothing() {
    let house = House::open().await;
    let mail = house.incoming(&[CAN]);
    let touched = String::from_utf8(mail.clone()).unwrap().replacen("Merhaba.", "Merhabo.", 1);
    assert_eq!(house.hand(touched.as_bytes(), &[CAN]).await, Said::Refused("SealInvalid"));
    assert_eq!(house.hand(b"Subject: a\r\n\r\nb\r\n", &[CAN]).await, Said::Refused("NotRem"));
    // A registered seal that the registry has ended.
    let ended = house.peer.at.plus_secs(-3600);
    house.register(|row| row.seals[0].until = Some(ended)).await;
    assert_eq!(house.hand(&mail, &[CAN]).await, Said::Refused("SealEnded"));
    house.register(|row| row.seals.clear()).await;
    assert_eq!(house.hand(&mail, &[CAN]).await, Said::Refused("SealUnknown"));
    assert!(house.message("5f2c@hs05.kep.tr").await.is_none());
    assert!(house.jobs("consign").await.is_empty() && house.jobs("evidence").await.is_empty());
}

/// Each of the older machines is a network of its own, though a listener on [::] sees all of them in one
/// prefix; and whoever shows a registered certificate has room when strangers have taken theirs.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_strangers_do_not_take_the_room_of_providers() {
    let house = House::open().await;
    let shown = house.peer.user_root.certificate().clone();
    let pin = shown.digest().hex();
    house.register(|row| row.client_pins = pin.clone()).await;
    let from = |last: u8| format!("::ffff:192.0.2.{last}").parse().unwrap();
    let one = 16 << 20;
    let mut held = vec![house.room(from(1), None, one).await.unwrap()];
    assert!(house.room(from(1), None, 1).await.is_none(), "its share is taken");
    held.push(house.room(from(2), None, one).await.unwrap());
    assert!(house.room(from(3), None, 1).await.is_none(), "all that is for strangers is taken");
    assert!(house.room(from(3), Some(shown.der()), one).await.is_some());
    held.clear();
    assert!(house.room(from(3), None, one).await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_a_list_of_unknown_names_makes_no_heap_of_evidence() {
    let house = House::open().await;
    let names: Vec<_> = (0..101).map(|n| format!("yok{n}@hs06.kep.tr")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let mail = house.incoming(&names);
    assert_eq!(house.hand(&mail, &names).await, Said::Refused("UnknownMany"));
    assert_eq!(house.hand(&mail, &names[..100]).await, Said::Taken);
    // Nor in pieces.
    assert_eq!(house.hand(&mail, &names[100..]).await, Said::Refused("UnknownMany"));
    let (_, recipients) = house.message("5f2c@hs05.kep.tr").await.unwrap();
    assert_eq!(recipients[100].state, RecipientState::Elsewhere);
}

fn refused(refusal: Refusal) -> PeerAnswer {
    PeerAnswer::Refused(refusal)
}

/// Evidence under another identifier.
fn renamed(evidence: &Evidence, id: &str) -> Evidence {
    Evidence { id: EvidenceId::from_stored(id), ..evidence.clone() }
}

/// Of events, in the order they come, what is shown at the end.
const TOLD: [(Event, RecipientState); 4] = [
    (Event::RelayAcceptance, RecipientState::Accepted),
    (Event::Delivery, RecipientState::Delivered),
    (Event::Retrieval, RecipientState::Read),
    (Event::NonDelivery, RecipientState::Read),
];
