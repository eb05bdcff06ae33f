//! What only PostgreSQL has: connections that break, processes beside each other.

use super::bed::Bed;
use super::{NOW, server};
use kep::store::{Changed, Lane, RowsAt, RowsError, Store, StoreError, Tx, jobs};
use kep::trust::Clock;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::{AccountId, MailboxId};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
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
    Ok(jobs::lay_in(tx, "expire", name, "", NOW)?)
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
        tx.wakes.account(AccountId(9));
        lay_in(tx, "job")
    })
    .await;
    other.job_for("expire").await;
    assert_eq!(watched.recv().await.unwrap(), Changed::Mailbox(MailboxId(7)));
    assert_eq!(watched.recv().await.unwrap(), Changed::Account(AccountId(9)));
}

#[tokio::test]
async fn who_may_have_missed_news_looks_for_himself() {
    let Some(bed) = Bed::postgres().await else { return };
    let other: Store = bed.another().await;
    let mut watched = other.watch();
    cut(&admin(&bed).await).await;
    other.job_for("expire").await;
    let heard = watched.recv().await;
    assert!(matches!(heard, Err(tokio::sync::broadcast::error::RecvError::Lagged(_))), "{heard:?}");
}

/// A certificate by that authority for the private server, which takes it without a restart.
async fn secure(admin: &Client, authority: &mut CertificateAuthority) {
    let profile = Profile::TlsServer { names: vec!["localhost".into()], addresses: Vec::new() };
    let now = Clock::System.now();
    let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
    let row = admin.query_one("SHOW data_directory", &[]).await.unwrap();
    let dir = PathBuf::from(row.get::<_, String>(0));
    let owner = std::fs::metadata(&dir).unwrap();
    let (pem, key) = (issued.certificate().pem(), issued.key_pem().unwrap());
    for (name, octets) in [("server.crt", pem.as_bytes()), ("server.key", &key)] {
        let file = dir.join(name);
        std::fs::write(&file, octets).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    admin.batch_execute("ALTER SYSTEM SET ssl = on").await.unwrap();
    admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    while admin.query_one("SHOW ssl", &[]).await.unwrap().get::<_, String>(0) != "on" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_is_spoken_to_over_tls_where_anchors_are_named() {
    let Some(bed) = Bed::postgres().await else { return };
    let now = Clock::System.now();
    let authority = |name: &str| CertificateAuthority::create(name, KeyKind::P256, now).unwrap();
    let (mut own, other) = (authority("own"), authority("other"));
    secure(&admin(&bed).await, &mut own).await;
    let RowsAt::Postgres(url) = &bed.at else { panic!("not PostgreSQL") };
    let open = async |host: &str, anchor: &CertificateAuthority| {
        let file = bed.dir.path().join("anchor.pem");
        std::fs::write(&file, anchor.certificate().pem()).unwrap();
        let url = url.replace("127.0.0.1", host);
        let url = format!("{url}?sslmode=verify-full&sslrootcert={}", file.display());
        Store::open(&RowsAt::Postgres(url), &bed.blobs_dir(), Arc::clone(&bed.vault)).await
    };
    let store = open("localhost", &own).await.unwrap();
    let secured = |tx: &mut Tx<'_>| -> Result<i64, RowsError> {
        let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        tx.one("connection", sql, &[])?.int(0)
    };
    assert_eq!(store.read(secured).await.unwrap(), 1);
    assert!(open("localhost", &other).await.is_err(), "by an authority that is not believed");
    assert!(open("127.0.0.1", &own).await.is_err(), "under a name that is not its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_is_looked_at_before_the_server_has_made_all() {
    let Some(bed) = Bed::postgres().await else { return };
    let admin = Arc::new(admin(&bed).await);
    admin.batch_execute("CREATE SEQUENCE made").await.unwrap();
    let handle = tokio::runtime::Handle::current();
    // 160 MB.
    let sql = "SELECT NEXTVAL('made'), REPEAT('x', 8000) FROM GENERATE_SERIES(1, 20000)";
    let seen = bed.write(move |tx| {
        let mut seen = Vec::new();
        tx.visit(sql, &[], &mut |row| {
            let made = handle.block_on(admin.query_one("SELECT last_value FROM made", &[]));
            seen.push((row.int(0)?, made.unwrap().get::<_, i64>(0)));
            Ok(false)
        })?;
        Ok(seen)
    });
    let seen = seen.await;
    assert!(matches!(seen[..], [(1, made)] if made < 10_000), "{seen:?}");
}

/// What fails behind the last row that was wanted has undone the transaction.
#[tokio::test]
async fn a_failure_behind_the_last_wanted_row_is_not_hidden() {
    let Some(bed) = Bed::postgres().await else { return };
    let work = |tx: &mut Tx<'_>| {
        lay_in(tx, "lost")?;
        let sql = "SELECT 1 / (100000 - n) FROM GENERATE_SERIES(1, 200000) n";
        let _ = tx.visit(sql, &[], &mut |_| Ok(false));
        Ok::<_, StoreError>(())
    };
    let done = bed.store.write(Lane::Client, work).await;
    assert!(done.is_err());
    assert_eq!(bed.count("SELECT COUNT(*) FROM job").await, 0);
}
