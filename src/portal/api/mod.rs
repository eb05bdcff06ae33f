//! The JSON API, `/api/v1`. An operation is a line in the list of its file (`labels::operations()` …):
//! what it takes and gives, and a function over a transaction that does it. The router (`serve.rs`) and
//! the document (`document.rs`) are made of these lists.

mod about;
mod account;
mod admit;
mod app_passwords;
mod audit;
mod call;
mod certificates;
mod closings;
mod contacts;
mod contract;
mod credits;
mod desk;
mod directory;
mod document;
mod drafts;
mod endpoint;
mod evidence;
mod exports;
mod factors;
mod filing;
mod flow;
mod handovers;
mod headers;
mod holder;
mod kinds;
mod labels;
mod login;
mod mailboxes;
mod messages;
mod notices;
mod once;
mod operators;
mod pace;
mod passkeys;
mod passwords;
mod people;
mod pipe;
mod problem;
mod reading;
mod route;
mod run;
mod serve;
mod sessions;
mod settings;
mod staff;
mod storage;
mod submissions;
mod tasks;
mod tokens;
mod told;
mod tongue;
mod upload;
mod verify;

pub use call::Asked;
pub use desk::{Accepting, Letter, Submitted, Verifying, Waiting};
pub use endpoint::Endpoint;
pub use people::People;
pub use problem::{Entry, Problem, Refusal, Refused};
pub use serve::Service;

use crate::registry::budget::Budget;
use crate::registry::directory::Directory;
use crate::registry::directory::dial::CentralDirectory;
use crate::store::Store;
use crate::trust::Clock;
use crate::trust::detached::Word;
use pace::Pace;
use pipe::Seats;
use std::sync::{Arc, OnceLock};
use utoipa::openapi::OpenApi;

/// What the API needs of the house.
pub struct Portal {
    pub store: Store,
    pub clock: Clock,
    /// Takes submissions, as it does by SMTP.
    pub desk: Arc<dyn Accepting>,
    /// Verifies documents by the provider's own anchors.
    pub judge: Arc<dyn Verifying>,
    pub limits: Limits,
    /// Who logs in, and how.
    pub people: People,
    /// Whom questions to the directory are asked.
    directory: Directory,
    /// The provider's word for what authorities are given.
    word: Option<Word>,
    /// Who fetches an archive.
    archives: Seats,
    room: Arc<Budget>,
    pace: Pace,
    document: OnceLock<Arc<Vec<u8>>>,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of a document that may be verified.
    pub document: u64,
    /// Octets that an account may hold, if it has no limit of its own.
    pub storage: Option<u64>,
    /// Requests that a token may make in a minute.
    pub per_minute: u32,
}

impl Portal {
    pub fn new(
        store: Store,
        clock: Clock,
        desk: Arc<dyn Accepting>,
        judge: Arc<dyn Verifying>,
        limits: Limits,
        people: People,
    ) -> Self {
        let room = Arc::new(Budget::new(Budget::BODIES));
        let (pace, document) = (Pace::new(limits.per_minute), OnceLock::new());
        let ours = people.sign_in.domain.clone();
        let directory = Directory { store: store.clone(), ours, central: None };
        let archives = Seats::default();
        Self {
            store,
            clock,
            desk,
            judge,
            limits,
            people,
            directory,
            word: None,
            archives,
            room,
            pace,
            document,
        }
    }

    /// Other providers' entries come from there.
    pub fn with_central(mut self, central: Option<Arc<CentralDirectory>>) -> Self {
        self.directory.central = central;
        self
    }

    /// What is handed out to authorities is under its seal.
    pub fn with_word(mut self, word: Word) -> Self {
        self.word = Some(word);
        self
    }

    /// The OpenAPI document, as JSON.
    fn document(&self) -> Arc<Vec<u8>> {
        let refusals = || self.desk.refusals();
        let made = || Arc::new(serde_json::to_vec(&openapi(&refusals())).unwrap_or_default());
        Arc::clone(self.document.get_or_init(made))
    }

    /// All that callers may hear.
    fn catalogue(&self) -> Vec<Entry> {
        catalogue(&self.desk.refusals())
    }
}

/// The document of all operations; `refusals` are those that submissions may meet.
pub fn openapi(refusals: &[Entry]) -> OpenApi {
    document::document(&operations(), refusals)
}

/// The error catalogue.
pub fn catalogue(refusals: &[Entry]) -> Vec<Entry> {
    let mut all = Problem::catalogue();
    all.extend(refusals.iter().cloned());
    all
}

/// All there are; router, document and the tests of who may are made of them.
pub fn operations() -> Vec<Endpoint> {
    let lists = [
        account::operations(),
        audit::operations(),
        mailboxes::operations(),
        messages::operations(),
        drafts::operations(),
        labels::operations(),
        submissions::operations(),
        tasks::operations(),
        handovers::operations(),
        holder::operations(),
        contract::operations(),
        closings::operations(),
        operators::operations(),
        evidence::operations(),
        verify::operations(),
        contacts::operations(),
        directory::operations(),
        notices::operations(),
        told::operations(),
        exports::operations(),
        credits::operations(),
        settings::operations(),
        storage::operations(),
        tokens::operations(),
        login::operations(),
        passwords::operations(),
        sessions::operations(),
        factors::operations(),
        passkeys::operations(),
        app_passwords::operations(),
        certificates::operations(),
        staff::operations(),
        about::operations(),
    ];
    lists.into_iter().flatten().collect()
}

/// Where the API is.
pub const BASE: &str = "/api/v1";

#[cfg(test)]
mod tests;
