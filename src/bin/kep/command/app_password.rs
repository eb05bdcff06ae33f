//! `kep account app-password`: passwords that we generate for mail programs.

use super::said::{done, mode, parse, registry};
use super::{show, staff};
use crate::arguments::{AppPassword as Arguments, Door};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::app_passwords::{self, AppPassword, NewPassword, Scopes};
use kep::registry::staff::StaffRole;
use secrecy::ExposeSecret;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, who, address, called, opening, scope, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let scopes = Scopes::new(scope.into_iter().map(Door::scope));
            let scopes =
                scopes.ok_or_else(|| Failure::usage("a password is for a door at least"))?;
            let new = NewPassword { name: called, opening: opening.map(mode), scopes };
            let made = app_passwords::add(&store, &parse(&address)?, new, &by).await;
            let (known, secret) = made.map_err(registry)?;
            let shown = Shown::of(&known);
            let password = secret.expose_secret().to_owned();
            show::print(json, &Made { shown, password }, |made| format!("{}\n", made.password))
        }
        Arguments::List { conf, address, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = app_passwords::list(&store, &parse(&address)?).await.map_err(registry)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Remove { conf, who, address, id } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let address = parse(&address)?;
            let removed = app_passwords::remove(&store, &address, &id, &by).await;
            if !removed.map_err(registry)? {
                let what = format!("{address} has no generated password {id}");
                return Err(
                    Failure::not_found(what).hint("`kep account app-password list` shows them")
                );
            }
            done(&format!("{address} has no longer the password {id}"))
        }
    }
}

/// What a new password is, this once.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    shown: Shown,
    password: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    /// None: as the account opens.
    opening: Option<&'static str>,
    scopes: Vec<&'static str>,
    created: String,
    used: Option<String>,
}

impl Shown {
    fn of(known: &AppPassword) -> Self {
        Self {
            id: known.id.clone(),
            name: known.name.clone(),
            opening: known.opening.map(|mode| mode.word()),
            scopes: known.scopes.words(),
            created: known.created_at.iso8601(),
            used: known.used_at.map(|at| at.iso8601()),
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let used = row.used.as_deref().unwrap_or("never");
        let doors = row.scopes.join(", ");
        let opening = row.opening.unwrap_or("account");
        let words = [&row.id, &row.name, opening, &doors, &row.created, used];
        words.map(str::to_owned).to_vec()
    });
    let head = ["ID", "NAME", "OPENING", "FOR", "CREATED", "USED"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no generated passwords")
}
