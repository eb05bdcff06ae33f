//! `kep address`: which addresses can be given, and whose the sub-domains are.

use super::said::{done, registry};
use super::{show, staff};
use crate::arguments::Address as Arguments;
use crate::failure::Outcome;
use crate::wire_up;
use kep::registry::RegistryError;
use kep::registry::addresses::{self, Called};
use kep::registry::staff::StaffRole;
use kep::registry::sub_domains::{self, SubDomain};
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Propose { conf, given_names, surname, title, limit, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let called = match title {
                Some(title) => Called::Institution { title },
                None => Called::Person {
                    given_names: given_names.unwrap_or_default(),
                    surname: surname.unwrap_or_default(),
                },
            };
            let domain = &settings.provider.domain;
            let free = addresses::propose(&store, domain, &called, "", limit).await;
            let free: Vec<_> = free.map_err(registry)?.iter().map(ToString::to_string).collect();
            show::print(json, &free, |free| match free.as_slice() {
                [] => "no address can be made of that name\n".to_owned(),
                all => all.iter().map(|one| format!("{one}\n")).collect(),
            })
        }
        Arguments::SubDomain { conf, label, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let domain = &settings.provider.domain;
            let found = sub_domains::list(&store, domain, label.as_deref()).await;
            let found = found.map_err(registry)?;
            if let (Some(label), true) = (label, found.is_empty()) {
                return Err(registry(RegistryError::NoSubDomain(label)));
            }
            let rows: Vec<_> = found.into_iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| table(rows))
        }
        Arguments::Release { conf, who, label, reason } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let domain = &settings.provider.domain;
            let freed = sub_domains::release(&store, domain, &label, &reason, &by).await;
            freed.map_err(registry)?;
            done(&format!("the sub-domain {label} is nobody's"))
        }
    }
}

/// A sub-domain, whose it is, and what is in it.
#[derive(Serialize)]
struct Shown {
    domain: String,
    /// The kind of number by which its holder is known, and the number.
    identity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    since: String,
    accounts: Vec<String>,
    applications: Vec<i64>,
}

impl Shown {
    fn of(one: SubDomain) -> Self {
        Self {
            domain: one.domain.to_string(),
            identity: one.identity,
            holder: one.holder.map(|(_, name)| name),
            since: one.given_at.iso8601(),
            accounts: one.accounts.iter().map(|account| account.address.to_string()).collect(),
            applications: one.applications.iter().map(|id| id.0).collect(),
        }
    }
}

fn table(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let numbers: Vec<_> = row.applications.iter().map(ToString::to_string).collect();
        let holder = row.holder.clone().unwrap_or_default();
        let (accounts, numbers) = (row.accounts.join(", "), numbers.join(", "));
        vec![row.domain.clone(), row.identity.clone(), holder, accounts, numbers]
    });
    let head = ["SUB-DOMAIN", "KNOWN BY", "HOLDER", "ACCOUNTS", "APPLICATIONS"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no institution has a sub-domain")
}
