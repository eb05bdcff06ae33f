//! The provider's own people, on both drivers.

use super::{NOW, bed::Bed, on_both};
use kep::registry::audit::By;
use kep::registry::staff::{self, StaffError, StaffRole};
use secrecy::SecretString;

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
