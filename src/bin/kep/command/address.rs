//! `kep address`: which addresses can be given.

use super::account::registry;
use super::show;
use crate::arguments::Address as Arguments;
use crate::failure::Outcome;
use crate::wire_up;
use kep::registry::addresses::{self, Called};

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
    }
}
