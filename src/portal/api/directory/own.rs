//! What of the account itself is in the directory, and what it asked.

use super::QueryListing;
use super::shown::DirectoryEntry;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, NoWords, Tag, Tagged, Verb};
use crate::portal::api::kinds::{Limit, few};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::directory::{self, Asked, Consent, Field};
use crate::registry::operators::Act;
use crate::store::Tx;
use crate::wire::{AccountId, sha256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let of = |verb, id| Endpoint::new(verb, "/directory/consent", id, Tag::Directory);
    vec![
        of(Verb::Get, "showDirectoryConsent")
            .says(
                "Rehber onayını ve başkalarının gördüğü kaydı gösterir.",
                "Shows the consent to the directory, and the entry that others see.",
            )
            .needs(Scope::AccountRead)
            .reads(show),
        of(Verb::Put, "changeDirectoryConsent")
            .says(
                "Rehber onayını verir, değiştirir ya da geri alır; rehber hemen uyar.",
                "Gives, changes or takes back the consent; the directory follows at once.",
            )
            .personal()
            .acts(Act::Manage)
            .guarded()
            .may_say([Problem::DirectoryNoPerson, Problem::AccountReadOnly("{}".into())])
            .writes(change),
    ]
}

/// What a person may let others ask by, and see.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ConsentField {
    Given,
    Family,
    Service,
    District,
    Province,
    Address,
    Phone,
    /// The public keys that he signs with.
    Signature,
}

/// What a natural person agrees to. Companies and public bodies are listed by law.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DirectoryConsent {
    /// Onay: without it nothing is in the directory.
    #[schema(example = true)]
    listed: bool,
    /// Hesabım bireysel sorgulama ile bulunabilsin.
    #[schema(example = true)]
    findable: bool,
    /// What others may ask by, and see.
    #[serde(deserialize_with = "few::<_, _, 8>")]
    #[schema(inline, max_items = 8, example = json!(["given", "family"]))]
    fields: Vec<ConsentField>,
}

#[derive(Serialize, ToSchema)]
struct OwnEntry {
    #[schema(example = true)]
    listed: bool,
    #[schema(example = true)]
    findable: bool,
    /// What was ticked, whether it counts or not.
    #[schema(example = json!(["given", "family"]))]
    fields: Vec<String>,
    /// When the consent was given, changed or taken back last.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    since: Option<String>,
    /// What others see; nothing while it is not listed.
    entry: Option<DirectoryEntry>,
}

/// A question in the log.
#[derive(Serialize, ToSchema)]
struct AskedQuestion {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// Who asked.
    #[schema(example = "person:1:ali.veli@hs05.kep.tr")]
    by: String,
    #[schema(example = "api")]
    channel: String,
    /// `person`, `company`, `public`, `address`, `check` …
    #[schema(example = "person")]
    kind: String,
    /// Which keys were given, and not their values.
    #[schema(example = json!(["given", "family"]))]
    keys: Vec<String>,
    /// How many entries were told; none when it was not answered.
    #[schema(minimum = 0, example = 1)]
    results: Option<i64>,
    #[schema(example = "answered")]
    central: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AskedQuestions {
    queries: Vec<AskedQuestion>,
}

fn show(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Tagged<OwnEntry>> {
    own(tx, call.account_id()?)
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<DirectoryConsent>,
) -> Answered<Tagged<OwnEntry>> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    call.matches(&own(tx, account)?.1)?;
    let DirectoryConsent { listed, findable, fields } = &new.0;
    let words: Vec<_> = fields.iter().map(|field| field.word()).collect();
    let consent = Consent::parse(*listed, *findable, &words).ok_or(Problem::Internal)?;
    directory::set_consent_in(tx, account, &consent, &by)?;
    own(tx, account)
}

fn own(tx: &mut Tx<'_>, account: AccountId) -> Answered<Tagged<OwnEntry>> {
    let (consent, since) = directory::consent_in(tx, account)?;
    let entry = directory::shown(tx, account)?;
    let (findable, fields) = consent.ticked();
    let own = OwnEntry {
        listed: consent.is_listed(),
        findable,
        fields: fields.iter().map(|field| field.word().to_owned()).collect(),
        since: since.map(|since| since.iso8601()),
        entry: entry.as_ref().map(DirectoryEntry::of),
    };
    let shown = serde_json::to_vec(&own).map_err(|_| Problem::Internal)?;
    Ok(Tagged(own, sha256(&shown).hex().chars().take(16).collect()))
}

pub(super) fn queries(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &QueryListing,
) -> Answered<Json<AskedQuestions>> {
    let (before, limit) = (ask.before.map(|before| before.0), Limit::of(ask.limit));
    let all = directory::log_of(tx, call.account_id()?, before, limit)?;
    Ok(Json(AskedQuestions { queries: all.iter().map(AskedQuestion::of).collect() }))
}

impl ConsentField {
    fn word(self) -> &'static str {
        match self {
            Self::Given => Field::Given,
            Self::Family => Field::Family,
            Self::Service => Field::Service,
            Self::District => Field::District,
            Self::Province => Field::Province,
            Self::Address => Field::Address,
            Self::Phone => Field::Phone,
            Self::Signature => Field::Signature,
        }
        .word()
    }
}

impl AskedQuestion {
    fn of(row: &Asked) -> Self {
        Self {
            number: row.id,
            at: row.asked_at.iso8601(),
            by: row.actor.clone(),
            channel: row.channel.clone(),
            kind: row.kind.clone(),
            keys: row.keys.split_whitespace().map(str::to_owned).collect(),
            results: row.results,
            central: row.central.clone(),
        }
    }
}
