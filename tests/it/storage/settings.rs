//! What people set for themselves, on both drivers.

use super::{NOW, credentials, on_both};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::credentials::Owner;
use kep::registry::outbox::Language;
use kep::registry::settings::kinds::{Density, PageSize};
use kep::registry::settings::{self, SettingError, Settings};

fn by() -> By {
    By { actor: Actor::Staff("can".into()), channel: Channel::CommandLine, at: NOW }
}

#[tokio::test]
async fn what_is_set_is_found_again_by_its_owner_alone() {
    on_both(|bed| async move {
        let (ali, store) = (credentials::ali(&bed).await, &bed.store);
        let operator = Owner { operator: 1, ..ali };
        assert_eq!(settings::show(store, ali).await.unwrap(), Settings::default());
        for (key, value) in [("page-size", "200"), ("page-size", "100"), ("density", "tight")] {
            settings::set(store, &by(), ali, key, value).await.unwrap();
        }
        let text = "Ali Veli\nÖrnek A.Ş.\t☎";
        settings::set(store, &by(), operator, "signature-text", text).await.unwrap();
        let found = settings::show(store, ali).await.unwrap();
        assert_eq!((found.page_size, found.density), (PageSize(100), Density::Tight));
        assert_eq!(found.signature_text.0, "");
        let found = settings::show(store, operator).await.unwrap();
        assert_eq!((found.page_size, found.signature_text.0.as_str()), (PageSize(50), text));

        for (key, value) in [("page-size", "101"), ("undo", ""), ("language", "de")] {
            let bad = settings::set(store, &by(), ali, key, value).await;
            assert!(matches!(bad, Err(SettingError::Value { .. })), "{bad:?}");
        }
        let unknown = settings::set(store, &by(), ali, "colour", "red").await;
        assert!(matches!(unknown, Err(SettingError::Unknown(_))), "{unknown:?}");
        assert_eq!(settings::show(store, ali).await.unwrap().page_size, PageSize(100));
        // The same again is no act; what is written beneath messages stands in no log.
        settings::set(store, &by(), ali, "density", "tight").await.unwrap();
        let acts = "SELECT COUNT(*) FROM audit WHERE act = 'account.settings'";
        assert_eq!(bed.count(acts).await, 4);
        let told = "SELECT COUNT(*) FROM audit WHERE details LIKE '%Veli%'";
        assert_eq!(bed.count(told).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_language_is_that_of_the_holders_notices_and_of_no_deputys() {
    on_both(|bed| async move {
        let ali = credentials::ali(&bed).await;
        let add = |target: &'static str, deputy: Option<&'static str>| {
            let account = ali.account.0;
            bed.write(move |tx| {
                let sql = "INSERT INTO notice_target
                    (account, channel, target, language, events, deputy, away_from, away_until, added_at)
                    VALUES ($1, 'mail', $2, 'tr', 'mail', $3, 0, 1, 0)";
                tx.execute(sql, &[account.into(), target.into(), deputy.into()])?;
                Ok(())
            })
        };
        add("ali@example.com", None).await;
        add("vekil@example.com", Some("Vekil")).await;
        settings::set(&bed.store, &by(), ali, "language", "en").await.unwrap();
        let english = "SELECT COUNT(*) FROM notice_target WHERE language = 'en' AND deputy IS NULL";
        assert_eq!(bed.count(english).await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM notice_target WHERE language = 'tr'").await, 1);
        let found = settings::show(&bed.store, ali).await.unwrap();
        assert_eq!(found.language, Language::English);
        // An operator's own is his alone.
        let operator = Owner { operator: 2, ..ali };
        settings::set(&bed.store, &by(), operator, "language", "tr").await.unwrap();
        assert_eq!(bed.count(english).await, 1);
    })
    .await;
}
