//! Verification: the judgement of any document, as `kep verify --json` prints it.

mod run;

use super::endpoint::{Endpoint, Tag, Verb};
use crate::registry::api_tokens::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Post, "/verify", "verifyDocument", Tag::Verification)
            .says(
                "Bir delili (XML), KEP iletisini ya da delil iletisini doğrular.",
                "Verifies an evidence (XML), a dispatch or an evidence mail.",
            )
            .needs(Scope::Verify)
            .runs(run::verify),
    ]
}

/// The judgement of a document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Judgement {
    verdict: Verdict,
    files: Vec<Report>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Valid,
    CantTell,
    Invalid,
}

/// A document, or what one encloses.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct Report {
    #[schema(example = "document")]
    name: Option<String>,
    /// `evidence`, `dispatch`, `evidence-mail`, or `unknown`.
    #[schema(example = "evidence")]
    kind: String,
    verdict: Verdict,
    evidence: Option<Facts>,
    checks: Vec<Check>,
    /// Evidence inside a mail, each judged by itself.
    #[schema(no_recursion)]
    enclosed: Vec<Report>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct Check {
    #[schema(example = "seal")]
    name: String,
    /// `good`, `bad`, `unknown`, or `note`.
    #[schema(example = "good")]
    state: String,
    #[schema(example = "İşlem sertifikası geçerli")]
    turkish: String,
    #[schema(example = "CN=kep")]
    detail: String,
    #[schema(example = "name the anchors")]
    hint: Option<String>,
}

/// What an evidence says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
struct Facts {
    #[schema(example = "_3f2a")]
    id: String,
    #[schema(example = "ts102640")]
    dialect: String,
    #[schema(example = "delivery")]
    event: String,
    #[schema(example = "Teslim edildi")]
    event_turkish: String,
    #[schema(example = "Delivered")]
    event_english: String,
    #[schema(minimum = 0, maximum = 99, example = 40)]
    number: Option<u8>,
    #[schema(example = json!([]))]
    reasons: Vec<String>,
    #[schema(example = "Örnek KEP Hizmet Sağlayıcısı A.Ş.")]
    issuer: String,
    #[schema(example = "2026-11-29T09:00:03.000Z")]
    event_time: String,
    #[schema(example = "2026-11-29T09:00:00.000Z")]
    submission_time: Option<String>,
    #[schema(example = "2026-11-30T09:00:03.000Z")]
    due_time: Option<String>,
    #[schema(example = "2026-11-29T09:00:04Z")]
    stamped_at: Option<String>,
    #[schema(example = "ali.veli@hs05.kep.tr")]
    sender: String,
    #[schema(example = json!(["ayse.yilmaz@hs05.kep.tr"]))]
    recipients: Vec<String>,
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    recipient: Option<String>,
    #[schema(example = "Teklif")]
    subject: String,
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: String,
    #[schema(example = "1@ali.example")]
    ua_message_id: Option<String>,
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    digest: Option<String>,
}
