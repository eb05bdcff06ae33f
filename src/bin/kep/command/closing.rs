//! `kep account closing`: a holder's wish to close his account, and our word for it.

use super::said::{done, parse, registry};
use super::{show, staff};
use crate::arguments::Closing as Arguments;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::registry::closings::{self, Closing, Outcome as Decided, Receipt};
use kep::registry::staff::StaffRole;
use kep::registry::standing::{AccountState, Stage};
use kep::registry::{RegistryError, accounts};
use kep::store::Store;
use kep::wire::KepAddress;
use serde::Serialize;
use std::path::{Path, PathBuf};

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Request { conf, who, address, reason, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let address = parse(&address)?;
            let closing = closings::request(&store, &address, &reason, &by).await;
            let mut closing = closing.map_err(registry)?;
            // The request counts, whether or not it can be signed now.
            match signed(&settings, &store, closing.id).await {
                Ok(receipt) => closing.receipt = Some(receipt),
                Err(error) => tracing::warn!(%error, "the receipt is signed later"),
            }
            show::print(json, &Shown::of(&closing), text)
        }
        Arguments::Withdraw { conf, who, address } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let address = parse(&address)?;
            closings::withdraw(&store, &address, &by).await.map_err(registry)?;
            done(&format!("account {address} stays open"))
        }
        Arguments::Complete { conf, who, address } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let address = parse(&address)?;
            let account = accounts::get(&store, &address).await.map_err(registry)?;
            if !matches!(account.state_at(by.at), AccountState::Closing { .. }) {
                let state = account.state.stage_at(by.at);
                return Err(not_asked(&address, state));
            }
            super::holding::close(&conf.conf, &who, address.as_str()).await
        }
        Arguments::Show { conf, address, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = closings::of(&store, &parse(&address)?).await.map_err(registry)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| match rows.as_slice() {
                [] => "nobody asked to close it\n".to_owned(),
                rows => rows.iter().map(text).collect::<Vec<_>>().join("\n"),
            })
        }
        Arguments::Receipt { conf, address, dir, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            receipt(&settings, &store, &parse(&address)?, &dir, json).await
        }
    }
}

/// Signs what is not signed yet.
async fn signed(settings: &Settings, store: &Store, id: i64) -> Result<Receipt, RegistryError> {
    let word = wire_up::word(settings).await;
    let word = word.map_err(|failure| RegistryError::Unsigned(failure.to_string()))?;
    closings::sign(store, &word, &settings.provider.name, id).await
}

async fn receipt(
    settings: &Settings,
    store: &Store,
    address: &KepAddress,
    dir: &Path,
    json: bool,
) -> Outcome {
    let all = closings::of(store, address).await.map_err(registry)?;
    let newest = all.first();
    let newest = newest.ok_or_else(|| registry(RegistryError::NoReceipt(address.clone())))?;
    let receipt = match &newest.receipt {
        Some(receipt) => receipt.clone(),
        None => signed(settings, store, newest.id).await.map_err(registry)?,
    };
    let text = dir.join(format!("closing-{}.txt", newest.id));
    let signature = dir.join(format!("closing-{}.txt.p7s", newest.id));
    write(&text, &receipt.text)?;
    write(&signature, &receipt.signature)?;
    let written = Written {
        text: text.display().to_string(),
        signature: signature.display().to_string(),
        stamped: receipt.stamped_at.iso8601(),
    };
    show::print(json, &written, |written| format!("{}\n{}\n", written.text, written.signature))
}

fn write(path: &PathBuf, octets: &[u8]) -> Outcome<()> {
    std::fs::write(path, octets).map_err(|error| {
        Failure::cannot_create(format!("{}: {error}", path.display()))
            .hint("--dir DIR names a folder that is there and yours to write")
    })
}

fn not_asked(address: &KepAddress, stage: Stage) -> Failure {
    Failure::data(format!("{address} is {}; nobody asked to close it", stage.word()))
        .hint("`kep account close` closes it all the same")
}

#[derive(Serialize)]
struct Written {
    text: String,
    signature: String,
    stamped: String,
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    requested: String,
    by: String,
    reason: String,
    /// When it completes by itself.
    completes: Option<String>,
    /// `open`, `withdrawn` or `completed`, and when.
    outcome: &'static str,
    decided: Option<String>,
    /// Since when its receipt is stamped.
    stamped: Option<String>,
}

impl Shown {
    fn of(closing: &Closing) -> Self {
        let decided = match closing.outcome {
            Decided::Open => None,
            Decided::Withdrawn(at) | Decided::Completed(at) => Some(at.iso8601()),
        };
        Self {
            id: closing.id,
            requested: closing.requested_at.iso8601(),
            by: closing.requested_by.clone(),
            reason: closing.reason.clone(),
            completes: closing.completes_at.map(|at| at.iso8601()),
            outcome: closing.outcome.word(),
            decided,
            stamped: closing.receipt.as_ref().map(|receipt| receipt.stamped_at.iso8601()),
        }
    }
}

fn text(shown: &Shown) -> String {
    let completes = shown.completes.as_deref().unwrap_or("by staff");
    let receipt = shown.stamped.as_deref().unwrap_or("not signed yet");
    format!(
        "request {} of {}, by {}: {}; completes {completes}; receipt {receipt}\n",
        shown.id, shown.requested, shown.by, shown.outcome
    )
}
