//! Taking a list in one transaction: is it newer than what is held, what does it change, and that done.

use super::plan::Source;
use super::{Authentic, Believed, Document, Known, Line, OwnSeal, Plan, Refusal, What};
use crate::registry::RegistryError;
use crate::registry::audit::{self, By};
use crate::registry::peers::{Peer, PeerState};
use crate::store::listed_providers::{self as rows, ListRow};
use crate::store::{Lane, RowsError, Store, Tx, providers};
use crate::wire::lists::ListKind;
use crate::wire::{KepDomain, Timestamp};
use serde_json::json;

/// What is asked of an import.
#[derive(Clone, Debug)]
pub struct How {
    pub ours: KepDomain,
    /// None: whatever it is.
    pub wanted: Option<ListKind>,
    pub believed: Believed,
    /// The URL or file that it comes from.
    pub place: String,
    pub now: Timestamp,
    /// Who takes it.
    pub by: By,
    /// Whether the list that is held is weighed once more.
    pub again: bool,
    /// Whether nothing is changed.
    pub dry: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Imported {
    pub name: String,
    pub kind: ListKind,
    pub sequence: i64,
    pub issued: Timestamp,
    pub next_update: Option<Timestamp>,
    pub signer: String,
    /// Whether anything new is believed by it.
    pub fresh: bool,
    /// It is the one that is held: nothing was looked at.
    pub held: bool,
    pub lines: Vec<Line>,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl From<RowsError> for ImportError {
    fn from(error: RowsError) -> Self {
        Self::Registry(error.into())
    }
}

pub async fn import(store: &Store, octets: Vec<u8>, how: How) -> Result<Imported, ImportError> {
    let (wanted, believed, now) = (how.wanted, how.believed.clone(), how.now);
    let seals = store.read(move |tx| own_seals(tx, now)).await?;
    let judging = move || Authentic::judge(&octets, wanted, &believed, &seals, now);
    // A list of a state has megabytes.
    let judged = tokio::task::spawn_blocking(judging).await;
    let authentic = judged.map_err(|_| RowsError::Undone("the list was not judged"))??;
    let dry = how.dry;
    let work = move |tx: &mut Tx<'_>| take(tx, &authentic, &how);
    let imported: Imported = match dry {
        true => store.read(work).await?,
        false => store.write(Lane::Client, work).await?,
    };
    if !dry {
        imported.log();
    }
    Ok(imported)
}

/// Seals that may sign what their provider says of itself.
fn own_seals(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<OwnSeal>, RowsError> {
    let active = Peer::all(tx)?.into_iter().filter(|peer| peer.state == PeerState::Active);
    let of = |peer: Peer| -> Vec<OwnSeal> {
        let own = |certificate| OwnSeal { domain: peer.domain.clone(), certificate };
        peer.seals_at(now).map(|seal| own(seal.certificate.clone())).collect()
    };
    Ok(active.flat_map(of).collect())
}

fn take(tx: &mut Tx<'_>, authentic: &Authentic, how: &How) -> Result<Imported, ImportError> {
    let document = &authentic.document;
    let signer = format!("{} ({})", authentic.signer.subject(), authentic.signer.digest().hex());
    let mut imported = Imported {
        name: authentic.name(),
        kind: document.kind(),
        sequence: document.sequence(),
        issued: document.issued(),
        next_update: document.next_update(),
        signer,
        fresh: document.is_fresh(how.now),
        held: false,
        lines: Vec::new(),
    };
    let row = row(&imported, authentic, how);
    // The row's lock first: who imports beside us waits, and finds this one held.
    let taken = !how.dry && rows::take(tx, &row, how.again)?;
    if !taken && !is_next(rows::held(tx, &row.name)?.as_ref(), &row, how.again)? {
        imported.held = true;
        return Ok(imported);
    }
    let plan = plan(tx, authentic, how, &imported)?;
    if !how.dry {
        lay_down(tx, &plan)?;
        let conflicts = plan.lines.iter().filter(|line| line.what == What::Conflict);
        let conflicts: Vec<String> = conflicts.map(ToString::to_string).collect();
        rows::set_conflicts(tx, &row.name, &conflicts.join("\n"))?;
        let changes = plan.lines.iter().filter(|line| line.what.changes());
        let details = json!({
            "number": imported.sequence,
            "signer": imported.signer,
            "changes": changes.map(ToString::to_string).collect::<Vec<_>>(),
        });
        audit::record(tx, &how.by, "provider.import", &row.name, details)?;
    }
    imported.lines = plan.lines;
    Ok(imported)
}

fn row(imported: &Imported, authentic: &Authentic, how: &How) -> ListRow {
    ListRow {
        name: imported.name.clone(),
        kind: imported.kind.word().to_owned(),
        place: how.place.clone(),
        sequence: imported.sequence,
        issued_at: imported.issued,
        next_update: imported.next_update,
        digest: authentic.digest.0.to_vec(),
        signer: imported.signer.clone(),
        taken_at: how.now,
        conflicts: String::new(),
    }
}

/// Whether a list follows the one that is held. One list has one number each time it is issued: what
/// is older rolls back, what has the same number and says other things is nobody's list.
fn is_next(held: Option<&ListRow>, offered: &ListRow, again: bool) -> Result<bool, Refusal> {
    let Some(held) = held else { return Ok(true) };
    match offered.sequence.cmp(&held.sequence) {
        std::cmp::Ordering::Greater => Ok(true),
        std::cmp::Ordering::Less => {
            Err(Refusal::Older { held: held.sequence, offered: offered.sequence })
        }
        std::cmp::Ordering::Equal if held.digest != offered.digest => {
            Err(Refusal::Doubled(held.sequence))
        }
        std::cmp::Ordering::Equal => Ok(again),
    }
}

fn plan(
    tx: &mut Tx<'_>,
    authentic: &Authentic,
    how: &How,
    imported: &Imported,
) -> Result<Plan, RowsError> {
    if !how.dry {
        // What a command changes meanwhile is not to be overwritten.
        for domain in providers::all_domains(tx)? {
            providers::lock(tx, &domain)?;
        }
    }
    let mut known = Vec::new();
    for row in providers::all(tx)? {
        let listed = rows::listed(tx, &row.domain)?;
        known.push(Known { seals: rows::seals(tx, &row.domain)?, listed, row });
    }
    let (name, issued) = (imported.name.as_str(), imported.issued);
    let source = Source { name, issued, fresh: imported.fresh, now: how.now };
    Ok(match &authentic.document {
        Document::TrustedList(list) => Plan::of_list(list, &known, &how.ours, &source),
        Document::Csi(csi) => Plan::of_csi(csi, &known, authentic.by_seal_of.as_ref(), &source),
    })
}

fn lay_down(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), RowsError> {
    for Known { row, listed, seals } in &plan.entries {
        providers::put(tx, row)?;
        if let Some(listed) = listed {
            rows::put_listed(tx, listed)?;
            rows::put_seals(tx, &row.domain, seals)?;
        }
    }
    Ok(())
}

impl Imported {
    fn log(&self) {
        let (list, sequence) = (self.name.as_str(), self.sequence);
        if !self.fresh {
            tracing::warn!(list, sequence, "the list has expired: nothing new is believed by it");
        }
        for line in &self.lines {
            match line.what {
                What::Unchanged => {}
                What::Ignored => tracing::info!(list, "{line}"),
                What::Conflict | What::Suspended | What::Closed => tracing::warn!(list, "{line}"),
                What::Added | What::Changed | What::Resumed => tracing::info!(list, "{line}"),
            }
        }
        if !self.held {
            tracing::info!(list, sequence, signer = self.signer, "a list was taken");
        }
    }
}
