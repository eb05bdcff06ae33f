//! The provider's own people, on both drivers.

use super::{NOW, bed::Bed, on_both};
use kep::registry::api_tokens::{self, NewToken, Scope, Scopes, TokenError};
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::staff::{self, StaffError, StaffRole};
use kep::trust::password::Passwords;
use secrecy::SecretString;
use serde_json::json;

async fn add(bed: &Bed, name: &str, roles: &[StaffRole]) -> Result<(), StaffError> {
    let secret = SecretString::from("uzun bir parola sozu");
    staff::add(&bed.store, &By::system("test", NOW), name, name, roles, &secret).await.map(drop)
}

#[tokio::test]
async fn staff_always_have_a_manager_who_can_manage_them() {
    on_both(|bed| async move {
        let (store, by) = (&bed.store, By::system("test", NOW));
        let none = |done: Result<(), StaffError>| matches!(done, Err(StaffError::NoManager));
        assert!(none(add(&bed, "selin", &[StaffRole::Registrar]).await), "the first one");
        assert_eq!(bed.count("SELECT COUNT(*) FROM audit").await, 0);
        add(&bed, "mudur", &[StaffRole::Manager]).await.unwrap();
        add(&bed, "selin", &[StaffRole::Registrar]).await.unwrap();
        assert!(none(staff::set_roles(store, &by, "mudur", &[StaffRole::Auditor]).await));
        assert!(none(staff::end(store, &by, "mudur").await));
        staff::set_roles(store, &by, "selin", &[StaffRole::Manager]).await.unwrap();
        staff::end(store, &by, "mudur").await.unwrap();
        // The day on which somebody left stays.
        let later = By::system("test", NOW.plus_secs(86_400));
        let again = staff::end(store, &later, "mudur").await;
        assert!(matches!(again, Err(StaffError::Unknown(_))));
        let mudur = staff::find(store, "mudur").await.unwrap().unwrap();
        assert_eq!(mudur.ended_at, Some(NOW));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_managers_who_end_each_other_at_the_same_time_leave_one() {
    on_both(|bed| async move {
        for name in ["bir", "iki"] {
            add(&bed, name, &[StaffRole::Manager]).await.unwrap();
        }
        add(&bed, "selin", &[StaffRole::Registrar]).await.unwrap();
        let other = bed.another().await;
        let by = By::system("test", NOW);
        let both = tokio::join!(staff::end(&bed.store, &by, "bir"), staff::end(&other, &by, "iki"));
        assert!(both.0.is_ok() != both.1.is_ok(), "{both:?}");
        let left = staff::list(&bed.store).await.unwrap();
        assert_eq!(left.iter().filter(|one| one.may(StaffRole::Manager)).count(), 1);
    })
    .await;
}

fn his(name: &str) -> By {
    By { actor: Actor::Staff(name.to_owned()), channel: Channel::CommandLine, at: NOW }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_a_password_that_another_one_set_sets_his_own_before_he_acts() {
    on_both(|bed| async move {
        let (store, passwords) = (&bed.store, Passwords::new(1).unwrap());
        let [first, given, own] =
            ["uzun bir parola sozu", "mudurun verdigi soz", "kimsenin bilmedigi soz"]
                .map(SecretString::from);
        let proven = async |name: &str, secret: &SecretString| {
            staff::prove(store, &passwords, name, secret, NOW).await.map(|member| member.name)
        };
        let renewed = async |old: &SecretString, new: &SecretString| {
            let when = (Channel::CommandLine, NOW);
            staff::set_own_password(store, &passwords, "selin", (old, new), when).await
        };
        add(&bed, "mudur", &[StaffRole::Manager]).await.unwrap();
        add(&bed, "selin", &[StaffRole::Registrar]).await.unwrap();
        // The first one is added by himself.
        assert_eq!(proven("mudur", &first).await.unwrap(), "mudur");
        let new = proven("selin", &first).await;
        assert!(matches!(new, Err(StaffError::PasswordGiven(_))), "{new:?}");
        assert!(matches!(renewed(&own, &given).await, Err(StaffError::Rejected)));
        assert!(matches!(renewed(&first, &first).await, Err(StaffError::PasswordSame)));
        renewed(&first, &own).await.unwrap();
        assert_eq!(proven("selin", &own).await.unwrap(), "selin");

        staff::give_password(store, &his("mudur"), "selin", &given).await.unwrap();
        assert!(matches!(proven("selin", &own).await, Err(StaffError::Rejected)));
        assert!(matches!(proven("selin", &given).await, Err(StaffError::PasswordGiven(_))));
        assert!(staff::find(store, "selin").await.unwrap().unwrap().password_given);
        renewed(&given, &own).await.unwrap();
        assert_eq!(proven("selin", &own).await.unwrap(), "selin");
        // Each stands there with who did it.
        let wanted = Wanted { act: Some("staff.password".into()), most: 9, ..Wanted::default() };
        let told = audit::list(store, wanted).await.unwrap();
        let told: Vec<_> =
            told.iter().rev().map(|one| (one.actor.as_str(), &one.details)).collect();
        let (own, given) = (json!({ "own": true }), json!({ "own": false }));
        assert_eq!(told, [("staff:selin", &own), ("staff:mudur", &given), ("staff:selin", &own)]);
    })
    .await;
}

/// Whoever had the one before could set his own over one that was given meanwhile because it was lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_set_once_by_what_proved_it() {
    on_both(|bed| async move {
        let (store, passwords) = (&bed.store, Passwords::new(2).unwrap());
        let first = SecretString::from("uzun bir parola sozu");
        add(&bed, "mudur", &[StaffRole::Manager]).await.unwrap();
        let set = async |new: &str| {
            let (new, when) = (SecretString::from(new), (Channel::CommandLine, NOW));
            staff::set_own_password(store, &passwords, "mudur", (&first, &new), when).await
        };
        let (one, other) = tokio::join!(set("birinci yeni parola"), set("ikinci yeni parola"));
        let (right, wrong) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(right.is_ok() && matches!(wrong, Err(StaffError::Rejected)), "{wrong:?}");
    })
    .await;
}

#[tokio::test]
async fn a_token_of_the_staff_is_made_by_nobody_but_whose_it_is() {
    on_both(|bed| async move {
        add(&bed, "mudur", &[StaffRole::Manager]).await.unwrap();
        add(&bed, "selin", &[StaffRole::Registrar]).await.unwrap();
        let made = async |by: &By| {
            let scopes = Scopes::of([Scope::StaffAccounts]);
            let new = NewToken { name: "idare", scopes, days: 1 };
            api_tokens::add_staff(&bed.store, by, "selin", new).await.map(drop)
        };
        for other in [his("mudur"), By::system("test", NOW)] {
            assert!(matches!(made(&other).await, Err(TokenError::Another(_))), "{other:?}");
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM api_token").await, 0);
        made(&his("selin")).await.unwrap();
    })
    .await;
}

/// A token went on approving after its owner's password had been given anew because all was lost.
#[tokio::test]
async fn who_is_given_a_new_password_has_no_token_any_more() {
    on_both(|bed| async move {
        add(&bed, "mudur", &[StaffRole::Manager]).await.unwrap();
        add(&bed, "selin", &[StaffRole::Registrar]).await.unwrap();
        let new = NewToken { name: "idare", scopes: Scopes::of([Scope::StaffAccounts]), days: 1 };
        let by = his("selin");
        let secret = api_tokens::add_staff(&bed.store, &by, "selin", new).await.unwrap().1;
        assert!(api_tokens::admit(&bed.store, &secret, NOW).await.is_ok());
        let given = SecretString::from("yeni verilen uzun parola");
        staff::give_password(&bed.store, &his("mudur"), "selin", &given).await.unwrap();
        assert!(api_tokens::admit(&bed.store, &secret, NOW).await.is_err());
    })
    .await;
}
