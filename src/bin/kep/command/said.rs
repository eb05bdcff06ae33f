//! What commands about accounts have in common: words that people say, parsed, and what they hear.

use super::{forms, quiet, show};
use crate::arguments::{Opening, Signature};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts::{OpeningMode, RegistryError, SignatureRule};
use kep::registry::addresses::Malformed;
use kep::registry::applications::ApplicationError;
use kep::trust::Certificate;
use kep::wire::KepAddress;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub fn mode(opening: Opening) -> OpeningMode {
    match opening {
        Opening::Sealed => OpeningMode::Sealed,
        Opening::Direct => OpeningMode::Direct,
    }
}

pub fn rule(signature: Signature) -> SignatureRule {
    match signature {
        Signature::Required => SignatureRule::Required,
        Signature::Hold => SignatureRule::Hold,
        Signature::Optional => SignatureRule::Optional,
    }
}

pub fn parse(address: &str) -> Outcome<KepAddress> {
    KepAddress::parse(address).map_err(|error| {
        Failure::data(format!("{address} is not a KEP address: {}", Malformed(error)))
            .hint("local@hsNN.kep.tr, in ASCII letters")
    })
}

pub fn registry(error: RegistryError) -> Failure {
    match &error {
        RegistryError::Unknown(_) => {
            Failure::not_found(&error).hint("`kep account list` shows the accounts")
        }
        RegistryError::Foreign(_, own) => {
            let hint = format!("accounts here are local@{own}, or in a sub-domain of it");
            Failure::data(&error).hint(hint)
        }
        RegistryError::Store(_) => Failure::unavailable(&error),
        other => refused(other),
    }
}

/// What people can do about what the registry refuses.
fn refused(error: &RegistryError) -> Failure {
    let data = Failure::data(error);
    match error {
        RegistryError::Holder(faults) => forms::wrong(faults),
        RegistryError::Untaken(..) => data.hint("`kep address propose` shows some that are free"),
        RegistryError::NotTheHolder(_) => {
            data.hint("an account never passes to somebody else; --identity NO proves the holder")
        }
        RegistryError::NoHolder(_) => data.hint("`kep account holder ADDRESS --kind …` records him"),
        RegistryError::Standing(..) => data.hint("`kep account show` shows the state of an account"),
        RegistryError::HasOperators(_) => data.hint("`kep account operator end` ends them first"),
        RegistryError::Forbidden(_) => data.hint("`kep policy show` shows what is allowed"),
        RegistryError::NoReceipt(_) => {
            Failure::not_found(error).hint("`kep account closing show` lists the requests")
        }
        RegistryError::Unsigned(_) => Failure::unavailable(error).hint(
            "the request counts; `kep account closing receipt` signs it later, and the server does too",
        ),
        RegistryError::Application(ApplicationError::Unknown(_)) => {
            Failure::not_found(error).hint("`kep application list` shows them")
        }
        RegistryError::Application(ApplicationError::Papers(_)) => {
            data.hint("`kep application check ID --paper KIND=REFERENCE` adds what came since")
        }
        RegistryError::Application(ApplicationError::SameHand(_)) => {
            data.hint("--as NAME says who approves")
        }
        RegistryError::NoSubDomain(_) => {
            Failure::not_found(error).hint("`kep address sub-domain` lists them")
        }
        RegistryError::SubDomainInUse(_) => data.hint("`kep address sub-domain LABEL` shows which"),
        RegistryError::ByApplication => Failure::refused(error).hint(
            "`kep application add` files one; where a manager has set the policy account.direct, none is needed",
        ),
        RegistryError::Application(_) => data.hint("`kep application show` says how far it is"),
        _ => data,
    }
}

/// PEM or DER.
pub fn read_certificate(file: &PathBuf) -> Outcome<Certificate> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::not_found(format!("{}: {error}", file.display()));
    let octets = std::fs::read(file).map_err(|e| wrong(&e))?;
    if octets.starts_with(b"-----") {
        let found = Certificate::from_pem(&octets).map_err(|e| wrong(&e))?;
        return found.into_iter().next().ok_or_else(|| wrong(&"no certificate in it"));
    }
    Certificate::from_der(&octets).map_err(|e| wrong(&e))
}

pub async fn secret(file: Option<&Path>) -> Outcome<SecretString> {
    match file {
        Some(path) => wire_up::secret(path),
        None => ask().await,
    }
}

/// From standard input: a person types it unseen, a script pipes it.
async fn ask() -> Outcome<SecretString> {
    let line = quiet::ask("Password: ").await;
    let line = line.map_err(|e| Failure::usage(format!("no password: {e}")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

pub fn done(text: &str) -> Outcome {
    show::write(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}
