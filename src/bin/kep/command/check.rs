//! `kep check`: everything that is wrong, by name, at once.

mod lists;
mod routes;
mod scan;

use super::show;
use crate::arguments::Check as Arguments;
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::{texts, wire_up};
use chrono::Datelike;
use kep::registry::peers::{self, Peer, PeerState};
use kep::store::{RowsError, Store, Tx, relay};
use kep::trust::tls::ServerTls;
use kep::trust::{self, Anchors, Certificate, Clock, Signer, StampError};
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// How one thing is.
#[derive(Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Good,
    Warning,
    Wrong,
}

pub async fn run(arguments: &Arguments) -> Outcome {
    let (settings, broken) = wire_up::settings_partly(&arguments.conf.conf)?;
    let clock = Clock::System;
    let mut found = Vec::new();
    let file = arguments.conf.conf.display();
    found.push(match &broken {
        None => Finding::good("configuration", file.to_string()),
        Some(_) => {
            let text = format!("{file} has errors; below, what is wrong in it counts as not said");
            Finding::wrong("configuration", text)
        }
    });
    seal(&settings, &clock, &mut found).await;
    tls(&settings, &clock, &mut found);
    autoconfig(&settings, &mut found);
    anchors(&settings, &mut found);
    secrets(&settings, &mut found);
    calendar(&settings, &clock, &mut found);
    stamps(&settings, &clock, &mut found).await;
    scan::check(&settings, &clock, &mut found).await;
    if let Some(store) = storage(&settings, &mut found).await {
        scan::waiting(&settings, &store, &mut found).await;
        peers(&store, &clock, &mut found).await;
        lists::check(&settings, &store, &clock, &mut found).await;
        routes::check(&settings, &store, &clock, &mut found).await;
    }
    match wire_up::ways(&settings) {
        Ok(ways) if ways.is_empty() => {}
        Ok(ways) => found.push(Finding::good("notices", ways.join(", "))),
        Err(failure) => found.push(Finding::wrong("notices", failure)),
    }
    if let Err(failure) = texts::read(settings.texts.dir.as_deref()) {
        found.push(Finding::wrong("texts", failure));
    }
    let wrong = found.iter().filter(|finding| finding.state == State::Wrong).count();
    let records = if arguments.dns { records(&settings) } else { Vec::new() };
    if arguments.json {
        found.extend(records.iter().map(|record| Finding::good("dns", record.clone())));
    }
    show::print(arguments.json, &found, |found| {
        let records = records.iter().map(|record| format!("{record}\n"));
        let blank = if arguments.dns { "\n" } else { "" };
        text(found) + blank + &records.collect::<String>()
    })?;
    match wrong {
        _ if broken.is_some() => broken.map_or(Ok(ExitCode::SUCCESS), Err),
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(Failure::config("one thing is wrong")),
        n => Err(Failure::config(format!("{n} things are wrong"))),
    }
}

async fn seal(settings: &Settings, clock: &Clock, found: &mut Vec<Finding>) {
    let seal = match wire_up::seal(settings) {
        Ok(seal) => seal,
        Err(failure) => return found.push(Finding::wrong("seal", failure)),
    };
    let certificate = seal.certificate();
    let service = format!("kepservisi@{}", settings.provider.domain);
    let days = (certificate.not_after().millis() - clock.now().millis()) / 86_400_000;
    found.push(match seal_in_force(settings, &seal, clock).await {
        Err(why) => Finding::wrong("seal", why),
        Ok(()) if !certificate.emails().iter().any(|e| e.eq_ignore_ascii_case(&service)) => {
            let text = format!("{} does not name {service}", certificate.subject());
            Finding::warning("seal", text)
        }
        Ok(()) if days < EXPIRES_SOON => {
            Finding::warning("seal", format!("{} ends in {days} days", certificate.subject()))
        }
        Ok(()) => Finding::good("seal", format!("{}, {days} days left", certificate.subject())),
    });
    // One signature proves that key and certificate work together, in a token too.
    if let Err(error) = seal.sign(b"kep check") {
        found.push(Finding::wrong("seal key", error));
    }
}

/// A certificate of this role under a trusted authority, valid now and not taken back.
async fn seal_in_force(
    settings: &Settings,
    seal: &Arc<dyn Signer>,
    clock: &Clock,
) -> Result<(), String> {
    let path = wire_up::seal_path(settings, seal).map_err(|failure| failure.to_string())?;
    path.check_at(clock.now()).map_err(|fault| fault.to_string())?;
    not_taken_back(settings, &path, clock).await
}

/// As far as its authority says; silence is `kep serve`'s to log.
async fn not_taken_back(
    settings: &Settings,
    path: &trust::Path,
    clock: &Clock,
) -> Result<(), String> {
    let collector = wire_up::collector(settings, clock).map_err(|failure| failure.to_string())?;
    let Some(collector) = collector else { return Ok(()) };
    collector.watch(path);
    collector.round().await;
    collector.known().check(path, clock.now()).map_err(|fault| fault.to_string())
}

fn tls(settings: &Settings, clock: &Clock, found: &mut Vec<Finding>) {
    let (Some(certificate), Some(key)) = (&settings.tls.certificate, &settings.tls.key) else {
        return found.push(Finding::warning("tls", "no certificate: no listener for mail"));
    };
    if let Err(error) = ServerTls::open(certificate, key, &[]) {
        return found.push(Finding::wrong("tls", error));
    }
    let name = certificate.display();
    let leaf = std::fs::read(certificate).map_err(|error| error.to_string());
    let leaf = leaf.and_then(|pem| Certificate::from_pem(&pem).map_err(|e| e.to_string()));
    found.push(match leaf.as_deref() {
        Ok([leaf, ..]) => lasts("tls", &name.to_string(), leaf, clock, TLS_ENDS_SOON),
        Ok([]) => Finding::wrong("tls", format!("{name}: no certificate")),
        Err(error) => Finding::wrong("tls", format!("{name}: {error}")),
    });
}

/// Whether a certificate is valid now and stays so for a while.
fn lasts(
    what: &'static str,
    name: &str,
    certificate: &Certificate,
    clock: &Clock,
    soon: i64,
) -> Finding {
    let days = (certificate.not_after().millis() - clock.now().millis()) / 86_400_000;
    let (from, until) = (certificate.not_before().iso8601(), certificate.not_after().iso8601());
    match () {
        () if !certificate.valid_at(clock.now()) => {
            Finding::wrong(what, format!("{name} is not valid now, but from {from} to {until}"))
        }
        () if days < soon => Finding::warning(what, format!("{name} ends in {days} days")),
        () => Finding::good(what, format!("{name}, {days} days left")),
    }
}

/// The other providers: what they send is judged by their seals, what they get goes to servers that are
/// known.
async fn peers(store: &Store, clock: &Clock, found: &mut Vec<Finding>) {
    let all = match peers::list(store).await {
        Ok(all) => all,
        Err(error) => return found.push(Finding::wrong("providers", error)),
    };
    let look = |tx: &mut Tx<'_>| -> Result<Vec<_>, RowsError> {
        let there = relay::providers(tx)?.into_iter();
        there.map(|domain| Ok((relay::health(tx, &domain)?, domain))).collect()
    };
    for (health, domain) in store.read(look).await.unwrap_or_default() {
        if health.is_down() {
            let since = health.down_since.iso8601();
            let text =
                format!("{domain} is {} since {since}: {}", health.trouble.word(), health.reply);
            found.push(Finding::warning("relay", text));
        }
    }
    for row in &all {
        match Peer::parse(row) {
            Ok(peer) => self::peer(&peer, clock, found),
            Err(fault) => {
                found.push(Finding::wrong("providers", format!("{}: {fault}", row.domain)))
            }
        }
    }
}

fn peer(peer: &Peer, clock: &Clock, found: &mut Vec<Finding>) {
    let (domain, now) = (&peer.domain, clock.now());
    if matches!(peer.state, PeerState::Closed { .. }) {
        return found.push(Finding::good("providers", format!("{domain} is closed")));
    }
    if let PeerState::Suspended { since } = peer.state {
        let text = format!("{domain} is suspended since {}", since.iso8601());
        found.push(Finding::warning("providers", text));
    }
    if peer.tls.is_none() {
        let text = format!("nothing tells the server of {domain}: nothing is sent to it");
        found.push(Finding::wrong("providers", text));
    }
    // One that follows another is a reason not to speak of the other's end.
    let last = peer.seals.iter().max_by_key(|seal| seal.until);
    found.push(match last {
        None => Finding::warning("providers", format!("{domain} has no seal: it can send nothing")),
        Some(seal) if seal.until < now => {
            let text = format!("the seal of {domain} is not valid since {}", seal.until.iso8601());
            Finding::wrong("providers", text)
        }
        Some(_) if peer.seals_at(now).next().is_none() => {
            Finding::wrong("providers", format!("no seal of {domain} is valid now"))
        }
        Some(seal) => match (seal.until.millis() - now.millis()) / 86_400_000 {
            days @ ..EXPIRES_SOON => {
                Finding::warning("providers", format!("the seal of {domain} ends in {days} days"))
            }
            days => Finding::good("providers", format!("the seal of {domain}, {days} days left")),
        },
    });
}

fn anchors(settings: &Settings, found: &mut Vec<Finding>) {
    let trust = &settings.trust;
    let roles = [
        ("user anchors", &trust.user_anchors),
        ("seal anchors", &trust.seal_anchors),
        ("time-stamp anchors", &trust.tsa_anchors),
    ];
    for (what, path) in roles {
        found.push(match Anchors::load(path) {
            Ok(anchors) => Finding::good(
                what,
                format!("{} in {}", anchors.certificates().len(), path.display()),
            ),
            Err(error) => Finding::wrong(what, error),
        });
    }
}

/// Files that must be readable by their owner alone.
fn secrets(settings: &Settings, found: &mut Vec<Finding>) {
    let files = [
        Some(&settings.vault.master_key),
        settings.seal.key.as_ref(),
        settings.tls.key.as_ref(),
        settings.authority.key.as_ref(),
        settings.seal_pkcs11.pin_file.as_ref(),
        settings.data.rows_password_file.as_ref(),
        settings.notify_smpp.password_file.as_ref(),
        settings.notify_http.secret_file.as_ref(),
        settings.notify_mail.password_file.as_ref(),
    ];
    for path in files.into_iter().flatten() {
        if let Some(mode) = open_to_others(path) {
            let text = format!("{} can be read by others (mode {mode:o})", path.display());
            found.push(Finding::wrong("secret", text));
        }
    }
}

fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

fn calendar(settings: &Settings, clock: &Clock, found: &mut Vec<Finding>) {
    let calendar = match wire_up::calendar(settings) {
        Ok(calendar) => calendar,
        Err(failure) => return found.push(Finding::wrong("holidays", failure)),
    };
    let year = clock.now().istanbul().year();
    let missing = calendar.missing(year..=year + 1);
    found.push(match missing.first() {
        None => Finding::good("holidays", format!("{year} and {} are listed", year + 1)),
        Some(unlisted) => Finding::warning("holidays", unlisted),
    });
}

/// Asks for a time stamp: authority, chain, policy and clock in one.
async fn stamps(settings: &Settings, clock: &Clock, found: &mut Vec<Finding>) {
    let stamper = match wire_up::stamper(settings, clock) {
        Ok(stamper) => stamper,
        Err(failure) => return found.push(Finding::wrong("time stamps", failure)),
    };
    let stamped = stamper.stamp(b"kep check").await;
    if let Ok(token) = &stamped
        && let Err(why) = not_taken_back(settings, &token.path, clock).await
    {
        return found.push(Finding::wrong("time stamps", why));
    }
    found.push(match stamped {
        Ok(token) => {
            let apart = (token.gen_time.millis() - clock.now().millis()).abs();
            Finding::good(
                "time stamps",
                format!("policy {}, clocks {apart} ms apart", token.policy),
            )
        }
        Err(StampError::Outage(_)) if wire_up::own_authority(settings) => Finding::warning(
            "time stamps",
            "the development authority isn't running; `kep serve` starts it",
        ),
        Err(error) => Finding::wrong("time stamps", error),
    });
}

async fn storage(settings: &Settings, found: &mut Vec<Finding>) -> Option<Store> {
    let data = &settings.data;
    for folder in [Some(&data.dir), data.blobs.as_ref()].into_iter().flatten() {
        if let Some(mode) = open_to_others(folder) {
            let text = format!("{} can be entered by others (mode {mode:o})", folder.display());
            found.push(Finding::wrong("storage", text));
        }
    }
    let dir = data.dir.display();
    match wire_up::find_store(settings).await {
        Ok(Some(store)) => {
            found.push(Finding::good("storage", dir.to_string()));
            return Some(store);
        }
        Ok(None) => {
            let text = format!("there is no store at {dir} yet; `kep serve` makes it");
            found.push(Finding::warning("storage", text));
        }
        Err(failure) => found.push(Finding::wrong("storage", failure)),
    }
    None
}

impl Finding {
    fn good(what: &'static str, text: String) -> Self {
        Self { what, state: State::Good, text }
    }

    fn warning(what: &'static str, text: impl ToString) -> Self {
        Self { what, state: State::Warning, text: text.to_string() }
    }

    fn wrong(what: &'static str, text: impl ToString) -> Self {
        Self { what, state: State::Wrong, text: text.to_string() }
    }
}

fn text(found: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let state = match finding.state {
            State::Good => "ok     ",
            State::Warning => "warning",
            State::Wrong => "WRONG  ",
        };
        format!("{state}  {:<18}  {}\n", finding.what, finding.text)
    };
    found.iter().map(line).collect()
}

/// Its pages are plain HTTP: a proxy with TLS stands before them.
fn autoconfig(settings: &Settings, found: &mut Vec<Finding>) {
    let Some(address) = settings.listen.autoconfig else { return };
    found.push(match address.ip().is_loopback() {
        true => Finding::good("autoconfig", format!("http://{address}, for a proxy with TLS")),
        false => Finding::warning(
            "autoconfig",
            format!(
                "http://{address} is plain HTTP and no loopback address: anybody on the way can \
                     name another server to mail programs; put a proxy with TLS before it"
            ),
        ),
    });
}

/// RFC 6186 and RFC 8314: how mail programs find us. RFC 5321 §5: how other providers do; an MX names
/// no port.
fn records(settings: &Settings) -> Vec<String> {
    let directions = wire_up::directions(settings);
    let mut records = directions.records();
    if settings.listen.relay.is_some_and(|address| address.port() == SMTP) {
        let (domain, host) = (&directions.domain, &directions.host);
        records.push(format!("{domain}.  IN MX 10 {host}."));
    }
    records.extend(routes::tlsa(settings, &directions.host));
    records
}

/// Where an MX sends other providers.
const SMTP: u16 = 25;

/// A new seal certificate takes weeks to get.
const EXPIRES_SOON: i64 = 45;
/// Those are renewed by programs, a month before their end as a rule.
const TLS_ENDS_SOON: i64 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn of_autoconfig(line: &str) -> Vec<Finding> {
        let text = format!(
            "[provider]\ndomain = \"hs05.kep.tr\"\nname = \"Deneme\"\n[seal]\nkey = \"k\"\n\
             certificate = \"c\"\n[timestamp]\nurl = \"http://127.0.0.1:3180/\"\n[listen]\n{line}\n"
        );
        let settings = Settings::parse(&text, Path::new("/etc/kep")).unwrap();
        let mut found = Vec::new();
        autoconfig(&settings, &mut found);
        found
    }

    #[test]
    fn settings_for_mail_programs_in_the_clear_and_for_all_to_reach_are_warned_of() {
        assert!(of_autoconfig("").is_empty());
        for (address, state) in [
            ("127.0.0.1:9480", State::Good),
            ("[::1]:9480", State::Good),
            ("0.0.0.0:9480", State::Warning),
            ("[::]:9480", State::Warning),
            ("192.0.2.5:9480", State::Warning),
        ] {
            let found = of_autoconfig(&format!("autoconfig = \"{address}\""));
            assert!(found.len() == 1 && found[0].state == state, "{address}");
            assert!(found[0].text.contains(address), "{}", found[0].text);
            let proxy = found[0].text.contains("proxy with TLS");
            assert!(proxy, "what to do: {}", found[0].text);
        }
    }
}
