//! Many addresses at once (RehberTopluKontrol): whether each is in the directory. Of whose it is no
//! more is told than the kind; each address counts as one that was told, so that nobody guesses at leisure.

use super::ask::{Central, Directory, Noted, answered, enter};
use super::entry;
use super::fault::DirectoryError;
use super::record::{Kind, Service};
use crate::registry::audit::By;
use crate::store::directory::query::{self as rows, By as Key};
use crate::store::{RowsError, Tx};
use crate::wire::{AccountId, KepAddress, KepDomain};
use std::collections::BTreeMap;

/// An address, and what is said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// As it was asked.
    pub address: String,
    pub verdict: Verdict,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Listed {
        kind: Kind,
        service: Option<Service>,
    },
    /// There is none, or it does not want to be found, or it is of another kind.
    NotListed,
    /// No address of the circuit.
    Malformed,
    /// It is another provider's, and the central directory did not say.
    Unanswered,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Listed { .. } => "listed",
            Self::NotListed => "not-listed",
            Self::Malformed => "malformed",
            Self::Unanswered => "unanswered",
        }
    }
}

type Listed = BTreeMap<KepAddress, (Kind, Option<Service>)>;

/// Asks for an account; of this `kind` alone, where one is named. In the order of the addresses.
pub async fn check(
    directory: &Directory,
    account: AccountId,
    kind: Option<Kind>,
    addresses: &[String],
    by: By,
) -> Result<(Vec<Checked>, Central), DirectoryError> {
    if addresses.is_empty() || addresses.len() > MOST {
        return Err(DirectoryError::Batch(addresses.len()));
    }
    let parsed: Vec<_> = addresses.iter().map(|text| KepAddress::parse(text.trim()).ok()).collect();
    let mut asked: Vec<KepAddress> = parsed.iter().flatten().cloned().collect();
    asked.sort();
    asked.dedup();
    let word = kind.map_or("check", |kind| match kind {
        Kind::Person => "check-person",
        Kind::Company => "check-company",
        Kind::Public => "check-public",
    });
    let noted = Noted { kind: word, keys: "address".to_owned(), tells: Some(asked.len() as i64) };
    let (id, _) = enter(&directory.store, account, noted, by).await?;
    let told = asked.len() as i64;
    let ours = |domain: KepDomain| domain.provider() == directory.ours.provider();
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|address| ours(address.domain()));
    let mut listed: Listed = directory.store.read(move |tx| own(tx, &here)).await?;
    let central = others(directory, &elsewhere, &mut listed).await;
    answered(&directory.store, id, told, central.word()).await?;
    let verdict = |address: &KepAddress| match listed.get(address) {
        Some((of, service)) if kind.is_none_or(|kind| kind == *of) => {
            Verdict::Listed { kind: *of, service: *service }
        }
        Some(_) => Verdict::NotListed,
        None if ours(address.domain()) => Verdict::NotListed,
        None if central == Central::Answered => Verdict::NotListed,
        None => Verdict::Unanswered,
    };
    let checked = addresses.iter().zip(&parsed).map(|(text, address)| Checked {
        address: text.trim().to_owned(),
        verdict: address.as_ref().map_or(Verdict::Malformed, verdict),
    });
    Ok((checked.collect(), central))
}

fn own(tx: &mut Tx<'_>, addresses: &[KepAddress]) -> Result<Listed, RowsError> {
    let mut listed = Listed::new();
    for address in addresses {
        for row in rows::find(tx, &Key::Address(address.to_string()), 1)? {
            if let Some(record) = entry::read(&row)? {
                listed.insert(address.clone(), (record.kind, record.service));
            }
        }
    }
    Ok(listed)
}

async fn others(directory: &Directory, addresses: &[KepAddress], listed: &mut Listed) -> Central {
    let Some(central) = &directory.central else { return Central::Absent };
    if addresses.is_empty() {
        return Central::NotAsked;
    }
    match central.check(addresses).await {
        Ok(heard) => {
            // Of what nobody asked for nothing is believed.
            let asked = heard.records.into_iter().filter(|(one, _)| addresses.contains(one));
            listed.extend(asked.map(|(one, record)| (one, (record.kind, record.service))));
            match heard.unsound > 0 || heard.more {
                true => Central::Partial,
                false => Central::Answered,
            }
        }
        Err(error) => {
            tracing::warn!(%error, "the central directory did not answer");
            Central::Unreachable
        }
    }
}

/// Addresses of one batch.
pub const MOST: usize = 200;
