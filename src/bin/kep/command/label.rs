//! `kep label`: an account's labels, which mail programs know as keywords.

use super::said::{self, parse};
use super::{show, staff};
use crate::arguments::{Conf, Label as Arguments};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts;
use kep::registry::labels::{self, Colour, Label, LabelError};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::wire::AccountId;
use serde::Serialize;
use std::process::ExitCode;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, address, json } => {
            let (store, account) = of(&conf, &address).await?;
            let all = labels::list(&store, account).await.map_err(failure)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Add { conf, who, address, name, colour, json } => {
            let colour = colour.as_deref().map(parse_colour).transpose()?;
            let (store, account) = of(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let made = labels::staff::create(&store, account, &name, colour, &by).await;
            let made = made.map_err(failure)?;
            let text =
                |shown: &Shown| format!("{} is a label, its key is {}\n", shown.name, shown.key);
            show::print(json, &Shown::of(&made), text)
        }
        Arguments::Rename { conf, who, address, label, name } => {
            let (store, account) = of(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let renamed = labels::staff::rename(&store, account, &label, &name, &by).await;
            let renamed = renamed.map_err(failure)?;
            done(&format!(
                "{} is its name, its key is {} still",
                renamed.name,
                renamed.key.as_str()
            ))
        }
        Arguments::Colour { conf, who, address, label, colour } => {
            let colour = (colour != "none").then(|| parse_colour(&colour)).transpose()?;
            let (store, account) = of(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let changed = labels::staff::recolour(&store, account, &label, colour, &by).await;
            done(&format!("{} has another colour", changed.map_err(failure)?.name))
        }
        Arguments::Remove { conf, who, address, label } => {
            let (store, account) = of(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let gone = labels::staff::delete(&store, account, &label, &by).await;
            done(&format!("{} is no label any more", gone.map_err(failure)?.name))
        }
    }
}

async fn of(conf: &Conf, address: &str) -> Outcome<(Store, AccountId)> {
    let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
    let found = accounts::get(&store, &parse(address)?).await.map_err(said::registry)?;
    Ok((store, found.id))
}

fn parse_colour(text: &str) -> Outcome<Colour> {
    Colour::parse(text).ok_or_else(|| {
        Failure::data(format!("{text} is no colour")).hint("`#RRGGBB`, as '#2E7D32'")
    })
}

pub fn failure(error: LabelError) -> Failure {
    match error {
        LabelError::Registry(error) => said::registry(error),
        LabelError::Unknown(_) => {
            Failure::not_found(&error).hint("`kep label list ADDRESS` shows the labels")
        }
        LabelError::Exists(_) => {
            Failure::data(&error).hint("names differ by more than case and the dots of İ and i")
        }
        LabelError::TooMany => Failure::data(&error).hint("`kep label remove` makes room"),
        error => Failure::data(&error),
    }
}

#[derive(Serialize)]
struct Shown {
    key: String,
    name: String,
    colour: Option<String>,
    named: bool,
}

impl Shown {
    fn of(label: &Label) -> Self {
        Self {
            key: label.key.as_str().to_owned(),
            name: label.name.clone(),
            colour: label.colour.as_ref().map(Colour::to_string),
            named: label.named,
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let colour = row.colour.clone().unwrap_or_else(|| "-".to_owned());
        let named = if row.named { "yes" } else { "no" };
        vec![row.name.clone(), colour, named.to_owned(), row.key.clone()]
    });
    let head = ["LABEL", "COLOUR", "NAMED", "KEY"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no labels yet; make one: kep label add")
}

fn done(text: &str) -> Outcome {
    show::write(&format!("{text}\n"))?;
    Ok(ExitCode::SUCCESS)
}
