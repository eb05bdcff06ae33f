//! `kep verify`: proves evidence, dispatches and evidence mails, offline. Exit 0 valid, 1 invalid,
//! 2 can't tell, also of a file that can't be read.

mod own;
mod trust;

use super::show;
use crate::arguments;
use crate::failure::{Failure, Outcome};
use kep::evidence::verify::{Given, Judge, LARGE, MAX_OCTETS, Unread, Verdict};
use kep::trust::Clock;
use own::Own;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// One file of the command line.
struct Named {
    name: String,
    octets: Result<Vec<u8>, Unread>,
}

pub async fn run(arguments: &arguments::Verify) -> Outcome {
    let mut believed = trust::believed(arguments.trust.as_deref())?;
    let original = arguments.original.as_deref().map(original).transpose()?;
    let mut files = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        files.push(Named { name: path.display().to_string(), octets: read(path) });
        trust::beside(path, &mut believed.lists);
    }
    let own = match &arguments.conf {
        Some(conf) => Own::of(conf, &files, &mut believed.lists).await?,
        None => Own::default(),
    };
    let judge = Judge::new(believed).map_err(Failure::software)?;
    let given: Vec<Given<'_>> = files.iter().map(|file| file.given(&own)).collect();
    let given = [given, own.copies()].concat();
    let run = judge.judge_all(&given, original.as_deref(), Clock::System.now());
    show::print(arguments.json, &run, |run| run.text())?;
    Ok(ExitCode::from(match run.verdict {
        Verdict::Valid => 0,
        Verdict::Invalid => 1,
        Verdict::CantTell => 2,
    }))
}

impl Named {
    fn given<'a>(&'a self, own: &'a Own) -> Given<'a> {
        let octets = self.octets.as_ref().map(Vec::as_slice);
        Given { name: &self.name, octets, original: own.original(&self.name) }
    }
}

/// A file to be judged; whatever is wrong with it is part of the report, the others go on.
fn read(path: &Path) -> Result<Vec<u8>, Unread> {
    let unread = |error: std::io::Error| Unread {
        why: format!("can't be read: {error}"),
        hint: "name evidence XML, a dispatch or an evidence mail",
    };
    if std::fs::metadata(path).map_err(unread)?.is_dir() {
        let hint = "name the files in it, as in `kep verify evidence/*.xml`";
        return Err(Unread { why: "this is a folder".to_owned(), hint });
    }
    let octets = bounded(path).map_err(unread)?;
    if octets.len() > MAX_OCTETS {
        let why = format!("larger than {} MiB", MAX_OCTETS / 1024 / 1024);
        return Err(Unread { why, hint: LARGE });
    }
    Ok(octets)
}

fn original(path: &Path) -> Outcome<Vec<u8>> {
    let name = path.display();
    let octets = bounded(path).map_err(|error| {
        Failure::not_found(format!("{name}: {error}"))
            .hint("--original names the message as it was sent, with all its header fields")
    })?;
    if octets.len() > MAX_OCTETS {
        let text = format!("{name} is larger than {} MiB", MAX_OCTETS / 1024 / 1024);
        return Err(Failure::data(text).hint("no original that was accepted is"));
    }
    Ok(octets)
}

/// One octet more than is judged: files that grow and devices without end stop here, too.
fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(path)?.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets)?;
    Ok(octets)
}
