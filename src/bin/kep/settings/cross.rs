//! What no setting can say alone: which of them need each other.

mod notices;

use super::{Problem, SealSource, Settings};
use std::net::SocketAddr;

/// Everything that doesn't fit together.
pub fn check(settings: &Settings) -> Vec<Problem> {
    [
        seal(settings),
        listeners(settings),
        stamps(settings),
        size(settings),
        lists(settings),
        notices::check(settings),
        directory(settings),
    ]
    .concat()
}

fn seal(settings: &Settings) -> Vec<Problem> {
    let token = &settings.seal_pkcs11;
    let needed: &[(&str, bool)] = match settings.seal.source {
        SealSource::File => &[("seal.key", settings.seal.key.is_some())],
        SealSource::Pkcs11 => &[
            ("seal.pkcs11.module", token.module.is_some()),
            ("seal.pkcs11.token", token.token.is_some()),
            ("seal.pkcs11.pin_file", token.pin_file.is_some()),
            ("seal.pkcs11.key_label", token.key_label.is_some()),
        ],
    };
    let missing = needed.iter().filter(|(_, there)| !there);
    missing.map(|(key, _)| problem(format!("{key} is missing"), "seal.source needs it")).collect()
}

fn listeners(settings: &Settings) -> Vec<Problem> {
    let listen = &settings.listen;
    let over_tls = [
        ("submission_tls", listen.submission_tls),
        ("submission_starttls", listen.submission_starttls),
        ("relay", listen.relay),
        ("imap_tls", listen.imap_tls),
        ("imap_starttls", listen.imap_starttls),
        ("portal", listen.portal),
    ];
    let plain = [("metrics", listen.metrics), ("tsa", listen.tsa)];
    let all: Vec<(&str, SocketAddr)> =
        over_tls.iter().chain(&plain).filter_map(|(key, at)| Some((*key, (*at)?))).collect();
    let mut problems = Vec::new();
    for (place, (key, address)) in all.iter().enumerate() {
        let earlier =
            all.iter().take(place).find(|(_, other)| other == address && other.port() != 0);
        if let Some((other, _)) = earlier {
            let what = format!("listen.{key} and listen.{other} are both {address}");
            problems.push(problem(what, "give each listener a port of its own"));
        }
    }
    let named = (settings.tls.certificate.is_some(), settings.tls.key.is_some());
    if named.0 != named.1 {
        let what = "tls.certificate and tls.key go together".to_owned();
        problems.push(problem(what, "name both, or neither and no listener that speaks TLS"));
    } else if !named.0
        && let Some((key, _)) = over_tls.iter().find(|(_, at)| at.is_some())
    {
        let what = format!("listen.{key} needs tls.certificate and tls.key");
        problems.push(problem(what, "name them in [tls], or leave the listener out"));
    }
    problems
}

fn stamps(settings: &Settings) -> Vec<Problem> {
    let authority = &settings.authority;
    let mut problems = Vec::new();
    if authority.key.is_some() != authority.certificate.is_some() {
        let what = "authority.key and authority.certificate go together".to_owned();
        problems.push(problem(what, "name both, or neither to stamp elsewhere"));
    }
    if settings.timestamp.url.is_none() && authority.key.is_none() {
        let what = "timestamp.url is missing".to_owned();
        problems
            .push(problem(what, "name a time-stamp authority, or keys of your own in [authority]"));
    }
    if settings.listen.tsa.is_some() && authority.key.is_none() {
        let what = "listen.tsa needs authority.key and authority.certificate".to_owned();
        problems.push(problem(what, "name them in [authority], or leave the listener out"));
    }
    problems
}

fn size(settings: &Settings) -> Vec<Problem> {
    let accept = &settings.accept;
    let around = kep::certify::around(accept.max_recipients as usize);
    if accept.max_size.0 >= around.saturating_add(LEAST_MESSAGE) {
        return Vec::new();
    }
    let what = "accept.max_size leaves no room for a message to accept.max_recipients".to_owned();
    let hint = format!("headers and evidence take up to {around} bytes of it");
    vec![problem(what, &hint)]
}

fn lists(settings: &Settings) -> Vec<Problem> {
    let lists = &settings.lists;
    let all = || lists.trusted.iter().chain(&lists.csi);
    let mut problems = Vec::new();
    if let Some(url) = all().find(|url| !kep::trust::dial::is_safe(url.as_str())) {
        let what = format!("lists: {url} is neither https nor on this machine");
        problems.push(problem(what, "who answers in between could hold back newer lists"));
    }
    if !lists.trusted.is_empty() && lists.signers.is_none() {
        let what = "lists.signers is missing".to_owned();
        problems
            .push(problem(what, "name the certificates whose signature under lists is believed"));
    }
    problems
}

fn directory(settings: &Settings) -> Vec<Problem> {
    let directory = &settings.directory;
    let mut problems = Vec::new();
    if let Some(url) = &directory.url
        && !kep::trust::dial::is_safe(url.as_str())
    {
        let what = format!("directory.url: {url} is neither https nor on this machine");
        problems.push(problem(what, "the token and who asks for whom would be read on the way"));
    }
    if directory.url.is_none() && directory.token_file.is_some() {
        let what = "directory.token_file is for directory.url".to_owned();
        problems.push(problem(what, "name the central directory, or leave its token out"));
    }
    problems
}

fn problem(what: String, hint: &str) -> Problem {
    Problem { line: None, what, hint: Some(hint.to_owned()) }
}

/// A letter without attachments, signed.
const LEAST_MESSAGE: u64 = 64 << 10;
