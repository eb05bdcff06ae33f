//! Another master key: all is sealed anew under it, however often that is cut short, and the old one
//! goes when nothing needs it.

use super::bed::Bed;
use super::{NOW, credentials, on_both};
use kep::registry::app_passwords::{self, NewPassword, Scopes};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::credentials::{Owner, totp};
use kep::registry::outbox::{self, Fields, Kind, Language, Outgoing};
use kep::registry::resealing::{self, ResealError};
use kep::store::{Store, StoreError, Tx, contents};
use kep::trust::vault::{Purpose, Vault, VaultError};
use kep::wire::{ContentId, KepAddress, Reach};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

/// More than three steps of contents.
const CONTENTS: usize = 600;

fn by() -> By {
    By { actor: Actor::Staff("can".into()), channel: Channel::CommandLine, at: NOW }
}

impl Bed {
    fn key(&self) -> PathBuf {
        self.dir.path().join("master.key")
    }

    /// Another process, with the key file as it is now.
    async fn process(&self) -> Store {
        let vault = Arc::new(Vault::open(&self.key()).unwrap());
        let blobs = kep::store::Blobs::open(&self.blobs_dir(), vault).unwrap();
        Store::with(&self.at, blobs).await.unwrap()
    }

    async fn sealed_by(&self) -> BTreeMap<u8, u64> {
        let mut all = BTreeMap::new();
        for (_, counts) in resealing::counts(&self.store).await.unwrap() {
            counts.into_iter().for_each(|(key, rows)| *all.entry(key).or_default() += rows);
        }
        all
    }

    async fn lay_contents(&self) -> Vec<ContentId> {
        let blobs = Arc::clone(&self.store.blobs);
        self.write(move |tx| {
            let lay = |n: usize| -> Result<ContentId, StoreError> {
                let put = blobs.put(format!("content {n}").into_bytes())?;
                contents::create_from(tx, &blobs, &[&put])
            };
            (0..CONTENTS).map(lay).collect()
        })
        .await
    }

    async fn say_a_secret(&self, owner: Owner) -> i64 {
        let fields = Fields::secret(self.store.blobs.vault(), &[("code", "428911")]).unwrap();
        let outgoing = Outgoing {
            account: owner.account,
            to: Reach::parse("+905321234567").unwrap(),
            language: Language::Turkish,
            kind: Kind::LoginCode,
            fields,
            cause: "login-code/1".into(),
            due: NOW,
            expires: NOW.plus_secs(600),
        };
        self.write(move |tx| Ok(outbox::queue(tx, &outgoing)?.unwrap())).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_it_is_cut_short_it_goes_on_and_nothing_of_the_old_key_is_left() {
    on_both(|bed| async move {
        let owner = credentials::ali(&bed).await;
        let address = KepAddress::parse("ali.veli@hs05.kep.tr").unwrap();
        let laid = bed.lay_contents().await;
        let made = totp::enrol(&bed.store, owner, "Deneme", &by()).await.unwrap();
        let new = NewPassword { name: "Thunderbird".into(), opening: None, scopes: Scopes::mail() };
        app_passwords::add(&bed.store, &address, new, &by()).await.unwrap();
        bed.say_a_secret(owner).await;
        for (column, counts) in resealing::counts(&bed.store).await.unwrap() {
            let there = counts.get(&1).copied().unwrap_or_default();
            assert!(there > 0, "{column:?} {counts:?}");
        }
        let derived = bed.vault.derive(Purpose::LoginPlace, b"x").unwrap();

        Vault::rotate(&bed.key()).unwrap();
        // Each process ends after one more step than the one before.
        let (mut left, mut killed) = (bed.sealed_by().await[&1], 0);
        for steps in 1.. {
            let (process, mut said) = (bed.process().await, 0);
            let mut until = |_: &resealing::Round| {
                said += 1;
                said < steps
            };
            resealing::round(&process, &mut until).await.unwrap();
            let now = bed.sealed_by().await.get(&1).copied().unwrap_or_default();
            assert!(now <= left, "never back");
            left = now;
            killed += 1;
            if left == 0 {
                break;
            }
            let early = resealing::retire(&process, &by(), &bed.key(), 1).await;
            assert!(matches!(early, Err(ResealError::Needed { generation: 1, .. })), "{early:?}");
        }
        assert!(killed > 3, "it was cut short: {killed}");
        assert_eq!(bed.sealed_by().await.into_keys().collect::<Vec<_>>(), [2]);
        assert_eq!(resealing::all(&bed.process().await, &mut |_| true).await.unwrap().resealed, 0);

        resealing::retire(&bed.process().await, &by(), &bed.key(), 1).await.unwrap();
        let process = bed.process().await;
        assert_eq!(process.blobs.vault().generations(), [2]);
        for (n, content) in laid.into_iter().enumerate() {
            let octets = process.content(content).await.unwrap();
            assert_eq!(octets, format!("content {n}").into_bytes());
        }
        let app = credentials::App::scan(&made.secret);
        totp::confirm(&process, owner, &app.code(NOW), &by()).await.unwrap();
        let row = process.read(|tx: &mut Tx<'_>| kep::store::outbox::list(tx, None, None, 9));
        let row = row.await.unwrap_or_else(|e: kep::store::RowsError| panic!("{e}")).remove(0);
        let said = outbox::outgoing(&row).unwrap().fields.values(process.blobs.vault()).unwrap();
        assert_eq!(said["code"], "428911");
        assert_eq!(process.blobs.vault().derive(Purpose::LoginPlace, b"x").unwrap(), derived);
        let acts = bed.count("SELECT COUNT(*) FROM audit WHERE act = 'vault.retire'").await;
        assert_eq!(acts, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_in_the_audit_before_it_is_in_the_file() {
    on_both(|bed| async move {
        let rotate = async || resealing::rotate(&bed.store, &by(), &bed.key()).await;
        let notes = "SELECT COUNT(*) FROM audit WHERE act = 'vault.rotate'";
        bed.write(|tx| Ok(tx.execute("ALTER TABLE audit RENAME TO elsewhere", &[])?)).await;
        let failed = rotate().await;
        assert!(matches!(failed, Err(ResealError::Store(_))), "{failed:?}");
        assert_eq!(Vault::open(&bed.key()).unwrap().generation(), 1, "nobody knows of it");
        bed.write(|tx| Ok(tx.execute("ALTER TABLE elsewhere RENAME TO audit", &[])?)).await;
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(bed.key(), mode(0o644)).unwrap();
        assert!(rotate().await.is_err());
        assert_eq!(bed.count(notes).await, 0, "a file that can't be read is no key to come");
        std::fs::set_permissions(bed.key(), mode(0o600)).unwrap();
        assert_eq!(rotate().await.unwrap(), 2);
        assert_eq!(Vault::open(&bed.key()).unwrap().generation(), 2);
        assert_eq!(bed.count(notes).await, 1);
        // Of two at the same time each adds its own, or none.
        let late = Vault::rotate_to(&bed.key(), 2).err();
        assert!(matches!(late, Some(VaultError::Meanwhile(2))), "{late:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_began_with_the_old_key_goes_on_beside_it() {
    on_both(|bed| async move {
        let laid = bed.lay_contents().await;
        Vault::rotate(&bed.key()).unwrap();
        let other = bed.process().await;
        let round = resealing::all(&other, &mut |_| true).await.unwrap();
        assert_eq!((round.resealed, round.unreadable), (CONTENTS as u64, 0));
        // This one was opened before there was a second generation.
        assert_eq!(bed.store.content(laid[7]).await.unwrap(), b"content 7");
        let late = bed.lay_contents().await;
        // Whichever of the two it sealed by, another round brings all under the newest.
        resealing::all(&bed.store, &mut |_| true).await.unwrap();
        assert_eq!(bed.sealed_by().await.into_keys().collect::<Vec<_>>(), [2]);
        assert_eq!(other.content(late[9]).await.unwrap(), b"content 9");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_and_holds_up_nothing_else() {
    on_both(|bed| async move {
        bed.lay_contents().await;
        bed.write(|tx| {
            let sql = "UPDATE blob SET data_key = $1 WHERE id = (SELECT id FROM blob ORDER BY id LIMIT 1)";
            tx.execute(sql, &[(&[9_u8; 61][..]).into()])?;
            Ok(())
        })
        .await;
        Vault::rotate(&bed.key()).unwrap();
        let round = resealing::all(&bed.store, &mut |_| true).await.unwrap();
        assert_eq!((round.resealed, round.unreadable), (CONTENTS as u64 - 1, 1));
        assert_eq!(bed.sealed_by().await, BTreeMap::from([(2, CONTENTS as u64 - 1), (9, 1)]));
        let none = resealing::retire(&bed.store, &by(), &bed.key(), 2).await;
        assert!(matches!(none, Err(ResealError::Needed { .. })), "{none:?}");
        let unknown = resealing::retire(&bed.store, &by(), &bed.key(), 7).await;
        let told = matches!(unknown, Err(ResealError::Vault(VaultError::NoGeneration(7))));
        assert!(told, "{unknown:?}");
    })
    .await;
}
