//! `kep api`: what the JSON API says of itself.

use super::show;
use crate::api_doors;
use crate::arguments::Api as Arguments;
use crate::failure::{Failure, Outcome};
use kep::portal::api::{self, Entry};
use kep::registry::api_tokens::Scope;
use serde::Serialize;
use std::process::ExitCode;

pub fn run(arguments: &Arguments) -> Outcome {
    let refusals = api_doors::refusals();
    match arguments {
        Arguments::Openapi => {
            let document = serde_json::to_string_pretty(&api::openapi(&refusals));
            show::write(&(document.map_err(Failure::software)? + "\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Arguments::Errors { markdown: true, .. } => {
            show::write(&page(&api::catalogue(&refusals)))?;
            Ok(ExitCode::SUCCESS)
        }
        Arguments::Errors { json, .. } => show::print(*json, &api::catalogue(&refusals), |all| {
            let cells = all.iter().map(|entry| {
                vec![entry.code.clone(), entry.status.to_string(), entry.english.clone()]
            });
            show::table(&["CODE", "STATUS", "SAYS"], &cells.collect::<Vec<_>>(), "")
        }),
        Arguments::Scopes { json } => {
            let scopes =
                Scope::ALL.map(|(_, scope, turkish, english)| May { scope, turkish, english });
            show::print(*json, &scopes, |all| {
                let cells =
                    all.iter().map(|may| vec![may.scope.to_owned(), may.english.to_owned()]);
                show::table(&["SCOPE", "ALLOWS TO"], &cells.collect::<Vec<_>>(), "")
            })
        }
    }
}

#[derive(Serialize)]
struct May {
    scope: &'static str,
    turkish: &'static str,
    english: &'static str,
}

/// The page of all errors.
fn page(all: &[Entry]) -> String {
    let mut page = String::from(
        "# Errors of the JSON API\n\nMade by `kep api errors --markdown`; a test compares it with the \
         tables in the code.\nEach error is `application/problem+json` (RFC 9457) with the `code` below. \
         Those that begin with\n`refused-` say why a submission was not accepted, as SMTP does.\n\n\
         | code | status | Türkçe | English |\n|---|---|---|---|\n",
    );
    for entry in all {
        let with = |text: &str, hint: &Option<String>| {
            format!("{text} {}", hint.as_deref().unwrap_or_default()).trim_end().to_owned()
        };
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            entry.code,
            entry.status,
            with(&entry.turkish, &entry.hint_turkish),
            with(&entry.english, &entry.hint_english)
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_errors_is_as_the_tables_are() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api-errors.md");
        let made = page(&api::catalogue(&api_doors::refusals()));
        if std::env::var_os("KEP_BLESS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), made, "KEP_BLESS=1 writes it anew");
    }
}
