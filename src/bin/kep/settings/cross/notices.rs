//! What the ways for notices need of each other.

use super::super::{Line, Problem, Settings, SmsWay, host_and_port};
use super::problem;
use kep::wire::MailAddress;

pub fn check(settings: &Settings) -> Vec<Problem> {
    let sms = match settings.notify.sms {
        SmsWay::Off => Vec::new(),
        SmsWay::Smpp => smpp(settings),
        SmsWay::Http => http(settings),
    };
    [sms, mail(settings)].concat()
}

fn smpp(settings: &Settings) -> Vec<Problem> {
    let smpp = &settings.notify_smpp;
    let needed = [
        ("notify.smpp.server", smpp.server.is_some()),
        ("notify.smpp.system_id", smpp.system_id.is_some()),
        ("notify.smpp.password_file", smpp.password_file.is_some()),
    ];
    let missing = needed.iter().filter(|(_, there)| !there);
    let mut problems: Vec<_> = missing
        .map(|(key, _)| problem(format!("{key} is missing"), "notify.sms = \"smpp\" needs it"))
        .collect();
    problems.extend(place("notify.smpp.server", smpp.server.as_deref()));
    if smpp.line == Line::StartTls {
        let what = "notify.smpp.line: SMPP has no STARTTLS".to_owned();
        problems.push(problem(what, "write \"tls\", or \"clear\" in a tunnel"));
    }
    problems
}

fn http(settings: &Settings) -> Vec<Problem> {
    let http = &settings.notify_http;
    let mut problems = Vec::new();
    match &http.url {
        None => {
            let what = "notify.http.url is missing".to_owned();
            problems.push(problem(what, "notify.sms = \"http\" needs it"));
        }
        Some(url) if !kep::trust::dial::is_safe(url.as_str()) => {
            let what = format!("notify.http.url: {url} is neither https nor on this machine");
            problems.push(problem(what, "numbers and senders are personal data"));
        }
        Some(_) => {}
    }
    let places = [http.url.as_ref().map(|url| url.as_str()), http.body.as_deref()];
    for name in ["{to}", "{text}"] {
        if http.url.is_some() && !places.iter().flatten().any(|text| text.contains(name)) {
            let what = format!("notify.http says {name} nowhere");
            problems.push(problem(what, "it belongs into notify.http.body or notify.http.url"));
        }
    }
    if http.header.is_some() != http.secret_file.is_some() {
        let what = "notify.http.header and notify.http.secret_file go together".to_owned();
        problems.push(problem(what, "name both, or neither"));
    }
    problems
}

fn mail(settings: &Settings) -> Vec<Problem> {
    let mail = &settings.notify_mail;
    let Some(server) = &mail.server else { return Vec::new() };
    let mut problems: Vec<_> = place("notify.mail.server", Some(server)).into_iter().collect();
    let host = server.rsplit_once(':').map_or(server.as_str(), |(host, _)| host);
    if mail.line == Line::Clear && !["127.0.0.1", "localhost", "[::1]"].contains(&host) {
        let what = format!("notify.mail.line: {host} would be spoken to in the clear");
        problems.push(problem(what, "write \"starttls\" or \"tls\""));
    }
    if mail.user.is_some() != mail.password_file.is_some() {
        let what = "notify.mail.user and notify.mail.password_file go together".to_owned();
        problems.push(problem(what, "name both, or neither"));
    }
    match mail.from.as_deref().map(MailAddress::parse) {
        Some(Ok(_)) => {}
        Some(Err(error)) => {
            let what = format!("notify.mail.from: {error}");
            problems.push(problem(what, "write an ordinary address, \"bildirim@example.com\""));
        }
        None => {
            let what = "notify.mail.from is missing".to_owned();
            problems.push(problem(what, "notify.mail.server needs it"));
        }
    }
    problems
}

fn place(key: &str, text: Option<&str>) -> Option<Problem> {
    let text = text?;
    let good = host_and_port(text).is_some();
    (!good)
        .then(|| problem(format!("{key}: {text:?} is no host with a port"), "write \"host:port\""))
}
