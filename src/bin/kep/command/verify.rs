//! `kep verify`: proves evidence, dispatches and evidence mails, offline. Exit 0 valid, 1 invalid,
//! 2 can't tell.

use super::show;
use crate::arguments;
use crate::failure::{Failure, Outcome};
use kep::evidence::verify::{
    Believed, Check, Facts, Given, Judge, Kind, MAX_OCTETS, Report, Run, State, Verdict,
};
use kep::trust::{Anchors, Clock};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

pub fn run(arguments: &arguments::Verify) -> Outcome {
    let judge = Judge::new(believed(arguments.trust.as_deref())?).map_err(Failure::software)?;
    let original = arguments.original.as_deref().map(read).transpose()?;
    let mut files = Vec::with_capacity(arguments.files.len());
    for path in &arguments.files {
        files.push((path.display().to_string(), read(path)?));
    }
    let given: Vec<Given<'_>> = files.iter().map(|(name, octets)| Given { name, octets }).collect();
    let run = judge.judge_all(&given, original.as_deref(), Clock::System.now());
    show::print(arguments.json, &run, text)?;
    Ok(ExitCode::from(match run.verdict {
        Verdict::Valid => 0,
        Verdict::Invalid => 1,
        Verdict::CantTell => 2,
    }))
}

/// The anchors of a folder; a file that is not there leaves its role open.
fn believed(dir: Option<&Path>) -> Outcome<Believed> {
    let Some(dir) = dir else { return Ok(Believed::default()) };
    if !dir.is_dir() {
        return Err(Failure::not_found(format!("{}: no such folder", dir.display()))
            .hint("--trust names a folder with seal-ca.pem, tsa-ca.pem and user-ca.pem"));
    }
    let role = |name: &str| -> Outcome<Option<Anchors>> {
        let path = dir.join(name);
        if !path.exists() {
            return Ok(None);
        }
        let loaded = Anchors::load(&path).map_err(|error| {
            Failure::data(error).hint("anchors are certificates in PEM form, one after the other")
        });
        loaded.map(Some)
    };
    Ok(Believed {
        seal: role("seal-ca.pem")?,
        time_stamp: role("tsa-ca.pem")?,
        user: role("user-ca.pem")?,
    })
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    let name = path.display();
    let absent = |error: std::io::Error| {
        Failure::not_found(format!("{name}: {error}"))
            .hint("name evidence XML, a dispatch or an evidence mail")
    };
    if std::fs::metadata(path).map_err(absent)?.is_dir() {
        return Err(Failure::usage(format!("{name} is a folder"))
            .hint("name the files in it, as in `kep verify evidence/*.xml`"));
    }
    let mut octets = Vec::new();
    // One more than is judged: files that grow and devices without end stop here, too.
    let limit = MAX_OCTETS as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut octets)).map_err(absent)?;
    if octets.len() > MAX_OCTETS {
        let text = format!("{name} is larger than {} MiB", MAX_OCTETS / 1024 / 1024);
        return Err(Failure::data(text).hint("no dispatch is: export the single mail"));
    }
    Ok(octets)
}

fn text(run: &Run) -> String {
    let mut out = String::new();
    for report in &run.files {
        write_report(&mut out, report, "");
        out.push('\n');
    }
    if !run.between.is_empty() {
        out.push_str("belgeler arası · between the files\n");
        run.between.iter().for_each(|check| write_check(&mut out, check, "  "));
        out.push('\n');
    }
    out.push_str(&format!("SONUÇ · RESULT: {}\n", verdict(run.verdict)));
    out
}

fn write_report(out: &mut String, report: &Report, indent: &str) {
    let kind = match report.kind {
        Kind::Evidence => "delil · evidence",
        Kind::Dispatch => "KEP iletisi · dispatch",
        Kind::EvidenceMail => "delil iletisi · evidence mail",
        Kind::Unknown => "bilinmeyen belge · unknown document",
    };
    let name = report.name.as_deref().unwrap_or("-");
    out.push_str(&format!("{indent}{name}: {kind}\n"));
    let inner = format!("{indent}  ");
    if let Some(facts) = &report.evidence {
        write_facts(out, facts, &inner);
    }
    report.checks.iter().for_each(|check| write_check(out, check, &inner));
    report.enclosed.iter().for_each(|enclosed| write_report(out, enclosed, &inner));
    out.push_str(&format!("{inner}= {}\n", verdict(report.verdict)));
}

fn write_facts(out: &mut String, facts: &Facts, indent: &str) {
    let number = facts.number.map(|number| format!(" ({number})")).unwrap_or_default();
    let mut line = |title: &str, value: &str| {
        out.push_str(&format!("{indent}{title}: {value}\n"));
    };
    line("olay · event", &format!("{} · {}{number}", facts.event_turkish, facts.event_english));
    line("düzenleyen · issuer", &facts.issuer);
    line("zaman · time", &facts.event_time);
    if let Some(stamped) = &facts.stamped_at {
        line("damga · stamped", stamped);
    }
    line("gönderen · sender", &facts.sender);
    line("alıcılar · recipients", &facts.recipients.join(", "));
    if let Some(recipient) = &facts.recipient {
        line("ilgili alıcı · about", recipient);
    }
    line("konu · subject", &facts.subject);
    line("ileti · message", &facts.message_id);
}

fn write_check(out: &mut String, check: &Check, indent: &str) {
    let state = match check.state {
        State::Good => "ok  ",
        State::Bad => "BAD ",
        State::Unknown => "?   ",
        State::Note => "note",
    };
    let (name, turkish, detail) = (check.name.as_str(), &check.turkish, &check.detail);
    out.push_str(&format!("{indent}{state} {name}: {turkish} · {detail}\n"));
    if let Some(hint) = check.hint {
        out.push_str(&format!("{indent}     hint: {hint}\n"));
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "GEÇERLİ · VALID",
        Verdict::Invalid => "GEÇERSİZ · INVALID",
        Verdict::CantTell => "KARAR VERİLEMİYOR · CAN'T TELL",
    }
}
