//! `kep demo`: a message travels through a provider made for it, and all that it leaves behind is
//! verified. After `kep: ready` nothing is used but sockets and exported files.

mod connection;
mod folder;
mod imap;
mod journey;
mod letter;
mod provider;
mod report;
mod say;
mod server;
mod smtp;
mod verdict;

use crate::arguments::Demo;
use crate::command::show;
use crate::failure::{Failure, Outcome};
use folder::Folder;
use journey::Journey;
use provider::Provider;
use report::Report;
use say::Say;
use server::Server;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use verdict::Verdict;

pub async fn run(arguments: &Demo) -> Outcome {
    let mut folder = Folder::make(arguments.dir.as_deref())?;
    let report = tokio::select! {
        // Signals first: from its first poll on, none ends us without the drops below.
        biased;
        interrupted = interrupted() => {
            interrupted?;
            // The server went with what was dropped, the temporary folder goes with this return.
            eprintln!("kep: durduruldu · interrupted");
            return Ok(ExitCode::from(INTERRUPTED));
        }
        report = demonstrate(arguments, &mut folder) => report?,
    };
    show::print(arguments.json, &report, Report::text)?;
    Ok(if report.valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn demonstrate(arguments: &Demo, folder: &mut Folder) -> Outcome<Report> {
    let say = Say::new(arguments.json);
    let provider = Provider::make(&folder.path().join("provider")).await?;
    say.step("geliştirme sağlayıcısı kuruldu", "a development provider is made");
    say.detail(&provider.folder.display().to_string());
    let server = Server::start(&provider).await?;
    say.step("kep serve çalışıyor", "kep serve runs");
    // A failed journey ends the server too: with `--dir` its folder tells what happened.
    let (journey, verdict) = match travel(&provider, folder, &say).await {
        Ok(done) => done,
        Err(failure) => {
            server.stop().await?;
            return Err(failure);
        }
    };
    folder.keep();
    let mut report = Report::new(&provider, folder, journey, verdict, say.seconds());
    match arguments.keep {
        true => report.pid = server.leave(),
        false => server.stop().await?,
    }
    Ok(report)
}

async fn travel(provider: &Provider, folder: &Folder, say: &Say) -> Outcome<(Journey, Verdict)> {
    let journey = journey::travel(provider, folder, say).await?;
    let verdict = verdict::of(provider, &journey).await?;
    say.step("gönderi ve deliller kep verify ile denetlendi", "checked with kep verify");
    Ok((journey, verdict))
}

/// Returns at SIGINT, SIGTERM or SIGHUP.
async fn interrupted() -> Outcome<()> {
    let on = |kind| signal(kind).map_err(|e| Failure::software(format!("signals: {e}")));
    let mut interrupt = on(SignalKind::interrupt())?;
    let mut end = on(SignalKind::terminate())?;
    let mut hang_up = on(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = end.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// As shells say it: 128 and SIGINT.
const INTERRUPTED: u8 = 130;
