//! `kep directory check`: whether each of many addresses is in the directory.

use super::directory::{failure, id};
use super::{show, staff};
use crate::arguments::DirectoryCheck;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::directory::{self, Checked, Kind, Verdict};
use kep::registry::staff::StaffRole;
use serde::Serialize;
use std::path::Path;

pub async fn run(asked: DirectoryCheck) -> Outcome {
    let kind = asked.kind.as_deref().map(kind).transpose()?;
    let mut addresses = asked.addresses;
    if let Some(file) = &asked.file {
        addresses.extend(lines(file)?);
    }
    let settings = wire_up::settings(&asked.conf.conf)?;
    let store = wire_up::store(&settings).await?;
    let account = id(&store, &asked.account).await?;
    let by = staff::by_role(&store, &asked.who, StaffRole::Registrar).await?;
    let directory = wire_up::directory(&settings, &store)?;
    let checked = directory::check(&directory, account, kind, &addresses, by).await;
    let (checked, central) = checked.map_err(failure)?;
    let shown = Shown {
        checked: checked.iter().map(One::of).collect(),
        central: central.word(),
        notice: central.said().map(|(turkish, english)| Notice { turkish, english }),
    };
    show::print(asked.json, &shown, Shown::text)
}

fn kind(word: &str) -> Outcome<Kind> {
    let wrong = || Failure::usage(format!("{word} is no kind")).hint("person, company or public");
    Kind::parse(word).ok_or_else(wrong)
}

fn lines(file: &Path) -> Outcome<Vec<String>> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::not_found(format!("{}: {error}", file.display()))
            .hint("a text file, one address a line")
    };
    let length = std::fs::metadata(file).map_err(|error| wrong(&error))?.len();
    if length > FILE_MAX {
        return Err(wrong(&"too large"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let lines = text.lines().map(str::trim);
    Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

#[derive(Serialize)]
struct Shown {
    checked: Vec<One>,
    central: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
}

#[derive(Serialize)]
struct One {
    address: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'static str>,
}

#[derive(Serialize)]
struct Notice {
    turkish: &'static str,
    english: &'static str,
}

impl One {
    fn of(checked: &Checked) -> Self {
        let (kind, service) = match checked.verdict {
            Verdict::Listed { kind, service } => {
                (Some(kind.word()), service.map(|service| service.word()))
            }
            _ => (None, None),
        };
        Self { address: checked.address.clone(), verdict: checked.verdict.word(), kind, service }
    }
}

impl Shown {
    fn text(&self) -> String {
        let cells = self.checked.iter().map(|one| {
            let text = |word: Option<&str>| word.unwrap_or("-").to_owned();
            vec![one.address.clone(), one.verdict.to_owned(), text(one.kind), text(one.service)]
        });
        let head = ["ADDRESS", "DIRECTORY", "KIND", "SERVICE"];
        let mut out = show::table(&head, &cells.collect::<Vec<_>>(), "no addresses");
        if let Some(notice) = &self.notice {
            out += &format!("{}\n{}\n", notice.turkish, notice.english);
        }
        out
    }
}

/// Octets: far more than a batch has.
const FILE_MAX: u64 = 1 << 20;
