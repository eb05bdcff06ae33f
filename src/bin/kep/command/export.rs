//! `kep account export`: all that an account has, for its holder.

use super::bar::Bar;
use super::said::parse;
use super::{hold, show, staff};
use crate::arguments::Export as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::export::{self, ExportError, Summary};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::trust::Clock;
use kep::wire::KepAddress;
use serde::Serialize;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub async fn run(arguments: &Arguments) -> Outcome {
    let store = wire_up::store(&wire_up::settings(&arguments.conf.conf)?).await?;
    let by = staff::by_role(&store, &arguments.who, StaffRole::Registrar).await?;
    let file = arguments.second_password_file.as_deref();
    let second = match &arguments.second {
        Some(name) => Some(hold::proven(&store, name, file).await?),
        None => None,
    };
    let address = parse(&arguments.address)?;
    export::check(&store, &by, second.as_deref()).await.map_err(|error| failure(&error))?;
    match arguments.every_account {
        false => {
            let summary = one(&store, (&by, second.as_deref()), &address, &arguments.file).await?;
            show::print(arguments.json, &summary, |summary| line(&arguments.file, summary))
        }
        true => {
            let made = all(&store, (&by, second.as_deref()), &address, &arguments.file).await?;
            show::print(arguments.json, &made, |made| {
                made.iter().map(|made| line(&made.file, &made.summary)).collect()
            })
        }
    }
}

/// One of several.
#[derive(Serialize)]
struct Made {
    file: PathBuf,
    #[serde(flatten)]
    summary: Summary,
}

/// All that a holder has. What was written before one of them failed stays: the audit has that it was exported.
async fn all(
    store: &Store,
    by: (&By, Option<&str>),
    address: &KepAddress,
    folder: &Path,
) -> Result<Vec<Made>, Failure> {
    let accounts = export::accounts_of_holder(store, address).await.map_err(|e| failure(&e))?;
    let create = std::fs::DirBuilder::new().mode(0o700).create(folder);
    create.map_err(|error| {
        Failure::cannot_create(format!("{}: {error}", folder.display()))
            .hint("name a folder that is not there yet, in one that is")
    })?;
    let mut made = Vec::with_capacity(accounts.len());
    for account in accounts {
        let file = folder.join(format!("{account}.zip"));
        match one(store, by, &account, &file).await {
            Ok(summary) => made.push(Made { file, summary }),
            Err(failure) => {
                // Unless there is nothing in it.
                let _ = std::fs::remove_dir(folder);
                return Err(failure);
            }
        }
    }
    Ok(made)
}

async fn one(
    store: &Store,
    (by, second): (&By, Option<&str>),
    address: &KepAddress,
    path: &Path,
) -> Result<Summary, Failure> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = opened.map_err(|error| {
        Failure::cannot_create(format!("{}: {error}", path.display()))
            .hint("name a file that is not there yet, in a folder that is")
    })?;
    let mut bar = Bar::new();
    let mut tell = |so_far: &Summary| bar.show("mails", so_far.mails, "all");
    let done = export::export(store, (by, &Clock::System), second, address, file, &mut tell).await;
    bar.clear();
    done.map_err(|error| {
        // Half an archive is none.
        let _ = std::fs::remove_file(path);
        failure(&error)
    })
}

fn line(path: &Path, summary: &Summary) -> String {
    let Summary { mails, unopened, evidence, .. } = summary;
    format!(
        "{}: {mails} mails, of which {unopened} are unopened and without content; {evidence} evidence\n",
        path.display()
    )
}

fn failure(error: &ExportError) -> Failure {
    match error {
        ExportError::UnknownRequest(_) | ExportError::Over(_) | ExportError::Many => {
            Failure::refused(error)
        }
        ExportError::Unknown(_) => Failure::not_found(error).hint("`kep account list` shows them"),
        ExportError::OnePerson | ExportError::OffDuty(_) => Failure::refused(error)
            .hint("--as a registrar, --second an approver; `kep staff list` shows them"),
        ExportError::Io(_) => Failure::io(error),
        ExportError::Index(_) | ExportError::Stopped => Failure::software(error),
        ExportError::Registry(_) | ExportError::Store(_) => Failure::unavailable(error),
    }
}
