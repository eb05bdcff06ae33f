//! Houses as they are when a world begins: made once, and copied.

use super::{ACCOUNTS, House, PASSWORD, Town, address, kep_domain};
use crate::carrier::{Eavesdropper, domain, pin};
use crate::keys::{BEGIN, HOUSES, KEYS};
use crate::net::Net;
use crate::task::now;
use kep::registry::{NewAccount, OpeningMode, SignatureRule, accounts, peers};
use kep::store::providers::{ProviderRow, SealRow};
use kep::trust::Clock;
use kep::trust::vault::Vault;
use kep::wire::KepAddress;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tempfile::TempDir;

static NEW: LazyLock<TempDir> = LazyLock::new(|| {
    let place = folder();
    let town = Town {
        net: Net::default(),
        seen: Eavesdropper::default(),
        tsa_down: Arc::default(),
        tsa_clock: Clock::Fixed(BEGIN),
    };
    for number in 0..HOUSES {
        let dir = place.path().join(domain(number));
        std::fs::create_dir(&dir).unwrap();
        Vault::create(&dir.join("master.key")).unwrap();
        let house = House::open(number, &dir, Clock::Fixed(BEGIN), 1, &town);
        now(furnish(&house));
        drop(house);
        // Whoever closes the rows last puts the journal back; two who close at once may both leave it.
        while dir.join("rows.db-wal").exists() {
            let rows = rusqlite::Connection::open(dir.join("rows.db")).unwrap();
            rows.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            drop(rows);
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
    place
});

/// Copies the new houses into a folder.
pub fn build(into: &Path) -> Vec<PathBuf> {
    let copy = |number: usize| {
        let (from, to) = (NEW.path().join(domain(number)), into.join(domain(number)));
        std::fs::create_dir(&to).unwrap();
        for file in ["rows.db", "master.key"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
        to
    };
    (0..HOUSES).map(copy).collect()
}

/// In memory where the machine has such a place.
pub fn folder() -> TempDir {
    match Path::new("/dev/shm").is_dir() {
        true => tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

async fn furnish(house: &House) {
    for (n, local) in ACCOUNTS.iter().enumerate() {
        let new = NewAccount {
            address: KepAddress::parse(&address(house.number, n)).unwrap(),
            name: (*local).to_owned(),
            identity_number: None,
            opening: if n == 0 { OpeningMode::Sealed } else { OpeningMode::Direct },
            signature: SignatureRule::Optional,
            password: verifier(),
            certificates: Vec::new(),
            at: BEGIN,
        };
        accounts::add(&house.store, &kep_domain(house.number), new).await.unwrap();
    }
    for other in (0..HOUSES).filter(|other| *other != house.number) {
        let seal = |signer: &Arc<dyn kep::trust::Signer>| SealRow {
            certificate: signer.certificate().der().to_vec(),
            from: None,
            until: None,
        };
        let row = ProviderRow {
            domain: domain(other),
            name: "Öteki".into(),
            host: format!("{}:25", domain(other)),
            state: "active".into(),
            since: BEGIN,
            tls_pins: peers::written(&[pin(other)]),
            tls_ca: String::new(),
            tls_by: String::new(),
            route: String::new(),
            client_pins: String::new(),
            dialect: "ts102640".into(),
            size_limit: None,
            added_at: BEGIN,
            seals: KEYS.seals[other].iter().map(seal).collect(),
        };
        let by = kep::registry::audit::By::system("sim", BEGIN);
        peers::put(&house.store, row, &by).await.unwrap();
    }
}

/// As cheap as Argon2id can be: nobody guesses here.
fn verifier() -> String {
    use argon2::password_hash::PasswordHasher;
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    argon2.hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef").unwrap().to_string()
}
