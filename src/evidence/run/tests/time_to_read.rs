//! Until when a message may be read, by what was decided.

use super::*;
use crate::registry::audit::By;
use crate::registry::policy;

/// A message of that type, which Ali wrote to himself and which is in his mailbox; its evidence is made. The
/// time that he has to read it, in hours.
async fn hours_to_read(world: &World, id: &str, message_type: &str) -> i64 {
    let message_id = MessageId::parse(id).unwrap();
    let details = Details { message_type: message_type.into(), ..Details::default() };
    let new = NewSubmission {
        message_id: message_id.clone(),
        origin: Origin::Account(world.ali),
        state: SubmissionState::Accepted,
        same_mail: sha256(id.as_bytes()),
        accepted_at: NOW,
        original: world.facts.store.blobs.put(b"mail".to_vec()).unwrap(),
        details: Details { sender: ALI.into(), ..details },
        recipients: vec![NewRecipient {
            address: ALI.into(),
            account: Some(world.ali),
            state: RecipientState::Accepted,
        }],
    };
    let (blobs, fact) = (Arc::clone(&world.facts.store.blobs), id.to_owned());
    let deliver = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        submissions::lay_in(tx, &blobs, &new)?.unwrap();
        submissions::outcome(tx, &new.message_id, 1, RecipientState::Delivered, NOW)?;
        let fact = Fact::Delivered { message: fact.clone(), recipient: 1, at: NOW.millis() };
        Ok(spool::fact(tx, &fact, NOW)?)
    };
    world.facts.store.write(Lane::Client, deliver).await.unwrap();
    assert_eq!(world.carry_out().await, ["delivered"]);
    due(world, message_id).await
}

async fn due(world: &World, id: MessageId) -> i64 {
    let recipients = world.facts.store.read(move |tx| submissions::recipients(tx, &id)).await;
    let due = recipients.unwrap().remove(0).due_at.unwrap();
    (due.millis() - NOW.millis()) / 3_600_000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_holds_for_what_is_delivered_after_it_and_for_nothing_before() {
    let types = [
        ("read.standart", "standart"),
        ("read.e-yazisma", "eYazisma"),
        ("read.e-tebligat", "eTebligat"),
    ];
    for (key, message_type) in types {
        let world = World::open().await;
        let before = hours_to_read(&world, "1@hs05.kep.tr", message_type).await;
        let by = By::system("tests", NOW);
        policy::set(&world.facts.store, &by, key, "36h", NOW, "kanun").await.unwrap();
        assert_ne!(before, 36, "{key}");
        assert_eq!(hours_to_read(&world, "2@hs05.kep.tr", message_type).await, 36, "{key}");
        assert_eq!(due(&world, MessageId::parse("1@hs05.kep.tr").unwrap()).await, before, "{key}");
    }
}
