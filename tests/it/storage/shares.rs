//! Storage shares on both drivers: whose limit holds, what counts, who is told and how often.

use super::bed::{Bed, id, message};
use super::{NOW, on_both};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::policy;
use kep::registry::shares::{self, Whose};
use kep::store::mail::{self, Kind, Role, usage, view};
use kep::store::{Lane, StoreError, Tx, contents};
use kep::wire::imap::UidSet;
use kep::wire::{AccountId, Timestamp};
use std::sync::Arc;

const CONFIGURED: Option<u64> = Some(1000);

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("can".into()), channel: Channel::CommandLine, at }
}

impl Bed {
    pub async fn share(&self, account: AccountId, now: Timestamp) -> (u64, Option<u64>, Whose) {
        let share = shares::share(&self.store, account, CONFIGURED, now).await.unwrap();
        (share.used, share.limit, share.by)
    }

    async fn fill(&self, account: AccountId, kind: Kind, octets: usize, n: u32) {
        let put = self.store.blobs.put(vec![b'x'; octets]).unwrap();
        let blobs = Arc::clone(&self.store.blobs);
        let role = if kind == Kind::Evidence { Role::Evidence } else { Role::Inbox };
        self.write(move |tx| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            let mailbox = mail::of_role(tx, account, role)?;
            mail::lay_in(tx, mailbox, content, &message(&put, kind, Some(id(n))))?;
            Ok(())
        })
        .await;
    }

    pub async fn of_kind(&self, account: AccountId, kind: &'static str) {
        self.write(move |tx| {
            let row = tx.one(
                "holder",
                "INSERT INTO holder (kind, identity, name, form, created_at, changed_at)
                 VALUES ($1, $2, 'x', '{}', 0, 0) RETURNING id",
                &[kind.into(), kind.into()],
            )?;
            let sql = "UPDATE account SET holder = $1 WHERE id = $2";
            tx.execute(sql, &[row.int(0)?.into(), account.0.into()])?;
            Ok(())
        })
        .await;
    }

    async fn decide(&self, key: &'static str, value: &str, from: Timestamp) {
        policy::set(&self.store, &by(NOW), key, value, from, "karar").await.unwrap();
    }

    async fn told(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM outgoing WHERE kind = 'storage'").await
    }

    async fn place(&self, account: AccountId) {
        self.write(move |tx| {
            let sql = "INSERT INTO notice_target
                (account, channel, target, language, events, added_at, verified_at)
                VALUES ($1, 'mail', 'ali@example.com', 'tr', 'storage', 0, 1)";
            tx.execute(sql, &[account.0.into()])?;
            Ok(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_own_limit_goes_before_the_kinds_and_that_before_the_providers() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        let later = NOW.plus_secs(3600);
        bed.decide("storage.company", "4 KiB", later).await;
        bed.decide("storage.person", "8 KiB", NOW).await;
        assert_eq!(bed.share(account, later).await, (0, CONFIGURED, Whose::Provider));
        bed.of_kind(account, "company").await;
        assert_eq!(bed.share(account, NOW).await, (0, CONFIGURED, Whose::Provider), "not yet");
        assert_eq!(bed.share(account, later).await, (0, Some(4096), Whose::Policy));
        let own = |limit| move |tx: &mut Tx<'_>| usage::set_limit(tx, account, limit);
        let set = bed.store.write(Lane::Client, own(Some(10))).await;
        set.unwrap_or_else(|e: kep::store::RowsError| panic!("{e}"));
        assert_eq!(bed.share(account, later).await, (0, Some(10), Whose::Account));
        let set = bed.store.write(Lane::Client, own(None)).await;
        set.unwrap_or_else(|e: kep::store::RowsError| panic!("{e}"));
        policy::set(&bed.store, &by(later), "storage.company", "-", later, "geri").await.unwrap();
        assert_eq!(bed.share(account, later).await, (0, CONFIGURED, Whose::Provider));
        let share = shares::share(&bed.store, account, None, later).await.unwrap();
        assert_eq!((share.room(), share.by), (None, Whose::Nobody));
    })
    .await;
}

#[tokio::test]
async fn evidence_comes_to_a_full_account_and_counts_for_nothing() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        bed.fill(account, Kind::Plain, 1000, 1).await;
        let full = bed.share(account, NOW).await;
        assert_eq!(full, (1000, CONFIGURED, Whose::Provider));
        for n in 2..5 {
            bed.fill(account, Kind::Evidence, 5000, n).await;
        }
        assert_eq!(bed.share(account, NOW).await, full);
        assert_eq!(bed.count("SELECT COUNT(*) FROM message WHERE kind = 'evidence'").await, 3);
    })
    .await;
}

#[tokio::test]
async fn who_is_nearly_full_is_told_once_until_he_made_room() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        bed.account("b@hs05.kep.tr").await;
        bed.place(account).await;
        let warn = |now| {
            let store = bed.store.clone();
            async move { shares::warn(&store, CONFIGURED, now).await.unwrap() }
        };
        bed.fill(account, Kind::Plain, 899, 1).await;
        assert_eq!((warn(NOW).await, bed.told().await), (0, 0));
        bed.fill(account, Kind::Evidence, 500, 9).await;
        assert_eq!((warn(NOW).await, bed.told().await), (0, 0), "evidence fills nothing");
        bed.fill(account, Kind::Plain, 1, 2).await;
        // Two processes at the same time, and again: once.
        let (one, other) = (warn(NOW), warn(NOW));
        let (one, other) = tokio::join!(one, other);
        assert_eq!((one + other, bed.told().await), (1, 1));
        assert_eq!((warn(NOW.plus_secs(60)).await, bed.told().await), (0, 1));
        bed.write(move |tx| {
            let inbox = mail::of_role(tx, account, Role::Inbox)?;
            let inbox = view::owned(tx, account, inbox)?.unwrap();
            mail::change::remove_all(tx, &inbox, &UidSet::range(1, 1))?;
            Ok::<_, StoreError>(())
        })
        .await;
        assert_eq!((warn(NOW).await, bed.told().await), (0, 1));
        bed.fill(account, Kind::Plain, 950, 3).await;
        assert_eq!((warn(NOW).await, bed.told().await), (1, 2));
        bed.decide("storage.warn", "0", NOW).await;
        assert_eq!((warn(NOW).await, bed.told().await), (0, 2));
    })
    .await;
}
