//! Each test takes a store, so that it runs on SQLite and on a private PostgreSQL server; where that
//! is not installed, its half steps aside and says so.

mod acts;
mod annotating;
mod appending;
mod arranging;
mod attributes;
mod changing;
mod duties;
mod gathering;
mod labelling;
mod limiting;
mod meanwhile;
mod modes;
mod opening;
mod parts;
mod reading;
mod recent;
mod searching;
mod seats;
#[path = "../../../../tests/it/storage/server.rs"]
pub mod server;
mod spelling;
mod staying;
mod stress;
mod telling;
mod threading;
pub mod world;

/// Runs a test on each kind of store that is at hand.
macro_rules! on_stores {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let place = tempfile::tempdir().unwrap();
                super::$name(super::super::world::World::embedded(&place).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                let place = tempfile::tempdir().unwrap();
                if let Some(world) = super::super::world::World::on_server(&place).await {
                    super::$name(world).await;
                }
            })*
        }
    };
}
use on_stores;
