//! What is said of the pieces of one mail, weighed together.

use super::{Clamd, Place, Scanner};
use crate::accept::refusal::Refusal;
use crate::store::{RowsAt, Store};
use crate::trust::vault::Vault;
use crate::wire::Timestamp;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ENCRYPTED: &str = "Heuristics.Encrypted.Zip FOUND";
const BEYOND: &str = "Heuristics.Limits.Exceeded.MaxFileSize FOUND";
const VIRUS: &str = "Kep-Test FOUND";

/// Says one after the other.
async fn scanner(said: &'static [&'static str]) -> Scanner {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let place = Place::Tcp(listener.local_addr().unwrap());
    tokio::spawn(async move {
        for said in said {
            let (mut line, _) = listener.accept().await.unwrap();
            line.read_exact(&mut [0; 10]).await.unwrap();
            while let size @ 1.. = line.read_u32().await.unwrap() {
                line.read_exact(&mut vec![0; size as usize]).await.unwrap();
            }
            line.write_all(format!("stream: {said}\0").as_bytes()).await.unwrap();
        }
    });
    Scanner { clamd: Clamd::new(place, Duration::from_secs(20)) }
}

/// A mail with one opaque signature in it: two pieces.
fn mail() -> Vec<u8> {
    let wrapped = super::pieces::tests::sealed(b"Temiz.", &[]);
    super::pieces::tests::mail([wrapped])
}

#[tokio::test]
async fn a_lenient_verdict_hides_no_stricter_one() {
    let place = tempfile::tempdir().unwrap();
    let key = place.path().join("master.key");
    Vault::create(&key).unwrap();
    let (vault, rows) = (Arc::new(Vault::open(&key).unwrap()), place.path().join("rows.db"));
    let store = Store::open(&RowsAt::File(rows), &place.path().join("blobs"), vault).await.unwrap();
    let judged = async |said| {
        let judged = scanner(said).await.judge(&store, &mail(), Timestamp::from_millis(0)).await;
        judged.unwrap()
    };
    // By the policies' defaults an encrypted archive passes, and what is beyond limits does not.
    assert_eq!(judged(&[ENCRYPTED, "OK"]).await, None);
    for said in [&[ENCRYPTED, BEYOND], &[BEYOND, ENCRYPTED], &["OK", BEYOND]] {
        assert!(matches!(judged(said).await, Some(Refusal::NotScanned(_))), "{said:?}");
    }
    for said in [&[ENCRYPTED, VIRUS], &[BEYOND, VIRUS]] {
        assert!(matches!(judged(said).await, Some(Refusal::Virus(_))), "{said:?}");
    }
    assert_eq!(judged(&["OK", "OK"]).await, None);
}
