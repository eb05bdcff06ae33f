//! What the holder takes away: all that the account has, asked for and fetched within a time; and all that proves
//! one message. Both are written while they are fetched.

mod run;

use super::call::{Answered, Call};
use super::endpoint::{Created, Endpoint, Json, NoWords, Tag, Verb, params};
use super::kinds::{Limit, Number, SubmissionKey};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::export::{self, ExportError, Request};
use crate::registry::legal::LegalAct;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let of = |verb, path, id| Endpoint::new(verb, path, id, Tag::Exports).acts(Act::Manage);
    vec![
        of(Verb::Get, "/exports", "listExports")
            .says(
                "İstenen tam dökümleri yeniden eskiye listeler.",
                "Lists the exports that were asked for, the newest first.",
            )
            .needs(Scope::AccountRead)
            .reads(list),
        of(Verb::Post, "/exports", "askForExport")
            .says(
                "Hesaptaki her şeyin (iletiler, deliller) dökümünü ister.",
                "Asks for all that the account has: mails and evidence.",
            )
            .legal(LegalAct::Export)
            .may_say([Problem::ExportsMany])
            .named()
            .writes(ask),
        of(Verb::Get, "/exports/{export}", "showExport")
            .says("Bir dökümün durumunu gösterir.", "Shows how an export stands.")
            .needs(Scope::AccountRead)
            .may_say([Problem::ExportUnknown])
            .reads(show),
        of(Verb::Get, "/exports/{export}/archive", "downloadExport")
            .says(
                "Dökümü ZIP olarak indirir. Açılmamış iletilerin içeriği yoktur; indirmek açmak değildir.",
                "Downloads the export as ZIP. Of what is unopened no content is in it; to fetch it is to open nothing.",
            )
            .personal()
            .may_say([Problem::ExportUnknown, Problem::ExportOver, Problem::ArchiveRunning])
            .runs(run::archive),
        Endpoint::new(
            Verb::Get,
            "/evidence-archives/{submission}",
            "downloadMessageEvidence",
            Tag::Evidence,
        )
        .says(
            "Bir iletinin gönderisini, delillerini, zaman damgalarını ve doğrulama verilerini ZIP olarak indirir; \
             evidence:read de gerekir.",
            "Downloads a message's dispatch, evidence, time stamps and what validates them as ZIP; evidence:read \
             is needed, too.",
        )
        .needs(Scope::MailRead)
        .may_say([Problem::MessageUnknown, Problem::ArchiveRunning])
        .runs(run::evidence),
    ]
}

params! {
    OneExport {
        path export: Number = 3, "The export's number.";
    }
}

params! {
    OneMessageEvidence {
        path submission: SubmissionKey = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr",
            "The provider's identifier of a message that the account sent or was sent.";
    }
}

params! {
    ExportListing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
struct AccountExport {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    /// `open`: it waits to be fetched; `fetched`: to its end, and it may be fetched again; `over`.
    #[schema(example = "open")]
    state: String,
    /// Who asked for it.
    #[schema(example = "person:1:ali.veli@hs05.kep.tr")]
    asked_by: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    asked: String,
    /// Until when it may be fetched.
    #[schema(format = DateTime, example = "2026-11-30T09:00:00.000Z")]
    until: String,
    /// How often somebody began to fetch it.
    #[schema(minimum = 0, example = 1)]
    begun: i64,
    fetched: Option<FetchedExport>,
}

/// What was fetched last to its end.
#[derive(Serialize, ToSchema)]
struct FetchedExport {
    #[schema(format = DateTime, example = "2026-11-29T09:05:00.000Z")]
    at: String,
    #[schema(minimum = 0, example = 120)]
    mails: i64,
    /// Of which the content is left out.
    #[schema(minimum = 0, example = 2)]
    unopened: i64,
    #[schema(minimum = 0, example = 240)]
    evidence: i64,
}

#[derive(Serialize, ToSchema)]
struct AccountExports {
    exports: Vec<AccountExport>,
}

fn list(tx: &mut Tx<'_>, call: &Call, asked: &ExportListing) -> Answered<Json<AccountExports>> {
    let (before, limit) = (asked.before.map(|before| before.0), Limit::of(asked.limit));
    let all = export::list(tx, call.account_id()?, before, limit, call.now)?;
    Ok(Json(AccountExports { exports: all.iter().map(AccountExport::of).collect() }))
}

fn ask(tx: &mut Tx<'_>, call: &Call, _: &NoWords, _: &()) -> Answered<Created<AccountExport>> {
    let asked = export::ask(tx, call.account_id()?, &call.by()?)?;
    Ok(Created { value: AccountExport::of(&asked), at: format!("/exports/{}", asked.id) })
}

fn show(tx: &mut Tx<'_>, call: &Call, asked: &OneExport) -> Answered<Json<AccountExport>> {
    let found = export::find(tx, call.account_id()?, asked.export.0, call.now)?;
    Ok(Json(AccountExport::of(&found)))
}

impl AccountExport {
    fn of(request: &Request) -> Self {
        let fetched = request.state.fetched().map(|done| FetchedExport {
            at: done.at.iso8601(),
            mails: done.mails,
            unopened: done.unopened,
            evidence: done.evidence,
        });
        Self {
            number: request.id,
            state: request.state.word().to_owned(),
            asked_by: request.asked_by.clone(),
            asked: request.asked_at.iso8601(),
            until: request.ends_at.iso8601(),
            begun: request.begun,
            fetched,
        }
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::UnknownRequest(_) => Self::ExportUnknown,
            ExportError::Over(_) => Self::ExportOver,
            ExportError::Many => Self::ExportsMany,
            ExportError::Registry(error) => error.into(),
            ExportError::Store(error) => error.into(),
            other => {
                tracing::error!(error = %other, "api");
                Self::Internal
            }
        }
    }
}
