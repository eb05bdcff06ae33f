//! What another provider hands over is shown to the virus scanner, here one that the test plays; a real
//! clamd stands in tests/e2e/scan.rs.

use super::world::{CAN, House, Said};
use crate::accept::scan::Place;
use crate::registry::audit::By;
use crate::registry::policy;
use crate::store::submissions::RecipientState;
use crate::store::{RowsError, Tx};
use crate::wire::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Finds a virus in everything, while it is told so.
async fn scanner(infected: &Arc<AtomicBool>) -> Place {
    scanner_that(infected, b"stream: Deneme FOUND\0").await
}

async fn scanner_that(finds: &Arc<AtomicBool>, found: &'static [u8]) -> Place {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = Place::Tcp(listener.local_addr().unwrap());
    let finds = Arc::clone(finds);
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            stream(&mut line).await;
            let said: &[u8] = match finds.load(Ordering::SeqCst) {
                true => found,
                false => b"stream: OK\0",
            };
            line.write_all(said).await.unwrap();
        }
    });
    place
}

/// Reads a stream to its last, empty chunk.
async fn stream(line: &mut TcpStream) {
    let mut command = [0; 10];
    line.read_exact(&mut command).await.unwrap();
    assert_eq!(&command, b"zINSTREAM\0");
    loop {
        match line.read_u32().await.unwrap() {
            0 => return,
            size => drop(line.read_exact(&mut vec![0; size as usize]).await.unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infected_dispatch_reaches_nobody_and_its_provider_gets_evidence_for_each_recipient() {
    for house in House::both().await {
        let infected = Arc::new(AtomicBool::new(true));
        let house = house.scanned_by(scanner(&infected).await);
        let mail = house.incoming(&[CAN, "yok@hs06.kep.tr", "ali@hs07.kep.tr"]);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Taken);
        let states = async || {
            let (_, recipients) = house.message("5f2c@hs05.kep.tr").await.unwrap();
            recipients.iter().map(|one| one.state).collect::<Vec<_>>()
        };
        let (failed, elsewhere) = (RecipientState::Failed, RecipientState::Elsewhere);
        assert_eq!(states().await, [failed, elsewhere, elsewhere]);
        assert_eq!(house.jobs("consign").await, Vec::<String>::new());
        assert_eq!(house.jobs("evidence").await, ["fact/5f2c@hs05.kep.tr/1/relay-rejected"]);

        // For one more recipient it is looked at once more.
        assert_eq!(house.hand(&mail, &["yok@hs06.kep.tr"]).await, Said::Again);
        assert_eq!(states().await, [failed, failed, elsewhere]);
        assert_eq!(house.jobs("consign").await, Vec::<String>::new());
        let rejected = house.jobs("evidence").await;
        let of_second = "fact/5f2c@hs05.kep.tr/2/relay-rejected".to_owned();
        assert!(rejected.contains(&of_second), "{rejected:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_dispatch_is_rejected_by_its_reason_where_policy_refuses_it() {
    for house in House::both().await {
        let encrypted = Arc::new(AtomicBool::new(true));
        let found = b"stream: Heuristics.Encrypted.Zip FOUND\0";
        let house = house.scanned_by(scanner_that(&encrypted, found).await);
        let by = By::system("test", Timestamp::from_secs(0));
        let set = policy::set(&house.store, &by, "virus.encrypted", "refuse", by.at, "deneme");
        set.await.unwrap();
        let mail = house.incoming(&[CAN]);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Taken);
        let work = |tx: &mut Tx<'_>| -> Result<String, RowsError> {
            let sql = "SELECT payload FROM job WHERE step = 'evidence'";
            Ok(tx.one("fact", sql, &[])?.text(0)?.to_owned())
        };
        let fact = house.store.read(work).await.unwrap();
        assert!(fact.contains("PolicyViolation"), "{fact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatch_beyond_what_the_scanner_looks_at_is_taken_where_policy_accepts_it() {
    for house in House::both().await {
        let beyond = Arc::new(AtomicBool::new(true));
        let found = b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0";
        let house = house.scanned_by(scanner_that(&beyond, found).await);
        let by = By::system("test", Timestamp::from_secs(0));
        let set = policy::set(&house.store, &by, "virus.beyond", "accept", by.at, "deneme");
        set.await.unwrap();
        let mail = house.incoming(&[CAN]);
        assert_eq!(house.hand(&mail, &[CAN]).await, Said::Taken);
        assert_eq!(house.jobs("consign").await, ["consign/5f2c@hs05.kep.tr"]);
        assert_eq!(house.jobs("evidence").await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_scanner_looked_at_is_not_taken_and_comes_again() {
    for house in House::both().await {
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let away: SocketAddr = nobody.local_addr().unwrap();
        drop(nobody);
        let mail = house.incoming(&[CAN]);
        let down = house.scanned_by(Place::Tcp(away));
        assert_eq!(down.hand(&mail, &[CAN]).await, Said::Refused("ScannerUnavailable"));
        assert!(house.message("5f2c@hs05.kep.tr").await.is_none());
        let clean = Arc::new(AtomicBool::new(false));
        let up = house.scanned_by(scanner(&clean).await);
        assert_eq!(up.hand(&mail, &[CAN]).await, Said::Taken);
        assert_eq!(house.jobs("consign").await, ["consign/5f2c@hs05.kep.tr"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_dispatch_again_hears_the_same_while_the_scanner_is_away() {
    for house in House::both().await {
        let clean = Arc::new(AtomicBool::new(false));
        let up = house.scanned_by(scanner(&clean).await);
        let mail = house.incoming(&[CAN, "yok@hs06.kep.tr"]);
        assert_eq!(up.hand(&mail, &[CAN]).await, Said::Taken);
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let away: SocketAddr = nobody.local_addr().unwrap();
        drop(nobody);
        let down = house.scanned_by(Place::Tcp(away));
        assert_eq!(down.hand(&mail, &[CAN]).await, Said::Again);
        // For whom it did not come before, it is looked at.
        let refused = Said::Refused("ScannerUnavailable");
        assert_eq!(down.hand(&mail, &["yok@hs06.kep.tr"]).await, refused);
    }
}
