//! Units of work: grouped commits, lanes, savepoints, migrations, reopening.

use super::on_both;
use kep::store::{Lane, RowsAt, RowsError, Store, StoreError, Tx};
use std::sync::{Arc, Mutex, mpsc};

fn keep(tx: &mut Tx<'_>, name: &str) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO provider (domain, name, host, state, added_at) VALUES ($1, $1, '', '', 0)",
        &[name.into()],
    )?;
    Ok(())
}

const KEPT: &str = "SELECT COUNT(*) FROM provider";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_fails_takes_nothing_of_the_others_with_it() {
    on_both(|bed| async move {
        let (hold, held) = holding(&bed.store);
        let tasks: Vec<_> = (0..40)
            .map(|n| {
                let store = bed.store.clone();
                tokio::spawn(async move {
                    let work = move |tx: &mut Tx<'_>| {
                        keep(tx, &format!("provider {n}"))?;
                        match n % 4 {
                            // Its own mistake, and one of the rows.
                            1 => Err(StoreError::NotFound("x".into())),
                            2 => Ok(keep(tx, &format!("provider {n}"))?),
                            _ => Ok(()),
                        }
                    };
                    store.write(Lane::Background, work).await.is_ok()
                })
            })
            .collect();
        drop(hold);
        held.await.unwrap();
        let mut done = 0;
        for task in tasks {
            done += i64::from(task.await.unwrap());
        }
        assert_eq!((done, bed.count(KEPT).await), (20, 20));
    })
    .await;
}

#[tokio::test]
async fn a_unit_that_panics_fails_alone() {
    on_both(|bed| async move {
        let work = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            keep(tx, "lost")?;
            panic!("a mistake")
        };
        // More often than there are workers.
        for _ in 0..8 {
            let done = bed.store.write(Lane::Client, work).await;
            assert!(matches!(done, Err(StoreError::Rows(RowsError::Undone(_)))), "{done:?}");
        }
        bed.write(|tx| Ok(keep(tx, "kept")?)).await;
        assert_eq!(bed.count(KEPT).await, 1);
    })
    .await;
}

/// PostgreSQL undoes a transaction with a failed statement and still calls its COMMIT a success;
/// SQLite undoes the statement alone. Either way `Ok` means durable.
#[tokio::test]
async fn a_unit_that_hides_a_failed_statement_is_not_told_that_it_is_durable() {
    on_both(|bed| async move {
        let work = |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            keep(tx, "a")?;
            let _ = keep(tx, "a");
            Ok(())
        };
        let done = bed.store.write(Lane::Client, work).await;
        assert_eq!(bed.count(KEPT).await, i64::from(done.is_ok()));
    })
    .await;
}

/// Occupies the writers: each `send` lets one go, the sender's end all; says when all have let go.
fn holding(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (let_go, wait) = mpsc::channel::<()>();
    let (began, beginning) = mpsc::channel();
    let wait = Arc::new(Mutex::new(wait));
    let writers = if store.shared() { 6 } else { 1 };
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (store, wait, began) = (store.clone(), Arc::clone(&wait), began.clone());
            tokio::spawn(async move {
                let work = move |_: &mut Tx<'_>| {
                    // A unit may run twice; nobody hears the second time.
                    let _ = began.send(());
                    let _ = wait.lock().unwrap().recv();
                    Ok::<_, StoreError>(())
                };
                store.write(Lane::Client, work).await.unwrap();
            })
        })
        .collect();
    let all = tokio::spawn(async move {
        for task in tasks {
            task.await.unwrap();
        }
    });
    tokio::task::block_in_place(|| (0..writers).for_each(|_| beginning.recv().unwrap()));
    (let_go, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_waits_for_goes_before_background_work() {
    on_both(|bed| async move {
        let order = Arc::new(Mutex::new(Vec::new()));
        let (hold, held) = holding(&bed.store);
        let unit = |lane: Lane| {
            let (store, order) = (bed.store.clone(), Arc::clone(&order));
            let work = move |_: &mut Tx<'_>| {
                order.lock().unwrap().push(lane);
                Ok::<_, StoreError>(())
            };
            Box::pin(async move { store.write(lane, work).await.unwrap() })
        };
        // Polled once, a write stands in the queue.
        let mut background: Vec<_> = (0..5).map(|_| unit(Lane::Background)).collect();
        background.iter_mut().for_each(poll_once);
        let mut clients: Vec<_> = (0..5).map(|_| unit(Lane::Client)).collect();
        clients.iter_mut().for_each(poll_once);
        // One writer alone serves the queue: what PostgreSQL's many do at once has no order.
        hold.send(()).unwrap();
        for done in clients.into_iter().chain(background) {
            done.await;
        }
        drop(hold);
        held.await.unwrap();
        let order = order.lock().unwrap();
        assert_eq!(order.len(), 10, "{order:?}");
        // However slow the machine: overdue background work takes turns at most.
        let mut background_before = 0;
        let mut clients_before = 0;
        for lane in order.iter() {
            match lane {
                Lane::Background => background_before += 1,
                Lane::Client => clients_before += 1,
            }
            let turns = clients_before == 5 || background_before <= clients_before + 1;
            assert!(turns, "{order:?}");
        }
    })
    .await;
}

fn poll_once<F: Future + Unpin>(future: &mut F) {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::Pin::new(future).poll(&mut context).is_pending());
}

/// The asker hangs up while his work is being made durable: those concerned are woken all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_does_not_take_the_wake_with_it() {
    on_both(|bed| async move {
        let (hold, held) = holding(&bed.store);
        let store = bed.store.clone();
        let mut write = Box::pin(async move {
            let work = |tx: &mut Tx<'_>| {
                Ok::<_, StoreError>(kep::store::jobs::lay_in(tx, "expire", "x", "", super::NOW)?)
            };
            store.write(Lane::Client, work).await
        });
        poll_once(&mut write);
        drop(write);
        drop(hold);
        held.await.unwrap();
        bed.store.job_for("expire").await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM job").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    on_both(|bed| async move {
        bed.write(|tx| {
            tx.execute("UPDATE refinery_schema_history SET version = 999 WHERE version = 1", &[])?;
            Ok(())
        })
        .await;
        let blobs = kep::store::Blobs::open(&bed.blobs_dir(), Arc::clone(&bed.vault)).unwrap();
        let opened = Store::with(&bed.at, blobs).await;
        let Err(StoreError::Rows(error)) = opened else { panic!("it was opened") };
        assert!(matches!(error, RowsError::NewerSchema { found: 999, .. }), "{error}");
    })
    .await;
}

#[tokio::test]
async fn two_processes_may_open_an_empty_database_at_once() {
    on_both(|bed| async move {
        let at = match &bed.at {
            RowsAt::File(_) => RowsAt::File(bed.dir.path().join("other.db")),
            RowsAt::Postgres(_) => {
                RowsAt::Postgres(super::server::server().unwrap().database().await)
            }
        };
        let open = || {
            let blobs = kep::store::Blobs::open(&bed.blobs_dir(), Arc::clone(&bed.vault)).unwrap();
            let at = at.clone();
            tokio::spawn(async move { Store::with(&at, blobs).await.map(drop) })
        };
        let (a, b) = (open(), open());
        a.await.unwrap().unwrap();
        b.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_visitor_sees_as_many_rows_as_it_wants() {
    on_both(|bed| async move {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                   SELECT i FROM n";
        let look = move |tx: &mut Tx<'_>, most: i64| -> Result<i64, StoreError> {
            let mut seen = 0;
            tx.visit(sql, &[], &mut |row| {
                seen = row.int(0)?;
                Ok(seen < most)
            })?;
            Ok(seen)
        };
        for most in [1, 3, 5000, 6000] {
            let seen = bed.read(move |tx| Ok((look(tx, most)?, look(tx, 2)?))).await;
            assert_eq!(seen, (most.min(5000), 2));
        }
        let work = move |tx: &mut Tx<'_>| {
            Ok::<_, StoreError>(tx.visit(sql, &[], &mut |row| match row.int(0)? {
                1 => Err(RowsError::Stored("what was looked for")),
                _ => panic!("it goes on"),
            })?)
        };
        let done = bed.store.read(work).await;
        assert!(matches!(done, Err(StoreError::Rows(RowsError::Stored(_)))), "{done:?}");
    })
    .await;
}
