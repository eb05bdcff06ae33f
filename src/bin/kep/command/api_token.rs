//! `kep account token`: tokens of the JSON API.

use super::said::{done, parse, registry};
use super::{show, staff};
use crate::arguments::{ApiToken as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::api_tokens::{self, ApiToken, NewToken, Scope, Scopes, TokenError};
use kep::registry::audit::By;
use kep::registry::staff::StaffRole;
use kep::store::Store;
use secrecy::ExposeSecret;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, who, address, staff: member, called, scopes, days, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let scopes = scopes_of(&scopes, member.is_some())?;
            let new = NewToken { name: &called, scopes, days };
            let made = match (&address, &member) {
                (Some(address), _) => {
                    let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
                    let address = parse(address)?;
                    api_tokens::add(&store, &by, &address, None, new).await
                }
                (None, member) => {
                    let by = named(&store, &who).await?;
                    let member = member.as_deref().unwrap_or_default();
                    api_tokens::add_staff(&store, &by, member, new).await
                }
            };
            let (known, secret) = made.map_err(failure)?;
            let made = Made { shown: Shown::of(&known), token: secret.expose_secret().to_owned() };
            show::print(json, &made, |made| format!("{}\n", made.token))
        }
        Arguments::List { conf, address, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let address = address.as_deref().map(parse).transpose()?;
            let all = api_tokens::list(&store, address.as_ref()).await.map_err(registry)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Remove { conf, who, id, address } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let address = address.as_deref().map(parse).transpose()?;
            let role = match address {
                Some(_) => StaffRole::Registrar,
                None => StaffRole::Manager,
            };
            let by = staff::by_role(&store, &who, role).await?;
            let removed = api_tokens::remove(&store, &by, address.as_ref(), &id).await;
            if !removed.map_err(registry)? {
                return Err(Failure::not_found(format!("there is no token {id}"))
                    .hint("`kep account token list` shows them"));
            }
            done(&format!("the token {id} is gone"))
        }
    }
}

/// A member of staff who is proven by his password: nobody makes a token in his name.
async fn named(store: &Store, who: &Who) -> Outcome<By> {
    if who.name.is_none() {
        return Err(Failure::usage("a token of the staff is for whoever proves himself")
            .hint("--as NAME --staff NAME, the same; `kep staff list` shows them"));
    }
    staff::by(store, who).await
}

fn scopes_of(words: &[String], of_staff: bool) -> Outcome<Scopes> {
    if words.iter().any(|word| word == "all") {
        return Ok(Scopes::full(of_staff));
    }
    let scope = |word: &String| {
        Scope::parse(word).ok_or_else(|| {
            Failure::usage(format!("{word} is no scope")).hint("`kep api scopes` lists them")
        })
    };
    Ok(Scopes::of(words.iter().map(scope).collect::<Outcome<Vec<_>>>()?))
}

fn failure(error: TokenError) -> Failure {
    match error {
        TokenError::Registry(error) => registry(error),
        TokenError::Scope(_) | TokenError::NoScope => {
            Failure::usage(error).hint("`kep api scopes` lists them")
        }
        TokenError::Many => Failure::data(error).hint("`kep account token remove` takes one away"),
        TokenError::Another(_) => Failure::refused(error).hint("--as NAME --staff NAME, the same"),
        TokenError::Name | TokenError::Days => Failure::usage(error),
    }
}

/// What a new token is, this once.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    shown: Shown,
    token: String,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    operator: Option<String>,
    scopes: Vec<&'static str>,
    created: String,
    expires: String,
    used: Option<String>,
}

impl Shown {
    fn of(known: &ApiToken) -> Self {
        Self {
            id: known.id.clone(),
            name: known.name.clone(),
            operator: known.operator.map(|code| code.to_string()),
            scopes: known.scopes.words(),
            created: known.created_at.iso8601(),
            expires: known.expires_at.iso8601(),
            used: known.used_at.map(|at| at.iso8601()),
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let used = row.used.clone().unwrap_or_else(|| "never".to_owned());
        let scopes = row.scopes.join(",");
        let operator = row.operator.clone().unwrap_or_default();
        vec![row.id.clone(), row.name.clone(), operator, row.expires.clone(), used, scopes]
    });
    let head = ["ID", "NAME", "OPERATOR", "EXPIRES", "USED", "SCOPES"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no tokens")
}
