//! `kep account settings`: what a person set for himself.

use super::said::{done, parse, registry};
use super::{show, staff};
use crate::arguments::Setting as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::credentials::Owner;
use kep::registry::declared::Declared;
use kep::registry::settings::{self, DECLARED, SettingError, Settings};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::wire::OperatorCode;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Show { conf, address, operator, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let owner = owner(&store, &address, operator.as_deref()).await?;
            let found = settings::show(&store, owner).await.map_err(failure)?;
            show::print(json, &lines(&found), |lines| table(lines))
        }
        Arguments::Set { conf, who, address, key, value, operator } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let owner = owner(&store, &address, operator.as_deref()).await?;
            settings::set(&store, &by, owner, &key, &value).await.map_err(failure)?;
            done(&format!("{key} of {address} is set"))
        }
    }
}

async fn owner(store: &Store, address: &str, operator: Option<&str>) -> Outcome<Owner> {
    let code = |text: &str| {
        OperatorCode::parse(text).ok_or_else(|| {
            Failure::usage(format!("{text} is no operator's code")).hint("001 to 999")
        })
    };
    let operator = operator.map(code).transpose()?;
    settings::owner(store, &parse(address)?, operator).await.map_err(failure)
}

#[derive(Serialize)]
struct Line {
    key: &'static str,
    value: String,
    form: &'static str,
    turkish: &'static str,
    english: &'static str,
}

fn lines(found: &Settings) -> Vec<Line> {
    let line = |declared: &Declared| Line {
        key: declared.key,
        value: found.written(declared.key).unwrap_or_default(),
        form: declared.form,
        turkish: declared.turkish,
        english: declared.english,
    };
    DECLARED.iter().map(line).collect()
}

fn table(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let value = line.value.replace('\n', " / ");
        vec![line.key.to_owned(), value, line.form.to_owned(), line.english.to_owned()]
    });
    show::table(&["SETTING", "VALUE", "FORM", "WHAT"], &cells.collect::<Vec<_>>(), "no settings")
}

fn failure(error: SettingError) -> Failure {
    match error {
        SettingError::Registry(error) => registry(error),
        SettingError::Store(_) => Failure::unavailable(&error),
        SettingError::Unknown(_) => {
            Failure::not_found(&error).hint("`kep account settings show` lists them")
        }
        SettingError::NoOperator(..) => {
            Failure::not_found(&error).hint("`kep account operator list` shows them")
        }
        SettingError::Value { .. } => Failure::data(&error).hint("its form stands in `show`"),
    }
}
