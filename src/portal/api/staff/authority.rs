//! Authorities' requests (makam talebi): entered by one of the staff, decided by another one, and handed out for
//! the authority alone: encrypted and sealed while it is fetched, as `kep authority export` writes it.

mod run;

use super::duty::{APPROVES, REGISTERS, SEES_FILES, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{
    Created, Endpoint, Json, NoWords, PlainFile, Tag, Verb, params,
};
use crate::portal::api::kinds::{
    AddressText, Base64, DayText, ExtentWord, FileLine, Limit, Number,
};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::authority::{
    self as registry, AuthorityError, HandedOut, NewRequest, Request as Row,
};
use crate::store::Tx;
use crate::trust::Certificate;
use crate::wire::KepAddress;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let decide = |path, id| {
        Endpoint::new(Verb::Post, path, id, Tag::Staff).needs(Scope::StaffAccounts).named().may_say(
            [
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::AuthorityRequestUnknown,
                Problem::AuthorityRequestDecided(some()),
                Problem::SecondPersonNeeded,
                Problem::FormUnfit(some()),
            ],
        )
    };
    let one = [Problem::NotStaff, Problem::StaffRole(some()), Problem::AuthorityRequestUnknown];
    vec![
        Endpoint::new(Verb::Get, ALL, "listAuthorityRequests", Tag::Staff)
            .says(
                "Makam taleplerini yeniden eskiye listeler.",
                "Lists authorities' requests, the newest first.",
            )
            .needs(Scope::StaffAccounts)
            .may_say([Problem::NotStaff, Problem::StaffRole(some())])
            .reads(list),
        Endpoint::new(Verb::Post, ALL, "fileAuthorityRequest", Tag::Staff)
            .says("Bir makamın talebini kaydeder.", "Enters what an authority asks for.")
            .needs(Scope::StaffAccounts)
            .named()
            .may_say([
                Problem::NotStaff,
                Problem::StaffRole(some()),
                Problem::AccountUnknown,
                Problem::PeriodUnfit,
                Problem::CertificateUnfit(some()),
            ])
            .writes(file),
        Endpoint::new(
            Verb::Get,
            "/staff/authority-requests/{request}",
            "showAuthorityRequest",
            Tag::Staff,
        )
        .says("Bir makam talebini gösterir.", "Shows what an authority asks for.")
        .needs(Scope::StaffAccounts)
        .may_say(one)
        .reads(show),
        decide("/staff/authority-requests/{request}/approve", "approveAuthorityRequest")
            .says("Onaylar; kaydedenden başkası.", "Approves it: another than who entered it.")
            .writes(approve),
        decide("/staff/authority-requests/{request}/refuse", "refuseAuthorityRequest")
            .says("Reddeder; kaydedenden başkası.", "Refuses it: another than who entered it.")
            .writes(refuse),
        Endpoint::new(
            Verb::Post,
            "/staff/authority-requests/{request}/export",
            "exportAuthorityRequest",
            Tag::Staff,
        )
        .says(
            "Onaylanan talebin dökümünü, yalnızca makamın açabileceği biçimde (CMS) indirir.",
            "Downloads what an approved request is about, which only the authority can read (CMS).",
        )
        .needs(Scope::StaffAccounts)
        .may_say([
            Problem::NotStaff,
            Problem::StaffRole(some()),
            Problem::AuthorityRequestUnknown,
            Problem::AuthorityRequestOpen(some()),
            Problem::CertificateUnfit(some()),
            Problem::ArchiveRunning,
        ])
        .runs(run::export),
        Endpoint::new(
            Verb::Get,
            "/staff/authority-requests/{request}/exports/{export}/seal",
            "downloadAuthoritySeal",
            Tag::Staff,
        )
        .says(
            "Bir dökümün mührünü indirir: açık ZIP üzerinde zaman damgalı CAdES.",
            "Downloads the seal over an export: CAdES with a time stamp over the ZIP in clear.",
        )
        .needs(Scope::StaffAccounts)
        .may_say([
            Problem::NotStaff,
            Problem::StaffRole(some()),
            Problem::AuthorityRequestUnknown,
            Problem::ExportUnknown,
        ])
        .reads(seal),
    ]
}

params! {
    OneRequest {
        path request: Number = 2, "The request's number.";
    }
}

params! {
    OneExport {
        path request: Number = 2, "The request's number.";
        path export: Number = 1, "The number of what was handed out for it.";
    }
}

params! {
    RequestListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// What an authority asks for, and what became of it.
#[derive(Serialize, ToSchema)]
struct AuthorityRequest {
    #[schema(minimum = 1, example = 2)]
    number: i64,
    #[schema(example = "Ankara 3. Asliye Ceza Mahkemesi")]
    authority: String,
    #[schema(example = "2026/1453 E.")]
    file: String,
    #[schema(example = "CMK m. 134")]
    basis: String,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    /// `all`, `mails`, or `evidence`.
    #[schema(example = "all")]
    scope: String,
    #[schema(format = DateTime, example = "2026-10-31T21:00:00.000Z")]
    from: String,
    /// Not any more.
    #[schema(format = DateTime, example = "2026-11-30T21:00:00.000Z")]
    until: String,
    /// SHA-256 of the certificate that its export is for, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    certificate: String,
    #[schema(example = "")]
    note: String,
    #[schema(example = "selin")]
    entered_by: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    entered: String,
    /// `entered`, `approved`, or `refused`.
    #[schema(example = "entered")]
    state: String,
    #[schema(example = "can")]
    decided_by: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    decided: Option<String>,
    #[schema(example = "Yazı ekte")]
    reason: Option<String>,
    /// What was handed out for it.
    exports: Vec<AuthorityExport>,
}

#[derive(Serialize, ToSchema)]
struct AuthorityExport {
    #[schema(minimum = 1, example = 1)]
    number: i64,
    #[schema(example = "selin")]
    by: String,
    #[schema(format = DateTime, example = "2026-11-29T11:00:00.000Z")]
    at: String,
    /// Of the archive in clear.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// Of what was handed out.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")]
    encrypted_sha256: String,
    /// When the seal was stamped.
    #[schema(format = DateTime, example = "2026-11-29T11:00:02.000Z")]
    stamped: String,
    #[schema(minimum = 0, example = 12)]
    mails: u64,
    #[schema(minimum = 0, example = 40)]
    evidence: u64,
}

#[derive(Serialize, ToSchema)]
struct AuthorityRequests {
    requests: Vec<AuthorityRequest>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAuthorityRequest {
    #[schema(inline)]
    authority: FileLine,
    /// The number of its file.
    #[schema(inline)]
    file: FileLine,
    /// By which law.
    #[schema(inline)]
    basis: FileLine,
    #[schema(inline)]
    address: AddressText,
    #[schema(inline)]
    scope: ExtentWord,
    #[schema(inline)]
    from: DayText,
    /// The last day, which counts whole.
    #[schema(inline)]
    until: DayText,
    /// The authority's certificate for encryption, in DER.
    #[schema(inline)]
    certificate: Base64,
    #[schema(inline)]
    note: Option<FileLine>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AuthorityDecision {
    #[schema(inline)]
    reason: FileLine,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &RequestListing) -> Answered<Json<AuthorityRequests>> {
    on_duty(tx, call, SEES_FILES)?;
    let before = ask.before.map(|number| number.0);
    let found = registry::page(tx, before, Limit::of(ask.limit))?;
    let requests = found.iter().map(|(row, out)| AuthorityRequest::of(row, out));
    Ok(Json(AuthorityRequests { requests: requests.collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneRequest) -> Answered<Json<AuthorityRequest>> {
    on_duty(tx, call, SEES_FILES)?;
    shown(tx, ask.request.0)
}

fn shown(tx: &mut Tx<'_>, id: i64) -> Answered<Json<AuthorityRequest>> {
    let row = registry::find_in(tx, id)?;
    let out = registry::handed_out(tx, id)?;
    Ok(Json(AuthorityRequest::of(&row, &out)))
}

fn file(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    body: &Json<NewAuthorityRequest>,
) -> Answered<Created<AuthorityRequest>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let new = &body.0;
    let certificate = Certificate::from_der(&new.certificate.0);
    let request = NewRequest {
        authority: new.authority.0.clone(),
        file_number: new.file.0.clone(),
        legal_basis: new.basis.0.clone(),
        address: KepAddress::parse(&new.address.0).map_err(|_| Problem::AccountUnknown)?,
        scope: new.scope.0,
        from: new.from.0.begins(),
        until: new.until.0.next().begins(),
        certificate: certificate.map_err(|error| Problem::CertificateUnfit(error.to_string()))?,
        note: new.note.as_ref().map(|note| note.0.clone()).unwrap_or_default(),
    };
    let id = registry::enter_in(tx, &by, &request)?;
    let Json(value) = shown(tx, id)?;
    Ok(Created { value, at: format!("{ALL}/{id}") })
}

fn approve(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneRequest,
    body: &Json<AuthorityDecision>,
) -> Answered<Json<AuthorityRequest>> {
    decided(tx, call, ask, true, &body.0)
}

fn refuse(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneRequest,
    body: &Json<AuthorityDecision>,
) -> Answered<Json<AuthorityRequest>> {
    decided(tx, call, ask, false, &body.0)
}

fn decided(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneRequest,
    approve: bool,
    body: &AuthorityDecision,
) -> Answered<Json<AuthorityRequest>> {
    let by = on_duty(tx, call, APPROVES)?;
    registry::decide_in(tx, &by, ask.request.0, approve, &body.reason.0)?;
    shown(tx, ask.request.0)
}

/// Who may fetch the archive may fetch its seal.
fn seal(tx: &mut Tx<'_>, call: &Call, ask: &OneExport) -> Answered<PlainFile> {
    on_duty(tx, call, REGISTERS)?;
    let (request, export) = (ask.request.0, ask.export.0);
    registry::find_in(tx, request)?;
    let octets = registry::seal(tx, request, export)?;
    Ok(PlainFile { name: format!("{}.p7s", name(request)), octets })
}

/// As the page of the command line has it.
fn name(request: i64) -> String {
    format!("talep-{request}.zip.p7m")
}

impl AuthorityRequest {
    fn of(row: &Row, exports: &[HandedOut]) -> Self {
        let decided = row.state.decided();
        Self {
            number: row.id,
            authority: row.authority.clone(),
            file: row.file_number.clone(),
            basis: row.legal_basis.clone(),
            address: row.address.clone(),
            scope: row.scope.word().to_owned(),
            from: row.from.iso8601(),
            until: row.until.iso8601(),
            certificate: row.certificate.digest().hex(),
            note: row.note.clone(),
            entered_by: row.entered_by.clone(),
            entered: row.entered_at.iso8601(),
            state: row.state.word().to_owned(),
            decided_by: decided.map(|one| one.by.clone()),
            decided: decided.map(|one| one.at.iso8601()),
            reason: decided.map(|one| one.reason.clone()),
            exports: exports.iter().map(AuthorityExport::of).collect(),
        }
    }
}

impl AuthorityExport {
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

impl From<AuthorityError> for Problem {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::NotStaff => Self::NotStaff,
            AuthorityError::OnePerson(_) => Self::SecondPersonNeeded,
            AuthorityError::OffDuty(off) => off.into(),
            AuthorityError::Line { .. } => Self::FormUnfit(error.to_string()),
            AuthorityError::Period => Self::PeriodUnfit,
            AuthorityError::UnknownAccount(_) => Self::AccountUnknown,
            AuthorityError::Unknown(_) => Self::AuthorityRequestUnknown,
            AuthorityError::DecidedAlready(_, state) => Self::AuthorityRequestDecided(state),
            AuthorityError::Certificate(why) => Self::CertificateUnfit(why),
            AuthorityError::NotApproved(_, state) => Self::AuthorityRequestOpen(state),
            AuthorityError::UnknownExport(_) => Self::ExportUnknown,
            AuthorityError::Store(error) => error.into(),
            // Of files, which are none of ours.
            other => {
                tracing::error!(error = %other, "api");
                Self::Internal
            }
        }
    }
}

const ALL: &str = "/staff/authority-requests";
