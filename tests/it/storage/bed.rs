//! What a test starts from: a store of its own on either driver, and things to lay into it.

use super::server::server;
use kep::registry::audit::By;
use kep::registry::staff::{self, StaffRole};
use kep::store::accounts::{self, AccountRow};
use kep::store::mail::{self, Kind, NewMessage};
use kep::store::submissions::{
    self, Details, NewRecipient, NewSubmission, Origin, RecipientState, SubmissionState,
};
use kep::store::{Blobs, Lane, Put, RowsAt, Store, StoreError, Tx};
use kep::trust::vault::Vault;
use kep::wire::{AccountId, MessageId, Timestamp, digest::sha256_of};
use secrecy::SecretString;
use std::path::PathBuf;
use std::sync::Arc;

pub const NOW: Timestamp = Timestamp::from_secs(1_795_424_000);

pub struct Bed {
    pub store: Store,
    pub at: RowsAt,
    pub vault: Arc<Vault>,
    pub dir: Arc<tempfile::TempDir>,
}

/// Runs a test on SQLite, then on PostgreSQL.
pub async fn on_both<F: Future<Output = ()>>(test: impl Fn(Bed) -> F) {
    for bed in [Some(Bed::sqlite().await), Bed::postgres().await].into_iter().flatten() {
        // A test may capture parts of its bed only; the folder stays until it has ended.
        let _dir = Arc::clone(&bed.dir);
        test(bed).await;
    }
}

impl Bed {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = RowsAt::File(dir.path().join("rows.db"));
        Self::new(dir, at).await
    }

    pub async fn postgres() -> Option<Self> {
        let url = server()?.database().await;
        Some(Self::new(tempfile::tempdir().unwrap(), RowsAt::Postgres(url)).await)
    }

    pub async fn new(dir: tempfile::TempDir, at: RowsAt) -> Self {
        let key = dir.path().join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let store = Store::open(&at, &dir.path().join("blobs"), Arc::clone(&vault)).await.unwrap();
        Self { store, at, vault, dir: Arc::new(dir) }
    }

    pub fn blobs_dir(&self) -> PathBuf {
        self.dir.path().join("blobs")
    }

    /// Another store on the same rows and blobs, as another process has it.
    pub async fn another(&self) -> Store {
        let blobs = Blobs::open(&self.blobs_dir(), Arc::clone(&self.vault)).unwrap();
        Store::with(&self.at, blobs).await.unwrap()
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write(Lane::Client, work).await.unwrap()
    }

    pub async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read(work).await.unwrap()
    }

    /// One number.
    pub async fn count(&self, sql: &'static str) -> i64 {
        self.read(move |tx| Ok(tx.one("count", sql, &[])?.int(0)?)).await
    }

    /// Members of staff who may everything.
    pub async fn staff(&self, names: &[&str]) {
        let secret = SecretString::from("uzun bir parola sozu");
        for name in names {
            let by = By::system("test", NOW);
            staff::add(&self.store, &by, name, name, &StaffRole::ALL, &secret).await.unwrap();
        }
    }

    pub async fn account(&self, address: &'static str) -> AccountId {
        self.write(move |tx| {
            let id = accounts::add(tx, &account_row(address))?;
            mail::create_all(tx, id, 1)?;
            Ok(id)
        })
        .await
    }

    pub async fn lay_in(&self, new: NewSubmission) -> Result<(), MessageId> {
        lay_in(&self.store, new).await.unwrap()
    }
}

pub async fn lay_in(
    store: &Store,
    new: NewSubmission,
) -> Result<Result<(), MessageId>, StoreError> {
    let blobs = Arc::clone(&store.blobs);
    let laid = store.write(Lane::Client, move |tx| submissions::lay_in(tx, &blobs, &new)).await;
    Ok(laid?.map_err(|same| same.message_id))
}

pub fn account_row(address: &str) -> AccountRow {
    AccountRow {
        id: AccountId(0),
        address: address.into(),
        name: "Ayşe Yılmaz".into(),
        national_id: None,
        state: "open".into(),
        opening: "closed".into(),
        signature_policy: "required".into(),
        password: "-".into(),
        created_at: NOW,
        closed_at: None,
    }
}

pub fn id(n: u32) -> MessageId {
    MessageId::parse(&format!("{n}@hs05.kep.tr")).unwrap()
}

/// Message `n` of `account` to itself; the same octets are the same mail.
pub fn submission(store: &Store, n: u32, account: AccountId, octets: &[u8]) -> NewSubmission {
    let original = store.blobs.put(octets.to_vec()).unwrap();
    NewSubmission {
        message_id: id(n),
        origin: Origin::Account(account),
        state: SubmissionState::Accepted,
        same_mail: sha256_of([&account.0.to_be_bytes()[..], octets]),
        accepted_at: NOW,
        original,
        details: Details { subject: "Şubat çağrısı".into(), ..Details::default() },
        recipients: vec![NewRecipient {
            address: RECIPIENT.into(),
            account: Some(account),
            state: RecipientState::Accepted,
        }],
    }
}

pub fn message(put: &Put, kind: Kind, of: Option<MessageId>) -> NewMessage {
    NewMessage {
        kind,
        flags: 0,
        keywords: String::new(),
        internal_date: NOW,
        saved_at: NOW,
        size: put.size,
        structure: vec![1],
        header: b"Subject: x\r\n\r\n".to_vec(),
        message_id: of,
        ua_message_id: None,
    }
}

pub const RECIPIENT: &str = "mert@hs05.kep.tr";
