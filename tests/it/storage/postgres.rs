//! What only PostgreSQL has: connections that break, processes beside each other.

use super::bed::Bed;
use super::{NOW, server};
use kep::store::{Lane, RowsAt, RowsError, Store, StoreError, Tx, jobs};
use kep::wire::MailboxId;
use std::sync::Arc;
use tokio_postgres::Client;

async fn cut(admin: &Client) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.execute(sql, &[]).await.unwrap();
}

async fn admin(bed: &Bed) -> Client {
    let RowsAt::Postgres(url) = &bed.at else { panic!("not PostgreSQL") };
    server::admin(url).await
}

fn lay_in(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    Ok(jobs::lay_in(tx, "deliver", name, "", NOW)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_midway_fails_the_unit_and_the_next_one_reconnects() {
    let Some(bed) = Bed::postgres().await else { return };
    let admin = Arc::new(admin(&bed).await);
    let (cutter, handle) = (Arc::clone(&admin), tokio::runtime::Handle::current());
    let work = move |tx: &mut Tx<'_>| {
        lay_in(tx, "lost")?;
        handle.block_on(cut(&cutter));
        lay_in(tx, "lost too")
    };
    let done = bed.store.write(Lane::Client, work).await;
    assert!(matches!(done, Err(StoreError::Rows(_))), "{done:?}");
    // As many as there are connections: each finds its own lost.
    for n in 0..12 {
        bed.write(move |tx| lay_in(tx, &format!("kept {n}"))).await;
    }
    assert_eq!(bed.count("SELECT COUNT(*) FROM job").await, 12);
}

#[tokio::test]
async fn connections_lost_between_units_are_not_noticed_by_anyone() {
    let Some(bed) = Bed::postgres().await else { return };
    let admin = admin(&bed).await;
    for n in 0..12 {
        cut(&admin).await;
        bed.write(move |tx| lay_in(tx, &format!("kept {n}"))).await;
    }
    assert_eq!(bed.count("SELECT COUNT(*) FROM job").await, 12);
}

#[tokio::test]
async fn a_server_that_answers_before_it_is_durable_is_asked_not_to() {
    let Some(bed) = Bed::postgres().await else { return };
    let database = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() ||
                    ' SET synchronous_commit = off'; END $$";
    admin(&bed).await.batch_execute(database).await.unwrap();
    let other = bed.another().await;
    let asked = |tx: &mut Tx<'_>| {
        let row = tx.one("setting", "SELECT current_setting('synchronous_commit')", &[])?;
        Ok::<_, RowsError>(row.text(0)?.to_owned())
    };
    assert_eq!(other.read(asked).await.unwrap(), "on");
}

#[tokio::test]
async fn news_reach_other_processes() {
    let Some(bed) = Bed::postgres().await else { return };
    let other = bed.another().await;
    let mut watched = other.watch();
    bed.write(|tx| {
        tx.wakes.mailbox(MailboxId(7));
        lay_in(tx, "job")
    })
    .await;
    other.job_for("deliver").await;
    assert_eq!(watched.recv().await.unwrap(), MailboxId(7));
}

#[tokio::test]
async fn who_may_have_missed_news_looks_for_himself() {
    let Some(bed) = Bed::postgres().await else { return };
    let other: Store = bed.another().await;
    let mut watched = other.watch();
    cut(&admin(&bed).await).await;
    other.job_for("deliver").await;
    let heard = watched.recv().await;
    assert!(matches!(heard, Err(tokio::sync::broadcast::error::RecvError::Lagged(_))), "{heard:?}");
}
