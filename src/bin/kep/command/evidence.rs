//! `kep evidence`: listing it, and handing it out with all that validates it.

use super::message::{message_id, rows};
use super::show;
use crate::arguments::Evidence as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::store::evidence::{self, EvidenceRow, FormRow};
use kep::store::{RowsError, Store, Tx};
use kep::wire::EvidenceId;
use kep::wire::rem::Dialect;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, message, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = match message {
                Some(id) => {
                    let id = message_id(&id)?;
                    store
                        .read(move |tx| {
                            evidence::of_message(tx, &id).and_then(|all| with_forms(tx, &all))
                        })
                        .await
                }
                None => {
                    store
                        .read(move |tx| {
                            evidence::list(tx, limit).and_then(|all| with_forms(tx, &all))
                        })
                        .await
                }
            };
            show::print(json, &found.map_err(rows)?, |lines| list(lines))
        }
        Arguments::Archive(arguments) => super::archive::run(&arguments).await,
        Arguments::Show { conf, id, dialect, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let row = find(&store, &id).await?;
            let all = documents(&store, &row).await?;
            let wanted = dialect.map(|one| Dialect::from(one).word());
            let found = all.iter().find(|one| wanted.is_none_or(|wanted| one.dialect == wanted));
            let row = found.ok_or_else(|| {
                Failure::not_found(format!("{id} was not written in that dialect"))
                    .hint("`kep evidence list --json` says in which it was")
            })?;
            let xml = xml(&store, row).await?;
            let others = all.iter().filter(|other| other.dialect != row.dialect);
            let further_dialects = others.map(|other| other.dialect.clone()).collect();
            let shown = Shown {
                evidence: Line { further_dialects, ..Line::of(row, Vec::new()) },
                xml: String::from_utf8_lossy(&xml).into_owned(),
            };
            show::print(json, &shown, |shown| format!("{}\n", shown.xml))
        }
        Arguments::Export { conf, id, dir } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let found = match id.contains('@') {
                true => {
                    let id = message_id(&id)?;
                    store.read(move |tx| evidence::of_message(tx, &id)).await.map_err(rows)?
                }
                false => vec![find(&store, &id).await?],
            };
            if found.is_empty() {
                return Err(Failure::not_found(format!("there is no evidence for {id}")));
            }
            for row in &found {
                export(&store, row, &dir).await?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn find(store: &Store, id: &str) -> Outcome<EvidenceRow> {
    let wanted = EvidenceId::from_stored(id);
    let row = store.read(move |tx| evidence::find(tx, &wanted)).await.map_err(rows)?;
    row.ok_or_else(|| {
        Failure::not_found(format!("there is no evidence {id}"))
            .hint("`kep evidence list` shows the newest")
    })
}

/// The evidence in each dialect that it was written in.
async fn documents(store: &Store, row: &EvidenceRow) -> Outcome<Vec<EvidenceRow>> {
    let id = row.id.clone();
    let forms = store.read(move |tx| evidence::forms(tx, &id)).await.map_err(rows)?;
    let further = forms.iter().map(|form| row.in_form(form));
    Ok([row.clone()].into_iter().chain(further).collect())
}

fn with_forms(tx: &mut Tx<'_>, rows: &[EvidenceRow]) -> Result<Vec<Line>, RowsError> {
    let line = |row: &EvidenceRow| Ok(Line::of(row, evidence::forms(tx, &row.id)?));
    rows.iter().map(line).collect()
}

async fn xml(store: &Store, row: &EvidenceRow) -> Outcome<Vec<u8>> {
    store.blob(row.xml).await.map_err(Failure::unavailable)
}

/// As a file is called. What another provider calls its evidence is nobody's path.
fn file_name(row: &EvidenceRow) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let id = row.document_id().chars().take(NAME_MAX).map(|c| if plain(c) { c } else { '_' });
    let by = match row.origin.as_str() {
        evidence::OWN => String::new(),
        peer => format!("-{peer}"),
    };
    format!("{}{by}{}", row.event, id.collect::<String>())
}

/// The XML as `EVENT-ID.xml`, as `EVENT-ID.DIALECT.xml` in a further dialect; certificates, CRLs and OCSP
/// answers in a folder beside it.
async fn export(store: &Store, row: &EvidenceRow, dir: &Path) -> Outcome<()> {
    let made = |path: &Path, done: std::io::Result<()>| {
        done.map_err(|e| Failure::cannot_create(format!("{}: {e}", path.display())))
    };
    made(dir, std::fs::create_dir_all(dir))?;
    let name = file_name(row);
    for (n, document) in documents(store, row).await?.iter().enumerate() {
        let path = dir.join(match n {
            0 => format!("{name}.xml"),
            _ => format!("{name}.{}.xml", document.dialect),
        });
        made(&path, std::fs::write(&path, xml(store, document).await?))?;
        show::write(&format!("{}\n", path.display()))?;
    }
    let id = row.id.clone();
    let material = store.read(move |tx| evidence::material(tx, &id)).await.map_err(rows)?;
    let folder = dir.join(format!("{name}.material"));
    made(&folder, std::fs::create_dir_all(&folder))?;
    for (n, (kind, value)) in material.iter().enumerate() {
        let extension = match kind.as_str() {
            "certificate" => "crt",
            "crl" => "crl",
            _ => "ocsp",
        };
        let path = folder.join(format!("{:02}-{kind}.{extension}", n + 1));
        made(&path, std::fs::write(&path, value))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Line {
    id: String,
    event: String,
    message: String,
    recipient: String,
    time: String,
    stamped: String,
    dialect: String,
    /// Further ones that it was written in.
    further_dialects: Vec<String>,
    origin: String,
}

#[derive(Serialize)]
struct Shown {
    evidence: Line,
    xml: String,
}

impl Line {
    fn of(row: &EvidenceRow, forms: Vec<FormRow>) -> Self {
        Self {
            id: row.id.to_string(),
            event: row.event.clone(),
            message: row.message_id.to_string(),
            recipient: row.recipient.clone(),
            time: row.event_time.iso8601(),
            stamped: row.stamped_at.iso8601(),
            dialect: row.dialect.clone(),
            further_dialects: forms.into_iter().map(|form| form.dialect).collect(),
            origin: row.origin.clone(),
        }
    }
}

fn list(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let words = [&line.time, &line.event, &line.recipient, &line.id, &line.message];
        words.map(String::clone).to_vec()
    });
    let head = ["TIME", "EVENT", "RECIPIENT", "ID", "MESSAGE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no evidence yet")
}

/// Names of files have 255 octets at most.
const NAME_MAX: usize = 120;
