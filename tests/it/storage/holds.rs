//! What is held is not erased, whoever removes it; its owner sees nothing of that.

use super::bed::{Bed, NOW, id, message};
use super::on_both;
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::holds::{self, HoldError};
use kep::registry::staff::{self, StaffRole};
use kep::store::fsck::{self, Depth, Kind as Found};
use kep::store::holds as rows;
use kep::store::mail::{self, Kind, Role, trash, view};
use kep::store::{RowsError, StoreError, Tx, contents};
use kep::wire::imap::UidSet;
use kep::wire::{AccountId, ContentId, KepAddress};
use secrecy::SecretString;

const WHO: &str = "a@hs05.kep.tr";

fn by(name: &str) -> By {
    By { actor: Actor::Staff(name.to_owned()), channel: Channel::CommandLine, at: NOW }
}

impl Bed {
    async fn lay(&self, account: AccountId, n: u32) -> ContentId {
        let put = self.store.blobs.put(format!("mail {n}").into_bytes()).unwrap();
        let blobs = std::sync::Arc::clone(&self.store.blobs);
        self.write(move |tx| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            let trash = mail::of_role(tx, account, Role::Trash)?;
            mail::lay_in(tx, trash, content, &message(&put, Kind::Plain, Some(id(n))))?;
            Ok(content)
        })
        .await
    }

    async fn hold(&self, message: Option<u32>) -> i64 {
        let (address, message) = (KepAddress::parse(WHO).unwrap(), message.map(id));
        let by = by("can");
        holds::place(&self.store, &by, "ece", &address, message, "2026/17").await.unwrap()
    }

    async fn expunge(&self, account: AccountId) {
        self.write(move |tx| {
            let trash = mail::of_role(tx, account, Role::Trash)?;
            let trash = view::owned(tx, account, trash)?.unwrap();
            mail::change::remove_all(tx, &trash, &UidSet::range(1, 99))?;
            Ok(())
        })
        .await;
    }

    async fn visible(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM message").await
    }

    async fn is_there(&self, content: ContentId) -> bool {
        let find = move |tx: &mut Tx<'_>| -> Result<bool, StoreError> {
            match contents::find(tx, content) {
                Err(RowsError::Missing(_)) => Ok(false),
                found => Ok(!found?.pieces().is_empty()),
            }
        };
        self.read(find).await
    }

    async fn orphans(&self) -> usize {
        let found = fsck::check(&self.store, Depth::Full, |_| {}).await.unwrap();
        found.iter().filter(|one| one.kind == Found::OrphanContent).count()
    }
}

#[tokio::test]
async fn what_an_owner_removes_of_a_held_account_stays_until_the_last_hold_ends() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let account = bed.account(WHO).await;
        let content = bed.lay(account, 1).await;
        let (first, second) = (bed.hold(None).await, bed.hold(None).await);
        bed.expunge(account).await;
        assert_eq!((bed.visible().await, bed.is_there(content).await), (0, true));
        assert_eq!(bed.store.content(content).await.unwrap(), b"mail 1");
        assert_eq!(bed.orphans().await, 0);
        assert_eq!(holds::release(&bed.store, &by("ece"), "can", first, "bitti").await.unwrap(), 0);
        assert!(bed.is_there(content).await);
        let gone = holds::release(&bed.store, &by("ece"), "can", second, "bitti").await.unwrap();
        assert_eq!((gone, bed.is_there(content).await), (1, false));
        let again = holds::release(&bed.store, &by("ece"), "can", second, "bitti").await;
        assert!(matches!(again, Err(HoldError::Unknown(_))), "{again:?}");
        let acts = bed.count("SELECT COUNT(*) FROM audit WHERE act LIKE 'hold.%'").await;
        assert_eq!(acts, 4);
    })
    .await;
}

#[tokio::test]
async fn the_emptying_of_the_trash_keeps_back_what_is_held_and_nothing_else() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let account = bed.account(WHO).await;
        let (held, free) = (bed.lay(account, 1).await, bed.lay(account, 2).await);
        let hold = bed.hold(Some(1)).await;
        assert_eq!(trash::empty(&bed.store, NOW.plus_secs(1)).await.unwrap(), 2);
        assert_eq!((bed.is_there(held).await, bed.is_there(free).await), (true, false));
        let listed = holds::list(&bed.store).await.unwrap();
        assert_eq!((listed.len(), listed[0].1), (1, 1));
        holds::release(&bed.store, &by("can"), "ece", hold, "bitti").await.unwrap();
        assert!(!bed.is_there(held).await);
        assert!(holds::list(&bed.store).await.unwrap()[0].0.released.is_some());
    })
    .await;
}

#[tokio::test]
async fn one_person_alone_holds_nothing() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        bed.account(WHO).await;
        let (address, store) = (KepAddress::parse(WHO).unwrap(), &bed.store);
        let alone = holds::place(store, &by("can"), "can", &address, None, "2026/17").await;
        assert!(matches!(alone, Err(HoldError::OnePerson(_))), "{alone:?}");
        let system = By::system("trash", NOW);
        let nobody = holds::place(store, &system, "can", &address, None, "2026/17").await;
        assert!(matches!(nobody, Err(HoldError::NotStaff)), "{nobody:?}");
        let unreasoned = holds::place(store, &by("can"), "ece", &address, None, " ").await;
        assert!(matches!(unreasoned, Err(HoldError::Reason)), "{unreasoned:?}");
        let stranger = KepAddress::parse("b@hs05.kep.tr").unwrap();
        let unknown = holds::place(store, &by("can"), "ece", &stranger, None, "2026/17").await;
        assert!(matches!(unknown, Err(HoldError::UnknownAccount(_))), "{unknown:?}");
        assert!(holds::list(store).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_has_not_the_role_or_has_left_holds_nothing() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let (address, store) = (KepAddress::parse(WHO).unwrap(), &bed.store);
        bed.account(WHO).await;
        let secret = SecretString::from("uzun bir parola sozu");
        for (name, role) in [("denetci", StaffRole::Auditor), ("kayitci", StaffRole::Registrar)] {
            staff::add(store, &by("can"), name, name, &[role], &secret).await.unwrap();
        }
        let place = async |first: &str, second: &str| {
            holds::place(store, &by(first), second, &address, None, "2026/17").await
        };
        for (first, second) in [("denetci", "ece"), ("can", "kayitci"), ("can", "kimse")] {
            let refused = place(first, second).await;
            assert!(matches!(refused, Err(HoldError::OffDuty(_))), "{first} {second} {refused:?}");
        }
        let hold = place("kayitci", "ece").await.unwrap();
        let left = holds::release(store, &by("denetci"), "ece", hold, "bitti").await;
        assert!(matches!(left, Err(HoldError::OffDuty(_))), "{left:?}");
        staff::end(store, &by("can"), "ece").await.unwrap();
        let left = holds::release(store, &by("can"), "ece", hold, "bitti").await;
        assert!(matches!(left, Err(HoldError::OffDuty(_))), "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_is_placed_while_another_lets_go_keeps_what_it_covers() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let account = bed.account(WHO).await;
        let content = bed.lay(account, 1).await;
        let first = bed.hold(None).await;
        bed.expunge(account).await;
        // As a release has it that was seen by nobody yet.
        bed.write(move |tx| {
            let sql = "UPDATE legal_hold SET released_at = 1, released_by = 'can' WHERE id = $1";
            Ok(tx.execute(sql, &[first.into()])?)
        })
        .await;
        let seen = bed.read(|tx| Ok(rows::unkept(tx, 10)?)).await;
        assert_eq!(seen.len(), 1);
        let second = bed.hold(Some(1)).await;
        let one = seen[0].clone();
        assert!(!bed.write(move |tx| rows::let_go(tx, &one)).await);
        assert!(bed.is_there(content).await);
        assert_eq!(holds::let_go(&bed.store).await.unwrap(), 0);
        let gone = holds::release(&bed.store, &by("ece"), "can", second, "bitti").await.unwrap();
        assert_eq!((gone, bed.is_there(content).await), (1, false));
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_a_message_that_the_account_has_nothing_of_is_refused() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let account = bed.account(WHO).await;
        bed.lay(account, 1).await;
        let (address, store) = (KepAddress::parse(WHO).unwrap(), &bed.store);
        let of = async |n| {
            let (by, message) = (by("can"), Some(id(n)));
            holds::place(store, &by, "ece", &address, message, "2026/17").await
        };
        assert!(matches!(of(2).await, Err(HoldError::UnknownMessage(_))));
        assert!(holds::list(store).await.unwrap().is_empty());
        of(1).await.unwrap();
        // What only the holds have is known, too.
        bed.expunge(account).await;
        of(1).await.unwrap();
    })
    .await;
}
