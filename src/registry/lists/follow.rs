//! Which parts of a provider's entry follow a list, and which are set by hand: those no list changes.

use crate::registry::audit::{self, By};
use crate::store::listed_providers::{self, ListedRow};
use crate::store::providers::{self, ProviderRow, SealRow};
use crate::store::{Lane, RowsError, Store, Tx};
use crate::wire::{Digest, KepDomain, sha256};
use serde_json::json;
use std::collections::BTreeSet;

/// A part of an entry that lists speak of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Aspect {
    Name,
    Host,
    State,
    /// By what its server is known.
    Tls,
    /// Whether a list may lay in seals; one that is set by hand is no list's in any case.
    Seals,
    Dialect,
}

/// What of an entry is set by hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ByHand(BTreeSet<Aspect>);

impl Aspect {
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Host, Self::State, Self::Tls, Self::Seals, Self::Dialect];

    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Host => "host",
            Self::State => "state",
            Self::Tls => "tls",
            Self::Seals => "seals",
            Self::Dialect => "dialect",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|aspect| aspect.word() == word)
    }
}

impl ByHand {
    pub fn all() -> Self {
        Self(Aspect::ALL.into_iter().collect())
    }

    pub fn of(listed: Option<&ListedRow>) -> Self {
        match listed {
            None => Self::all(),
            Some(row) => {
                Self(row.by_hand.split_ascii_whitespace().filter_map(Aspect::parse).collect())
            }
        }
    }

    pub fn has(&self, aspect: Aspect) -> bool {
        self.0.contains(&aspect)
    }

    fn written(&self) -> String {
        self.0.iter().map(|aspect| aspect.word()).collect::<Vec<_>>().join(" ")
    }
}

/// After a command: what it changed of a provider that follows a list is set by hand from now on.
pub(in crate::registry) fn mark(
    tx: &mut Tx<'_>,
    before: &ProviderRow,
    after: &ProviderRow,
) -> Result<(), RowsError> {
    let Some(listed) = listed_providers::listed(tx, &after.domain)? else { return Ok(()) };
    let mut by_hand = ByHand::of(Some(&listed));
    by_hand.0.extend(differing(before, after));
    let row = ListedRow { by_hand: by_hand.written(), ..listed };
    listed_providers::put_listed(tx, &row)?;
    let laid = listed_providers::seals(tx, &after.domain)?;
    let of = |row: &ProviderRow, digest: &Digest| -> Vec<SealRow> {
        row.seals.iter().filter(|seal| sha256(&seal.certificate) == *digest).cloned().collect()
    };
    let same = |digest: &Digest| of(before, digest) == of(after, digest);
    let left: Vec<Digest> = laid.into_iter().filter(same).collect();
    listed_providers::put_seals(tx, &after.domain, &left)
}

/// Leaves parts of an entry to the lists again. Says whether there is such a provider.
pub async fn leave(
    store: &Store,
    domain: &KepDomain,
    aspects: Vec<Aspect>,
    by: &By,
) -> Result<bool, RowsError> {
    let (domain, by) = (domain.to_string(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        if !leave_now(tx, &domain, &aspects)? {
            return Ok(false);
        }
        let parts: Vec<_> = aspects.iter().map(|aspect| aspect.word()).collect();
        audit::record(tx, &by, "provider.leave-to-lists", &domain, json!({ "parts": parts }))?;
        Ok(true)
    };
    store.write(Lane::Client, work).await
}

/// Forgets a list: its providers are set by hand from then on. Says whether there was one.
pub async fn forget(store: &Store, name: &str, by: &By) -> Result<bool, RowsError> {
    let (name, by) = (name.to_owned(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        let forgotten = listed_providers::forget_list(tx, &name)?;
        if forgotten {
            audit::record(tx, &by, "provider.forget-list", &name, json!({}))?;
        }
        Ok(forgotten)
    };
    store.write(Lane::Client, work).await
}

fn leave_now(tx: &mut Tx<'_>, domain: &str, aspects: &[Aspect]) -> Result<bool, RowsError> {
    providers::lock(tx, domain)?;
    if providers::find(tx, domain)?.is_none() {
        return Ok(false);
    }
    let listed = listed_providers::listed(tx, domain)?;
    let mut by_hand = ByHand::of(listed.as_ref());
    by_hand.0.retain(|aspect| !aspects.contains(aspect));
    let list = listed.map(|row| row.list).unwrap_or_default();
    let row = ListedRow { domain: domain.to_owned(), list, by_hand: by_hand.written() };
    listed_providers::put_listed(tx, &row)?;
    Ok(true)
}

/// By what its server is known.
fn tls(row: &ProviderRow) -> [&str; 3] {
    [&row.tls_pins, &row.tls_ca, &row.tls_by]
}

fn differing(before: &ProviderRow, after: &ProviderRow) -> Vec<Aspect> {
    let differs = |aspect: &Aspect| match aspect {
        Aspect::Name => before.name != after.name,
        Aspect::Host => (&before.host, &before.route) != (&after.host, &after.route),
        Aspect::State => before.state != after.state,
        Aspect::Tls => tls(before) != tls(after),
        Aspect::Seals => false,
        Aspect::Dialect => before.dialect != after.dialect,
    };
    Aspect::ALL.into_iter().filter(differs).collect()
}
