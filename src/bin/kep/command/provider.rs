//! `kep provider`: the other providers of the circuit.

use super::account::{read_certificate, registry};
use super::show;
use crate::arguments::Provider as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::providers;
use kep::store::accounts::ProviderRow;
use kep::trust::{Certificate, Clock};
use kep::wire::KepDomain;
use serde::Serialize;
use std::process::ExitCode;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, domain, name, host, seal } => {
            let settings = wire_up::settings(&conf.conf)?;
            let domain = parse(&domain)?;
            if settings.provider.domain.provider() == domain.provider() {
                return Err(Failure::data(format!("{domain} is this provider itself")));
            }
            let seal = seal.map(|file| read_certificate(&file)).transpose()?;
            let row = ProviderRow {
                domain: domain.to_string(),
                name,
                host,
                seal_certificate: seal.map(|certificate| certificate.der().to_vec()),
                state: "active".to_owned(),
                added_at: Clock::System.now(),
            };
            let store = wire_up::store(&settings).await?;
            providers::put(&store, row).await.map_err(registry)?;
            show::write(&format!("provider {domain} is registered\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Arguments::List { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = providers::list(&store).await.map_err(registry)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, domain, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let domain = parse(&domain)?;
            let row = providers::find(&store, &domain).await.map_err(registry)?;
            let row = row.ok_or_else(|| unknown(&domain))?;
            show::print(json, &Shown::of(&row), |shown| list(std::slice::from_ref(shown)))
        }
        Arguments::Remove { conf, domain } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let domain = parse(&domain)?;
            if !providers::remove(&store, &domain).await.map_err(registry)? {
                return Err(unknown(&domain));
            }
            show::write(&format!("provider {domain} is removed\n"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

#[derive(Serialize)]
struct Shown {
    domain: String,
    name: String,
    host: String,
    state: String,
    seal: Option<String>,
}

impl Shown {
    fn of(row: &ProviderRow) -> Self {
        let seal = row.seal_certificate.as_deref().map(Certificate::from_der);
        Self {
            domain: row.domain.clone(),
            name: row.name.clone(),
            host: row.host.clone(),
            state: row.state.clone(),
            seal: seal.and_then(Result::ok).map(|certificate| certificate.subject().to_owned()),
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let seal = row.seal.clone().unwrap_or_else(|| "-".to_owned());
        vec![row.domain.clone(), row.name.clone(), row.host.clone(), row.state.clone(), seal]
    });
    let head = ["DOMAIN", "NAME", "HOST", "STATE", "SEAL"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no other providers; add one: kep provider add")
}

fn parse(domain: &str) -> Outcome<KepDomain> {
    KepDomain::parse(domain).map_err(|_| {
        Failure::data(format!("{domain} is not a provider's domain")).hint("hsNN.kep.tr")
    })
}

fn unknown(domain: &KepDomain) -> Failure {
    Failure::not_found(format!("there is no provider {domain}"))
        .hint("`kep provider list` shows the providers")
}
