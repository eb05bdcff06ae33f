//! Tokens of the account that asks: seen, and taken away. They are made by `kep account token add`, and by a
//! person in a session after a step-up: a token that could make others would outlive its own end.

mod run;

use super::call::{Answered, Call};
use super::endpoint::{Done, Endpoint, Json, NoWords, Tag, Verb, params};
use super::kinds::{Name, ScopeWords, TextLine, some_whole};
use super::problem::Problem;
use crate::registry::api_tokens::{self, ApiToken, Scope};
use crate::registry::legal::LegalAct;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/tokens", "listTokens", Tag::Tokens)
            .says("Hesabın belirteçlerini listeler.", "Lists the tokens of the account.")
            .needs(Scope::Tokens)
            .reads(list),
        Endpoint::new(Verb::Delete, "/tokens/{token}", "revokeToken", Tag::Tokens)
            .says(
                "Bir belirteci geri alır; onunla gelen sonraki istek reddedilir.",
                "Takes a token away; the next request with it is refused.",
            )
            .needs(Scope::Tokens)
            .may_say([Problem::TokenNotThere])
            .writes(revoke),
        Endpoint::new(Verb::Post, "/tokens", "createToken", Tag::Credentials)
            .says(
                "Belirteç oluşturur; bir kez gösterilir.",
                "Makes a token; it is shown this once.",
            )
            .legal(LegalAct::Token)
            .acts(Act::Manage)
            .may_say([
                Problem::CredentialUnfit(String::from("{}")),
                Problem::CredentialsMany(String::from("{}")),
            ])
            .runs(run::create),
    ]
}

params! {
    OneToken {
        path token: Name = "abcde", "The token's id: its first group.";
    }
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenWanted {
    #[schema(inline)]
    name: TextLine,
    /// What it may be used for.
    #[schema(inline)]
    scopes: ScopeWords,
    /// Until it ends; a year when nothing is said.
    #[schema(minimum = 1, maximum = 1826, example = 90)]
    #[serde(default, deserialize_with = "some_whole")]
    days: Option<u16>,
}

#[derive(Serialize, ToSchema)]
struct MadeToken {
    /// Shown this once.
    #[schema(example = "abcde-fghjk-mnpqr-stvwx-yz012-34567-abcde-fghjk")]
    token: String,
    made: Token,
}

/// A token, without itself.
#[derive(Serialize, ToSchema)]
struct Token {
    /// Its first group.
    #[schema(example = "abcde")]
    id: String,
    #[schema(example = "Muhasebe programı")]
    name: String,
    #[schema(example = json!(["mail:read", "evidence:read"]))]
    scopes: Vec<String>,
    /// The operator who made it and acts by it, where that is not the holder.
    #[schema(example = "002")]
    operator: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
    #[schema(format = DateTime, example = "2027-11-29T09:00:00.000Z")]
    expires: String,
    /// To within an hour.
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    used: Option<String>,
    /// Whether the request was made with it.
    #[schema(example = false)]
    current: bool,
}

#[derive(Serialize, ToSchema)]
struct Tokens {
    tokens: Vec<Token>,
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<Tokens>> {
    let own = call.token().map(|token| token.id.clone()).unwrap_or_default();
    let all = api_tokens::all(tx, call.account_id()?)?;
    Ok(Json(Tokens { tokens: all.iter().map(|token| Token::of(token, &own)).collect() }))
}

fn revoke(tx: &mut Tx<'_>, call: &Call, ask: &OneToken, _: &()) -> Answered<Done> {
    let account = call.account_id()?;
    match api_tokens::remove_in(tx, &call.by()?, Some(account), &ask.token.0)? {
        true => Ok(Done),
        false => Err(Problem::TokenNotThere),
    }
}

impl Token {
    fn of(token: &ApiToken, own: &str) -> Self {
        Self {
            id: token.id.clone(),
            name: token.name.clone(),
            scopes: token.scopes.words().into_iter().map(str::to_owned).collect(),
            operator: token.operator.map(|code| code.to_string()),
            created: token.created_at.iso8601(),
            expires: token.expires_at.iso8601(),
            used: token.used_at.map(|at| at.iso8601()),
            current: token.id == own,
        }
    }
}
