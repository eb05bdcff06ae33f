//! The lists of providers: are they there, are they what their publishers say now, and do they agree
//! with what is set by hand.

use super::Finding;
use crate::settings::Settings;
use kep::registry::RegistryError;
use kep::store::listed_providers::{self, ListRow, PlaceRow};
use kep::store::{Store, Tx};
use kep::trust::{Anchors, Clock};
use std::path::Path;

pub(super) async fn check(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
    found: &mut Vec<Finding>,
) {
    signers("list signers", settings.lists.signers.as_deref(), found);
    signers("CSI signers", settings.lists.csi_signers.as_deref(), found);
    let look = |tx: &mut Tx<'_>| -> Result<_, RegistryError> {
        Ok((listed_providers::lists(tx)?, listed_providers::places(tx)?))
    };
    let (lists, places) = match store.read(look).await {
        Ok(read) => read,
        Err(error) => return found.push(Finding::wrong("lists", error)),
    };
    let named = settings.lists.trusted.iter().chain(&settings.lists.csi);
    for url in named.map(ToString::to_string) {
        found.extend(place(&url, places.iter().find(|place| place.url == url)));
    }
    for list in &lists {
        found.push(lasts(list, clock));
        for conflict in list.conflicts.lines() {
            let text = format!("{} says otherwise than what is set by hand: {conflict}", list.name);
            found.push(Finding::warning("lists", text));
        }
    }
}

fn signers(name: &'static str, path: Option<&Path>, found: &mut Vec<Finding>) {
    let Some(path) = path else { return };
    found.push(match Anchors::load(path) {
        Ok(anchors) => {
            let count = anchors.certificates().len();
            Finding::good(name, format!("{count} in {}", path.display()))
        }
        Err(error) => Finding::wrong(name, error),
    });
}

fn place(url: &str, row: Option<&PlaceRow>) -> Option<Finding> {
    let warning = |text| Some(Finding::warning("lists", text));
    match row {
        None => warning(format!("{url} was never fetched; `kep serve` does")),
        Some(row) if !row.trouble.is_empty() => {
            let at = row.tried_at.iso8601();
            let before = row.had_at.map_or("never had".to_owned(), |at| {
                format!("had the last time at {}", at.iso8601())
            });
            warning(format!("{url} was not had at {at} ({before}): {}", row.trouble))
        }
        Some(_) => None,
    }
}

fn lasts(list: &ListRow, clock: &Clock) -> Finding {
    let what = format!("{}, number {}", list.name, list.sequence);
    let expired = "what it said stays, nothing new is believed";
    let Some(next) = list.next_update else {
        return Finding::warning("lists", format!("{what}, is closed: {expired}"));
    };
    match next < clock.now() {
        true => {
            let at = next.iso8601();
            Finding::warning("lists", format!("{what}, has expired at {at}: {expired}"))
        }
        false => Finding::good("lists", format!("{what}, until {}", next.iso8601())),
    }
}
