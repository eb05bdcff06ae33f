//! `kep authority`: what authorities ask for, by two of the staff.

use super::account_notice::midnight;
use super::said::{done, parse, read_certificate};
use super::{show, staff};
use crate::arguments::{Authority as Arguments, Extent, NewRequest as Entered, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::authority::{self, AuthorityError, HandedOut, NewRequest, Request, Scope};
use kep::store::Store;
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Request(entered) => request(entered).await,
        Arguments::Approve { conf, who, id, reason } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = named(&store, &who).await?;
            authority::decide(&store, &by, id, true, &reason).await.map_err(failure)?;
            done(&format!("request {id} is approved"))
        }
        Arguments::Refuse { conf, who, id, reason } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = named(&store, &who).await?;
            authority::decide(&store, &by, id, false, &reason).await.map_err(failure)?;
            done(&format!("request {id} is refused"))
        }
        Arguments::Export { conf, who, id, file, json } => {
            export(&conf.conf, &who, id, &file, json).await
        }
        Arguments::List { conf, before, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = authority::list(&store, before, limit.into()).await.map_err(failure)?;
            let lines: Vec<_> = all.iter().map(|(one, out)| Line::of(one, out)).collect();
            show::print(json, &lines, |lines| table(lines))
        }
    }
}

async fn request(entered: Entered) -> Outcome {
    let store = wire_up::store(&wire_up::settings(&entered.conf.conf)?).await?;
    let by = named(&store, &entered.who).await?;
    let new = NewRequest {
        authority: entered.authority,
        file_number: entered.file,
        legal_basis: entered.basis,
        address: parse(&entered.address)?,
        scope: match entered.scope {
            Extent::Mails => Scope::Mails,
            Extent::Evidence => Scope::Evidence,
            Extent::All => Scope::All,
        },
        from: midnight(&entered.from)?,
        // The last day counts whole.
        until: midnight(&entered.until)?.plus_secs(DAY),
        certificate: read_certificate(&entered.certificate)?,
        note: entered.note,
    };
    let fingerprint = new.certificate.digest().hex();
    let request = authority::enter(&store, &by, new).await.map_err(failure)?;
    let made = Made { request, certificate: fingerprint };
    show::print(entered.json, &made, |made| {
        let Made { request, certificate } = made;
        format!(
            "request {request} waits for another member of staff\n\
             its export is for the certificate {certificate}\n"
        )
    })
}

async fn export(conf: &Path, who: &Who, id: i64, file: &Path, json: bool) -> Outcome {
    let settings = wire_up::settings(conf)?;
    let store = wire_up::store(&settings).await?;
    let by = named(&store, who).await?;
    let word = wire_up::word(&settings).await?;
    let written = authority::export(&store, &word, &by, id, file).await.map_err(failure)?;
    let shown = Handed {
        archive: written.archive.display().to_string(),
        seal: written.seal.display().to_string(),
        sha256: written.digest.hex(),
        mails: written.summary.mails,
        unopened: written.summary.unopened,
        evidence: written.summary.evidence,
    };
    show::print(json, &shown, |shown| {
        let Handed { archive, seal, mails, evidence, .. } = shown;
        format!("{archive}\n{seal}\n{mails} mails, {evidence} evidence, for the authority alone\n")
    })
}

/// A member of staff who is proven by his password: whoever holds the machine is nobody's second.
async fn named(store: &Store, who: &Who) -> Outcome<By> {
    if who.name.is_none() {
        return Err(Failure::usage("an authority's request is for members of staff")
            .hint("--as NAME says who you are; `kep staff add` makes them"));
    }
    staff::by(store, who).await
}

#[derive(Serialize)]
struct Made {
    request: i64,
    certificate: String,
}

#[derive(Serialize)]
struct Handed {
    archive: String,
    seal: String,
    /// Of the ZIP in clear, which the seal is over.
    sha256: String,
    mails: u64,
    unopened: u64,
    evidence: u64,
}

#[derive(Serialize)]
struct Line {
    request: i64,
    authority: String,
    file: String,
    basis: String,
    account: String,
    scope: &'static str,
    from: String,
    until: String,
    certificate: String,
    note: String,
    entered_by: String,
    entered: String,
    state: &'static str,
    decided_by: Option<String>,
    decided: Option<String>,
    reason: Option<String>,
    exports: Vec<Out>,
}

#[derive(Serialize)]
struct Out {
    number: i64,
    by: String,
    at: String,
    sha256: String,
    encrypted_sha256: String,
    stamped: String,
    mails: u64,
    evidence: u64,
}

impl Line {
    fn of(request: &Request, exports: &[HandedOut]) -> Self {
        let decided = request.state.decided();
        Self {
            request: request.id,
            authority: request.authority.clone(),
            file: request.file_number.clone(),
            basis: request.legal_basis.clone(),
            account: request.address.clone(),
            scope: request.scope.word(),
            from: request.from.iso8601(),
            until: request.until.iso8601(),
            certificate: request.certificate.digest().hex(),
            note: request.note.clone(),
            entered_by: request.entered_by.clone(),
            entered: request.entered_at.iso8601(),
            state: request.state.word(),
            decided_by: decided.map(|decided| decided.by.clone()),
            decided: decided.map(|decided| decided.at.iso8601()),
            reason: decided.map(|decided| decided.reason.clone()),
            exports: exports.iter().map(Out::of).collect(),
        }
    }
}

impl Out {
    fn of(row: &HandedOut) -> Self {
        Self {
            number: row.id,
            by: row.by.clone(),
            at: row.at.iso8601(),
            sha256: row.digest.hex(),
            encrypted_sha256: row.sealed_digest.hex(),
            stamped: row.stamped_at.iso8601(),
            mails: row.mails,
            evidence: row.evidence,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let (number, out) = (line.request.to_string(), line.exports.len().to_string());
        let by = line.decided_by.clone().unwrap_or_default();
        let (state, scope) = (line.state.to_owned(), line.scope.to_owned());
        let (authority, file) = (line.authority.clone(), line.file.clone());
        vec![
            number,
            authority,
            file,
            line.account.clone(),
            scope,
            state,
            line.entered_by.clone(),
            by,
            out,
        ]
    });
    let head = [
        "NO",
        "AUTHORITY",
        "FILE",
        "ACCOUNT",
        "SCOPE",
        "STATE",
        "ENTERED BY",
        "DECIDED BY",
        "EXPORTS",
    ];
    show::table(&head, &cells.collect::<Vec<_>>(), "no requests")
}

fn failure(error: AuthorityError) -> Failure {
    match &error {
        AuthorityError::OnePerson(_) | AuthorityError::NotStaff => {
            Failure::refused(&error).hint("--as names another member of staff than who entered it")
        }
        AuthorityError::OffDuty(_) => Failure::refused(&error)
            .hint("a registrar enters and exports, an approver decides; `kep staff list`"),
        AuthorityError::Unknown(_) | AuthorityError::UnknownExport(_) => {
            Failure::not_found(&error).hint("`kep authority list` shows them")
        }
        AuthorityError::UnknownAccount(_) => {
            Failure::not_found(&error).hint("`kep account list` shows the accounts")
        }
        AuthorityError::NotApproved(..) => {
            Failure::refused(&error).hint("`kep authority approve`, by another member of staff")
        }
        AuthorityError::Certificate(_) => {
            Failure::data(&error).hint("ask the authority for its certificate for encryption")
        }
        AuthorityError::Exists(_) | AuthorityError::Io(_) => Failure::cannot_create(&error)
            .hint("name a file that is not there, in a folder that is"),
        AuthorityError::DecidedAlready(..) | AuthorityError::Line { .. } => Failure::data(&error),
        AuthorityError::Period => Failure::data(&error).hint("--from DAY --until DAY"),
        AuthorityError::Word(_) => {
            Failure::unavailable(&error).hint("`kep check` says what seal and time stamps lack")
        }
        AuthorityError::Envelope(_) => Failure::software(&error),
        AuthorityError::Export(_) | AuthorityError::Store(_) => Failure::unavailable(&error),
    }
}

const DAY: i64 = 86_400;
