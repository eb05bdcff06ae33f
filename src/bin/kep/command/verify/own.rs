//! What our own store knows of the messages in question: the originals, the evidence as it was
//! issued, and the material that was kept with it.

use super::Named;
use crate::command::message::rows;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::evidence::verify::{Believed, Facts, Given, Judge, Report};
use kep::store::evidence::{self, EvidenceRow};
use kep::store::{Store, submissions};
use kep::trust::{Certificate, Clock, Lists};
use kep::wire::{BlobId, MessageId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Default)]
pub struct Own {
    /// By file.
    originals: BTreeMap<String, Vec<u8>>,
    /// Our evidence where the file's is not the same octet for octet.
    copies: Vec<(String, Vec<u8>)>,
}

impl Own {
    /// Looks up what the files say they are about.
    pub async fn of(conf: &Path, files: &[Named], lists: &mut Lists) -> Outcome<Self> {
        let store = wire_up::store(&wire_up::settings(conf)?).await?;
        let judge = Judge::new(Believed::default()).map_err(Failure::software)?;
        let (mut own, mut seen) = (Self::default(), BTreeSet::new());
        for file in files {
            let Ok(octets) = &file.octets else { continue };
            let report = judge.judge(octets, None, Clock::System.now());
            let said: Vec<_> = facts(&report).collect();
            let Some(id) = said.first().and_then(|f| MessageId::parse(&f.message_id)) else {
                continue;
            };
            if let Some(original) = original(&store, &id).await? {
                own.originals.insert(file.name.clone(), original);
            }
            for row in kept(&store, &id).await? {
                let Some(facts) = said.iter().find(|facts| facts.id == row.document_id()) else {
                    continue;
                };
                if !seen.insert((row.id.as_str().to_owned(), facts.dialect)) {
                    continue;
                }
                material(&store, &row, lists).await?;
                let copy = copy(&store, &row, facts.dialect).await?;
                if report.evidence.is_some() && copy != *octets {
                    own.copies.push((format!("{}{} (own copy)", row.event, row.id), copy));
                }
            }
        }
        Ok(own)
    }

    pub fn original(&self, file: &str) -> Option<&[u8]> {
        self.originals.get(file).map(Vec::as_slice)
    }

    /// To be judged beside the files, so that what differs is named.
    pub fn copies(&self) -> Vec<Given<'_>> {
        let copies = self.copies.iter();
        let given = copies.map(|(name, octets)| Given { name, octets: Ok(octets), original: None });
        given.collect()
    }
}

fn facts(report: &Report) -> impl Iterator<Item = &Facts> {
    report.evidence.iter().chain(report.enclosed.iter().filter_map(|one| one.evidence.as_ref()))
}

/// Our copy in the dialect that the file is in.
async fn copy(store: &Store, row: &EvidenceRow, dialect: &str) -> Outcome<Vec<u8>> {
    let id = row.id.clone();
    let forms = store.read(move |tx| evidence::forms(tx, &id)).await.map_err(rows)?;
    let further = forms.iter().find(|form| row.dialect != dialect && form.dialect == dialect);
    read(store, further.map_or(row.xml, |form| form.xml)).await
}

async fn original(store: &Store, id: &MessageId) -> Outcome<Option<Vec<u8>>> {
    let wanted = id.clone();
    let found = store.read(move |tx| submissions::find(tx, &wanted)).await.map_err(rows)?;
    match found {
        Some(submission) => read(store, submission.original).await.map(Some),
        None => Ok(None),
    }
}

async fn kept(store: &Store, id: &MessageId) -> Outcome<Vec<EvidenceRow>> {
    let wanted = id.clone();
    store.read(move |tx| evidence::of_message(tx, &wanted)).await.map_err(rows)
}

async fn material(store: &Store, row: &EvidenceRow, lists: &mut Lists) -> Outcome<()> {
    let id = row.id.clone();
    let kept = store.read(move |tx| evidence::material(tx, &id)).await.map_err(rows)?;
    for (kind, value) in kept {
        match kind.as_str() {
            "certificate" => {
                if let Ok(certificate) = Certificate::from_der(&value) {
                    lists.add_certificate(certificate);
                }
            }
            // What we kept was read when it was kept.
            "crl" => _ = lists.add_crl(value),
            _ => lists.add_answer(&value),
        }
    }
    Ok(())
}

async fn read(store: &Store, blob: BlobId) -> Outcome<Vec<u8>> {
    store.blob(blob).await.map_err(Failure::unavailable)
}
