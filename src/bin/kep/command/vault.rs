//! `kep vault`: the master key, made and renewed.

use super::bar::Bar;
use super::{serve, show, staff};
use crate::arguments::{Vault as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::registry::resealing::{self, ResealError, Round};
use kep::registry::staff::StaffRole;
use kep::trust::vault::{Vault, VaultError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Init { conf } => init(&wire_up::settings(&conf.conf)?),
        Arguments::Rotate { conf, who } => rotate(&wire_up::settings(&conf.conf)?, &who).await,
        Arguments::Reseal { conf, json } => reseal(&wire_up::settings(&conf.conf)?, json).await,
        Arguments::Status { conf, json } => status(&wire_up::settings(&conf.conf)?, json).await,
        Arguments::Retire { conf, who, generation } => {
            retire(&wire_up::settings(&conf.conf)?, &who, generation).await
        }
    }
}

fn init(settings: &Settings) -> Outcome {
    let path = &settings.vault.master_key;
    if !path.exists() && wire_up::has_contents(settings) {
        // A new key would read nothing of it.
        let text = format!("{} is missing, and there are contents it encrypted", path.display());
        return Err(Failure::cannot_create(text).hint("restore the master key from its copy"));
    }
    Vault::create(path).map_err(|error| {
        Failure::cannot_create(error)
            .hint("its folder must be there; a key that is there is never written over")
    })?;
    told(path, "the first master key", "")
}

async fn rotate(settings: &Settings, who: &Who) -> Outcome {
    let path = &settings.vault.master_key;
    // Who may is known before there is a new key; a provider that never served has no staff.
    let store = match path.exists() {
        true => wire_up::find_store(settings).await?,
        false => None,
    };
    let by = match &store {
        Some(store) => Some(staff::by_role(store, who, StaffRole::Operator).await?),
        None => None,
    };
    let unmade = |error: VaultError| {
        Failure::config(error).hint("`kep vault init` makes the first key of a new provider")
    };
    let generation = match store.as_ref().zip(by.as_ref()) {
        Some((store, by)) => resealing::rotate(store, by, path).await.map_err(failure)?,
        None => Vault::rotate(path).map_err(unmade)?.generation(),
    };
    let key = format!("master key generation {generation}");
    told(
        path,
        &key,
        "; a running `kep serve` seals all anew under it, `kep vault reseal` without one",
    )
}

async fn reseal(settings: &Settings, json: bool) -> Outcome {
    let store = wire_up::store(settings).await?;
    let mut bar = Bar::new();
    let mut tell = |round: &Round| {
        bar.show("rows", round.looked, "all");
        true
    };
    let done = resealing::all(&store, &mut tell).await;
    bar.clear();
    let round = done.map_err(failure)?;
    let generation = store.blobs.vault().generation();
    show::print(json, &round, |round| {
        let Round { looked, resealed, .. } = round;
        format!("{resealed} of {looked} were sealed anew; all is under generation {generation}\n")
    })?;
    match round.unreadable {
        0 => Ok(ExitCode::SUCCESS),
        n => Err(Failure::data(format!("{n} can't be read, and stay as they are")).hint(
            "`kep vault status` shows which generation they need; `kep fsck` names contents",
        )),
    }
}

#[derive(Serialize)]
struct Status {
    /// What seals what is new.
    generation: u8,
    in_file: Vec<u8>,
    /// By column, how many rows each generation seals.
    sealed: BTreeMap<&'static str, BTreeMap<u8, u64>>,
}

async fn status(settings: &Settings, json: bool) -> Outcome {
    let store = wire_up::store(settings).await?;
    let counts = resealing::counts(&store).await.map_err(failure)?;
    let vault = store.blobs.vault();
    let sealed = counts.into_iter().map(|(column, counts)| (column.word(), counts)).collect();
    let status = Status { generation: vault.generation(), in_file: vault.generations(), sealed };
    show::print(json, &status, table)
}

fn table(status: &Status) -> String {
    let cells = status.sealed.iter().flat_map(|(column, counts)| {
        counts.iter().map(|(generation, rows)| {
            vec![(*column).to_owned(), generation.to_string(), rows.to_string()]
        })
    });
    let in_file: Vec<_> = status.in_file.iter().map(u8::to_string).collect();
    let rows = show::table(
        &["SEALED", "GENERATION", "ROWS"],
        &cells.collect::<Vec<_>>(),
        "nothing is sealed yet",
    );
    format!("{rows}in the file: {}; {} seals what is new\n", in_file.join(", "), status.generation)
}

async fn retire(settings: &Settings, who: &Who, generation: u8) -> Outcome {
    let store = wire_up::store(settings).await?;
    let by = staff::by_role(&store, who, StaffRole::Operator).await?;
    // A server that began with the old key could seal by it until it looks at the file again.
    let _alone = serve::alone(&settings.data.dir)
        .map_err(|failure| failure.hint("stop `kep serve` for this moment"))?;
    let path = &settings.vault.master_key;
    resealing::retire(&store, &by, path, generation).await.map_err(failure)?;
    show::write(&format!("generation {generation} is out of {}\n", path.display()))?;
    show::write("backups of before need it: keep its copy with them, and as safe as before\n")?;
    Ok(ExitCode::SUCCESS)
}

fn failure(error: ResealError) -> Failure {
    match &error {
        ResealError::Needed { .. } => Failure::refused(&error)
            .hint("`kep vault reseal` seals it anew; `kep vault status` shows what is left"),
        ResealError::Vault(VaultError::Newest(_) | VaultError::NoGeneration(_)) => {
            Failure::data(&error).hint("`kep vault status` shows the generations")
        }
        ResealError::Vault(VaultError::Meanwhile(_)) => {
            Failure::unavailable(&error).hint("`kep vault status` shows the generations")
        }
        ResealError::Vault(_) => Failure::config(&error),
        ResealError::Store(_) => Failure::unavailable(&error),
    }
}

fn told(path: &Path, key: &str, then: &str) -> Outcome {
    let path_shown = path.display();
    show::write(&format!("{key} is in {path_shown}{then}\n"))?;
    show::write("keep a copy of the file off this machine: without it every content is lost\n")?;
    if std::fs::metadata(path).is_ok_and(|file| file.uid() == 0) {
        show::write(&format!(
            "it is root's: give it to the user of `kep serve`, as in `chown kep: {path_shown}`\n"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
