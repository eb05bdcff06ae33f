//! `kep vault`: the master key, made and renewed.

use super::show;
use crate::arguments::Vault as Arguments;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::trust::vault::Vault;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;

pub fn run(arguments: &Arguments) -> Outcome {
    match arguments {
        Arguments::Init { conf } => init(&wire_up::settings(&conf.conf)?),
        Arguments::Rotate { conf } => rotate(&wire_up::settings(&conf.conf)?),
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

fn rotate(settings: &Settings) -> Outcome {
    let path = &settings.vault.master_key;
    let vault = Vault::rotate(path).map_err(|error| {
        Failure::config(error).hint("`kep vault init` makes the first key of a new provider")
    })?;
    let key = format!("master key generation {}", vault.generation());
    told(path, &key, "; restart `kep serve`, which wraps with it from then on")
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
