//! Fetches the lists that the settings name, from time to time: each when it is due, by the place's own
//! row, so that a restart and a second process ask nobody more often.

use super::{Believed, How, ImportError, Imported, import};
use crate::registry::audit::By;
use crate::store::listed_providers::{self as rows, PlaceRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::trust::dial::{Dial, DialError, Fetched, Version, is_safe};
use crate::trust::{Anchors, Clock, TrustError, random};
use crate::wire::lists::ListKind;
use crate::wire::xml::MAX_OCTETS;
use crate::wire::{KepDomain, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Who fetches what.
pub struct Refresh {
    pub store: Store,
    pub clock: Clock,
    pub dial: Dial,
    pub ours: KepDomain,
    /// PEM files or folders of them: whose signature is believed under trusted lists, and under CSI.
    pub signers: Option<PathBuf>,
    pub csi_signers: Option<PathBuf>,
    /// In this order: a CSI is of a provider that a trusted list names.
    pub places: Vec<(ListKind, String)>,
    pub every: Duration,
}

/// Why a list was not had.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{0}: neither https nor this machine")]
    Unsafe(String),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("whose signature is believed: {0}")]
    Signers(#[from] TrustError),
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// What is at a URL, unless it is still the version that is known.
pub async fn fetch(dial: &Dial, url: &str, known: &Version) -> Result<Fetched, Trouble> {
    match is_safe(url) {
        true => Ok(dial.get_unless(url, known, MAX_OCTETS).await?),
        false => Err(Trouble::Unsafe(url.to_owned())),
    }
}

impl Refresh {
    pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let round = async {
                let due = self.round().await;
                let jitter = random::below(due.as_millis() as u64 / 10);
                tokio::time::sleep(due + Duration::from_millis(jitter)).await;
            };
            tokio::select! {
                () = round => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Visits the places that are due. Says after which time the next one is.
    async fn round(&self) -> Duration {
        let mut next = self.every;
        for (kind, url) in &self.places {
            let due = match self.known(url).await {
                Ok(row) => self.due(row.as_ref()),
                Err(error) => {
                    tracing::error!(%error, "the places of lists can't be read");
                    return AGAIN.min(self.every);
                }
            };
            if due > self.clock.now() {
                let millis = due.millis().saturating_sub(self.clock.now().millis());
                next = next.min(Duration::from_millis(millis.max(0) as u64));
            } else if self.visit(*kind, url).await.is_err() {
                next = next.min(AGAIN);
            }
        }
        next.max(LEAST)
    }

    fn due(&self, row: Option<&PlaceRow>) -> Timestamp {
        // What a clock that was ahead has noted holds up nothing.
        let Some(row) = row.filter(|row| row.tried_at <= self.clock.now()) else {
            return Timestamp::from_millis(i64::MIN);
        };
        let pause = if row.trouble.is_empty() { self.every } else { AGAIN.min(self.every) };
        row.tried_at.plus_millis(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
    }

    /// Fetches one list, takes it, and notes how that went.
    pub async fn visit(&self, kind: ListKind, url: &str) -> Result<Option<Imported>, Trouble> {
        let known = self.known(url).await.map_err(ImportError::from)?;
        let version = known.as_ref().map(version).unwrap_or_default();
        let visited = self.ask(kind, url, &version).await;
        let outcome = match &visited {
            Ok(None) => "unchanged",
            Ok(Some((imported, _))) if imported.held => "held",
            Ok(Some(_)) => "taken",
            Err(Trouble::Import(ImportError::Refused(_))) => "refused",
            Err(_) => "failed",
        };
        metrics::counter!("kep_list_refresh_total", "outcome" => outcome).increment(1);
        let trouble = visited.as_ref().err().map(ToString::to_string);
        if let Some(trouble) = &trouble {
            tracing::warn!(url, trouble, "a list of providers was not had");
        }
        let mut row = known.unwrap_or_else(|| nothing(url));
        row.tried_at = self.clock.now();
        row.trouble = trouble.unwrap_or_default();
        if row.trouble.is_empty() {
            row.had_at = Some(row.tried_at);
        }
        if let Ok(Some((imported, Version { etag, modified }))) = &visited {
            row.list.clone_from(&imported.name);
            (row.etag, row.modified) = (etag.clone(), modified.clone());
        }
        note(&self.store, row).await.map_err(ImportError::from)?;
        Ok(visited?.map(|(imported, _)| imported))
    }

    async fn ask(
        &self,
        kind: ListKind,
        url: &str,
        known: &Version,
    ) -> Result<Option<(Imported, Version)>, Trouble> {
        let Fetched::New { octets, version } = fetch(&self.dial, url, known).await? else {
            return Ok(None);
        };
        let how = How {
            ours: self.ours.clone(),
            wanted: Some(kind),
            believed: self.believed()?,
            place: url.to_owned(),
            now: self.clock.now(),
            by: By::system("lists", self.clock.now()),
            again: false,
            dry: false,
        };
        Ok(Some((import(&self.store, octets, how).await?, version)))
    }

    fn believed(&self) -> Result<Believed, TrustError> {
        let load = |path: &Option<PathBuf>| {
            let anchors = path.as_ref().map(|path| Anchors::load(path)).transpose()?;
            let all = anchors.map(|anchors| anchors.certificates().to_vec());
            Ok::<_, TrustError>(all.unwrap_or_default())
        };
        Ok(Believed { lists: load(&self.signers)?, csi: load(&self.csi_signers)? })
    }

    async fn known(&self, url: &str) -> Result<Option<PlaceRow>, RowsError> {
        let url = url.to_owned();
        self.store.read(move |tx: &mut Tx<'_>| rows::place(tx, &url)).await
    }
}

async fn note(store: &Store, row: PlaceRow) -> Result<(), RowsError> {
    store.write(Lane::Background, move |tx: &mut Tx<'_>| rows::put_place(tx, &row)).await
}

fn version(row: &PlaceRow) -> Version {
    Version { etag: row.etag.clone(), modified: row.modified.clone() }
}

fn nothing(url: &str) -> PlaceRow {
    PlaceRow {
        url: url.to_owned(),
        list: String::new(),
        tried_at: Timestamp::from_millis(0),
        had_at: None,
        trouble: String::new(),
        etag: String::new(),
        modified: String::new(),
    }
}

/// How long a list may take to come.
pub const FETCH: Duration = Duration::from_secs(60);
/// After trouble: a server that restarts is there again.
const AGAIN: Duration = Duration::from_mins(15);
const LEAST: Duration = Duration::from_secs(1);
